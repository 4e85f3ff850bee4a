/* mass.h: distributions as integers that sum to 2^62, and couplings made of them. */
#ifndef SZ_INFO_MASS_H
#define SZ_INFO_MASS_H

#include "info/distribution.h"
#include <szilard/unstable/coupling.h>

static inline double sz_mass_probability(uint64_t mass) {
    return (double)mass * 0x1p-62;
}
double sz_mass_entropy(const uint64_t *mass, size_t n);

/* Adds what is missing to SZ_MASS_ONE to the largest. All positive masses together are near it. */
void sz_mass_complete(uint64_t *mass, size_t n);
/* As sz_mass_from_probabilities into memory of its own, sz_free. `name` is for messages. */
sz_status sz_mass_new(const double *p, size_t n, const char *name, uint64_t **out);

/* Room for most_cells cells of k marginals; c->n counts those that are added. */
sz_status sz_coupling_new(size_t most_cells, size_t k, sz_coupling *out);
static inline void sz_coupling_add(sz_coupling *c, uint32_t i, uint32_t j, uint64_t mass) {
    c->index[2 * c->n] = i;
    c->index[2 * c->n + 1] = j;
    c->mass[c->n++] = mass;
}
/* The greedy coupling of masses [n[i]], each summing to SZ_MASS_ONE. */
sz_status sz_mec_greedy_masses(const uint64_t *const *mass, const size_t *n, size_t k,
                               sz_coupling *out);

#endif
