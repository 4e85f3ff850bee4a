/* circuit_fit.c: a circuit from records: tree, random start, and a schedule of steps. */
#include "circuit_em.h"

#include <math.h>
#include <string.h>

enum { STREAM_PARAMETERS, STREAM_SHUFFLE = 1 << 20 };

typedef struct schedule {
    sz_pc_fit_config c; /* with defaults filled in */
    sz_runtime *rt;
    const int32_t *x;
    size_t n;
    int32_t *batch;  /* [c.batch][n_vars]; NULL where a step takes all records */
    uint32_t *order; /* [n] */
    sz_pc *pc, *best;
    double best_nats;
    size_t since_best;
} schedule;

/* ---- Start ----------------------------------------------------------------------------------- */

static sz_status fit_tree(sz_runtime *rt, const int32_t *x, size_t n, const sz_pc_shape *shape,
                          sz_pc **out) {
    size_t d = shape->n_vars;
    double *mi = sz_alloc(d * d * sizeof *mi);
    int32_t *parent = sz_alloc(d * sizeof *parent);
    sz_status status =
        mi && parent ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for a tree of %zu columns", d);
    if (status == SZ_OK)
        status = sz_pc_mutual_information(rt, x, n, d, shape->n_categories, mi);
    if (status == SZ_OK)
        status = sz_pc_chow_liu(mi, d, parent, NULL);
    if (status == SZ_OK)
        status = sz_pc_new_tree(shape, parent, out);
    sz_free(mi);
    sz_free(parent);
    return status;
}

/* row [n], `stride` apart, from Dirichlet(1): exponential numbers, normalised. */
static void draw_row(double *row, size_t n, size_t stride, uint64_t seed, uint64_t *counter) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += row[i * stride] = -sz_log(1.0 - sz_uniform(seed, STREAM_PARAMETERS, (*counter)++));
    for (size_t i = 0; i < n; i++)
        row[i * stride] = sum > 0 ? row[i * stride] / sum : 1.0 / (double)n;
}

/* Emissions of v: half noise, half the share of each value among the records. `share` [K]. */
static void start_emissions(sz_pc *pc, size_t v, const int32_t *x, size_t n, uint64_t seed,
                            uint64_t *counter, double *share) {
    size_t k = pc->shape.n_categories, known = 0;
    memset(share, 0, k * sizeof *share);
    for (size_t s = 0; s < n; s++) {
        int32_t value = x[s * pc->shape.n_vars + v];
        if (value != SZ_PC_MISSING) {
            share[value] += 1;
            known++;
        }
    }
    for (size_t z = 0; z < pc->shape.n_latents; z++)
        draw_row(sz_pc_emit(pc, v, 0) + z, k, pc->width, seed, counter);
    for (size_t c = 0; c < k && known; c++)
        for (size_t z = 0; z < pc->shape.n_latents; z++) {
            double *cell = &sz_pc_emit(pc, v, c)[z];
            *cell = 0.5 * *cell + 0.5 * share[c] / (double)known;
        }
}

static sz_status start_parameters(sz_pc *pc, const int32_t *x, size_t n, uint64_t seed) {
    double *share = sz_alloc(pc->shape.n_categories * sizeof *share);
    SZ_REQUIRE(share, SZ_E_NOMEM, "no memory for %zu categories", pc->shape.n_categories);
    uint64_t counter = 0;
    draw_row(pc->root, pc->shape.n_latents, 1, seed, &counter);
    for (size_t v = 0; v < pc->shape.n_vars; v++) {
        for (size_t i = 0; i < pc->shape.n_latents && pc->parent[v] >= 0; i++)
            draw_row(sz_pc_trans(pc, v) + i * pc->width, pc->shape.n_latents, 1, seed, &counter);
        sz_pc_turn(pc, v);
        start_emissions(pc, v, x, n, seed, &counter, share);
    }
    sz_free(share);
    return SZ_OK;
}

/* ---- Epochs ---------------------------------------------------------------------------------- */

static void shuffle(schedule *s, size_t epoch) {
    for (size_t i = 0; i < s->n; i++)
        s->order[i] = (uint32_t)i;
    for (size_t i = s->n; i-- > 1;) {
        size_t j = (size_t)(sz_uniform(s->c.seed, STREAM_SHUFFLE + epoch, i) * (double)(i + 1));
        uint32_t swap = s->order[i];
        s->order[i] = s->order[j];
        s->order[j] = swap;
    }
}

static sz_status run_epoch(schedule *s, sz_pc_em *em, size_t epoch, double *train_nats) {
    size_t d = s->pc->shape.n_vars;
    double share = s->c.n_epochs > 1 ? (double)epoch / (double)(s->c.n_epochs - 1) : 0;
    double step = s->c.step + (s->c.last - s->c.step) * share, sum = 0, mean;
    if (!s->batch)
        return sz_pc_em_run(em, s->x, s->n, step, s->c.pseudocount, train_nats);
    shuffle(s, epoch);
    for (size_t first = 0; first < s->n; first += s->c.batch) {
        size_t n = s->n - first < s->c.batch ? s->n - first : s->c.batch;
        for (size_t i = 0; i < n; i++)
            memcpy(s->batch + i * d, s->x + s->order[first + i] * d, d * sizeof *s->batch);
        SZ_TRY(sz_pc_em_run(em, s->batch, n, step, s->c.pseudocount, &mean));
        sum += mean * (double)n;
    }
    *train_nats = sum / (double)s->n;
    return SZ_OK;
}

static sz_status validate(schedule *s, double *scratch, double *valid_nats) {
    size_t n = s->c.n_valid;
    double sum = 0;
    SZ_TRY(sz_pc_loglik(s->rt, s->pc, s->c.valid, n, scratch));
    for (size_t i = 0; i < n; i++)
        sum += scratch[i];
    *valid_nats = sum / (double)n;
    s->since_best++;
    if (*valid_nats > s->best_nats) {
        s->best_nats = *valid_nats;
        s->since_best = 0;
        sz_pc_copy_parameters(s->pc, s->best);
    }
    return SZ_OK;
}

static sz_status run_epochs(schedule *s, sz_pc_em *em, double *scratch) {
    bool valid = s->c.n_valid > 0, go_on = true;
    for (size_t e = 0; e < s->c.n_epochs && go_on; e++) {
        sz_pc_epoch told = {e, s->c.n_epochs, 0, NAN};
        SZ_TRY(run_epoch(s, em, e, &told.train_nats));
        if (valid)
            SZ_TRY(validate(s, scratch, &told.valid_nats));
        go_on = !s->c.progress || s->c.progress(s->c.user, &told);
        if (valid && s->since_best >= s->c.patience)
            go_on = false;
    }
    if (valid && s->best_nats > -INFINITY)
        sz_pc_copy_parameters(s->best, s->pc);
    return SZ_OK;
}

static sz_status train(schedule *s) {
    size_t d = s->pc->shape.n_vars;
    bool batches = s->c.batch < s->n;
    sz_pc_em *em = NULL;
    double *scratch = sz_alloc((s->c.n_valid + 1) * sizeof *scratch);
    s->batch = batches ? sz_alloc(s->c.batch * d * sizeof *s->batch) : NULL;
    s->order = batches ? sz_alloc(s->n * sizeof *s->order) : NULL;
    sz_status status = SZ_OK;
    if (!scratch || (batches && (!s->batch || !s->order)))
        status = sz_fail(SZ_E_NOMEM, "no memory for %zu records", s->n);
    if (status == SZ_OK && s->c.n_valid)
        status = sz_pc_new_tree(&s->pc->shape, s->pc->parent, &s->best);
    if (status == SZ_OK)
        status = sz_pc_em_new(s->rt, s->pc, s->c.batch, &em);
    if (status == SZ_OK)
        status = run_epochs(s, em, scratch);
    sz_pc_em_free(em);
    sz_pc_free(s->best);
    sz_free(s->batch);
    sz_free(s->order);
    sz_free(scratch);
    return status;
}

/* ---- Configuration --------------------------------------------------------------------------- */

static sz_status take_config(const sz_pc_fit_config *config, size_t n, sz_pc_fit_config *c) {
    *c = (sz_pc_fit_config){0};
    if (config)
        memcpy(c, config, config->size && config->size < sizeof *c ? config->size : sizeof *c);
    c->n_latents = c->n_latents ? c->n_latents : 16;
    c->n_epochs = c->n_epochs ? c->n_epochs : 50;
    c->batch = c->batch && c->batch < n ? c->batch : n;
    c->step = c->step != 0 ? c->step : c->batch < n ? 0.1 : 1;
    c->last = c->last != 0 ? c->last : c->batch < n ? 0.05 : 1;
    c->patience = c->patience ? c->patience : 10;
    SZ_REQUIRE(c->step > 0 && c->step <= 1 && c->last > 0 && c->last <= 1, SZ_E_ARG,
               "steps from %g to %g: they are in (0, 1]", c->step, c->last);
    SZ_REQUIRE(c->pseudocount < 1e300, SZ_E_ARG, "the pseudocount is %g", c->pseudocount);
    c->pseudocount = c->pseudocount < 0 ? 0 : c->pseudocount > 0 ? c->pseudocount : 1;
    SZ_REQUIRE(!c->n_valid || c->valid, SZ_E_ARG, "%zu validation records are at NULL", c->n_valid);
    c->n_valid = c->valid ? c->n_valid : 0;
    return SZ_OK;
}

sz_status sz_pc_fit(sz_runtime *rt, const int32_t *x, size_t n, size_t d, size_t n_categories,
                    const sz_pc_fit_config *config, sz_pc **out) {
    schedule s = {.rt = rt, .x = x, .n = n, .best_nats = -INFINITY};
    SZ_REQUIRE(n >= 1 && n <= UINT32_MAX, SZ_E_ARG, "no records to learn from, or too many: %zu",
               n);
    SZ_TRY(take_config(config, n, &s.c));
    sz_pc_shape shape = {d, s.c.n_latents, n_categories};
    SZ_TRY(sz_pc_check_shape(&shape));
    SZ_TRY(sz_pc_check_records(&shape, x, n, true));
    if (s.c.n_valid) {
        sz_status status = sz_pc_check_records(&shape, s.c.valid, s.c.n_valid, true);
        if (status != SZ_OK)
            return sz_fail_within(status, "validation");
    }
    SZ_TRY(fit_tree(rt, x, n, &shape, &s.pc));
    sz_status status = start_parameters(s.pc, x, n, s.c.seed);
    if (status == SZ_OK)
        status = train(&s);
    if (status != SZ_OK) {
        sz_pc_free(s.pc);
        return status;
    }
    *out = s.pc;
    return SZ_OK;
}
