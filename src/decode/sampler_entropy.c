/* sampler_entropy.c: temperatures that follow the entropy: dynamic temperature, which rises with
 * the entropy of the candidates, and a temperature solved for so that the entropy is as asked. */
#include <math.h>
#include <szilard/unstable/num.h>

#include "num/kernels/kernels.h"
#include "sampler.h"

typedef struct dynamic {
    double temperature, range, exponent;
} dynamic;

static const sz_option dynamic_options[] = {
    {"t", "temperature in the middle", .value = 0.8, .max = 100},
    {"range", "from t - range (not below 0) for a sure model to t + range for an unsure one",
     .value = 0.5, .max = 100},
    {"exponent", "of the share of the greatest entropy", .value = 1, .min = 0.01, .max = 100},
    {0},
};
static const sz_option target_options[] = {
    {"h", "entropy of what is drawn from, in nats", .value = 1, .max = 100},
    {0},
};

static sz_status set_temperature(sz_candidates *c, double t) {
    float max = sz_candidates_max(c);
    if (!((double)max / t >= -1e30 && (double)max / t <= 1e30)) {
        sz_candidates_cut(c, max, 1);
        return SZ_OK;
    }
    for (size_t i = 0; i < c->n; i++)
        c->logit[i] = (float)((double)(c->logit[i] - max) / t);
    return SZ_OK;
}

static sz_status apply_dynamic(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    const dynamic *d = state;
    size_t n = sz_candidates_count(c, -__FLT_MAX__); /* what cannot be drawn does not count */
    if (n < 2)
        return SZ_OK;
    double low = d->temperature > d->range ? d->temperature - d->range : 0;
    double entropy = sz_candidates_entropy(c, sz_candidates_weights(c));
    double share = entropy / sz_log((double)n);
    double power = share > 0 ? sz_pow(share, d->exponent) : 0;
    double t = low + (d->temperature + d->range - low) * power;
    sz_sampler_note(input, "temperature", t);
    return set_temperature(c, t);
}

/* Newton's steps in ln t, kept inside a bracket: the entropy rises with t, and its slope over ln t
 * is the variance of logit / t, the varentropy. */
static double solve_temperature(const sz_candidates *c, double wanted) {
    double low = -12, high = 12, x = 0;
    for (int i = 0; i < 60 && high - low > 1e-9; i++) {
        sz_softmax_stats at;
        c->kernels->softmax_stats(c->logit, c->n, (float)sz_exp(x), &at);
        double off = at.entropy - wanted;
        if (off < 1e-6 && off > -1e-6)
            break;
        if (off > 0)
            high = x;
        else
            low = x;
        double next = at.varentropy > 1e-12 ? x - off / at.varentropy : low;
        x = next > low && next < high ? next : 0.5 * (low + high);
    }
    return sz_exp(x);
}

static sz_status apply_target(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    double h = *(const double *)state;
    if (c->n < 2)
        return SZ_OK;
    double t = solve_temperature(c, h);
    sz_sampler_note(input, "temperature", t);
    return set_temperature(c, t);
}

const sz_sampler_kind sz_sampler_dynamic_temperature = {
    .name = "dynamic-temperature",
    .help = "a temperature that rises with the entropy",
    .options = dynamic_options,
    .state_bytes = sizeof(dynamic),
    .apply = apply_dynamic,
};

const sz_sampler_kind sz_sampler_target_entropy = {
    .name = "target-entropy",
    .help = "the temperature at which the entropy is h",
    .options = target_options,
    .apply = apply_target,
};
