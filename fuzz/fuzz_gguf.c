/* fuzz_gguf.c: any bytes as a GGUF file; what opens is then read to its last byte. */
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/gguf.h>

static volatile uint64_t sink; /* so that reads are not optimised away */

static void need(bool what) {
    if (!what)
        abort();
}

static void read_bytes(const void *p, uint64_t n) {
    for (uint64_t i = 0; i < n; i++)
        sink += ((const uint8_t *)p)[i];
}

static void read_key(const sz_gguf *g, const sz_gguf_kv *kv) {
    int64_t i64;
    uint32_t u32;
    float f32;
    bool flag;
    sz_str s;
    need(sz_gguf_find(g, kv->key) == kv);
    sink += (uint64_t)(sz_gguf_get_i64(g, kv->key, &i64) + sz_gguf_get_u32(g, kv->key, &u32) +
                       sz_gguf_get_bool(g, kv->key, &flag) + sz_gguf_get_str(g, kv->key, &s));
    if (sz_gguf_get_f32(g, kv->key, &f32) == SZ_OK)
        need(__builtin_isfinite(f32));
    for (uint64_t i = 0; i < kv->n && i <= 1 << 16; i++) {
        s = sz_gguf_str_at(g, kv, i);
        read_bytes(s.s, s.n);
        sink += (uint64_t)sz_gguf_int_at(g, kv, i) + (sz_gguf_num_at(g, kv, i) > 0);
    }
    need(sz_gguf_str_at(g, kv, kv->n).n == 0 && sz_gguf_int_at(g, kv, UINT64_MAX) == 0);
}

static void read_tensors(const sz_gguf *g, const uint8_t *data, size_t size) {
    for (size_t i = 0; i < sz_gguf_n_tensors(g); i++) {
        const sz_gguf_tensor *t = sz_gguf_tensor_at(g, i);
        need(sz_gguf_find_tensor(g, t->name) == t && sz_type_get(t->type)->name);
        need(t->data >= data && t->bytes > 0 && t->bytes <= size - (size_t)(t->data - data));
        need(t->dim[0] && t->dim[1] && t->dim[2] && t->dim[3] && t->n_dim >= 1 && t->n_dim <= 4);
        read_bytes(t->data, t->bytes);
    }
}

static void copy(const sz_gguf *g) {
    sz_gguf_writer *w;
    if (sz_gguf_writer_new(&w) != SZ_OK)
        return;
    for (size_t i = 0; i < sz_gguf_n_kv(g); i++)
        sz_gguf_put_kv(w, g, sz_gguf_kv_at(g, i));
    for (size_t i = 0; i < sz_gguf_n_tensors(g); i++) {
        const sz_gguf_tensor *t = sz_gguf_tensor_at(g, i);
        sz_gguf_put_tensor(w, t->name, t->type, t->n_dim, t->dim, t->data);
    }
    sz_gguf_writer_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sz_gguf *g = NULL;
    if (sz_gguf_parse(data, size, "fuzz", &g) != SZ_OK) {
        need(g == NULL && strncmp(sz_last_error(), "fuzz: ", 6) == 0);
        return 0;
    }
    for (size_t i = 0; i < sz_gguf_n_kv(g); i++)
        read_key(g, sz_gguf_kv_at(g, i));
    read_tensors(g, data, size);
    copy(g);
    sz_gguf_close(g);
    return 0;
}
