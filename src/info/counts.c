/* counts.c: entropy of a distribution that is known by counts only. */
#include <math.h>

#include <szilard/unstable/num.h>

#include "info/distribution.h"

/* psi(n) + (-1)^n / 2 [psi((n+1)/2) - psi(n/2)], Grassberger 2003. */
static double grassberger_g(double n, bool odd) {
    double alternating = 0.5 * (sz_digamma((n + 1) / 2) - sz_digamma(n / 2));
    return sz_digamma(n) + (odd ? -alternating : alternating);
}

/* Sums over the cells that the estimators need. */
static sz_status summarise(const uint64_t *counts, size_t cells, sz_count_entropy *e) {
    for (size_t i = 0; i < cells; i++) {
        SZ_REQUIRE(!__builtin_add_overflow(e->n, counts[i], &e->n) && e->n < (1ull << 53), SZ_E_ARG,
                   "the counts sum to more than 2^53");
        e->k += counts[i] > 0;
        e->singletons += counts[i] == 1;
    }
    SZ_REQUIRE(e->n > 0, SZ_E_ARG, "all %zu counts are zero", cells);
    return SZ_OK;
}

static void plug_in(const uint64_t *counts, size_t cells, sz_count_entropy *e) {
    sz_sum h = {0}, v = {0}, g = {0};
    double n = (double)e->n;
    for (size_t i = 0; i < cells; i++) {
        double c = (double)counts[i];
        if (counts[i] == 0)
            continue;
        sz_sum_add(&h, -sz_x_log_x(c / n));
        sz_sum_add(&g, c * grassberger_g(c, counts[i] & 1));
    }
    e->plug_in = sz_at_least_zero(sz_sum_get(&h));
    for (size_t i = 0; i < cells; i++) {
        double p = (double)counts[i] / n, deviation = p > 0 ? sz_log(p) + e->plug_in : 0.0;
        sz_sum_add(&v, p * deviation * deviation);
    }
    e->standard_error = e->n == 1 ? NAN : sqrt(sz_sum_get(&v) / n);
    e->miller_madow = e->plug_in + ((double)e->k - 1.0) / (2.0 * n);
    e->grassberger = sz_log(n) - sz_sum_get(&g) / n;
    e->best = e->k == 1          ? e->plug_in /* which is 0 */
              : e->n < 50 * e->k ? e->grassberger
                                 : e->miller_madow;
}

/* Coverage-corrected, Horvitz-Thompson weighted (Chao and Shen 2003). */
static double chao_shen(const uint64_t *counts, size_t cells, const sz_count_entropy *e) {
    double n = (double)e->n, f1 = (double)(e->singletons == e->n ? e->n - 1 : e->singletons);
    double coverage = 1.0 - f1 / n;
    sz_sum h = {0};
    for (size_t i = 0; i < cells; i++) {
        double p = coverage * (double)counts[i] / n;
        if (p > 0)
            sz_sum_add(&h, -sz_x_log_x(p) / (p < 1 ? -sz_expm1(n * sz_log1p(-p)) : 1.0));
    }
    return sz_sum_get(&h);
}

/* n H - (n-1) mean of the entropies with one sample left out, from S = sum c ln c. */
static double jackknife(const uint64_t *counts, size_t cells, const sz_count_entropy *e) {
    double n = (double)e->n;
    if (e->n == 1)
        return 0;
    sz_sum s = {0}, mean = {0};
    for (size_t i = 0; i < cells; i++)
        sz_sum_add(&s, sz_x_log_x((double)counts[i]));
    for (size_t i = 0; i < cells; i++) {
        double c = (double)counts[i];
        double without = c > 0 ? sz_x_log_x(c - 1) - sz_x_log_x(c) : 0.0;
        double h = sz_log(n - 1) - (sz_sum_get(&s) + without) / (n - 1);
        sz_sum_add(&mean, c / n * h);
    }
    return n * e->plug_in - (n - 1) * sz_sum_get(&mean);
}

/* Hausser and Strimmer 2009. */
static void james_stein(const uint64_t *counts, size_t cells, sz_count_entropy *e) {
    double n = (double)e->n, target = 1.0 / (double)cells;
    sz_sum squares = {0}, distance = {0}, h = {0};
    for (size_t i = 0; i < cells; i++) {
        double p = (double)counts[i] / n;
        sz_sum_add(&squares, p * p);
        sz_sum_add(&distance, (target - p) * (target - p));
    }
    double below = (n - 1.0) * sz_sum_get(&distance);
    double shrinkage = below > 0 ? (1.0 - sz_sum_get(&squares)) / below : 1.0;
    e->shrinkage = shrinkage > 1 ? 1.0 : sz_at_least_zero(shrinkage);
    for (size_t i = 0; i < cells; i++)
        sz_sum_add(
            &h, -sz_x_log_x(e->shrinkage * target + (1.0 - e->shrinkage) * (double)counts[i] / n));
    e->james_stein = sz_at_least_zero(sz_sum_get(&h));
}

sz_status sz_entropy_counts(const uint64_t *counts, size_t cells, sz_count_entropy *out) {
    sz_count_entropy e = {0};
    SZ_REQUIRE(cells >= 1, SZ_E_ARG, "no counts");
    SZ_TRY(summarise(counts, cells, &e));
    plug_in(counts, cells, &e);
    e.chao_shen = chao_shen(counts, cells, &e);
    e.jackknife = jackknife(counts, cells, &e);
    james_stein(counts, cells, &e);
    *out = e;
    return SZ_OK;
}
