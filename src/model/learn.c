/* learn.c: what a model has learned, back into a file. */
#include "learn.h"

#include <string.h>

/* Rows in the order that the file's architecture asks for: pairs of a head's rotated rows lie
 * together there, halves here. */
static void to_file_order(const sz_model *m, const float *from, size_t n_rows, size_t n_cols,
                          float *to) {
    for (size_t row = 0; row < n_rows; row++)
        memcpy(to + sz_model_source_row(&m->h, row) * n_cols, from + row * n_cols,
               n_cols * sizeof *to);
}

static sz_status put_learned(const sz_model *m, const float *const *values, size_t i,
                             sz_gguf_writer *w, sz_arena *arena) {
    const sz_learned *p = &m->learned[i];
    const sz_tensor *t = p->tensor;
    const float *data = values && values[i] ? values[i] : t->data;
    bool vector = !p->matrix && t->n_rows == 1;
    uint64_t dim[2] = {t->n_cols, t->n_rows};
    if (m->learned_paired[i]) {
        size_t n_rows = vector ? t->n_cols : t->n_rows, n_cols = vector ? 1 : t->n_cols;
        float *turned = sz_arena_alloc(arena, n_rows * n_cols * sizeof *turned);
        SZ_REQUIRE(turned, SZ_E_NOMEM, "no memory for tensor %s", p->name);
        to_file_order(m, data, n_rows, n_cols, turned);
        data = turned;
    }
    sz_gguf_put_tensor(w, p->name, SZ_F32, vector ? 1 : 2, dim, data);
    return SZ_OK;
}

static void put_metadata(const sz_model *m, const char *name, sz_gguf_writer *w) {
    static const char *const own[] = {
        "general.file_type", "general.alignment", "general.quantization_version",
        "split.no",          "split.count",       "split.tensors.count"};
    for (size_t i = 0; i < sz_gguf_n_kv(m->gguf); i++) {
        const sz_gguf_kv *kv = sz_gguf_kv_at(m->gguf, i);
        bool skip = name && strcmp(kv->key, "general.name") == 0;
        for (size_t k = 0; k < sizeof own / sizeof *own; k++)
            skip |= strcmp(kv->key, own[k]) == 0;
        if (!skip)
            sz_gguf_put_kv(w, m->gguf, kv);
    }
    if (name)
        sz_gguf_put_str(w, "general.name", name, strlen(name));
    sz_gguf_put_u32(w, "general.file_type", 0);
}

/* What does not learn, such as the factors of rope, goes over as it is. */
static void put_others(const sz_model *m, sz_gguf_writer *w) {
    for (size_t i = 0; i < sz_gguf_n_tensors(m->gguf); i++) {
        const sz_gguf_tensor *t = sz_gguf_tensor_at(m->gguf, i);
        bool learned = false;
        for (size_t k = 0; k < m->n_learned && !learned; k++)
            learned = strcmp(m->learned[k].name, t->name) == 0;
        if (!learned)
            sz_gguf_put_tensor(w, t->name, t->type, t->n_dim, t->dim, t->data);
    }
}

sz_status sz_model_save_learned(const sz_model *m, const char *name, const float *const *values,
                                const char *path) {
    sz_gguf_writer *w;
    sz_arena *arena;
    SZ_TRY(sz_arena_new(1 << 20, &arena));
    sz_status status = sz_gguf_writer_new(&w);
    if (status != SZ_OK) {
        sz_arena_free(arena);
        return status;
    }
    put_metadata(m, name, w);
    for (size_t i = 0; i < m->n_learned && status == SZ_OK; i++)
        status = put_learned(m, values, i, w, arena);
    put_others(m, w);
    if (status == SZ_OK)
        status = sz_gguf_writer_save(w, path);
    sz_gguf_writer_free(w);
    sz_arena_free(arena);
    return status;
}
