/* edge.c: finding an edge by sums over the digits of the ranks: no order of the data is bad for it.
 */
#include "edge.h"

#include <string.h>

enum { DIGITS = 3, BINS = 1 << 11 };
static const unsigned shifts[DIGITS] = {21, 10, 0}, widths[DIGITS] = {11, 11, 10};

typedef struct bins {
    double mass[BINS];
    uint32_t n[BINS];
} bins;

/* Sums the weights of the candidates whose rank begins with `known`, by their next digit. */
static void fill(const sz_candidates *c, sz_rank_fn rank, const double *context, unsigned digit,
                 uint32_t known, bins *b) {
    unsigned above = shifts[digit] + widths[digit];
    memset(b, 0, sizeof *b);
    for (size_t i = 0; i < c->n; i++) {
        uint32_t r = rank(c, i, context);
        if (above < 32 && r >> above != known)
            continue;
        uint32_t bin = r >> shifts[digit] & ((1u << widths[digit]) - 1);
        b->mass[bin] += (double)c->scratch[i];
        b->n[bin]++;
    }
}

/* The first bin that brings the mass beyond `wanted`, else the last that is not empty. */
static uint32_t find_bin(const bins *b, unsigned digit, double wanted, double *before) {
    uint32_t last = 0;
    double last_before = *before;
    for (uint32_t bin = 0; bin < 1u << widths[digit]; bin++) {
        if (b->n[bin] == 0)
            continue;
        last = bin;
        last_before = *before;
        if (*before + b->mass[bin] > wanted)
            return bin;
        *before += b->mass[bin];
    }
    *before = last_before;
    return last;
}

/* How many of n equal weights, one after the other, bring the mass beyond `wanted`; at most all. */
static size_t count_equal(double weight, size_t n, double before, double wanted) {
    if (!(before + (double)n * weight > wanted))
        return n;
    size_t k = (size_t)((wanted - before) / weight);
    k = k < n ? k : n - 1;
    while (k > 0 && before + (double)k * weight > wanted)
        k--;
    while (k < n && !(before + (double)k * weight > wanted))
        k++;
    return k > 0 ? k : 1;
}

sz_edge sz_edge_find(const sz_candidates *c, sz_rank_fn rank, const double *context, double mass) {
    bins b;
    uint32_t known = 0, bin = 0;
    double before = 0;
    for (unsigned digit = 0; digit < DIGITS; digit++) {
        fill(c, rank, context, digit, known, &b);
        bin = find_bin(&b, digit, mass, &before);
        known = known << widths[digit] | bin;
    }
    size_t n = b.n[bin];
    return (sz_edge){known, count_equal(b.mass[bin] / (double)n, n, before, mass)};
}

size_t sz_edge_last(const sz_candidates *c, sz_rank_fn rank, const double *context, sz_edge edge) {
    size_t last = 0;
    for (size_t i = 0; i < c->n && edge.n_equal > 0; i++)
        if (rank(c, i, context) == edge.rank) {
            last = i;
            edge.n_equal--;
        }
    return last;
}

void sz_edge_cut(sz_candidates *c, sz_rank_fn rank, const double *context, sz_edge edge) {
    size_t kept = 0;
    for (size_t i = 0; i < c->n; i++) {
        uint32_t r = rank(c, i, context); /* looks at i, which is never overtaken */
        if (r > edge.rank || (r == edge.rank && edge.n_equal == 0))
            continue;
        edge.n_equal -= r == edge.rank;
        c->id[kept] = c->id[i];
        c->logit[kept++] = c->logit[i];
    }
    c->n = kept;
}
