/* each_isa.h: all sets of kernels that this machine can run, and the inputs that tests feed them.
 */
#ifndef SZ_TESTS_EACH_ISA_H
#define SZ_TESTS_EACH_ISA_H

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "num/kernels/kernels.h"
#include <szilard/unstable/num.h>

#ifdef SZ_TEST_VNNI /* isa_avxvnni.c in the encoding that processors with AVX-512 have */
extern const sz_kernels test_kernels_vnni;
#endif

/* The available sets, NULL-ended; portable is the last but for the one of tests alone. */
static inline const sz_kernels **each_isa(void) {
    static const sz_kernels *sets[8];
    int n = 0;
    for (const char *const *name = sz_isa_available(); *name; name++)
        SZ_CHECK_OK(sz_kernels_get(*name, &sets[n++]));
#ifdef SZ_TEST_VNNI
    if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl"))
        sets[n++] = &test_kernels_vnni;
#endif
    sets[n] = NULL;
    return sets;
}

/* ---- Inputs: a pure function of how many were drawn before ----------------------------------- */

static uint64_t drawn;
static inline uint32_t random_bits(void) {
    uint32_t r[4];
    sz_philox4x32(7, 3, drawn++, r);
    return r[0];
}
static inline float uniform(void) {
    return (float)(int32_t)random_bits() * 0x1p-31f;
}
static inline float from_bits(uint32_t bits) {
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* Values of one kind per 32: ordinary, zero, subnormal, around the quantiser's threshold, large, an
 * outlier among small ones, halves of the quantiser's steps. */
static inline void hard_floats(float *x, size_t n) {
    for (size_t at = 0; at < n; at++) {
        static uint32_t kind;
        if (at % 32 == 0)
            kind = random_bits() % 10;
        switch (kind) {
        case 0:
            x[at] = random_bits() & 1 ? 0.0f : -0.0f;
            break;
        case 1:
            x[at] = from_bits(random_bits() & 0x807fffff);
            break;
        case 2:
            x[at] = 1e-30f * (1.0f + 0.1f * uniform());
            break;
        case 3:
            x[at] = 3e18f * uniform();
            break;
        case 4:
            x[at] = at % 32 == 11 ? 100.0f * uniform() : 0.3f * uniform();
            break;
        case 5:
            x[at] = at % 32 == 0 ? 127.0f : (float)(int)(random_bits() % 254) - 126.5f;
            break;
        default:
            x[at] = 3.0f * uniform();
            break;
        }
    }
}
/* Any bit pattern, NaN and infinities among them. */
static inline void any_floats(float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        x[i] = from_bits(random_bits());
}

#endif
