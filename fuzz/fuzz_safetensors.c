/* fuzz_safetensors.c: any bytes as a safetensors file; what opens is then read to its last byte. */
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/safetensors.h>

static volatile uint64_t sink; /* so that reads are not optimised away */

static void need(bool what) {
    if (!what)
        abort();
}

static void read_bytes(const void *p, uint64_t n) {
    for (uint64_t i = 0; i < n; i++)
        sink += ((const uint8_t *)p)[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sz_safetensors *f = NULL;
    if (sz_safetensors_parse(data, size, "fuzz", &f) != SZ_OK) {
        need(f == NULL && strncmp(sz_last_error(), "fuzz: ", 6) == 0);
        return 0;
    }
    uint64_t total = 0;
    for (size_t i = 0; i < sz_safetensors_n_tensors(f); i++) {
        const sz_safetensors_tensor *t = sz_safetensors_tensor_at(f, i);
        uint64_t bytes = sz_safetensors_type_bytes(t->type);
        need(sz_safetensors_find(f, t->name) == t && t->n_dim <= SZ_ST_MAX_DIM);
        for (uint32_t d = 0; d < t->n_dim; d++)
            bytes *= t->dim[d];
        need(bytes == t->bytes && t->data >= data && t->data + t->bytes <= data + size);
        read_bytes(t->data, t->bytes);
        total += bytes;
    }
    need(total <= size); /* no byte belongs to two tensors */
    const sz_json *metadata = sz_safetensors_metadata(f);
    for (const sz_json *m = metadata ? metadata->u.child : NULL; m; m = m->next)
        read_bytes(m->u.s, m->n + 1);
    sz_safetensors_close(f);
    return 0;
}
