/* cce_backward.c: gradients of cut cross-entropy. Logits are computed again tile by tile; tiles
 * whose entries are too small to matter are left out, if asked for (arXiv 2411.09009, gradient
 * filtering). */
#include "cce.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/fma.h"

enum { PIECE = 256 };

typedef struct backward {
    sz_cce_pass *p;
    sz_cce_gradients *out;
    float upstream;    /* per row */
    float *largest;    /* [block_rows][parts]: largest |softmax - onehot| of a row in a part */
    size_t parts;      /* of the tile, tile_columns each */
    float *d_hidden;   /* [n][dim] of the block, in the gradient itself or gathered */
    float *d_gathered; /* [block_rows][dim] */
    float *d_classes;  /* [columns][dim]: rows of the classifier's gradient, where sorted */
} backward;

typedef struct row_slope { /* dz = by_g (p - target's share) + by_p p */
    float by_g, by_p, on, off;
} row_slope;

static row_slope slope_of_row(const backward *b, size_t i, float z_target) {
    const sz_cce_pass *p = b->p;
    const sz_cce_config *c = p->config;
    float lse = p->rows->lse[p->valid[p->first + i]], s = c->label_smoothing;
    row_slope r = {b->upstream, 2 * c->z_loss * lse * b->upstream, 1 - s,
                   s / (float)p->in->n_vocab};
    if (c->comp_sum) {
        double factor = sz_comp_sum_factor((double)z_target - (double)lse, c->tau);
        r.by_g *= (float)(factor < 1e30 ? factor : 1e30);
    }
    return r;
}

/* comp-sum needs the target's logit, which may stand in another tile: one dot product. */
static float target_logit(const sz_cce_pass *p, size_t i) {
    size_t y = (size_t)p->target[p->first + i], dim = p->in->dim;
    const float *h = p->hidden + i * dim, *c = p->in->classifier + y * dim;
    float z = 0, cap = p->config->softcap;
    for (size_t k = 0; k < dim; k++)
        z = sz_fmaf(h[k], c[k], z);
    z += p->in->bias ? p->in->bias[y] : 0;
    if (cap > 0) {
        z *= 1.0f / cap;
        p->kernels->tanh(&z, 1, &z);
        z *= cap;
    }
    return z;
}

/* z becomes dz in columns [j, j + n); returns the largest |softmax - onehot|. */
static float slope_piece(const backward *b, const row_slope *r, size_t i, size_t j, size_t n) {
    const sz_cce_pass *p = b->p;
    float *z = p->z + i * p->width + j, e[PIECE], cap = p->config->softcap, largest = 0;
    float lse = p->rows->lse[p->valid[p->first + i]];
    int32_t y = p->target[p->first + i];
    for (size_t k = 0; k < n; k++)
        e[k] = z[k] - lse;
    p->kernels->exp(e, n, e);
    for (size_t k = 0; k < n; k++) {
        float hit = sz_cce_entry(p, j + k) == (size_t)y ? 1 : 0;
        float g = e[k] - hit, a = g < 0 ? -g : g;
        largest = a > largest || a != a ? a : largest;
        float d = r->by_g * (e[k] - (hit * r->on + r->off)) + r->by_p * e[k];
        z[k] = cap > 0 ? d * (1 - (z[k] / cap) * (z[k] / cap)) : d;
    }
    return largest;
}

static void slope_rows(void *context, size_t first, size_t last) {
    const backward *b = context;
    const sz_cce_pass *p = b->p;
    for (size_t i = first; i < last; i++) {
        row_slope r = slope_of_row(b, i, p->config->comp_sum ? target_logit(p, i) : 0);
        for (size_t part = 0; part * p->tile_columns < p->width; part++) {
            size_t from = part * p->tile_columns, to = from + p->tile_columns;
            float largest = 0;
            to = to < p->width ? to : p->width;
            for (size_t j = from; j < to; j += PIECE) {
                float a = slope_piece(b, &r, i, j, to - j < PIECE ? to - j : PIECE);
                largest = a > largest || a != a ? a : largest;
            }
            b->largest[i * b->parts + part] = largest;
        }
    }
}

/* Whether a tile of the filter has an entry that counts. */
static bool counts(const backward *b, size_t tile_row, size_t part) {
    const sz_cce_pass *p = b->p;
    size_t first = tile_row * p->tile_rows, last = first + p->tile_rows;
    for (size_t i = first; i < last && i < p->n; i++)
        if (!(b->largest[i * b->parts + part] < p->config->filter_eps))
            return true;
    return false;
}

/* Rows [first, last) of the block by columns [from, to) of the tile, into either gradient. */
static sz_status add_products(const backward *b, size_t first, size_t last, size_t from, size_t to,
                              bool hidden, bool classifier) {
    const sz_cce_pass *p = b->p;
    size_t dim = p->in->dim;
    const float *dz = p->z + first * p->width + from;
    sz_gemm of_hidden = {last - first,
                         dim,
                         to - from,
                         {dz, p->width, 1},
                         {p->classifier + from * dim, dim, 1},
                         b->d_hidden + first * dim,
                         dim,
                         true};
    if (b->out->hidden && hidden)
        SZ_TRY(sz_gemm_run(p->kernels, p->pool, p->arena, &of_hidden));
    if (!b->out->classifier || !classifier)
        return SZ_OK;
    float *to_classes = p->order ? b->d_classes : b->out->classifier + p->from * dim;
    sz_gemm of_classes = {to - from,
                          dim,
                          last - first,
                          {dz, 1, p->width},
                          {p->hidden + first * dim, dim, 1},
                          to_classes + from * dim,
                          dim,
                          true};
    return sz_gemm_run(p->kernels, p->pool, p->arena, &of_classes);
}

static void add_bias(const backward *b, size_t first, size_t last, size_t from, size_t to) {
    const sz_cce_pass *p = b->p;
    for (size_t i = first; b->out->bias && i < last; i++)
        for (size_t j = from; j < to; j++)
            b->out->bias[sz_cce_entry(p, j)] += p->z[i * p->width + j];
}

/* Runs of tiles in one part of the columns that count, and those that do not. */
static sz_status use_part(backward *b, size_t part) {
    const sz_cce_pass *p = b->p;
    const sz_cce_config *c = p->config;
    size_t from = part * p->tile_columns, to = from + p->tile_columns, rows = p->tile_rows;
    size_t n_tiles = (p->n + rows - 1) / rows;
    to = to < p->width ? to : p->width;
    for (size_t t = 0, end; t < n_tiles; t = end) {
        bool used = counts(b, t, part);
        for (end = t + 1; end < n_tiles && counts(b, end, part) == used; end++) {
        }
        size_t first = t * rows, last = end * rows < p->n ? end * rows : p->n;
        b->out->tiles_kept += used ? end - t : 0;
        if (used)
            add_bias(b, first, last, from, to);
        SZ_TRY(add_products(b, first, last, from, to, used || c->keep_hidden,
                            used || c->keep_classifier));
    }
    b->out->tiles += n_tiles;
    return SZ_OK;
}

/* Rows of the classifier's gradient that a sorted tile gathers and puts back. */
static void move_classes(const backward *b, bool back) {
    const sz_cce_pass *p = b->p;
    size_t dim = p->in->dim;
    for (size_t j = 0; p->order && b->out->classifier && j < p->width; j++) {
        float *row = b->out->classifier + sz_cce_entry(p, j) * dim, *own = b->d_classes + j * dim;
        memcpy(back ? row : own, back ? own : row, dim * sizeof *row);
    }
}

static sz_status use_tile(backward *b) {
    const sz_cce_pass *p = b->p;
    sz_status status = SZ_OK;
    sz_cce_each_row(p, slope_rows, b);
    move_classes(b, false);
    if (p->config->filter_eps > 0) {
        for (size_t part = 0; part * p->tile_columns < p->width && status == SZ_OK; part++)
            status = use_part(b, part);
    } else {
        size_t n = (p->width + p->tile_columns - 1) / p->tile_columns;
        b->out->tiles += n * ((p->n + p->tile_rows - 1) / p->tile_rows);
        b->out->tiles_kept = b->out->tiles;
        add_bias(b, 0, p->n, 0, p->width);
        status = add_products(b, 0, p->n, 0, p->width, true, true);
    }
    move_classes(b, true);
    return status;
}

static sz_status use_block(backward *b, size_t first) {
    sz_cce_pass *p = b->p;
    size_t dim = p->in->dim;
    sz_cce_take_rows(p, first);
    const uint32_t *row = p->valid + first;
    bool gathered = p->hidden == p->gathered;
    b->d_hidden = !b->out->hidden ? NULL : gathered ? b->d_gathered : b->out->hidden + row[0] * dim;
    for (size_t i = 0; gathered && b->out->hidden && i < p->n; i++)
        memcpy(b->d_gathered + i * dim, b->out->hidden + row[i] * dim, dim * sizeof(float));
    for (size_t from = 0; from < p->in->n_vocab; from += p->columns) {
        SZ_TRY(sz_cce_take_columns(p, from));
        SZ_TRY(use_tile(b));
    }
    for (size_t i = 0; gathered && b->out->hidden && i < p->n; i++)
        memcpy(b->out->hidden + row[i] * dim, b->d_gathered + i * dim, dim * sizeof(float));
    return SZ_OK;
}

/* eps times the largest column sum of |classifier|: what left-out tiles can be missed by. */
static double filter_bound(const sz_cce_pass *p, double of_row) {
    double most = 0;
    for (size_t k = 0; k < p->in->dim; k++) {
        double sum = 0;
        for (size_t v = 0; v < p->in->n_vocab; v++)
            sum += fabs((double)p->in->classifier[v * p->in->dim + k]);
        most = sum > most ? sum : most;
    }
    return (double)p->config->filter_eps * most * of_row;
}

/* ---- Sorting
 * -------------------------------------------------------------------------------------
 */

typedef struct ranked {
    float mean;
    uint32_t entry;
} ranked;

static int by_mean(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->mean != y->mean)
        return x->mean < y->mean ? -1 : 1;
    return x->entry < y->entry ? -1 : x->entry > y->entry;
}

static sz_status sort_vocabulary(sz_arena *arena, const float *mean, size_t n, uint32_t **out) {
    uint32_t *order = sz_arena_alloc(arena, n * sizeof *order);
    sz_arena_mark mark = sz_arena_get_mark(arena);
    ranked *r = sz_arena_alloc(arena, n * sizeof *r);
    SZ_REQUIRE(order && r, SZ_E_NOMEM, "no memory to sort %zu classes", n);
    for (size_t i = 0; i < n; i++)
        r[i] = (ranked){mean[i] == mean[i] ? mean[i] : -INFINITY, (uint32_t)i};
    qsort(r, n, sizeof *r, by_mean);
    for (size_t i = 0; i < n; i++)
        order[i] = r[i].entry;
    sz_arena_rewind(arena, mark);
    *out = order;
    return SZ_OK;
}

static sz_status take_memory(backward *b) {
    const sz_cce_pass *p = b->p;
    size_t dim = p->in->dim, rows = p->in->n < p->block_rows ? p->in->n : p->block_rows;
    b->parts = p->columns / p->tile_columns;
    b->largest = sz_arena_alloc(p->arena, rows * b->parts * sizeof(float));
    b->d_gathered = sz_arena_alloc(p->arena, rows * dim * sizeof(float));
    b->d_classes = sz_arena_alloc(p->arena, (p->order ? p->columns * dim : 1) * sizeof(float));
    SZ_REQUIRE(b->largest && b->d_gathered && b->d_classes, SZ_E_NOMEM,
               "no memory for the gradient of a loss");
    return SZ_OK;
}

sz_status sz_cce_backward(sz_runtime *rt, sz_arena *scratch, const sz_cce *in,
                          const sz_cce_config *config, const sz_cce_rows *rows, float upstream,
                          sz_cce_gradients *out) {
    sz_arena_mark before = sz_arena_get_mark(scratch), mark;
    sz_cce_pass p = {0};
    uint32_t *order = NULL;
    SZ_REQUIRE(rows && rows->lse, SZ_E_ARG, "gradients need the lse of the forward pass");
    if (config && config->sort && config->filter_eps > 0) {
        SZ_REQUIRE(rows->mean_logit, SZ_E_ARG, "sorting needs the mean logits of the forward pass");
        SZ_TRY(sort_vocabulary(scratch, rows->mean_logit, in->n_vocab, &order));
    }
    p.order = order;
    sz_status status = sz_cce_begin(&p, rt, scratch, in, config, rows, &mark);
    backward b = {.p = &p, .out = out};
    if (status == SZ_OK)
        status = take_memory(&b);
    out->tiles = out->tiles_kept = 0;
    out->bound = 0;
    if (status == SZ_OK && p.n_valid) {
        b.upstream = p.config->sum ? upstream : upstream / (float)p.n_valid;
        if (p.config->filter_eps > 0)
            out->bound = filter_bound(&p, fabs((double)b.upstream));
    }
    for (size_t i = 0; i < p.n_valid && status == SZ_OK; i += p.block_rows)
        status = use_block(&b, i);
    sz_arena_rewind(scratch, before);
    return status;
}
