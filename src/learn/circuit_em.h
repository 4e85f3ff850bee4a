/* circuit_em.h: expectation maximisation in steps, with the memory kept between them. */
#ifndef SZ_LEARN_CIRCUIT_EM_H
#define SZ_LEARN_CIRCUIT_EM_H

#include "circuit.h"

typedef struct sz_pc_em sz_pc_em;

/* For steps of up to n records. Borrows both. */
sz_status sz_pc_em_new(sz_runtime *rt, sz_pc *pc, size_t n, sz_pc_em **out);
void sz_pc_em_free(sz_pc_em *em);
/* As sz_pc_em_step, with checked arguments. */
sz_status sz_pc_em_run(sz_pc_em *em, const int32_t *x, size_t n, double step, double pseudocount,
                       double *mean_loglik);

#endif
