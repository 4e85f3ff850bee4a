/* matrix.h: a weight matrix repacked for the kernels, and its product with rows of activations. */
#ifndef SZ_NUM_MATRIX_H
#define SZ_NUM_MATRIX_H

#include <szilard/unstable/num.h>

#include "kernels/kernels.h"

/* Immutable. Panels of 16 rows; the last one is padded with zero rows. */
typedef struct sz_matrix {
    sz_type type;
    size_t n_rows, n_cols, n_panels;
    size_t data_stride, scale_stride; /* bytes per panel */
    uint8_t *data, *scales;           /* data_stride * n_panels bytes, then the scales' */
    size_t bytes;
} sz_matrix;

/* Repacks [n_rows][n_cols] of the file's blocks (n_cols a multiple of the type's block) into memory
 * of its own. The source is not needed afterwards. SZ_E_UNSUPPORTED for types without kernels. */
sz_status sz_matrix_pack(sz_pool *pool, sz_type type, size_t n_rows, size_t n_cols, const void *src,
                         sz_matrix *out);
void sz_matrix_free(sz_matrix *m);

/* The same in steps, for many matrices in one piece of zeroed memory that the caller owns: sizes
 * and strides, then an address (64-byte aligned, m->bytes), then rows from first_row, a multiple of
 * 16, a multiple of 16 at a time but for the last. */
sz_status sz_matrix_lay_out(sz_type type, size_t n_rows, size_t n_cols, sz_matrix *out);
void sz_matrix_place(sz_matrix *m, void *memory);
void sz_matrix_pack_rows(sz_pool *pool, const sz_matrix *m, size_t first_row, size_t n_rows,
                         const void *src);

/* Row `row` as floats [n_cols], with the bits that the type's decoder gives. */
void sz_matrix_decode_row(const sz_kernels *k, const sz_matrix *m, size_t row, float *out);

/* Activations [n][n_cols], quantised when first needed by an integer product. */
typedef struct sz_activations {
    const float *x;
    size_t n, n_cols, stride;
    void *quantized; /* arena memory: see sz_activations_quantize */
} sz_activations;

/* Fills a->quantized from `arena` if it is still NULL. */
sz_status sz_activations_quantize(const sz_kernels *k, sz_pool *pool, sz_arena *arena,
                                  sz_activations *a);

/* Activations lie in tiles of 8 tokens, then 4, 2, 1: the width of the next one, and its parts. */
int sz_tile_width(size_t tokens_left);
sz_tile sz_activations_tile(const sz_activations *a, size_t first, int width);

/* y[t][row] = sum_col W[row][col] x[t][col]; y has n_rows floats per row of stride >= n_rows. */
sz_status sz_matrix_multiply(const sz_kernels *k, sz_pool *pool, sz_arena *arena,
                             const sz_matrix *w, sz_activations *x, float *y, size_t stride);

/* Several products of the same activations at once: one round of the pool for all. */
typedef struct sz_product {
    const sz_matrix *w;
    float *y;
    size_t stride;
} sz_product;
sz_status sz_matrix_multiply_all(const sz_kernels *k, sz_pool *pool, sz_arena *arena,
                                 const sz_product *products, size_t n, sz_activations *x);

#endif
