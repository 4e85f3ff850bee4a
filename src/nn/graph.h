/* graph.h: what operators are made of (the operators themselves: szilard/unstable/nn.h), and those
 * that only models use. */
#ifndef SZ_NN_GRAPH_H
#define SZ_NN_GRAPH_H

#include <szilard/unstable/nn.h>

#include "num/matrix.h"

/* A linear map: rows of W, repacked for running or as floats that learn, and a bias or NULL. */
typedef struct sz_weight {
    const char *name; /* static: "attn_q" */
    sz_matrix matrix;
    sz_tensor *values; /* [n_rows][n_cols]; NULL: matrix */
    sz_tensor *bias;   /* [1][n_rows] */
} sz_weight;

sz_tensor *sz_linear(sz_graph *g, sz_tensor *x, const sz_weight *w); /* x W^T + bias */
/* Up to four linear maps of x in one round of the pool; out [n]. */
void sz_linear_all(sz_graph *g, sz_tensor *x, const sz_weight *const *w, size_t n, sz_tensor **out);
/* Rows of a table in its file's format. */
sz_tensor *sz_embed(sz_graph *g, sz_type type, const void *table, size_t n_table, size_t n_cols,
                    const int32_t *ids, size_t n);
/* Rows of a linear map's matrix, with the same bits. */
sz_tensor *sz_embed_weight(sz_graph *g, const sz_weight *table, const int32_t *ids, size_t n);

/* ---- Making operators --------------------------------------------------------------------------
 */

static inline float *sz_row(const sz_tensor *t, size_t i) {
    return t->data + i * t->n_cols;
}
static inline float *sz_grad_row(const sz_tensor *t, size_t i) {
    return t->grad + i * t->n_cols;
}
static inline size_t sz_count(const sz_tensor *t) {
    return t->n_rows * t->n_cols;
}

/* Runs fn over row ranges of n rows; for operators on rows. */
typedef void (*sz_rows_fn)(void *context, size_t first, size_t last);
void sz_graph_rows(sz_graph *g, size_t n, size_t cost_per_row, sz_rows_fn fn, void *context);
/* The same for the work of an operator that moves so many floats, told to who measures. */
void sz_operator_rows(sz_graph *g, const char *name, size_t n_floats, size_t n, size_t cost_per_row,
                      sz_rows_fn fn, void *context);
/* Around other work of an operator: the time now, or 0 where nobody measures; and then its cost,
 * whose ns are filled in. */
uint64_t sz_meter_start(const sz_graph *g);
void sz_meter_stop(const sz_graph *g, uint64_t start, sz_operator_cost cost);
void sz_meter_stop_rows(const sz_graph *g, uint64_t start, const char *name, size_t n_floats);
/* Puts y in the place of x, which is as large or larger and stood in the arena before `mark`, and
 * gives everything after the mark back; while recording, y stays where it is. Returns x or y; NULL
 * if y is. */
sz_tensor *sz_graph_settle(sz_graph *g, sz_arena_mark mark, sz_tensor *x, sz_tensor *y);
/* Records a failure; returns NULL. */
void *sz_graph_fail(sz_graph *g, sz_status status);
/* Notes that the arena holds so many bytes more. */
void sz_graph_count(sz_graph *g, size_t bytes);
/* Whether a and b have the same shape; if not, the graph fails. */
bool sz_same_shape(sz_graph *g, const sz_tensor *a, const sz_tensor *b);
/* A tensor of x's shape, which while running may be x itself. */
sz_tensor *sz_tensor_in_place(sz_graph *g, sz_tensor *x);

/* How gradients flow back through one call: adds to the grads of inputs from out->grad. */
typedef void (*sz_back_fn)(sz_graph *g, sz_tensor *out, void *args);
/* Notes a call whose arguments are copied; inputs: those that may learn, ending with NULL entries
 * or n. Does nothing while running, or where no input learns. */
void sz_tape_push(sz_graph *g, sz_tensor *out, sz_tensor *const *inputs, size_t n, sz_back_fn back,
                  const void *args, size_t bytes);
#define SZ_TAPE(g, out, back, args, ...)                                                           \
    sz_tape_push(g, out, (sz_tensor *[]){__VA_ARGS__},                                             \
                 sizeof((sz_tensor *[]){__VA_ARGS__}) / sizeof(sz_tensor *), back, args,           \
                 sizeof *(args))
/* The gradient of an input, made of zeros when first asked for; NULL if it does not learn or the
 * graph has failed. Ask before taking a mark of the arena. */
float *sz_grad(sz_graph *g, sz_tensor *t);
/* a += b, n of them, spread over the pool. */
void sz_accumulate(sz_graph *g, float *a, const float *b, size_t n);

#endif
