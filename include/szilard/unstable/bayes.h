/* bayes.h: populations of weighted hypotheses ("particles"), how they are resampled, and sequential
 * Monte Carlo over any model. Knows no language model.
 *
 * Weights are logarithms in nats; -infinity is a weight of zero. A population stands for the
 * measure sum_i w_i delta(x_i), which need not sum to 1: its total mass estimates the evidence
 * (normalising constant) Z without bias, and every step here keeps the expected measure as it is.
 * Randomness: Philox, a function of seed, stream and step alone. Bits: identical everywhere.
 * Source: Scibior et al. 2018, "Denotational validation of higher-order Bayesian inference". */
#ifndef SZILARD_BAYES_H
#define SZILARD_BAYES_H

#include <szilard/unstable/base.h>

enum { SZ_PARTICLES_MAX = 1 << 28 };

/* ---- Weights --------------------------------------------------------------------------------- */

typedef struct sz_weight_figures {
    double log_sum;  /* ln sum w; -infinity: all weights are zero */
    double log_mean; /* ln of their mean */
    double ess; /* effective sample size 1 / sum W^2 of the normalised weights W: 1 .. n; 0 where
                   all are zero */
    double entropy; /* of W, nats; exp(entropy) is another effective size */
} sz_weight_figures;

/* log_weights [n], n >= 1; shares [n] takes W (zeros where all weights are zero), or NULL.
 * SZ_E_NAN names the first weight that is NaN or +infinity. O(n). */
SZ_API sz_status sz_weights_measure(const double *log_weights, size_t n, double *shares,
                                    sz_weight_figures *out);

/* ---- Resampling ------------------------------------------------------------------------------ */

/* n_out indices such that index i is expected n_out W_i times: that is what keeps the measure. A
 * point s of [0, 1) takes the first i whose cumulative W is above s. */
typedef enum sz_resampling {
    SZ_RESAMPLE_SYSTEMATIC,  /* points (k + u) / n_out with one u; the least noise of the four */
    SZ_RESAMPLE_STRATIFIED,  /* points (k + u_k) / n_out */
    SZ_RESAMPLE_MULTINOMIAL, /* points u_k */
    SZ_RESAMPLE_RESIDUAL,    /* floor(n_out W_i) copies, the rest multinomial on what is left */
} sz_resampling;
extern SZ_API const char *const sz_resampling_names[]; /* in that order, NULL-ended */

/* ancestors [n_out]; they rise with systematic and stratified points. SZ_E_STATE: all weights are
 * zero. O(n + n_out), multinomial points O(n_out log n). */
SZ_API sz_status sz_resample(sz_resampling scheme, const double *log_weights, size_t n,
                             uint64_t seed, uint64_t stream, uint64_t step, uint32_t *ancestors,
                             size_t n_out);
/* The same with uniforms [n_out] in [0, 1) of the caller's, of which a scheme takes as many as it
 * needs from the front. */
SZ_API sz_status sz_resample_with(sz_resampling scheme, const double *log_weights, size_t n,
                                  const double *uniforms, uint32_t *ancestors, size_t n_out);

/* ---- Sequential Monte Carlo ------------------------------------------------------------------ */

/* What moves the particles: all of them in one call, so that a model can compute them together. */
typedef struct sz_smc_model {
    void *user;
    /* Moves every particle on by a step, drawing from its proposal q, and says by how much its log
     * weight grows: ln p - ln q + ln phi_t - ln phi_(t-1) for a target with potentials phi; 0 for a
     * particle that has come to its end. One of weight zero (log_weights[i] is -infinity) need not
     * move. *n_left: particles that have not come to their end; 0 ends the run. */
    sz_status (*step)(void *user, size_t step, const double *log_weights, double *log_increments,
                      size_t *n_left);
    /* Particle i becomes a copy of the old particle ancestors[i]. */
    sz_status (*resample)(void *user, const uint32_t *ancestors);
} sz_smc_model;

typedef struct sz_smc_step {   /* what sz_smc_config.observe is told */
    size_t step;               /* from 0 */
    sz_weight_figures figures; /* before resampling */
    double log_evidence;       /* the estimate so far */
    bool resampled;
} sz_smc_step;

typedef struct sz_smc_config {
    size_t n_particles; /* >= 1 */
    sz_resampling scheme;
    double threshold; /* resample where ESS < threshold n; 0: 1/2; above 1: after every step;
                         negative: never (importance sampling) */
    size_t max_steps; /* 0: no bound but the model's own */
    uint64_t seed, stream;
    void (*observe)(void *user, const sz_smc_step *step); /* NULL: nobody */
    void *observe_user;
    /* In place of Philox, for whoever enumerates all draws: the i-th uniform after a step. */
    double (*uniform)(void *user, size_t step, size_t i);
    void *uniform_user;
} sz_smc_config;

typedef struct sz_smc_account {
    double log_evidence;       /* ln Z, of an estimate Z that is unbiased; -infinity: Z = 0 */
    sz_weight_figures figures; /* of the final weights */
    double least_ess;          /* over all steps */
    size_t n_steps, n_resampled;
    bool complete; /* every particle came to its end, or has weight zero */
} sz_smc_account;

/* Runs the model to its end: weights start at 1/n each, and after a resampling each is their mean,
 * so log_weights [n_particles] (final, out) sum to the evidence. Resampling never follows the last
 * step. A population whose weights are all zero ends the run: Z = 0 is a result, not an error.
 * SZ_E_NAN names step and particle where an increment is NaN or +infinity; errors of the model are
 * passed on. */
SZ_API sz_status sz_smc_run(const sz_smc_model *model, const sz_smc_config *config,
                            double *log_weights, sz_smc_account *out);

#endif
