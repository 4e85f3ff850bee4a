/* edge.h: the shortest prefix of candidates, in some order, that has a given mass. */
#ifndef SZ_DECODE_EDGE_H
#define SZ_DECODE_EDGE_H

#include "sampler.h"

/* A candidate's place in the order: a lower rank comes first, equal ranks by id. */
typedef uint32_t (*sz_rank_fn)(const sz_candidates *c, size_t i, const double *context);

typedef struct sz_edge {
    uint32_t rank;  /* of the last that stays */
    size_t n_equal; /* how many of that rank stay */
} sz_edge;

/* The edge of the shortest prefix whose weights (in the scratch) sum to more than `mass`; all
 * candidates where none does. Three passes, of which two see only the edge's neighbourhood. */
sz_edge sz_edge_find(const sz_candidates *c, sz_rank_fn rank, const double *context, double mass);
/* The index of the candidate at the edge. */
size_t sz_edge_last(const sz_candidates *c, sz_rank_fn rank, const double *context, sz_edge edge);
void sz_edge_cut(sz_candidates *c, sz_rank_fn rank, const double *context, sz_edge edge);

/* Rising with the number, for ranks of any floats but NaN. */
static inline uint32_t sz_rank_of(float x) {
    union {
        float f;
        uint32_t bits;
    } u = {x};
    return u.bits & 0x80000000u ? ~u.bits : u.bits | 0x80000000u;
}

#endif
