/* router.h: the inside of a router. */
#ifndef SZ_DECODE_ROUTER_H
#define SZ_DECODE_ROUTER_H

#include "session.h"

#include <szilard/unstable/router.h>

struct sz_router {
    const sz_router_kind *kind;
    void *state;
    sz_session *sessions[2]; /* by role; each holds a beginning of the text */
    /* The text, with its records and its chain. It has no logits of its own: those of the model
     * that draws are lent to it for the draw. */
    sz_sequence text;
    uint32_t context;
    int32_t *ids; /* [chunk] of a pass */
    uint32_t chunk;
    sz_router_role writer; /* of the latest token */
    sz_router_account account;
};

/* One pass of a model over ids that follow what it holds. */
sz_status sz_router_pass(sz_router *r, sz_router_role role, const int32_t *ids, size_t n,
                         sz_want want);
/* Lets a model compute the text up to its first n tokens, without logits. */
sz_status sz_router_catch_up(sz_router *r, sz_router_role role, size_t n);
/* Draws with `from`, the text or a guess of how it goes on, from given logits. */
sz_status sz_router_draw_row(sz_router *r, sz_router_role role, sz_sequence *from,
                             const float *logits, const sz_logit_stats *stats, sz_token *out);

#endif
