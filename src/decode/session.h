/* session.h: the state of a session: sequences over one model. */
#ifndef SZ_DECODE_SESSION_H
#define SZ_DECODE_SESSION_H

#include <szilard/unstable/sampler.h>

#include "model/model.h"

typedef struct sz_sequence {
    bool live;
    uint64_t seed, stream;
    sz_chain *chain; /* NULL: greedy */
    sz_token *records;
    size_t n_records, cap_records;
    float *logits; /* [n_vocab] after the last token; valid if has_logits */
    sz_logit_stats stats;
    bool has_logits;
    sz_buf text;  /* of generated tokens, not yet shown */
    sz_buf shown; /* what the latest sz_session_text returned */
} sz_sequence;

struct sz_session {
    sz_model *model;
    sz_kv *kv;
    sz_arena *arena; /* one pass */
    sz_session_config config;
    sz_sequence *sequences;
    sz_tap_fn tap;
    void *tap_user;
    const float *rows; /* [n_rows][n_vocab] of the latest pass */
    sz_logit_stats *row_stats;
    size_t n_rows;
    int32_t *candidate_id; /* [n_vocab], and two rows of floats, for drawing */
    float *candidate_logit, *candidate_scratch;
};

/* Draws from the sequence's logits into *out (all but the flags of the caller). */
sz_status sz_session_draw(sz_session *s, sz_sequence *q, sz_token *out);
/* Appends a record to the sequence's own. */
sz_status sz_session_add_record(sz_sequence *q, const sz_token *record);
sz_status sz_session_check(const sz_session *s, uint32_t seq);

#endif
