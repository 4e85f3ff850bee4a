/* match_blocks.c: an alignment with at most k mismatches has one of k + 1 blocks of the pattern
 * unharmed. Blocks are found by a rolling hash over the text, candidates are verified. */
#include "text/match.h"

enum { CHUNK = 64 };

#define DEFINE_MISMATCHES(T)                                                                       \
    static unsigned mismatches_##T(const void *a, const void *b, size_t n) {                       \
        const T *x = a, *y = b;                                                                    \
        unsigned d = 0;                                                                            \
        for (size_t i = 0; i < n; i++)                                                             \
            d += x[i] != y[i];                                                                     \
        return d;                                                                                  \
    }
DEFINE_MISMATCHES(uint8_t)
DEFINE_MISMATCHES(uint16_t)
DEFINE_MISMATCHES(uint32_t)

uint64_t sz_match_verify(const sz_needle *p, const void *text, size_t at, uint64_t most) {
    uint64_t d = 0;
    for (size_t j = 0; j < p->m && d <= most; j += CHUNK) {
        size_t n = p->m - j < CHUNK ? p->m - j : CHUNK;
        const void *x = sz_symbols_from(text, p->width, at + j);
        const void *y = sz_symbols_from(p->code, p->width, j);
        d += p->width == 1   ? mismatches_uint8_t(x, y, n)
             : p->width == 2 ? mismatches_uint16_t(x, y, n)
                             : mismatches_uint32_t(x, y, n);
    }
    return d <= most ? d : most + 1;
}

/* ---- Blocks by hash -------------------------------------------------------------------------- */

static const uint64_t BASE = 0x9e3779b97f4a7c15u; /* odd: the hash is exact arithmetic mod 2^64 */

typedef struct block_index {
    size_t length, n; /* of each block, and how many */
    uint64_t top;     /* BASE^length: takes the symbol that leaves out of the hash */
    uint64_t *hash;   /* [n] */
    uint32_t *slot;   /* 1 + the first block with a hash; [mask + 1] */
    uint32_t *next;   /* 1 + the next block with the same slot; [n] */
    uint64_t *filter; /* a bit for each hash's upper part */
    uint64_t mask;    /* of slots */
    unsigned filter_log2;
} block_index;

static inline uint64_t mixed(uint64_t h) {
    return (h ^ h >> 29) * 0xbf58476d1ce4e5b9u;
}
static inline uint64_t step(uint64_t h, uint32_t symbol) {
    return h * BASE + symbol + 1;
}

static void index_free(block_index *x) {
    sz_free(x->hash);
    sz_free(x->slot);
    sz_free(x->next);
    sz_free(x->filter);
}

static void add_block(block_index *x, const sz_needle *p, size_t b) {
    uint64_t h = 0;
    for (size_t j = 0; j < x->length; j++)
        h = step(h, sz_symbol_at(p->code, p->width, b * x->length + j));
    uint64_t m = mixed(h), bit = m >> (64 - x->filter_log2);
    x->hash[b] = h;
    x->next[b] = x->slot[m & x->mask];
    x->slot[m & x->mask] = (uint32_t)b + 1;
    x->filter[bit / 64] |= UINT64_C(1) << bit % 64;
}

static sz_status index_new(const sz_needle *p, uint64_t k, block_index *out) {
    block_index x = {
        .n = (size_t)k + 1, .length = p->m / ((size_t)k + 1), .top = 1, .filter_log2 = 12};
    for (size_t j = 0; j < x.length; j++)
        x.top *= BASE;
    for (x.mask = 15; x.mask < 2 * x.n; x.mask = 2 * x.mask + 1) {
    }
    while (x.filter_log2 < 22 && (UINT64_C(1) << x.filter_log2) < 64 * x.n)
        x.filter_log2++;
    x.hash = sz_alloc(x.n * sizeof *x.hash);
    x.next = sz_alloc(x.n * sizeof *x.next);
    x.slot = sz_calloc(x.mask + 1, sizeof *x.slot);
    x.filter = sz_calloc((size_t)1 << (x.filter_log2 - 6), sizeof *x.filter);
    if (!x.hash || !x.next || !x.slot || !x.filter) {
        index_free(&x);
        return sz_fail(SZ_E_NOMEM, "no memory for %zu blocks of the pattern", x.n);
    }
    for (size_t b = 0; b < x.n; b++)
        add_block(&x, p, b);
    *out = x;
    return SZ_OK;
}

typedef struct search {
    const sz_needle *p;
    const sz_match_tile *t;
    const block_index *x;
    uint64_t k, steps;
    uint64_t *seen; /* a bit for each alignment */
    uint32_t *out;
} search;

/* Verifies the alignments that the blocks with this hash at text position `at` propose. */
static void propose(search *s, uint64_t h, size_t at) {
    for (uint32_t b = s->x->slot[mixed(h) & s->x->mask]; b; b = s->x->next[b - 1]) {
        size_t back = (b - 1) * s->x->length, i = at - back;
        s->steps++;
        if (s->x->hash[b - 1] != h || back > at || i >= s->t->n || s->seen[i / 64] >> i % 64 & 1)
            continue;
        s->seen[i / 64] |= UINT64_C(1) << i % 64;
        s->out[i] = (uint32_t)sz_match_verify(s->p, s->t->text, i, s->k);
    }
}

/* False: gave up after too many proposals. */
static bool roll(search *s, uint64_t most_steps) {
    const block_index *x = s->x;
    size_t n = s->t->n + s->p->m - 1;
    uint64_t h = 0;
    for (size_t at = 0; at < n; at++) {
        h = step(h, sz_symbol_at(s->t->text, s->p->width, at));
        if (at >= x->length)
            h -= x->top * (sz_symbol_at(s->t->text, s->p->width, at - x->length) + 1);
        if (at + 1 < x->length)
            continue;
        uint64_t bit = mixed(h) >> (64 - x->filter_log2);
        if (x->filter[bit / 64] >> bit % 64 & 1)
            propose(s, h, at + 1 - x->length);
        if (s->steps > most_steps)
            return false;
    }
    return true;
}

sz_status sz_match_blocks(const sz_match_setup *s, const sz_match_tile *t, bool forced,
                          uint32_t *out) {
    const sz_needle *p = &s->p;
    uint64_t k = (uint64_t)s->o.k;
    if (k >= p->m) { /* there is no block: every alignment is within the bound */
        for (size_t i = 0; i < t->n; i++)
            out[i] = (uint32_t)sz_match_verify(p, t->text, i, p->m);
        return SZ_OK;
    }
    block_index x = {0};
    SZ_TRY(index_new(p, k, &x));
    search search = {.p = p, .t = t, .x = &x, .k = k, .out = out};
    search.seen = sz_calloc(t->n / 64 + 1, sizeof *search.seen);
    sz_status status = search.seen ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for a tile");
    for (size_t i = 0; i < t->n && status == SZ_OK; i++)
        out[i] = (uint32_t)k + 1;
    if (status == SZ_OK && !roll(&search, forced ? UINT64_MAX : t->n / 8))
        status = SZ_END;
    sz_free(search.seen);
    index_free(&x);
    return status;
}
