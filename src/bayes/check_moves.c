/* check_moves.c: the cells that tell a finite program's uniforms apart, and the whole kernel of
 * single-site moves on them: it keeps the measure, and is in detailed balance. */
#include "check.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <szilard/unstable/num.h>

/* ---- Cells -------------------------------------------------------------------------------------
 */

typedef struct finder {
    sz_odometer odometer;
    sz_cells *cells;
    size_t place;
    sz_status status;
} finder;

static sz_status add_cut(sz_cells *c, size_t place, double cut) {
    for (size_t i = 0; i < c->n[place]; i++)
        if (fabs(c->cuts[place][i] - cut) <= 1e-14)
            return SZ_OK;
    SZ_REQUIRE(c->n[place] < SZ_MOST_CUTS, SZ_E_LIMIT,
               "choice %zu of the program has more than %d outcomes", place + 1, SZ_MOST_CUTS);
    if (!c->cuts[place])
        c->cuts[place] = sz_alloc(SZ_MOST_CUTS * sizeof *c->cuts[place]);
    SZ_REQUIRE(c->cuts[place], SZ_E_NOMEM, "no memory for cells");
    c->cuts[place][c->n[place]++] = cut;
    return SZ_OK;
}

static size_t find_cuts(void *self, const double *p, size_t n) {
    finder *f = self;
    double up_to = 0.0;
    if (f->place == SZ_CELL_PLACES && f->status == SZ_OK)
        f->status = sz_fail(SZ_E_LIMIT, "a run makes more than %d choices", SZ_CELL_PLACES);
    for (size_t i = 0; i + 1 < n && f->status == SZ_OK; i++) {
        up_to += p[i];
        if (up_to > 1e-14 && up_to < 1.0 - 1e-14)
            f->status = add_cut(f->cells, f->place, up_to);
    }
    f->place++;
    return sz_odometer_choose(&f->odometer, p, n);
}

static sz_status find_all(const sz_program *p, uint64_t max_paths, finder *f) {
    sz_effects e = {f, NULL, find_cuts};
    uint64_t n_paths = 0;
    sz_odometer_begin(&f->odometer);
    do {
        sz_weighted w;
        SZ_REQUIRE(n_paths++ < max_paths, SZ_E_LIMIT, "there are more than %llu paths",
                   (unsigned long long)max_paths);
        f->place = 0;
        SZ_TRY(sz_program_sample(p, &e, &w));
        SZ_TRY(f->status);
    } while (sz_odometer_next(&f->odometer));
    return SZ_OK;
}

sz_status sz_cells_find(const sz_program *p, uint64_t max_paths, sz_cells *out) {
    finder *f = sz_calloc(1, sizeof *f);
    SZ_REQUIRE(f, SZ_E_NOMEM, "no memory to visit all paths");
    f->cells = out;
    sz_status status = find_all(p, max_paths, f);
    sz_free(f);
    return status;
}

void sz_cells_free(sz_cells *c) {
    for (size_t i = 0; i < SZ_CELL_PLACES; i++)
        sz_free(c->cuts[i]);
}

static double fresh_cell(void *self, size_t position) {
    sz_cell_source *s = self;
    if (position >= SZ_CELL_PLACES) {
        s->beyond = true;
        return 0.5;
    }
    size_t n = s->cells->n[position];
    if (n > 0)
        memcpy(s->scratch, s->cells->cuts[position], n * sizeof *s->scratch);
    return sz_check_cell(&s->odometer, s->scratch, n);
}

static size_t pick_any(void *self, size_t n) {
    sz_cell_source *s = self;
    double *p = s->scratch;
    if (n > SZ_MOST_CUTS) {
        s->beyond = true;
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        p[i] = 1.0 / (double)n;
    return sz_odometer_choose(&s->odometer, p, n);
}

static bool accept_either(void *self, double probability) {
    double p[2] = {1.0 - probability, probability};
    return sz_odometer_choose(&((sz_cell_source *)self)->odometer, p, 2) == 1;
}

sz_move_source sz_cell_source_of(sz_cell_source *s) {
    return (sz_move_source){s, fresh_cell, pick_any, accept_either};
}

/* ---- The kernel --------------------------------------------------------------------------------
 */

enum { MOST_TRACES = 512 };

typedef struct kernel {
    sz_checker *checker;
    sz_cell_source source;
    sz_trace trace[MOST_TRACES];
    double pi[MOST_TRACES]; /* unnormalised */
    size_t n;
    double *row; /* [n][n] */
    uint64_t n_paths;
} kernel;

static sz_status count_path(kernel *k) {
    SZ_REQUIRE(++k->n_paths <= k->checker->max_paths, SZ_E_LIMIT, "there are more than %llu paths",
               (unsigned long long)k->checker->max_paths);
    SZ_REQUIRE(!k->source.odometer.too_deep && !k->source.beyond, SZ_E_LIMIT,
               "a path makes too many choices");
    return SZ_OK;
}

static sz_status find_traces(kernel *k) {
    sz_move_source source = sz_cell_source_of(&k->source);
    sz_odometer_begin(&k->source.odometer);
    do {
        SZ_REQUIRE(k->n < MOST_TRACES, SZ_E_LIMIT, "there are more than %d traces", MOST_TRACES);
        sz_trace *t = &k->trace[k->n];
        SZ_TRY(sz_trace_replay(k->checker->program, NULL, 0, SIZE_MAX, &source, NULL, t));
        SZ_TRY(count_path(k));
        k->pi[k->n] = k->source.odometer.probability * sz_exp(t->run.log_weight);
        k->n += t->run.log_weight > -INFINITY; /* a chain never meets the others */
    } while (sz_odometer_next(&k->source.odometer));
    return SZ_OK;
}

static size_t index_of(const kernel *k, const sz_trace *t) {
    for (size_t i = 0; i < k->n; i++)
        if (k->trace[i].n == t->n &&
            (t->n == 0 || memcmp(k->trace[i].u, t->u, t->n * sizeof *t->u) == 0))
            return i;
    return k->n;
}

static sz_status move_once(kernel *k, const sz_move_source *source, size_t from) {
    const sz_trace *t = &k->trace[from];
    sz_trace moved = {0};
    bool accepted;
    SZ_TRY(sz_trace_replay(k->checker->program, t->u, t->n, SIZE_MAX, source, NULL, &moved));
    sz_status status =
        sz_trace_move(k->checker->program, SIZE_MAX, source, NULL, &moved, &accepted);
    size_t to = status == SZ_OK ? index_of(k, &moved) : k->n;
    sz_trace_free(&moved);
    SZ_TRY(status);
    if (to < k->n)
        k->row[from * k->n + to] += k->source.odometer.probability;
    return count_path(k);
}

static sz_status fill_rows(kernel *k) {
    sz_move_source source = sz_cell_source_of(&k->source);
    for (size_t i = 0; i < k->n; i++) {
        sz_odometer_begin(&k->source.odometer);
        do
            SZ_TRY(move_once(k, &source, i));
        while (sz_odometer_next(&k->source.odometer));
    }
    return SZ_OK;
}

static void add_laws(kernel *k) {
    double off_stationary = 0.0, off_balance = 0.0, z = k->checker->evidence;
    size_t worst[2] = {0, 0};
    for (size_t j = 0; j < k->n; j++) {
        double sum = 0.0;
        for (size_t i = 0; i < k->n; i++) {
            sum += k->pi[i] * k->row[i * k->n + j];
            double d = fabs(k->pi[i] * k->row[i * k->n + j] - k->pi[j] * k->row[j * k->n + i]);
            if (d > off_balance) {
                off_balance = d;
                worst[0] = i;
                worst[1] = j;
            }
        }
        double off = fabs(sum - k->pi[j]);
        off_stationary = off > off_stationary ? off : off_stationary;
    }
    sz_check_add(k->checker, "trace moves keep the measure", z > 0.0 ? off_stationary / z : 0.0,
                 k->n_paths);
    sz_law *law = sz_check_add(k->checker, "trace moves are in detailed balance",
                               z > 0.0 ? off_balance / z : 0.0, k->n_paths);
    if (law->outcome == SZ_LAW_BROKEN)
        snprintf(law->detail, sizeof law->detail, "between a trace of result %.6g and one of %.6g",
                 k->trace[worst[0]].run.output, k->trace[worst[1]].run.output);
}

static sz_status check_kernel(kernel *k) {
    SZ_TRY(find_traces(k));
    k->row = sz_calloc(k->n * k->n + 1, sizeof *k->row);
    SZ_REQUIRE(k->row, SZ_E_NOMEM, "no memory for a kernel of %zu traces", k->n);
    SZ_TRY(fill_rows(k));
    add_laws(k);
    return SZ_OK;
}

sz_status sz_check_moves(sz_checker *c) {
    sz_cells cells = {0};
    kernel *k = sz_calloc(1, sizeof *k);
    SZ_REQUIRE(k, SZ_E_NOMEM, "no memory for a kernel");
    k->checker = c;
    k->source.cells = &cells;
    sz_status status = sz_cells_find(c->program, c->max_paths, &cells);
    if (status == SZ_OK)
        status = check_kernel(k);
    if (status != SZ_OK)
        status = sz_check_skip(c, "trace moves keep the measure", status);
    for (size_t i = 0; i < MOST_TRACES; i++)
        sz_trace_free(&k->trace[i]);
    sz_free(k->row);
    sz_free(k);
    sz_cells_free(&cells);
    return status;
}
