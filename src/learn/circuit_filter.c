/* circuit_filter.c: exact conditionals of a tree in depth-first order, in time linear in its size.
 */
#include "circuit_filter.h"

#include <string.h>

typedef struct sz_pc_level {
    uint32_t variable;
    uint32_t next; /* its next child */
    bool reported; /* a variable still to come asks for the evidence below this one */
} level;

static size_t deepest(const sz_pc *pc, uint32_t *depth) {
    size_t most = 0;
    for (size_t i = 0; i < pc->shape.n_vars; i++) {
        size_t v = pc->order[i];
        depth[v] = pc->parent[v] < 0 ? 0 : depth[pc->parent[v]] + 1;
        most = depth[v] > most ? depth[v] : most;
    }
    return most;
}

sz_status sz_pc_filter_new(const sz_pc *pc, const sz_kernels *k, size_t n, sz_pc_filter *out) {
    sz_pc_filter f = {.pc = pc, .k = k, .n = n};
    uint32_t *depth = sz_alloc(pc->shape.n_vars * sizeof *depth);
    if (depth) {
        f.n_levels = deepest(pc, depth) + 1;
        f.prior = sz_alloc(n * pc->width * sizeof(double));
        f.inner = sz_alloc(f.n_levels * n * pc->width * sizeof(double));
        f.evidence = sz_alloc(f.n_levels * n * pc->width * sizeof(double));
        f.level = sz_alloc(f.n_levels * sizeof *f.level);
        f.exponent = sz_calloc(n, sizeof *f.exponent);
    }
    sz_free(depth);
    if (!f.prior || !f.inner || !f.evidence || !f.level || !f.exponent) {
        sz_pc_filter_free(&f);
        return sz_fail(SZ_E_NOMEM, "no memory for the conditionals of %zu variables",
                       pc->shape.n_vars);
    }
    *out = f;
    return SZ_OK;
}

void sz_pc_filter_free(sz_pc_filter *f) {
    sz_free(f->prior);
    sz_free(f->inner);
    sz_free(f->evidence);
    sz_free(f->level);
    sz_free(f->exponent);
    *f = (sz_pc_filter){0};
}

size_t sz_pc_filter_begin(sz_pc_filter *f, size_t n_records) {
    const sz_pc *pc = f->pc;
    f->n = n_records;
    f->depth = 0;
    f->level[0] = (level){pc->order[0], pc->first_child[pc->order[0]], false};
    for (size_t s = 0; s < f->n; s++)
        memcpy(f->prior + s * pc->width, pc->root, pc->width * sizeof *pc->root);
    return pc->order[0];
}

static double *at_depth(const sz_pc_filter *f, double *array, size_t depth) {
    return array + depth * f->n * f->pc->width;
}

static void normalise(double *rows, size_t n, size_t width) {
    for (size_t s = 0; s < n; s++, rows += width) {
        double sum = 0;
        for (size_t z = 0; z < width; z++)
            sum += rows[z];
        for (size_t z = 0; z < width && sum > 0; z++)
            rows[z] /= sum;
    }
}

/* Rows times the message in `prior`, scaled, so that nothing underflows on a long way. */
static void multiply_rows(const sz_pc_filter *f, double *rows) {
    size_t width = f->pc->width;
    f->k->multiply_f64(rows, f->prior, f->n * width);
    f->k->rescale_f64(rows, f->n, width, f->exponent);
}

/* What the finished variable tells of its parent; `prior` is free to hold the message. */
static void report(sz_pc_filter *f) {
    const sz_pc *pc = f->pc;
    const level *done = &f->level[f->depth], *parent = done - 1;
    if (done->reported) {
        sz_pc_product(pc, f->k, at_depth(f, f->evidence, f->depth), f->n,
                      sz_pc_turned(pc, done->variable), f->prior);
        if (parent->next < pc->first_child[parent->variable + 1])
            multiply_rows(f, at_depth(f, f->inner, f->depth - 1));
        if (parent->reported)
            multiply_rows(f, at_depth(f, f->evidence, f->depth - 1));
    }
    f->depth--;
}

static int64_t next_variable(sz_pc_filter *f) {
    const sz_pc *pc = f->pc;
    for (;;) {
        level *l = &f->level[f->depth];
        uint32_t end = pc->first_child[l->variable + 1];
        if (l->next < end) {
            uint32_t c = pc->child[l->next++];
            sz_pc_product(pc, f->k, at_depth(f, f->inner, f->depth), f->n, sz_pc_trans(pc, c),
                          f->prior);
            normalise(f->prior, f->n, pc->width);
            f->level[++f->depth] = (level){c, pc->first_child[c], l->next < end || l->reported};
            return c;
        }
        if (f->depth == 0)
            return -1;
        report(f);
    }
}

int64_t sz_pc_filter_take(sz_pc_filter *f, const int32_t *x, size_t stride) {
    const sz_pc *pc = f->pc;
    size_t v = f->level[f->depth].variable, width = pc->width;
    double *inner = at_depth(f, f->inner, f->depth), *evidence = at_depth(f, f->evidence, f->depth);
    for (size_t s = 0; s < f->n; s++) {
        int32_t value = x[s * stride];
        double *row = evidence + s * width;
        if (value == SZ_PC_MISSING)
            for (size_t z = 0; z < width; z++)
                row[z] = z < pc->shape.n_latents;
        else
            memcpy(row, sz_pc_emit(pc, v, (size_t)value), width * sizeof *row);
    }
    memcpy(inner, f->prior, f->n * width * sizeof *inner);
    f->k->multiply_f64(inner, evidence, f->n * width);
    return next_variable(f);
}

/* ---- For one record -------------------------------------------------------------------------- */

static sz_status walk(sz_pc_filter *f, const int32_t *x, double *pmf) {
    const sz_pc *pc = f->pc;
    size_t k = pc->shape.n_categories, m = pc->shape.n_latents;
    for (int64_t v = (int64_t)sz_pc_filter_begin(f, 1); v >= 0;) {
        double *row = pmf + (size_t)v * k;
        for (size_t c = 0; c < k; c++) {
            const double *emit = sz_pc_emit(pc, (size_t)v, c);
            row[c] = 0;
            for (size_t z = 0; z < m; z++)
                row[c] += f->prior[z] * emit[z];
        }
        SZ_REQUIRE(row[x[v]] > 0, SZ_E_ARG, "column %zu: the value %d has probability zero",
                   (size_t)v, x[v]);
        v = sz_pc_filter_take(f, x + v, 1);
    }
    return SZ_OK;
}

sz_status sz_pc_conditionals(sz_runtime *rt, const sz_pc *pc, const int32_t *x, double *pmf) {
    sz_pc_filter f;
    SZ_TRY(sz_pc_check_records(&pc->shape, x, 1, false));
    SZ_TRY(sz_pc_filter_new(pc, sz_runtime_kernels(rt), 1, &f));
    sz_status status = walk(&f, x, pmf);
    sz_pc_filter_free(&f);
    return status;
}
