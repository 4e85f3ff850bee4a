/* multiply.c: products of repacked matrices with rows of activations, spread over the pool. */
#include "matrix.h"

#include <stdatomic.h>
#include <string.h>

enum {
    MANY_TOKENS = 56,            /* from here on panels are expanded, once for all tiles */
    EXPANDED_BYTES = 192 * 1024, /* of them at a time: they stay in the cache while tiles pass */
    MOST_EXPANDED = 16,
};

typedef struct multiply_job {
    const sz_kernels *k;
    const sz_product *products;
    const sz_activations *x;
    size_t n_products, n_panels;
    size_t n_expanded; /* panels expanded at a time; 0: none */
    char *scratch;     /* [threads][n_expanded] of panel_bytes */
    size_t panel_bytes;
} multiply_job;

/* Computes one tile of a panel; the last panel's missing rows are not stored. */
static void multiply_tile(const multiply_job *job, const sz_product *product, size_t panel,
                          const sz_expanded *expanded, size_t first, int width) {
    const sz_matrix *w = product->w;
    size_t row = panel * SZ_PANEL_ROWS;
    bool whole = row + SZ_PANEL_ROWS <= w->n_rows;
    float edge[SZ_TILE_MAX * SZ_PANEL_ROWS];
    float *y = whole ? product->y + first * product->stride + row : edge;
    size_t stride = whole ? product->stride : SZ_PANEL_ROWS;
    const uint8_t *data = w->data + panel * w->data_stride;
    if (!job->k->product[w->type]) {
        const float *x = job->x->x + first * job->x->stride;
        job->k->product_float(w->type, data, w->n_cols, x, job->x->stride, width, y, stride);
    } else {
        sz_tile tile = sz_activations_tile(job->x, first, width);
        sz_panel p = {data, w->scales + panel * w->scale_stride, w->n_cols};
        if (expanded)
            job->k->expanded_product[w->type](expanded, w->n_cols, &tile, width, y, stride);
        else
            job->k->product[w->type](&p, &tile, width, y, stride);
    }
    for (int t = 0; !whole && t < width; t++)
        memcpy(product->y + (first + (size_t)t) * product->stride + row, edge + t * SZ_PANEL_ROWS,
               (w->n_rows - row) * sizeof *edge);
}

static sz_expanded expand_panel(const multiply_job *job, const sz_matrix *w, size_t panel,
                                char *scratch) {
    sz_panel p = {w->data + panel * w->data_stride, w->scales + panel * w->scale_stride, w->n_cols};
    sz_expanded e = {.q = (uint8_t *)scratch};
    e.d = (float *)(scratch + w->n_cols * SZ_PANEL_ROWS);
    e.m = e.d + w->n_cols; /* [n_cols/16][16] */
    job->k->expand[w->type](&p, &e);
    return e;
}

/* Panels [first, last) of one product: few at a time, all tiles for those. */
static void multiply_panels(const multiply_job *job, const sz_product *product, size_t first,
                            size_t last, int thread) {
    bool expands = job->n_expanded && job->k->product[product->w->type];
    size_t step = expands ? job->n_expanded : 1;
    char *scratch = NULL;
    if (expands)
        scratch = job->scratch + (size_t)thread * job->n_expanded * job->panel_bytes;
    for (size_t panel = first; panel < last; panel += step) {
        sz_expanded expanded[MOST_EXPANDED];
        size_t n = last - panel < step ? last - panel : step;
        for (size_t i = 0; expands && i < n; i++)
            expanded[i] = expand_panel(job, product->w, panel + i, scratch + i * job->panel_bytes);
        for (size_t token = 0; token < job->x->n;) {
            int width = sz_tile_width(job->x->n - token);
            for (size_t i = 0; i < n; i++)
                multiply_tile(job, product, panel + i, expands ? &expanded[i] : NULL, token, width);
            token += (size_t)width;
        }
    }
}

/* The panels of all products are numbered through. */
static void multiply_piece(void *context, size_t first, size_t last, int thread) {
    const multiply_job *job = context;
    size_t before = 0;
    for (size_t i = 0; i < job->n_products; i++) {
        size_t n = job->products[i].w->n_panels;
        size_t from = first > before ? first - before : 0;
        size_t to = last > before ? last - before : 0;
        to = to < n ? to : n;
        if (from < to)
            multiply_panels(job, &job->products[i], from, to, thread);
        before += n;
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

static sz_status check_widths(const multiply_job *job) {
    for (size_t i = 0; i < job->n_products; i++)
        SZ_REQUIRE(job->x->n_cols == job->products[i].w->n_cols, SZ_E_ARG,
                   "a matrix of %zu columns times rows of %zu", job->products[i].w->n_cols,
                   job->x->n_cols);
    return SZ_OK;
}

/* Memory for the expanded panels of every thread. */
static sz_status prepare_expanding(multiply_job *job, sz_arena *arena, size_t threads) {
    size_t bytes = job->x->n_cols * (SZ_PANEL_ROWS + 2 * sizeof(float)), n;
    job->panel_bytes = (bytes + 63) / 64 * 64;
    n = EXPANDED_BYTES / job->panel_bytes;
    n = n < 1 ? 1 : n > MOST_EXPANDED ? MOST_EXPANDED : n;
    job->n_expanded = n < job->n_panels ? n : job->n_panels;
    job->scratch = sz_arena_alloc(arena, threads * job->n_expanded * job->panel_bytes);
    SZ_REQUIRE(job->scratch, SZ_E_NOMEM, "no memory for %zu expanded panels",
               threads * job->n_expanded);
    return SZ_OK;
}

sz_status sz_matrix_multiply_all(const sz_kernels *k, sz_pool *pool, sz_arena *arena,
                                 const sz_product *products, size_t n, sz_activations *x) {
    multiply_job job = {.k = k, .products = products, .n_products = n, .x = x};
    bool integer = false, many = x->n >= MANY_TOKENS;
    SZ_TRY(check_widths(&job));
    for (size_t i = 0; i < n; i++) {
        job.n_panels += products[i].w->n_panels;
        integer |= k->product[products[i].w->type] != NULL;
        count_product(k->isa);
    }
    if (integer)
        SZ_TRY(sz_activations_quantize(k, pool, arena, x));
    sz_arena_mark mark = sz_arena_get_mark(arena);
    if (integer && many)
        SZ_TRY(prepare_expanding(&job, arena, (size_t)sz_pool_threads(pool)));
    sz_pool_share(pool, multiply_piece, &job, job.n_panels);
    sz_arena_rewind(arena, mark);
    return SZ_OK;
}

sz_status sz_matrix_multiply(const sz_kernels *k, sz_pool *pool, sz_arena *arena,
                             const sz_matrix *w, sz_activations *x, float *y, size_t stride) {
    sz_product product = {w, y, stride};
    return sz_matrix_multiply_all(k, pool, arena, &product, 1, x);
}
