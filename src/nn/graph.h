/* graph.h: eager operators over rows of floats. A call computes at once into the graph's arena; the
 * first error of any call is kept and later calls do nothing, so a model reads as plain code and
 * checks once. A model is one function over these operators; the same calls are what training will
 * record. */
#ifndef SZ_NN_GRAPH_H
#define SZ_NN_GRAPH_H

#include <szilard/unstable/operators.h>

#include "num/matrix.h"

typedef struct sz_tensor {
    float *data; /* [n_rows][n_cols], row-major, 64-byte aligned */
    size_t n_rows, n_cols;
    sz_activations activations; /* shared by all products of this tensor */
} sz_tensor;

/* A linear map: rows of W, and a bias [n_rows] or NULL. */
typedef struct sz_weight {
    const char *name; /* static: "attn_q" */
    sz_matrix matrix;
    const float *bias;
} sz_weight;

typedef struct sz_graph {
    sz_runtime *rt;
    const sz_kernels *kernels;
    sz_pool *pool;
    sz_arena *arena;
    sz_status status;  /* of the first call that failed */
    sz_meter_fn meter; /* NULL: nobody measures */
    void *meter_user;
} sz_graph;

void sz_graph_begin(sz_graph *g, sz_runtime *rt, sz_arena *arena);

/* Every operator returns NULL once the graph has failed, and accepts NULL then. */
sz_tensor *sz_tensor_new(sz_graph *g, size_t n_rows, size_t n_cols); /* uninitialised */
sz_tensor *sz_linear(sz_graph *g, sz_tensor *x, const sz_weight *w); /* x W^T + bias */
/* Up to four linear maps of x in one round of the pool; out [n]. */
void sz_linear_all(sz_graph *g, sz_tensor *x, const sz_weight *const *w, size_t n, sz_tensor **out);
sz_tensor *sz_add(sz_graph *g, const sz_tensor *a, const sz_tensor *b); /* same shape */
sz_tensor *sz_scale(sz_graph *g, const sz_tensor *a, float factor);
/* act(gate) * up, in the place of gate. */
sz_tensor *sz_silu_mul(sz_graph *g, sz_tensor *gate, const sz_tensor *up);
sz_tensor *sz_gelu_mul(sz_graph *g, sz_tensor *gate, const sz_tensor *up);
/* x / rms(x) * weight over groups of n_group columns (n_cols of the weight); a whole row if equal.
 */
sz_tensor *sz_rms_norm(sz_graph *g, const sz_tensor *x, const float *weight, size_t n_group,
                       float eps);
/* Rows `index` of x. */
sz_tensor *sz_gather(sz_graph *g, const sz_tensor *x, const uint32_t *index, size_t n);
/* Rows of a table in its file's format. */
sz_tensor *sz_embed(sz_graph *g, sz_type type, const void *table, size_t n_table, size_t n_cols,
                    const int32_t *ids, size_t n);
/* Rows of a repacked matrix, with the same bits. */
sz_tensor *sz_embed_matrix(sz_graph *g, const sz_matrix *table, const int32_t *ids, size_t n);
/* Turns, in place, the first n_rot columns of every head of n_head_dim columns by the angles of
 * each row: cosines [n_rows][n_rot/2], sines likewise. Pairs are (i, i + n_rot/2). */
sz_tensor *sz_rope(sz_graph *g, sz_tensor *x, size_t n_head_dim, size_t n_rot, const float *cosines,
                   const float *sines);

/* Runs fn over row ranges of n rows; for operators on rows. */
typedef void (*sz_rows_fn)(void *context, size_t first, size_t last);
void sz_graph_rows(sz_graph *g, size_t n, size_t cost_per_row, sz_rows_fn fn, void *context);
/* Puts y in the place of x, which is as large or larger and stood in the arena before `mark`, and
 * gives everything after the mark back. Returns x; NULL if y is. */
sz_tensor *sz_graph_settle(sz_graph *g, sz_arena_mark mark, sz_tensor *x, const sz_tensor *y);
/* Around the work of an operator: the time now, or 0 where nobody measures; and then its cost,
 * whose ns are filled in. */
uint64_t sz_meter_start(const sz_graph *g);
void sz_meter_stop(const sz_graph *g, uint64_t start, sz_operator_cost cost);
/* The same for an operator on rows that moves so many floats. */
void sz_meter_stop_rows(const sz_graph *g, uint64_t start, const char *name, size_t n_floats);

/* Records a failure; returns NULL. */
void *sz_graph_fail(sz_graph *g, sz_status status);

#endif
