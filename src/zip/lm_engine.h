/* lm_engine.h: what encoding and decoding with a language model share. */
#ifndef SZ_ZIP_LM_ENGINE_H
#define SZ_ZIP_LM_ENGINE_H

#include "zip/lm.h"
#include "zip/lm_symbol.h"

enum { SZ_LM_BATCH = 16 /* segments that are decoded at once */ };

typedef struct sz_lm {
    sz_model *model;
    sz_runtime *rt;
    const sz_tokenizer *tokenizer;
    sz_lm_about about;
    sz_session *session;
    uint32_t sequences[SZ_LM_BATCH];
    uint32_t chunk;    /* most tokens per pass */
    size_t n_segments; /* that a window is cut into; 0: by its length */
    size_t n_vocab;
    int32_t begin;   /* the token that each segment starts with */
    uint32_t **freq; /* [threads][n_vocab + 1] */
    sz_lm_cost_fn cost;
    void *cost_user;
} sz_lm;

/* Makes room for a token in sequence `seq`, which has seen fed [n]: where the context is full, it
 * begins again with the first of them and the last `overlap`. */
sz_status sz_lm_make_room(sz_lm *e, uint32_t seq, const int32_t *fed, size_t n);

sz_status sz_lm_encode_segments(void *self, sz_segment *segments, size_t n);
sz_status sz_lm_decode_segments(void *self, sz_segment *segments, size_t n);

#endif
