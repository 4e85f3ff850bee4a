/* fuzz_circuit.c: any bytes as a circuit file; what opens tells probabilities, and codes bytes
 * there and back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/circuit_file.h>

enum { MOST_VARS = 64, MOST_CELLS = 1 << 16 };

static sz_runtime *rt;

static void need(bool what) {
    if (!what)
        abort();
}

static void use(const sz_pc *pc) {
    sz_pc_shape s = sz_pc_get_shape(pc);
    int32_t x[MOST_VARS] = {0}, drawn[MOST_VARS];
    double ln;
    sz_pc_coder *coder;
    sz_buf code = {0};
    if (s.n_vars > MOST_VARS || s.n_latents * (s.n_latents + s.n_categories) > MOST_CELLS)
        return;
    need(sz_pc_loglik(rt, pc, x, 1, &ln) == SZ_OK && ln <= 1e-3);
    if (sz_pc_coder_new(rt, pc, &coder) != SZ_OK)
        return;
    static const uint8_t noise[] = {7, 200, 31, 4, 155, 96, 255, 0, 18};
    need(sz_pc_decode(coder, noise, sizeof noise, x, 1) == SZ_OK);
    need(sz_pc_check_records(&s, x, 1, false) == SZ_OK);
    need(sz_pc_sample(rt, pc, NULL, 1, 3, drawn) == SZ_OK);
    if (sz_pc_encode(coder, drawn, 1, &code) == SZ_OK) {
        memset(x, 0, sizeof x);
        need(sz_pc_decode(coder, (const uint8_t *)code.data, code.len, x, 1) == SZ_OK);
        need(memcmp(x, drawn, s.n_vars * sizeof *x) == 0);
    }
    sz_buf_free(&code);
    sz_pc_coder_free(coder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sz_gguf *g;
    sz_pc *pc = NULL;
    if (!rt)
        need(sz_runtime_new(&(sz_runtime_config){.n_threads = 1}, &rt) == SZ_OK);
    if (sz_gguf_parse(data, size, "fuzz", &g) != SZ_OK)
        return 0;
    if (sz_pc_from_gguf(g, &pc) == SZ_OK)
        use(pc);
    else
        need(pc == NULL && strncmp(sz_last_error(), "fuzz: ", 6) == 0);
    sz_pc_free(pc);
    sz_gguf_close(g);
    return 0;
}
