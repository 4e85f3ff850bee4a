/* watch.h: what was observed of a prompt. */
#ifndef SZ_CACHE_WATCH_H
#define SZ_CACHE_WATCH_H

#include <szilard/unstable/cache.h>

#include "decode/session.h"

struct sz_kv_watch {
    sz_kv_prompt prompt;
    uint32_t *windows;
    double *recent, *total, *ranks;
    float *queries; /* [n_layer][n_picked][n_head * head_dim] */
    uint32_t n_picked, stride;
};

/* Eigenvalues that count for the rank of a head of so many columns: a quarter. */
static inline uint32_t sz_kv_watch_eigenvalues(uint32_t head_dim) {
    return (head_dim + 3) / 4;
}
/* The ranks of the queries that were picked. */
sz_status sz_kv_watch_rank(sz_kv_watch *w, const sz_model *m);

/* What makes a policy go on while tokens follow a prompt (follow.c): made for an empty sequence
 * before its prompt of n tokens; begins when that is computed, observed, and cut down to the plan.
 */
sz_status sz_kv_follow_new(const sz_session *s, const sz_kv_policy *policy, size_t n,
                           sz_follower **out);
sz_status sz_kv_follow_begin(sz_follower *f, const sz_kv_prompt *prompt, const sz_kv_plan *plan);
uint32_t sz_kv_follow_rounds(const sz_follower *f); /* NULL: 0 */

#endif
