/* kv.h: the key-value cache: blocks of 64 absolute positions with reference counts. Sequences share
 * blocks after a fork and copy one before they write to it. A sequence may forget positions: each
 * head then holds those that it kept, at their old positions, in blocks of its own. */
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
/* Of a part of a model: the first layer that the cache will be asked for; else 0. */
void sz_kv_set_first_layer(sz_kv *kv, uint32_t layer);
size_t sz_kv_block_bytes(const sz_kv_shape *shape);         /* of one block of all layers */
size_t sz_kv_bytes(const sz_kv *kv);                        /* held now */
size_t sz_kv_sequence_bytes(const sz_kv *kv, uint32_t seq); /* the same, shared or not */
size_t sz_kv_layer_bytes(const sz_kv *kv);                  /* of one block of one layer */

uint32_t sz_kv_length(const sz_kv *kv, uint32_t seq);
/* Makes positions [length, length + n) writable and counts them in. SZ_E_LIMIT beyond the context.
 */
sz_status sz_kv_extend(sz_kv *kv, uint32_t seq, uint32_t n);
/* To 0, or to sz_kv_base and more. */
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

/* Forgets all positions of a sequence but those given: head i = layer n_head_kv + head keeps
 * position[first[i]] up to position[first[i + 1]], rising, all below the length. Forks share what
 * is kept. SZ_E_STATE: it has forgotten one of them before. */
sz_status sz_kv_keep(sz_kv *kv, uint32_t seq, const size_t *first, const uint32_t *position);
/* The length at that time: the first position that lies in a block of all heads. 0: nothing was
 * forgotten. */
uint32_t sz_kv_base(const sz_kv *kv, uint32_t seq);
/* What a head kept, and a block of it, 64 kept positions; where the base is not 0. */
const uint32_t *sz_kv_kept_positions(const sz_kv *kv, uint32_t seq, uint32_t layer, uint32_t head,
                                     uint32_t *n);
sz_kv_view sz_kv_view_kept(const sz_kv *kv, uint32_t seq, uint32_t block, uint32_t layer,
                           uint32_t head, float *scratch);

#endif
