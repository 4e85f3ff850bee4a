/* mecb.c: X -> T -> Y with a bottleneck at T: an encoder, and a coupling of T with Y as decoder. */
#include "info/mass.h"

/* joint[x][y] = sum over t of p(x) p(t|x) q(y|t). */
static void spread(const sz_mecb *m, const double *p_x, size_t n_x, double scale, size_t n_y) {
    const sz_ebim_code *e = &m->encoder;
    for (size_t c = 0; c < m->decoder.n; c++) {
        uint32_t t = m->decoder.index[2 * c], y = m->decoder.index[2 * c + 1];
        double share = sz_mass_probability(m->decoder.mass[c]) / e->law[t];
        for (size_t x = 0; x < n_x; x++) {
            double moved = e->split_mass > 0 && x == e->split_symbol ? e->split_mass : 0;
            double p = e->code[x] == t ? sz_probability(p_x, x, scale) - moved : 0;
            p += e->split_code == t ? moved : 0;
            m->joint[x * n_y + y] += p * share;
        }
    }
}

/* I(X;Y) of joint [n_x][n_y]. */
static sz_status information(const double *joint, size_t n_x, size_t n_y, double *out) {
    double *column = sz_calloc(n_y, sizeof *column);
    SZ_REQUIRE(column, SZ_E_NOMEM, "no memory for %zu sums", n_y);
    sz_sum i = {0};
    for (size_t x = 0; x < n_x; x++) {
        double row = 0;
        for (size_t y = 0; y < n_y; y++) {
            row += joint[x * n_y + y];
            column[y] += joint[x * n_y + y];
            sz_sum_add(&i, sz_x_log_x(joint[x * n_y + y]));
        }
        sz_sum_add(&i, -sz_x_log_x(row));
    }
    for (size_t y = 0; y < n_y; y++)
        sz_sum_add(&i, -sz_x_log_x(column[y]));
    sz_free(column);
    *out = sz_at_least_zero(sz_sum_get(&i));
    return SZ_OK;
}

static sz_status solve(const double *p_x, size_t n_x, const double *p_y, size_t n_y, double rate,
                       sz_ebim_method method, sz_mecb *m) {
    double scale, h_y;
    size_t cells;
    SZ_REQUIRE(!__builtin_mul_overflow(n_x, n_y, &cells) && cells <= SIZE_MAX / 16, SZ_E_LIMIT,
               "a joint law of %zu x %zu cells is too large", n_x, n_y);
    SZ_TRY(sz_distribution_scale(p_x, n_x, "p_x", &scale));
    SZ_TRY(sz_entropy_shannon(p_y, n_y, &h_y));
    SZ_TRY(sz_ebim(p_x, n_x, rate, method, &m->encoder));
    SZ_TRY(sz_mec_greedy(m->encoder.law, m->encoder.n_codes, p_y, n_y, &m->decoder));
    m->joint = sz_calloc(cells, sizeof *m->joint);
    SZ_REQUIRE(m->joint, SZ_E_NOMEM, "no memory for a joint law of %zu x %zu cells", n_x, n_y);
    spread(m, p_x, n_x, scale, n_y);
    m->i_xt = m->encoder.information;
    m->i_ty = sz_at_least_zero(m->encoder.rate + h_y - sz_coupling_entropy(&m->decoder));
    m->lower = sz_at_least_zero(m->i_xt + m->i_ty - rate);
    return information(m->joint, n_x, n_y, &m->i_xy);
}

sz_status sz_mecb_solve(const double *p_x, size_t n_x, const double *p_y, size_t n_y, double rate,
                        sz_ebim_method method, sz_mecb *out) {
    sz_mecb m = {0};
    sz_status status = solve(p_x, n_x, p_y, n_y, rate, method, &m);
    if (status == SZ_OK)
        *out = m;
    else
        sz_mecb_free(&m);
    return status;
}

void sz_mecb_free(sz_mecb *m) {
    if (!m)
        return;
    sz_ebim_code_free(&m->encoder);
    sz_coupling_free(&m->decoder);
    sz_free(m->joint);
    *m = (sz_mecb){0};
}
