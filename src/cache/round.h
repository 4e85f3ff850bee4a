/* round.h: the state of a policy that goes on while tokens follow, and one round of it. */
#ifndef SZ_CACHE_ROUND_H
#define SZ_CACHE_ROUND_H

#include "watch.h"

typedef struct sz_kv_follower {
    sz_follower base;
    sz_kv_policy policy;      /* without a profile */
    uint32_t every, next;     /* the length at which it forgets next */
    uint32_t n_layer, n_head; /* cached heads of each layer */
    uint32_t width, n_rows;   /* of queries */
    float *queries;           /* [n_layer][n_rows][width] of the latest tokens */
    double *rank;             /* [n_layer][n_head], or NULL */
    uint32_t *capacity;       /* [n_layer][n_head]; NULL: it has not forgotten anything yet */
    size_t *total_first;      /* [n_layer n_head + 1]: first of each head's in total */
    double *total;            /* attention that the places of each head got so far, or NULL */
    uint32_t seen;            /* tokens whose attention is in it */
    uint32_t n_rounds;
} sz_kv_follower;

static inline float *sz_kv_follower_query(const sz_kv_follower *f, uint32_t layer,
                                          uint32_t position) {
    return f->queries + ((size_t)layer * f->n_rows + position % f->n_rows) * f->width;
}

/* Adds up attention up to the last token of the sequence and, if `forget`, cuts each head down. On
 * failure nothing has changed. */
sz_status sz_kv_round(sz_kv_follower *f, sz_session *s, uint32_t seq, bool forget);

#endif
