/* continuations.h: what best-of-n, beams and branches share. */
#ifndef SZ_DECODE_CONTINUATIONS_H
#define SZ_DECODE_CONTINUATIONS_H

#include "session.h"

#include <szilard/unstable/branching.h>

/* Checks, and computes the sequence's logits if they are not at hand. *max_tokens: the bound that
 * holds. */
sz_status sz_continuations_begin(sz_session *s, uint32_t seq, const sz_branching *config,
                                 size_t *max_tokens);
/* Room for n continuations. */
sz_status sz_continuations_reserve(sz_continuations *c, size_t n);
/* The records of a sequence from `base` on and one more token. */
sz_status sz_continuation_take(const sz_sequence *q, size_t base, const sz_token *last,
                               double log_probability, double length_penalty, bool ended,
                               sz_continuation *out);
double sz_continuation_score(double log_probability, size_t n, double length_penalty);
/* The best first; equal ones in the order of their tokens. */
void sz_continuations_sort(sz_continuations *c);

/* Appends a token to each of n different sequences in one pass, and tells their samplers. */
sz_status sz_session_advance(sz_session *s, const uint32_t *seqs, const sz_token *tokens, size_t n);
/* ln of the model's own probability of a token after a sequence that has logits. */
double sz_log_probability(const sz_sequence *q, int32_t id);
/* The record of a token that was chosen, not drawn. */
sz_token sz_token_chosen(const sz_sequence *q, int32_t id);

#endif
