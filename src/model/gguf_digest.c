/* gguf_digest.c: a digest that tells models apart, from a sample of each tensor. */
#include <szilard/unstable/gguf.h>

#include <string.h>

enum { SAMPLE = 4096 };

static void put_number(sz_sha256 *h, uint64_t v) {
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(v >> 8 * i);
    sz_sha256_update(h, bytes, sizeof bytes);
}

static void put_tensor(sz_sha256 *h, const sz_gguf_tensor *t) {
    size_t n = t->bytes < SAMPLE ? (size_t)t->bytes : SAMPLE;
    sz_sha256_update(h, t->name, strlen(t->name) + 1);
    put_number(h, t->type);
    for (int i = 0; i < 4; i++)
        put_number(h, t->dim[i]);
    sz_sha256_update(h, t->data, n);
    sz_sha256_update(h, t->data + t->bytes - n, n);
}

void sz_gguf_digest(const sz_gguf *g, uint8_t out[32]) {
    sz_sha256 h;
    sz_sha256_init(&h);
    for (size_t i = 0; i < sz_gguf_n_tensors(g); i++)
        put_tensor(&h, sz_gguf_tensor_at(g, i));
    sz_sha256_final(&h, out);
}
