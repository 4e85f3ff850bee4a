/* attention.c: softmax(q k^T) v over whole sequences, with its gradient. Scores are computed block
 * by block of queries and never kept: the backward pass computes them again from the row's
 * normaliser. (Running a model against a cache: model/attend.c.) */
#include "graph.h"

#include <math.h>
#include <string.h>

#include "num/gemm.h"

enum { BLOCK = 64 /* queries */ };

typedef struct attention_args {
    sz_graph *g;
    sz_tensor *q, *k, *v, *out;
    sz_attention_shape s;
    size_t n_batch;
    float *lse;     /* [rows of q][n_head]: ln sum exp of the scores; -infinity: no key is seen */
    float *scratch; /* per thread: two blocks of scores, then that of a product */
    size_t scratch_floats;
} attention_args;

/* A block of queries of one head and the keys that any of them sees. */
typedef struct queries {
    size_t row, n, head;            /* rows of q */
    size_t key_row, keys;           /* rows of k */
    size_t low[BLOCK], high[BLOCK]; /* seen by each query: [low, high) counted from key_row */
} queries;

static void find_keys(const attention_args *a, size_t batch, size_t first, queries *q) {
    const sz_attention_shape *s = &a->s;
    size_t least = s->length_kv, most = 0;
    for (size_t i = 0; i < q->n; i++) {
        size_t place = first + i + s->length_kv - s->length; /* the last rows meet */
        size_t high = s->causal ? place + 1 : s->length_kv, low = 0;
        if (s->window && place + 1 > s->window)
            low = place + 1 - s->window;
        if (s->first && s->first[q->row + i] > low)
            low = s->first[q->row + i];
        q->low[i] = low < high ? low : high;
        q->high[i] = high;
        least = q->low[i] < least ? q->low[i] : least;
        most = high > most ? high : most;
    }
    for (size_t i = 0; i < q->n; i++) {
        q->low[i] -= least;
        q->high[i] -= least;
    }
    q->key_row = batch * s->length_kv + least;
    q->keys = most - least;
}

static sz_matrix_view rows_of(const float *data, const sz_tensor *t, size_t row, size_t column) {
    return (sz_matrix_view){data + row * t->n_cols + column, t->n_cols, 1};
}
static sz_matrix_view turned(sz_matrix_view v) {
    return (sz_matrix_view){v.at, v.col, v.row};
}

static void multiply(const attention_args *a, float *scratch, size_t n_rows, size_t n_cols,
                     size_t depth, sz_matrix_view x, sz_matrix_view y, float *c, size_t stride,
                     bool add) {
    sz_gemm p = {n_rows, n_cols, depth, x, y, c, stride, add};
    sz_gemm_alone(a->g->kernels, scratch + 2 * BLOCK * a->s.length_kv, &p);
}

/* p [n][keys]: scores of a block, scaled. */
static void score(const attention_args *a, const queries *q, float *p) {
    size_t dim = a->s.head_dim, column = q->head / (a->s.n_head / a->s.n_head_kv) * dim;
    multiply(a, p, q->n, q->keys, dim, rows_of(a->q->data, a->q, q->row, q->head * dim),
             turned(rows_of(a->k->data, a->k, q->key_row, column)), p, q->keys, false);
    if (q->keys)
        a->g->kernels->scale(p, a->s.scale, q->n * q->keys, p);
}

/* Scores of one query become exp(s - shift) where it sees, zero elsewhere. */
static void weigh(const attention_args *a, float *p, size_t low, size_t high, size_t keys,
                  float shift) {
    memset(p, 0, low * sizeof *p);
    memset(p + high, 0, (keys - high) * sizeof *p);
    for (size_t j = low; j < high; j++)
        p[j] -= shift;
    if (low < high)
        a->g->kernels->exp(p + low, high - low, p + low);
}

static void softmax_block(const attention_args *a, const queries *q, float *p) {
    for (size_t i = 0; i < q->n; i++, p += q->keys) {
        size_t low = q->low[i], high = q->high[i];
        float most = -INFINITY, *lse = &a->lse[(q->row + i) * a->s.n_head + q->head];
        for (size_t j = low; j < high; j++)
            most = p[j] > most || p[j] != p[j] ? p[j] : most;
        weigh(a, p, low, high, q->keys, most);
        *lse = -INFINITY;
        if (low == high)
            continue;
        float sum = a->g->kernels->sum(p + low, high - low);
        a->g->kernels->scale(p + low, 1.0f / sum, high - low, p + low);
        *lse = most + (float)sz_log((double)sum);
    }
}

/* Each block of queries of one sequence and one head of k and v. */
static void each_block(const attention_args *a, size_t task, int thread,
                       void (*fn)(const attention_args *a, const queries *q, float *scratch)) {
    size_t group = a->s.n_head / a->s.n_head_kv, batch = task / a->s.n_head_kv;
    float *scratch = a->scratch + (size_t)thread * a->scratch_floats;
    queries q;
    for (size_t h = 0; h < group; h++)
        for (size_t first = 0; first < a->s.length; first += BLOCK) {
            q.head = task % a->s.n_head_kv * group + h;
            q.row = batch * a->s.length + first;
            q.n = a->s.length - first < BLOCK ? a->s.length - first : BLOCK;
            find_keys(a, batch, first, &q);
            fn(a, &q, scratch);
        }
}

static void forward_block(const attention_args *a, const queries *q, float *p) {
    size_t dim = a->s.head_dim, column = q->head / (a->s.n_head / a->s.n_head_kv) * dim;
    score(a, q, p);
    softmax_block(a, q, p);
    multiply(a, p, q->n, dim, q->keys, (sz_matrix_view){p, q->keys, 1},
             rows_of(a->v->data, a->v, q->key_row, column), sz_row(a->out, q->row) + q->head * dim,
             a->out->n_cols, false);
}

/* p: probabilities again; d: dP, then dS = P (dP - sum P dP) scale. */
static void score_gradients(const attention_args *a, const queries *q, float *p, float *d) {
    size_t dim = a->s.head_dim, column = q->head / (a->s.n_head / a->s.n_head_kv) * dim;
    score(a, q, p);
    multiply(a, p, q->n, q->keys, dim, rows_of(a->out->grad, a->out, q->row, q->head * dim),
             turned(rows_of(a->v->data, a->v, q->key_row, column)), d, q->keys, false);
    for (size_t i = 0; i < q->n; i++) {
        float *pi = p + i * q->keys, *di = d + i * q->keys;
        size_t at = (q->row + i) * a->out->n_cols + q->head * dim;
        weigh(a, pi, q->low[i], q->high[i], q->keys, a->lse[(q->row + i) * a->s.n_head + q->head]);
        float mean = a->g->kernels->dot(a->out->data + at, a->out->grad + at, dim);
        for (size_t j = 0; j < q->keys; j++)
            di[j] = pi[j] * (di[j] - mean) * a->s.scale;
    }
}

static void backward_block(const attention_args *a, const queries *q, float *p) {
    size_t dim = a->s.head_dim, column = q->head / (a->s.n_head / a->s.n_head_kv) * dim;
    float *d = p + BLOCK * a->s.length_kv;
    sz_matrix_view weights = {p, q->keys, 1}, slopes = {d, q->keys, 1};
    score_gradients(a, q, p, d);
    if (a->v->grad)
        multiply(a, p, q->keys, dim, q->n, turned(weights),
                 rows_of(a->out->grad, a->out, q->row, q->head * dim),
                 sz_grad_row(a->v, q->key_row) + column, a->v->n_cols, true);
    if (a->q->grad)
        multiply(a, p, q->n, dim, q->keys, slopes, rows_of(a->k->data, a->k, q->key_row, column),
                 sz_grad_row(a->q, q->row) + q->head * dim, a->q->n_cols, true);
    if (a->k->grad)
        multiply(a, p, q->keys, dim, q->n, turned(slopes),
                 rows_of(a->q->data, a->q, q->row, q->head * dim),
                 sz_grad_row(a->k, q->key_row) + column, a->k->n_cols, true);
}

static void forward_task(void *context, size_t task, int thread) {
    each_block(context, task, thread, forward_block);
}
static void backward_task(void *context, size_t task, int thread) {
    each_block(context, task, thread, backward_block);
}

static void run_tasks(sz_graph *g, attention_args *a, sz_task_fn task) {
    size_t threads = (size_t)sz_pool_threads(g->pool);
    sz_arena_mark mark = sz_arena_get_mark(g->arena);
    a->scratch_floats = 2 * BLOCK * a->s.length_kv + sz_gemm_scratch();
    a->scratch_floats = (a->scratch_floats + 15) / 16 * 16;
    a->scratch = sz_arena_alloc(g->arena, threads * a->scratch_floats * sizeof(float));
    if (a->scratch)
        sz_pool_run(g->pool, task, a, a->n_batch * a->s.n_head_kv);
    else
        sz_graph_fail(g,
                      sz_fail(SZ_E_NOMEM, "no memory for attention over %zu keys", a->s.length_kv));
    sz_arena_rewind(g->arena, mark);
}

static void back_attention(sz_graph *g, sz_tensor *out, void *args) {
    attention_args *a = args;
    a->g = g;
    sz_grad(g, a->q);
    sz_grad(g, a->k);
    sz_grad(g, a->v);
    if (g->status == SZ_OK)
        run_tasks(g, a, backward_task);
}

static const char *misfit(const sz_tensor *q, const sz_tensor *k, const sz_tensor *v,
                          const sz_attention_shape *s) {
    if (!s->n_head || !s->n_head_kv || !s->head_dim || s->n_head % s->n_head_kv)
        return "the heads of keys do not divide those of queries";
    if (!s->length || s->length > s->length_kv)
        return "a sequence of queries must be as long as that of keys, or shorter";
    if (q->n_cols != s->n_head * s->head_dim || k->n_cols != s->n_head_kv * s->head_dim)
        return "the columns are not heads times head_dim";
    if (q->n_rows % s->length || k->n_rows != q->n_rows / s->length * s->length_kv)
        return "the rows are not whole sequences";
    return k->n_rows == v->n_rows && k->n_cols == v->n_cols ? NULL : "keys and values differ";
}

sz_tensor *sz_attention(sz_graph *g, sz_tensor *q, sz_tensor *k, sz_tensor *v,
                        const sz_attention_shape *shape) {
    if (g->status != SZ_OK)
        return NULL;
    const char *wrong = misfit(q, k, v, shape);
    if (wrong)
        return sz_graph_fail(g, sz_fail(SZ_E_ARG, "attention of %zu x %zu over %zu x %zu: %s",
                                        q->n_rows, q->n_cols, k->n_rows, k->n_cols, wrong));
    attention_args a = {.g = g, .q = q, .k = k, .v = v, .s = *shape};
    a.n_batch = q->n_rows / shape->length;
    a.out = sz_tensor_new(g, q->n_rows, q->n_cols);
    a.lse = sz_arena_alloc(g->arena, (q->n_rows * shape->n_head + 1) * sizeof *a.lse);
    if (!a.out || !a.lse)
        return sz_graph_fail(g, sz_fail(SZ_E_NOMEM, "no memory for attention"));
    run_tasks(g, &a, forward_task);
    SZ_TAPE(g, a.out, back_attention, &a, q, k, v);
    return g->status == SZ_OK ? a.out : NULL;
}
