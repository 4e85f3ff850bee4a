/* measure_entropy.c: `szilard measure entropy`: of probabilities, logits, counts, symbols, bytes or
 * real samples. */
#include "measure.h"
#include <math.h>
#include <string.h>
#include <szilard/unstable/num.h>

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
    if (!isnan(o->alpha)) {
        SZ_TRY(sz_entropy_renyi(p, n, o->alpha, &h));
        sz_report_add(r, "renyi", h, NAN);
        SZ_TRY(sz_entropy_tsallis(p, n, o->alpha, &h));
        sz_report_plain(r, "tsallis", h);
    }
    SZ_TRY(sz_entropy_varentropy(p, n, &v));
    sz_report_plain(r, "varentropy_nats2", v);
    snprintf(r->what, sizeof r->what, "distribution over %zu outcomes", n);
    snprintf(r->why, sizeof r->why, "the probabilities are known: the figures are exact");
    return SZ_OK;
}

static sz_status of_logits(const double *z, size_t n, sz_report *r) {
    sz_logit_entropies e;
    SZ_TRY(sz_entropy_logits(z, n, &e));
    sz_report_best(r, "shannon", e.shannon, NAN);
    sz_report_add(r, "renyi_2", e.renyi_2, NAN);
    sz_report_add(r, "min", e.min, NAN);
    sz_report_plain(r, "varentropy_nats2", e.varentropy);
    sz_report_plain(r, "log_sum_exp", e.log_sum_exp);
    snprintf(r->what, sizeof r->what, "softmax of %zu logits", n);
    snprintf(r->why, sizeof r->why, "one pass over the logits: the figures are exact");
    return SZ_OK;
}

static sz_status of_counts(const uint64_t *counts, size_t cells, const char *what, sz_report *r) {
    sz_count_entropy e;
    SZ_TRY(sz_entropy_counts(counts, cells, &e));
    bool grassberger = e.best == e.grassberger;
    sz_report_add(r, "plug_in", e.plug_in, e.standard_error);
    (grassberger ? sz_report_add : sz_report_best)(r, "miller_madow", e.miller_madow,
                                                   e.standard_error);
    (grassberger ? sz_report_best : sz_report_add)(r, "grassberger", e.grassberger,
                                                   e.standard_error);
    sz_report_add(r, "chao_shen", e.chao_shen, NAN);
    sz_report_add(r, "jackknife", e.jackknife, NAN);
    sz_report_add(r, "james_stein", e.james_stein, NAN);
    sz_report_plain(r, "shrinkage", e.shrinkage);
    sz_report_plain(r, "samples", (double)e.n);
    sz_report_plain(r, "cells_seen", (double)e.k);
    sz_report_plain(r, "cells_seen_once", (double)e.singletons);
    snprintf(r->what, sizeof r->what, "%s: %llu samples in %llu of %zu cells", what,
             (unsigned long long)e.n, (unsigned long long)e.k, cells);
    snprintf(r->why, sizeof r->why,
             grassberger ? "fewer than 50 samples for each cell seen: Grassberger's estimator has "
                           "the small bias"
                         : "50 samples or more for each cell seen: Miller and Madow's correction "
                           "suffices");
    return SZ_OK;
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
    sz_buf text = {0};
    uint64_t counts[256] = {0};
    sz_status status = sz_cli_read(o->file, &text);
    for (size_t i = 0; status == SZ_OK && i < text.len; i++)
        counts[(unsigned char)text.data[i]]++;
    sz_buf_free(&text);
    SZ_TRY(status);
    return of_counts(counts, 256, "bytes", r);
}

static sz_status of_symbols(const double *v, size_t n, sz_report *r) {
    uint64_t *counts;
    size_t cells;
    SZ_TRY(sz_count_symbols(v, n, &counts, &cells));
    sz_status status = of_counts(counts, cells, "symbols", r);
    sz_free(counts);
    return status;
}

static sz_status of_count_column(const double *v, size_t n, sz_report *r) {
    uint64_t *counts = sz_alloc(n * sizeof *counts);
    SZ_REQUIRE(counts, SZ_E_NOMEM, "no memory for %zu counts", n);
    sz_status status = SZ_OK;
    for (size_t i = 0; i < n && status == SZ_OK; i++) {
        if (!(v[i] >= 0 && v[i] < 9e15 && v[i] == floor(v[i])))
            status = sz_fail(SZ_E_ARG, "count %zu is %g, not a whole number", i + 1, v[i]);
        counts[i] = status == SZ_OK ? (uint64_t)v[i] : 0;
    }
    if (status == SZ_OK)
        status = of_counts(counts, n, "counts", r);
    sz_free(counts);
    return status;
}

/* Probabilities where they sum to one; whole numbers are symbols; words too; the rest is real. */
static sz_reading guess(const double *v, size_t rows, size_t d, bool labels) {
    double sum = 0, least = 0;
    for (size_t i = 0; i < rows * d; i++) {
        sum += v[i];
        least = v[i] < least ? v[i] : least;
    }
    if (!labels && d == 1 && least >= 0 && fabs(sum - 1) <= 1e-6)
        return SZ_READ_PROBABILITIES;
    return d == 1 && sz_is_discrete(v, rows) ? SZ_READ_SYMBOLS : SZ_READ_REALS;
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
    size_t n = t.rows;
    if (status == SZ_OK) {
        sz_reading reading = o->reading ? o->reading : guess(v, n, d, labels);
        if (reading != SZ_READ_REALS && d > 1)
            status = sz_fail(SZ_E_ARG, "%zu columns: only real samples have more than one", d);
        else if (reading == SZ_READ_PROBABILITIES)
            status = of_probabilities(v, n, o, r);
        else if (reading == SZ_READ_LOGITS)
            status = of_logits(v, n, r);
        else if (reading == SZ_READ_COUNTS)
            status = of_count_column(v, n, r);
        else if (reading == SZ_READ_SYMBOLS)
            status = of_symbols(v, n, r);
        else
            status = of_reals(v, n, d, o, r);
    }
    sz_free(v);
    sz_table_free(&t);
    return status;
}
