/* test_circuit.c: probabilities of circuits against reference values and plain enumeration. */
#include "vector_case.h"

#include <math.h>

#include <szilard/unstable/num.h>

/* ---- Reference values ------------------------------------------------------------------------ */

static void check_case(sz_runtime *rt, const sz_json *c) {
    sz_pc *pc = circuit_of(c);
    sz_pc_shape s = sz_pc_get_shape(pc);
    int32_t x[64], query[16], order[16], none[16];
    double got[16], want[64], pmf[64];
    size_t n = integers(given(c, "x"), x) / s.n_vars;
    flatten(expected(c, "loglik"), 0, want);
    SZ_CHECK_OK(sz_pc_loglik(rt, pc, x, n, got));
    for (size_t i = 0; i < n; i++)
        SZ_CHECK_ABS(got[i], want[i], 1e-10);
    integers(given(c, "query"), query);
    SZ_CHECK_OK(sz_pc_loglik(rt, pc, query, 1, got));
    SZ_CHECK_ABS(exp(got[0]), number(expected(c, "marginal_prob_of_query")), 1e-10);
    for (size_t v = 0; v < s.n_vars; v++)
        none[v] = SZ_PC_MISSING;
    SZ_CHECK_OK(sz_pc_loglik(rt, pc, none, 1, got));
    SZ_CHECK_ABS(exp(got[0]), 1.0, 1e-12);
    integers(expected(c, "dfs_order"), order);
    for (size_t i = 0; i < s.n_vars; i++)
        assert_int_equal(order[i], sz_pc_order(pc)[i]);
    flatten(expected(c, "conditionals_of_x0"), 0, want);
    SZ_CHECK_OK(sz_pc_conditionals(rt, pc, x, pmf));
    for (size_t i = 0; i < s.n_vars * s.n_categories; i++) {
        size_t v = sz_pc_order(pc)[i / s.n_categories];
        SZ_CHECK_ABS(pmf[v * s.n_categories + i % s.n_categories], want[i], 1e-10);
    }
    sz_pc_free(pc);
}

static void reference_values(void **state) {
    sz_runtime *rt = runtime(1, NULL);
    vectors all = open_vectors(SZ_TEST_VECTORS "/07-pc.json");
    size_t checked = 0;
    for (const sz_json *c = all.first; c; c = c->next)
        if (is_case(c, "hclt/")) {
            check_case(rt, c);
            checked++;
        }
    assert_int_equal(checked, 3);
    close_vectors(&all);
    sz_runtime_free(rt);
}

/* ---- Enumeration ----------------------------------------------------------------------------- */

enum { D = 5, M = 3, K = 3, RECORDS = 243 };

/* P(x) by summing over all hidden states. */
static double enumerate(const sz_pc *pc, const int32_t *x) {
    int32_t parent[D];
    double root[M], trans[D * M * M], emit[D * M * K], total = 0;
    sz_pc_get(pc, parent, root, trans, emit);
    for (int code = 0; code < 243; code++) {
        int z[D];
        double p = 1;
        for (int v = 0, rest = code; v < D; v++, rest /= M)
            z[v] = rest % M;
        for (int v = 0; v < D; v++) {
            p *= parent[v] < 0 ? root[z[v]] : trans[(v * M + z[parent[v]]) * M + z[v]];
            p *= emit[(v * M + z[v]) * K + x[v]];
        }
        total += p;
    }
    return total;
}

static void fill_records(int32_t *x, double *p, const sz_pc *pc) {
    for (int i = 0; i < RECORDS; i++) {
        for (int v = 0, rest = i; v < D; v++, rest /= K)
            x[i * D + v] = rest % K;
        p[i] = enumerate(pc, x + i * D);
    }
}

/* The sum of p over the records that agree with q where it is known. */
static double marginal(const int32_t *x, const double *p, const int32_t *q) {
    double sum = 0;
    for (int i = 0; i < RECORDS; i++) {
        bool agrees = true;
        for (int v = 0; v < D; v++)
            agrees = agrees && (q[v] == SZ_PC_MISSING || q[v] == x[i * D + v]);
        sum += agrees ? p[i] : 0;
    }
    return sum;
}

static void every_query_is_that_of_enumeration(void **state) {
    static int32_t x[RECORDS * D];
    static double p[RECORDS], got[RECORDS];
    sz_runtime *rt = runtime(2, NULL);
    for (uint64_t seed = 1; seed <= 4; seed++) {
        sz_pc *pc = random_circuit(D, M, K, seed);
        fill_records(x, p, pc);
        SZ_CHECK_OK(sz_pc_loglik(rt, pc, x, RECORDS, got));
        for (int i = 0; i < RECORDS; i++)
            SZ_CHECK_REL(exp(got[i]), p[i], 1e-12);
        for (int mask = 0; mask < 1 << D; mask++) { /* every set of known variables */
            int32_t q[D];
            double ln, pmf[D * K];
            const int32_t *record = x + (mask * 7 + 11) % RECORDS * D;
            for (int v = 0; v < D; v++)
                q[v] = mask >> v & 1 ? record[v] : SZ_PC_MISSING;
            double known = marginal(x, p, q);
            SZ_CHECK_OK(sz_pc_posterior(rt, pc, q, pmf, &ln));
            SZ_CHECK_REL(exp(ln), known, 1e-12);
            for (int v = 0; v < D; v++)
                for (int c = 0; c < K; c++) {
                    int32_t with = q[v];
                    q[v] = with == SZ_PC_MISSING || with == c ? c : SZ_PC_MISSING;
                    double want = with == SZ_PC_MISSING ? marginal(x, p, q) / known : with == c;
                    SZ_CHECK_ABS(pmf[v * K + c], want, 1e-12);
                    q[v] = with;
                }
        }
        sz_pc_free(pc);
    }
    sz_runtime_free(rt);
}

static void conditionals_multiply_to_the_joint(void **state) {
    sz_runtime *rt = runtime(1, NULL);
    static const size_t shapes[][3] = {{1, 1, 1}, {1, 4, 3}, {9, 1, 5}, {40, 7, 4}, {60, 32, 17}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        size_t d = shapes[i][0], k = shapes[i][2];
        sz_pc *pc = random_circuit(d, shapes[i][1], k, i + 5);
        int32_t x[64];
        double pmf[64 * 17], ln, product = 0;
        SZ_CHECK_OK(sz_pc_sample(rt, pc, NULL, 1, i, x));
        SZ_CHECK_OK(sz_pc_conditionals(rt, pc, x, pmf));
        SZ_CHECK_OK(sz_pc_loglik(rt, pc, x, 1, &ln));
        for (size_t v = 0; v < d; v++) {
            double sum = 0;
            for (size_t c = 0; c < k; c++)
                sum += pmf[v * k + c];
            SZ_CHECK_ABS(sum, 1.0, 1e-13);
            product += log(pmf[v * k + (size_t)x[v]]);
        }
        SZ_CHECK_ABS(product, ln, 1e-10 * (1 + fabs(ln)));
        sz_pc_free(pc);
    }
    sz_runtime_free(rt);
}

/* 3000 variables: a probability far below the least double. */
static void long_chains_do_not_underflow(void **state) {
    enum { LONG = 3000 };
    sz_runtime *rt = runtime(1, NULL);
    sz_pc_shape shape = {LONG, 2, 2};
    static int32_t parent[LONG], x[LONG];
    static double trans[LONG * 4], emit[LONG * 4];
    double root[2] = {0.5, 0.5}, got;
    for (int v = 0; v < LONG; v++) {
        parent[v] = v - 1;
        memcpy(trans + 4 * v, (double[]){1, 0, 0, 1}, 4 * sizeof *trans);
        memcpy(emit + 4 * v, (double[]){1e-3, 0.999, 1e-4, 0.9999}, 4 * sizeof *emit);
        x[v] = 0;
    }
    sz_pc *pc;
    SZ_CHECK_OK(sz_pc_new(&shape, parent, root, trans, emit, &pc));
    SZ_CHECK_OK(sz_pc_loglik(rt, pc, x, 1, &got));
    SZ_CHECK_REL(got, LONG * log(1e-3) + log(0.5), 1e-13);
    sz_pc_free(pc);
    sz_runtime_free(rt);
}

/* ---- Samples --------------------------------------------------------------------------------- */

static void samples_have_the_entropy_of_the_circuit(void **state) {
    enum { DRAWS = 20000 };
    static int32_t x[RECORDS * D], drawn[DRAWS * D];
    static double p[RECORDS], ln[DRAWS];
    sz_runtime *rt = runtime(2, NULL);
    sz_pc *pc = random_circuit(D, M, K, 9);
    double entropy = 0, mean = 0, square = 0;
    fill_records(x, p, pc);
    for (int i = 0; i < RECORDS; i++)
        entropy -= p[i] * log(p[i]);
    SZ_CHECK_OK(sz_pc_sample(rt, pc, NULL, DRAWS, 1, drawn));
    SZ_CHECK_OK(sz_pc_loglik(rt, pc, drawn, DRAWS, ln));
    for (int i = 0; i < DRAWS; i++) {
        mean -= ln[i] / DRAWS;
        square += ln[i] * ln[i] / DRAWS;
    }
    SZ_CHECK_ABS(mean, entropy, 3 * sqrt((square - mean * mean) / DRAWS));
    sz_pc_free(pc);
    sz_runtime_free(rt);
}

/* Filled-in values follow the posterior; what is given stays. */
static void samples_given_some_values(void **state) {
    enum { DRAWS = 20000 };
    static int32_t drawn[DRAWS * D];
    const int32_t q[D] = {1, SZ_PC_MISSING, 0, SZ_PC_MISSING, SZ_PC_MISSING};
    double pmf[D * K];
    sz_runtime *rt = runtime(2, NULL);
    sz_pc *pc = random_circuit(D, M, K, 10);
    SZ_CHECK_OK(sz_pc_posterior(rt, pc, q, pmf, NULL));
    SZ_CHECK_OK(sz_pc_sample(rt, pc, q, DRAWS, 2, drawn));
    for (int v = 0; v < D; v++)
        for (int c = 0; c < K; c++) {
            double share = 0, want = pmf[v * K + c];
            for (int i = 0; i < DRAWS; i++)
                share += (drawn[i * D + v] == c) / (double)DRAWS;
            SZ_CHECK_ABS(share, want, 1e-9 + 4 * sqrt(want * (1 - want) / DRAWS));
        }
    sz_pc_free(pc);
    sz_runtime_free(rt);
}

/* ---- Same bits ------------------------------------------------------------------------------- */

static void the_same_bits_everywhere(void **state) {
    enum { N = 100, VARS = 30, STATES = 11, CATS = 6 };
    static int32_t x[2][N * VARS];
    static double ln[2][N], pmf[2][VARS * CATS];
    sz_pc *pc = random_circuit(VARS, STATES, CATS, 3);
    int at = 0;
    for (const char *const *isa = sz_isa_available(); *isa; isa++)
        for (int threads = 1; threads <= 3; threads += 2, at = 1) {
            sz_runtime *rt = runtime(threads, *isa);
            SZ_CHECK_OK(sz_pc_sample(rt, pc, NULL, N, 8, x[at]));
            SZ_CHECK_OK(sz_pc_loglik(rt, pc, x[at], N, ln[at]));
            SZ_CHECK_OK(sz_pc_conditionals(rt, pc, x[at], pmf[at]));
            assert_memory_equal(x[at], x[0], sizeof x[0]);
            assert_memory_equal(ln[at], ln[0], sizeof ln[0]);
            assert_memory_equal(pmf[at], pmf[0], sizeof pmf[0]);
            sz_runtime_free(rt);
        }
    sz_pc_free(pc);
}

/* ---- Bad input ------------------------------------------------------------------------------- */

static void refused(const sz_pc_shape *shape, const int32_t *parent, const double *root,
                    const double *trans, const double *emit, sz_status status, const char *says) {
    sz_pc *pc = NULL;
    assert_int_equal(sz_pc_new(shape, parent, root, trans, emit, &pc), status);
    assert_null(pc);
    if (!strstr(sz_last_error(), says))
        fail_msg("'%s' does not say '%s'", sz_last_error(), says);
}

static void bad_circuits_are_named(void **state) {
    sz_pc_shape s = {2, 2, 2};
    int32_t parent[2] = {-1, 0};
    double root[2] = {0.5, 0.5}, t[8] = {9, 9, 9, 9, 0.5, 0.5, 0.1, 0.9};
    double e[8] = {0.5, 0.5, 0.1, 0.9, 0.5, 0.5, 1, 0};
    refused(&(sz_pc_shape){0, 2, 2}, parent, root, t, e, SZ_E_ARG, "0 variables");
    refused(&(sz_pc_shape){2, 0, 2}, parent, root, t, e, SZ_E_ARG, "0 hidden states");
    refused(&(sz_pc_shape){2, 2, 0}, parent, root, t, e, SZ_E_ARG, "0 categories");
    refused(&(sz_pc_shape){65536, 1024, 65536}, parent, root, t, e, SZ_E_LIMIT, "parameters");
    refused(&s, (int32_t[]){-1, -1}, root, t, e, SZ_E_ARG, "2 variables have no parent");
    refused(&s, (int32_t[]){1, 0}, root, t, e, SZ_E_ARG, "0 variables have no parent");
    refused(&s, (int32_t[]){-1, 2}, root, t, e, SZ_E_ARG, "parent of variable 1 is 2");
    refused(&s, (int32_t[]){-1, 1}, root, t, e, SZ_E_ARG, "parent of variable 1 is 1");
    refused(&(sz_pc_shape){3, 1, 1}, (int32_t[]){-1, 2, 1}, root, t, e, SZ_E_ARG, "cycle");
    refused(&s, parent, (double[]){0.5, 0.4}, t, e, SZ_E_ARG, "root");
    t[6] = -0.1;
    refused(&s, parent, root, t, e, SZ_E_ARG, "transitions of variable 1, row 1");
    t[6] = NAN;
    refused(&s, parent, root, t, e, SZ_E_NAN, "transitions of variable 1, row 1");
    t[6] = 0.1;
    e[2] = 0.2;
    refused(&s, parent, root, t, e, SZ_E_ARG, "emissions of variable 0, row 1");
}

static void bad_records_are_named(void **state) {
    sz_runtime *rt = runtime(1, NULL);
    sz_pc_shape s = {2, 1, 2};
    sz_pc *pc;
    double ln[2], pmf[4], one[] = {1, 1}, e[] = {1, 0, 0.5, 0.5};
    SZ_CHECK_OK(sz_pc_new(&s, (int32_t[]){-1, 0}, one, one, e, &pc));
    assert_int_equal(sz_pc_loglik(rt, pc, (int32_t[]){0, 0, 0, 2}, 2, ln), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "row 1, column 1: 2"));
    assert_int_equal(sz_pc_loglik(rt, pc, (int32_t[]){-2, 0}, 1, ln), SZ_E_ARG);
    assert_int_equal(sz_pc_conditionals(rt, pc, (int32_t[]){0, -1}, pmf), SZ_E_ARG);
    assert_int_equal(sz_pc_conditionals(rt, pc, (int32_t[]){1, 0}, pmf), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "column 0: the value 1 has probability zero"));
    SZ_CHECK_OK(sz_pc_loglik(rt, pc, (int32_t[]){1, 0}, 1, ln));
    assert_true(ln[0] == -INFINITY);
    assert_int_equal(sz_pc_posterior(rt, pc, (int32_t[]){1, -1}, pmf, NULL), SZ_E_ARG);
    assert_int_equal(sz_pc_sample(rt, pc, (int32_t[]){1, -1}, 1, 0, (int32_t[2]){0}), SZ_E_ARG);
    SZ_CHECK_OK(sz_pc_loglik(rt, pc, NULL, 0, NULL));
    sz_pc_free(pc);
    sz_pc_free(NULL);
    sz_runtime_free(rt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_values),
        cmocka_unit_test(every_query_is_that_of_enumeration),
        cmocka_unit_test(conditionals_multiply_to_the_joint),
        cmocka_unit_test(long_chains_do_not_underflow),
        cmocka_unit_test(samples_have_the_entropy_of_the_circuit),
        cmocka_unit_test(samples_given_some_values),
        cmocka_unit_test(the_same_bits_everywhere),
        cmocka_unit_test(bad_circuits_are_named),
        cmocka_unit_test(bad_records_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
