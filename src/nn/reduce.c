/* reduce.c: norms, softmax, and sums of rows and columns. */
#include "graph.h"

#include <string.h>

typedef struct norm_args {
    sz_graph *g;
    sz_tensor *x, *weight, *bias, *out;
    size_t n_group;
    float eps;
    float *inner;  /* backward: dy * weight, of x's shape */
    float *scales; /* backward: 1 / rms or 1 / deviation, and means, of every group */
} norm_args;

/* ---- Norms
 * ---------------------------------------------------------------------------------------
 */

static void rms_range(void *context, size_t first, size_t last) {
    const norm_args *a = context;
    for (size_t i = first; i < last; i++)
        a->g->kernels->rms_norm(a->x->data + i * a->n_group, a->weight->data, a->eps, a->n_group,
                                a->out->data + i * a->n_group);
}

/* y = x s w with s = 1 / rms: dx = s (dy w - x s^2 mean(dy w x)). */
static void back_rms_range(void *context, size_t first, size_t last) {
    const norm_args *a = context;
    const sz_kernels *k = a->g->kernels;
    size_t n = a->n_group;
    for (size_t i = first; i < last; i++) {
        const float *x = a->x->data + i * n;
        float *u = a->inner + i * n, mean = k->dot(x, x, n) / (float)n;
        float s = 1.0f / __builtin_sqrtf(mean + a->eps);
        a->scales[2 * i] = 0;
        a->scales[2 * i + 1] = s;
        k->mul(a->out->grad + i * n, a->weight->data, n, u);
        float t = k->dot(u, x, n) / (float)n * s * s;
        for (size_t j = 0; a->x->grad && j < n; j++)
            a->x->grad[i * n + j] += s * (u[j] - x[j] * t);
    }
}

static void moments(const sz_kernels *k, const float *x, size_t n, float eps, float *mean,
                    float *inverse, float *centred) {
    *mean = k->sum(x, n) / (float)n;
    for (size_t j = 0; j < n; j++)
        centred[j] = x[j] - *mean;
    *inverse = 1.0f / __builtin_sqrtf(k->dot(centred, centred, n) / (float)n + eps);
}

static void layer_norm_range(void *context, size_t first, size_t last) {
    const norm_args *a = context;
    size_t n = a->n_group;
    for (size_t i = first; i < last; i++) {
        float *y = a->out->data + i * n, mean, s;
        moments(a->g->kernels, a->x->data + i * n, n, a->eps, &mean, &s, y);
        for (size_t j = 0; j < n; j++)
            y[j] = y[j] * s * a->weight->data[j] + (a->bias ? a->bias->data[j] : 0);
    }
}

/* With h = (x - mean) s: dx = s (dy w - mean(dy w) - h mean(dy w h)). */
static void back_layer_norm_range(void *context, size_t first, size_t last) {
    const norm_args *a = context;
    const sz_kernels *k = a->g->kernels;
    size_t n = a->n_group;
    for (size_t i = first; i < last; i++) {
        const float *x = a->x->data + i * n;
        float *u = a->inner + i * n, mean, s;
        moments(k, x, n, a->eps, &mean, &s, u);
        a->scales[2 * i] = mean;
        a->scales[2 * i + 1] = s;
        k->mul(a->out->grad + i * n, a->weight->data, n, u);
        float of_u = k->sum(u, n) / (float)n;
        float of_ux = k->dot(u, x, n) / (float)n, of_uh = (of_ux - mean * of_u) * s;
        for (size_t j = 0; a->x->grad && j < n; j++)
            a->x->grad[i * n + j] += s * (u[j] - of_u - (x[j] - mean) * s * of_uh);
    }
}

/* Columns of the weight's and the bias's gradients, in the order of groups. */
static void back_weight(void *context, size_t first, size_t last) {
    const norm_args *a = context;
    size_t n = a->n_group, groups = sz_count(a->x) / n;
    for (size_t i = 0; i < groups; i++) {
        const float *x = a->x->data + i * n, *dy = a->out->grad + i * n;
        float mean = a->scales[2 * i], s = a->scales[2 * i + 1];
        for (size_t j = first; a->weight->grad && j < last; j++)
            a->weight->grad[j] += dy[j] * ((x[j] - mean) * s);
        for (size_t j = first; a->bias && a->bias->grad && j < last; j++)
            a->bias->grad[j] += dy[j];
    }
}

static void back_norm(sz_graph *g, norm_args *a, sz_rows_fn rows) {
    a->g = g;
    sz_grad(g, a->x);
    sz_grad(g, a->weight);
    sz_grad(g, a->bias);
    if (g->status != SZ_OK)
        return;
    sz_arena_mark mark = sz_arena_get_mark(g->arena);
    size_t groups = sz_count(a->x) / a->n_group;
    a->inner = sz_arena_alloc(g->arena, sz_count(a->x) * sizeof(float));
    a->scales = sz_arena_alloc(g->arena, 2 * groups * sizeof(float));
    if (a->inner && a->scales) {
        sz_graph_rows(g, groups, 6 * a->n_group, rows, a);
        sz_graph_rows(g, a->n_group, 4 * groups, back_weight, a);
    } else {
        sz_graph_fail(g, sz_fail(SZ_E_NOMEM, "no memory for the gradient of a norm"));
    }
    sz_arena_rewind(g->arena, mark);
}

static void back_rms(sz_graph *g, sz_tensor *out, void *args) {
    back_norm(g, args, back_rms_range);
}
static void back_layer_norm(sz_graph *g, sz_tensor *out, void *args) {
    back_norm(g, args, back_layer_norm_range);
}

static bool norm_fits(sz_graph *g, const sz_tensor *x, const sz_tensor *weight, size_t n_group) {
    if (n_group == 0 || x->n_cols % n_group != 0 || sz_count(weight) != n_group)
        sz_graph_fail(g, sz_fail(SZ_E_ARG,
                                 "a norm of %zu weights over groups of %zu does not fit "
                                 "%zu columns",
                                 sz_count(weight), n_group, x->n_cols));
    return g->status == SZ_OK;
}

sz_tensor *sz_rms_norm(sz_graph *g, sz_tensor *x, sz_tensor *weight, size_t n_group, float eps) {
    if (g->status != SZ_OK || !norm_fits(g, x, weight, n_group))
        return NULL;
    norm_args a = {.g = g, .x = x, .weight = weight, .n_group = n_group, .eps = eps};
    a.out = sz_tensor_new(g, x->n_rows, x->n_cols);
    if (a.out)
        sz_operator_rows(g, "rms_norm", 2 * sz_count(x), sz_count(x) / n_group, 2 * n_group,
                         rms_range, &a);
    SZ_TAPE(g, a.out, back_rms, &a, x, weight);
    return a.out;
}

sz_tensor *sz_layer_norm(sz_graph *g, sz_tensor *x, sz_tensor *weight, sz_tensor *bias, float eps) {
    if (g->status != SZ_OK || !norm_fits(g, x, weight, x->n_cols) ||
        (bias && !norm_fits(g, x, bias, x->n_cols)))
        return NULL;
    norm_args a = {
        .g = g, .x = x, .weight = weight, .bias = bias, .n_group = x->n_cols, .eps = eps};
    a.out = sz_tensor_new(g, x->n_rows, x->n_cols);
    if (a.out)
        sz_graph_rows(g, x->n_rows, 4 * x->n_cols, layer_norm_range, &a);
    SZ_TAPE(g, a.out, back_layer_norm, &a, x, weight, bias);
    return a.out;
}

/* ---- Softmax and sums
 * ----------------------------------------------------------------------------
 */

typedef struct reduce_args {
    sz_graph *g;
    sz_tensor *x, *out;
    float factor;
} reduce_args;

static void softmax_rows(void *context, size_t first, size_t last) {
    const reduce_args *r = context;
    const sz_kernels *k = r->g->kernels;
    size_t n = r->x->n_cols;
    for (size_t i = first; i < last; i++) {
        const float *x = sz_row(r->x, i);
        float *y = sz_row(r->out, i), most = x[0];
        for (size_t j = 1; j < n; j++)
            most = x[j] > most ? x[j] : most;
        for (size_t j = 0; j < n; j++)
            y[j] = x[j] - most;
        k->exp(y, n, y);
        k->scale(y, 1.0f / k->sum(y, n), n, y);
    }
}

static void back_softmax_rows(void *context, size_t first, size_t last) {
    const reduce_args *r = context;
    size_t n = r->x->n_cols;
    for (size_t i = first; i < last; i++) {
        const float *y = sz_row(r->out, i), *dy = sz_grad_row(r->out, i);
        float *dx = sz_grad_row(r->x, i), mean = r->g->kernels->dot(y, dy, n);
        for (size_t j = 0; j < n; j++)
            dx[j] += y[j] * (dy[j] - mean);
    }
}

static void back_softmax(sz_graph *g, sz_tensor *out, void *args) {
    reduce_args r = *(reduce_args *)args;
    r.g = g;
    if (sz_grad(g, r.x))
        sz_graph_rows(g, out->n_rows, 3 * out->n_cols, back_softmax_rows, &r);
}

sz_tensor *sz_softmax(sz_graph *g, sz_tensor *x) {
    if (g->status != SZ_OK)
        return NULL;
    reduce_args r = {g, x, sz_tensor_new(g, x->n_rows, x->n_cols), 0};
    if (r.out && x->n_cols)
        sz_graph_rows(g, x->n_rows, 8 * x->n_cols, softmax_rows, &r);
    SZ_TAPE(g, r.out, back_softmax, &r, x);
    return r.out;
}

static void sum_of_rows(void *context, size_t first, size_t last) {
    const reduce_args *r = context;
    for (size_t i = first; i < last; i++)
        r->out->data[i] = r->x->n_cols ? r->g->kernels->sum(sz_row(r->x, i), r->x->n_cols) : 0;
}

static void back_sum_of_rows(void *context, size_t first, size_t last) {
    const reduce_args *r = context;
    for (size_t i = first; i < last; i++)
        for (size_t j = 0; j < r->x->n_cols; j++)
            sz_grad_row(r->x, i)[j] += r->out->grad[i];
}

static void back_sum_rows(sz_graph *g, sz_tensor *out, void *args) {
    reduce_args r = *(reduce_args *)args;
    if (sz_grad(g, r.x))
        sz_graph_rows(g, r.x->n_rows, r.x->n_cols, back_sum_of_rows, &r);
}

sz_tensor *sz_sum_rows(sz_graph *g, sz_tensor *x) {
    if (g->status != SZ_OK)
        return NULL;
    reduce_args r = {g, x, sz_tensor_new(g, x->n_rows, 1), 0};
    if (r.out)
        sz_graph_rows(g, x->n_rows, x->n_cols, sum_of_rows, &r);
    SZ_TAPE(g, r.out, back_sum_rows, &r, x);
    return r.out;
}

static void sum_of_columns(void *context, size_t first, size_t last) {
    const reduce_args *r = context;
    memset(r->out->data + first, 0, (last - first) * sizeof(float));
    for (size_t i = 0; i < r->x->n_rows; i++)
        r->g->kernels->add(r->out->data + first, sz_row(r->x, i) + first, last - first,
                           r->out->data + first);
}

static void back_sum_of_columns(void *context, size_t first, size_t last) {
    const reduce_args *r = context;
    for (size_t i = first; i < last; i++)
        r->g->kernels->add(sz_grad_row(r->x, i), r->out->grad, r->x->n_cols, sz_grad_row(r->x, i));
}

static void back_sum_columns(sz_graph *g, sz_tensor *out, void *args) {
    reduce_args r = *(reduce_args *)args;
    r.g = g;
    if (sz_grad(g, r.x))
        sz_graph_rows(g, r.x->n_rows, r.x->n_cols, back_sum_of_columns, &r);
}

sz_tensor *sz_sum_columns(sz_graph *g, sz_tensor *x) {
    if (g->status != SZ_OK)
        return NULL;
    reduce_args r = {g, x, sz_tensor_new(g, 1, x->n_cols), 0};
    if (r.out)
        sz_graph_rows(g, x->n_cols, x->n_rows, sum_of_columns, &r);
    SZ_TAPE(g, r.out, back_sum_columns, &r, x);
    return r.out;
}

static void back_sum(sz_graph *g, sz_tensor *out, void *args) {
    reduce_args r = *(reduce_args *)args;
    float *dx = sz_grad(g, r.x), by = out->grad[0] * r.factor;
    for (size_t i = 0; dx && i < sz_count(r.x); i++)
        dx[i] += by;
}

/* Row by row, then the rows' sums: both in the canonical order. */
static sz_tensor *sum_all(sz_graph *g, sz_tensor *x, float factor) {
    if (g->status != SZ_OK)
        return NULL;
    sz_tensor *out = sz_tensor_new(g, 1, 1);
    sz_arena_mark mark = sz_arena_get_mark(g->arena);
    float *rows = sz_arena_alloc(g->arena, (x->n_rows + 1) * sizeof *rows);
    if (!out || !rows)
        return sz_graph_fail(g, sz_fail(SZ_E_NOMEM, "no memory for a sum of %zu rows", x->n_rows));
    sz_tensor sums = sz_tensor_of(rows, NULL, x->n_rows, 1);
    reduce_args r = {g, x, &sums, factor};
    sz_graph_rows(g, x->n_rows, x->n_cols, sum_of_rows, &r);
    out->data[0] = x->n_rows ? g->kernels->sum(rows, x->n_rows) * factor : 0;
    sz_arena_rewind(g->arena, mark);
    SZ_TAPE(g, out, back_sum, &r, x);
    return out;
}

sz_tensor *sz_sum(sz_graph *g, sz_tensor *x) {
    return sum_all(g, x, 1);
}

sz_tensor *sz_mean(sz_graph *g, sz_tensor *x) {
    return g->status == SZ_OK ? sum_all(g, x, 1.0f / (float)sz_count(x)) : NULL;
}
