/* conserve.h: predictions that keep a conservation law: a mean and a covariance of a field,
 * corrected so that sums over it, such as its mass, are what they must be, exactly or up to a
 * noise.
 *
 * Arrays are row-major doubles; g is [k][n], one constraint a row. Outputs may not overlap inputs.
 * Errors name the row or entry. Threads: pure functions. Bits: identical everywhere.
 * Source: Hansen et al. 2023, "Learning physical models that can respect conservation laws". */
#ifndef SZILARD_CONSERVE_H
#define SZILARD_CONSERVE_H

#include <szilard/unstable/base.h>

/* ---- The update ------------------------------------------------------------------------------ */

/* A predictor's field u ~ N(mean, cov), and what is observed of it: b = G u + noise e. */
typedef struct sz_conserve_problem {
    size_t n, k;
    const double *mean; /* [n] */
    const double *var;  /* [n] of a diagonal covariance; or NULL */
    const double *cov;  /* [n][n] symmetric, where var is NULL */
    const double *g;    /* [k][n] */
    const double *b;    /* [k] */
    double noise;       /* variance of the observation; 0: the law holds exactly */
} sz_conserve_problem;

/* What the update does to N(mean, cov): mean [n]; var [n] and cov [n][n] may be NULL. Returns
 * *gain_nats (may be NULL): by how much the joint log density of any field that obeys the law
 * rises; infinite where noise is 0. Variances are at least SZ_CONSERVE_LEAST in var.
 *
 * SZ_E_ARG: a variance below 0, a covariance that is not symmetric, noise < 0, k > n, a constraint
 * along which there is no variance and that is not met already, constraints that contradict each
 * other. One that follows from others and agrees with them changes nothing.
 * SZ_E_NAN: what is not finite. O(k n + k^2 n) for a diagonal covariance without cov, else
 * O(k n^2). */
#define SZ_CONSERVE_LEAST 1e-8
SZ_API sz_status sz_conserve_update(const sz_conserve_problem *p, double *mean, double *var,
                                    double *cov, double *gain_nats);
/* The nearest mean in the Euclidean sense that obeys the law, whatever the variances. */
SZ_API sz_status sz_conserve_project(const double *mean, size_t n, const double *g, const double *b,
                                     size_t k, double *out);
/* Second differences near 0, with the variance that they have in a field of these variances whose
 * neighbours correlate by alpha in [-1, 1]: smooths what oscillates near a shock, before the
 * update. mean [n]; cov [n][n], which may be NULL; n >= 3. O(n), and O(n^2) with cov. */
SZ_API sz_status sz_conserve_diffuse(const double *mean, const double *var, size_t n, double alpha,
                                     double *mean_out, double *cov_out);

/* Weights [n] of the trapezoid rule over strictly rising x [n]: the row of a total mass. */
SZ_API sz_status sz_conserve_trapezoid(const double *x, size_t n, double *weights);

/* Of a prediction against the field u [n]: mean squared error, and the mean over the grid of the
 * log density of its marginals, nats. var > 0. */
SZ_API sz_status sz_conserve_score(const double *u, const double *mean, const double *var, size_t n,
                                   double *mse, double *loglik);

/* ---- Fields that are known exactly ----------------------------------------------------------- */

typedef enum sz_conserve_law {
    SZ_LAW_HEAT,      /* u_t = k u_xx on [0, 2 pi], u = sin x at first; the parameter is k > 0 */
    SZ_LAW_POROUS,    /* u_t = (u^m u_x)_x on [0, 1], inflow (m t)^(1/m); m > 0 */
    SZ_LAW_STEFAN,    /* diffusion where u is at least u* of (0, 1), on [0, 1]; u = 1 at the left */
    SZ_LAW_ADVECTION, /* u_t + beta u_x = 0 on [0, 1], a step at 1/2 moves right; beta > 0 */
    SZ_LAW_BURGERS,   /* u_t + u u_x = 0 on [-1, 1] from a ramp of height a > 0 */
    SZ_LAWS
} sz_conserve_law;
extern SZ_API const char *const sz_conserve_law_names[]; /* in that order, NULL-ended */

typedef struct sz_conserve_truth {
    double mass;  /* the integral over the domain at that time */
    double front; /* Stefan: where the field ends; else NAN */
} sz_conserve_truth;
/* The field at time t >= 0 over x [n]: u [n]. */
SZ_API sz_status sz_conserve_field(sz_conserve_law law, double parameter, double t, const double *x,
                                   size_t n, double *u, sz_conserve_truth *out);

#endif
