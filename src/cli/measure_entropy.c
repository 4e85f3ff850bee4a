/* measure_entropy.c: `szilard measure entropy`: of probabilities, logits, counts, symbols, bytes or
 * real samples. */
#include "measure.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/num.h>

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* The shares of the outcomes, the likeliest first. */
static sz_status plot(const double *p, size_t n, const sz_measure_options *o) {
    if (!o->plot)
        return SZ_OK;
    double *sorted = sz_alloc(n * sizeof *sorted);
    SZ_REQUIRE(sorted, SZ_E_NOMEM, "no memory for a figure of %zu outcomes", n);
    memcpy(sorted, p, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_size);
    while (n > 1 && sorted[n - 1] <= 0)
        n--;
    sz_status status =
        sz_measure_plot(o, "Shares of outcomes", "outcome, from the likeliest on", sorted, n);
    sz_free(sorted);
    return status;
}

/* Entropies of a further order, if one is asked for. */
static sz_status of_order(const double *p, size_t n, const sz_measure_options *o, sz_report *r) {
    double h;
    if (isnan(o->alpha))
        return SZ_OK;
    SZ_TRY(sz_entropy_renyi(p, n, o->alpha, &h));
    sz_report_add(r, "renyi", h, NAN);
    SZ_TRY(sz_entropy_tsallis(p, n, o->alpha, &h));
    sz_report_plain(r, "tsallis", h);
    return SZ_OK;
}

static sz_status of_probabilities(const double *p, size_t n, const sz_measure_options *o,
                                  sz_report *r) {
    double h, v;
    static const char *const names[] = {"hartley", "renyi_0.5", "shannon", "renyi_2", "min"};
    static const double orders[] = {0, 0.5, 1, 2, INFINITY};
    for (size_t i = 0; i < 5; i++) {
        SZ_TRY(sz_entropy_renyi(p, n, orders[i], &h));
        if (orders[i] == 1)
            sz_report_best(r, names[i], h, NAN);
        else
            sz_report_add(r, names[i], h, NAN);
        if (orders[i] == 1)
            sz_report_plain(r, "perplexity", sz_exp(h));
    }
    SZ_TRY(of_order(p, n, o, r));
    SZ_TRY(sz_entropy_varentropy(p, n, &v));
    sz_report_plain(r, "varentropy_nats2", v);
    snprintf(r->what, sizeof r->what, "distribution over %zu outcomes", n);
    snprintf(r->why, sizeof r->why, "the probabilities are known: the figures are exact");
    return plot(p, n, o);
}

static sz_status of_logits(double *z, size_t n, const sz_measure_options *o, sz_report *r) {
    sz_logit_entropies e;
    SZ_TRY(sz_entropy_logits(z, n, &e));
    sz_report_best(r, "shannon", e.shannon, NAN);
    sz_report_add(r, "renyi_2", e.renyi_2, NAN);
    sz_report_add(r, "min", e.min, NAN);
    sz_report_plain(r, "varentropy_nats2", e.varentropy);
    sz_report_plain(r, "log_sum_exp", e.log_sum_exp);
    snprintf(r->what, sizeof r->what, "softmax of %zu logits", n);
    snprintf(r->why, sizeof r->why, "one pass over the logits: the figures are exact");
    SZ_TRY(sz_column_normalise(z, n, SZ_READ_LOGITS));
    SZ_TRY(of_order(z, n, o, r));
    return plot(z, n, o);
}

/* With all samples in one cell there is nothing to correct, and no error to tell. */
static void report_counts(const sz_count_entropy *e, sz_report *r) {
    double error = e->k > 1 ? e->standard_error : SZ_UNDEFINED;
    const struct {
        const char *name;
        double value, error;
    } figures[] = {{"plug_in", e->plug_in, error},         {"miller_madow", e->miller_madow, error},
                   {"grassberger", e->grassberger, error}, {"chao_shen", e->chao_shen, NAN},
                   {"jackknife", e->jackknife, NAN},       {"james_stein", e->james_stein, NAN}};
    size_t best = e->k == 1 ? 0 : e->best == e->grassberger ? 2 : 1;
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        (i == best ? sz_report_best : sz_report_add)(r, figures[i].name, figures[i].value,
                                                     figures[i].error);
    snprintf(r->why, sizeof r->why,
             best == 0   ? "all samples are in one cell: none of the corrections applies"
             : best == 2 ? "fewer than 50 samples for each cell seen: Grassberger's estimator has "
                           "the small bias"
                         : "50 samples or more for each cell seen: Miller and Madow's correction "
                           "suffices");
}

static sz_status plot_counts(const uint64_t *counts, size_t cells, uint64_t n,
                             const sz_measure_options *o) {
    double *p = o->plot ? sz_alloc(cells * sizeof *p) : NULL;
    SZ_REQUIRE(p || !o->plot, SZ_E_NOMEM, "no memory for a figure of %zu cells", cells);
    for (size_t i = 0; p && i < cells; i++)
        p[i] = (double)counts[i] / (double)n;
    sz_status status = plot(p, cells, o);
    sz_free(p);
    return status;
}

static sz_status of_counts(const uint64_t *counts, size_t cells, const char *what,
                           const sz_measure_options *o, sz_report *r) {
    sz_count_entropy e;
    SZ_REQUIRE(isnan(o->alpha), SZ_E_UNSUPPORTED,
               "--alpha: entropies of other orders are for probabilities and logits");
    SZ_TRY(sz_entropy_counts(counts, cells, &e));
    report_counts(&e, r);
    sz_report_plain(r, "shrinkage", e.shrinkage);
    sz_report_plain(r, "samples", (double)e.n);
    sz_report_plain(r, "cells_seen", (double)e.k);
    sz_report_plain(r, "cells_seen_once", (double)e.singletons);
    snprintf(r->what, sizeof r->what, "%s: %llu samples in %llu of %zu cells", what,
             (unsigned long long)e.n, (unsigned long long)e.k, cells);
    return plot_counts(counts, cells, e.n, o);
}

static sz_status of_reals(const double *x, size_t rows, size_t d, const sz_measure_options *o,
                          sz_report *r) {
    sz_knn_estimate e;
    sz_knn_options knn = {.k = o->k, .no_jitter = o->no_jitter, .seed = o->seed};
    SZ_TRY(sz_entropy_knn(x, rows, d, &knn, &e));
    sz_report_best(r, "kozachenko_leonenko", e.nats, e.standard_error);
    sz_report_plain(r, "samples", (double)e.n);
    snprintf(r->what, sizeof r->what, "%zu real samples of %zu column%s (differential entropy)%s",
             rows, d, d == 1 ? "" : "s", e.jittered ? ", duplicates jittered by 1e-10" : "");
    snprintf(r->why, sizeof r->why, "real values: distances to the %u nearest neighbours",
             o->k ? o->k : 3);
    return SZ_OK;
}

static sz_status of_bytes(const sz_measure_options *o, sz_report *r) {
    uint64_t counts[256] = {0};
    SZ_TRY(sz_count_bytes(o->file, counts, NULL));
    return of_counts(counts, 256, "bytes", o, r);
}

static sz_status of_symbols(const double *v, size_t n, const sz_measure_options *o, sz_report *r) {
    uint64_t *counts;
    size_t cells;
    SZ_TRY(sz_count_symbols(v, n, &counts, &cells));
    sz_status status = of_counts(counts, cells, "symbols", o, r);
    sz_free(counts);
    return status;
}

static sz_status of_count_column(const double *v, size_t n, const sz_measure_options *o,
                                 sz_report *r) {
    uint64_t *counts = sz_alloc(n * sizeof *counts);
    SZ_REQUIRE(counts, SZ_E_NOMEM, "no memory for %zu counts", n);
    sz_status status = SZ_OK;
    for (size_t i = 0; i < n && status == SZ_OK; i++) {
        if (!(v[i] >= 0 && v[i] < 9e15 && v[i] == floor(v[i])))
            status = sz_fail(SZ_E_ARG, "count %zu is %g, not a whole number", i + 1, v[i]);
        counts[i] = status == SZ_OK ? (uint64_t)v[i] : 0;
    }
    if (status == SZ_OK)
        status = of_counts(counts, n, "counts", o, r);
    sz_free(counts);
    return status;
}

/* Probabilities where they sum to one; whole numbers are symbols; words too; the rest is real. */
static sz_reading guess(const sz_table *t, double *v, size_t d, bool labels) {
    if (!labels && d == 1 && sz_settle_single(t, v, t->rows))
        return SZ_READ_PROBABILITIES;
    return d == 1 && sz_is_discrete(v, t->rows) ? SZ_READ_SYMBOLS : SZ_READ_REALS;
}

static sz_status by_reading(double *v, size_t n, size_t d, sz_reading reading,
                            const sz_measure_options *o, sz_report *r) {
    SZ_REQUIRE(reading == SZ_READ_REALS || d == 1, SZ_E_ARG,
               "%zu columns: only real samples have more than one", d);
    switch (reading) {
    case SZ_READ_PROBABILITIES:
        return of_probabilities(v, n, o, r);
    case SZ_READ_LOGITS:
        return of_logits(v, n, o, r);
    case SZ_READ_COUNTS:
        return of_count_column(v, n, o, r);
    case SZ_READ_SYMBOLS:
        return of_symbols(v, n, o, r);
    default:
        SZ_REQUIRE(!o->plot, SZ_E_UNSUPPORTED, "--plot draws outcomes, and real samples have none");
        return of_reals(v, n, d, o, r);
    }
}

sz_status sz_measure_entropy(const sz_measure_options *o, sz_report *r) {
    sz_table t;
    double *v;
    size_t d;
    bool labels;
    if (o->reading == SZ_READ_BYTES)
        return of_bytes(o, r);
    SZ_TRY(sz_table_read(o->file, &t));
    bool all = o->reading == SZ_READ_REALS;
    sz_status status = sz_table_pick(&t, o->x, 0, all ? t.columns : 1, &v, &d, &labels);
    if (status == SZ_OK) {
        sz_reading reading = o->reading ? o->reading : guess(&t, v, d, labels);
        if (o->reading == SZ_READ_PROBABILITIES && d == 1)
            sz_settle_single(&t, v, t.rows);
        if (labels && reading != SZ_READ_SYMBOLS)
            status = sz_fail(SZ_E_ARG, "a column holds words, and words are symbols of one column");
        else
            status = by_reading(v, t.rows, d, reading, o, r);
    }
    sz_free(v);
    sz_table_free(&t);
    return status;
}
