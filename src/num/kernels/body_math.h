/* body_math.h: elementary functions over 16 lanes. One source for all instruction sets. */

/* exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln 2 / 2; minimax polynomial of degree 7.
 * Largest error over every float (tests/num/test_math_long.c): 0.98 ulp where the result is normal,
 * 0.76 units of 2^-149 where it is not. exp(-inf) = 0.
 * The clamp takes x as the second operand, which v_max and v_min give back where it is a NaN. */
static inline v16 v_exp(v16 x) {
    x = v_min(v_set1(89.5f), v_max(v_set1(-104.5f), x));
    i16 n = v_round_int(v_mul(x, v_set1(0x1.715476p+0f)));
    v16 fn = v_from_int(n);
    v16 r = v_fma(fn, v_set1(-0x1.62e4p-1f), x);
    r = v_fma(fn, v_set1(-0x1.7f7d1cp-20f), r);
    v16 p = v_set1(0x1.9dd50cp-13f);
    p = v_fma(p, r, v_set1(0x1.6d4ef4p-10f));
    p = v_fma(p, r, v_set1(0x1.111334p-7f));
    p = v_fma(p, r, v_set1(0x1.5554e6p-5f));
    p = v_fma(p, r, v_set1(0x1.555554p-3f));
    p = v_fma(p, r, v_set1(0.5f));
    v16 q = v_fma(v_mul(r, r), p, r);
    q = v_add(q, v_set1(1.0f));
    /* Two steps, so that results below 2^-126 are rounded once and those above 2^128 overflow. */
    i16 half = i_sra(n, 1);
    v16 s1 = v_from_bits(i_shl(i_add(half, i_set1(127)), 23));
    v16 s2 = v_from_bits(i_shl(i_add(i_sub(n, half), i_set1(127)), 23));
    return v_mul(v_mul(q, s1), s2);
}

/* tanh(x): odd polynomial below 0.625, 1 - 2 / (exp(2|x|) + 1) above. Largest error 1.34 ulp. */
static inline v16 v_tanh(v16 x) {
    v16 a = v_abs(x), x2 = v_mul(x, x);
    v16 p = v_set1(-0x1.74331p-8f);
    p = v_fma(p, x2, v_set1(0x1.51ceb6p-6f));
    p = v_fma(p, x2, v_set1(-0x1.b83060p-5f));
    p = v_fma(p, x2, v_set1(0x1.1106d8p-3f));
    p = v_fma(p, x2, v_set1(-0x1.555532p-2f));
    v16 small = v_fma(v_mul(p, x2), x, x);
    v16 e = v_exp(v_add(a, a));
    v16 large = v_sub(v_set1(1.0f), v_div(v_set1(2.0f), v_add(e, v_set1(1.0f))));
    v16 signed_large = v_select_gt(v_set1(0.0f), x, v_sub(v_set1(0.0f), large), large);
    return v_select_gt(v_set1(0.625f), a, small, signed_large);
}

/* The first n lanes from memory, the others `fill`. */
static inline v16 v_load_n(const float *p, size_t n, float fill) {
    float lanes[16];
    for (size_t i = 0; i < 16; i++)
        lanes[i] = i < n ? p[i] : fill;
    return v_load(lanes);
}
static inline void v_store_n(float *p, v16 v, size_t n) {
    float lanes[16];
    v_store(lanes, v);
    memcpy(p, lanes, n * sizeof *p);
}

/* Applies f to each element of rows of any length. */
static inline ALWAYS_INLINE void map(v16 (*f)(v16, v16), const float *a, const float *b, size_t n,
                                     float *out) {
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        v_store(out + i, f(v_load(a + i), v_load(b + i)));
    if (i < n)
        v_store_n(out + i, f(v_load_n(a + i, n - i, 0), v_load_n(b + i, n - i, 0)), n - i);
}
