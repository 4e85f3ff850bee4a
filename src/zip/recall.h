/* recall.h: what this very text has already said: after the same last tokens, the token that came
 * then. The adaptive layer of the language-model engine (card 07b, section 7): one candidate, whose
 * probability is mixed from the model's and from how often recalling was right. Integers only. */
#ifndef SZ_ZIP_RECALL_H
#define SZ_ZIP_RECALL_H

#include <szilard/unstable/base.h>

typedef struct sz_recall sz_recall;

/* For up to n_tokens. */
sz_status sz_recall_new(size_t n_tokens, sz_recall **out);
void sz_recall_free(sz_recall *r);
/* The candidate for the next token, or -1. */
int32_t sz_recall_candidate(const sz_recall *r);
/* Its probability in 1/65536, 1 to 65535, where the model gives it `freq` of 2^32. */
uint32_t sz_recall_probability(sz_recall *r, uint32_t freq);
/* Whether the candidate was right, after sz_recall_probability. */
void sz_recall_learn(sz_recall *r, bool right);
/* The next token of the text. */
void sz_recall_append(sz_recall *r, int32_t token);

#endif
