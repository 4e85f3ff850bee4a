/* ebim.h: what the searches for an encoder share: maps of symbols to columns. */
#ifndef SZ_INFO_EBIM_H
#define SZ_INFO_EBIM_H

#include "info/distribution.h"
#include <szilard/unstable/coupling.h>

/* A rate that misses an entropy by rounding alone reaches it. */
#define SZ_EBIM_SLACK 1e-12

/* A map of n symbols of positive mass p, heaviest first, to columns. */
typedef struct sz_ebim_map {
    uint32_t *code;  /* [n] */
    double *law;     /* [n_codes] */
    size_t n_codes;  /* never more than n; both arrays have room for n + 1 */
    double entropy;  /* of law */
    uint32_t symbol; /* one symbol may be split: `moved` of its mass goes to column `to` */
    uint32_t to;     /* n_codes: a new one */
    double moved;
    double information; /* of the map with its split */
} sz_ebim_map;

/* The best encoder of p [n], falling, by maps and a split of one symbol; best starts as a map whose
 * entropy the rate allows. */
sz_status sz_ebim_search(const double *p, size_t n, double rate, sz_ebim_method method,
                         sz_ebim_map *best);
/* Sizes of the ends that the greedy map of p [n], falling, merges; returns its entropy. */
double sz_ebim_greedy(const double *p, size_t n, double rate, size_t *heads, size_t *tails);
/* Sets code, law and n_codes: column 0 for the first `heads` symbols, the last column for the last
 * `tails`, one of its own for every other. */
void sz_ebim_merge_ends(const double *p, size_t n, size_t heads, size_t tails, sz_ebim_map *m);

double sz_binary_entropy(double x);

#endif
