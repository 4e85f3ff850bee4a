#include "gguf_edit.h"

#include <string.h>

static sz_status put_shorter(sz_gguf_writer *w, const sz_gguf *g, const gguf_edit *e) {
    const sz_gguf_kv *kv = sz_gguf_find(g, e->key);
    SZ_REQUIRE(kv && kv->n >= (uint64_t)e->number, SZ_E_ARG, "key %s is too short", e->key);
    sz_str *s = sz_alloc((size_t)e->number * sizeof *s);
    SZ_REQUIRE(s, SZ_E_NOMEM, "no memory for key %s", e->key);
    for (size_t i = 0; i < (size_t)e->number; i++)
        s[i] = sz_gguf_str_at(g, kv, i);
    sz_gguf_put_strs(w, e->key, s, (size_t)e->number);
    sz_free(s);
    return SZ_OK;
}

static sz_status put(sz_gguf_writer *w, const sz_gguf *g, const gguf_edit *e) {
    switch (e->kind) {
    case EDIT_REMOVED:
        break;
    case EDIT_U32:
        sz_gguf_put_u32(w, e->key, (uint32_t)e->number);
        break;
    case EDIT_F32:
        sz_gguf_put_f32(w, e->key, (float)e->number);
        break;
    case EDIT_BOOL:
        sz_gguf_put_bool(w, e->key, e->number != 0);
        break;
    case EDIT_STRING:
        sz_gguf_put_str(w, e->key, e->text, strlen(e->text));
        break;
    case EDIT_ARRAY:
        sz_gguf_put_i32s(w, e->key, e->array, e->n_array);
        break;
    case EDIT_SHORTER:
        return put_shorter(w, g, e);
    }
    return SZ_OK;
}

static sz_status write_edited(const char *path, const sz_gguf *g, sz_gguf_writer *w,
                              const gguf_edit *edits, size_t n) {
    for (size_t i = 0; i < sz_gguf_n_kv(g); i++) {
        const sz_gguf_kv *kv = sz_gguf_kv_at(g, i);
        bool edited = false;
        for (size_t j = 0; j < n; j++)
            edited |= strcmp(kv->key, edits[j].key) == 0;
        if (!edited)
            sz_gguf_put_kv(w, g, kv);
    }
    for (size_t j = 0; j < n; j++)
        SZ_TRY(put(w, g, &edits[j]));
    for (size_t i = 0; i < sz_gguf_n_tensors(g); i++) {
        const sz_gguf_tensor *t = sz_gguf_tensor_at(g, i);
        sz_gguf_put_tensor(w, t->name, t->type, t->n_dim, t->dim, t->data);
    }
    return sz_gguf_writer_save(w, path);
}

sz_status gguf_rewrite(const char *path, const gguf_edit *edits, size_t n) {
    sz_gguf *g = NULL;
    sz_gguf_writer *w = NULL;
    sz_status status = sz_gguf_open(path, &g);
    if (status == SZ_OK)
        status = sz_gguf_writer_new(&w);
    if (status == SZ_OK)
        status = write_edited(path, g, w, edits, n);
    sz_gguf_writer_free(w);
    sz_gguf_close(g);
    return status;
}
