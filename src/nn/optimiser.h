/* optimiser.h: what the rules of optimisers share. */
#ifndef SZ_NN_OPTIMISER_H
#define SZ_NN_OPTIMISER_H

#include <szilard/unstable/optimiser.h>

#include "num/gemm.h"

enum {
    SZ_STEP_CHUNK = 4096,  /* elements of a task */
    SZ_MOMENT_BLOCK = 256, /* elements that share a scale; divides a chunk */
};

typedef struct slot { /* a parameter and its state: two moments, and the average */
    sz_learned p;
    size_t n, n_rows, n_cols;
    sz_optimiser_kind rule;
    bool factored; /* a matrix in the sense of Muon and Adafactor */
    void *state[3];
    size_t bytes[3];
} slot;

typedef struct chunk {
    slot *s;
    size_t first, n;
} chunk;

struct sz_optimiser {
    const sz_kernels *kernels;
    sz_pool *pool;
    sz_arena *arena;
    sz_optimiser_config config;
    slot *slots;
    size_t n;
    chunk *chunks;
    double *squares; /* of the gradients of each chunk */
    size_t n_chunks, bytes;
    uint64_t steps; /* this one included */
    float rate, decay,
        scale; /* of this step; scale: of clipping; decay: what is left of matrices */
};

/* What weight decay leaves of an element of this parameter. */
static inline float sz_left(const sz_optimiser *o, const slot *s) {
    return s->p.matrix ? o->decay : 1;
}

void sz_step_sgd(const sz_optimiser *o, const chunk *c);
void sz_step_adamw(const sz_optimiser *o, const chunk *c);
void sz_step_adamw8(const sz_optimiser *o, const chunk *c);
void sz_step_lion(const sz_optimiser *o, const chunk *c);
sz_status sz_step_muon(sz_optimiser *o, slot *s);
sz_status sz_step_adafactor(sz_optimiser *o, slot *s);

#endif
