/* conserve.c: a prediction N(mean, S) given b = G u + noise:
 * A = G S G^T + noise, mean' = mean - S G^T A^-1 (G mean - b), S' = S - S G^T A^-1 G S. */
#include <szilard/unstable/conserve.h>

#include <math.h>
#include <string.h>
#include <szilard/unstable/num.h>

#include "num/dot.h"

#define RANK_TOLERANCE 1e-12 /* of the greatest pivot */
#define MET_TOLERANCE  1e-9  /* of a constraint's size */

typedef struct work {
    double *w;     /* [k][n]: rows of G S */
    double *a;     /* [k][k]: A, then its factor; row i belongs to constraint order[i] */
    double *error; /* [k]: G mean - b */
    double *size;  /* [k]: what an error is small beside */
    size_t *order; /* [k]: constraints by falling pivots */
    size_t rank;
} work;

static sz_status check(const sz_conserve_problem *p) {
    SZ_REQUIRE(p->n >= 1 && p->k >= 1 && p->k <= p->n, SZ_E_ARG, "%zu constraints of %zu values",
               p->k, p->n);
    SZ_REQUIRE(p->var || p->cov, SZ_E_ARG, "neither variances nor a covariance");
    SZ_REQUIRE(p->noise >= 0 && p->noise < INFINITY, SZ_E_ARG,
               "the constraints' variance is %g, not at least 0", p->noise);
    for (size_t i = 0; i < p->n; i++) {
        double v = p->var ? p->var[i] : p->cov[i * p->n + i];
        SZ_REQUIRE(isfinite(p->mean[i]) && isfinite(v), SZ_E_NAN, "entry %zu is not finite", i);
        SZ_REQUIRE(v >= 0, SZ_E_ARG, "the variance of entry %zu is %g, not at least 0", i, v);
    }
    for (size_t i = 0; !p->var && i < p->n; i++)
        for (size_t j = 0; j < i; j++) {
            double a = p->cov[i * p->n + j], b = p->cov[j * p->n + i];
            double scale = sqrt(p->cov[i * p->n + i] * p->cov[j * p->n + j]);
            SZ_REQUIRE(isfinite(a) && isfinite(b), SZ_E_NAN, "covariance (%zu, %zu) is not finite",
                       i, j);
            SZ_REQUIRE(fabs(a - b) <= 1e-10 * scale && fabs(a) <= scale * (1 + 1e-10), SZ_E_ARG,
                       "covariances (%zu, %zu) %g and %g: not those of a field", i, j, a, b);
        }
    for (size_t c = 0; c < p->k; c++) {
        SZ_REQUIRE(isfinite(p->b[c]), SZ_E_NAN, "b of constraint %zu is not finite", c);
        for (size_t i = 0; i < p->n; i++)
            SZ_REQUIRE(isfinite(p->g[c * p->n + i]), SZ_E_NAN,
                       "constraint %zu, entry %zu is not finite", c, i);
    }
    return SZ_OK;
}

/* G S, A and the errors. */
static void fill(const sz_conserve_problem *p, work *x) {
    size_t n = p->n, k = p->k;
    for (size_t c = 0; c < k; c++) {
        const double *g = p->g + c * n;
        for (size_t i = 0; i < n; i++)
            x->w[c * n + i] = p->var ? g[i] * p->var[i] : sz_dot(g, p->cov + i * n, n);
        x->error[c] = sz_dot(g, p->mean, n) - p->b[c];
        x->size[c] = fabs(p->b[c]);
        for (size_t i = 0; i < n; i++)
            x->size[c] += fabs(g[i] * p->mean[i]);
        x->order[c] = c;
    }
    for (size_t c = 0; c < k; c++)
        for (size_t d = 0; d < k; d++)
            x->a[c * k + d] = sz_dot(p->g + c * n, x->w + d * n, n) + (c == d ? p->noise : 0);
}

static void swap_constraints(work *x, size_t k, size_t i, size_t j) {
    size_t kept = x->order[i];
    x->order[i] = x->order[j];
    x->order[j] = kept;
    for (size_t c = 0; c < k; c++) {
        double row = x->a[i * k + c];
        x->a[i * k + c] = x->a[j * k + c];
        x->a[j * k + c] = row;
    }
    for (size_t c = 0; c < k; c++) {
        double column = x->a[c * k + i];
        x->a[c * k + i] = x->a[c * k + j];
        x->a[c * k + j] = column;
    }
}

/* Cholesky with the greatest pivot first, in the lower triangle, as far as A has full rank. */
static void factor(work *x, size_t k) {
    double *a = x->a, greatest = 0;
    for (x->rank = 0; x->rank < k; x->rank++) {
        size_t s = x->rank, best = s;
        for (size_t c = s + 1; c < k; c++)
            best = a[c * k + c] > a[best * k + best] ? c : best;
        greatest = a[best * k + best] > greatest ? a[best * k + best] : greatest;
        if (!(a[best * k + best] > RANK_TOLERANCE * greatest))
            return;
        swap_constraints(x, k, s, best);
        a[s * k + s] = sqrt(a[s * k + s]);
        for (size_t c = s + 1; c < k; c++)
            a[c * k + s] /= a[s * k + s];
        for (size_t c = s + 1; c < k; c++)
            for (size_t d = s + 1; d < k; d++)
                a[c * k + d] -= a[c * k + s] * a[d * k + s];
    }
}

/* Constraints beyond the rank must be met by what the others do: `mean` is the updated one. */
static sz_status check_rest(const sz_conserve_problem *p, const work *x, const double *mean) {
    for (size_t c = x->rank; c < p->k; c++) {
        size_t row = x->order[c];
        const double *g = p->g + row * p->n;
        double left = sz_dot(g, mean, p->n) - p->b[row];
        if (fabs(left) <= MET_TOLERANCE * (x->size[row] + SZ_CONSERVE_LEAST))
            continue;
        SZ_REQUIRE(sz_dot(g, x->w + row * p->n, p->n) > 0, SZ_E_ARG,
                   "constraint %zu cannot be met: zero variance along it", row);
        return sz_fail(SZ_E_ARG, "constraint %zu contradicts others, such as %zu: it misses by %g",
                       row, x->order[0], left);
    }
    return SZ_OK;
}

/* v = L^-1 (rows of G S in their order), in place of w: S' = S - v^T v. */
static void whiten(const sz_conserve_problem *p, work *x, double *v, double *e) {
    size_t n = p->n, k = p->k;
    for (size_t c = 0; c < x->rank; c++) {
        memcpy(v + c * n, x->w + x->order[c] * n, n * sizeof *v);
        e[c] = x->error[x->order[c]];
        for (size_t d = 0; d < c; d++) {
            for (size_t i = 0; i < n; i++)
                v[c * n + i] -= x->a[c * k + d] * v[d * n + i];
            e[c] -= x->a[c * k + d] * e[d];
        }
        for (size_t i = 0; i < n; i++)
            v[c * n + i] /= x->a[c * k + c];
        e[c] /= x->a[c * k + c];
    }
}

static void put_covariance(const sz_conserve_problem *p, const work *x, const double *v,
                           double *var, double *cov) {
    size_t n = p->n;
    for (size_t i = 0; var && i < n; i++) {
        double s = p->var ? p->var[i] : p->cov[i * n + i];
        for (size_t c = 0; c < x->rank; c++)
            s -= v[c * n + i] * v[c * n + i];
        var[i] = s > SZ_CONSERVE_LEAST ? s : SZ_CONSERVE_LEAST;
    }
    for (size_t i = 0; cov && i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double s = p->cov && !p->var ? p->cov[i * n + j] : i == j ? p->var[i] : 0;
            for (size_t c = 0; c < x->rank; c++)
                s -= v[c * n + i] * v[c * n + j];
            cov[i * n + j] = cov[j * n + i] = i == j && s < 0 ? 0 : s;
        }
}

static double gain(const sz_conserve_problem *p, const work *x, const double *e) {
    double nats = 0;
    if (p->noise == 0)
        return INFINITY;
    for (size_t c = 0; c < x->rank; c++)
        nats += sz_log(x->a[c * p->k + c]) - 0.5 * sz_log(p->noise) + 0.5 * e[c] * e[c];
    return nats;
}

static sz_status solve(const sz_conserve_problem *p, work *x, double *mean, double *var,
                       double *cov, double *gain_nats) {
    double *v = sz_alloc(p->k * (p->n + 1) * sizeof *v), *e = v + p->k * p->n;
    SZ_REQUIRE(v, SZ_E_NOMEM, "no memory for %zu constraints", p->k);
    fill(p, x);
    factor(x, p->k);
    whiten(p, x, v, e);
    memcpy(mean, p->mean, p->n * sizeof *mean);
    for (size_t c = 0; c < x->rank; c++)
        for (size_t i = 0; i < p->n; i++)
            mean[i] -= v[c * p->n + i] * e[c];
    sz_status status = check_rest(p, x, mean);
    if (status == SZ_OK)
        put_covariance(p, x, v, var, cov);
    if (status == SZ_OK && gain_nats)
        *gain_nats = gain(p, x, e);
    sz_free(v);
    return status;
}

sz_status sz_conserve_update(const sz_conserve_problem *p, double *mean, double *var, double *cov,
                             double *gain_nats) {
    SZ_TRY(check(p));
    size_t k = p->k, n = p->n, cells;
    SZ_REQUIRE(!__builtin_mul_overflow(k, n + k + 2, &cells) && cells < SIZE_MAX / 16, SZ_E_LIMIT,
               "%zu constraints of %zu values are too many", k, n);
    work x = {.w = sz_alloc(cells * sizeof *x.w), .order = sz_alloc(k * sizeof *x.order)};
    x.a = x.w + k * n;
    x.error = x.a + k * k;
    x.size = x.error + k;
    sz_status status = x.w && x.order ? solve(p, &x, mean, var, cov, gain_nats)
                                      : sz_fail(SZ_E_NOMEM, "no memory for %zu constraints", k);
    sz_free(x.w);
    sz_free(x.order);
    return status;
}

sz_status sz_conserve_project(const double *mean, size_t n, const double *g, const double *b,
                              size_t k, double *out) {
    double *one = sz_alloc(n * sizeof *one + 1);
    SZ_REQUIRE(one, SZ_E_NOMEM, "no memory for %zu values", n);
    for (size_t i = 0; i < n; i++)
        one[i] = 1;
    sz_status status = sz_conserve_update(
        &(sz_conserve_problem){.n = n, .k = k, .mean = mean, .var = one, .g = g, .b = b}, out, NULL,
        NULL, NULL);
    sz_free(one);
    return status;
}
