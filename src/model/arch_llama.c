/* arch_llama.c: Llama 1-3, Mistral, SmolLM, TinyLlama; and with biases or head norms, Qwen 2 and 3:
 * pre-norm attention with grouped heads and rotary positions, SwiGLU. */
#include "model.h"

static sz_tensor *head_norm(sz_graph *g, const sz_model *m, sz_tensor *x, sz_tensor *weight) {
    return weight ? sz_rms_norm(g, x, weight, m->h.head_dim, m->h.rms_eps) : x;
}

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
    q = sz_rope(g, head_norm(g, m, q, l->q_norm), h->head_dim, h->n_rot, c, s);
    k = sz_rope(g, head_norm(g, m, k, l->k_norm), h->head_dim, h->n_rot, c, s);
    a = sz_attend(g, m, i, pass, q, k, v); /* [n][n_head * head_dim] */
    a = sz_linear(g, sz_keep_wanted(g, m, i, pass, a), &l->o);
    x = sz_graph_settle(g, mark, x, sz_add(g, sz_keep_wanted(g, m, i, pass, x), a));

    sz_tensor *f = sz_rms_norm(g, x, l->ffn_norm, h->n_embd, h->rms_eps);
    sz_tensor *gate_up[2]; /* [n][n_ff] each */
    sz_linear_all(g, f, (const sz_weight *[]){&l->gate, &l->up}, 2, gate_up);
    f = sz_silu_mul(g, gate_up[0], gate_up[1]);
    return sz_add(g, x, sz_linear(g, f, &l->down));
}

static sz_status configure_llama(const sz_gguf *g, sz_hparams *h) {
    h->rope_interleaved = true;
    return sz_optional(sz_hparam_u32(g, "attention.sliding_window", &h->window)); /* Mistral */
}

static sz_status configure_qwen(const sz_gguf *g, sz_hparams *h) {
    return SZ_OK;
}

const sz_architecture sz_arch_llama = {
    .name = "llama", .configure = configure_llama, .layer = layer};
const sz_architecture sz_arch_qwen2 = {
    .name = "qwen2", .configure = configure_qwen, .biases = true, .layer = layer};
const sz_architecture sz_arch_qwen3 = {
    .name = "qwen3", .configure = configure_qwen, .qk_norms = true, .layer = layer};
