/* match_count.c: equal symbols counted directly: by blocks of alignments, and by votes. */
#include "text/match.h"

void sz_match_scan(const sz_match_setup *s, const sz_match_tile *t, uint32_t *equal) {
    const sz_needle *p = &s->p;
    s->kernels->count_equal[p->width](t->text, p->code, p->offset, p->n_solid, t->n, equal);
}

bool sz_match_scans_halves(const sz_match_setup *s) {
    const sz_needle *p = &s->p;
    return !s->o.wild && p->raw_width == 4 && p->m <= SZ_MATCH_PART && p->greatest < UINT16_MAX;
}

/* The pattern's symbols as they are, of 2 or 4 bytes. */
static void *raw_symbols(const sz_needle *p, bool halves) {
    uint32_t *symbol = sz_alloc((p->n_solid + 1) * sizeof *symbol);
    for (size_t j = 0; symbol && j < p->n_solid; j++) {
        uint32_t c = sz_symbol_at(p->raw, 4, p->offset[j]);
        if (halves)
            ((uint16_t *)symbol)[j] = (uint16_t)c;
        else
            symbol[j] = c;
    }
    return symbol;
}

sz_status sz_match_scan_raw(const sz_match_setup *s, const uint32_t *raw, size_t n, uint32_t *out) {
    const sz_needle *p = &s->p;
    const sz_kernels *k = s->kernels;
    bool halves = sz_match_scans_halves(s);
    uint16_t half[2 * SZ_MATCH_PART];
    void *symbol = raw_symbols(p, halves);
    SZ_REQUIRE(symbol, SZ_E_NOMEM, "no memory for a pattern of %zu symbols", p->m);
    for (size_t at = 0, part; at < n; at += part) {
        part = sz_match_part(s, n - at);
        if (halves)
            k->narrow_symbols(raw + at, part + p->m - 1, half);
        const void *text = halves ? (const void *)half : raw + at;
        k->count_equal[halves ? 2 : 4](text, symbol, p->offset, p->n_solid, part, out + at);
        sz_match_subtract(s, raw + at, part, out + at);
    }
    sz_free(symbol);
    return SZ_OK;
}

/* The text symbol at `at` votes for alignment at - j for every place j of its code. */
uint64_t sz_match_scatter(const sz_match_setup *s, const sz_match_tile *t, const uint8_t *heavy,
                          uint32_t *equal) {
    const sz_needle *p = &s->p;
    uint64_t votes = 0;
    memset(equal, 0, t->n * sizeof *equal);
    for (size_t at = 0; at < t->n + p->m - 1; at++) {
        uint32_t c = sz_symbol_at(t->text, p->width, at);
        if (c == p->n_codes || (heavy && heavy[c]))
            continue;
        const uint32_t *j = p->place + p->first[c], *end = p->place + p->first[c + 1];
        while (j < end && at >= t->n && *j <= at - t->n) /* alignments behind the tile */
            j++;
        const uint32_t *from = j;
        while (j < end && *j <= at)
            equal[at - *j++]++;
        votes += (uint64_t)(j - from);
    }
    return votes;
}

void sz_match_occurrences(const sz_needle *p, const void *text, size_t n, uint64_t *occ) {
    uint32_t four[4][256] = {{0}}; /* neighbours that are equal do not wait for each other */
    memset(occ, 0, p->n_codes * sizeof *occ);
    if (p->width != 1 || n >= UINT32_MAX) {
        for (size_t i = 0; i < n; i++) {
            uint32_t c = sz_symbol_at(text, p->width, i);
            if (c < p->n_codes)
                occ[c]++;
        }
        return;
    }
    for (size_t i = 0; i < n; i++)
        four[i % 4][((const uint8_t *)text)[i]]++;
    for (size_t c = 0; c < p->n_codes; c++)
        occ[c] = (uint64_t)four[0][c] + four[1][c] + four[2][c] + four[3][c];
}
