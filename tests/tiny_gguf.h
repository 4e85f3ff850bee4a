/* tiny_gguf.h: builds a GGUF file without tensors in memory, for tests and fuzz targets. */
#ifndef SZ_TESTS_TINY_GGUF_H
#define SZ_TESTS_TINY_GGUF_H

#include <string.h>
#include <szilard/unstable/gguf.h>

typedef struct tiny_gguf {
    sz_buf bytes; /* header and keys */
    uint64_t n_kv;
} tiny_gguf;

static inline void tiny_u32(tiny_gguf *t, uint32_t v) {
    sz_buf_append(&t->bytes, &v, 4);
}
static inline void tiny_u64(tiny_gguf *t, uint64_t v) {
    sz_buf_append(&t->bytes, &v, 8);
}

static inline void tiny_begin(tiny_gguf *t) {
    memset(t, 0, sizeof *t);
    sz_buf_puts(&t->bytes, "GGUF");
    tiny_u32(t, 3);
    tiny_u64(t, 0); /* tensors */
    tiny_u64(t, 0); /* keys: filled in by tiny_open */
}

static inline void tiny_bytes(tiny_gguf *t, const char *s, size_t n) {
    tiny_u64(t, n);
    sz_buf_append(&t->bytes, s, n);
}

static inline void tiny_key(tiny_gguf *t, const char *key, sz_gguf_type type) {
    tiny_bytes(t, key, strlen(key));
    tiny_u32(t, (uint32_t)type);
    t->n_kv++;
}

static inline void tiny_array(tiny_gguf *t, const char *key, sz_gguf_type element, uint64_t n) {
    tiny_key(t, key, SZ_GGUF_ARRAY);
    tiny_u32(t, (uint32_t)element);
    tiny_u64(t, n);
}

static inline void tiny_str(tiny_gguf *t, const char *key, const char *s) {
    tiny_key(t, key, SZ_GGUF_STRING);
    tiny_bytes(t, s, strlen(s));
}

static inline void tiny_int(tiny_gguf *t, const char *key, int32_t v) {
    tiny_key(t, key, SZ_GGUF_I32);
    tiny_u32(t, (uint32_t)v);
}

static inline void tiny_bool(tiny_gguf *t, const char *key, bool v) {
    char byte = v;
    tiny_key(t, key, SZ_GGUF_BOOL);
    sz_buf_append(&t->bytes, &byte, 1);
}

static inline void tiny_strs(tiny_gguf *t, const char *key, const char *const *s, size_t n) {
    tiny_array(t, key, SZ_GGUF_STRING, n);
    for (size_t i = 0; i < n; i++)
        tiny_bytes(t, s[i], strlen(s[i]));
}

static inline void tiny_ints(tiny_gguf *t, const char *key, const int32_t *v, size_t n) {
    tiny_array(t, key, SZ_GGUF_I32, n);
    sz_buf_append(&t->bytes, v, 4 * n);
}

static inline void tiny_floats(tiny_gguf *t, const char *key, const float *v, size_t n) {
    tiny_array(t, key, SZ_GGUF_F32, n);
    sz_buf_append(&t->bytes, v, 4 * n);
}

/* The bytes stay with t: free t after the file is closed. */
static inline sz_status tiny_open(tiny_gguf *t, sz_gguf **out) {
    memcpy(t->bytes.data + 16, &t->n_kv, 8);
    return sz_gguf_parse(t->bytes.data, t->bytes.len, "tiny.gguf", out);
}

static inline void tiny_free(tiny_gguf *t) {
    sz_buf_free(&t->bytes);
}

#endif
