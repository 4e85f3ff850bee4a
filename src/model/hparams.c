/* hparams.c: the hyperparameters of a file: reading "<architecture>.<suffix>", checking ranges, and
 * refusing by name what this build would compute wrongly. */
#include "model.h"

#include <stdio.h>

/* ---- Reading one key ------------------------------------------------------------------------- */

enum { KEY_BYTES = 160 };

static sz_status key_of(const sz_gguf *g, const char *suffix, char key[KEY_BYTES]) {
    sz_str arch;
    SZ_TRY(sz_gguf_get_str(g, "general.architecture", &arch));
    SZ_REQUIRE(arch.n < 64, SZ_E_FORMAT, "%s: general.architecture is too long", sz_gguf_name(g));
    snprintf(key, KEY_BYTES, "%.*s.%s", (int)arch.n, arch.s, suffix);
    return SZ_OK;
}

/* One value for every layer: such files are read, files whose layers differ are not. */
static sz_status same_in_all_layers(const sz_gguf *g, const sz_gguf_kv *kv, uint32_t *out) {
    bool whole = kv->element == SZ_GGUF_U32 || kv->element == SZ_GGUF_I32;
    SZ_REQUIRE(whole && kv->n > 0, SZ_E_FORMAT, "%s: key %s is not an array of integers",
               sz_gguf_name(g), kv->key);
    int64_t first = sz_gguf_int_at(g, kv, 0);
    for (uint64_t i = 1; i < kv->n; i++)
        SZ_REQUIRE(
            sz_gguf_int_at(g, kv, i) == first, SZ_E_UNSUPPORTED,
            "%s: key %s differs from layer to layer (%lld, then %lld); this build runs models "
            "whose layers are alike",
            sz_gguf_name(g), kv->key, (long long)first, (long long)sz_gguf_int_at(g, kv, i));
    SZ_REQUIRE(first >= 0 && first <= UINT32_MAX, SZ_E_FORMAT, "%s: key %s holds %lld",
               sz_gguf_name(g), kv->key, (long long)first);
    *out = (uint32_t)first;
    return SZ_OK;
}

sz_status sz_hparam_u32(const sz_gguf *g, const char *suffix, uint32_t *out) {
    char key[KEY_BYTES];
    SZ_TRY(key_of(g, suffix, key));
    const sz_gguf_kv *kv = sz_gguf_find(g, key);
    return kv && kv->type == SZ_GGUF_ARRAY ? same_in_all_layers(g, kv, out)
                                           : sz_gguf_get_u32(g, key, out);
}

sz_status sz_hparam_f32(const sz_gguf *g, const char *suffix, float *out) {
    char key[KEY_BYTES];
    SZ_TRY(key_of(g, suffix, key));
    return sz_gguf_get_f32(g, key, out);
}

sz_status sz_hparam_str(const sz_gguf *g, const char *suffix, sz_str *out) {
    char key[KEY_BYTES];
    SZ_TRY(key_of(g, suffix, key));
    return sz_gguf_get_str(g, key, out);
}

const sz_gguf_kv *sz_hparam_find(const sz_gguf *g, const char *suffix) {
    char key[KEY_BYTES];
    return key_of(g, suffix, key) == SZ_OK ? sz_gguf_find(g, key) : NULL;
}

/* ---- What is refused ------------------------------------------------------------------------- */

/* Keys that change what a model computes, with the value at which they change nothing. */
static const struct {
    const char *suffix, *what;
    double neutral;
} foreign[] = {
    {"expert_count", "a mixture of experts", 0.0},
    {"attention.causal", "attention that sees what follows", 1.0},
    {"attention.clamp_kqv", "clamped queries and keys", 0.0},
    {"attention.max_alibi_bias", "ALiBi positions", 0.0},
    {"attention.temperature_scale", "position-dependent attention temperature", 0.0},
    {"attn_logit_softcapping", "soft-capped attention scores", 0.0},
    {"final_logit_softcapping", "soft-capped logits", 0.0},
    {"logit_scale", "scaled logits", 0.0},
    {"residual_scale", "scaled residuals", 0.0},
    {"embedding_scale", "scaled embeddings", 0.0},
    {"rope.scaling.yarn_ext_factor", "a YaRN extrapolation factor other than 1", 1.0},
    {"rope.scaling.yarn_log_multiplier", "a YaRN log multiplier", 0.0},
    {"rope.scaling.alpha", "NTK-aware rope scaling", 0.0},
};

static sz_status refuse_foreign(const sz_gguf *g) {
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        const sz_gguf_kv *kv = sz_hparam_find(g, foreign[i].suffix);
        double value = kv ? sz_gguf_num_at(g, kv, 0) : foreign[i].neutral;
        SZ_REQUIRE(value == foreign[i].neutral, SZ_E_UNSUPPORTED,
                   "%s: key %s is %g: this build does not run models with %s", sz_gguf_name(g),
                   kv->key, value, foreign[i].what);
    }
    return SZ_OK;
}

static sz_status check_range(const sz_gguf *g, const char *what, uint64_t value, uint64_t most) {
    SZ_REQUIRE(value >= 1 && value <= most, SZ_E_FORMAT, "%s: %s is %llu, not in 1 .. %llu",
               sz_gguf_name(g), what, (unsigned long long)value, (unsigned long long)most);
    return SZ_OK;
}

static sz_status check(const sz_gguf *g, const sz_hparams *h) {
    SZ_TRY(check_range(g, "block_count", h->n_layer, 4096));
    SZ_TRY(check_range(g, "embedding_length", h->n_embd, 1 << 20));
    SZ_TRY(check_range(g, "feed_forward_length", h->n_ff, 1 << 22));
    SZ_TRY(check_range(g, "attention.head_count_kv", h->n_head_kv, h->n_head));
    SZ_TRY(check_range(g, "attention.key_length", h->head_dim, 4096));
    SZ_TRY(check_range(g, "rope.dimension_count", h->n_rot, h->head_dim));
    SZ_TRY(check_range(g, "context_length", h->n_ctx_train, 1u << 30));
    SZ_REQUIRE(h->n_head % h->n_head_kv == 0, SZ_E_FORMAT,
               "%s: %u heads are not a multiple of %u key-value heads", sz_gguf_name(g), h->n_head,
               h->n_head_kv);
    SZ_REQUIRE(h->n_rot % 2 == 0, SZ_E_FORMAT, "%s: rope.dimension_count %u is odd",
               sz_gguf_name(g), h->n_rot);
    SZ_REQUIRE(h->rms_eps >= 0.0f && h->rope_base > 1.0 && h->rope_base_local > 1.0, SZ_E_FORMAT,
               "%s: layer_norm_rms_epsilon %g or rope.freq_base %g is out of range",
               sz_gguf_name(g), (double)h->rms_eps, h->rope_base);
    return SZ_OK;
}

/* ---- Reading them all ------------------------------------------------------------------------ */

static sz_status read_heads(const sz_gguf *g, sz_hparams *h) {
    uint32_t value_length;
    float scale = 0.0f;
    SZ_TRY(sz_hparam_u32(g, "attention.head_count", &h->n_head));
    SZ_TRY(check_range(g, "attention.head_count", h->n_head, 4096));
    h->n_head_kv = h->n_head;
    SZ_TRY(sz_optional(sz_hparam_u32(g, "attention.head_count_kv", &h->n_head_kv)));
    h->head_dim = h->n_embd / h->n_head;
    SZ_TRY(sz_optional(sz_hparam_u32(g, "attention.key_length", &h->head_dim)));
    value_length = h->head_dim;
    SZ_TRY(sz_optional(sz_hparam_u32(g, "attention.value_length", &value_length)));
    SZ_REQUIRE(value_length == h->head_dim, SZ_E_UNSUPPORTED,
               "%s: attention.value_length %u differs from key_length %u", sz_gguf_name(g),
               value_length, h->head_dim);
    h->attention_scale = 1.0f / __builtin_sqrtf((float)(h->head_dim ? h->head_dim : 1));
    SZ_TRY(sz_optional(sz_hparam_f32(g, "attention.scale", &scale)));
    if (scale > 0.0f)
        h->attention_scale = scale;
    h->n_rot = h->head_dim;
    return sz_optional(sz_hparam_u32(g, "rope.dimension_count", &h->n_rot));
}

sz_status sz_hparams_read(const sz_gguf *g, const sz_architecture *a, sz_hparams *h) {
    float base = 10000.0f;
    SZ_TRY(refuse_foreign(g));
    SZ_TRY(sz_hparam_u32(g, "block_count", &h->n_layer));
    SZ_TRY(sz_hparam_u32(g, "embedding_length", &h->n_embd));
    SZ_TRY(sz_hparam_u32(g, "feed_forward_length", &h->n_ff));
    SZ_TRY(sz_hparam_u32(g, "context_length", &h->n_ctx_train));
    SZ_TRY(sz_hparam_f32(g, "attention.layer_norm_rms_epsilon", &h->rms_eps));
    SZ_TRY(read_heads(g, h));
    SZ_TRY(sz_optional(sz_hparam_f32(g, "rope.freq_base", &base)));
    h->rope_base = h->rope_base_local = (double)base;
    const sz_gguf_tensor *e = sz_gguf_find_tensor(g, "token_embd.weight");
    SZ_REQUIRE(e && e->n_dim == 2, SZ_E_FORMAT, "%s: no matrix token_embd.weight", sz_gguf_name(g));
    SZ_TRY(check_range(g, "the vocabulary", e->dim[1], 1u << 24));
    h->n_vocab = (uint32_t)e->dim[1];
    h->embedding_scale = 1.0f;
    SZ_TRY(a->configure(g, h));
    return check(g, h);
}
