/* test_shapes.c: models of odd shapes in every storage type: whatever is computed together, on any
 * instruction set, gives the bits of plain C on one thread, token by token. */
#include "check.h"
#include "num/kernels/kernels.h"
#include "support/engine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_TOKENS = 1000 };

static const sz_type types[] = {SZ_Q4_0,   SZ_Q4_1, SZ_Q5_0, SZ_Q5_1, SZ_Q8_0, SZ_IQ4_NL,
                                SZ_MXFP4,  SZ_Q2_K, SZ_Q3_K, SZ_Q4_K, SZ_Q5_K, SZ_Q6_K,
                                SZ_IQ4_XS, SZ_F32,  SZ_F16,  SZ_BF16};
enum { N_TYPES = sizeof types / sizeof *types };

typedef struct subject {
    tiny_model model;
    uint32_t n_tokens;
    int32_t ids[MOST_TOKENS];
    uint32_t n_vocab;
    float *want; /* [n_tokens][n_vocab] */
} subject;

/* Logits of all tokens, in passes of `chunk`. */
static void run(const subject *s, const engine *e, uint32_t chunk, float *logits) {
    sz_session *session;
    sz_session_config config = {.context = s->n_tokens, .n_sequences = 1};
    SZ_CHECK_OK(sz_session_new(e->model, &config, &session));
    for (uint32_t at = 0; at < s->n_tokens; at += chunk) {
        uint32_t n = s->n_tokens - at < chunk ? s->n_tokens - at : chunk;
        SZ_CHECK_OK(sz_session_forward(session, &(sz_span){0, s->ids + at, n, SZ_ALL}, 1));
        memcpy(logits + (size_t)at * s->n_vocab, sz_session_logits(session, 0),
               (size_t)n * s->n_vocab * sizeof *logits);
    }
    sz_session_free(session);
}

static void check(const subject *s, const char *path, int threads, const char *isa,
                  uint32_t chunk) {
    engine e;
    size_t bytes = (size_t)s->n_tokens * s->n_vocab * sizeof(float);
    float *got = malloc(bytes);
    SZ_CHECK_OK(engine_open(path, threads, isa, &e));
    run(s, &e, chunk, got);
    if (memcmp(got, s->want, bytes) != 0)
        fail_msg("%s: %s, width %u, %u heads of %u, ffn %u, %u tokens, %u at a time: other bits",
                 isa, sz_type_get(s->model.type)->name, s->model.n_embd, s->model.n_head,
                 s->model.head_dim, s->model.n_ff, s->n_tokens, chunk);
    engine_close(&e);
    free(got);
}

/* The reference; then every instruction set, all tokens at once on two threads, and the best one
 * with three threads in passes of another size. */
static void check_model(const tiny_model *model, uint32_t n_tokens, uint32_t chunk) {
    static subject s;
    engine e;
    char path[TINY_MODEL_PATH];
    const char *const *isa = sz_isa_available();
    sz_model_info info;
    s = (subject){.model = *model, .n_tokens = n_tokens};
    SZ_CHECK_OK(tiny_model_make(model, path));
    SZ_CHECK_OK(engine_open(path, 1, "portable", &e));
    sz_model_get_info(e.model, &info);
    s.n_vocab = info.n_vocab;
    random_ids(model->seed, s.n_vocab, s.ids, n_tokens);
    s.want = malloc((size_t)n_tokens * s.n_vocab * sizeof *s.want);
    run(&s, &e, 1, s.want);
    engine_close(&e);
    for (size_t i = 0; isa[i]; i++)
        check(&s, path, 2, isa[i], n_tokens);
    check(&s, path, 3, isa[0], chunk);
    unlink(path);
    free(s.want);
}

typedef struct heads {
    uint32_t n, n_kv, dim;
} heads;

/* Widths that 64 does not divide, heads of every size that people meet. */
static void types_of_floats_and_of_32(void **state) {
    static const heads of_32[] = {{3, 1, 64}, {2, 1, 80},  {2, 2, 96}, {1, 1, 128},
                                  {4, 2, 24}, {1, 1, 256}, {6, 3, 16}};
    static const heads of_floats[] = {{3, 1, 64}, {1, 1, 80}, {2, 1, 96}, {2, 2, 6}, {5, 1, 10}};
    static const uint32_t widths[] = {96, 32, 160, 224, 288}, odd[] = {50, 36, 100, 70, 34};
    static const uint32_t tokens[] = {1, 2, 3, 5, 9, 17, 31, 33, 16, 65};
    for (size_t i = 0, k = 0; i < N_TYPES; i++) {
        size_t block = sz_type_get(types[i])->block;
        for (size_t j = 0; block <= 32 && j < 2; j++, k++) {
            heads h = block == 1 ? of_floats[k % 5] : of_32[k % 7];
            tiny_model m = {.type = types[i],
                            .arch = k % 4 == 3 ? "qwen2" : "llama",
                            .seed = 100 + k,
                            .n_layer = 1,
                            .n_embd = block == 1 ? odd[k % 5] : widths[k % 5],
                            .n_ff = block == 1 ? 33 + 2 * (uint32_t)k : 32 + 32 * (uint32_t)(k % 6),
                            .n_head = h.n,
                            .n_head_kv = h.n_kv,
                            .head_dim = h.dim,
                            .n_vocab = 279 + (uint32_t)k};
            check_model(&m, tokens[k % 10], 2 + (uint32_t)k % 7);
        }
    }
}

static void types_of_256(void **state) {
    static const heads all[] = {{4, 2, 64}, {16, 4, 80}, {8, 2, 96}, {2, 1, 128}, {1, 1, 256}};
    static const uint32_t tokens[] = {1, 4, 7, 18, 40};
    for (size_t i = 0, k = 0; i < N_TYPES; i++)
        if (sz_type_get(types[i])->block == 256) {
            heads h = all[k % 5];
            tiny_model m = {.type = types[i],
                            .type_down = k % 3 ? types[i] : SZ_Q6_K,
                            .seed = 200 + i,
                            .n_layer = 1,
                            .n_embd = 256 + 256 * (uint32_t)(k % 2),
                            .n_ff = 256,
                            .n_head = h.n,
                            .n_head_kv = h.n_kv,
                            .head_dim = h.dim,
                            .n_vocab = 280 + (uint32_t)k};
            check_model(&m, tokens[k % 5], 3 + (uint32_t)k % 5);
            k++;
        }
}

static void a_thousand_tokens(void **state) {
    tiny_model m = {.type = SZ_Q4_1,
                    .seed = 300,
                    .n_layer = 1,
                    .n_embd = 32,
                    .n_ff = 32,
                    .n_head = 2,
                    .n_head_kv = 1,
                    .head_dim = 80,
                    .n_ctx = 1024};
    check_model(&m, 1000, 333);
    m = (tiny_model){.arch = "gemma3",
                     .type = SZ_Q8_0,
                     .seed = 301,
                     .n_layer = 2,
                     .n_embd = 32,
                     .n_ff = 32,
                     .n_head = 1,
                     .n_head_kv = 1,
                     .head_dim = 32,
                     .n_ctx = 1024};
    check_model(&m, 300, 129);
}

static void a_large_vocabulary(void **state) {
    tiny_model m = {.type = SZ_Q8_0,
                    .seed = 400,
                    .n_layer = 1,
                    .n_embd = 32,
                    .n_ff = 32,
                    .n_head = 1,
                    .n_head_kv = 1,
                    .head_dim = 32,
                    .n_vocab = 300000};
    check_model(&m, 1, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_of_floats_and_of_32),
        cmocka_unit_test(types_of_256),
        cmocka_unit_test(a_thousand_tokens),
        cmocka_unit_test(a_large_vocabulary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
