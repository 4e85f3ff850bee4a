/* knn.c: entropies and informations of real samples from distances to nearest neighbours. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/info.h>
#include <szilard/unstable/num.h>

#include "info/distribution.h"
#include "info/kd_tree.h"

enum { MAX_NEIGHBOURS = 256 };

/* ---- Samples: copied, joined and, where points coincide, moved apart ------------------------- */

typedef struct cloud {
    double *points; /* [n][d] */
    size_t n, d;
    uint32_t k;
    bool jittered;
    sz_kd_tree tree;
    sz_neighbour *near; /* [n][k], in the tree's order */
} cloud;

static void cloud_free(cloud *c) {
    sz_kd_free(&c->tree);
    sz_free(c->points);
    sz_free(c->near);
}

/* The k neighbours of point i of the tree, and the distance of the last. */
static const sz_neighbour *neighbours(const cloud *c, size_t i) {
    return c->near + i * c->k;
}
static double radius(const cloud *c, size_t i) {
    return neighbours(c, i)[c->k - 1].distance;
}

static sz_status check(const double *x, size_t n, size_t d, const char *name) {
    SZ_REQUIRE(d >= 1, SZ_E_ARG, "%s has no columns", name);
    for (size_t i = 0; i < n * d; i++)
        SZ_REQUIRE(x[i] - x[i] == 0, SZ_E_NAN, "%s: row %zu, column %zu is not a finite number",
                   name, i / d, i % d);
    return SZ_OK;
}

/* Grows the tree and finds all neighbours; *coincident: some k-th neighbour is at distance 0. */
static sz_status find_neighbours(cloud *c, bool *coincident) {
    sz_kd_free(&c->tree);
    SZ_TRY(sz_kd_build(c->points, c->n, c->d, &c->tree));
    *coincident = false;
    for (uint32_t i = 0; i < c->n; i++) {
        sz_kd_nearest(&c->tree, i, c->k, c->near + (size_t)i * c->k);
        *coincident |= radius(c, i) == 0;
    }
    return SZ_OK;
}

static sz_status separate(cloud *c, const sz_knn_options *o) {
    bool coincident;
    SZ_TRY(find_neighbours(c, &coincident));
    if (!coincident)
        return SZ_OK;
    SZ_REQUIRE(!o->no_jitter, SZ_E_ARG, "more than %u samples coincide: their distance is zero",
               c->k);
    sz_jitter(c->points, c->n, c->d, o->seed);
    c->jittered = true;
    return find_neighbours(c, &coincident);
}

/* Joins x and y (may be NULL) and grows the tree; the k-th neighbour of no point is at distance 0.
 */
static sz_status cloud_make(const double *x, size_t d_x, const double *y, size_t d_y, size_t n,
                            const sz_knn_options *options, cloud *c) {
    sz_knn_options o = options ? *options : (sz_knn_options){0};
    *c = (cloud){.n = n, .d = d_x + d_y, .k = o.k ? o.k : 3};
    SZ_REQUIRE(c->k < n && c->k <= MAX_NEIGHBOURS, SZ_E_ARG,
               "k = %u neighbours need more than the %zu samples (and k at most %d)", c->k, n,
               MAX_NEIGHBOURS);
    SZ_TRY(check(x, n, d_x, "x"));
    if (y)
        SZ_TRY(check(y, n, d_y, "y"));
    c->points = sz_alloc(n * c->d * sizeof *c->points);
    c->near = sz_alloc(n * c->k * sizeof *c->near);
    if (!c->points || !c->near) {
        cloud_free(c);
        return sz_fail(SZ_E_NOMEM, "no memory for %zu samples", n);
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(c->points + i * c->d, x + i * d_x, d_x * sizeof *x);
        if (d_y)
            memcpy(c->points + i * c->d + d_x, y + i * d_y, d_y * sizeof *y);
    }
    sz_status status = separate(c, &o);
    if (status != SZ_OK)
        cloud_free(c);
    return status;
}

/* ---- The estimate from its local terms ------------------------------------------------------- */

typedef struct terms {
    sz_sum sum, square;
    size_t n;
} terms;

static void terms_add(terms *t, double x) {
    sz_sum_add(&t->sum, x);
    sz_sum_add(&t->square, x * x);
    t->n++;
}

static double terms_mean(const terms *t) {
    return sz_sum_get(&t->sum) / (double)t->n;
}

static double terms_error(const terms *t) {
    double mean = terms_mean(t);
    double variance = sz_sum_get(&t->square) / (double)t->n - mean * mean;
    return sqrt(sz_at_least_zero(variance) / (double)t->n);
}

sz_status sz_entropy_knn(const double *x, size_t n, size_t d, const sz_knn_options *options,
                         sz_knn_estimate *out) {
    cloud c;
    terms t = {0};
    SZ_TRY(cloud_make(x, d, NULL, 0, n, options, &c));
    for (uint32_t i = 0; i < n; i++) {
        terms_add(&t, (double)d * sz_log(2.0 * radius(&c, i)));
    }
    *out = (sz_knn_estimate){
        .nats = sz_digamma((double)n) - sz_digamma((double)c.k) + terms_mean(&t),
        .standard_error = terms_error(&t),
        .ceiling = INFINITY,
        .n = n,
        .jittered = c.jittered,
    };
    cloud_free(&c);
    return SZ_OK;
}

/* ---- Counting in one of the two spaces ------------------------------------------------------- */

/* Columns [first, first + d) of a cloud: sorted where there is one column, else a tree. */
typedef struct margin {
    size_t first, d, n;
    double *sorted;
    sz_kd_tree tree;
} margin;

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static sz_status margin_make(const cloud *c, size_t first, size_t d, margin *m) {
    *m = (margin){.first = first, .d = d, .n = c->n};
    double *columns = sz_alloc(c->n * d * sizeof *columns);
    SZ_REQUIRE(columns, SZ_E_NOMEM, "no memory for %zu samples", c->n);
    for (size_t i = 0; i < c->n; i++)
        memcpy(columns + i * d, c->points + i * c->d + first, d * sizeof *columns);
    if (d == 1) {
        qsort(columns, c->n, sizeof *columns, compare);
        m->sorted = columns;
        return SZ_OK;
    }
    sz_status status = sz_kd_build(columns, c->n, d, &m->tree);
    sz_free(columns);
    return status;
}

static void margin_free(margin *m) {
    sz_free(m->sorted);
    sz_kd_free(&m->tree);
}

/* First index of sorted[0..n) at or above x for which the distance is not below r (not within r if
 * closed), and its mirror: the difference as computed rises with the distance. */
static size_t count_sorted(const double *sorted, size_t n, double x, double r, bool closed) {
    size_t low = 0, high = n;
    while (low < high) { /* first with x - v < r */
        size_t middle = low + (high - low) / 2;
        double off = x - sorted[middle];
        if (closed ? off <= r : off < r)
            high = middle;
        else
            low = middle + 1;
    }
    size_t from = low;
    high = n;
    while (low < high) { /* first with v - x >= r */
        size_t middle = low + (high - low) / 2;
        double off = sorted[middle] - x;
        if (closed ? off <= r : off < r)
            low = middle + 1;
        else
            high = middle;
    }
    return low - from;
}

/* Neighbours of the joint point within r, itself not counted. */
static size_t margin_count(const margin *m, const double *point, double r, bool closed) {
    const double *x = point + m->first;
    size_t within = m->d == 1 ? count_sorted(m->sorted, m->n, x[0], r, closed)
                              : sz_kd_count(&m->tree, x, r, closed);
    return within - (within > 0);
}

/* ---- Kraskov, Stoegbauer and Grassberger ----------------------------------------------------- */

/* psi(n) for whole n, remembered. */
typedef struct digammas {
    double *psi; /* [n + 1]; psi[0] unused */
} digammas;

static sz_status digammas_make(size_t n, digammas *out) {
    out->psi = sz_alloc((n + 1) * sizeof *out->psi);
    SZ_REQUIRE(out->psi, SZ_E_NOMEM, "no memory for %zu samples", n);
    for (size_t i = 1; i <= n; i++) /* exact values now and then stop the error from growing */
        out->psi[i] = i % 64 == 1 ? sz_digamma((double)i) : out->psi[i - 1] + 1.0 / (double)(i - 1);
    return SZ_OK;
}

typedef struct ksg {
    cloud c;
    margin x, y;
    digammas psi;
    size_t d_x;
} ksg;

static void ksg_free(ksg *s) {
    cloud_free(&s->c);
    margin_free(&s->x);
    margin_free(&s->y);
    sz_free(s->psi.psi);
}

static sz_status ksg_make(const double *x, size_t d_x, const double *y, size_t d_y, size_t n,
                          const sz_knn_options *options, ksg *s) {
    *s = (ksg){.d_x = d_x};
    SZ_TRY(cloud_make(x, d_x, y, d_y, n, options, &s->c));
    sz_status status = margin_make(&s->c, 0, d_x, &s->x);
    if (status == SZ_OK)
        status = margin_make(&s->c, d_x, d_y, &s->y);
    if (status == SZ_OK)
        status = digammas_make(n, &s->psi);
    if (status != SZ_OK)
        ksg_free(s);
    return status;
}

static void ksg_finish(ksg *s, double constant, const terms *t, sz_knn_estimate *out) {
    *out = (sz_knn_estimate){
        .nats = constant + sz_digamma((double)s->c.n) - terms_mean(t),
        .standard_error = terms_error(t),
        .ceiling = sz_log((double)s->c.n),
        .n = s->c.n,
        .jittered = s->c.jittered,
    };
    ksg_free(s);
}

sz_status sz_mi_ksg1(const double *x, size_t d_x, const double *y, size_t d_y, size_t n,
                     const sz_knn_options *options, sz_knn_estimate *out) {
    ksg s;
    terms t = {0};
    SZ_TRY(ksg_make(x, d_x, y, d_y, n, options, &s));
    for (uint32_t i = 0; i < n; i++) {
        const double *point = s.c.tree.points + i * s.c.d;
        double r = radius(&s.c, i);
        size_t n_x = margin_count(&s.x, point, r, false), n_y = margin_count(&s.y, point, r, false);
        terms_add(&t, s.psi.psi[n_x + 1] + s.psi.psi[n_y + 1]);
    }
    ksg_finish(&s, sz_digamma((double)s.c.k), &t, out);
    return SZ_OK;
}

/* Greatest distance of the neighbours from the point over columns [first, first + d). */
static double extent(const ksg *s, const double *point, const sz_neighbour *near, size_t first,
                     size_t d) {
    double most = 0;
    for (uint32_t j = 0; j < s->c.k; j++)
        for (size_t a = first; a < first + d; a++) {
            double off = s->c.tree.points[near[j].at * s->c.d + a] - point[a];
            off = off < 0 ? -off : off;
            most = off > most ? off : most;
        }
    return most;
}

sz_status sz_mi_ksg2(const double *x, size_t d_x, const double *y, size_t d_y, size_t n,
                     const sz_knn_options *options, sz_knn_estimate *out) {
    ksg s;
    terms t = {0};
    SZ_TRY(ksg_make(x, d_x, y, d_y, n, options, &s));
    for (uint32_t i = 0; i < n; i++) {
        const double *point = s.c.tree.points + i * s.c.d;
        const sz_neighbour *near = neighbours(&s.c, i);
        double e_x = extent(&s, point, near, 0, d_x), e_y = extent(&s, point, near, d_x, d_y);
        size_t n_x = margin_count(&s.x, point, e_x, true),
               n_y = margin_count(&s.y, point, e_y, true);
        terms_add(&t, s.psi.psi[n_x] + s.psi.psi[n_y]);
    }
    ksg_finish(&s, sz_digamma((double)s.c.k) - 1.0 / (double)s.c.k, &t, out);
    return SZ_OK;
}
