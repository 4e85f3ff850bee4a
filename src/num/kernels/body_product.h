/* body_product.h: matrix panels times activation tiles. One source for all instruction sets; what a
 * format adds is `unpack`, which turns one group of 32 columns into bytes and scales.
 *
 * Contract: with a = int8 activations of scale da, and weight = d * (byte - bias) + m per group,
 *   acc = fma(d * da, (float)dot(byte - bias, a), acc), then, for formats with minima,
 *   acc = fma(m, da * sum(a), acc), group by group along the columns; the dot is exact in int32. */

typedef struct unpacked {
    line w[8];      /* columns 4j .. 4j+3 of the 16 rows, as bytes */
    v16 d[2], m[2]; /* per group of 32, or per half for formats with groups of 16 */
} unpacked;

typedef struct format {
    int block;       /* columns per block */
    int lines;       /* 64-byte lines of data per block and panel */
    int scale_bytes; /* per block and panel */
    int group;       /* columns that share a scale: 32 or 16 */
    int bias_log2;   /* bytes carry weight + 2^bias_log2; -1: no bias */
    bool minima, wide;
} format;

static inline ALWAYS_INLINE format format_of(sz_type type) {
    switch (type) {
    case SZ_Q4_0: return (format){32, 4, 32, 32, 3, false, false};
    case SZ_Q4_1: return (format){32, 4, 64, 32, -1, true, false};
    case SZ_Q5_0: return (format){32, 5, 32, 32, 4, false, false};
    case SZ_Q5_1: return (format){32, 5, 64, 32, -1, true, false};
    case SZ_Q8_0: return (format){32, 8, 32, 32, 7, false, true};
    case SZ_IQ4_NL: return (format){32, 4, 32, 32, 7, false, true};
    case SZ_MXFP4: return (format){32, 4, 16, 32, 4, false, false};
    case SZ_Q2_K: return (format){256, 16, 320, 16, -1, true, false};
    case SZ_Q3_K: return (format){256, 24, 224, 16, 2, false, false};
    case SZ_Q4_K: return (format){256, 32, 256, 32, -1, true, false};
    case SZ_Q5_K: return (format){256, 40, 256, 32, -1, true, false};
    case SZ_Q6_K: return (format){256, 48, 288, 16, 5, false, false};
    default: return (format){256, 32, 128, 32, 7, false, true}; /* IQ4_XS */
    }
}

static const uint8_t iq4_values[16] = {/* value + 128 */
                                       1,   24,  45,  63,  79,  93,  106, 118,
                                       129, 141, 153, 166, 181, 197, 217, 241};
static const uint8_t mxfp4_values[16] = {/* 2 * value + 16 */
                                         16, 17, 18, 19, 20, 22, 24, 28,
                                         16, 15, 14, 13, 12, 10, 8,  4};

/* Nibbles of a 32-column block: line j holds columns 4j.. in its low and 16+4j.. in its high half. */
static inline ALWAYS_INLINE void unpack_nibbles(const uint8_t *data, line w[8]) {
    line low = l_set1(15);
    for (int j = 0; j < 4; j++) {
        line both = l_load(data + 64 * j);
        w[j] = l_and(both, low);
        w[j + 4] = l_and(l_shr(both, 4), low);
    }
}
/* One bit plane: bit j of each byte is the bit of line j; it lands at bit `to`. */
static inline ALWAYS_INLINE void add_bit_plane(const uint8_t *data, int to, line w[8]) {
    line plane = l_load(data), bit = l_set1((uint8_t)(1 << to));
    for (int j = 0; j < 8; j++)
        w[j] = l_or(w[j], l_and(j < to ? l_shl(plane, (unsigned)(to - j))
                                       : l_shr(plane, (unsigned)(j - to)), bit));
}
/* Eight lines whose bytes hold several groups: the bits at `shift` under `mask`. */
static inline ALWAYS_INLINE void unpack_field(const uint8_t *data, unsigned shift, uint8_t mask,
                                              line w[8]) {
    line keep = l_set1(mask);
    for (int j = 0; j < 8; j++)
        w[j] = l_and(l_shr(l_load(data + 64 * j), shift), keep);
}
/* The same, or'ed in at bit `to`. */
static inline ALWAYS_INLINE void add_field(const uint8_t *data, unsigned shift, uint8_t mask,
                                           unsigned to, line w[8]) {
    line keep = l_set1(mask);
    for (int j = 0; j < 8; j++)
        w[j] = l_or(w[j], l_shl(l_and(l_shr(l_load(data + 64 * j), shift), keep), to));
}

static inline v16 scale_f16(const uint8_t *p) { return v_load_f16((const uint16_t *)p); }
/* 2^(e - 128), halves included, from the exponent bytes of MXFP4. */
static inline v16 scale_e8m0(const uint8_t *p) {
    i16 e = i_load_u8(p);
    i16 normal = i_shl(i_sub(e, i_set1(1)), 23);
    i16 tiny = i_select_gt(e, i_set1(0), i_set1(0x00400000), i_set1(0x00200000));
    return v_from_bits(i_select_gt(e, i_set1(1), normal, tiny));
}
/* Byte `at` of each lane's units, units of 16 x 4 bytes from p. */
static inline ALWAYS_INLINE i16 unit_byte(const uint8_t *p, int at, int mask) {
    return i_and(i_shr(i_load(p + 64 * (at / 4)), (unsigned)(8 * (at % 4))), i_set1(mask));
}

/* Scale and minimum of group g of Q4_K and Q5_K: 6 bits each in 12 bytes. */
static inline ALWAYS_INLINE void unpack_scales_k45(const uint8_t *s, int g, unpacked *u) {
    i16 scale, least;
    if (g < 4) {
        scale = unit_byte(s + 64, g, 63);
        least = unit_byte(s + 64, g + 4, 63);
    } else {
        i16 low = unit_byte(s + 64, g + 4, 255);
        i16 a = i_shr(unit_byte(s + 64, g - 4, 255), 6), b = i_shr(unit_byte(s + 64, g, 255), 6);
        scale = i_or(i_and(low, i_set1(15)), i_shl(a, 4));
        least = i_or(i_shr(low, 4), i_shl(b, 4));
    }
    u->d[0] = v_mul(scale_f16(s), v_from_int(scale));
    u->m[0] = v_sub(v_set1(0.0f), v_mul(scale_f16(s + 32), v_from_int(least)));
}

static inline ALWAYS_INLINE void unpack_k(sz_type type, const uint8_t *data, const uint8_t *s, int g,
                                          unpacked *u) {
    v16 d = scale_f16(s);
    if (type == SZ_Q4_K) {
        unpack_field(data + 512 * (g / 2), 4u * (g & 1), 15, u->w);
        unpack_scales_k45(s, g, u);
    } else if (type == SZ_Q5_K) {
        unpack_field(data + 512 + 512 * (g / 2), 4u * (g & 1), 15, u->w);
        add_field(data, (unsigned)g, 1, 4, u->w);
        unpack_scales_k45(s, g, u);
    } else if (type == SZ_Q6_K) { /* g: half g/4 of 128 columns, quarter g%4 */
        const uint8_t *half = data + 1536 * (g / 4);
        unpack_field(half + 512 * (g & 1), 4u * ((g % 4) / 2), 15, u->w);
        add_field(half + 1024, 2u * (g % 4), 3, 4, u->w);
        for (int h = 0; h < 2; h++) {
            int i = 2 * g + h;
            i16 unit = i_load(s + 32 + 64 * (i / 4));
            u->d[h] = v_mul(d, v_from_int(i_sra(i_shl(unit, (unsigned)(24 - 8 * (i % 4))), 24)));
        }
    } else if (type == SZ_Q3_K) {
        unpack_field(data + 512 + 512 * (g / 4), 2u * (g % 4), 3, u->w);
        add_field(data, (unsigned)g, 1, 2, u->w);
        for (int h = 0; h < 2; h++) {
            int i = 2 * g + h;
            i16 low = i_and(i_shr(unit_byte(s + 32, i % 8, 255), 4u * (i / 8)), i_set1(15));
            i16 high = i_and(i_shr(unit_byte(s + 32, 8 + i % 4, 255), 2u * (i / 4)), i_set1(3));
            i16 scale = i_sub(i_or(low, i_shl(high, 4)), i_set1(32));
            u->d[h] = v_mul(d, v_from_int(scale));
        }
    } else if (type == SZ_Q2_K) {
        unpack_field(data + 512 * (g / 4), 2u * (g % 4), 3, u->w);
        v16 least = v_sub(v_set1(0.0f), scale_f16(s + 32));
        for (int h = 0; h < 2; h++) {
            i16 both = unit_byte(s + 64, 2 * g + h, 255);
            u->d[h] = v_mul(d, v_from_int(i_and(both, i_set1(15))));
            u->m[h] = v_mul(least, v_from_int(i_shr(both, 4)));
        }
    } else { /* IQ4_XS: d, 2 high bits per group in a u16, 4 low bits per group */
        unpack_nibbles(data + 256 * g, u->w);
        i16 low = i_and(i_shr(i_load(s + 64), 4u * (unsigned)g), i_set1(15));
        i16 high = i_and(i_shr(i_load_u16((const uint16_t *)(s + 32)), 2u * (unsigned)g), i_set1(3));
        u->d[0] = v_mul(d, v_from_int(i_sub(i_or(low, i_shl(high, 4)), i_set1(32))));
    }
}

/* Group g (of 32 columns) of a block. */
static inline ALWAYS_INLINE void unpack(sz_type type, const uint8_t *data, const uint8_t *s, int g,
                                        unpacked *u) {
    if (format_of(type).block == 256) {
        unpack_k(type, data, s, g, u);
    } else if (type == SZ_Q8_0) {
        for (int j = 0; j < 8; j++)
            u->w[j] = l_load(data + 64 * j);
        u->d[0] = scale_f16(s);
    } else {
        unpack_nibbles(data, u->w);
        if (type == SZ_Q5_0 || type == SZ_Q5_1)
            add_bit_plane(data + 256, 4, u->w);
        u->d[0] = type == SZ_MXFP4 ? scale_e8m0(s) : scale_f16(s);
        if (format_of(type).minima)
            u->m[0] = scale_f16(s + 32);
    }
    if (type == SZ_IQ4_NL || type == SZ_IQ4_XS || type == SZ_MXFP4)
        for (int j = 0; j < 8; j++)
            u->w[j] = l_lookup(type == SZ_MXFP4 ? mxfp4_values : iq4_values, u->w[j]);
}

/* One group of 32 columns times one token, added to acc. */
static inline ALWAYS_INLINE v16 add_group(format f, const line *w, const v16 *d, const v16 *m,
                                          const sz_tile *x, int n, size_t group, int t, v16 acc) {
    size_t at = group * (size_t)n + (size_t)t;
    const int8_t *q = x->q + at * 32;
    v16 da = v_set1(x->d[at]);
    i16 sums[2] = {i_set1(0), i_set1(0)};
    for (int j = 0; j < 8; j++)
        sums[j / 4] = f.wide ? l_dot_wide(sums[j / 4], w[j], q + 4 * j)
                             : l_dot(sums[j / 4], w[j], q + 4 * j);
    if (f.group == 32) {
        i16 sum = i_add(sums[0], sums[1]);
        if (f.bias_log2 >= 0)
            sum = i_sub(sum, i_shl(i_set1(x->sum32[at]), (unsigned)f.bias_log2));
        acc = v_fma(v_mul(d[0], da), v_from_int(sum), acc);
        return f.minima ? v_fma(m[0], v_set1(x->dsum32[at]), acc) : acc;
    }
    for (int h = 0; h < 2; h++) {
        size_t half = (2 * group + (size_t)h) * (size_t)n + (size_t)t;
        if (f.bias_log2 >= 0)
            sums[h] = i_sub(sums[h], i_shl(i_set1(x->sum16[half]), (unsigned)f.bias_log2));
        acc = v_fma(v_mul(d[h], da), v_from_int(sums[h]), acc);
        if (f.minima)
            acc = v_fma(m[h], v_set1(x->dsum16[half]), acc);
    }
    return acc;
}

static inline ALWAYS_INLINE void product(sz_type type, const sz_panel *p, const sz_tile *x, int n,
                                         float *y, size_t stride) {
    const format f = format_of(type);
    const uint8_t *data = p->data, *scales = p->scales;
    size_t groups = (size_t)f.block / 32, group = 0;
    v16 acc[SZ_TILE_MAX];
    for (int t = 0; t < n; t++)
        acc[t] = v_set1(0.0f);
    for (size_t block = 0; block < p->n_cols / (size_t)f.block; block++) {
#pragma GCC unroll 8 /* shifts and masks of a group become constants */
        for (size_t g = 0; g < groups; g++, group++) {
            unpacked u;
            unpack(type, data, scales, (int)g, &u);
            for (int t = 0; t < n; t++)
                acc[t] = add_group(f, u.w, u.d, u.m, x, n, group, t, acc[t]);
        }
        data += 64 * (size_t)f.lines;
        scales += f.scale_bytes;
    }
    for (int t = 0; t < n; t++)
        v_store(y + (size_t)t * stride, acc[t]);
}

static inline ALWAYS_INLINE void expand(sz_type type, const sz_panel *p, sz_expanded *out) {
    const format f = format_of(type);
    const uint8_t *data = p->data, *scales = p->scales;
    size_t halves = 32 / (size_t)f.group, group = 0;
    for (size_t block = 0; block < p->n_cols / (size_t)f.block; block++) {
#pragma GCC unroll 8
        for (int g = 0; g < f.block / 32; g++, group++) {
            unpacked u;
            unpack(type, data, scales, g, &u);
            for (size_t j = 0; j < 8; j++)
                l_store(out->q + 512 * group + 64 * j, u.w[j]);
            for (size_t h = 0; h < halves; h++) {
                v_store(out->d + 16 * (group * halves + h), u.d[h]);
                if (f.minima)
                    v_store(out->m + 16 * (group * halves + h), u.m[h]);
            }
        }
        data += 64 * (size_t)f.lines;
        scales += f.scale_bytes;
    }
}

static inline ALWAYS_INLINE void expanded_product(format f, const sz_expanded *p, size_t n_cols,
                                                  const sz_tile *x, int n, float *y, size_t stride) {
    size_t halves = 32 / (size_t)f.group;
    v16 acc[SZ_TILE_MAX];
    for (int t = 0; t < n; t++)
        acc[t] = v_set1(0.0f);
    for (size_t group = 0; group < n_cols / 32; group++) {
        line w[8];
        v16 d[2], m[2];
        for (size_t j = 0; j < 8; j++)
            w[j] = l_load(p->q + 512 * group + 64 * j);
        for (size_t h = 0; h < halves; h++) {
            d[h] = v_load(p->d + 16 * (group * halves + h));
            if (f.minima)
                m[h] = v_load(p->m + 16 * (group * halves + h));
        }
        for (int t = 0; t < n; t++)
            acc[t] = add_group(f, w, d, m, x, n, group, t, acc[t]);
    }
    for (int t = 0; t < n; t++)
        v_store(y + (size_t)t * stride, acc[t]);
}

/* The widths of tiles are constants inside, so that accumulators stay in registers. */
#ifdef LANES_GENERIC
#define BY_WIDTH(call)                                                                             \
    {                                                                                              \
        const int N = n;                                                                           \
        call;                                                                                      \
    }
#else
#define BY_WIDTH(call)                                                                             \
    switch (n) {                                                                                   \
    case 1: { enum { N = 1 }; call; break; }                                                       \
    case 2: { enum { N = 2 }; call; break; }                                                       \
    case 4: { enum { N = 4 }; call; break; }                                                       \
    default: { enum { N = 8 }; call; break; }                                                      \
    }
#endif
#define DEFINE_FORMAT(T)                                                                           \
    static void product_##T(const sz_panel *p, const sz_tile *x, int n, float *y, size_t stride) { \
        BY_WIDTH(product(SZ_##T, p, x, N, y, stride))                                              \
    }                                                                                              \
    static void expand_##T(const sz_panel *p, sz_expanded *out) { expand(SZ_##T, p, out); }        \
    static void expanded_##T(const sz_expanded *p, size_t n_cols, const sz_tile *x, int n,         \
                             float *y, size_t stride) {                                            \
        BY_WIDTH(expanded_product(format_of(SZ_##T), p, n_cols, x, N, y, stride))                  \
    }
#define EACH_FORMAT(X)                                                                             \
    X(Q4_0) X(Q4_1) X(Q5_0) X(Q5_1) X(Q8_0) X(IQ4_NL) X(MXFP4) X(Q2_K) X(Q3_K) X(Q4_K) X(Q5_K)     \
    X(Q6_K) X(IQ4_XS)
EACH_FORMAT(DEFINE_FORMAT)

static inline ALWAYS_INLINE v16 load_weights(sz_type type, const uint8_t *panel, size_t k) {
    if (type == SZ_F32)
        return v_load((const float *)panel + 16 * k);
    const uint16_t *half = (const uint16_t *)panel + 16 * k;
    return type == SZ_F16 ? v_load_f16(half) : v_from_bits(i_shl(i_load_u16(half), 16));
}
static inline ALWAYS_INLINE void float_tile(sz_type type, const uint8_t *panel, size_t n_cols,
                                            const float *x, size_t x_stride, int n, float *y,
                                            size_t stride) {
    v16 acc[SZ_TILE_MAX];
    for (int t = 0; t < n; t++)
        acc[t] = v_set1(0.0f);
    for (size_t k = 0; k < n_cols; k++) {
        v16 w = load_weights(type, panel, k);
        for (int t = 0; t < n; t++)
            acc[t] = v_fma(w, v_set1(x[(size_t)t * x_stride + k]), acc[t]);
    }
    for (int t = 0; t < n; t++)
        v_store(y + (size_t)t * stride, acc[t]);
}
static void product_float(sz_type type, const void *panel, size_t n_cols, const float *x,
                          size_t x_stride, int n, float *y, size_t stride) {
    if (type == SZ_F32)
        BY_WIDTH(float_tile(SZ_F32, panel, n_cols, x, x_stride, N, y, stride))
    else if (type == SZ_F16)
        BY_WIDTH(float_tile(SZ_F16, panel, n_cols, x, x_stride, N, y, stride))
    else
        BY_WIDTH(float_tile(SZ_BF16, panel, n_cols, x, x_stride, N, y, stride))
}

static void peak_int8(uint64_t rounds, int32_t out[16]) {
    i16 acc[12];
    int8_t a[4] = {1, 2, 3, 4};
    line w = l_set1(1);
    for (int i = 0; i < 12; i++)
        acc[i] = i_set1(i);
    for (uint64_t r = 0; r < rounds; r++) {
        for (int i = 0; i < 12; i++)
            acc[i] = l_dot(acc[i], w, a);
    }
    for (int i = 1; i < 12; i++)
        acc[0] = i_add(acc[0], acc[i]);
    memcpy(out, &acc[0], 16 * sizeof *out);
}
