/* tune_roots.c: real roots by the roots of the derivative: between two of them a polynomial is
 * monotone, and bisection cannot miss. */
#include "tune.h"
#include <math.h>
#include <stdlib.h>

double sz_tune_evaluate(const double *c, size_t degree, double x) {
    double y = c[degree];
    for (size_t i = degree; i-- > 0;)
        y = y * x + c[i];
    return y;
}

/* The sign changes once between left and right. */
static double bisect(const double *c, size_t degree, double left, double right, bool rises) {
    for (int i = 0; i < 200; i++) {
        double middle = left + (right - left) / 2;
        if (middle <= left || middle >= right)
            break;
        if ((sz_tune_evaluate(c, degree, middle) > 0.0) == rises)
            right = middle;
        else
            left = middle;
    }
    return left + (right - left) / 2;
}

size_t sz_tune_roots(const double *c, size_t degree, double lo, double hi, double *roots) {
    double derivative[SZ_TUNE_DEGREE + 1], turns[SZ_TUNE_DEGREE + 2];
    while (degree > 0 && c[degree] == 0.0)
        degree--;
    if (degree == 0)
        return 0;
    for (size_t i = 1; i <= degree; i++)
        derivative[i - 1] = (double)i * c[i];
    size_t n = sz_tune_roots(derivative, degree - 1, lo, hi, turns + 1) + 2, found = 0;
    turns[0] = lo;
    turns[n - 1] = hi;
    double before = sz_tune_evaluate(c, degree, lo);
    for (size_t i = 1; i < n; i++) {
        double after = sz_tune_evaluate(c, degree, turns[i]);
        bool changes = (before < 0.0 && after > 0.0) || (before > 0.0 && after < 0.0);
        if (changes)
            roots[found++] = bisect(c, degree, turns[i - 1], turns[i], after > 0.0);
        else if (after == 0.0 &&
                 i + 1 < n) /* a turn that is a root: it may be crossed, or only touched */
            roots[found++] = turns[i];
        before = after;
    }
    return found;
}

/* ---- Lists of breaks ---------------------------------------------------------------------------
 */

sz_status sz_tune_push(sz_tune_list *l, double x) {
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 64;
        double *more = sz_realloc(l->v, l->cap * sizeof *more, cap * sizeof *more);
        SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for %zu breaks", cap);
        l->v = more;
        l->cap = cap;
    }
    l->v[l->n++] = x;
    return SZ_OK;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

size_t sz_tune_tidy(sz_tune_list *l, double lo, double hi) {
    size_t kept = 0, n = l->n;
    if (n > 1)
        qsort(l->v, n, sizeof *l->v, by_size);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || l->v[i] - l->v[kept - 1] > 1e-12 * (hi - lo))
            l->v[kept++] = l->v[i];
    l->n = kept;
    return n - kept;
}

sz_status sz_tune_check_range(double lo, double hi) {
    SZ_REQUIRE(lo < hi && hi - lo < INFINITY, SZ_E_ARG, "the knob's range %g to %g is empty", lo,
               hi);
    return SZ_OK;
}
