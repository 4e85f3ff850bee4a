/* fma.h: the fused multiply-add in scalar code: the instruction where the compiler targets hardware
 * that has it, else the soft one. */
#ifndef SZ_NUM_FMA_H
#define SZ_NUM_FMA_H

#include <stdint.h>
#include <string.h>

/* The exact product in double, added with round-to-odd, so that the last rounding to float is the
 * only one (Boldo and Melquiond 2008). */
static inline float sz_fmaf_soft(float a, float b, float c) {
    double product = (double)a * (double)b; /* 48 bits: exact */
    double sum = product + (double)c;
    double c_part = sum - product;
    double error = (product - (sum - c_part)) + ((double)c - c_part); /* 2Sum: exact */
    if (error != 0.0 && error == error && sum - sum == 0.0) {
        int64_t bits;
        memcpy(&bits, &sum, sizeof bits);
        if (!(bits & 1)) /* inexact and even: step to the odd neighbour on the error's side */
            bits += (error > 0.0) == (sum > 0.0) ? 1 : -1;
        memcpy(&sum, &bits, sizeof sum);
    }
    return (float)sum;
}

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
static inline float sz_fmaf(float a, float b, float c) {
    return __builtin_fmaf(a, b, c);
}
#else
static inline float sz_fmaf(float a, float b, float c) {
    return sz_fmaf_soft(a, b, c);
}
#endif

#endif
