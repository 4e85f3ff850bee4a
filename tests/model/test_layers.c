/* test_layers.c: a model cut between layers gives the bits of the whole model. */
#include "check.h"
#include "support/engine.h"

#include <stdlib.h>
#include <string.h>

enum { N = 90, MOST_PARTS = 3 }; /* over a block of the cache and the windows */

/* Logits of all N tokens by a session. */
static float *whole(const engine *e, const int32_t *ids, uint32_t n_vocab) {
    sz_session *s;
    float *logits = malloc((size_t)N * n_vocab * sizeof *logits);
    SZ_CHECK_OK(sz_session_new(e->model, &(sz_session_config){.n_sequences = 1}, &s));
    SZ_CHECK_OK(sz_session_forward(s, &(sz_span){0, ids, N, SZ_ALL}, 1));
    memcpy(logits, sz_session_logits(s, 0), (size_t)N * n_vocab * sizeof *logits);
    sz_session_free(s);
    return logits;
}

/* The same through parts, in passes of `chunk` tokens, each with a model of its own. */
static float *in_parts(const engine *e, const uint32_t *cut, size_t n_parts, const int32_t *ids,
                       uint32_t chunk, sz_kv_type type) {
    sz_model_info info;
    sz_layers *part[MOST_PARTS];
    sz_model_get_info(e[0].model, &info);
    for (size_t p = 0; p < n_parts; p++)
        SZ_CHECK_OK(sz_layers_new(e[p % 2].model, cut[p], cut[p + 1], N, type, &part[p]));
    float *x = malloc((size_t)N * info.n_embd * sizeof *x);
    float *logits = malloc((size_t)N * info.n_vocab * sizeof *logits);
    for (uint32_t at = 0; at < N; at += chunk) {
        uint32_t n = N - at < chunk ? N - at : chunk;
        SZ_CHECK_OK(sz_model_embed(e[0].model, ids + at, n, x));
        for (size_t p = 0; p < n_parts; p++)
            SZ_CHECK_OK(sz_layers_forward(part[p], x, n, x));
        SZ_CHECK_OK(sz_model_logits(e[1].model, x, n, logits + (size_t)at * info.n_vocab));
    }
    for (size_t p = 0; p < n_parts; p++) {
        assert_int_equal(sz_layers_length(part[p]), N);
        sz_layers_free(part[p]);
    }
    free(x);
    return logits;
}

static void split_is_whole(void **state) {
    for (size_t i = 0; i < n_architectures; i++) {
        engine e[2]; /* two copies, as on two machines; one with another number of threads */
        int32_t ids[N];
        sz_model_info info;
        SZ_CHECK_OK(engine_open_tiny(&every_architecture[i], 1, NULL, &e[0]));
        SZ_CHECK_OK(engine_open_tiny(&every_architecture[i], 2, NULL, &e[1]));
        sz_model_get_info(e[0].model, &info);
        random_ids(i, 256, ids, N);
        float *want = whole(&e[0], ids, info.n_vocab);
        for (uint32_t at = 1; at <= info.n_layer; at++) {
            uint32_t cut[] = {0, at, info.n_layer};
            float *got =
                in_parts(e, cut, at < info.n_layer ? 2 : 1, ids, at % 2 ? N : 7, SZ_KV_F16);
            assert_memory_equal(got, want, (size_t)N * info.n_vocab * sizeof *got);
            free(got);
        }
        if (info.n_layer >= 3) {
            float *got = in_parts(e, (uint32_t[]){0, 1, 2, info.n_layer}, 3, ids, 1, SZ_KV_F16);
            assert_memory_equal(got, want, (size_t)N * info.n_vocab * sizeof *got);
            free(got);
        }
        free(want);
        engine_close(&e[0]);
        engine_close(&e[1]);
    }
}

/* Cut back and given again, the same states come out; a token too many is refused and changes
 * nothing. */
static void lengths(void **state) {
    engine e;
    sz_layers *l;
    enum { CONTEXT = 70 };
    SZ_CHECK_OK(engine_open_tiny(&every_architecture[0], 1, NULL, &e));
    sz_model_info info;
    sz_model_get_info(e.model, &info);
    size_t row = info.n_embd;
    int32_t ids[CONTEXT];
    float *in = malloc(CONTEXT * row * sizeof *in), *out = malloc(CONTEXT * row * sizeof *out);
    float *again = malloc(CONTEXT * row * sizeof *again);
    random_ids(3, 256, ids, CONTEXT);
    SZ_CHECK_OK(sz_model_embed(e.model, ids, CONTEXT, in));
    SZ_CHECK_OK(sz_layers_new(e.model, 0, 1, CONTEXT, SZ_KV_Q8_0, &l));
    SZ_CHECK_OK(sz_layers_forward(l, in, CONTEXT, out));
    assert_int_equal(sz_layers_forward(l, in, 1, again), SZ_E_LIMIT);
    assert_int_equal(sz_layers_length(l), CONTEXT);
    assert_int_equal(sz_layers_truncate(l, CONTEXT + 1), SZ_E_ARG);
    SZ_CHECK_OK(sz_layers_truncate(l, 5));
    SZ_CHECK_OK(sz_layers_forward(l, in + 5 * row, CONTEXT - 5, again));
    assert_memory_equal(again, out + 5 * row, (CONTEXT - 5) * row * sizeof *out);
    SZ_CHECK_OK(sz_layers_forward(l, NULL, 0, NULL));
    sz_layers_free(l);
    free(in);
    free(out);
    free(again);
    engine_close(&e);
}

static void bad_arguments(void **state) {
    engine e;
    sz_layers *l = NULL;
    float x[64];
    SZ_CHECK_OK(engine_open_tiny(&(tiny_model){0}, 1, NULL, &e)); /* two layers */
    assert_int_equal(sz_layers_new(e.model, 1, 1, 8, SZ_KV_F16, &l), SZ_E_ARG);
    assert_int_equal(sz_layers_new(e.model, 2, 1, 8, SZ_KV_F16, &l), SZ_E_ARG);
    assert_int_equal(sz_layers_new(e.model, 0, 3, 8, SZ_KV_F16, &l), SZ_E_ARG);
    assert_int_equal(sz_layers_new(e.model, 0, 1, 0, SZ_KV_F16, &l), SZ_E_ARG);
    assert_int_equal(sz_layers_new(NULL, 0, 1, 8, SZ_KV_F16, &l), SZ_E_ARG);
    assert_null(l);
    assert_int_equal(sz_model_embed(e.model, &(int32_t){293}, 1, x), SZ_E_ARG);
    assert_int_equal(sz_model_embed(e.model, &(int32_t){-1}, 1, x), SZ_E_ARG);
    assert_int_equal(sz_model_embed(e.model, NULL, 1, x), SZ_E_ARG);
    assert_int_equal(sz_model_logits(e.model, x, 1, NULL), SZ_E_ARG);
    SZ_CHECK_OK(sz_model_logits(e.model, NULL, 0, NULL));
    SZ_CHECK_OK(sz_layers_new(e.model, 1, 2, 8, SZ_KV_F16, &l));
    assert_int_equal(sz_layers_forward(l, NULL, 1, x), SZ_E_ARG);
    sz_layers_free(l);
    sz_layers_free(NULL);
    engine_close(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_is_whole),
        cmocka_unit_test(lengths),
        cmocka_unit_test(bad_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
