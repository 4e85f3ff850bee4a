/* sampler_top_p.c: the smallest set of likeliest tokens with mass >= p (Holtzman et al. 2020); of
 * equally likely ones at its edge the lower ids stay. */
#include <szilard/unstable/num.h>

/* The likeliest first. */
#define SZ_EDGE_RANK(c, i, context) (~sz_rank_of((c)->logit[i]))
#include "edge.h"

static const sz_option options[] = {
    {"p", "probability mass kept; 1 keeps all", .value = 0.95, .max = 1},
    {"min-keep", "tokens that stay in any case", .value = 1, .min = 1, .max = 1e9, .whole = true},
    {0},
};

/* Drops what cannot belong: those with weights below (1 - p) sum / n have less than 1 - p of the
 * mass together. What follows then looks at few. */
static void drop_tail(sz_candidates *c, double p, double sum) {
    double least = sz_log((1.0 - p) * sum / (double)c->n) - 1e-3; /* beyond any rounding */
    sz_candidates_drop_below(c, (float)((double)sz_candidates_max(c) + least));
}

static sz_status apply(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    double p = ((const double *)state)[0], least = ((const double *)state)[1];
    if (p >= 1.0)
        return SZ_OK;
    double sum = sz_candidates_weights(c);
    if (least <= 1)
        drop_tail(c, p, sum);
    /* a mass of exactly p is enough */
    double mass = p * sum * (1.0 - 0x1p-50);
    sz_edge_cut(c, NULL, sz_edge_at_least(c, NULL, sz_edge_find(c, NULL, mass), least));
    return SZ_OK;
}

const sz_sampler_kind sz_sampler_top_p = {
    .name = "top-p",
    .help = "keep the likeliest tokens that together have probability p",
    .options = options,
    .apply = apply,
};
