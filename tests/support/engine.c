#include "engine.h"

#include <unistd.h>

sz_status engine_open(const char *path, int threads, const char *isa, engine *out) {
    sz_runtime_config config = {.n_threads = threads ? threads : 1, .isa = isa};
    *out = (engine){0};
    SZ_TRY(sz_runtime_new(&config, &out->rt));
    return sz_model_open(out->rt, path, NULL, &out->model);
}

sz_status engine_open_tiny(const tiny_model *config, int threads, const char *isa, engine *out) {
    char path[TINY_MODEL_PATH];
    *out = (engine){0};
    SZ_TRY(tiny_model_make(config, path));
    sz_status status = engine_open(path, threads, isa, out);
    unlink(path); /* the map keeps it */
    return status;
}

void engine_close(engine *e) {
    sz_model_close(e->model);
    sz_runtime_free(e->rt);
    *e = (engine){0};
}

void random_ids(uint64_t seed, uint32_t n_vocab, int32_t *ids, size_t n) {
    for (size_t i = 0; i < n; i++)
        ids[i] = (int32_t)(sz_uniform(seed, 77, i) * n_vocab);
}

const tiny_model every_architecture[] = {
    {.arch = "llama", .type = SZ_Q4_1, .seed = 1},
    {.arch = "llama", .type = SZ_F32, .head_dim = 24, .window = 24, .untied = true, .seed = 2},
    {.arch = "qwen2", .type = SZ_Q8_0, .seed = 3},
    {.arch = "qwen3", .type = SZ_F16, .head_dim = 40, .n_head_kv = 1, .seed = 4},
    {.arch = "gemma3", .type = SZ_Q5_0, .n_head_kv = 1, .seed = 5},
    {.arch = "llama", .type = SZ_Q4_K, .type_down = SZ_Q6_K, .n_layer = 1, .n_head = 8, .seed = 6},
};
const size_t n_architectures = sizeof every_architecture / sizeof *every_architecture;
