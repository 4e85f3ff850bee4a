/* sampler_eta.c: truncation by an absolute probability, fixed (epsilon) or lowered where the
 * entropy is high (eta); both of Hewitt, Manning, Liang 2022. The likeliest token always stays. */
#include <math.h>
#include <szilard/unstable/num.h>

#include "sampler.h"

static const sz_option epsilon_options[] = {
    {"p", "least probability that is kept; 0 keeps all", .value = 0.0003, .max = 1},
    {0},
};
static const sz_option eta_options[] = {
    {"epsilon", "least probability min(epsilon, sqrt(epsilon) exp(-entropy)); 0 keeps all",
     .value = 0.0002, .max = 1},
    {0},
};

static void keep_at_least(const sz_sampler_input *input, sz_candidates *c, double sum, double p) {
    sz_sampler_note(input, "least_probability", p);
    float max = sz_candidates_max(c), limit = (float)((double)max + sz_log(sum) + sz_log(p));
    sz_candidates_cut(c, limit < max ? limit : max, c->n);
}

static sz_status apply_epsilon(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    double p = *(const double *)state;
    if (p > 0)
        keep_at_least(input, c, sz_candidates_weights(c), p);
    return SZ_OK;
}

static sz_status apply_eta(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    double epsilon = *(const double *)state;
    if (epsilon == 0)
        return SZ_OK;
    double sum = sz_candidates_weights(c);
    double eta = sqrt(epsilon) * sz_exp(-sz_candidates_entropy(c, sum));
    keep_at_least(input, c, sum, eta < epsilon ? eta : epsilon);
    return SZ_OK;
}

const sz_sampler_kind sz_sampler_epsilon = {
    .name = "epsilon",
    .help = "keep tokens with at least probability p",
    .options = epsilon_options,
    .apply = apply_epsilon,
};

const sz_sampler_kind sz_sampler_eta = {
    .name = "eta",
    .help = "keep tokens above a probability that falls with the entropy",
    .options = eta_options,
    .apply = apply_eta,
};
