/* sampler_penalties.c: repetition (Keskar et al. 2019), frequency and presence penalties over the
 * last tokens of the sequence. */
#include <string.h>

#include "sampler.h"

typedef struct penalties {
    double repeat, frequency, presence;
    size_t last;
} penalties;

static const sz_option options[] = {
    {"repeat", "divides positive and multiplies negative logits of seen tokens; 1 is off", 1.0,
     0.01, 100.0},
    {"frequency", "subtracted per occurrence", 0.0, -100.0, 100.0},
    {"presence", "subtracted once per seen token", 0.0, -100.0, 100.0},
    {"last", "tokens looked back at; 0 is off", 64.0, 0.0, 1e9},
    {0},
};

static sz_status begin(void *state, const double *v) {
    *(penalties *)state = (penalties){v[0], v[1], v[2], (size_t)v[3]};
    return SZ_OK;
}

/* Candidates are in rising order of id. */
static float *find(const sz_candidates *c, int32_t id) {
    size_t low = 0, high = c->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->id[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->n && c->id[low] == id ? &c->logit[low] : NULL;
}

static bool seen_before(const sz_token *history, size_t from, size_t i) {
    for (size_t j = from; j < i; j++)
        if (history[j].id == history[i].id)
            return true;
    return false;
}

static sz_status apply(void *state, const sz_sampler_input *in, sz_candidates *c) {
    const penalties *p = state;
    size_t from = in->n_history > p->last ? in->n_history - p->last : 0;
    for (size_t i = from; i < in->n_history; i++) {
        float *logit = find(c, in->history[i].id);
        if (!logit)
            continue;
        if (!seen_before(in->history, from, i)) {
            float repeat = (float)p->repeat;
            *logit = *logit > 0.0f ? *logit / repeat : *logit * repeat;
            *logit -= (float)p->presence;
        }
        *logit -= (float)p->frequency;
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
