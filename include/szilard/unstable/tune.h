/* tune.h: the exactly best value of one knob over many tasks, and how far it can be trusted.
 *
 * The score of a task is a piecewise constant or piecewise polynomial function of the knob alpha in
 * [lo, hi]; the best mean is found from its pieces, without a grid. What is found is a plateau or a
 * point; of equally good plateaus the widest, then the leftmost, and alpha is its middle. Source:
 * Balcan, Nguyen, Sharma 2025 (card 05), whose orders it makes finite; finite constants are the
 * card's. */
#ifndef SZILARD_TUNE_H
#define SZILARD_TUNE_H

#include <szilard/unstable/base.h>

enum { SZ_TUNE_DEGREE = 32 }; /* of polynomials, at most */

/* Pieces [n] from lo to hi, neighbours of equal value joined. */
typedef struct sz_tune_piece {
    double left, right, value;
} sz_tune_piece;
typedef struct sz_tune_curve {
    sz_tune_piece *pieces;
    size_t n;
    double best, left, right, alpha; /* value, plateau, its middle */
    size_t n_cells;  /* distinct interior breaks + 1, before joining: for the certificate */
    size_t n_merged; /* breaks closer than 1e-12 (hi - lo) to another */
} sz_tune_curve;
SZ_API void sz_tune_curve_free(sz_tune_curve *c);
/* The value at alpha: at a break that of the piece to the right. */
SZ_API double sz_tune_curve_at(const sz_tune_curve *c, double alpha);

/* ---- Piecewise constant ------------------------------------------------------------------------
 */

/* values [n_breaks + 1]: values[i] holds between breaks[i - 1] and breaks[i], which rise strictly.
 */
typedef struct sz_tune_steps {
    const double *breaks, *values;
    size_t n_breaks;
} sz_tune_steps;
/* The mean of the tasks. Errors name the first task. O(B log B). */
SZ_API sz_status sz_tune_mean_steps(const sz_tune_steps *tasks, size_t n, double lo, double hi,
                                    sz_tune_curve *out);

/* Examples are right where the largest of (1 - alpha) a + alpha b is at their label, equals by the
 * lowest index: a, b [n][n_classes], labels [n]. The value is the number of right ones. O(n
 * n_classes). */
SZ_API sz_status sz_tune_interpolate(const float *a, const float *b, const int32_t *labels,
                                     size_t n, size_t n_classes, double lo, double hi,
                                     sz_tune_curve *out);
/* The same for scores that are polynomials: [n][n_classes][degree + 1], ascending. */
SZ_API sz_status sz_tune_polynomials(const double *scores, const int32_t *labels, size_t n,
                                     size_t n_classes, size_t degree, double lo, double hi,
                                     sz_tune_curve *out);
/* Scores of node i: sum_j (distance_ij + alpha)^degree m_jc; distance [n][n], m [n][n_classes].
 * normalised: rows divided by sum_j (distance_ij + alpha)^degree, which must be positive: SZ_E_ARG
 * where distance + lo <= 0. */
SZ_API sz_status sz_tune_graph(const double *distance, const double *m, const int32_t *labels,
                               size_t n, size_t n_classes, size_t degree, bool normalised,
                               double lo, double hi, sz_tune_curve *out);

/* ---- Piecewise polynomial ----------------------------------------------------------------------
 */

typedef struct sz_tune_poly {
    double *breaks; /* [n + 1], from lo to hi */
    double *c;      /* [n][degree + 1], ascending */
    size_t n, degree;
    double best, alpha; /* largest value, the leftmost alpha that has it */
} sz_tune_poly;
SZ_API void sz_tune_poly_free(sz_tune_poly *p);
SZ_API double sz_tune_poly_at(const sz_tune_poly *p, double alpha);

/* Mean over tasks of the largest of n_candidates polynomials: c [n_tasks][n_candidates][degree +
 * 1]. */
SZ_API sz_status sz_tune_envelope(const double *c, size_t n_tasks, size_t n_candidates,
                                  size_t degree, double lo, double hi, sz_tune_poly *out);

/* What is 0 at 0 and straight to both sides of it. */
typedef struct sz_tune_bend {
    double below, above; /* slopes */
} sz_tune_bend;
/* Minus the mean squared loss of a net without biases whose hidden units apply alpha first(z) + (1
 * - alpha) second(z): weights[l] [widths[l + 1]][widths[l]], l < n_layers; widths[n_layers] is 1; x
 * [n][widths[0]], y [n]. At most 15 hidden layers. */
SZ_API sz_status sz_tune_activation(const double *const *weights, const size_t *widths,
                                    size_t n_layers, sz_tune_bend first, sz_tune_bend second,
                                    const double *x, const double *y, size_t n, double lo,
                                    double hi, sz_tune_poly *out);

/* Weight alpha in [0, 1] of the mixture (1 - alpha) p + alpha q with the largest mean
 * log-likelihood, from the logarithms of the probabilities that both gave, [n]. */
SZ_API sz_status sz_tune_mixture(const double *log_p, const double *log_q, size_t n, double *alpha,
                                 double *mean_log);

/* ---- Trust -------------------------------------------------------------------------------------
 */

/* Largest N with 2^N <= N b + 1: the pseudo-dimension of utilities with at most b oscillations. */
SZ_API sz_status sz_tune_pseudo_dimension(double oscillations, uint32_t *out);
/* Tasks, each of utility in [0, h], after which the mean is within eps of the expectation for every
 * alpha, with probability 1 - delta: for piecewise constant utilities, and in general. */
SZ_API sz_status sz_tune_tasks_needed(double h, double eps, double delta, double oscillations,
                                      double *piecewise_constant, double *general);
/* The certificate of a run: E u(alpha) >= mean - *gap with probability 1 - delta; above h it says
 * nothing. Of piecewise constant utilities only. */
SZ_API sz_status sz_tune_certificate(size_t n_cells, size_t n_tasks, double h, double delta,
                                     double *gap);
typedef struct sz_tune_network {
    double log_pieces; /* bound on regions of (alpha, weights), nats */
    uint64_t n_weights, output_degree, pseudo_dimension;
} sz_tune_network;
/* widths [n]: of a net whose hidden activation is interpolated, on n_examples; each activation has
 * so many breaks and that degree. */
SZ_API sz_status sz_tune_network_size(const uint64_t *widths, size_t n, uint64_t n_examples,
                                      uint64_t breaks, uint64_t degree, sz_tune_network *out);

#endif
