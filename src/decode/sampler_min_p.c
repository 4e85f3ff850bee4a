/* sampler_min_p.c: tokens with at least p times the probability of the likeliest (Nguyen et al.
 * 2024): a threshold on logits, max + ln p. */
#include <szilard/unstable/num.h>

#include "sampler.h"

static const sz_option options[] = {
    {"p", "share of the largest probability; 0 keeps all", .value = 0.05, .max = 1},
    {"min-keep", "tokens that stay in any case", .value = 1, .min = 1, .max = 1e9, .whole = true},
    {0},
};

static sz_status apply(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    double p = ((const double *)state)[0], least = ((const double *)state)[1];
    if (p <= 0.0)
        return SZ_OK;
    float limit = sz_candidates_max(c) + (float)sz_log(p);
    if (least > 1 && (double)sz_candidates_count(c, limit) < least)
        sz_candidates_keep_top(c, (size_t)least);
    else
        sz_candidates_cut(c, limit, c->n);
    return SZ_OK;
}

const sz_sampler_kind sz_sampler_min_p = {
    .name = "min-p",
    .help = "keep tokens with at least p times the largest probability",
    .options = options,
    .apply = apply,
};
