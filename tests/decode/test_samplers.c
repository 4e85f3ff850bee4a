/* test_samplers.c: every reference value of the sampler family, and what must hold for any logits.
 */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/num.h>
#include <szilard/unstable/sampler.h>

#include "decode/ecmm.h"
#define SZ_EDGE_RANK(c, i, context) (~sz_rank_of((c)->scratch[i]))
#include "decode/edge.h"
#include "num/kernels/kernels.h"

enum { MOST = 4096 };

typedef struct bench { /* candidates with their memory */
    int32_t id[MOST];
    float logit[MOST], scratch[MOST];
    sz_candidates c;
} bench;

static sz_candidates *lay_out(bench *b, const double *logits, size_t n) {
    b->c = (sz_candidates){.id = b->id, .logit = b->logit, .scratch = b->scratch, .n = n};
    SZ_CHECK_OK(sz_kernels_get(NULL, &b->c.kernels));
    for (size_t i = 0; i < n; i++) {
        b->id[i] = (int32_t)i;
        b->logit[i] = (float)logits[i];
    }
    return &b->c;
}

static void apply(sz_candidates *c, const char *format, ...) {
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sz_chain *chain;
    sz_sampler_input input = {.seed = 1};
    SZ_CHECK_OK(sz_chain_parse(text, &chain));
    SZ_CHECK_OK(sz_chain_apply(chain, &input, c));
    sz_chain_free(chain);
}

/* ---- Reference values ------------------------------------------------------------------------ */

static double number(const sz_json *v) {
    if (v->type == SZ_JSON_STRING)
        return strcmp(v->u.s, "-inf") == 0 ? -INFINITY : INFINITY;
    return v->type == SZ_JSON_INT ? (double)v->u.i : v->u.f;
}
static size_t fill(const sz_json *array, double *out) {
    size_t n = 0;
    for (const sz_json *c = array->u.child; c; c = c->next)
        out[n++] = number(c);
    return n;
}
static double get(const sz_json *object, const char *key) {
    return number(sz_json_get(object, key));
}

static void expect_kept(const char *name, const sz_json *want, const sz_candidates *c) {
    double ids[MOST];
    size_t n = fill(want, ids);
    bool same = n == c->n;
    for (size_t i = 0; same && i < n; i++)
        same = c->id[i] == (int32_t)ids[i];
    if (!same)
        fail_msg("%s: %zu tokens kept, %zu wanted, or others", name, c->n, n);
}

/* The stage of the case after a temperature, as the values were made. */
static const struct {
    const char *prefix, *stage, *parameter;
} stages[] = {
    {"top_k#", "top-k %.9f", "k"},
    {"top_p#", "top-p %.9f", "p"},
    {"min_p#", "min-p %.9f", "min_p"},
    {"typical#", "typical %.9f", "mass"},
    {"eta#", "eta %.9f", "epsilon"},
    {"epsilon#", "epsilon %.9f", "epsilon"},
    {"top_n_sigma#", "top-n-sigma %.9f", "n"},
    {"top_h", "top-h %.9f", "alpha"},
};

static bool check_stage(const char *name, const sz_json *in, const sz_json *want) {
    static bench b;
    double logits[MOST];
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        if (strncmp(name, stages[i].prefix, strlen(stages[i].prefix)) != 0)
            continue;
        size_t n = fill(sz_json_get(in, "logits"), logits);
        char stage[64];
        snprintf(stage, sizeof stage, stages[i].stage, get(in, stages[i].parameter));
        lay_out(&b, logits, n);
        if (sz_json_get(in, "temperature"))
            apply(&b.c, "temperature %.9f", get(in, "temperature"));
        apply(&b.c, "%s", stage);
        expect_kept(name, sz_json_get(want, "kept"), &b.c);
        static const char *const rules[] = {"kept_repo_rule", "kept_hf_rule"};
        for (int r = 0; r < 2; r++) {
            if (!sz_json_get(want, rules[r]))
                continue;
            lay_out(&b, logits, n);
            apply(&b.c, "temperature %.9f, %s rule=%s", get(in, "temperature"), stage,
                  r ? "hf" : "repo");
            expect_kept(rules[r], sz_json_get(want, rules[r]), &b.c);
        }
        return true;
    }
    return false;
}

/* The candidate that a uniform number draws, as the session draws it. */
static int32_t draw(const sz_candidates *c, double u) {
    double sum = sz_candidates_weights(c);
    sz_edge edge = sz_edge_find(c, NULL, u * sum);
    return c->id[sz_edge_last(c, NULL, edge)];
}

static void check_xtc(const sz_json *in, const sz_json *want) {
    static bench b;
    double logits[MOST];
    size_t n = fill(sz_json_get(in, "logits"), logits);
    /* u is below the probability or not: the stage is made certain or never */
    bool acts = get(in, "u") < get(in, "probability");
    lay_out(&b, logits, n);
    apply(&b.c, "temperature %.9f, xtc probability=%d threshold=%.9f", get(in, "temperature"), acts,
          get(in, "threshold"));
    expect_kept("xtc", sz_json_get(want, "kept"), &b.c);
}

static void check_dynatemp(const sz_json *in, const sz_json *want) {
    static bench b;
    double logits[MOST];
    size_t n = fill(sz_json_get(in, "logits"), logits);
    lay_out(&b, logits, n);
    apply(&b.c, "dynamic-temperature %.9f range=%.9f exponent=%.9f", get(in, "temperature"),
          get(in, "range"), get(in, "exponent"));
    double used = (logits[1] - logits[0]) / ((double)b.logit[1] - (double)b.logit[0]);
    SZ_CHECK_REL(used, get(want, "temperature_used"), 1e-5);
}

static void check_draw(const sz_json *in, const sz_json *want) {
    static bench b;
    double logits[MOST];
    lay_out(&b, logits, fill(sz_json_get(in, "logits"), logits));
    apply(&b.c, "temperature %.9f, top-h %.9f", get(in, "temperature"), get(in, "alpha"));
    assert_int_equal(draw(&b.c, get(in, "u")), (int32_t)get(want, "token"));
}

static void check_chain(const sz_json *in, const sz_json *want) {
    static bench b;
    double logits[MOST];
    lay_out(&b, logits, fill(sz_json_get(in, "logits"), logits));
    apply(&b.c, "top-k %.9f, top-p %.9f, min-p %.9f", get(in, "top_k"), get(in, "top_p"),
          get(in, "min_p"));
    assert_int_equal(b.c.n, (size_t)get(want, "n_after_min_p"));
    apply(&b.c, "temperature %.9f, top-h %.9f", get(in, "temperature"), get(in, "alpha"));
    expect_kept("chain", sz_json_get(want, "kept"), &b.c);
    if (sz_json_get(want, "token"))
        assert_int_equal(draw(&b.c, get(in, "u")), (int32_t)get(want, "token"));
}

static int falling(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static double entropy(const double *p, size_t n) {
    double h = 0;
    for (size_t i = 0; i < n; i++)
        h -= p[i] > 0 ? p[i] * log(p[i]) : 0;
    return h;
}

/* Mass and -sum p ln p of the greedy prefix, and its length. */
static size_t greedy_prefix(const double *p, size_t n, double budget, double *g, double *c) {
    *g = p[0];
    *c = -p[0] * log(p[0]);
    for (size_t k = 1; k < n; k++) {
        double mass = *g + p[k], cost = *c - p[k] * log(p[k]);
        if (log(mass) + cost / mass > budget)
            return k;
        *g = mass;
        *c = cost;
    }
    return n;
}

static void check_ecmm(const sz_json *in, const sz_json *want) {
    double p[32], mass, g, c;
    bool chosen[32];
    size_t n = fill(sz_json_get(in, "p"), p);
    qsort(p, n, sizeof *p, falling);
    double budget = get(in, "alpha") * entropy(p, n);
    SZ_CHECK_OK(sz_ecmm_exact(p, n, budget, chosen, &mass));
    SZ_CHECK_ABS(mass, get(want, "mass"), 1e-7);
    size_t k = greedy_prefix(p, n, budget, &g, &c);
    SZ_CHECK_ABS(g, get(want, "greedy_mass"), 1e-7);
    SZ_CHECK_ABS(sz_ecmm_bound(g, c, k < n ? p[k] : 0, budget), get(want, "upper_bound"), 1e-7);
}

static void check_mirostat(const sz_json *in, const sz_json *want) {
    static bench b;
    double logits[MOST];
    sz_chain *chain;
    char text[96];
    snprintf(text, sizeof text, "mirostat %.9f eta=%.9f", get(in, "tau"), get(in, "eta"));
    SZ_CHECK_OK(sz_chain_parse(text, &chain));
    const sz_json *step = sz_json_get(in, "steps")->u.child;
    const sz_json *results = sz_json_get(want, "steps");
    for (const sz_json *r = results->u.child; r; r = r->next, step = step->next) {
        sz_sampler_input input = {0};
        lay_out(&b, logits, fill(sz_json_get(step, "logits"), logits));
        SZ_CHECK_OK(sz_chain_apply(chain, &input, &b.c));
        assert_int_equal(b.c.n, (size_t)get(r, "n_kept"));
        int32_t token = draw(&b.c, get(step, "u"));
        assert_int_equal(token, (int32_t)get(r, "token"));
        double sum = sz_candidates_weights(&b.c);
        size_t at = sz_candidates_find(&b.c, token);
        sz_token drawn = {.id = token,
                          .draw_surprisal = (float)(log(sum) - log((double)b.scratch[at]))};
        sz_chain_accept(chain, &drawn);
    }
    sz_chain_free(chain);
}

static bool starts(const char *name, const char *prefix) {
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static void reference_values(void **state) {
    sz_buf text = {0};
    sz_arena *arena;
    sz_json *root;
    size_t checked = 0, others = 0;
    SZ_CHECK_OK(sz_file_read(SZ_TEST_VECTORS "/01-top-h.json", 1 << 20, &text));
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    SZ_CHECK_OK(sz_json_parse(text.data, text.len, arena, &root));
    for (const sz_json *c = sz_json_get(root, "cases")->u.child; c; c = c->next) {
        const char *name = sz_json_get(c, "name")->u.s;
        const sz_json *in = sz_json_get(c, "input"), *want = sz_json_get(c, "expect");
        checked++;
        if (starts(name, "xtc"))
            check_xtc(in, want);
        else if (starts(name, "dynatemp"))
            check_dynatemp(in, want);
        else if (starts(name, "sample_inverse"))
            check_draw(in, want);
        else if (starts(name, "chain_"))
            check_chain(in, want);
        else if (starts(name, "ecmm"))
            check_ecmm(in, want);
        else if (starts(name, "mirostat"))
            check_mirostat(in, want);
        else if (!check_stage(name, in, want))
            others++;
    }
    assert_int_equal(others, 8); /* token_stats: tests of logits have those */
    assert_true(checked > 100);
    sz_arena_free(arena);
    sz_buf_free(&text);
}

/* ---- For any logits -------------------------------------------------------------------------- */

static double uniform(void) {
    static uint64_t counter;
    return sz_uniform(11, 1, counter++);
}

static size_t random_logits(double *z, size_t most) {
    size_t n = 1 + (size_t)(uniform() * (double)most);
    double scale = 8 * uniform();
    bool ties = uniform() < 0.3;
    for (size_t i = 0; i < n; i++) {
        z[i] = scale * (uniform() - 0.5) * 2;
        if (ties)
            z[i] = floor(z[i]);
        if (uniform() < 0.05 && i > 0)
            z[i] = -INFINITY;
    }
    return n;
}

typedef struct order {
    double key;
    size_t index;
} order;
static int rising(const void *a, const void *b) {
    const order *x = a, *y = b;
    return x->key != y->key ? (x->key > y->key) - (x->key < y->key)
                            : (x->index > y->index) - (x->index < y->index);
}

/* The samplers again, by sorting everything. */
static size_t kept_by_sorting(const char *kind, double parameter, const float *z, size_t n,
                              bool *keep) {
    static double p[MOST];
    static order o[MOST];
    double max = -INFINITY, sum = 0, h = 0, mass = 0;
    for (size_t i = 0; i < n; i++)
        max = fmax(max, (double)z[i]);
    for (size_t i = 0; i < n; i++)
        sum += p[i] = exp((double)z[i] - max);
    for (size_t i = 0; i < n; i++) {
        p[i] /= sum;
        h -= p[i] > 0 ? p[i] * log(p[i]) : 0;
    }
    bool typical = strcmp(kind, "typical") == 0;
    for (size_t i = 0; i < n; i++)
        o[i] = (order){typical ? fabs(-log(p[i]) - h) : -p[i], i};
    qsort(o, n, sizeof *o, rising);
    memset(keep, 0, n);
    size_t kept = 0;
    double g = 0, c = 0;
    for (size_t j = 0; j < n; j++) {
        double q = p[o[j].index];
        if (strcmp(kind, "top-h") == 0 && j > 0 &&
            (q == 0 || log(g + q) + (c - q * log(q)) / (g + q) > parameter * h))
            break;
        if (strcmp(kind, "top-h") != 0 && mass > parameter)
            break;
        g += q;
        c -= q > 0 ? q * log(q) : 0;
        mass += q;
        keep[o[j].index] = true;
        kept++;
    }
    return kept;
}

/* Rounding may move a token at the edge: the sets differ there by one at most. */
static void the_same_as_by_sorting(void **state) {
    static bench b;
    static double z[MOST];
    static bool keep[MOST];
    static const char *const kinds[] = {"top-p", "typical", "top-h"};
    size_t moved = 0;
    for (int round = 0; round < 2000; round++) {
        size_t n = random_logits(z, round % 10 ? 60 : 3000);
        double parameter = 0.02 + 0.96 * uniform();
        const char *kind = kinds[round % 3];
        lay_out(&b, z, n);
        size_t want = kept_by_sorting(kind, parameter, b.logit, n, keep), wrong = 0;
        apply(&b.c, "%s %.9f", kind, parameter);
        for (size_t i = 0; i < b.c.n; i++)
            wrong += !keep[b.id[i]];
        moved += wrong > 0 || b.c.n != want;
        assert_true(wrong <= 1 && b.c.n + 1 >= want && b.c.n <= want + 1);
    }
    assert_true(moved <= 10);
}

static double mass_of(const bench *b, const double *z, size_t n, double *h) {
    double max = -INFINITY, sum = 0, g = 0, c = 0;
    for (size_t i = 0; i < n; i++)
        max = fmax(max, (double)(float)z[i]);
    for (size_t i = 0; i < n; i++)
        sum += exp((double)(float)z[i] - max);
    for (size_t i = 0; i < b->c.n; i++) {
        double p = exp((double)b->logit[i] - max) / sum;
        g += p;
        c -= p > 0 ? p * log(p) : 0;
    }
    *h = log(g) + c / g;
    return g;
}

static void top_h_keeps_its_budget(void **state) {
    static bench b;
    static double z[MOST];
    for (int round = 0; round < 500; round++) {
        size_t n = random_logits(z, 400), before = 0;
        double all, h;
        lay_out(&b, z, n);
        mass_of(&b, z, n, &all);
        for (int a = 1; a <= 9; a++) {
            lay_out(&b, z, n);
            apply(&b.c, "top-h 0.%d", a);
            mass_of(&b, z, n, &h);
            assert_true(h <= 0.1 * a * all + 1e-5 || b.c.n == 1);
            assert_true(b.c.n >= before); /* grows with alpha */
            before = b.c.n;
        }
    }
    double flat[100] = {0};
    lay_out(&b, flat, 100);
    apply(&b.c, "top-h 0.405");
    assert_int_equal(b.c.n, 6); /* floor(100^0.405) */
}

/* What a sure token leaves of its budget is there for the next one, once. */
static void an_unspent_budget_is_carried(void **state) {
    static bench b;
    double sure[] = {9, 1, 1, 1, 1, 1}, flat[60] = {0};
    sz_token drawn = {0};
    sz_sampler_input input = {0};
    sz_chain *chain, *copy;
    size_t alone, after;
    SZ_CHECK_OK(sz_chain_parse("top-h 0.4 carry=0.5", &chain));
    lay_out(&b, flat, 60);
    SZ_CHECK_OK(sz_chain_apply(chain, &input, &b.c));
    alone = b.c.n;
    assert_int_equal(alone, 5); /* floor(60^0.4) */
    drawn.draw_entropy = 0;     /* as if one had been certain: 0.4 ln 60 are left, half is kept */
    sz_chain_accept(chain, &drawn);
    SZ_CHECK_OK(sz_chain_clone(chain, &copy));
    lay_out(&b, flat, 60);
    SZ_CHECK_OK(sz_chain_apply(chain, &input, &b.c));
    after = b.c.n;
    assert_int_equal(after, 11); /* floor(60^0.6) */
    lay_out(&b, flat, 60);
    SZ_CHECK_OK(sz_chain_apply(copy, &input, &b.c)); /* a clone has what was saved */
    assert_int_equal(b.c.n, after);
    drawn.draw_entropy = (float)log(11);
    sz_chain_accept(chain, &drawn);
    lay_out(&b, flat, 60);
    SZ_CHECK_OK(sz_chain_apply(chain, &input, &b.c));
    assert_true(b.c.n >= alone && b.c.n < after);
    lay_out(&b, sure, 6);
    SZ_CHECK_OK(sz_chain_apply(chain, &input, &b.c));
    sz_chain_free(copy);
    sz_chain_free(chain);
}

static void the_exact_set_is_the_best(void **state) {
    for (int round = 0; round < 400; round++) {
        double p[13], sum = 0, mass, best = 0, g, c;
        bool chosen[13];
        size_t n = 1 + (size_t)(uniform() * 12);
        for (size_t i = 0; i < n; i++)
            sum += p[i] = exp(6 * uniform());
        for (size_t i = 0; i < n; i++)
            p[i] /= sum;
        qsort(p, n, sizeof *p, falling);
        double budget = uniform() * entropy(p, n);
        SZ_CHECK_OK(sz_ecmm_exact(p, n, budget, chosen, &mass));
        for (uint32_t set = 1; set < 1u << n; set++) {
            double m = 0, cost = 0;
            for (size_t i = 0; i < n; i++)
                if (set >> i & 1) {
                    m += p[i];
                    cost -= p[i] * log(p[i]);
                }
            if (m > best && log(m) + cost / m <= budget)
                best = m;
        }
        SZ_CHECK_ABS(mass, best, 1e-9);
        size_t k = greedy_prefix(p, n, budget, &g, &c);
        double bound = sz_ecmm_bound(g, c, k < n ? p[k] : 0, budget);
        assert_true(g <= mass + 1e-12 && mass <= bound + 1e-9);
        assert_true(k == n || bound <= g + p[k]);
        assert_true(g / mass > (double)k / (double)(k + 1) - 1e-9);
    }
}

static void target_entropy_is_met(void **state) {
    static bench b;
    static double z[MOST];
    for (int round = 0; round < 200; round++) {
        size_t n = 2 + (size_t)(uniform() * 300);
        for (size_t i = 0; i < n; i++)
            z[i] = 10 * uniform();
        double wanted = (0.05 + 0.9 * uniform()) * log((double)n);
        lay_out(&b, z, n);
        apply(&b.c, "target-entropy %.9f", wanted);
        double sum = sz_candidates_weights(&b.c);
        SZ_CHECK_ABS(sz_candidates_entropy(&b.c, sum), wanted, 1e-4);
    }
}

static void order_matters_and_scales_do_not(void **state) {
    static bench a, b;
    double z[] = {3, 2, 1, 0, -1};
    lay_out(&a, z, 5);
    lay_out(&b, z, 5);
    apply(&a.c, "temperature 3, min-p 0.3");
    apply(&b.c, "min-p 0.3, temperature 3");
    assert_true(a.c.n > b.c.n);
    lay_out(&a, z, 5);
    lay_out(&b, z, 5);
    apply(&a.c, "top-n-sigma 1");
    apply(&b.c, "temperature 7, top-n-sigma 1");
    assert_int_equal(a.c.n, b.c.n);
}

/* a b c d a b c: after it d would go on with the repetition of three. */
static void dry_finds_the_longest_repetition(void **state) {
    static bench b;
    double z[8] = {0};
    static const int32_t ids[] = {1, 2, 3, 4, 1, 2, 3};
    sz_token history[7] = {{0}};
    for (size_t i = 0; i < 7; i++)
        history[i].id = ids[i];
    sz_sampler_input input = {.history = history, .n_history = 7};
    sz_chain *chain;
    SZ_CHECK_OK(sz_chain_parse("dry multiplier=0.5 base=2 allowed=2", &chain));
    lay_out(&b, z, 8);
    SZ_CHECK_OK(sz_chain_apply(chain, &input, &b.c));
    for (size_t i = 0; i < 8; i++)
        SZ_CHECK_ABS((double)b.logit[i], i == 4 ? -0.5 * 2 : 0.0, 1e-6);
    input.n_history = 6; /* a b c d a b: c would go on with two */
    lay_out(&b, z, 8);
    SZ_CHECK_OK(sz_chain_apply(chain, &input, &b.c));
    SZ_CHECK_ABS((double)b.logit[3], -0.5, 1e-6);
    input.n_history = 5; /* a b c d a: one is allowed */
    lay_out(&b, z, 8);
    SZ_CHECK_OK(sz_chain_apply(chain, &input, &b.c));
    SZ_CHECK_ABS((double)b.logit[2], 0.0, 1e-6);
    sz_chain_free(chain);
}

static void drawing_follows_the_distribution(void **state) {
    static bench b;
    double z[6] = {1, 0.5, 0.5, -1, 2, -INFINITY}, chi2 = 0, sum = 0;
    size_t counts[6] = {0}, n = 100000;
    lay_out(&b, z, 6);
    for (size_t i = 0; i < n; i++)
        counts[draw(&b.c, uniform())]++;
    for (size_t i = 0; i < 6; i++)
        sum += exp(z[i]);
    for (size_t i = 0; i < 5; i++) {
        double want = (double)n * exp(z[i]) / sum, off = (double)counts[i] - want;
        chi2 += off * off / want;
    }
    assert_int_equal(counts[5], 0);
    assert_true(chi2 < 23.5); /* 4 degrees, 1e-4 */
    assert_int_equal(draw(&b.c, 0.0), 4);
    assert_int_equal(draw(&b.c, 0x1.fffffffffffffp-1), 3);
}

static void bans_and_lonely_tokens(void **state) {
    static bench b;
    double z[3] = {1, 2, 3}, one[1] = {-7};
    lay_out(&b, z, 3);
    apply(&b.c, "logit-bias 2 bias=-1000000000");
    apply(&b.c, "top-k 1");
    assert_int_equal(b.id[0], 1);
    static const char *const all[] = {"top-p 0.1",
                                      "typical 0.1",
                                      "eta 0.1",
                                      "epsilon 0.9",
                                      "xtc 1",
                                      "top-n-sigma 1",
                                      "top-h 0.1",
                                      "mirostat 1",
                                      "mirostat version=1",
                                      "dynamic-temperature 1",
                                      "target-entropy 1",
                                      "min-p 1"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        lay_out(&b, one, 1);
        apply(&b.c, "%s", all[i]);
        assert_int_equal(b.c.n, 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_values),
        cmocka_unit_test(the_same_as_by_sorting),
        cmocka_unit_test(top_h_keeps_its_budget),
        cmocka_unit_test(an_unspent_budget_is_carried),
        cmocka_unit_test(the_exact_set_is_the_best),
        cmocka_unit_test(target_entropy_is_met),
        cmocka_unit_test(order_matters_and_scales_do_not),
        cmocka_unit_test(dry_finds_the_longest_repetition),
        cmocka_unit_test(drawing_follows_the_distribution),
        cmocka_unit_test(bans_and_lonely_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
