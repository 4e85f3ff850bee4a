/* sampler.h: what samplers share. */
#ifndef SZ_DECODE_SAMPLER_H
#define SZ_DECODE_SAMPLER_H

#include <szilard/unstable/sampler.h>

float sz_candidates_max(const sz_candidates *c);
/* Keeps the candidates with logit >= limit, in order; at least the largest stays. */
void sz_candidates_keep_above(sz_candidates *c, float limit);
/* The k-th largest logit, 1 <= k <= n; uses the scratch. */
float sz_candidates_select(const sz_candidates *c, size_t k);
/* scratch[i] = exp(logit[i] - max); returns their sum. */
double sz_candidates_weights(const sz_candidates *c);

#endif
