/* sampler_typical.c: locally typical sampling (Meister et al. 2023): the tokens whose surprisal is
 * nearest to the entropy, until their mass exceeds p. */
#include <szilard/unstable/num.h>

#include "num/kernels/kernels.h"

/* context[0]: the logit whose surprisal is the entropy. The nearest first. */
#define SZ_EDGE_RANK(c, i, context) distance_rank((c)->logit[i], (context)[0])
static inline uint32_t distance_rank(float logit, double typical);
#include "edge.h"

static const sz_option options[] = {
    {"p", "probability mass kept; 1 keeps all", .value = 0.95, .max = 1},
    {"min-keep", "tokens that stay in any case", .value = 1, .min = 1, .max = 1e9, .whole = true},
    {0},
};

static inline uint32_t distance_rank(float logit, double typical) {
    double off = (double)logit - typical;
    return sz_rank_of((float)(off < 0 ? -off : off));
}

/* Drops what cannot belong: those below the typical logit that are further from it than the
 * likeliest is come last, the likelier of them first; and of those, the ones with weights below
 * (1 - p) sum / n have less than 1 - p of the mass together. What follows then looks at few. */
static void drop_tail(sz_candidates *c, double p, double sum, double typical) {
    double max = (double)sz_candidates_max(c);
    double least = max + sz_log((1.0 - p) * sum / (double)c->n), mirrored = 2 * typical - max;
    double limit = (least < mirrored ? least : mirrored) - 1e-3; /* beyond any rounding */
    sz_candidates_drop_below(c, (float)limit);
}

static sz_status apply(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    double p = ((const double *)state)[0], least = ((const double *)state)[1];
    if (p >= 1.0)
        return SZ_OK;
    double sum = sz_candidates_weights(c);
    sz_softmax_stats stats;
    c->kernels->softmax_stats(c->logit, c->n, 1.0f, &stats);
    double typical = stats.lse - stats.entropy;
    if (least <= 1)
        drop_tail(c, p, sum, typical);
    sz_edge edge = sz_edge_find(c, &typical, p * sum);
    sz_edge_cut(c, &typical, sz_edge_at_least(c, &typical, edge, least));
    return SZ_OK;
}

const sz_sampler_kind sz_sampler_typical = {
    .name = "typical",
    .help = "keep tokens whose surprisal is near the entropy, up to mass p",
    .options = options,
    .apply = apply,
};
