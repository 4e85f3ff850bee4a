/* Every sampler that removes tokens against its definition, written down by sorting and in doubles,
 * on thousands of rows: ties, tokens that cannot be drawn, one token, vocabularies of 262144. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/info.h>
#include <szilard/unstable/sampler.h>

enum { LARGEST = 262144 };

static sz_runtime *rt;
static sz_candidates c;
static float z[LARGEST];
static double p[LARGEST];
static uint32_t order[LARGEST]; /* falling probability, then rising id */
static bool kept[LARGEST];
static uint64_t counter;

static double uniform(void) {
    return sz_uniform(21, 4, counter++);
}

static int open_runtime(void **state) {
    SZ_CHECK_OK(sz_runtime_new(&(sz_runtime_config){.n_threads = 1}, &rt));
    SZ_CHECK_OK(sz_candidates_new(rt, LARGEST, &c));
    return 0;
}

static int close_runtime(void **state) {
    sz_candidates_free(&c);
    sz_runtime_free(rt);
    return 0;
}

static sz_status apply(const char *text, size_t n) {
    sz_chain *chain;
    sz_logit_stats stats;
    SZ_CHECK_OK(sz_chain_parse(text, &chain));
    SZ_CHECK_OK(sz_logits_measure(rt, z, n, 1.0f, &stats));
    sz_sampler_input input = {.stats = &stats, .logits = z, .seed = 1};
    sz_candidates_fill(&c, z, n);
    sz_status status = sz_chain_apply(chain, &input, &c);
    sz_chain_free(chain);
    return status;
}

/* ---- The row as a distribution --------------------------------------------------------------- */

static int likelier(const void *a, const void *b) {
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    if (z[i] != z[j])
        return z[i] > z[j] ? -1 : 1;
    return (i > j) - (i < j);
}

static struct {
    size_t n;
    double max, log_sum, entropy, sigma;
} row;

static void measure(size_t n) {
    double sum = 0, mean = 0, square = 0;
    size_t finite = 0;
    row.n = n;
    row.max = -INFINITY;
    row.entropy = 0;
    for (size_t i = 0; i < n; i++) {
        order[i] = (uint32_t)i;
        row.max = fmax(row.max, (double)z[i]);
    }
    for (size_t i = 0; i < n; i++) {
        sum += exp((double)z[i] - row.max);
        if (z[i] >= -__FLT_MAX__) {
            mean += (double)z[i];
            finite++;
        }
    }
    mean /= (double)finite;
    row.log_sum = row.max + log(sum);
    for (size_t i = 0; i < n; i++) {
        p[i] = exp((double)z[i] - row.log_sum);
        row.entropy -= p[i] > 0 ? p[i] * log(p[i]) : 0;
        if (z[i] >= -__FLT_MAX__)
            square += ((double)z[i] - mean) * ((double)z[i] - mean);
    }
    row.sigma = sqrt(square / (double)finite);
    qsort(order, n, sizeof *order, likelier);
}

/* A row of some shape: spread, with ties, nearly flat, nearly certain, with holes. */
static void make_row(size_t n, uint64_t shape) {
    double scale = 12 * uniform();
    for (size_t i = 0; i < n; i++) {
        double u = uniform() - 0.5;
        z[i] = (float)(scale * u);
        if (shape % 5 == 1)
            z[i] = floorf(z[i]);
        if (shape % 5 == 2)
            z[i] = (float)(u * 1e-3);
        if (shape % 5 == 3)
            z[i] = (float)(30 * u * u * u * 8);
        if (shape % 5 == 4 && uniform() < 0.4)
            z[i] = -INFINITY;
    }
    z[(size_t)(uniform() * (double)n)] = (float)(scale * 0.6);
    measure(n);
}

/* ---- Definitions ----------------------------------------------------------------------------- */

/* A logit from which tokens stay. */
static double min_p_limit(double v) {
    return row.max + log(v);
}
static double epsilon_limit(double v) {
    return row.log_sum + log(v);
}
static double eta_limit(double v) {
    return row.log_sum + log(fmin(v, sqrt(v) * exp(-row.entropy)));
}
static double sigma_limit(double v) {
    return row.max - 3 * v * row.sigma;
}
static double mirostat_limit(double v) { /* mu is 2 tau at first, tau = 8 v, in bits */
    return row.log_sum - 16 * v * log(2);
}

/* The number of tokens that stay, in the order of falling probability. */
static size_t top_k_length(double v) {
    size_t k = 1 + (size_t)(v * 50);
    return k < row.n ? k : row.n;
}
static size_t top_p_length(double v) {
    double mass = 0;
    for (size_t j = 0; j < row.n; j++)
        if ((mass += p[order[j]]) >= v)
            return j + 1;
    return row.n;
}
static size_t top_h_length(double v) {
    double g = 0, cost = 0;
    for (size_t j = 0; j < row.n; j++) {
        double q = p[order[j]], more = cost - (q > 0 ? q * log(q) : 0);
        if (j > 0 && (q == 0 || log(g + q) + more / (g + q) > v * row.entropy))
            return j;
        g += q;
        cost = more;
    }
    return row.n;
}

static const struct definition {
    const char *format;
    double (*limit)(double v);
    size_t (*length)(double v);
} definitions[] = {
    {"min-p %.9f", min_p_limit, NULL},       {"epsilon %.9f", epsilon_limit, NULL},
    {"eta %.9f", eta_limit, NULL},           {"top-n-sigma %.9f", sigma_limit, NULL},
    {"mirostat %.9f", mirostat_limit, NULL}, {"top-k %.0f", NULL, top_k_length},
    {"top-p %.9f", NULL, top_p_length},      {"top-h %.9f", NULL, top_h_length},
};
enum { N_DEFINITIONS = sizeof definitions / sizeof *definitions };

/* As the option is written: some are not the value itself. */
static double written(const struct definition *d, double v) {
    return d->limit == sigma_limit      ? 3 * v
           : d->limit == mirostat_limit ? 8 * v
           : d->length == top_k_length  ? (double)(1 + (size_t)(v * 50))
                                        : v;
}

static void mark_kept(void) {
    memset(kept, 0, row.n);
    for (size_t i = 0; i < c.n; i++) {
        assert_true(c.id[i] >= 0 && (size_t)c.id[i] < row.n);
        assert_true(i == 0 || c.id[i] > c.id[i - 1]);
        assert_true(c.logit[i] == z[c.id[i]]);
        kept[c.id[i]] = true;
    }
}

/* Rounding may move tokens that stand within 1e-5 of the edge. */
static bool agrees_with_limit(double limit) {
    size_t n = 0;
    for (size_t i = 0; i < row.n; i++) {
        if ((double)z[i] > limit + 1e-5 && !kept[i])
            return false;
        if ((double)z[i] < limit - 1e-5 && kept[i] && (double)z[i] < row.max)
            return false;
        n += kept[i];
    }
    return n >= 1 && kept[order[0]];
}

/* What stays is a prefix of the order, ties by id included; its length may be off by one where
 * the sum comes within rounding of the edge. */
static bool agrees_with_length(size_t want, size_t slack) {
    for (size_t j = 0; j < row.n; j++)
        if (kept[order[j]] != (j < c.n))
            return false;
    return c.n + slack >= want && c.n <= want + slack;
}

static size_t n_off;

static void check(const struct definition *d, double v) {
    char text[64];
    snprintf(text, sizeof text, d->format, written(d, v));
    SZ_CHECK_OK(apply(text, row.n));
    mark_kept();
    bool right;
    if (d->limit) {
        right = agrees_with_limit(d->limit(v));
    } else {
        size_t want = d->length(v);
        size_t slack = d->length == top_k_length ? 0 : 1 + row.n / 4096;
        right = agrees_with_length(want, slack);
        n_off += c.n != want;
    }
    if (!right)
        fail_msg("%s on a row of %zu keeps %zu", text, row.n, c.n);
}

static void thousands_of_rows(void **state) {
    n_off = 0;
    for (uint64_t round = 0; round < 6000; round++) {
        size_t n = round % 50 == 0 ? 1 + round % 3 : 1 + (size_t)(uniform() * 400);
        make_row(n, round / N_DEFINITIONS);
        check(&definitions[round % N_DEFINITIONS], 0.001 + 0.998 * uniform());
    }
    assert_true(n_off <= 20);
}

static void rows_of_262144(void **state) {
    for (uint64_t round = 0; round < 2 * N_DEFINITIONS; round++) {
        make_row(LARGEST, round < N_DEFINITIONS ? 3 : 4);
        check(&definitions[round % N_DEFINITIONS], 0.1 + 0.5 * uniform());
    }
}

/* Where the surprisal is nearest to the entropy: the order is another, so it is done by itself. */
static double off_typical(uint32_t i) {
    return fabs(row.log_sum - (double)z[i] - row.entropy);
}
static int more_typical(const void *a, const void *b) {
    double x = off_typical(*(const uint32_t *)a), y = off_typical(*(const uint32_t *)b);
    return (x > y) - (x < y);
}

static void typical_rows(void **state) {
    for (uint64_t round = 0; round < 1000; round++) {
        char text[64];
        double v = 0.001 + 0.998 * uniform(), mass = 0, edge = INFINITY;
        make_row(1 + (size_t)(uniform() * 300), round);
        qsort(order, row.n, sizeof *order, more_typical);
        for (size_t j = 0; j < row.n && edge == INFINITY; j++)
            if ((mass += p[order[j]]) > v)
                edge = off_typical(order[j]);
        snprintf(text, sizeof text, "typical %.9f", v);
        SZ_CHECK_OK(apply(text, row.n));
        mark_kept();
        for (size_t i = 0; i < row.n; i++) /* those at the edge are tied, or within rounding */
            if (fabs(off_typical((uint32_t)i) - edge) > 1e-4 && z[i] > -INFINITY)
                assert_int_equal(kept[i], off_typical((uint32_t)i) < edge);
    }
}

static void xtc_rows(void **state) {
    for (uint64_t round = 0; round < 1000; round++) {
        char text[64];
        double t = 0.02 + 0.4 * uniform();
        size_t above = 0, near = 0;
        make_row(2 + (size_t)(uniform() * 30), round % 5 == 2 ? 0 : round);
        snprintf(text, sizeof text, "xtc probability=1 threshold=%.9f", t);
        SZ_CHECK_OK(apply(text, row.n));
        mark_kept();
        for (size_t i = 0; i < row.n; i++) {
            above += p[i] >= t;
            near += fabs(p[i] - t) < 1e-5;
        }
        if (near > 0)
            continue;
        size_t removed = above >= 2 ? above - 1 : 0;
        assert_int_equal(c.n, row.n - removed);
        for (size_t j = 0; j < row.n; j++) /* of equally likely last ones the higher id stays */
            assert_int_equal(kept[order[j]], j >= removed);
    }
}

/* Tokens that cannot be drawn count for nothing: with or without them the rest is the same. */
static void holes_do_not_count(void **state) {
    static const char *const chains[] = {"dynamic-temperature 1 range=0.7",
                                         "mirostat tau=3 version=1",
                                         "mirostat tau=3",
                                         "top-n-sigma 1",
                                         "typical 0.8",
                                         "eta 0.01",
                                         "top-h 0.6",
                                         "xtc probability=1"};
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
        float left[40];
        make_row(40, 0);
        SZ_CHECK_OK(apply(chains[i], 40));
        size_t n = 0;
        for (size_t j = 0; j < c.n; j++)
            left[n++] = c.logit[j];
        for (size_t j = 40; j < 200; j++)
            z[j] = -INFINITY;
        SZ_CHECK_OK(apply(chains[i], 200));
        size_t finite = 0;
        for (size_t j = 0; j < c.n; j++)
            if (c.logit[j] > -INFINITY) {
                assert_true(finite < n);
                SZ_CHECK_ABS((double)c.logit[j], (double)left[finite], 1e-5);
                finite++;
            }
        assert_int_equal(finite, n);
    }
}

/* min-keep: what would have stayed stays, and of the others the first in the sampler's order. */
static void so_many_stay_in_any_case(void **state) {
    static const char *const names[] = {"top-p", "min-p", "typical", "top-h"};
    static bool before[LARGEST];
    for (uint64_t round = 0; round < 1200; round++) {
        char text[64];
        const char *name = names[round % 4];
        double v = 0.01 + 0.9 * uniform();
        size_t least = 1 + (size_t)(uniform() * 40);
        make_row(1 + (size_t)(uniform() * 100), round);
        snprintf(text, sizeof text, "%s %.6f", name, v);
        SZ_CHECK_OK(apply(text, row.n));
        mark_kept();
        size_t n = c.n;
        memcpy(before, kept, row.n * sizeof *kept);
        snprintf(text, sizeof text, "%s %.6f min-keep=%zu", name, v, least);
        SZ_CHECK_OK(apply(text, row.n));
        mark_kept();
        size_t some = least < row.n ? least : row.n, want = n > some ? n : some;
        bool stops = strcmp(name, "top-h") == 0; /* where nothing has any probability */
        assert_true(stops ? c.n <= want && c.n >= n : c.n == want);
        for (size_t i = 0; i < row.n; i++)
            assert_true(kept[i] || !before[i]);
        for (size_t j = 0; strcmp(name, "typical") != 0 && j < row.n; j++)
            assert_int_equal(kept[order[j]], j < c.n);
    }
    make_row(20, 0);
    SZ_CHECK_OK(apply("xtc probability=1 threshold=0.01 min-keep=20", row.n));
    assert_int_equal(c.n, 20);
    SZ_CHECK_OK(apply("top-k -3, top-n-sigma -1", row.n));
    assert_int_equal(c.n, 20);
}

/* ---- What must hold whatever the numbers are ------------------------------------------------- */

/* Other names for the tokens, and a constant on all logits, change nothing. */
static void names_and_constants_do_not_matter(void **state) {
    static const char *const chains[] = {
        "top-k 9",  "top-p 0.7", "min-p 0.1",  "typical 0.6",   "epsilon 0.01",
        "eta 0.01", "top-h 0.4", "mirostat 2", "top-n-sigma 1", "top-h 0.5 rule=hf"};
    for (size_t round = 0; round < 300; round++) {
        enum { N = 96 };
        float before[N];
        bool stays[N] = {false};
        int32_t name[N];
        for (size_t i = 0; i < N; i++) { /* distinct, and exact under the constant */
            z[i] = before[i] = (float)((double)(i * 37 % N) / 8 + floor(uniform() * 8) / 128);
            name[i] = (int32_t)i;
        }
        for (size_t i = N - 1; i > 0; i--) {
            size_t j = (size_t)(uniform() * (double)(i + 1));
            int32_t t = name[i];
            name[i] = name[j];
            name[j] = t;
        }
        const char *chain = chains[round % 10];
        SZ_CHECK_OK(apply(chain, N));
        for (size_t i = 0; i < c.n; i++)
            stays[c.id[i]] = true;
        size_t n = c.n;
        for (size_t i = 0; i < N; i++)
            z[name[i]] = before[i] + 16;
        SZ_CHECK_OK(apply(chain, N));
        assert_int_equal(c.n, n);
        row.n = N;
        mark_kept();
        for (size_t i = 0; i < N; i++)
            assert_int_equal(kept[name[i]], stays[i]);
    }
}

/* The problem that top-H solves: the divergence from what is kept depends on the mass alone. */
static void divergence_is_a_function_of_the_mass(void **state) {
    double q[64];
    for (uint64_t round = 0; round < 200; round++) {
        double g = 0, js;
        make_row(64, 0);
        for (size_t i = 0; i < 64; i++)
            g += (q[i] = uniform() < 0.5 ? p[i] : 0);
        if (g == 0)
            continue;
        for (size_t i = 0; i < 64; i++)
            q[i] /= g;
        SZ_CHECK_OK(sz_div_js(p, q, 64, 0.5, &js));
        SZ_CHECK_ABS(js, log(2) + 0.5 * (g * log(g) - (1 + g) * log(1 + g)), 1e-9);
    }
}

static void extreme_rows(void **state) {
    static const char *const chains[] = {"top-k 3",
                                         "top-p 0.9",
                                         "min-p 0.05",
                                         "typical 0.9",
                                         "epsilon 0.01",
                                         "eta 0.01",
                                         "top-n-sigma 1",
                                         "top-h 0.4",
                                         "top-h 0.4 exact=20",
                                         "top-h 0.4 rule=repo",
                                         "xtc 1",
                                         "mirostat 3",
                                         "temperature 0.01",
                                         "target-entropy 0.5",
                                         "dynamic-temperature 1 range=0.9"};
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
        z[0] = 3e38f; /* a spread beyond any exponential */
        z[1] = -3e38f;
        z[2] = z[3] = 0;
        SZ_CHECK_OK(apply(chains[i], 4));
        assert_int_equal(c.id[0], 0);
        for (size_t j = 0; j < 5000; j++) /* one that can be drawn */
            z[j] = -INFINITY;
        z[4321] = -7;
        SZ_CHECK_OK(apply(chains[i], 5000));
        bool there = false;
        for (size_t j = 0; j < c.n; j++)
            there |= c.id[j] == 4321;
        assert_true(there);
        z[0] = 1;
        SZ_CHECK_OK(apply(chains[i], 1));
        assert_int_equal(c.n, 1);
    }
    for (size_t j = 0; j < 3; j++)
        z[j] = 2;
    SZ_CHECK_OK(apply("top-h 0.4", 3)); /* 0.4 ln 3 < ln 2: the lowest id alone */
    assert_true(c.n == 1 && c.id[0] == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousands_of_rows),
        cmocka_unit_test(rows_of_262144),
        cmocka_unit_test(typical_rows),
        cmocka_unit_test(xtc_rows),
        cmocka_unit_test(holes_do_not_count),
        cmocka_unit_test(so_many_stay_in_any_case),
        cmocka_unit_test(names_and_constants_do_not_matter),
        cmocka_unit_test(divergence_is_a_function_of_the_mass),
        cmocka_unit_test(extreme_rows),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
