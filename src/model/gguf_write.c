/* gguf_write.c: collects keys and tensors, then writes a GGUF file of version 3 at once. */
#include "model/gguf.h"

#include <string.h>

typedef unsigned long long ull;

typedef struct pending {
    char *name;
    sz_type type;
    uint32_t n_dim;
    uint64_t dim[4], bytes;
    const void *data;
} pending;

struct sz_gguf_writer {
    sz_buf kv; /* as it goes into the file */
    uint32_t n_kv, alignment;
    char **key;
    pending *tensor;
    uint32_t n_tensors, key_cap, tensor_cap;
    sz_name_table keys, tensors;
    sz_status status; /* of the first put that failed */
    char error[256];
};

sz_status sz_gguf_writer_new(sz_gguf_writer **out) {
    SZ_REQUIRE(out, SZ_E_ARG, "sz_gguf_writer_new: out must not be NULL");
    sz_gguf_writer *w = sz_calloc(1, sizeof *w);
    SZ_REQUIRE(w, SZ_E_NOMEM, "no memory for a GGUF writer");
    w->alignment = SZ_GGUF_DEFAULT_ALIGNMENT;
    sz_name_table_init(&w->keys);
    sz_name_table_init(&w->tensors);
    *out = w;
    return SZ_OK;
}

void sz_gguf_writer_free(sz_gguf_writer *w) {
    if (!w)
        return;
    for (uint32_t i = 0; i < w->n_kv; i++)
        sz_free(w->key[i]);
    for (uint32_t i = 0; i < w->n_tensors; i++)
        sz_free(w->tensor[i].name);
    sz_free(w->key);
    sz_free(w->tensor);
    sz_name_table_free(&w->keys);
    sz_name_table_free(&w->tensors);
    sz_buf_free(&w->kv);
    sz_free(w);
}

/* Keeps the first error, which save reports. */
static void note(sz_gguf_writer *w, sz_status status) {
    if (w->status != SZ_OK || status == SZ_OK)
        return;
    w->status = status;
    strncpy(w->error, sz_last_error(), sizeof w->error - 1);
}

static sz_status check_name(const char *kind, const char *name) {
    size_t n = strlen(name);
    char shown[80];
    SZ_REQUIRE(n >= 1 && n <= SZ_GGUF_MAX_NAME, SZ_E_ARG,
               "%s %s: the name has %zu bytes; 1 to %d are possible", kind,
               sz_show_text(name, n, shown), n, SZ_GGUF_MAX_NAME);
    return SZ_OK;
}

/* Room for one more element of a list. */
static sz_status reserve(void **list, uint32_t n, uint32_t *cap, size_t size) {
    if (n < *cap)
        return SZ_OK;
    uint32_t bigger = *cap ? 2 * *cap : 64;
    void *p = sz_realloc(*list, n * size, bigger * size);
    SZ_REQUIRE(p, SZ_E_NOMEM, "no memory for %u entries of a GGUF file", bigger);
    *list = p;
    *cap = bigger;
    return SZ_OK;
}

/* A copy of a name that is new in its table. */
static sz_status add_name(const char *kind, sz_name_table *table, const char *name, uint32_t i,
                          char **out) {
    bool is_new = false;
    char *copy = sz_strdup(name);
    SZ_REQUIRE(copy, SZ_E_NOMEM, "no memory for the name of %s %s", kind, name);
    sz_status status = sz_name_table_add(table, copy, strlen(copy), i, &is_new);
    if (status == SZ_OK && !is_new)
        status = sz_fail(SZ_E_ARG, "%s %s is put twice", kind, name);
    if (status == SZ_OK)
        *out = copy;
    else
        sz_free(copy);
    return status;
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static void append_u32(sz_buf *b, uint32_t v) {
    sz_buf_append(b, &v, sizeof v);
}
static void append_u64(sz_buf *b, uint64_t v) {
    sz_buf_append(b, &v, sizeof v);
}
static void append_str(sz_buf *b, const char *s, size_t n) {
    append_u64(b, n);
    sz_buf_append(b, s, n);
}

static sz_status add_key(sz_gguf_writer *w, const char *key, sz_gguf_type type) {
    SZ_TRY(check_name("key", key));
    SZ_REQUIRE(w->n_kv < SZ_GGUF_MAX_KEYS, SZ_E_LIMIT, "key %s: more than %d keys", key,
               SZ_GGUF_MAX_KEYS);
    SZ_REQUIRE(type == SZ_GGUF_U32 || strcmp(key, "general.alignment") != 0, SZ_E_ARG,
               "key general.alignment must be a u32");
    SZ_TRY(reserve((void **)&w->key, w->n_kv, &w->key_cap, sizeof *w->key));
    SZ_TRY(add_name("key", &w->keys, key, w->n_kv, &w->key[w->n_kv]));
    w->n_kv++;
    append_str(&w->kv, key, strlen(key));
    append_u32(&w->kv, (uint32_t)type);
    return SZ_OK;
}

/* Begins a key; false if the writer has failed, now or before. */
static bool begin_key(sz_gguf_writer *w, const char *key, sz_gguf_type type) {
    if (w->status == SZ_OK)
        note(w, add_key(w, key, type));
    return w->status == SZ_OK;
}

static bool begin_array(sz_gguf_writer *w, const char *key, sz_gguf_type element, uint64_t n) {
    if (!begin_key(w, key, SZ_GGUF_ARRAY))
        return false;
    append_u32(&w->kv, (uint32_t)element);
    append_u64(&w->kv, n);
    return true;
}

/* The file's own alignment decides where its tensors stand. */
static sz_status set_alignment(sz_gguf_writer *w, uint32_t v) {
    SZ_REQUIRE(sz_gguf_alignment_valid(v), SZ_E_ARG,
               "key general.alignment is %u; it must be a power of two from 8 to %d", v,
               SZ_GGUF_MAX_ALIGNMENT);
    w->alignment = v;
    return SZ_OK;
}

void sz_gguf_put_u32(sz_gguf_writer *w, const char *key, uint32_t v) {
    if (!begin_key(w, key, SZ_GGUF_U32))
        return;
    append_u32(&w->kv, v);
    if (strcmp(key, "general.alignment") == 0)
        note(w, set_alignment(w, v));
}

void sz_gguf_put_i32(sz_gguf_writer *w, const char *key, int32_t v) {
    if (begin_key(w, key, SZ_GGUF_I32))
        append_u32(&w->kv, (uint32_t)v);
}

void sz_gguf_put_u64(sz_gguf_writer *w, const char *key, uint64_t v) {
    if (begin_key(w, key, SZ_GGUF_U64))
        append_u64(&w->kv, v);
}

void sz_gguf_put_f32(sz_gguf_writer *w, const char *key, float v) {
    if (!__builtin_isfinite(v))
        note(w, sz_fail(SZ_E_NAN, "key %s is %g; it must be finite", key, (double)v));
    if (begin_key(w, key, SZ_GGUF_F32))
        sz_buf_append(&w->kv, &v, sizeof v);
}

void sz_gguf_put_bool(sz_gguf_writer *w, const char *key, bool v) {
    if (begin_key(w, key, SZ_GGUF_BOOL))
        sz_buf_putc(&w->kv, (char)v);
}

void sz_gguf_put_str(sz_gguf_writer *w, const char *key, const char *s, size_t n) {
    if (begin_key(w, key, SZ_GGUF_STRING))
        append_str(&w->kv, s, n);
}

void sz_gguf_put_strs(sz_gguf_writer *w, const char *key, const sz_str *s, size_t n) {
    if (!begin_array(w, key, SZ_GGUF_STRING, n))
        return;
    for (size_t i = 0; i < n; i++)
        append_str(&w->kv, s[i].s, s[i].n);
}

void sz_gguf_put_f32s(sz_gguf_writer *w, const char *key, const float *v, size_t n) {
    if (begin_array(w, key, SZ_GGUF_F32, n))
        sz_buf_append(&w->kv, v, n * sizeof *v);
}

void sz_gguf_put_i32s(sz_gguf_writer *w, const char *key, const int32_t *v, size_t n) {
    if (begin_array(w, key, SZ_GGUF_I32, n))
        sz_buf_append(&w->kv, v, n * sizeof *v);
}

void sz_gguf_put_kv(sz_gguf_writer *w, const sz_gguf *from, const sz_gguf_kv *kv) {
    const sz_gguf_entry *e = (const sz_gguf_entry *)kv;
    if (kv->type == SZ_GGUF_U32) {
        sz_gguf_put_u32(w, kv->key, (uint32_t)sz_gguf_int_at(from, kv, 0));
        return;
    }
    bool array = kv->type == SZ_GGUF_ARRAY;
    if (array ? begin_array(w, kv->key, kv->element, kv->n) : begin_key(w, kv->key, kv->type))
        sz_buf_append(&w->kv, e->value, e->bytes);
}

/* ---- Tensors --------------------------------------------------------------------------------- */

static sz_status add_tensor(sz_gguf_writer *w, const char *name, pending t, const uint64_t *dim) {
    const char *why;
    SZ_TRY(check_name("tensor", name));
    SZ_REQUIRE(t.data, SZ_E_ARG, "tensor %s has no data", name);
    SZ_REQUIRE(sz_type_get(t.type)->name, SZ_E_ARG, "tensor %s: %d is not a type", name, t.type);
    SZ_REQUIRE(t.n_dim >= 1 && t.n_dim <= 4, SZ_E_ARG,
               "tensor %s: %u dimensions; 1 to 4 are possible", name, t.n_dim);
    for (uint32_t i = 0; i < 4; i++)
        t.dim[i] = i < t.n_dim ? dim[i] : 1;
    SZ_REQUIRE(sz_gguf_tensor_bytes(t.type, t.n_dim, t.dim, &t.bytes, &why), SZ_E_ARG,
               "tensor %s: [%llu, %llu, %llu, %llu] of %s: %s", name, (ull)t.dim[0], (ull)t.dim[1],
               (ull)t.dim[2], (ull)t.dim[3], sz_type_get(t.type)->name, why);
    SZ_REQUIRE(w->n_tensors < SZ_GGUF_MAX_TENSORS, SZ_E_LIMIT, "tensor %s: more than %d tensors",
               name, SZ_GGUF_MAX_TENSORS);
    SZ_TRY(reserve((void **)&w->tensor, w->n_tensors, &w->tensor_cap, sizeof *w->tensor));
    SZ_TRY(add_name("tensor", &w->tensors, name, w->n_tensors, &t.name));
    w->tensor[w->n_tensors++] = t;
    return SZ_OK;
}

void sz_gguf_put_tensor(sz_gguf_writer *w, const char *name, sz_type type, uint32_t n_dim,
                        const uint64_t *dim, const void *data) {
    if (w->status == SZ_OK)
        note(w, add_tensor(w, name, (pending){.type = type, .n_dim = n_dim, .data = data}, dim));
}

/* ---- The file -------------------------------------------------------------------------------- */

static uint64_t padding(const sz_gguf_writer *w, uint64_t at) {
    return (w->alignment - at % w->alignment) % w->alignment;
}

/* Everything before the data. */
static void build_head(const sz_gguf_writer *w, sz_buf *b) {
    uint64_t offset = 0;
    sz_buf_puts(b, "GGUF");
    append_u32(b, 3);
    append_u64(b, w->n_tensors);
    append_u64(b, w->n_kv);
    sz_buf_append(b, w->kv.data, w->kv.len);
    for (uint32_t i = 0; i < w->n_tensors; i++) {
        const pending *t = &w->tensor[i];
        append_str(b, t->name, strlen(t->name));
        append_u32(b, t->n_dim);
        sz_buf_append(b, t->dim, t->n_dim * sizeof t->dim[0]);
        append_u32(b, (uint32_t)t->type);
        append_u64(b, offset);
        offset += t->bytes + padding(w, t->bytes);
    }
}

static sz_status write_padded(sz_gguf_writer *w, sz_writer *file, const void *data, uint64_t n) {
    static const uint8_t zero[4096];
    SZ_TRY(sz_writer_write(file, data, n));
    for (uint64_t left = padding(w, n); left > 0;) {
        uint64_t part = left < sizeof zero ? left : sizeof zero;
        SZ_TRY(sz_writer_write(file, zero, part));
        left -= part;
    }
    return SZ_OK;
}

static sz_status write_all(sz_gguf_writer *w, sz_writer *file, const sz_buf *head) {
    SZ_TRY(write_padded(w, file, head->data, head->len));
    for (uint32_t i = 0; i < w->n_tensors; i++)
        SZ_TRY(write_padded(w, file, w->tensor[i].data, w->tensor[i].bytes));
    return SZ_OK;
}

sz_status sz_gguf_writer_save(sz_gguf_writer *w, const char *path) {
    SZ_REQUIRE(path, SZ_E_ARG, "sz_gguf_writer_save: path must not be NULL");
    SZ_REQUIRE(w->status == SZ_OK, w->status, "%s: %s", path, w->error);
    sz_writer *file;
    sz_buf head = {0};
    build_head(w, &head);
    sz_status status = w->kv.failed || head.failed
                           ? sz_fail(SZ_E_NOMEM, "%s: no memory for its metadata", path)
                           : sz_writer_open(path, &file);
    if (status == SZ_OK) {
        status = write_all(w, file, &head);
        if (status == SZ_OK)
            status = sz_writer_commit(file);
        else
            sz_writer_abort(file);
    }
    sz_buf_free(&head);
    return status;
}
