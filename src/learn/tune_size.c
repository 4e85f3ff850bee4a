/* tune_size.c: mixtures, and how many tasks make a tuned knob trustworthy. */
#include "tune.h"
#include <math.h>
#include <szilard/unstable/num.h>

static const double e_1 = 2.71828182845904523536, ln_2 = 0.69314718055994530942;

/* ---- Mixtures ----------------------------------------------------------------------------------
 */

/* Of ln((1 - a) p + a q) - ln p with r = q / p - 1: r / (1 + a r), and its own slope. */
static void slopes(const double *log_p, const double *log_q, size_t n, double a, double *first,
                   double *second) {
    *first = *second = 0.0;
    for (size_t i = 0; i < n; i++) {
        double d = log_q[i] - log_p[i], t;
        if (d < 600.0)
            t = sz_expm1(d) / (1.0 + a * sz_expm1(d));
        else
            t = a > 0.0 ? 1.0 / a : INFINITY;
        *first += t / (double)n;
        *second -= t * t / (double)n;
    }
}

static double mean_log(const double *log_p, const double *log_q, size_t n, double a) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        double most = log_p[i] > log_q[i] ? log_p[i] : log_q[i];
        double p = log_p[i] == -INFINITY ? 0.0 : sz_exp(log_p[i] - most),
               q = log_q[i] == -INFINITY ? 0.0 : sz_exp(log_q[i] - most);
        sum += most + sz_log((1.0 - a) * p + a * q);
    }
    return sum / (double)n;
}

sz_status sz_tune_mixture(const double *log_p, const double *log_q, size_t n, double *alpha,
                          double *mean) {
    SZ_REQUIRE(log_p && log_q && n > 0, SZ_E_ARG, "there are no probabilities");
    for (size_t i = 0; i < n; i++)
        SZ_REQUIRE(log_p[i] <= 0.0 && log_q[i] <= 0.0 &&
                       (log_p[i] > -INFINITY && log_q[i] > -INFINITY),
                   SZ_E_ARG, "entry %zu: %g and %g are not logarithms of probabilities", i,
                   log_p[i], log_q[i]);
    double low = 0.0, high = 1.0, a = 0.5, g, h;
    slopes(log_p, log_q, n, 0.0, &g, &h);
    if (g <= 0.0)
        high = a = 0.0;
    slopes(log_p, log_q, n, 1.0, &g, &h);
    if (high > 0.0 && g >= 0.0)
        low = a = 1.0;
    for (int i = 0; i < 200 && low < high; i++) { /* Newton, held between the ends */
        slopes(log_p, log_q, n, a, &g, &h);
        if (g > 0.0)
            low = a;
        else
            high = a;
        double next = a - g / h;
        next = next > low && next < high ? next : low + (high - low) / 2;
        if (next == a || high - low < 1e-15)
            break;
        a = next;
    }
    *alpha = a;
    *mean = mean_log(log_p, log_q, n, a);
    return SZ_OK;
}

/* ---- Trust -------------------------------------------------------------------------------------
 */

static sz_status check_trust(double h, double eps, double delta) {
    SZ_REQUIRE(h > 0.0 && h < INFINITY, SZ_E_ARG, "utilities up to %g", h);
    SZ_REQUIRE(eps > 0.0 && eps < INFINITY, SZ_E_ARG, "eps = %g is not above 0", eps);
    SZ_REQUIRE(delta > 0.0 && delta < 1.0, SZ_E_ARG, "delta = %g is not in (0, 1)", delta);
    return SZ_OK;
}

sz_status sz_tune_pseudo_dimension(double b, uint32_t *out) {
    SZ_REQUIRE(b >= 1.0 && b < INFINITY, SZ_E_ARG, "%g oscillations: at least 1", b);
    uint32_t n =
        1; /* in logarithms, whose slack is below any whole number's distance to a power of 2 */
    while ((double)(n + 1) * ln_2 <= sz_log1p((double)(n + 1) * b) + 1e-13)
        n++;
    *out = n;
    return SZ_OK;
}

static double gap(double m, double h, double delta, double b) {
    return 2.0 * h * sqrt(2.0 * sz_log1p(m * b) / m) + h * sqrt(sz_log(2.0 / delta) / (2.0 * m));
}

sz_status sz_tune_tasks_needed(double h, double eps, double delta, double b,
                               double *piecewise_constant, double *general) {
    uint32_t d;
    SZ_TRY(check_trust(h, eps, delta));
    SZ_TRY(sz_tune_pseudo_dimension(b, &d));
    double low = 0.0, high = 1.0;
    while (gap(high, h, delta, b) > eps && high < 9e15)
        high *= 2.0;
    while (high - low > 1.0) {
        double middle = floor(low + (high - low) / 2);
        if (gap(middle, h, delta, b) <= eps)
            high = middle;
        else
            low = middle;
    }
    *piecewise_constant = high;
    *general = ceil(
        128.0 * h * h / (eps * eps) *
        ((double)d * sz_log(16.0 * e_1 * h / eps) + sz_log(8.0 * e_1 * ((double)d + 1.0) / delta)));
    return SZ_OK;
}

sz_status sz_tune_certificate(size_t n_cells, size_t n_tasks, double h, double delta, double *out) {
    SZ_TRY(check_trust(h, 1.0, delta));
    SZ_REQUIRE(n_cells > 0 && n_tasks > 0, SZ_E_ARG, "%zu cells of %zu tasks", n_cells, n_tasks);
    double m = (double)n_tasks;
    *out = 2.0 * h * sqrt(2.0 * sz_log((double)n_cells) / m) +
           3.0 * h * sqrt(sz_log(4.0 / delta) / (2.0 * m));
    return SZ_OK;
}

sz_status sz_tune_network_size(const uint64_t *widths, size_t n, uint64_t n_examples,
                               uint64_t breaks, uint64_t degree, sz_tune_network *out) {
    SZ_REQUIRE(widths && n >= 2 && n_examples > 0 && breaks > 0 && degree > 0, SZ_E_ARG,
               "a net of at least two layers, with examples, breaks and a degree");
    sz_tune_network r = {0};
    double d = 1.0;
    for (size_t l = 0; l + 1 < n; l++) {
        SZ_REQUIRE(widths[l] > 0 && widths[l] < 1u << 30 && widths[l + 1] > 0 &&
                       widths[l + 1] < 1u << 30,
                   SZ_E_ARG, "layer %zu has no units, or too many", l);
        r.n_weights += widths[l] * widths[l + 1];
        if (l + 2 == n)
            break;
        double v = (double)r.n_weights + 1.0;
        double k = (double)n_examples * (double)widths[l + 1] * 2.0 * (double)breaks;
        r.log_pieces += ln_2 + v * sz_log(2.0 * e_1 * k * d / v);
        d = (double)degree * d + 2.0;
    }
    SZ_REQUIRE(d < 9e18 && r.log_pieces < 9e15, SZ_E_LIMIT, "the bound does not fit 64 bits");
    r.output_degree = (uint64_t)d;
    uint64_t low = 1, high = 2;
    while ((double)high * ln_2 <= sz_log(2.0 * (double)high) + r.log_pieces)
        high *= 2;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if ((double)middle * ln_2 <= sz_log(2.0 * (double)middle) + r.log_pieces)
            low = middle;
        else
            high = middle;
    }
    r.pseudo_dimension = low;
    *out = r;
    return SZ_OK;
}
