/* match_split.c: the division of the alphabet by a given cost model. */
#include <stdlib.h>

#include "text/match.h"

static int rising(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void count_text(const sz_needle *p, const sz_symbols *text, uint64_t *occ) {
    for (size_t i = 0; i < text->n; i++) {
        uint32_t symbol = sz_symbol_at(text->data, text->width, i);
        occ[text->width == 1 ? symbol : sz_needle_code(p, symbol)]++;
    }
}

static sz_status divide(const sz_needle *p, const sz_symbols *text, double scatter_cost,
                        double transform_cost, uint32_t *heavy, size_t *n_heavy, uint64_t *votes) {
    uint64_t *occ = sz_calloc((size_t)p->n_codes + 1, sizeof *occ);
    SZ_REQUIRE(occ, SZ_E_NOMEM, "no memory for %u symbols", p->n_codes);
    count_text(p, text, occ);
    *n_heavy = 0;
    *votes = 0;
    for (uint32_t c = 0; c < p->n_codes; c++) {
        uint64_t pairs = occ[c] * (p->first[c + 1] - p->first[c]);
        if ((double)pairs * scatter_cost > transform_cost)
            heavy[(*n_heavy)++] = p->symbol[c];
        else
            *votes += pairs;
    }
    sz_free(occ);
    qsort(heavy, *n_heavy, sizeof *heavy, rising);
    return SZ_OK;
}

sz_status sz_match_split(const sz_symbols *text, const sz_symbols *pattern, double scatter_cost,
                         double transform_cost, uint32_t *heavy, size_t cap, size_t *n_heavy,
                         uint64_t *votes) {
    sz_needle p;
    SZ_TRY(sz_match_check_pattern(pattern));
    SZ_TRY(sz_match_check_text(text, pattern->width));
    SZ_TRY(sz_needle_new(pattern, false, 0, &p));
    uint32_t *found = sz_alloc(((size_t)p.n_codes + 1) * sizeof *found);
    sz_status status = SZ_E_NOMEM;
    if (found)
        status = divide(&p, text, scatter_cost, transform_cost, found, n_heavy, votes);
    else
        sz_fail(SZ_E_NOMEM, "no memory for %u symbols", p.n_codes);
    sz_needle_free(&p);
    if (status == SZ_OK && *n_heavy > cap)
        status = sz_fail(SZ_E_LIMIT, "%zu heavy symbols: there is room for %zu", *n_heavy, cap);
    if (status == SZ_OK)
        memcpy(heavy, found, *n_heavy * sizeof *heavy);
    sz_free(found);
    return status;
}
