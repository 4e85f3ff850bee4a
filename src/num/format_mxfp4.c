/* format_mxfp4.c: MXFP4, four-bit floats (E2M1) with a power of two per 32 weights (OCP MX 1.0). */
#include "format_blocks.h"

#include <string.h>

const int8_t sz_mxfp4_values[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

float sz_mxfp4_scale(uint8_t e) {
    uint32_t bits = e < 2 ? UINT32_C(0x00200000) << e : (uint32_t)(e - 1) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return scale;
}

void sz_dequantize_mxfp4(const void *src, float *dst, size_t n) {
    const sz_block_mxfp4 *b = src;
    for (; n >= 32; n -= 32, b++, dst += 32) {
        float d = sz_mxfp4_scale(b->e);
        for (int j = 0; j < 16; j++) {
            dst[j] = d * (float)sz_mxfp4_values[b->qs[j] & 15];
            dst[j + 16] = d * (float)sz_mxfp4_values[b->qs[j] >> 4];
        }
    }
}

enum { MOST_EXPONENT = 252 }; /* 12 * 2^(252 - 128) is finite; one more would overflow */

/* The code of the value nearest to v (in units of the doubled values). */
static uint8_t nearest_code(double v) {
    double magnitude = v < 0 ? -v : v;
    uint8_t code = 0;
    while (code < 7 && magnitude > (sz_mxfp4_values[code] + sz_mxfp4_values[code + 1]) * 0.5)
        code++;
    return (uint8_t)(v < 0 && code ? code | 8 : code);
}

/* Encodes 32 weights with exponent e; returns the squared error. */
static double encode_with(const float *x, uint8_t e, uint8_t codes[32]) {
    double scale = sz_mxfp4_scale(e), error = 0;
    for (int j = 0; j < 32; j++) {
        codes[j] = nearest_code(x[j] / scale);
        double lost = x[j] - scale * sz_mxfp4_values[codes[j]];
        error += lost * lost;
    }
    return error;
}

/* Exponent for which 4 * 2^(e - 127) <= largest |x| < 8 * 2^(e - 127), as far as e >= 0. */
static int covering_exponent(const float *x) {
    uint32_t largest = 0;
    for (int j = 0; j < 32; j++) {
        uint32_t bits;
        memcpy(&bits, &x[j], sizeof bits);
        bits &= 0x7fffffff;
        largest = bits > largest ? bits : largest;
    }
    int e = (int)(largest >> 23) - 2;
    return e < 0 ? 0 : e > MOST_EXPONENT ? MOST_EXPONENT : e;
}

void sz_quantize_mxfp4(const float *src, void *dst, size_t n) {
    sz_block_mxfp4 *b = dst;
    for (; n >= 32; n -= 32, b++, src += 32) {
        uint8_t codes[32];
        int middle = covering_exponent(src);
        double least = encode_with(src, (uint8_t)middle, codes);
        b->e = (uint8_t)middle;
        for (int e = middle - 1; e <= middle + 1; e += 2) { /* clip more, or resolve less */
            uint8_t other[32];
            if (e < 0 || e > MOST_EXPONENT)
                continue;
            double error = encode_with(src, (uint8_t)e, other);
            if (error < least) {
                least = error;
                b->e = (uint8_t)e;
                memcpy(codes, other, sizeof codes);
            }
        }
        for (int j = 0; j < 16; j++)
            b->qs[j] = (uint8_t)(codes[j] | codes[j + 16] << 4);
    }
}
