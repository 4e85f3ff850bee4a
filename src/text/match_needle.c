/* match_needle.c: a pattern's symbols as codes, and their places. */
#include "text/match.h"

enum { MOST_DIRECT = 1 << 18 };

static uint32_t hash(uint32_t x) {
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

/* The slot that holds a symbol, or the free one where it would go. */
static inline uint32_t find_slot(const sz_needle *p, uint32_t symbol) {
    uint32_t at = hash(symbol) & p->slot_mask;
    while (p->slot[at] && p->symbol[p->slot[at] - 1] != symbol)
        at = (at + 1) & p->slot_mask;
    return at;
}

uint32_t sz_needle_code(const sz_needle *p, uint32_t symbol) {
    if (p->direct)
        return symbol < p->n_direct ? p->direct[symbol] : p->n_codes;
    uint32_t found = p->slot[find_slot(p, symbol)];
    return found ? found - 1 : p->n_codes;
}

static inline void put(void *out, unsigned width, size_t i, uint32_t v) {
    if (width == 1)
        ((uint8_t *)out)[i] = (uint8_t)v;
    else if (width == 2)
        ((uint16_t *)out)[i] = (uint16_t)v;
    else
        ((uint32_t *)out)[i] = v;
}

void sz_needle_encode(const sz_needle *p, const uint32_t *text, size_t n, void *out) {
    if (p->direct && p->width == 1)
        for (size_t i = 0; i < n; i++)
            ((uint8_t *)out)[i] =
                (uint8_t)(text[i] < p->n_direct ? p->direct[text[i]] : p->n_codes);
    else if (p->direct && p->width == 2)
        for (size_t i = 0; i < n; i++)
            ((uint16_t *)out)[i] =
                (uint16_t)(text[i] < p->n_direct ? p->direct[text[i]] : p->n_codes);
    else
        for (size_t i = 0; i < n; i++)
            put(out, p->width, i, sz_needle_code(p, text[i]));
}

/* A table over all symbols up to the pattern's greatest, where that is no more than a vocabulary
 * and the pattern is none of those that are compared without codes. */
static sz_status make_direct(sz_needle *p) {
    uint32_t most = p->greatest;
    if (most >= MOST_DIRECT || p->n_solid <= SZ_MATCH_SHORT)
        return SZ_OK;
    uint32_t *direct = sz_alloc(((size_t)most + 1) * sizeof *direct);
    SZ_REQUIRE(direct, SZ_E_NOMEM, "no memory for %u symbols", most);
    for (size_t i = 0; i <= most; i++)
        direct[i] = p->n_codes;
    for (uint32_t c = 0; c < p->n_codes; c++)
        direct[p->symbol[c]] = c;
    p->direct = direct;
    p->n_direct = (size_t)most + 1;
    return SZ_OK;
}

static sz_status number_symbols(sz_needle *p) {
    size_t slots = 16;
    while (slots < 4 * p->n_solid)
        slots *= 2;
    p->slot = sz_calloc(slots, sizeof *p->slot);
    p->symbol = sz_alloc((p->n_solid + 1) * sizeof *p->symbol);
    SZ_REQUIRE(p->slot && p->symbol, SZ_E_NOMEM, "no memory for a pattern of %zu symbols", p->m);
    p->slot_mask = (uint32_t)(slots - 1);
    for (size_t i = 0; i < p->n_solid; i++) {
        uint32_t symbol = ((const uint32_t *)p->raw)[p->offset[i]];
        uint32_t at = find_slot(p, symbol);
        p->greatest = symbol > p->greatest ? symbol : p->greatest;
        if (!p->slot[at]) {
            p->symbol[p->n_codes] = symbol;
            p->slot[at] = ++p->n_codes;
        }
    }
    p->width = p->n_codes <= UINT8_MAX ? 1 : p->n_codes <= UINT16_MAX ? 2 : 4;
    return make_direct(p);
}

static sz_status number_bytes(sz_needle *p) {
    p->symbol = sz_alloc(256 * sizeof *p->symbol);
    SZ_REQUIRE(p->symbol, SZ_E_NOMEM, "no memory for a pattern of %zu bytes", p->m);
    for (uint32_t c = 0; c < 256; c++)
        p->symbol[c] = c;
    p->n_codes = 256;
    p->width = 1;
    return SZ_OK;
}

/* Counting sort of the places by code. */
static sz_status sort_places(sz_needle *p) {
    p->code = sz_alloc(p->n_solid * p->width + 1);
    p->first = sz_calloc((size_t)p->n_codes + 2, sizeof *p->first);
    p->place = sz_alloc((p->n_solid + 1) * sizeof *p->place);
    SZ_REQUIRE(p->code && p->first && p->place, SZ_E_NOMEM,
               "no memory for a pattern of %zu symbols", p->m);
    for (size_t i = 0; i < p->n_solid; i++) {
        uint32_t symbol = sz_symbol_at(p->raw, p->raw_width, p->offset[i]);
        uint32_t code = p->raw_width == 1 ? symbol : sz_needle_code(p, symbol);
        put(p->code, p->width, i, code);
        p->first[code + 2]++;
    }
    for (size_t c = 2; c <= p->n_codes; c++)
        p->first[c] += p->first[c - 1];
    for (size_t i = 0; i < p->n_solid; i++) /* first[c + 1] moves from the begin of c to its end */
        p->place[p->first[sz_symbol_at(p->code, p->width, i) + 1]++] = p->offset[i];
    return SZ_OK;
}

static sz_status prepare(sz_needle *p, const sz_symbols *symbols, bool wild, uint32_t wildcard) {
    void *raw = sz_alloc(p->m * p->raw_width);
    p->raw = raw;
    p->offset = sz_alloc((p->m + 1) * sizeof *p->offset);
    p->wild_offset = sz_alloc((p->m + 1) * sizeof *p->wild_offset);
    SZ_REQUIRE(raw && p->offset && p->wild_offset, SZ_E_NOMEM,
               "no memory for a pattern of %zu symbols", p->m);
    memcpy(raw, symbols->data, p->m * p->raw_width);
    for (size_t j = 0; j < p->m; j++)
        if (wild && sz_symbol_at(raw, p->raw_width, j) == wildcard)
            p->wild_offset[p->n_wild++] = (uint32_t)j;
        else
            p->offset[p->n_solid++] = (uint32_t)j;
    SZ_TRY(p->raw_width == 1 ? number_bytes(p) : number_symbols(p));
    return sort_places(p);
}

sz_status sz_needle_new(const sz_symbols *symbols, bool wild, uint32_t wildcard, sz_needle *out) {
    sz_needle p = {.m = symbols->n, .raw_width = symbols->width};
    sz_status status = prepare(&p, symbols, wild, wildcard);
    if (status != SZ_OK) {
        sz_needle_free(&p);
        return status;
    }
    *out = p;
    return SZ_OK;
}

void sz_needle_free(sz_needle *p) {
    sz_free((void *)p->raw);
    sz_free(p->offset);
    sz_free(p->wild_offset);
    sz_free(p->code);
    sz_free(p->symbol);
    sz_free(p->first);
    sz_free(p->place);
    sz_free(p->direct);
    sz_free(p->slot);
    *p = (sz_needle){0};
}
