/* test_match.c: distances at every alignment: reference values, all methods against the definition
 * over sizes and alphabets, identities, bounds, wildcards, pieces, threads, bad input. */
#include "check.h"
#include "heap_meter.h"

#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/num.h>
#include <szilard/unstable/text.h>

static const sz_match_method counting[] = {SZ_MATCH_AUTO,    SZ_MATCH_NAIVE, SZ_MATCH_SCAN,
                                           SZ_MATCH_SCATTER, SZ_MATCH_FFT,   SZ_MATCH_NTT,
                                           SZ_MATCH_SPLIT};
static const sz_match_method bounded[] = {SZ_MATCH_AUTO,   SZ_MATCH_NAIVE,  SZ_MATCH_SCAN,
                                          SZ_MATCH_BITS,   SZ_MATCH_BLOCKS, SZ_MATCH_JUMPS,
                                          SZ_MATCH_SAMPLE, SZ_MATCH_SPLIT};
enum {
    N_COUNTING = sizeof counting / sizeof *counting,
    N_BOUNDED = sizeof bounded / sizeof *bounded
};

static uint64_t drawn;
static uint32_t below(uint32_t n) {
    return (uint32_t)(sz_uniform(5, 0, drawn++) * n);
}

/* ---- Reference values ------------------------------------------------------------------------ */

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

enum { MOST = 4096 };
typedef struct strings {
    uint32_t text[MOST], pattern[MOST];
    sz_symbols t, p;
} strings;

static void read_strings(const sz_json *c, strings *s) {
    double v[MOST];
    size_t n = fill(sz_json_get(sz_json_get(c, "input"), "text"), v);
    for (size_t i = 0; i < n; i++)
        s->text[i] = (uint32_t)v[i];
    s->t = (sz_symbols){s->text, n, 4};
    n = fill(sz_json_get(sz_json_get(c, "input"), "pattern"), v);
    for (size_t i = 0; i < n; i++)
        s->pattern[i] = (uint32_t)v[i];
    s->p = (sz_symbols){s->pattern, n, 4};
}

/* As bytes, where the symbols are bytes; false if they are not. */
static bool as_bytes(const strings *s, uint8_t text[MOST], uint8_t pattern[MOST], sz_symbols *t,
                     sz_symbols *p) {
    bool fit = true;
    for (size_t i = 0; i < s->t.n; i++)
        fit &= (text[i] = (uint8_t)s->text[i]) == s->text[i];
    for (size_t i = 0; i < s->p.n; i++)
        fit &= (pattern[i] = (uint8_t)s->pattern[i]) == s->pattern[i];
    *t = (sz_symbols){text, s->t.n, 1};
    *p = (sz_symbols){pattern, s->p.n, 1};
    return fit;
}

static void expect(const sz_symbols *t, const sz_symbols *p, sz_match_options o, const double *want,
                   size_t n) {
    uint32_t got[MOST];
    SZ_CHECK_OK(sz_match_distances(t, p, &o, got, NULL));
    for (size_t i = 0; i < n; i++)
        if (got[i] != want[i])
            fail_msg("%s: alignment %zu: %u, not %g", sz_match_method_name(o.method), i, got[i],
                     want[i]);
}

static void check_every_method(const sz_json *c, const sz_symbols *t, const sz_symbols *p) {
    double want[MOST];
    const sz_json *k = sz_json_get(sz_json_get(c, "input"), "k");
    size_t n = fill(sz_json_get(sz_json_get(c, "expect"), "distances"), want);
    assert_int_equal(n, p->n > t->n ? 0 : t->n - p->n + 1);
    for (size_t i = 0; i < N_COUNTING; i++)
        expect(t, p, (sz_match_options){.method = counting[i]}, want, n);
    if (!k)
        return;
    fill(sz_json_get(sz_json_get(c, "expect"), "k_bounded"), want);
    for (size_t i = 0; i < N_BOUNDED; i++) {
        sz_match_options o = {.method = bounded[i], .bounded = true, .k = k->u.i};
        if (o.method != SZ_MATCH_BITS || p->n * 6 <= 64)
            expect(t, p, o, want, n);
    }
}

static void check_distances(const sz_json *c) {
    strings s;
    sz_symbols t, p;
    uint8_t text[MOST], pattern[MOST];
    read_strings(c, &s);
    check_every_method(c, &s.t, &s.p);
    if (as_bytes(&s, text, pattern, &t, &p))
        check_every_method(c, &t, &p);
}

static void check_buckets(const sz_json *c) {
    strings s;
    double v[MOST], mean[MOST];
    uint32_t maps[MOST], lower[MOST];
    read_strings(c, &s);
    const sz_json *in = sz_json_get(c, "input"), *want = sz_json_get(c, "expect");
    const sz_json *given = sz_json_get(in, "maps");
    size_t n_maps = given->n, all = fill(given, v), n = s.t.n - s.p.n + 1;
    for (size_t i = 0; i < all; i++)
        maps[i] = (uint32_t)v[i];
    uint32_t buckets = (uint32_t)number(sz_json_get(in, "buckets"));
    for (size_t r = 0; r < n_maps; r++) { /* each alone */
        const sz_json *row = sz_json_get(want, "projected_distances")->u.child;
        for (size_t i = 0; i < r; i++)
            row = row->next;
        SZ_CHECK_OK(sz_match_buckets(&s.t, &s.p, maps + r * (all / n_maps), 1, all / n_maps,
                                     buckets, NULL, lower, NULL));
        assert_int_equal(fill(row, v), n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(lower[i], (int)v[i]);
    }
    SZ_CHECK_OK(
        sz_match_buckets(&s.t, &s.p, maps, n_maps, all / n_maps, buckets, NULL, lower, mean));
    fill(sz_json_get(want, "max_over_maps"), v);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(lower[i], (int)v[i]);
    fill(sz_json_get(want, "debiased_mean"), v);
    for (size_t i = 0; i < n; i++)
        SZ_CHECK_ABS(mean[i], v[i], 1e-9);
}

static void check_signs(const sz_json *c) {
    strings s;
    double v[MOST], out[MOST];
    int8_t signs[MOST];
    int32_t correlations[MOST];
    read_strings(c, &s);
    const sz_json *given = sz_json_get(sz_json_get(c, "input"), "signs");
    const sz_json *want = sz_json_get(c, "expect");
    size_t all = fill(given, v), n = s.t.n - s.p.n + 1;
    for (size_t i = 0; i < all; i++)
        signs[i] = (int8_t)v[i];
    SZ_CHECK_OK(
        sz_match_signs(&s.t, &s.p, signs, given->n, all / given->n, NULL, out, correlations));
    assert_int_equal(fill(sz_json_get(want, "correlations"), v), given->n * n);
    for (size_t i = 0; i < given->n * n; i++)
        assert_int_equal(correlations[i], (int)v[i]);
    fill(sz_json_get(want, "estimate"), v);
    for (size_t i = 0; i < n; i++)
        SZ_CHECK_ABS(out[i], v[i], 1e-9);
}

static void check_split(const sz_json *c) {
    strings s;
    double v[MOST];
    uint32_t heavy[MOST];
    size_t n_heavy;
    uint64_t votes;
    read_strings(c, &s);
    const sz_json *in = sz_json_get(c, "input"), *want = sz_json_get(c, "expect");
    SZ_CHECK_OK(sz_match_split(&s.t, &s.p, number(sz_json_get(in, "scatter_cost")),
                               number(sz_json_get(in, "fft_cost")), heavy, MOST, &n_heavy, &votes));
    assert_int_equal(n_heavy, fill(sz_json_get(want, "heavy_symbols"), v));
    for (size_t i = 0; i < n_heavy; i++)
        assert_int_equal(heavy[i], (int)v[i]);
    assert_int_equal(votes, (int)number(sz_json_get(want, "scatter_work")));
}

static void reference_values(void **state) {
    sz_buf text = {0};
    sz_arena *arena;
    sz_json *root;
    SZ_CHECK_OK(sz_file_read(SZ_TEST_VECTORS "/43-hamming.json", 1 << 20, &text));
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    SZ_CHECK_OK(sz_json_parse(text.data, text.len, arena, &root));
    size_t checked = 0;
    for (const sz_json *c = sz_json_get(root, "cases")->u.child; c; c = c->next, checked++) {
        const char *name = sz_json_get(c, "name")->u.s;
        if (strncmp(name, "bucket", 6) == 0)
            check_buckets(c);
        else if (strncmp(name, "sign", 4) == 0)
            check_signs(c);
        else if (strncmp(name, "heavy", 5) == 0)
            check_split(c);
        else
            check_distances(c);
    }
    assert_int_equal(checked, 19);
    sz_arena_free(arena);
    sz_buf_free(&text);
}

/* ---- Every method is the definition ---------------------------------------------------------- */

static void *random_symbols(size_t n, unsigned width, uint32_t alphabet) {
    uint32_t scale = width == 4 ? UINT32_MAX / alphabet : 1; /* tokens that are no small numbers */
    void *out = sz_alloc(n * width + 1);
    for (size_t i = 0; i < n; i++)
        if (width == 1)
            ((uint8_t *)out)[i] = (uint8_t)below(alphabet);
        else
            ((uint32_t *)out)[i] = below(alphabet) * scale;
    return out;
}

/* A stretch of the text with some symbols changed, so that small distances occur. */
static void *near_pattern(const void *text, size_t n, size_t m, unsigned width) {
    char *out = sz_alloc(m * width);
    size_t from = n > m ? below((uint32_t)(n - m + 1)) : 0;
    for (size_t j = 0; j < m; j++) {
        size_t at = below(8) == 0 ? below((uint32_t)n) : (from + j) % n;
        memcpy(out + j * width, (const char *)text + at * width, width);
    }
    return out;
}

static void agree(const sz_symbols *t, const sz_symbols *p, sz_match_options o,
                  const uint32_t *want, size_t n) {
    uint32_t *got = sz_alloc(n * sizeof *got + 1);
    sz_match_report r;
    memset(got, 0xff, n * sizeof *got);
    SZ_CHECK_OK(sz_match_distances(t, p, &o, got, &r));
    for (size_t i = 0; i < n; i++) {
        uint32_t d = o.bounded && want[i] > o.k ? (uint32_t)o.k + 1 : want[i];
        if (got[i] != d)
            fail_msg("%s: n %zu m %zu width %u k %lld: alignment %zu: %u, not %u",
                     sz_match_method_name(o.method), t->n, p->n, t->width, (long long)o.k, i,
                     got[i], d);
    }
    uint64_t counted = 0;
    for (size_t i = 0; i < SZ_MATCH_METHODS; i++)
        counted += r.by[i];
    assert_int_equal(counted, n);
    sz_free(got);
}

static unsigned bits_of(uint64_t k) {
    unsigned bits = 1;
    while ((UINT64_C(1) << (bits - 1)) < k + 1)
        bits++;
    return bits;
}

/* two loops of this test's own */
static uint32_t *defined(const sz_symbols *t, const sz_symbols *p, size_t n) {
    uint32_t *d = sz_calloc(n + 1, sizeof *d);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p->n; j++)
            d[i] += t->width == 1
                        ? ((const uint8_t *)t->data)[i + j] != ((const uint8_t *)p->data)[j]
                        : ((const uint32_t *)t->data)[i + j] != ((const uint32_t *)p->data)[j];
    return d;
}

static void all_agree(size_t n, size_t m, unsigned width, uint32_t alphabet) {
    void *text = random_symbols(n, width, alphabet), *pattern = near_pattern(text, n, m, width);
    sz_symbols t = {text, n, width}, p = {pattern, m, width};
    size_t n_out = n >= m ? n - m + 1 : 0;
    uint32_t *want = defined(&t, &p, n_out);
    for (size_t i = 0; i < N_COUNTING; i++)
        if (counting[i] != SZ_MATCH_NTT || alphabet <= 26)
            agree(&t, &p, (sz_match_options){.method = counting[i]}, want, n_out);
    const uint64_t ks[] = {0, 1, m / 8, m - 1, m, m + 7};
    for (size_t j = 0; j < sizeof ks / sizeof *ks; j++)
        for (size_t i = 0; i < N_BOUNDED; i++) {
            sz_match_options o = {.method = bounded[i], .bounded = true, .k = (int64_t)ks[j]};
            if (o.method != SZ_MATCH_BITS || m * bits_of(ks[j] < m ? ks[j] : m) <= 64)
                agree(&t, &p, o, want, n_out);
        }
    sz_free(want);
    sz_free(text);
    sz_free(pattern);
}

static void every_method_is_the_definition(void **state) {
    static const uint32_t alphabets[] = {1, 2, 4, 26, 256, 300, 50000};
    for (size_t a = 0; a < sizeof alphabets / sizeof *alphabets; a++)
        for (int i = 0; i < 5; i++) {
            size_t n = 1 + below(1500), m = 1 + below((uint32_t)n);
            if (i == 0)
                m = 1;
            if (i == 1)
                m = n;
            if (i == 2)
                m = n + 1;
            if (i == 3)
                m = 1 + below(64);
            unsigned width = alphabets[a] <= 256 && i % 2 ? 1 : 4;
            all_agree(n, m, width, alphabets[a]);
        }
}

/* Lengths around the blocks of the kernels, all symbols equal, and counters that would overflow a
 * byte and 16 bits. */
static void lengths_around_blocks(void **state) {
    for (size_t n = 1; n < 600; n += 1 + n / 8)
        for (unsigned width = 1; width <= 4; width += 3)
            all_agree(n + 9, 10, width, 2);
    all_agree(900, 255, 1, 1);
    all_agree(900, 256, 1, 1);
    all_agree(1200, 511, 4, 300);
}

/* 32-bit symbols that fit 16 bits in the pattern, and not in the text: their low halves, and what
 * they are cut to, are no matches. Texts of several parts. */
static void symbols_around_sixteen_bits(void **state) {
    static const uint32_t greatest[] = {65533, 65534, 65535, 65536};
    enum { N = 5000, MOST_M = 70 };
    for (size_t i = 0; i < 4; i++)
        for (size_t m = 1; m <= MOST_M; m += 23) {
            uint32_t text[N], pattern[MOST_M];
            for (size_t at = 0; at < N; at++)
                text[at] =
                    (below(2) ? 65533 + below(4) : 65536 * (1 + below(3)) + 65533 + below(3));
            for (size_t j = 0; j < m; j++)
                pattern[j] = greatest[i] - below(3);
            sz_symbols t = {text, N, 4}, p = {pattern, m, 4};
            uint32_t *want = defined(&t, &p, N - m + 1);
            for (size_t c = 0; c < N_COUNTING; c++)
                if (counting[c] != SZ_MATCH_NTT)
                    agree(&t, &p, (sz_match_options){.method = counting[c]}, want, N - m + 1);
            agree(&t, &p, (sz_match_options){.bounded = true, .k = INT64_MAX}, want, N - m + 1);
            sz_free(want);
        }
    all_agree(4500, 30, 1, 3);
}

static void long_patterns(void **state) {
    size_t n = 140000, m = 66000; /* beyond float transforms and 16-bit counters */
    uint8_t *text = random_symbols(n, 1, 1), *pattern = random_symbols(m, 1, 1);
    text[100] = 1;
    pattern[50] = 1;
    sz_symbols t = {text, n, 1}, p = {pattern, m, 1};
    uint32_t *got = sz_alloc((n - m + 1) * sizeof *got);
    static const sz_match_method some[] = {SZ_MATCH_AUTO, SZ_MATCH_FFT, SZ_MATCH_NTT};
    for (size_t k = 0; k < 3; k++) {
        SZ_CHECK_OK(sz_match_distances(&t, &p, &(sz_match_options){.method = some[k]}, got, NULL));
        for (size_t i = 0; i <= n - m; i++)
            assert_int_equal(got[i], i == 50 ? 0 : i <= 100 ? 2 : 1);
    }
    sz_free(got);
    sz_free(text);
    sz_free(pattern);
}

static void rounding_that_fails_is_redone(void **state) {
    enum { N = 3000, M = 900 };
    uint8_t *text = random_symbols(N, 1, 5), *pattern = near_pattern(text, N, M, 1);
    sz_symbols t = {text, N, 1}, p = {pattern, M, 1};
    uint32_t *want = defined(&t, &p, N - M + 1), got[N];
    sz_match_report r;
    sz_match_options o = {.method = SZ_MATCH_FFT, .tolerance = 1e-12};
    SZ_CHECK_OK(sz_match_distances(&t, &p, &o, got, &r));
    assert_int_equal(r.redone_f64, N - M + 1);
    assert_memory_equal(got, want, (N - M + 1) * sizeof *want);
    o.tolerance = 1e-30;
    SZ_CHECK_OK(sz_match_distances(&t, &p, &o, got, &r));
    assert_int_equal(r.redone_ntt, N - M + 1);
    assert_memory_equal(got, want, (N - M + 1) * sizeof *want);
    sz_free(want);
    sz_free(text);
    sz_free(pattern);
}

/* ---- Identities ------------------------------------------------------------------------------ */

static void identities(void **state) {
    enum { N = 700, M = 90 };
    uint8_t *text = random_symbols(N, 1, 7), *pattern = near_pattern(text, N, M, 1);
    uint8_t turned[N], turned_pattern[M], renamed[N], renamed_pattern[M];
    uint32_t d[N], e[N];
    sz_symbols t = {text, N, 1}, p = {pattern, M, 1};
    SZ_CHECK_OK(sz_match_distances(&t, &p, NULL, d, NULL));
    for (size_t i = 0; i < N; i++) {
        turned[i] = text[N - 1 - i];
        renamed[i] = (uint8_t)(text[i] * 37 + 11);
    }
    for (size_t j = 0; j < M; j++) {
        turned_pattern[j] = pattern[M - 1 - j];
        renamed_pattern[j] = (uint8_t)(pattern[j] * 37 + 11);
    }
    sz_symbols t2 = {turned, N, 1}, p2 = {turned_pattern, M, 1};
    SZ_CHECK_OK(sz_match_distances(&t2, &p2, NULL, e, NULL));
    for (size_t i = 0; i <= N - M; i++)
        assert_int_equal(e[N - M - i], d[i]);
    sz_symbols t3 = {renamed, N, 1}, p3 = {renamed_pattern, M, 1};
    SZ_CHECK_OK(sz_match_distances(&t3, &p3, NULL, e, NULL));
    assert_memory_equal(d, e, (N - M + 1) * sizeof *d);
    uint32_t head[N], tail[N]; /* P = P1 P2: distances add up with a shift */
    sz_symbols p_head = {pattern, 40, 1}, p_tail = {pattern + 40, M - 40, 1};
    SZ_CHECK_OK(sz_match_distances(&t, &p_head, NULL, head, NULL));
    SZ_CHECK_OK(sz_match_distances(&t, &p_tail, NULL, tail, NULL));
    for (size_t i = 0; i <= N - M; i++)
        assert_int_equal(head[i] + tail[i + 40], d[i]);
    pattern[17] ^= 1; /* one symbol moves a distance by one at most */
    SZ_CHECK_OK(sz_match_distances(&t, &p, NULL, e, NULL));
    for (size_t i = 0; i <= N - M; i++)
        assert_true(abs((int)e[i] - (int)d[i]) <= 1 && d[i] <= M);
    sz_free(text);
    sz_free(pattern);
}

static void wildcards_match_everything(void **state) {
    for (unsigned width = 1; width <= 4; width += 3)
        for (int round = 0; round < 6; round++) {
            size_t n = 300 + below(300), m = 1 + below(60);
            void *text = random_symbols(n, width, 5), *pattern = near_pattern(text, n, m, width);
            uint32_t wild = width == 1 ? 3 : 3 * (UINT32_MAX / 5), want[700], got[700];
            if (round == 0) /* nothing but wildcards */
                for (size_t j = 0; j < m; j++)
                    memcpy((char *)pattern + j * width, &wild, width);
            sz_symbols t = {text, n, width}, p = {pattern, m, width};
            for (size_t i = 0; i <= n - m; i++) {
                want[i] = 0;
                for (size_t j = 0; j < m; j++) {
                    uint32_t a = width == 1 ? ((uint8_t *)text)[i + j] : ((uint32_t *)text)[i + j];
                    uint32_t b = width == 1 ? ((uint8_t *)pattern)[j] : ((uint32_t *)pattern)[j];
                    want[i] += a != b && a != wild && b != wild;
                }
            }
            for (size_t k = 0; k < N_COUNTING; k++) {
                sz_match_options o = {.method = counting[k], .wild = true, .wildcard = wild};
                SZ_CHECK_OK(sz_match_distances(&t, &p, &o, got, NULL));
                assert_memory_equal(got, want, (n - m + 1) * sizeof *got);
            }
            sz_match_options o = {.method = SZ_MATCH_JUMPS, .bounded = true, .wild = true};
            assert_int_equal(sz_match_distances(&t, &p, &o, got, NULL), SZ_E_ARG);
            sz_free(text);
            sz_free(pattern);
        }
}

/* ---- Pieces and threads ---------------------------------------------------------------------- */

typedef struct gathered {
    uint32_t *d;
    uint64_t n;
} gathered;

static sz_status gather(void *user, uint64_t first, const uint32_t *d, size_t n) {
    gathered *g = user;
    assert_int_equal(first, g->n);
    memcpy(g->d + g->n, d, n * sizeof *d);
    g->n += n;
    return SZ_OK;
}

static void pieces_and_threads_change_nothing(void **state) {
    enum { N = 1200000, M = 700 };
    uint8_t *text = random_symbols(N, 1, 4), *pattern = near_pattern(text, N, M, 1);
    sz_symbols t = {text, N, 1}, p = {pattern, M, 1};
    uint32_t *want = sz_alloc(N * sizeof *want), *got = sz_alloc(N * sizeof *got);
    SZ_CHECK_OK(sz_match_distances(&t, &p, NULL, want, NULL));
    sz_runtime *rt;
    SZ_CHECK_OK(
        sz_runtime_new(&(sz_runtime_config){sizeof(sz_runtime_config), .n_threads = 3}, &rt));
    SZ_CHECK_OK(sz_match_distances(&t, &p, &(sz_match_options){.rt = rt}, got, NULL));
    assert_memory_equal(got, want, (N - M + 1) * sizeof *got);
    sz_match_stream *m;
    gathered g = {got, 0};
    SZ_CHECK_OK(sz_match_stream_new(&p, &(sz_match_options){.rt = rt}, &m));
    for (size_t at = 0; at < N;) {
        size_t n = at < 3000 ? 1 + below(5) : 1 + below(300000);
        n = n < N - at ? n : N - at;
        sz_symbols piece = {text + at, n, 1};
        SZ_CHECK_OK(sz_match_stream_feed(m, &piece, gather, &g));
        at += n;
        assert_int_equal(g.n, at < M ? 0 : at - M + 1);
    }
    assert_memory_equal(got, want, (N - M + 1) * sizeof *got);
    assert_int_equal(sz_match_stream_report(m)->by[SZ_MATCH_NAIVE], 0);
    sz_match_stream_free(m);
    sz_runtime_free(rt);
    sz_free(want);
    sz_free(got);
    sz_free(text);
    sz_free(pattern);
}

static sz_status ignore(void *user, uint64_t first, const uint32_t *d, size_t n) {
    *(uint64_t *)user += n;
    return SZ_OK;
}

static void memory_does_not_grow_with_the_text(void **state) {
    enum { PIECE = 1 << 20 };
    uint8_t *text = random_symbols(PIECE, 1, 200), *pattern = near_pattern(text, PIECE, 3000, 1);
    sz_symbols t = {text, PIECE, 1}, p = {pattern, 3000, 1};
    static const sz_match_method some[] = {SZ_MATCH_AUTO, SZ_MATCH_SCAN, SZ_MATCH_BLOCKS};
    for (size_t k = 0; k < 3; k++) {
        sz_match_stream *m;
        uint64_t n = 0;
        size_t held = heap_begin();
        sz_match_options o = {.method = some[k], .bounded = k == 2, .k = 100};
        SZ_CHECK_OK(sz_match_stream_new(&p, &o, &m));
        for (int i = 0; i < 6; i++)
            SZ_CHECK_OK(sz_match_stream_feed(m, &t, ignore, &n));
        assert_int_equal(n, 6 * PIECE - 2999);
        if (heap_peak() - held > (16u << 20))
            fail_msg("%s held %zu bytes", sz_match_method_name(some[k]), heap_peak() - held);
        sz_match_stream_free(m);
        assert_int_equal(heap_now(), held);
    }
    sz_free(text);
    sz_free(pattern);
}

static sz_status refuse(void *user, uint64_t first, const uint32_t *d, size_t n) {
    return sz_fail(SZ_E_CANCELLED, "no more");
}

/* Costs decide what is done, and nothing else. */
static void costs_choose_methods(void **state) {
    enum { N = 60000, M = 3000 };
    uint8_t *text = random_symbols(N, 1, 4), *pattern = near_pattern(text, N, M, 1);
    sz_symbols t = {text, N, 1}, p = {pattern, M, 1};
    uint32_t *want = sz_alloc(N * sizeof *want), *got = sz_alloc(N * sizeof *got);
    SZ_CHECK_OK(
        sz_match_distances(&t, &p, &(sz_match_options){.method = SZ_MATCH_SCAN}, want, NULL));
    const sz_match_costs cheap_scan = {.scan = {0, 1e-6, 1e-6, 0, 1e-6}, 1, 1, 1, 1, 1};
    const sz_match_costs cheap_votes = {.scan = {0, 1, 1, 0, 1}, 1, 1e-6, 1e-6, 1, 1};
    const sz_match_costs cheap_fft = {.scan = {0, 1, 1, 0, 1}, 1, 1e-6, 1, 1e-6, 1};
    const sz_match_costs *all[] = {&cheap_scan, &cheap_votes, &cheap_fft};
    static const sz_match_method by[] = {SZ_MATCH_SCAN, SZ_MATCH_SPLIT, SZ_MATCH_SPLIT};
    for (size_t k = 0; k < 3; k++) {
        sz_match_report r;
        SZ_CHECK_OK(sz_match_distances(&t, &p, &(sz_match_options){.costs = all[k]}, got, &r));
        assert_memory_equal(got, want, (N - M + 1) * sizeof *got);
        assert_int_equal(r.by[by[k]], N - M + 1);
        assert_int_equal(r.votes > 0, k == 1);
    }
    sz_free(want);
    sz_free(got);
    sz_free(text);
    sz_free(pattern);
}

/* The report's votes are the occurrences' products, where no alignment is cut off. */
static void votes_are_counted_exactly(void **state) {
    enum { N = 5000, M = 60 };
    uint8_t *text = random_symbols(N, 1, 9), *pattern = random_symbols(M, 1, 9);
    memset(text, 200, M);
    memset(text + N - M, 200, M);
    sz_symbols t = {text, N, 1}, p = {pattern, M, 1};
    uint32_t got[N];
    uint64_t in_text[256] = {0}, in_pattern[256] = {0}, pairs = 0;
    sz_match_report r;
    for (size_t i = 0; i < N; i++)
        in_text[text[i]]++;
    for (size_t j = 0; j < M; j++)
        in_pattern[pattern[j]]++;
    for (size_t c = 0; c < 256; c++)
        pairs += in_text[c] * in_pattern[c];
    SZ_CHECK_OK(
        sz_match_distances(&t, &p, &(sz_match_options){.method = SZ_MATCH_SCATTER}, got, &r));
    assert_int_equal(r.votes, pairs);
    sz_free(text);
    sz_free(pattern);
}

/* ---- Approximation --------------------------------------------------------------------------- */

static void approximations_keep_their_word(void **state) {
    enum { N = 900, M = 120 };
    size_t violations = 0, short_of = 0;
    for (uint64_t seed = 0; seed < 4; seed++) {
        uint32_t *text = random_symbols(N, 4, 3000), *pattern = near_pattern(text, N, M, 4);
        sz_symbols t = {text, N, 4}, p = {pattern, M, 4};
        uint32_t d[N], lower[N];
        double mean[N], signs[N];
        SZ_CHECK_OK(sz_match_distances(&t, &p, NULL, d, NULL));
        sz_match_options o = {.seed = seed};
        SZ_CHECK_OK(sz_match_approximate(&t, &p, 0.2, 0.05, &o, lower, mean));
        SZ_CHECK_OK(sz_match_project(&t, &p, 400, &o, signs));
        for (size_t i = 0; i <= N - M; i++) {
            violations += lower[i] > d[i];
            short_of += lower[i] < 0.8 * d[i];
            SZ_CHECK_ABS(mean[i], d[i], 0.15 * d[i] + 1e-9);
            SZ_CHECK_ABS(signs[i], d[i], 0.3 * d[i] + 1e-9);
        }
        sz_free(text);
        sz_free(pattern);
    }
    assert_int_equal(violations, 0);
    assert_int_equal(short_of, 0);
}

/* The mean over random texts is what is expected; the bound holds for exact binomial odds; a
 * planted copy is no chance. */
static void chance_is_what_it_says(void **state) {
    enum { N = 4000, M = 60 };
    double mean = 0;
    for (int round = 0; round < 20; round++) {
        uint8_t *text = random_symbols(N, 1, 4), *pattern = random_symbols(M, 1, 4);
        sz_symbols t = {text, N, 1}, p = {pattern, M, 1};
        uint32_t d[N], least = M;
        sz_match_chance c, never;
        SZ_CHECK_OK(sz_match_distances(&t, &p, NULL, d, NULL));
        for (size_t i = 0; i <= N - M; i++)
            least = d[i] < least ? d[i] : least;
        SZ_CHECK_OK(sz_match_by_chance(&t, &p, least, &c));
        SZ_CHECK_ABS(c.expected, 45, 1.5);
        assert_true(c.log_p > -9 && c.log_p <= 0); /* e^-9 in twenty rounds: it would be a wonder */
        mean += c.expected / 20;
        SZ_CHECK_OK(sz_match_by_chance(&t, &p, 3, &never));
        assert_true(never.log_p < -40 && never.expected == c.expected);
        sz_free(text);
        sz_free(pattern);
    }
    SZ_CHECK_ABS(mean, 45, 0.5);
    const char *text = "abababababababababab"; /* each place is equal with probability 1/2 */
    sz_symbols t = {text, 20, 1}, p = {text, 20, 1};
    double tail = 0, term = 0x1p-20;
    for (uint32_t d = 0; d <= 20; d++) { /* at most d mismatches of 20 */
        sz_match_chance c;
        tail += term;
        term = term * (20 - d) / (d + 1);
        SZ_CHECK_OK(sz_match_by_chance(&t, &p, d, &c));
        assert_true(c.log_p >= sz_log(tail) - 1e-9 && c.log_p <= 0);
        if (d == 0)
            SZ_CHECK_ABS(c.log_p, sz_log(tail), 1e-6);
    }
    assert_int_equal(sz_match_by_chance(&t, &p, 21, &(sz_match_chance){0}), SZ_E_ARG);
    t.n = 19;
    assert_int_equal(sz_match_by_chance(&t, &p, 0, &(sz_match_chance){0}), SZ_E_ARG);
}

/* ---- Bad input ------------------------------------------------------------------------------- */

static void refused(const sz_symbols *t, const sz_symbols *p, sz_match_options o, sz_status status,
                    const char *part) {
    uint32_t out[16];
    assert_int_equal(sz_match_distances(t, p, &o, out, NULL), status);
    if (!strstr(sz_last_error(), part))
        fail_msg("'%s' does not name '%s'", sz_last_error(), part);
}

static void bad_input_is_named(void **state) {
    const uint32_t wide[4] = {1, 2, 3, 4};
    sz_symbols t = {"abcdefgh", 8, 1}, p = {"abc", 3, 1}, none = {"", 0, 1}, w = {wide, 3, 4};
    sz_symbols two = {wide, 3, 2};
    refused(&t, &none, (sz_match_options){0}, SZ_E_ARG, "empty pattern");
    refused(&t, &w, (sz_match_options){0}, SZ_E_ARG, "4");
    refused(&two, &two, (sz_match_options){0}, SZ_E_ARG, "2 bytes");
    refused(&t, &p, (sz_match_options){.bounded = true, .k = -1}, SZ_E_ARG, "-1");
    refused(&t, &p, (sz_match_options){.method = SZ_MATCH_JUMPS}, SZ_E_ARG, "jumps needs a bound");
    refused(&t, &p, (sz_match_options){.method = SZ_MATCH_METHODS}, SZ_E_ARG, "method");
    sz_symbols long_one = {"0123456789012345678901234567890123456789012345678901234567890123456789",
                           70, 1};
    refused(&t, &long_one, (sz_match_options){.method = SZ_MATCH_BITS, .bounded = true, .k = 3},
            SZ_E_ARG, "64 bits");
    uint32_t lower[8];
    double out[8];
    static const double outside[] = {0, 1, -0.1, 2};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(sz_match_approximate(&t, &p, outside[i], 0.1, NULL, lower, NULL),
                         SZ_E_ARG);
        assert_int_equal(sz_match_approximate(&t, &p, 0.1, outside[i], NULL, lower, NULL),
                         SZ_E_ARG);
    }
    assert_int_equal(sz_match_project(&t, &p, 0, NULL, out), SZ_E_ARG);
    assert_int_equal(sz_match_approximate(&t, &long_one, 0.1, 0.1, NULL, lower, NULL), SZ_OK);
    uint32_t map[100] = {0};
    assert_int_equal(sz_match_buckets(&t, &p, map, 1, 100, 2, NULL, lower, NULL), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "symbol 100"));
    sz_match_stream *m;
    SZ_CHECK_OK(sz_match_stream_new(&p, NULL, &m));
    assert_int_equal(sz_match_stream_feed(m, &w, refuse, NULL), SZ_E_ARG);
    assert_int_equal(sz_match_stream_feed(m, &t, refuse, NULL), SZ_E_CANCELLED);
    sz_match_stream_free(m);
    sz_match_stream_free(NULL);
    assert_string_equal(sz_match_method_name(SZ_MATCH_SCATTER), "scatter");
    assert_null(sz_match_method_name(SZ_MATCH_METHODS));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_values),
        cmocka_unit_test(every_method_is_the_definition),
        cmocka_unit_test(lengths_around_blocks),
        cmocka_unit_test(symbols_around_sixteen_bits),
        cmocka_unit_test(long_patterns),
        cmocka_unit_test(rounding_that_fails_is_redone),
        cmocka_unit_test(identities),
        cmocka_unit_test(wildcards_match_everything),
        cmocka_unit_test(pieces_and_threads_change_nothing),
        cmocka_unit_test(costs_choose_methods),
        cmocka_unit_test(votes_are_counted_exactly),
        cmocka_unit_test(approximations_keep_their_word),
        cmocka_unit_test(chance_is_what_it_says),
        cmocka_unit_test(memory_does_not_grow_with_the_text),
        cmocka_unit_test(bad_input_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
