/* conserve_diffuse.c: D u ~ N(0, diag v), D the second differences: the update of conserve.c with a
 * matrix A of five diagonals, which a banded Cholesky factor takes in O(n). */
#include <szilard/unstable/conserve.h>

#include <math.h>

typedef struct bands {
    size_t m;             /* n - 2 rows of D */
    double *l0, *l1, *l2; /* [m]: the factor's diagonal and the two below it */
    double *y;            /* [m] */
} bands;

static const double stencil[3] = {1, -2, 1};

/* What a second difference varies by where neighbours correlate by alpha. */
static double variance(const double *var, size_t i, double alpha) {
    double a = sqrt(var[i]), b = sqrt(var[i + 1]), c = sqrt(var[i + 2]);
    double v = a * a + 4 * b * b + c * c - 4 * alpha * a * b - 4 * alpha * b * c +
               2 * alpha * alpha * a * c;
    return v > 0 ? v : 0;
}

/* Entry (i, i + apart) of D S D^T. */
static double entry(const double *var, size_t i, size_t apart) {
    double s = 0;
    for (size_t j = apart; j < 3; j++)
        s += stencil[j] * stencil[j - apart] * var[i + j];
    return s;
}

static sz_status factor(const double *var, double alpha, bands *f) {
    for (size_t i = 0; i < f->m; i++) {
        double two = i >= 2 ? f->l2[i] = entry(var, i - 2, 2) / f->l0[i - 2] : 0;
        double one = i >= 1 ? entry(var, i - 1, 1) - (i >= 2 ? two * f->l1[i - 1] : 0) : 0;
        one = i >= 1 ? f->l1[i] = one / f->l0[i - 1] : 0;
        double rest = entry(var, i, 0) + variance(var, i, alpha) - one * one - two * two;
        SZ_REQUIRE(rest > 0, SZ_E_ARG, "second difference %zu has no variance", i);
        f->l0[i] = sqrt(rest);
    }
    return SZ_OK;
}

/* y <- L^-1 y, from entry `from` on. */
static void forward(const bands *f, double *y, size_t from) {
    for (size_t i = from; i < f->m; i++) {
        double s = y[i];
        if (i >= from + 1)
            s -= f->l1[i] * y[i - 1];
        if (i >= from + 2)
            s -= f->l2[i] * y[i - 2];
        y[i] = s / f->l0[i];
    }
}

static void backward(const bands *f, double *y) {
    for (size_t i = f->m; i-- > 0;) {
        double s = y[i];
        if (i + 1 < f->m)
            s -= f->l1[i + 1] * y[i + 1];
        if (i + 2 < f->m)
            s -= f->l2[i + 2] * y[i + 2];
        y[i] = s / f->l0[i];
    }
}

/* Adds D^T y times the variances to out. */
static void spread(const bands *f, const double *var, const double *y, double factor_of,
                   double *out) {
    for (size_t i = 0; i < f->m; i++)
        for (size_t j = 0; j < 3; j++)
            out[i + j] += factor_of * var[i + j] * stencil[j] * y[i];
}

static void put_covariance(const bands *f, const double *var, size_t n, double *cov) {
    for (size_t j = 0; j < n; j++) {
        double *row = cov + j * n;
        for (size_t i = 0; i < n; i++)
            row[i] = i == j ? var[j] : 0;
        for (size_t i = 0; i < f->m; i++) /* column j of D S */
            f->y[i] = j >= i && j <= i + 2 ? stencil[j - i] * var[j] : 0;
        forward(f, f->y, j >= 2 ? j - 2 : 0);
        backward(f, f->y);
        spread(f, var, f->y, -1, row);
    }
}

static sz_status check(const double *mean, const double *var, size_t n, double alpha) {
    SZ_REQUIRE(n >= 3, SZ_E_ARG, "%zu values have no second difference", n);
    SZ_REQUIRE(alpha >= -1 && alpha <= 1, SZ_E_ARG, "a correlation of %g", alpha);
    for (size_t i = 0; i < n; i++) {
        SZ_REQUIRE(isfinite(mean[i]) && isfinite(var[i]), SZ_E_NAN, "entry %zu is not finite", i);
        SZ_REQUIRE(var[i] >= 0, SZ_E_ARG, "the variance of entry %zu is %g, not at least 0", i,
                   var[i]);
    }
    return SZ_OK;
}

sz_status sz_conserve_diffuse(const double *mean, const double *var, size_t n, double alpha,
                              double *mean_out, double *cov_out) {
    SZ_TRY(check(mean, var, n, alpha));
    bands f = {.m = n - 2, .l0 = sz_calloc(4 * (n - 2), sizeof *f.l0)};
    SZ_REQUIRE(f.l0, SZ_E_NOMEM, "no memory for %zu values", n);
    f.l1 = f.l0 + f.m;
    f.l2 = f.l1 + f.m;
    f.y = f.l2 + f.m;
    sz_status status = factor(var, alpha, &f);
    if (status == SZ_OK) {
        for (size_t i = 0; i < f.m; i++)
            f.y[i] = mean[i] - 2 * mean[i + 1] + mean[i + 2];
        forward(&f, f.y, 0);
        backward(&f, f.y);
        for (size_t i = 0; i < n; i++)
            mean_out[i] = mean[i];
        spread(&f, var, f.y, -1, mean_out);
        if (cov_out)
            put_covariance(&f, var, n, cov_out);
    }
    sz_free(f.l0);
    return status;
}
