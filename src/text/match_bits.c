/* match_bits.c: one counter for each prefix of the pattern, all in one word (Baeza-Yates and Gonnet
 * 1992, Shift-Add). A counter's top bit tells that it went beyond the bound, and is kept apart. */
#include "text/match.h"

/* Bits of a counter: room for 0 .. k, and the top bit. */
static unsigned counter_bits(uint64_t k) {
    unsigned bits = 1;
    while (bits < 63 && (UINT64_C(1) << (bits - 1)) < k + 1)
        bits++;
    return bits;
}

bool sz_match_bits_fit(size_t m, uint64_t k) {
    return m <= 64 && m * counter_bits(k < m ? k : m) <= 64;
}

/* For each code, 1 in the counters of the places where the pattern has another symbol. */
static uint64_t *mismatch_words(const sz_needle *p, unsigned bits) {
    uint64_t *word = sz_alloc(((size_t)p->n_codes + 1) * sizeof *word), all = 0;
    if (!word)
        return NULL;
    for (size_t j = 0; j < p->m; j++)
        all |= UINT64_C(1) << (j * bits);
    for (size_t c = 0; c <= p->n_codes; c++)
        word[c] = all;
    for (size_t j = 0; j < p->m; j++)
        word[sz_symbol_at(p->code, p->width, j)] &= ~(UINT64_C(1) << (j * bits));
    return word;
}

sz_status sz_match_bits(const sz_match_setup *s, const sz_match_tile *t, uint32_t *out) {
    const sz_needle *p = &s->p;
    uint64_t k = (uint64_t)s->o.k < p->m ? (uint64_t)s->o.k : p->m;
    unsigned bits = counter_bits(k), last = (unsigned)(p->m - 1) * bits;
    uint64_t *word = mismatch_words(p, bits), state = 0, beyond = 0, top = 0;
    SZ_REQUIRE(word, SZ_E_NOMEM, "no memory for %u symbols", p->n_codes);
    for (size_t j = 0; j < p->m; j++)
        top |= UINT64_C(1) << (j * bits + bits - 1);
    uint64_t count = (UINT64_C(1) << (bits - 1)) - 1;
    for (size_t at = 0; at < t->n + p->m - 1; at++) {
        state = (state << bits) + word[sz_symbol_at(t->text, p->width, at)];
        beyond = (beyond << bits) | (state & top);
        state &= ~top;
        if (at + 1 < p->m)
            continue;
        uint64_t d = state >> last & count;
        bool over = (beyond >> last >> (bits - 1) & 1) || d > k;
        out[at + 1 - p->m] = (uint32_t)(over ? k + 1 : d);
    }
    sz_free(word);
    return SZ_OK;
}
