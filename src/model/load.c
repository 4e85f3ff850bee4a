/* load.c: weights of a GGUF file into a model: shapes checked, matrices repacked into one piece of
 * memory, small vectors copied, source pages given back while it goes. All tensors are checked
 * before the first one is loaded, so that a broken file costs neither time nor memory. */
#include <stdio.h>
#include <string.h>

#include "gguf.h"
#include "model.h"
#include "name_table.h"

typedef struct loader {
    sz_model *m;
    bool checking; /* the tensors are looked at only */
    bool *used;    /* [tensors of the file] */
    size_t panels; /* bytes of repacked matrices so far */
} loader;

enum { SLICE_BYTES = 1 << 20 }; /* of a tensor that are in memory beside its panels */

static sz_status find_tensor(const loader *ld, const char *name, uint64_t n_cols, uint64_t n_rows,
                             const sz_gguf_tensor **out) {
    const sz_model *m = ld->m;
    const sz_gguf_tensor *t = sz_gguf_find_tensor(m->gguf, name);
    SZ_REQUIRE(t, SZ_E_NOTFOUND, "%s: tensor %s is missing", sz_gguf_name(m->gguf), name);
    uint64_t rows = t->n_dim > 1 ? t->dim[1] : 1;
    for (uint32_t i = 2; i < t->n_dim; i++)
        rows = t->dim[i] == 1 ? rows : 0;
    SZ_REQUIRE(t->dim[0] == n_cols && rows == n_rows, SZ_E_FORMAT,
               "%s: tensor %s is %llu x %llu, the hyperparameters ask for %llu x %llu",
               sz_gguf_name(m->gguf), name, (unsigned long long)t->dim[0], (unsigned long long)rows,
               (unsigned long long)n_cols, (unsigned long long)n_rows);
    ld->used[t - sz_gguf_tensor_at(m->gguf, 0)] = true;
    *out = t;
    return SZ_OK;
}

/* Row r of a head's first n_rot rows in pair order (2i, 2i+1) comes from the file; rows are wanted
 * in half order (i, i + n_rot/2), the one that the rope operator turns. */
size_t sz_model_source_row(const sz_hparams *h, size_t row) {
    size_t head = row / h->head_dim * h->head_dim, r = row % h->head_dim, half = h->n_rot / 2;
    if (r >= h->n_rot)
        return row;
    return head + (r < half ? 2 * r : 2 * (r - half) + 1);
}

/* Notes a tensor that learns: its values are there, its gradient is zero. */
static sz_status learn(const loader *ld, const char *name, sz_tensor *t, bool paired) {
    sz_model *m = ld->m;
    size_t n = t->n_rows * t->n_cols;
    t->grad = sz_arena_alloc(m->arena, n * sizeof *t->grad);
    SZ_REQUIRE(t->grad, SZ_E_NOMEM, "no memory for the gradient of tensor %s", name);
    memset(t->grad, 0, n * sizeof *t->grad);
    t->learns = t->keeps = true;
    bool matrix = strncmp(name, "blk.", 4) == 0 && t->n_rows > 1;
    m->learned_paired[m->n_learned] = paired;
    m->learned[m->n_learned++] = (sz_learned){name, t, matrix};
    return SZ_OK;
}

static sz_status load_vector(const loader *ld, const char *name, uint64_t n, bool unpair,
                             sz_tensor **out) {
    sz_model *m = ld->m;
    const sz_gguf_tensor *t;
    SZ_TRY(find_tensor(ld, name, n, 1, &t));
    const sz_type_info *info = sz_type_get(t->type);
    SZ_REQUIRE(info->dequantize && n % info->block == 0, SZ_E_UNSUPPORTED,
               "%s: tensor %s has type %s, which cannot be read as floats", sz_gguf_name(m->gguf),
               name, info->name);
    if (ld->checking)
        return SZ_OK;
    float *v = sz_arena_alloc(m->arena, 2 * n * sizeof *v);
    SZ_REQUIRE(v, SZ_E_NOMEM, "no memory for tensor %s", name);
    info->dequantize(t->data, v, n);
    for (uint64_t i = 0; unpair && i < n; i++)
        v[n + i] = v[sz_model_source_row(&m->h, i)];
    *out = sz_arena_alloc_small(m->arena, sizeof **out);
    SZ_REQUIRE(*out, SZ_E_NOMEM, "no memory for tensor %s", name);
    **out = sz_tensor_of(unpair ? v + n : v, NULL, 1, n);
    if (m->learns)
        SZ_TRY(learn(ld, t->name, *out, unpair));
    m->n_params += n;
    m->weight_bytes += t->bytes;
    return SZ_OK;
}

/* Slice by slice, so that a large tensor is never in memory twice. */
static void pack(const sz_model *m, const sz_gguf_tensor *t, const sz_matrix *out) {
    size_t row_bytes = t->bytes / t->dim[1];
    size_t step = SLICE_BYTES / row_bytes / SZ_PANEL_ROWS * SZ_PANEL_ROWS;
    step = step ? step : SZ_PANEL_ROWS;
    for (size_t row = 0; row < t->dim[1]; row += step) {
        size_t n = t->dim[1] - row < step ? t->dim[1] - row : step;
        const uint8_t *from = t->data + row * row_bytes;
        sz_matrix_pack_rows(sz_runtime_pool(m->rt), out, row, n, from);
        sz_map_release(from, n * row_bytes);
    }
}

static sz_status pack_unpaired(const sz_model *m, const sz_gguf_tensor *t, const sz_matrix *out) {
    size_t row_bytes = t->bytes / t->dim[1];
    uint8_t *copy = sz_alloc(t->bytes);
    SZ_REQUIRE(copy, SZ_E_NOMEM, "no memory to reorder tensor %s", t->name);
    for (size_t row = 0; row < t->dim[1]; row++)
        memcpy(copy + row * row_bytes, t->data + sz_model_source_row(&m->h, row) * row_bytes,
               row_bytes);
    sz_map_release(t->data, t->bytes);
    sz_matrix_pack_rows(sz_runtime_pool(m->rt), out, 0, t->dim[1], copy);
    sz_free(copy);
    return SZ_OK;
}

/* The floats that a tensor of any format stands for. */
static sz_status load_values(const loader *ld, const sz_gguf_tensor *t, bool unpair,
                             sz_tensor **out) {
    sz_model *m = ld->m;
    const sz_type_info *info = sz_type_get(t->type);
    size_t n_cols = t->dim[0], n_rows = t->dim[1], row_bytes = t->bytes / n_rows;
    SZ_REQUIRE(info->dequantize && n_cols % info->block == 0, SZ_E_UNSUPPORTED,
               "%s: tensor %s has type %s, which cannot be read as floats", sz_gguf_name(m->gguf),
               t->name, info->name);
    if (ld->checking)
        return SZ_OK;
    float *v = sz_arena_alloc(m->arena, n_rows * n_cols * sizeof *v);
    *out = sz_arena_alloc_small(m->arena, sizeof **out);
    SZ_REQUIRE(v && *out, SZ_E_NOMEM, "no memory for tensor %s", t->name);
    for (size_t row = 0; row < n_rows; row++) {
        size_t from = unpair ? sz_model_source_row(&m->h, row) : row;
        info->dequantize(t->data + from * row_bytes, v + row * n_cols, n_cols);
    }
    sz_map_release(t->data, t->bytes);
    **out = sz_tensor_of(v, NULL, n_rows, n_cols);
    m->n_params += n_rows * n_cols;
    m->weight_bytes += t->bytes;
    return learn(ld, t->name, *out, unpair);
}

static sz_status load_matrix(loader *ld, const char *name, uint64_t n_cols, uint64_t n_rows,
                             bool unpair, sz_weight *out) {
    sz_model *m = ld->m;
    const sz_gguf_tensor *t;
    sz_matrix planned;
    SZ_TRY(find_tensor(ld, name, n_cols, n_rows, &t));
    if (m->learns)
        return load_values(ld, t, unpair, &out->values);
    sz_status status = sz_matrix_lay_out(t->type, t->dim[1], t->dim[0], &planned);
    if (status != SZ_OK)
        return sz_fail_within(status, "%s: tensor %s", sz_gguf_name(m->gguf), t->name);
    size_t at = ld->panels;
    ld->panels += planned.bytes;
    if (ld->checking)
        return SZ_OK;
    sz_matrix_place(&planned, m->panels + at);
    if (unpair)
        SZ_TRY(pack_unpaired(m, t, &planned));
    else
        pack(m, t, &planned);
    m->n_params += t->dim[0] * t->dim[1];
    m->weight_bytes += t->bytes;
    out->matrix = planned;
    return SZ_OK;
}

static const char *in_layer(char *name, size_t size, uint32_t i, const char *what,
                            const char *suffix) {
    snprintf(name, size, "blk.%u.%s.%s", i, what, suffix);
    return name;
}

static sz_status load_weight(loader *ld, uint32_t i, const char *what, uint64_t n_cols,
                             uint64_t n_rows, bool bias, bool unpair, sz_weight *out) {
    char name[96];
    out->name = what;
    SZ_TRY(load_matrix(ld, in_layer(name, sizeof name, i, what, "weight"), n_cols, n_rows, unpair,
                       out));
    in_layer(name, sizeof name, i, what, "bias");
    if (!bias && !sz_gguf_find_tensor(ld->m->gguf, name))
        return SZ_OK;
    return load_vector(ld, name, n_rows, unpair, &out->bias);
}

static sz_status load_norm(const loader *ld, uint32_t i, const char *what, uint64_t n,
                           sz_tensor **out) {
    char name[96];
    return load_vector(ld, in_layer(name, sizeof name, i, what, "weight"), n, false, out);
}

static sz_status load_layer(loader *ld, uint32_t i) {
    const sz_model *m = ld->m;
    const sz_hparams *h = &m->h;
    const sz_architecture *a = m->architecture;
    sz_layer *l = &m->layers[i];
    uint64_t n_q = (uint64_t)h->n_head * h->head_dim, n_kv = (uint64_t)h->n_head_kv * h->head_dim;
    bool unpair = h->rope_interleaved;
    SZ_TRY(load_norm(ld, i, "attn_norm", h->n_embd, &l->attn_norm));
    SZ_TRY(load_weight(ld, i, "attn_q", h->n_embd, n_q, a->biases, unpair, &l->q));
    SZ_TRY(load_weight(ld, i, "attn_k", h->n_embd, n_kv, a->biases, unpair, &l->k));
    SZ_TRY(load_weight(ld, i, "attn_v", h->n_embd, n_kv, a->biases, false, &l->v));
    SZ_TRY(load_weight(ld, i, "attn_output", n_q, h->n_embd, false, false, &l->o));
    if (a->qk_norms) {
        SZ_TRY(load_norm(ld, i, "attn_q_norm", h->head_dim, &l->q_norm));
        SZ_TRY(load_norm(ld, i, "attn_k_norm", h->head_dim, &l->k_norm));
    }
    if (a->post_norms) {
        SZ_TRY(load_norm(ld, i, "post_attention_norm", h->n_embd, &l->post_attn_norm));
        SZ_TRY(load_norm(ld, i, "post_ffw_norm", h->n_embd, &l->post_ffn_norm));
    }
    SZ_TRY(load_norm(ld, i, "ffn_norm", h->n_embd, &l->ffn_norm));
    SZ_TRY(load_weight(ld, i, "ffn_gate", h->n_embd, h->n_ff, false, false, &l->gate));
    SZ_TRY(load_weight(ld, i, "ffn_up", h->n_embd, h->n_ff, false, false, &l->up));
    SZ_TRY(load_weight(ld, i, "ffn_down", h->n_ff, h->n_embd, false, false, &l->down));
    bool global = h->window_pattern && (i + 1) % h->window_pattern == 0;
    l->window = h->window && !global ? h->window : 0;
    l->rope = h->window_pattern && !global ? 1 : 0;
    return SZ_OK;
}

/* An embedding of its own stays in the file, a row is decoded when asked for; a tied one is read
 * from the repacked head, so that it is not in memory twice. */
static sz_status load_ends(loader *ld) {
    sz_model *m = ld->m;
    const sz_gguf_tensor *e;
    const sz_hparams *h = &m->h;
    SZ_TRY(find_tensor(ld, "token_embd.weight", h->n_embd, h->n_vocab, &e));
    SZ_REQUIRE(sz_type_get(e->type)->dequantize, SZ_E_UNSUPPORTED,
               "%s: tensor token_embd.weight has type %s, which cannot be read as floats",
               sz_gguf_name(m->gguf), sz_type_get(e->type)->name);
    SZ_TRY(load_vector(ld, "output_norm.weight", h->n_embd, false, &m->output_norm));
    m->head.name = "output";
    bool tied = !sz_gguf_find_tensor(m->gguf, "output.weight");
    if (!tied && m->learns)
        SZ_TRY(load_values(ld, e, false, &m->embedding_values));
    else if (!tied && !ld->checking) {
        m->embedding = e->data;
        m->embedding_type = e->type;
        m->n_params += e->dim[0] * e->dim[1];
        m->weight_bytes += e->bytes;
    }
    SZ_TRY(load_matrix(ld, tied ? "token_embd.weight" : "output.weight", h->n_embd, h->n_vocab,
                       false, &m->head));
    if (!sz_gguf_find_tensor(m->gguf, "output.bias"))
        return SZ_OK;
    return load_vector(ld, "output.bias", h->n_vocab, false, &m->head.bias);
}

static sz_status load_all(loader *ld) {
    for (uint32_t i = 0; i < ld->m->h.n_layer; i++) {
        SZ_TRY(load_layer(ld, i));
        sz_gguf_release(ld->m->gguf); /* a small tensor, too, brought pages around it */
    }
    SZ_TRY(load_ends(ld));
    sz_gguf_release(ld->m->gguf);
    return SZ_OK;
}

/* Frequencies of rope: rope.c reads the one, the other is of the first converters and not needed.
 */
static bool is_rope(const char *name) {
    return strcmp(name, "rope_freqs.weight") == 0 || strstr(name, ".attn_rot_embd.weight");
}

/* A model of which a part is left out would compute something else than its maker meant. */
static sz_status refuse_unused(const loader *ld) {
    const sz_gguf *g = ld->m->gguf;
    char shown[80];
    for (size_t i = 0; i < sz_gguf_n_tensors(g); i++) {
        const char *name = sz_gguf_tensor_at(g, i)->name;
        SZ_REQUIRE(ld->used[i] || is_rope(name), SZ_E_UNSUPPORTED,
                   "%s: tensor %s has no place in a model of architecture %s with %u layers",
                   sz_gguf_name(g), sz_show_text(name, strlen(name), shown),
                   ld->m->architecture->name, ld->m->h.n_layer);
    }
    return SZ_OK;
}

/* Ends the checking: what was counted is allocated. */
static sz_status allocate_panels(loader *ld) {
    ld->m->panels = ld->panels ? sz_alloc_pages(ld->panels) : NULL;
    SZ_REQUIRE(ld->m->panels || !ld->panels, SZ_E_NOMEM,
               "no memory for %zu bytes of repacked weights", ld->panels);
    ld->m->panel_bytes = ld->panels;
    ld->panels = 0;
    ld->checking = false;
    return SZ_OK;
}

static sz_status make_list(sz_model *m) {
    size_t n = sz_gguf_n_tensors(m->gguf) + 1;
    m->learned = sz_calloc(n, sizeof *m->learned);
    m->learned_paired = sz_calloc(n, sizeof *m->learned_paired);
    SZ_REQUIRE(m->learned && m->learned_paired, SZ_E_NOMEM, "no memory for a list of tensors");
    return SZ_OK;
}

sz_status sz_model_load_weights(sz_model *m) {
    if (m->learns)
        SZ_TRY(make_list(m));
    loader ld = {.m = m, .checking = true};
    m->layers = sz_calloc(m->h.n_layer, sizeof *m->layers);
    SZ_REQUIRE(m->layers, SZ_E_NOMEM, "no memory for %u layers", m->h.n_layer);
    ld.used = sz_calloc(sz_gguf_n_tensors(m->gguf), sizeof *ld.used);
    SZ_REQUIRE(ld.used, SZ_E_NOMEM, "no memory for a list of tensors");
    sz_status status = load_all(&ld);
    if (status == SZ_OK)
        status = refuse_unused(&ld);
    if (status == SZ_OK)
        status = allocate_panels(&ld);
    if (status == SZ_OK)
        status = load_all(&ld);
    sz_free(ld.used);
    return status;
}

void sz_model_free_weights(sz_model *m) {
    if (m->panels)
        sz_free_pages(m->panels, m->panel_bytes);
    sz_free(m->learned);
    sz_free(m->learned_paired);
    sz_free(m->layers);
}
