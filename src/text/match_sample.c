/* match_sample.c: a few random places of the pattern discard most alignments; the others are
 * verified. An alignment within the bound is discarded with probability < 1e-9. */
#include <szilard/unstable/num.h>

#include "text/match.h"

enum { PLACES = 32 };
#define MISSED 1e-9

/* ln of n choose r, r small. */
static double log_choose(double n, unsigned r) {
    double sum = 0;
    for (unsigned i = 0; i < r; i++)
        sum += sz_log((n - i) / (i + 1));
    return sum;
}

/* The least bound that mismatches among the places exceed with probability < 1e-9 where k of m
 * symbols differ: hypergeometric. */
static unsigned sample_bound(double m, double k) {
    double tail = 0, all = log_choose(m, PLACES);
    for (unsigned x = PLACES; x > 0; x--) {
        if (x <= k && PLACES - x <= m - k)
            tail += sz_exp(log_choose(k, x) + log_choose(m - k, PLACES - x) - all);
        if (tail >= MISSED)
            return x;
    }
    return 0;
}

/* Floyd's draw of PLACES different places of m. */
static void draw_places(uint64_t seed, size_t m, uint32_t place[PLACES]) {
    for (size_t i = 0; i < PLACES; i++) {
        size_t last = m - PLACES + i, at = (size_t)(sz_uniform(seed, 44, i) * (double)(last + 1));
        for (size_t j = 0; j < i; j++)
            if (place[j] == at)
                at = last;
        place[i] = (uint32_t)at;
    }
}

sz_status sz_match_sample(const sz_match_setup *s, const sz_match_tile *t, uint32_t *out) {
    const sz_needle *p = &s->p;
    uint64_t k = (uint64_t)s->o.k < p->m ? (uint64_t)s->o.k : p->m;
    uint32_t place[PLACES], wide[PLACES];
    uint16_t half[PLACES];
    uint8_t byte[PLACES];
    if (p->m <= 2 * PLACES) { /* comparing all costs no more */
        for (size_t i = 0; i < t->n; i++)
            out[i] = (uint32_t)sz_match_verify(p, t->text, i, k);
        return SZ_OK;
    }
    draw_places(s->o.seed, p->m, place);
    for (size_t j = 0; j < PLACES; j++) {
        wide[j] = sz_symbol_at(p->code, p->width, place[j]);
        half[j] = (uint16_t)wide[j];
        byte[j] = (uint8_t)wide[j];
    }
    const void *symbols = p->width == 1 ? (void *)byte : p->width == 2 ? (void *)half : wide;
    s->kernels->count_equal[p->width](t->text, symbols, place, PLACES, t->n, out);
    unsigned bound = sample_bound((double)p->m, (double)k);
    for (size_t i = 0; i < t->n; i++)
        out[i] = (uint32_t)(PLACES - out[i] > bound ? k + 1 : sz_match_verify(p, t->text, i, k));
    return SZ_OK;
}
