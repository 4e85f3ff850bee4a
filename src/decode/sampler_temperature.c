/* sampler_temperature.c: logits divided by a temperature; 0 keeps the likeliest token alone. */
#include "sampler.h"

static const sz_option options[] = {
    {"t", "softmax temperature; 0 is greedy", .value = 0.8, .max = 100},
    {0},
};

/* The first of equal maxima. */
static sz_status keep_best(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    sz_candidates_cut(c, sz_candidates_max(c), 1);
    return SZ_OK;
}

static sz_status apply(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    float t = (float)*(const double *)state, limit = __FLT_MAX__;
    float max = sz_candidates_max(c), scaled = max / t;
    if (!(scaled >= -limit && scaled <= limit)) /* t is 0, or so small that logits overflow */
        return keep_best(state, input, c);
    for (size_t i = 0; i < c->n; i++)
        c->logit[i] = c->logit[i] / t;
    return SZ_OK;
}

const sz_sampler_kind sz_sampler_temperature = {
    .name = "temperature",
    .help = "divide logits by a temperature",
    .options = options,
    .apply = apply,
};

const sz_sampler_kind sz_sampler_greedy = {
    .name = "greedy",
    .help = "keep the likeliest token",
    .apply = keep_best,
};
