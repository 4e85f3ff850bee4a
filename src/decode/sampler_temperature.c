/* sampler_temperature.c: logits divided by a temperature; 0 keeps the likeliest token alone. */
#include "sampler.h"

static const sz_option options[] = {
    {"t", "softmax temperature; 0 is greedy", 0.8, 0.0, 100.0},
    {0},
};

/* The first of equal maxima. */
static sz_status keep_best(void *state, const sz_sampler_input *input, sz_candidates *c) {
    sz_candidates_keep_above(c, sz_candidates_max(c));
    c->n = 1;
    return SZ_OK;
}

static sz_status apply(void *state, const sz_sampler_input *input, sz_candidates *c) {
    double t = *(const double *)state;
    if (t == 0.0)
        return keep_best(state, input, c);
    for (size_t i = 0; i < c->n; i++)
        c->logit[i] = c->logit[i] / (float)t;
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
