/* check_ranks.c: simulation-based calibration of trace moves: a value drawn with its data from the
 * model is, given the data, one draw of the posterior, and so is all that a valid chain reaches
 * from it. Its rank among them is uniform, exactly, where the moves keep the posterior. */
#include "check.h"
#include <math.h>
#include <stdio.h>
#include <szilard/unstable/num.h>

enum { DRAWS = 19, THIN = 5, BINS = 10 }; /* ranks 0 .. 19, two to a bin */

/* A chain from the truth: moves are reversible, so that it may run to both sides of it. */
static sz_status walk(const sz_program *p, const sz_move_source *source, const sz_trace *truth,
                      size_t n, double *values) {
    sz_trace t = {0};
    bool accepted;
    sz_status status = sz_trace_replay(p, truth->u, truth->n, SIZE_MAX, source, NULL, &t);
    if (status == SZ_OK && t.run.log_weight == -INFINITY)
        status = sz_fail(SZ_E_STATE, "the program rejects data that it drew itself");
    for (size_t i = 0; i < n && status == SZ_OK; i++) {
        for (size_t k = 0; k < THIN && status == SZ_OK; k++)
            status = sz_trace_move(p, SIZE_MAX, source, NULL, &t, &accepted);
        values[i] = t.run.output;
    }
    sz_trace_free(&t);
    return status;
}

static double draw_uniform(void *self) {
    sz_draws *d = self;
    return sz_uniform(d->seed, d->stream, d->counter++);
}

static sz_status rank_of_truth(sz_checker *c, uint64_t run, sz_trace *truth, size_t *rank) {
    sz_draws draws = {c->config->seed, run + 1, 0};
    sz_move_source source = sz_move_source_of(&draws);
    sz_effects e = {&draws, draw_uniform, NULL};
    sz_program given;
    double values[DRAWS];
    SZ_TRY(c->config->simulate(c->config->user, &e, truth, &given));
    size_t before = source.pick(source.self, DRAWS + 1);
    SZ_TRY(walk(&given, &source, truth, before, values));
    SZ_TRY(walk(&given, &source, truth, DRAWS - before, values + before));
    size_t below = 0, equal = 0;
    for (size_t i = 0; i < DRAWS; i++) {
        below += values[i] < truth->run.output;
        equal += values[i] == truth->run.output;
    }
    *rank = below + source.pick(source.self, equal + 1); /* ties at random */
    return SZ_OK;
}

static sz_status count_ranks(sz_checker *c, size_t n_runs, size_t *bins) {
    sz_trace truth = {0};
    sz_status status = SZ_OK;
    for (uint64_t run = 0; run < n_runs && status == SZ_OK; run++) {
        size_t rank;
        status = rank_of_truth(c, run, &truth, &rank);
        if (status == SZ_OK)
            bins[rank * BINS / (DRAWS + 1)]++;
    }
    sz_trace_free(&truth);
    return status;
}

sz_status sz_check_ranks(sz_checker *c) {
    static const char name[] = "ranks of true values are uniform";
    size_t bins[BINS] = {0}, n_runs = c->config->n_runs ? c->config->n_runs : 200;
    if (!c->config->simulate) {
        sz_fail(SZ_E_UNSUPPORTED, "no way to draw data from the program is known");
        return sz_check_skip(c, name, SZ_E_UNSUPPORTED);
    }
    sz_status status = count_ranks(c, n_runs, bins);
    if (status != SZ_OK)
        return sz_check_skip(c, name, status);
    double chi2 = 0.0, each = (double)n_runs / BINS;
    for (size_t i = 0; i < BINS; i++)
        chi2 += ((double)bins[i] - each) * ((double)bins[i] - each) / each;
    /* The 1e-4 quantile of chi-square with 9 degrees of freedom. */
    sz_law *law = sz_check_add(c, name, 0.0, n_runs);
    law->error = chi2;
    if (chi2 > 33.72) {
        law->outcome = SZ_LAW_BROKEN;
        c->report->n_broken++;
    }
    snprintf(law->detail, sizeof law->detail,
             "chi-square %.3g of 10 bins over %zu runs; 33.7 is passed once in 10,000", chi2,
             n_runs);
    return SZ_OK;
}
