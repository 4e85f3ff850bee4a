/* ross.c: information between a label and real samples (Ross 2014). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/info.h>
#include <szilard/unstable/num.h>

#include "info/distribution.h"
#include "info/kd_tree.h"

enum { MAX_NEIGHBOURS = 256 };

typedef struct labelled {
    int32_t label;
    uint32_t at;
} labelled;

static int by_label(const void *a, const void *b) {
    const labelled *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* The samples sorted by label, without labels that stand alone. */
typedef struct groups {
    labelled *sorted;
    double *points; /* [n][d] */
    size_t n, d;
} groups;

static sz_status groups_make(const double *x, size_t d, const int32_t *labels, size_t n,
                             groups *g) {
    *g = (groups){.d = d};
    g->sorted = sz_alloc(n * sizeof *g->sorted);
    g->points = sz_alloc(n * d * sizeof *g->points);
    SZ_REQUIRE(g->sorted && g->points, SZ_E_NOMEM, "no memory for %zu samples", n);
    for (size_t i = 0; i < n; i++)
        g->sorted[i] = (labelled){labels[i], (uint32_t)i};
    qsort(g->sorted, n, sizeof *g->sorted, by_label);
    for (size_t i = 0; i < n; i++) {
        int32_t label = g->sorted[i].label;
        bool alone = (i == 0 || g->sorted[i - 1].label != label) &&
                     (i + 1 == n || g->sorted[i + 1].label != label);
        if (alone)
            continue;
        memcpy(g->points + g->n * d, x + g->sorted[i].at * d, d * sizeof *x);
        g->sorted[g->n++].label =
            label; /* never overtakes i, and the neighbours of i keep theirs */
    }
    SZ_REQUIRE(g->n > 0, SZ_E_ARG, "every label stands alone: nothing can be estimated");
    return SZ_OK;
}

/* Terms of one label's samples [from, to). */
static sz_status add_group(const groups *g, size_t from, size_t to, uint32_t k,
                           const sz_kd_tree *all, sz_sum *sum, sz_sum *square, bool *coincide) {
    sz_kd_tree own;
    sz_neighbour near[MAX_NEIGHBOURS];
    size_t n = to - from;
    uint32_t use = k < n - 1 ? k : (uint32_t)(n - 1);
    SZ_TRY(sz_kd_build(g->points + from * g->d, n, g->d, &own));
    double constant = sz_digamma((double)use) - sz_digamma((double)n);
    for (uint32_t i = 0; i < n; i++) {
        sz_kd_nearest(&own, i, use, near);
        double r = near[use - 1].distance;
        *coincide |= r == 0;
        size_t m = r > 0 ? sz_kd_count(all, own.points + i * g->d, r, false) : 1;
        double term = constant - sz_digamma((double)m);
        sz_sum_add(sum, term);
        sz_sum_add(square, term * term);
    }
    sz_kd_free(&own);
    return SZ_OK;
}

static sz_status estimate(const groups *g, uint32_t k, sz_knn_estimate *out, bool *coincide) {
    sz_kd_tree all;
    sz_sum sum = {0}, square = {0};
    SZ_TRY(sz_kd_build(g->points, g->n, g->d, &all));
    sz_status status = SZ_OK;
    *coincide = false;
    for (size_t from = 0, to = 0; from < g->n && status == SZ_OK; from = to) {
        for (to = from; to < g->n && g->sorted[to].label == g->sorted[from].label;)
            to++;
        status = add_group(g, from, to, k, &all, &sum, &square, coincide);
    }
    sz_kd_free(&all);
    double n = (double)g->n, mean = sz_sum_get(&sum) / n;
    *out = (sz_knn_estimate){
        .nats = sz_digamma(n) + mean,
        .standard_error = sqrt(sz_at_least_zero(sz_sum_get(&square) / n - mean * mean) / n),
        .ceiling = sz_log(n),
        .n = g->n,
    };
    return status;
}

sz_status sz_mi_ross(const double *x, size_t d, const int32_t *labels, size_t n,
                     const sz_knn_options *options, sz_knn_estimate *out) {
    sz_knn_options o = options ? *options : (sz_knn_options){0};
    uint32_t k = o.k ? o.k : 3;
    bool coincide = false;
    groups g;
    SZ_REQUIRE(n >= 2 && n < 1u << 31 && d >= 1 && k <= MAX_NEIGHBOURS, SZ_E_ARG,
               "%zu samples of %zu columns with k = %u", n, d, k);
    for (size_t i = 0; i < n * d; i++)
        SZ_REQUIRE(x[i] - x[i] == 0, SZ_E_NAN, "x: row %zu, column %zu is not a finite number",
                   i / d, i % d);
    sz_status status = groups_make(x, d, labels, n, &g);
    if (status == SZ_OK)
        status = estimate(&g, k, out, &coincide);
    if (status == SZ_OK && coincide && o.no_jitter)
        status = sz_fail(SZ_E_ARG, "more than %u samples of a label coincide", k);
    if (status == SZ_OK && coincide && !o.no_jitter) {
        sz_jitter(g.points, g.n, g.d, o.seed);
        status = estimate(&g, k, out, &coincide);
        out->jittered = true;
    }
    sz_free(g.sorted);
    sz_free(g.points);
    return status;
}
