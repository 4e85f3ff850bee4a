/* shape.c: numbers moved, not changed: parts, joins, views, transposes. */
#include "graph.h"

#include <string.h>

typedef struct move_args {
    sz_tensor *x;
    const uint32_t *index;
    size_t row, column; /* of the part in the larger tensor */
} move_args;

/* to[i][j] (+)= from[i][j] for a block of both. */
static void add_block(sz_graph *g, float *to, size_t to_stride, const float *from,
                      size_t from_stride, size_t n_rows, size_t n_cols) {
    for (size_t i = 0; n_cols && i < n_rows; i++)
        g->kernels->add(to + i * to_stride, from + i * from_stride, n_cols, to + i * to_stride);
}

static void copy_block(float *to, size_t to_stride, const float *from, size_t from_stride,
                       size_t n_rows, size_t n_cols) {
    for (size_t i = 0; i < n_rows; i++)
        memcpy(to + i * to_stride, from + i * from_stride, n_cols * sizeof *to);
}

/* ---- Parts
 * ---------------------------------------------------------------------------------------
 */

static void back_gather(sz_graph *g, sz_tensor *out, void *args) {
    const move_args *m = args;
    float *dx = sz_grad(g, m->x);
    for (size_t i = 0; dx && i < out->n_rows; i++)
        add_block(g, dx + m->index[i] * out->n_cols, 0, sz_grad_row(out, i), 0, 1, out->n_cols);
}

sz_tensor *sz_gather(sz_graph *g, sz_tensor *x, const uint32_t *index, size_t n) {
    if (g->status != SZ_OK)
        return NULL;
    uint32_t *kept = sz_arena_alloc(g->arena, (n + 1) * sizeof *kept);
    sz_tensor *out = sz_tensor_new(g, n, x->n_cols);
    if (!kept || !out)
        return sz_graph_fail(g, sz_fail(SZ_E_NOMEM, "no memory for %zu rows", n));
    memcpy(kept, index, n * sizeof *kept);
    uint64_t start = sz_meter_start(g);
    for (size_t i = 0; i < n; i++) {
        if (index[i] >= x->n_rows)
            return sz_graph_fail(
                g, sz_fail(SZ_E_ARG, "row %u is not one of %zu", index[i], x->n_rows));
        memcpy(sz_row(out, i), sz_row(x, index[i]), x->n_cols * sizeof(float));
    }
    sz_meter_stop_rows(g, start, "gather", 2 * sz_count(out));
    move_args m = {x, kept, 0, 0};
    SZ_TAPE(g, out, back_gather, &m, x);
    return out;
}

static void back_slice(sz_graph *g, sz_tensor *out, void *args) {
    const move_args *m = args;
    float *dx = sz_grad(g, m->x);
    if (dx)
        add_block(g, dx + m->row * m->x->n_cols + m->column, m->x->n_cols, out->grad, out->n_cols,
                  out->n_rows, out->n_cols);
}

static sz_tensor *slice(sz_graph *g, sz_tensor *x, size_t row, size_t n_rows, size_t column,
                        size_t n_cols) {
    bool fits = row <= x->n_rows && n_rows <= x->n_rows - row && column <= x->n_cols &&
                n_cols <= x->n_cols - column;
    if (!fits)
        return sz_graph_fail(
            g, sz_fail(SZ_E_ARG, "a slice of %zu x %zu at (%zu, %zu) is not within %zu x %zu",
                       n_rows, n_cols, row, column, x->n_rows, x->n_cols));
    sz_tensor *out = sz_tensor_new(g, n_rows, n_cols);
    move_args m = {x, NULL, row, column};
    if (out)
        copy_block(out->data, n_cols, sz_row(x, row) + column, x->n_cols, n_rows, n_cols);
    SZ_TAPE(g, out, back_slice, &m, x);
    return out;
}

sz_tensor *sz_slice_rows(sz_graph *g, sz_tensor *x, size_t first, size_t n) {
    return g->status == SZ_OK ? slice(g, x, first, n, 0, x->n_cols) : NULL;
}
sz_tensor *sz_slice_columns(sz_graph *g, sz_tensor *x, size_t first, size_t n) {
    return g->status == SZ_OK ? slice(g, x, 0, x->n_rows, first, n) : NULL;
}

/* ---- Joins
 * ---------------------------------------------------------------------------------------
 */

typedef struct join_args {
    sz_tensor **parts;
    size_t n;
    bool columns;
} join_args;

static void back_join(sz_graph *g, sz_tensor *out, void *args) {
    const join_args *j = args;
    size_t at = 0;
    for (size_t i = 0; i < j->n; i++) {
        sz_tensor *p = j->parts[i];
        float *dp = sz_grad(g, p);
        const float *from = out->grad + (j->columns ? at : at * out->n_cols);
        if (dp)
            add_block(g, dp, p->n_cols, from, out->n_cols, p->n_rows, p->n_cols);
        at += j->columns ? p->n_cols : p->n_rows;
    }
}

static sz_tensor *join(sz_graph *g, sz_tensor *const *parts, size_t n, bool columns) {
    size_t total = 0, common = 0, at = 0;
    if (g->status != SZ_OK)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t other = columns ? parts[i]->n_rows : parts[i]->n_cols;
        common = i ? common : other;
        total += columns ? parts[i]->n_cols : parts[i]->n_rows;
        if (other != common)
            return sz_graph_fail(g,
                                 sz_fail(SZ_E_ARG, "part %zu is %zu x %zu: the others have %zu %s",
                                         i, parts[i]->n_rows, parts[i]->n_cols, common,
                                         columns ? "rows" : "columns"));
    }
    join_args j = {sz_arena_alloc_small(g->arena, (n + 1) * sizeof *parts), n, columns};
    sz_tensor *out = sz_tensor_new(g, columns ? common : total, columns ? total : common);
    if (!j.parts || !out)
        return sz_graph_fail(g, sz_fail(SZ_E_NOMEM, "no memory for %zu parts", n));
    memcpy(j.parts, parts, n * sizeof *parts);
    for (size_t i = 0; i < n; i++) {
        copy_block(out->data + (columns ? at : at * out->n_cols), out->n_cols, parts[i]->data,
                   parts[i]->n_cols, parts[i]->n_rows, parts[i]->n_cols);
        at += columns ? parts[i]->n_cols : parts[i]->n_rows;
    }
    sz_tape_push(g, out, parts, n, back_join, &j, sizeof j);
    return out;
}

sz_tensor *sz_concat_rows(sz_graph *g, sz_tensor *const *parts, size_t n) {
    return join(g, parts, n, false);
}
sz_tensor *sz_concat_columns(sz_graph *g, sz_tensor *const *parts, size_t n) {
    return join(g, parts, n, true);
}

/* ---- Views
 * ---------------------------------------------------------------------------------------
 */

static void back_reshape(sz_graph *g, sz_tensor *out, void *args) {
    const move_args *m = args;
    float *dx = sz_grad(g, m->x);
    if (dx)
        sz_accumulate(g, dx, out->grad, sz_count(out));
}

sz_tensor *sz_reshape(sz_graph *g, sz_tensor *x, size_t n_rows, size_t n_cols) {
    if (g->status != SZ_OK)
        return NULL;
    if (n_rows * n_cols != sz_count(x))
        return sz_graph_fail(g, sz_fail(SZ_E_ARG, "%zu x %zu numbers do not fit %zu x %zu",
                                        x->n_rows, x->n_cols, n_rows, n_cols));
    sz_tensor *out = sz_arena_alloc_small(g->arena, sizeof *out);
    if (!out)
        return sz_graph_fail(g, sz_fail(SZ_E_NOMEM, "no memory for a view"));
    *out = sz_tensor_of(x->data, NULL, n_rows, n_cols);
    move_args m = {x, NULL, 0, 0};
    SZ_TAPE(g, out, back_reshape, &m, x);
    return out;
}

static void back_transpose(sz_graph *g, sz_tensor *out, void *args) {
    const move_args *m = args;
    float *dx = sz_grad(g, m->x);
    for (size_t i = 0; dx && i < out->n_rows; i++)
        for (size_t j = 0; j < out->n_cols; j++)
            dx[j * out->n_rows + i] += out->grad[i * out->n_cols + j];
}

sz_tensor *sz_transpose(sz_graph *g, sz_tensor *x) {
    sz_tensor *out = g->status == SZ_OK ? sz_tensor_new(g, x->n_cols, x->n_rows) : NULL;
    for (size_t i = 0; out && i < x->n_rows; i++)
        for (size_t j = 0; j < x->n_cols; j++)
            out->data[j * x->n_rows + i] = sz_row(x, i)[j];
    move_args m = {x, NULL, 0, 0};
    SZ_TAPE(g, out, back_transpose, &m, x);
    return out;
}
