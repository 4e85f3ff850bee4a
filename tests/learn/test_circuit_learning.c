/* test_circuit_learning.c: trees, steps of expectation maximisation, and whole trainings. */
#include "vector_case.h"

#include <math.h>

#include <szilard/unstable/num.h>

/* ---- Trees ----------------------------------------------------------------------------------- */

static bool has_edge(const int32_t *parent, int32_t a, int32_t b) {
    return parent[a] == b || parent[b] == a;
}

static void check_tree(sz_runtime *rt, const sz_json *c) {
    int32_t x[512], edges[32], parent[16];
    double want[64], got[64], total;
    size_t n = given(c, "data")->n, d = integers(given(c, "data"), x) / n;
    SZ_CHECK_OK(sz_pc_mutual_information(rt, x, n, d, (size_t)given(c, "cats")->u.i, got));
    flatten(expected(c, "mi_nats"), 0, want);
    for (size_t i = 0; i < d * d; i++)
        SZ_CHECK_ABS(got[i], want[i], 1e-9);
    SZ_CHECK_OK(sz_pc_chow_liu(got, d, parent, &total));
    SZ_CHECK_ABS(total, number(expected(c, "total_mi")), 1e-9);
    size_t n_edges = integers(expected(c, "edges"), edges) / 2;
    assert_int_equal(n_edges, d - 1);
    for (size_t i = 0; i < n_edges; i++)
        assert_true(has_edge(parent, edges[2 * i], edges[2 * i + 1]));
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static void check_step(sz_runtime *rt, const sz_json *c) {
    int32_t x[64];
    double root[8], trans[64], emit[64], want[64], mean;
    sz_pc *pc = circuit_of(c);
    sz_pc_shape s = sz_pc_get_shape(pc);
    size_t n = integers(given(c, "data"), x) / s.n_vars, m = s.n_latents;
    SZ_CHECK_OK(sz_pc_em_step(rt, pc, x, n, number(given(c, "step")),
                              number(given(c, "pseudocount")), &mean));
    SZ_CHECK_ABS(mean, number(expected(c, "mean_loglik_before")), 1e-9);
    sz_pc_get(pc, NULL, root, trans, emit);
    flatten(expected(c, "root_prior"), 0, want);
    for (size_t i = 0; i < m; i++)
        SZ_CHECK_ABS(root[i], want[i], 1e-9);
    flatten(expected(c, "trans"), m * m, want);
    for (size_t i = 0; i < s.n_vars * m * m; i++)
        SZ_CHECK_ABS(trans[i], want[i], 1e-9);
    flatten(expected(c, "emit"), 0, want);
    for (size_t i = 0; i < s.n_vars * m * s.n_categories; i++)
        SZ_CHECK_ABS(emit[i], want[i], 1e-9);
    sz_pc_free(pc);
}

static void reference_values(void **state) {
    sz_runtime *rt = runtime(2, NULL);
    vectors all = open_vectors(SZ_TEST_VECTORS "/07-pc.json");
    size_t steps = 0, trees = 0;
    for (const sz_json *c = all.first; c; c = c->next) {
        if (is_case(c, "em/")) {
            check_step(rt, c);
            steps++;
        } else if (is_case(c, "chow_liu")) {
            check_tree(rt, c);
            trees++;
        }
    }
    assert_int_equal(steps, 3);
    assert_int_equal(trees, 1);
    close_vectors(&all);
    sz_runtime_free(rt);
}

static void roots_are_centres(void **state) {
    /* a chain 0-1-2-3 (centres 1, 2), the pair 4-5, and 6 alone */
    double mi[49] = {0}, total;
    static const int edges[][2] = {{0, 1}, {1, 2}, {2, 3}, {4, 5}};
    static const int32_t want[] = {1, -1, 1, 2, 1, 4, 1};
    int32_t parent[7];
    for (int i = 0; i < 4; i++)
        mi[edges[i][0] * 7 + edges[i][1]] = mi[edges[i][1] * 7 + edges[i][0]] = 1;
    SZ_CHECK_OK(sz_pc_chow_liu(mi, 7, parent, &total));
    assert_memory_equal(parent, want, sizeof want);
    SZ_CHECK_ABS(total, 4.0, 0.0);
    SZ_CHECK_OK(sz_pc_chow_liu(mi, 1, parent, NULL));
    assert_int_equal(parent[0], -1);
    mi[3] = NAN;
    assert_int_equal(sz_pc_chow_liu(mi, 7, parent, NULL), SZ_E_ARG);
}

/* The heaviest of all 125 trees over five columns, by their codes. */
static void no_tree_is_heavier(void **state) {
    enum { D = 5 };
    for (uint64_t seed = 0; seed < 20; seed++) {
        double mi[D * D] = {0}, got, best = 0;
        int32_t parent[D];
        for (int i = 0; i < D; i++)
            for (int j = 0; j < i; j++)
                mi[i * D + j] = mi[j * D + i] = sz_uniform(seed, 4, (uint64_t)(i * D + j));
        for (int code = 0; code < D * D * D; code++) {
            int rest[3] = {code % D, code / D % D, code / D / D}, degree[D] = {1, 1, 1, 1, 1};
            double sum = 0;
            for (int i = 0; i < 3; i++)
                degree[rest[i]]++;
            for (int i = 0; i < 3; i++)
                for (int leaf = 0; leaf < D; leaf++)
                    if (degree[leaf] == 1) {
                        sum += mi[leaf * D + rest[i]];
                        degree[leaf]--;
                        degree[rest[i]]--;
                        break;
                    }
            int last[2], n = 0;
            for (int i = 0; i < D; i++)
                if (degree[i] == 1)
                    last[n++] = i;
            sum += mi[last[0] * D + last[1]];
            best = sum > best ? sum : best;
        }
        SZ_CHECK_OK(sz_pc_chow_liu(mi, D, parent, &got));
        SZ_CHECK_ABS(got, best, 1e-12);
    }
}

/* ---- Training -------------------------------------------------------------------------------- */

enum { D = 16, M = 4, K = 5, N = 1500 };

static double mean(const double *v, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += v[i] / (double)n;
    return sum;
}

static void steps_never_lower_the_likelihood(void **state) {
    static int32_t x[N * D];
    sz_runtime *rt = runtime(2, NULL);
    sz_pc *truth = random_circuit(D, M, K, 1), *pc = random_circuit(D, M, K, 2);
    double before = -INFINITY, now;
    SZ_CHECK_OK(sz_pc_sample(rt, truth, NULL, N, 1, x));
    for (size_t i = 0; i < N * D; i += 7)
        x[i] = SZ_PC_MISSING;
    for (int i = 0; i < 25; i++) {
        SZ_CHECK_OK(sz_pc_em_step(rt, pc, x, N, i % 5 == 4 ? 0.3 : 1, 0, &now));
        assert_true(now >= before - 1e-10);
        before = now;
    }
    sz_pc_free(truth);
    sz_pc_free(pc);
    sz_runtime_free(rt);
}

/* Learned from a known circuit: close to it on records that it has not seen. */
static void a_known_circuit_is_found_again(void **state) {
    static int32_t x[8000 * D], test[3000 * D];
    static double ln[3000];
    sz_runtime *rt = runtime(2, NULL);
    sz_pc *truth = random_circuit(D, M, K, 21), *pc;
    SZ_CHECK_OK(sz_pc_sample(rt, truth, NULL, 8000, 1, x));
    SZ_CHECK_OK(sz_pc_sample(rt, truth, NULL, 3000, 2, test));
    SZ_CHECK_OK(sz_pc_loglik(rt, truth, test, 3000, ln));
    double best = mean(ln, 3000) / D / log(2);
    SZ_CHECK_OK(sz_pc_fit(rt, x, 8000, D, K,
                          &(sz_pc_fit_config){.n_latents = M, .n_epochs = 50, .seed = 1}, &pc));
    SZ_CHECK_OK(sz_pc_loglik(rt, pc, test, 3000, ln));
    assert_true(mean(ln, 3000) / D / log(2) >= best - 0.02);
    sz_pc_free(truth);
    sz_pc_free(pc);
    sz_runtime_free(rt);
}

static void same_parameters(const sz_pc *a, const sz_pc *b) {
    static double of_a[M + D * M * (M + K)], of_b[M + D * M * (M + K)];
    sz_pc_get(a, NULL, of_a, of_a + M, of_a + M + D * M * M);
    sz_pc_get(b, NULL, of_b, of_b + M, of_b + M + D * M * M);
    assert_memory_equal(of_a, of_b, sizeof of_a);
}

static void training_has_the_same_bits_everywhere(void **state) {
    static int32_t x[203 * D];
    sz_pc *truth = random_circuit(D, M, K, 1), *first = NULL;
    sz_runtime *rt = runtime(1, NULL);
    SZ_CHECK_OK(sz_pc_sample(rt, truth, NULL, 203, 1, x));
    sz_runtime_free(rt);
    for (const char *const *isa = sz_isa_available(); *isa; isa++)
        for (int threads = 1; threads <= 4; threads++) {
            sz_pc *pc;
            rt = runtime(threads, *isa);
            sz_pc_fit_config c = {.n_latents = M, .n_epochs = 4, .batch = 70};
            c.valid = x;
            c.n_valid = 20;
            SZ_CHECK_OK(sz_pc_fit(rt, x, 203, D, K, &c, &pc));
            if (first)
                same_parameters(pc, first);
            if (first)
                sz_pc_free(pc);
            else
                first = pc;
            sz_runtime_free(rt);
        }
    sz_pc_free(first);
    sz_pc_free(truth);
}

typedef struct seen {
    size_t epochs, stop_after;
    double best_valid;
} seen;

static bool look(void *user, const sz_pc_epoch *e) {
    seen *s = user;
    assert_int_equal(e->epoch, s->epochs);
    s->best_valid = e->valid_nats > s->best_valid ? e->valid_nats : s->best_valid;
    return ++s->epochs < s->stop_after;
}

static void the_best_epoch_is_kept(void **state) {
    static int32_t x[60 * D], valid[400 * D];
    static double ln[400];
    sz_runtime *rt = runtime(1, NULL);
    sz_pc *truth = random_circuit(D, M, K, 1), *pc;
    seen s = {0, 100, -INFINITY};
    SZ_CHECK_OK(sz_pc_sample(rt, truth, NULL, 60, 1, x));
    SZ_CHECK_OK(sz_pc_sample(rt, truth, NULL, 400, 2, valid));
    sz_pc_fit_config c = {.n_latents = 16, .n_epochs = 80, .pseudocount = -1};
    c.valid = valid;
    c.n_valid = 400;
    c.patience = 5;
    c.progress = look;
    c.user = &s;
    SZ_CHECK_OK(sz_pc_fit(rt, x, 60, D, K, &c, &pc));
    assert_true(s.epochs < 80); /* it overfits, and stops */
    SZ_CHECK_OK(sz_pc_loglik(rt, pc, valid, 400, ln));
    SZ_CHECK_REL(mean(ln, 400), s.best_valid, 1e-12);
    sz_pc_free(pc);
    s = (seen){0, 2, -INFINITY};
    SZ_CHECK_OK(sz_pc_fit(rt, x, 60, D, K, &c, &pc));
    assert_int_equal(s.epochs, 2);
    sz_pc_free(pc);
    sz_pc_free(truth);
    sz_runtime_free(rt);
}

static void small_and_constant_data(void **state) {
    sz_runtime *rt = runtime(2, NULL);
    sz_pc *pc;
    double ln[4];
    int32_t parent[3], one[] = {2, 2, 1, 2}, x[12] = {0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 1};
    SZ_CHECK_OK(sz_pc_fit(rt, one, 4, 1, 3, NULL, &pc)); /* one column */
    SZ_CHECK_OK(sz_pc_loglik(rt, pc, one, 4, ln));
    assert_true(ln[0] > ln[2]);
    sz_pc_free(pc);
    SZ_CHECK_OK(sz_pc_fit(rt, x, 1, 3, 2, NULL, &pc)); /* one record */
    sz_pc_free(pc);
    for (int i = 0; i < 4; i++)
        x[3 * i + 1] = x[3 * i]; /* 0 and 1 agree; of 2 nothing is known at first */
    x[1] = x[3] = x[0] = x[4] = 1;
    x[2] = x[5] = x[8] = x[11] = 1;
    SZ_CHECK_OK(sz_pc_fit(rt, x, 4, 3, 2, NULL, &pc));
    sz_pc_get(pc, parent, NULL, NULL, NULL);
    assert_int_equal(parent[0], -1); /* the constant column hangs off the root */
    assert_int_equal(parent[1], 0);
    assert_int_equal(parent[2], 0);
    sz_pc_free(pc);
    sz_runtime_free(rt);
}

static void bad_trainings_are_refused(void **state) {
    sz_runtime *rt = runtime(1, NULL);
    sz_pc *pc = NULL;
    int32_t x[] = {0, 1, 1, 3};
    assert_int_equal(sz_pc_fit(rt, x, 0, 2, 4, NULL, &pc), SZ_E_ARG);
    assert_int_equal(sz_pc_fit(rt, x, 2, 2, 3, NULL, &pc), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "row 1, column 1: 3"));
    assert_int_equal(sz_pc_fit(rt, x, 2, 2, 4, &(sz_pc_fit_config){.n_latents = 5000}, &pc),
                     SZ_E_ARG);
    assert_int_equal(sz_pc_fit(rt, x, 2, 2, 4, &(sz_pc_fit_config){.step = 2}, &pc), SZ_E_ARG);
    assert_int_equal(sz_pc_fit(rt, x, 2, 2, 4, &(sz_pc_fit_config){.step = NAN}, &pc), SZ_E_ARG);
    sz_pc_fit_config c = {.valid = (int32_t[]){0, 9}, .n_valid = 1};
    assert_int_equal(sz_pc_fit(rt, x, 2, 2, 4, &c, &pc), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "validation"));
    assert_null(pc);
    sz_runtime_cancel(rt);
    assert_int_equal(sz_pc_fit(rt, x, 2, 2, 4, NULL, &pc), SZ_E_CANCELLED);
    sz_runtime_resume(rt);

    sz_pc_shape shape = {1, 1, 2};
    double root = 1, emit[] = {1, 0}, ll;
    SZ_CHECK_OK(sz_pc_new(&shape, (int32_t[]){-1}, &root, &root, emit, &pc));
    assert_int_equal(sz_pc_em_step(rt, pc, (int32_t[]){0, 1}, 2, 1, 1, &ll), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "row 1 has probability zero"));
    assert_int_equal(sz_pc_em_step(rt, pc, x, 0, 1, 1, &ll), SZ_E_ARG);
    assert_int_equal(sz_pc_em_step(rt, pc, x, 1, 0, 1, &ll), SZ_E_ARG);
    assert_int_equal(sz_pc_em_step(rt, pc, x, 1, 1, -1, &ll), SZ_E_ARG);
    sz_pc_free(pc);
    sz_runtime_free(rt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_values),
        cmocka_unit_test(roots_are_centres),
        cmocka_unit_test(no_tree_is_heavier),
        cmocka_unit_test(steps_never_lower_the_likelihood),
        cmocka_unit_test(a_known_circuit_is_found_again),
        cmocka_unit_test(training_has_the_same_bits_everywhere),
        cmocka_unit_test(the_best_epoch_is_kept),
        cmocka_unit_test(small_and_constant_data),
        cmocka_unit_test(bad_trainings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
