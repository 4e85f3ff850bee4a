/* nn.h: eager operators over rows of floats, and the tape that differentiates them.
 *
 * A call computes at once into the graph's arena. While recording, the same call also notes how
 * gradients flow back through it; sz_graph_backward then adds to the gradients of all parameters.
 * The first error of any call is kept in the graph and later calls do nothing and return NULL, so
 * that a model reads as plain code and checks once.
 *
 * A tensor is a matrix [n_rows][n_cols], row-major: a row per token, pixel or example. What has
 * more dimensions says so in an operator's arguments (heads of attention, images of convolution).
 *
 * Bits: every sum has one order, so results and gradients are the same for every number of threads
 * and every instruction set. */
#ifndef SZILARD_NN_H
#define SZILARD_NN_H

#include <szilard/unstable/base.h>
#include <szilard/unstable/operators.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sz_tensor {
    float *data; /* [n_rows][n_cols]; 64-byte aligned where the graph made it */
    size_t n_rows, n_cols;
    float *grad;  /* of the same shape; NULL until something flows back */
    bool learns;  /* a parameter, or computed from one while recording */
    bool keeps;   /* grad is the caller's and stays, as a parameter's does */
    void *digits; /* of the engine: data quantised for integer products */
} sz_tensor;

typedef enum sz_graph_mode {
    SZ_RUN,    /* compute; operators may reuse the memory of their input where they say so */
    SZ_RECORD, /* compute and note; nothing is overwritten */
} sz_graph_mode;

typedef struct sz_graph {
    sz_runtime *rt;
    const struct sz_kernels *kernels;
    sz_pool *pool;
    sz_arena *arena;
    sz_status status; /* of the first call that failed */
    sz_graph_mode mode;
    sz_meter_fn meter; /* NULL: nobody measures */
    void *meter_user;
    struct sz_node *last;   /* the tape, latest first */
    struct sz_spare *spare; /* gradients whose work is done, for reuse */
    size_t bytes, peak;     /* of tensors and gradients: now, and at most */
} sz_graph;

/* Reset the arena yourself when the step is over; tensors live in it. */
SZ_API void sz_graph_begin(sz_graph *g, sz_runtime *rt, sz_arena *arena, sz_graph_mode mode);
/* Adds d(result)/d(parameter) to the grad of every parameter that result was computed from.
 * result: 1 x 1, or its grad was set by the caller, who keeps it. The tape is used up. SZ_E_ARG,
 * SZ_E_NOMEM, and the graph's own failure if it has one. */
SZ_API sz_status sz_graph_backward(sz_graph *g, sz_tensor *result);
/* Most bytes that tensors and gradients of the step took: what the arena must hold. */
SZ_API size_t sz_graph_bytes(const sz_graph *g);

/* ---- Tensors -------------------------------------------------------------------------------- */

SZ_API sz_tensor *sz_tensor_new(sz_graph *g, size_t n_rows, size_t n_cols); /* uninitialised */
/* Borrows data and, for a parameter, grad (both [n_rows][n_cols]; NULL: a constant). The tape holds
 * on to tensors: while recording, they stay where they are until the backward pass. */
SZ_API sz_tensor sz_tensor_of(float *data, float *grad, size_t n_rows, size_t n_cols);

/* ---- Linear maps ------------------------------------------------------------------------------
 */

/* a b [n][k][m], or a b^T with b [m][k]. */
SZ_API sz_tensor *sz_matmul(sz_graph *g, sz_tensor *a, sz_tensor *b, bool transpose_b);
SZ_API sz_tensor *sz_add_row(sz_graph *g, sz_tensor *x, sz_tensor *row); /* row [1][n_cols] */
/* Rows `ids` of a table; SZ_E_ARG if one is not in it. */
SZ_API sz_tensor *sz_embedding(sz_graph *g, sz_tensor *table, const int32_t *ids, size_t n);

/* ---- Elements ---------------------------------------------------------------------------------
 */

SZ_API sz_tensor *sz_add(sz_graph *g, sz_tensor *a, sz_tensor *b); /* same shape */
SZ_API sz_tensor *sz_mul(sz_graph *g, sz_tensor *a, sz_tensor *b);
SZ_API sz_tensor *sz_scale(sz_graph *g, sz_tensor *a, float factor);

typedef enum sz_activation {
    SZ_RELU, /* slope 0 at 0 */
    SZ_GELU, /* tanh form */
    SZ_SILU,
    SZ_TANH,
    SZ_SIGMOID,
} sz_activation;
SZ_API sz_tensor *sz_activate(sz_graph *g, sz_tensor *x, sz_activation kind);
/* act(gate) * up; while running, in the place of gate. */
SZ_API sz_tensor *sz_silu_mul(sz_graph *g, sz_tensor *gate, sz_tensor *up);
SZ_API sz_tensor *sz_gelu_mul(sz_graph *g, sz_tensor *gate, sz_tensor *up);

/* ---- Rows and reductions ----------------------------------------------------------------------
 */

/* x / rms(x) * weight over groups of n_group columns (weight [1][n_group]); a whole row if equal.
 */
SZ_API sz_tensor *sz_rms_norm(sz_graph *g, sz_tensor *x, sz_tensor *weight, size_t n_group,
                              float eps);
/* (x - mean) / sqrt(variance + eps) * weight + bias over whole rows; bias may be NULL. */
SZ_API sz_tensor *sz_layer_norm(sz_graph *g, sz_tensor *x, sz_tensor *weight, sz_tensor *bias,
                                float eps);
SZ_API sz_tensor *sz_softmax(sz_graph *g, sz_tensor *x);     /* of each row */
SZ_API sz_tensor *sz_sum(sz_graph *g, sz_tensor *x);         /* [1][1] */
SZ_API sz_tensor *sz_mean(sz_graph *g, sz_tensor *x);        /* [1][1] */
SZ_API sz_tensor *sz_sum_rows(sz_graph *g, sz_tensor *x);    /* of each row: [n_rows][1] */
SZ_API sz_tensor *sz_sum_columns(sz_graph *g, sz_tensor *x); /* of each column: [1][n_cols] */

/* ---- Shapes -------------------------------------------------------------------------------------
 */

SZ_API sz_tensor *sz_gather(sz_graph *g, sz_tensor *x, const uint32_t *index, size_t n); /* rows */
SZ_API sz_tensor *sz_concat_rows(sz_graph *g, sz_tensor *const *parts, size_t n);
SZ_API sz_tensor *sz_concat_columns(sz_graph *g, sz_tensor *const *parts, size_t n);
SZ_API sz_tensor *sz_slice_rows(sz_graph *g, sz_tensor *x, size_t first, size_t n);
SZ_API sz_tensor *sz_slice_columns(sz_graph *g, sz_tensor *x, size_t first, size_t n);
/* The same numbers in order, n_rows * n_cols of them. */
SZ_API sz_tensor *sz_reshape(sz_graph *g, sz_tensor *x, size_t n_rows, size_t n_cols);
SZ_API sz_tensor *sz_transpose(sz_graph *g, sz_tensor *x);

/* ---- Transformers
 * -------------------------------------------------------------------------------- */

/* Turns the first n_rot columns of every head of n_head_dim columns by the angles of each row:
 * cosines [n_rows][n_rot/2], sines likewise, borrowed until the backward pass. Pairs are
 * (i, i + n_rot/2). While running, in the place of x. */
SZ_API sz_tensor *sz_rope(sz_graph *g, sz_tensor *x, size_t n_head_dim, size_t n_rot,
                          const float *cosines, const float *sines);

typedef struct sz_attention_shape {
    size_t n_head, n_head_kv, head_dim; /* n_head a multiple of n_head_kv */
    size_t length, length_kv; /* rows per sequence of q, and of k and v; the last ones meet */
    bool causal;              /* keys after the query's own place are not seen */
    size_t window;            /* keys at distance < window are seen; 0: all */
    const uint32_t *first;    /* [rows of q]: first key that is seen; NULL: 0. Borrowed. */
    float scale;              /* of the scores */
} sz_attention_shape;
/* softmax(scale q k^T) v per head; q [batch * length][n_head * head_dim], k and v
 * [batch * length_kv][n_head_kv * head_dim]. A query that sees no key gives zeros. */
SZ_API sz_tensor *sz_attention(sz_graph *g, sz_tensor *q, sz_tensor *k, sz_tensor *v,
                               const sz_attention_shape *shape);

/* ---- Convolutions and cells --------------------------------------------------------------------
 */

typedef struct sz_conv_shape { /* of an image; a sequence is one of height 1 */
    size_t height, width;
    size_t kernel_height, kernel_width;
    size_t stride_y, stride_x;                       /* 0: 1 */
    size_t dilation_y, dilation_x;                   /* 0: 1 */
    size_t pad_top, pad_bottom, pad_left, pad_right; /* zeros; causal: kernel - 1 on the left */
} sz_conv_shape;
/* x [batch * height * width][channels], w [out][kernel_height * kernel_width * channels] to
 * [batch * out_height * out_width][out]. */
SZ_API sz_tensor *sz_convolve(sz_graph *g, sz_tensor *x, sz_tensor *w, const sz_conv_shape *shape);

/* One step of a long short-term memory. x_gates [n][4 width]: the input's part of the gates in the
 * order input, forget, cell, output, biases included; w [4 width][width]: h's part; h and c
 * [n][width] are replaced. */
SZ_API void sz_lstm_step(sz_graph *g, sz_tensor *x_gates, sz_tensor *w, sz_tensor **h,
                         sz_tensor **c);

/* ---- Memory ------------------------------------------------------------------------------------
 */

/* y = fn(x), of which only y is kept: fn runs again when gradients flow back. It must compute the
 * same both times, from x and parameters alone. */
typedef sz_tensor *(*sz_checkpoint_fn)(sz_graph *g, void *context, sz_tensor *x);
SZ_API sz_tensor *sz_checkpoint(sz_graph *g, sz_checkpoint_fn fn, void *context, sz_tensor *x);

#ifdef __cplusplus
}
#endif
#endif
