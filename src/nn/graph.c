/* graph.c: the state that operators share, and how work on rows is spread. */
#include "graph.h"

#include <stdio.h>
#include <string.h>

enum { WORTH_A_TASK = 16384 }; /* elements below which waking a thread costs more than it saves */

void sz_graph_begin(sz_graph *g, sz_runtime *rt, sz_arena *arena, sz_graph_mode mode) {
    *g = (sz_graph){.rt = rt,
                    .kernels = sz_runtime_kernels(rt),
                    .pool = sz_runtime_pool(rt),
                    .arena = arena,
                    .status = SZ_OK,
                    .mode = mode};
}

uint64_t sz_meter_start(const sz_graph *g) {
    return g->meter ? sz_time_ns() : 0;
}

void sz_meter_stop(const sz_graph *g, uint64_t start, sz_operator_cost cost) {
    if (!g->meter || g->status != SZ_OK)
        return;
    cost.ns = sz_time_ns() - start;
    g->meter(g->meter_user, &cost);
}

void sz_meter_stop_rows(const sz_graph *g, uint64_t start, const char *name, size_t n_floats) {
    sz_operator_cost cost = {.kind = SZ_OPERATOR_ROWS, .bytes = n_floats * sizeof(float)};
    snprintf(cost.name, sizeof cost.name, "%s", name);
    sz_meter_stop(g, start, cost);
}

void *sz_graph_fail(sz_graph *g, sz_status status) {
    if (g->status == SZ_OK)
        g->status = status;
    return NULL;
}

sz_tensor *sz_tensor_new(sz_graph *g, size_t n_rows, size_t n_cols) {
    if (g->status != SZ_OK)
        return NULL;
    size_t bytes;
    sz_tensor *t = sz_arena_alloc_small(g->arena, sizeof *t);
    float *data = NULL;
    if (t && !__builtin_mul_overflow(n_rows, n_cols * sizeof(float), &bytes))
        data = sz_arena_alloc(g->arena, bytes ? bytes : sizeof(float));
    if (!data)
        return sz_graph_fail(
            g, sz_fail(SZ_E_NOMEM, "no memory for a tensor of %zu x %zu", n_rows, n_cols));
    *t = sz_tensor_of(data, NULL, n_rows, n_cols);
    sz_graph_count(g, bytes);
    return t;
}

sz_tensor sz_tensor_of(float *data, float *grad, size_t n_rows, size_t n_cols) {
    return (sz_tensor){data, n_rows, n_cols, grad, grad != NULL, grad != NULL, NULL};
}

void sz_graph_count(sz_graph *g, size_t bytes) {
    g->bytes += bytes;
    g->peak = g->bytes > g->peak ? g->bytes : g->peak;
}

size_t sz_graph_bytes(const sz_graph *g) {
    return g->peak;
}

sz_tensor *sz_tensor_in_place(sz_graph *g, sz_tensor *x) {
    if (g->status != SZ_OK)
        return NULL;
    return g->mode == SZ_RECORD ? sz_tensor_new(g, x->n_rows, x->n_cols) : x;
}

bool sz_same_shape(sz_graph *g, const sz_tensor *a, const sz_tensor *b) {
    if (g->status == SZ_OK && (a->n_rows != b->n_rows || a->n_cols != b->n_cols))
        sz_graph_fail(g, sz_fail(SZ_E_ARG, "shapes %zu x %zu and %zu x %zu differ", a->n_rows,
                                 a->n_cols, b->n_rows, b->n_cols));
    return g->status == SZ_OK;
}

sz_tensor *sz_graph_settle(sz_graph *g, sz_arena_mark mark, sz_tensor *x, sz_tensor *y) {
    if (g->mode == SZ_RECORD)
        return y;
    if (y) {
        uint64_t start = sz_meter_start(g);
        memcpy(x->data, y->data, sz_count(y) * sizeof(float));
        sz_meter_stop_rows(g, start, "copy", 2 * sz_count(y));
        x->n_rows = y->n_rows;
        x->digits = NULL;
    }
    sz_arena_rewind(g->arena, mark);
    return y ? x : NULL;
}

typedef struct rows_job {
    sz_rows_fn fn;
    void *context;
    size_t n, per_task;
} rows_job;

static void run_rows(void *context, size_t task, int thread) {
    const rows_job *job = context;
    size_t first = task * job->per_task, last = first + job->per_task;
    job->fn(job->context, first, last < job->n ? last : job->n);
}

void sz_graph_rows(sz_graph *g, size_t n, size_t cost_per_row, sz_rows_fn fn, void *context) {
    size_t threads = (size_t)sz_pool_threads(g->pool);
    if (n == 0)
        return;
    if (threads == 1 || n == 1 || n * cost_per_row < WORTH_A_TASK) {
        fn(context, 0, n);
        return;
    }
    size_t tasks = n < threads * 4 ? n : threads * 4;
    rows_job job = {fn, context, n, (n + tasks - 1) / tasks};
    sz_pool_run(g->pool, run_rows, &job, (n + job.per_task - 1) / job.per_task);
}

void sz_operator_rows(sz_graph *g, const char *name, size_t n_floats, size_t n, size_t cost_per_row,
                      sz_rows_fn fn, void *context) {
    uint64_t start = sz_meter_start(g);
    sz_graph_rows(g, n, cost_per_row, fn, context);
    sz_meter_stop_rows(g, start, name, n_floats);
}
