/* lanes_avx512.h: the 16 virtual lanes as one 512-bit register. */
#include <immintrin.h>

typedef __m512 v16;   /* 16 floats */
typedef __m512i i16;  /* 16 int32 */
typedef __m512i line; /* 64 bytes */

#define LANES_ISA "avx512"

static inline v16 v_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void v_store(float *p, v16 v) { _mm512_storeu_ps(p, v); }
static inline v16 v_set1(float x) { return _mm512_set1_ps(x); }
static inline v16 v_add(v16 a, v16 b) { return _mm512_add_ps(a, b); }
static inline v16 v_sub(v16 a, v16 b) { return _mm512_sub_ps(a, b); }
static inline v16 v_mul(v16 a, v16 b) { return _mm512_mul_ps(a, b); }
static inline v16 v_div(v16 a, v16 b) { return _mm512_div_ps(a, b); }
static inline v16 v_fma(v16 a, v16 b, v16 c) { return _mm512_fmadd_ps(a, b, c); }
static inline v16 v_max(v16 a, v16 b) { return _mm512_max_ps(a, b); }
static inline v16 v_min(v16 a, v16 b) { return _mm512_min_ps(a, b); }
static inline v16 v_abs(v16 a) { return _mm512_abs_ps(a); }
static inline v16 v_select_gt(v16 a, v16 b, v16 yes, v16 no) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_GT_OQ), no, yes);
}
static inline v16 v_from_int(i16 a) { return _mm512_cvtepi32_ps(a); }
static inline i16 v_round_int(v16 a) { return _mm512_cvtps_epi32(a); }
static inline v16 v_from_bits(i16 a) { return _mm512_castsi512_ps(a); }
static inline i16 i_bits(v16 a) { return _mm512_castps_si512(a); }
static inline v16 v_load_f16(const uint16_t *p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}
static inline void v_store_f16(uint16_t *p, v16 v) {
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
static inline i16 i_load(const void *p) { return _mm512_loadu_si512(p); }
static inline i16 i_load_u16(const uint16_t *p) {
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
}
static inline i16 i_load_u8(const uint8_t *p) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
}
static inline i16 i_load_s8(const int8_t *p) {
    return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p));
}
static inline void i_store_s8(int8_t *p, i16 a) {
    _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(a));
}
static inline i16 i_set1(int32_t x) { return _mm512_set1_epi32(x); }
static inline i16 i_add(i16 a, i16 b) { return _mm512_add_epi32(a, b); }
static inline i16 i_sub(i16 a, i16 b) { return _mm512_sub_epi32(a, b); }
static inline i16 i_max(i16 a, i16 b) { return _mm512_max_epi32(a, b); }
static inline i16 i_and(i16 a, i16 b) { return _mm512_and_si512(a, b); }
static inline i16 i_or(i16 a, i16 b) { return _mm512_or_si512(a, b); }
static inline i16 i_shl(i16 a, unsigned n) { return _mm512_slli_epi32(a, n); }
static inline i16 i_shr(i16 a, unsigned n) { return _mm512_srli_epi32(a, n); }
static inline i16 i_sra(i16 a, unsigned n) { return _mm512_srai_epi32(a, n); }
static inline i16 i_select_gt(i16 a, i16 b, i16 yes, i16 no) {
    return _mm512_mask_blend_epi32(_mm512_cmpgt_epi32_mask(a, b), no, yes);
}

static inline line l_load(const void *p) { return _mm512_loadu_si512(p); }
static inline void l_store(void *p, line a) { _mm512_storeu_si512(p, a); }
static inline line l_set1(uint8_t x) { return _mm512_set1_epi8((char)x); }
static inline line l_and(line a, line b) { return _mm512_and_si512(a, b); }
static inline line l_or(line a, line b) { return _mm512_or_si512(a, b); }
/* Bytes shifted by n with the bits that cross a byte border masked away by the caller. */
static inline line l_shr(line a, unsigned n) { return _mm512_srli_epi16(a, n); }
static inline line l_shl(line a, unsigned n) { return _mm512_slli_epi16(a, n); }
static inline line l_lookup(const uint8_t table[16], line index) {
    __m128i t = _mm_loadu_si128((const __m128i *)table);
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(t), index);
}
/* acc + dot of the four unsigned bytes of each lane with the four signed bytes at `a`, exact.
 * _wide takes any byte, the other bytes <= 127. */
static inline i16 l_dot(i16 acc, line w, const int8_t *a) {
    /* Compilers load the four bytes to a register of their own first, of which there are not
     * enough for the processor to work ahead by a few tokens. */
    typedef int32_t __attribute__((may_alias, aligned(1))) four;
    __asm__("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(acc) : "v"(w), "m"(*(const four *)a));
    return acc;
}
static inline i16 l_dot_wide(i16 acc, line w, const int8_t *a) { return l_dot(acc, w, a); }

/* The canonical tree: lanes i and i+8, then +4, +2, +1. */
static inline float v_sum(v16 v) {
    __m256 a = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
}

/* Reductions of all lanes: body_vector.h has them in plain C. */
#define LANES_REDUCE
static inline float v_max_lane(v16 v) {
    __m256 a = _mm256_max_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_max_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_max_ss(b, _mm_movehdup_ps(b)));
}
static inline int32_t i_max_lane(i16 a) { return _mm512_reduce_max_epi32(a); }
static inline int32_t i_sum(i16 a) { return _mm512_reduce_add_epi32(a); }

/* 8 doubles. */
typedef __m512d d8;
static inline d8 d_load(const double *p) { return _mm512_loadu_pd(p); }
static inline void d_store(double *p, d8 v) { _mm512_storeu_pd(p, v); }
static inline d8 d_set1(double x) { return _mm512_set1_pd(x); }
static inline d8 d_add(d8 a, d8 b) { return _mm512_add_pd(a, b); }
static inline d8 d_mul(d8 a, d8 b) { return _mm512_mul_pd(a, b); }
static inline d8 d_max(d8 a, d8 b) { return _mm512_max_pd(a, b); }
/* a / b where b is a normal number, 0 elsewhere; b >= 0. */
static inline d8 d_ratio(d8 a, d8 b) {
    return _mm512_maskz_div_pd(_mm512_cmp_pd_mask(b, d_set1(0x1p-1022), _CMP_GE_OQ), a, b);
}
#define D_ROWS 8  /* of a product at once */
#define G_ROWS 14 /* of a float product's tile, by 16 * G_VECS columns */
#define G_VECS 2
