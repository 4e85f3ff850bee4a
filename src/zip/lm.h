/* lm.h: the language-model engine: a file costs the surprisal of its tokens (card 07b).
 *
 * Each segment is a stream of its own: a sequence of the session that begins with the model's
 * begin-of-text token. When the context is full, it begins again with the last `overlap` tokens.
 * Decoding advances all segments of a batch in one pass, so that the weights are read once for all
 * of them. Bits: the engine's own promise that a token's logits do not depend on batch, threads or
 * instruction set is what lets a decoder follow an encoder that sees many tokens at once. */
#ifndef SZ_ZIP_LM_H
#define SZ_ZIP_LM_H

#include <szilard/unstable/model.h>

#include "zip/predictor.h"

enum { SZ_PREDICTOR_LM = 1, SZ_LM_LEAST_CONTEXT = 64, SZ_LM_MOST_CONTEXT = 1 << 16 };

/* What the container says of the engine. */
typedef struct sz_lm_about {
    uint32_t context, overlap; /* tokens; overlap < context / 2 */
    bool adaptive;             /* with recall.h */
    uint8_t digest[32];        /* SHA-256 of the model's file */
    char name[64];             /* of the model, for people; may be "" */
} sz_lm_about;

/* What a token cost, told while coding: its bytes within the segment. */
typedef struct sz_lm_cost {
    size_t segment; /* of the batch */
    size_t at, n;
    const uint8_t *bytes; /* [n] */
    double bits;
} sz_lm_cost;
typedef void (*sz_lm_cost_fn)(void *user, const sz_lm_cost *cost);

/* context 0: the smaller of 2048 and the model's own; overlap of an eighth of it. */
sz_status sz_lm_about_make(const sz_model *model, uint32_t context, bool adaptive,
                           const uint8_t digest[32], const char *name, sz_lm_about *out);
/* SZ_E_FORMAT; SZ_E_UNSUPPORTED where the file was coded by kernels or rules that are not ours. */
sz_status sz_lm_about_read(const uint8_t *bytes, size_t n, sz_lm_about *out);

void sz_lm_about_write(const sz_lm_about *about, sz_buf *b);

/* The model is borrowed. SZ_E_ARG: `about` does not fit it. */
sz_status sz_predictor_lm_new(sz_model *model, sz_runtime *rt, const sz_lm_about *about,
                              sz_predictor *out);
extern const sz_predictor_kind sz_predictor_lm;
/* Called for every token that is encoded from now on. */
void sz_predictor_lm_watch(sz_predictor *p, sz_lm_cost_fn fn, void *user);
/* Cuts each window into so many segments when encoding, 16 at most; 0: by its length. Fewer are
 * smaller, for each begins without context, and slower to decode. */
void sz_predictor_lm_split(sz_predictor *p, size_t n_segments);

#endif
