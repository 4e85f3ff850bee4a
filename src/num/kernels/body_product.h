/* body_product.h: matrix panels times activation tiles. One source for all instruction sets; what a
 * format adds is `unpack`, which turns one group of 32 columns into bytes and scales.
 *
 * Contract: with a = int8 activations of scale da, and weight = d * (byte - bias) + m per group,
 *   acc = fma(d * da, (float)dot(byte - bias, a), acc), then, for formats with minima,
 *   acc = fma(m, da * sum(a), acc), then the same for the second digits of the group if there are
 * any, group by group along the columns; the dot is exact in int32. */

typedef struct unpacked {
    line w[8];      /* columns 4j .. 4j+3 of the 16 rows, as bytes */
    v16 d[2], m[2]; /* per group of 32, or per half for formats with groups of 16 */
} unpacked;

typedef struct format {
    int block;     /* columns per block: 32 or 256 */
    int lines;     /* 64-byte lines of data per 32 columns of a panel */
    int words;     /* lines of packed scales per block of 256 */
    int halves;    /* f16 per row and block */
    int group;     /* columns that share a scale: 32 or 16 */
    int bias_log2; /* bytes carry weight + 2^bias_log2; -1: no bias */
    bool minima, wide;
} format;

static inline ALWAYS_INLINE format format_of(sz_type type) {
    switch (type) {
    case SZ_Q4_0:
        return (format){32, 4, 0, 1, 32, 3, false, false};
    case SZ_Q4_1:
        return (format){32, 4, 0, 2, 32, -1, true, false};
    case SZ_Q5_0:
        return (format){32, 5, 0, 1, 32, 4, false, false};
    case SZ_Q5_1:
        return (format){32, 5, 0, 2, 32, -1, true, false};
    case SZ_Q8_0:
        return (format){32, 8, 0, 1, 32, 7, false, true};
    case SZ_IQ4_NL:
        return (format){32, 4, 0, 1, 32, 7, false, true};
    case SZ_MXFP4:
        return (format){32, 4, 0, 0, 32, 4, false, false};
    case SZ_Q2_K:
        return (format){256, 2, 4, 2, 16, -1, true, false};
    case SZ_Q3_K:
        return (format){256, 3, 3, 1, 16, 2, false, false};
    case SZ_Q4_K:
        return (format){256, 4, 3, 2, 32, -1, true, false};
    case SZ_Q5_K:
        return (format){256, 5, 3, 2, 32, -1, true, false};
    case SZ_Q6_K:
        return (format){256, 6, 4, 1, 16, 5, false, false};
    default:
        return (format){256, 4, 1, 2, 32, 7, false, true}; /* IQ4_XS */
    }
}

/* ---- Quants: num/panel_split.c says how the bits of a group lie ------------------------------ */

static const uint8_t iq4_values[16] = {/* value + 128 */
                                       1,   24,  45,  63,  79,  93,  106, 118,
                                       129, 141, 153, 166, 181, 197, 217, 241};
static const uint8_t mxfp4_values[16] = {/* 2 * value + 16 */
                                         16, 17, 18, 19, 20, 22, 24, 28,
                                         16, 15, 14, 13, 12, 10, 8,  4};

static inline ALWAYS_INLINE line l_shift(line a, int left) {
    return left < 0 ? l_shr(a, (unsigned)-left) : left > 0 ? l_shl(a, (unsigned)left) : a;
}
static inline ALWAYS_INLINE void unpack_nibbles(const uint8_t *data, line w[8]) {
    line low = l_set1(15);
    for (int j = 0; j < 4; j++) {
        line both = l_load(data + 64 * j);
        w[j] = l_and(both, low);
        w[j + 4] = l_and(l_shr(both, 4), low);
    }
}
static inline ALWAYS_INLINE void unpack_pairs(const uint8_t *data, line w[8]) {
    for (int j = 0; j < 8; j++)
        w[j] = l_and(l_shift(l_load(data + 64 * (j / 4)), -2 * (j % 4)), l_set1(3));
}
/* Pairs that land at bits 4 and 5. */
static inline ALWAYS_INLINE void add_pairs(const uint8_t *data, line w[8]) {
    for (int j = 0; j < 8; j++) {
        line pairs = l_shift(l_load(data + 64 * (j / 4)), 4 - 2 * (j % 4));
        w[j] = l_or(w[j], l_and(pairs, l_set1(0x30)));
    }
}
/* A plane that lands at bit `to`. */
static inline ALWAYS_INLINE void add_plane(const uint8_t *data, int to, line w[8]) {
    line plane = l_load(data), bit = l_set1((uint8_t)(1 << to));
    for (int j = 0; j < 8; j++)
        w[j] = l_or(w[j], l_and(l_shift(plane, to - j), bit));
}

static inline ALWAYS_INLINE void unpack_quants(sz_type type, const uint8_t *data, line w[8]) {
    int lines = format_of(type).lines;
    if (lines == 8) {
        for (int j = 0; j < 8; j++)
            w[j] = l_load(data + 64 * j);
    } else if (lines < 4) {
        unpack_pairs(data, w);
        if (lines == 3)
            add_plane(data + 128, 2, w);
    } else {
        unpack_nibbles(data, w);
        if (lines == 5)
            add_plane(data + 256, 4, w);
        if (lines == 6)
            add_pairs(data + 256, w);
    }
    if (type == SZ_IQ4_NL || type == SZ_IQ4_XS || type == SZ_MXFP4)
        for (int j = 0; j < 8; j++)
            w[j] = l_lookup(type == SZ_MXFP4 ? mxfp4_values : iq4_values, w[j]);
}

/* ---- Scales ---------------------------------------------------------------------------------- */

typedef struct block_scales { /* of a block of 256; words are shifted from part to part */
    v16 d, m;
    i16 words[3], half;
} block_scales;

/* 2^(e - 128), halves included, from the exponent bytes of MXFP4. */
static inline v16 scale_e8m0(const uint8_t *p) {
    i16 e = i_load_u8(p);
    i16 normal = i_shl(i_sub(e, i_set1(1)), 23);
    i16 tiny = i_select_gt(e, i_set1(0), i_set1(0x00400000), i_set1(0x00200000));
    return v_from_bits(i_select_gt(e, i_set1(1), normal, tiny));
}
static inline v16 scale_f16(const uint8_t *p) { return v_load_f16((const uint16_t *)p); }

static inline ALWAYS_INLINE void load_scales(sz_type type, const uint8_t *s, block_scales *b) {
    const format f = format_of(type);
    const uint8_t *halves = s + 64 * f.words;
    b->d = scale_f16(halves);
    if (f.minima)
        b->m = v_sub(v_set1(0.0f), scale_f16(halves + 32));
    if (type == SZ_IQ4_XS)
        b->half = i_load_u16((const uint16_t *)(halves + 32));
    for (int i = 0; f.words < 4 && i < f.words; i++)
        b->words[i] = i_load(s + 64 * i);
}

static inline ALWAYS_INLINE i16 bits_of(i16 a, int at, int n) {
    return i_and(at ? i_shr(a, (unsigned)at) : a, i_set1((1 << n) - 1));
}
/* Number i (0..3) of the part's four six-bit numbers. */
static inline ALWAYS_INLINE i16 six_bits(const i16 words[3], int i) {
    if (i == 0)
        return bits_of(words[0], 0, 6);
    if (i == 3)
        return bits_of(words[2], 2, 6);
    i16 low = i == 1 ? bits_of(words[0], 6, 2) : bits_of(words[1], 4, 4);
    i16 high = i == 1 ? bits_of(words[1], 0, 4) : bits_of(words[2], 0, 2);
    return i_or(low, i_shl(high, i == 1 ? 2 : 4));
}

/* The scales of group g (0 or 1) of a part whose scale word, for formats with four, is at s. */
static inline ALWAYS_INLINE void unpack_scales(sz_type type, const block_scales *b,
                                               const uint8_t *s, int g, unpacked *u) {
    if (type == SZ_Q4_K || type == SZ_Q5_K) {
        u->d[0] = v_mul(b->d, v_from_int(six_bits(b->words, 2 * g)));
        u->m[0] = v_mul(b->m, v_from_int(six_bits(b->words, 2 * g + 1)));
    } else if (type == SZ_IQ4_XS) {
        i16 scale = i_or(bits_of(b->words[0], 4 * g, 4), i_shl(bits_of(b->half, 2 * g, 2), 4));
        u->d[0] = v_mul(b->d, v_from_int(i_sub(scale, i_set1(32))));
    }
    for (int h = 0; format_of(type).group == 16 && h < 2; h++) {
        int i = 2 * g + h;
        i16 scale = type == SZ_Q3_K ? i_sub(six_bits(b->words, i), i_set1(32)) : i_load(s);
        if (type == SZ_Q6_K)
            scale = i_sra(i_shl(scale, (unsigned)(24 - 8 * i)), 24);
        if (type == SZ_Q2_K) {
            u->m[h] = v_mul(b->m, v_from_int(bits_of(scale, 8 * i + 4, 4)));
            scale = bits_of(scale, 8 * i, 4);
        }
        u->d[h] = v_mul(b->d, v_from_int(scale));
    }
}
static inline ALWAYS_INLINE void next_part(sz_type type, block_scales *b) {
    for (int i = 0; format_of(type).words < 4 && i < format_of(type).words; i++)
        b->words[i] = i_shr(b->words[i], 8);
    if (type == SZ_IQ4_XS)
        b->half = i_shr(b->half, 4);
}

static inline ALWAYS_INLINE void unpack_small(sz_type type, const uint8_t *s, unpacked *u) {
    u->d[0] = type == SZ_MXFP4 ? scale_e8m0(s) : scale_f16(s);
    if (format_of(type).minima)
        u->m[0] = scale_f16(s + 32);
}

/* While several tokens are multiplied, the processor's own prefetching falls behind: it sees the
 * reads too late. What is needed later than in a moment goes to the second cache. */
static inline ALWAYS_INLINE void prefetch_lines(const uint8_t *data, int n_lines, int n_tokens) {
    enum { NEAR = 2048, FAR = 6144 }; /* bytes of the panels */
    for (int i = 0; i < n_lines; i++)
        if (n_tokens < 4)
            __builtin_prefetch(data + NEAR + 64 * i, 0, 3);
        else
            __builtin_prefetch(data + FAR + 64 * i, 0, 2);
}

/* Runs `use` (a statement over u and group) for each group of 32 columns of a panel, which is
 * multiplied with so many tokens. The loop over
 * the parts of a block stays a loop: its loads then advance by small steps, which is what the
 * processor's prefetching follows. */
#define EACH_GROUP(type, panel, n_tokens, use)                                                     \
    do {                                                                                           \
        const format fmt = format_of(type);                                                        \
        const uint8_t *data = (panel)->data, *scales = (panel)->scales;                            \
        const size_t n_groups = (panel)->n_cols / 32, step = 64 * (size_t)fmt.lines;               \
        unpacked u;                                                                                \
        if (fmt.block == 32) {                                                                     \
            for (size_t group = 0; group < n_groups; group++, data += step) {                      \
                prefetch_lines(data, fmt.lines, n_tokens);                                         \
                unpack_quants(type, data, u.w);                                                    \
                unpack_small(type, scales, &u);                                                    \
                scales += type == SZ_MXFP4 ? 16 : 32 * fmt.halves;                                 \
                use                                                                                \
            }                                                                                      \
        } else {                                                                                   \
            for (size_t group = 0; group < n_groups;) {                                            \
                block_scales b;                                                                    \
                load_scales(type, scales, &b);                                                     \
                _Pragma("GCC unroll 1") for (size_t part = 0; part < 4; part++) {                  \
                    _Pragma("GCC unroll 2") for (int g = 0; g < 2; g++, group++, data += step) {   \
                        prefetch_lines(data, fmt.lines, n_tokens);                                 \
                        unpack_quants(type, data, u.w);                                            \
                        unpack_scales(type, &b, scales + 64 * part, g, &u);                        \
                        use                                                                        \
                    }                                                                              \
                    next_part(type, &b);                                                           \
                }                                                                                  \
                scales += 64 * fmt.words + 32 * fmt.halves;                                        \
            }                                                                                      \
        }                                                                                          \
    } while (0)

/* One group of 32 columns times one group of digits, added to acc. */
static inline ALWAYS_INLINE v16 add_group(format f, const line *w, const v16 *d, const v16 *m,
                                          const sz_digits *x, int n, size_t group, int t, v16 acc) {
    size_t at = group * (size_t)n + (size_t)t;
    const int8_t *q = x->q + at * 32;
    v16 da = v_set1(x->d[at]);
    i16 sums[2] = {i_set1(0), i_set1(0)};
    for (int j = 0; j < 8; j++)
        sums[j / 4] =
            f.wide ? l_dot_wide(sums[j / 4], w[j], q + 4 * j) : l_dot(sums[j / 4], w[j], q + 4 * j);
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

/* One group of 32 columns times a tile; *second counts the second digits used so far. */
static inline ALWAYS_INLINE void add_tile(format f, const line *w, const v16 *d, const v16 *m,
                                          const sz_tile *x, int n, size_t group, size_t *second,
                                          v16 *acc) {
    for (int t = 0; t < n; t++)
        acc[t] = add_group(f, w, d, m, &x->first, n, group, t, acc[t]);
    for (unsigned more = x->more[group]; more; more &= more - 1, (*second)++) {
        int t = n == 1 ? 0 : __builtin_ctz(more);
        acc[t] = add_group(f, w, d, m, &x->second, 1, *second, 0, acc[t]);
    }
}

static inline ALWAYS_INLINE void product(sz_type type, const sz_panel *p, const sz_tile *x, int n,
                                         float *y, size_t stride) {
    v16 acc[SZ_TILE_MAX];
    size_t second = 0;
    for (int t = 0; t < n; t++)
        acc[t] = v_set1(0.0f);
    EACH_GROUP(type, p, n, { add_tile(fmt, u.w, u.d, u.m, x, n, group, &second, acc); });
    for (int t = 0; t < n; t++)
        v_store(y + (size_t)t * stride, acc[t]);
}

static inline ALWAYS_INLINE void expand(sz_type type, const sz_panel *p, sz_expanded *out) {
    EACH_GROUP(type, p, 1, {
        const size_t halves = 32 / (size_t)fmt.group;
        for (size_t j = 0; j < 8; j++)
            l_store(out->q + 512 * group + 64 * j, u.w[j]);
        for (size_t h = 0; h < halves; h++) {
            v_store(out->d + 16 * (group * halves + h), u.d[h]);
            if (fmt.minima)
                v_store(out->m + 16 * (group * halves + h), u.m[h]);
        }
    });
}

static inline ALWAYS_INLINE void decode_group(format f, const unpacked *u, int row, float *out) {
    uint8_t bytes[512];
    float scale[2][16];
    float least[2][16];
    int bias = f.bias_log2 < 0 ? 0 : 1 << f.bias_log2;
    for (size_t j = 0; j < 8; j++)
        l_store(bytes + 64 * j, u->w[j]);
    for (int h = 0; h < 32 / f.group; h++) {
        v_store(scale[h], u->d[h]);
        if (f.minima)
            v_store(least[h], u->m[h]);
    }
    for (int c = 0; c < 32; c++) {
        float q = (float)(bytes[64 * (c / 4) + 4 * row + c % 4] - bias);
        out[c] = scale[c / f.group][row] * q;
        if (f.minima)
            out[c] += least[c / f.group][row];
    }
}

static inline ALWAYS_INLINE void decode_row(sz_type type, const sz_panel *p, int row, float *out) {
    EACH_GROUP(type, p, 1, { decode_group(fmt, &u, row, out + 32 * group); });
}

static inline ALWAYS_INLINE void expanded_product(format f, const sz_expanded *p, size_t n_cols,
                                                  const sz_tile *x, int n, float *y,
                                                  size_t stride) {
    size_t halves = 32 / (size_t)f.group;
    size_t second = 0;
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
        add_tile(f, w, d, m, x, n, group, &second, acc);
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
    case 1: {                                                                                      \
        enum { N = 1 };                                                                            \
        call;                                                                                      \
        break;                                                                                     \
    }                                                                                              \
    case 2: {                                                                                      \
        enum { N = 2 };                                                                            \
        call;                                                                                      \
        break;                                                                                     \
    }                                                                                              \
    case 4: {                                                                                      \
        enum { N = 4 };                                                                            \
        call;                                                                                      \
        break;                                                                                     \
    }                                                                                              \
    default: {                                                                                     \
        enum { N = 8 };                                                                            \
        call;                                                                                      \
        break;                                                                                     \
    }                                                                                              \
    }
#endif
#define DEFINE_FORMAT(T)                                                                           \
    static void product_##T(const sz_panel *p, const sz_tile *x, int n, float *y, size_t stride) { \
        BY_WIDTH(product(SZ_##T, p, x, N, y, stride))                                              \
    }                                                                                              \
    static void decode_row_##T(const sz_panel *p, int row, float *out) {                           \
        decode_row(SZ_##T, p, row, out);                                                           \
    }                                                                                              \
    static void expand_##T(const sz_panel *p, sz_expanded *out) { expand(SZ_##T, p, out); }        \
    static void expanded_##T(const sz_expanded *p, size_t n_cols, const sz_tile *x, int n,         \
                             float *y, size_t stride) {                                            \
        BY_WIDTH(expanded_product(format_of(SZ_##T), p, n_cols, x, N, y, stride))                  \
    }
#define EACH_FORMAT(X)                                                                             \
    X(Q4_0)                                                                                        \
    X(Q4_1)                                                                                        \
    X(Q5_0) X(Q5_1) X(Q8_0) X(IQ4_NL) X(MXFP4) X(Q2_K) X(Q3_K) X(Q4_K) X(Q5_K) X(Q6_K) X(IQ4_XS)
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

/* All loops are unrolled: one that is not would keep the sums in memory. */
static void peak_int8(uint64_t rounds, int32_t out[16]) {
    i16 acc[12];
    int8_t a[4] = {1, 2, 3, 4};
    line w = l_set1(1);
    _Pragma("GCC unroll 12") for (int i = 0; i < 12; i++) acc[i] = i_set1(i);
    for (uint64_t r = 0; r < rounds; r++) {
        _Pragma("GCC unroll 12") for (int i = 0; i < 12; i++) acc[i] = l_dot(acc[i], w, a);
    }
    _Pragma("GCC unroll 12") for (int i = 1; i < 12; i++) acc[0] = i_add(acc[0], acc[i]);
    memcpy(out, &acc[0], 16 * sizeof *out);
}
