/* ops.c: linear maps of repacked weights and of floats, embeddings, rotary positions. */
#include "graph.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "num/gemm.h"

enum { MOST_PRODUCTS = 4 };

/* ---- Products of float matrices ----------------------------------------------------------------
 */

static void multiply(sz_graph *g, size_t n_rows, size_t n_cols, size_t depth, sz_matrix_view a,
                     sz_matrix_view b, float *c, bool add) {
    sz_gemm p = {n_rows, n_cols, depth, a, b, c, n_cols, add};
    sz_status status = sz_gemm_run(g->kernels, g->pool, g->arena, &p);
    if (status != SZ_OK)
        sz_graph_fail(g, status);
}

static sz_matrix_view view(const float *at, size_t stride, bool transposed) {
    return transposed ? (sz_matrix_view){at, 1, stride} : (sz_matrix_view){at, stride, 1};
}

typedef struct matmul_args {
    sz_tensor *a, *b;
    bool transpose_b;
} matmul_args;

static void back_matmul(sz_graph *g, sz_tensor *out, void *args) {
    const matmul_args *m = args;
    const sz_tensor *a = m->a, *b = m->b;
    size_t n = out->n_cols, depth = a->n_cols;
    float *da = sz_grad(g, m->a), *db = sz_grad(g, m->b);
    sz_matrix_view dy = view(out->grad, n, false), dy_t = view(out->grad, n, true);
    if (da)
        multiply(g, a->n_rows, depth, n, dy, view(b->data, b->n_cols, !m->transpose_b), da, true);
    if (db && m->transpose_b)
        multiply(g, n, depth, a->n_rows, dy_t, view(a->data, depth, false), db, true);
    else if (db)
        multiply(g, depth, n, a->n_rows, view(a->data, depth, true), dy, db, true);
}

sz_tensor *sz_matmul(sz_graph *g, sz_tensor *a, sz_tensor *b, bool transpose_b) {
    if (g->status != SZ_OK)
        return NULL;
    size_t depth = transpose_b ? b->n_cols : b->n_rows, n = transpose_b ? b->n_rows : b->n_cols;
    if (a->n_cols != depth)
        return sz_graph_fail(
            g, sz_fail(SZ_E_ARG, "a product of %zu x %zu with %zu x %zu%s does not fit", a->n_rows,
                       a->n_cols, b->n_rows, b->n_cols, transpose_b ? " transposed" : ""));
    sz_tensor *out = sz_tensor_new(g, a->n_rows, n);
    if (!out)
        return NULL;
    multiply(g, a->n_rows, n, depth, view(a->data, depth, false),
             view(b->data, b->n_cols, transpose_b), out->data, false);
    matmul_args m = {a, b, transpose_b};
    SZ_TAPE(g, out, back_matmul, &m, a, b);
    return g->status == SZ_OK ? out : NULL;
}

/* ---- A row added to every row ------------------------------------------------------------------
 */

typedef struct row_args {
    sz_graph *g;
    sz_tensor *x, *row, *out;
} row_args;

static void add_row(void *context, size_t first, size_t last) {
    const row_args *r = context;
    for (size_t i = first; i < last; i++)
        r->g->kernels->add(sz_row(r->x, i), r->row->data, r->x->n_cols, sz_row(r->out, i));
}

/* Columns [first, last) of the sum over rows, in the order of rows. */
static void add_columns(void *context, size_t first, size_t last) {
    const row_args *r = context;
    for (size_t i = 0; i < r->out->n_rows; i++)
        r->g->kernels->add(r->row->grad + first, sz_grad_row(r->out, i) + first, last - first,
                           r->row->grad + first);
}

static void back_add_row(sz_graph *g, sz_tensor *out, void *args) {
    row_args r = *(row_args *)args;
    float *dx = sz_grad(g, r.x), *drow = sz_grad(g, r.row);
    r.g = g;
    if (dx)
        sz_accumulate(g, dx, out->grad, sz_count(out));
    if (drow)
        sz_graph_rows(g, out->n_cols, out->n_rows, add_columns, &r);
}

sz_tensor *sz_add_row(sz_graph *g, sz_tensor *x, sz_tensor *row) {
    if (g->status != SZ_OK)
        return NULL;
    if (row->n_rows != 1 || row->n_cols != x->n_cols)
        return sz_graph_fail(g, sz_fail(SZ_E_ARG, "a row of %zu x %zu does not fit %zu columns",
                                        row->n_rows, row->n_cols, x->n_cols));
    row_args r = {g, x, row, sz_tensor_new(g, x->n_rows, x->n_cols)};
    if (r.out)
        sz_graph_rows(g, x->n_rows, x->n_cols, add_row, &r);
    SZ_TAPE(g, r.out, back_add_row, &r, x, row);
    return r.out;
}

/* ---- Linear maps of a model --------------------------------------------------------------------
 */

/* Weights count as they lie in memory, activations as floats. */
static sz_operator_cost cost_of_products(const sz_graph *g, const sz_tensor *x,
                                         const sz_weight *const *w, size_t n) {
    sz_operator_cost cost = {.kind = SZ_OPERATOR_FLOAT};
    uint64_t rows = 0;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const sz_matrix *m = &w[i]->matrix;
        rows += m->n_rows;
        cost.bytes += m->bytes;
        if (g->kernels->product[m->type])
            cost.kind = SZ_OPERATOR_INT8;
        int length = snprintf(cost.name + at, sizeof cost.name - at, "%s%s", i ? ", " : "",
                              w[i]->name ? w[i]->name : "product");
        at = at + (size_t)length < sizeof cost.name ? at + (size_t)length : sizeof cost.name - 1;
    }
    cost.multiply_adds = rows * x->n_cols * x->n_rows;
    cost.bytes += (rows + x->n_cols) * x->n_rows * sizeof(float);
    return cost;
}

/* Apart from the products where somebody measures: the same work, which they then find done. */
static sz_status quantize_apart(sz_graph *g, sz_activations *x, const sz_weight *const *w,
                                size_t n) {
    bool integer = false;
    for (size_t i = 0; i < n; i++)
        integer |= g->kernels->product[w[i]->matrix.type] != NULL;
    if (!g->meter || !integer || x->quantized)
        return SZ_OK;
    uint64_t start = sz_meter_start(g);
    SZ_TRY(sz_activations_quantize(g->kernels, g->pool, g->arena, x));
    sz_meter_stop_rows(g, start, "quantize", x->n * x->n_cols * 5 / 4);
    return SZ_OK;
}

static void multiply_matrices(sz_graph *g, sz_tensor *x, const sz_weight *const *w, size_t n,
                              sz_tensor **out) {
    sz_product products[MOST_PRODUCTS];
    for (size_t i = 0; i < n; i++) {
        out[i] = g->status == SZ_OK ? sz_tensor_new(g, x->n_rows, w[i]->matrix.n_rows) : NULL;
        if (out[i])
            products[i] = (sz_product){&w[i]->matrix, out[i]->data, out[i]->n_cols};
    }
    if (g->status != SZ_OK || x->n_rows == 0)
        return;
    sz_activations a = {x->data, x->n_rows, x->n_cols, x->n_cols, x->digits};
    sz_status status = quantize_apart(g, &a, w, n);
    uint64_t start = sz_meter_start(g);
    if (status == SZ_OK)
        status = sz_matrix_multiply_all(g->kernels, g->pool, g->arena, products, n, &a);
    x->digits = a.quantized;
    for (size_t i = 0; i < n; i++) {
        for (size_t r = 0; status == SZ_OK && w[i]->bias && r < out[i]->n_rows; r++)
            g->kernels->add(sz_row(out[i], r), w[i]->bias->data, out[i]->n_cols, sz_row(out[i], r));
        if (status != SZ_OK)
            out[i] = sz_graph_fail(g, status);
    }
    if (g->meter)
        sz_meter_stop(g, start, cost_of_products(g, x, w, n));
}

void sz_linear_all(sz_graph *g, sz_tensor *x, const sz_weight *const *w, size_t n,
                   sz_tensor **out) {
    assert(n <= MOST_PRODUCTS);
    if (n > 0 && !w[0]->values) {
        multiply_matrices(g, x, w, n, out);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = sz_matmul(g, x, w[i]->values, true);
        if (w[i]->bias)
            out[i] = sz_add_row(g, out[i], w[i]->bias);
    }
}

sz_tensor *sz_linear(sz_graph *g, sz_tensor *x, const sz_weight *w) {
    sz_tensor *y = NULL;
    sz_linear_all(g, x, &w, 1, &y);
    return y;
}

/* ---- Embeddings
 * ----------------------------------------------------------------------------------
 */

typedef struct embed_args {
    sz_graph *g;
    sz_tensor *out, *table;
    const sz_type_info *type;
    const uint8_t *bytes;
    const sz_matrix *matrix;
    const int32_t *ids;
} embed_args;

static bool ids_fit(sz_graph *g, const int32_t *ids, size_t n, size_t n_table) {
    for (size_t i = 0; i < n && g->status == SZ_OK; i++)
        if (ids[i] < 0 || (size_t)ids[i] >= n_table)
            sz_graph_fail(g, sz_fail(SZ_E_ARG, "token id %d is not in the vocabulary of %zu",
                                     ids[i], n_table));
    return g->status == SZ_OK;
}

static void embed_rows(void *context, size_t first, size_t last) {
    const embed_args *e = context;
    size_t n = e->out->n_cols, bytes = n / e->type->block * e->type->block_bytes;
    for (size_t i = first; i < last; i++)
        e->type->dequantize(e->bytes + (size_t)e->ids[i] * bytes, sz_row(e->out, i), n);
}

sz_tensor *sz_embed(sz_graph *g, sz_type type, const void *table, size_t n_table, size_t n_cols,
                    const int32_t *ids, size_t n) {
    if (!ids_fit(g, ids, n, n_table))
        return NULL;
    embed_args e = {.g = g, .type = sz_type_get(type), .bytes = table, .ids = ids};
    e.out = sz_tensor_new(g, n, n_cols);
    if (e.out)
        sz_operator_rows(g, "embed", n * n_cols, n, 2 * n_cols, embed_rows, &e);
    return e.out;
}

static void decode_rows(void *context, size_t first, size_t last) {
    const embed_args *e = context;
    for (size_t i = first; i < last; i++)
        sz_matrix_decode_row(e->g->kernels, e->matrix, (size_t)e->ids[i], sz_row(e->out, i));
}

sz_tensor *sz_embed_weight(sz_graph *g, const sz_weight *table, const int32_t *ids, size_t n) {
    if (table->values)
        return sz_embedding(g, table->values, ids, n);
    if (!ids_fit(g, ids, n, table->matrix.n_rows))
        return NULL;
    embed_args e = {.g = g, .matrix = &table->matrix, .ids = ids};
    e.out = sz_tensor_new(g, n, table->matrix.n_cols);
    if (e.out)
        sz_operator_rows(g, "embed", sz_count(e.out), n, 16 * e.out->n_cols, decode_rows, &e);
    return e.out;
}

/* Several rows may be of one id: the order of rows decides, so a task has columns. */
static void spread_columns(void *context, size_t first, size_t last) {
    const embed_args *e = context;
    for (size_t i = 0; i < e->out->n_rows; i++) {
        float *to = sz_grad_row(e->table, (size_t)e->ids[i]) + first;
        e->g->kernels->add(to, sz_grad_row(e->out, i) + first, last - first, to);
    }
}

static void back_embedding(sz_graph *g, sz_tensor *out, void *args) {
    embed_args e = *(embed_args *)args;
    e.g = g;
    if (sz_grad(g, e.table))
        sz_graph_rows(g, out->n_cols, out->n_rows, spread_columns, &e);
}

sz_tensor *sz_embedding(sz_graph *g, sz_tensor *table, const int32_t *ids, size_t n) {
    if (g->status != SZ_OK || !ids_fit(g, ids, n, table->n_rows))
        return NULL;
    int32_t *kept = sz_arena_alloc(g->arena, n * sizeof *kept);
    sz_tensor *out = sz_tensor_new(g, n, table->n_cols);
    if (!kept || !out)
        return sz_graph_fail(g, sz_fail(SZ_E_NOMEM, "no memory for %zu embeddings", n));
    memcpy(kept, ids, n * sizeof *kept);
    for (size_t i = 0; i < n; i++)
        memcpy(sz_row(out, i), sz_row(table, (size_t)ids[i]), out->n_cols * sizeof(float));
    embed_args e = {.out = out, .table = table, .ids = kept};
    SZ_TAPE(g, out, back_embedding, &e, table);
    return out;
}

/* ---- Rotary positions
 * ----------------------------------------------------------------------------
 */

typedef struct rope_args {
    sz_graph *g;
    sz_tensor *x, *out;
    size_t n_head_dim, n_rot;
    const float *cosines, *sines;
} rope_args;

static void rope_rows(void *context, size_t first, size_t last) {
    const rope_args *r = context;
    size_t half = r->n_rot / 2;
    for (size_t i = first; i < last; i++) {
        if (r->out != r->x)
            memcpy(sz_row(r->out, i), sz_row(r->x, i), r->x->n_cols * sizeof(float));
        for (size_t head = 0; head < r->out->n_cols; head += r->n_head_dim)
            r->g->kernels->rotate_halves(sz_row(r->out, i) + head, r->cosines + i * half,
                                         r->sines + i * half, half);
    }
}

/* The transposed map: each pair turned back, times the square of what the angles' scale is. */
static void unrope_rows(void *context, size_t first, size_t last) {
    const rope_args *r = context;
    size_t half = r->n_rot / 2;
    for (size_t i = first; i < last; i++) {
        const float *c = r->cosines + i * half, *s = r->sines + i * half;
        float *dy = sz_grad_row(r->out, i);
        for (size_t head = 0; head < r->out->n_cols; head += r->n_head_dim)
            for (size_t j = 0; j < half; j++) {
                float a = dy[head + j], b = dy[head + half + j];
                dy[head + j] = a * c[j] + b * s[j];
                dy[head + half + j] = b * c[j] - a * s[j];
            }
        float *dx = sz_grad_row(r->x, i);
        r->g->kernels->add(dx, dy, r->x->n_cols, dx);
    }
}

static void back_rope(sz_graph *g, sz_tensor *out, void *args) {
    rope_args r = *(rope_args *)args;
    r.g = g;
    if (sz_grad(g, r.x)) /* out's gradient is turned in place: it has no further use */
        sz_graph_rows(g, out->n_rows, 2 * out->n_cols, unrope_rows, &r);
}

sz_tensor *sz_rope(sz_graph *g, sz_tensor *x, size_t n_head_dim, size_t n_rot, const float *cosines,
                   const float *sines) {
    sz_tensor *out = sz_tensor_in_place(g, x);
    if (!out)
        return NULL;
    rope_args r = {g, x, out, n_head_dim, n_rot, cosines, sines};
    sz_operator_rows(g, "rope", 2 * sz_count(out), out->n_rows, 2 * out->n_cols, rope_rows, &r);
    SZ_TAPE(g, out, back_rope, &r, x);
    return out;
}
