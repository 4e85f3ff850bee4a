/* ops.c: the operators of a transformer on rows (graph.h). */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "graph.h"

enum { MOST_PRODUCTS = 4 };

typedef struct op { /* arguments of one operator for its row function */
    sz_graph *g;
    const sz_tensor *a, *b;
    sz_tensor *out;
    const float *weight, *cosines, *sines;
    size_t n_group, n_rot;
    float factor;
    const sz_type_info *type;
    const uint8_t *table;
    const sz_matrix *matrix;
    const int32_t *ids;
} op;

static float *row(const sz_tensor *t, size_t i) {
    return t->data + i * t->n_cols;
}

/* Reads a, b and weights as far as there are any, and writes as much as the result has. */
static size_t floats_moved(const op *o) {
    size_t n = o->out->n_rows * o->out->n_cols;
    return n * (1 + (o->a != NULL) + (o->b != NULL));
}

static sz_tensor *run(op *o, const char *name, size_t cost, sz_rows_fn fn) {
    if (!o->out)
        return NULL;
    uint64_t start = sz_meter_start(o->g);
    sz_graph_rows(o->g, o->out->n_rows, cost * o->out->n_cols, fn, o);
    sz_meter_stop_rows(o->g, start, name, floats_moved(o));
    return o->out;
}

static bool same_shape(sz_graph *g, const sz_tensor *a, const sz_tensor *b) {
    if (g->status == SZ_OK && (a->n_rows != b->n_rows || a->n_cols != b->n_cols))
        sz_graph_fail(g, sz_fail(SZ_E_ARG, "shapes %zu x %zu and %zu x %zu differ", a->n_rows,
                                 a->n_cols, b->n_rows, b->n_cols));
    return g->status == SZ_OK;
}

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
static sz_status quantize_apart(sz_graph *g, sz_tensor *x, const sz_weight *const *w, size_t n) {
    bool integer = false;
    for (size_t i = 0; i < n; i++)
        integer |= g->kernels->product[w[i]->matrix.type] != NULL;
    if (!g->meter || !integer || x->activations.quantized)
        return SZ_OK;
    uint64_t start = sz_meter_start(g);
    SZ_TRY(sz_activations_quantize(g->kernels, g->pool, g->arena, &x->activations));
    sz_meter_stop_rows(g, start, "quantize", x->n_rows * x->n_cols * 5 / 4);
    return SZ_OK;
}

void sz_linear_all(sz_graph *g, sz_tensor *x, const sz_weight *const *w, size_t n,
                   sz_tensor **out) {
    sz_product products[MOST_PRODUCTS];
    assert(n <= MOST_PRODUCTS);
    for (size_t i = 0; i < n; i++) {
        out[i] = g->status == SZ_OK ? sz_tensor_new(g, x->n_rows, w[i]->matrix.n_rows) : NULL;
        if (out[i])
            products[i] = (sz_product){&w[i]->matrix, out[i]->data, out[i]->n_cols};
    }
    if (g->status != SZ_OK || x->n_rows == 0)
        return;
    sz_status status = quantize_apart(g, x, w, n);
    uint64_t start = sz_meter_start(g);
    if (status == SZ_OK)
        status =
            sz_matrix_multiply_all(g->kernels, g->pool, g->arena, products, n, &x->activations);
    for (size_t i = 0; i < n; i++) {
        for (size_t r = 0; status == SZ_OK && w[i]->bias && r < out[i]->n_rows; r++)
            g->kernels->add(row(out[i], r), w[i]->bias, out[i]->n_cols, row(out[i], r));
        if (status != SZ_OK)
            out[i] = sz_graph_fail(g, status);
    }
    if (g->meter)
        sz_meter_stop(g, start, cost_of_products(g, x, w, n));
}

sz_tensor *sz_linear(sz_graph *g, sz_tensor *x, const sz_weight *w) {
    sz_tensor *y = NULL;
    sz_linear_all(g, x, &w, 1, &y);
    return y;
}

static void add_rows(void *context, size_t first, size_t last) {
    op *o = context;
    o->g->kernels->add(row(o->a, first), row(o->b, first), (last - first) * o->a->n_cols,
                       row(o->out, first));
}
sz_tensor *sz_add(sz_graph *g, const sz_tensor *a, const sz_tensor *b) {
    if (!same_shape(g, a, b))
        return NULL;
    op o = {.g = g, .a = a, .b = b, .out = sz_tensor_new(g, a->n_rows, a->n_cols)};
    return run(&o, "add", 1, add_rows);
}

static void scale_rows(void *context, size_t first, size_t last) {
    op *o = context;
    o->g->kernels->scale(row(o->a, first), o->factor, (last - first) * o->a->n_cols,
                         row(o->out, first));
}
sz_tensor *sz_scale(sz_graph *g, const sz_tensor *a, float factor) {
    if (g->status != SZ_OK)
        return NULL;
    op o = {.g = g, .a = a, .factor = factor, .out = sz_tensor_new(g, a->n_rows, a->n_cols)};
    return run(&o, "scale", 1, scale_rows);
}

static void silu_mul_rows(void *context, size_t first, size_t last) {
    op *o = context;
    o->g->kernels->silu_mul(row(o->a, first), row(o->b, first), (last - first) * o->a->n_cols,
                            row(o->out, first));
}
sz_tensor *sz_silu_mul(sz_graph *g, sz_tensor *gate, const sz_tensor *up) {
    if (!same_shape(g, gate, up))
        return NULL;
    op o = {.g = g, .a = gate, .b = up, .out = gate};
    return run(&o, "silu_mul", 4, silu_mul_rows);
}

static void gelu_mul_rows(void *context, size_t first, size_t last) {
    op *o = context;
    o->g->kernels->gelu_mul(row(o->a, first), row(o->b, first), (last - first) * o->a->n_cols,
                            row(o->out, first));
}
sz_tensor *sz_gelu_mul(sz_graph *g, sz_tensor *gate, const sz_tensor *up) {
    if (!same_shape(g, gate, up))
        return NULL;
    op o = {.g = g, .a = gate, .b = up, .out = gate};
    return run(&o, "gelu_mul", 4, gelu_mul_rows);
}

static void norm_rows(void *context, size_t first, size_t last) {
    op *o = context;
    size_t n = (last - first) * o->a->n_cols;
    const float *x = row(o->a, first);
    float *y = row(o->out, first);
    for (size_t at = 0; at < n; at += o->n_group)
        o->g->kernels->rms_norm(x + at, o->weight, o->factor, o->n_group, y + at);
}
sz_tensor *sz_rms_norm(sz_graph *g, const sz_tensor *x, const float *weight, size_t n_group,
                       float eps) {
    if (g->status != SZ_OK)
        return NULL;
    op o = {.g = g, .a = x, .weight = weight, .n_group = n_group, .factor = eps};
    o.out = sz_tensor_new(g, x->n_rows, x->n_cols);
    return run(&o, "rms_norm", 2, norm_rows);
}

sz_tensor *sz_gather(sz_graph *g, const sz_tensor *x, const uint32_t *index, size_t n) {
    sz_tensor *out = g->status == SZ_OK ? sz_tensor_new(g, n, x->n_cols) : NULL;
    if (!out)
        return NULL;
    uint64_t start = sz_meter_start(g);
    for (size_t i = 0; i < n; i++)
        memcpy(row(out, i), row(x, index[i]), x->n_cols * sizeof(float));
    sz_meter_stop_rows(g, start, "gather", 2 * n * x->n_cols);
    return out;
}

static bool ids_fit(sz_graph *g, const int32_t *ids, size_t n, size_t n_table) {
    for (size_t i = 0; i < n && g->status == SZ_OK; i++)
        if (ids[i] < 0 || (size_t)ids[i] >= n_table)
            sz_graph_fail(g, sz_fail(SZ_E_ARG, "token id %d is not in the vocabulary of %zu",
                                     ids[i], n_table));
    return g->status == SZ_OK;
}

static void embed_rows(void *context, size_t first, size_t last) {
    op *o = context;
    size_t n = o->out->n_cols, bytes = n / o->type->block * o->type->block_bytes;
    for (size_t i = first; i < last; i++)
        o->type->dequantize(o->table + (size_t)o->ids[i] * bytes, row(o->out, i), n);
}
sz_tensor *sz_embed(sz_graph *g, sz_type type, const void *table, size_t n_table, size_t n_cols,
                    const int32_t *ids, size_t n) {
    if (!ids_fit(g, ids, n, n_table))
        return NULL;
    op o = {.g = g, .type = sz_type_get(type), .table = table, .ids = ids};
    o.out = sz_tensor_new(g, n, n_cols);
    return run(&o, "embed", 2, embed_rows);
}

static void embed_matrix_rows(void *context, size_t first, size_t last) {
    op *o = context;
    for (size_t i = first; i < last; i++)
        sz_matrix_decode_row(o->g->kernels, o->matrix, (size_t)o->ids[i], row(o->out, i));
}
sz_tensor *sz_embed_matrix(sz_graph *g, const sz_matrix *table, const int32_t *ids, size_t n) {
    if (!ids_fit(g, ids, n, table->n_rows))
        return NULL;
    op o = {.g = g, .matrix = table, .ids = ids};
    o.out = sz_tensor_new(g, n, table->n_cols);
    return run(&o, "embed", 16, embed_matrix_rows);
}

static void rope_rows(void *context, size_t first, size_t last) {
    op *o = context;
    size_t half = o->n_rot / 2;
    for (size_t i = first; i < last; i++)
        for (size_t head = 0; head < o->out->n_cols; head += o->n_group)
            o->g->kernels->rotate_halves(row(o->out, i) + head, o->cosines + i * half,
                                         o->sines + i * half, half);
}
sz_tensor *sz_rope(sz_graph *g, sz_tensor *x, size_t n_head_dim, size_t n_rot, const float *cosines,
                   const float *sines) {
    if (g->status != SZ_OK)
        return NULL;
    op o = {.g = g, .a = x, .out = x, .cosines = cosines, .sines = sines};
    o.n_group = n_head_dim;
    o.n_rot = n_rot;
    return run(&o, "rope", 2, rope_rows);
}
