/* kv_keep.c: forgetting positions: what each head keeps is gathered in blocks of its own, with the
 * positions that it came from. */
#include "kv_parts.h"

#include <string.h>

static size_t n_heads(const sz_kv *kv) {
    return (size_t)kv->shape.n_layer * kv->shape.n_head_kv;
}

static void free_kept(kept *k) {
    if (!k)
        return;
    sz_free(k->first);
    sz_free(k->first_block);
    sz_free(k->position);
    sz_free(k->data);
    sz_free(k);
}

void sz_kv_release_kept(sz_kv *kv, sequence *s) {
    kept *k = s->kept;
    s->kept = NULL;
    if (!k || --k->references > 0)
        return;
    kv->kept_bytes -= k->bytes;
    free_kept(k);
}

static kept *new_kept(const sz_kv *kv, uint32_t base, const size_t *first,
                      const uint32_t *position) {
    size_t n = n_heads(kv);
    kept *k = sz_calloc(1, sizeof *k);
    if (!k)
        return NULL;
    *k = (kept){.references = 1, .base = base};
    k->first = sz_alloc((n + 1) * sizeof *k->first);
    k->first_block = sz_alloc((n + 1) * sizeof *k->first_block);
    k->position = sz_alloc(first[n] * sizeof *k->position);
    if (k->first && k->first_block && k->position) {
        memcpy(k->first, first, (n + 1) * sizeof *first);
        memcpy(k->position, position, first[n] * sizeof *position);
        k->first_block[0] = 0;
        for (size_t i = 0; i < n; i++)
            k->first_block[i + 1] =
                k->first_block[i] + (first[i + 1] - first[i] + SZ_KV_BLOCK - 1) / SZ_KV_BLOCK;
        k->bytes = k->first_block[n] * kv->head_bytes;
        k->data = sz_calloc(k->first_block[n], kv->head_bytes); /* unused places must be finite */
    }
    if (!k->data) {
        free_kept(k);
        return NULL;
    }
    return k;
}

/* Column `from` of `rows` rows of 64 elements becomes column `to`. */
static void copy_column(const uint8_t *src, uint32_t from, uint8_t *dst, uint32_t to, size_t rows,
                        size_t element) {
    for (size_t i = 0; i < rows; i++)
        memcpy(dst + (i * SZ_KV_BLOCK + to) * element, src + (i * SZ_KV_BLOCK + from) * element,
               element);
}

/* One position from a head's block into another. */
static void copy_position(const sz_kv *kv, const uint8_t *src, uint32_t from, uint8_t *dst,
                          uint32_t to) {
    size_t element = kv->key_bytes / SZ_KV_BLOCK / kv->shape.head_dim;
    size_t row = kv->value_bytes / SZ_KV_BLOCK, scales = kv->key_bytes + kv->value_bytes;
    copy_column(src, from, dst, to, kv->shape.head_dim, element);
    memcpy(dst + kv->key_bytes + to * row, src + kv->key_bytes + from * row, row);
    copy_column(src + scales, from, dst + scales, to,
                2 * kv->scale_bytes / sizeof(float) / SZ_KV_BLOCK, sizeof(float));
}

/* Head i's positions [n] from where the sequence has them: kept before, or in the blocks of all. */
static sz_status gather(const sz_kv *kv, uint32_t seq, size_t i, const uint32_t *position, size_t n,
                        uint8_t *data) {
    const kept *old = kv->sequences[seq].kept;
    uint32_t base = old ? old->base : 0;
    size_t at = old ? old->first[i] : 0;
    for (size_t slot = 0; slot < n; slot++) {
        const uint8_t *from;
        uint32_t place = position[slot] % SZ_KV_BLOCK;
        if (position[slot] >= base) {
            from = sz_kv_head_data(kv, seq, position[slot] / SZ_KV_BLOCK,
                                   (uint32_t)(i / kv->shape.n_head_kv),
                                   (uint32_t)(i % kv->shape.n_head_kv));
        } else {
            while (at < old->first[i + 1] && old->position[at] < position[slot])
                at++;
            SZ_REQUIRE(at < old->first[i + 1] && old->position[at] == position[slot], SZ_E_STATE,
                       "sequence %u has forgotten position %u of layer %zu, head %zu already", seq,
                       position[slot], i / kv->shape.n_head_kv, i % kv->shape.n_head_kv);
            place = (uint32_t)((at - old->first[i]) % SZ_KV_BLOCK);
            from = old->data +
                   (old->first_block[i] + (at - old->first[i]) / SZ_KV_BLOCK) * kv->head_bytes;
        }
        copy_position(kv, from, place, data + slot / SZ_KV_BLOCK * kv->head_bytes,
                      (uint32_t)(slot % SZ_KV_BLOCK));
    }
    return SZ_OK;
}

sz_status sz_kv_keep(sz_kv *kv, uint32_t seq, const size_t *first, const uint32_t *position) {
    sequence *s = &kv->sequences[seq];
    kept *k = new_kept(kv, s->length, first, position);
    SZ_REQUIRE(k, SZ_E_NOMEM, "no memory for %zu kept positions", first[n_heads(kv)]);
    for (size_t i = 0; i < n_heads(kv); i++) {
        sz_status status = gather(kv, seq, i, position + first[i], first[i + 1] - first[i],
                                  k->data + k->first_block[i] * kv->head_bytes);
        if (status != SZ_OK) {
            free_kept(k);
            return status;
        }
    }
    sz_kv_release_blocks(kv, s);
    sz_kv_release_kept(kv, s);
    s->kept = k;
    kv->kept_bytes += k->bytes;
    return SZ_OK;
}

size_t sz_kv_sequence_bytes(const sz_kv *kv, uint32_t seq) {
    const sequence *s = &kv->sequences[seq];
    size_t bytes = s->kept ? s->kept->bytes : 0;
    for (uint32_t i = 0; i < s->n_blocks; i++)
        bytes += s->blocks[i] ? kv->block_bytes : 0;
    return bytes;
}

uint32_t sz_kv_base(const sz_kv *kv, uint32_t seq) {
    const kept *k = kv->sequences[seq].kept;
    return k ? k->base : 0;
}

const uint32_t *sz_kv_kept_positions(const sz_kv *kv, uint32_t seq, uint32_t layer, uint32_t head,
                                     uint32_t *n) {
    const kept *k = kv->sequences[seq].kept;
    size_t i = (size_t)layer * kv->shape.n_head_kv + head;
    *n = (uint32_t)(k->first[i + 1] - k->first[i]);
    return k->position + k->first[i];
}

sz_kv_view sz_kv_view_kept(const sz_kv *kv, uint32_t seq, uint32_t block, uint32_t layer,
                           uint32_t head, float *scratch) {
    const kept *k = kv->sequences[seq].kept;
    size_t i = (size_t)layer * kv->shape.n_head_kv + head;
    return sz_kv_view_head(kv, k->data + (k->first_block[i] + block) * kv->head_bytes, scratch);
}
