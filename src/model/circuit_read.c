/* circuit_read.c: circuits from GGUF files, none of which is trusted. */
#include "circuit_parts.h"

#include <string.h>

static sz_status check_word(const sz_gguf *g, const char *key, const char *want) {
    sz_str got;
    sz_status status = sz_gguf_get_str(g, key, &got);
    SZ_REQUIRE(status == SZ_OK && got.n == strlen(want) && memcmp(got.s, want, got.n) == 0,
               SZ_E_UNSUPPORTED, "%s: not a circuit that can be read: %s is not '%s'",
               sz_gguf_name(g), key, want);
    return SZ_OK;
}

static sz_status read_shape(const sz_gguf *g, sz_pc_shape *s) {
    uint32_t d, m, k;
    SZ_TRY(check_word(g, "general.type", "circuit"));
    SZ_TRY(check_word(g, "circuit.kind", SZ_PC_KIND));
    SZ_TRY(sz_gguf_get_u32(g, "circuit.variables", &d));
    SZ_TRY(sz_gguf_get_u32(g, "circuit.latents", &m));
    SZ_TRY(sz_gguf_get_u32(g, "circuit.categories", &k));
    SZ_REQUIRE(d >= 1 && d <= SZ_PC_MAX_VARS && m >= 1 && m <= SZ_PC_MAX_LATENTS && k >= 1 &&
                   k <= SZ_PC_MAX_CATEGORIES,
               SZ_E_FORMAT, "%s: %u variables, %u hidden states, %u categories: out of bounds",
               sz_gguf_name(g), d, m, k);
    *s = (sz_pc_shape){d, m, k};
    return SZ_OK;
}

/* The tensor of exactly this shape; the file holds all of its bytes. */
static sz_status find_tensor(const sz_gguf *g, const char *name, uint64_t a, uint64_t b, uint64_t c,
                             const sz_gguf_tensor **out) {
    const sz_gguf_tensor *t = sz_gguf_find_tensor(g, name);
    SZ_REQUIRE(t, SZ_E_FORMAT, "%s: there is no tensor %s", sz_gguf_name(g), name);
    SZ_REQUIRE(t->type == SZ_F64 && t->dim[0] == a && t->dim[1] == b && t->dim[2] == c &&
                   t->dim[3] == 1,
               SZ_E_FORMAT, "%s: tensor %s is not F64 of %llu x %llu x %llu", sz_gguf_name(g), name,
               (unsigned long long)a, (unsigned long long)b, (unsigned long long)c);
    *out = t;
    return SZ_OK;
}

static sz_status read_parents(const sz_gguf *g, size_t d, int32_t *parent) {
    const sz_gguf_kv *kv = sz_gguf_find(g, "circuit.parents");
    SZ_REQUIRE(kv && kv->type == SZ_GGUF_ARRAY && kv->element == SZ_GGUF_I32 && kv->n == d,
               SZ_E_FORMAT, "%s: circuit.parents is not %zu 32-bit integers", sz_gguf_name(g), d);
    for (size_t v = 0; v < d; v++)
        parent[v] = (int32_t)sz_gguf_int_at(g, kv, v);
    return SZ_OK;
}

sz_status sz_pc_from_gguf(const sz_gguf *g, sz_pc **out) {
    sz_pc_shape s;
    const sz_gguf_tensor *root, *trans, *emit;
    sz_pc_parts p;
    SZ_TRY(read_shape(g, &s));
    SZ_TRY(find_tensor(g, "root", s.n_latents, 1, 1, &root));
    SZ_TRY(find_tensor(g, "trans", s.n_latents, s.n_latents, s.n_vars, &trans));
    SZ_TRY(find_tensor(g, "emit", s.n_categories, s.n_latents, s.n_vars, &emit));
    SZ_TRY(sz_pc_parts_new(&s, &p));
    memcpy(p.root, root->data, root->bytes);
    memcpy(p.trans, trans->data, trans->bytes);
    memcpy(p.emit, emit->data, emit->bytes);
    sz_status status = read_parents(g, s.n_vars, p.parent);
    if (status == SZ_OK) {
        status = sz_pc_new(&s, p.parent, p.root, p.trans, p.emit, out);
        if (status == SZ_E_ARG || status == SZ_E_NAN)
            status = sz_fail_within(SZ_E_FORMAT, "%s", sz_gguf_name(g));
    }
    sz_pc_parts_free(&p);
    return status;
}

sz_status sz_pc_open(const char *path, sz_pc **out) {
    sz_gguf *g;
    SZ_TRY(sz_gguf_open(path, &g));
    sz_status status = sz_pc_from_gguf(g, out);
    sz_gguf_close(g);
    return status;
}
