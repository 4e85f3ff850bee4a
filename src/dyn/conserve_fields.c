/* conserve_fields.c: fields that are known exactly, and how near a prediction comes to one. */
#include <szilard/unstable/conserve.h>

#include <math.h>
#include <szilard/unstable/num.h>

const char *const sz_conserve_law_names[] = {"heat",      "porous",  "stefan",
                                             "advection", "burgers", NULL};
#define ROOT_PI 1.77245385090551602730

/* By its series, whose terms are all positive; 1 - erf(6) is below 1e-16. */
static double error_function(double x) {
    if (x < 0)
        return -error_function(-x);
    if (x > 6)
        return 1;
    double term = x, sum = x;
    for (int k = 1; term > 1e-18 * sum; k++)
        sum += term *= 2 * x * x / (2 * k + 1);
    return 2 / ROOT_PI * sz_exp(-x * x) * sum;
}

sz_status sz_conserve_trapezoid(const double *x, size_t n, double *weights) {
    for (size_t i = 0; i < n; i++) {
        SZ_REQUIRE(isfinite(x[i]), SZ_E_NAN, "x %zu is not finite", i);
        SZ_REQUIRE(i == 0 || x[i] > x[i - 1], SZ_E_ARG, "x %zu is %g, not above %g before it", i,
                   x[i], x[i - 1]);
    }
    for (size_t i = 0; i < n; i++)
        weights[i] = 0.5 * (x[i + 1 < n ? i + 1 : i] - x[i > 0 ? i - 1 : 0]);
    return SZ_OK;
}

sz_status sz_conserve_score(const double *u, const double *mean, const double *var, size_t n,
                            double *mse, double *loglik) {
    const double log_2_pi = 1.83787706640934548356;
    double square = 0, nats = 0;
    SZ_REQUIRE(n >= 1, SZ_E_ARG, "no values to score");
    for (size_t i = 0; i < n; i++) {
        double off = u[i] - mean[i];
        SZ_REQUIRE(var[i] > 0, SZ_E_ARG, "the variance of entry %zu is %g, not above 0", i, var[i]);
        SZ_REQUIRE(isfinite(off), SZ_E_NAN, "entry %zu is not finite", i);
        square += off * off;
        nats -= 0.5 * (log_2_pi + sz_log(var[i]) + off * off / var[i]);
    }
    *mse = square / (double)n;
    *loglik = nats / (double)n;
    return SZ_OK;
}

/* ---- The fields ------------------------------------------------------------------------------ */

static double heat(double k, double t, double x) {
    double sine, cosine;
    sz_sincos(x, &sine, &cosine);
    return sz_exp(-k * t) * sine;
}

static double porous(double m, double t, double x) {
    return t > x ? sz_pow(m * (t - x), 1 / m) : 0;
}

/* z with u* erf(z) z exp(z^2) = (1 - u*) / sqrt(pi), by bisection: the left side rises. */
static double stefan_root(double u) {
    double low = 0, high = 6;
    for (int i = 0; i < 200; i++) {
        double z = 0.5 * (low + high);
        bool above = u * error_function(z) * z * sz_exp(z * z) > (1 - u) / ROOT_PI;
        *(above ? &high : &low) = z;
    }
    return 0.5 * (low + high);
}

static void stefan(double u_star, double t, const double *x, size_t n, double *u,
                   sz_conserve_truth *out) {
    double z = stefan_root(u_star), c = (1 - u_star) / error_function(z);
    out->front = 2 * z * sqrt(t);
    out->mass = 2 * c * sqrt(t) / ROOT_PI;
    for (size_t i = 0; i < n; i++)
        u[i] = t > 0 && x[i] <= out->front ? 1 - c * error_function(x[i] / (2 * sqrt(t))) : 0;
}

static double burgers(double a, double t, double x) {
    if (a * t >= 1) /* the ramp has become a shock */
        return x <= 0.5 * (a * t - 1) ? a : 0;
    return x <= a * t - 1 ? a : x <= 0 ? a * x / (a * t - 1) : 0;
}

static double mass_of(sz_conserve_law law, double p, double t) {
    switch (law) {
    case SZ_LAW_POROUS:
        return sz_pow(p * t, 1 + 1 / p) / (p + 1);
    case SZ_LAW_ADVECTION:
        return 0.5 + (p * t < 0.5 ? p * t : 0.5);
    case SZ_LAW_BURGERS:
        return 0.5 * p * (1 + p * t);
    default:
        return 0;
    }
}

sz_status sz_conserve_field(sz_conserve_law law, double parameter, double t, const double *x,
                            size_t n, double *u, sz_conserve_truth *out) {
    SZ_REQUIRE((unsigned)law < SZ_LAWS, SZ_E_ARG, "there is no law %d", (int)law);
    SZ_REQUIRE(t >= 0 && t < INFINITY, SZ_E_ARG, "time %g", t);
    SZ_REQUIRE(parameter > 0 && parameter < (law == SZ_LAW_STEFAN ? 1 : INFINITY), SZ_E_ARG,
               "%s: the parameter is %g", sz_conserve_law_names[law], parameter);
    for (size_t i = 0; i < n; i++)
        SZ_REQUIRE(isfinite(x[i]), SZ_E_NAN, "x %zu is not finite", i);
    *out = (sz_conserve_truth){.mass = mass_of(law, parameter, t), .front = NAN};
    if (law == SZ_LAW_STEFAN)
        stefan(parameter, t, x, n, u, out);
    for (size_t i = 0; i < n && law != SZ_LAW_STEFAN; i++)
        u[i] = law == SZ_LAW_HEAT        ? heat(parameter, t, x[i])
               : law == SZ_LAW_POROUS    ? porous(parameter, t, x[i])
               : law == SZ_LAW_ADVECTION ? (x[i] <= 0.5 + parameter * t ? 1 : 0)
                                         : burgers(parameter, t, x[i]);
    return SZ_OK;
}
