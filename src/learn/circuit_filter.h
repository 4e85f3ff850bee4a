/* circuit_filter.h: the conditionals of coding, variable by variable, over records in step. */
#ifndef SZ_LEARN_CIRCUIT_FILTER_H
#define SZ_LEARN_CIRCUIT_FILTER_H

#include "circuit.h"

/* Walks the tree depth first. At each variable `prior` holds P(Z_v | all values taken), row by row
 * for n records, from which the law of the value follows. Two products with an M x M table per
 * variable and record; products, sums and quotients in a fixed order, nothing else. */
typedef struct sz_pc_filter {
    const sz_pc *pc;
    const sz_kernels *k;
    size_t n, n_levels;
    double *prior; /* [n][width], each row with sum 1, or 0 where no value was possible */
    double *inner, *evidence; /* [n_levels][n][width] on the path from the root:
                                 prior and evidence; P(values at and below | Z_v), scaled */
    struct sz_pc_level *level;
    int64_t *exponent; /* [n]: of scaling; only written */
    size_t depth;
} sz_pc_filter;

sz_status sz_pc_filter_new(const sz_pc *pc, const sz_kernels *k, size_t n, sz_pc_filter *out);
void sz_pc_filter_free(sz_pc_filter *f);
/* To the root; returns it. n_records <= the n of filter_new are walked. */
size_t sz_pc_filter_begin(sz_pc_filter *f, size_t n_records);
/* Takes the values x[i * stride] of the variable at hand, SZ_PC_MISSING among them; returns the
 * next variable, or -1 after the last. */
int64_t sz_pc_filter_take(sz_pc_filter *f, const int32_t *x, size_t stride);

#endif
