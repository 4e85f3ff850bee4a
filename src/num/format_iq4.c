/* format_iq4.c: IQ4_NL and IQ4_XS, four bits that select from a fixed table of 16 values. */
#include "format_blocks.h"

const int8_t sz_iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                  1,    13,   25,  38,  53,  69,  89,  113};

/* 32 weights: low nibbles first, then high ones. */
static void decode_32(const uint8_t qs[16], float scale, float *dst) {
    for (int j = 0; j < 16; j++) {
        dst[j] = scale * (float)sz_iq4_values[qs[j] & 15];
        dst[j + 16] = scale * (float)sz_iq4_values[qs[j] >> 4];
    }
}

void sz_dequantize_iq4_nl(const void *src, float *dst, size_t n) {
    const sz_block_iq4_nl *b = src;
    for (; n >= 32; n -= 32, b++, dst += 32)
        decode_32(b->qs, sz_f16_to_f32(b->d), dst);
}

void sz_dequantize_iq4_xs(const void *src, float *dst, size_t n) {
    const sz_block_iq4_xs *b = src;
    for (; n >= 256; n -= 256, b++, dst += 256) {
        float d = sz_f16_to_f32(b->d);
        for (int j = 0; j < 8; j++) {
            int low = b->scales_l[j / 2] >> (j % 2 * 4) & 15, high = b->scales_h >> (2 * j) & 3;
            decode_32(b->qs + 16 * j, d * (float)((low | high << 4) - 32), dst + 32 * j);
        }
    }
}
