/* circuit_parts.h: what a circuit file holds, as sz_pc_new takes it. */
#ifndef SZ_MODEL_CIRCUIT_PARTS_H
#define SZ_MODEL_CIRCUIT_PARTS_H

#include <szilard/unstable/circuit_file.h>

#define SZ_PC_KIND "hclt"

typedef struct sz_pc_parts {
    sz_pc_shape shape;
    int32_t *parent;             /* [n_vars] */
    double *root, *trans, *emit; /* [n_latents], [sz_pc_n_trans], [sz_pc_n_emit] */
} sz_pc_parts;

size_t sz_pc_n_trans(const sz_pc_shape *s);
size_t sz_pc_n_emit(const sz_pc_shape *s);
/* Room for a circuit of this shape; sz_pc_parts_free. */
sz_status sz_pc_parts_new(const sz_pc_shape *s, sz_pc_parts *p);
/* A copy of the circuit's own. */
sz_status sz_pc_parts_of(const sz_pc *pc, sz_pc_parts *p);
void sz_pc_parts_free(sz_pc_parts *p);

#endif
