/* entropy.c: entropies of a known distribution, in forms that survive nearly certain outcomes. */
#include <math.h>

#include <szilard/unstable/num.h>

#include "info/distribution.h"

sz_status sz_entropy_shannon(const double *p, size_t n, double *out) {
    double scale;
    sz_sum sum = {0};
    SZ_TRY(sz_distribution_scale(p, n, "p", &scale));
    for (size_t i = 0; i < n; i++)
        sz_sum_add(&sum, -sz_x_log_x(sz_probability(p, i, scale)));
    *out = sz_at_least_zero(sz_sum_get(&sum));
    return SZ_OK;
}

sz_status sz_entropy_varentropy(const double *p, size_t n, double *out) {
    double scale, h;
    sz_sum sum = {0};
    SZ_TRY(sz_entropy_shannon(p, n, &h));
    SZ_TRY(sz_distribution_scale(p, n, "p", &scale));
    for (size_t i = 0; i < n; i++) {
        double x = sz_probability(p, i, scale);
        double deviation = x > 0 ? sz_log(x) + h : 0.0;
        sz_sum_add(&sum, x * deviation * deviation);
    }
    *out = sz_sum_get(&sum);
    return SZ_OK;
}

sz_status sz_entropy_hartley(const double *p, size_t n, double *out) {
    double scale;
    size_t support = 0;
    SZ_TRY(sz_distribution_scale(p, n, "p", &scale));
    for (size_t i = 0; i < n; i++)
        support += p[i] > 0;
    *out = sz_log((double)support);
    return SZ_OK;
}

/* Through the mass of the others, which keeps its digits where the largest is nearly 1. */
sz_status sz_entropy_min(const double *p, size_t n, double *out) {
    double scale;
    size_t top = 0;
    sz_sum others = {0};
    SZ_TRY(sz_distribution_scale(p, n, "p", &scale));
    for (size_t i = 1; i < n; i++)
        top = p[i] > p[top] ? i : top;
    for (size_t i = 0; i < n; i++)
        if (i != top)
            sz_sum_add(&others, sz_probability(p, i, scale));
    *out = sz_at_least_zero(-sz_log1p(-sz_sum_get(&others)));
    return SZ_OK;
}

/* sum p expm1((a - 1) ln p): small near a = 1, where sum p^a - 1 would cancel. */
static double power_excess(const double *p, size_t n, double scale, double a) {
    sz_sum sum = {0};
    for (size_t i = 0; i < n; i++) {
        double x = sz_probability(p, i, scale);
        if (x > 0)
            sz_sum_add(&sum, x * sz_expm1((a - 1.0) * sz_log(x)));
    }
    return sz_sum_get(&sum);
}

/* ln sum p^a by the largest term. */
static double log_power_sum(const double *p, size_t n, double scale, double a) {
    double most = -INFINITY;
    sz_sum sum = {0};
    for (size_t i = 0; i < n; i++) {
        double x = sz_probability(p, i, scale), term = x > 0 ? a * sz_log(x) : -INFINITY;
        most = term > most ? term : most;
    }
    for (size_t i = 0; i < n; i++) {
        double x = sz_probability(p, i, scale);
        if (x > 0)
            sz_sum_add(&sum, sz_exp(a * sz_log(x) - most));
    }
    return most + sz_log(sz_sum_get(&sum));
}

sz_status sz_entropy_renyi(const double *p, size_t n, double alpha, double *out) {
    double scale;
    SZ_REQUIRE(alpha >= 0, SZ_E_ARG, "the order of a Renyi entropy is %g, not at least 0", alpha);
    if (alpha == 0)
        return sz_entropy_hartley(p, n, out);
    if (alpha == 1)
        return sz_entropy_shannon(p, n, out);
    if (alpha == INFINITY)
        return sz_entropy_min(p, n, out);
    SZ_TRY(sz_distribution_scale(p, n, "p", &scale));
    /* Below 2 the sum of powers exceeds 1/n and log1p keeps every digit of a small entropy. */
    double log_sum = alpha > 0.5 && alpha <= 2 ? sz_log1p(power_excess(p, n, scale, alpha))
                                               : log_power_sum(p, n, scale, alpha);
    *out = sz_at_least_zero(log_sum / (1.0 - alpha));
    return SZ_OK;
}

sz_status sz_entropy_tsallis(const double *p, size_t n, double q, double *out) {
    double scale;
    SZ_REQUIRE(q > 0 && q < INFINITY, SZ_E_ARG, "the order of a Tsallis entropy is %g, not > 0", q);
    if (q == 1)
        return sz_entropy_shannon(p, n, out);
    SZ_TRY(sz_distribution_scale(p, n, "p", &scale));
    *out = sz_at_least_zero(-power_excess(p, n, scale, q) / (q - 1.0));
    return SZ_OK;
}
