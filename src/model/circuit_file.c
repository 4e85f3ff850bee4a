/* circuit_file.c: circuits to GGUF files and back. */
#include <string.h>

#include <szilard/unstable/circuit_file.h>

#define KIND "hclt"

/* Parameters as sz_pc_new takes them. */
typedef struct parts {
    sz_pc_shape shape;
    int32_t *parent;
    double *root, *trans, *emit;
} parts;

static void free_parts(parts *p) {
    sz_free(p->parent);
    sz_free(p->root);
    sz_free(p->trans);
    sz_free(p->emit);
}

static size_t n_trans(const sz_pc_shape *s) {
    return s->n_vars * s->n_latents * s->n_latents;
}

static size_t n_emit(const sz_pc_shape *s) {
    return s->n_vars * s->n_latents * s->n_categories;
}

static sz_status new_parts(const sz_pc_shape *s, parts *p) {
    *p = (parts){.shape = *s,
                 .parent = sz_alloc(s->n_vars * sizeof *p->parent),
                 .root = sz_alloc(s->n_latents * sizeof *p->root),
                 .trans = sz_alloc(n_trans(s) * sizeof *p->trans),
                 .emit = sz_alloc(n_emit(s) * sizeof *p->emit)};
    if (p->parent && p->root && p->trans && p->emit)
        return SZ_OK;
    free_parts(p);
    return sz_fail(SZ_E_NOMEM, "no memory for a circuit of %zu variables", s->n_vars);
}

static sz_status parts_of(const sz_pc *pc, parts *p) {
    sz_pc_shape shape = sz_pc_get_shape(pc);
    SZ_TRY(new_parts(&shape, p));
    sz_pc_get(pc, p->parent, p->root, p->trans, p->emit);
    return SZ_OK;
}

/* ---- Writing ----------------------------------------------------------------------------------
 */

static void put_parts(sz_gguf_writer *w, const parts *p, const char *name) {
    uint64_t m = p->shape.n_latents, d = p->shape.n_vars, k = p->shape.n_categories;
    sz_gguf_put_str(w, "general.type", "circuit", 7);
    sz_gguf_put_str(w, "general.architecture", KIND, strlen(KIND));
    if (name)
        sz_gguf_put_str(w, "general.name", name, strlen(name));
    sz_gguf_put_str(w, "circuit.kind", KIND, strlen(KIND));
    sz_gguf_put_u32(w, "circuit.variables", (uint32_t)d);
    sz_gguf_put_u32(w, "circuit.latents", (uint32_t)m);
    sz_gguf_put_u32(w, "circuit.categories", (uint32_t)k);
    sz_gguf_put_i32s(w, "circuit.parents", p->parent, d);
    sz_gguf_put_tensor(w, "root", SZ_F64, 1, (uint64_t[]){m}, p->root);
    sz_gguf_put_tensor(w, "trans", SZ_F64, 3, (uint64_t[]){m, m, d}, p->trans);
    sz_gguf_put_tensor(w, "emit", SZ_F64, 3, (uint64_t[]){k, m, d}, p->emit);
}

sz_status sz_pc_save(const sz_pc *pc, const char *path, const char *name) {
    parts p;
    sz_gguf_writer *w;
    SZ_TRY(parts_of(pc, &p));
    sz_status status = sz_gguf_writer_new(&w);
    if (status == SZ_OK) {
        put_parts(w, &p, name);
        status = sz_gguf_writer_save(w, path);
        sz_gguf_writer_free(w);
    }
    free_parts(&p);
    return status;
}

/* ---- Reading ----------------------------------------------------------------------------------
 */

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
    SZ_TRY(check_word(g, "circuit.kind", KIND));
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
    parts p;
    SZ_TRY(read_shape(g, &s));
    SZ_TRY(find_tensor(g, "root", s.n_latents, 1, 1, &root));
    SZ_TRY(find_tensor(g, "trans", s.n_latents, s.n_latents, s.n_vars, &trans));
    SZ_TRY(find_tensor(g, "emit", s.n_categories, s.n_latents, s.n_vars, &emit));
    SZ_TRY(new_parts(&s, &p));
    memcpy(p.root, root->data, root->bytes);
    memcpy(p.trans, trans->data, trans->bytes);
    memcpy(p.emit, emit->data, emit->bytes);
    sz_status status = read_parents(g, s.n_vars, p.parent);
    if (status == SZ_OK) {
        status = sz_pc_new(&s, p.parent, p.root, p.trans, p.emit, out);
        if (status == SZ_E_ARG || status == SZ_E_NAN)
            status = sz_fail_within(SZ_E_FORMAT, "%s", sz_gguf_name(g));
    }
    free_parts(&p);
    return status;
}

sz_status sz_pc_open(const char *path, sz_pc **out) {
    sz_gguf *g;
    SZ_TRY(sz_gguf_open(path, &g));
    sz_status status = sz_pc_from_gguf(g, out);
    sz_gguf_close(g);
    return status;
}

sz_status sz_pc_digest(const sz_pc *pc, uint8_t out[32]) {
    parts p;
    sz_sha256 h;
    SZ_TRY(parts_of(pc, &p));
    uint32_t shape[] = {(uint32_t)p.shape.n_vars, (uint32_t)p.shape.n_latents,
                        (uint32_t)p.shape.n_categories};
    sz_sha256_init(&h);
    sz_sha256_update(&h, KIND, sizeof KIND);
    sz_sha256_update(&h, shape, sizeof shape);
    sz_sha256_update(&h, p.parent, p.shape.n_vars * sizeof *p.parent);
    sz_sha256_update(&h, p.root, p.shape.n_latents * sizeof *p.root);
    sz_sha256_update(&h, p.trans, n_trans(&p.shape) * sizeof *p.trans);
    sz_sha256_update(&h, p.emit, n_emit(&p.shape) * sizeof *p.emit);
    sz_sha256_final(&h, out);
    free_parts(&p);
    return SZ_OK;
}
