/* Cut cross-entropy: the vectors of card 44, a plain loss in double, and what must not change. */
#include "learn/vector_case.h"

#include <math.h>
#include <stdlib.h>

#include <szilard/unstable/loss.h>
#include <szilard/unstable/num.h>

enum { MOST = 1024 };

typedef struct problem {
    float hidden[MOST], classifier[MOST], bias[MOST];
    int32_t targets[64];
    sz_cce in;
    sz_cce_config config;
    float d_hidden[MOST], d_classifier[MOST], d_bias[MOST];
    float lse[64], nll[64], entropy[64], mean[MOST];
    sz_cce_rows rows;
    sz_cce_gradients d;
    sz_cce_result result;
} problem;

static size_t floats(const sz_json *v, float *out) {
    static double x[MOST];
    size_t n = v ? flatten(v, 0, x) : 0;
    for (size_t i = 0; i < n; i++)
        out[i] = (float)x[i];
    return n;
}

static void run_problem(problem *p, sz_runtime *rt) {
    sz_arena *arena;
    SZ_CHECK_OK(sz_arena_new(1 << 20, &arena));
    memset(p->d_hidden, 0, sizeof p->d_hidden);
    memset(p->d_classifier, 0, sizeof p->d_classifier);
    memset(p->d_bias, 0, sizeof p->d_bias);
    p->rows = (sz_cce_rows){p->lse, p->nll, p->entropy, p->mean};
    p->d = (sz_cce_gradients){p->d_hidden, p->d_classifier, p->d_bias, 0, 0, 0};
    SZ_CHECK_OK(sz_cce_forward(rt, arena, &p->in, &p->config, &p->rows, &p->result));
    SZ_CHECK_OK(sz_cce_backward(rt, arena, &p->in, &p->config, &p->rows, 1, &p->d));
    sz_arena_free(arena);
}

static const sz_json *find_case(const vectors *v, const char *name) {
    for (const sz_json *c = v->first; c; c = c->next)
        if (strcmp(sz_json_get(c, "name")->u.s, name) == 0)
            return c;
    fail_msg("no case %s", name);
    return NULL;
}

static double setting(const sz_json *c, const char *key) {
    const sz_json *v = given(c, key);
    return v ? number(v) : 0;
}

static void load_problem(problem *p, const vectors *v, const sz_json *c) {
    const sz_json *matrices = c;
    memset(p, 0, sizeof *p);
    if (given(c, "E")->type == SZ_JSON_STRING)
        matrices = find_case(v, "filter_2x4_tiles_unsorted");
    size_t ne = floats(given(matrices, "E"), p->hidden);
    size_t nc = floats(given(matrices, "C"), p->classifier);
    p->in.n = integers(given(c, "targets"), p->targets);
    p->in.dim = ne / p->in.n;
    p->in.n_vocab = nc / p->in.dim;
    p->in.hidden = p->hidden;
    p->in.classifier = p->classifier;
    p->in.bias = floats(given(c, "bias"), p->bias) ? p->bias : NULL;
    p->in.targets = p->targets;
    const sz_json *reduction = given(c, "reduction");
    p->config.sum = reduction && strcmp(reduction->u.s, "sum") == 0;
    p->config.shift = (uint32_t)setting(c, "shift");
    p->config.softcap = (float)setting(c, "softcap");
    p->config.z_loss = (float)setting(c, "lambda_z");
    p->config.filter_eps = (float)setting(c, "eps");
    p->config.tile_rows = (uint32_t)setting(c, "tile_rows");
    p->config.tile_columns = (uint32_t)setting(c, "tile_cols");
    p->config.sort = strstr(sz_json_get(c, "name")->u.s, "_sorted") != NULL;
}

static void compare(const sz_json *c, const char *key, const float *got, double scale) {
    static double want[MOST];
    const sz_json *v = expected(c, key);
    size_t n = v ? flatten(v, 0, want) : 0;
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - want[i]) <= 2e-6 * scale))
            fail_msg("%s %s[%zu] is %.9g, not %.9g", sz_json_get(c, "name")->u.s, key, i,
                     (double)got[i], want[i]);
}

static void check_case(problem *p, const sz_json *c) {
    const sz_json *loss = expected(c, "loss") ? expected(c, "loss") : expected(c, "total");
    static double want[64];
    SZ_CHECK_ABS(p->result.loss, number(loss), 1e-6 * (1 + fabs(number(loss))));
    compare(c, "dE", p->d_hidden, 1);
    compare(c, "dC", p->d_classifier, 1);
    compare(c, "db", p->d_bias, 1);
    size_t n = expected(c, "lse") ? flatten(expected(c, "lse"), 0, want) : 0, at = 0;
    for (size_t i = 0; i < p->in.n && n; i++) {
        size_t from = i + p->config.shift;
        if (from < p->in.n && p->targets[from] != SZ_IGNORE) {
            SZ_CHECK_ABS((double)p->lse[i], want[at], 2e-6 * (1 + fabs(want[at])));
            at++;
        } else {
            assert_true(p->lse[i] == 0 && p->nll[i] == 0);
        }
    }
    assert_int_equal(at, n);
    if (!expected(c, "tiles_total"))
        return;
    assert_int_equal(p->d.tiles, expected(c, "tiles_total")->u.i);
    assert_int_equal(p->d.tiles_kept, expected(c, "tiles_kept")->u.i);
    SZ_CHECK_REL(p->d.bound, number(expected(c, "guaranteed_bound_dE = eps*max_d(sum_v|C_vd|)/N")),
                 1e-4);
}

static void test_vectors(void **state) {
    static problem p;
    vectors v = open_vectors(SZ_TEST_VECTORS "/44-cce.json");
    sz_runtime *rt = runtime(2, NULL);
    size_t n = 0;
    for (const sz_json *c = v.first; c; c = c->next)
        if (given(c, "targets")) {
            load_problem(&p, &v, c);
            run_problem(&p, rt);
            check_case(&p, c);
            n++;
        }
    assert_int_equal(n, 9);
    sz_runtime_free(rt);
    close_vectors(&v);
}

/* ---- A plain loss in double
 * ----------------------------------------------------------------------
 */

typedef struct large {
    size_t n, dim, n_vocab;
    float *hidden, *classifier, *bias, *d_hidden, *d_classifier, *d_bias, *lse, *nll, *entropy,
        *mean;
    int32_t *targets;
    double *z;
} large;

static uint64_t drawn;
static float draw(void) {
    return (float)(2 * sz_uniform(3, 0, drawn++) - 1);
}

static float *filled(size_t n, float by) {
    float *x = sz_alloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = by * draw();
    return x;
}

static large make_large(size_t n, size_t dim, size_t n_vocab) {
    large l = {.n = n, .dim = dim, .n_vocab = n_vocab};
    l.hidden = filled(n * dim, 1.5f);
    l.classifier = filled(n_vocab * dim, 1);
    l.bias = filled(n_vocab, 1);
    l.d_hidden = filled(n * dim, 0);
    l.d_classifier = filled(n_vocab * dim, 0);
    l.d_bias = filled(n_vocab, 0);
    l.lse = filled(n, 0);
    l.nll = filled(n, 0);
    l.entropy = filled(n, 0);
    l.mean = filled(n_vocab, 0);
    l.targets = sz_alloc(n * sizeof *l.targets);
    l.z = sz_alloc(n * n_vocab * sizeof *l.z);
    for (size_t i = 0; i < n; i++)
        l.targets[i] = i % 7 == 3 ? SZ_IGNORE : (int32_t)(sz_uniform(4, 0, i) * (double)n_vocab);
    return l;
}

static void free_large(large *l) {
    void *all[] = {l->hidden, l->classifier, l->bias,    l->d_hidden, l->d_classifier, l->d_bias,
                   l->lse,    l->nll,        l->entropy, l->mean,     l->targets,      l->z};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sz_free(all[i]);
}

static sz_cce input_of(const large *l) {
    return (sz_cce){l->hidden, l->classifier, l->bias, l->targets, l->n, l->dim, l->n_vocab};
}

/* Loss of all rows; l->z becomes dz. */
static double plain(large *l, const sz_cce_config *c, double *entropy) {
    double total = 0, s = (double)c->label_smoothing;
    size_t valid = 0;
    for (size_t i = 0; i < l->n; i++)
        valid += l->targets[i] != SZ_IGNORE;
    for (size_t i = 0; i < l->n; i++) {
        double *z = l->z + i * l->n_vocab, sum = 0, even = 0, slope[2];
        for (size_t v = 0; v < l->n_vocab; v++) {
            z[v] = (double)l->bias[v];
            for (size_t k = 0; k < l->dim; k++)
                z[v] += (double)l->hidden[i * l->dim + k] * (double)l->classifier[v * l->dim + k];
            if (c->softcap > 0)
                z[v] = (double)c->softcap * tanh(z[v] / (double)c->softcap);
            sum += exp(z[v]);
            even += z[v] / (double)l->n_vocab;
        }
        double lse = log(sum);
        entropy[i] = 0;
        if (l->targets[i] == SZ_IGNORE) {
            memset(z, 0, l->n_vocab * sizeof *z);
            continue;
        }
        double log_p = z[l->targets[i]] - lse;
        double own = c->comp_sum ? sz_comp_sum_of(log_p, c->tau) : -log_p;
        total += ((1 - s) * own + s * (lse - even) + (double)c->z_loss * lse * lse) / (double)valid;
        slope[0] = (c->comp_sum ? exp((c->tau - 1) * log_p) : 1) / (double)valid;
        slope[1] = 2 * (double)c->z_loss * lse / (double)valid;
        for (size_t v = 0; v < l->n_vocab; v++) {
            double p = exp(z[v] - lse), hit = (int32_t)v == l->targets[i];
            entropy[i] -= p * (z[v] - lse);
            double d = slope[0] * (p - (1 - s) * hit - s / (double)l->n_vocab) + slope[1] * p;
            double u = c->softcap > 0 ? z[v] / (double)c->softcap : 0;
            z[v] = d * (1 - u * u);
        }
    }
    return total;
}

static void check_gradients(const large *l) {
    for (size_t i = 0; i < l->n; i++)
        for (size_t k = 0; k < l->dim; k++) {
            double want = 0;
            for (size_t v = 0; v < l->n_vocab; v++)
                want += l->z[i * l->n_vocab + v] * (double)l->classifier[v * l->dim + k];
            SZ_CHECK_ABS((double)l->d_hidden[i * l->dim + k], want, 3e-6 * (1 + fabs(want)));
        }
    for (size_t v = 0; v < l->n_vocab; v++) {
        double bias = 0;
        for (size_t i = 0; i < l->n; i++)
            bias += l->z[i * l->n_vocab + v];
        SZ_CHECK_ABS((double)l->d_bias[v], bias, 3e-6 * (1 + fabs(bias)));
        for (size_t k = 0; k < l->dim; k++) {
            double want = 0;
            for (size_t i = 0; i < l->n; i++)
                want += l->z[i * l->n_vocab + v] * (double)l->hidden[i * l->dim + k];
            SZ_CHECK_ABS((double)l->d_classifier[v * l->dim + k], want, 3e-6 * (1 + fabs(want)));
        }
    }
}

static sz_cce_gradients run_large(large *l, const sz_cce_config *c, sz_runtime *rt,
                                  sz_cce_result *result) {
    sz_arena *arena;
    sz_cce in = input_of(l);
    sz_cce_rows rows = {l->lse, l->nll, l->entropy, l->mean};
    sz_cce_gradients d = {l->d_hidden, l->d_classifier, l->d_bias, 0, 0, 0};
    memset(l->d_hidden, 0, l->n * l->dim * sizeof(float));
    memset(l->d_classifier, 0, l->n_vocab * l->dim * sizeof(float));
    memset(l->d_bias, 0, l->n_vocab * sizeof(float));
    SZ_CHECK_OK(sz_arena_new(1 << 20, &arena));
    SZ_CHECK_OK(sz_cce_forward(rt, arena, &in, c, &rows, result));
    SZ_CHECK_OK(sz_cce_backward(rt, arena, &in, c, &rows, 1, &d));
    sz_arena_free(arena);
    return d;
}

static const sz_cce_config configs[] = {
    {0},
    {.softcap = 5, .z_loss = 0.01f},
    {.label_smoothing = 0.1f},
    {.comp_sum = true, .tau = 1.7},
    {.comp_sum = true, .tau = 0.5, .softcap = 4},
    {.filter_eps = 0x1p-126f, .sort = true},
};

/* Sizes that tiles and blocks do not divide. */
static void test_plain(void **state) {
    sz_runtime *rt = runtime(2, NULL);
    large l = make_large(70, 9, 1111);
    static double entropy[70];
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        sz_cce_result r;
        run_large(&l, &configs[i], rt, &r);
        SZ_CHECK_REL(r.loss, plain(&l, &configs[i], entropy), 1e-6);
        assert_int_equal(r.n_valid, 60);
        assert_true(r.first_nan == SIZE_MAX);
        for (size_t j = 0; j < l.n; j++)
            SZ_CHECK_ABS((double)l.entropy[j], entropy[j], 2e-5);
        check_gradients(&l);
    }
    free_large(&l);
    sz_runtime_free(rt);
}

/* Same bits for every thread count and instruction set; a vocabulary turned round changes only the
 * order of the classifier's gradient. */
static void test_bits(void **state) {
    const sz_cce_config c = {.filter_eps = 0x1p-9f, .sort = true, .softcap = 20};
    sz_runtime *rt = runtime(1, NULL);
    large l = make_large(1100, 5, 600);
    sz_cce_result first, other;
    sz_cce_gradients d = run_large(&l, &c, rt, &first);
    sz_runtime_free(rt);
    size_t n = l.n * l.dim, m = l.n_vocab * l.dim;
    float *kept = sz_alloc((n + m) * sizeof *kept);
    memcpy(kept, l.d_hidden, n * sizeof *kept);
    memcpy(kept + n, l.d_classifier, m * sizeof *kept);
    for (const char *const *isa = sz_isa_available(); *isa; isa++)
        for (int threads = 1; threads <= 3; threads += 2) {
            rt = runtime(threads, *isa);
            sz_cce_gradients again = run_large(&l, &c, rt, &other);
            assert_true(other.loss == first.loss && again.tiles_kept == d.tiles_kept);
            assert_memory_equal(kept, l.d_hidden, n * sizeof *kept);
            assert_memory_equal(kept + n, l.d_classifier, m * sizeof *kept);
            sz_runtime_free(rt);
        }
    sz_free(kept);
    free_large(&l);
}

/* The certificate holds, sorting leaves fewer tiles, and the memory is a few MB. */
static void test_filter(void **state) {
    sz_runtime *rt = runtime(2, NULL);
    large l = make_large(256, 16, 4096);
    sz_cce_config c = {.tile_rows = 16, .tile_columns = 64};
    sz_cce_result r;
    for (size_t v = 0; v < l.n_vocab; v++) /* a few likely tokens, spread */
        l.bias[v] = v % 97 == 5 ? 6 : -6;
    run_large(&l, &c, rt, &r);
    float *exact = sz_alloc(l.n * l.dim * sizeof *exact);
    memcpy(exact, l.d_hidden, l.n * l.dim * sizeof *exact);
    c.filter_eps = 0x1p-9f;
    sz_cce_gradients unsorted = run_large(&l, &c, rt, &r);
    double worst = 0;
    for (size_t i = 0; i < l.n * l.dim; i++)
        worst = fmax(worst, fabs((double)exact[i] - (double)l.d_hidden[i]));
    assert_true(worst > 0 && worst <= unsorted.bound);
    c.sort = true;
    sz_cce_gradients sorted = run_large(&l, &c, rt, &r);
    assert_int_equal(sorted.tiles, unsorted.tiles);
    assert_true(sorted.tiles_kept < unsorted.tiles_kept);
    c.keep_hidden = true;
    run_large(&l, &c, rt, &r);
    for (size_t i = 0; i < l.n * l.dim; i++)
        SZ_CHECK_ABS((double)l.d_hidden[i], (double)exact[i], 1e-6);
    sz_free(exact);
    free_large(&l);
    sz_runtime_free(rt);
}

static void test_kl(void **state) {
    sz_runtime *rt = runtime(2, NULL);
    sz_arena *arena;
    large t = make_large(20, 6, 700), s = make_large(20, 4, 700);
    double kl, zero;
    sz_cce of_t = input_of(&t), of_s = input_of(&s);
    sz_cce_gradients d = {s.d_hidden, s.d_classifier, s.d_bias, 0, 0, 0};
    SZ_CHECK_OK(sz_arena_new(1 << 20, &arena));
    SZ_CHECK_OK(sz_cce_kl(rt, arena, &of_t, &of_s, 1, &d, &kl));
    SZ_CHECK_OK(sz_cce_kl(rt, arena, &of_t, &of_t, 1, NULL, &zero));
    SZ_CHECK_ABS(zero, 0, 1e-6);
    double want = 0, slope = 0;
    for (int side = 0; side < 2; side++) /* a difference in one entry of the student's bias */
        for (size_t i = 0; i < 20; i++) {
            double zt[700], zs[700], st = 0, ss = 0, sum = 0;
            for (size_t v = 0; v < 700; v++) {
                zt[v] = (double)t.bias[v];
                zs[v] = (double)s.bias[v] + (v == 11 ? (side ? 1e-5 : -1e-5) : 0);
                for (size_t k = 0; k < 6; k++)
                    zt[v] += (double)t.hidden[i * 6 + k] * (double)t.classifier[v * 6 + k];
                for (size_t k = 0; k < 4; k++)
                    zs[v] += (double)s.hidden[i * 4 + k] * (double)s.classifier[v * 4 + k];
                st += exp(zt[v]);
                ss += exp(zs[v]);
            }
            for (size_t v = 0; v < 700; v++)
                sum += exp(zt[v]) / st * (zt[v] - log(st) - zs[v] + log(ss));
            want += sum / 40;
            slope += (side ? sum : -sum) / 20 / 2e-5;
        }
    SZ_CHECK_REL(kl, want, 1e-5);
    SZ_CHECK_ABS((double)s.d_bias[11], slope, 1e-6);
    of_s.n = 19;
    assert_int_equal(sz_cce_kl(rt, arena, &of_t, &of_s, 1, NULL, &kl), SZ_E_ARG);
    sz_arena_free(arena);
    free_large(&t);
    free_large(&s);
    sz_runtime_free(rt);
}

/* ---- Bad input
 * -----------------------------------------------------------------------------------
 */

static void test_edges(void **state) {
    static problem p;
    sz_runtime *rt = runtime(2, NULL);
    for (size_t i = 0; i < 40; i++) {
        p.hidden[i] = draw();
        p.classifier[i] = draw();
    }
    p.in = (sz_cce){p.hidden, p.classifier, NULL, p.targets, 4, 4, 5};
    for (int i = 0; i < 4; i++)
        p.targets[i] = SZ_IGNORE;
    run_problem(&p, rt);
    assert_true(p.result.loss == 0 && p.result.n_valid == 0 && p.d_hidden[0] == 0);
    for (int i = 0; i < 4; i++)
        p.targets[i] = 0;
    p.in.n_vocab = 1;
    run_problem(&p, rt);
    SZ_CHECK_ABS(p.result.loss, 0, 1e-7);
    p.in.n_vocab = 5;
    p.hidden[5] = NAN; /* of row 1 */
    run_problem(&p, rt);
    assert_int_equal(p.result.first_nan, 1);
    assert_true(p.result.loss != p.result.loss);
    assert_true(p.lse[0] == p.lse[0] && p.lse[1] != p.lse[1] && p.d_hidden[8] == p.d_hidden[8]);
    p.hidden[5] = 0;
    p.in.bias = p.bias; /* a masked token, first not a target, then one */
    p.bias[0] = -INFINITY;
    for (int i = 0; i < 4; i++)
        p.targets[i] = 1;
    run_problem(&p, rt);
    assert_true(p.result.loss < 100 && p.d_classifier[0] == 0 && p.entropy[0] <= logf(4));
    p.targets[2] = 0;
    run_problem(&p, rt);
    assert_true(p.result.loss == INFINITY);
    sz_runtime_free(rt);
}

static void test_errors(void **state) {
    static problem p;
    sz_runtime *rt = runtime(1, NULL);
    sz_arena *arena;
    SZ_CHECK_OK(sz_arena_new(1 << 20, &arena));
    p.in = (sz_cce){p.hidden, p.classifier, NULL, p.targets, 4, 4, 5};
    const struct {
        sz_cce_config config;
        int32_t target;
        size_t n;
        const char *text;
    } wrong[] = {{{0}, 5, 4, "target 5 at position 2"},
                 {{0}, -1, 4, "target -1 at position 2"},
                 {{0}, 0, 0, "0 rows"},
                 {{.softcap = -1}, 0, 4, "softcap is -1"},
                 {{.comp_sum = true, .tau = -1}, 0, 4, "tau"},
                 {{.label_smoothing = 1}, 0, 4, "smoothing"},
                 {{.comp_sum = true, .tau = NAN}, 0, 4, "tau"},
                 {{.filter_eps = -1}, 0, 4, "eps"},
                 {{.tile_rows = 5000}, 0, 4, "tiles"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        p.targets[2] = wrong[i].target;
        p.in.n = wrong[i].n;
        assert_int_equal(sz_cce_forward(rt, arena, &p.in, &wrong[i].config, &p.rows, &p.result),
                         SZ_E_ARG);
        if (!strstr(sz_last_error(), wrong[i].text))
            fail_msg("%s", sz_last_error());
    }
    sz_arena_free(arena);
    sz_runtime_free(rt);
}

/* On the tape, the gradient goes on into what the hidden states were computed from. */
static void test_tape(void **state) {
    sz_runtime *rt = runtime(2, NULL);
    sz_arena *arena;
    sz_graph g;
    float x[6] = {0.5f, -1, 0.25f, 2, 1, -0.5f}, w[4] = {1, 0.5f, -0.25f, 1}, c[10], dw[4] = {0};
    float dc[10] = {0};
    const int32_t targets[3] = {4, SZ_IGNORE, 1};
    for (int i = 0; i < 10; i++)
        c[i] = draw();
    double losses[3];
    for (int side = 0; side < 3; side++) {
        SZ_CHECK_OK(sz_arena_new(1 << 20, &arena));
        sz_graph_begin(&g, rt, arena, SZ_RECORD);
        w[1] = 0.5f + (float)(side - 1) * 0x1p-8f;
        float *dw_or_not = side == 1 ? dw : NULL, *dc_or_not = side == 1 ? dc : NULL;
        sz_tensor tx = sz_tensor_of(x, NULL, 3, 2), tw = sz_tensor_of(w, dw_or_not, 2, 2);
        sz_tensor tc = sz_tensor_of(c, dc_or_not, 5, 2);
        sz_cce_result r;
        sz_tensor *loss =
            sz_cut_cross_entropy(&g, sz_matmul(&g, &tx, &tw, true), &tc, NULL, targets, NULL, &r);
        SZ_CHECK_OK(g.status);
        losses[side] = r.loss;
        if (side == 1)
            SZ_CHECK_OK(sz_graph_backward(&g, loss));
        sz_arena_free(arena);
    }
    SZ_CHECK_ABS((double)dw[1], (losses[2] - losses[0]) / 0x1p-7, 1e-4);
    sz_runtime_free(rt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors), cmocka_unit_test(test_plain), cmocka_unit_test(test_bits),
        cmocka_unit_test(test_filter),  cmocka_unit_test(test_kl),    cmocka_unit_test(test_edges),
        cmocka_unit_test(test_errors),  cmocka_unit_test(test_tape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
