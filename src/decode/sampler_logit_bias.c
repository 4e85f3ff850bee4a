/* sampler_logit_bias.c: a number added to the logit of one token; several stand one after another.
 */
#include <math.h>

#include "sampler.h"

typedef struct bias {
    double id, value;
} bias;

static const sz_option options[] = {
    {"id", "the token", .max = 2147483647, .whole = true},
    {"bias", "added to its logit; -1e9 and below bans it", .min = -1e30, .max = 1e30},
    {0},
};

static sz_status apply(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    const bias *b = state;
    for (size_t i = 0; i < c->n; i++)
        if (c->id[i] == (int32_t)b->id)
            c->logit[i] = b->value <= -1e9 ? -INFINITY : c->logit[i] + (float)b->value;
    return SZ_OK;
}

const sz_sampler_kind sz_sampler_logit_bias = {
    .name = "logit-bias",
    .help = "add a number to one token's logit",
    .options = options,
    .state_bytes = sizeof(bias),
    .apply = apply,
};
