/* test_vectors.c: every reference value of the information core. */
#include "check.h"

#include <math.h>
#include <string.h>

#include <szilard/unstable/info.h>
#include <szilard/unstable/num.h>

typedef struct test_case {
    const char *name;
    const sz_json *input, *expect;
    double tolerance;
    size_t checked;
} test_case;

/* ---- Reading --------------------------------------------------------------------------------- */

static double number(const sz_json *v) {
    if (v->type == SZ_JSON_INT)
        return (double)v->u.i;
    if (v->type == SZ_JSON_FLOAT)
        return v->u.f;
    return strcmp(v->u.s, "-inf") == 0 ? -INFINITY : INFINITY;
}

static size_t fill(const sz_json *v, double *out) { /* nested arrays, flattened */
    if (v->type != SZ_JSON_ARRAY) {
        *out = number(v);
        return 1;
    }
    size_t n = 0;
    for (const sz_json *c = v->u.child; c; c = c->next)
        n += fill(c, out + n);
    return n;
}

enum { MOST = 4096 };
static double buffer[4][MOST];

static size_t array(const test_case *c, const char *key, double *out) {
    const sz_json *v = sz_json_get(c->input, key);
    if (!v)
        fail_msg("%s: no %s", c->name, key);
    return fill(v, out);
}
static size_t width(const test_case *c, const char *key) {
    const sz_json *first = sz_json_get(c->input, key)->u.child;
    return first->type == SZ_JSON_ARRAY ? first->n : 1;
}
static double scalar(const test_case *c, const char *key) {
    return number(sz_json_get(c->input, key));
}

/* Compares with the expectation of that name, if the case has one. */
static void expect(test_case *c, const char *key, double got) {
    const sz_json *v = sz_json_get(c->expect, key);
    if (!v)
        return;
    double want = number(v), scale = want > 1 ? want : want < -1 ? -want : 1;
    c->checked++;
    if (want == INFINITY ? got != INFINITY : !(fabs(got - want) <= c->tolerance * scale))
        fail_msg("%s: %s is %.17g, not %.17g", c->name, key, got, want);
}

/* ---- Kinds of cases -------------------------------------------------------------------------- */

static void entropies(test_case *c) {
    double *p = buffer[0], h;
    size_t n = array(c, "p", p);
    SZ_CHECK_OK(sz_entropy_shannon(p, n, &h));
    expect(c, "shannon", h);
    expect(c, "perplexity", sz_exp(h));
    SZ_CHECK_OK(sz_entropy_varentropy(p, n, &h));
    expect(c, "varentropy", h);
    SZ_CHECK_OK(sz_entropy_min(p, n, &h));
    expect(c, "min", h);
    SZ_CHECK_OK(sz_entropy_hartley(p, n, &h));
    expect(c, "hartley", h);
    for (const sz_json *e = c->expect->u.child; e; e = e->next) {
        double order;
        if (sscanf(e->key, "renyi_%lf", &order) == 1) {
            SZ_CHECK_OK(sz_entropy_renyi(p, n, order, &h));
            expect(c, e->key, h);
        }
        if (sscanf(e->key, "tsallis_%lf", &order) == 1) {
            SZ_CHECK_OK(sz_entropy_tsallis(p, n, order, &h));
            expect(c, e->key, h);
        }
    }
}

static void logits(test_case *c) {
    sz_logit_entropies e;
    size_t n = array(c, "logits", buffer[0]);
    SZ_CHECK_OK(sz_entropy_logits(buffer[0], n, &e));
    expect(c, "lse", e.log_sum_exp);
    expect(c, "shannon", e.shannon);
    expect(c, "varentropy", e.varentropy);
    expect(c, "min", e.min);
    expect(c, "renyi_2", e.renyi_2);
}

static void divergence(test_case *c) {
    double *p = buffer[0], *q = buffer[1], d, order;
    size_t n = array(c, "p", p);
    array(c, "q", q);
    static const struct {
        const char *key;
        sz_status (*call)(const double *p, const double *q, size_t n, double *out);
    } plain[] = {{"kl_pq", sz_div_kl},
                 {"ce_pq", sz_div_cross_entropy},
                 {"tv", sz_div_total_variation},
                 {"hellinger2", sz_div_hellinger2},
                 {"chi2_pq", sz_div_chi2}};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        SZ_CHECK_OK(plain[i].call(p, q, n, &d));
        expect(c, plain[i].key, d);
    }
    SZ_CHECK_OK(sz_div_kl(q, p, n, &d));
    expect(c, "kl_qp", d);
    SZ_CHECK_OK(sz_div_js(p, q, n, 0.5, &d));
    expect(c, "js", d);
    SZ_CHECK_OK(sz_div_js(p, q, n, 0.25, &d));
    expect(c, "js_w0.25", d);
    for (const sz_json *e = c->expect->u.child; e; e = e->next) {
        if (sscanf(e->key, "renyi_div_%lf", &order) == 1) {
            SZ_CHECK_OK(sz_div_renyi(p, q, n, order, &d));
            expect(c, e->key, d);
        }
        if (sscanf(e->key, "alpha_div_%lf", &order) == 1) {
            SZ_CHECK_OK(sz_div_alpha(p, q, n, order, &d));
            expect(c, e->key, d);
        }
    }
}

static size_t whole(const test_case *c, const char *key, uint64_t *out) {
    size_t n = array(c, key, buffer[3]);
    for (size_t i = 0; i < n; i++)
        out[i] = (uint64_t)buffer[3][i];
    return n;
}

static void counts(test_case *c) {
    uint64_t n[64];
    sz_count_entropy e;
    size_t cells = whole(c, "counts", n);
    SZ_CHECK_OK(sz_entropy_counts(n, cells, &e));
    expect(c, "plugin", e.plug_in);
    expect(c, "miller_madow", e.miller_madow);
    expect(c, "grassberger2003", e.grassberger);
    expect(c, "chao_shen", e.chao_shen);
    expect(c, "jackknife", e.jackknife);
    expect(c, "james_stein", e.james_stein);
    expect(c, "james_stein_lambda", e.shrinkage);
    expect(c, "se", e.standard_error);
}

static void table(test_case *c) {
    uint64_t n[64];
    sz_table_information t;
    size_t cells = whole(c, "table", n), columns = width(c, "table");
    SZ_CHECK_OK(sz_mi_table(n, cells / columns, columns, &t));
    expect(c, "plugin", t.plug_in);
    expect(c, "miller_madow", t.miller_madow);
    expect(c, "support_x", (double)t.k_x);
    expect(c, "support_y", (double)t.k_y);
    expect(c, "support_xy", (double)t.k_xy);
}

static void ksg(test_case *c) {
    size_t d_x = width(c, "x"), d_y = width(c, "y"), n = array(c, "x", buffer[0]) / d_x;
    array(c, "y", buffer[1]);
    sz_knn_options o = {.k = (uint32_t)scalar(c, "k")};
    sz_knn_estimate e;
    SZ_CHECK_OK(sz_mi_ksg1(buffer[0], d_x, buffer[1], d_y, n, &o, &e));
    expect(c, "ksg1", e.nats);
    SZ_CHECK_OK(sz_mi_ksg2(buffer[0], d_x, buffer[1], d_y, n, &o, &e));
    expect(c, "ksg2", e.nats);
    assert_false(e.jittered);
}

static void knn_entropy(test_case *c) {
    size_t d = width(c, "x"), n = array(c, "x", buffer[0]) / d;
    sz_knn_options o = {.k = (uint32_t)scalar(c, "k")};
    sz_knn_estimate e;
    SZ_CHECK_OK(sz_entropy_knn(buffer[0], n, d, &o, &e));
    expect(c, "kozachenko_leonenko", e.nats);
}

static void ross(test_case *c) {
    int32_t labels[64];
    size_t d = width(c, "x"), n = array(c, "x", buffer[0]) / d;
    array(c, "label", buffer[1]);
    for (size_t i = 0; i < n; i++)
        labels[i] = (int32_t)buffer[1][i];
    sz_knn_options o = {.k = (uint32_t)scalar(c, "k")};
    sz_knn_estimate e;
    SZ_CHECK_OK(sz_mi_ross(buffer[0], d, labels, n, &o, &e));
    expect(c, "ross", e.nats);
}

static void matrix_renyi(test_case *c) {
    size_t d_x = width(c, "x"), d_y = width(c, "y"), n = array(c, "x", buffer[0]) / d_x;
    array(c, "y", buffer[1]);
    sz_matrix_information m;
    SZ_CHECK_OK(sz_mi_matrix(buffer[0], d_x, buffer[1], d_y, n, scalar(c, "sigma_x"),
                             scalar(c, "sigma_y"), scalar(c, "alpha"), &m));
    expect(c, "s_x", m.s_x);
    expect(c, "s_y", m.s_y);
    expect(c, "s_xy", m.s_xy);
    expect(c, "mi", m.information);
}

static void von_neumann(test_case *c) {
    float z[64];
    size_t d = width(c, "z"), n = array(c, "z", buffer[0]);
    bool center = sz_json_get(c->input, "center")->type == SZ_JSON_TRUE;
    for (size_t i = 0; i < n; i++)
        z[i] = (float)buffer[0][i];
    double *values, s;
    size_t k;
    c->tolerance = 1e-6; /* the rows are floats here */
    SZ_CHECK_OK(sz_spectral_of_rows(z, n / d, d, center, &values, &k));
    SZ_CHECK_OK(sz_spectral_entropy(values, k, 1, NULL, &s));
    expect(c, "s", s);
    expect(c, "erank", sz_exp(s));
    SZ_CHECK_OK(sz_spectral_truncated(values, k, 2, false, &s));
    expect(c, "trunc_k2", s);
    SZ_CHECK_OK(sz_spectral_truncated(values, k, 2, true, &s));
    expect(c, "trunc_k2_renorm", s);
    SZ_CHECK_OK(sz_spectral_truncated(values, k, 3, false, &s));
    expect(c, "trunc_k3", s);
    SZ_CHECK_OK(sz_spectral_renyi2(z, n / d, d, center, &s));
    expect(c, "renyi_2", s);
    sz_free(values);
}

static void mi_binned(test_case *c) {
    uint32_t x[64], y[64], bins = (uint32_t)scalar(c, "bins"), used;
    size_t n = array(c, "x", buffer[0]);
    array(c, "y", buffer[1]);
    SZ_CHECK_OK(sz_bin(buffer[0], n, SZ_BIN_WIDTH, bins, x, &used));
    SZ_CHECK_OK(sz_bin(buffer[1], n, SZ_BIN_WIDTH, bins, y, &used));
    assert_int_equal(used, bins);
    uint64_t counted[64] = {0};
    for (size_t i = 0; i < n; i++)
        counted[x[i] * bins + y[i]]++;
    double want[64];
    fill(sz_json_get(c->expect, "table"), want);
    for (size_t i = 0; i < bins * bins; i++)
        assert_int_equal(counted[i], (uint64_t)want[i]);
    sz_table_information t;
    SZ_CHECK_OK(sz_mi_table(counted, bins, bins, &t));
    expect(c, "plugin", t.plug_in);
    expect(c, "miller_madow", t.miller_madow);
    c->checked++; /* the table */
}

static const struct {
    const char *prefix;
    void (*run)(test_case *c);
} kinds[] = {
    {"entropies/", entropies},     {"logits/", logits},       {"divergence/", divergence},
    {"counts/", counts},           {"mi_table/", table},      {"ksg/", ksg},
    {"knn_entropy/", knn_entropy}, {"ross/", ross},           {"matrix_renyi/", matrix_renyi},
    {"von_neumann/", von_neumann}, {"mi_binned/", mi_binned},
};

static void run_case(const sz_json *v) {
    test_case c = {.name = sz_json_get(v, "name")->u.s,
                   .input = sz_json_get(v, "input"),
                   .expect = sz_json_get(v, "expect"),
                   .tolerance = number(sz_json_get(v, "tol"))};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(c.name, kinds[i].prefix, strlen(kinds[i].prefix)) == 0) {
            kinds[i].run(&c);
            if (c.checked != c.expect->n)
                fail_msg("%s: %zu of %u expectations checked", c.name, c.checked, c.expect->n);
            return;
        }
    fail_msg("%s: no test for this kind of case", c.name);
}

static void all_vectors(void **state) {
    sz_buf text = {0};
    sz_arena *arena;
    sz_json *root;
    SZ_CHECK_OK(sz_file_read(SZ_TEST_VECTORS "/00-information-core.json", 1 << 20, &text));
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    SZ_CHECK_OK(sz_json_parse(text.data, text.len, arena, &root));
    const sz_json *cases = sz_json_get(root, "cases");
    assert_true(cases->n >= 34);
    for (const sz_json *v = cases->u.child; v; v = v->next)
        run_case(v);
    sz_arena_free(arena);
    sz_buf_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_vectors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
