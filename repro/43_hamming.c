/* 43_hamming.c: every method is the definition; the work of the split alphabet grows as the square
 * root of the pattern; hashed distances keep their bounds; planted passages are found. */
#include "repro.h"

#include <string.h>
#include <szilard/unstable/num.h>
#include <szilard/unstable/text.h>

typedef struct source {
    uint64_t seed, stream, counter;
} source;

static double uniform(source *s) {
    return sz_uniform(s->seed, s->stream, s->counter++);
}
static uint32_t below(source *s, size_t n) {
    return (uint32_t)(uniform(s) * (double)n);
}

static double log2_of(double x) {
    return sz_log(x) / 0.6931471805599453;
}

/* Slope of the line through (ln x, ln y). */
static double slope(const double *x, const double *y, size_t n) {
    double mx = 0, my = 0, xy = 0, xx = 0;
    for (size_t i = 0; i < n; i++) {
        mx += sz_log(x[i]) / (double)n;
        my += sz_log(y[i]) / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        xy += (sz_log(x[i]) - mx) * (sz_log(y[i]) - my);
        xx += (sz_log(x[i]) - mx) * (sz_log(x[i]) - mx);
    }
    return xy / xx;
}

static double root(double x) {
    return x > 0 ? sz_exp(0.5 * sz_log(x)) : 0;
}

/* ---- Exactness ------------------------------------------------------------------------------- */

enum { MOST_N = 6000, MOST_M = 5000 };

typedef struct instance {
    uint32_t text[MOST_N], pattern[MOST_M], want[MOST_N], got[MOST_N];
    sz_symbols t, p;
} instance;

static void draw_instance(source *s, size_t most, instance *x) {
    static const uint32_t alphabets[] = {2, 4, 26, 256, 50000};
    uint32_t alphabet = alphabets[below(s, 5)];
    size_t m = 1 + below(s, most), n = m + below(s, MOST_N - m);
    for (size_t i = 0; i < n; i++)
        x->text[i] = below(s, alphabet);
    for (size_t j = 0; j < m; j++)
        x->pattern[j] = uniform(s) < 0.7 ? x->text[(j + n / 3) % n] : below(s, alphabet);
    x->t = (sz_symbols){x->text, n, 4};
    x->p = (sz_symbols){x->pattern, m, 4};
}

static void two_loops(instance *x) {
    for (size_t i = 0; i + x->p.n <= x->t.n; i++) {
        x->want[i] = 0;
        for (size_t j = 0; j < x->p.n; j++)
            x->want[i] += x->text[i + j] != x->pattern[j];
    }
}

/* One more alignment that differs from the two loops, for this method. */
static sz_status count_differences(instance *x, sz_match_options o, size_t *differences) {
    SZ_TRY(sz_match_distances(&x->t, &x->p, &o, x->got, NULL));
    for (size_t i = 0; i + x->p.n <= x->t.n; i++) {
        uint32_t want = o.bounded && x->want[i] > o.k ? (uint32_t)o.k + 1 : x->want[i];
        *differences += x->got[i] != want;
    }
    return SZ_OK;
}

static sz_status within(instance *x, sz_match_method method, int64_t k, size_t *differences) {
    return count_differences(x, (sz_match_options){.method = method, .bounded = true, .k = k},
                             differences);
}

static sz_status exactness(sz_repro_run *run, instance *x) {
    size_t instances = run->smoke ? 20 : 200, differences = 0;
    source s = {run->seed, 1, 0};
    for (size_t i = 0; i < instances; i++) {
        draw_instance(&s, run->smoke ? 800 : MOST_M, x);
        two_loops(x);
        int64_t k = below(&s, x->p.n + 1);
        for (sz_match_method m = SZ_MATCH_AUTO; m <= SZ_MATCH_SPLIT; m++)
            if (m != SZ_MATCH_NTT || i % 10 == 0) /* the slow one */
                SZ_TRY(count_differences(x, (sz_match_options){.method = m}, &differences));
        SZ_TRY(within(x, SZ_MATCH_AUTO, k, &differences));
        SZ_TRY(within(x, SZ_MATCH_BLOCKS, k, &differences));
        SZ_TRY(within(x, SZ_MATCH_JUMPS, k, &differences));
        x->p.n = x->p.n < 16 ? x->p.n : 16; /* counters of one word */
        two_loops(x);
        SZ_TRY(within(x, SZ_MATCH_BITS, k % 8, &differences));
    }
    sz_repro_check(run, "exact", (double)differences, "==", 0,
                   "%zu texts, all methods: alignments unlike two loops", instances);
    return SZ_OK;
}

/* ---- Operation counts ------------------------------------------------------------------------ */

enum { TEXT = 1 << 17, LONGEST = 1 << 16, LENGTHS = 7 };

/* Zipf(1) over `alphabet` symbols, or all alike. */
static void draw_symbols(source *s, uint32_t alphabet, bool zipf, size_t n, uint32_t *out) {
    double all = sz_log((double)alphabet + 1);
    for (size_t i = 0; i < n; i++) {
        double u = uniform(s);
        uint32_t c = (uint32_t)(zipf ? sz_exp(u * all) - 1 : u * alphabet);
        out[i] = c < alphabet ? c : alphabet - 1;
    }
}

typedef struct work {
    double split, scatter, transforms; /* steps per text symbol */
} work;

static sz_status measure_work(const sz_symbols *t, const sz_symbols *p, size_t alphabet,
                              work *out) {
    double transform = (double)t->n * log2_of((double)p->n);
    uint32_t heavy[4096];
    size_t n_heavy, n_none;
    uint64_t light, all;
    SZ_TRY(sz_match_split(t, p, 1, transform, heavy, 4096, &n_heavy, &light));
    SZ_TRY(sz_match_split(t, p, 1, 1e300, heavy, 4096, &n_none, &all));
    double n = (double)t->n;
    *out = (work){((double)light + (double)n_heavy * transform) / n, (double)all / n,
                  (double)alphabet * transform / n};
    return SZ_OK;
}

static sz_status operations(sz_repro_run *run, uint32_t *text, uint32_t *pattern) {
    double m[LENGTHS], balanced[LENGTHS], zipf[LENGTHS], scatter[LENGTHS];
    size_t worse = 0;
    source s = {run->seed, 2, 0};
    for (size_t i = 0; i < LENGTHS; i++) {
        work w;
        size_t length = (size_t)1024 << i;
        sz_symbols t = {text, TEXT, 4}, p = {pattern, length, 4};
        m[i] = (double)length;
        uint32_t alphabet = (uint32_t)(root(m[i] / log2_of(m[i])) + 0.5);
        draw_symbols(&s, alphabet, false, TEXT, text);
        draw_symbols(&s, alphabet, false, length, pattern);
        SZ_TRY(measure_work(&t, &p, alphabet, &w));
        balanced[i] = w.split;
        worse += w.split > w.scatter * (1 + 1e-9) || w.split > w.transforms * (1 + 1e-9);
        draw_symbols(&s, 256, true, TEXT, text);
        draw_symbols(&s, 256, true, length, pattern);
        SZ_TRY(measure_work(&t, &p, 256, &w));
        zipf[i] = w.split;
        scatter[i] = w.scatter;
        worse += w.split > w.scatter * (1 + 1e-9) || w.split > w.transforms * (1 + 1e-9);
    }
    double a = slope(m, balanced, LENGTHS), b = slope(m, zipf, LENGTHS);
    sz_repro_check(run, "0.56", a, ">=", 0.50, "balanced alphabet: work of the split grows as m^");
    sz_repro_check(run, "0.56", a, "<=", 0.65, "balanced alphabet: at most m^");
    sz_repro_check(run, "0.59", b, ">=", 0.50, "Zipf(1) over 256 symbols: as m^");
    sz_repro_check(run, "0.59", b, "<=", 0.70, "Zipf(1) over 256 symbols: at most m^");
    sz_repro_check(run, "1", slope(m, scatter, LENGTHS), ">=", 0.97,
                   "Zipf(1) over 256 symbols: scatter alone as m^");
    sz_repro_check(run, "", (double)worse, "==", 0, "lengths where the split is not the cheapest");
    return SZ_OK;
}

/* With symbols that the pattern lacks at both ends, no alignment is cut off. */
static sz_status votes(sz_repro_run *run, uint32_t *text, uint32_t *pattern, uint32_t *out) {
    enum { M = 500, N = 50000 };
    source s = {run->seed, 3, 0};
    draw_symbols(&s, 300, true, N, text);
    draw_symbols(&s, 300, true, M, pattern);
    for (size_t i = 0; i < M; i++)
        text[i] = text[N - 1 - i] = 1000;
    sz_symbols t = {text, N, 4}, p = {pattern, M, 4};
    sz_match_report r;
    uint32_t heavy[1];
    size_t n_heavy;
    uint64_t pairs;
    SZ_TRY(sz_match_split(&t, &p, 1, 1e300, heavy, 1, &n_heavy, &pairs));
    SZ_TRY(sz_match_distances(&t, &p, &(sz_match_options){.method = SZ_MATCH_SCATTER}, out, &r));
    sz_repro_check(run, "equal", (double)r.votes - (double)pairs, "==", 0,
                   "counters raised, less the products of occurrences");
    return SZ_OK;
}

/* ---- Approximation --------------------------------------------------------------------------- */

static sz_status buckets(sz_repro_run *run) {
    enum { N = 1500, M = 200 };
    size_t texts = run->smoke ? 10 : 50, above = 0, short_of = 0, all = 0;
    uint32_t text[N], pattern[M], d[N], lower[N];
    for (size_t r = 0; r < texts; r++) {
        source s = {run->seed, 100 + r, 0};
        draw_symbols(&s, 3000, true, N, text);
        for (size_t j = 0; j < M; j++)
            pattern[j] = uniform(&s) < 0.9 ? text[400 + j] : below(&s, 3000);
        sz_symbols t = {text, N, 4}, p = {pattern, M, 4};
        sz_match_options o = {.seed = run->seed + r};
        SZ_TRY(sz_match_distances(&t, &p, NULL, d, NULL));
        SZ_TRY(sz_match_approximate(&t, &p, 0.2, 0.01, &o, lower, NULL));
        for (size_t i = 0; i <= N - M; i++) {
            above += lower[i] > d[i];
            short_of += lower[i] < 0.8 * d[i];
            all++;
        }
    }
    sz_repro_check(run, "0", (double)above, "==", 0,
                   "buckets, %zu texts: distances above the exact", texts);
    sz_repro_check(run, "0.99", 1 - (double)short_of / (double)all, ">=", 0.99,
                   "buckets: share within a factor 1 - 0.2");
    return SZ_OK;
}

static sz_status signs(sz_repro_run *run) {
    enum { N = 3000, M = 300, SIZES = 5 };
    uint32_t text[N], pattern[M], d[N];
    double out[N], maps[SIZES], error[SIZES];
    source s = {run->seed, 4, 0};
    draw_symbols(&s, 500, false, N, text);
    draw_symbols(&s, 500, false, M, pattern);
    sz_symbols t = {text, N, 4}, p = {pattern, M, 4};
    SZ_TRY(sz_match_distances(&t, &p, NULL, d, NULL));
    for (size_t k = 0; k < SIZES; k++) {
        size_t n_maps = (size_t)4 << (2 * k), rounds = 1024 / n_maps;
        double squares = 0;
        for (size_t r = 0; r < rounds; r++) {
            sz_match_options o = {.seed = run->seed + 1000 * k + r};
            SZ_TRY(sz_match_project(&t, &p, n_maps, &o, out));
            for (size_t i = 0; i <= N - M; i++)
                squares += (out[i] - d[i]) * (out[i] - d[i]) / (double)rounds;
        }
        maps[k] = (double)n_maps;
        error[k] = root(squares / (N - M + 1));
    }
    double a = slope(maps, error, SIZES);
    sz_repro_check(run, "-0.5", a, ">=", -0.6,
                   "signs: error over the number of projections, power");
    sz_repro_check(run, "-0.5", a, "<=", -0.4, "signs: at most");
    return SZ_OK;
}

/* ---- Use ------------------------------------------------------------------------------------- */

/* Words of a small language, drawn as Zipf. */
static void write_text(source *s, size_t n, uint8_t *out) {
    for (size_t at = 0; at < n;) {
        source letters = {s->seed, 900 + (uint64_t)sz_exp(uniform(s) * sz_log(3000)), 0};
        size_t length = 2 + below(&letters, 8);
        for (size_t i = 0; i < length && at < n; i++)
            out[at++] = (uint8_t)('a' + below(&letters, 26));
        if (at < n)
            out[at++] = ' ';
    }
}

/* Copies with exactly floor(share m) substitutions. */
static void plant(source *s, const uint8_t *passage, size_t m, double share, uint8_t *out) {
    memcpy(out, passage, m);
    for (size_t left = (size_t)(share * (double)m); left > 0;) {
        size_t j = below(s, m);
        if (out[j] != passage[j])
            continue;
        out[j] = (uint8_t)('A' + below(s, 26));
        left--;
    }
}

typedef struct passage {
    uint8_t text[1000];
    size_t m, at;
} passage;

static sz_status planted(sz_repro_run *run) {
    static const double shares[] = {0, 0.05, 0.10, 0.15};
    size_t n = run->smoke ? 1000000 : 10000000, copies = run->smoke ? 20 : 100, found = 0,
           wrong = 0;
    uint8_t *text = sz_alloc(n);
    uint32_t *d = sz_alloc(n * sizeof *d);
    passage *all = sz_alloc(copies * sizeof *all);
    sz_status status =
        text && d && all ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for a text of %zu bytes", n);
    source s = {run->seed, 5, 0};
    if (status == SZ_OK)
        write_text(&s, n, text);
    for (size_t i = 0; i < copies && status == SZ_OK; i++) {
        all[i].m = 200 + below(&s, 801);
        all[i].at = n / copies * i + below(&s, n / copies - 1000);
        write_text(&s, all[i].m, all[i].text);
        plant(&s, all[i].text, all[i].m, shares[i % 4], text + all[i].at);
    }
    for (size_t i = 0; i < copies && status == SZ_OK; i++) {
        size_t m = all[i].m;
        sz_symbols t = {text, n, 1}, p = {all[i].text, m, 1};
        sz_match_options o = {.method = SZ_MATCH_BLOCKS, .bounded = true, .k = (int64_t)(m / 5)};
        status = sz_match_distances(&t, &p, &o, d, NULL);
        for (size_t at = 0; at + m <= n && status == SZ_OK; at++) {
            found += d[at] <= o.k && at == all[i].at;
            wrong += d[at] <= o.k && at != all[i].at;
        }
    }
    sz_free(text);
    sz_free(d);
    sz_free(all);
    SZ_TRY(status);
    sz_repro_check(run, "1.0", (double)found / (double)copies, ">=", 1,
                   "passages found in %zu MB, up to 15 %% changed, k = 20 %%", n / 1000000);
    sz_repro_check(run, "0", (double)wrong, "==", 0, "places reported that are no copies");
    return SZ_OK;
}

/* Passages of words that stand in two documents, a tenth of them changed. */
static sz_status duplicates(sz_repro_run *run) {
    enum { DOCS = 200, WORDS = 2000, SHORTEST = 60, COPIES = DOCS / 2 };
    size_t begin[DOCS + 1], at[COPIES], found = 0, true_pairs = 0;
    uint32_t *words = sz_alloc(DOCS * WORDS * sizeof *words);
    SZ_REQUIRE(words, SZ_E_NOMEM, "no memory for %d words", DOCS * WORDS);
    source s = {run->seed, 6, 0};
    draw_symbols(&s, 30000, true, DOCS * WORDS, words);
    for (size_t d = 0; d <= DOCS; d++)
        begin[d] = d * WORDS;
    for (size_t i = 0; i < COPIES; i++) { /* of document i in document DOCS / 2 + i */
        size_t n = SHORTEST + below(&s, 140), to = begin[COPIES + i] + below(&s, WORDS - n);
        at[i] = below(&s, WORDS - n);
        memcpy(words + to, words + begin[i] + at[i], n * sizeof *words);
        for (size_t left = n / 10; left > 0; left--)
            words[to + below(&s, n)] = 100000 + below(&s, 1000);
    }
    sz_duplicates d = {0};
    sz_status status = sz_duplicates_find(words, begin, DOCS, NULL, &d);
    for (size_t i = 0; i < COPIES && status == SZ_OK; i++) {
        bool any = false;
        for (size_t j = 0; j < d.n; j++)
            any |= d.pair[j].a == i && d.pair[j].b == COPIES + i && d.pair[j].at_a + 30 > at[i];
        found += any;
    }
    for (size_t j = 0; j < d.n && status == SZ_OK; j++)
        true_pairs += d.pair[j].b == d.pair[j].a + COPIES;
    sz_free(words);
    SZ_TRY(status);
    sz_repro_check(run, "0.95", (double)found / COPIES, ">=", 0.95,
                   "passages of 60 to 200 words, 10 %% changed: found in 200 documents");
    sz_repro_check(run, "", (double)(d.n - true_pairs), "==", 0, "passages reported that are none");
    sz_duplicates_free(&d);
    return SZ_OK;
}

static sz_status run_all(sz_repro_run *run) {
    instance *x = sz_alloc(sizeof *x);
    uint32_t *text = sz_alloc(TEXT * sizeof *text), *pattern = sz_alloc(LONGEST * sizeof *pattern);
    uint32_t *out = sz_alloc(TEXT * sizeof *out);
    sz_status status =
        x && text && pattern && out ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for the texts");
    if (status == SZ_OK)
        status = exactness(run, x);
    if (status == SZ_OK)
        status = operations(run, text, pattern);
    if (status == SZ_OK)
        status = votes(run, text, pattern, out);
    if (status == SZ_OK)
        status = buckets(run);
    if (status == SZ_OK)
        status = signs(run);
    if (status == SZ_OK)
        status = planted(run);
    if (status == SZ_OK)
        status = duplicates(run);
    sz_free(x);
    sz_free(text);
    sz_free(pattern);
    sz_free(out);
    return status;
}

const sz_repro sz_repro_43 = {"43", run_all};
