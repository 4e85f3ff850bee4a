/* format_k_quantize.c: encoding blocks of 256 weights whose sub-blocks have scales that are
 * themselves quantised: Q2_K to Q6_K and IQ4_XS.
 *
 * Each sub-block is first fitted alone. Then the sub-blocks' integer scales and the block's halves
 * are improved in turn, each given the other, as long as the squared error falls. */
#include "format_fit.h"

#include <string.h>

enum { N = 256, MOST_SUBS = 16, ROUNDS = 3 };

static float real_of(uint16_t half, double unit) {
    return (float)(sz_f16_to_f32(half) / unit);
}

/* ---- x ~ d s value(code), signed integer scales s: Q3_K, Q6_K, IQ4_XS ------------------------ */

typedef struct scaled_layout {
    sz_grid grid;
    int n_subs;
    int lo, hi; /* of the integer scales */
} scaled_layout;

typedef struct scaled_block {
    uint16_t d;
    int8_t scales[MOST_SUBS];
    uint8_t codes[N];
} scaled_block;

/* Picks the integer scale of each sub-block among the neighbours of the one it would like best.
 * Returns the error of the whole block. */
static double choose_scales(const scaled_layout *l, const float *y, float d, const float *wanted,
                            int8_t *scales) {
    int len = N / l->n_subs;
    double total = 0;
    for (int j = 0; j < l->n_subs; j++) {
        int middle = (int)sz_nearest(wanted[j] * sz_fit_inverse(d), (float)l->lo, (float)l->hi);
        float least = sz_fit_scale_error(&l->grid, y + j * len, len, 0);
        scales[j] = 0;
        for (int s = middle - 1; s <= middle + 1; s++) {
            if (s < l->lo || s > l->hi)
                continue;
            float error = sz_fit_scale_error(&l->grid, y + j * len, len, d * (float)s);
            if (error < least) {
                least = error;
                scales[j] = (int8_t)s;
            }
        }
        total += least;
    }
    return total;
}

/* The d that suits the codes of (d, scales) best. */
static double refit_scaled(const scaled_layout *l, const float *y, float d, const int8_t *scales) {
    int len = N / l->n_subs;
    double xq = 0, qq = 0;
    for (int i = 0; i < N; i++) {
        float s = scales[i / len], inverse = sz_fit_inverse(d * s);
        double q = s * sz_grid_snap(&l->grid, y[i] * inverse);
        xq += y[i] * q;
        qq += q * q;
    }
    return qq > 0 ? xq / qq : 0;
}

static void encode_scaled(const scaled_layout *l, const float *x, scaled_block *out) {
    int len = N / l->n_subs;
    float y[N] = {0}, wanted[MOST_SUBS], extreme = 0;
    double unit = 1;
    memset(out, 0, sizeof *out);
    if (sz_fit_normalize(x, N, y, &unit)) {
        for (int j = 0; j < l->n_subs; j++) {
            wanted[j] = sz_fit_scale(&l->grid, y + j * len, len);
            if (wanted[j] * wanted[j] > extreme * extreme)
                extreme = wanted[j];
        }
        double d = extreme / (float)l->lo, least = 1e300;
        for (int round = 0; round < ROUNDS; round++) {
            int8_t scales[MOST_SUBS];
            uint16_t half = sz_fit_half(d, unit);
            double error = choose_scales(l, y, real_of(half, unit), wanted, scales);
            if (!(error < least))
                break;
            least = error;
            out->d = half;
            memcpy(out->scales, scales, sizeof scales);
            d = refit_scaled(l, y, real_of(half, unit), scales);
        }
    }
    float d = real_of(out->d, unit);
    for (int i = 0; i < N; i++) {
        float inverse = sz_fit_inverse(d * (float)out->scales[i / len]);
        out->codes[i] = sz_grid_code(&l->grid, sz_grid_snap(&l->grid, y[i] * inverse));
    }
}

/* ---- x ~ d s code - dmin m, unsigned integers s and m: Q2_K, Q4_K, Q5_K ---------------------- */

typedef struct affine_layout {
    float q_max, step;
    int n_subs;
    int s_max; /* of both integers */
} affine_layout;

typedef struct affine_block {
    uint16_t d, dmin;
    uint8_t scales[MOST_SUBS], mins[MOST_SUBS];
    uint8_t codes[N];
} affine_block;

typedef struct affine_wish { /* of each sub-block alone */
    float scale[MOST_SUBS], min[MOST_SUBS];
} affine_wish;

static int clamped(int v, int hi) {
    return v < 0 ? 0 : v > hi ? hi : v;
}

/* As choose_scales, over the neighbours of both integers. */
static double choose_pairs(const affine_layout *l, const float *y, float d, float dmin,
                           const affine_wish *wish, affine_block *out) {
    int len = N / l->n_subs;
    float top = (float)l->s_max;
    double total = 0;
    for (int j = 0; j < l->n_subs; j++) {
        int s0 = (int)sz_nearest(wish->scale[j] * sz_fit_inverse(d), 0, top);
        int m0 = (int)sz_nearest(wish->min[j] * sz_fit_inverse(dmin), 0, top);
        float least = sz_fit_affine_error(l->q_max, y + j * len, len, 0, 0);
        out->scales[j] = out->mins[j] = 0;
        for (int k = 0; k < 9; k++) {
            int s = clamped(s0 + k / 3 - 1, l->s_max), m = clamped(m0 + k % 3 - 1, l->s_max);
            float error =
                sz_fit_affine_error(l->q_max, y + j * len, len, d * (float)s, dmin * (float)m);
            if (error < least) {
                least = error;
                out->scales[j] = (uint8_t)s;
                out->mins[j] = (uint8_t)m;
            }
        }
        total += least;
    }
    return total;
}

/* The code of y[i] under the block's scales. */
static float affine_code(const affine_layout *l, const affine_block *b, float d, float dmin,
                         const float *y, int i) {
    int j = i / (N / l->n_subs);
    float inverse = sz_fit_inverse(d * (float)b->scales[j]), min = dmin * (float)b->mins[j];
    return sz_nearest((y[i] + min) * inverse, 0, l->q_max);
}

/* Replaces *d and *dmin by the pair that suits the codes best: y ~ *d a - *dmin b. */
static void refit_affine(const affine_layout *l, const float *y, const affine_block *b, double *d,
                         double *dmin) {
    double aa = 0, ab = 0, bb = 0, ya = 0, yb = 0;
    for (int i = 0; i < N; i++) {
        int j = i / (N / l->n_subs);
        double a = b->scales[j] * affine_code(l, b, (float)*d, (float)*dmin, y, i);
        double m = b->mins[j];
        aa += a * a;
        ab += a * m;
        bb += m * m;
        ya += y[i] * a;
        yb += y[i] * m;
    }
    double determinant = aa * bb - ab * ab;
    if (determinant > 0) {
        *d = (ya * bb - yb * ab) / determinant;
        *dmin = (ya * ab - yb * aa) / determinant;
    } else if (aa > 0) {
        *d = ya / aa;
    }
}

static void wish_affine(const affine_layout *l, const float *y, affine_wish *wish, double *d,
                        double *dmin) {
    int len = N / l->n_subs;
    float most_scale = 0, most_min = 0;
    for (int j = 0; j < l->n_subs; j++) {
        sz_fit_affine(l->q_max, l->step, false, y + j * len, len, &wish->scale[j], &wish->min[j]);
        most_scale = wish->scale[j] > most_scale ? wish->scale[j] : most_scale;
        most_min = wish->min[j] > most_min ? wish->min[j] : most_min;
    }
    *d = most_scale / (float)l->s_max;
    *dmin = most_min / (float)l->s_max;
}

static void encode_affine(const affine_layout *l, const float *x, affine_block *out) {
    float y[N] = {0};
    double unit = 1, d, dmin, least = 1e300;
    memset(out, 0, sizeof *out);
    if (sz_fit_normalize(x, N, y, &unit)) {
        affine_wish wish;
        wish_affine(l, y, &wish, &d, &dmin);
        for (int round = 0; round < ROUNDS; round++) {
            affine_block trial = {.d = sz_fit_half(d, unit), .dmin = sz_fit_half(dmin, unit)};
            d = real_of(trial.d, unit);
            dmin = real_of(trial.dmin, unit);
            double error = choose_pairs(l, y, (float)d, (float)dmin, &wish, &trial);
            if (!(error < least))
                break;
            least = error;
            *out = trial;
            refit_affine(l, y, out, &d, &dmin);
        }
    }
    float df = real_of(out->d, unit), mf = real_of(out->dmin, unit);
    for (int i = 0; i < N; i++)
        out->codes[i] = (uint8_t)(int)affine_code(l, out, df, mf, y, i);
}

/* ---- Packing: the inverses of the layouts in format_k.c -------------------------------------- */

/* Bits 2k+1..2k of the codes, as format_k.c's two_bits reads them. */
static void store_two_bits(const uint8_t codes[N], int shift, uint8_t qs[64]) {
    memset(qs, 0, 64);
    for (int i = 0; i < N; i++)
        qs[i / 128 * 32 + i % 32] |= (uint8_t)((codes[i] >> shift & 3) << (i % 128 / 32 * 2));
}

static void store_nibbles(const uint8_t codes[N], uint8_t qs[128]) {
    memset(qs, 0, 128);
    for (int i = 0; i < N; i++)
        qs[i / 64 * 32 + i % 32] |= (uint8_t)((codes[i] & 15) << (i % 64 / 32 * 4));
}

/* Bit `bit` of weight i goes to bit i / 32 of byte i % 32. */
static void store_bit(const uint8_t codes[N], int bit, uint8_t mask[32]) {
    memset(mask, 0, 32);
    for (int i = 0; i < N; i++)
        mask[i % 32] |= (uint8_t)((codes[i] >> bit & 1) << (i / 32));
}

static void store_scale_mins(const affine_block *a, uint8_t packed[12]) {
    for (int j = 0; j < 4; j++) {
        packed[j] = (uint8_t)(a->scales[j] | (a->scales[j + 4] >> 4) << 6);
        packed[j + 4] = (uint8_t)(a->mins[j] | (a->mins[j + 4] >> 4) << 6);
        packed[j + 8] = (uint8_t)((a->scales[j + 4] & 15) | (a->mins[j + 4] & 15) << 4);
    }
}

void sz_quantize_q2_k(const float *src, void *dst, size_t n) {
    static const affine_layout layout = {.q_max = 3, .step = 0.04f, .n_subs = 16, .s_max = 15};
    sz_block_q2_k *b = dst;
    affine_block a;
    for (; n >= N; n -= N, b++, src += N) {
        encode_affine(&layout, src, &a);
        b->d = a.d;
        b->dmin = a.dmin;
        for (int j = 0; j < 16; j++)
            b->scales[j] = (uint8_t)(a.scales[j] | a.mins[j] << 4);
        store_two_bits(a.codes, 0, b->qs);
    }
}

void sz_quantize_q3_k(const float *src, void *dst, size_t n) {
    static const scaled_layout layout = {
        .grid = {.lo = -4, .hi = 3, .step = 0.04f}, .n_subs = 16, .lo = -32, .hi = 31};
    sz_block_q3_k *b = dst;
    scaled_block a;
    for (; n >= N; n -= N, b++, src += N) {
        encode_scaled(&layout, src, &a);
        b->d = a.d;
        memset(b->scales, 0, sizeof b->scales);
        for (int j = 0; j < 16; j++) {
            int s = a.scales[j] + 32;
            b->scales[j % 8] |= (uint8_t)((s & 15) << (j / 8 * 4));
            b->scales[8 + j % 4] |= (uint8_t)((s >> 4) << (j / 4 * 2));
        }
        store_two_bits(a.codes, 0, b->qs);
        store_bit(a.codes, 2, b->hmask);
    }
}

static const affine_layout layout_q4_k = {.q_max = 15, .step = 0.02f, .n_subs = 8, .s_max = 63};
static const affine_layout layout_q5_k = {.q_max = 31, .step = 0.01f, .n_subs = 8, .s_max = 63};

void sz_quantize_q4_k(const float *src, void *dst, size_t n) {
    sz_block_q4_k *b = dst;
    affine_block a;
    for (; n >= N; n -= N, b++, src += N) {
        encode_affine(&layout_q4_k, src, &a);
        b->d = a.d;
        b->dmin = a.dmin;
        store_scale_mins(&a, b->scales);
        store_nibbles(a.codes, b->qs);
    }
}

void sz_quantize_q5_k(const float *src, void *dst, size_t n) {
    sz_block_q5_k *b = dst;
    affine_block a;
    for (; n >= N; n -= N, b++, src += N) {
        encode_affine(&layout_q5_k, src, &a);
        b->d = a.d;
        b->dmin = a.dmin;
        store_scale_mins(&a, b->scales);
        store_nibbles(a.codes, b->qs);
        store_bit(a.codes, 4, b->qh);
    }
}

void sz_quantize_q6_k(const float *src, void *dst, size_t n) {
    static const scaled_layout layout = {
        .grid = {.lo = -32, .hi = 31, .step = 0.005f}, .n_subs = 16, .lo = -128, .hi = 127};
    sz_block_q6_k *b = dst;
    scaled_block a;
    for (; n >= N; n -= N, b++, src += N) {
        encode_scaled(&layout, src, &a);
        b->d = a.d;
        memcpy(b->scales, a.scales, sizeof b->scales);
        memset(b->ql, 0, sizeof b->ql);
        for (int i = 0; i < N; i++)
            b->ql[i / 128 * 64 + i % 64] |= (uint8_t)((a.codes[i] & 15) << (i % 128 / 64 * 4));
        store_two_bits(a.codes, 4, b->qh);
    }
}

void sz_quantize_iq4_xs(const float *src, void *dst, size_t n) {
    static const scaled_layout layout = {
        .grid = {.lo = -127, .hi = 113, .step = 0.02f, .iq4 = true},
        .n_subs = 8,
        .lo = -32,
        .hi = 31};
    sz_block_iq4_xs *b = dst;
    scaled_block a;
    for (; n >= N; n -= N, b++, src += N) {
        encode_scaled(&layout, src, &a);
        uint16_t high = 0;
        memset(b->scales_l, 0, sizeof b->scales_l);
        for (int j = 0; j < 8; j++) {
            int s = a.scales[j] + 32;
            b->scales_l[j / 2] |= (uint8_t)((s & 15) << (j % 2 * 4));
            high |= (uint16_t)((s >> 4) << (2 * j));
        }
        b->d = a.d;
        b->scales_h = high;
        for (int i = 0; i < 128; i++) /* 32 weights: low nibbles first, then high ones */
            b->qs[i] =
                (uint8_t)(a.codes[i / 16 * 32 + i % 16] | a.codes[i / 16 * 32 + 16 + i % 16] << 4);
    }
}
