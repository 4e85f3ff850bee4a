/* math_error.h: the largest errors of the engine's elementary functions over ranges of floats, in
 * units in the last place of the exact result, which long double stands for. */
#ifndef SZ_TESTS_MATH_ERROR_H
#define SZ_TESTS_MATH_ERROR_H

#include <math.h>
#include <string.h>

#include <szilard/unstable/num.h>

#include "num/kernels/kernels.h"

/* The bounds that the headers state (include/szilard/unstable/num.h, num/kernels/kernels.h). */
#define ULP_EXP            1.0
#define ULP_LOG            1.0
#define ULP_SINCOS         2.5
#define ULP_EXPM1          4.0
#define ULP_LOG1P          3.0
#define ULP_EXP_FLOAT      0.98
#define ULP_EXP_FLOAT_TINY 0.76 /* subnormal results, in units of 2^-149 */
#define ULP_TANH_FLOAT     1.34

typedef struct worst {
    double ulp, at;
} worst;

static inline void keep_worst(worst *w, double ulp, double at) {
    if (!(ulp <= w->ulp)) /* a NaN is the worst */
        *w = (worst){ulp, at};
}

/* The distance of doubles around x; for floats with digits = 24, least = -149. */
static inline long double unit_of(long double x, int digits, int least) {
    int e;
    frexpl(x, &e);
    return ldexpl(1.0L, e - digits > least ? e - digits : least);
}

static inline double ulp_of_double(double got, long double want) {
    return got == want ? 0.0 : (double)(fabsl(got - want) / unit_of(want, 53, -1074));
}

typedef struct double_errors {
    worst exp, log, sincos, expm1, log1p;
} double_errors;

static inline void measure_double(double x, double_errors *e) {
    long double y = expl(x);
    if (y >= 0x1p-1022L && y < 0x1p1024L)
        keep_worst(&e->exp, ulp_of_double(sz_exp(x), y), x);
    if (x >= -40.0 && x < 700.0)
        keep_worst(&e->expm1, ulp_of_double(sz_expm1(x), expm1l(x)), x);
    if (x > 0.0)
        keep_worst(&e->log, ulp_of_double(sz_log(x), logl(x)), x);
    if (x > -1.0)
        keep_worst(&e->log1p, ulp_of_double(sz_log1p(x), log1pl(x)), x);
    if (fabs(x) <= 0x1p27) {
        double sine, cosine;
        sz_sincos(x, &sine, &cosine);
        keep_worst(&e->sincos, ulp_of_double(sine, sinl(x)), x);
        keep_worst(&e->sincos, ulp_of_double(cosine, cosl(x)), x);
    }
}

typedef struct float_errors {
    worst exp, exp_tiny, tanh;
} float_errors;

/* n <= 4096 floats. Double has the digits to judge results of float. */
static inline void measure_floats(const sz_kernels *k, const float *x, size_t n, float_errors *e) {
    float y[4096];
    k->exp(x, n, y);
    for (size_t i = 0; i < n; i++) {
        double want = exp((double)x[i]), off = fabs((double)y[i] - want);
        if (want >= 0x1.ffffffp127) /* beyond the midpoint above the largest float */
            keep_worst(&e->exp, y[i] == INFINITY ? 0.0 : INFINITY, x[i]);
        else if (want < 0x1p-126)
            keep_worst(&e->exp_tiny, off * 0x1p149, x[i]);
        else
            keep_worst(&e->exp, off / (double)unit_of(want, 24, -149), x[i]);
    }
    k->tanh(x, n, y);
    for (size_t i = 0; i < n; i++) {
        double want = tanh((double)x[i]), off = fabs((double)y[i] - want);
        keep_worst(&e->tanh, off / (double)unit_of(want, 24, -149), x[i]);
    }
}

static inline float float_of_number(uint32_t bits) {
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* Every `stride`-th bit pattern from `first` below `end`, NaN left out. */
static inline void measure_range(const sz_kernels *k, uint64_t first, uint64_t end, uint32_t stride,
                                 float_errors *f, double_errors *d) {
    float x[4096] = {0};
    size_t n = 0;
    for (uint64_t bits = first; bits < end; bits += stride) {
        float v = float_of_number((uint32_t)bits);
        if (v != v)
            continue;
        x[n++] = v;
        if (d && v - v == 0.0f)
            measure_double((double)v, d);
        if (n == 4096) {
            measure_floats(k, x, n, f);
            n = 0;
        }
    }
    measure_floats(k, x, n, f);
}

#endif
