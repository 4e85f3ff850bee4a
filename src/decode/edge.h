/* edge.h: the shortest prefix of candidates, in some order, that has a given mass: found by sums
 * over the digits of their ranks, so that nothing is sorted and no order of the data is bad for it.
 *
 * A template: who includes it defines SZ_EDGE_RANK(c, i, context) before, the rank of candidate i,
 * a uint32_t: a lower rank comes first, equal ranks by id. It is evaluated for every candidate, and
 * so becomes part of the loops. */
#ifndef SZ_DECODE_EDGE_H
#define SZ_DECODE_EDGE_H

#include <string.h>

#include "sampler.h"

enum { SZ_EDGE_DIGITS = 3, SZ_EDGE_BINS = 1 << 11, SZ_EDGE_LIST = 16384 };

typedef struct sz_edge {
    uint32_t rank;  /* of the last that stays */
    size_t n_equal; /* how many of that rank stay */
} sz_edge;

/* Candidates of even and of odd places are counted apart, so that one sum need not wait for the one
 * before where many fall into one bin. */
typedef struct sz_edge_bins {
    double mass[SZ_EDGE_BINS][2];
    uint32_t n[SZ_EDGE_BINS][2];
} sz_edge_bins;

/* Where a digit of a rank stands. */
static inline unsigned sz_edge_shift(unsigned digit) {
    return digit == 0 ? 21 : digit == 1 ? 10 : 0;
}
static inline unsigned sz_edge_width(unsigned digit) {
    return digit < 2 ? 11 : 10;
}

/* The first bin that brings the mass beyond `wanted`, else the last that is not empty. */
uint32_t sz_edge_find_bin(const sz_edge_bins *b, unsigned digit, double wanted, double *before);
/* How many of n equal weights, one after the other, bring the mass beyond `wanted`; at most all. */
size_t sz_edge_count_equal(double weight, size_t n, double before, double wanted);

/* Rising with the number, for ranks of any floats but NaN. */
static inline uint32_t sz_rank_of(float x) {
    union {
        float f;
        uint32_t bits;
    } u = {x};
    return u.bits & 0x80000000u ? ~u.bits : u.bits | 0x80000000u;
}

static inline void sz_edge_count(sz_edge_bins *b, unsigned digit, uint32_t rank, float weight,
                                 size_t i) {
    uint32_t bin = rank >> sz_edge_shift(digit) & ((1u << sz_edge_width(digit)) - 1);
    b->mass[bin][i % 2] += (double)weight;
    b->n[bin][i % 2]++;
}

/* Sums the weights of the candidates whose rank begins with `known`, by their next digit. */
static inline void sz_edge_fill(const sz_candidates *c, const double *context, unsigned digit,
                                uint32_t known, sz_edge_bins *b) {
    unsigned above = sz_edge_shift(digit) + sz_edge_width(digit);
    memset(b, 0, sizeof *b);
    for (size_t i = 0; i < c->n; i++) {
        uint32_t r = SZ_EDGE_RANK(c, i, context);
        if (above == 32 || r >> above == known)
            sz_edge_count(b, digit, r, c->scratch[i], i);
    }
}

/* The same for those of a list. */
static inline void sz_edge_fill_listed(const sz_candidates *c, const double *context,
                                       unsigned digit, uint32_t known, sz_edge_bins *b,
                                       const uint32_t *list, size_t n) {
    unsigned above = sz_edge_shift(digit) + sz_edge_width(digit);
    memset(b, 0, sizeof *b);
    for (size_t j = 0; j < n; j++) {
        uint32_t r = SZ_EDGE_RANK(c, list[j], context);
        if (r >> above == known)
            sz_edge_count(b, digit, r, c->scratch[list[j]], list[j]);
    }
}

/* The n <= SZ_EDGE_LIST candidates whose rank begins with `known`; list has room for one more. */
static inline void sz_edge_list(const sz_candidates *c, const double *context, unsigned shift,
                                uint32_t known, uint32_t *list) {
    size_t n = 0;
    for (size_t i = 0, all = c->n; i < all; i++) {
        list[n] = (uint32_t)i;
        n += SZ_EDGE_RANK(c, i, context) >> shift == known;
    }
}

/* The edge of the shortest prefix whose weights (in the scratch) sum to more than `mass`; all
 * candidates where none does. Two passes over all, and a third where very many lie near the edge.
 */
static inline sz_edge sz_edge_find(const sz_candidates *c, const double *context, double mass) {
    sz_edge_bins b;
    uint32_t list[SZ_EDGE_LIST + 1], known = 0, bin = 0;
    size_t n_listed = 0, n = 0;
    double before = 0;
    for (unsigned digit = 0; digit < SZ_EDGE_DIGITS; digit++) {
        if (n_listed)
            sz_edge_fill_listed(c, context, digit, known, &b, list, n_listed);
        else
            sz_edge_fill(c, context, digit, known, &b);
        bin = sz_edge_find_bin(&b, digit, mass, &before);
        known = known << sz_edge_width(digit) | bin;
        n = b.n[bin][0] + b.n[bin][1];
        if (!n_listed && digit + 1 < SZ_EDGE_DIGITS && n <= SZ_EDGE_LIST) {
            sz_edge_list(c, context, sz_edge_shift(digit), known, list);
            n_listed = n;
        }
    }
    double weight = (b.mass[bin][0] + b.mass[bin][1]) / (double)n;
    return (sz_edge){known, sz_edge_count_equal(weight, n, before, mass)};
}

/* The edge of the first `least` candidates where it lies behind this one; overwrites the weights.
 */
static inline sz_edge sz_edge_at_least(const sz_candidates *c, const double *context, sz_edge edge,
                                       double least) {
    double n = (double)edge.n_equal;
    for (size_t i = 0; n < least && i < c->n; i++)
        n += SZ_EDGE_RANK(c, i, context) < edge.rank;
    if (n >= least)
        return edge;
    for (size_t i = 0; i < c->n; i++)
        c->scratch[i] = 1.0f;
    return sz_edge_find(c, context, least - 0.5);
}

/* The index of the candidate at the edge. */
static inline size_t sz_edge_last(const sz_candidates *c, const double *context, sz_edge edge) {
    size_t last = 0;
    for (size_t i = 0; i < c->n && edge.n_equal > 0; i++)
        if (SZ_EDGE_RANK(c, i, context) == edge.rank) {
            last = i;
            edge.n_equal--;
        }
    return last;
}

static inline void sz_edge_cut(sz_candidates *c, const double *context, sz_edge edge) {
    int32_t *id = c->id;
    float *logit = c->logit;
    size_t kept = 0, n = c->n, left = edge.n_equal;
    for (size_t i = 0; i < n; i++) {
        uint32_t r = SZ_EDGE_RANK(c, i, context); /* looks at i, which is never overtaken */
        bool equal = r == edge.rank && left > 0;
        id[kept] = id[i];
        logit[kept] = logit[i];
        kept += r < edge.rank || equal;
        left -= equal;
    }
    c->n = kept;
}

#endif
