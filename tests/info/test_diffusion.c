/* test_diffusion.c: diffusion spectral entropy: reference values, invariances, limits. */
#include "check.h"

#include <math.h>
#include <string.h>

#include <szilard/unstable/info.h>

static double number(const sz_json *v) {
    return v->type == SZ_JSON_INT ? (double)v->u.i : v->u.f;
}

static size_t fill(const sz_json *v, double *out) {
    if (v->type != SZ_JSON_ARRAY) {
        *out = number(v);
        return 1;
    }
    size_t n = 0;
    for (const sz_json *c = v->u.child; c; c = c->next)
        n += fill(c, out + n);
    return n;
}

static double dse(const sz_point_set *s, double sigma, double t, sz_diffusion_kernel kernel) {
    double values[64], h;
    size_t n = sz_point_set_size(s);
    SZ_CHECK_OK(sz_diffusion_spectrum(s, NULL, n, sigma, kernel, values));
    SZ_CHECK_OK(sz_diffusion_entropy(values, n, t, &h));
    return sz_unit_convert(h, SZ_BIT);
}

static sz_point_set *points(const sz_json *c) {
    double x[256];
    sz_point_set *s;
    const sz_json *rows = sz_json_get(sz_json_get(c, "input"), "x");
    size_t n = fill(rows, x);
    SZ_CHECK_OK(sz_point_set_new(x, rows->n, n / rows->n, &s));
    return s;
}

static void check_dse(const sz_json *c) {
    sz_point_set *s = points(c);
    double sigma, t;
    for (const sz_json *e = sz_json_get(c, "expect")->u.child; e; e = e->next) {
        if (sscanf(e->key, "dse_bits_sigma%lf_t%lf", &sigma, &t) == 2)
            SZ_CHECK_ABS(dse(s, sigma, t, SZ_DIFFUSION), number(e), 1e-7);
        else if (sscanf(e->key, "ase_sigma%lf", &sigma) == 1)
            SZ_CHECK_ABS(dse(s, sigma, 1, SZ_ADJACENCY), number(e), 1e-7);
        else if (strcmp(e->key, "eigenvalues_sigma1") == 0) {
            double got[64], want[64];
            size_t n = fill(e, want);
            SZ_CHECK_OK(sz_diffusion_spectrum(s, NULL, n, 1, SZ_DIFFUSION, got));
            for (size_t i = 0; i < n; i++)
                SZ_CHECK_ABS(got[i], fabs(want[i]), 1e-9);
            SZ_CHECK_ABS(got[0], 1.0, 1e-10);
        }
    }
    sz_point_set_free(s);
}

/* The subsets are given, so the terms are put together here. */
static void check_dsmi(const sz_json *c) {
    sz_point_set *s = points(c);
    const sz_json *classes = sz_json_get(sz_json_get(c, "input"), "subsets_per_class");
    double labels[64], values[64], total = 0;
    size_t n = fill(sz_json_get(sz_json_get(c, "input"), "label"), labels), which = 0;
    for (const sz_json *k = classes->u.child; k; k = k->next, which++) {
        uint32_t members[64];
        size_t size = 0;
        double own, mean = 0, h;
        for (size_t i = 0; i < n; i++)
            if (labels[i] == (double)which)
                members[size++] = (uint32_t)i;
        SZ_CHECK_OK(sz_diffusion_spectrum(s, members, size, 1, SZ_DIFFUSION, values));
        SZ_CHECK_OK(sz_diffusion_entropy(values, size, 1, &own));
        for (const sz_json *r = k->u.child; r; r = r->next) {
            double at[64];
            uint32_t subset[64];
            fill(r, at);
            for (size_t i = 0; i < r->n; i++)
                subset[i] = (uint32_t)at[i];
            SZ_CHECK_OK(sz_diffusion_spectrum(s, subset, r->n, 1, SZ_DIFFUSION, values));
            SZ_CHECK_OK(sz_diffusion_entropy(values, r->n, 1, &h));
            mean += (h - own) / k->n;
        }
        total += mean * (double)size / (double)n;
    }
    SZ_CHECK_ABS(sz_unit_convert(total, SZ_BIT),
                 number(sz_json_get(sz_json_get(c, "expect"), "dsmi")), 1e-8);
    sz_point_set_free(s);
}

static void reference_values(void **state) {
    sz_buf text = {0};
    sz_arena *arena;
    sz_json *root;
    SZ_CHECK_OK(sz_file_read(SZ_TEST_VECTORS "/46-dse.json", 1 << 20, &text));
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    SZ_CHECK_OK(sz_json_parse(text.data, text.len, arena, &root));
    size_t checked = 0;
    for (const sz_json *c = sz_json_get(root, "cases")->u.child; c; c = c->next) {
        const char *name = sz_json_get(c, "name")->u.s;
        bool is_dse = strncmp(name, "dse/", 4) == 0, is_dsmi = strncmp(name, "dsmi/", 5) == 0;
        if (is_dse)
            check_dse(c);
        if (is_dsmi)
            check_dsmi(c);
        checked += is_dse + is_dsmi;
    }
    assert_int_equal(checked, 7);
    sz_arena_free(arena);
    sz_buf_free(&text);
}

static double uniform(void) {
    static uint64_t counter;
    return sz_uniform(3, 1, counter++);
}

enum { N = 40, D = 3 };

static double dse_of(const double *x, double sigma, double t) {
    sz_point_set *s;
    SZ_CHECK_OK(sz_point_set_new(x, N, D, &s));
    double h = dse(s, sigma, t, SZ_DIFFUSION);
    sz_point_set_free(s);
    return h;
}

static void moves_and_scales_do_not_matter(void **state) {
    double x[N * D], moved[N * D], before = INFINITY;
    for (size_t i = 0; i < N * D; i++)
        x[i] = uniform();
    double h = dse_of(x, 0.4, 1);
    for (size_t i = 0; i < N; i++) { /* turned in a plane, moved, rows backwards, scaled by 3 */
        const double *p = x + (N - 1 - i) * D;
        moved[i * D] = 3 * (0.6 * p[0] - 0.8 * p[1]) + 5;
        moved[i * D + 1] = 3 * (0.8 * p[0] + 0.6 * p[1]) - 7;
        moved[i * D + 2] = 3 * p[2];
    }
    SZ_CHECK_ABS(dse_of(moved, 1.2, 1), h, 1e-9);
    for (double t = 0.5; t < 200; t *= 2) { /* diffusion only forgets */
        h = dse_of(x, 0.4, t);
        assert_true(h >= 0 && h <= log2(N) + 1e-12 && h <= before + 1e-12);
        before = h;
    }
}

static void tight_clusters_are_counted(void **state) {
    double x[N * D];
    for (size_t i = 0; i < N * D; i++)
        x[i] = 20 * (double)(i / D % 4) * (i % D == 0) + 0.01 * uniform();
    SZ_CHECK_ABS(dse_of(x, 1, 1), 2.0, 0.02);
    SZ_CHECK_ABS(dse_of(x, 1, 1e6), 2.0, 0.02);
}

static void labels_that_explain_and_labels_that_do_not(void **state) {
    double x[N * D];
    int32_t clusters[N], parity[N], one[N] = {0}, few[N];
    sz_point_set *s;
    sz_dsmi_estimate e;
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < D; j++)
            x[i * D + j] = 10 * (double)(i % 2) * (j == 0) + uniform();
        clusters[i] = (int32_t)(i % 2);
        parity[i] = (int32_t)(i / 2 % 2);
        few[i] = (int32_t)(i / 2);
    }
    SZ_CHECK_OK(sz_point_set_new(x, N, D, &s));
    SZ_CHECK_OK(sz_dsmi(s, clusters, 1, 1, 20, 1, &e));
    SZ_CHECK_ABS(sz_unit_convert(e.nats, SZ_BIT), 1.0, 0.15);
    SZ_CHECK_OK(sz_dsmi(s, parity, 1, 1, 20, 1, &e));
    SZ_CHECK_ABS(sz_unit_convert(e.nats, SZ_BIT), 0.0, 0.1);
    assert_int_equal(e.n_used, N);
    SZ_CHECK_OK(sz_dsmi(s, one, 1, 1, 5, 1, &e));
    SZ_CHECK_ABS(e.nats, 0.0, 1e-12);
    assert_int_equal(sz_dsmi(s, few, 1, 1, 5, 1, &e), SZ_E_ARG);
    sz_point_set_free(s);
}

static void bad_input_is_named(void **state) {
    double x[4] = {0, 1, NAN, 2}, values[2];
    sz_point_set *s;
    assert_int_equal(sz_point_set_new(x, 2, 2, &s), SZ_E_NAN);
    assert_non_null(strstr(sz_last_error(), "row 1, column 0"));
    x[2] = 3;
    SZ_CHECK_OK(sz_point_set_new(x, 2, 2, &s));
    assert_int_equal(sz_diffusion_spectrum(s, NULL, 2, 0, SZ_DIFFUSION, values), SZ_E_ARG);
    SZ_CHECK_OK(sz_diffusion_spectrum(s, NULL, 2, 1, SZ_DIFFUSION, values));
    assert_int_equal(sz_diffusion_entropy(values, 2, 0, x), SZ_E_ARG);
    sz_point_set_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_values),
        cmocka_unit_test(moves_and_scales_do_not_matter),
        cmocka_unit_test(tight_clusters_are_counted),
        cmocka_unit_test(labels_that_explain_and_labels_that_do_not),
        cmocka_unit_test(bad_input_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
