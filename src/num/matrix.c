/* matrix.c: products of a repacked matrix with rows of activations, spread over the pool. */
#include "matrix.h"

#include <stdatomic.h>
#include <string.h>

enum { MANY_TOKENS = 16 }; /* from here on a panel is expanded once for all tiles */

/* ---- Quantised activations: tiles of 8, then 4, 2, 1 --------------------------------------- */

static int tile_width(size_t left) {
    return left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

enum { GROUP_BYTES = 32 + 7 * 4 }; /* q, then d, dsum32, dsum16 [2], sum32, sum16 [2] */

static size_t token_bytes(size_t n_cols) {
    size_t groups = n_cols / 32;
    return (groups + sz_most_second(groups)) * GROUP_BYTES + groups + 64;
}

static sz_digits digits_at(char *p, size_t groups) {
    float *d = (float *)(p + groups * 32);
    int32_t *sum = (int32_t *)(d + 4 * groups);
    return (sz_digits){(int8_t *)p, d, d + groups, d + 2 * groups, sum, sum + groups};
}

static sz_tile tile_view(const sz_activations *a, size_t first, int width) {
    size_t row = a->n_cols / 32, groups = row * (size_t)width;
    size_t second = sz_most_second(row) * (size_t)width;
    char *p = (char *)a->quantized + first * token_bytes(a->n_cols);
    sz_tile t = {.first = digits_at(p, groups)};
    p += groups * GROUP_BYTES;
    t.second = digits_at(p, second);
    t.more = (uint8_t *)(p + second * GROUP_BYTES);
    return t;
}

typedef struct quantize_job {
    const sz_kernels *k;
    sz_activations *a;
} quantize_job;

static void quantize_tile(void *context, size_t task, int thread) {
    const quantize_job *job = context;
    const sz_activations *a = job->a;
    size_t first = task * SZ_TILE_MAX,
           last = first + SZ_TILE_MAX < a->n ? first + SZ_TILE_MAX : a->n;
    while (first < last) {
        int width = tile_width(last - first);
        sz_tile t = tile_view(a, first, width);
        job->k->quantize(a->x + first * a->stride, a->stride, width, a->n_cols, &t);
        first += (size_t)width;
    }
}

sz_status sz_activations_quantize(const sz_kernels *k, sz_pool *pool, sz_arena *arena,
                                  sz_activations *a) {
    if (a->quantized)
        return SZ_OK;
    a->quantized = sz_arena_alloc(arena, a->n * token_bytes(a->n_cols));
    SZ_REQUIRE(a->quantized, SZ_E_NOMEM, "no memory to quantise %zu activations", a->n);
    quantize_job job = {k, a};
    sz_pool_run(pool, quantize_tile, &job, (a->n + SZ_TILE_MAX - 1) / SZ_TILE_MAX);
    return SZ_OK;
}

/* ---- Single rows -------------------------------------------------------------------------------
 */

void sz_matrix_decode_row(const sz_kernels *k, const sz_matrix *m, size_t row, float *out) {
    size_t panel = row / SZ_PANEL_ROWS, lane = row % SZ_PANEL_ROWS;
    const uint8_t *data = m->data + panel * m->data_stride;
    const sz_type_info *info = sz_type_get(m->type);
    if (k->decode_row[m->type]) {
        sz_panel p = {data, m->scales + panel * m->scale_stride, m->n_cols};
        k->decode_row[m->type](&p, (int)lane, out);
        return;
    }
    for (size_t i = 0; i < m->n_cols; i++) /* floats, one column of 16 rows after the other */
        info->dequantize(data + (i * SZ_PANEL_ROWS + lane) * info->block_bytes, out + i, 1);
}

/* ---- Products ----------------------------------------------------------------------------------
 */

typedef struct multiply_job {
    const sz_kernels *k;
    const sz_matrix *w;
    const sz_activations *x;
    float *y;
    size_t stride, panels_per_task;
    char *scratch; /* per thread, for expanded panels */
    size_t scratch_bytes;
} multiply_job;

/* Computes one tile of a panel; the last panel's missing rows are not stored. */
static void panel_tile(const multiply_job *job, size_t panel, const sz_expanded *expanded,
                       size_t first, int width) {
    const sz_matrix *w = job->w;
    size_t row = panel * SZ_PANEL_ROWS;
    bool whole = row + SZ_PANEL_ROWS <= w->n_rows;
    float edge[SZ_TILE_MAX * SZ_PANEL_ROWS];
    float *y = whole ? job->y + first * job->stride + row : edge;
    size_t stride = whole ? job->stride : SZ_PANEL_ROWS;
    const uint8_t *data = w->data + panel * w->data_stride;
    if (!job->k->product[w->type]) {
        const float *x = job->x->x + first * job->x->stride;
        job->k->product_float(w->type, data, w->n_cols, x, job->x->stride, width, y, stride);
    } else {
        sz_tile tile = tile_view(job->x, first, width);
        sz_panel p = {data, w->scales + panel * w->scale_stride, w->n_cols};
        if (expanded)
            job->k->expanded_product[w->type](expanded, w->n_cols, &tile, width, y, stride);
        else
            job->k->product[w->type](&p, &tile, width, y, stride);
    }
    for (int t = 0; !whole && t < width; t++)
        memcpy(job->y + (first + (size_t)t) * job->stride + row, edge + t * SZ_PANEL_ROWS,
               (w->n_rows - row) * sizeof *edge);
}

static void multiply_panels(void *context, size_t task, int thread) {
    const multiply_job *job = context;
    const sz_matrix *w = job->w;
    size_t end = (task + 1) * job->panels_per_task;
    end = end < w->n_panels ? end : w->n_panels;
    for (size_t panel = task * job->panels_per_task; panel < end; panel++) {
        sz_expanded e, *expanded = NULL;
        if (job->scratch) {
            char *scratch = job->scratch + (size_t)thread * job->scratch_bytes;
            e.q = (uint8_t *)scratch;
            e.d = (float *)(scratch + w->n_cols * SZ_PANEL_ROWS);
            e.m = e.d + w->n_cols; /* [n_cols/16][16] */
            sz_panel p = {w->data + panel * w->data_stride, w->scales + panel * w->scale_stride,
                          w->n_cols};
            job->k->expand[w->type](&p, &e);
            expanded = &e;
        }
        for (size_t first = 0; first < job->x->n;) {
            int width = tile_width(job->x->n - first);
            panel_tile(job, panel, expanded, first, width);
            first += (size_t)width;
        }
    }
}

/* Products computed with each instruction set, so that tests can show which kernels ran. */
static struct {
    const char *_Atomic isa;
    _Atomic uint64_t n;
} counters[4];

static void count_product(const char *isa) {
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        const char *none = NULL;
        atomic_compare_exchange_strong(&counters[i].isa, &none, isa);
        if (none == NULL || none == isa) {
            atomic_fetch_add_explicit(&counters[i].n, 1, memory_order_relaxed);
            return;
        }
    }
}

uint64_t sz_isa_products(const char *isa) {
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        const char *name = atomic_load(&counters[i].isa);
        if (name && strcmp(name, isa) == 0)
            return atomic_load(&counters[i].n);
    }
    return 0;
}

sz_status sz_matrix_multiply(const sz_kernels *k, sz_pool *pool, sz_arena *arena,
                             const sz_matrix *w, sz_activations *x, float *y, size_t stride) {
    SZ_REQUIRE(x->n_cols == w->n_cols, SZ_E_ARG, "a matrix of %zu columns times rows of %zu",
               w->n_cols, x->n_cols);
    multiply_job job = {.k = k, .w = w, .x = x, .y = y, .stride = stride};
    size_t threads = (size_t)sz_pool_threads(pool);
    bool integer = k->product[w->type] != NULL;
    if (integer)
        SZ_TRY(sz_activations_quantize(k, pool, arena, x));
    sz_arena_mark mark = sz_arena_get_mark(arena);
    if (integer && x->n >= MANY_TOKENS) {
        job.scratch_bytes = w->n_cols * (SZ_PANEL_ROWS + 2 * sizeof(float));
        job.scratch_bytes = (job.scratch_bytes + 63) / 64 * 64;
        job.scratch = sz_arena_alloc(arena, threads * job.scratch_bytes);
        SZ_REQUIRE(job.scratch, SZ_E_NOMEM, "no memory for %zu expanded panels", threads);
    }
    size_t tasks = threads == 1 ? 1 : threads * (x->n >= MANY_TOKENS ? 16 : 4);
    job.panels_per_task = (w->n_panels + tasks - 1) / tasks;
    count_product(k->isa);
    sz_pool_run(pool, multiply_panels, &job,
                (w->n_panels + job.panels_per_task - 1) / job.panels_per_task);
    sz_arena_rewind(arena, mark);
    return SZ_OK;
}
