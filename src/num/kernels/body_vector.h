/* body_vector.h: operations on rows of floats. One source for all instruction sets. */

static inline v16 op_add(v16 a, v16 b) { return v_add(a, b); }
static inline v16 op_mul(v16 a, v16 b) { return v_mul(a, b); }
static inline v16 op_exp(v16 a, v16 b) { return v_exp(a); }
static inline v16 op_tanh(v16 a, v16 b) { return v_tanh(a); }
/* x / (1 + exp(-x)) * y */
static inline v16 op_silu_mul(v16 x, v16 y) {
    v16 one = v_set1(1.0f), e = v_exp(v_sub(v_set1(0.0f), x));
    return v_mul(v_div(x, v_add(one, e)), y);
}
/* x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) * y */
static inline v16 op_gelu_mul(v16 x, v16 y) {
    v16 cube = v_mul(v_mul(x, x), x);
    v16 inner = v_mul(v_set1(0x1.988454p-1f), v_fma(v_set1(0.044715f), cube, x));
    v16 half = v_mul(v_set1(0.5f), x);
    return v_mul(v_fma(half, v_tanh(inner), half), y);
}

static void row_add(const float *a, const float *b, size_t n, float *out) {
    map(op_add, a, b, n, out);
}
static void row_mul(const float *a, const float *b, size_t n, float *out) {
    map(op_mul, a, b, n, out);
}
static void row_silu_mul(const float *a, const float *b, size_t n, float *out) {
    map(op_silu_mul, a, b, n, out);
}
static void row_gelu_mul(const float *a, const float *b, size_t n, float *out) {
    map(op_gelu_mul, a, b, n, out);
}
static void row_exp(const float *x, size_t n, float *out) { map(op_exp, x, x, n, out); }
static void row_tanh(const float *x, size_t n, float *out) { map(op_tanh, x, x, n, out); }

static float row_dot(const float *a, const float *b, size_t n) {
    v16 sum = v_set1(0.0f);
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        sum = v_fma(v_load(a + i), v_load(b + i), sum);
    if (i < n)
        sum = v_fma(v_load_n(a + i, n - i, 0), v_load_n(b + i, n - i, 0), sum);
    return v_sum(sum);
}
static float row_sum(const float *a, size_t n) {
    v16 sum = v_set1(0.0f);
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        sum = v_add(sum, v_load(a + i));
    if (i < n)
        sum = v_add(sum, v_load_n(a + i, n - i, 0));
    return v_sum(sum);
}

static void row_scale(const float *a, float factor, size_t n, float *out) {
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        v_store(out + i, v_mul(v_load(a + i), v_set1(factor)));
    for (; i < n; i++)
        out[i] = a[i] * factor;
}

static void row_to_f16(const float *x, size_t n, uint16_t *out) {
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        v_store_f16(out + i, v_load(x + i));
    if (i < n) {
        uint16_t lanes[16];
        v_store_f16(lanes, v_load_n(x + i, n - i, 0));
        memcpy(out + i, lanes, (n - i) * sizeof *out);
    }
}

static void row_from_f16(const uint16_t *x, size_t n, float *out) {
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        v_store(out + i, v_load_f16(x + i));
    if (i < n) {
        uint16_t lanes[16] = {0};
        memcpy(lanes, x + i, (n - i) * sizeof *x);
        v_store_n(out + i, v_load_f16(lanes), n - i);
    }
}

static void rms_norm(const float *x, const float *weight, float eps, size_t n, float *out) {
    v16 sum = v_set1(0.0f);
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        v16 v = v_load(x + i);
        sum = v_fma(v, v, sum);
    }
    if (i < n) {
        v16 v = v_load_n(x + i, n - i, 0);
        sum = v_fma(v, v, sum);
    }
    float mean = v_sum(sum) / (float)n;
    float inverse = 1.0f / __builtin_sqrtf(mean + eps);
    row_scale(x, inverse, n, out);
    map(op_mul, out, weight, n, out);
}

/* Exact conversions and one product each: the compiler may use any vectors. */
static void row_scale_s8(const int8_t *q, const float *scale, bool each, size_t n, float *out) {
    if (each)
        for (size_t i = 0; i < n; i++)
            out[i] = (float)q[i] * scale[i];
    else
        for (size_t i = 0; i < n; i++)
            out[i] = (float)q[i] * scale[0];
}

static void rotate_halves(float *x, const float *c, const float *s, size_t half) {
    size_t i = 0;
    for (; i + 16 <= half; i += 16) {
        v16 a = v_load(x + i), b = v_load(x + half + i), cosine = v_load(c + i),
            sine = v_load(s + i);
        v_store(x + i, v_fma(a, cosine, v_sub(v_set1(0.0f), v_mul(b, sine))));
        v_store(x + half + i, v_fma(a, sine, v_mul(b, cosine)));
    }
    for (; i < half; i++) {
        float a = x[i], b = x[half + i];
        x[i] = sz_fmaf(a, c[i], 0.0f - b * s[i]);
        x[half + i] = sz_fmaf(a, s[i], b * c[i]);
    }
}

static void merge(float *a, float fa, const float *b, float fb, size_t n) {
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        v_store(a + i, v_fma(v_load(a + i), v_set1(fa), v_mul(v_load(b + i), v_set1(fb))));
    for (; i < n; i++)
        a[i] = sz_fmaf(a[i], fa, b[i] * fb);
}

#ifndef LANES_REDUCE
/* The largest lane, by the tree of v_sum. */
static inline float v_max_lane(v16 v) {
    float lanes[16];
    v_store(lanes, v);
    for (int half = 8; half; half /= 2)
        for (int i = 0; i < half; i++)
            lanes[i] = lanes[i] > lanes[i + half] ? lanes[i] : lanes[i + half];
    return lanes[0];
}

static inline int32_t i_max_lane(i16 v) {
    int32_t lanes[16];
    memcpy(lanes, &v, sizeof lanes);
    for (int half = 8; half; half /= 2)
        for (int i = 0; i < half; i++)
            lanes[i] = lanes[i] > lanes[i + half] ? lanes[i] : lanes[i + half];
    return lanes[0];
}

static inline int32_t i_sum(i16 a) {
    int32_t lanes[16], sum = 0;
    memcpy(lanes, &a, sizeof lanes);
    for (int i = 0; i < 16; i++)
        sum += lanes[i];
    return sum;
}
#endif

/* The largest magnitude of 32. Magnitudes are compared as integers, where a NaN is larger than all
 * numbers. */
static inline float largest_32(const float *x) {
    v16 a = v_load(x), b = v_load(x + 16);
    int32_t bits = i_max_lane(i_max(i_bits(v_abs(a)), i_bits(v_abs(b))));
    float largest;
    memcpy(&largest, &bits, sizeof largest);
    return largest;
}
/* Zero for groups below 1e-30; NaN if largest is not finite. */
static inline float scale_of(float largest) {
    return largest < 1e-30f ? 0.0f : sz_fmaf(largest, 0.0f, largest / 127.0f);
}
static inline i16 quantize_16(v16 x, float inverse) {
    v16 scaled = v_mul(x, v_set1(inverse));
    return v_round_int(v_max(v_min(scaled, v_set1(127.0f)), v_set1(-127.0f)));
}

/* Quantises 32 floats to group `at` of `out`, whose halves are `first` and the one `step` later. */
static inline ALWAYS_INLINE void quantize_32(const float *x, const sz_digits *out, size_t at,
                                             size_t first, size_t step) {
    float largest = largest_32(x), d = scale_of(largest);
    float inverse = largest < 1e-30f ? 0.0f : 127.0f / largest;
    int32_t sum[2];
    for (size_t h = 0; h < 2; h++) {
        i16 q = quantize_16(v_load(x + 16 * h), inverse);
        i_store_s8(out->q + 32 * at + 16 * h, q);
        sum[h] = i_sum(q);
        out->sum16[first + h * step] = sum[h];
        out->dsum16[first + h * step] = d * (float)sum[h];
    }
    out->d[at] = d;
    out->sum32[at] = sum[0] + sum[1];
    out->dsum32[at] = d * (float)out->sum32[at];
}

static void quantize_first(const float *x, size_t stride, int n, size_t first, size_t last,
                           const sz_tile *out) {
    size_t step = (size_t)n;
    for (size_t g = first; g < last; g++)
        for (size_t t = 0; t < step; t++)
            quantize_32(x + t * stride + 32 * g, &out->first, g * step + t, 2 * g * step + t, step);
}

/* The largest d^2 of a row's groups that needs no second digits: SZ_SECOND_FROM times their mean,
 * which is summed in 16 lanes, group i in lane i mod 16. */
static inline float second_limit(const float *d, size_t step, size_t n_groups) {
    float lanes[16] = {0};
    for (size_t g = 0; g < n_groups; g++)
        lanes[g % 16] = sz_fmaf(d[g * step], d[g * step], lanes[g % 16]);
    return (float)SZ_SECOND_FROM * v_sum(v_load(lanes)) / (float)n_groups;
}

/* What the first digits of a group miss, to the second digits at `second`. */
static void quantize_rest(const float *x, size_t at, size_t second, const sz_tile *out) {
    float rest[32], d = out->first.d[at];
    for (size_t h = 0; h < 2; h++) {
        v16 q = v_from_int(i_load_s8(out->first.q + 32 * at + 16 * h));
        v_store(rest + 16 * h, v_fma(q, v_set1(-d), v_load(x + 16 * h)));
    }
    quantize_32(rest, &out->second, second, 2 * second, 1);
}

static void quantize_second(const float *x, size_t stride, int n, size_t n_groups,
                            const sz_tile *out) {
    size_t step = (size_t)n, used[SZ_TILE_MAX] = {0}, second = 0;
    float limit[SZ_TILE_MAX];
    for (size_t t = 0; t < step; t++)
        limit[t] = second_limit(out->first.d + t, step, n_groups);
    for (size_t g = 0; g < n_groups; g++) {
        unsigned more = 0;
        for (size_t t = 0; t < step; t++) {
            float d = out->first.d[g * step + t];
            if (d * d > limit[t] && used[t] < sz_most_second(n_groups)) {
                quantize_rest(x + t * stride + 32 * g, g * step + t, second++, out);
                more |= 1u << t;
                used[t]++;
            }
        }
        out->more[g] = (uint8_t)more;
    }
}

static void peak_float(uint64_t rounds, float out[16]) {
    v16 acc[8], a = v_set1(0.5f), b = v_set1(1.0f);
    for (int i = 0; i < 8; i++)
        acc[i] = v_set1((float)i);
    for (uint64_t r = 0; r < rounds; r++) {
        for (int i = 0; i < 8; i++)
            acc[i] = v_fma(acc[i], a, b);
    }
    for (int i = 1; i < 8; i++)
        acc[0] = v_add(acc[0], acc[i]);
    v_store(out, acc[0]);
}
