/* diffusion.c: the entropy of a diffusion over points, robust to noise at any width (card 46). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/num.h>

#include "info/distribution.h"
#include "num/dot.h"

enum { MOST_POINTS = 10000, TILE = 32 };

struct sz_point_set {
    size_t n;
    double *d2; /* [n][n] squared distances, symmetric */
};

/* ---- Distances ------------------------------------------------------------------------------- */

static double direct_distance2(const double *a, const double *b, size_t d) {
    double s = 0;
    for (size_t i = 0; i < d; i++)
        s += (a[i] - b[i]) * (a[i] - b[i]);
    return s;
}

/* From the centred rows' products; near points, where digits would cancel, directly. */
static void fill_distances(const double *x, size_t n, size_t d, double *d2) {
    for (size_t i = 0; i < n; i++)
        d2[i * n + i] = sz_dot(x + i * d, x + i * d, d);
    for (size_t i0 = 0; i0 < n; i0 += TILE)
        for (size_t j0 = 0; j0 <= i0; j0 += TILE)
            for (size_t i = i0; i < i0 + TILE && i < n; i++)
                for (size_t j = j0; j < j0 + TILE && j < i; j++) {
                    double norms = d2[i * n + i] + d2[j * n + j];
                    double far = norms - 2.0 * sz_dot(x + i * d, x + j * d, d);
                    if (far < 1e-4 * norms)
                        far = direct_distance2(x + i * d, x + j * d, d);
                    d2[i * n + j] = d2[j * n + i] = far;
                }
    for (size_t i = 0; i < n; i++)
        d2[i * n + i] = 0;
}

static void center(double *x, size_t n, size_t d) {
    for (size_t j = 0; j < d; j++) {
        double mean = 0;
        for (size_t i = 0; i < n; i++)
            mean += x[i * d + j] / (double)n;
        for (size_t i = 0; i < n; i++)
            x[i * d + j] -= mean;
    }
}

sz_status sz_point_set_new(const double *x, size_t n, size_t d, sz_point_set **out) {
    SZ_REQUIRE(n >= 1 && n <= MOST_POINTS && d >= 1, SZ_E_ARG,
               "%zu points of %zu dimensions: 1 to %d points can be taken", n, d, MOST_POINTS);
    for (size_t i = 0; i < n * d; i++)
        SZ_REQUIRE(x[i] - x[i] == 0, SZ_E_NAN, "row %zu, column %zu is not a finite number", i / d,
                   i % d);
    sz_point_set *s = sz_calloc(1, sizeof *s);
    double *copy = sz_alloc(n * d * sizeof *copy);
    if (s)
        s->d2 = sz_alloc(n * n * sizeof *s->d2);
    if (!s || !copy || !s->d2) {
        sz_point_set_free(s);
        sz_free(copy);
        return sz_fail(SZ_E_NOMEM, "no memory for the distances of %zu points", n);
    }
    s->n = n;
    memcpy(copy, x, n * d * sizeof *copy);
    center(copy, n, d);
    fill_distances(copy, n, d, s->d2);
    sz_free(copy);
    *out = s;
    return SZ_OK;
}

void sz_point_set_free(sz_point_set *s) {
    if (!s)
        return;
    sz_free(s->d2);
    sz_free(s);
}

size_t sz_point_set_size(const sz_point_set *s) {
    return s->n;
}

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int falling(const void *a, const void *b) {
    return rising(b, a);
}

sz_status sz_point_set_median_distance(const sz_point_set *s, size_t k, double *out) {
    size_t n = s->n;
    SZ_REQUIRE(n >= 2 && k >= 1, SZ_E_ARG, "%zu points have no %zu-th neighbour", n, k);
    k = k < n ? k : n - 1;
    double *row = sz_alloc(2 * n * sizeof *row), *kth = row + n;
    SZ_REQUIRE(row, SZ_E_NOMEM, "no memory for %zu distances", n);
    for (size_t i = 0; i < n; i++) {
        memcpy(row, s->d2 + i * n, n * sizeof *row);
        qsort(row, n, sizeof *row, rising);
        kth[i] = sqrt(row[k]); /* row[0] is the point itself */
    }
    qsort(kth, n, sizeof *kth, rising);
    *out = 0.5 * (kth[n / 2] + kth[(n - 1) / 2]);
    sz_free(row);
    return SZ_OK;
}

/* ---- Spectrum -------------------------------------------------------------------------------- */

/* Gaussian weights of the subset's points, [n][n]. */
static void fill_kernel(const sz_point_set *s, const uint32_t *subset, size_t n, double sigma,
                        double *a) {
    double factor = -0.5 / (sigma * sigma);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            size_t p = subset ? subset[i] : i, q = subset ? subset[j] : j;
            a[i * n + j] = a[j * n + i] = sz_exp(factor * s->d2[p * s->n + q]);
        }
}

/* Divides entry (i, j) by the square roots of the sums of rows i and j. */
static void normalise(double *a, double *sums, size_t n) {
    for (size_t i = 0; i < n; i++) {
        sz_sum sum = {0};
        for (size_t j = 0; j < n; j++)
            sz_sum_add(&sum, a[i * n + j]);
        sums[i] = sqrt(sz_sum_get(&sum));
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            a[i * n + j] /= sums[i] * sums[j];
}

sz_status sz_diffusion_spectrum(const sz_point_set *s, const uint32_t *subset, size_t n,
                                double sigma, sz_diffusion_kernel kernel, double *values) {
    SZ_REQUIRE(sigma > 0 && sigma < INFINITY, SZ_E_ARG, "the kernel width is %g, not > 0", sigma);
    SZ_REQUIRE(n >= 1 && (subset || n == s->n), SZ_E_ARG, "%zu of %zu points", n, s->n);
    for (size_t i = 0; subset && i < n; i++)
        SZ_REQUIRE(subset[i] < s->n, SZ_E_ARG, "there is no point %u", subset[i]);
    double *a = sz_alloc(n * n * sizeof *a);
    SZ_REQUIRE(a, SZ_E_NOMEM, "no memory for a kernel of %zu points", n);
    fill_kernel(s, subset, n, sigma, a);
    if (kernel == SZ_DIFFUSION)
        normalise(a, values, n);
    sz_status status = sz_eigen_symmetric(a, n, false, values);
    sz_free(a);
    SZ_TRY(status);
    for (size_t i = 0; i < n; i++)
        values[i] = values[i] < 0 ? -values[i] : values[i];
    qsort(values, n, sizeof *values, falling);
    return SZ_OK;
}

sz_status sz_diffusion_entropy(const double *values, size_t n, double t, double *out) {
    SZ_REQUIRE(n >= 1 && t > 0 && t < INFINITY, SZ_E_ARG, "%zu eigenvalues at diffusion time %g", n,
               t);
    SZ_REQUIRE(values[0] > 0, SZ_E_ARG, "the largest eigenvalue is %g, not > 0", values[0]);
    /* Relative to the largest, whose power would leave the range for large t. */
    sz_sum sum = {0}, weighted = {0};
    for (size_t i = 0; i < n; i++) {
        double l = values[i] > 0 ? t * sz_log(values[i] / values[0]) : -INFINITY, p = sz_exp(l);
        sz_sum_add(&sum, p);
        sz_sum_add(&weighted, p > 0 ? p * l : 0.0);
    }
    *out = sz_at_least_zero(sz_log(sz_sum_get(&sum)) - sz_sum_get(&weighted) / sz_sum_get(&sum));
    return SZ_OK;
}

/* ---- Information about labels ---------------------------------------------------------------- */

typedef struct scratch {
    uint32_t *members, *order; /* points of a class; a permutation of all points */
    double *values;
} scratch;

static sz_status entropy_of(const sz_point_set *s, const uint32_t *subset, size_t n, double sigma,
                            double t, double *values, double *out) {
    SZ_TRY(sz_diffusion_spectrum(s, subset, n, sigma, SZ_DIFFUSION, values));
    return sz_diffusion_entropy(values, n, t, out);
}

/* The first n of a random permutation: Fisher and Yates, stopped early. */
static void draw_subset(uint32_t *order, size_t total, size_t n, uint64_t seed, uint64_t stream) {
    for (size_t i = 0; i < total; i++)
        order[i] = (uint32_t)i;
    for (size_t i = 0; i < n; i++) {
        size_t j = i + (size_t)(sz_uniform(seed, stream, i) * (double)(total - i));
        uint32_t swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
}

/* Mean over the subsets of DSE(subset) - DSE(class), and the squared error of that mean. */
static sz_status class_term(const sz_point_set *s, size_t n, double sigma, double t,
                            uint32_t repeats, uint64_t seed, uint64_t stream, scratch *w,
                            double *term, double *error2) {
    double own, sum = 0, square = 0;
    SZ_TRY(entropy_of(s, w->members, n, sigma, t, w->values, &own));
    for (uint32_t r = 0; r < repeats; r++) {
        double h;
        draw_subset(w->order, s->n, n, seed, stream * repeats + r);
        SZ_TRY(entropy_of(s, w->order, n, sigma, t, w->values, &h));
        sum += h - own;
        square += (h - own) * (h - own);
    }
    *term = sum / repeats;
    double variance = sz_at_least_zero(square / repeats - *term * *term);
    *error2 = repeats > 1 ? variance / (repeats - 1) : 0;
    return SZ_OK;
}

static sz_status sum_classes(const sz_point_set *s, const int32_t *labels, double sigma, double t,
                             uint32_t repeats, uint64_t seed, scratch *w, sz_dsmi_estimate *e) {
    double sum = 0, error2 = 0;
    uint64_t stream = 0;
    size_t smallest = s->n;
    for (size_t first = 0; first < s->n; first++) {
        size_t n = 0;
        bool seen = false;
        for (size_t i = 0; i < first && !seen; i++)
            seen = labels[i] == labels[first];
        for (size_t i = first; i < s->n && !seen; i++)
            if (labels[i] == labels[first])
                w->members[n++] = (uint32_t)i;
        if (n < 3)
            continue;
        double term, term_error2;
        SZ_TRY(class_term(s, n, sigma, t, repeats, seed, stream++, w, &term, &term_error2));
        sum += (double)n * term;
        error2 += (double)n * (double)n * term_error2;
        e->n_used += n;
        smallest = n < smallest ? n : smallest;
    }
    SZ_REQUIRE(e->n_used > 0, SZ_E_ARG, "no class has three points or more");
    e->nats = sum / (double)e->n_used;
    e->standard_error = sqrt(error2) / (double)e->n_used;
    e->ceiling = sz_log((double)smallest);
    return SZ_OK;
}

sz_status sz_dsmi(const sz_point_set *s, const int32_t *labels, double sigma, double t,
                  uint32_t repeats, uint64_t seed, sz_dsmi_estimate *out) {
    scratch w = {.members = sz_alloc(2 * s->n * sizeof *w.members),
                 .values = sz_alloc(s->n * sizeof *w.values)};
    w.order = w.members + s->n;
    sz_dsmi_estimate e = {0};
    sz_status status = w.members && w.values
                           ? sum_classes(s, labels, sigma, t, repeats ? repeats : 5, seed, &w, &e)
                           : sz_fail(SZ_E_NOMEM, "no memory for %zu points", s->n);
    sz_free(w.members);
    sz_free(w.values);
    SZ_TRY(status);
    *out = e;
    return SZ_OK;
}
