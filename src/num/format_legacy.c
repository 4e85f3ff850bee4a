/* format_legacy.c: the formats with blocks of 32 weights and one scale: Q4_0 to Q8_0. */
#include "format_blocks.h"

enum { N = 32, HALF = 16 };

/* The fifth bit of weight j, in its place. */
static int fifth_bit(const uint8_t qh[4], int j) {
    return (qh[j / 8] >> (j % 8) & 1) << 4;
}

void sz_dequantize_q4_0(const void *src, float *dst, size_t n) {
    const sz_block_q4_0 *b = src;
    for (; n >= N; n -= N, b++, dst += N) {
        float d = sz_f16_to_f32(b->d);
        for (int j = 0; j < HALF; j++) {
            dst[j] = d * (float)((b->qs[j] & 15) - 8);
            dst[j + HALF] = d * (float)((b->qs[j] >> 4) - 8);
        }
    }
}

void sz_dequantize_q4_1(const void *src, float *dst, size_t n) {
    const sz_block_q4_1 *b = src;
    for (; n >= N; n -= N, b++, dst += N) {
        float d = sz_f16_to_f32(b->d), m = sz_f16_to_f32(b->m);
        for (int j = 0; j < HALF; j++) {
            dst[j] = d * (float)(b->qs[j] & 15) + m;
            dst[j + HALF] = d * (float)(b->qs[j] >> 4) + m;
        }
    }
}

void sz_dequantize_q5_0(const void *src, float *dst, size_t n) {
    const sz_block_q5_0 *b = src;
    for (; n >= N; n -= N, b++, dst += N) {
        float d = sz_f16_to_f32(b->d);
        for (int j = 0; j < HALF; j++) {
            int low = (b->qs[j] & 15) | fifth_bit(b->qh, j);
            int high = b->qs[j] >> 4 | fifth_bit(b->qh, j + HALF);
            dst[j] = d * (float)(low - 16);
            dst[j + HALF] = d * (float)(high - 16);
        }
    }
}

void sz_dequantize_q5_1(const void *src, float *dst, size_t n) {
    const sz_block_q5_1 *b = src;
    for (; n >= N; n -= N, b++, dst += N) {
        float d = sz_f16_to_f32(b->d), m = sz_f16_to_f32(b->m);
        for (int j = 0; j < HALF; j++) {
            int low = (b->qs[j] & 15) | fifth_bit(b->qh, j);
            int high = b->qs[j] >> 4 | fifth_bit(b->qh, j + HALF);
            dst[j] = d * (float)low + m;
            dst[j + HALF] = d * (float)high + m;
        }
    }
}

void sz_dequantize_q8_0(const void *src, float *dst, size_t n) {
    const sz_block_q8_0 *b = src;
    for (; n >= N; n -= N, b++, dst += N) {
        float d = sz_f16_to_f32(b->d);
        for (int j = 0; j < N; j++)
            dst[j] = d * (float)b->qs[j];
    }
}
