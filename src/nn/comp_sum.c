/* comp_sum.c: the comp-sum losses, what they guarantee about errors, and their smooth adversarial
 * form (Mao, Mohri, Zhong 2023). */
#include <math.h>

#include <szilard/unstable/loss.h>
#include <szilard/unstable/num.h>

static const double LARGEST = 1e30;

static bool is_one(double tau) {
    return tau > 1 - 1e-6 && tau < 1 + 1e-6;
}

static sz_status check_tau(double tau) {
    SZ_REQUIRE(tau >= 0 && tau < INFINITY, SZ_E_ARG, "tau is %g, not a number >= 0", tau);
    return SZ_OK;
}

double sz_comp_sum_of(double log_p, double tau) {
    if (is_one(tau)) /* the first terms of the series in tau - 1 */
        return -log_p - (tau - 1) * log_p * log_p / 2;
    return sz_expm1((tau - 1) * log_p) / (1 - tau);
}

double sz_comp_sum_factor(double log_p, double tau) {
    return tau == 1 ? 1 : sz_exp((tau - 1) * log_p);
}

/* Phi_tau(u), the loss as a function of u = 1/p - 1. */
static double phi(double u, double tau) {
    return sz_comp_sum_of(-sz_log1p(u), tau);
}

static double phi_slope(double u, double tau) {
    return sz_exp(-tau * sz_log1p(u));
}

sz_status sz_comp_sum(const double *scores, size_t n, size_t label, double tau, double *loss,
                      double *gradient, bool *capped) {
    double most = -INFINITY, sum = 0;
    SZ_TRY(check_tau(tau));
    SZ_REQUIRE(n >= 1 && label < n, SZ_E_ARG, "label %zu is not one of %zu classes", label, n);
    for (size_t i = 0; i < n; i++) {
        SZ_REQUIRE(scores[i] == scores[i] && scores[i] < INFINITY, SZ_E_NAN, "score %zu is %g", i,
                   scores[i]);
        most = scores[i] > most ? scores[i] : most;
    }
    for (size_t i = 0; i < n; i++)
        sum += sz_exp(scores[i] - most);
    double lse = most + sz_log(sum), log_p = scores[label] - lse;
    double value = sz_comp_sum_of(log_p, tau), factor = sz_comp_sum_factor(log_p, tau);
    bool over = !(value <= LARGEST && factor <= LARGEST);
    *loss = n == 1 ? 0 : value <= LARGEST ? value : LARGEST;
    factor = factor <= LARGEST ? factor : LARGEST;
    for (size_t i = 0; gradient && i < n; i++)
        gradient[i] = n == 1 ? 0 : factor * (sz_exp(scores[i] - lse) - (i == label ? 1 : 0));
    /* 1 - p without cancellation where p is near 1 */
    if (gradient && n > 1) {
        double others = 0;
        for (size_t i = 0; i < n; i++)
            others += i == label ? 0 : sz_exp(scores[i] - lse);
        gradient[label] = -factor * others;
    }
    if (capped)
        *capped = over;
    return SZ_OK;
}

/* ---- What the least risk is --------------------------------------------------------------------
 */

sz_status sz_comp_sum_best(const double *p, size_t n, double tau, double *out) {
    double total = 0, most = 0, entropy = 0, power = 0;
    SZ_TRY(check_tau(tau));
    for (size_t i = 0; i < n; i++) {
        SZ_REQUIRE(p[i] >= 0 && p[i] <= 1, SZ_E_ARG, "probability %zu is %g", i, p[i]);
        total += p[i];
        most = p[i] > most ? p[i] : most;
        if (p[i] > 0) {
            entropy -= p[i] * sz_log(p[i]);
            power += tau < 2 ? sz_pow(p[i], 1 / (2 - tau)) : 0;
        }
    }
    SZ_REQUIRE(n >= 1 && total > 1 - 1e-9 && total < 1 + 1e-9, SZ_E_ARG,
               "%zu probabilities sum to %.12g", n, total);
    if (is_one(tau))
        *out = entropy;
    else if (tau < 2)
        *out = sz_expm1((2 - tau) * sz_log(power)) / (1 - tau);
    else
        *out = (1 - most) / (tau - 1);
    return SZ_OK;
}

sz_status sz_comp_sum_best_bounded(size_t n, double bound, double tau, double *out) {
    SZ_TRY(check_tau(tau));
    SZ_REQUIRE(n >= 1 && bound >= 0, SZ_E_ARG, "%zu classes with scores within %g", n, bound);
    *out = phi((double)(n - 1) * sz_exp(-2 * bound), tau);
    return SZ_OK;
}

/* ---- From loss to error
 * --------------------------------------------------------------------------
 */

static double xlogx(double x) {
    return x > 0 ? x * sz_log(x) : 0;
}

static double transform(double beta, double n, double tau) {
    if (beta == 0)
        return 0;
    if (tau >= 2)
        return beta / ((tau - 1) * sz_pow(n, tau - 1));
    if (is_one(tau))
        return (xlogx(1 + beta) + xlogx(1 - beta)) / 2;
    double e = 1 / (2 - tau), rest = beta < 1 ? sz_pow(1 - beta, e) : 0;
    double mean = (sz_pow(1 + beta, e) + rest) / 2;
    double grown = sz_expm1((2 - tau) * sz_log(mean)); /* mean^(2-tau) - 1 */
    return tau < 1 ? -sz_pow(2, 1 - tau) / (1 - tau) * grown
                   : grown / ((tau - 1) * sz_pow(n, tau - 1));
}

sz_status sz_comp_sum_transform(double beta, size_t n, double tau, double *out) {
    SZ_TRY(check_tau(tau));
    SZ_REQUIRE(beta >= 0 && beta <= 1 && n >= 2, SZ_E_ARG, "beta is %g with %zu classes", beta, n);
    *out = transform(beta, (double)n, tau);
    return SZ_OK;
}

sz_status sz_comp_sum_error_bound(double t, size_t n, double tau, double *bound, double *simple) {
    SZ_TRY(check_tau(tau));
    t = t < 0 && t > -1e-12 ? 0 : t;
    SZ_REQUIRE(t >= 0 && n >= 2, SZ_E_ARG, "an excess loss of %g with %zu classes", t, n);
    double low = 0, high = 1, classes = (double)n;
    for (int i = 0; i < 80; i++) {
        double middle = (low + high) / 2;
        if (transform(middle, classes, tau) < t)
            low = middle;
        else
            high = middle;
    }
    *bound = t == 0 ? 0 : transform(1, classes, tau) <= t ? 1 : high;
    if (simple && tau < 1)
        *simple = sqrt(sz_pow(2, tau) * (2 - tau) * t);
    else if (simple)
        *simple = tau < 2 ? sqrt(2 * sz_pow(classes, tau - 1) * t)
                          : (tau - 1) * sz_pow(classes, tau - 1) * t;
    return SZ_OK;
}

/* ---- Smooth adversarial losses
 * -------------------------------------------------------------------
 */

/* Sum of exp(-(h_y - h_k) / rho) over k != y, and its part of the gradient into `gradient`. */
static double margins(const sz_smooth_adversarial *s, const double *h, size_t n, size_t y,
                      double *gradient) {
    double u = 0;
    for (size_t k = 0; k < n; k++)
        u += k == y ? 0 : sz_exp((h[k] - h[y]) / s->rho);
    double slope = u < INFINITY ? phi_slope(u, s->tau) : 0;
    for (size_t k = 0; gradient && k < n; k++)
        gradient[k] =
            k == y ? -slope * u / s->rho : slope * sz_exp((h[k] - h[y]) / s->rho) / s->rho;
    return u;
}

sz_status sz_smooth_adversarial_loss(const sz_smooth_adversarial *s, const double *clean,
                                     const double *attacked, size_t n, size_t label,
                                     double *comp_sum, double *smooth, double *clean_gradient,
                                     double *attacked_gradient) {
    double squares = 0, sum = 0;
    SZ_TRY(check_tau(s->tau));
    SZ_REQUIRE(s->rho > 0 && s->nu >= 0, SZ_E_ARG, "rho is %g, nu %g", s->rho, s->nu);
    SZ_REQUIRE(n >= 1 && label < n, SZ_E_ARG, "label %zu is not one of %zu classes", label, n);
    double u = margins(s, clean, n, label, clean_gradient), value = phi(u, s->tau);
    *comp_sum = value <= LARGEST ? value : LARGEST;
    double own = attacked[label] - clean[label];
    for (size_t k = 0; k < n; k++) {
        double change = own - (attacked[k] - clean[k]);
        squares += change * change;
        sum += change;
    }
    double norm = sqrt(squares);
    *smooth = s->nu * norm;
    for (size_t k = 0; k < n; k++) {
        double change = own - (attacked[k] - clean[k]);
        double slope = norm > 0 ? s->nu * ((k == label ? sum : 0) - change) / norm : 0;
        if (attacked_gradient)
            attacked_gradient[k] = slope;
        if (clean_gradient)
            clean_gradient[k] -= slope;
    }
    return SZ_OK;
}
