/* lanes_neon.h: the 16 virtual lanes as four 128-bit registers (Armv8-A, no extensions needed). */
#include <arm_neon.h>

typedef struct v16 {
    float32x4_t v[4];
} v16;
typedef struct i16 {
    int32x4_t v[4];
} i16;
typedef struct line {
    uint8x16_t v[4];
} line;

#define LANES_ISA "neon"
#define EACH      for (int k = 0; k < 4; k++)

static inline v16 v_load(const float *p) {
    v16 r;
    EACH r.v[k] = vld1q_f32(p + 4 * k);
    return r;
}
static inline void v_store(float *p, v16 x) { EACH vst1q_f32(p + 4 * k, x.v[k]); }
static inline v16 v_set1(float x) {
    v16 r;
    EACH r.v[k] = vdupq_n_f32(x);
    return r;
}
static inline v16 v_add(v16 x, v16 y) {
    EACH x.v[k] = vaddq_f32(x.v[k], y.v[k]);
    return x;
}
static inline v16 v_sub(v16 x, v16 y) {
    EACH x.v[k] = vsubq_f32(x.v[k], y.v[k]);
    return x;
}
static inline v16 v_mul(v16 x, v16 y) {
    EACH x.v[k] = vmulq_f32(x.v[k], y.v[k]);
    return x;
}
static inline v16 v_div(v16 x, v16 y) {
    EACH x.v[k] = vdivq_f32(x.v[k], y.v[k]);
    return x;
}
static inline v16 v_fma(v16 x, v16 y, v16 z) {
    EACH z.v[k] = vfmaq_f32(z.v[k], x.v[k], y.v[k]);
    return z;
}
/* Selections in place of vmaxq and vminq, whose answer for NaN and zeros differs from the others'.
 */
static inline v16 v_max(v16 x, v16 y) {
    EACH x.v[k] = vbslq_f32(vcgtq_f32(x.v[k], y.v[k]), x.v[k], y.v[k]);
    return x;
}
static inline v16 v_min(v16 x, v16 y) {
    EACH x.v[k] = vbslq_f32(vcltq_f32(x.v[k], y.v[k]), x.v[k], y.v[k]);
    return x;
}
static inline v16 v_abs(v16 x) {
    EACH x.v[k] = vabsq_f32(x.v[k]);
    return x;
}
static inline v16 v_select_gt(v16 x, v16 y, v16 yes, v16 no) {
    EACH no.v[k] = vbslq_f32(vcgtq_f32(x.v[k], y.v[k]), yes.v[k], no.v[k]);
    return no;
}
static inline v16 v_from_int(i16 x) {
    v16 r;
    EACH r.v[k] = vcvtq_f32_s32(x.v[k]);
    return r;
}
static inline i16 v_round_int(v16 x) {
    i16 r;
    EACH r.v[k] = vcvtnq_s32_f32(x.v[k]);
    return r;
}
static inline v16 v_from_bits(i16 x) {
    v16 r;
    EACH r.v[k] = vreinterpretq_f32_s32(x.v[k]);
    return r;
}
static inline i16 i_bits(v16 x) {
    i16 r;
    EACH r.v[k] = vreinterpretq_s32_f32(x.v[k]);
    return r;
}
static inline v16 v_load_f16(const uint16_t *p) {
    v16 r;
    EACH r.v[k] = vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p + 4 * k)));
    return r;
}
static inline void v_store_f16(uint16_t *p, v16 x) {
    EACH vst1_u16(p + 4 * k, vreinterpret_u16_f16(vcvt_f16_f32(x.v[k])));
}
static inline i16 i_load(const void *p) {
    i16 r;
    memcpy(&r, p, sizeof r);
    return r;
}
static inline i16 i_load_u16(const uint16_t *p) {
    i16 r;
    EACH r.v[k] = vreinterpretq_s32_u32(vmovl_u16(vld1_u16(p + 4 * k)));
    return r;
}
static inline i16 i_load_u8(const uint8_t *p) {
    uint16_t wide[16];
    for (int k = 0; k < 16; k++)
        wide[k] = p[k];
    return i_load_u16(wide);
}
static inline i16 i_load_s8(const int8_t *p) {
    i16 r;
    int32_t wide[16];
    for (int k = 0; k < 16; k++)
        wide[k] = p[k];
    EACH r.v[k] = vld1q_s32(wide + 4 * k);
    return r;
}
static inline void i_store_s8(int8_t *p, i16 x) {
    int16x8_t a = vcombine_s16(vmovn_s32(x.v[0]), vmovn_s32(x.v[1]));
    int16x8_t b = vcombine_s16(vmovn_s32(x.v[2]), vmovn_s32(x.v[3]));
    vst1q_s8(p, vcombine_s8(vmovn_s16(a), vmovn_s16(b)));
}
static inline i16 i_set1(int32_t x) {
    i16 r;
    EACH r.v[k] = vdupq_n_s32(x);
    return r;
}
static inline i16 i_add(i16 x, i16 y) {
    EACH x.v[k] = vaddq_s32(x.v[k], y.v[k]);
    return x;
}
static inline i16 i_sub(i16 x, i16 y) {
    EACH x.v[k] = vsubq_s32(x.v[k], y.v[k]);
    return x;
}
static inline i16 i_max(i16 x, i16 y) {
    EACH x.v[k] = vmaxq_s32(x.v[k], y.v[k]);
    return x;
}
static inline i16 i_and(i16 x, i16 y) {
    EACH x.v[k] = vandq_s32(x.v[k], y.v[k]);
    return x;
}
static inline i16 i_or(i16 x, i16 y) {
    EACH x.v[k] = vorrq_s32(x.v[k], y.v[k]);
    return x;
}
static inline i16 i_shl(i16 x, unsigned n) {
    EACH x.v[k] = vshlq_s32(x.v[k], vdupq_n_s32((int)n));
    return x;
}
static inline i16 i_shr(i16 x, unsigned n) {
    int32x4_t c = vdupq_n_s32(-(int)n);
    EACH x.v[k] = vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(x.v[k]), c));
    return x;
}
static inline i16 i_sra(i16 x, unsigned n) {
    EACH x.v[k] = vshlq_s32(x.v[k], vdupq_n_s32(-(int)n));
    return x;
}
static inline i16 i_select_gt(i16 x, i16 y, i16 yes, i16 no) {
    EACH no.v[k] = vbslq_s32(vcgtq_s32(x.v[k], y.v[k]), yes.v[k], no.v[k]);
    return no;
}

static inline line l_load(const void *p) {
    line r;
    memcpy(&r, p, sizeof r);
    return r;
}
static inline void l_store(void *p, line x) { memcpy(p, &x, sizeof x); }
static inline line l_set1(uint8_t x) {
    line r;
    EACH r.v[k] = vdupq_n_u8(x);
    return r;
}
static inline line l_and(line x, line y) {
    EACH x.v[k] = vandq_u8(x.v[k], y.v[k]);
    return x;
}
static inline line l_or(line x, line y) {
    EACH x.v[k] = vorrq_u8(x.v[k], y.v[k]);
    return x;
}
static inline line l_shr(line x, unsigned n) {
    EACH x.v[k] = vshlq_u8(x.v[k], vdupq_n_s8(-(int8_t)n));
    return x;
}
static inline line l_shl(line x, unsigned n) {
    EACH x.v[k] = vshlq_u8(x.v[k], vdupq_n_s8((int8_t)n));
    return x;
}
static inline line l_lookup(const uint8_t table[16], line index) {
    EACH index.v[k] = vqtbl1q_u8(vld1q_u8(table), index.v[k]);
    return index;
}
/* acc + dot of the four unsigned bytes of each lane with the four signed bytes at `a`, exact: the
 * products fit 16 bits, their sums are made in 32. */
static inline i16 l_dot(i16 acc, line w, const int8_t *a) {
    int32_t four;
    memcpy(&four, a, 4);
    int16x8_t s = vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four)));
    EACH {
        int16x8_t low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(w.v[k])));
        int16x8_t high = vreinterpretq_s16_u16(vmovl_u8(vget_high_u8(w.v[k])));
        int32x4_t a0 = vmull_s16(vget_low_s16(low), vget_low_s16(s));
        int32x4_t a1 = vmull_high_s16(low, s);
        int32x4_t a2 = vmull_s16(vget_low_s16(high), vget_low_s16(s));
        int32x4_t a3 = vmull_high_s16(high, s);
        acc.v[k] = vaddq_s32(acc.v[k], vpaddq_s32(vpaddq_s32(a0, a1), vpaddq_s32(a2, a3)));
    }
    return acc;
}
static inline i16 l_dot_wide(i16 acc, line w, const int8_t *a) { return l_dot(acc, w, a); }

/* The canonical tree: lanes i and i+8, then +4, +2, +1. */
static inline float v_sum(v16 x) {
    float32x4_t a = vaddq_f32(vaddq_f32(x.v[0], x.v[2]), vaddq_f32(x.v[1], x.v[3]));
    float32x2_t b = vadd_f32(vget_low_f32(a), vget_high_f32(a));
    return vget_lane_f32(b, 0) + vget_lane_f32(b, 1);
}

/* 8 doubles. */
typedef struct d8 {
    float64x2_t v[4];
} d8;
static inline d8 d_load(const double *p) {
    d8 r;
    EACH r.v[k] = vld1q_f64(p + 2 * k);
    return r;
}
static inline void d_store(double *p, d8 x) { EACH vst1q_f64(p + 2 * k, x.v[k]); }
static inline d8 d_set1(double x) {
    d8 r;
    EACH r.v[k] = vdupq_n_f64(x);
    return r;
}
static inline d8 d_add(d8 x, d8 y) {
    EACH x.v[k] = vaddq_f64(x.v[k], y.v[k]);
    return x;
}
static inline d8 d_mul(d8 x, d8 y) {
    EACH x.v[k] = vmulq_f64(x.v[k], y.v[k]);
    return x;
}
static inline d8 d_max(d8 x, d8 y) {
    EACH x.v[k] = vmaxq_f64(x.v[k], y.v[k]);
    return x;
}
/* x / y where y is a normal number, 0 elsewhere; y >= 0. */
static inline d8 d_ratio(d8 x, d8 y) {
    float64x2_t least = vdupq_n_f64(0x1p-1022);
    EACH {
        uint64x2_t normal = vcgeq_f64(y.v[k], least), bits;
        bits = vreinterpretq_u64_f64(vdivq_f64(x.v[k], y.v[k]));
        x.v[k] = vreinterpretq_f64_u64(vandq_u64(bits, normal));
    }
    return x;
}
#define D_ROWS 4 /* of a product at once */
#define G_ROWS 6 /* of a float product's tile, by 16 * G_VECS columns */
#define G_VECS 1
#undef EACH
