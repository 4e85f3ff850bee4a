/* measure_coupling.c: `szilard measure coupling`: the joint law of two columns with the least
 * randomness, how far it may be from the best, and what passes through a bottleneck. */
#include "measure.h"
#include "paths.h"
#include <math.h>
#include <szilard/unstable/coupling.h>
#include <szilard/unstable/npy.h>

typedef struct marginals {
    double *p, *q;
    size_t n;
} marginals;

static sz_status write_matrix(sz_writer *w, const double *joint, size_t n) {
    const uint64_t dim[] = {n, n};
    SZ_TRY(sz_npy_header(w, "<f8", dim, 2));
    return sz_writer_write(w, joint, n * n * sizeof *joint);
}

static sz_status write_rows(sz_writer *w, const double *joint, size_t n) {
    sz_buf b = {0};
    sz_buf_puts(&b, "row,column,probability\n");
    for (size_t k = 0; k < n * n; k++)
        if (joint[k] > 0) {
            sz_buf_printf(&b, "%zu,%zu,", k / n + 1, k % n + 1);
            sz_json_number(&b, joint[k]);
            sz_buf_putc(&b, '\n');
        }
    sz_status status = b.failed ? sz_fail(SZ_E_NOMEM, "no memory for the joint law")
                                : sz_writer_write(w, b.data, b.len);
    sz_buf_free(&b);
    return status;
}

static sz_status write_joint(const char *path, const double *joint, size_t n) {
    sz_writer *w;
    SZ_TRY(sz_writer_open(path, &w));
    sz_status status =
        sz_has_suffix(path, ".npy") ? write_matrix(w, joint, n) : write_rows(w, joint, n);
    if (status != SZ_OK) {
        sz_writer_abort(w);
        return status;
    }
    return sz_writer_commit(w);
}

static sz_status write_coupling(const char *path, const sz_coupling *c, size_t n) {
    SZ_REQUIRE(n <= 1 << 14, SZ_E_LIMIT, "a joint law of %zu x %zu is too large to write", n, n);
    double *joint = sz_calloc(n * n, sizeof *joint);
    SZ_REQUIRE(joint, SZ_E_NOMEM, "no memory for a joint law of %zu x %zu", n, n);
    for (size_t k = 0; k < c->n; k++)
        joint[c->index[2 * k] * n + c->index[2 * k + 1]] = (double)c->mass[k] * 0x1p-62;
    sz_status status = write_joint(path, joint, n);
    sz_free(joint);
    return status;
}

/* Keeps the better of two couplings in *best. */
static void keep(sz_coupling *best, sz_coupling *other) {
    if (sz_coupling_entropy(other) < sz_coupling_entropy(best)) {
        sz_coupling spare = *best;
        *best = *other;
        *other = spare;
    }
    sz_coupling_free(other);
}

/* The best coupling that is affordable, and the figures of each that was tried. */
static sz_status couple(const marginals *m, sz_report *r, sz_coupling *best, bool *exact) {
    enum { MOST_ZERO_SEEKING = 20000 };
    sz_coupling other;
    SZ_TRY(sz_mec_greedy(m->p, m->n, m->q, m->n, best));
    sz_report_add(r, "greedy", sz_coupling_entropy(best), NAN);
    if (m->n <= MOST_ZERO_SEEKING) {
        SZ_TRY(sz_mec_zero_seeking(m->p, m->n, m->q, m->n, &other));
        sz_report_add(r, "zero_seeking", sz_coupling_entropy(&other), NAN);
        keep(best, &other);
    }
    sz_status status = sz_mec_exact(m->p, m->n, m->q, m->n, &other);
    snprintf(r->why, sizeof r->why,
             "the better of the greedy and the zero-seeking coupling; 'gap' bounds its distance "
             "from the least");
    *exact = status == SZ_OK;
    if (status != SZ_OK)
        return status == SZ_E_LIMIT ? SZ_OK : status;
    sz_report_add(r, "exact", sz_coupling_entropy(&other), NAN);
    keep(best, &other);
    snprintf(r->why, sizeof r->why, "the least of all couplings, by search");
    return SZ_OK;
}

static sz_status free_coupling(const marginals *m, const sz_measure_options *o, sz_report *r) {
    sz_coupling c = {0};
    sz_mec_bounds b;
    double h_p, h_q;
    bool exact;
    SZ_TRY(sz_entropy_shannon(m->p, m->n, &h_p));
    SZ_TRY(sz_entropy_shannon(m->q, m->n, &h_q));
    SZ_TRY(sz_mec_bound(m->p, m->n, m->q, m->n, &b));
    sz_status status = couple(m, r, &c, &exact);
    if (status == SZ_OK) {
        double h = sz_coupling_entropy(&c), lower = exact ? h : b.lower;
        sz_report_best(r, "least_found", h, NAN);
        sz_report_add(r, "lower_bound", b.lower, NAN);
        sz_report_add(r, "gap", h > lower ? h - lower : 0, NAN);
        sz_report_add(r, "independent", h_p + h_q, NAN);
        sz_report_add(r, "information", h_p + h_q > h ? h_p + h_q - h : 0, NAN);
        sz_report_plain(r, "cells", (double)c.n);
        if (o->joint)
            status = write_coupling(o->joint, &c, m->n);
    }
    sz_coupling_free(&c);
    return status;
}

static sz_status through_bottleneck(const marginals *m, const sz_measure_options *o, sz_report *r) {
    double rate = o->rate / sz_unit_convert(1, o->unit);
    sz_mecb b;
    SZ_TRY(sz_mecb_solve(m->p, m->n, m->q, m->n, rate, SZ_EBIM_ONE_SPLIT, &b));
    sz_report_best(r, "information_xy", b.i_xy, NAN);
    sz_report_add(r, "lower_bound", b.lower, NAN);
    sz_report_add(r, "information_xt", b.i_xt, NAN);
    sz_report_add(r, "information_ty", b.i_ty, NAN);
    sz_report_add(r, "code_entropy", b.encoder.rate, NAN);
    sz_report_plain(r, "codes", (double)b.encoder.n_codes);
    snprintf(r->why, sizeof r->why, "%s",
             b.encoder.identity
                 ? "the rate allows the whole of the first column: its own values are the code"
                 : "the best code found: a map with one value split between two codes; then the "
                   "greedy coupling of code and second column");
    sz_status status = o->joint ? write_joint(o->joint, b.joint, m->n) : SZ_OK;
    sz_mecb_free(&b);
    return status;
}

static sz_status take_columns(const sz_table *t, const sz_measure_options *o, marginals *m) {
    size_t n_p, n_q;
    m->n = t->rows;
    SZ_TRY(sz_table_pick(t, o->x, 0, 1, &m->p, &n_p, NULL));
    SZ_TRY(sz_table_pick(t, o->y, 1, 1, &m->q, &n_q, NULL));
    SZ_REQUIRE(n_p == 1 && n_q == 1, SZ_E_ARG, "a coupling is of one column and one other");
    SZ_TRY(sz_column_normalise(m->p, m->n, o->reading));
    return sz_column_normalise(m->q, m->n, o->reading);
}

sz_status sz_measure_coupling(const sz_measure_options *o, sz_report *r) {
    sz_table t;
    marginals m = {0};
    SZ_TRY(sz_table_read(o->file, &t));
    sz_status status = take_columns(&t, o, &m);
    if (status == SZ_OK && isnan(o->rate))
        status = free_coupling(&m, o, r);
    else if (status == SZ_OK)
        status = through_bottleneck(&m, o, r);
    snprintf(r->what, sizeof r->what, "two marginals of %zu entries%s", t.rows,
             isnan(o->rate) ? "" : ", a code between them");
    sz_free(m.p);
    sz_free(m.q);
    sz_table_free(&t);
    return status;
}
