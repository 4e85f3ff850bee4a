/* match_jumps.c: from mismatch to mismatch ("kangaroo" jumps, Landau and Vishkin 1986). The longest
 * common extension of two places is searched by hashes of substrings, modulo 2^61 - 1. Equal
 * strings have equal hashes, so a wrong jump can only be too long: what stays within the bound is
 * counted again. */
#include "text/match.h"

__extension__ typedef unsigned __int128 wide;
static const uint64_t PRIME = (UINT64_C(1) << 61) - 1;

static inline uint64_t times(uint64_t a, uint64_t b) {
    wide product = (wide)a * b;
    uint64_t sum = (uint64_t)(product & PRIME) + (uint64_t)(product >> 61);
    return sum >= PRIME ? sum - PRIME : sum;
}

typedef struct hashes {
    uint64_t *text, *pattern, *power; /* of prefixes: [n + m], [m + 1], [m + 1] */
} hashes;

static void hash_prefixes(const void *symbols, unsigned width, size_t n, uint64_t base,
                          uint64_t *out) {
    out[0] = 0;
    for (size_t i = 0; i < n; i++)
        out[i + 1] = (times(out[i], base) + sz_symbol_at(symbols, width, i) + 1) % PRIME;
}

static void hashes_free(hashes *h) {
    sz_free(h->text);
    sz_free(h->pattern);
    sz_free(h->power);
}

static sz_status hashes_new(const sz_match_setup *s, const sz_match_tile *t, hashes *out) {
    const sz_needle *p = &s->p;
    uint32_t random[4];
    hashes h = {.text = sz_alloc((t->n + p->m) * sizeof *h.text),
                .pattern = sz_alloc((p->m + 1) * sizeof *h.pattern),
                .power = sz_alloc((p->m + 1) * sizeof *h.power)};
    if (!h.text || !h.pattern || !h.power) {
        hashes_free(&h);
        return sz_fail(SZ_E_NOMEM, "no memory for the hashes of %zu symbols", t->n + p->m);
    }
    sz_philox4x32(s->o.seed, 43, 0, random);
    uint64_t base = ((uint64_t)random[0] << 28 | random[1] >> 4) + (UINT64_C(1) << 33);
    hash_prefixes(t->text, p->width, t->n + p->m - 1, base, h.text);
    hash_prefixes(p->code, p->width, p->m, base, h.pattern);
    h.power[0] = 1;
    for (size_t j = 0; j < p->m; j++)
        h.power[j + 1] = times(h.power[j], base);
    *out = h;
    return SZ_OK;
}

static inline bool same(const hashes *h, size_t at, size_t j, size_t n) {
    uint64_t in_text = h->text[at + n] + PRIME - times(h->text[at], h->power[n]);
    uint64_t in_pattern = h->pattern[j + n] + PRIME - times(h->pattern[j], h->power[n]);
    return in_text % PRIME == in_pattern % PRIME;
}

/* Equal symbols from text place at and pattern place j on; at most `most`. */
static size_t extension(const sz_needle *p, const void *text, const hashes *h, size_t at, size_t j,
                        size_t most) {
    size_t low = 0, high;
    while (low < most && low < 8)
        if (sz_symbol_at(text, p->width, at + low) == sz_symbol_at(p->code, p->width, j + low))
            low++;
        else
            return low;
    for (high = 2 * low; high < most && same(h, at, j, high); high *= 2)
        low = high;
    high = high < most ? high : most + 1;
    while (high - low > 1) { /* equal up to low; not up to high */
        size_t middle = low + (high - low) / 2;
        if (same(h, at, j, middle))
            low = middle;
        else
            high = middle;
    }
    return low;
}

sz_status sz_match_jumps(const sz_match_setup *s, const sz_match_tile *t, uint32_t *out) {
    const sz_needle *p = &s->p;
    uint64_t k = (uint64_t)s->o.k < p->m ? (uint64_t)s->o.k : p->m;
    hashes h = {0};
    SZ_TRY(hashes_new(s, t, &h));
    for (size_t i = 0; i < t->n; i++) {
        uint64_t d = 0;
        for (size_t j = 0; j < p->m && d <= k; j++) {
            j += extension(p, t->text, &h, i + j, j, p->m - j);
            d += j < p->m;
        }
        out[i] = (uint32_t)(d <= k ? sz_match_verify(p, t->text, i, k) : k + 1);
    }
    hashes_free(&h);
    return SZ_OK;
}
