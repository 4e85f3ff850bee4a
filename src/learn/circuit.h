/* circuit.h: what the files of the circuit share: parameters as the kernels read them, and the pass
 * from the leaves to the root over a tile of records. */
#ifndef SZ_LEARN_CIRCUIT_H
#define SZ_LEARN_CIRCUIT_H

#include <szilard/unstable/circuit.h>
#include <szilard/unstable/num.h>

#include "num/kernels/kernels.h"

/* Rows over hidden states have `width` entries: M, then zeros up to a multiple of 8. */
struct sz_pc {
    sz_pc_shape shape;
    size_t width;
    int32_t *parent;       /* [n_vars] */
    uint32_t *order;       /* [n_vars] depth first, root first */
    uint32_t *first_child; /* [n_vars + 1]: children of v are child[first_child[v] ...) */
    uint32_t *child;       /* [n_vars - 1], rising for each v */
    double *root;          /* [width] */
    double *trans;         /* [n_vars][M][width]: [z_parent][z] */
    double *turned;        /* [n_vars][M][width]: [z][z_parent] */
    double *emit;          /* [n_vars][K][width]: [x][z] */
};

static inline double *sz_pc_trans(const sz_pc *pc, size_t v) {
    return pc->trans + v * pc->shape.n_latents * pc->width;
}
static inline double *sz_pc_turned(const sz_pc *pc, size_t v) {
    return pc->turned + v * pc->shape.n_latents * pc->width;
}
static inline double *sz_pc_emit(const sz_pc *pc, size_t v, size_t x) {
    return pc->emit + (v * pc->shape.n_categories + x) * pc->width;
}

/* Bytes of all tables, and of all emissions: large, so in pages of their own (sz_alloc_pages). */
static inline size_t sz_pc_table_bytes(const sz_pc *pc) {
    return pc->shape.n_vars * pc->shape.n_latents * pc->width * sizeof(double);
}
static inline size_t sz_pc_emit_bytes(const sz_pc *pc) {
    return pc->shape.n_vars * pc->shape.n_categories * pc->width * sizeof(double);
}

/* Bounds of a shape; SZ_E_ARG names what is out of them. */
sz_status sz_pc_check_shape(const sz_pc_shape *shape);
/* A circuit of this tree with all parameters zero. */
sz_status sz_pc_new_tree(const sz_pc_shape *shape, const int32_t *parent, sz_pc **out);
/* Fills `turned` of variable v from `trans`: after every change. */
void sz_pc_turn(const sz_pc *pc, size_t v);
/* From one circuit to another of the same shape. */
void sz_pc_copy_parameters(const sz_pc *from, sz_pc *to);

/* ---- Passes over a tile of records (circuit_pass.c) ------------------------------------------ */

enum { SZ_PC_TILE_MOST = 128 };

/* Of each variable, [n_rows][width] per array, for the first n records of the tile. Messages are
 * scaled by powers of two, record by record, which rounds nothing. */
typedef struct sz_pc_pass {
    const sz_pc *pc;
    const sz_kernels *k;
    size_t n_rows;
    double *below;   /* P(known values at and below v | Z_v), scaled */
    double *message; /* the same given Z_parent; after the way down: posterior / message */
    double *post;    /* P(Z_v | all known values); only for the way down */
    double loglik[SZ_PC_TILE_MOST];
} sz_pc_pass;

/* Records per tile: tables are read once for a tile, messages should not take too much memory. */
size_t sz_pc_tile(const sz_pc *pc);
/* For up to n_rows <= SZ_PC_TILE_MOST records at once. */
sz_status sz_pc_pass_new(const sz_pc *pc, const sz_kernels *k, size_t n_rows, bool down,
                         sz_pc_pass *out);
void sz_pc_pass_free(sz_pc_pass *p);
static inline double *sz_pc_at(const sz_pc_pass *p, double *array, size_t v) {
    return array + v * p->n_rows * p->pc->width;
}
/* n <= n_rows checked records: fills below, message and loglik. */
void sz_pc_pass_up(sz_pc_pass *p, const int32_t *x, size_t n);
/* After it, for i = 0 .. n_vars - 1 in turn: post of variable order[i], and its message turned into
 * the ratio. Records of probability zero get zeros. */
void sz_pc_pass_down(sz_pc_pass *p, size_t i, size_t n);
/* c = a b over hidden states: a [n][width], table [M][width]. */
void sz_pc_product(const sz_pc *pc, const sz_kernels *k, const double *a, size_t n,
                   const double *table, double *c);
#endif
