/* train.h: training language models: token files, batches, steps, checkpoints.
 *
 * A run is decided by its model, tokens and configuration alone: the weights after a step have the
 * same bits for every number of threads, and whether the run was interrupted or not. */
#ifndef SZILARD_TRAIN_H
#define SZILARD_TRAIN_H

#include <szilard/unstable/gguf.h>
#include <szilard/unstable/loss.h>
#include <szilard/unstable/optimiser.h>
#include <szilard/unstable/tokenizer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- A model to start from ----------------------------------------------------------------------
 */

typedef struct sz_lm_shape { /* of the llama architecture; zeros: the value in brackets */
    uint32_t n_layer;        /* [4] */
    uint32_t n_embd;         /* [128] */
    uint32_t n_head;         /* [4] */
    uint32_t n_head_kv;      /* [n_head] */
    uint32_t n_ff;           /* [8/3 n_embd, up to a multiple of 32] */
    uint32_t n_ctx;          /* [256] */
    float rope_base;         /* [10000] */
} sz_lm_shape;
/* Writes a GGUF file of random weights: normal ones of deviation 0.02, less for what is added to
 * the residual stream; embedding and head are one. Tokens are those of `tokens`, another model's
 * file; NULL: bytes, and an end of text. SZ_E_ARG: a shape that does not go together. */
SZ_API sz_status sz_lm_create(const sz_lm_shape *shape, const sz_gguf *tokens, const char *name,
                              uint64_t seed, const char *path);

/* ---- Tokens -------------------------------------------------------------------------------------
 */

/* Token ids of the texts, in order, an end-of-text token after each where the vocabulary has one,
 * as a .npy file of int32. Texts are read piece by piece, never as a whole. SZ_E_ARG: a text is
 * empty. */
SZ_API sz_status sz_tokens_write(const sz_tokenizer *t, const char *const *texts, size_t n_texts,
                                 const char *path, uint64_t *n_tokens);
typedef struct sz_tokens { /* memory-mapped */
    const int32_t *ids;
    uint64_t n;
    sz_map map;
} sz_tokens;
/* SZ_E_FORMAT: not a .npy file of one dimension of int32, or cut short. */
SZ_API sz_status sz_tokens_open(const char *path, sz_tokens *out);
SZ_API void sz_tokens_close(sz_tokens *t);
/* The same of bytes that the caller keeps, 4-byte aligned; `name` is for messages. Nothing to
 * close.
 */
SZ_API sz_status sz_tokens_parse(const void *data, size_t size, const char *name, sz_tokens *out);

/* Window `index` of pass `epoch` over n windows: a permutation of 0 .. n - 1 that needs no memory.
 */
SZ_API uint64_t sz_shuffle(uint64_t seed, uint64_t epoch, uint64_t n, uint64_t index);

/* ---- Steps --------------------------------------------------------------------------------------
 */

typedef struct sz_train_config { /* zeros: the value in brackets */
    uint32_t batch;              /* windows per step and round [8] */
    uint32_t length;             /* tokens of a window [the model's context, at most 256] */
    uint32_t accumulate;         /* rounds whose gradients make one step [1] */
    uint64_t seed;               /* of the order of windows */
    double hold_out;             /* share of the tokens, from the end, that validation sees alone */
    bool checkpoint;     /* layers are computed again for their gradient: less memory, more time */
    bool join_documents; /* attention goes across the end of a text */
    sz_optimiser_config optimiser;
    sz_schedule schedule; /* peak [1e-3] */
    sz_cce_config loss;
} sz_train_config;

typedef struct sz_train_report { /* of one step */
    uint64_t step;               /* 1 after the first */
    double loss;                 /* nats per token */
    double rate, norm;
    uint64_t n_tokens;
    size_t arena_bytes; /* of activations and gradients, at most */
} sz_train_report;

typedef struct sz_trainer sz_trainer;
/* model: a GGUF file that this build runs, in any format that it reads; tokens: borrowed.
 * SZ_E_ARG: an empty or too short token file, a token that is not in the vocabulary (told with its
 * place), a window longer than the model's context. */
SZ_API sz_status sz_trainer_new(sz_runtime *rt, const char *model, const sz_tokens *tokens,
                                const sz_train_config *config, sz_trainer **out);
SZ_API void sz_trainer_free(sz_trainer *t);
/* SZ_E_NAN: the loss or a gradient is not finite; no weight has moved. SZ_E_CANCELLED: likewise. */
SZ_API sz_status sz_trainer_step(sz_trainer *t, sz_train_report *out);
/* Mean nats per token over what was held out, or over the first of all windows if nothing was; at
 * most `most` windows, 0: all. */
SZ_API sz_status sz_trainer_validate(sz_trainer *t, uint64_t most, double *nats,
                                     uint64_t *n_tokens);
SZ_API uint64_t sz_trainer_steps(const sz_trainer *t);
SZ_API uint64_t sz_trainer_n_parameters(const sz_trainer *t);
SZ_API uint64_t sz_trainer_epoch_steps(const sz_trainer *t); /* steps of a pass over the tokens */

/* Everything that the next step depends on, as one GGUF file, written beside the old one and then
 * put in its place. load: SZ_E_FORMAT if it is damaged, SZ_E_ARG if it is of another run. */
SZ_API sz_status sz_trainer_save(const sz_trainer *t, const char *path);
SZ_API sz_status sz_trainer_load(sz_trainer *t, const char *path);
/* The model as a GGUF file of F32 with the metadata of the one it came from; average: of
 * optimiser.ema_decay, where there is one. */
SZ_API sz_status sz_trainer_export(const sz_trainer *t, const char *name, bool average,
                                   const char *path);

#ifdef __cplusplus
}
#endif
#endif
