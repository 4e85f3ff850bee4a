/* canonical.h: the contract of bits (docs/bits.md) written out in plain scalar C, with libm's exact
 * fmaf and none of the engine's code: what every kernel of every instruction set must give. */
#ifndef SZ_TESTS_CANONICAL_H
#define SZ_TESTS_CANONICAL_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <szilard/unstable/tensor_type.h>

#include "num/format_blocks.h"

/* Same bits, or both NaN: the sign and payload of a NaN are not part of the contract. */
static inline bool same_float(float a, float b) {
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

/* ---- Sums over a row: element i belongs to lane i mod 16, lanes are added as a tree ---------- */

static inline float canonical_tree(const float lane[16]) {
    float eight[8], four[4];
    for (int i = 0; i < 8; i++)
        eight[i] = lane[i] + lane[i + 8];
    for (int i = 0; i < 4; i++)
        four[i] = eight[i] + eight[i + 4];
    return (four[0] + four[2]) + (four[1] + four[3]);
}

/* ---- Elementary functions -------------------------------------------------------------------- */

static inline float power_of_two(int n) { /* -126 <= n <= 127 */
    uint32_t bits = (uint32_t)(n + 127) << 23;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline float canonical_exp(float x) {
    x = x < -104.5f ? -104.5f : x > 89.5f ? 89.5f : x;
    if (isnan(x))
        return x;
    float n = rintf(x * 0x1.715476p+0f);
    float r = fmaf(n, -0x1.7f7d1cp-20f, fmaf(n, -0x1.62e4p-1f, x));
    float p = 0x1.9dd50cp-13f;
    p = fmaf(p, r, 0x1.6d4ef4p-10f);
    p = fmaf(p, r, 0x1.111334p-7f);
    p = fmaf(p, r, 0x1.5554e6p-5f);
    p = fmaf(p, r, 0x1.555554p-3f);
    p = fmaf(p, r, 0.5f);
    float q = fmaf(r * r, p, r) + 1.0f;
    int half = (int)floorf(n / 2.0f);
    return q * power_of_two(half) * power_of_two((int)n - half);
}

static inline float canonical_tanh(float x) {
    float a = fabsf(x), x2 = x * x;
    float p = -0x1.74331p-8f;
    p = fmaf(p, x2, 0x1.51ceb6p-6f);
    p = fmaf(p, x2, -0x1.b83060p-5f);
    p = fmaf(p, x2, 0x1.1106d8p-3f);
    p = fmaf(p, x2, -0x1.555532p-2f);
    if (a < 0.625f)
        return fmaf(p * x2, x, x);
    float large = 1.0f - 2.0f / (canonical_exp(a + a) + 1.0f);
    return x < 0.0f ? 0.0f - large : large;
}

static inline float canonical_silu_mul(float x, float y) {
    return x / (1.0f + canonical_exp(0.0f - x)) * y;
}

static inline float canonical_gelu_mul(float x, float y) {
    float inner = 0x1.988454p-1f * fmaf(0.044715f, x * x * x, x), half = 0.5f * x;
    return fmaf(half, canonical_tanh(inner), half) * y;
}

static inline void canonical_rms_norm(const float *x, const float *weight, float eps, size_t n,
                                      float *out) {
    float lane[16] = {0};
    for (size_t i = 0; i < n; i++)
        lane[i % 16] = fmaf(x[i], x[i], lane[i % 16]);
    float inverse = 1.0f / sqrtf(canonical_tree(lane) / (float)n + eps);
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] * inverse * weight[i];
}

/* ---- Activations: int8 with one scale per 32 columns ----------------------------------------- */

static inline float canonical_quantize(const float x[32], int8_t q[32]) {
    float largest = 0.0f;
    bool finite = true;
    for (int i = 0; i < 32; i++) {
        finite &= isfinite(x[i]) != 0;
        largest = fabsf(x[i]) > largest ? fabsf(x[i]) : largest;
    }
    if (largest < 1e-30f || !finite) {
        memset(q, 0, 32);
        return finite ? 0.0f : NAN;
    }
    for (int i = 0; i < 32; i++) {
        float scaled = x[i] * (127.0f / largest);
        q[i] = (int8_t)rintf(scaled > 127.0f ? 127.0f : scaled < -127.0f ? -127.0f : scaled);
    }
    return largest / 127.0f;
}

/* Whether each group of a row gets second digits: d^2 above six times the mean over the row, and at
 * most a sixth of the groups, the first ones. */
static inline void canonical_second(const float *x, size_t n_groups, bool *second) {
    float lane[16] = {0}, d[n_groups];
    int8_t q[32];
    for (size_t g = 0; g < n_groups; g++) {
        d[g] = canonical_quantize(x + 32 * g, q);
        lane[g % 16] = fmaf(d[g], d[g], lane[g % 16]);
    }
    float limit = 6.0f * canonical_tree(lane) / (float)n_groups;
    size_t used = 0;
    for (size_t g = 0; g < n_groups; g++) {
        second[g] = d[g] * d[g] > limit && used < n_groups / 6;
        used += second[g];
    }
}

/* ---- Weights: 32 columns as integers, weight = d * w + m with d and m per half of 16
 * ------------- */

typedef struct canonical_group {
    int w[32];
    float d[2], m[2];
    bool halves, minima; /* d differs between the halves; the format has m */
} canonical_group;

static inline void nibbles_of(const uint8_t qs[16], int w[32]) {
    for (int i = 0; i < 16; i++) {
        w[i] = qs[i] & 15;
        w[i + 16] = qs[i] >> 4;
    }
}

static inline void fifth_bits(const uint8_t qh[4], int w[32]) {
    for (int i = 0; i < 32; i++)
        w[i] |= (qh[i / 8] >> (i % 8) & 1) << 4;
}

static inline void group_of_32(sz_type type, const void *block, canonical_group *g) {
    uint16_t half[2];
    memcpy(half, block, sizeof half);
    float d = sz_f16_to_f32(half[0]), m = sz_f16_to_f32(half[1]);
    int bias = 0;
    if (type == SZ_Q4_0) {
        nibbles_of(((const sz_block_q4_0 *)block)->qs, g->w);
        bias = 8;
    } else if (type == SZ_Q4_1) {
        nibbles_of(((const sz_block_q4_1 *)block)->qs, g->w);
    } else if (type == SZ_Q5_0) {
        nibbles_of(((const sz_block_q5_0 *)block)->qs, g->w);
        fifth_bits(((const sz_block_q5_0 *)block)->qh, g->w);
        bias = 16;
    } else if (type == SZ_Q5_1) {
        nibbles_of(((const sz_block_q5_1 *)block)->qs, g->w);
        fifth_bits(((const sz_block_q5_1 *)block)->qh, g->w);
    } else if (type == SZ_Q8_0) {
        for (int i = 0; i < 32; i++)
            g->w[i] = ((const sz_block_q8_0 *)block)->qs[i];
    } else if (type == SZ_IQ4_NL) {
        nibbles_of(((const sz_block_iq4_nl *)block)->qs, g->w);
        for (int i = 0; i < 32; i++)
            g->w[i] = sz_iq4_values[g->w[i]];
    } else { /* MXFP4: doubled values and halved scale */
        const sz_block_mxfp4 *b = block;
        nibbles_of(b->qs, g->w);
        for (int i = 0; i < 32; i++)
            g->w[i] = sz_mxfp4_values[g->w[i]];
        d = ldexpf(1.0f, (int)b->e - 128);
    }
    for (int i = 0; i < 32; i++)
        g->w[i] -= bias;
    g->minima = type == SZ_Q4_1 || type == SZ_Q5_1;
    g->d[0] = g->d[1] = d;
    g->m[0] = g->m[1] = m;
}

static inline void group_q2_k(const sz_block_q2_k *b, int at, canonical_group *g) {
    for (int i = 0; i < 32; i++)
        g->w[i] = b->qs[32 * (at / 4) + i] >> (2 * (at % 4)) & 3;
    for (int h = 0; h < 2; h++) {
        g->d[h] = sz_f16_to_f32(b->d) * (float)(b->scales[2 * at + h] & 15);
        g->m[h] = (0.0f - sz_f16_to_f32(b->dmin)) * (float)(b->scales[2 * at + h] >> 4);
    }
    g->halves = g->minima = true;
}

static inline void group_q3_k(const sz_block_q3_k *b, int at, canonical_group *g) {
    for (int i = 0; i < 32; i++)
        g->w[i] =
            (b->qs[32 * (at / 4) + i] >> (2 * (at % 4)) & 3) - (b->hmask[i] >> at & 1 ? 0 : 4);
    for (int h = 0; h < 2; h++)
        g->d[h] = sz_f16_to_f32(b->d) * (float)(sz_q3_k_scale(b->scales, 2 * at + h) - 32);
    g->halves = true;
}

/* Q4_K, and Q5_K with its fifth bits. */
static inline void group_q45_k(sz_type type, const void *block, int at, canonical_group *g) {
    const sz_block_q4_k *b4 = block;
    const sz_block_q5_k *b5 = block;
    int scale, least;
    sz_k_scale_min(b4->scales, at, &scale, &least);
    for (int i = 0; i < 32; i++) {
        const uint8_t *qs = type == SZ_Q4_K ? b4->qs : b5->qs;
        g->w[i] = qs[32 * (at / 2) + i] >> (4 * (at % 2)) & 15;
        g->w[i] |= type == SZ_Q5_K ? (b5->qh[i] >> at & 1) << 4 : 0;
    }
    g->d[0] = g->d[1] = sz_f16_to_f32(b4->d) * (float)scale;
    g->m[0] = g->m[1] = 0.0f - sz_f16_to_f32(b4->dmin) * (float)least;
    g->minima = true;
}

static inline void group_q6_k(const sz_block_q6_k *b, int at, canonical_group *g) {
    for (int i = 0; i < 32; i++) {
        int low = b->ql[64 * (at / 4) + 32 * (at % 2) + i] >> (at % 4 < 2 ? 0 : 4) & 15;
        int high = b->qh[32 * (at / 4) + i] >> (2 * (at % 4)) & 3;
        g->w[i] = (low | high << 4) - 32;
    }
    for (int h = 0; h < 2; h++)
        g->d[h] = sz_f16_to_f32(b->d) * (float)b->scales[2 * at + h];
    g->halves = true;
}

static inline void group_iq4_xs(const sz_block_iq4_xs *b, int at, canonical_group *g) {
    int low = b->scales_l[at / 2] >> (4 * (at % 2)) & 15, high = b->scales_h >> (2 * at) & 3;
    nibbles_of(b->qs + 16 * at, g->w);
    for (int i = 0; i < 32; i++)
        g->w[i] = sz_iq4_values[g->w[i]];
    g->d[0] = g->d[1] = sz_f16_to_f32(b->d) * (float)((low | high << 4) - 32);
}

/* Columns 32 * at .. of one block. */
static inline canonical_group canonical_weights(sz_type type, const void *block, int at) {
    canonical_group g = {0};
    switch (type) {
    case SZ_Q2_K:
        group_q2_k(block, at, &g);
        break;
    case SZ_Q3_K:
        group_q3_k(block, at, &g);
        break;
    case SZ_Q4_K:
    case SZ_Q5_K:
        group_q45_k(type, block, at, &g);
        break;
    case SZ_Q6_K:
        group_q6_k(block, at, &g);
        break;
    case SZ_IQ4_XS:
        group_iq4_xs(block, at, &g);
        break;
    default:
        group_of_32(type, block, &g);
        break;
    }
    return g;
}

/* ---- Products: one output -------------------------------------------------------------------- */

/* Adds 32 columns: exact integer dots, one fma per scale, then one per minimum. */
static inline float canonical_add_group(const canonical_group *g, const int8_t q[32], float da,
                                        float acc) {
    int width = g->halves ? 16 : 32;
    for (int h = 0; h * width < 32; h++) {
        int dot = 0, sum = 0;
        for (int i = h * width; i < (h + 1) * width; i++) {
            dot += g->w[i] * q[i];
            sum += q[i];
        }
        acc = fmaf(g->d[h] * da, (float)dot, acc);
        if (g->minima)
            acc = fmaf(g->m[h], da * (float)sum, acc);
    }
    return acc;
}

/* One row of weights in its file's format times one row of activations. */
static inline float canonical_product(sz_type type, const uint8_t *row, size_t n, const float *x) {
    const sz_type_info *info = sz_type_get(type);
    float acc = 0.0f;
    if (info->block == 1)
        for (size_t i = 0; i < n; i++) {
            float w;
            info->dequantize(row + i * info->block_bytes, &w, 1);
            acc = fmaf(w, x[i], acc);
        }
    else {
        bool second[n / 32];
        canonical_second(x, n / 32, second);
        for (size_t at = 0; at < n; at += 32) {
            int8_t q[32];
            float da = canonical_quantize(x + at, q), rest[32];
            const uint8_t *block = row + at / info->block * info->block_bytes;
            canonical_group g = canonical_weights(type, block, (int)(at % info->block / 32));
            acc = canonical_add_group(&g, q, da, acc);
            if (!second[at / 32])
                continue;
            for (int i = 0; i < 32; i++)
                rest[i] = fmaf((float)q[i], -da, x[at + (size_t)i]);
            da = canonical_quantize(rest, q);
            acc = canonical_add_group(&g, q, da, acc);
        }
    }
    return acc;
}

/* ---- Attention of one query over one block of 64 positions ----------------------------------- */

/* key [dim][64] of floats (halves are widened exactly). */
static inline void canonical_scores(const float *query, const float *key, size_t dim,
                                    float scores[64]) {
    for (int pos = 0; pos < 64; pos++) {
        scores[pos] = 0.0f;
        for (size_t d = 0; d < dim; d++)
            scores[pos] = fmaf(query[d], key[d * 64 + (size_t)pos], scores[pos]);
    }
}

static inline void canonical_softmax(float scores[64], int from, int to, float *max, float *sum) {
    float lane[16] = {0};
    *max = -INFINITY;
    for (int i = from; i < to; i++)
        *max = scores[i] > *max ? scores[i] : *max;
    for (int i = 0; i < 64; i++) {
        scores[i] = i < from || i >= to ? 0.0f : canonical_exp(scores[i] - *max);
        lane[i % 16] += scores[i];
    }
    *sum = canonical_tree(lane);
}

/* value [n_pos][dim]. */
static inline void canonical_mix(const float scores[64], const float *value, size_t dim, int n_pos,
                                 float *mix) {
    for (size_t d = 0; d < dim; d++) {
        mix[d] = 0.0f;
        for (int pos = 0; pos < n_pos; pos++)
            mix[d] = fmaf(scores[pos], value[(size_t)pos * dim + d], mix[d]);
    }
}

#endif
