/* matrix.c: quantised activations, and rows of repacked matrices. */
#include "matrix.h"

#include <string.h>

/* ---- Quantised activations: tiles of 8, then 4, 2, 1 --------------------------------------- */

int sz_tile_width(size_t left) {
    return left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

enum { WORTH_A_ROUND = 4096 };     /* floats of one tile that all threads quantise together */
enum { GROUP_BYTES = 32 + 7 * 4 }; /* q, then d, dsum32, dsum16 [2], sum32, sum16 [2] */

/* Whole cache lines, so that every tile is aligned. */
static size_t token_bytes(size_t n_cols) {
    size_t groups = n_cols / 32;
    size_t bytes = (groups + sz_most_second(groups)) * GROUP_BYTES + groups;
    return (bytes + 64 + 63) / 64 * 64;
}

static sz_digits digits_at(char *p, size_t groups) {
    float *d = (float *)(p + groups * 32);
    int32_t *sum = (int32_t *)(d + 4 * groups);
    return (sz_digits){(int8_t *)p, d, d + groups, d + 2 * groups, sum, sum + groups};
}

sz_tile sz_activations_tile(const sz_activations *a, size_t first, int width) {
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
    const sz_activations *a;
    sz_tile tile; /* where there is only one */
} quantize_job;

static void quantize_tiles(void *context, size_t task, int thread) {
    const quantize_job *job = context;
    const sz_activations *a = job->a;
    size_t first = task * SZ_TILE_MAX, groups = a->n_cols / 32;
    size_t last = first + SZ_TILE_MAX < a->n ? first + SZ_TILE_MAX : a->n;
    while (first < last) {
        int width = sz_tile_width(last - first);
        sz_tile tile = sz_activations_tile(a, first, width);
        const float *x = a->x + first * a->stride;
        job->k->quantize_first(x, a->stride, width, 0, groups, &tile);
        job->k->quantize_second(x, a->stride, width, groups, &tile);
        first += (size_t)width;
    }
}

static void quantize_groups(void *context, size_t first, size_t last, int thread) {
    const quantize_job *job = context;
    const sz_activations *a = job->a;
    job->k->quantize_first(a->x, a->stride, (int)a->n, first, last, &job->tile);
}

sz_status sz_activations_quantize(const sz_kernels *k, sz_pool *pool, sz_arena *arena,
                                  sz_activations *a) {
    if (a->quantized)
        return SZ_OK;
    a->quantized = sz_arena_alloc(arena, a->n * token_bytes(a->n_cols));
    SZ_REQUIRE(a->quantized, SZ_E_NOMEM, "no memory to quantise %zu activations", a->n);
    quantize_job job = {.k = k, .a = a};
    if (a->n == (size_t)sz_tile_width(a->n) && a->n * a->n_cols >= WORTH_A_ROUND) {
        job.tile = sz_activations_tile(a, 0, (int)a->n);
        sz_pool_share(pool, quantize_groups, &job, a->n_cols / 32);
        k->quantize_second(a->x, a->stride, (int)a->n, a->n_cols / 32, &job.tile);
    } else {
        sz_pool_run(pool, quantize_tiles, &job, (a->n + SZ_TILE_MAX - 1) / SZ_TILE_MAX);
    }
    return SZ_OK;
}

/* ---- Single rows ----------------------------------------------------------------------------- */

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
