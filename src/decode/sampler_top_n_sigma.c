/* sampler_top_n_sigma.c: tokens within n standard deviations below the largest logit (Tang et al.
 * 2024). Logits of -infinity do not count. The set does not depend on the temperature. */
#include <math.h>

#include "sampler.h"

static const sz_option options[] = {
    {"n", "standard deviations of the logits; 0 or less keeps all", .value = 1, .min = -1000,
     .max = 1000},
    {0},
};

static double deviation(const sz_candidates *c) {
    double mean = 0, square = 0;
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->logit[i] >= -__FLT_MAX__) {
            mean += (double)c->logit[i];
            n++;
        }
    mean /= (double)n;
    for (size_t i = 0; i < c->n; i++)
        if (c->logit[i] >= -__FLT_MAX__) {
            double off = (double)c->logit[i] - mean;
            square += off * off;
        }
    return sqrt(square / (double)n);
}

static sz_status apply(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    double n = *(const double *)state;
    if (n <= 0)
        return SZ_OK;
    double sigma = deviation(c);
    sz_sampler_note(input, "sigma", sigma);
    sz_candidates_cut(c, (float)((double)sz_candidates_max(c) - n * sigma), c->n);
    return SZ_OK;
}

const sz_sampler_kind sz_sampler_top_n_sigma = {
    .name = "top-n-sigma",
    .help = "keep logits within n standard deviations of the largest",
    .options = options,
    .apply = apply,
};
