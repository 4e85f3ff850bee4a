/* spectral.c: entropies of matrices through their spectra (card 00, method E). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/num.h>

#include "info/distribution.h"
#include "num/dot.h"

/* The spectrum clamped at zero and normalised to sum 1; sz_free. */
static sz_status normalise(const double *values, size_t n, double *clamped, double **out) {
    sz_sum sum = {0}, negative = {0};
    SZ_REQUIRE(n >= 1, SZ_E_ARG, "an empty spectrum");
    for (size_t i = 0; i < n; i++) {
        SZ_REQUIRE(values[i] - values[i] == 0, SZ_E_NAN, "eigenvalue %zu is not finite", i);
        sz_sum_add(values[i] > 0 ? &sum : &negative, values[i] > 0 ? values[i] : -values[i]);
    }
    double total = sz_sum_get(&sum);
    SZ_REQUIRE(total > 0, SZ_E_ARG, "no eigenvalue of the matrix is positive");
    double *p = sz_alloc(n * sizeof *p);
    SZ_REQUIRE(p, SZ_E_NOMEM, "no memory for %zu eigenvalues", n);
    for (size_t i = 0; i < n; i++)
        p[i] = values[i] > 0 ? values[i] / total : 0.0;
    if (clamped)
        *clamped = sz_sum_get(&negative) / total;
    *out = p;
    return SZ_OK;
}

sz_status sz_spectral_entropy(const double *values, size_t n, double alpha, double *clamped,
                              double *out) {
    double *p;
    SZ_TRY(normalise(values, n, clamped, &p));
    sz_status status = sz_entropy_renyi(p, n, alpha, out);
    sz_free(p);
    return status;
}

static int falling(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

sz_status sz_spectral_truncated(const double *values, size_t n, size_t k, bool renormalise,
                                double *out) {
    double *p;
    SZ_REQUIRE(k >= 1 && k <= n, SZ_E_ARG, "%zu of %zu eigenvalues", k, n);
    SZ_TRY(normalise(values, n, NULL, &p));
    qsort(p, n, sizeof *p, falling);
    sz_sum kept = {0}, h = {0};
    for (size_t i = 0; i < k; i++)
        sz_sum_add(&kept, p[i]);
    double scale = renormalise ? 1.0 / sz_sum_get(&kept) : 1.0;
    for (size_t i = 0; i < k; i++)
        sz_sum_add(&h, -sz_x_log_x(p[i] * scale));
    sz_free(p);
    *out = sz_at_least_zero(sz_sum_get(&h));
    return SZ_OK;
}

/* ---- The Gram matrix of rows ----------------------------------------------------------------- */

/* z as doubles, centred if asked, [lines][length] with the smaller number of lines: either its rows
 * or its columns, whose Gram matrices share the spectrum. */
static sz_status lay_out(const float *z, size_t rows, size_t columns, bool center, double **out,
                         size_t *lines, size_t *length) {
    SZ_REQUIRE(rows >= 1 && columns >= 1, SZ_E_ARG, "a matrix of %zu x %zu", rows, columns);
    bool by_row = rows <= columns;
    *lines = by_row ? rows : columns;
    *length = by_row ? columns : rows;
    double *x = sz_alloc(rows * columns * sizeof *x);
    SZ_REQUIRE(x, SZ_E_NOMEM, "no memory for %zu x %zu numbers", rows, columns);
    for (size_t j = 0; j < columns; j++) {
        double mean = 0;
        for (size_t i = 0; center && i < rows; i++)
            mean += (double)z[i * columns + j] / (double)rows;
        for (size_t i = 0; i < rows; i++)
            x[by_row ? i * columns + j : j * rows + i] = (double)z[i * columns + j] - mean;
    }
    *out = x;
    return SZ_OK;
}

enum { TILE = 32 }; /* lines that stay in the cache together */

/* Lower triangle of X X^T / |X|_F^2. */
static sz_status gram(const double *x, size_t lines, size_t length, double **out) {
    double *a = sz_calloc(lines * lines, sizeof *a);
    SZ_REQUIRE(a, SZ_E_NOMEM, "no memory for a matrix of %zu rows", lines);
    for (size_t i0 = 0; i0 < lines; i0 += TILE)
        for (size_t j0 = 0; j0 <= i0; j0 += TILE)
            for (size_t i = i0; i < i0 + TILE && i < lines; i++)
                for (size_t j = j0; j < j0 + TILE && j <= i; j++)
                    a[i * lines + j] = sz_dot(x + i * length, x + j * length, length);
    sz_sum trace = {0};
    for (size_t i = 0; i < lines; i++)
        sz_sum_add(&trace, a[i * lines + i]);
    double total = sz_sum_get(&trace);
    if (!(total > 0) || total - total != 0) {
        sz_free(a);
        return sz_fail(total == 0 ? SZ_E_ARG : SZ_E_NAN, "the matrix is %s",
                       total == 0 ? "zero (after centring, if that was asked)" : "not finite");
    }
    for (size_t i = 0; i < lines * lines; i++)
        a[i] /= total;
    *out = a;
    return SZ_OK;
}

static sz_status gram_of_rows(const float *z, size_t rows, size_t columns, bool center, double **a,
                              size_t *n) {
    double *x;
    size_t length;
    SZ_TRY(lay_out(z, rows, columns, center, &x, n, &length));
    sz_status status = gram(x, *n, length, a);
    sz_free(x);
    return status;
}

sz_status sz_spectral_of_rows(const float *z, size_t rows, size_t columns, bool center,
                              double **values, size_t *n) {
    double *a;
    SZ_TRY(gram_of_rows(z, rows, columns, center, &a, n));
    double *v = sz_alloc(*n * sizeof *v);
    sz_status status = v ? sz_eigen_symmetric(a, *n, false, v)
                         : sz_fail(SZ_E_NOMEM, "no memory for %zu eigenvalues", *n);
    sz_free(a);
    if (status != SZ_OK) {
        sz_free(v);
        return status;
    }
    qsort(v, *n, sizeof *v, falling);
    *values = v;
    return SZ_OK;
}

/* -ln of the squared Frobenius norm of a symmetric matrix given by its lower triangle. */
static double renyi2_of(const double *a, size_t n) {
    sz_sum s = {0};
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            sz_sum_add(&s, (i == j ? 1.0 : 2.0) * a[i * n + j] * a[i * n + j]);
    return sz_at_least_zero(-sz_log(sz_sum_get(&s)));
}

sz_status sz_spectral_renyi2(const float *z, size_t rows, size_t columns, bool center,
                             double *out) {
    double *a;
    size_t n;
    SZ_TRY(gram_of_rows(z, rows, columns, center, &a, &n));
    *out = renyi2_of(a, n);
    sz_free(a);
    return SZ_OK;
}

/* ---- Kernels of samples ---------------------------------------------------------------------- */

static double distance2(const double *a, const double *b, size_t d) {
    double s = 0;
    for (size_t i = 0; i < d; i++)
        s += (a[i] - b[i]) * (a[i] - b[i]);
    return s;
}

static sz_status median_distance(const double *x, size_t n, size_t d, double *out) {
    size_t pairs = n * (n - 1) / 2, at = 0;
    double *all = sz_alloc(pairs * sizeof *all + 1);
    SZ_REQUIRE(all, SZ_E_NOMEM, "no memory for %zu distances", pairs);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            all[at++] = sqrt(distance2(x + i * d, x + j * d, d));
    qsort(all, pairs, sizeof *all, falling);
    *out = pairs ? 0.5 * (all[pairs / 2] + all[(pairs - 1) / 2]) : 1.0;
    sz_free(all);
    SZ_REQUIRE(*out > 0, SZ_E_ARG, "half of the samples coincide: give a kernel width");
    return SZ_OK;
}

/* exp(-|x - x'|^2 / (2 sigma^2)) / n. */
static void fill_kernel(const double *x, size_t n, size_t d, double sigma, double *a) {
    double factor = -0.5 / (sigma * sigma);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            a[i * n + j] = sz_exp(factor * distance2(x + i * d, x + j * d, d)) / (double)n;
}

static sz_status entropy_of_matrix(double *a, size_t n, double alpha, double *values, double *out) {
    if (alpha == 2) {
        *out = renyi2_of(a, n);
        return SZ_OK;
    }
    SZ_TRY(sz_eigen_symmetric(a, n, false, values));
    return sz_spectral_entropy(values, n, alpha, NULL, out);
}

static sz_status measure_kernels(double *a, double *b, double *values, size_t n, double alpha,
                                 sz_matrix_information *m) {
    double *both = values + n;
    for (size_t i = 0; i < n * n; i++) /* the trace of n A * B is one */
        both[i] = a[i] * b[i] * (double)n;
    SZ_TRY(entropy_of_matrix(a, n, alpha, values, &m->s_x));
    SZ_TRY(entropy_of_matrix(b, n, alpha, values, &m->s_y));
    SZ_TRY(entropy_of_matrix(both, n, alpha, values, &m->s_xy));
    m->information = m->s_x + m->s_y - m->s_xy;
    return SZ_OK;
}

sz_status sz_mi_matrix(const double *x, size_t d_x, const double *y, size_t d_y, size_t n,
                       double sigma_x, double sigma_y, double alpha, sz_matrix_information *out) {
    sz_matrix_information m = {.sigma_x = sigma_x, .sigma_y = sigma_y};
    SZ_REQUIRE(n >= 2 && n <= 20000 && d_x >= 1 && d_y >= 1, SZ_E_ARG,
               "%zu samples: matrix-based information takes 2 to 20000", n);
    SZ_REQUIRE(sigma_x >= 0 && sigma_y >= 0 && alpha > 0, SZ_E_ARG,
               "kernel widths %g, %g and order %g must be positive", sigma_x, sigma_y, alpha);
    if (sigma_x == 0)
        SZ_TRY(median_distance(x, n, d_x, &m.sigma_x));
    if (sigma_y == 0)
        SZ_TRY(median_distance(y, n, d_y, &m.sigma_y));
    double *a = sz_alloc((3 * n * n + n) * sizeof *a);
    SZ_REQUIRE(a, SZ_E_NOMEM, "no memory for kernels of %zu samples", n);
    fill_kernel(x, n, d_x, m.sigma_x, a);
    fill_kernel(y, n, d_y, m.sigma_y, a + n * n);
    sz_status status = measure_kernels(a, a + n * n, a + 2 * n * n, n, alpha, &m);
    sz_free(a);
    SZ_TRY(status);
    *out = m;
    return SZ_OK;
}
