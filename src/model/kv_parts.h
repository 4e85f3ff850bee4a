/* kv_parts.h: the inside of the key-value cache. */
#ifndef SZ_MODEL_KV_PARTS_H
#define SZ_MODEL_KV_PARTS_H

#include "kv.h"

typedef struct block {
    _Alignas(64) uint32_t references;
    _Alignas(64) uint8_t data[]; /* [n_layer][n_head_kv] of (keys, values[, scales]) */
} block;

/* What heads kept of the positions below `base`, gathered in blocks of 64 for each head. Immutable,
 * shared by forks. */
typedef struct kept {
    uint32_t references, base;
    size_t *first;       /* [n_layer n_head_kv + 1]: a head's first place in position */
    size_t *first_block; /* the same in data, counted in head_bytes */
    uint32_t *position;
    uint8_t *data;
    size_t bytes;
} kept;

typedef struct sequence {
    block **blocks; /* [cap_blocks]; NULL where all positions lie below the base */
    uint32_t n_blocks, cap_blocks, length;
    kept *kept; /* NULL: everything is there */
} sequence;

struct sz_kv {
    const sz_kernels *k;
    sz_kv_shape shape;
    uint32_t n_sequences, context, dim_padded, first_layer;
    size_t key_bytes, value_bytes, scale_bytes, head_bytes, block_bytes;
    size_t n_blocks, kept_bytes; /* allocated now */
    sequence *sequences;
};

uint8_t *sz_kv_head_data(const sz_kv *kv, uint32_t seq, uint32_t block, uint32_t layer,
                         uint32_t head);
sz_kv_view sz_kv_view_head(const sz_kv *kv, const uint8_t *data, float *scratch);
/* Gives all blocks of a sequence back; the next position goes into a new one. */
void sz_kv_release_blocks(sz_kv *kv, sequence *s);
void sz_kv_release_kept(sz_kv *kv, sequence *s);

#endif
