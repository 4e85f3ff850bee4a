/* tensor_type.c: the table of storage types, and the 16-bit floats. */
#include "format_blocks.h"

#include <string.h>
#include <strings.h>

static uint32_t bits_of(float f) {
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static float float_of(uint32_t u) {
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

float sz_f16_to_f32(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 0x3ff;
    if (exponent == 31) /* a signalling NaN becomes quiet, as conversion instructions do it */
        return float_of(sign | 0x7f800000 | fraction << 13 | (fraction ? 0x400000 : 0));
    if (exponent == 0) { /* zero or subnormal: fraction * 2^-24 is exact */
        float magnitude = (float)fraction * 0x1p-24f;
        return float_of(sign | bits_of(magnitude));
    }
    return float_of(sign | (exponent + 112) << 23 | fraction << 13);
}

/* value >> shift, rounded to nearest, ties to even; 1 <= shift <= 31. */
static uint32_t shift_round_even(uint32_t value, unsigned shift) {
    uint32_t kept = value >> shift, rest = value & ((1u << shift) - 1), half = 1u << (shift - 1);
    return kept + (rest > half || (rest == half && (kept & 1)));
}

uint16_t sz_f32_to_f16(float f) {
    uint32_t u = bits_of(f), magnitude = u & 0x7fffffff;
    uint16_t sign = u >> 16 & 0x8000;
    if (magnitude > 0x7f800000)
        return sign | 0x7e00 | (magnitude >> 13 & 0x3ff);
    if (magnitude >= 0x477ff000) /* 65520 and above round to infinity */
        return sign | 0x7c00;
    if (magnitude >= 0x38800000) /* 2^-14: normal; a carry out of the fraction is right */
        return sign | (uint16_t)shift_round_even(magnitude - 0x38000000, 13);
    unsigned exponent = magnitude >> 23;
    if (exponent < 102) /* below 2^-25 */
        return sign;
    return sign | (uint16_t)shift_round_even((magnitude & 0x7fffff) | 0x800000, 126 - exponent);
}

float sz_bf16_to_f32(uint16_t h) {
    return float_of((uint32_t)h << 16);
}

uint16_t sz_f32_to_bf16(float f) {
    uint32_t u = bits_of(f);
    if ((u & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(u >> 16 | 0x40);
    return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

/* A pair of loops for a type whose elements stand alone. memcpy: sources may be misaligned. */
#define SCALAR_DECODE(name, type, value_of)                                                        \
    static void decode_##name(const void *src, float *dst, size_t n) {                             \
        for (size_t i = 0; i < n; i++) {                                                           \
            type v;                                                                                \
            memcpy(&v, (const char *)src + i * sizeof v, sizeof v);                                \
            dst[i] = value_of(v);                                                                  \
        }                                                                                          \
    }
#define SCALAR_ENCODE(name, type, value_of)                                                        \
    static void encode_##name(const float *src, void *dst, size_t n) {                             \
        for (size_t i = 0; i < n; i++) {                                                           \
            type v = value_of(src[i]);                                                             \
            memcpy((char *)dst + i * sizeof v, &v, sizeof v);                                      \
        }                                                                                          \
    }
SCALAR_DECODE(f32, float, )
SCALAR_ENCODE(f32, float, )
SCALAR_DECODE(f64, double, (float))
SCALAR_ENCODE(f64, double, )
SCALAR_DECODE(f16, uint16_t, sz_f16_to_f32)
SCALAR_ENCODE(f16, uint16_t, sz_f32_to_f16)
SCALAR_DECODE(bf16, uint16_t, sz_bf16_to_f32)
SCALAR_ENCODE(bf16, uint16_t, sz_f32_to_bf16)
SCALAR_DECODE(i8, int8_t, (float))
SCALAR_DECODE(i16, int16_t, (float))
SCALAR_DECODE(i32, int32_t, (float))
SCALAR_DECODE(i64, int64_t, (float))

#define CODEC(x) sz_dequantize_##x, sz_quantize_##x

static const sz_type_info types[] = {
    [SZ_F32] = {"F32", 1, 4, decode_f32, encode_f32},
    [SZ_F16] = {"F16", 1, 2, decode_f16, encode_f16},
    [SZ_Q4_0] = {"Q4_0", 32, sizeof(sz_block_q4_0), CODEC(q4_0)},
    [SZ_Q4_1] = {"Q4_1", 32, sizeof(sz_block_q4_1), CODEC(q4_1)},
    [SZ_Q5_0] = {"Q5_0", 32, sizeof(sz_block_q5_0), CODEC(q5_0)},
    [SZ_Q5_1] = {"Q5_1", 32, sizeof(sz_block_q5_1), CODEC(q5_1)},
    [SZ_Q8_0] = {"Q8_0", 32, sizeof(sz_block_q8_0), CODEC(q8_0)},
    [SZ_Q2_K] = {"Q2_K", 256, sizeof(sz_block_q2_k), CODEC(q2_k)},
    [SZ_Q3_K] = {"Q3_K", 256, sizeof(sz_block_q3_k), CODEC(q3_k)},
    [SZ_Q4_K] = {"Q4_K", 256, sizeof(sz_block_q4_k), CODEC(q4_k)},
    [SZ_Q5_K] = {"Q5_K", 256, sizeof(sz_block_q5_k), CODEC(q5_k)},
    [SZ_Q6_K] = {"Q6_K", 256, sizeof(sz_block_q6_k), CODEC(q6_k)},
    [SZ_IQ4_NL] = {"IQ4_NL", 32, sizeof(sz_block_iq4_nl), CODEC(iq4_nl)},
    [SZ_IQ4_XS] = {"IQ4_XS", 256, sizeof(sz_block_iq4_xs), CODEC(iq4_xs)},
    [SZ_I8] = {"I8", 1, 1, decode_i8, NULL},
    [SZ_I16] = {"I16", 1, 2, decode_i16, NULL},
    [SZ_I32] = {"I32", 1, 4, decode_i32, NULL},
    [SZ_I64] = {"I64", 1, 8, decode_i64, NULL},
    [SZ_F64] = {"F64", 1, 8, decode_f64, encode_f64},
    [SZ_BF16] = {"BF16", 1, 2, decode_bf16, encode_bf16},
    [SZ_MXFP4] = {"MXFP4", 32, sizeof(sz_block_mxfp4), CODEC(mxfp4)},
};
enum { N_TYPES = sizeof types / sizeof types[0] };

const sz_type_info *sz_type_get(sz_type type) {
    static const sz_type_info unknown;
    unsigned i = (unsigned)type; /* numbers from files arrive here unchecked */
    return i < N_TYPES ? &types[i] : &unknown;
}

int sz_type_from_name(const char *name) {
    for (int i = 0; i < N_TYPES; i++)
        if (types[i].name && strcasecmp(types[i].name, name) == 0)
            return i;
    return -1;
}
