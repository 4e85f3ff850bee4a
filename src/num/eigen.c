/* eigen.c: eigenvalues and eigenvectors of symmetric matrices: Householder's reduction to three
 * diagonals, then the QL iteration with implicit shifts (Golub and Van Loan, chapter 8). Rows are
 * walked in order, and sums use 8 lanes and a fixed tree, so that the bits are the same everywhere.
 */
#include <math.h>
#include <string.h>

#include <szilard/unstable/num.h>

#include "num/dot.h"

enum { LANES = SZ_DOT_LANES, MAX_ITERATIONS = 60 };

static double magnitude(double x) {
    return x < 0 ? -x : x;
}

/* p += factor * row, and the dot product of row and u, in one walk. */
static double dot_and_add(const double *restrict row, const double *restrict u, double factor,
                          double *restrict p, size_t n) {
    double s[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++) {
            s[l] += row[i + l] * u[i + l];
            p[i + l] += factor * row[i + l];
        }
    for (size_t l = 0; i < n; i++, l++) {
        s[l] += row[i] * u[i];
        p[i] += factor * row[i];
    }
    return sz_dot_lanes(s);
}

/* ---- Reduction ------------------------------------------------------------------------------- */

/* p = A u for the leading n x n block of a symmetric matrix, from its lower triangle. */
static void multiply(const double *a, size_t stride, const double *u, size_t n, double *p) {
    memset(p, 0, n * sizeof *p);
    for (size_t j = 0; j < n; j++) {
        const double *row = a + j * stride;
        double below = dot_and_add(row, u, u[j], p, j);
        p[j] += below + row[j] * u[j];
    }
}

/* A -= u q^T + q u^T on the lower triangle. */
static void update(double *a, size_t stride, const double *restrict u, const double *restrict q,
                   size_t n) {
    for (size_t j = 0; j < n; j++) {
        double *restrict row = a + j * stride;
        double f = u[j], g = q[j];
        for (size_t k = 0; k <= j; k++)
            row[k] -= f * q[k] + g * u[k];
    }
}

/* Leaves the reflector u_i in row i of a and h_i = |u_i|^2 / 2 in h (0: none); the diagonals are
 * a[i][i] and e[i], e[i] between i-1 and i. q [n] is scratch. */
static void reduce(double *a, size_t n, double *h, double *e, double *q) {
    for (size_t i = n - 1; i > 0; i--) {
        double *u = a + i * n, scale = 0;
        for (size_t k = 0; k < i; k++)
            scale += magnitude(u[k]);
        h[i] = 0;
        e[i] = u[i - 1];
        if (i == 1 || scale == 0)
            continue;
        for (size_t k = 0; k < i; k++)
            u[k] /= scale;
        double norm2 = sz_dot(u, u, i), f = u[i - 1], g = f >= 0 ? -sqrt(norm2) : sqrt(norm2);
        e[i] = scale * g;
        h[i] = norm2 - f * g;
        u[i - 1] = f - g;
        multiply(a, n, u, i, q);
        for (size_t k = 0; k < i; k++)
            q[k] /= h[i];
        double half = sz_dot(u, q, i) / (2.0 * h[i]);
        for (size_t k = 0; k < i; k++)
            q[k] -= half * u[k];
        update(a, n, u, q, i);
    }
    h[0] = e[0] = 0;
}

/* Rows of z become the columns of the product of all reflectors. */
static void accumulate(const double *a, const double *h, size_t n, double *z) {
    memset(z, 0, n * n * sizeof *z);
    for (size_t i = 0; i < n; i++) {
        const double *u = a + i * n;
        for (size_t j = 0; h[i] != 0 && j < i; j++) {
            double *row = z + j * n, g = sz_dot(u, row, i) / h[i];
            for (size_t k = 0; k < i; k++)
                row[k] -= g * u[k];
        }
        z[i * n + i] = 1;
    }
}

/* ---- QL iteration ---------------------------------------------------------------------------- */

static double hypotenuse(double a, double b) {
    a = magnitude(a);
    b = magnitude(b);
    double large = a > b ? a : b, small = a > b ? b : a;
    double ratio = large == 0 ? 0 : small / large;
    return large * sqrt(1.0 + ratio * ratio);
}

/* Turns two rows of z, if there are any. */
static void turn(double *z, size_t n, size_t i, double sine, double cosine) {
    if (!z)
        return;
    double *restrict a = z + i * n, *restrict b = z + (i + 1) * n;
    for (size_t k = 0; k < n; k++) {
        double f = b[k];
        b[k] = sine * a[k] + cosine * f;
        a[k] = cosine * a[k] - sine * f;
    }
}

/* One sweep over the block [l, m]; e[i] stands between i and i+1 here. */
static void sweep(double *d, double *e, size_t l, size_t m, double *z, size_t n) {
    double g = (d[l + 1] - d[l]) / (2.0 * e[l]), r = hypotenuse(g, 1.0);
    g = d[m] - d[l] + e[l] / (g + (g >= 0 ? r : -r));
    double sine = 1, cosine = 1, p = 0;
    for (size_t i = m; i-- > l;) {
        double f = sine * e[i], b = cosine * e[i];
        r = hypotenuse(f, g);
        e[i + 1] = r;
        if (r == 0) { /* the block splits here */
            d[i + 1] -= p;
            e[m] = 0;
            return;
        }
        sine = f / r;
        cosine = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * sine + 2.0 * cosine * b;
        p = sine * r;
        d[i + 1] = g + p;
        g = cosine * r - b;
        turn(z, n, i, sine, cosine);
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0;
}

/* What counts as zero beside the diagonal: half an ulp of the largest entries. */
static double negligible(const double *d, const double *e, size_t n) {
    double norm = 0;
    for (size_t i = 0; i < n; i++) {
        double sum = magnitude(d[i]) + magnitude(e[i]);
        norm = sum > norm ? sum : norm;
    }
    return norm * 0x1p-53;
}

static sz_status iterate(double *d, double *e, size_t n, double *z) {
    memmove(e, e + 1, (n - 1) * sizeof *e);
    e[n - 1] = 0;
    double zero = negligible(d, e, n);
    for (size_t l = 0; l < n; l++) {
        for (int tries = 0;; tries++) {
            size_t m = l;
            while (m + 1 < n && magnitude(e[m]) > zero)
                m++;
            if (m == l)
                break;
            SZ_REQUIRE(tries < MAX_ITERATIONS, SZ_E_NAN,
                       "the eigenvalues of a %zu x %zu matrix do not converge", n, n);
            sweep(d, e, l, m, z, n);
        }
    }
    return SZ_OK;
}

static void sort(double *d, size_t n, double *z) {
    for (size_t gap = n / 2; gap > 0; gap /= 2)
        for (size_t i = gap; i < n; i++)
            for (size_t j = i; j >= gap && d[j - gap] > d[j]; j -= gap) {
                double t = d[j];
                d[j] = d[j - gap];
                d[j - gap] = t;
                for (size_t k = 0; z && k < n; k++) {
                    t = z[j * n + k];
                    z[j * n + k] = z[(j - gap) * n + k];
                    z[(j - gap) * n + k] = t;
                }
            }
}

sz_status sz_eigen_symmetric(double *a, size_t n, bool vectors, double *values) {
    SZ_REQUIRE(n >= 1 && n <= 1u << 20, SZ_E_ARG, "a matrix of %zu rows", n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            SZ_REQUIRE(a[i * n + j] - a[i * n + j] == 0, SZ_E_NAN,
                       "entry (%zu, %zu) of the matrix is not finite", i, j);
    double *scratch = sz_alloc(3 * n * sizeof *scratch), *e = scratch + n, *q = e + n;
    double *z = vectors && scratch ? sz_alloc(n * n * sizeof *z) : NULL;
    if (!scratch || (vectors && !z)) {
        sz_free(scratch);
        return sz_fail(SZ_E_NOMEM, "no memory for the eigenvalues of %zu rows", n);
    }
    reduce(a, n, scratch, e, q);
    if (z)
        accumulate(a, scratch, n, z);
    for (size_t i = 0; i < n; i++)
        values[i] = a[i * n + i];
    sz_status status = iterate(values, e, n, z);
    if (status == SZ_OK)
        sort(values, n, z);
    if (z)
        memcpy(a, z, n * n * sizeof *a);
    sz_free(scratch);
    sz_free(z);
    return status;
}
