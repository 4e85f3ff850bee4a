/* sampler_penalties.c: repetition (Keskar et al. 2019), frequency and presence penalties over the
 * last tokens of the sequence. A candidate seen n > 0 times among them gets
 *     z' = (z > 0 ? z / repeat : z * repeat) - (n * frequency + presence). */
#include <string.h>

#include "sampler.h"

typedef struct penalties {
    double repeat, frequency, presence;
    size_t last;
} penalties;

static const sz_option options[] = {
    {"repeat", "divides positive and multiplies negative logits of seen tokens; 1 is off",
     .value = 1, .min = 0.01, .max = 100},
    {"frequency", "subtracted per occurrence", .min = -100, .max = 100},
    {"presence", "subtracted once per seen token", .min = -100, .max = 100},
    {"last", "tokens looked back at, the prompt's included; 0 is off", .value = 64, .max = 1e9,
     .whole = true},
    {0},
};

static sz_status begin(void *state, const double *v, const sz_setting *words) {
    *(penalties *)state = (penalties){v[0], v[1], v[2], (size_t)v[3]};
    return SZ_OK;
}

static float penalized(const penalties *p, float logit, float count) {
    float repeat = (float)p->repeat;
    logit = logit > 0.0f ? logit / repeat : logit * repeat;
    return logit - (count * (float)p->frequency + (float)p->presence);
}

static sz_status apply(const void *state, const sz_sampler_input *in, sz_candidates *c) {
    const penalties *p = state;
    size_t from = in->n_history > p->last ? in->n_history - p->last : 0;
    memset(c->scratch, 0, c->n * sizeof *c->scratch); /* counts */
    for (size_t i = from; i < in->n_history; i++) {
        size_t at = sz_candidates_find(c, in->history[i].id);
        if (at < c->n)
            c->scratch[at] += 1.0f;
    }
    for (size_t i = from; i < in->n_history; i++) {
        size_t at = sz_candidates_find(c, in->history[i].id);
        if (at < c->n && c->scratch[at] > 0.0f)
            c->logit[at] = penalized(p, c->logit[at], c->scratch[at]);
        if (at < c->n)
            c->scratch[at] = 0.0f; /* once for each token */
    }
    return SZ_OK;
}

const sz_sampler_kind sz_sampler_penalties = {
    .name = "penalties",
    .help = "lower the logits of tokens that were seen lately",
    .options = options,
    .state_bytes = sizeof(penalties),
    .begin = begin,
    .apply = apply,
};
