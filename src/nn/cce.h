/* cce.h: what the parts of cut cross-entropy share: blocks of valid rows, tiles of the vocabulary,
 * and the logits of one block and one tile. */
#ifndef SZ_NN_CCE_H
#define SZ_NN_CCE_H

#include <szilard/unstable/loss.h>

#include "num/gemm.h"

enum {
    SZ_CCE_ROWS = 1024,   /* of a block, about */
    SZ_CCE_COLUMNS = 512, /* of a tile, about */
};

/* One pass over rows and vocabulary. */
typedef struct sz_cce_pass {
    sz_runtime *rt;
    const sz_kernels *kernels;
    sz_pool *pool;
    sz_arena *arena;
    const sz_cce *in;
    const sz_cce_config *config;
    const sz_cce_rows *rows;
    size_t tile_rows, tile_columns; /* of the filter */
    size_t block_rows, columns;     /* of what is computed at once: multiples of those */
    uint32_t *valid;                /* [n_valid]: rows that count */
    int32_t *target;                /* [n_valid] */
    size_t n_valid;
    const uint32_t *order;     /* [n_vocab] of the vocabulary; NULL: as it is */
    float *z;                  /* [block_rows][columns] */
    float *gathered, *classes; /* rows of hidden or classifier that do not lie together */
    /* Where the pass is: rows [first, first + n) of the valid ones, columns [from, from + width).
     */
    size_t first, n, from, width;
    const float *hidden, *classifier; /* of these rows and columns, [..][dim] */
} sz_cce_pass;

/* Checks, finds the valid rows, takes memory. `mark` is what to rewind the arena to. */
sz_status sz_cce_begin(sz_cce_pass *p, sz_runtime *rt, sz_arena *arena, const sz_cce *in,
                       const sz_cce_config *config, const sz_cce_rows *rows, sz_arena_mark *mark);
/* Sets first, n and hidden. */
void sz_cce_take_rows(sz_cce_pass *p, size_t first);
/* Sets from, width, classifier, and fills z with the logits, bias and softcap included. */
sz_status sz_cce_take_columns(sz_cce_pass *p, size_t from);
/* fn over the rows of the block on the pool. */
typedef void (*sz_cce_rows_fn)(void *context, size_t first, size_t last);
void sz_cce_each_row(const sz_cce_pass *p, sz_cce_rows_fn fn, void *context);
/* The vocabulary entry that column j of the tile is. */
static inline size_t sz_cce_entry(const sz_cce_pass *p, size_t j) {
    return p->order ? p->order[p->from + j] : p->from + j;
}

#endif
