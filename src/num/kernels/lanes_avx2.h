/* lanes_avx2.h: the 16 virtual lanes as two 256-bit registers. With AVX-VNNI (isa_avxvnni.c) the
 * dot is one instruction; the bits are the same. */
#include <immintrin.h>

typedef struct v16 {
    __m256 a, b;
} v16;
typedef struct i16 {
    __m256i a, b;
} i16;
typedef i16 line;

#define V2(fn, x, y) ((v16){fn(x.a, y.a), fn(x.b, y.b)})
#define I2(fn, x, y) ((i16){fn(x.a, y.a), fn(x.b, y.b)})

static inline v16 v_load(const float *p) {
    return (v16){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
static inline void v_store(float *p, v16 v) {
    _mm256_storeu_ps(p, v.a);
    _mm256_storeu_ps(p + 8, v.b);
}
static inline v16 v_set1(float x) { return (v16){_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
static inline v16 v_add(v16 x, v16 y) { return V2(_mm256_add_ps, x, y); }
static inline v16 v_sub(v16 x, v16 y) { return V2(_mm256_sub_ps, x, y); }
static inline v16 v_mul(v16 x, v16 y) { return V2(_mm256_mul_ps, x, y); }
static inline v16 v_div(v16 x, v16 y) { return V2(_mm256_div_ps, x, y); }
static inline v16 v_fma(v16 x, v16 y, v16 z) {
    return (v16){_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}
static inline v16 v_max(v16 x, v16 y) { return V2(_mm256_max_ps, x, y); }
static inline v16 v_min(v16 x, v16 y) { return V2(_mm256_min_ps, x, y); }
static inline v16 v_abs(v16 x) {
    __m256 sign = _mm256_set1_ps(-0.0f);
    return (v16){_mm256_andnot_ps(sign, x.a), _mm256_andnot_ps(sign, x.b)};
}
static inline v16 v_select_gt(v16 x, v16 y, v16 yes, v16 no) {
    return (v16){_mm256_blendv_ps(no.a, yes.a, _mm256_cmp_ps(x.a, y.a, _CMP_GT_OQ)),
                 _mm256_blendv_ps(no.b, yes.b, _mm256_cmp_ps(x.b, y.b, _CMP_GT_OQ))};
}
static inline v16 v_from_int(i16 x) {
    return (v16){_mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b)};
}
static inline i16 v_round_int(v16 x) {
    return (i16){_mm256_cvtps_epi32(x.a), _mm256_cvtps_epi32(x.b)};
}
static inline v16 v_from_bits(i16 x) {
    return (v16){_mm256_castsi256_ps(x.a), _mm256_castsi256_ps(x.b)};
}
static inline i16 i_bits(v16 x) {
    return (i16){_mm256_castps_si256(x.a), _mm256_castps_si256(x.b)};
}
static inline v16 v_load_f16(const uint16_t *p) {
    return (v16){_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)),
                 _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p + 8)))};
}
static inline void v_store_f16(uint16_t *p, v16 v) {
    _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(v.a, _MM_FROUND_TO_NEAREST_INT));
    _mm_storeu_si128((__m128i *)(p + 8), _mm256_cvtps_ph(v.b, _MM_FROUND_TO_NEAREST_INT));
}
static inline i16 i_load(const void *p) {
    const __m256i *q = p;
    return (i16){_mm256_loadu_si256(q), _mm256_loadu_si256(q + 1)};
}
static inline i16 i_load_u16(const uint16_t *p) {
    return (i16){_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)),
                 _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(p + 8)))};
}
static inline i16 i_load_u8(const uint8_t *p) {
    return (i16){_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)),
                 _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(p + 8)))};
}
static inline i16 i_load_s8(const int8_t *p) {
    return (i16){_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)),
                 _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(p + 8)))};
}
static inline void i_store_s8(int8_t *p, i16 x) {
    __m256i w = _mm256_permute4x64_epi64(_mm256_packs_epi32(x.a, x.b), 0xd8);
    __m128i n = _mm_packs_epi16(_mm256_castsi256_si128(w), _mm256_extracti128_si256(w, 1));
    _mm_storeu_si128((__m128i *)p, n);
}
static inline i16 i_set1(int32_t x) { return (i16){_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
static inline i16 i_add(i16 x, i16 y) { return I2(_mm256_add_epi32, x, y); }
static inline i16 i_sub(i16 x, i16 y) { return I2(_mm256_sub_epi32, x, y); }
static inline i16 i_max(i16 x, i16 y) { return I2(_mm256_max_epi32, x, y); }
static inline i16 i_and(i16 x, i16 y) { return I2(_mm256_and_si256, x, y); }
static inline i16 i_or(i16 x, i16 y) { return I2(_mm256_or_si256, x, y); }
static inline i16 i_shl(i16 x, unsigned n) {
    return (i16){_mm256_slli_epi32(x.a, (int)n), _mm256_slli_epi32(x.b, (int)n)};
}
static inline i16 i_shr(i16 x, unsigned n) {
    return (i16){_mm256_srli_epi32(x.a, (int)n), _mm256_srli_epi32(x.b, (int)n)};
}
static inline i16 i_sra(i16 x, unsigned n) {
    return (i16){_mm256_srai_epi32(x.a, (int)n), _mm256_srai_epi32(x.b, (int)n)};
}
static inline i16 i_select_gt(i16 x, i16 y, i16 yes, i16 no) {
    return (i16){_mm256_blendv_epi8(no.a, yes.a, _mm256_cmpgt_epi32(x.a, y.a)),
                 _mm256_blendv_epi8(no.b, yes.b, _mm256_cmpgt_epi32(x.b, y.b))};
}

static inline line l_load(const void *p) { return i_load(p); }
static inline void l_store(void *p, line x) {
    __m256i *q = p;
    _mm256_storeu_si256(q, x.a);
    _mm256_storeu_si256(q + 1, x.b);
}
static inline line l_set1(uint8_t x) {
    return (line){_mm256_set1_epi8((char)x), _mm256_set1_epi8((char)x)};
}
static inline line l_and(line x, line y) { return i_and(x, y); }
static inline line l_or(line x, line y) { return i_or(x, y); }
/* Bytes shifted by n with the bits that cross a byte border masked away by the caller. */
static inline line l_shr(line x, unsigned n) {
    return (line){_mm256_srli_epi16(x.a, (int)n), _mm256_srli_epi16(x.b, (int)n)};
}
static inline line l_shl(line x, unsigned n) {
    return (line){_mm256_slli_epi16(x.a, (int)n), _mm256_slli_epi16(x.b, (int)n)};
}
static inline line l_lookup(const uint8_t table[16], line index) {
    __m256i t = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
    return (line){_mm256_shuffle_epi8(t, index.a), _mm256_shuffle_epi8(t, index.b)};
}

/* acc + dot of the four unsigned bytes of each lane with the four signed bytes at `a`, exact.
 * _wide takes any byte; for the other, bytes <= 127 keep the 16-bit pair sums from saturating. */
#if defined(__AVXVNNI__) || defined(__AVX512VNNI__)
#ifdef __AVXVNNI__
#define DOT _mm256_dpbusd_avx_epi32
#else /* the same instruction in its older encoding: tests run it where AVX-VNNI is missing */
#define DOT _mm256_dpbusd_epi32
#endif
static inline __m256i dot_narrow(__m256i acc, __m256i w, __m256i a) { return DOT(acc, w, a); }
static inline __m256i dot_any(__m256i acc, __m256i w, __m256i a) { return DOT(acc, w, a); }
#undef DOT
#else
static inline __m256i dot_narrow(__m256i acc, __m256i w, __m256i a) {
    __m256i pairs = _mm256_maddubs_epi16(w, a);
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
static inline __m256i dot_any(__m256i acc, __m256i w, __m256i a) {
    __m256i low = _mm256_set1_epi16(0xff);
    __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(a, 8), 8), odd = _mm256_srai_epi16(a, 8);
    acc = _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_and_si256(w, low), even));
    return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_srli_epi16(w, 8), odd));
}
#endif
static inline i16 l_dot(i16 acc, line w, const int8_t *a) {
    int32_t four;
    memcpy(&four, a, 4);
    __m256i s = _mm256_set1_epi32(four);
    return (i16){dot_narrow(acc.a, w.a, s), dot_narrow(acc.b, w.b, s)};
}
static inline i16 l_dot_wide(i16 acc, line w, const int8_t *a) {
    int32_t four;
    memcpy(&four, a, 4);
    __m256i s = _mm256_set1_epi32(four);
    return (i16){dot_any(acc.a, w.a, s), dot_any(acc.b, w.b, s)};
}

/* The canonical tree: lanes i and i+8, then +4, +2, +1. */
static inline float v_sum(v16 v) {
    __m256 a = _mm256_add_ps(v.a, v.b);
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
}

/* Reductions of all lanes: body_vector.h has them in plain C. */
#define LANES_REDUCE
static inline float v_max_lane(v16 v) {
    __m256 a = _mm256_max_ps(v.a, v.b);
    __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    b = _mm_max_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_max_ss(b, _mm_movehdup_ps(b)));
}
static inline int32_t i_max_lane(i16 a) {
    __m256i s = _mm256_max_epi32(a.a, a.b);
    __m128i b = _mm_max_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
    b = _mm_max_epi32(b, _mm_unpackhi_epi64(b, b));
    return _mm_cvtsi128_si32(_mm_max_epi32(b, _mm_shuffle_epi32(b, 1)));
}
static inline int32_t i_sum(i16 a) {
    __m256i s = _mm256_add_epi32(a.a, a.b);
    __m128i b = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
    b = _mm_add_epi32(b, _mm_unpackhi_epi64(b, b));
    return _mm_cvtsi128_si32(_mm_add_epi32(b, _mm_shuffle_epi32(b, 1)));
}

/* 8 doubles. */
typedef struct d8 {
    __m256d a, b;
} d8;
static inline d8 d_load(const double *p) {
    return (d8){_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4)};
}
static inline void d_store(double *p, d8 v) {
    _mm256_storeu_pd(p, v.a);
    _mm256_storeu_pd(p + 4, v.b);
}
static inline d8 d_set1(double x) { return (d8){_mm256_set1_pd(x), _mm256_set1_pd(x)}; }
static inline d8 d_add(d8 x, d8 y) {
    return (d8){_mm256_add_pd(x.a, y.a), _mm256_add_pd(x.b, y.b)};
}
static inline d8 d_mul(d8 x, d8 y) {
    return (d8){_mm256_mul_pd(x.a, y.a), _mm256_mul_pd(x.b, y.b)};
}
static inline d8 d_max(d8 x, d8 y) {
    return (d8){_mm256_max_pd(x.a, y.a), _mm256_max_pd(x.b, y.b)};
}
static inline __m256d d_ratio_half(__m256d x, __m256d y) {
    __m256d normal = _mm256_cmp_pd(y, _mm256_set1_pd(0x1p-1022), _CMP_GE_OQ);
    return _mm256_and_pd(_mm256_div_pd(x, y), normal);
}
/* x / y where y is a normal number, 0 elsewhere; y >= 0. */
static inline d8 d_ratio(d8 x, d8 y) {
    return (d8){d_ratio_half(x.a, y.a), d_ratio_half(x.b, y.b)};
}
#define D_ROWS 4 /* of a product at once */
#define G_ROWS 6 /* of a float product's tile, by 16 * G_VECS columns */
#define G_VECS 1
#undef V2
#undef I2
