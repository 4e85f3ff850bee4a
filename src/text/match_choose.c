/* match_choose.c: the cheapest method for a tile of the text, by counted symbols and measured
 * costs. All methods are exact, so that a choice changes time and nothing else. */
#include "text/match.h"

enum { PROBE = 4096 }; /* symbols from which the odds of a block are guessed */

/* One transform of two codes' places over the tile, in ns; every block has one of the text for each
 * pair of codes, and one inverse. */
static double transform_cost(const sz_match_setup *s, const sz_match_costs *c, size_t n) {
    size_t points = sz_match_fft_points(s->p.m), step = points - s->p.m + 1;
    double blocks = (double)((n + step - 1) / step), levels = (double)__builtin_ctzll(points);
    return c->transform * levels * (double)points * (blocks + 1); /* + 1: of the pattern */
}

double sz_match_divide(const sz_match_setup *s, const sz_match_costs *c, size_t n,
                       const uint64_t *occ, uint8_t *heavy) {
    const sz_needle *p = &s->p;
    double pair = transform_cost(s, c, n), cost = c->visit * (double)n, saved = 0;
    size_t n_heavy = 0;
    bool possible = sz_match_fft_points(p->m) <= SZ_FFT_MOST_POINTS;
    for (size_t code = 0; code < p->n_codes; code++) {
        double votes = c->vote * (double)occ[code] * (double)(p->first[code + 1] - p->first[code]);
        heavy[code] = possible && votes > pair / 2;
        n_heavy += heavy[code];
        saved += heavy[code] ? votes : 0;
        cost += votes;
    }
    double transforms = pair * ((double)((n_heavy + 1) / 2) + 1);
    if (n_heavy && transforms < saved)
        return cost - saved + transforms;
    memset(heavy, 0, p->n_codes); /* not worth the inverse transforms */
    return cost;
}

/* Cost of hashing blocks in ns per alignment; beyond every other where candidates would swamp it.
 */
static double blocks_cost(const sz_match_setup *s, const sz_match_costs *c, const sz_match_tile *t,
                          uint64_t *occ) {
    const sz_needle *p = &s->p;
    size_t n = t->n + p->m - 1 < PROBE ? t->n + p->m - 1 : PROBE;
    if ((uint64_t)s->o.k >= p->m / 2) /* blocks of one symbol */
        return 1e300;
    size_t k = (size_t)s->o.k;
    sz_match_occurrences(p, t->text, n, occ);
    double meet = 0, odds = (double)(k + 1);
    for (size_t code = 0; code < p->n_codes; code++)
        meet +=
            (double)occ[code] / (double)n * (p->first[code + 1] - p->first[code]) / (double)p->m;
    for (size_t j = 0; j < p->m / (k + 1) && odds > 1e-12; j++)
        odds *= meet;
    return odds < 0.125 ? c->roll + odds * (20 + 64 * c->scan[p->width]) : 1e300;
}

sz_status sz_match_choose(const sz_match_setup *s, const sz_match_costs *c, const sz_match_tile *t,
                          uint8_t *heavy, sz_match_method *out) {
    const sz_needle *p = &s->p;
    double n = (double)t->n, best = n * (double)p->n_solid * c->scan[p->width];
    *out = SZ_MATCH_SCAN;
    bool blocks = s->o.bounded && !s->o.wild && best > n * c->roll;
    bool counted = best > n * c->visit;
    if (!blocks && !counted)
        return SZ_OK;
    uint64_t *occ = sz_alloc(((size_t)p->n_codes + 1) * sizeof *occ);
    SZ_REQUIRE(occ, SZ_E_NOMEM, "no memory for %u symbols", p->n_codes);
    double by_blocks = blocks ? n * blocks_cost(s, c, t, occ) : best;
    if (by_blocks < best) {
        best = by_blocks;
        *out = SZ_MATCH_BLOCKS;
    }
    if (counted && best > n * c->visit) {
        sz_match_occurrences(p, t->text, t->n + p->m - 1, occ);
        if (sz_match_divide(s, c, t->n, occ, heavy) < best)
            *out = SZ_MATCH_SPLIT;
    }
    sz_free(occ);
    return SZ_OK;
}
