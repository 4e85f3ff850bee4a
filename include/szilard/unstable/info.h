/* info.h: information of distributions, counts, samples and matrices. Usable with no model.
 *
 * Conventions (card 00). All results are in nats; sz_unit_convert serves the screen. Vectors of
 * probabilities must be finite, no entry below -1e-12 and the sum within 1e-6 of 1; they are
 * clamped and normalised once. SZ_E_ARG names what is wrong, with its index. Results that are
 * infinite by definition are returned as +infinity; NaN never is. Quantities that cannot be
 * negative by theorem are clamped at zero; corrected and nearest-neighbour estimates are not: their
 * negative values tell of noise. Threads: pure functions. Bits: identical everywhere. */
#ifndef SZILARD_INFO_H
#define SZILARD_INFO_H

#include <szilard/unstable/base.h>

/* ---- Units --------------------------------------------------------------------------------- */

typedef enum sz_unit { SZ_NAT, SZ_BIT, SZ_HARTLEY } sz_unit;
SZ_API double sz_unit_convert(double nats, sz_unit unit);
SZ_API const char *sz_unit_name(sz_unit unit); /* "nats", "bits", "hartleys" */

/* ---- Logits -------------------------------------------------------------------------------- */

/* Entropy and its kin of softmax(logits / temperature), one pass (card 00).
 * logits [n], finite or -infinity; SZ_E_NAN for NaN, +infinity or an empty support.
 * Nats and nats^2; |dH| <= 4e-6 against float64. Bits: identical everywhere. */
typedef struct sz_logit_stats {
    double log_sum_exp, entropy, varentropy;
    float max;
    int32_t argmax;
} sz_logit_stats;
SZ_API sz_status sz_logits_measure(const sz_runtime *rt, const float *logits, size_t n,
                                   float temperature, sz_logit_stats *out);
/* The likeliest tokens: the k largest of logits [n], none of them NaN, go to ids [k], the largest
 * first, equals by rising id. Returns how many there are: the smaller of k and n.
 * O(n log k) at worst, close to n for real logits; no allocation. */
SZ_API size_t sz_logits_top(const float *logits, size_t n, size_t k, int32_t *ids);

/* The same in float64, as a state that can be merged: sums of exp(z - max) (z - max)^j. Start from
 * zeros; the order of adding and merging changes results by rounding only. */
typedef struct sz_logit_sums {
    double max, s0, s1, s2; /* s0 == 0: nothing added yet */
} sz_logit_sums;
SZ_API void sz_logit_sums_add(sz_logit_sums *s, double logit); /* -infinity adds nothing */
SZ_API void sz_logit_sums_merge(sz_logit_sums *s, const sz_logit_sums *other);
typedef struct sz_logit_entropies {
    double log_sum_exp, shannon, varentropy, min, renyi_2;
} sz_logit_entropies;
SZ_API sz_status sz_entropy_logits(const double *logits, size_t n, sz_logit_entropies *out);

/* ---- Entropies of a distribution p [n], n >= 1 (method A) ------------------------------------ */

SZ_API sz_status sz_entropy_shannon(const double *p, size_t n, double *out);
SZ_API sz_status sz_entropy_hartley(const double *p, size_t n, double *out);
SZ_API sz_status sz_entropy_min(const double *p, size_t n, double *out);
/* alpha >= 0 or infinity: 0 Hartley, 1 Shannon, infinity the min-entropy. Renyi 1961. */
SZ_API sz_status sz_entropy_renyi(const double *p, size_t n, double alpha, double *out);
SZ_API sz_status sz_entropy_tsallis(const double *p, size_t n, double q, double *out); /* q > 0 */
SZ_API sz_status sz_entropy_varentropy(const double *p, size_t n, double *out);        /* nats^2 */

/* ---- Divergences between p and q [n] (method B) ---------------------------------------------- */

SZ_API sz_status sz_div_cross_entropy(const double *p, const double *q, size_t n, double *out);
SZ_API sz_status sz_div_kl(const double *p, const double *q, size_t n, double *out);
/* KL of two softmax distributions from their logits; no probability is rounded on the way. */
SZ_API sz_status sz_div_kl_logits(const float *p, const float *q, size_t n, double *out);
/* w KL(p||m) + (1-w) KL(q||m), m = w p + (1-w) q; 0 <= w <= 1. */
SZ_API sz_status sz_div_js(const double *p, const double *q, size_t n, double w, double *out);
/* H(sum w_i p_i) - sum w_i H(p_i): p [k][n], weights [k] a distribution. */
SZ_API sz_status sz_div_js_many(const double *p, const double *weights, size_t k, size_t n,
                                double *out);
SZ_API sz_status sz_div_renyi(const double *p, const double *q, size_t n, double alpha,
                              double *out);
SZ_API sz_status sz_div_alpha(const double *p, const double *q, size_t n, double alpha,
                              double *out);
SZ_API sz_status sz_div_total_variation(const double *p, const double *q, size_t n, double *out);
SZ_API sz_status sz_div_hellinger2(const double *p, const double *q, size_t n, double *out);
SZ_API sz_status sz_div_chi2(const double *p, const double *q, size_t n, double *out);

/* ---- Counts (method C) ----------------------------------------------------------------------- */

typedef struct sz_count_entropy {
    uint64_t n, k, singletons; /* sample size, cells seen, cells seen once */
    double plug_in, miller_madow, grassberger, chao_shen, jackknife;
    double james_stein, shrinkage; /* towards the uniform law on the given cells */
    double standard_error;         /* of the plug-in estimate, delta method; NaN where n = 1 */
    double best;                   /* Grassberger where n < 50 k, else Miller-Madow */
} sz_count_entropy;
/* counts [cells], the declared alphabet, zeros included; their sum must be positive. */
SZ_API sz_status sz_entropy_counts(const uint64_t *counts, size_t cells, sz_count_entropy *out);

typedef struct sz_table_information {
    uint64_t n, k_x, k_y, k_xy;
    double plug_in, miller_madow;
    double h_x, h_y, h_xy;      /* plug-in entropies */
    double g, degrees, p_value; /* 2 n plug_in against chi^2 with (k_x - 1)(k_y - 1) degrees */
    double standard_error;      /* of the plug-in estimate, delta method */
} sz_table_information;
/* Mutual information of a contingency table [rows][columns]. */
SZ_API sz_status sz_mi_table(const uint64_t *table, size_t rows, size_t columns,
                             sz_table_information *out);
/* Permutation p-value (1 + #{I_b >= I}) / (1 + B) of the table's plug-in information. */
SZ_API sz_status sz_mi_permutation(const uint64_t *table, size_t rows, size_t columns,
                                   uint32_t permutations, uint64_t seed, double *p_value);
/* I(X;Y|Z), plug-in, from a table [n_z][n_x][n_y]. */
SZ_API sz_status sz_mi_conditional(const uint64_t *table, size_t n_z, size_t n_x, size_t n_y,
                                   double *out);
/* sum H(X_i) - H(X_1 .. X_d), plug-in, of codes [n][d]. */
SZ_API sz_status sz_mi_total_correlation(const uint32_t *codes, size_t n, size_t d, double *out);

typedef enum sz_binning {
    SZ_BIN_WIDTH,            /* equal widths */
    SZ_BIN_FREQUENCY,        /* equal counts, ties kept together */
    SZ_BIN_FREEDMAN_DIACONIS /* widths of 2 IQR n^(-1/3); `bins` is ignored */
} sz_binning;
/* Codes 0 .. *used-1 of finite reals x [n]. A constant column falls into one bin. */
SZ_API sz_status sz_bin(const double *x, size_t n, sz_binning rule, uint32_t bins, uint32_t *codes,
                        uint32_t *used);

/* ---- Real samples: k nearest neighbours, max-norm (method D) --------------------------------- */

typedef struct sz_knn_estimate {
    double nats, standard_error; /* spread of the local terms over sqrt(n) */
    double ceiling;              /* information above about ln n cannot be seen; infinity: none */
    size_t n;                    /* samples used */
    bool jittered;               /* duplicates were moved by 1e-10 of their column's scale */
} sz_knn_estimate;
typedef struct sz_knn_options {
    uint32_t k;     /* 0: 3 */
    bool no_jitter; /* duplicates are an error instead */
    uint64_t seed;  /* of the jitter */
} sz_knn_options;
/* Differential entropy of x [n][d]: Kozachenko and Leonenko 1987. */
SZ_API sz_status sz_entropy_knn(const double *x, size_t n, size_t d, const sz_knn_options *options,
                                sz_knn_estimate *out);
/* I(X;Y), x [n][d_x], y [n][d_y]: Kraskov, Stoegbauer, Grassberger 2004, their first and second
 * estimator. O(n log n) in few dimensions. */
SZ_API sz_status sz_mi_ksg1(const double *x, size_t d_x, const double *y, size_t d_y, size_t n,
                            const sz_knn_options *options, sz_knn_estimate *out);
SZ_API sz_status sz_mi_ksg2(const double *x, size_t d_x, const double *y, size_t d_y, size_t n,
                            const sz_knn_options *options, sz_knn_estimate *out);
/* I(label; X): Ross 2014. Labels seen once are dropped. */
SZ_API sz_status sz_mi_ross(const double *x, size_t d, const int32_t *labels, size_t n,
                            const sz_knn_options *options, sz_knn_estimate *out);

/* ---- Matrices (method E) --------------------------------------------------------------------- */

/* Renyi entropy of order alpha of a spectrum [n], negatives clamped, normalised to sum 1; alpha 1:
 * von Neumann. *clamped (may be NULL): mass of the negative part. */
SZ_API sz_status sz_spectral_entropy(const double *values, size_t n, double alpha, double *clamped,
                                     double *out);
/* -sum of l ln l over the k largest of the normalised spectrum; renormalise: of the kept part. */
SZ_API sz_status sz_spectral_truncated(const double *values, size_t n, size_t k, bool renormalise,
                                       double *out);
/* Normalised spectrum of Z Z^T / |Z|_F^2, z [rows][columns], largest first: *values has
 * min(rows, columns) entries, sz_free. center: subtract the mean of each column first. */
SZ_API sz_status sz_spectral_of_rows(const float *z, size_t rows, size_t columns, bool center,
                                     double **values, size_t *n);
/* S_2 = -ln sum A_ij^2 of the same matrix without eigenvalues, O(min(r, c)^2 max(r, c)). */
SZ_API sz_status sz_spectral_renyi2(const float *z, size_t rows, size_t columns, bool center,
                                    double *out);

typedef struct sz_matrix_information {
    double s_x, s_y, s_xy, information;
    double sigma_x, sigma_y; /* kernel widths that were used */
} sz_matrix_information;
/* Matrix-based Renyi information of samples with Gaussian kernels (Sanchez Giraldo, Rao, Principe
 * 2014). sigma 0: the median of distances. alpha > 0. O(n^3). */
SZ_API sz_status sz_mi_matrix(const double *x, size_t d_x, const double *y, size_t d_y, size_t n,
                              double sigma_x, double sigma_y, double alpha,
                              sz_matrix_information *out);

/* ---- Diffusion spectral entropy (Liao, Liu et al. 2023) -------------------------------------- */

/* The rows x [n][d] as a set of points: their squared distances, n <= 10000. */
typedef struct sz_point_set sz_point_set;
SZ_API sz_status sz_point_set_new(const double *x, size_t n, size_t d, sz_point_set **out);
SZ_API void sz_point_set_free(sz_point_set *s);
SZ_API size_t sz_point_set_size(const sz_point_set *s);
/* The median distance to the k-th nearest other point. */
SZ_API sz_status sz_point_set_median_distance(const sz_point_set *s, size_t k, double *out);

typedef enum sz_diffusion_kernel {
    SZ_DIFFUSION, /* D^-1/2 G D^-1/2, G Gaussian: the spectrum of the random walk D^-1 G */
    SZ_ADJACENCY, /* G itself */
} sz_diffusion_kernel;
/* Magnitudes of the eigenvalues of the kernel of width sigma > 0, largest first. subset [n]: which
 * points, NULL: all of them. values [n]. O(n^3). */
SZ_API sz_status sz_diffusion_spectrum(const sz_point_set *s, const uint32_t *subset, size_t n,
                                       double sigma, sz_diffusion_kernel kernel, double *values);
/* Entropy of |l_i|^t / sum |l|^t, t > 0. */
SZ_API sz_status sz_diffusion_entropy(const double *values, size_t n, double t, double *out);

typedef struct sz_dsmi_estimate {
    double nats, standard_error; /* over the random subsets */
    double ceiling;              /* ln of the smallest class: what a term cannot exceed */
    size_t n_used;               /* points in classes of three and more */
} sz_dsmi_estimate;
/* DSE(X) - DSE(X | label) with sizes matched by `repeats` random subsets per class (0: 5). */
SZ_API sz_status sz_dsmi(const sz_point_set *s, const int32_t *labels, double sigma, double t,
                         uint32_t repeats, uint64_t seed, sz_dsmi_estimate *out);

/* ---- Special functions ----------------------------------------------------------------------- */

SZ_API double sz_digamma(double x);               /* x > 0; absolute error below 1e-13 */
SZ_API double sz_log_gamma(double x);             /* x > 0 */
SZ_API double sz_gamma_upper(double a, double x); /* regularised Q(a, x), a > 0, x >= 0 */

#endif
