/* batch.h: the spans of a pass, flattened to rows. */
#ifndef SZ_DECODE_BATCH_H
#define SZ_DECODE_BATCH_H

#include "session.h"

/* A token whose distribution is measured. */
typedef struct sz_wanted {
    int32_t next;     /* the token that follows in its span; -1: none */
    bool kept;        /* its logits stay until the next pass */
    float next_logit; /* of `next` */
    sz_logit_stats stats;
} sz_wanted;

/* What the caller asked for, flattened to rows. */
typedef struct sz_batch {
    size_t n, n_want, n_kept;
    int32_t *ids;
    const float *embeddings; /* in place of ids, or NULL */
    uint32_t *seq, *position;
    sz_wanted *want;     /* [n_want], in order of rows */
    uint32_t *want_rows; /* [n_want] */
} sz_batch;

/* Tokens of a span whose distribution is measured. */
size_t sz_span_n_wanted(const sz_span *span);
/* Checks the spans and lays out new tokens behind those that the sequences have. b->embeddings is
 * set by the caller; all memory is the session's arena's. */
sz_status sz_batch_make(sz_session *s, const sz_span *spans, size_t n_spans, sz_batch *b);
/* The last token of a sequence once more. */
sz_status sz_batch_last(sz_session *s, const sz_span *last, sz_batch *b);

#endif
