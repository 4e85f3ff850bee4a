/* sampler_top_k.c: the k likeliest tokens (Fan et al. 2018). Of equal logits the lower ids stay. */
#include "sampler.h"

static const sz_option options[] = {
    {"k", "tokens kept; 0 or less keeps all", .value = 40, .min = -1e9, .max = 1e9, .whole = true},
    {0},
};

static sz_status apply(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    double k = *(const double *)state;
    sz_candidates_keep_top(c, k > 0 ? (size_t)k : 0);
    return SZ_OK;
}

const sz_sampler_kind sz_sampler_top_k = {
    .name = "top-k",
    .help = "keep the k likeliest tokens",
    .options = options,
    .apply = apply,
};
