/* measure_spectral.c: `szilard measure spectral`: matrix entropies of rows of numbers, such as the
 * hidden states of tokens. */
#include "measure.h"
#include <math.h>
#include <szilard/unstable/num.h>

static sz_status report(const double *values, size_t n, const sz_measure_options *o, sz_report *r) {
    double s, clamped;
    SZ_TRY(sz_spectral_entropy(values, n, 1, &clamped, &s));
    sz_report_best(r, "von_neumann", s, NAN);
    sz_report_plain(r, "effective_rank", sz_exp(s));
    if (!isnan(o->alpha)) {
        SZ_TRY(sz_spectral_entropy(values, n, o->alpha, NULL, &s));
        sz_report_add(r, "renyi", s, NAN);
    }
    SZ_TRY(sz_spectral_entropy(values, n, 2, NULL, &s));
    sz_report_add(r, "renyi_2", s, NAN);
    if (o->truncate) {
        SZ_TRY(sz_spectral_truncated(values, n, o->truncate, false, &s));
        sz_report_add(r, "truncated", s, NAN);
        SZ_TRY(sz_spectral_truncated(values, n, o->truncate, true, &s));
        sz_report_add(r, "truncated_renormalised", s, NAN);
    }
    sz_report_add(r, "most", sz_log((double)n), NAN);
    sz_report_plain(r, "largest_eigenvalue", values[0]);
    sz_report_plain(r, "clamped_mass", clamped);
    return SZ_OK;
}

sz_status sz_measure_spectral(const sz_measure_options *o, sz_report *r) {
    sz_table t;
    double *values = NULL;
    size_t n = 0, cells;
    SZ_TRY(sz_table_read(o->file, &t));
    cells = t.rows * t.columns;
    float *z = sz_alloc(cells * sizeof *z);
    sz_status status = z ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for %zu numbers", cells);
    for (size_t i = 0; z && i < cells; i++)
        z[i] = (float)t.v[i];
    for (size_t j = 0; j < t.columns && status == SZ_OK; j++)
        if (t.column[j].labels)
            status = sz_fail(SZ_E_ARG, "column '%s' holds words, not numbers", t.column[j].name);
    if (status == SZ_OK)
        status = sz_spectral_of_rows(z, t.rows, t.columns, o->center, &values, &n);
    if (status == SZ_OK)
        status = report(values, n, o, r);
    if (status == SZ_OK)
        status = sz_measure_plot(o, "Spectrum of rows", SZ_EIGENVALUES, values, n);
    snprintf(r->what, sizeof r->what, "spectrum of %zu rows x %zu columns, %s", t.rows, t.columns,
             o->center ? "columns centred" : "not centred");
    snprintf(r->why, sizeof r->why, "eigenvalues of the %s matrix, whichever is smaller",
             t.rows <= t.columns ? "Gram" : "covariance");
    sz_free(z);
    sz_free(values);
    sz_table_free(&t);
    return status;
}
