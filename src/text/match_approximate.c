/* match_approximate.c: distances of strings whose symbols are hashed to few buckets, or to signs.
 */
#include <szilard/unstable/num.h>

#include "text/match.h"

enum { MOST_MAPS = 1 << 16 };

/* A hash of symbols: from a table, or drawn from a seed. */
typedef struct map {
    const uint32_t *table; /* [n]; NULL: drawn */
    size_t n;
    uint64_t seed, stream;
    uint32_t buckets;
} map;

static sz_status apply(const map *m, const sz_symbols *s, const char *what, uint32_t *out) {
    for (size_t i = 0; i < s->n; i++) {
        uint32_t symbol = sz_symbol_at(s->data, s->width, i), random[4];
        if (m->table) {
            SZ_REQUIRE(symbol < m->n, SZ_E_ARG, "the %s has symbol %u at %zu: maps have %zu", what,
                       symbol, i, m->n);
            SZ_REQUIRE(m->table[symbol] < m->buckets, SZ_E_ARG,
                       "a map takes symbol %u to %u: there are %u buckets", symbol,
                       m->table[symbol], m->buckets);
            out[i] = m->table[symbol];
        } else {
            sz_philox4x32(m->seed, m->stream, symbol, random);
            out[i] = (uint32_t)((uint64_t)random[0] * m->buckets >> 32);
        }
    }
    return SZ_OK;
}

/* Both strings under a map, as bytes where the buckets allow it. */
typedef struct hashed {
    void *text, *pattern;
    sz_symbols t, p;
} hashed;

static void hashed_free(hashed *h) {
    sz_free(h->text);
    sz_free(h->pattern);
}

static void narrow(uint32_t *symbols, size_t n) {
    uint8_t *bytes = (uint8_t *)symbols;
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)symbols[i];
}

static sz_status hashed_new(const map *m, const sz_symbols *text, const sz_symbols *pattern,
                            hashed *out) {
    hashed h = {.text = sz_alloc(text->n * sizeof(uint32_t) + 1),
                .pattern = sz_alloc(pattern->n * sizeof(uint32_t))};
    sz_status status = h.text && h.pattern
                           ? SZ_OK
                           : sz_fail(SZ_E_NOMEM, "no memory for %zu hashed symbols", text->n);
    if (status == SZ_OK)
        status = apply(m, text, "text", h.text);
    if (status == SZ_OK)
        status = apply(m, pattern, "pattern", h.pattern);
    if (status != SZ_OK) {
        hashed_free(&h);
        return status;
    }
    unsigned width = m->buckets <= 256 ? 1 : 4;
    if (width == 1) {
        narrow(h.text, text->n);
        narrow(h.pattern, pattern->n);
    }
    h.t = (sz_symbols){h.text, text->n, width};
    h.p = (sz_symbols){h.pattern, pattern->n, width};
    *out = h;
    return SZ_OK;
}

static sz_status hashed_distances(const map *m, const sz_symbols *text, const sz_symbols *pattern,
                                  const sz_match_options *o, uint32_t *out) {
    hashed h;
    SZ_TRY(hashed_new(m, text, pattern, &h));
    sz_status status = sz_match_distances(&h.t, &h.p, o, out, NULL);
    hashed_free(&h);
    return status;
}

/* Hashes lose wildcards and bounds. */
static sz_status check(const sz_symbols *text, const sz_symbols *pattern,
                       const sz_match_options *o) {
    SZ_TRY(sz_match_check_pattern(pattern));
    SZ_TRY(sz_match_check_text(text, pattern->width));
    SZ_REQUIRE(!o || (!o->wild && !o->bounded), SZ_E_ARG,
               "approximate distances know no wildcards and no bound");
    return SZ_OK;
}

/* ---- Buckets --------------------------------------------------------------------------------- */

static sz_status buckets(const sz_symbols *text, const sz_symbols *pattern, map m, size_t n_maps,
                         const sz_match_options *o, uint32_t *lower, double *mean) {
    size_t n = text->n - pattern->n + 1;
    uint32_t *d = sz_alloc(n * sizeof *d);
    SZ_REQUIRE(d, SZ_E_NOMEM, "no memory for %zu alignments", n);
    double unbiased = (double)m.buckets / (double)(m.buckets - 1) / (double)n_maps;
    sz_status status = SZ_OK;
    memset(lower, 0, n * sizeof *lower);
    for (size_t i = 0; mean && i < n; i++)
        mean[i] = 0;
    for (size_t r = 0; r < n_maps && status == SZ_OK; r++) {
        status = hashed_distances(&m, text, pattern, o, d);
        for (size_t i = 0; i < n && status == SZ_OK; i++) {
            lower[i] = d[i] > lower[i] ? d[i] : lower[i];
            if (mean)
                mean[i] += unbiased * d[i];
        }
        m.stream++;
        m.table = m.table ? m.table + m.n : NULL;
    }
    sz_free(d);
    return status;
}

sz_status sz_match_buckets(const sz_symbols *text, const sz_symbols *pattern, const uint32_t *maps,
                           size_t n_maps, size_t n_symbols, uint32_t n_buckets,
                           const sz_match_options *o, uint32_t *lower, double *mean) {
    SZ_TRY(check(text, pattern, o));
    SZ_REQUIRE(n_maps >= 1 && n_maps <= MOST_MAPS, SZ_E_ARG, "%zu maps: 1 to %d", n_maps,
               MOST_MAPS);
    SZ_REQUIRE(n_buckets >= 2, SZ_E_ARG, "%u buckets: at least 2", n_buckets);
    if (pattern->n > text->n)
        return SZ_OK;
    map m = {.table = maps, .n = n_symbols, .buckets = n_buckets};
    return buckets(text, pattern, m, n_maps, o, lower, mean);
}

sz_status sz_match_approximate(const sz_symbols *text, const sz_symbols *pattern, double epsilon,
                               double delta, const sz_match_options *o, uint32_t *lower,
                               double *mean) {
    SZ_TRY(check(text, pattern, o));
    SZ_REQUIRE(epsilon > 0 && epsilon < 1, SZ_E_ARG, "epsilon is %g, not inside (0, 1)", epsilon);
    SZ_REQUIRE(delta > 0 && delta < 1, SZ_E_ARG, "delta is %g, not inside (0, 1)", delta);
    if (pattern->n > text->n)
        return SZ_OK;
    double wanted = 2 / epsilon, odds = delta;
    SZ_REQUIRE(wanted < UINT32_MAX, SZ_E_ARG, "epsilon is %g: too small", epsilon);
    uint32_t n_buckets = (uint32_t)wanted + (wanted > (uint32_t)wanted);
    size_t repeats = 0; /* ceil(log2(n / delta)) */
    for (; odds < (double)text->n; odds *= 2)
        repeats++;
    map m = {.seed = o ? o->seed : 0, .stream = 4307, .buckets = n_buckets};
    return buckets(text, pattern, m, repeats, o, lower, mean);
}

/* ---- Signs ----------------------------------------------------------------------------------- */

/* The correlation of two strings of signs is m less twice their distance. */
static sz_status project(const sz_symbols *text, const sz_symbols *pattern, map m, size_t n_maps,
                         const sz_match_options *o, double *out, int32_t *correlations) {
    size_t n = text->n - pattern->n + 1;
    uint32_t *d = sz_alloc(n * sizeof *d);
    SZ_REQUIRE(d, SZ_E_NOMEM, "no memory for %zu alignments", n);
    sz_status status = SZ_OK;
    for (size_t i = 0; i < n; i++)
        out[i] = 0;
    for (size_t r = 0; r < n_maps && status == SZ_OK; r++) {
        status = hashed_distances(&m, text, pattern, o, d);
        for (size_t i = 0; i < n && status == SZ_OK; i++) {
            out[i] += 2.0 * d[i];
            if (correlations)
                correlations[r * n + i] = (int32_t)((int64_t)pattern->n - 2 * (int64_t)d[i]);
        }
        m.stream++;
        m.table = m.table ? m.table + m.n : NULL;
    }
    for (size_t i = 0; i < n; i++)
        out[i] /= (double)n_maps;
    sz_free(d);
    return status;
}

static sz_status check_signs(const sz_symbols *text, const sz_symbols *pattern, size_t n_maps,
                             const sz_match_options *o) {
    SZ_TRY(check(text, pattern, o));
    SZ_REQUIRE(n_maps >= 1 && n_maps <= MOST_MAPS, SZ_E_ARG, "%zu projections: 1 to %d", n_maps,
               MOST_MAPS);
    SZ_REQUIRE(pattern->n < INT32_MAX, SZ_E_LIMIT, "a pattern of %zu symbols", pattern->n);
    return SZ_OK;
}

sz_status sz_match_project(const sz_symbols *text, const sz_symbols *pattern, size_t n_maps,
                           const sz_match_options *o, double *out) {
    SZ_TRY(check_signs(text, pattern, n_maps, o));
    if (pattern->n > text->n)
        return SZ_OK;
    map m = {.seed = o ? o->seed : 0, .stream = 4308, .buckets = 2};
    return project(text, pattern, m, n_maps, o, out, NULL);
}

sz_status sz_match_signs(const sz_symbols *text, const sz_symbols *pattern, const int8_t *signs,
                         size_t n_maps, size_t n_symbols, const sz_match_options *o, double *out,
                         int32_t *correlations) {
    SZ_TRY(check_signs(text, pattern, n_maps, o));
    for (size_t i = 0; i < n_maps * n_symbols; i++)
        SZ_REQUIRE(signs[i] == 1 || signs[i] == -1, SZ_E_ARG, "sign %zu is %d, not 1 or -1", i,
                   signs[i]);
    if (pattern->n > text->n)
        return SZ_OK;
    uint32_t *table = sz_alloc((n_maps * n_symbols + 1) * sizeof *table);
    SZ_REQUIRE(table, SZ_E_NOMEM, "no memory for %zu signs", n_maps * n_symbols);
    for (size_t i = 0; i < n_maps * n_symbols; i++)
        table[i] = signs[i] < 0;
    map m = {.table = table, .n = n_symbols, .buckets = 2};
    sz_status status = project(text, pattern, m, n_maps, o, out, correlations);
    sz_free(table);
    return status;
}
