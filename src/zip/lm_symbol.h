/* lm_symbol.h: one token as symbols of the range coder: is it the candidate that recalling names,
 * and if not, which of the others; the alphabet is the vocabulary and one escape. */
#ifndef SZ_ZIP_LM_SYMBOL_H
#define SZ_ZIP_LM_SYMBOL_H

#include "code/range.h"
#include "zip/lm_text.h"
#include "zip/recall.h"

enum { SZ_LM_ESCAPE_FREQ = 64 /* of 2^32 */ };

/* Where a symbol and the candidate lie in an alphabet. */
typedef struct sz_lm_place {
    int32_t symbol, candidate; /* n_vocab: the escape; candidate -1: none */
    uint64_t cum;
    uint32_t freq, candidate_freq;
} sz_lm_place;

/* freq [n_vocab + 1] of a row of logits, the escape last. */
sz_status sz_lm_frequencies(const float *logits, size_t n_vocab, uint32_t *freq);
sz_lm_place sz_lm_place_find(const uint32_t *freq, size_t n_vocab, int32_t symbol,
                             int32_t candidate);

/* recall: NULL without the adaptive layer. Returns what the symbol costs, in bits. A byte follows
 * an escape. */
double sz_lm_encode(sz_range_encoder *e, sz_recall *recall, const sz_lm_place *p);
double sz_lm_encode_byte(sz_range_encoder *e, uint8_t byte);
/* freq is used up. */
int32_t sz_lm_decode(sz_range_decoder *d, sz_recall *recall, uint32_t *freq, size_t n_vocab);
uint8_t sz_lm_decode_byte(sz_range_decoder *d);

#endif
