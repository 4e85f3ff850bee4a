/* model.h: an open model: hyperparameters, weights, and the pass that computes tokens. */
#ifndef SZ_MODEL_MODEL_H
#define SZ_MODEL_MODEL_H

#include <szilard/unstable/model.h>

#include "kv.h"
#include "nn/graph.h"
#include <szilard/unstable/optimiser.h>

typedef struct sz_hparams {
    uint32_t n_layer, n_embd, n_head, n_head_kv, head_dim, n_ff, n_vocab, n_ctx_train;
    float rms_eps;
    uint32_t n_rot; /* rotated columns of a head */
    double rope_base, rope_base_local;
    uint32_t window;         /* 0: none; else keys at distance < window are seen */
    uint32_t window_pattern; /* every n-th layer is global; 0: all layers use the window */
    float attention_scale, embedding_scale;
    bool rope_interleaved; /* the file's q and k rows pair (2i, 2i+1); undone while loading */
} sz_hparams;

/* One layer's weights; what an architecture does not have is NULL or empty. */
typedef struct sz_layer {
    sz_tensor *attn_norm, *ffn_norm, *post_attn_norm, *post_ffn_norm, *q_norm, *k_norm;
    sz_weight q, k, v, o, gate, up, down;
    uint32_t window; /* keys at distance < window are seen; 0: all */
    int rope;        /* 0: global frequencies, 1: local ones */
} sz_layer;

/* Frequencies of one kind of layer: angle = position * inverse[i], values times `scale`. */
typedef struct sz_rope_table {
    double *inverse; /* [n_rot / 2] */
    float scale;
} sz_rope_table;

typedef struct sz_architecture sz_architecture;

struct sz_model {
    sz_runtime *rt;
    sz_gguf *gguf;
    sz_tokenizer *tokenizer;
    sz_template *chat_template; /* NULL: the file has none */
    sz_arena *arena;            /* small weights, strings, tables */
    const sz_architecture *architecture;
    sz_hparams h;
    sz_layer *layers;
    sz_tensor *output_norm;
    sz_weight head;
    sz_type embedding_type;
    const void *embedding; /* [n_vocab] rows in the file; NULL: those of the head */
    uint8_t *panels;       /* all repacked matrices, panel_bytes */
    bool learns;           /* weights are floats with gradients (learn.h), nothing is repacked */
    sz_learned *learned;   /* [n_learned], in the order of loading */
    bool *learned_paired;  /* [n_learned]: rows of the file are in pair order */
    size_t n_learned;
    sz_tensor *embedding_values; /* that learn, where they are not those of the head */
    sz_rope_table rope[2];       /* global, local */
    const char *name, *file_type;
    uint64_t weight_bytes, panel_bytes, n_params;
};

/* What one pass computes: tokens with their sequence and position, in the order of rows. */
typedef struct sz_pass {
    sz_kv *kv; /* NULL: whole sequences of `length` rows, as learning has them */
    size_t length;
    const uint32_t *first; /* without kv, [n]: first position of its sequence that a row sees */
    size_t n;
    const int32_t *ids;      /* [n]; or NULL with embeddings */
    const float *embeddings; /* [n][n_embd] */
    const uint32_t *seq, *position;
    const uint32_t *want; /* rows whose logits are wanted, rising; NULL: all go on */
    size_t n_want;
    const float *cosines[2], *sines[2]; /* [n][n_rot/2]: global, local */
    sz_tap_fn tap;
    void *tap_user;
} sz_pass;

struct sz_architecture {
    const char *name;
    /* Checks and completes the hyperparameters (the common ones are read). */
    sz_status (*configure)(const sz_gguf *g, sz_hparams *h);
    bool biases, qk_norms, post_norms;
    /* One layer: x [n][n_embd] to the next x. Reads as the paper's equations. */
    sz_tensor *(*layer)(sz_graph *g, const sz_model *m, uint32_t i, sz_pass *pass, sz_tensor *x);
};
const sz_architecture *sz_architecture_find(const char *name);
const char *sz_architecture_names(void); /* "gemma3, llama, ..." */

/* Reads "<architecture>.<suffix>"; SZ_E_NOTFOUND leaves *out as it is. A u32 may stand as an array
 * with the same value for every layer. */
sz_status sz_hparam_u32(const sz_gguf *g, const char *suffix, uint32_t *out);
sz_status sz_hparam_f32(const sz_gguf *g, const char *suffix, float *out);
sz_status sz_hparam_str(const sz_gguf *g, const char *suffix, sz_str *out);
const sz_gguf_kv *sz_hparam_find(const sz_gguf *g, const char *suffix); /* NULL if absent */
/* Around a read: a missing key is fine and keeps the default. */
static inline sz_status sz_optional(sz_status status) {
    return status == SZ_E_NOTFOUND ? SZ_OK : status;
}
/* The common hyperparameters, then those of the architecture; all checked. */
sz_status sz_hparams_read(const sz_gguf *g, const sz_architecture *a, sz_hparams *h);

sz_status sz_model_load_weights(sz_model *m);
/* Which row of the file's q or k, in pair order, stands at `row` of a half-ordered one. */
size_t sz_model_source_row(const sz_hparams *h, size_t row);
void sz_model_free_weights(sz_model *m);
sz_status sz_model_make_rope(sz_model *m);
/* Cosines and sines of the pass's positions, from the graph's arena. */
void sz_model_rope_angles(const sz_model *m, sz_graph *g, sz_pass *pass);

/* Attention of q [n][n_head * head_dim] over the cache, after storing k and v of the pass. */
sz_tensor *sz_attend(sz_graph *g, const sz_model *m, uint32_t layer, sz_pass *pass, sz_tensor *q,
                     sz_tensor *k, sz_tensor *v);
/* The places that a cached head holds of a sequence: the positions that it kept [*n_kept], and then
 * all from the base on. Returns how many. */
uint32_t sz_kv_places(const sz_kv *kv, uint32_t seq, uint32_t layer, uint32_t head,
                      const uint32_t **kept, uint32_t *n_kept);
/* Probabilities with which a query [head_dim], scaled, of this position attends to the places of a
 * cached head: p [sz_kv_places], 0 where it does not see them. scratch [sz_kv_scratch_floats]. */
sz_status sz_attend_places(const sz_model *m, const sz_kv *kv, uint32_t seq, uint32_t layer,
                           uint32_t head, const float *q, uint32_t position, float *scratch,
                           float *p);
/* The wanted rows of x in the last layer, x itself in the others: once the keys and values of the
 * last layer are stored, other rows have no further use (unless somebody looks on, with a tap). */
sz_tensor *sz_keep_wanted(sz_graph *g, const sz_model *m, uint32_t layer, const sz_pass *pass,
                          sz_tensor *x);
void sz_pass_tap(const sz_pass *pass, sz_tap_kind kind, uint32_t layer, const sz_tensor *t);

/* The rows of x as they enter the first layer; the same with the pass's angles; and rows that left
 * the last one, to logits, or to final hidden states if !logits. */
sz_tensor *sz_model_enter(sz_graph *g, const sz_model *m, const sz_pass *pass);
sz_tensor *sz_model_begin(sz_graph *g, const sz_model *m, sz_pass *pass);
sz_tensor *sz_model_leave(sz_graph *g, const sz_model *m, sz_tensor *x, bool logits);
/* Runs layers [first, last) on x; x is overwritten layer by layer. */
sz_tensor *sz_model_layers(sz_graph *g, const sz_model *m, sz_pass *pass, sz_tensor *x,
                           uint32_t first, uint32_t last);
/* Token ids (or embeddings) to logits [n_want][n_vocab], or to final hidden states if !logits. */
sz_tensor *sz_model_forward(sz_graph *g, const sz_model *m, sz_pass *pass, bool logits);

#endif
