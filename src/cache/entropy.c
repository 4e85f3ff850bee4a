/* entropy.c: truncated matrix entropy of token vectors (UNComp), with rows scaled to length one. */
#include <math.h>
#include <string.h>
#include <szilard/unstable/cache.h>
#include <szilard/unstable/info.h>
#include <szilard/unstable/num.h>

/* z = rows less their mean, scaled to length one; rows that equal the mean stay zero. *any: whether
 * one does not. */
static sz_status scale_rows(const float *x, size_t rows, size_t columns, float *z, bool *any) {
    double *mean = sz_calloc(columns, sizeof *mean);
    SZ_REQUIRE(mean, SZ_E_NOMEM, "no memory for a row of %zu", columns);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            mean[j] += (double)x[i * columns + j] / (double)rows;
    *any = false;
    sz_status status = SZ_OK;
    for (size_t i = 0; i < rows && status == SZ_OK; i++) {
        double square = 0, largest = 0;
        for (size_t j = 0; j < columns; j++) {
            double v = (double)x[i * columns + j], d = v - mean[j];
            square += d * d;
            largest = fabs(v) > largest ? fabs(v) : largest;
        }
        if (square - square != 0)
            status = sz_fail(SZ_E_NAN, "row %zu of the matrix, or the mean row, is not finite", i);
        double length = sqrt(square); /* below this: rounding of equal rows */
        bool zero = length <= 1e-14 * largest * sqrt((double)columns);
        *any |= !zero;
        for (size_t j = 0; j < columns; j++)
            z[i * columns + j] =
                zero ? 0.0f : (float)(((double)x[i * columns + j] - mean[j]) / length);
    }
    sz_free(mean);
    return status;
}

/* The normalised spectrum of Z^T Z, falling, [columns]; all of it zero where Z is. */
static sz_status spectrum(const float *x, size_t rows, size_t columns, double *values) {
    float *z = sz_alloc(rows * columns * sizeof *z);
    SZ_REQUIRE(z, SZ_E_NOMEM, "no memory for %zu x %zu numbers", rows, columns);
    bool any;
    double *found = NULL;
    size_t n = 0;
    sz_status status = scale_rows(x, rows, columns, z, &any);
    if (status == SZ_OK && any)
        status = sz_spectral_of_rows(z, rows, columns, false, &found, &n);
    sz_free(z);
    SZ_TRY(status);
    double sum = 0;
    for (size_t i = 0; i < columns; i++)
        sum += values[i] = i < n && found[i] > 0 ? found[i] : 0.0;
    for (size_t i = 0; i < n; i++)
        values[i] /= sum;
    sz_free(found);
    return SZ_OK;
}

static size_t find_elbow(const double *s, size_t n) {
    size_t best = 0;
    double most = 0;
    for (size_t i = 1; i + 1 < n; i++) {
        double line = s[0] + (s[n - 1] - s[0]) * (double)i / (double)(n - 1);
        if (line - s[i] > most) {
            most = line - s[i];
            best = i;
        }
    }
    return best;
}

static double entropy_of(const double *s, size_t n) {
    double h = 0;
    for (size_t i = 0; i < n; i++)
        h -= s[i] > 0 ? s[i] * sz_log(s[i]) : 0.0;
    return h > 0 ? h : 0.0;
}

sz_status sz_matrix_entropy_of_rows(const float *x, size_t rows, size_t columns, size_t k,
                                    double *values, sz_matrix_entropy *out) {
    SZ_REQUIRE(x && out && rows >= 1 && columns >= 1, SZ_E_ARG, "a matrix of %zu x %zu", rows,
               columns);
    SZ_REQUIRE(k <= columns, SZ_E_ARG, "%zu of %zu eigenvalues", k, columns);
    double *s = sz_alloc(columns * sizeof *s);
    SZ_REQUIRE(s, SZ_E_NOMEM, "no memory for %zu eigenvalues", columns);
    sz_status status = spectrum(x, rows, columns, s);
    if (status == SZ_OK) {
        sz_matrix_entropy e = {.elbow = find_elbow(s, columns)};
        e.k = k ? k : e.elbow + 1;
        e.truncated = entropy_of(s, e.k);
        e.full = entropy_of(s, columns);
        e.effective_rank = sz_exp(e.truncated);
        e.relative = columns > 1 ? e.truncated / sz_log((double)columns) : 0.0;
        *out = e;
        if (values)
            memcpy(values, s, columns * sizeof *s);
    }
    sz_free(s);
    return status;
}
