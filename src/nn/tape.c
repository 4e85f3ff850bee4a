/* tape.c: the record of calls, and gradients flowing back through it. */
#include "graph.h"

#include <string.h>

struct sz_node {
    struct sz_node *before;
    sz_tensor *out;
    sz_back_fn back;
    void *args;
};

struct sz_spare { /* stands in the gradient itself */
    struct sz_spare *next;
    size_t n;
};

enum { LEAST_FLOATS = sizeof(struct sz_spare) / sizeof(float) };

void sz_tape_push(sz_graph *g, sz_tensor *out, sz_tensor *const *inputs, size_t n, sz_back_fn back,
                  const void *args, size_t bytes) {
    bool learns = false;
    for (size_t i = 0; i < n; i++)
        learns = learns || (inputs[i] && inputs[i]->learns);
    if (g->status != SZ_OK || g->mode != SZ_RECORD || !learns)
        return;
    struct sz_node *node = sz_arena_alloc_small(g->arena, sizeof *node);
    void *copy = sz_arena_alloc_small(g->arena, bytes);
    if (!node || !copy) {
        sz_graph_fail(g, sz_fail(SZ_E_NOMEM, "no memory to record an operator"));
        return;
    }
    memcpy(copy, args, bytes);
    *node = (struct sz_node){g->last, out, back, copy};
    g->last = node;
    out->learns = true;
}

static size_t floats_of(const sz_tensor *t) {
    size_t n = sz_count(t);
    return n < LEAST_FLOATS ? LEAST_FLOATS : n;
}

/* A gradient of the same size that is not needed any more, or new memory. */
static float *take_memory(sz_graph *g, size_t n) {
    for (struct sz_spare **s = &g->spare; *s; s = &(*s)->next)
        if ((*s)->n == n) {
            float *found = (float *)*s;
            *s = (*s)->next;
            return found;
        }
    float *fresh = sz_arena_alloc(g->arena, n * sizeof *fresh);
    if (!fresh)
        return sz_graph_fail(g, sz_fail(SZ_E_NOMEM, "no memory for a gradient of %zu values", n));
    sz_graph_count(g, n * sizeof *fresh);
    return fresh;
}

float *sz_grad(sz_graph *g, sz_tensor *t) {
    if (!t || !t->learns || g->status != SZ_OK)
        return NULL;
    if (!t->grad) {
        t->grad = take_memory(g, floats_of(t));
        if (t->grad)
            memset(t->grad, 0, sz_count(t) * sizeof(float));
    }
    return t->grad;
}

static void give_back(sz_graph *g, sz_tensor *t) {
    if (t->keeps)
        return;
    struct sz_spare *s = (struct sz_spare *)t->grad;
    *s = (struct sz_spare){g->spare, floats_of(t)};
    g->spare = s;
    t->grad = NULL;
}

sz_status sz_graph_backward(sz_graph *g, sz_tensor *result) {
    if (g->status != SZ_OK)
        return g->status;
    SZ_REQUIRE(g->mode == SZ_RECORD, SZ_E_STATE, "the graph did not record");
    SZ_REQUIRE(result && (result->grad || sz_count(result) == 1), SZ_E_ARG,
               "gradients start from one number, not from %zu x %zu", result ? result->n_rows : 0,
               result ? result->n_cols : 0);
    if (result->learns && !result->grad && sz_grad(g, result))
        result->grad[0] = 1;
    while (g->last && g->status == SZ_OK) {
        struct sz_node *node = g->last;
        g->last = node->before;
        if (!node->out->grad) /* the result does not depend on it */
            continue;
        node->back(g, node->out, node->args);
        give_back(g, node->out);
    }
    return g->status;
}

/* ---- Sums ------------------------------------------------------------------------------------ */

typedef struct sum_args {
    const sz_kernels *k;
    float *a;
    const float *b;
} sum_args;

static void sum_range(void *context, size_t first, size_t last) {
    const sum_args *s = context;
    s->k->add(s->a + first, s->b + first, last - first, s->a + first);
}

void sz_accumulate(sz_graph *g, float *a, const float *b, size_t n) {
    sum_args s = {g->kernels, a, b};
    sz_graph_rows(g, n, 1, sum_range, &s);
}

/* ---- Checkpoints -------------------------------------------------------------------------------
 */

typedef struct checkpoint {
    sz_checkpoint_fn fn;
    void *context;
    sz_tensor *x;
} checkpoint;

/* A part of the tape for this call alone; memory is given back, so what stays must exist before. */
static void back_checkpoint(sz_graph *g, sz_tensor *out, void *args) {
    const checkpoint *c = args;
    sz_grad(g, c->x); /* before the mark, as it stays */
    if (g->status != SZ_OK)
        return;
    sz_arena_mark mark = sz_arena_get_mark(g->arena);
    sz_graph inner = *g;
    inner.last = NULL;
    inner.spare = NULL;
    sz_tensor *x = sz_tensor_new(&inner, c->x->n_rows, c->x->n_cols);
    if (x) {
        memcpy(x->data, c->x->data, sz_count(x) * sizeof(float));
        x->grad = c->x->grad; /* sums go where they belong */
        x->learns = true;
        x->keeps = true;
    }
    sz_tensor *y = x ? c->fn(&inner, c->context, x) : NULL;
    if (y && inner.status == SZ_OK && y->learns) {
        if (y->grad)
            sz_accumulate(g, y->grad, out->grad, sz_count(y));
        else
            y->grad = out->grad;
        y->keeps = true;
        sz_graph_backward(&inner, y);
    }
    g->status = inner.status;
    g->peak = inner.peak;
    sz_arena_rewind(g->arena, mark);
}

sz_tensor *sz_checkpoint(sz_graph *g, sz_checkpoint_fn fn, void *context, sz_tensor *x) {
    if (g->status != SZ_OK)
        return NULL;
    if (g->mode == SZ_RUN)
        return fn(g, context, x);
    /* The output's shape is known only after a run: run once, note the shape, settle in front. */
    sz_graph run = *g;
    run.mode = SZ_RUN;
    sz_arena_mark mark = sz_arena_get_mark(g->arena);
    sz_tensor *copy = sz_tensor_new(&run, x->n_rows, x->n_cols), *y = NULL;
    if (copy) {
        memcpy(copy->data, x->data, sz_count(x) * sizeof(float));
        y = fn(&run, context, copy);
    }
    g->status = run.status;
    g->peak = run.peak;
    if (!y)
        return NULL;
    size_t n_rows = y->n_rows, n_cols = y->n_cols;
    float *kept = sz_alloc(n_rows * n_cols * sizeof *kept);
    if (!kept)
        return sz_graph_fail(g, sz_fail(SZ_E_NOMEM, "no memory for a checkpoint"));
    memcpy(kept, y->data, n_rows * n_cols * sizeof *kept);
    sz_arena_rewind(g->arena, mark);
    sz_tensor *out = sz_tensor_new(g, n_rows, n_cols);
    if (out)
        memcpy(out->data, kept, n_rows * n_cols * sizeof *kept);
    sz_free(kept);
    /* Parameters inside fn learn even where x does not. */
    checkpoint c = {fn, context, x};
    sz_tensor always = {.learns = true};
    sz_tape_push(g, out, (sz_tensor *[]){&always}, 1, back_checkpoint, &c, sizeof c);
    return out;
}
