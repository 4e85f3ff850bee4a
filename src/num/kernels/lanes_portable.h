/* lanes_portable.h: the 16 virtual lanes as plain arrays: the reference, and the fallback. */
#include <szilard/unstable/tensor_type.h>

typedef struct v16 {
    float f[16];
} v16;
typedef struct i16 {
    int32_t i[16];
} i16;
typedef struct line {
    uint8_t b[64];
} line;

#define LANES_ISA "portable"
#define EACH(n)   for (int k = 0; k < (n); k++)

static inline v16 v_load(const float *p) {
    v16 r;
    memcpy(r.f, p, sizeof r.f);
    return r;
}
static inline void v_store(float *p, v16 v) { memcpy(p, v.f, sizeof v.f); }
static inline v16 v_set1(float x) {
    v16 r;
    EACH(16) r.f[k] = x;
    return r;
}
static inline v16 v_add(v16 a, v16 b) {
    EACH(16) a.f[k] += b.f[k];
    return a;
}
static inline v16 v_sub(v16 a, v16 b) {
    EACH(16) a.f[k] -= b.f[k];
    return a;
}
static inline v16 v_mul(v16 a, v16 b) {
    EACH(16) a.f[k] *= b.f[k];
    return a;
}
static inline v16 v_div(v16 a, v16 b) {
    EACH(16) a.f[k] /= b.f[k];
    return a;
}
static inline v16 v_fma(v16 a, v16 b, v16 c) {
    EACH(16) c.f[k] = sz_fmaf(a.f[k], b.f[k], c.f[k]);
    return c;
}
static inline v16 v_max(v16 a, v16 b) {
    EACH(16) a.f[k] = a.f[k] > b.f[k] ? a.f[k] : b.f[k];
    return a;
}
static inline v16 v_min(v16 a, v16 b) {
    EACH(16) a.f[k] = a.f[k] < b.f[k] ? a.f[k] : b.f[k];
    return a;
}
static inline i16 i_bits(v16 a) {
    i16 r;
    memcpy(&r, &a, sizeof r);
    return r;
}
static inline v16 v_from_bits(i16 a) {
    v16 r;
    memcpy(&r, &a, sizeof r);
    return r;
}
static inline v16 v_abs(v16 a) {
    i16 i = i_bits(a);
    EACH(16) i.i[k] &= 0x7fffffff;
    return v_from_bits(i);
}
static inline v16 v_select_gt(v16 a, v16 b, v16 yes, v16 no) {
    EACH(16) no.f[k] = a.f[k] > b.f[k] ? yes.f[k] : no.f[k];
    return no;
}
static inline v16 v_from_int(i16 a) {
    v16 r;
    EACH(16) r.f[k] = (float)a.i[k];
    return r;
}
/* Round to nearest even, |a| < 2^22: adding 1.5 * 2^23 leaves the integer in the last bits. */
static inline i16 v_round_int(v16 a) {
    EACH(16) a.f[k] += 12582912.0f;
    i16 r = i_bits(a);
    EACH(16) r.i[k] -= 0x4b400000;
    return r;
}
static inline v16 v_load_f16(const uint16_t *p) {
    v16 r;
    EACH(16) r.f[k] = sz_f16_to_f32(p[k]);
    return r;
}
static inline void v_store_f16(uint16_t *p, v16 v) { EACH(16) p[k] = sz_f32_to_f16(v.f[k]); }
static inline i16 i_load(const void *p) {
    i16 r;
    memcpy(&r, p, sizeof r);
    return r;
}
static inline i16 i_load_u16(const uint16_t *p) {
    i16 r;
    EACH(16) r.i[k] = p[k];
    return r;
}
static inline i16 i_load_u8(const uint8_t *p) {
    i16 r;
    EACH(16) r.i[k] = p[k];
    return r;
}
static inline i16 i_load_s8(const int8_t *p) {
    i16 r;
    EACH(16) r.i[k] = p[k];
    return r;
}
static inline void i_store_s8(int8_t *p, i16 a) { EACH(16) p[k] = (int8_t)a.i[k]; }
static inline i16 i_set1(int32_t x) {
    i16 r;
    EACH(16) r.i[k] = x;
    return r;
}
/* Sums wrap, as the vector instructions do. */
static inline i16 i_add(i16 a, i16 b) {
    EACH(16) a.i[k] = (int32_t)((uint32_t)a.i[k] + (uint32_t)b.i[k]);
    return a;
}
static inline i16 i_sub(i16 a, i16 b) {
    EACH(16) a.i[k] = (int32_t)((uint32_t)a.i[k] - (uint32_t)b.i[k]);
    return a;
}
static inline i16 i_max(i16 a, i16 b) {
    EACH(16) a.i[k] = a.i[k] > b.i[k] ? a.i[k] : b.i[k];
    return a;
}
static inline i16 i_and(i16 a, i16 b) {
    EACH(16) a.i[k] &= b.i[k];
    return a;
}
static inline i16 i_or(i16 a, i16 b) {
    EACH(16) a.i[k] |= b.i[k];
    return a;
}
static inline i16 i_shl(i16 a, unsigned n) {
    EACH(16) a.i[k] = n > 31 ? 0 : (int32_t)((uint32_t)a.i[k] << n);
    return a;
}
static inline i16 i_shr(i16 a, unsigned n) {
    EACH(16) a.i[k] = n > 31 ? 0 : (int32_t)((uint32_t)a.i[k] >> n);
    return a;
}
static inline i16 i_sra(i16 a, unsigned n) {
    EACH(16) a.i[k] >>= n;
    return a;
}
static inline i16 i_select_gt(i16 a, i16 b, i16 yes, i16 no) {
    EACH(16) no.i[k] = a.i[k] > b.i[k] ? yes.i[k] : no.i[k];
    return no;
}

static inline line l_load(const void *p) {
    line r;
    memcpy(&r, p, sizeof r);
    return r;
}
static inline void l_store(void *p, line a) { memcpy(p, &a, sizeof a); }
static inline line l_set1(uint8_t x) {
    line r;
    memset(&r, x, sizeof r);
    return r;
}
static inline line l_and(line a, line b) {
    EACH(64) a.b[k] &= b.b[k];
    return a;
}
static inline line l_or(line a, line b) {
    EACH(64) a.b[k] |= b.b[k];
    return a;
}
static inline line l_shr(line a, unsigned n) {
    EACH(64) a.b[k] = (uint8_t)(a.b[k] >> n);
    return a;
}
static inline line l_shl(line a, unsigned n) {
    EACH(64) a.b[k] = (uint8_t)(a.b[k] << n);
    return a;
}
static inline line l_lookup(const uint8_t table[16], line index) {
    EACH(64) index.b[k] = table[index.b[k] & 15];
    return index;
}
/* acc + dot of the four unsigned bytes of each lane with the four signed bytes at `a`. */
static inline i16 l_dot(i16 acc, line w, const int8_t *a) {
    EACH(16)
    acc.i[k] +=
        w.b[4 * k] * a[0] + w.b[4 * k + 1] * a[1] + w.b[4 * k + 2] * a[2] + w.b[4 * k + 3] * a[3];
    return acc;
}
static inline i16 l_dot_wide(i16 acc, line w, const int8_t *a) { return l_dot(acc, w, a); }

/* The canonical tree: lanes i and i+8, then +4, +2, +1. */
static inline float v_sum(v16 v) {
    for (int half = 8; half; half /= 2)
        EACH(half) v.f[k] += v.f[k + half];
    return v.f[0];
}

/* 8 doubles. */
typedef struct d8 {
    double f[8];
} d8;
static inline d8 d_load(const double *p) {
    d8 r;
    memcpy(r.f, p, sizeof r.f);
    return r;
}
static inline void d_store(double *p, d8 v) { memcpy(p, v.f, sizeof v.f); }
static inline d8 d_set1(double x) {
    d8 r;
    EACH(8) r.f[k] = x;
    return r;
}
static inline d8 d_add(d8 a, d8 b) {
    EACH(8) a.f[k] += b.f[k];
    return a;
}
static inline d8 d_mul(d8 a, d8 b) {
    EACH(8) a.f[k] *= b.f[k];
    return a;
}
static inline d8 d_max(d8 a, d8 b) {
    EACH(8) a.f[k] = a.f[k] > b.f[k] ? a.f[k] : b.f[k];
    return a;
}
/* a / b where b is a normal number, 0 elsewhere; b >= 0. */
static inline d8 d_ratio(d8 a, d8 b) {
    EACH(8) a.f[k] = b.f[k] >= 0x1p-1022 ? a.f[k] / b.f[k] : 0;
    return a;
}
#define D_ROWS 4 /* of a product at once */
#define G_ROWS 4 /* of a float product's tile, by 16 * G_VECS columns */
#define G_VECS 1
#undef EACH
