/* sampler_xtc.c: exclude top choices: with some probability, of the tokens above a threshold only
 * the least likely stays, where there are two or more; all below the threshold stay too. */
#include <szilard/unstable/num.h>

#include "sampler.h"

typedef struct xtc {
    double probability, threshold, min_keep;
} xtc;

static const sz_option options[] = {
    {"probability", "how often it acts; 0 is never", .value = 0.5, .max = 1},
    {"threshold", "probability from which a token is a top choice", .value = 0.1, .max = 0.5},
    {"min-keep", "it acts where at least so many tokens remain", .value = 1, .min = 1, .max = 1e9,
     .whole = true},
    {0},
};

/* The last of the least likely candidates at or above `limit`; *n: how many there are. */
static size_t least_above(const sz_candidates *c, float limit, size_t *n) {
    size_t least = c->n;
    *n = 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->logit[i] >= limit) {
            ++*n;
            least = least == c->n || c->logit[i] <= c->logit[least] ? i : least;
        }
    return least;
}

static sz_status apply(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    const xtc *x = state;
    if (x->threshold == 0 || !(sz_sampler_uniform(input, 0) < x->probability))
        return SZ_OK;
    double sum = sz_candidates_weights(c);
    float limit = (float)((double)sz_candidates_max(c) + sz_log(sum) + sz_log(x->threshold));
    size_t n_above, stays = least_above(c, limit, &n_above), kept = 0;
    if (n_above < 2 || (double)(c->n - n_above + 1) < x->min_keep)
        return SZ_OK;
    for (size_t i = 0; i < c->n; i++) {
        if (c->logit[i] >= limit && i != stays)
            continue;
        c->id[kept] = c->id[i];
        c->logit[kept++] = c->logit[i];
    }
    c->n = kept;
    return SZ_OK;
}

const sz_sampler_kind sz_sampler_xtc = {
    .name = "xtc",
    .help = "now and then drop all top choices but the least likely",
    .options = options,
    .state_bytes = sizeof(xtc),
    .apply = apply,
};
