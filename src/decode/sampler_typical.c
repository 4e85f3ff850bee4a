/* sampler_typical.c: locally typical sampling (Meister et al. 2023): the tokens whose surprisal is
 * nearest to the entropy, until their mass exceeds p. */
#include <szilard/unstable/num.h>

#include "edge.h"

static const sz_option options[] = {
    {"p", "probability mass kept; 1 keeps all", .value = 0.95, .max = 1},
    {0},
};

/* context: log-sum-exp + (-entropy): the logit whose surprisal is the entropy. */
static uint32_t rank(const sz_candidates *c, size_t i, const double *context) {
    double off = (double)c->logit[i] - context[0];
    return sz_rank_of((float)(off < 0 ? -off : off));
}

static sz_status apply(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    double p = *(const double *)state;
    if (p >= 1.0)
        return SZ_OK;
    double sum = sz_candidates_weights(c), entropy = sz_candidates_entropy(c, sum);
    double typical = (double)sz_candidates_max(c) + sz_log(sum) - entropy;
    sz_edge_cut(c, rank, &typical, sz_edge_find(c, rank, &typical, p * sum));
    return SZ_OK;
}

const sz_sampler_kind sz_sampler_typical = {
    .name = "typical",
    .help = "keep tokens whose surprisal is near the entropy, up to mass p",
    .options = options,
    .apply = apply,
};
