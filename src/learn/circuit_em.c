/* circuit_em.c: expected counts and the step towards them.
 *
 * The records go through in rounds of one tile per thread. First each thread sends its tile's
 * messages up and down; then the counts of each variable take in the tiles of the round in order,
 * one task per variable. So every count is one sum over the records in order, whatever the number
 * of threads and of records per tile. */
#include "circuit_em.h"

#include <math.h>
#include <string.h>

struct sz_pc_em {
    sz_runtime *rt;
    sz_pc *pc;
    sz_pc_pass *tile;       /* [n_tiles]: one round */
    size_t n_tiles, n_rows; /* records per tile */
    double *root; /* counts, laid out as the parameters; those of tables lack the factor T */
    double *trans;
    double *emit;
    double *loglik; /* per record */
    /* The round and the step at hand. */
    const int32_t *x;
    size_t n, first;
    double step, pseudocount;
};

/* ---- Memory ---------------------------------------------------------------------------------- */

static sz_status allocate(sz_pc_em *em, size_t n) {
    const sz_pc *pc = em->pc;
    em->root = sz_alloc(pc->width * sizeof *em->root);
    em->trans = sz_alloc_pages(sz_pc_table_bytes(pc));
    em->emit = sz_alloc_pages(sz_pc_emit_bytes(pc));
    em->loglik = sz_alloc(n * sizeof *em->loglik);
    em->n_rows = sz_pc_tile(pc);
    size_t threads = (size_t)sz_runtime_threads(em->rt), tiles = (n + em->n_rows - 1) / em->n_rows;
    size_t want = threads < tiles ? threads : tiles;
    em->tile = sz_calloc(want, sizeof *em->tile);
    SZ_REQUIRE(em->root && em->trans && em->emit && em->loglik && em->tile, SZ_E_NOMEM,
               "no memory for the counts of %zu variables", pc->shape.n_vars);
    for (; em->n_tiles < want; em->n_tiles++)
        SZ_TRY(sz_pc_pass_new(pc, sz_runtime_kernels(em->rt), em->n_rows, true,
                              &em->tile[em->n_tiles]));
    return SZ_OK;
}

sz_status sz_pc_em_new(sz_runtime *rt, sz_pc *pc, size_t n, sz_pc_em **out) {
    sz_pc_em *em = sz_calloc(1, sizeof *em);
    SZ_REQUIRE(em, SZ_E_NOMEM, "no memory for expectation maximisation");
    em->rt = rt;
    em->pc = pc;
    sz_status status = allocate(em, n);
    if (status != SZ_OK) {
        sz_pc_em_free(em);
        return status;
    }
    *out = em;
    return SZ_OK;
}

void sz_pc_em_free(sz_pc_em *em) {
    if (!em)
        return;
    for (size_t i = 0; i < em->n_tiles; i++)
        sz_pc_pass_free(&em->tile[i]);
    sz_free(em->tile);
    sz_free(em->root);
    sz_free_pages(em->trans, sz_pc_table_bytes(em->pc));
    sz_free_pages(em->emit, sz_pc_emit_bytes(em->pc));
    sz_free(em->loglik);
    sz_free(em);
}

/* ---- Expectations ---------------------------------------------------------------------------- */

/* Records of tile t of the round. */
static size_t tile_size(const sz_pc_em *em, size_t t) {
    size_t left = em->n - em->first - t * em->n_rows;
    return left < em->n_rows ? left : em->n_rows;
}

static void count_transitions(const sz_pc_em *em, const sz_pc_pass *p, size_t v, size_t n) {
    const sz_pc *pc = em->pc;
    sz_product_f64 product = {.a = sz_pc_at(p, p->message, v),
                              .b = sz_pc_at(p, p->below, v),
                              .c = em->trans + v * pc->shape.n_latents * pc->width,
                              .n_rows = pc->shape.n_latents,
                              .depth = n,
                              .a_row = 1,
                              .add = true};
    product.n_cols = product.a_col = product.b_stride = product.c_stride = pc->width;
    p->k->product_f64(&product);
}

static void count_emissions(const sz_pc_em *em, const sz_pc_pass *p, size_t v, const int32_t *x,
                            size_t n) {
    const sz_pc *pc = em->pc;
    const double *post = sz_pc_at(p, p->post, v);
    double *counts = em->emit + v * pc->shape.n_categories * pc->width;
    for (size_t s = 0; s < n; s++, post += pc->width) {
        int32_t value = x[s * pc->shape.n_vars + v];
        if (value != SZ_PC_MISSING)
            p->k->add_f64(counts + (size_t)value * pc->width, post, pc->width);
    }
}

/* Tile t of the round into the counts of v. */
static void count_tile(const sz_pc_em *em, size_t v, size_t t) {
    const sz_pc *pc = em->pc;
    const sz_pc_pass *p = &em->tile[t];
    size_t n = tile_size(em, t), at = em->first + t * em->n_rows;
    count_emissions(em, p, v, em->x + at * pc->shape.n_vars, n);
    if (pc->parent[v] >= 0)
        count_transitions(em, p, v, n);
    else
        for (size_t s = 0; s < n; s++)
            p->k->add_f64(em->root, sz_pc_at(p, p->post, v) + s * pc->width, pc->width);
}

static void count_variable(void *context, size_t v, int thread) {
    const sz_pc_em *em = context;
    for (size_t t = 0; t < em->n_tiles && em->first + t * em->n_rows < em->n; t++)
        count_tile(em, v, t);
}

/* A round of one tile is counted on its way down, while its messages are in the cache. */
static void send_messages(void *context, size_t t, int thread) {
    sz_pc_em *em = context;
    sz_pc_pass *p = &em->tile[t];
    size_t at = em->first + t * em->n_rows, n = tile_size(em, t);
    sz_pc_pass_up(p, em->x + at * em->pc->shape.n_vars, n);
    memcpy(em->loglik + at, p->loglik, n * sizeof *em->loglik);
    for (size_t i = 0; i < em->pc->shape.n_vars; i++) {
        sz_pc_pass_down(p, i, n);
        if (em->n_tiles == 1)
            count_tile(em, em->pc->order[i], t);
    }
}

static sz_status count_round(sz_pc_em *em) {
    size_t left = (em->n - em->first + em->n_rows - 1) / em->n_rows;
    size_t tiles = left < em->n_tiles ? left : em->n_tiles;
    sz_pool_run(sz_runtime_pool(em->rt), send_messages, em, tiles);
    for (size_t i = em->first; i < em->n && i < em->first + tiles * em->n_rows; i++)
        SZ_REQUIRE(em->loglik[i] > -INFINITY, SZ_E_ARG,
                   "row %zu has probability zero under the circuit", i);
    if (em->n_tiles > 1)
        sz_pool_run(sz_runtime_pool(em->rt), count_variable, em, em->pc->shape.n_vars);
    em->first += tiles * em->n_rows;
    SZ_REQUIRE(!sz_runtime_cancelled(em->rt), SZ_E_CANCELLED, "training was cancelled");
    return SZ_OK;
}

/* ---- The step -------------------------------------------------------------------------------- */

/* A row of probabilities towards counts (times its own factor where there is one), both [m]. */
static void step_row(const sz_pc_em *em, double *row, const double *counts, bool factor, size_t m) {
    double each = em->pseudocount / (double)m, sum = 0;
    for (size_t z = 0; z < m; z++)
        sum += counts[z] * (factor ? row[z] : 1.0) + each;
    if (sum <= 0)
        return;
    for (size_t z = 0; z < m; z++) {
        double target = (counts[z] * (factor ? row[z] : 1.0) + each) / sum;
        row[z] = (1.0 - em->step) * row[z] + em->step * target;
    }
}

/* Emissions of v: the distributions are columns. */
static void step_emissions(const sz_pc_em *em, size_t v) {
    const sz_pc *pc = em->pc;
    size_t k = pc->shape.n_categories;
    const double *counts = em->emit + v * k * pc->width;
    double sum[SZ_PC_MAX_LATENTS] = {0}, each = em->pseudocount / (double)k;
    for (size_t x = 0; x < k; x++)
        for (size_t z = 0; z < pc->shape.n_latents; z++)
            sum[z] += counts[x * pc->width + z] + each;
    for (size_t x = 0; x < k; x++) {
        double *row = sz_pc_emit(pc, v, x);
        for (size_t z = 0; z < pc->shape.n_latents; z++)
            if (sum[z] > 0)
                row[z] = (1.0 - em->step) * row[z] +
                         em->step * ((counts[x * pc->width + z] + each) / sum[z]);
    }
}

static void step_variable(void *context, size_t v, int thread) {
    const sz_pc_em *em = context;
    const sz_pc *pc = em->pc;
    size_t m = pc->shape.n_latents;
    for (size_t i = 0; i < m && pc->parent[v] >= 0; i++)
        step_row(em, sz_pc_trans(pc, v) + i * pc->width, em->trans + (v * m + i) * pc->width, true,
                 m);
    step_emissions(em, v);
    if (pc->parent[v] < 0)
        step_row(em, pc->root, em->root, false, m);
    else
        sz_pc_turn(pc, v);
}

sz_status sz_pc_em_run(sz_pc_em *em, const int32_t *x, size_t n, double step, double pseudocount,
                       double *mean_loglik) {
    const sz_pc *pc = em->pc;
    em->x = x;
    em->n = n;
    em->first = 0;
    em->step = step;
    em->pseudocount = pseudocount;
    memset(em->root, 0, pc->width * sizeof *em->root);
    memset(em->trans, 0, sz_pc_table_bytes(pc));
    memset(em->emit, 0, sz_pc_emit_bytes(pc));
    while (em->first < n)
        SZ_TRY(count_round(em));
    sz_pool_run(sz_runtime_pool(em->rt), step_variable, em, pc->shape.n_vars);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += em->loglik[i];
    if (mean_loglik)
        *mean_loglik = sum / (double)n;
    return SZ_OK;
}

sz_status sz_pc_em_step(sz_runtime *rt, sz_pc *pc, const int32_t *x, size_t n, double step,
                        double pseudocount, double *mean_loglik) {
    SZ_REQUIRE(n >= 1, SZ_E_ARG, "no records to learn from");
    SZ_REQUIRE(step > 0 && step <= 1, SZ_E_ARG, "the step is %g, not in (0, 1]", step);
    SZ_REQUIRE(pseudocount >= 0 && pseudocount < 1e300, SZ_E_ARG, "the pseudocount is %g, not >= 0",
               pseudocount);
    SZ_TRY(sz_pc_check_records(&pc->shape, x, n, true));
    sz_pc_em *em;
    SZ_TRY(sz_pc_em_new(rt, pc, n, &em));
    sz_status status = sz_pc_em_run(em, x, n, step, pseudocount, mean_loglik);
    sz_pc_em_free(em);
    return status;
}
