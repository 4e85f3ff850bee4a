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
