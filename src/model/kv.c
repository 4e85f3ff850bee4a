/* kv.c: blocks, sequences, copy on write (kv.h). */
#include "kv_parts.h"

#include <string.h>

static size_t element_bytes(sz_kv_type type) {
    return type == SZ_KV_F32 ? 4 : type == SZ_KV_F16 ? 2 : 1;
}

/* Q8_0 keeps one scale per 32 dimensions of a position. */
static size_t n_scales(uint32_t head_dim) {
    return (head_dim + 31) / 32;
}

static void measure(sz_kv *kv) {
    const sz_kv_shape *s = &kv->shape;
    size_t element = element_bytes(s->type);
    kv->dim_padded = (s->head_dim + 15) / 16 * 16;
    kv->key_bytes = (size_t)s->head_dim * SZ_KV_BLOCK * element;
    kv->value_bytes = (size_t)kv->dim_padded * SZ_KV_BLOCK * element;
    kv->scale_bytes =
        s->type == SZ_KV_Q8_0 ? n_scales(s->head_dim) * SZ_KV_BLOCK * sizeof(float) : 0;
    kv->head_bytes = (kv->key_bytes + kv->value_bytes + 2 * kv->scale_bytes + 63) / 64 * 64;
    kv->block_bytes = kv->head_bytes * s->n_head_kv * s->n_layer;
}

size_t sz_kv_block_bytes(const sz_kv_shape *shape) {
    sz_kv kv = {.shape = *shape};
    measure(&kv);
    return kv.block_bytes;
}

void sz_kv_set_first_layer(sz_kv *kv, uint32_t layer) {
    kv->first_layer = layer;
}

size_t sz_kv_bytes(const sz_kv *kv) {
    return kv->n_blocks * kv->block_bytes + kv->kept_bytes;
}

size_t sz_kv_layer_bytes(const sz_kv *kv) {
    return kv->head_bytes * kv->shape.n_head_kv;
}

sz_status sz_kv_new(const sz_kernels *k, const sz_kv_shape *shape, uint32_t n_sequences,
                    uint32_t context, sz_kv **out) {
    sz_kv *kv = sz_calloc(1, sizeof *kv);
    SZ_REQUIRE(kv, SZ_E_NOMEM, "no memory for a key-value cache");
    kv->k = k;
    kv->shape = *shape;
    kv->n_sequences = n_sequences;
    kv->context = context;
    measure(kv);
    kv->sequences = sz_calloc(n_sequences, sizeof *kv->sequences);
    if (!kv->sequences) {
        sz_kv_free(kv);
        return sz_fail(SZ_E_NOMEM, "no memory for the tables of %u sequences", n_sequences);
    }
    *out = kv;
    return SZ_OK;
}

static void release(sz_kv *kv, block *b) {
    if (!b || --b->references > 0)
        return;
    sz_free(b);
    kv->n_blocks--;
}

/* The blocks that remain to be made are those from the end of the positions on. */
void sz_kv_release_blocks(sz_kv *kv, sequence *s) {
    for (uint32_t i = 0; i < s->n_blocks; i++) {
        release(kv, s->blocks[i]);
        s->blocks[i] = NULL;
    }
    s->n_blocks = s->length / SZ_KV_BLOCK;
}

/* The block of the next token stays where nobody shares it: drafts that are taken back again and
 * again would else have it made anew each time. */
void sz_kv_truncate(sz_kv *kv, uint32_t seq, uint32_t length) {
    sequence *s = &kv->sequences[seq];
    uint32_t needed = (length + SZ_KV_BLOCK - 1) / SZ_KV_BLOCK, next = length / SZ_KV_BLOCK;
    bool keeps =
        length > 0 && next < s->n_blocks && s->blocks[next] && s->blocks[next]->references == 1;
    while (s->n_blocks > (keeps ? next + 1 : needed))
        release(kv, s->blocks[--s->n_blocks]);
    if (length < s->length)
        s->length = length;
    if (length == 0)
        sz_kv_release_kept(kv, s);
}

void sz_kv_free(sz_kv *kv) {
    if (!kv)
        return;
    for (uint32_t i = 0; kv->sequences && i < kv->n_sequences; i++) {
        sz_kv_truncate(kv, i, 0);
        sz_free(kv->sequences[i].blocks);
    }
    sz_free(kv->sequences);
    sz_free(kv);
}

uint32_t sz_kv_length(const sz_kv *kv, uint32_t seq) {
    return kv->sequences[seq].length;
}

/* Blocks start as zeros: the kernels read whole blocks, and unwritten positions must be finite. */
static block *new_block(sz_kv *kv) {
    block *b = sz_alloc(sizeof *b + kv->block_bytes);
    if (!b)
        return NULL;
    memset(b->data, 0, kv->block_bytes);
    b->references = 1;
    kv->n_blocks++;
    return b;
}

/* Room for n blocks in a sequence's table. */
static sz_status reserve(sequence *s, uint32_t n) {
    if (n <= s->cap_blocks)
        return SZ_OK;
    uint32_t cap = s->cap_blocks ? s->cap_blocks : 8;
    while (cap < n)
        cap *= 2;
    block **more = sz_realloc(s->blocks, s->cap_blocks * sizeof *more, (size_t)cap * sizeof *more);
    SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for a table of %u cache blocks", cap);
    s->blocks = more;
    s->cap_blocks = cap;
    return SZ_OK;
}

/* Gives a sequence a block i <= n_blocks that nobody shares. */
static sz_status own_block(sz_kv *kv, sequence *s, uint32_t i) {
    block *old = i < s->n_blocks ? s->blocks[i] : NULL;
    if (old && old->references == 1)
        return SZ_OK;
    SZ_TRY(reserve(s, i + 1));
    block *b = new_block(kv);
    SZ_REQUIRE(b, SZ_E_NOMEM, "no memory for a cache block of %zu bytes", kv->block_bytes);
    if (old) {
        memcpy(b->data, old->data, kv->block_bytes);
        release(kv, old);
    } else {
        s->n_blocks = i + 1;
    }
    s->blocks[i] = b;
    return SZ_OK;
}

sz_status sz_kv_extend(sz_kv *kv, uint32_t seq, uint32_t n) {
    sequence *s = &kv->sequences[seq];
    SZ_REQUIRE(n <= kv->context - s->length, SZ_E_LIMIT,
               "sequence %u: %u more tokens after %u exceed the context of %u", seq, n, s->length,
               kv->context);
    if (n == 0)
        return SZ_OK;
    uint32_t last = (s->length + n - 1) / SZ_KV_BLOCK;
    for (uint32_t i = s->length / SZ_KV_BLOCK; i <= last; i++) {
        sz_status status = own_block(kv, s, i);
        if (status != SZ_OK) {
            sz_kv_truncate(kv, seq, s->length); /* gives the new blocks back */
            return status;
        }
    }
    s->length += n;
    return SZ_OK;
}

sz_status sz_kv_fork(sz_kv *kv, uint32_t from, uint32_t to) {
    sequence *a = &kv->sequences[from], *b = &kv->sequences[to];
    SZ_REQUIRE(b->length == 0, SZ_E_STATE, "sequence %u is in use", to);
    SZ_TRY(reserve(b, a->n_blocks));
    for (uint32_t i = 0; i < a->n_blocks; i++) {
        b->blocks[i] = a->blocks[i];
        if (b->blocks[i])
            b->blocks[i]->references++;
    }
    b->n_blocks = a->n_blocks;
    b->length = a->length;
    b->kept = a->kept;
    if (b->kept)
        b->kept->references++;
    return SZ_OK;
}

uint8_t *sz_kv_head_data(const sz_kv *kv, uint32_t seq, uint32_t block, uint32_t layer,
                         uint32_t head) {
    uint8_t *data = kv->sequences[seq].blocks[block]->data;
    size_t index = (size_t)(layer - kv->first_layer) * kv->shape.n_head_kv + head;
    return data + index * kv->head_bytes;
}

/* ---- Storing --------------------------------------------------------------------------------- */

static void store_float(const sz_kv *kv, uint8_t *p, uint32_t at, const float *key,
                        const float *value) {
    float *keys = (float *)p, *values = (float *)(p + kv->key_bytes);
    for (uint32_t d = 0; d < kv->shape.head_dim; d++)
        keys[d * SZ_KV_BLOCK + at] = key[d];
    memcpy(values + (size_t)at * kv->dim_padded, value, kv->shape.head_dim * sizeof *value);
}

/* Half precision that saturates: an infinity would turn the zero weight of a position that a query
 * does not see into NaN. A NaN stays one. */
static void to_half(const sz_kv *kv, const float *x, uint32_t n, uint16_t *out) {
    const float most = 65504.0f;
    float bounded[64];
    for (uint32_t i = 0; i < n; i++)
        bounded[i] = x[i] > most ? most : x[i] < -most ? -most : x[i];
    kv->k->to_f16(bounded, n, out);
}

static void store_half(const sz_kv *kv, uint8_t *p, uint32_t at, const float *key,
                       const float *value) {
    uint16_t *keys = (uint16_t *)p, *values = (uint16_t *)(p + kv->key_bytes), row[64];
    for (uint32_t d = 0; d < kv->shape.head_dim; d += 64) {
        uint32_t n = kv->shape.head_dim - d < 64 ? kv->shape.head_dim - d : 64;
        to_half(kv, key + d, n, row);
        for (uint32_t i = 0; i < n; i++)
            keys[(d + i) * SZ_KV_BLOCK + at] = row[i];
        to_half(kv, value + d, n, values + (size_t)at * kv->dim_padded + d);
    }
}

/* Rounds to the nearest integer, halves to even, |x| < 2^22. */
static int8_t nearest(float x) {
    return (int8_t)((x + 12582912.0f) - 12582912.0f);
}

/* Returns the scale; NaN if a value is not finite, so that the fault shows in the logits. */
static float quantize_group(const float *x, uint32_t n, int8_t *q, size_t stride) {
    float largest = 0.0f, faults = 0.0f;
    for (uint32_t i = 0; i < n; i++) {
        float a = x[i] < 0 ? -x[i] : x[i];
        largest = a > largest ? a : largest;
        faults += x[i] - x[i]; /* 0, or NaN */
    }
    bool zero = !(largest >= 1e-30f) || faults != 0.0f;
    for (uint32_t i = 0; i < n; i++)
        q[i * stride] = zero ? 0 : nearest(x[i] * (127.0f / largest));
    return zero ? faults : largest / 127.0f;
}

static void store_q8(const sz_kv *kv, uint8_t *p, uint32_t at, const float *key,
                     const float *value) {
    int8_t *keys = (int8_t *)p, *values = (int8_t *)(p + kv->key_bytes);
    float *key_scales = (float *)(p + kv->key_bytes + kv->value_bytes);
    float *value_scales = key_scales + kv->scale_bytes / sizeof(float);
    uint32_t dim = kv->shape.head_dim;
    for (uint32_t d = 0; d < dim; d += 32) {
        uint32_t n = dim - d < 32 ? dim - d : 32, group = d / 32;
        key_scales[group * SZ_KV_BLOCK + at] =
            quantize_group(key + d, n, keys + (size_t)d * SZ_KV_BLOCK + at, SZ_KV_BLOCK);
        value_scales[group * SZ_KV_BLOCK + at] =
            quantize_group(value + d, n, values + (size_t)at * kv->dim_padded + d, 1);
    }
}

void sz_kv_store(sz_kv *kv, uint32_t seq, uint32_t position, uint32_t layer, uint32_t head,
                 const float *key, const float *value) {
    uint8_t *p = sz_kv_head_data(kv, seq, position / SZ_KV_BLOCK, layer, head);
    uint32_t at = position % SZ_KV_BLOCK;
    if (kv->shape.type == SZ_KV_F16)
        store_half(kv, p, at, key, value);
    else if (kv->shape.type == SZ_KV_F32)
        store_float(kv, p, at, key, value);
    else
        store_q8(kv, p, at, key, value);
}

/* ---- Reading --------------------------------------------------------------------------------- */

size_t sz_kv_scratch_floats(const sz_kv *kv) {
    return kv->shape.type == SZ_KV_Q8_0
               ? (size_t)(kv->shape.head_dim + kv->dim_padded) * SZ_KV_BLOCK
               : 0;
}

static void expand_q8(const sz_kv *kv, const uint8_t *p, float *keys, float *values) {
    const int8_t *qk = (const int8_t *)p, *qv = (const int8_t *)(p + kv->key_bytes);
    const float *key_scales = (const float *)(p + kv->key_bytes + kv->value_bytes);
    const float *value_scales = key_scales + kv->scale_bytes / sizeof(float);
    uint32_t dim = kv->shape.head_dim;
    for (size_t d = 0; d < dim; d++)
        kv->k->scale_s8(qk + d * SZ_KV_BLOCK, key_scales + d / 32 * SZ_KV_BLOCK, true, SZ_KV_BLOCK,
                        keys + d * SZ_KV_BLOCK);
    for (size_t at = 0; at < SZ_KV_BLOCK; at++)
        for (size_t d = 0; d < kv->dim_padded; d += 32) { /* columns beyond dim hold zeros */
            size_t n = kv->dim_padded - d < 32 ? kv->dim_padded - d : 32,
                   i = at * kv->dim_padded + d;
            kv->k->scale_s8(qv + i, value_scales + d / 32 * SZ_KV_BLOCK + at, false, n, values + i);
        }
}

sz_kv_view sz_kv_view_head(const sz_kv *kv, const uint8_t *p, float *scratch) {
    if (kv->shape.type != SZ_KV_Q8_0)
        return (sz_kv_view){p, p + kv->key_bytes, kv->shape.type == SZ_KV_F16};
    float *values = scratch + (size_t)kv->shape.head_dim * SZ_KV_BLOCK;
    expand_q8(kv, p, scratch, values);
    return (sz_kv_view){scratch, values, false};
}

sz_kv_view sz_kv_view_block(const sz_kv *kv, uint32_t seq, uint32_t block, uint32_t layer,
                            uint32_t head, float *scratch) {
    return sz_kv_view_head(kv, sz_kv_head_data(kv, seq, block, layer, head), scratch);
}
