/* check.c: the laws of a program: which hold, and by how much one is broken. */
#include "check.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/num.h>

sz_law *sz_check_add(sz_checker *c, const char *name, double error, uint64_t n_paths) {
    sz_law_report *r = c->report;
    sz_law *law = &r->law[r->n < SZ_MOST_LAWS - 1 ? r->n++ : r->n];
    *law = (sz_law){.error = error, .n_paths = n_paths};
    law->outcome = error <= c->tolerance ? SZ_LAW_HOLDS : SZ_LAW_BROKEN;
    r->n_broken += law->outcome == SZ_LAW_BROKEN;
    snprintf(law->name, sizeof law->name, "%s", name);
    return law;
}

sz_status sz_check_skip(sz_checker *c, const char *name, sz_status status) {
    if (status != SZ_E_LIMIT && status != SZ_E_UNSUPPORTED)
        return status;
    sz_law *law = sz_check_add(c, name, 0.0, 0);
    law->outcome = SZ_LAW_SKIPPED;
    law->error = NAN;
    snprintf(law->detail, sizeof law->detail, "%.150s", sz_last_error());
    return SZ_OK;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double sz_check_cell(sz_odometer *o, double *cuts, size_t n) {
    double width[SZ_MOST_CUTS + 1], low = 0.0, middle[SZ_MOST_CUTS + 1];
    size_t n_cells = 0;
    qsort(cuts, n, sizeof *cuts, by_size);
    for (size_t i = 0; i <= n; i++) {
        double high = i < n ? cuts[i] : 1.0;
        if (!(high - low > 1e-14)) /* what rounding left between two equal cuts */
            continue;
        middle[n_cells] = low + (high - low) / 2;
        width[n_cells++] = high - low;
        low = high;
    }
    return middle[sz_odometer_choose(o, width, n_cells)];
}

/* ---- The same draws, the same run --------------------------------------------------------------
 */

static bool same_number(double a, double b) {
    return a == b || (a != a && b != b);
}

static void put_draws(char *out, size_t size, const sz_trace *t) {
    size_t at = (size_t)snprintf(out, size, "draws");
    for (size_t i = 0; i < t->n && i < 6 && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, " %.6g", t->u[i]);
    if (t->n > 6 && at < size)
        snprintf(out + at, size - at, " ...");
}

static sz_status run_twice(sz_checker *c, uint64_t stream, bool *same) {
    sz_draws draws = {c->config->seed, stream, 0};
    sz_move_source source = sz_move_source_of(&draws);
    sz_trace once = {0}, again = {0};
    sz_status status = sz_trace_replay(c->program, NULL, 0, SIZE_MAX, &source, NULL, &once);
    if (status == SZ_OK)
        status = sz_trace_replay(c->program, once.u, once.n, SIZE_MAX, &source, NULL, &again);
    if (status == SZ_OK) {
        *same = once.n == again.n && once.run.log_weight == again.run.log_weight &&
                same_number(once.run.output, again.run.output);
        if (!*same) {
            char list[96];
            put_draws(list, sizeof list, &once);
            sz_law *law = sz_check_add(c, "same draws, same run", INFINITY, stream + 1);
            snprintf(law->detail, sizeof law->detail, "%s: result %.6g, then %.6g", list,
                     once.run.output, again.run.output);
        }
    }
    sz_trace_free(&once);
    sz_trace_free(&again);
    return status;
}

static sz_status check_determinism(sz_checker *c, bool *same) {
    enum { RUNS = 16 };
    *same = true;
    for (uint64_t i = 0; i < RUNS && *same; i++)
        SZ_TRY(run_twice(c, i, same));
    if (*same)
        sz_check_add(c, "same draws, same run", 0.0, RUNS);
    return SZ_OK;
}

static sz_status check_all(sz_checker *c) {
    bool same;
    SZ_TRY(check_determinism(c, &same));
    if (!same) /* no measure to speak of */
        return SZ_OK;
    sz_status status = sz_program_measure(c->program, c->max_paths, &c->measure);
    if (status == SZ_E_UNSUPPORTED || status == SZ_E_LIMIT)
        return sz_check_ranks(c);
    SZ_TRY(status);
    c->report->finite = true;
    c->evidence = sz_atoms_total(&c->measure);
    c->report->log_evidence = c->evidence > 0.0 ? sz_log(c->evidence) : -INFINITY;
    SZ_TRY(sz_check_populations(c));
    return sz_check_moves(c);
}

sz_status sz_program_check(const sz_program *p, const sz_check_config *config, sz_law_report *out) {
    SZ_REQUIRE(p && out, SZ_E_ARG, "sz_program_check: a NULL argument");
    static const sz_check_config defaults;
    sz_law_report *report = sz_calloc(1, sizeof *report);
    SZ_REQUIRE(report, SZ_E_NOMEM, "no memory for a report");
    sz_checker c = {.program = p, .config = config ? config : &defaults, .report = report};
    report->log_evidence = NAN;
    c.max_paths = c.config->max_paths ? c.config->max_paths : 200000;
    c.tolerance = c.config->tolerance > 0.0 ? c.config->tolerance : 1e-12;
    sz_status status = check_all(&c);
    sz_atoms_free(&c.measure);
    if (status == SZ_OK)
        *out = *report;
    sz_free(report);
    return status;
}
