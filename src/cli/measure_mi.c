/* measure_mi.c: `szilard measure mi`: mutual information of columns, by the estimator that fits. */
#include "measure.h"
#include <math.h>
#include <szilard/unstable/num.h>

typedef struct sides {
    double *x, *y; /* [n][d_x], [n][d_y] */
    size_t n, d_x, d_y;
    bool x_discrete, y_discrete;
} sides;

static double shown(double nats, const sz_measure_options *o) {
    return o->clamp && nats < 0 ? 0 : nats;
}

static sz_status of_table(const uint64_t *table, size_t k_x, size_t k_y,
                          const sz_measure_options *o, sz_report *r) {
    sz_table_information t;
    double p;
    SZ_TRY(sz_mi_table(table, k_x, k_y, &t));
    sz_report_add(r, "plug_in", t.plug_in, t.standard_error);
    sz_report_best(r, "miller_madow", shown(t.miller_madow, o), t.standard_error);
    sz_report_add(r, "entropy_x", t.h_x, NAN);
    sz_report_add(r, "entropy_y", t.h_y, NAN);
    sz_report_add(r, "entropy_xy", t.h_xy, NAN);
    sz_report_plain(r, "g", t.g);
    sz_report_plain(r, "degrees_of_freedom", t.degrees);
    sz_report_plain(r, "p_value_g", t.p_value);
    if (o->permutations) {
        SZ_TRY(sz_mi_permutation(table, k_x, k_y, o->permutations, o->seed, &p));
        sz_report_plain(r, "p_value_permutation", p);
    }
    sz_report_plain(r, "samples", (double)t.n);
    snprintf(r->what, sizeof r->what, "two discrete variables, %zu x %zu cells, %llu samples", k_x,
             k_y, (unsigned long long)t.n);
    return SZ_OK;
}

static sz_status of_codes(const uint32_t *x, size_t k_x, const uint32_t *y, size_t k_y, size_t n,
                          const sz_measure_options *o, sz_report *r) {
    SZ_REQUIRE(k_x <= (1u << 26) / k_y, SZ_E_LIMIT, "a table of %zu x %zu cells is too large", k_x,
               k_y);
    uint64_t *table = sz_calloc(k_x * k_y, sizeof *table);
    SZ_REQUIRE(table, SZ_E_NOMEM, "no memory for a table of %zu x %zu cells", k_x, k_y);
    for (size_t i = 0; i < n; i++)
        table[x[i] * k_y + y[i]]++;
    sz_status status = of_table(table, k_x, k_y, o, r);
    sz_free(table);
    return status;
}

static sz_status discrete(const sides *s, const sz_measure_options *o, sz_report *r) {
    uint32_t *codes = sz_alloc(2 * s->n * sizeof *codes);
    size_t k_x, k_y;
    SZ_REQUIRE(codes, SZ_E_NOMEM, "no memory for %zu samples", s->n);
    sz_status status = sz_column_codes(s->x, s->n, s->d_x, codes, &k_x);
    if (status == SZ_OK)
        status = sz_column_codes(s->y, s->n, s->d_y, codes + s->n, &k_y);
    if (status == SZ_OK)
        status = of_codes(codes, k_x, codes + s->n, k_y, s->n, o, r);
    sz_free(codes);
    snprintf(r->why, sizeof r->why,
             "both are discrete: Miller and Madow's correction of the contingency table");
    return status;
}

static sz_status binned(const sides *s, const sz_measure_options *o, sz_report *r) {
    uint32_t *codes = sz_alloc(2 * s->n * sizeof *codes), k_x, k_y;
    SZ_REQUIRE(codes, SZ_E_NOMEM, "no memory for %zu samples", s->n);
    uint32_t bins = o->bins ? o->bins : 10;
    sz_binning rule = o->binning >= 0 ? (sz_binning)o->binning : SZ_BIN_WIDTH;
    sz_status status = sz_bin(s->x, s->n, rule, bins, codes, &k_x);
    if (status == SZ_OK)
        status = sz_bin(s->y, s->n, rule, bins, codes + s->n, &k_y);
    if (status == SZ_OK)
        status = of_codes(codes, k_x, codes + s->n, k_y, s->n, o, r);
    sz_free(codes);
    if (status == SZ_OK)
        snprintf(r->why, sizeof r->why, "bins were asked for: %u and %u of them", k_x, k_y);
    return status;
}

/* ---- Nearest neighbours ---------------------------------------------------------------------- */

/* Samples and an estimator of what x tells of the other side: y, or labels. */
typedef struct knn {
    const double *x;
    double *y;        /* [n][d_y] */
    uint32_t *labels; /* [n]; NULL: y is real */
    size_t n, d_x, d_y;
    sz_knn_options options;
} knn;

static sz_status estimate(const knn *k, sz_knn_estimate *out) {
    return k->labels ? sz_mi_ross(k->x, k->d_x, (const int32_t *)k->labels, k->n, &k->options, out)
                     : sz_mi_ksg1(k->x, k->d_x, k->y, k->d_y, k->n, &k->options, out);
}

static void swap_rows(knn *k, size_t i, size_t j) {
    for (size_t a = 0; a < (k->labels ? 0 : k->d_y); a++) {
        double kept = k->y[i * k->d_y + a];
        k->y[i * k->d_y + a] = k->y[j * k->d_y + a];
        k->y[j * k->d_y + a] = kept;
    }
    if (k->labels) {
        uint32_t kept = k->labels[i];
        k->labels[i] = k->labels[j];
        k->labels[j] = kept;
    }
}

/* How often samples whose sides are paired anew at random have as much information; the pairs are
 * lost. */
static sz_status permute(knn *k, const sz_measure_options *o, double observed, sz_report *r) {
    enum { STREAM = 47 };
    uint64_t as_large = 0, counter = 0;
    for (uint32_t b = 0; b < o->permutations; b++) {
        sz_knn_estimate e;
        for (size_t i = k->n - 1; i > 0; i--)
            swap_rows(k, i, (size_t)(sz_uniform(o->seed, STREAM, counter++) * (double)(i + 1)));
        SZ_TRY(estimate(k, &e));
        as_large += e.nats >= observed;
    }
    sz_report_plain(r, "p_value_permutation",
                    (1.0 + (double)as_large) / (1.0 + (double)o->permutations));
    return SZ_OK;
}

static void report_knn(const sz_knn_estimate *e, const char *name, const sz_measure_options *o,
                       sz_report *r) {
    sz_report_best(r, name, shown(e->nats, o), e->standard_error);
    sz_report_add(r, "ceiling", e->ceiling, NAN);
    sz_report_plain(r, "samples", (double)e->n);
    snprintf(r->what, sizeof r->what, "%zu samples%s", e->n,
             e->jittered ? ", duplicates jittered by 1e-10" : "");
}

static sz_status mixed(const sides *s, const sz_measure_options *o, sz_report *r) {
    bool swap = s->x_discrete;
    knn k = {.x = swap ? s->y : s->x,
             .labels = sz_alloc(s->n * sizeof *k.labels),
             .n = s->n,
             .d_x = swap ? s->d_y : s->d_x,
             .options = {.k = o->k, .no_jitter = o->no_jitter, .seed = o->seed}};
    sz_knn_estimate e;
    size_t n_labels;
    SZ_REQUIRE(k.labels, SZ_E_NOMEM, "no memory for %zu labels", s->n);
    sz_status status =
        sz_column_codes(swap ? s->x : s->y, s->n, swap ? s->d_x : s->d_y, k.labels, &n_labels);
    if (status == SZ_OK)
        status = estimate(&k, &e);
    if (status == SZ_OK)
        report_knn(&e, "ross", o, r);
    if (status == SZ_OK && o->permutations)
        status = permute(&k, o, e.nats, r);
    sz_free(k.labels);
    snprintf(r->why, sizeof r->why, "one is discrete, the other real: Ross's estimator, k = %u",
             o->k ? o->k : 3);
    return status;
}

static sz_status real(const sides *s, const sz_measure_options *o, sz_report *r) {
    knn k = {.x = s->x,
             .y = s->y,
             .n = s->n,
             .d_x = s->d_x,
             .d_y = s->d_y,
             .options = {.k = o->k, .no_jitter = o->no_jitter, .seed = o->seed}};
    sz_knn_estimate e, second;
    SZ_TRY(estimate(&k, &e));
    SZ_TRY(sz_mi_ksg2(s->x, s->d_x, s->y, s->d_y, s->n, &k.options, &second));
    report_knn(&e, "ksg1", o, r);
    sz_report_add(r, "ksg2", shown(second.nats, o), second.standard_error);
    snprintf(r->why, sizeof r->why,
             "both are real: Kraskov, Stoegbauer and Grassberger's first estimator, k = %u",
             o->k ? o->k : 3);
    return o->permutations ? permute(&k, o, e.nats, r) : SZ_OK;
}

static sz_status by_matrices(const sides *s, const sz_measure_options *o, sz_report *r) {
    sz_matrix_information m;
    double alpha = isnan(o->alpha) ? 1.01 : o->alpha;
    SZ_REQUIRE(!o->permutations, SZ_E_UNSUPPORTED,
               "--perm: more than 20 real columns are measured by matrices, without a p-value");
    SZ_TRY(sz_mi_matrix(s->x, s->d_x, s->y, s->d_y, s->n, 0, 0, alpha, &m));
    sz_report_best(r, "matrix_renyi", m.information, NAN);
    sz_report_plain(r, "sigma_x", m.sigma_x);
    sz_report_plain(r, "sigma_y", m.sigma_y);
    snprintf(r->what, sizeof r->what, "%zu samples of %zu and %zu columns", s->n, s->d_x, s->d_y);
    snprintf(r->why, sizeof r->why,
             "more than 20 columns: matrix-based Renyi information of order %g, which depends on "
             "the kernel widths and is no estimate of Shannon's",
             alpha);
    return SZ_OK;
}

/* ---- Choosing -------------------------------------------------------------------------------- */

static sz_status choose(const sides *s, const sz_measure_options *o, sz_report *r) {
    if (o->binning >= 0 || o->bins) {
        SZ_REQUIRE(s->d_x == 1 && s->d_y == 1, SZ_E_ARG, "bins are for one column on each side");
        return binned(s, o, r);
    }
    if (s->x_discrete && s->y_discrete)
        return discrete(s, o, r);
    if (s->x_discrete || s->y_discrete)
        return mixed(s, o, r);
    return s->d_x + s->d_y > 20 ? by_matrices(s, o, r) : real(s, o, r);
}

/* A table of counts: rows are values of x, columns values of y. */
static sz_status of_count_table(const sz_table *t, const sz_measure_options *o, sz_report *r) {
    size_t cells = t->rows * t->columns;
    uint64_t *table = sz_alloc(cells * sizeof *table);
    SZ_REQUIRE(table, SZ_E_NOMEM, "no memory for %zu cells", cells);
    sz_status status = SZ_OK;
    for (size_t i = 0; i < cells && status == SZ_OK; i++) {
        if (!(t->v[i] >= 0 && t->v[i] < 9e15 && t->v[i] == floor(t->v[i])))
            status = sz_fail(SZ_E_ARG, "cell (%zu, %zu) is %g, not a count", i / t->columns + 1,
                             i % t->columns + 1, t->v[i]);
        table[i] = status == SZ_OK ? (uint64_t)t->v[i] : 0;
    }
    if (status == SZ_OK)
        status = of_table(table, t->rows, t->columns, o, r);
    sz_free(table);
    snprintf(r->why, sizeof r->why, "a contingency table was given");
    return status;
}

static sz_status of_columns(const sz_table *t, const sz_measure_options *o, sz_report *r) {
    sides s = {.n = t->rows};
    bool words_x = false, words_y = false;
    sz_status status = sz_table_pick(t, o->x, 0, 1, &s.x, &s.d_x, &words_x);
    if (status == SZ_OK)
        status = sz_table_pick(t, o->y, 1, 1, &s.y, &s.d_y, &words_y);
    if (status == SZ_OK) {
        bool symbols = o->reading == SZ_READ_SYMBOLS, reals = o->reading == SZ_READ_REALS;
        s.x_discrete = words_x || symbols || (!reals && s.d_x == 1 && sz_is_discrete(s.x, s.n));
        s.y_discrete = words_y || symbols || (!reals && s.d_y == 1 && sz_is_discrete(s.y, s.n));
        if (reals && (words_x || words_y))
            status =
                sz_fail(SZ_E_ARG, "column %s holds words, not real numbers", words_x ? "x" : "y");
        else
            status = choose(&s, o, r);
    }
    sz_free(s.x);
    sz_free(s.y);
    return status;
}

/* What a byte tells of the next. */
static sz_status of_bytes(const sz_measure_options *o, sz_report *r) {
    uint64_t counts[256] = {0}, *pairs = sz_calloc(256 * 256, sizeof *pairs);
    SZ_REQUIRE(pairs, SZ_E_NOMEM, "no memory for pairs of bytes");
    sz_status status = sz_count_bytes(o->file, counts, pairs);
    if (status == SZ_OK)
        status = of_table(pairs, 256, 256, o, r);
    sz_free(pairs);
    snprintf(r->why, sizeof r->why, "bytes: each and the one after it");
    return status;
}

sz_status sz_measure_mi(const sz_measure_options *o, sz_report *r) {
    sz_table t;
    if (o->reading == SZ_READ_BYTES)
        return of_bytes(o, r);
    SZ_TRY(sz_table_read(o->file, &t));
    sz_status status =
        o->reading == SZ_READ_COUNTS ? of_count_table(&t, o, r) : of_columns(&t, o, r);
    sz_table_free(&t);
    return status;
}
