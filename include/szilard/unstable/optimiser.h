/* optimiser.h: how parameters move along their gradients: optimisers, schedules, averages.
 *
 * Weight decay is decoupled everywhere (p -= lr * decay * p, of matrices only). Bits: the same for
 * every thread count and instruction set. */
#ifndef SZILARD_OPTIMISER_H
#define SZILARD_OPTIMISER_H

#include <szilard/unstable/nn.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sz_optimiser_kind {
    SZ_SGD,       /* momentum beta1 (0: none), Nesterov's where asked for */
    SZ_ADAMW,     /* Loshchilov and Hutter 2019 */
    SZ_ADAMW8,    /* the same with moments in 8 bits, blocks of 256 (Dettmers et al. 2022) */
    SZ_LION,      /* Chen et al. 2023; wants a third to a tenth of AdamW's rate */
    SZ_ADAFACTOR, /* Shazeer and Stern 2018, without momentum; the rate is given */
    SZ_MUON, /* Jordan et al. 2024: matrices moved along their nearest orthogonal one, scaled to
                AdamW's size of step (Liu et al. 2025); the rest by AdamW */
} sz_optimiser_kind;

typedef struct sz_optimiser_config { /* zeros: the usual values of the kind */
    sz_optimiser_kind kind;
    double beta1, beta2; /* SGD 0; AdamW 0.9, 0.999; Lion 0.9, 0.99; Muon 0.95 for matrices */
    double eps;          /* 1e-8; Adafactor 1e-30 */
    double weight_decay;
    bool nesterov;
    double clip_norm; /* the gradient of all is scaled down to this 2-norm; 0: never */
    double ema_decay; /* in (0, 1): an average of the parameters is kept; 0: none */
} sz_optimiser_config;

typedef struct sz_learned { /* a parameter: tensor with data and grad */
    const char *name;       /* borrowed */
    sz_tensor *tensor;      /* borrowed */
    bool matrix;            /* a linear map: weight decay, and Muon's or Adafactor's own rule */
} sz_learned;

typedef struct sz_optimiser sz_optimiser;
/* SZ_E_ARG: a value out of range, told by its name; SZ_E_NOMEM. */
SZ_API sz_status sz_optimiser_new(sz_runtime *rt, const sz_optimiser_config *config,
                                  const sz_learned *parameters, size_t n, sz_optimiser **out);
SZ_API void sz_optimiser_free(sz_optimiser *o);
/* One step: *norm the 2-norm of the whole gradient before clipping. Gradients become zero. SZ_E_NAN
 * if a gradient is not finite: then no parameter has moved, and the gradients stay. */
SZ_API sz_status sz_optimiser_step(sz_optimiser *o, double rate, double *norm);
/* The average of parameter i, [n_rows][n_cols]; NULL without ema_decay. */
SZ_API const float *sz_optimiser_average(const sz_optimiser *o, size_t i);
SZ_API size_t sz_optimiser_bytes(const sz_optimiser *o); /* of its state */

/* What a checkpoint must keep: steps done, and pieces of memory, in an order that the configuration
 * and the parameters alone decide. */
SZ_API uint64_t sz_optimiser_steps(const sz_optimiser *o);
SZ_API void sz_optimiser_set_steps(sz_optimiser *o, uint64_t steps);
SZ_API size_t sz_optimiser_n_pieces(const sz_optimiser *o);
SZ_API void *sz_optimiser_piece(sz_optimiser *o, size_t i, size_t *bytes);

/* ---- Schedules ----------------------------------------------------------------------------------
 */

typedef enum sz_schedule_kind {
    SZ_CONSTANT,
    SZ_COSINE, /* half a wave from the peak to the floor */
    SZ_LINEAR,
    SZ_WSD, /* warm-up, stable, and a linear decay over the last `decay` steps */
} sz_schedule_kind;
typedef struct sz_schedule {
    sz_schedule_kind kind;
    double peak, floor;            /* rates */
    uint64_t warmup, steps, decay; /* the rate rises linearly over `warmup` steps */
} sz_schedule;
/* The rate of step 0, 1, ...; the floor's (the peak's, if constant) after the last. */
SZ_API double sz_schedule_at(const sz_schedule *s, uint64_t step);

#ifdef __cplusplus
}
#endif
#endif
