/* cce.c: cut cross-entropy, forward: for each block of rows one sweep over the tiles of the
 * vocabulary, with a running maximum and sum per row. */
#include "cce.h"

#include <math.h>
#include <string.h>

enum { PIECE = 256 };

/* ---- Blocks and tiles
 * ----------------------------------------------------------------------------
 */

static sz_status check(const sz_cce *in, const sz_cce_config *c) {
    SZ_REQUIRE(in->n && in->dim && in->n_vocab, SZ_E_ARG,
               "a loss over %zu rows, %zu columns, %zu "
               "classes",
               in->n, in->dim, in->n_vocab);
    SZ_REQUIRE(in->n < UINT32_MAX && in->n_vocab < INT32_MAX, SZ_E_ARG,
               "a loss over %zu rows and %zu classes is too large", in->n, in->n_vocab);
    SZ_REQUIRE(c->softcap >= 0 && c->softcap < INFINITY, SZ_E_ARG, "softcap is %g",
               (double)c->softcap);
    SZ_REQUIRE(!c->comp_sum || (c->tau >= 0 && c->tau < INFINITY), SZ_E_ARG,
               "tau is %g, not a number >= 0", c->tau);
    SZ_REQUIRE(c->label_smoothing >= 0 && c->label_smoothing < 1, SZ_E_ARG,
               "label smoothing is %g, not in [0, 1)", (double)c->label_smoothing);
    SZ_REQUIRE(!c->comp_sum || c->label_smoothing == 0, SZ_E_ARG,
               "comp-sum losses have no label smoothing");
    SZ_REQUIRE(c->filter_eps >= 0 && c->filter_eps < 1, SZ_E_ARG, "the filter's eps is %g",
               (double)c->filter_eps);
    SZ_REQUIRE(c->tile_rows <= SZ_CCE_ROWS && c->tile_columns <= SZ_CCE_COLUMNS, SZ_E_ARG,
               "tiles of %u x %u are larger than %d x %d", c->tile_rows, c->tile_columns,
               SZ_CCE_ROWS, SZ_CCE_COLUMNS);
    return SZ_OK;
}

static sz_status find_valid(sz_cce_pass *p) {
    const sz_cce *in = p->in;
    for (size_t i = 0; i < in->n; i++) {
        int32_t t = !in->targets                   ? 0
                    : i + p->config->shift < in->n ? in->targets[i + p->config->shift]
                                                   : SZ_IGNORE;
        SZ_REQUIRE(t == SZ_IGNORE || (t >= 0 && (size_t)t < in->n_vocab), SZ_E_ARG,
                   "target %d at position %zu is not one of %zu classes", t, i + p->config->shift,
                   in->n_vocab);
        if (t != SZ_IGNORE) {
            p->valid[p->n_valid] = (uint32_t)i;
            p->target[p->n_valid++] = t;
        }
    }
    return SZ_OK;
}

static size_t multiple(size_t most, size_t of) {
    return most / of * of;
}

static sz_status take_memory(sz_cce_pass *p) {
    size_t dim = p->in->dim, n = p->in->n;
    size_t rows = n < p->block_rows ? n : p->block_rows;
    p->valid = sz_arena_alloc(p->arena, n * sizeof *p->valid);
    p->target = sz_arena_alloc(p->arena, n * sizeof *p->target);
    p->z = sz_arena_alloc(p->arena, rows * p->columns * sizeof *p->z);
    p->gathered = sz_arena_alloc(p->arena, rows * dim * sizeof *p->gathered);
    p->classes = p->order ? sz_arena_alloc(p->arena, p->columns * dim * sizeof *p->classes) : NULL;
    SZ_REQUIRE(p->valid && p->target && p->z && p->gathered && (p->classes || !p->order),
               SZ_E_NOMEM, "no memory for a loss over %zu rows of %zu", n, dim);
    return SZ_OK;
}

sz_status sz_cce_begin(sz_cce_pass *p, sz_runtime *rt, sz_arena *arena, const sz_cce *in,
                       const sz_cce_config *config, const sz_cce_rows *rows, sz_arena_mark *mark) {
    static const sz_cce_config none;
    config = config ? config : &none;
    const uint32_t *order = p->order;
    *p = (sz_cce_pass){.rt = rt, .arena = arena, .in = in, .config = config, .rows = rows};
    p->kernels = sz_runtime_kernels(rt);
    p->pool = sz_runtime_pool(rt);
    p->order = order;
    *mark = sz_arena_get_mark(arena);
    SZ_TRY(check(in, config));
    p->tile_rows = config->tile_rows ? config->tile_rows : 32;
    p->tile_columns = config->tile_columns ? config->tile_columns : 256;
    p->block_rows = multiple(SZ_CCE_ROWS, p->tile_rows);
    p->columns = multiple(SZ_CCE_COLUMNS, p->tile_columns);
    sz_status status = take_memory(p);
    if (status == SZ_OK)
        status = find_valid(p);
    if (status != SZ_OK)
        sz_arena_rewind(arena, *mark);
    return status;
}

void sz_cce_take_rows(sz_cce_pass *p, size_t first) {
    size_t dim = p->in->dim, left = p->n_valid - first;
    p->first = first;
    p->n = left < p->block_rows ? left : p->block_rows;
    const uint32_t *row = p->valid + first;
    p->hidden = p->in->hidden + row[0] * dim;
    if (row[p->n - 1] - row[0] + 1 == p->n)
        return;
    for (size_t i = 0; i < p->n; i++)
        memcpy(p->gathered + i * dim, p->in->hidden + row[i] * dim, dim * sizeof(float));
    p->hidden = p->gathered;
}

/* Bias and softcap of rows [first, last) of z. */
static void finish_logits(void *context, size_t first, size_t last) {
    const sz_cce_pass *p = context;
    float cap = p->config->softcap;
    for (size_t i = first; i < last; i++) {
        float *z = p->z + i * p->width;
        for (size_t j = 0; p->in->bias && j < p->width; j++)
            z[j] += p->in->bias[sz_cce_entry(p, j)];
        if (cap > 0) {
            p->kernels->scale(z, 1.0f / cap, p->width, z);
            p->kernels->tanh(z, p->width, z);
            p->kernels->scale(z, cap, p->width, z);
        }
    }
}

sz_status sz_cce_take_columns(sz_cce_pass *p, size_t from) {
    size_t dim = p->in->dim, left = p->in->n_vocab - from;
    p->from = from;
    p->width = left < p->columns ? left : p->columns;
    p->classifier = p->in->classifier + from * dim;
    for (size_t j = 0; p->order && j < p->width; j++)
        memcpy(p->classes + j * dim, p->in->classifier + sz_cce_entry(p, j) * dim,
               dim * sizeof(float));
    p->classifier = p->order ? p->classes : p->classifier;
    sz_gemm product = {p->n, p->width, dim,  {p->hidden, dim, 1}, {p->classifier, 1, dim},
                       p->z, p->width, false};
    SZ_TRY(sz_gemm_run(p->kernels, p->pool, p->arena, &product));
    if (p->in->bias || p->config->softcap > 0)
        sz_cce_each_row(p, finish_logits, p);
    return SZ_OK;
}

typedef struct row_job {
    sz_cce_rows_fn fn;
    void *context;
    size_t n;
} row_job;

enum { TASK_ROWS = 64 };

static void run_rows(void *context, size_t task, int thread) {
    const row_job *job = context;
    size_t first = task * TASK_ROWS, last = first + TASK_ROWS;
    job->fn(job->context, first, last < job->n ? last : job->n);
}

void sz_cce_each_row(const sz_cce_pass *p, sz_cce_rows_fn fn, void *context) {
    row_job job = {fn, context, p->n};
    sz_pool_run(p->pool, run_rows, &job, (p->n + TASK_ROWS - 1) / TASK_ROWS);
}

/* ---- The forward sweep
 * ---------------------------------------------------------------------------
 */

typedef struct row_sum { /* of a row so far */
    float most;
    double sum;           /* of exp(z - most) */
    double moment;        /* of (z - most) exp(z - most) */
    double target, total; /* its logit, the sum of all */
} row_sum;

typedef struct sweep {
    sz_cce_pass *p;
    row_sum *sums; /* [block_rows] */
} sweep;

static void add_piece(const sz_kernels *k, row_sum *s, const float *z, size_t n) {
    float most = s->most, shifted[PIECE], e[PIECE];
    for (size_t j = 0; j < n; j++)
        most = z[j] > most ? z[j] : most;
    if (most > s->most) {
        double by = s->most == -INFINITY ? 0 : sz_exp((double)s->most - (double)most);
        double shift = s->most == -INFINITY ? 0 : (double)s->most - (double)most;
        s->moment = (s->moment + s->sum * shift) * by;
        s->sum *= by;
        s->most = most;
    }
    for (size_t j = 0; j < n; j++) { /* a masked token has no weight, a NaN spoils its row */
        float d = most == -INFINITY ? (z[j] == z[j] ? -105.0f : z[j]) : z[j] - most;
        shifted[j] = d < -105.0f ? -105.0f : d;
    }
    k->exp(shifted, n, e);
    s->sum += (double)k->sum(e, n);
    s->moment += (double)k->dot(e, shifted, n);
}

static void sweep_rows(void *context, size_t first, size_t last) {
    const sweep *w = context;
    const sz_cce_pass *p = w->p;
    for (size_t i = first; i < last; i++) {
        const float *z = p->z + i * p->width;
        row_sum *s = &w->sums[i];
        size_t y = (size_t)p->target[p->first + i];
        if (y >= p->from && y < p->from + p->width)
            s->target = (double)z[y - p->from];
        if (p->config->label_smoothing > 0)
            s->total += (double)p->kernels->sum(z, p->width);
        for (size_t j = 0; j < p->width; j += PIECE)
            add_piece(p->kernels, s, z + j, p->width - j < PIECE ? p->width - j : PIECE);
    }
}

/* Means of columns [first, last), rows in order. */
static void add_means(void *context, size_t task, int thread) {
    const sz_cce_pass *p = context;
    size_t first = task * PIECE, last = first + PIECE < p->width ? first + PIECE : p->width;
    float *mean = p->rows->mean_logit + p->from;
    for (size_t i = 0; i < p->n; i++)
        for (size_t j = first; j < last; j++)
            mean[j] += p->z[i * p->width + j] / (float)p->n_valid;
}

static double loss_of_row(const sz_cce_config *c, const row_sum *s, double lse, double n_vocab,
                          size_t *capped) {
    double nll = lse - s->target, smoothing = (double)c->label_smoothing;
    double loss = c->comp_sum ? sz_comp_sum_of(-nll, c->tau) : nll;
    if (loss > 1e30) {
        *capped += c->comp_sum && nll < INFINITY;
        loss = c->comp_sum ? 1e30 : loss;
    }
    if (smoothing > 0)
        loss = (1 - smoothing) * loss + smoothing * (lse - s->total / n_vocab);
    return loss + (double)c->z_loss * lse * lse;
}

static void finish_block(const sz_cce_pass *p, const row_sum *sums, sz_cce_result *out) {
    for (size_t i = 0; i < p->n; i++) {
        size_t row = p->valid[p->first + i];
        double lse = (double)sums[i].most + sz_log(sums[i].sum);
        bool finite = lse - lse == 0;
        if (!finite && out->first_nan == SIZE_MAX)
            out->first_nan = row;
        if (p->rows->lse)
            p->rows->lse[row] = (float)lse;
        if (p->rows->nll)
            p->rows->nll[row] = (float)(lse - sums[i].target);
        if (p->rows->entropy)
            p->rows->entropy[row] = (float)(sz_log(sums[i].sum) - sums[i].moment / sums[i].sum);
        out->loss += loss_of_row(p->config, &sums[i], lse, (double)p->in->n_vocab, &out->capped);
    }
}

static sz_status sweep_block(sweep *w, size_t first, sz_cce_result *out) {
    sz_cce_pass *p = w->p;
    sz_cce_take_rows(p, first);
    for (size_t i = 0; i < p->n; i++)
        w->sums[i] = (row_sum){.most = -INFINITY};
    for (size_t from = 0; from < p->in->n_vocab; from += p->columns) {
        SZ_TRY(sz_cce_take_columns(p, from));
        sz_cce_each_row(p, sweep_rows, w);
        if (p->rows->mean_logit)
            sz_pool_run(p->pool, add_means, p, (p->width + PIECE - 1) / PIECE);
    }
    finish_block(p, w->sums, out);
    return SZ_OK;
}

static void clear_rows(const sz_cce *in, const sz_cce_rows *rows) {
    float *arrays[] = {rows->lse, rows->nll, rows->entropy};
    for (size_t i = 0; i < 3; i++)
        if (arrays[i])
            memset(arrays[i], 0, in->n * sizeof(float));
    if (rows->mean_logit)
        memset(rows->mean_logit, 0, in->n_vocab * sizeof(float));
}

sz_status sz_cce_forward(sz_runtime *rt, sz_arena *scratch, const sz_cce *in,
                         const sz_cce_config *config, const sz_cce_rows *rows, sz_cce_result *out) {
    static const sz_cce_rows none;
    sz_cce_pass p = {0};
    sz_arena_mark mark;
    sz_cce_result r = {.first_nan = SIZE_MAX};
    rows = rows ? rows : &none;
    SZ_TRY(sz_cce_begin(&p, rt, scratch, in, config, rows, &mark));
    clear_rows(in, rows);
    sweep w = {&p, sz_arena_alloc(scratch, p.block_rows * sizeof *w.sums)};
    sz_status status = w.sums ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for a loss");
    for (size_t i = 0; i < p.n_valid && status == SZ_OK; i += p.block_rows)
        status = sweep_block(&w, i, &r);
    r.n_valid = p.n_valid;
    if (p.n_valid && !p.config->sum)
        r.loss /= (double)p.n_valid;
    sz_arena_rewind(scratch, mark);
    if (status == SZ_OK)
        *out = r;
    return status;
}
