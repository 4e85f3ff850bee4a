/* circuit.c: a circuit's tree and parameters: checked, copied in, copied out. */
#include "circuit.h"

#include <string.h>

/* ---- Shape ----------------------------------------------------------------------------------- */

sz_status sz_pc_check_shape(const sz_pc_shape *s) {
    SZ_REQUIRE(s->n_vars >= 1 && s->n_vars <= SZ_PC_MAX_VARS, SZ_E_ARG,
               "%zu variables: a circuit has 1 to %d", s->n_vars, SZ_PC_MAX_VARS);
    SZ_REQUIRE(s->n_latents >= 1 && s->n_latents <= SZ_PC_MAX_LATENTS, SZ_E_ARG,
               "%zu hidden states: a circuit has 1 to %d", s->n_latents, SZ_PC_MAX_LATENTS);
    SZ_REQUIRE(s->n_categories >= 1 && s->n_categories <= SZ_PC_MAX_CATEGORIES, SZ_E_ARG,
               "%zu categories: a circuit has 1 to %d", s->n_categories, SZ_PC_MAX_CATEGORIES);
    uint64_t width = (s->n_latents + 7) / 8 * 8;
    SZ_REQUIRE((uint64_t)s->n_vars * width * (s->n_latents + s->n_categories) <=
                   SZ_PC_MAX_PARAMETERS,
               SZ_E_LIMIT,
               "%zu variables with %zu hidden states and %zu categories: beyond %llu "
               "parameters",
               s->n_vars, s->n_latents, s->n_categories, (unsigned long long)SZ_PC_MAX_PARAMETERS);
    return SZ_OK;
}

sz_status sz_pc_check_records(const sz_pc_shape *s, const int32_t *x, size_t n, bool missing) {
    int32_t least = missing ? SZ_PC_MISSING : 0;
    for (size_t i = 0; i < n * s->n_vars; i++)
        SZ_REQUIRE(x[i] >= least && x[i] < (int64_t)s->n_categories, SZ_E_ARG,
                   "row %zu, column %zu: %d is not a category from 0 to %zu", i / s->n_vars,
                   i % s->n_vars, x[i], s->n_categories - 1);
    return SZ_OK;
}

/* ---- Tree ------------------------------------------------------------------------------------ */

static sz_status count_children(sz_pc *pc, const int32_t *parent, uint32_t *root) {
    size_t d = pc->shape.n_vars, roots = 0;
    for (size_t v = 0; v < d; v++) {
        SZ_REQUIRE(parent[v] >= -1 && parent[v] < (int64_t)d && parent[v] != (int64_t)v, SZ_E_ARG,
                   "the parent of variable %zu is %d: it is -1 or another of the %zu variables", v,
                   parent[v], d);
        pc->parent[v] = parent[v];
        if (parent[v] < 0) {
            *root = (uint32_t)v;
            roots++;
        } else
            pc->first_child[parent[v] + 1]++;
    }
    SZ_REQUIRE(roots == 1, SZ_E_ARG, "%zu variables have no parent: a tree has one root", roots);
    for (size_t v = 0; v < d; v++)
        pc->first_child[v + 1] += pc->first_child[v];
    return SZ_OK;
}

/* Depth first; `next` [n_vars] is scratch: the next child to visit. */
static sz_status fill_order(sz_pc *pc, uint32_t root, uint32_t *next) {
    size_t d = pc->shape.n_vars, n = 0;
    memcpy(next, pc->first_child, d * sizeof *next);
    for (size_t v = 0; v < d; v++)
        if (pc->parent[v] >= 0)
            pc->child[next[pc->parent[v]]++] = (uint32_t)v;
    memcpy(next, pc->first_child, d * sizeof *next);
    pc->order[n++] = root;
    for (int64_t v = root; v >= 0;) {
        if (next[v] == pc->first_child[v + 1]) {
            v = pc->parent[v];
            continue;
        }
        v = pc->child[next[v]++];
        pc->order[n++] = (uint32_t)v;
    }
    SZ_REQUIRE(n == d, SZ_E_ARG, "the parents form a cycle: %zu of %zu variables hang off the root",
               n, d);
    return SZ_OK;
}

static sz_status lay_out_tree(sz_pc *pc, const int32_t *parent) {
    uint32_t root = 0;
    SZ_TRY(count_children(pc, parent, &root));
    uint32_t *next = sz_alloc(pc->shape.n_vars * sizeof *next);
    SZ_REQUIRE(next, SZ_E_NOMEM, "no memory for a tree of %zu variables", pc->shape.n_vars);
    sz_status status = fill_order(pc, root, next);
    sz_free(next);
    return status;
}

static bool allocate(sz_pc *pc) {
    size_t d = pc->shape.n_vars;
    pc->parent = sz_calloc(d, sizeof *pc->parent);
    pc->order = sz_calloc(d, sizeof *pc->order);
    pc->first_child = sz_calloc(d + 1, sizeof *pc->first_child);
    pc->child = sz_calloc(d, sizeof *pc->child);
    pc->root = sz_calloc(pc->width, sizeof *pc->root);
    pc->trans = sz_alloc_pages(sz_pc_table_bytes(pc));
    pc->turned = sz_alloc_pages(sz_pc_table_bytes(pc));
    pc->emit = sz_alloc_pages(sz_pc_emit_bytes(pc));
    return pc->parent && pc->order && pc->first_child && pc->child && pc->root && pc->trans &&
           pc->turned && pc->emit;
}

sz_status sz_pc_new_tree(const sz_pc_shape *shape, const int32_t *parent, sz_pc **out) {
    SZ_TRY(sz_pc_check_shape(shape));
    sz_pc *pc = sz_calloc(1, sizeof *pc);
    SZ_REQUIRE(pc, SZ_E_NOMEM, "no memory for a circuit");
    pc->shape = *shape;
    pc->width = (shape->n_latents + 7) / 8 * 8;
    sz_status status = allocate(pc) ? lay_out_tree(pc, parent)
                                    : sz_fail(SZ_E_NOMEM,
                                              "no memory for a circuit of %zu "
                                              "variables",
                                              shape->n_vars);
    if (status != SZ_OK) {
        sz_pc_free(pc);
        return status;
    }
    *out = pc;
    return SZ_OK;
}

void sz_pc_free(sz_pc *pc) {
    if (!pc)
        return;
    sz_free(pc->parent);
    sz_free(pc->order);
    sz_free(pc->first_child);
    sz_free(pc->child);
    sz_free(pc->root);
    sz_free_pages(pc->trans, sz_pc_table_bytes(pc));
    sz_free_pages(pc->turned, sz_pc_table_bytes(pc));
    sz_free_pages(pc->emit, sz_pc_emit_bytes(pc));
    sz_free(pc);
}

/* ---- Parameters ------------------------------------------------------------------------------ */

/* from [n] to every `stride`-th place of `to`. */
static sz_status take_row(const double *from, size_t n, double *to, size_t stride) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        SZ_REQUIRE(from[i] - from[i] == 0, SZ_E_NAN, "entry %zu is not a finite number", i);
        SZ_REQUIRE(from[i] >= 0, SZ_E_ARG, "entry %zu is negative: %g", i, from[i]);
        sum += from[i];
    }
    SZ_REQUIRE(sum > 1 - 1e-6 && sum < 1 + 1e-6, SZ_E_ARG, "its sum is %.9g, not 1", sum);
    bool off = sum > 1 + 1e-12 || sum < 1 - 1e-12;
    for (size_t i = 0; i < n; i++)
        to[i * stride] = off ? from[i] / sum : from[i];
    return SZ_OK;
}

static sz_status take_parameters(sz_pc *pc, const double *root, const double *trans,
                                 const double *emit) {
    size_t m = pc->shape.n_latents, k = pc->shape.n_categories;
    sz_status status = take_row(root, m, pc->root, 1);
    if (status != SZ_OK)
        return sz_fail_within(status, "the root's prior");
    for (size_t v = 0; v < pc->shape.n_vars; v++)
        for (size_t z = 0; z < m; z++) {
            if (pc->parent[v] >= 0)
                status =
                    take_row(trans + (v * m + z) * m, m, sz_pc_trans(pc, v) + z * pc->width, 1);
            if (status != SZ_OK)
                return sz_fail_within(status, "transitions of variable %zu, row %zu", v, z);
            status = take_row(emit + (v * m + z) * k, k, sz_pc_emit(pc, v, 0) + z, pc->width);
            if (status != SZ_OK)
                return sz_fail_within(status, "emissions of variable %zu, row %zu", v, z);
        }
    for (size_t v = 0; v < pc->shape.n_vars; v++)
        sz_pc_turn(pc, v);
    return SZ_OK;
}

void sz_pc_turn(const sz_pc *pc, size_t v) {
    const double *t = sz_pc_trans(pc, v);
    double *u = sz_pc_turned(pc, v);
    for (size_t i = 0; i < pc->shape.n_latents; i++)
        for (size_t j = 0; j < pc->shape.n_latents; j++)
            u[j * pc->width + i] = t[i * pc->width + j];
}

void sz_pc_copy_parameters(const sz_pc *from, sz_pc *to) {
    memcpy(to->root, from->root, from->width * sizeof *to->root);
    memcpy(to->trans, from->trans, sz_pc_table_bytes(from));
    memcpy(to->turned, from->turned, sz_pc_table_bytes(from));
    memcpy(to->emit, from->emit, sz_pc_emit_bytes(from));
}

sz_status sz_pc_new(const sz_pc_shape *shape, const int32_t *parent, const double *root,
                    const double *trans, const double *emit, sz_pc **out) {
    sz_pc *pc;
    SZ_TRY(sz_pc_new_tree(shape, parent, &pc));
    sz_status status = take_parameters(pc, root, trans, emit);
    if (status != SZ_OK) {
        sz_pc_free(pc);
        return status;
    }
    *out = pc;
    return SZ_OK;
}

sz_pc_shape sz_pc_get_shape(const sz_pc *pc) {
    return pc->shape;
}

uint64_t sz_pc_n_parameters(const sz_pc *pc) {
    uint64_t m = pc->shape.n_latents;
    return m + (pc->shape.n_vars - 1) * m * m + pc->shape.n_vars * m * pc->shape.n_categories;
}

const uint32_t *sz_pc_order(const sz_pc *pc) {
    return pc->order;
}

void sz_pc_get(const sz_pc *pc, int32_t *parent, double *root, double *trans, double *emit) {
    size_t d = pc->shape.n_vars, m = pc->shape.n_latents, k = pc->shape.n_categories;
    if (parent)
        memcpy(parent, pc->parent, d * sizeof *parent);
    if (root)
        memcpy(root, pc->root, m * sizeof *root);
    for (size_t i = 0; trans && i < d * m; i++)
        memcpy(trans + i * m, pc->trans + i * pc->width, m * sizeof *trans);
    for (size_t i = 0; emit && i < d * m; i++)
        for (size_t x = 0; x < k; x++)
            emit[i * k + x] = sz_pc_emit(pc, i / m, x)[i % m];
}
