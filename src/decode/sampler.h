/* sampler.h: what samplers share. */
#ifndef SZ_DECODE_SAMPLER_H
#define SZ_DECODE_SAMPLER_H

#include <szilard/unstable/sampler.h>

/* Appends a sampler whose state was made elsewhere; the chain owns it then, also on failure. */
sz_status sz_chain_put(sz_chain *chain, const sz_sampler_kind *kind, void *state);

/* Whether there are candidates, none is NaN or +infinity, and one can be drawn. */
bool sz_candidates_valid(const sz_candidates *c);
float sz_candidates_max(const sz_candidates *c);
/* Where a token stands among the candidates, whose ids rise; n if it is not one of them. */
size_t sz_candidates_find(const sz_candidates *c, int32_t id);
/* Keeps the candidates whose bit is set: bit i is that of token i. */
void sz_candidates_keep_allowed(sz_candidates *c, const uint64_t *bits);
/* Draws one of the candidates by their logits: the token at in->n_history, with its record. */
void sz_candidates_draw(const sz_candidates *c, const sz_sampler_input *in, size_t n_vocab,
                        sz_token *out);
/* Keeps the candidates with logit > limit, and the first n_equal of those with logit == limit. */
void sz_candidates_cut(sz_candidates *c, float limit, size_t n_equal);
/* How many logits are not below the limit. */
size_t sz_candidates_count(const sz_candidates *c, float limit);
/* Drops what lies below the limit, with its weights in the scratch, where that leaves few; else
 * nothing: who calls it does not care, but for what comes next being fast. */
void sz_candidates_drop_below(sz_candidates *c, float limit);
/* scratch[i] = exp(logit[i] - max); returns their sum. */
double sz_candidates_weights(const sz_candidates *c);
/* Entropy of softmax(logit), given those weights and their sum. */
double sz_candidates_entropy(const sz_candidates *c, double sum);
/* The probability of the candidates' ids under softmax(logits [n_vocab]); overwrites the scratch.
 */
double sz_candidates_mass(const sz_candidates *c, const float *logits, const sz_logit_stats *stats);
/* The places of the k largest logits, falling, equal ones by id: index [k], which may lie in the
 * scratch; 1 <= k <= n. O(n + k log k). */
void sz_candidates_top(const sz_candidates *c, size_t k, uint32_t *index);
/* Keeps those at these places, which are put in order. */
void sz_candidates_keep(sz_candidates *c, uint32_t *index, size_t k);
/* Keeps the k largest; all where k is 0 or >= n. */
void sz_candidates_keep_top(sz_candidates *c, size_t k);

#endif
