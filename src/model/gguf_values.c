/* gguf_values.c: lookups in an open GGUF file. Values are read from the map where they stand, which
 * may be at any address. */
#include "model/gguf.h"

#include <string.h>

size_t sz_gguf_type_bytes(sz_gguf_type type) {
    switch (type) {
    case SZ_GGUF_U8:
    case SZ_GGUF_I8:
    case SZ_GGUF_BOOL:
        return 1;
    case SZ_GGUF_U16:
    case SZ_GGUF_I16:
        return 2;
    case SZ_GGUF_U32:
    case SZ_GGUF_I32:
    case SZ_GGUF_F32:
        return 4;
    case SZ_GGUF_U64:
    case SZ_GGUF_I64:
    case SZ_GGUF_F64:
        return 8;
    case SZ_GGUF_STRING:
    case SZ_GGUF_ARRAY:
        break;
    }
    return 0;
}

const char *sz_gguf_type_name(sz_gguf_type type) {
    static const char *const name[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                       "bool", "string", "array", "u64", "i64", "f64"};
    return (unsigned)type <= SZ_GGUF_F64 ? name[type] : "unknown";
}

uint64_t sz_gguf_file_bytes(const sz_gguf *g) {
    uint64_t bytes = g->size;
    for (uint32_t i = 0; i < g->n_parts; i++)
        bytes += g->part[i]->size;
    return bytes;
}
const char *sz_gguf_name(const sz_gguf *g) {
    return g->name;
}
uint32_t sz_gguf_version(const sz_gguf *g) {
    return g->version;
}

/* ---- Keys and tensors ------------------------------------------------------------------------ */

size_t sz_gguf_n_kv(const sz_gguf *g) {
    return g->n_kv;
}
const sz_gguf_kv *sz_gguf_kv_at(const sz_gguf *g, size_t i) {
    return i < g->n_kv ? &g->kv[i].kv : NULL;
}
const sz_gguf_kv *sz_gguf_find(const sz_gguf *g, const char *key) {
    int64_t i = sz_name_table_find(&g->keys, key, strlen(key));
    return i < 0 ? NULL : &g->kv[i].kv;
}

size_t sz_gguf_n_tensors(const sz_gguf *g) {
    return g->n_tensors;
}
const sz_gguf_tensor *sz_gguf_tensor_at(const sz_gguf *g, size_t i) {
    return i < g->n_tensors ? &g->tensor[i] : NULL;
}
const sz_gguf_tensor *sz_gguf_find_tensor(const sz_gguf *g, const char *name) {
    int64_t i = sz_name_table_find(&g->tensors, name, strlen(name));
    return i < 0 ? NULL : &g->tensor[i];
}

/* ---- Elements -------------------------------------------------------------------------------- */

#define ELEMENT(p, i, type)                                                                        \
    ({                                                                                             \
        type element_;                                                                             \
        memcpy(&element_, (p) + (i) * sizeof element_, sizeof element_);                           \
        element_;                                                                                  \
    })

sz_str sz_gguf_str_at(const sz_gguf *g, const sz_gguf_kv *kv, uint64_t i) {
    const sz_gguf_entry *e = (const sz_gguf_entry *)kv;
    if (i >= kv->n || kv->element != SZ_GGUF_STRING)
        return (sz_str){"", 0};
    const uint8_t *p = e->value + (e->string ? e->string[i] : 0);
    return (sz_str){(const char *)p + 8, (size_t)ELEMENT(p, 0, uint64_t)};
}

int64_t sz_gguf_int_at(const sz_gguf *g, const sz_gguf_kv *kv, uint64_t i) {
    const uint8_t *p = ((const sz_gguf_entry *)kv)->value;
    if (i >= kv->n)
        return 0;
    switch (kv->element) {
    case SZ_GGUF_BOOL:
        return p[i] != 0;
    case SZ_GGUF_U8:
        return p[i];
    case SZ_GGUF_I8:
        return ELEMENT(p, i, int8_t);
    case SZ_GGUF_U16:
        return ELEMENT(p, i, uint16_t);
    case SZ_GGUF_I16:
        return ELEMENT(p, i, int16_t);
    case SZ_GGUF_U32:
        return ELEMENT(p, i, uint32_t);
    case SZ_GGUF_I32:
        return ELEMENT(p, i, int32_t);
    case SZ_GGUF_I64:
        return ELEMENT(p, i, int64_t);
    case SZ_GGUF_U64: {
        uint64_t u = ELEMENT(p, i, uint64_t);
        return u < INT64_MAX ? (int64_t)u : INT64_MAX;
    }
    default:
        return 0;
    }
}

double sz_gguf_num_at(const sz_gguf *g, const sz_gguf_kv *kv, uint64_t i) {
    const uint8_t *p = ((const sz_gguf_entry *)kv)->value;
    if (i >= kv->n)
        return 0;
    switch (kv->element) {
    case SZ_GGUF_F32:
        return ELEMENT(p, i, float);
    case SZ_GGUF_F64:
        return ELEMENT(p, i, double);
    case SZ_GGUF_U64:
        return (double)ELEMENT(p, i, uint64_t);
    default:
        return (double)sz_gguf_int_at(g, kv, i);
    }
}

/* ---- Scalars --------------------------------------------------------------------------------- */

static bool is_integer(sz_gguf_type type) {
    return sz_gguf_type_bytes(type) > 0 && type != SZ_GGUF_F32 && type != SZ_GGUF_F64 &&
           type != SZ_GGUF_BOOL;
}

static sz_status find_key(const sz_gguf *g, const char *key, const sz_gguf_kv **out) {
    *out = sz_gguf_find(g, key);
    SZ_REQUIRE(*out, SZ_E_NOTFOUND, "%s: key %s is missing", g->name, key);
    return SZ_OK;
}

static sz_status wrong_type(const sz_gguf *g, const sz_gguf_kv *kv, const char *wanted) {
    bool array = kv->type == SZ_GGUF_ARRAY;
    return sz_fail(SZ_E_FORMAT, "%s: key %s is %s%s; it must be %s", g->name, kv->key,
                   array ? "an array of " : "of type ", sz_gguf_type_name(kv->element), wanted);
}

sz_status sz_gguf_get_i64(const sz_gguf *g, const char *key, int64_t *out) {
    const sz_gguf_kv *kv;
    SZ_TRY(find_key(g, key, &kv));
    if (!is_integer(kv->type))
        return wrong_type(g, kv, "an integer");
    const uint8_t *p = ((const sz_gguf_entry *)kv)->value;
    SZ_REQUIRE(kv->type != SZ_GGUF_U64 || ELEMENT(p, 0, uint64_t) <= INT64_MAX, SZ_E_FORMAT,
               "%s: key %s is too large: %.0f", g->name, key, sz_gguf_num_at(g, kv, 0));
    *out = sz_gguf_int_at(g, kv, 0);
    return SZ_OK;
}

sz_status sz_gguf_get_u32(const sz_gguf *g, const char *key, uint32_t *out) {
    int64_t v = 0;
    SZ_TRY(sz_gguf_get_i64(g, key, &v));
    SZ_REQUIRE(v >= 0 && v <= UINT32_MAX, SZ_E_FORMAT, "%s: key %s is %lld; it must be in 0 .. %u",
               g->name, key, (long long)v, UINT32_MAX);
    *out = (uint32_t)v;
    return SZ_OK;
}

sz_status sz_gguf_get_f32(const sz_gguf *g, const char *key, float *out) {
    const sz_gguf_kv *kv;
    SZ_TRY(find_key(g, key, &kv));
    if (kv->type != SZ_GGUF_F32 && kv->type != SZ_GGUF_F64)
        return wrong_type(g, kv, "a float");
    float v = (float)sz_gguf_num_at(g, kv, 0);
    SZ_REQUIRE(__builtin_isfinite(v), SZ_E_FORMAT, "%s: key %s is %g; it must be a finite float",
               g->name, key, sz_gguf_num_at(g, kv, 0));
    *out = v;
    return SZ_OK;
}

sz_status sz_gguf_get_bool(const sz_gguf *g, const char *key, bool *out) {
    const sz_gguf_kv *kv;
    SZ_TRY(find_key(g, key, &kv));
    if (kv->type != SZ_GGUF_BOOL)
        return wrong_type(g, kv, "a bool");
    uint8_t v = *((const sz_gguf_entry *)kv)->value;
    SZ_REQUIRE(v <= 1, SZ_E_FORMAT, "%s: key %s is %u; a bool is 0 or 1", g->name, key, v);
    *out = v;
    return SZ_OK;
}

sz_status sz_gguf_get_str(const sz_gguf *g, const char *key, sz_str *out) {
    const sz_gguf_kv *kv;
    SZ_TRY(find_key(g, key, &kv));
    if (kv->type != SZ_GGUF_STRING)
        return wrong_type(g, kv, "a string");
    *out = sz_gguf_str_at(g, kv, 0);
    return SZ_OK;
}

/* ---- What keys mean ------------------------------------------------------------------------- */

const char *sz_gguf_file_type(const sz_gguf *g) {
    static const char *const names[] = {
        [0] = "F32",     [1] = "F16",     [2] = "Q4_0",    [3] = "Q4_1",    [7] = "Q8_0",
        [8] = "Q5_0",    [9] = "Q5_1",    [10] = "Q2_K",   [11] = "Q3_K_S", [12] = "Q3_K_M",
        [13] = "Q3_K_L", [14] = "Q4_K_S", [15] = "Q4_K_M", [16] = "Q5_K_S", [17] = "Q5_K_M",
        [18] = "Q6_K",   [25] = "IQ4_NL", [30] = "IQ4_XS", [32] = "BF16",   [38] = "MXFP4_MOE"};
    uint32_t type = 0;
    if (!sz_gguf_find(g, "general.file_type") ||
        sz_gguf_get_u32(g, "general.file_type", &type) != SZ_OK)
        return "";
    return type < sizeof names / sizeof *names && names[type] ? names[type] : "";
}
