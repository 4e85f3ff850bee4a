/* forward.c: tokens in, logits out. The layers themselves are in arch_*.c. */
#include <string.h>

#include "model.h"

static bool narrows(const sz_pass *pass) {
    return pass->want && !pass->tap && pass->n_want < pass->n;
}

sz_tensor *sz_keep_wanted(sz_graph *g, const sz_model *m, uint32_t layer, const sz_pass *pass,
                          sz_tensor *x) {
    if (g->status != SZ_OK || layer + 1 < m->h.n_layer || !narrows(pass))
        return x;
    return sz_gather(g, x, pass->want, pass->n_want);
}

sz_tensor *sz_model_layers(sz_graph *g, const sz_model *m, sz_pass *pass, sz_tensor *x,
                           uint32_t first, uint32_t last) {
    for (uint32_t i = first; i < last && g->status == SZ_OK; i++) {
        if (sz_runtime_cancelled(g->rt)) /* the pass is given up as a whole */
            return sz_graph_fail(g, sz_fail(SZ_E_CANCELLED, "cancelled"));
        sz_arena_mark mark = sz_arena_get_mark(g->arena);
        sz_tensor *y = m->architecture->layer(g, m, i, pass, x);
        sz_pass_tap(pass, SZ_TAP_HIDDEN, i, y);
        x = sz_graph_settle(g, mark, x, y); /* the residual stream stays in place */
    }
    return g->status == SZ_OK ? x : NULL;
}

sz_tensor *sz_model_enter(sz_graph *g, const sz_model *m, const sz_pass *pass) {
    sz_tensor *x = NULL;
    if (pass->ids) {
        x = m->embedding_values ? sz_embedding(g, m->embedding_values, pass->ids, pass->n)
            : m->embedding ? sz_embed(g, m->embedding_type, m->embedding, m->h.n_vocab, m->h.n_embd,
                                      pass->ids, pass->n)
                           : sz_embed_weight(g, &m->head, pass->ids, pass->n);
        return m->h.embedding_scale == 1.0f ? x : sz_scale(g, x, m->h.embedding_scale);
    }
    x = sz_tensor_new(g, pass->n, m->h.n_embd);
    if (x)
        memcpy(x->data, pass->embeddings, pass->n * m->h.n_embd * sizeof(float));
    return x;
}

sz_tensor *sz_model_leave(sz_graph *g, const sz_model *m, sz_tensor *x, bool logits) {
    x = sz_rms_norm(g, x, m->output_norm, m->h.n_embd, m->h.rms_eps);
    return logits ? sz_linear(g, x, &m->head) : x;
}

sz_tensor *sz_model_begin(sz_graph *g, const sz_model *m, sz_pass *pass) {
    sz_tensor *x = sz_model_enter(g, m, pass);
    sz_model_rope_angles(m, g, pass);
    return x;
}

sz_tensor *sz_model_forward(sz_graph *g, const sz_model *m, sz_pass *pass, bool logits) {
    sz_tensor *x = sz_model_begin(g, m, pass);
    x = sz_model_layers(g, m, pass, x, 0, m->h.n_layer);
    if (g->status == SZ_OK && pass->want && !narrows(pass))
        x = sz_gather(g, x, pass->want, pass->n_want);
    return sz_model_leave(g, m, x, logits);
}
