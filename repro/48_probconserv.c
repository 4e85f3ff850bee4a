/* 48_probconserv.c: Stefan's problem seen at a hundred places, predicted by a Gaussian process, and
 * corrected to its known mass: where the prediction is unsure, or everywhere alike. */
#include "repro.h"

#include <math.h>
#include <string.h>
#include <szilard/unstable/conserve.h>
#include <szilard/unstable/num.h>

enum { TIMES = 10, PLACES = 10, SEEN = TIMES * PLACES, GRID = 201, LENGTHS = 4 };
static const double at_time = 0.05, noise = 1e-6; /* a standard deviation of 1e-3 */

/* ---- The predictor --------------------------------------------------------------------------- */

/* Values at (t, x), and the factor of their covariance for the lengths that explain them best. */
typedef struct process {
    double t[SEEN], x[SEEN], u[SEEN];
    double length_t, length_x;
    double l[SEEN * SEEN]; /* lower triangle */
    double weight[SEEN];   /* K^-1 u */
    double evidence;
} process;

/* Matern's kernel of smoothness 3/2. */
static double kernel(const process *p, double dt, double dx) {
    double a = dt / p->length_t, b = dx / p->length_x, r = sqrt(3 * (a * a + b * b));
    return (1 + r) * sz_exp(-r);
}

static void factor(process *p) {
    for (size_t i = 0; i < SEEN; i++)
        for (size_t j = 0; j <= i; j++) {
            double s = kernel(p, p->t[i] - p->t[j], p->x[i] - p->x[j]) + (i == j ? noise : 0);
            for (size_t k = 0; k < j; k++)
                s -= p->l[i * SEEN + k] * p->l[j * SEEN + k];
            p->l[i * SEEN + j] = i == j ? sqrt(s) : s / p->l[j * SEEN + j];
        }
}

static void forward(const process *p, double *v) {
    for (size_t i = 0; i < SEEN; i++) {
        for (size_t k = 0; k < i; k++)
            v[i] -= p->l[i * SEEN + k] * v[k];
        v[i] /= p->l[i * SEEN + i];
    }
}

static void fit(process *p, double length_t, double length_x) {
    p->length_t = length_t;
    p->length_x = length_x;
    factor(p);
    memcpy(p->weight, p->u, sizeof p->u);
    forward(p, p->weight);
    p->evidence = 0;
    for (size_t i = 0; i < SEEN; i++)
        p->evidence -= 0.5 * p->weight[i] * p->weight[i] + sz_log(p->l[i * SEEN + i]);
    for (size_t i = SEEN; i-- > 0;) {
        for (size_t k = i + 1; k < SEEN; k++)
            p->weight[i] -= p->l[k * SEEN + i] * p->weight[k];
        p->weight[i] /= p->l[i * SEEN + i];
    }
}

static void fit_best(process *p) {
    static const double in_time[LENGTHS] = {0.02, 0.05, 0.1, 0.2};
    static const double in_space[LENGTHS] = {0.05, 0.1, 0.2, 0.4};
    double best = -INFINITY, length_t = 0, length_x = 0;
    for (size_t i = 0; i < LENGTHS * LENGTHS; i++) {
        fit(p, in_time[i / LENGTHS], in_space[i % LENGTHS]);
        if (p->evidence > best) {
            best = p->evidence;
            length_t = p->length_t;
            length_x = p->length_x;
        }
    }
    fit(p, length_t, length_x);
}

static void predict(const process *p, const double *x, double *mean, double *var) {
    double k[SEEN];
    for (size_t g = 0; g < GRID; g++) {
        mean[g] = 0;
        for (size_t i = 0; i < SEEN; i++) {
            k[i] = kernel(p, at_time - p->t[i], x[g] - p->x[i]);
            mean[g] += k[i] * p->weight[i];
        }
        forward(p, k);
        var[g] = 1;
        for (size_t i = 0; i < SEEN; i++)
            var[g] -= k[i] * k[i];
        var[g] = var[g] > SZ_CONSERVE_LEAST ? var[g] : SZ_CONSERVE_LEAST;
    }
}

/* ---- The experiment -------------------------------------------------------------------------- */

static double uniform(const sz_repro_run *run, uint64_t *counter) {
    return sz_uniform(run->seed, 480, (*counter)++);
}

/* Ten times, one in each tenth, and ten places, the same at all of them. */
static sz_status observe(const sz_repro_run *run, uint64_t *counter, double u_star, process *p) {
    double place[PLACES];
    sz_conserve_truth truth;
    for (size_t i = 0; i < PLACES; i++) {
        double x = uniform(run, counter);
        size_t j = i;
        for (; j > 0 && place[j - 1] > x; j--)
            place[j] = place[j - 1];
        place[j] = x;
    }
    for (size_t i = 0; i < TIMES; i++) {
        double t = 0.1 * ((double)i + uniform(run, counter)) / TIMES;
        SZ_TRY(
            sz_conserve_field(SZ_LAW_STEFAN, u_star, t, place, PLACES, p->u + i * PLACES, &truth));
        for (size_t j = 0; j < PLACES; j++) {
            p->t[i * PLACES + j] = t;
            p->x[i * PLACES + j] = place[j];
        }
    }
    return SZ_OK;
}

enum { BASE, HARD, SOFT, METHODS };
typedef struct means {
    double mse[METHODS], loglik[METHODS], missed[METHODS]; /* missed: |error| over the mass */
} means;

static sz_status add(means *m, int method, const double *u, const double *mean, const double *var,
                     const double *weights, double mass) {
    double mse, loglik, left = -mass;
    SZ_TRY(sz_conserve_score(u, mean, var, GRID, &mse, &loglik));
    for (size_t g = 0; g < GRID; g++)
        left += weights[g] * mean[g];
    m->mse[method] += mse;
    m->loglik[method] += loglik;
    left = fabs(left) / mass;
    m->missed[method] = left > m->missed[method] ? left : m->missed[method];
    return SZ_OK;
}

static sz_status instance(const sz_repro_run *run, uint64_t *counter, process *p, means *m) {
    double x[GRID], u[GRID], weights[GRID], mean[GRID], var[GRID], fixed[GRID], sure[GRID];
    sz_conserve_truth truth;
    double u_star = 0.55 + 0.15 * uniform(run, counter);
    for (size_t g = 0; g < GRID; g++)
        x[g] = (double)g / (GRID - 1);
    SZ_TRY(observe(run, counter, u_star, p));
    SZ_TRY(sz_conserve_field(SZ_LAW_STEFAN, u_star, at_time, x, GRID, u, &truth));
    SZ_TRY(sz_conserve_trapezoid(x, GRID, weights));
    fit_best(p);
    predict(p, x, mean, var);
    SZ_TRY(add(m, BASE, u, mean, var, weights, truth.mass));
    SZ_TRY(sz_conserve_project(mean, GRID, weights, &truth.mass, 1, fixed));
    SZ_TRY(add(m, HARD, u, fixed, var, weights, truth.mass));
    const sz_conserve_problem problem = {
        .n = GRID, .k = 1, .mean = mean, .var = var, .g = weights, .b = &truth.mass};
    SZ_TRY(sz_conserve_update(&problem, fixed, sure, NULL, NULL));
    return add(m, SOFT, u, fixed, sure, weights, truth.mass);
}

static sz_status run_all(sz_repro_run *run) {
    int instances = run->smoke ? 100 : 300; /* few of them make most of the error */
    uint64_t counter = 0;
    means m = {0};
    process *p = sz_alloc(sizeof *p);
    SZ_REQUIRE(p, SZ_E_NOMEM, "no memory for a Gaussian process");
    sz_status status = SZ_OK;
    for (int i = 0; i < instances && status == SZ_OK; i++)
        status = instance(run, &counter, p, &m);
    sz_free(p);
    SZ_TRY(status);
    sz_repro_check(run, "0", m.missed[SOFT], "<=", 1e-9,
                   "Stefan, %d instances: largest share of the mass that is missed", instances);
    sz_repro_check(run, "0.52, a pilot of 30", m.mse[SOFT] / m.mse[BASE], "<=", 0.75,
                   "mean squared error, of the Gaussian process's");
    if (run->smoke)
        return SZ_OK;
    sz_repro_check(run, "0.60, a pilot of 30", m.mse[SOFT] / m.mse[HARD], "<=", 0.85,
                   "mean squared error, of the Euclidean projection's");
    sz_repro_check(run, "19, a pilot of 30", (m.loglik[SOFT] - m.loglik[HARD]) / instances, ">=", 1,
                   "mean log-likelihood above the projection's, nats");
    sz_repro_check(run, "0.09, a pilot of 30", (m.loglik[SOFT] - m.loglik[BASE]) / instances,
                   ">=", 0, "mean log-likelihood above the Gaussian process's, nats");
    return SZ_OK;
}

const sz_repro sz_repro_48 = {"48", run_all};
