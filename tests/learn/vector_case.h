/* vector_case.h: numbers, tables and circuits out of the cases of a file of vectors. */
#ifndef SZ_TESTS_VECTOR_CASE_H
#define SZ_TESTS_VECTOR_CASE_H

#include "check.h"

#include <string.h>

#include <szilard/unstable/circuit.h>

typedef struct vectors {
    sz_buf text;
    sz_arena *arena;
    const sz_json *first; /* case */
} vectors;

static inline vectors open_vectors(const char *path) {
    vectors v = {0};
    sz_json *root;
    SZ_CHECK_OK(sz_file_read(path, 1 << 22, &v.text));
    SZ_CHECK_OK(sz_arena_new(1 << 16, &v.arena));
    SZ_CHECK_OK(sz_json_parse(v.text.data, v.text.len, v.arena, &root));
    v.first = sz_json_get(root, "cases")->u.child;
    return v;
}

static inline void close_vectors(vectors *v) {
    sz_arena_free(v->arena);
    sz_buf_free(&v->text);
}

static inline bool is_case(const sz_json *c, const char *prefix) {
    return strncmp(sz_json_get(c, "name")->u.s, prefix, strlen(prefix)) == 0;
}
static inline const sz_json *given(const sz_json *c, const char *key) {
    return sz_json_get(sz_json_get(c, "input"), key);
}
static inline const sz_json *expected(const sz_json *c, const char *key) {
    return sz_json_get(sz_json_get(c, "expect"), key);
}

static inline double number(const sz_json *v) {
    return v->type == SZ_JSON_INT ? (double)v->u.i : v->u.f;
}

/* The numbers of nested lists, one after the other; `hole` numbers for each null. */
static inline size_t flatten(const sz_json *v, size_t hole, double *out) {
    if (v->type == SZ_JSON_NULL) {
        memset(out, 0, hole * sizeof *out);
        return hole;
    }
    if (v->type != SZ_JSON_ARRAY) {
        *out = number(v);
        return 1;
    }
    size_t n = 0;
    for (const sz_json *c = v->u.child; c; c = c->next)
        n += flatten(c, hole, out + n);
    return n;
}

static inline size_t integers(const sz_json *v, int32_t *out) {
    double x[1024];
    size_t n = flatten(v, 0, x);
    for (size_t i = 0; i < n; i++)
        out[i] = (int32_t)x[i];
    return n;
}

static inline sz_pc *circuit_of(const sz_json *c) {
    int32_t parent[64];
    double root[64], trans[1024], emit[1024];
    sz_pc_shape shape = {integers(given(c, "parent"), parent), (size_t)given(c, "latents")->u.i,
                         (size_t)given(c, "cats")->u.i};
    flatten(given(c, "root_prior"), 0, root);
    flatten(given(c, "trans"), shape.n_latents * shape.n_latents, trans);
    flatten(given(c, "emit"), 0, emit);
    sz_pc *pc;
    SZ_CHECK_OK(sz_pc_new(&shape, parent, root, trans, emit, &pc));
    return pc;
}

/* A circuit with random parameters over a tree whose parents come before or after. */
static inline sz_pc *random_circuit(size_t d, size_t m, size_t k, uint64_t seed) {
    sz_pc_shape shape = {d, m, k};
    int32_t *parent = sz_alloc(d * sizeof *parent);
    double *p = sz_alloc((m + d * m * (m + k)) * sizeof *p), *trans = p + m,
           *emit = trans + d * m * m;
    uint64_t at = 0;
    for (size_t v = 0; v < d; v++) { /* place v, counted backwards, hangs off an earlier one */
        size_t above = (size_t)(sz_uniform(seed, 1, v) * (double)v);
        parent[(2 * d + 2 - v) % d] = v == 0 ? -1 : (int32_t)((2 * d + 2 - above) % d);
    }
    for (size_t row = 0; row < 1 + 2 * d * m; row++) {
        size_t n = row < 1 + d * m ? m : k;
        double *r = row == 0          ? p
                    : row < 1 + d * m ? trans + (row - 1) * m
                                      : emit + (row - 1 - d * m) * k;
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += r[i] = 0.02 + sz_uniform(seed, 2, at++);
        for (size_t i = 0; i < n; i++)
            r[i] /= sum;
    }
    sz_pc *pc;
    SZ_CHECK_OK(sz_pc_new(&shape, parent, p, trans, emit, &pc));
    sz_free(parent);
    sz_free(p);
    return pc;
}

static inline sz_runtime *runtime(int threads, const char *isa) {
    sz_runtime *rt;
    SZ_CHECK_OK(sz_runtime_new(
        &(sz_runtime_config){.size = sizeof(sz_runtime_config), .n_threads = threads, .isa = isa},
        &rt));
    return rt;
}

#endif
