/* measure_dse.c: `szilard measure dse`: diffusion spectral entropy of rows, and what it tells of
 * their labels. */
#include "measure.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/num.h>

enum { DEFAULT_NEIGHBOUR = 10, MOST_ROWS = 10000, LABEL_BINS = 10 };

/* The columns that are not the label, [rows][*d]. */
static sz_status rows_without(const sz_table *t, const double *label, double **x, size_t *d) {
    double *out = sz_alloc(t->rows * t->columns * sizeof *out);
    SZ_REQUIRE(out, SZ_E_NOMEM, "no memory for %zu rows", t->rows);
    *d = 0;
    *x = out; /* the caller frees it */
    for (size_t j = 0; j < t->columns; j++) {
        bool same = label != NULL;
        for (size_t i = 0; same && i < t->rows; i++)
            same = t->v[i * t->columns + j] == label[i];
        SZ_REQUIRE(same || !t->column[j].labels, SZ_E_ARG, "column '%s' holds words, not numbers",
                   t->column[j].name);
        *d += !same;
        for (size_t i = 0; !same && i < t->rows; i++)
            out[i * t->columns + *d - 1] = t->v[i * t->columns + j];
    }
    for (size_t i = 1; i < t->rows; i++) /* close up what the label's column leaves */
        for (size_t j = 0; j < *d; j++)
            out[i * *d + j] = out[i * t->columns + j];
    return SZ_OK;
}

static sz_status add_times(const double *values, size_t n, const char *list, sz_report *r) {
    for (const char *at = list; *at;) {
        char *end, name[40];
        double t = strtod(at, &end), h;
        SZ_REQUIRE(end != at && (*end == ',' || *end == '\0'), SZ_E_ARG,
                   "'%s' is not a list of diffusion times", list);
        SZ_TRY(sz_diffusion_entropy(values, n, t, &h));
        snprintf(name, sizeof name, "dse_t%g", t);
        if (at == list)
            sz_report_best(r, name, h, NAN);
        else
            sz_report_add(r, name, h, NAN);
        at = *end ? end + 1 : end;
    }
    return SZ_OK;
}

static sz_status add_spectrum(const sz_point_set *s, double sigma, const sz_measure_options *o,
                              sz_report *r) {
    size_t n = sz_point_set_size(s);
    double *values = sz_alloc(n * sizeof *values), h;
    SZ_REQUIRE(values, SZ_E_NOMEM, "no memory for %zu eigenvalues", n);
    sz_status status = sz_diffusion_spectrum(s, NULL, n, sigma, SZ_DIFFUSION, values);
    if (status == SZ_OK)
        status =
            sz_measure_plot(o, "Spectrum of the diffusion between rows", SZ_EIGENVALUES, values, n);
    if (status == SZ_OK)
        status = add_times(values, n, o->times ? o->times : "1", r);
    if (status == SZ_OK)
        status = sz_diffusion_entropy(values, n, 1, &h);
    if (status == SZ_OK) {
        bool isolated = n > 1 && values[n - 1] == 1, merged = n > 1 && values[1] < 1e-12;
        sz_report_plain(r, "effective_components_t1", sz_exp(h));
        sz_report_add(r, "most", sz_log((double)n), NAN);
        snprintf(r->why, sizeof r->why, "kernel width %g%s", sigma,
                 o->sigma ? "" : " (median distance to the tenth neighbour)");
        snprintf(r->what, sizeof r->what, "%s",
                 isolated ? ": all are isolated, widen the kernel"
                 : merged ? ": all are one, narrow the kernel"
                          : "");
    }
    sz_free(values);
    return status;
}

static sz_status add_labels(const sz_point_set *s, const uint32_t *labels, double sigma,
                            const sz_measure_options *o, sz_report *r) {
    sz_dsmi_estimate e;
    double t = o->times ? strtod(o->times, NULL) : 1;
    SZ_TRY(sz_dsmi(s, (const int32_t *)labels, sigma, t, 5, o->seed, &e));
    sz_report_add(r, "dsmi", e.nats, e.standard_error);
    sz_report_add(r, "dsmi_ceiling", e.ceiling, NAN);
    sz_report_plain(r, "samples_in_classes", (double)e.n_used);
    return SZ_OK;
}

static sz_status measure(const double *x, size_t n, size_t d, const uint32_t *labels,
                         const sz_measure_options *o, sz_report *r) {
    sz_point_set *s;
    double sigma = o->sigma;
    SZ_TRY(sz_point_set_new(x, n, d, &s));
    sz_status status = SZ_OK;
    if (sigma == 0 && n > 1)
        status = sz_point_set_median_distance(s, DEFAULT_NEIGHBOUR, &sigma);
    sigma = sigma > 0 ? sigma : 1; /* coincident points: any width gives 0 */
    if (status == SZ_OK)
        status = add_spectrum(s, sigma, o, r);
    if (status == SZ_OK && labels)
        status = add_labels(s, labels, sigma, o, r);
    sz_report_plain(r, "sigma", sigma);
    sz_point_set_free(s);
    char warning[sizeof r->what];
    memcpy(warning, r->what, sizeof warning);
    snprintf(r->what, sizeof r->what, "%zu points of %zu dimensions%.60s", n, d, warning);
    return status;
}

/* Classes of a column: its symbols, or ten bins of equal width of its real values. */
static sz_status classes_of(const sz_table *t, const char *name, double **label, uint32_t **out) {
    size_t n_labels, k;
    bool words;
    uint32_t bins;
    SZ_TRY(sz_table_pick(t, name, 0, 1, label, &n_labels, &words));
    SZ_REQUIRE(n_labels == 1, SZ_E_ARG, "'%s' is not one column", name);
    *out = sz_alloc(t->rows * sizeof **out);
    SZ_REQUIRE(*out, SZ_E_NOMEM, "no memory for %zu labels", t->rows);
    return sz_is_discrete(*label, t->rows)
               ? sz_column_codes(*label, t->rows, 1, *out, &k)
               : sz_bin(*label, t->rows, SZ_BIN_WIDTH, LABEL_BINS, *out, &bins);
}

/* Keeps MOST_ROWS of the rows, any of them as likely as any other, in their order. */
static size_t thin_out(double *x, size_t n, size_t d, uint32_t *labels, uint64_t seed) {
    enum { STREAM = 48 };
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        double wanted = (double)(MOST_ROWS - kept), left = (double)(n - i);
        if (n > MOST_ROWS && sz_uniform(seed, STREAM, i) * left >= wanted)
            continue;
        for (size_t j = 0; j < d; j++)
            x[kept * d + j] = x[i * d + j];
        if (labels)
            labels[kept] = labels[i];
        kept++;
    }
    return kept;
}

sz_status sz_measure_dse(const sz_measure_options *o, sz_report *r) {
    sz_table t;
    double *label = NULL, *x = NULL;
    uint32_t *labels = NULL;
    size_t d;
    SZ_TRY(sz_table_read(o->file, &t));
    sz_status status = o->labels ? classes_of(&t, o->labels, &label, &labels) : SZ_OK;
    if (status == SZ_OK)
        status = rows_without(&t, label, &x, &d);
    if (status == SZ_OK)
        status = measure(x, thin_out(x, t.rows, d, labels, o->seed), d, labels, o, r);
    size_t said = strlen(r->what);
    if (t.rows > MOST_ROWS)
        snprintf(r->what + said, sizeof r->what - said, ", drawn from %zu", t.rows);
    sz_free(label);
    sz_free(labels);
    sz_free(x);
    sz_table_free(&t);
    return status;
}
