/* measure_dse.c: `szilard measure dse`: diffusion spectral entropy of rows, and what it tells of
 * their labels. */
#include "measure.h"
#include <math.h>
#include <stdlib.h>
#include <szilard/unstable/num.h>

enum { DEFAULT_NEIGHBOUR = 10 };

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
        snprintf(r->why, sizeof r->why, "kernel width %g%s%s", sigma,
                 o->sigma ? "" : " (median distance to the tenth neighbour)",
                 isolated ? "; all points are isolated: widen it"
                 : merged ? "; all points are one: narrow it"
                          : "");
    }
    sz_free(values);
    return status;
}

static sz_status add_labels(const sz_point_set *s, const double *label, double sigma,
                            const sz_measure_options *o, sz_report *r) {
    size_t n = sz_point_set_size(s);
    uint32_t *labels = sz_alloc(n * sizeof *labels);
    size_t classes;
    sz_dsmi_estimate e;
    SZ_REQUIRE(labels, SZ_E_NOMEM, "no memory for %zu labels", n);
    double t = o->times ? strtod(o->times, NULL) : 1;
    sz_status status = sz_column_codes(label, n, 1, labels, &classes);
    if (status == SZ_OK)
        status = sz_dsmi(s, (const int32_t *)labels, sigma, t, 5, o->seed, &e);
    sz_free(labels);
    SZ_TRY(status);
    sz_report_add(r, "dsmi", e.nats, e.standard_error);
    sz_report_add(r, "dsmi_ceiling", e.ceiling, NAN);
    sz_report_plain(r, "samples_in_classes", (double)e.n_used);
    return SZ_OK;
}

static sz_status measure(const double *x, size_t n, size_t d, const double *label,
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
    if (status == SZ_OK && label)
        status = add_labels(s, label, sigma, o, r);
    sz_report_plain(r, "sigma", sigma);
    sz_point_set_free(s);
    snprintf(r->what, sizeof r->what, "%zu points of %zu dimensions", n, d);
    return status;
}

sz_status sz_measure_dse(const sz_measure_options *o, sz_report *r) {
    sz_table t;
    double *label = NULL, *x = NULL;
    size_t n_labels, d;
    bool words;
    SZ_TRY(sz_table_read(o->file, &t));
    sz_status status = SZ_OK;
    if (o->labels)
        status = sz_table_pick(&t, o->labels, 0, 1, &label, &n_labels, &words);
    if (status == SZ_OK && label && (n_labels != 1 || !sz_is_discrete(label, t.rows)))
        status = sz_fail(SZ_E_ARG, "'%s' is not one column of whole numbers or words", o->labels);
    if (status == SZ_OK)
        status = rows_without(&t, label, &x, &d);
    if (status == SZ_OK)
        status = measure(x, t.rows, d, label, o, r);
    sz_free(label);
    sz_free(x);
    sz_table_free(&t);
    return status;
}
