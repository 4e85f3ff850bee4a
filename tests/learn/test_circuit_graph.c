/* test_circuit_graph.c: circuits of any shape against trees, enumeration and their own marginals.
 */
#include "vector_case.h"

#include <math.h>

#include <szilard/unstable/circuit_graph.h>

enum { MOST_UNITS = 4000, MOST_CHILDREN = 40000 };

typedef struct builder {
    sz_pc_unit unit[MOST_UNITS];
    uint32_t child[MOST_CHILDREN];
    double weight[MOST_CHILDREN];
    size_t n, n_child, n_weight;
    uint64_t drawn;
} builder;

static builder b;

static double *some_weights(size_t n, uint64_t seed) {
    double *w = b.weight + b.n_weight, sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += w[i] = 0.05 + sz_uniform(seed, 9, b.drawn++);
    for (size_t i = 0; i < n; i++)
        w[i] /= sum;
    b.n_weight += n;
    return w;
}

static uint32_t input(uint32_t v, const double *weight) {
    b.unit[b.n] = (sz_pc_unit){SZ_PC_INPUT, v, 0, NULL, weight};
    return (uint32_t)b.n++;
}

static uint32_t inner(sz_pc_unit_kind kind, const uint32_t *children, size_t n,
                      const double *weight) {
    if (n)
        memcpy(b.child + b.n_child, children, n * sizeof *children);
    b.unit[b.n] = (sz_pc_unit){kind, 0, (uint32_t)n, b.child + b.n_child, weight};
    b.n_child += n;
    return (uint32_t)b.n++;
}

static sz_pc_graph *finish(size_t n_vars, size_t k) {
    sz_pc_graph *g;
    SZ_CHECK_OK(sz_pc_graph_new(b.unit, b.n, n_vars, k, &g));
    return g;
}

static void begin(void) {
    b.n = b.n_child = b.n_weight = 0;
}

/* ---- Conditionals are ratios of marginals ---------------------------------------------------- */

static void check_conditionals(const sz_pc_graph *g, size_t d, size_t k, const int32_t *x) {
    double pmf[64 * 8], before = 0, now, joint, product = 0;
    int32_t known[64];
    for (size_t v = 0; v < d; v++)
        known[v] = SZ_PC_MISSING;
    SZ_CHECK_OK(sz_pc_graph_conditionals(g, x, pmf));
    for (size_t i = 0; i < d; i++) {
        size_t v = sz_pc_graph_order(g)[i];
        double sum = 0;
        for (size_t c = 0; c < k; c++) {
            known[v] = (int32_t)c;
            SZ_CHECK_OK(sz_pc_graph_loglik(g, known, 1, &now));
            SZ_CHECK_ABS(pmf[v * k + c], exp(now - before), 1e-12);
            sum += pmf[v * k + c];
        }
        SZ_CHECK_ABS(sum, 1.0, 1e-13);
        known[v] = x[v];
        SZ_CHECK_OK(sz_pc_graph_loglik(g, known, 1, &before));
        product += log(pmf[v * k + (size_t)x[v]]);
    }
    SZ_CHECK_OK(sz_pc_graph_loglik(g, x, 1, &joint));
    SZ_CHECK_ABS(product, joint, 1e-10);
}

/* ---- Hidden trees as graphs ------------------------------------------------------------------ */

/* Children come before parents: backwards through the order. `sums` [d][m]: unit of S_v[z_parent].
 */
static void add_tree(const sz_pc *pc, const double *root, const double *trans, const double *emit,
                     const int32_t *parent) {
    sz_pc_shape s = sz_pc_get_shape(pc);
    size_t d = s.n_vars, m = s.n_latents, k = s.n_categories;
    static uint32_t sums[64 * 8];
    for (size_t i = d; i-- > 0;) {
        size_t v = sz_pc_order(pc)[i];
        uint32_t state[8];
        for (size_t z = 0; z < m; z++) {
            uint32_t factor[64];
            size_t n = 0;
            factor[n++] = input((uint32_t)v, emit + (v * m + z) * k);
            for (size_t c = 0; c < d; c++)
                if (parent[c] == (int32_t)v)
                    factor[n++] = sums[c * m + z];
            state[z] = n > 1 ? inner(SZ_PC_PRODUCT, factor, n, NULL) : factor[0];
        }
        for (size_t z = 0; z < m && i > 0; z++)
            sums[v * m + z] = inner(SZ_PC_SUM, state, m, trans + (v * m + z) * m);
        if (i == 0)
            inner(SZ_PC_SUM, state, m, root);
    }
}

static void trees_as_graphs_give_the_same(void **state) {
    enum { D = 12, M = 3, K = 4, N = 40 };
    static double root[M], trans[D * M * M], emit[D * M * K];
    static int32_t parent[D], x[N * D];
    double a[N], c[N];
    sz_runtime *rt = runtime(1, NULL);
    for (uint64_t seed = 0; seed < 5; seed++) {
        sz_pc *pc = random_circuit(D, M, K, seed);
        sz_pc_get(pc, parent, root, trans, emit);
        begin();
        add_tree(pc, root, trans, emit, parent);
        sz_pc_graph *g = finish(D, K);
        assert_true(sz_pc_graph_is_structured(g));
        SZ_CHECK_OK(sz_pc_sample(rt, pc, NULL, N, seed, x));
        for (size_t i = 0; i < N * D; i += 3)
            x[i] = SZ_PC_MISSING;
        SZ_CHECK_OK(sz_pc_loglik(rt, pc, x, N, a));
        SZ_CHECK_OK(sz_pc_graph_loglik(g, x, N, c));
        for (size_t i = 0; i < N; i++)
            SZ_CHECK_ABS(a[i], c[i], 1e-11);
        SZ_CHECK_OK(sz_pc_sample(rt, pc, NULL, N, seed, x));
        for (size_t i = 0; i < 5; i++)
            check_conditionals(g, D, K, x + i * D);
        sz_pc_graph_free(g);
        sz_pc_free(pc);
    }
    sz_runtime_free(rt);
}

/* ---- Graphs that are no trees ---------------------------------------------------------------- */

/* Two sums over variables first .. first + n - 1, which share all units below: a lattice. */
static void add_balanced(uint32_t first, size_t n, size_t k, uint64_t seed, uint32_t out[2]) {
    uint32_t part[4], left[2], right[2];
    if (n == 1) {
        for (int i = 0; i < 2; i++)
            out[i] = input(first, some_weights(k, seed));
        return;
    }
    add_balanced(first, n / 2, k, seed, left);
    add_balanced(first + (uint32_t)(n / 2), n - n / 2, k, seed, right);
    for (int i = 0; i < 4; i++)
        part[i] = inner(SZ_PC_PRODUCT, (uint32_t[]){left[i / 2], right[i % 2]}, 2, NULL);
    for (int i = 0; i < 2; i++)
        out[i] = inner(SZ_PC_SUM, part, 4, some_weights(4, seed));
}

static void shared_units(void **state) {
    enum { K = 3 };
    for (size_t d = 1; d <= 33; d += 8) {
        uint32_t top[2];
        int32_t x[64];
        begin();
        add_balanced(0, d, K, d, top);
        inner(SZ_PC_SUM, top, 2, some_weights(2, 1));
        sz_pc_graph *g = finish(d, K);
        assert_true(sz_pc_graph_is_structured(g));
        for (size_t v = 0; v < d; v++)
            x[v] = (int32_t)(v * v % K);
        check_conditionals(g, d, K, x);
        sz_pc_graph_free(g);
    }
}

/* A mixture of two ways to split three variables. */
static void without_a_vtree(void **state) {
    enum { K = 3 };
    uint32_t f[6], pair[4], top[2];
    begin();
    for (uint32_t i = 0; i < 6; i++)
        f[i] = input(i % 3, some_weights(K, 4));
    pair[0] = inner(SZ_PC_PRODUCT, (uint32_t[]){f[1], f[2]}, 2, NULL);
    pair[1] = inner(SZ_PC_PRODUCT, (uint32_t[]){f[4], f[5]}, 2, NULL);
    pair[2] = inner(SZ_PC_SUM, pair, 2, some_weights(2, 4));
    pair[3] = inner(SZ_PC_PRODUCT, (uint32_t[]){f[3], f[1]}, 2, NULL);
    top[0] = inner(SZ_PC_PRODUCT, (uint32_t[]){f[0], pair[2]}, 2, NULL);
    top[1] = inner(SZ_PC_PRODUCT, (uint32_t[]){pair[3], f[5]}, 2, NULL);
    inner(SZ_PC_SUM, top, 2, some_weights(2, 4));
    sz_pc_graph *g = finish(3, K);
    assert_false(sz_pc_graph_is_structured(g));
    double total = 0, ln;
    for (int code = 0; code < 27; code++) {
        int32_t x[3] = {code % 3, code / 3 % 3, code / 9};
        check_conditionals(g, 3, K, x);
        SZ_CHECK_OK(sz_pc_graph_loglik(g, x, 1, &ln));
        total += exp(ln);
    }
    SZ_CHECK_ABS(total, 1.0, 1e-13);
    sz_pc_graph_free(g);
}

/* ---- What is refused ------------------------------------------------------------------------- */

static void refused(size_t n_vars, size_t k, sz_status status, const char *says) {
    sz_pc_graph *g = NULL;
    assert_int_equal(sz_pc_graph_new(b.unit, b.n, n_vars, k, &g), status);
    assert_null(g);
    if (!strstr(sz_last_error(), says))
        fail_msg("'%s' does not say '%s'", sz_last_error(), says);
    begin();
}

static void broken_graphs_are_named(void **state) {
    static const double half[] = {0.5, 0.5}, off[] = {0.5, 0.6}, minus[] = {1.5, -0.5};
    begin();
    refused(1, 2, SZ_E_LIMIT, "0 units");
    input(0, off);
    refused(1, 2, SZ_E_ARG, "unit 0: its weights sum to 1.1");
    input(0, minus);
    refused(1, 2, SZ_E_ARG, "unit 0: weight 1");
    input(3, half);
    refused(3, 2, SZ_E_ARG, "unit 0: an input of variable 3 of 3");
    input(0, half);
    refused(2, 2, SZ_E_ARG, "the root, unit 0, lacks variable 1");
    input(0, half);
    input(1, half);
    inner(SZ_PC_SUM, (uint32_t[]){0, 1}, 2, half);
    refused(2, 2, SZ_E_ARG, "unit 2: not smooth: variable 0");
    input(0, half);
    input(0, half);
    inner(SZ_PC_PRODUCT, (uint32_t[]){0, 1}, 2, NULL);
    refused(1, 2, SZ_E_ARG, "unit 2: not decomposable: variable 0");
    input(0, half);
    inner(SZ_PC_PRODUCT, (uint32_t[]){1}, 1, NULL);
    refused(1, 2, SZ_E_ARG, "unit 1: child 1 does not come before it");
    input(0, half);
    inner(SZ_PC_SUM, NULL, 0, half);
    refused(1, 2, SZ_E_ARG, "unit 1: it has no children");
    input(0, half);
    inner(SZ_PC_SUM, (uint32_t[]){0, 0}, 2, off);
    refused(1, 2, SZ_E_ARG, "unit 1: its weights sum to 1.1");

    static const double sure[] = {1, 0};
    double pmf[2];
    input(0, sure);
    sz_pc_graph *g = finish(1, 2);
    assert_int_equal(sz_pc_graph_conditionals(g, (int32_t[]){1}, pmf), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "column 0: the value 1 has probability zero"));
    assert_int_equal(sz_pc_graph_conditionals(g, (int32_t[]){-1}, pmf), SZ_E_ARG);
    SZ_CHECK_OK(sz_pc_graph_loglik(g, (int32_t[]){1}, 1, pmf));
    assert_true(pmf[0] == -INFINITY);
    sz_pc_graph_free(g);
    sz_pc_graph_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_as_graphs_give_the_same),
        cmocka_unit_test(shared_units),
        cmocka_unit_test(without_a_vtree),
        cmocka_unit_test(broken_graphs_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
