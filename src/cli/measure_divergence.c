/* measure_divergence.c: `szilard measure divergence`: how far two columns are apart. */
#include "measure.h"
#include <math.h>

typedef struct measure {
    const char *name;
    sz_status (*call)(const double *p, const double *q, size_t n, double *out);
    bool nats;
} measure;

static const measure measures[] = {
    {"kl_pq", sz_div_kl, true},
    {"cross_entropy_pq", sz_div_cross_entropy, true},
    {"total_variation", sz_div_total_variation, false},
    {"hellinger_squared", sz_div_hellinger2, false},
    {"chi2_pq", sz_div_chi2, false},
};

static sz_status compare(const double *p, const double *q, size_t n, const sz_measure_options *o,
                         sz_report *r) {
    double d;
    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++) {
        SZ_TRY(measures[i].call(p, q, n, &d));
        if (!measures[i].nats)
            sz_report_plain(r, measures[i].name, d);
        else if (i == 0)
            sz_report_best(r, measures[i].name, d, NAN);
        else
            sz_report_add(r, measures[i].name, d, NAN);
    }
    SZ_TRY(sz_div_kl(q, p, n, &d));
    sz_report_add(r, "kl_qp", d, NAN);
    SZ_TRY(sz_div_js(p, q, n, 0.5, &d));
    sz_report_add(r, "jensen_shannon", d, NAN);
    SZ_TRY(sz_div_renyi(p, q, n, 0.5, &d));
    sz_report_add(r, "renyi_0.5", d, NAN);
    if (isnan(o->alpha))
        return SZ_OK;
    SZ_TRY(sz_div_renyi(p, q, n, o->alpha, &d));
    sz_report_add(r, "renyi", d, NAN);
    SZ_TRY(sz_div_alpha(p, q, n, o->alpha, &d));
    sz_report_plain(r, "amari_alpha", d);
    return SZ_OK;
}

sz_status sz_measure_divergence(const sz_measure_options *o, sz_report *r) {
    sz_table t;
    double *p = NULL, *q = NULL;
    size_t n_p, n_q;
    SZ_TRY(sz_table_read(o->file, &t));
    size_t n = t.rows;
    sz_status status = sz_table_pick(&t, o->x, 0, 1, &p, &n_p, NULL);
    if (status == SZ_OK)
        status = sz_table_pick(&t, o->y, 1, 1, &q, &n_q, NULL);
    if (status == SZ_OK && (n_p != 1 || n_q != 1))
        status = sz_fail(SZ_E_ARG, "a divergence is between one column and one other");
    if (status == SZ_OK && t.single && o->reading <= SZ_READ_PROBABILITIES) {
        sz_settle_single(&t, p, n);
        sz_settle_single(&t, q, n);
    }
    if (status == SZ_OK)
        status = sz_column_normalise(p, n, o->reading);
    if (status == SZ_OK)
        status = sz_column_normalise(q, n, o->reading);
    if (status == SZ_OK)
        status = compare(p, q, n, o, r);
    snprintf(r->what, sizeof r->what, "two distributions over %zu outcomes", n);
    snprintf(r->why, sizeof r->why, "both distributions are known: the figures are exact");
    sz_free(p);
    sz_free(q);
    sz_table_free(&t);
    return status;
}
