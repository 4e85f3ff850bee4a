/* fma_cases.h: arguments of fused multiply-adds, hard ones above all: sums that cancel, lie on or
 * beside a tie, overflow, or become subnormal. A pure function of a number. */
#ifndef SZ_TESTS_FMA_CASES_H
#define SZ_TESTS_FMA_CASES_H

#include <math.h>
#include <string.h>

#include <szilard/unstable/base.h>

static inline float float_of_bits(uint32_t bits) {
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline uint32_t bits_of_float(float f) {
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

/* Sign and the first `kept` bits of fraction from r, biased exponent `e` clamped to 0 .. 254. */
static inline float float_with(uint32_t r, int kept, int e) {
    uint32_t exponent = (uint32_t)(e < 0 ? 0 : e > 254 ? 254 : e);
    uint32_t fraction = r & 0x7fffff & ~((1u << (23 - kept)) - 1);
    return float_of_bits((r & 0x80000000u) | exponent << 23 | fraction);
}

static inline int exponent_of(float f) {
    return (int)(bits_of_float(f) >> 23 & 255);
}

static inline void fma_case(uint64_t number, float x[3]) {
    static const uint32_t special[8] = {0,          1,          0x7fffff,   0x800000,
                                        0x3f800000, 0x7f7fffff, 0x7f800000, 0x7fc00000};
    uint32_t r[4];
    sz_philox4x32(11, 5, number, r);
    int kind = (int)(r[3] & 7), kept = (int)(r[3] >> 3 & 31) % 24,
        other = (int)(r[3] >> 8 & 31) % 24;
    int near = (int)(r[3] >> 13 & 63) - 32, size = (int)(r[3] >> 19 & 127) - 64;
    x[0] = float_with(r[0], kept, 127 + size);
    x[1] = float_with(r[1], other, 127 + near);
    float product = x[0] * x[1];
    switch (kind) {
    case 0: /* any bits */
        for (int i = 0; i < 3; i++)
            x[i] = float_of_bits(r[i]);
        break;
    case 1: /* cancels but for the product's rounding and a few units */
        x[2] = float_of_bits(bits_of_float(-product) + (r[2] & 3) - 1);
        break;
    case 2: /* bits of the product fall on and around the last place of c, and the other way */
        x[2] = float_with(r[2], 23, exponent_of(product) + near);
        break;
    case 3: /* the same with few bits everywhere: ties */
        x[2] = float_with(r[2], (int)(r[2] & 7), exponent_of(product) + near);
        break;
    case 4: /* subnormal results */
        x[0] = float_with(r[0], kept, 40 + size / 4);
        x[1] = float_with(r[1], other, 70 + near);
        x[2] = float_with(r[2], 23, near < 0 ? 0 : (int)(r[3] >> 26));
        break;
    case 5: /* the border of overflow */
        x[0] = float_with(r[0], kept, 191 + size / 16);
        x[1] = float_with(r[1], other, 190);
        x[2] = float_with(r[2], 23, 254 - (int)(r[3] >> 28));
        break;
    case 6: /* a power of two and a trace at half the last place of c: the trace decides the tie */
        x[0] = float_of_bits((bits_of_float(x[0]) & 0xff800000u) + (r[0] & 15));
        x[1] = float_of_bits((bits_of_float(x[1]) & 0xff800000u) - (r[1] & 15));
        x[2] = float_with(r[2], 23, exponent_of(x[0] * x[1]) + 23 + (near & 3));
        break;
    default:
        for (int i = 0; i < 3; i++)
            if (r[i] & 3)
                x[i] = float_of_bits(special[r[i] >> 2 & 7] | (r[i] & 0x80000000u));
            else
                x[i] = float_of_bits(r[i]);
    }
}

/* The first number from `first` on, below `end`, for which `fma` differs from libm's; `end` if none
 * does. The sign and payload of a NaN do not count. */
static inline uint64_t first_wrong_fma(float (*fma)(float, float, float), uint64_t first,
                                       uint64_t end) {
    for (uint64_t number = first; number < end; number++) {
        float x[3];
        fma_case(number, x);
        float got = fma(x[0], x[1], x[2]), want = fmaf(x[0], x[1], x[2]);
        if (bits_of_float(got) != bits_of_float(want) && !(isnan(got) && isnan(want)))
            return number;
    }
    return end;
}

#endif
