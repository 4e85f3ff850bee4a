/* test_vectors.c: every reference value of cache policies. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/cache.h>

enum { MOST = 1 << 14 };

static double number(const sz_json *v) {
    return v->type == SZ_JSON_INT ? (double)v->u.i : v->u.f;
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

static double input(const sz_json *c, const char *key) {
    return number(sz_json_get(sz_json_get(c, "input"), key));
}

static size_t array(const sz_json *c, const char *part, const char *key, double *out) {
    const sz_json *v = sz_json_get(sz_json_get(c, part), key);
    return v ? fill(v, out) : 0;
}

static void expect_numbers(const sz_json *c, const char *key, const uint32_t *got, size_t n) {
    double want[256];
    assert_int_equal(array(c, "expect", key, want), n);
    for (size_t i = 0; i < n; i++)
        if ((double)got[i] != want[i])
            fail_msg("%s: %s[%zu] is %u, not %g", sz_json_get(c, "name")->u.s, key, i, got[i],
                     want[i]);
}

/* ---- Kinds of cases -------------------------------------------------------------------------- */

static void entropy(const sz_json *c) {
    static double x[MOST], want[64], got[64];
    static float rows[MOST];
    size_t n = array(c, "input", "X", x);
    size_t columns = sz_json_get(sz_json_get(c, "input"), "X")->u.child->n;
    double tolerance = number(sz_json_get(c, "tol"));
    sz_matrix_entropy e;
    for (size_t i = 0; i < n; i++)
        rows[i] = (float)x[i];
    SZ_CHECK_OK(
        sz_matrix_entropy_of_rows(rows, n / columns, columns, (size_t)input(c, "k"), got, &e));
    assert_int_equal(array(c, "expect", "eigenvalues", want), columns);
    for (size_t i = 0; i < columns; i++)
        SZ_CHECK_ABS(got[i], want[i], tolerance);
    if (array(c, "expect", "H_k_nats", want))
        SZ_CHECK_ABS(e.truncated, want[0], tolerance);
    if (array(c, "expect", "H_full_nats", want))
        SZ_CHECK_ABS(e.full, want[0], tolerance);
    if (array(c, "expect", "erank_k", want))
        SZ_CHECK_ABS(e.effective_rank, want[0], tolerance * want[0]);
    if (array(c, "expect", "H_k_over_lnD", want))
        SZ_CHECK_ABS(e.relative, want[0], tolerance);
    if (array(c, "expect", "elbow_index", want))
        assert_int_equal(e.elbow, want[0]);
}

/* One layer with the heads of the case; the same positions for each head where want is flat. */
static void expect_kept(const sz_json *c, const char *key, const char *policy,
                        const sz_kv_prompt *prompt, bool flat) {
    sz_kv_policy p;
    sz_kv_plan plan;
    SZ_CHECK_OK(sz_kv_policy_parse(policy, &p));
    SZ_CHECK_OK(sz_kv_policy_plan(&p, prompt, &plan));
    if (flat)
        for (uint32_t h = 0; h < prompt->n_head; h++)
            expect_numbers(c, key, plan.position + plan.first[h],
                           plan.first[h + 1] - plan.first[h]);
    else
        expect_numbers(c, key, plan.position, plan.first[prompt->n_head]);
    sz_kv_plan_free(&plan);
}

static void select_positions(const sz_json *c) {
    static double a[MOST];
    static float rows[MOST];
    char text[96];
    const sz_json *heads = sz_json_get(sz_json_get(c, "input"), "attention");
    size_t n_head = heads->n, n = heads->u.child->n, window = (size_t)input(c, "window");
    size_t size = array(c, "input", "attention", a), budget = (size_t)input(c, "capacity");
    assert_int_equal(size, n_head * n * n);
    double *recent = calloc(n_head * n, sizeof *recent), *total = calloc(n_head * n, sizeof *total);
    for (size_t i = 0; i < size; i++)
        rows[i] = (float)a[i];
    for (size_t h = 0; h < n_head; h++) {
        const float *head = rows + h * n * n;
        sz_kv_add_mass(head + (n - window) * n, window, n, n, recent + h * n);
        for (size_t at = 0; at < n; at += 5) /* block by block */
            sz_kv_add_mass(head + at * n, n - at < 5 ? n - at : 5, n, n, total + h * n);
    }
    sz_kv_prompt prompt = {1, (uint32_t)n_head, (uint32_t)n, NULL, recent, total, NULL};
    snprintf(text, sizeof text, "snapkv budget=%zu window=%zu pool=%g", budget, window,
             input(c, "pool_kernel"));
    expect_kept(c, "snapkv", text, &prompt, false);
    snprintf(text, sizeof text, "h2o budget=%zu recent=%g", budget, input(c, "h2o_recent"));
    expect_kept(c, "h2o", text, &prompt, false);
    snprintf(text, sizeof text, "streaming budget=%zu sinks=%g", budget, input(c, "sinks"));
    expect_kept(c, "streaming", text, &prompt, true);
    free(recent);
    free(total);
}

static void head_groups(const sz_json *c) {
    double rank[64];
    uint32_t group[64], capacity[64];
    size_t n = array(c, "input", "erank", rank), n_groups = (size_t)input(c, "groups");
    SZ_CHECK_OK(sz_kv_head_groups(rank, n, n_groups, group));
    expect_numbers(c, "group_of_head", group, n);
    SZ_CHECK_OK(sz_kv_group_budgets((uint32_t)input(c, "mean_capacity"), (uint32_t)input(c, "step"),
                                    n_groups, 9, capacity));
    expect_numbers(c, "capacity_of_group", capacity, n_groups);
}

static void layer_groups(const sz_json *c) {
    double rank[64];
    uint32_t group[64];
    size_t n = array(c, "input", "erank", rank);
    SZ_CHECK_OK(sz_kv_layer_groups(rank, n, input(c, "epsilon"), group));
    expect_numbers(c, "group_of_layer", group, n);
}

static void pyramid(const sz_json *c) {
    uint32_t capacity[64];
    size_t n = (size_t)input(c, "layers");
    SZ_CHECK_OK(sz_kv_pyramid_budgets((uint32_t)input(c, "mean_capacity"),
                                      (uint32_t)input(c, "window"), n, (uint32_t)input(c, "length"),
                                      capacity));
    expect_numbers(c, "capacity_of_layer", capacity, n);
}

static const struct {
    const char *prefix;
    void (*run)(const sz_json *c);
} kinds[] = {
    {"truncated_matrix_entropy", entropy},
    {"isotropic", entropy},
    {"rank_one", entropy},
    {"kv_select", select_positions},
    {"head_groups", head_groups},
    {"head_budgets", head_groups},
    {"layer_groups", layer_groups},
    {"pyramid", pyramid},
};

static void every_vector(void **state) {
    sz_arena *arena;
    sz_buf text = {0};
    sz_json *root;
    size_t n = 0;
    SZ_CHECK_OK(sz_arena_new(1 << 20, &arena));
    SZ_CHECK_OK(sz_file_read(SZ_TEST_VECTORS "/29-uncomp.json", 1 << 20, &text));
    SZ_CHECK_OK(sz_json_parse(text.data, text.len, arena, &root));
    for (const sz_json *c = sz_json_get(root, "cases")->u.child; c; c = c->next, n++) {
        const char *name = sz_json_get(c, "name")->u.s;
        size_t k = 0;
        while (k < 8 && strncmp(name, kinds[k].prefix, strlen(kinds[k].prefix)) != 0)
            k++;
        if (k == 8)
            fail_msg("%s: a case of no known kind", name);
        kinds[k].run(c);
    }
    assert_int_equal(n, 25);
    sz_buf_free(&text);
    sz_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_vector)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
