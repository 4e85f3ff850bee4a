/* ecmm.h: entropy-constrained mass maximisation, what top-H solves greedily (Baghaei Potraghloo et
 * al. 2025): of all sets S with H(p restricted to S) <= budget the one with the largest mass. */
#ifndef SZ_DECODE_ECMM_H
#define SZ_DECODE_ECMM_H

#include <szilard/unstable/base.h>

enum { SZ_ECMM_MOST = 24 };

/* p [n] falling, n <= 24; the mass is that of the set, the sum of p may be below 1. chosen [n].
 * Branch and bound with the fractional relaxation; exact. */
sz_status sz_ecmm_exact(const double *p, size_t n, double budget, bool *chosen, double *mass);
/* No set has a larger mass: the greedy prefix of mass g and -sum p ln p = c, and a fraction of the
 * next token, p_next. */
double sz_ecmm_bound(double g, double c, double p_next, double budget);

#endif
