/* A whole model of every storage type: the same logits with every instruction set, alone and in a
 * batch, and near those of the float model that it was made from. */
#include "check.h"
#include "support/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/num.h>

enum { N = 20 };

/* How far the logits of a type may be from those of the same weights in F32, relative to these in
 * the Euclidean norm: what rounding the weights costs, with room. */
static const struct {
    sz_type type;
    double allowed;
} types[] = {
    {SZ_F16, 0.002},  {SZ_BF16, 0.02},  {SZ_Q8_0, 0.04}, {SZ_Q6_K, 0.08}, {SZ_Q5_K, 0.15},
    {SZ_Q5_1, 0.15},  {SZ_Q5_0, 0.15},  {SZ_Q4_K, 0.3},  {SZ_Q4_1, 0.3},  {SZ_Q4_0, 0.4},
    {SZ_IQ4_NL, 0.3}, {SZ_IQ4_XS, 0.3}, {SZ_MXFP4, 0.5}, {SZ_Q3_K, 0.6},  {SZ_Q2_K, 0.9},
};

/* The logits after each of the ids; the caller frees. */
static float *logits_of(const tiny_model *config, const char *isa, uint32_t chunk, size_t *n) {
    engine e;
    sz_session *s;
    sz_model_info info;
    int32_t ids[N];
    SZ_CHECK_OK(engine_open_tiny(config, 2, isa, &e));
    sz_model_get_info(e.model, &info);
    random_ids(8, info.n_vocab, ids, N);
    SZ_CHECK_OK(sz_session_new(e.model, &(sz_session_config){.context = 64}, &s));
    *n = (size_t)N * info.n_vocab;
    float *logits = malloc(*n * sizeof *logits);
    for (uint32_t at = 0; at < N; at += chunk) {
        uint32_t count = N - at < chunk ? N - at : chunk;
        SZ_CHECK_OK(sz_session_forward(s, &(sz_span){0, ids + at, count, SZ_ALL}, 1));
        memcpy(logits + (size_t)at * info.n_vocab, sz_session_logits(s, 0),
               count * info.n_vocab * sizeof *logits);
    }
    sz_session_free(s);
    engine_close(&e);
    return logits;
}

static double distance(const float *a, const float *b, size_t n) {
    double off = 0.0, size = 0.0;
    for (size_t i = 0; i < n; i++) {
        off += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        size += (double)b[i] * b[i];
    }
    return sqrt(off / size);
}

static void test_every_type(void **state) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        tiny_model config = {
            .type = types[i].type, .n_layer = 1, .n_embd = 256, .n_ff = 512, .seed = 4};
        tiny_model exact = config;
        size_t n;
        exact.type = SZ_F32;
        float *want = logits_of(&exact, NULL, N, &n),
              *first = logits_of(&config, "portable", 1, &n);
        double off = distance(first, want, n);
        if (!(off > 0.0 && off <= types[i].allowed))
            fail_msg("%s: logits %.4f from those of F32, more than %.4f",
                     sz_type_get(types[i].type)->name, off, types[i].allowed);
        for (const char *const *isa = sz_isa_available(); *isa; isa++) {
            uint64_t before = sz_isa_products(*isa);
            float *got = logits_of(&config, *isa, N, &n);
            assert_memory_equal(got, first, n * sizeof *got);
            assert_true(sz_isa_products(*isa) > before);
            free(got);
        }
        free(want);
        free(first);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_type)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
