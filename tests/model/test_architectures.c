/* The engine against logits of `transformers`: tiny float models of every architecture
 * (tests/vectors/architectures), past every threshold of theirs, by chunk and token by token. */
#include "check.h"
#include "support/engine.h"

#include <stdlib.h>
#include <string.h>

static const char *const cases[] = {
    "llama",
    "llama-tied",
    "llama-spm",
    "llama-rope-llama3",
    "llama-rope-linear",
    "llama-rope-yarn",
    "llama-rope-yarn-stated",
    "mistral-window",
    "qwen2",
    "qwen2-rope-yarn",
    "qwen3",
    "gemma3",
    "gemma3-rope-linear",
};
enum { N_CASES = sizeof cases / sizeof *cases };

/* How far float arithmetic in another order may move a logit, and what the cache's rounding adds:
 * half precision keeps 11 bits, Q8_0 seven. */
static const struct {
    sz_kv_type type;
    double allowed;
} caches[] = {{SZ_KV_F32, 1e-4}, {SZ_KV_F16, 2e-2}, {SZ_KV_Q8_0, 0.5}};

typedef struct vectors {
    sz_gguf *file;
    const sz_gguf_kv *ids, *positions;
    const sz_gguf_tensor *logits;
    int32_t *input;
} vectors;

static vectors read_vectors(const char *name) {
    char path[512];
    vectors v;
    snprintf(path, sizeof path, "%s/architectures/%s.logits.gguf", SZ_TEST_VECTORS, name);
    SZ_CHECK_OK(sz_gguf_open(path, &v.file));
    v.ids = sz_gguf_find(v.file, "test.ids");
    v.positions = sz_gguf_find(v.file, "test.positions");
    v.logits = sz_gguf_find_tensor(v.file, "logits");
    assert_true(v.ids && v.positions && v.logits);
    v.input = malloc(v.ids->n * sizeof *v.input);
    for (uint64_t i = 0; i < v.ids->n; i++)
        v.input[i] = (int32_t)sz_gguf_int_at(v.file, v.ids, i);
    return v;
}

static void free_vectors(vectors *v) {
    free(v->input);
    sz_gguf_close(v->file);
}

/* The largest difference at the kept positions when the input is computed `chunk` by chunk. */
static double largest_difference(sz_session *s, const vectors *v, uint32_t chunk) {
    size_t n_vocab = v->logits->dim[0], n = v->ids->n, row = 0;
    double most = 0;
    SZ_CHECK_OK(sz_session_drop(s, 0));
    for (size_t at = 0; at < n; at += chunk) {
        uint32_t count = n - at < chunk ? (uint32_t)(n - at) : chunk;
        sz_span span = {.seq = 0, .ids = v->input + at, .n = count, .want = SZ_ALL};
        SZ_CHECK_OK(sz_session_forward(s, &span, 1));
        for (; row < v->positions->n; row++) {
            size_t position = (size_t)sz_gguf_int_at(v->file, v->positions, row);
            if (position >= at + count)
                break;
            const float *got = sz_session_logits(s, position - at);
            for (size_t k = 0; k < n_vocab; k++) {
                float want;
                memcpy(&want, v->logits->data + (row * n_vocab + k) * sizeof want, sizeof want);
                double off = (double)got[k] - (double)want;
                off = off < 0 ? -off : off;
                most = off <= most ? most : off; /* a NaN stays */
            }
        }
    }
    assert_int_equal(row, v->positions->n);
    return most;
}

static void agree(const char *name) {
    char path[512];
    engine e;
    vectors v = read_vectors(name);
    snprintf(path, sizeof path, "%s/architectures/%s.gguf", SZ_TEST_VECTORS, name);
    SZ_CHECK_OK(engine_open(path, 2, NULL, &e));
    for (size_t i = 0; i < sizeof caches / sizeof *caches; i++) {
        sz_session *s;
        sz_session_config config = {.kv_type = caches[i].type, .context = 256};
        SZ_CHECK_OK(sz_session_new(e.model, &config, &s));
        double whole = largest_difference(s, &v, 256), single = largest_difference(s, &v, 1);
        print_message("%-24s cache %d: %.2g\n", name, (int)caches[i].type, whole);
        SZ_CHECK_ABS(whole, 0.0, caches[i].allowed);
        assert_true(whole == single); /* chunks do not show in the bits */
        sz_session_free(s);
    }
    engine_close(&e);
    free_vectors(&v);
}

static void logits_agree_with_transformers(void **state) {
    agree(*state);
}

int main(void) {
    struct CMUnitTest tests[N_CASES];
    for (size_t i = 0; i < N_CASES; i++)
        tests[i] = (struct CMUnitTest){cases[i], logits_agree_with_transformers, NULL, NULL,
                                       (void *)cases[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
