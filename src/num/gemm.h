/* gemm.h: products of float matrices for training.
 *
 * Contract of bits: every element of the result is one chain of fused multiply-adds over the depth
 * in order, from zero or from what stands there, however the work is cut and on whichever
 * instruction set. */
#ifndef SZ_NUM_GEMM_H
#define SZ_NUM_GEMM_H

#include "kernels/kernels.h"
#include <szilard/unstable/num.h>

/* Element (i, j) is at[i * row + j * col], so that a matrix may be read either way round. */
typedef struct sz_matrix_view {
    const float *at;
    size_t row, col;
} sz_matrix_view;

/* c[i][j] (+)= sum over k of a(i, k) b(k, j); c overlaps neither. */
typedef struct sz_gemm {
    size_t n_rows, n_cols, depth;
    sz_matrix_view a, b;
    float *c;
    size_t c_stride;
    bool add;
} sz_gemm;

/* On the pool, with scratch memory from `arena`, which it gives back. SZ_E_NOMEM. */
sz_status sz_gemm_run(const sz_kernels *k, sz_pool *pool, sz_arena *arena, const sz_gemm *p);

/* The same on the calling thread, for tasks of a pool: scratch [sz_gemm_scratch()], 64-byte
 * aligned. */
size_t sz_gemm_scratch(void);
void sz_gemm_alone(const sz_kernels *k, float *scratch, const sz_gemm *p);

#endif
