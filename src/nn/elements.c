/* elements.c: sums, products and activations, element by element. */
#include "graph.h"

enum { PIECE = 256 };

typedef struct element_args {
    sz_graph *g;
    sz_tensor *a, *b, *out;
    float factor;
    sz_activation kind;
} element_args;

/* fn over all elements of out; reads a and, if there is one, b. */
static void over_elements(element_args *e, const char *name, size_t cost, sz_rows_fn fn) {
    size_t n = e->out ? sz_count(e->out) : 0;
    if (e->out)
        sz_operator_rows(e->g, name, n * (e->b ? 3 : 2), n, cost, fn, e);
}

/* ---- Sums and products
 * ---------------------------------------------------------------------------
 */

static void add_range(void *context, size_t i, size_t last) {
    const element_args *e = context;
    e->g->kernels->add(e->a->data + i, e->b->data + i, last - i, e->out->data + i);
}

static void back_add(sz_graph *g, sz_tensor *out, void *args) {
    const element_args *e = args;
    float *da = sz_grad(g, e->a), *db = sz_grad(g, e->b);
    if (da)
        sz_accumulate(g, da, out->grad, sz_count(out));
    if (db)
        sz_accumulate(g, db, out->grad, sz_count(out));
}

sz_tensor *sz_add(sz_graph *g, sz_tensor *a, sz_tensor *b) {
    if (g->status != SZ_OK || !sz_same_shape(g, a, b))
        return NULL;
    element_args e = {g, a, b, sz_tensor_new(g, a->n_rows, a->n_cols), 0, 0};
    over_elements(&e, "add", 1, add_range);
    SZ_TAPE(g, e.out, back_add, &e, a, b);
    return e.out;
}

static void mul_range(void *context, size_t i, size_t last) {
    const element_args *e = context;
    e->g->kernels->mul(e->a->data + i, e->b->data + i, last - i, e->out->data + i);
}

static void back_mul_range(void *context, size_t first, size_t last) {
    const element_args *e = context;
    const float *dy = e->out->grad;
    for (size_t i = first; e->a->grad && i < last; i++)
        e->a->grad[i] += dy[i] * e->b->data[i];
    for (size_t i = first; e->b->grad && i < last; i++)
        e->b->grad[i] += dy[i] * e->a->data[i];
}

static void back_mul(sz_graph *g, sz_tensor *out, void *args) {
    element_args e = *(element_args *)args;
    e.g = g;
    sz_grad(g, e.a);
    sz_grad(g, e.b);
    if (g->status == SZ_OK)
        over_elements(&e, "back_mul", 2, back_mul_range);
}

sz_tensor *sz_mul(sz_graph *g, sz_tensor *a, sz_tensor *b) {
    if (g->status != SZ_OK || !sz_same_shape(g, a, b))
        return NULL;
    element_args e = {g, a, b, sz_tensor_new(g, a->n_rows, a->n_cols), 0, 0};
    over_elements(&e, "mul", 1, mul_range);
    SZ_TAPE(g, e.out, back_mul, &e, a, b);
    return e.out;
}

static void scale_range(void *context, size_t i, size_t last) {
    const element_args *e = context;
    e->g->kernels->scale(e->a->data + i, e->factor, last - i, e->out->data + i);
}

static void back_scale_range(void *context, size_t first, size_t last) {
    const element_args *e = context;
    for (size_t i = first; i < last; i++)
        e->a->grad[i] += e->out->grad[i] * e->factor;
}

static void back_scale(sz_graph *g, sz_tensor *out, void *args) {
    element_args e = *(element_args *)args;
    e.g = g;
    if (sz_grad(g, e.a))
        over_elements(&e, "back_scale", 1, back_scale_range);
}

sz_tensor *sz_scale(sz_graph *g, sz_tensor *a, float factor) {
    if (g->status != SZ_OK)
        return NULL;
    element_args e = {g, a, NULL, sz_tensor_new(g, a->n_rows, a->n_cols), factor, 0};
    over_elements(&e, "scale", 1, scale_range);
    SZ_TAPE(g, e.out, back_scale, &e, a);
    return e.out;
}

/* ---- Activations
 * ---------------------------------------------------------------------------------
 */

/* sigmoid of n <= PIECE values. */
static void sigmoid(const sz_kernels *k, const float *x, size_t n, float *y) {
    k->scale(x, -1.0f, n, y);
    k->exp(y, n, y);
    for (size_t i = 0; i < n; i++)
        y[i] = 1.0f / (1.0f + y[i]);
}

static const float GELU_SCALE = 0x1.988454p-1f; /* sqrt(2 / pi) */
static const float GELU_CUBE = 0.044715f;

/* tanh of gelu's inner polynomial. */
static void gelu_tanh(const sz_kernels *k, const float *x, size_t n, float *y) {
    for (size_t i = 0; i < n; i++)
        y[i] = GELU_SCALE * (x[i] + GELU_CUBE * (x[i] * x[i] * x[i]));
    k->tanh(y, n, y);
}

/* Values of n <= PIECE elements and, with `slope`, their derivatives. */
static void activate(const sz_kernels *k, sz_activation kind, const float *x, size_t n, float *y,
                     float *slope) {
    float t[PIECE];
    if (kind == SZ_SILU || kind == SZ_SIGMOID)
        sigmoid(k, x, n, t);
    else if (kind == SZ_TANH)
        k->tanh(x, n, t);
    else if (kind == SZ_GELU)
        gelu_tanh(k, x, n, t);
    for (size_t i = 0; i < n; i++)
        switch (kind) {
        case SZ_RELU:
            y[i] = x[i] > 0 ? x[i] : x[i] != x[i] ? x[i] : 0;
            break;
        case SZ_SILU:
            y[i] = x[i] * t[i];
            break;
        case SZ_GELU:
            y[i] = 0.5f * x[i] * (1.0f + t[i]);
            break;
        default:
            y[i] = t[i];
        }
    for (size_t i = 0; slope && i < n; i++)
        switch (kind) {
        case SZ_RELU:
            slope[i] = x[i] > 0 ? 1 : 0;
            break;
        case SZ_SILU:
            slope[i] = t[i] * (1.0f + x[i] * (1.0f - t[i]));
            break;
        case SZ_GELU:
            slope[i] = 0.5f * (1.0f + t[i]) + 0.5f * x[i] * (1.0f - t[i] * t[i]) * GELU_SCALE *
                                                  (1.0f + 3.0f * GELU_CUBE * x[i] * x[i]);
            break;
        case SZ_TANH:
            slope[i] = 1.0f - t[i] * t[i];
            break;
        case SZ_SIGMOID:
            slope[i] = t[i] * (1.0f - t[i]);
            break;
        }
}

static void activate_range(void *context, size_t first, size_t last) {
    const element_args *e = context;
    for (size_t i = first; i < last; i += PIECE)
        activate(e->g->kernels, e->kind, e->a->data + i, last - i < PIECE ? last - i : PIECE,
                 e->out->data + i, NULL);
}

static void back_activate_range(void *context, size_t first, size_t last) {
    const element_args *e = context;
    float y[PIECE], slope[PIECE];
    for (size_t i = first; i < last; i += PIECE) {
        size_t n = last - i < PIECE ? last - i : PIECE;
        activate(e->g->kernels, e->kind, e->a->data + i, n, y, slope);
        for (size_t j = 0; j < n; j++)
            e->a->grad[i + j] += e->out->grad[i + j] * slope[j];
    }
}

static void back_activate(sz_graph *g, sz_tensor *out, void *args) {
    element_args e = *(element_args *)args;
    e.g = g;
    if (sz_grad(g, e.a))
        over_elements(&e, "back_activate", 8, back_activate_range);
}

sz_tensor *sz_activate(sz_graph *g, sz_tensor *x, sz_activation kind) {
    if (g->status != SZ_OK)
        return NULL;
    element_args e = {g, x, NULL, sz_tensor_new(g, x->n_rows, x->n_cols), 0, kind};
    over_elements(&e, "activate", 8, activate_range);
    SZ_TAPE(g, e.out, back_activate, &e, x);
    return e.out;
}

/* ---- Gated activations
 * ---------------------------------------------------------------------------
 */

static void gate_range(void *context, size_t i, size_t last) {
    const element_args *e = context;
    const sz_kernels *k = e->g->kernels;
    (e->kind == SZ_SILU ? k->silu_mul : k->gelu_mul)(e->a->data + i, e->b->data + i, last - i,
                                                     e->out->data + i);
}

static void back_gate_range(void *context, size_t first, size_t last) {
    const element_args *e = context;
    float y[PIECE], slope[PIECE];
    for (size_t i = first; i < last; i += PIECE) {
        size_t n = last - i < PIECE ? last - i : PIECE;
        const float *dy = e->out->grad + i;
        activate(e->g->kernels, e->kind, e->a->data + i, n, y, slope);
        for (size_t j = 0; e->a->grad && j < n; j++)
            e->a->grad[i + j] += dy[j] * e->b->data[i + j] * slope[j];
        for (size_t j = 0; e->b->grad && j < n; j++)
            e->b->grad[i + j] += dy[j] * y[j];
    }
}

static void back_gate(sz_graph *g, sz_tensor *out, void *args) {
    element_args e = *(element_args *)args;
    e.g = g;
    sz_grad(g, e.a);
    sz_grad(g, e.b);
    if (g->status == SZ_OK)
        over_elements(&e, "back_gate", 8, back_gate_range);
}

static sz_tensor *gated(sz_graph *g, sz_tensor *gate, sz_tensor *up, sz_activation kind) {
    if (g->status != SZ_OK || !sz_same_shape(g, gate, up))
        return NULL;
    element_args e = {g, gate, up, sz_tensor_in_place(g, gate), 0, kind};
    over_elements(&e, kind == SZ_SILU ? "silu_mul" : "gelu_mul", 4, gate_range);
    SZ_TAPE(g, e.out, back_gate, &e, gate, up);
    return e.out;
}

sz_tensor *sz_silu_mul(sz_graph *g, sz_tensor *gate, sz_tensor *up) {
    return gated(g, gate, up, SZ_SILU);
}
sz_tensor *sz_gelu_mul(sz_graph *g, sz_tensor *gate, sz_tensor *up) {
    return gated(g, gate, up, SZ_GELU);
}
