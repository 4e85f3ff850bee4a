/* layers.c: a range of a model's layers on its own, and the model's two ends. */
#include "model.h"

#include <string.h>

enum { SCRATCH_BYTES = 1 << 20 };

struct sz_layers {
    sz_model *model;
    uint32_t first, last;
    sz_kv *kv;
    sz_arena *arena; /* one pass */
};

sz_status sz_layers_new(sz_model *model, uint32_t first, uint32_t last, uint32_t context,
                        sz_kv_type kv_type, sz_layers **out) {
    SZ_REQUIRE(model && out, SZ_E_ARG, "sz_layers_new: no model or no place for the layers");
    SZ_REQUIRE(model->layers, SZ_E_STATE, "the model was opened without its weights");
    const sz_hparams *h = &model->h;
    SZ_REQUIRE(first < last && last <= h->n_layer, SZ_E_ARG,
               "layers %u to %u: the model has %u, and a range must hold one", first, last,
               h->n_layer);
    SZ_REQUIRE(context > 0, SZ_E_ARG, "sz_layers_new: a context of 0 tokens");
    sz_kv_shape shape = {last - first, h->n_head_kv, h->head_dim, kv_type};
    sz_layers *l = sz_calloc(1, sizeof *l);
    SZ_REQUIRE(l, SZ_E_NOMEM, "no memory for a range of layers");
    *l = (sz_layers){.model = model, .first = first, .last = last};
    sz_status status = sz_arena_new(SCRATCH_BYTES, &l->arena);
    if (status == SZ_OK)
        status = sz_kv_new(sz_runtime_kernels(model->rt), &shape, 1, context, &l->kv);
    if (status != SZ_OK) {
        sz_layers_free(l);
        return status;
    }
    sz_kv_set_first_layer(l->kv, first);
    *out = l;
    return SZ_OK;
}

void sz_layers_free(sz_layers *l) {
    if (!l)
        return;
    sz_kv_free(l->kv);
    sz_arena_free(l->arena);
    sz_free(l);
}

uint32_t sz_layers_length(const sz_layers *l) {
    return sz_kv_length(l->kv, 0);
}

sz_status sz_layers_truncate(sz_layers *l, uint32_t n_tokens) {
    SZ_REQUIRE(l && n_tokens <= sz_kv_length(l->kv, 0), SZ_E_ARG,
               "sz_layers_truncate: %u tokens, more than there are", n_tokens);
    sz_kv_truncate(l->kv, 0, n_tokens);
    return SZ_OK;
}

/* ---- A pass -----------------------------------------------------------------------------------
 */

static sz_tensor *copy_of(sz_graph *g, const float *rows, size_t n, size_t n_cols) {
    sz_tensor *x = sz_tensor_new(g, n, n_cols);
    if (x)
        memcpy(x->data, rows, n * n_cols * sizeof *rows);
    return x;
}

static sz_status take(sz_graph *g, const sz_tensor *x, float *out) {
    SZ_TRY(g->status);
    memcpy(out, x->data, x->n_rows * x->n_cols * sizeof *out);
    return SZ_OK;
}

static sz_status compute(sz_layers *l, const float *in, uint32_t past, size_t n, float *out) {
    sz_graph g;
    uint32_t *seq = sz_arena_alloc(l->arena, n * sizeof *seq);
    uint32_t *position = sz_arena_alloc(l->arena, n * sizeof *position);
    SZ_REQUIRE(seq && position, SZ_E_NOMEM, "no memory for %zu tokens", n);
    for (size_t i = 0; i < n; i++) {
        seq[i] = 0;
        position[i] = past + (uint32_t)i;
    }
    sz_graph_begin(&g, l->model->rt, l->arena, SZ_RUN);
    sz_pass pass = {.kv = l->kv, .n = n, .seq = seq, .position = position};
    sz_tensor *x = copy_of(&g, in, n, l->model->h.n_embd);
    sz_model_rope_angles(l->model, &g, &pass);
    x = sz_model_layers(&g, l->model, &pass, x, l->first, l->last);
    return take(&g, x, out);
}

sz_status sz_layers_forward(sz_layers *l, const float *in, size_t n, float *out) {
    SZ_REQUIRE(l && ((in && out) || n == 0), SZ_E_ARG, "sz_layers_forward: a NULL argument");
    uint32_t past = sz_kv_length(l->kv, 0);
    SZ_REQUIRE(n <= UINT32_MAX, SZ_E_LIMIT, "sz_layers_forward: %zu tokens at once", n);
    if (n == 0)
        return SZ_OK;
    sz_arena_reset(l->arena);
    SZ_TRY(sz_kv_extend(l->kv, 0, (uint32_t)n));
    sz_status status = compute(l, in, past, n, out);
    if (status != SZ_OK)
        sz_kv_truncate(l->kv, 0, past);
    return status;
}

/* ---- The ends ---------------------------------------------------------------------------------
 */

static sz_status check_end(const sz_model *m, const void *in, const void *out, size_t n) {
    SZ_REQUIRE(m && ((in && out) || n == 0), SZ_E_ARG, "the end of a model: a NULL argument");
    SZ_REQUIRE(m->layers, SZ_E_STATE, "the model was opened without its weights");
    return SZ_OK;
}

sz_status sz_model_embed(sz_model *model, const int32_t *ids, size_t n, float *out) {
    sz_arena *arena;
    sz_graph g;
    SZ_TRY(check_end(model, ids, out, n));
    if (n == 0)
        return SZ_OK;
    SZ_TRY(sz_arena_new(SCRATCH_BYTES, &arena));
    sz_graph_begin(&g, model->rt, arena, SZ_RUN);
    sz_tensor *x = sz_model_enter(&g, model, &(sz_pass){.n = n, .ids = ids});
    sz_status status = take(&g, x, out);
    sz_arena_free(arena);
    return status;
}

sz_status sz_model_logits(sz_model *model, const float *hidden, size_t n, float *logits) {
    sz_arena *arena;
    sz_graph g;
    SZ_TRY(check_end(model, hidden, logits, n));
    if (n == 0)
        return SZ_OK;
    SZ_TRY(sz_arena_new(SCRATCH_BYTES, &arena));
    sz_graph_begin(&g, model->rt, arena, SZ_RUN);
    sz_tensor *x = copy_of(&g, hidden, n, model->h.n_embd);
    sz_status status = take(&g, sz_model_leave(&g, model, x, true), logits);
    sz_arena_free(arena);
    return status;
}
