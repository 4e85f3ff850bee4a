/* loss.h: losses of a classifier over a large vocabulary that never hold its logits, and the family
 * of comp-sum losses with its bounds.
 *
 * Sources: Wijmans et al. 2025 (arXiv 2411.09009), cut cross-entropy; Mao, Mohri, Zhong 2023
 * (arXiv 2304.07288), comp-sum losses. */
#ifndef SZILARD_LOSS_H
#define SZILARD_LOSS_H

#include <szilard/unstable/nn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Cut cross-entropy -------------------------------------------------------------------------
 *
 * logits z = hidden classifier^T + bias, softcap tanh(z / softcap) where asked for; of row i with
 * target y: lse_i = ln sum exp z, nll_i = lse_i - z_y. Logits exist in tiles of a few MB only.
 * Bits: the same for every thread count and instruction set. */

enum { SZ_IGNORE = -100 }; /* a target that does not count */

typedef struct sz_cce {
    const float *hidden;     /* [n][dim] */
    const float *classifier; /* [n_vocab][dim] */
    const float *bias;       /* [n_vocab] or NULL; -infinity masks a token */
    const int32_t *targets;  /* [n]: 0 .. n_vocab - 1, or SZ_IGNORE */
    size_t n, dim, n_vocab;  /* all >= 1 */
} sz_cce;

typedef struct sz_cce_config { /* zeros: the mean of the exact cross-entropy */
    bool sum;                  /* over valid rows, not the mean */
    uint32_t shift;        /* row i is scored with target i + shift; the last ones do not count */
    float softcap;         /* of the logits; 0: none */
    float z_loss;          /* adds z_loss * mean (or sum) of lse^2 */
    float label_smoothing; /* s in [0, 1): the target's share is 1 - s, the rest even; not with
                              comp_sum */
    bool comp_sum;         /* the loss of a row is comp-sum's at tau, not -ln p */
    double tau;            /* >= 0 */
    /* A tile of tile_rows x tile_columns of softmax - onehot whose entries are all below eps adds
     * nothing to the gradients; 0: all do. 2^-12 is the paper's. */
    float filter_eps;
    bool keep_hidden, keep_classifier; /* the filter spares this gradient */
    bool sort;                         /* tiles of the vocabulary in the order of mean logits */
    uint32_t tile_rows, tile_columns;  /* 0: 32 and 256 */
} sz_cce_config;

typedef struct sz_cce_rows { /* of one forward pass; arrays of the caller's, NULL: not wanted */
    float *lse;              /* [n], nats; 0 where a row does not count. Needed for gradients. */
    float *nll;              /* [n], nats: the negative log-probability of the target */
    float *entropy;          /* [n], nats */
    float *mean_logit;       /* [n_vocab]: over valid rows; needed for `sort` */
} sz_cce_rows;

typedef struct sz_cce_result {
    double loss;      /* nats; 0 where no row is valid */
    size_t n_valid;   /* rows that count */
    size_t first_nan; /* first row whose lse is NaN or infinite; SIZE_MAX: none */
    size_t capped;    /* rows whose comp-sum loss was held at 1e30 (tau < 1) */
} sz_cce_result;

/* SZ_E_ARG: a size of 0, a target out of range (told with its position), softcap < 0 or a tau that
 * is no number >= 0; SZ_E_NOMEM. Cost: 2 n n_vocab dim. Memory: a few MB from `scratch`, given
 * back. */
SZ_API sz_status sz_cce_forward(sz_runtime *rt, sz_arena *scratch, const sz_cce *in,
                                const sz_cce_config *config, const sz_cce_rows *rows,
                                sz_cce_result *out);

typedef struct sz_cce_gradients { /* added to, each NULL where not wanted */
    float *hidden;                /* [n][dim] */
    float *classifier;            /* [n_vocab][dim] */
    float *bias;                  /* [n_vocab] */
    size_t tiles, tiles_kept;     /* out: how many there were, how many were used */
    double bound; /* out: no entry of hidden's gradient is off by more, for the filter */
} sz_cce_gradients;

/* Gradients of upstream * loss; rows: lse (and mean_logit, with `sort`) of the forward pass. */
SZ_API sz_status sz_cce_backward(sz_runtime *rt, sz_arena *scratch, const sz_cce *in,
                                 const sz_cce_config *config, const sz_cce_rows *rows,
                                 float upstream, sz_cce_gradients *out);

/* Mean over rows of KL(teacher || student), nats, both given by hidden states and classifiers of
 * one vocabulary (targets are not read), and what gradients it gives the student where wanted. */
SZ_API sz_status sz_cce_kl(sz_runtime *rt, sz_arena *scratch, const sz_cce *teacher,
                           const sz_cce *student, float upstream, sz_cce_gradients *gradients,
                           double *kl);

/* The same on the tape. targets are copied; bias may be NULL. The result is 1 x 1. */
SZ_API sz_tensor *sz_cut_cross_entropy(sz_graph *g, sz_tensor *hidden, sz_tensor *classifier,
                                       sz_tensor *bias, const int32_t *targets,
                                       const sz_cce_config *config, sz_cce_result *result);

/* ---- Comp-sum losses: (p_y^(tau-1) - 1) / (1 - tau), -ln p_y at tau = 1 -------------------------
 */

/* Of one row of n >= 1 scores and its label; gradient [n] or NULL. tau 0: sum-exponential, 1:
 * cross-entropy, between 1 and 2: generalised cross-entropy with q = tau - 1, 2: mean absolute
 * error. Held at 1e30, which *capped tells. SZ_E_ARG: label or tau out of range; SZ_E_NAN. */
SZ_API sz_status sz_comp_sum(const double *scores, size_t n, size_t label, double tau, double *loss,
                             double *gradient, bool *capped);
/* From the log-probability of the target, and the factor p^(tau-1) that multiplies the row's
 * gradient of cross-entropy. */
SZ_API double sz_comp_sum_of(double log_p, double tau);
SZ_API double sz_comp_sum_factor(double log_p, double tau);
/* Least conditional risk of any scores for the label distribution p [n]. */
SZ_API sz_status sz_comp_sum_best(const double *p, size_t n, double tau, double *out);
/* The same for deterministic labels and scores within [-bound, bound]. */
SZ_API sz_status sz_comp_sum_best_bounded(size_t n, double bound, double tau, double *out);
/* The calibration transform T(beta) of eq. H-consistency, beta in [0, 1], n >= 2 classes. */
SZ_API sz_status sz_comp_sum_transform(double beta, size_t n, double tau, double *out);
/* Its inverse: the largest excess error in [0, 1] that an excess loss t >= 0 allows; and a simple
 * upper bound of that (not clamped). Tight for tau <= 1. */
SZ_API sz_status sz_comp_sum_error_bound(double t, size_t n, double tau, double *bound,
                                         double *simple);

/* The smooth adversarial loss: Phi_tau(sum over k != y of exp(-(h_y - h_k) / rho)) on the clean
 * scores, plus nu times the 2-norm of how the margins h_y - h_k change under the attack. */
typedef struct sz_smooth_adversarial {
    double tau, rho, nu; /* rho > 0, nu >= 0 */
} sz_smooth_adversarial;
/* gradients [n] with respect to the clean and to the attacked scores, or NULL. At equal scores the
 * gradient of the norm is taken as 0. */
SZ_API sz_status sz_smooth_adversarial_loss(const sz_smooth_adversarial *s, const double *clean,
                                            const double *attacked, size_t n, size_t label,
                                            double *comp_sum, double *smooth,
                                            double *clean_gradient, double *attacked_gradient);

#ifdef __cplusplus
}
#endif
#endif
