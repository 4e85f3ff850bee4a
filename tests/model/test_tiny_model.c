#include "check.h"
#include "support/tiny_model.h"

#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/tokenizer.h>
#include <unistd.h>

static sz_gguf *made(const tiny_model *config) {
    char path[TINY_MODEL_PATH];
    sz_gguf *g = NULL;
    SZ_CHECK_OK(tiny_model_make(config, path));
    SZ_CHECK_OK(sz_gguf_open(path, &g));
    unlink(path); /* the map keeps it */
    return g;
}

static uint32_t hparam(const sz_gguf *g, const char *key) {
    uint32_t v = 0;
    SZ_CHECK_OK(sz_gguf_get_u32(g, key, &v));
    return v;
}

static bool has(const sz_gguf *g, const char *tensor) {
    return sz_gguf_find_tensor(g, tensor) != NULL;
}

static void hyperparameters_are_as_asked(void **state) {
    const tiny_model c = {.arch = "qwen3", .n_layer = 3, .head_dim = 32, .n_head_kv = 4};
    sz_gguf *g = made(&c);
    assert_int_equal(hparam(g, "qwen3.block_count"), 3);
    assert_int_equal(hparam(g, "qwen3.embedding_length"), 64);
    assert_int_equal(hparam(g, "qwen3.attention.key_length"), 32);
    assert_int_equal(hparam(g, "qwen3.attention.head_count_kv"), 4);
    assert_null(sz_gguf_find(g, "qwen3.attention.sliding_window"));
    const sz_gguf_tensor *q = sz_gguf_find_tensor(g, "blk.2.attn_q.weight");
    assert_int_equal(q->dim[0], 64);
    assert_int_equal(q->dim[1], 4 * 32);
    assert_int_equal(sz_gguf_find_tensor(g, "blk.2.attn_q_norm.weight")->dim[0], 32);
    sz_gguf_close(g);
}

static void architectures_differ_in_their_tensors(void **state) {
    static const struct {
        const char *arch;
        bool biases, qk_norms, post_norms;
    } want[] = {{"llama", 0, 0, 0}, {"qwen2", 1, 0, 0}, {"qwen3", 0, 1, 0}, {"gemma3", 0, 1, 1}};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        sz_gguf *g = made(&(tiny_model){.arch = want[i].arch, .untied = i == 0});
        assert_int_equal(has(g, "blk.1.attn_k.bias"), want[i].biases);
        assert_int_equal(has(g, "blk.1.attn_k_norm.weight"), want[i].qk_norms);
        assert_int_equal(has(g, "blk.1.post_ffw_norm.weight"), want[i].post_norms);
        assert_int_equal(has(g, "output.weight"), i == 0);
        assert_true(has(g, "blk.1.ffn_down.weight") && has(g, "output_norm.weight"));
        sz_gguf_close(g);
    }
}

/* Decoded, the weights of every type are close to those of F32 and never all alike. */
static void every_type_holds_the_same_weights(void **state) {
    static const sz_type types[] = {SZ_F16,  SZ_BF16, SZ_Q8_0, SZ_Q4_0,
                                    SZ_Q4_1, SZ_Q5_0, SZ_Q4_K, SZ_Q6_K};
    enum { WIDTH = 256, N = WIDTH * 512 };
    float *exact = malloc(N * sizeof *exact), *got = malloc(N * sizeof *got);
    sz_gguf *g = made(&(tiny_model){.n_embd = WIDTH, .n_ff = 512, .seed = 5});
    memcpy(exact, sz_gguf_find_tensor(g, "blk.0.ffn_up.weight")->data, N * sizeof *exact);
    sz_gguf_close(g);
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        g = made(&(tiny_model){.n_embd = WIDTH, .n_ff = 512, .seed = 5, .type = types[t]});
        const sz_gguf_tensor *up = sz_gguf_find_tensor(g, "blk.0.ffn_up.weight");
        assert_int_equal(up->type, types[t]);
        sz_type_get(types[t])->dequantize(up->data, got, N);
        double off = 0, power = 0;
        for (int i = 0; i < N; i++) {
            off += (double)(got[i] - exact[i]) * (double)(got[i] - exact[i]);
            power += (double)exact[i] * (double)exact[i];
        }
        SZ_CHECK_ABS(power / 512, 1.6 * 1.6, 0.1); /* one row of unit inputs gives this variance */
        assert_true(off < 0.02 * power);
        sz_gguf_close(g);
    }
    free(exact);
    free(got);
}

static void the_seed_decides(void **state) {
    sz_gguf *a = made(&(tiny_model){.seed = 1}), *b = made(&(tiny_model){.seed = 1});
    sz_gguf *c = made(&(tiny_model){.seed = 2});
    const char *name = "blk.1.attn_output.weight";
    const sz_gguf_tensor *ta = sz_gguf_find_tensor(a, name);
    assert_memory_equal(ta->data, sz_gguf_find_tensor(b, name)->data, ta->bytes);
    assert_int_not_equal(memcmp(ta->data, sz_gguf_find_tensor(c, name)->data, ta->bytes), 0);
    assert_int_not_equal(
        memcmp(ta->data, sz_gguf_find_tensor(a, "blk.0.attn_output.weight")->data, ta->bytes), 0);
    sz_gguf_close(a);
    sz_gguf_close(b);
    sz_gguf_close(c);
}

static void the_vocabulary_is_complete(void **state) {
    sz_gguf *g = made(&(tiny_model){.add_bos = true});
    const sz_gguf_kv *tokens = sz_gguf_find(g, "tokenizer.ggml.tokens");
    const sz_gguf_kv *types = sz_gguf_find(g, "tokenizer.ggml.token_type");
    const struct {
        uint64_t id;
        const char *text;
    } want[] = {{'A', "A"},           {' ', "\xc4\xa0"},      {0, "\xc4\x80"},
                {127, "\xc4\xa1"},    {173, "\xc5\x83"},      {255, "\xc3\xbf"},
                {258, "\xc4\xa0the"}, {276, "<|endoftext|>"}, {292, "<|reserved_292|>"}};
    assert_int_equal(tokens->n, 293);
    assert_int_equal(types->n, 293);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        sz_str s = sz_gguf_str_at(g, tokens, want[i].id);
        assert_int_equal(s.n, strlen(want[i].text));
        assert_memory_equal(s.s, want[i].text, s.n);
        assert_int_equal(sz_gguf_int_at(g, types, want[i].id), want[i].id < 276 ? 1 : 3);
    }
    assert_int_equal(hparam(g, "tokenizer.ggml.bos_token_id"), 276);
    assert_int_equal(hparam(g, "tokenizer.ggml.eos_token_id"), 278);
    assert_non_null(sz_gguf_find(g, "tokenizer.chat_template"));
    sz_gguf_close(g);
}

static void the_vocabulary_tokenizes(void **state) {
    static const struct {
        const char *text;
        int32_t n, ids[8];
    } want[] = {
        {" the and", 2, {258, 272}},
        {"ing\n\n", 2, {269, 270}},
        {"\xc3\xa9\xff", 2, {273, 255}},
        {"<|im_start|>A<|im_end|>", 3, {277, 'A', 278}},
    };
    sz_gguf *g = made(&(tiny_model){0});
    sz_tokenizer *t = NULL;
    SZ_CHECK_OK(sz_tokenizer_from_gguf(g, &t));
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        int32_t *ids = NULL;
        size_t n = 0;
        SZ_CHECK_OK(sz_tokenizer_encode(t, want[i].text, strlen(want[i].text), SZ_TOKENIZE_CONTROL,
                                        &ids, &n));
        assert_int_equal(n, want[i].n);
        assert_memory_equal(ids, want[i].ids, n * sizeof *ids);
        sz_free(ids);
    }
    sz_tokenizer_free(t);
    sz_gguf_close(g);
}

static void impossible_models_are_refused(void **state) {
    char path[TINY_MODEL_PATH];
    assert_int_equal(tiny_model_make(&(tiny_model){.arch = "none"}, path), SZ_E_ARG);
    assert_int_equal(tiny_model_make(&(tiny_model){.n_vocab = 278}, path), SZ_E_ARG);
    assert_int_equal(tiny_model_make(&(tiny_model){.type = SZ_Q4_K, .n_embd = 64}, path), SZ_E_ARG);
    assert_int_equal(tiny_model_make(&(tiny_model){.type = SZ_I32}, path), SZ_E_ARG);
    assert_int_not_equal(access(path, F_OK), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hyperparameters_are_as_asked),
        cmocka_unit_test(architectures_differ_in_their_tensors),
        cmocka_unit_test(every_type_holds_the_same_weights),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(the_vocabulary_is_complete),
        cmocka_unit_test(the_vocabulary_tokenizes),
        cmocka_unit_test(impossible_models_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
