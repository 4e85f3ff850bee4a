/* format_legacy_quantize.c: encoding into blocks of 32 weights with one scale, IQ4_NL included. */
#include "format_fit.h"

#include <string.h>

enum { N = 32, HALF = 16 };

static const sz_grid grid_q4 = {.lo = -8, .hi = 7, .step = 0.025f};
static const sz_grid grid_q5 = {.lo = -16, .hi = 15, .step = 0.0125f};
static const sz_grid grid_q8 = {.lo = -127, .hi = 127, .step = 0.0015f};
static const sz_grid grid_iq4 = {.lo = -127, .hi = 113, .step = 0.025f, .iq4 = true};

/* Fills *d and the codes of 32 weights x ~ d value(code). */
static void encode_scaled(const sz_grid *grid, const float *x, uint16_t *d, uint8_t codes[N]) {
    float y[N] = {0};
    double unit = 1;
    *d = 0;
    if (sz_fit_normalize(x, N, y, &unit)) {
        uint16_t middle = sz_fit_half(sz_fit_scale(grid, y, N), unit);
        float least = sz_fit_scale_error(grid, y, N, 0);
        for (int offset = -1; offset <= 1; offset++) {
            uint16_t half = sz_fit_half_beside(middle, offset);
            float error = sz_fit_scale_error(grid, y, N, (float)(sz_f16_to_f32(half) / unit));
            if (error < least) {
                least = error;
                *d = half;
            }
        }
    }
    float inverse = sz_fit_inverse((float)(sz_f16_to_f32(*d) / unit));
    for (int j = 0; j < N; j++)
        codes[j] = sz_grid_code(grid, sz_grid_snap(grid, y[j] * inverse));
}

/* Fills *d, *m and the codes of 32 weights x ~ d code + m. */
static void encode_affine(float q_max, float step, const float *x, uint16_t *d, uint16_t *m,
                          uint8_t codes[N]) {
    float y[N] = {0}, scale = 0, min = 0;
    double unit = 1;
    *d = *m = 0;
    if (sz_fit_normalize(x, N, y, &unit)) {
        sz_fit_affine(q_max, step, true, y, N, &scale, &min);
        uint16_t d0 = sz_fit_half(scale, unit), m0 = sz_fit_half(-min, unit);
        float least = sz_fit_affine_error(q_max, y, N, 0, 0);
        for (int k = 0; k < 9; k++) {
            uint16_t dk = sz_fit_half_beside(d0, k / 3 - 1), mk = sz_fit_half_beside(m0, k % 3 - 1);
            float s = (float)(sz_f16_to_f32(dk) / unit), o = (float)(sz_f16_to_f32(mk) / unit);
            float error = sz_fit_affine_error(q_max, y, N, s, -o);
            if (error < least) {
                least = error;
                *d = dk;
                *m = mk;
            }
        }
    }
    float inverse = sz_fit_inverse((float)(sz_f16_to_f32(*d) / unit));
    float offset = (float)(sz_f16_to_f32(*m) / unit);
    for (int j = 0; j < N; j++)
        codes[j] = (uint8_t)(int)sz_nearest((y[j] - offset) * inverse, 0, q_max);
}

static void store_nibbles(const uint8_t codes[N], uint8_t qs[HALF]) {
    for (int j = 0; j < HALF; j++)
        qs[j] = (uint8_t)((codes[j] & 15) | (codes[j + HALF] & 15) << 4);
}

static void store_fifth_bits(const uint8_t codes[N], uint8_t qh[4]) {
    memset(qh, 0, 4);
    for (int j = 0; j < N; j++)
        qh[j / 8] |= (uint8_t)((codes[j] >> 4) << (j % 8));
}

void sz_quantize_q4_0(const float *src, void *dst, size_t n) {
    sz_block_q4_0 *b = dst;
    uint8_t codes[N];
    for (; n >= N; n -= N, b++, src += N) {
        uint16_t d;
        encode_scaled(&grid_q4, src, &d, codes);
        b->d = d;
        store_nibbles(codes, b->qs);
    }
}

void sz_quantize_q4_1(const float *src, void *dst, size_t n) {
    sz_block_q4_1 *b = dst;
    uint8_t codes[N];
    for (; n >= N; n -= N, b++, src += N) {
        uint16_t d, m;
        encode_affine(15, 0.025f, src, &d, &m, codes);
        b->d = d;
        b->m = m;
        store_nibbles(codes, b->qs);
    }
}

void sz_quantize_q5_0(const float *src, void *dst, size_t n) {
    sz_block_q5_0 *b = dst;
    uint8_t codes[N];
    for (; n >= N; n -= N, b++, src += N) {
        uint16_t d;
        encode_scaled(&grid_q5, src, &d, codes);
        b->d = d;
        store_nibbles(codes, b->qs);
        store_fifth_bits(codes, b->qh);
    }
}

void sz_quantize_q5_1(const float *src, void *dst, size_t n) {
    sz_block_q5_1 *b = dst;
    uint8_t codes[N];
    for (; n >= N; n -= N, b++, src += N) {
        uint16_t d, m;
        encode_affine(31, 0.0125f, src, &d, &m, codes);
        b->d = d;
        b->m = m;
        store_nibbles(codes, b->qs);
        store_fifth_bits(codes, b->qh);
    }
}

void sz_quantize_q8_0(const float *src, void *dst, size_t n) {
    sz_block_q8_0 *b = dst;
    uint8_t codes[N];
    for (; n >= N; n -= N, b++, src += N) {
        uint16_t d;
        encode_scaled(&grid_q8, src, &d, codes);
        b->d = d;
        for (int j = 0; j < N; j++)
            b->qs[j] = (int8_t)(codes[j] - 127);
    }
}

void sz_quantize_iq4_nl(const float *src, void *dst, size_t n) {
    sz_block_iq4_nl *b = dst;
    uint8_t codes[N];
    for (; n >= N; n -= N, b++, src += N) {
        uint16_t d;
        encode_scaled(&grid_iq4, src, &d, codes);
        b->d = d;
        store_nibbles(codes, b->qs);
    }
}
