/* math.c: elementary functions in double. Plain IEEE arithmetic in a fixed order, so that every
 * machine and compiler gives the same bits; no libm. */
#include <math.h>
#include <string.h>

#include <szilard/unstable/num.h>

static double from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t to_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* 2^n for n in [-1022, 1023]. */
static double pow2(int n) {
    return from_bits((uint64_t)(n + 1023) << 52);
}

/* Nearest integer, ties to even, |x| < 2^51. */
static double nearest(double x) {
    const double shift = 6755399441055744.0; /* 1.5 * 2^52 */
    return (x + shift) - shift;
}

/* exp(x) = 2^n exp(r), |r| <= ln2/2, Taylor series to r^13 (remainder below 2^-57). */
double sz_exp(double x) {
    if (x != x)
        return x;
    if (x > 709.9)
        return INFINITY;
    if (x < -745.2)
        return 0.0;
    double n = nearest(x * 0x1.71547652b82fep+0);
    double r = (x - n * 0x1.62e42fefp-1) - n * 0x1.473de6af278edp-34;
    double p = 1.0 / 6227020800.0;
    p = p * r + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    double y = 1.0 + (r + r * r * p);
    int half = (int)n / 2;
    return y * pow2(half) * pow2((int)n - half);
}

/* log(x) = e ln2 + 2 atanh(s), s = (m-1)/(m+1), m in [sqrt(1/2), sqrt(2)), series to s^23. */
double sz_log(double x) {
    if (x != x || x == INFINITY)
        return x;
    if (x <= 0.0)
        return x == 0.0 ? -INFINITY : NAN;
    int e = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        e = -54;
    }
    uint64_t bits = to_bits(x);
    e += (int)(bits >> 52) - 1023;
    double m = from_bits((bits & 0xfffffffffffffu) | 0x3ff0000000000000u);
    if (m > 0x1.6a09e667f3bcdp+0) {
        m *= 0.5;
        e++;
    }
    double f = m - 1.0, s = f / (2.0 + f), z = s * s;
    double p = 2.0 / 23.0;
    for (int k = 21; k >= 3; k -= 2)
        p = p * z + 2.0 / (double)k;
    /* 2s = f - s f exactly in real numbers; this form keeps the leading term f unrounded. */
    double tail = s * (f - z * p);
    return (double)e * 0x1.62e42fefp-1 + (f - (tail - (double)e * 0x1.473de6af278edp-34));
}

/* Reduction by pi/2 in four parts of 25 bits (exact products for |k| < 2^28), Taylor series. */
void sz_sincos(double x, double *sine, double *cosine) {
    double k = nearest(x * 0x1.45f306dc9c883p-1);
    double r = x - k * 0x1.921fb5p+0;
    r -= k * 0x1.110b46p-26;
    r -= k * 0x1.1a6263p-54;
    r -= k * 0x1.8a2e03707344ap-81;
    double z = r * r;
    double s = -1.0 / 1307674368000.0;
    s = s * z + 1.0 / 6227020800.0;
    s = s * z - 1.0 / 39916800.0;
    s = s * z + 1.0 / 362880.0;
    s = s * z - 1.0 / 5040.0;
    s = s * z + 1.0 / 120.0;
    s = s * z - 1.0 / 6.0;
    s = r + r * z * s;
    double c = 1.0 / 20922789888000.0;
    c = c * z - 1.0 / 87178291200.0;
    c = c * z + 1.0 / 479001600.0;
    c = c * z - 1.0 / 3628800.0;
    c = c * z + 1.0 / 40320.0;
    c = c * z - 1.0 / 720.0;
    c = c * z + 1.0 / 24.0;
    c = 1.0 - (0.5 * z - z * z * c);
    int64_t quadrant = (int64_t)k & 3;
    double a = quadrant & 1 ? c : s, b = quadrant & 1 ? s : c;
    *sine = quadrant & 2 ? -a : a;
    *cosine = quadrant == 1 || quadrant == 2 ? -b : b;
}

double sz_pow(double x, double y) {
    return sz_exp(y * sz_log(x));
}

double sz_expm1(double x) {
    if (x > 0.35 || x < -0.35)
        return sz_exp(x) - 1.0;
    double p = 1.0 / 1307674368000.0;
    static const double factorial[] = {87178291200.0, 6227020800.0, 479001600.0, 39916800.0,
                                       3628800.0,     362880.0,     40320.0,     5040.0,
                                       720.0,         120.0,        24.0,        6.0};
    for (size_t i = 0; i < sizeof factorial / sizeof *factorial; i++)
        p = p * x + 1.0 / factorial[i];
    return x + x * x * (0.5 + x * p);
}

/* The rounding error of 1 + x is undone by the quotient (Kahan). */
double sz_log1p(double x) {
    double u = 1.0 + x;
    if (u == 1.0)
        return x;
    return u - 1.0 == x || !(x < 1e15) ? sz_log(u) : sz_log(u) * (x / (u - 1.0));
}
