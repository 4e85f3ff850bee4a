/* gemm.c: blocks of both factors are copied into panels that a tile reads in order (Goto and van de
 * Geijn 2008): a panel of b stays in the first cache, a block of a and a group of panels of b in
 * the second. */
#include "gemm.h"

#include <string.h>

enum {
    DEPTH = 256,     /* of a block */
    ROWS = 112,      /* of a block of a, about */
    GROUP = 512,     /* columns of a task */
    STRIP = 16,      /* of the depth, when rows become columns */
    WIDTH = 4096,    /* columns of b that are packed at once */
    ALONE = 1 << 17, /* multiplications below which waking a thread costs more than it saves */
};

typedef struct block { /* one step of a product */
    const sz_kernels *k;
    const sz_gemm *p;
    size_t first_col, n_cols, first_k, depth;
    size_t rows;                /* of a task */
    float *packed_b, *packed_a; /* packed_a: one per thread */
} block;

static size_t round_up(size_t n, size_t to) {
    return (n + to - 1) / to * to;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* `width` lines (rows of a, columns of b) from `first` as [depth][width], missing ones zero. */
static void pack_panel(const float *at, size_t line, size_t step, size_t n_lines, size_t width,
                       size_t depth, float *out) {
    if (line == 1 && n_lines == width) {
        for (size_t k = 0; k < depth; k++)
            memcpy(out + k * width, at + k * step, width * sizeof *out);
        return;
    }
    if (n_lines < width)
        memset(out, 0, depth * width * sizeof *out);
    for (size_t first = 0; first < depth; first += STRIP) /* what is written stays in the cache */
        for (size_t i = 0; i < n_lines; i++)
            for (size_t k = first; k < depth && k < first + STRIP; k++)
                out[k * width + i] = at[i * line + k * step];
}

static void pack_b(void *context, size_t panel, int thread) {
    const block *b = context;
    size_t width = (size_t)b->k->gemm_cols, first = panel * width;
    const sz_matrix_view *v = &b->p->b;
    pack_panel(v->at + b->first_k * v->row + (b->first_col + first) * v->col, v->col, v->row,
               smaller(width, b->n_cols - first), width, b->depth, b->packed_b + first * b->depth);
}

/* A tile that sticks out of the matrix is computed beside it. */
static void edge_tile(const block *b, const float *pa, const float *pb, float *c, size_t n_rows,
                      size_t n_cols, bool add) {
    _Alignas(64) float tile[SZ_GEMM_ROWS * SZ_GEMM_COLS] = {0};
    size_t width = (size_t)b->k->gemm_cols, stride = b->p->c_stride;
    for (size_t i = 0; add && i < n_rows; i++)
        memcpy(tile + i * width, c + i * stride, n_cols * sizeof *c);
    b->k->gemm_tile(pa, pb, b->depth, tile, width, add);
    for (size_t i = 0; i < n_rows; i++)
        memcpy(c + i * stride, tile + i * width, n_cols * sizeof *c);
}

/* Rows of a from `first_row`, packed in pa, times the packed columns [first, last) of b. */
static void multiply_block(const block *b, const float *pa, size_t first_row, size_t n_rows,
                           size_t first, size_t last) {
    size_t height = (size_t)b->k->gemm_rows, width = (size_t)b->k->gemm_cols;
    bool add = b->p->add || b->first_k > 0;
    for (size_t j = first; j < last; j += width)
        for (size_t i = 0; i < n_rows; i += height) {
            const float *a = pa + i * b->depth, *pb = b->packed_b + j * b->depth;
            float *c = b->p->c + (first_row + i) * b->p->c_stride + b->first_col + j;
            size_t rows = smaller(height, n_rows - i), cols = smaller(width, b->n_cols - j);
            if (rows == height && cols == width)
                b->k->gemm_tile(a, pb, b->depth, c, b->p->c_stride, add);
            else
                edge_tile(b, a, pb, c, rows, cols, add);
        }
}

static void pack_a(const block *b, size_t first_row, size_t n_rows, float *out) {
    size_t height = (size_t)b->k->gemm_rows;
    const sz_matrix_view *v = &b->p->a;
    for (size_t i = 0; i < n_rows; i += height)
        pack_panel(v->at + (first_row + i) * v->row + b->first_k * v->col, v->row, v->col,
                   smaller(height, n_rows - i), height, b->depth, out + i * b->depth);
}

static void run_task(void *context, size_t task, int thread) {
    const block *b = context;
    size_t groups = (b->n_cols + GROUP - 1) / GROUP, first = task % groups * GROUP;
    size_t row = task / groups * b->rows, n_rows = smaller(b->rows, b->p->n_rows - row);
    float *pa = b->packed_a + (size_t)thread * (ROWS + SZ_GEMM_ROWS) * DEPTH;
    pack_a(b, row, n_rows, pa);
    multiply_block(b, pa, row, n_rows, first, smaller(first + GROUP, b->n_cols));
}

static size_t rows_of_block(const sz_kernels *k) {
    return ROWS / (size_t)k->gemm_rows * (size_t)k->gemm_rows;
}

static bool is_empty(const sz_gemm *p) {
    for (size_t i = 0; p->depth == 0 && !p->add && i < p->n_rows; i++)
        memset(p->c + i * p->c_stride, 0, p->n_cols * sizeof *p->c);
    return p->n_rows == 0 || p->n_cols == 0 || p->depth == 0;
}

size_t sz_gemm_scratch(void) {
    return (GROUP + SZ_GEMM_COLS + ROWS + SZ_GEMM_ROWS) * DEPTH;
}

void sz_gemm_alone(const sz_kernels *k, float *scratch, const sz_gemm *p) {
    block b = {.k = k, .p = p, .rows = rows_of_block(k), .packed_b = scratch};
    b.packed_a = scratch + (GROUP + SZ_GEMM_COLS) * DEPTH;
    if (is_empty(p))
        return;
    for (b.first_col = 0; b.first_col < p->n_cols; b.first_col += GROUP)
        for (b.first_k = 0; b.first_k < p->depth; b.first_k += DEPTH) {
            b.n_cols = smaller(GROUP, p->n_cols - b.first_col);
            b.depth = smaller(DEPTH, p->depth - b.first_k);
            for (size_t i = 0; i * (size_t)k->gemm_cols < b.n_cols; i++)
                pack_b(&b, i, 0);
            for (size_t i = 0; i * b.rows < p->n_rows; i++)
                run_task(&b, i, 0);
        }
}

static void run_blocks(block *b, sz_pool *pool) {
    const sz_gemm *p = b->p;
    size_t width = (size_t)b->k->gemm_cols;
    for (b->first_col = 0; b->first_col < p->n_cols; b->first_col += WIDTH)
        for (b->first_k = 0; b->first_k < p->depth; b->first_k += DEPTH) {
            b->n_cols = smaller(WIDTH, p->n_cols - b->first_col);
            b->depth = smaller(DEPTH, p->depth - b->first_k);
            size_t groups = (b->n_cols + GROUP - 1) / GROUP;
            sz_pool_run(pool, pack_b, b, (b->n_cols + width - 1) / width);
            sz_pool_run(pool, run_task, b, (p->n_rows + b->rows - 1) / b->rows * groups);
        }
}

sz_status sz_gemm_run(const sz_kernels *k, sz_pool *pool, sz_arena *arena, const sz_gemm *p) {
    if (is_empty(p))
        return SZ_OK;
    sz_arena_mark mark = sz_arena_get_mark(arena);
    size_t threads = (size_t)sz_pool_threads(pool);
    bool alone = threads == 1 || (double)p->n_rows * (double)p->n_cols * (double)p->depth < ALONE;
    size_t cols = round_up(smaller(WIDTH, p->n_cols), (size_t)k->gemm_cols);
    size_t of_a = (ROWS + SZ_GEMM_ROWS) * DEPTH;
    size_t floats = alone ? sz_gemm_scratch() : cols * DEPTH + threads * of_a;
    float *scratch = sz_arena_alloc(arena, floats * sizeof *scratch);
    SZ_REQUIRE(scratch, SZ_E_NOMEM, "no memory for a product of %zu x %zu x %zu", p->n_rows,
               p->depth, p->n_cols);
    block b = {.k = k, .p = p, .rows = rows_of_block(k), .packed_b = scratch};
    b.packed_a = scratch + cols * DEPTH;
    if (alone)
        sz_gemm_alone(k, scratch, p);
    else
        run_blocks(&b, pool);
    sz_arena_rewind(arena, mark);
    return SZ_OK;
}
