/* divergence.c: how far two distributions are apart. */
#include <math.h>

#include <szilard/unstable/num.h>

#include "info/distribution.h"

typedef struct pair {
    const double *p, *q;
    size_t n;
    double scale_p, scale_q;
} pair;

static sz_status make_pair(const double *p, const double *q, size_t n, pair *out) {
    *out = (pair){.p = p, .q = q, .n = n};
    SZ_TRY(sz_distribution_scale(p, n, "p", &out->scale_p));
    return sz_distribution_scale(q, n, "q", &out->scale_q);
}

/* Sum over the entries of a term of (p_i, q_i, parameter). */
typedef double (*term_fn)(double p, double q, double parameter);
static double sum_terms(const pair *d, term_fn term, double parameter) {
    sz_sum sum = {0};
    for (size_t i = 0; i < d->n; i++)
        sz_sum_add(&sum, term(sz_probability(d->p, i, d->scale_p),
                              sz_probability(d->q, i, d->scale_q), parameter));
    return sz_sum_get(&sum);
}

static double cross_term(double p, double q, double unused) {
    return p > 0 ? -p * sz_log(q) : 0.0; /* ln 0 = -infinity */
}
static double kl_term(double p, double q, double unused) {
    if (p == 0)
        return 0.0;
    return q == 0 ? INFINITY : p * sz_log(p / q);
}
/* w p ln(p/m) + (1-w) q ln(q/m): finite, since m covers both. */
static double js_term(double p, double q, double w) {
    double m = w * p + (1.0 - w) * q;
    return w * (w > 0 ? kl_term(p, m, 0) : 0) + (1.0 - w) * (w < 1 ? kl_term(q, m, 0) : 0);
}
static double tv_term(double p, double q, double unused) {
    return 0.5 * (p > q ? p - q : q - p);
}
static double hellinger_term(double p, double q, double unused) {
    double d = sqrt(p) - sqrt(q);
    return 0.5 * d * d;
}
static double chi2_term(double p, double q, double unused) {
    double d = p - q;
    return d == 0 ? 0.0 : q == 0 ? INFINITY : d * d / q;
}
/* p^a q^(1-a). */
static double power_term(double p, double q, double a) {
    if (p == 0 && q == 0)
        return 0.0;
    if (p == 0)
        return a > 0 ? 0.0 : a == 0 ? q : INFINITY;
    if (q == 0)
        return a < 1 ? 0.0 : a == 1 ? p : INFINITY;
    return sz_exp(a * sz_log(p) + (1.0 - a) * sz_log(q));
}
/* p^a q^(1-a) - p, which sums to a small number where p and q are close or a is near 1. */
static double power_excess_term(double p, double q, double a) {
    if (p == 0 || q == 0)
        return power_term(p, q, a) - p;
    return p * sz_expm1((1.0 - a) * sz_log(q / p));
}

#define DIVERGENCE(name, term)                                                                     \
    sz_status name(const double *p, const double *q, size_t n, double *out) {                      \
        pair d;                                                                                    \
        SZ_TRY(make_pair(p, q, n, &d));                                                            \
        *out = sz_at_least_zero(sum_terms(&d, term, 0));                                           \
        return SZ_OK;                                                                              \
    }
DIVERGENCE(sz_div_cross_entropy, cross_term)
DIVERGENCE(sz_div_kl, kl_term)
DIVERGENCE(sz_div_total_variation, tv_term)
DIVERGENCE(sz_div_hellinger2, hellinger_term)
DIVERGENCE(sz_div_chi2, chi2_term)

sz_status sz_div_js(const double *p, const double *q, size_t n, double w, double *out) {
    pair d;
    SZ_REQUIRE(w >= 0 && w <= 1, SZ_E_ARG, "the weight of p is %g, not in 0 .. 1", w);
    SZ_TRY(make_pair(p, q, n, &d));
    *out = sz_at_least_zero(sum_terms(&d, js_term, w));
    return SZ_OK;
}

sz_status sz_div_js_many(const double *p, const double *weights, size_t k, size_t n, double *out) {
    double scale_w;
    SZ_TRY(sz_distribution_scale(weights, k, "weights", &scale_w));
    double *scale = sz_alloc(k * sizeof *scale);
    SZ_REQUIRE(scale, SZ_E_NOMEM, "no memory for %zu distributions", k);
    sz_status status = SZ_OK;
    for (size_t i = 0; i < k && status == SZ_OK; i++) {
        status = sz_distribution_scale(p + i * n, n, "p", &scale[i]);
        if (status != SZ_OK)
            sz_fail_within(status, "distribution %zu", i);
    }
    sz_sum sum = {0};
    for (size_t j = 0; j < n && status == SZ_OK; j++) {
        double m = 0, own = 0;
        for (size_t i = 0; i < k; i++) {
            double w = sz_probability(weights, i, scale_w);
            double x = sz_probability(p + i * n, j, scale[i]);
            m += w * x;
            own += w * sz_x_log_x(x);
        }
        sz_sum_add(&sum, own - sz_x_log_x(m));
    }
    sz_free(scale);
    SZ_TRY(status);
    *out = sz_at_least_zero(sz_sum_get(&sum));
    return SZ_OK;
}

sz_status sz_div_renyi(const double *p, const double *q, size_t n, double alpha, double *out) {
    pair d;
    SZ_REQUIRE(alpha > 0 && alpha < INFINITY, SZ_E_ARG,
               "the order of a Renyi divergence is %g, not > 0", alpha);
    if (alpha == 1)
        return sz_div_kl(p, q, n, out);
    SZ_TRY(make_pair(p, q, n, &d));
    double excess = sum_terms(&d, power_excess_term, alpha);
    *out = sz_at_least_zero(excess <= -1 ? INFINITY : sz_log1p(excess) / (alpha - 1.0));
    if (excess == INFINITY)
        *out = INFINITY;
    return SZ_OK;
}

sz_status sz_div_alpha(const double *p, const double *q, size_t n, double alpha, double *out) {
    pair d;
    SZ_REQUIRE(alpha - alpha == 0, SZ_E_ARG, "the order of an alpha-divergence is not finite");
    if (alpha == 1)
        return sz_div_kl(p, q, n, out);
    if (alpha == 0)
        return sz_div_kl(q, p, n, out);
    SZ_TRY(make_pair(p, q, n, &d));
    *out = sz_at_least_zero(sum_terms(&d, power_excess_term, alpha) / (alpha * (alpha - 1.0)));
    return SZ_OK;
}

sz_status sz_div_kl_logits(const float *p, const float *q, size_t n, double *out) {
    sz_logit_sums sp = {0}, sq = {0};
    for (size_t i = 0; i < n; i++) {
        SZ_REQUIRE(p[i] < INFINITY && q[i] < INFINITY, SZ_E_NAN, "logit %zu is NaN or +infinity",
                   i);
        sz_logit_sums_add(&sp, (double)p[i]);
        sz_logit_sums_add(&sq, (double)q[i]);
    }
    SZ_REQUIRE(sp.s0 > 0 && sq.s0 > 0, SZ_E_NAN, "empty support: all logits are -infinity");
    double lse_p = sp.max + sz_log(sp.s0), lse_q = sq.max + sz_log(sq.s0);
    sz_sum sum = {0};
    for (size_t i = 0; i < n; i++) {
        double x = sz_exp((double)p[i] - lse_p);
        if (x > 0)
            sz_sum_add(&sum, x * (((double)p[i] - lse_p) - ((double)q[i] - lse_q)));
    }
    *out = sz_at_least_zero(sz_sum_get(&sum));
    return SZ_OK;
}
