/* Hyperparameters as real files state them, and files that are refused by name. Each case is a tiny
 * model with one key put in, replaced or taken away. */
#include "check.h"
#include "model/model.h"
#include "support/engine.h"
#include "support/gguf_edit.h"

#include <string.h>
#include <unistd.h>

static sz_status open_edited(const tiny_model *config, const gguf_edit *edits, size_t n,
                             engine *e) {
    char path[TINY_MODEL_PATH];
    SZ_CHECK_OK(tiny_model_make(config, path));
    SZ_CHECK_OK(gguf_rewrite(path, edits, n));
    sz_status status = engine_open(path, 1, NULL, e);
    unlink(path);
    return status;
}

/* ---- Refused --------------------------------------------------------------------------------- */

static const int32_t differing[] = {2, 1}, none[] = {0}, odd_pattern[] = {1, 1, 0, 1, 1, 1, 1};
static const struct {
    const char *arch;
    gguf_edit edit;
    sz_status status;
    const char *message; /* holds */
} refused[] = {
    {"llama",
     {"general.type", EDIT_STRING, .text = "adapter"},
     SZ_E_UNSUPPORTED,
     "general.type is 'adapter'"},
    {"llama",
     {"general.architecture", .kind = EDIT_REMOVED},
     SZ_E_NOTFOUND,
     "general.architecture"},
    {"llama", {"general.architecture", EDIT_STRING, .text = "mamba"}, SZ_E_UNSUPPORTED, "'mamba'"},
    {"llama",
     {"llama.expert_count", EDIT_U32, .number = 8},
     SZ_E_UNSUPPORTED,
     "llama.expert_count is 8"},
    {"llama",
     {"llama.attention.causal", EDIT_BOOL, .number = 0},
     SZ_E_UNSUPPORTED,
     "attention.causal"},
    {"llama",
     {"llama.attention.head_count_kv", EDIT_ARRAY, .array = differing, .n_array = 2},
     SZ_E_UNSUPPORTED,
     "llama.attention.head_count_kv differs from layer to layer"},
    {"llama",
     {"llama.attention.head_count_kv", EDIT_ARRAY, .array = none, .n_array = 1},
     SZ_E_FORMAT,
     "attention.head_count_kv is 0"},
    {"llama",
     {"llama.attention.head_count_kv", EDIT_U32, .number = 3},
     SZ_E_FORMAT,
     "4 heads are not a multiple of 3"},
    {"llama",
     {"llama.attention.head_count", EDIT_U32, .number = 0},
     SZ_E_FORMAT,
     "attention.head_count is 0"},
    {"llama",
     {"llama.attention.value_length", EDIT_U32, .number = 8},
     SZ_E_UNSUPPORTED,
     "value_length 8 differs"},
    {"llama",
     {"llama.rope.dimension_count", EDIT_U32, .number = 7},
     SZ_E_FORMAT,
     "rope.dimension_count 7 is odd"},
    {"llama",
     {"llama.rope.dimension_count", EDIT_U32, .number = 18},
     SZ_E_FORMAT,
     "rope.dimension_count is 18"},
    {"llama", {"llama.rope.freq_base", EDIT_F32, .number = 0.5}, SZ_E_FORMAT, "rope.freq_base 0.5"},
    {"llama",
     {"llama.rope.freq_base", EDIT_STRING, .text = "x"},
     SZ_E_FORMAT,
     "llama.rope.freq_base"},
    {"llama",
     {"llama.rope.scaling.type", EDIT_STRING, .text = "longrope"},
     SZ_E_UNSUPPORTED,
     "'longrope'"},
    {"llama",
     {"llama.rope.scaling.factor", EDIT_F32, .number = -2},
     SZ_E_FORMAT,
     "rope.scaling.factor is -2"},
    {"llama",
     {"llama.rope.scaling.factor", EDIT_STRING, .text = "8"},
     SZ_E_FORMAT,
     "rope.scaling.factor"},
    {"llama",
     {"llama.rope.scaling.factor", EDIT_F32, .number = 0.25},
     SZ_E_FORMAT,
     "the rope frequency of dimension 0 is 4"},
    {"llama",
     {"llama.block_count", EDIT_U32, .number = 1},
     SZ_E_UNSUPPORTED,
     "tensor blk.1.attn_norm.weight has no place"},
    {"llama",
     {"llama.rope.scaling.yarn_log_multiplier", EDIT_F32, .number = 0.1},
     SZ_E_UNSUPPORTED,
     "log multiplier"},
    {"llama",
     {"llama.feed_forward_length", EDIT_U32, .number = 64},
     SZ_E_FORMAT,
     "blk.0.ffn_gate.weight"},
    {"llama",
     {"llama.block_count", EDIT_U32, .number = 3},
     SZ_E_NOTFOUND,
     "blk.2.attn_norm.weight is missing"},
    {"llama", {"llama.block_count", .kind = EDIT_REMOVED}, SZ_E_NOTFOUND, "llama.block_count"},
    {"gemma3",
     {"gemma3.final_logit_softcapping", EDIT_F32, .number = 30},
     SZ_E_UNSUPPORTED,
     "soft-capped logits"},
    {"gemma3",
     {"gemma3.attention.sliding_window_pattern", EDIT_U32, .number = 0},
     SZ_E_FORMAT,
     "pattern"},
    {"gemma3",
     {"gemma3.attention.sliding_window_pattern", EDIT_ARRAY, .array = odd_pattern, .n_array = 7},
     SZ_E_UNSUPPORTED,
     "other layers than every 6th"},
};

static void others_are_refused_by_name(void **state) {
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        engine e;
        sz_status got =
            open_edited(&(tiny_model){.arch = refused[i].arch}, &refused[i].edit, 1, &e);
        if (got != refused[i].status || !strstr(sz_last_error(), refused[i].message))
            fail_msg("%s: status %d, not %d: \"%s\" should hold \"%s\"", refused[i].edit.key, got,
                     refused[i].status, sz_last_error(), refused[i].message);
        engine_close(&e);
    }
}

/* ---- Read ------------------------------------------------------------------------------------ */

static sz_hparams hparams_of(const tiny_model *config, const gguf_edit *edits, size_t n) {
    engine e;
    SZ_CHECK_OK(open_edited(config, edits, n, &e));
    sz_hparams h = e.model->h;
    engine_close(&e);
    return h;
}

/* Frequency i of the global table, and the scale of its cosines. */
static double frequency(const gguf_edit *edits, size_t n, size_t i, double *scale) {
    engine e;
    SZ_CHECK_OK(open_edited(&(tiny_model){0}, edits, n, &e));
    double f = e.model->rope[0].inverse[i];
    *scale = (double)e.model->rope[0].scale;
    engine_close(&e);
    return f;
}

static void defaults_are_those_of_the_format(void **state) {
    static const gguf_edit left_out[] = {
        {"llama.attention.head_count_kv", .kind = EDIT_REMOVED},
        {"llama.attention.key_length", .kind = EDIT_REMOVED},
        {"llama.attention.value_length", .kind = EDIT_REMOVED},
        {"llama.rope.dimension_count", .kind = EDIT_REMOVED},
        {"llama.rope.freq_base", .kind = EDIT_REMOVED},
    };
    sz_hparams h = hparams_of(&(tiny_model){.n_head_kv = 4}, left_out, 5);
    assert_int_equal(h.n_head_kv, 4);
    assert_int_equal(h.head_dim, 16);
    assert_int_equal(h.n_rot, 16);
    assert_true(h.rope_base == 10000.0);
    assert_true(h.attention_scale == 0.25f);
    assert_true(h.embedding_scale == 1.0f);
}

static void a_value_per_layer_is_read_where_all_agree(void **state) {
    static const int32_t kv[] = {2, 2}, ff[] = {96, 96};
    const gguf_edit arrays[] = {
        {"llama.attention.head_count_kv", EDIT_ARRAY, .array = kv, .n_array = 2},
        {"llama.feed_forward_length", EDIT_ARRAY, .array = ff, .n_array = 2},
    };
    sz_hparams h = hparams_of(&(tiny_model){0}, arrays, 2);
    assert_int_equal(h.n_head_kv, 2);
    assert_int_equal(h.n_ff, 96);
}

static void gemma3_is_configured(void **state) {
    static const int32_t usual[] = {1, 1, 1, 1, 1, 0, 1};
    const gguf_edit flags = {"gemma3.attention.sliding_window_pattern", EDIT_ARRAY, .array = usual,
                             .n_array = 7};
    const gguf_edit local = {"gemma3.rope.freq_base_swa", EDIT_F32, .number = 5000};
    engine e;
    SZ_CHECK_OK(open_edited(&(tiny_model){.arch = "gemma3"}, &flags, 1, &e));
    assert_true(e.model->h.embedding_scale == 8.0f); /* sqrt(64) */
    assert_true(e.model->h.rope_base == 1e6 && e.model->h.rope_base_local == 1e4);
    for (uint32_t i = 0; i < 7; i++) {
        assert_int_equal(e.model->layers[i].window, i == 5 ? 0 : 16);
        assert_int_equal(e.model->layers[i].rope, i != 5);
    }
    engine_close(&e);
    assert_true(hparams_of(&(tiny_model){.arch = "gemma3"}, &local, 1).rope_base_local == 5000.0);
    /* The 27B is told by its depth: queries are scaled by n_embd / n_head, not by head_dim. */
    tiny_model deep = {.arch = "gemma3", .n_layer = 62, .n_embd = 32, .n_head = 2, .head_dim = 64};
    assert_true(hparams_of(&deep, NULL, 0).attention_scale == 0.25f);
    deep.n_layer = 61;
    assert_true(hparams_of(&deep, NULL, 0).attention_scale == 0.125f);
}

static void rope_scaling_is_read(void **state) {
    const gguf_edit typeless = {"llama.rope.scaling.factor", EDIT_F32, .number = 4},
                    old = {"llama.rope.scale_linear", EDIT_F32, .number = 4};
    const gguf_edit named[] = {typeless,
                               {"llama.rope.scaling.type", EDIT_STRING, .text = "linear"}};
    const gguf_edit off[] = {typeless, {"llama.rope.scaling.type", EDIT_STRING, .text = "none"}};
    const gguf_edit zero = {"llama.rope.scaling.factor", EDIT_F32, .number = 0};
    const gguf_edit yarn[] = {typeless,
                              {"llama.rope.scaling.type", EDIT_STRING, .text = "yarn"},
                              {"llama.rope.scaling.attn_factor", EDIT_F32, .number = 0.5},
                              {"llama.rope.scaling.yarn_attn_factor", EDIT_F32, .number = 2}};
    double scale, plain = frequency(NULL, 0, 3, &scale);
    assert_true(scale == 1.0);
    assert_true(frequency(&typeless, 1, 3, &scale) == plain / 4);
    assert_true(frequency(&old, 1, 3, &scale) == plain / 4);
    assert_true(frequency(named, 2, 3, &scale) == plain / 4);
    assert_true(frequency(off, 2, 3, &scale) == plain);
    assert_true(frequency(&zero, 1, 3, &scale) == plain);
    frequency(yarn, 4, 3, &scale);
    SZ_CHECK_ABS(scale, 1 + 0.1 * 1.3862943611198906, 1e-7); /* 1 + 0.1 ln 4 */
}

static void the_query_scale_may_be_stated(void **state) {
    const gguf_edit e = {"llama.attention.scale", EDIT_F32, .number = 0.125};
    assert_true(hparams_of(&(tiny_model){0}, &e, 1).attention_scale == 0.125f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_are_refused_by_name),
        cmocka_unit_test(defaults_are_those_of_the_format),
        cmocka_unit_test(a_value_per_layer_is_read_where_all_agree),
        cmocka_unit_test(gemma3_is_configured),
        cmocka_unit_test(rope_scaling_is_read),
        cmocka_unit_test(the_query_scale_may_be_stated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
