/* special.c: digamma and gamma functions, by recurrence and asymptotic series. */
#include <math.h>

#include <szilard/unstable/info.h>
#include <szilard/unstable/num.h>

double sz_digamma(double x) {
    double shift = 0;
    for (; x < 12; x += 1)
        shift -= 1.0 / x;
    double z = 1.0 / (x * x); /* Bernoulli numbers over 2k */
    double series =
        z *
        (1.0 / 12 -
         z * (1.0 / 120 -
              z * (1.0 / 252 - z * (1.0 / 240 - z * (1.0 / 132 - z * (691.0 / 32760 - z / 12))))));
    return shift + sz_log(x) - 0.5 / x - series;
}

double sz_log_gamma(double x) {
    double product = 1, logs = 0;
    for (; x < 12; x += 1)
        product *= x;
    logs = sz_log(product);
    double z = 1.0 / (x * x);
    double series =
        (1.0 / 12 -
         z * (1.0 / 360 -
              z * (1.0 / 1260 - z * (1.0 / 1680 - z * (1.0 / 1188 - z * (691.0 / 360360)))))) /
        x;
    return (x - 0.5) * sz_log(x) - x + 0.91893853320467274178 + series - logs;
}

/* P(a, x) by its series; converges fast for x < a + 1. */
static double lower_series(double a, double x, double front) {
    double term = 1.0 / a, sum = term;
    for (double k = a + 1; k < a + 10000 && term > sum * 1e-17; k += 1) {
        term *= x / k;
        sum += term;
    }
    return sum * front;
}

/* Q(a, x) by Lentz's continued fraction; for x >= a + 1. */
static double upper_fraction(double a, double x, double front) {
    const double tiny = 1e-300;
    double b = x + 1 - a, c = 1 / tiny, d = 1 / b, h = d;
    for (int i = 1; i < 10000; i++) {
        double numerator = -i * (i - a);
        b += 2;
        d = numerator * d + b;
        d = 1 / (d == 0 ? tiny : d);
        c = b + numerator / c;
        c = c == 0 ? tiny : c;
        double factor = d * c;
        h *= factor;
        if (factor - 1 < 1e-16 && 1 - factor < 1e-16)
            break;
    }
    return h * front;
}

double sz_gamma_upper(double a, double x) {
    if (x <= 0)
        return 1;
    if (x == INFINITY)
        return 0;
    double front = sz_exp(a * sz_log(x) - x - sz_log_gamma(a));
    return x < a + 1 ? 1 - lower_series(a, x, front) : upper_fraction(a, x, front);
}
