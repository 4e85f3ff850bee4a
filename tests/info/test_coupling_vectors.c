/* test_coupling_vectors.c: every reference value of the couplings, in bits. */
#include "check.h"

#include <math.h>
#include <string.h>

#include <szilard/unstable/coupling.h>

enum { MOST = 64 };
static const double ln2 = 0.69314718055994530942;

static size_t numbers(const sz_json *of, const char *key, double *out) {
    const sz_json *v = sz_json_get(of, key);
    size_t n = 0;
    assert_non_null(v);
    for (const sz_json *c = v->u.child; c; c = c->next)
        out[n++] = c->type == SZ_JSON_INT ? (double)c->u.i : c->u.f;
    return n;
}
static double number(const sz_json *v) {
    return v->type == SZ_JSON_INT ? (double)v->u.i : v->u.f;
}
static void expect(const sz_json *test, const char *key, double nats) {
    const sz_json *want = sz_json_get(sz_json_get(test, "expect"), key);
    if (!want)
        return;
    double tolerance = number(sz_json_get(test, "tol"));
    if (!(fabs(nats / ln2 - number(want)) <= tolerance))
        fail_msg("%s: %s is %.12g bits, not %.12g", sz_json_get(test, "name")->u.s, key, nats / ln2,
                 number(want));
}

static double cell(const sz_coupling *c, uint32_t i, uint32_t j) {
    uint64_t mass = 0;
    for (size_t k = 0; k < c->n; k++)
        if (c->index[2 * k] == i && c->index[2 * k + 1] == j)
            mass += c->mass[k];
    return (double)mass * 0x1p-62;
}

static void mec(const sz_json *test) {
    double p[MOST], q[MOST], row[MOST], h_p, h_q;
    const sz_json *input = sz_json_get(test, "input");
    size_t n_p = numbers(input, "p", p), n_q = numbers(input, "q", q);
    sz_coupling c;
    sz_mec_bounds b;
    SZ_CHECK_OK(sz_mec_greedy(p, n_p, q, n_q, &c));
    expect(test, "greedy_H", sz_coupling_entropy(&c));
    SZ_CHECK_OK(sz_entropy_shannon(p, n_p, &h_p));
    SZ_CHECK_OK(sz_entropy_shannon(q, n_q, &h_q));
    expect(test, "greedy_I", h_p + h_q - sz_coupling_entropy(&c));
    uint32_t i = 0;
    const sz_json *joint = sz_json_get(sz_json_get(test, "expect"), "greedy_joint");
    for (const sz_json *r = joint->u.child; r; r = r->next, i++) {
        uint32_t j = 0;
        for (const sz_json *v = r->u.child; v; v = v->next, j++) {
            row[j] = number(v);
            SZ_CHECK_ABS(cell(&c, i, j), row[j], 1e-9);
        }
    }
    sz_coupling_free(&c);
    SZ_CHECK_OK(sz_mec_exact(p, n_p, q, n_q, &c));
    expect(test, "optimal_H", sz_coupling_entropy(&c));
    sz_coupling_free(&c);
    SZ_CHECK_OK(sz_mec_bound(p, n_p, q, n_q, &b));
    expect(test, "meet_H", b.meet);
    expect(test, "profile_lb", b.profile);
}

static void check_groups(const sz_json *test, const sz_ebim_code *c) {
    const sz_json *groups = sz_json_get(sz_json_get(test, "expect"), "groups");
    uint32_t seen[MOST] = {0}, group = 0;
    for (const sz_json *g = groups->u.child; g; g = g->next, group++) {
        uint32_t code = c->code[g->u.child->u.i];
        assert_int_equal(seen[code]++, 0);
        for (const sz_json *x = g->u.child; x; x = x->next)
            assert_int_equal(c->code[x->u.i], code);
    }
    assert_int_equal(group, c->n_codes);
}

static void ebim(const sz_json *test) {
    double p[MOST];
    const sz_json *input = sz_json_get(test, "input");
    size_t n = numbers(input, "px", p);
    double rate = number(sz_json_get(input, "R")) * ln2;
    static const char *const keys[] = {"I", "two_move_I", "one_split_I"};
    for (int method = SZ_EBIM_GREEDY; method <= SZ_EBIM_ONE_SPLIT; method++) {
        sz_ebim_code c;
        SZ_CHECK_OK(sz_ebim(p, n, rate, (sz_ebim_method)method, &c));
        expect(test, keys[method], c.information);
        if (method == SZ_EBIM_GREEDY) {
            expect(test, "gap_bound", c.gap_bound);
            check_groups(test, &c);
        }
        sz_ebim_code_free(&c);
    }
}

static void mecb(const sz_json *test) {
    double p_x[MOST], p_y[MOST], p_t[MOST];
    const sz_json *input = sz_json_get(test, "input");
    size_t n_x = numbers(input, "px", p_x), n_y = numbers(input, "py", p_y);
    sz_mecb m;
    SZ_CHECK_OK(sz_mecb_solve(p_x, n_x, p_y, n_y, number(sz_json_get(input, "R")) * ln2,
                              SZ_EBIM_GREEDY, &m));
    expect(test, "I_XT", m.i_xt);
    expect(test, "I_TY", m.i_ty);
    expect(test, "I_XY", m.i_xy);
    expect(test, "lower_bound", m.lower);
    assert_int_equal(numbers(sz_json_get(test, "expect"), "pT", p_t), m.encoder.n_codes);
    for (size_t t = 0; t < m.encoder.n_codes; t++)
        SZ_CHECK_ABS(m.encoder.law[t], p_t[t], 1e-12);
    sz_mecb_free(&m);
}

/* The row of the coupling that the sender draws from. */
static void check_row(const sz_imec *m, const uint32_t *message, const double *q, size_t n,
                      const double *want) {
    sz_coupling c;
    uint32_t x = message[sz_imec_block(m)];
    SZ_CHECK_OK(sz_imec_couple(m, q, n, &c));
    double row[MOST], sum = 0;
    for (uint32_t y = 0; y < n; y++)
        sum += row[y] = cell(&c, x, y);
    for (uint32_t y = 0; y < n; y++)
        SZ_CHECK_ABS(row[y] / sum, want[y], 1e-9);
    sz_coupling_free(&c);
}

static void fimec(const sz_json *test) {
    const sz_json *input = sz_json_get(test, "input"), *wanted = sz_json_get(test, "expect");
    double x[MOST], u[MOST], y[MOST], block[MOST], q[MOST], row[MOST], map[MOST];
    size_t n_blocks = numbers(input, "x", x), step = 0;
    uint32_t message[MOST], symbol, got[MOST];
    numbers(input, "u", u);
    numbers(wanted, "y", y);
    numbers(wanted, "block", block);
    numbers(wanted, "map", map);
    for (size_t b = 0; b < n_blocks; b++)
        message[b] = (uint32_t)x[b];
    sz_imec *sender, *receiver;
    unsigned bits = (unsigned)sz_json_get(input, "b")->u.i;
    SZ_CHECK_OK(sz_imec_new(n_blocks, bits, &sender));
    SZ_CHECK_OK(sz_imec_new(n_blocks, bits, &receiver));
    const sz_json *r = sz_json_get(wanted, "rows")->u.child;
    for (const sz_json *d = sz_json_get(input, "dists")->u.child; d; d = d->next, r = r->next) {
        size_t n = 0;
        for (const sz_json *v = d->u.child; v; v = v->next)
            q[n++] = number(v);
        n = 0;
        for (const sz_json *v = r->u.child; v; v = v->next)
            row[n++] = number(v);
        assert_int_equal(sz_imec_block(sender), (size_t)block[step]);
        check_row(sender, message, q, n, row);
        SZ_CHECK_OK(sz_imec_encode(sender, message, q, n, u[step], &symbol));
        assert_int_equal(symbol, (uint32_t)y[step]);
        SZ_CHECK_OK(sz_imec_decode(receiver, q, n, symbol));
        step++;
    }
    sz_imec_message(receiver, got);
    for (size_t b = 0; b < n_blocks; b++)
        assert_int_equal(got[b], (uint32_t)map[b]);
    SZ_CHECK_ABS(sz_imec_uncertainty(receiver) / ln2, number(sz_json_get(wanted, "residual_bits")),
                 1e-9);
    sz_imec_free(sender);
    sz_imec_free(receiver);
}

static void every_vector(void **state) {
    static const struct {
        const char *prefix;
        void (*check)(const sz_json *test);
        size_t least;
    } kinds[] = {{"mec/", mec, 8}, {"ebim/", ebim, 15}, {"mecb/", mecb, 2}, {"fimec/", fimec, 2}};
    sz_arena *arena;
    sz_json *root;
    sz_buf text = {0};
    size_t done[4] = {0};
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    SZ_CHECK_OK(sz_file_read(SZ_TEST_VECTORS "/04-mecb.json", 1 << 20, &text));
    SZ_CHECK_OK(sz_json_parse(text.data, text.len, arena, &root));
    for (const sz_json *c = sz_json_get(root, "cases")->u.child; c; c = c->next)
        for (size_t k = 0; k < 4; k++)
            if (strncmp(sz_json_get(c, "name")->u.s, kinds[k].prefix, strlen(kinds[k].prefix)) ==
                0) {
                kinds[k].check(c);
                done[k]++;
            }
    for (size_t k = 0; k < 4; k++)
        assert_true(done[k] >= kinds[k].least);
    sz_buf_free(&text);
    sz_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_vector)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
