/* smc.c: sequential Monte Carlo: move, weigh, and resample where few particles carry the weight. */
#include <math.h>
#include <szilard/unstable/bayes.h>
#include <szilard/unstable/num.h>

typedef struct run {
    const sz_smc_model *model;
    const sz_smc_config *config;
    size_t n;
    double *log_weights, *increments, *uniforms; /* [n] each */
    uint32_t *ancestors;                         /* [n] */
    sz_smc_account *account;
} run;

static sz_status move(run *r, size_t *n_left) {
    size_t step = r->account->n_steps;
    for (size_t i = 0; i < r->n; i++)
        r->increments[i] = 0.0;
    SZ_TRY(r->model->step(r->model->user, step, r->log_weights, r->increments, n_left));
    for (size_t i = 0; i < r->n; i++) {
        if (r->log_weights[i] == -INFINITY)
            continue;
        SZ_REQUIRE(r->increments[i] < INFINITY, SZ_E_NAN,
                   "step %zu: the log weight of particle %zu grows by %g", step, i,
                   r->increments[i]);
        r->log_weights[i] += r->increments[i];
    }
    r->account->n_steps++;
    return sz_weights_measure(r->log_weights, r->n, NULL, &r->account->figures);
}

static sz_status choose(run *r) {
    const sz_smc_config *c = r->config;
    size_t step = r->account->n_steps - 1;
    if (!c->uniform)
        return sz_resample(c->scheme, r->log_weights, r->n, c->seed, c->stream, step, r->ancestors,
                           r->n);
    for (size_t i = 0; i < r->n; i++)
        r->uniforms[i] = c->uniform(c->uniform_user, step, i);
    return sz_resample_with(c->scheme, r->log_weights, r->n, r->uniforms, r->ancestors, r->n);
}

/* Each gets the mean weight: the population's mass stays. */
static sz_status resample(run *r) {
    SZ_TRY(choose(r));
    SZ_TRY(r->model->resample(r->model->user, r->ancestors));
    for (size_t i = 0; i < r->n; i++)
        r->log_weights[i] = r->account->figures.log_mean;
    r->account->n_resampled++;
    return SZ_OK;
}

static bool wants_resampling(const run *r) {
    double threshold = r->config->threshold == 0.0 ? 0.5 : r->config->threshold;
    return r->account->figures.ess > 0.0 &&
           (threshold > 1.0 || r->account->figures.ess < threshold * (double)r->n);
}

static void tell(const run *r, bool resampled) {
    const sz_smc_account *a = r->account;
    sz_smc_step s = {a->n_steps - 1, a->figures, a->figures.log_sum, resampled};
    if (r->config->observe)
        r->config->observe(r->config->observe_user, &s);
}

static sz_status run_steps(run *r) {
    sz_smc_account *a = r->account;
    for (size_t n_left = r->n; n_left > 0;) {
        SZ_TRY(move(r, &n_left));
        a->least_ess = a->figures.ess < a->least_ess ? a->figures.ess : a->least_ess;
        bool dead = !(a->figures.ess > 0.0), last = dead || n_left == 0;
        bool bound = r->config->max_steps > 0 && a->n_steps >= r->config->max_steps;
        bool resampled = !last && !bound && wants_resampling(r);
        if (resampled)
            SZ_TRY(resample(r));
        tell(r, resampled);
        a->complete = last;
        if (last || bound)
            break;
    }
    a->log_evidence = a->figures.log_sum;
    return SZ_OK;
}

static sz_status check(const sz_smc_model *model, const sz_smc_config *c, const double *log_weights,
                       const sz_smc_account *out) {
    SZ_REQUIRE(model && model->step && model->resample && c && log_weights && out, SZ_E_ARG,
               "sz_smc_run: a NULL argument");
    SZ_REQUIRE(c->n_particles > 0 && c->n_particles <= SZ_PARTICLES_MAX, SZ_E_ARG,
               "%zu particles: from 1 to %d", c->n_particles, SZ_PARTICLES_MAX);
    SZ_REQUIRE((unsigned)c->scheme <= SZ_RESAMPLE_RESIDUAL, SZ_E_ARG,
               "unknown resampling scheme %d", (int)c->scheme);
    SZ_REQUIRE(c->threshold == c->threshold, SZ_E_ARG, "the threshold of resampling is NaN");
    return SZ_OK;
}

sz_status sz_smc_run(const sz_smc_model *model, const sz_smc_config *config, double *log_weights,
                     sz_smc_account *out) {
    SZ_TRY(check(model, config, log_weights, out));
    size_t n = config->n_particles;
    sz_smc_account account = {.least_ess = (double)n};
    run r = {
        .model = model, .config = config, .n = n, .log_weights = log_weights, .account = &account};
    r.increments = sz_alloc(n * sizeof *r.increments);
    r.uniforms = sz_alloc(n * sizeof *r.uniforms);
    r.ancestors = sz_alloc(n * sizeof *r.ancestors);
    for (size_t i = 0; i < n; i++)
        log_weights[i] = -sz_log((double)n);
    sz_status status = r.increments && r.uniforms && r.ancestors
                           ? run_steps(&r)
                           : sz_fail(SZ_E_NOMEM, "no memory for %zu particles", n);
    sz_free(r.increments);
    sz_free(r.uniforms);
    sz_free(r.ancestors);
    if (status == SZ_OK)
        *out = account;
    return status;
}
