/* format_k.c: decoding Q2_K to Q6_K, blocks of 256 weights with quantised scales per sub-block. */
#include "format_blocks.h"

enum { N = 256 };

/* Weight i has its two bits at 2 ((i % 128) / 32) of byte 32 (i / 128) + i % 32. */
static int two_bits(const uint8_t qs[64], int i) {
    return qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
}

void sz_dequantize_q2_k(const void *src, float *dst, size_t n) {
    const sz_block_q2_k *b = src;
    for (; n >= N; n -= N, b++, dst += N) {
        float d = sz_f16_to_f32(b->d), dmin = sz_f16_to_f32(b->dmin);
        for (int j = 0; j < 16; j++) {
            float scale = d * (float)(b->scales[j] & 15), min = dmin * (float)(b->scales[j] >> 4);
            for (int i = 16 * j; i < 16 * j + 16; i++)
                dst[i] = scale * (float)two_bits(b->qs, i) - min;
        }
    }
}

void sz_dequantize_q3_k(const void *src, float *dst, size_t n) {
    const sz_block_q3_k *b = src;
    for (; n >= N; n -= N, b++, dst += N) {
        float d = sz_f16_to_f32(b->d);
        for (int j = 0; j < 16; j++) {
            float scale = d * (float)(sz_q3_k_scale(b->scales, j) - 32);
            for (int i = 16 * j; i < 16 * j + 16; i++) {
                int high = b->hmask[i % 32] >> (i / 32) & 1;
                dst[i] = scale * (float)((two_bits(b->qs, i) | high << 2) - 4);
            }
        }
    }
}

/* Weight i has its nibble in byte 32 (i / 64) + i % 32: low for even groups of 32, high for odd. */
static int nibble(const uint8_t qs[128], int i) {
    return qs[i / 64 * 32 + i % 32] >> (i % 64 / 32 * 4) & 15;
}

void sz_dequantize_q4_k(const void *src, float *dst, size_t n) {
    const sz_block_q4_k *b = src;
    for (; n >= N; n -= N, b++, dst += N) {
        float d = sz_f16_to_f32(b->d), dmin = sz_f16_to_f32(b->dmin);
        for (int j = 0; j < 8; j++) {
            int s, m;
            sz_k_scale_min(b->scales, j, &s, &m);
            float scale = d * (float)s, min = dmin * (float)m;
            for (int i = 32 * j; i < 32 * j + 32; i++)
                dst[i] = scale * (float)nibble(b->qs, i) - min;
        }
    }
}

void sz_dequantize_q5_k(const void *src, float *dst, size_t n) {
    const sz_block_q5_k *b = src;
    for (; n >= N; n -= N, b++, dst += N) {
        float d = sz_f16_to_f32(b->d), dmin = sz_f16_to_f32(b->dmin);
        for (int j = 0; j < 8; j++) {
            int s, m;
            sz_k_scale_min(b->scales, j, &s, &m);
            float scale = d * (float)s, min = dmin * (float)m;
            for (int i = 32 * j; i < 32 * j + 32; i++) {
                int high = b->qh[i % 32] >> j & 1;
                dst[i] = scale * (float)(nibble(b->qs, i) | high << 4) - min;
            }
        }
    }
}

/* Weight i of Q6_K: nibble in byte 64 (i / 128) + i % 64, high for the upper half of each 128. */
static int six_bits(const sz_block_q6_k *b, int i) {
    int low = b->ql[i / 128 * 64 + i % 64] >> (i % 128 / 64 * 4) & 15;
    return low | two_bits(b->qh, i) << 4;
}

void sz_dequantize_q6_k(const void *src, float *dst, size_t n) {
    const sz_block_q6_k *b = src;
    for (; n >= N; n -= N, b++, dst += N) {
        float d = sz_f16_to_f32(b->d);
        for (int j = 0; j < 16; j++) {
            float scale = d * (float)b->scales[j];
            for (int i = 16 * j; i < 16 * j + 16; i++)
                dst[i] = scale * (float)(six_bits(b, i) - 32);
        }
    }
}
