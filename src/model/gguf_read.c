/* gguf_read.c: checks a GGUF file and makes an index of it. The metadata stays in the map; memory
 * beyond it is bounded by MAX_INDEX_BYTES for any input. The file is little endian, as are all
 * processors that this library runs on. */
#include "model/gguf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_INDEX_BYTES = 44 << 20,
    MAX_NUMBERS = 16 << 20,        /* in one array */
    MAX_STRINGS = 4 << 20,         /* in arrays; the largest vocabularies have 3 * 2^18 */
    MAX_STRING_BYTES = 256 << 20,  /* in arrays, with their lengths */
    MIN_KEY_BYTES = 8 + 1 + 4 + 1, /* in the file: name, type, value */
    MIN_TENSOR_BYTES = 8 + 1 + 4 + 8 + 4 + 8,
};

typedef unsigned long long ull;

typedef struct reader {
    sz_gguf *g;
    size_t at;      /* position in the file */
    char what[112]; /* what is being read, for messages */
} reader;

/* Fails with the file and what is being read in front. */
#define READ_REQUIRE(r, cond, status, format, ...)                                                 \
    SZ_REQUIRE(cond, status, "%s: %s: " format, (r)->g->name, (r)->what, __VA_ARGS__)

static void set_what(reader *r, const char *kind, sz_str name) {
    char shown[80];
    snprintf(r->what, sizeof r->what, "%s %s", kind, sz_show_text(name.s, name.n, shown));
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static sz_status take(reader *r, uint64_t n, const uint8_t **out) {
    READ_REQUIRE(r, n <= r->g->size - r->at, SZ_E_FORMAT,
                 "needs %llu bytes at position %zu, but the file ends at %zu; is it incomplete?",
                 (ull)n, r->at, r->g->size);
    *out = r->g->data + r->at;
    r->at += (size_t)n;
    return SZ_OK;
}

static sz_status take_u32(reader *r, uint32_t *out) {
    const uint8_t *p;
    SZ_TRY(take(r, sizeof *out, &p));
    memcpy(out, p, sizeof *out);
    return SZ_OK;
}

static sz_status take_u64(reader *r, uint64_t *out) {
    const uint8_t *p;
    SZ_TRY(take(r, sizeof *out, &p));
    memcpy(out, p, sizeof *out);
    return SZ_OK;
}

static sz_status allocate(reader *r, size_t bytes, void **out) {
    *out = sz_arena_alloc_small(r->g->arena, bytes);
    if (*out)
        return SZ_OK;
    bool full = bytes + 4096 > MAX_INDEX_BYTES - sz_arena_bytes(r->g->arena);
    READ_REQUIRE(r, full, SZ_E_NOMEM, "no memory for %zu bytes", bytes);
    return sz_fail(SZ_E_LIMIT, "%s: %s: the index of the metadata needs more than %d MiB",
                   r->g->name, r->what, MAX_INDEX_BYTES >> 20);
}

/* A key or a tensor's name, copied with a NUL, entered into `table`. */
static sz_status take_name(reader *r, const char *kind, sz_name_table *table, uint32_t value,
                           const char **out) {
    uint64_t n;
    const uint8_t *p;
    void *copy;
    bool is_new;
    SZ_TRY(take_u64(r, &n));
    READ_REQUIRE(r, n >= 1 && n <= SZ_GGUF_MAX_NAME, SZ_E_FORMAT,
                 "its name has %llu bytes; 1 to %d are possible", (ull)n, SZ_GGUF_MAX_NAME);
    SZ_TRY(take(r, n, &p));
    set_what(r, kind, (sz_str){(const char *)p, n});
    READ_REQUIRE(r, !memchr(p, 0, n), SZ_E_FORMAT, "the name has a NUL byte at position %zu",
                 r->at - (size_t)n);
    SZ_TRY(allocate(r, n + 1, &copy));
    memcpy(copy, p, n);
    ((char *)copy)[n] = 0;
    SZ_TRY(sz_name_table_add(table, copy, n, value, &is_new));
    READ_REQUIRE(r, is_new, SZ_E_FORMAT, "occurs twice (number %u and number %u)",
                 (uint32_t)sz_name_table_find(table, copy, n), value);
    *out = copy;
    return SZ_OK;
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static sz_status take_type(reader *r, sz_gguf_type *out) {
    uint32_t type;
    SZ_TRY(take_u32(r, &type));
    READ_REQUIRE(r, type <= SZ_GGUF_F64, SZ_E_FORMAT, "%u is not a type of value", type);
    *out = (sz_gguf_type)type;
    return SZ_OK;
}

static sz_status read_string(reader *r, sz_gguf_entry *e) {
    SZ_TRY(take_u64(r, &e->bytes));
    SZ_TRY(take(r, e->bytes, &e->value));
    e->value -= 8;
    e->bytes += 8;
    return SZ_OK;
}

/* Checks every string and notes where it starts, so that each is found at once later on. */
static sz_status read_string_array(reader *r, sz_gguf_entry *e) {
    sz_gguf *g = r->g;
    uint64_t n = e->kv.n, length;
    size_t start = r->at;
    void *memory;
    READ_REQUIRE(r, n <= (g->size - start) / 8, SZ_E_FORMAT,
                 "an array of %llu strings does not fit into the file; is it incomplete?", (ull)n);
    READ_REQUIRE(r, n <= MAX_STRINGS - g->n_strings, SZ_E_LIMIT,
                 "the arrays of the file have more than %d strings", MAX_STRINGS);
    g->n_strings += n;
    SZ_TRY(allocate(r, n * sizeof(uint32_t), &memory));
    uint32_t *string = memory;
    uint64_t room = MAX_STRING_BYTES - g->string_bytes;
    for (uint64_t i = 0; i < n; i++) {
        string[i] = (uint32_t)(r->at - start);
        SZ_TRY(take_u64(r, &length));
        READ_REQUIRE(r, length <= g->size - r->at, SZ_E_FORMAT,
                     "string %llu has %llu bytes, but the file ends at %zu; is it incomplete?",
                     (ull)i, (ull)length, g->size);
        r->at += (size_t)length;
        READ_REQUIRE(r, r->at - start <= room, SZ_E_LIMIT,
                     "the string arrays of the file have more than %d MiB", MAX_STRING_BYTES >> 20);
    }
    e->value = g->data + start;
    e->bytes = r->at - start;
    e->string = string;
    g->string_bytes += e->bytes;
    return SZ_OK;
}

/* Nothing in a model's metadata is meant to be NaN. */
static sz_status refuse_nan(reader *r, const sz_gguf_entry *e) {
    if (e->kv.element != SZ_GGUF_F32 && e->kv.element != SZ_GGUF_F64)
        return SZ_OK;
    for (uint64_t i = 0; i < e->kv.n; i++)
        READ_REQUIRE(r, !__builtin_isnan(sz_gguf_num_at(r->g, &e->kv, i)), SZ_E_FORMAT,
                     "value %llu of %llu is NaN, not a number", (ull)i + 1, (ull)e->kv.n);
    return SZ_OK;
}

static sz_status read_array(reader *r, sz_gguf_entry *e) {
    SZ_TRY(take_type(r, &e->kv.element));
    SZ_TRY(take_u64(r, &e->kv.n));
    READ_REQUIRE(r, e->kv.element != SZ_GGUF_ARRAY, SZ_E_UNSUPPORTED, "%s",
                 "is an array of arrays, which no model needs");
    if (e->kv.element == SZ_GGUF_STRING)
        return read_string_array(r, e);
    READ_REQUIRE(r, !__builtin_mul_overflow(e->kv.n, sz_gguf_type_bytes(e->kv.element), &e->bytes),
                 SZ_E_FORMAT, "an array of %llu values does not fit into the file", (ull)e->kv.n);
    SZ_TRY(take(r, e->bytes, &e->value));
    READ_REQUIRE(r, e->kv.n <= MAX_NUMBERS, SZ_E_LIMIT,
                 "an array of %llu values; at most %d are possible", (ull)e->kv.n, MAX_NUMBERS);
    return refuse_nan(r, e);
}

static sz_status read_key(reader *r, uint32_t i) {
    sz_gguf_entry *e = &r->g->kv[i];
    snprintf(r->what, sizeof r->what, "key number %u", i);
    SZ_TRY(take_name(r, "key", &r->g->keys, i, &e->kv.key));
    SZ_TRY(take_type(r, &e->kv.type));
    e->kv.element = e->kv.type;
    e->kv.n = 1;
    if (e->kv.type == SZ_GGUF_ARRAY)
        return read_array(r, e);
    if (e->kv.type == SZ_GGUF_STRING)
        return read_string(r, e);
    e->bytes = sz_gguf_type_bytes(e->kv.type);
    SZ_TRY(take(r, e->bytes, &e->value));
    return refuse_nan(r, e);
}

static sz_status read_alignment(sz_gguf *g) {
    static const char key[] = "general.alignment";
    g->alignment = SZ_GGUF_DEFAULT_ALIGNMENT;
    if (!sz_gguf_find(g, key))
        return SZ_OK;
    SZ_TRY(sz_gguf_get_u32(g, key, &g->alignment));
    SZ_REQUIRE(sz_gguf_alignment_valid(g->alignment), SZ_E_FORMAT,
               "%s: key %s is %u; it must be a power of two from 8 to %d", g->name, key,
               g->alignment, SZ_GGUF_MAX_ALIGNMENT);
    return SZ_OK;
}

/* ---- Tensors --------------------------------------------------------------------------------- */

bool sz_gguf_tensor_bytes(sz_type type, uint32_t n_dim, const uint64_t *dim, uint64_t *bytes,
                          const char **why) {
    const sz_type_info *info = sz_type_get(type);
    uint64_t total = dim[0] / info->block;
    for (uint32_t i = 0; i < n_dim; i++) {
        *why = "a dimension is zero";
        if (dim[i] == 0)
            return false;
        *why = "the product of its dimensions is too large";
        if (i > 0 && __builtin_mul_overflow(total, dim[i], &total))
            return false;
    }
    if (__builtin_mul_overflow(total, info->block_bytes, &total))
        return false;
    *why = "its rows are not whole blocks of its type";
    if (dim[0] % info->block != 0)
        return false;
    *bytes = total;
    return true;
}

static sz_status read_shape(reader *r, sz_gguf_tensor *t) {
    SZ_TRY(take_u32(r, &t->n_dim));
    READ_REQUIRE(r, t->n_dim >= 1 && t->n_dim <= 4, SZ_E_FORMAT,
                 "has %u dimensions; 1 to 4 are possible", t->n_dim);
    for (uint32_t i = 0; i < 4; i++) {
        t->dim[i] = 1;
        if (i < t->n_dim)
            SZ_TRY(take_u64(r, &t->dim[i]));
    }
    return SZ_OK;
}

/* Leaves the tensor's offset within the data in *offset. */
static sz_status read_tensor(reader *r, uint32_t i, uint64_t *offset) {
    sz_gguf_tensor *t = &r->g->tensor[i];
    uint32_t type;
    const char *why;
    snprintf(r->what, sizeof r->what, "tensor number %u", i);
    SZ_TRY(take_name(r, "tensor", &r->g->tensors, i, &t->name));
    SZ_TRY(read_shape(r, t));
    SZ_TRY(take_u32(r, &type));
    t->type = (sz_type)type;
    READ_REQUIRE(r, sz_type_get(t->type)->name, SZ_E_UNSUPPORTED,
                 "its type has the number %u, which is none that this build can read", type);
    READ_REQUIRE(r, sz_gguf_tensor_bytes(t->type, t->n_dim, t->dim, &t->bytes, &why), SZ_E_FORMAT,
                 "[%llu, %llu, %llu, %llu] of %s: %s", (ull)t->dim[0], (ull)t->dim[1],
                 (ull)t->dim[2], (ull)t->dim[3], sz_type_get(t->type)->name, why);
    SZ_TRY(take_u64(r, offset));
    READ_REQUIRE(r, *offset % r->g->alignment == 0, SZ_E_FORMAT,
                 "its offset %llu is not a multiple of the alignment %u", (ull)*offset,
                 r->g->alignment);
    return SZ_OK;
}

/* The data starts at the next aligned position after the last tensor's description. */
static sz_status place_tensors(reader *r, const uint64_t *offset) {
    sz_gguf *g = r->g;
    size_t rest = r->at % g->alignment, start = r->at + (rest ? g->alignment - rest : 0);
    uint64_t available = start < g->size ? g->size - start : 0;
    for (size_t i = 0; i < g->n_tensors; i++) {
        sz_gguf_tensor *t = &g->tensor[i];
        set_what(r, "tensor", (sz_str){t->name, strlen(t->name)});
        READ_REQUIRE(r, offset[i] <= available && t->bytes <= available - offset[i], SZ_E_FORMAT,
                     "%llu bytes at offset %llu, but the data has only %llu; is the file "
                     "incomplete?",
                     (ull)t->bytes, (ull)offset[i], (ull)available);
        t->data = g->data + start + offset[i];
    }
    return SZ_OK;
}

static int by_place(const void *a, const void *b) {
    const uint8_t *x = (*(const sz_gguf_tensor *const *)a)->data;
    const uint8_t *y = (*(const sz_gguf_tensor *const *)b)->data;
    return (x > y) - (x < y);
}

static sz_status check_overlap(reader *r) {
    const sz_gguf *g = r->g;
    const sz_gguf_tensor **sorted = sz_calloc(g->n_tensors, sizeof *sorted);
    SZ_REQUIRE(sorted, SZ_E_NOMEM, "%s: no memory to check %zu tensors", g->name, g->n_tensors);
    for (size_t i = 0; i < g->n_tensors; i++)
        sorted[i] = &g->tensor[i];
    qsort(sorted, g->n_tensors, sizeof *sorted, by_place);
    size_t i = 1;
    while (i < g->n_tensors && sorted[i]->data >= sorted[i - 1]->data + sorted[i - 1]->bytes)
        i++;
    const char *a = i < g->n_tensors ? sorted[i - 1]->name : NULL, *b = a ? sorted[i]->name : NULL;
    sz_free(sorted);
    if (!a)
        return SZ_OK;
    char shown[80];
    set_what(r, "tensor", (sz_str){b, strlen(b)});
    return sz_fail(SZ_E_FORMAT, "%s: %s: overlaps tensor %s", g->name, r->what,
                   sz_show_text(a, strlen(a), shown));
}

/* ---- The file -------------------------------------------------------------------------------- */

/* What people open by mistake. */
static sz_status refuse_magic(const sz_gguf *g) {
    static const struct {
        const char *magic, *meaning;
    } known[] = {
        {"FUGG", "a big-endian GGUF file, which this build cannot use"},
        {"lmgg", "a ggml file from before GGUF; convert the model again"},
        {"fmgg", "a ggmf file from before GGUF; convert the model again"},
        {"tjgg", "a ggjt file from before GGUF; convert the model again"},
        {"PK\3\4", "a zip archive, not a GGUF file"},
    };
    char shown[80];
    for (size_t i = 0; g->size >= 4 && i < sizeof known / sizeof known[0]; i++)
        if (memcmp(g->data, known[i].magic, 4) == 0)
            return sz_fail(SZ_E_UNSUPPORTED, "%s: this is %s", g->name, known[i].meaning);
    if (g->size >= 8 && memcmp(g->data, "version ", 8) == 0)
        return sz_fail(SZ_E_FORMAT, "%s: this is a pointer to a file in Git LFS; get the file",
                       g->name);
    size_t n = g->size < 8 ? g->size : 8;
    return sz_fail(SZ_E_FORMAT, "%s: not a GGUF file: it starts with \"%s\"", g->name,
                   sz_show_text((const char *)g->data, n, shown));
}

static sz_status read_header(reader *r, uint64_t *n_tensors, uint64_t *n_kv) {
    sz_gguf *g = r->g;
    if (g->size < 4 || memcmp(g->data, "GGUF", 4) != 0)
        return refuse_magic(g);
    r->at = 4;
    snprintf(r->what, sizeof r->what, "header");
    SZ_TRY(take_u32(r, &g->version));
    READ_REQUIRE(r, (g->version & 0xffff) != 0, SZ_E_UNSUPPORTED, "%s",
                 "this is a big-endian GGUF file, which this build cannot use");
    READ_REQUIRE(r, g->version == 2 || g->version == 3, SZ_E_UNSUPPORTED,
                 "version %u of GGUF; versions 2 and 3 can be read", g->version);
    SZ_TRY(take_u64(r, n_tensors));
    SZ_TRY(take_u64(r, n_kv));
    READ_REQUIRE(r, *n_kv <= SZ_GGUF_MAX_KEYS, SZ_E_LIMIT, "%llu keys; at most %d are possible",
                 (ull)*n_kv, SZ_GGUF_MAX_KEYS);
    READ_REQUIRE(r, *n_tensors <= SZ_GGUF_MAX_TENSORS, SZ_E_LIMIT,
                 "%llu tensors; at most %d are possible", (ull)*n_tensors, SZ_GGUF_MAX_TENSORS);
    uint64_t least = *n_kv * MIN_KEY_BYTES + *n_tensors * MIN_TENSOR_BYTES;
    READ_REQUIRE(r, least <= g->size - r->at, SZ_E_FORMAT,
                 "%llu keys and %llu tensors need at least %llu bytes, but the file has only %zu",
                 (ull)*n_kv, (ull)*n_tensors, (ull)(least + r->at), g->size);
    return SZ_OK;
}

static sz_status read_keys(reader *r, uint64_t n) {
    void *memory;
    SZ_TRY(allocate(r, n * sizeof(sz_gguf_entry), &memory));
    r->g->kv = memset(memory, 0, n * sizeof(sz_gguf_entry));
    for (uint32_t i = 0; i < n; i++) {
        SZ_TRY(read_key(r, i));
        r->g->n_kv = i + 1;
    }
    return read_alignment(r->g);
}

static sz_status read_tensors(reader *r, uint64_t n) {
    void *memory, *offsets;
    SZ_TRY(allocate(r, n * sizeof(sz_gguf_tensor), &memory));
    SZ_TRY(allocate(r, n * sizeof(uint64_t), &offsets));
    r->g->tensor = memset(memory, 0, n * sizeof(sz_gguf_tensor));
    for (uint32_t i = 0; i < n; i++)
        SZ_TRY(read_tensor(r, i, (uint64_t *)offsets + i));
    r->g->n_tensors = n;
    SZ_TRY(place_tensors(r, offsets));
    return check_overlap(r);
}

static sz_status read_file(sz_gguf *g) {
    reader r = {.g = g};
    uint64_t n_tensors = 0, n_kv = 0;
    SZ_TRY(read_header(&r, &n_tensors, &n_kv));
    SZ_TRY(sz_arena_new(1 << 16, &g->arena));
    sz_arena_set_limit(g->arena, MAX_INDEX_BYTES);
    SZ_TRY(read_keys(&r, n_kv));
    return read_tensors(&r, n_tensors);
}

static sz_status new_file(const char *name, sz_gguf **out) {
    sz_gguf *g = sz_calloc(1, sizeof *g);
    SZ_REQUIRE(g, SZ_E_NOMEM, "%s: no memory to open", name);
    sz_name_table_init(&g->keys);
    sz_name_table_init(&g->tensors);
    g->name = sz_strdup(name);
    if (!g->name) {
        sz_gguf_close(g);
        return sz_fail(SZ_E_NOMEM, "%s: no memory to open", name);
    }
    *out = g;
    return SZ_OK;
}

/* Reads g, or closes it. */
static sz_status finish(sz_gguf *g, sz_status status, sz_gguf **out) {
    if (status == SZ_OK)
        status = read_file(g);
    if (status == SZ_OK)
        *out = g;
    else
        sz_gguf_close(g);
    return status;
}

sz_status sz_gguf_open_one(const char *path, sz_gguf **out) {
    sz_gguf *g = NULL;
    SZ_TRY(new_file(path, &g));
    sz_status status = sz_map_open(path, &g->map);
    g->data = g->map.data;
    g->size = g->map.size;
    return finish(g, status, out);
}

sz_status sz_gguf_open(const char *path, sz_gguf **out) {
    SZ_REQUIRE(path && out, SZ_E_ARG, "sz_gguf_open: path and out must not be NULL");
    sz_gguf *g = NULL;
    SZ_TRY(sz_gguf_open_one(path, &g));
    sz_status status = sz_gguf_open_parts(g);
    if (status == SZ_OK)
        *out = g;
    else
        sz_gguf_close(g);
    return status;
}

sz_status sz_gguf_parse(const void *data, size_t size, const char *name, sz_gguf **out) {
    SZ_REQUIRE((data || size == 0) && name && out, SZ_E_ARG,
               "sz_gguf_parse: data, name and out must not be NULL");
    sz_gguf *g = NULL;
    SZ_TRY(new_file(name, &g));
    g->data = data;
    g->size = size;
    return finish(g, SZ_OK, out);
}

void sz_gguf_release(const sz_gguf *g) {
    for (uint32_t i = 0; i < g->n_parts; i++)
        sz_gguf_release(g->part[i]);
    if (g->map.data)
        sz_map_release(g->map.data, g->map.size);
}

void sz_gguf_close(sz_gguf *g) {
    if (!g)
        return;
    for (uint32_t i = 0; i < g->n_parts; i++)
        sz_gguf_close(g->part[i]);
    sz_free(g->part);
    sz_name_table_free(&g->keys);
    sz_name_table_free(&g->tensors);
    sz_arena_free(g->arena);
    sz_map_close(&g->map);
    sz_free(g->name);
    sz_free(g);
}
