#include "gguf_cut.h"

#include <stdlib.h>
#include <string.h>

static uint64_t u64_at(const char *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint32_t u32_at(const char *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static size_t string_end(const char *bytes, size_t at) {
    return at + 8 + (size_t)u64_at(bytes + at);
}

static size_t value_end(const char *bytes, size_t at, uint32_t type) {
    static const uint8_t size[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    if (type == SZ_GGUF_STRING)
        return string_end(bytes, at);
    if (type != SZ_GGUF_ARRAY)
        return at + size[type];
    uint32_t element = u32_at(bytes + at);
    uint64_t n = u64_at(bytes + at + 4);
    at += 12;
    for (uint64_t i = 0; i < n; i++)
        at = value_end(bytes, at, element);
    return at;
}

static size_t cut_key(const char *bytes, size_t at, key_cut *k) {
    k->at = at;
    k->name = bytes + at + 8;
    k->n_name = (size_t)u64_at(bytes + at);
    k->type = string_end(bytes, at);
    k->value = k->type + 4;
    return k->end = value_end(bytes, k->value, u32_at(bytes + k->type));
}

static size_t cut_tensor(const char *bytes, size_t at, tensor_cut *t) {
    t->at = at;
    t->n_dim = string_end(bytes, at);
    t->dims = t->n_dim + 4;
    t->type = t->dims + 8 * (size_t)u32_at(bytes + t->n_dim);
    t->offset = t->type + 4;
    return t->end = t->offset + 8;
}

void gguf_cut_file(const char *bytes, gguf_cut *c) {
    size_t at = 24;
    c->n_tensors = (size_t)u64_at(bytes + CUT_N_TENSORS);
    c->n_keys = (size_t)u64_at(bytes + CUT_N_KEYS);
    c->keys = calloc(c->n_keys + 1, sizeof *c->keys);
    c->tensors = calloc(c->n_tensors + 1, sizeof *c->tensors);
    c->keys_at = at;
    for (size_t i = 0; i < c->n_keys; i++)
        at = cut_key(bytes, at, &c->keys[i]);
    c->tensors_at = at;
    for (size_t i = 0; i < c->n_tensors; i++)
        at = cut_tensor(bytes, at, &c->tensors[i]);
    c->head_end = at;
    c->data_at = (at + 31) / 32 * 32;
}

void gguf_cut_free(gguf_cut *c) {
    free(c->keys);
    free(c->tensors);
}
