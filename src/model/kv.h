/* kv.h: the key-value cache: blocks of 64 absolute positions with reference counts. Sequences share
 * blocks after a fork and copy one before they write to it. */
#ifndef SZ_MODEL_KV_H
#define SZ_MODEL_KV_H

#include "num/kernels/kernels.h"

#include <szilard/unstable/base.h>

typedef struct sz_kv sz_kv;

typedef struct sz_kv_shape {
    uint32_t n_layer, n_head_kv, head_dim;
    sz_kv_type type;
} sz_kv_shape;

sz_status sz_kv_new(const sz_kernels *k, const sz_kv_shape *shape, uint32_t n_sequences,
                    uint32_t context, sz_kv **out);
void sz_kv_free(sz_kv *kv);
size_t sz_kv_block_bytes(const sz_kv_shape *shape); /* of one block of all layers */
size_t sz_kv_bytes(const sz_kv *kv);                /* held now */

uint32_t sz_kv_length(const sz_kv *kv, uint32_t seq);
/* Makes positions [length, length + n) writable and counts them in. SZ_E_LIMIT beyond the context.
 */
sz_status sz_kv_extend(sz_kv *kv, uint32_t seq, uint32_t n);
void sz_kv_truncate(sz_kv *kv, uint32_t seq, uint32_t length);
/* to must be empty; shares all blocks of from. */
sz_status sz_kv_fork(sz_kv *kv, uint32_t from, uint32_t to);

/* Stores one head's key and value [head_dim] of a position made writable by sz_kv_extend. */
void sz_kv_store(sz_kv *kv, uint32_t seq, uint32_t position, uint32_t layer, uint32_t head,
                 const float *key, const float *value);

/* A block as the attention kernels read it: key [head_dim][64], value [64][stride], stride =
 * head_dim rounded up to 16. Q8_0 blocks are expanded into scratch (sz_kv_scratch_floats floats).
 */
typedef struct sz_kv_view {
    const void *key, *value;
    bool f16;
} sz_kv_view;
size_t sz_kv_scratch_floats(const sz_kv *kv);
sz_kv_view sz_kv_view_block(const sz_kv *kv, uint32_t seq, uint32_t block, uint32_t layer,
                            uint32_t head, float *scratch);

#endif
