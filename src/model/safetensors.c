/* safetensors.c: a JSON header with the shape and place of every tensor, then their data. */
#include "model/name_table.h"

#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/safetensors.h>

enum {
    MAX_HEADER_BYTES = 100000000,
    MAX_JSON_BYTES = 40 << 20, /* memory for the parsed header */
    MAX_TENSORS = 65536,
};

typedef unsigned long long ull;

struct sz_safetensors {
    sz_map map; /* data NULL if the caller owns the bytes */
    const uint8_t *bytes, *data;
    size_t size, data_size;
    char *name; /* for messages */
    sz_arena *arena;
    const sz_json *metadata;
    sz_safetensors_tensor *tensor;
    size_t n_tensors;
    sz_name_table names;
};

static const struct {
    const char *name;
    size_t bytes;
} types[] = {
    [SZ_ST_BOOL] = {"BOOL", 1}, [SZ_ST_U8] = {"U8", 1},     [SZ_ST_I8] = {"I8", 1},
    [SZ_ST_I16] = {"I16", 2},   [SZ_ST_I32] = {"I32", 4},   [SZ_ST_I64] = {"I64", 8},
    [SZ_ST_F16] = {"F16", 2},   [SZ_ST_BF16] = {"BF16", 2}, [SZ_ST_F32] = {"F32", 4},
    [SZ_ST_F64] = {"F64", 8},
};
enum { N_TYPES = sizeof types / sizeof types[0] };

const char *sz_safetensors_type_name(sz_safetensors_type type) {
    return (unsigned)type < N_TYPES ? types[type].name : "unknown";
}

size_t sz_safetensors_type_bytes(sz_safetensors_type type) {
    return (unsigned)type < N_TYPES ? types[type].bytes : 0;
}

/* ---- One tensor ------------------------------------------------------------------------------ */

/* A tensor on its way in, with what messages need. */
typedef struct entry {
    const sz_safetensors *f;
    const sz_json *json;
    sz_safetensors_tensor *t;
    char shown[80]; /* its name */
} entry;

#define ENTRY_REQUIRE(e, cond, status, format, ...)                                                \
    SZ_REQUIRE(cond, status, "%s: tensor %s: " format, (e)->f->name, (e)->shown, __VA_ARGS__)

static sz_status member(const entry *e, const char *key, sz_json_type type, const char *wanted,
                        const sz_json **out) {
    *out = sz_json_get(e->json, key);
    ENTRY_REQUIRE(e, *out && (*out)->type == type, SZ_E_FORMAT, "%s must be %s", key, wanted);
    return SZ_OK;
}

static sz_status read_type(const entry *e) {
    const sz_json *dtype;
    char shown[80];
    SZ_TRY(member(e, "dtype", SZ_JSON_STRING, "a string", &dtype));
    for (int i = 0; i < N_TYPES; i++) {
        if (strlen(types[i].name) == dtype->n && memcmp(types[i].name, dtype->u.s, dtype->n) == 0) {
            e->t->type = (sz_safetensors_type)i;
            return SZ_OK;
        }
    }
    return sz_fail(SZ_E_UNSUPPORTED, "%s: tensor %s: type %s is none that this build can read",
                   e->f->name, e->shown, sz_show_text(dtype->u.s, dtype->n, shown));
}

static sz_status read_shape(const entry *e) {
    const sz_json *shape;
    SZ_TRY(member(e, "shape", SZ_JSON_ARRAY, "an array", &shape));
    ENTRY_REQUIRE(e, shape->n <= SZ_ST_MAX_DIM, SZ_E_UNSUPPORTED,
                  "%u dimensions; at most %d are possible", shape->n, SZ_ST_MAX_DIM);
    sz_safetensors_tensor *t = e->t;
    t->bytes = types[t->type].bytes;
    for (const sz_json *d = shape->u.child; d; d = d->next) {
        ENTRY_REQUIRE(e, d->type == SZ_JSON_INT && d->u.i >= 0, SZ_E_FORMAT,
                      "dimension %u must be an integer of 0 or more", t->n_dim);
        t->dim[t->n_dim++] = (uint64_t)d->u.i;
        ENTRY_REQUIRE(e, !__builtin_mul_overflow(t->bytes, (uint64_t)d->u.i, &t->bytes),
                      SZ_E_FORMAT, "the product of its dimensions is too large at number %u",
                      t->n_dim - 1);
    }
    return SZ_OK;
}

static sz_status read_place(const entry *e) {
    const sz_json *offsets;
    SZ_TRY(member(e, "data_offsets", SZ_JSON_ARRAY, "an array", &offsets));
    const sz_json *from = offsets->u.child, *to = offsets->n == 2 ? from->next : NULL;
    ENTRY_REQUIRE(e, to && from->type == SZ_JSON_INT && to->type == SZ_JSON_INT, SZ_E_FORMAT, "%s",
                  "data_offsets must be two integers");
    ENTRY_REQUIRE(e, from->u.i >= 0 && from->u.i <= to->u.i && (uint64_t)to->u.i <= e->f->data_size,
                  SZ_E_FORMAT,
                  "data_offsets [%lld, %lld] are outside of the %zu bytes of data; is the file "
                  "incomplete?",
                  (long long)from->u.i, (long long)to->u.i, e->f->data_size);
    uint64_t given = (uint64_t)(to->u.i - from->u.i);
    ENTRY_REQUIRE(e, given == e->t->bytes, SZ_E_FORMAT,
                  "data_offsets give it %llu bytes, but type and shape need %llu", (ull)given,
                  (ull)e->t->bytes);
    e->t->data = e->f->data + from->u.i;
    return SZ_OK;
}

static sz_status read_tensor(sz_safetensors *f, const sz_json *json) {
    entry e = {.f = f, .json = json, .t = &f->tensor[f->n_tensors]};
    bool is_new;
    sz_show_text(json->key, json->key_n, e.shown);
    ENTRY_REQUIRE(&e, strlen(json->key) == json->key_n, SZ_E_FORMAT, "%s",
                  "the name has a NUL character");
    SZ_TRY(sz_name_table_add(&f->names, json->key, json->key_n, (uint32_t)f->n_tensors, &is_new));
    ENTRY_REQUIRE(&e, is_new, SZ_E_FORMAT, "%s", "occurs twice");
    ENTRY_REQUIRE(&e, json->type == SZ_JSON_OBJECT, SZ_E_FORMAT, "%s", "must be an object");
    e.t->name = json->key;
    SZ_TRY(read_type(&e));
    SZ_TRY(read_shape(&e));
    SZ_TRY(read_place(&e));
    f->n_tensors++;
    return SZ_OK;
}

/* ---- The file -------------------------------------------------------------------------------- */

static sz_status read_metadata(sz_safetensors *f, const sz_json *json) {
    SZ_REQUIRE(json->type == SZ_JSON_OBJECT, SZ_E_FORMAT, "%s: __metadata__ must be an object",
               f->name);
    char shown[80];
    for (const sz_json *m = json->u.child; m; m = m->next)
        SZ_REQUIRE(m->type == SZ_JSON_STRING, SZ_E_FORMAT, "%s: __metadata__: %s must be a string",
                   f->name, sz_show_text(m->key, m->key_n, shown));
    f->metadata = json;
    return SZ_OK;
}

static int by_place(const void *a, const void *b) {
    const sz_safetensors_tensor *x = *(const sz_safetensors_tensor *const *)a;
    const sz_safetensors_tensor *y = *(const sz_safetensors_tensor *const *)b;
    if (x->data != y->data)
        return x->data < y->data ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes); /* empty ones first */
}

/* The tensors in the order of their data, each where the one before it ends. */
static sz_status check_tiles(const sz_safetensors *f, const sz_safetensors_tensor **sorted) {
    char shown[80];
    const uint8_t *end = f->data;
    for (size_t i = 0; i < f->n_tensors; i++)
        sorted[i] = &f->tensor[i];
    qsort(sorted, f->n_tensors, sizeof *sorted, by_place);
    for (size_t i = 0; i < f->n_tensors; i++) {
        const sz_safetensors_tensor *t = sorted[i];
        SZ_REQUIRE(t->data == end, SZ_E_FORMAT,
                   "%s: tensor %s: starts at %zu of the data, the one before it ends at %zu",
                   f->name, sz_show_text(t->name, strlen(t->name), shown),
                   (size_t)(t->data - f->data), (size_t)(end - f->data));
        end += t->bytes;
    }
    SZ_REQUIRE(end == f->data + f->data_size, SZ_E_FORMAT,
               "%s: %zu bytes of data belong to no tensor", f->name,
               (size_t)(f->data + f->data_size - end));
    return SZ_OK;
}

static sz_status read_tensors(sz_safetensors *f, const sz_json *root) {
    SZ_REQUIRE(root->n <= MAX_TENSORS + 1, SZ_E_LIMIT, "%s: %u tensors; at most %d are possible",
               f->name, root->n, MAX_TENSORS);
    f->tensor = sz_calloc(root->n + 1, sizeof *f->tensor);
    SZ_REQUIRE(f->tensor, SZ_E_NOMEM, "%s: no memory for %u tensors", f->name, root->n);
    for (const sz_json *j = root->u.child; j; j = j->next) {
        bool metadata = j->key_n == 12 && memcmp(j->key, "__metadata__", 12) == 0;
        SZ_TRY(metadata ? read_metadata(f, j) : read_tensor(f, j));
    }
    const sz_safetensors_tensor **sorted = sz_calloc(f->n_tensors + 1, sizeof *sorted);
    SZ_REQUIRE(sorted, SZ_E_NOMEM, "%s: no memory to check %zu tensors", f->name, f->n_tensors);
    sz_status status = check_tiles(f, sorted);
    sz_free(sorted);
    return status;
}

static sz_status read_file(sz_safetensors *f) {
    uint64_t n = 0;
    sz_json *root = NULL;
    SZ_REQUIRE(f->size >= 8, SZ_E_FORMAT, "%s: not a safetensors file: it has only %zu bytes",
               f->name, f->size);
    memcpy(&n, f->bytes, sizeof n);
    bool json = f->size > 8 && f->bytes[8] == '{';
    SZ_REQUIRE(json, SZ_E_FORMAT, "%s: not a safetensors file: no { at position 8", f->name);
    SZ_REQUIRE(n <= MAX_HEADER_BYTES, SZ_E_LIMIT,
               "%s: the header has %llu bytes; at most %d are possible", f->name, (ull)n,
               MAX_HEADER_BYTES);
    SZ_REQUIRE(n <= f->size - 8, SZ_E_FORMAT,
               "%s: the header has %llu bytes, but the file only %zu; is it incomplete?", f->name,
               (ull)n, f->size);
    f->data = f->bytes + 8 + n;
    f->data_size = f->size - 8 - (size_t)n;
    SZ_TRY(sz_arena_new(1 << 16, &f->arena));
    sz_arena_set_limit(f->arena, MAX_JSON_BYTES);
    sz_status status = sz_json_parse((const char *)f->bytes + 8, (size_t)n, f->arena, &root);
    SZ_REQUIRE(status != SZ_E_NOMEM, SZ_E_LIMIT,
               "%s: header: its values need more than %d MiB of memory, or memory is short",
               f->name, MAX_JSON_BYTES >> 20);
    if (status != SZ_OK)
        return sz_fail_within(status, "%s: header", f->name);
    return read_tensors(f, root);
}

static sz_status new_file(const char *name, sz_safetensors **out) {
    sz_safetensors *f = sz_calloc(1, sizeof *f);
    SZ_REQUIRE(f, SZ_E_NOMEM, "%s: no memory to open", name);
    sz_name_table_init(&f->names);
    f->name = sz_strdup(name);
    if (!f->name) {
        sz_safetensors_close(f);
        return sz_fail(SZ_E_NOMEM, "%s: no memory to open", name);
    }
    *out = f;
    return SZ_OK;
}

/* Reads f, or closes it. */
static sz_status finish(sz_safetensors *f, sz_status status, sz_safetensors **out) {
    if (status == SZ_OK)
        status = read_file(f);
    if (status == SZ_OK)
        *out = f;
    else
        sz_safetensors_close(f);
    return status;
}

sz_status sz_safetensors_open(const char *path, sz_safetensors **out) {
    SZ_REQUIRE(path && out, SZ_E_ARG, "sz_safetensors_open: path and out must not be NULL");
    sz_safetensors *f = NULL;
    SZ_TRY(new_file(path, &f));
    sz_status status = sz_map_open(path, &f->map);
    f->bytes = f->map.data;
    f->size = f->map.size;
    return finish(f, status, out);
}

sz_status sz_safetensors_parse(const void *data, size_t size, const char *name,
                               sz_safetensors **out) {
    SZ_REQUIRE((data || size == 0) && name && out, SZ_E_ARG,
               "sz_safetensors_parse: data, name and out must not be NULL");
    sz_safetensors *f = NULL;
    SZ_TRY(new_file(name, &f));
    f->bytes = data;
    f->size = size;
    return finish(f, SZ_OK, out);
}

void sz_safetensors_close(sz_safetensors *f) {
    if (!f)
        return;
    sz_name_table_free(&f->names);
    sz_arena_free(f->arena);
    sz_map_close(&f->map);
    sz_free(f->tensor);
    sz_free(f->name);
    sz_free(f);
}

/* ---- Lookups --------------------------------------------------------------------------------- */

size_t sz_safetensors_n_tensors(const sz_safetensors *f) {
    return f->n_tensors;
}
const sz_safetensors_tensor *sz_safetensors_tensor_at(const sz_safetensors *f, size_t i) {
    return i < f->n_tensors ? &f->tensor[i] : NULL;
}
const sz_safetensors_tensor *sz_safetensors_find(const sz_safetensors *f, const char *name) {
    int64_t i = sz_name_table_find(&f->names, name, strlen(name));
    return i < 0 ? NULL : &f->tensor[i];
}
const sz_json *sz_safetensors_metadata(const sz_safetensors *f) {
    return f->metadata;
}
