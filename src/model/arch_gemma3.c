/* arch_gemma3.c: Gemma 3 (text): norms before and after each part, head norms, GeGLU, five layers
 * with a sliding window and local rope for each global one, embeddings scaled by sqrt(n_embd). */
#include "model.h"

static sz_tensor *layer(sz_graph *g, const sz_model *m, uint32_t i, sz_pass *pass, sz_tensor *x) {
    const sz_layer *l = &m->layers[i];
    const sz_hparams *h = &m->h;
    const float *c = pass->cosines[l->rope], *s = pass->sines[l->rope];
    sz_arena_mark mark = sz_arena_get_mark(g->arena);

    sz_tensor *a = sz_rms_norm(g, x, l->attn_norm, h->n_embd, h->rms_eps); /* [n][n_embd] */
    sz_tensor *qkv[3];
    sz_linear_all(g, a, (const sz_weight *[]){&l->q, &l->k, &l->v}, 3, qkv);
    sz_tensor *q = qkv[0]; /* [n][n_head * head_dim] */
    sz_tensor *k = qkv[1]; /* [n][n_head_kv * head_dim] */
    sz_tensor *v = qkv[2];
    q = sz_rope(g, sz_rms_norm(g, q, l->q_norm, h->head_dim, h->rms_eps), h->head_dim, h->n_rot, c,
                s);
    k = sz_rope(g, sz_rms_norm(g, k, l->k_norm, h->head_dim, h->rms_eps), h->head_dim, h->n_rot, c,
                s);
    a = sz_attend(g, m, i, pass, q, k, v); /* [n][n_head * head_dim] */
    a = sz_linear(g, sz_keep_wanted(g, m, i, pass, a), &l->o);
    a = sz_rms_norm(g, a, l->post_attn_norm, h->n_embd, h->rms_eps);
    x = sz_graph_settle(g, mark, x, sz_add(g, sz_keep_wanted(g, m, i, pass, x), a));

    sz_tensor *f = sz_rms_norm(g, x, l->ffn_norm, h->n_embd, h->rms_eps);
    sz_tensor *gate_up[2]; /* [n][n_ff] each */
    sz_linear_all(g, f, (const sz_weight *[]){&l->gate, &l->up}, 2, gate_up);
    f = sz_gelu_mul(g, gate_up[0], gate_up[1]);
    f = sz_linear(g, f, &l->down);
    return sz_add(g, x, sz_rms_norm(g, f, l->post_ffn_norm, h->n_embd, h->rms_eps));
}

/* A file may tell for each layer whether it has the window; only the usual pattern is known. */
static sz_status check_pattern(const sz_gguf *g, const sz_gguf_kv *flags, const sz_hparams *h) {
    bool usual = flags->n >= h->n_layer;
    for (uint64_t i = 0; usual && i < h->n_layer; i++)
        usual = (sz_gguf_int_at(g, flags, i) != 0) == ((i + 1) % h->window_pattern != 0);
    SZ_REQUIRE(usual, SZ_E_UNSUPPORTED, "%s: key %s names other layers than every %uth as global",
               sz_gguf_name(g), flags->key, h->window_pattern);
    return SZ_OK;
}

static sz_status configure(const sz_gguf *g, sz_hparams *h) {
    float local = 10000.0f;
    h->window_pattern = 6;
    SZ_TRY(sz_optional(sz_hparam_u32(g, "attention.sliding_window", &h->window)));
    SZ_TRY(sz_optional(sz_hparam_f32(g, "rope.freq_base_swa", &local)));
    const sz_gguf_kv *pattern = sz_hparam_find(g, "attention.sliding_window_pattern");
    if (pattern && pattern->type == SZ_GGUF_ARRAY)
        SZ_TRY(check_pattern(g, pattern, h));
    else if (pattern)
        SZ_TRY(sz_hparam_u32(g, "attention.sliding_window_pattern", &h->window_pattern));
    SZ_REQUIRE(h->window_pattern > 0, SZ_E_FORMAT,
               "%s: attention.sliding_window_pattern must not be 0", sz_gguf_name(g));
    h->rope_base_local = (double)local;
    h->embedding_scale = __builtin_sqrtf((float)h->n_embd);
    if (h->n_layer == 62) /* the 27B: queries are scaled by the embedding's share per head */
        h->attention_scale = 1.0f / __builtin_sqrtf((float)h->n_embd / (float)h->n_head);
    return SZ_OK;
}

const sz_architecture sz_arch_gemma3 = {
    .name = "gemma3", .configure = configure, .qk_norms = true, .post_norms = true, .layer = layer};
