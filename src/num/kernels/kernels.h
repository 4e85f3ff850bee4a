/* kernels.h: what an instruction set provides. Every slot is filled by every instruction set from
 * the same source (body_*.h over lanes_<isa>.h), so that all give the same bits.
 *
 * Canonical order. Sums over a row use 16 virtual lanes (element i goes to lane i mod 16, in
 * order, missing elements are zero) and the tree of v_sum. Products of a matrix row run over the
 * columns in order. */
#ifndef SZ_NUM_KERNELS_H
#define SZ_NUM_KERNELS_H

#include <szilard/unstable/tensor_type.h>

enum {
    SZ_PANEL_ROWS = 16, /* matrix rows per panel: one per lane */
    SZ_TILE_MAX = 8,    /* tokens per activation tile */
    SZ_KV_BLOCK = 64,   /* positions per block of the KV cache */
    SZ_QUERY_MAX = 4,   /* queries per attention tile */
    SZ_GEMM_ROWS = 14,
    SZ_GEMM_COLS = 32,
    SZ_SECOND_FROM = 6, /* times the mean d^2: see sz_tile */
};

/* One panel of 16 rows: `data` holds, block by block along the columns, the file's blocks of the 16
 * rows interleaved in 4-byte units; `scales` the f16 and sub-scale fields (num/panel.c). */
typedef struct sz_panel {
    const uint8_t *data, *scales;
    size_t n_cols;
} sz_panel;

/* Groups of 32 int8, each with a scale d = max/127 (NaN if one is not finite); sum: of the integers
 * of a group or of its halves, dsum: d * sum. */
typedef struct sz_digits {
    int8_t *q;
    float *d, *dsum32, *dsum16;
    int32_t *sum32, *sum16;
} sz_digits;

/* A tile of n tokens (1, 2, 4 or 8) quantised to int8 with one scale per 32 columns: q
 * [n_cols/32][n][32]; d, sum32 and dsum32 [n_cols/32][n]; sum16 and dsum16 [n_cols/16][n].
 * Few groups make most of the error, those with outliers: a group whose d^2 exceeds six times the
 * mean over its row has what the first digits miss quantised to second ones. They follow each
 * other, by group, then token: q [][32], sum16 [][2] and so on; bit t of more[group] says which
 * there are. */
typedef struct sz_tile {
    sz_digits first, second;
    uint8_t *more; /* [n_cols/32] */
} sz_tile;

/* Most second digits of a row of n groups: fewer than a sixth exceed six times the mean. */
static inline size_t sz_most_second(size_t n_groups) { return n_groups / SZ_SECOND_FROM; }

/* A panel with its weights expanded to bytes, for tiles of many tokens. Weight = d * (byte - bias)
 * + m per group of 32 or 16 columns. */
typedef struct sz_expanded {
    uint8_t *q;   /* [n_cols/4][16][4] */
    float *d, *m; /* [n_cols/group][16]; m unused where the format has none */
} sz_expanded;

/* c[i][j] = sum over k of a(i, k) b[k][j], i < n_rows, j < n_cols, k < depth, in doubles: products
 * and sums each rounded (never fused), k in order, from c's own values with `add` or from zero.
 * a(i, k) is a[i * a_row + k * a_col], so that a may be read either way round. n_cols is a multiple
 * of 8; c overlaps neither a nor b. */
typedef struct sz_product_f64 {
    const double *a, *b;
    double *c;
    size_t n_rows, depth, n_cols;
    size_t a_row, a_col, b_stride, c_stride;
    bool add;
} sz_product_f64;

typedef struct sz_softmax_stats {
    float max;         /* the largest logit */
    double lse;        /* ln sum exp, nats */
    double entropy;    /* nats */
    double varentropy; /* nats^2 */
    int32_t argmax;    /* first of equals */
    bool has_nan;      /* a logit is NaN or +infinity, or all are -infinity */
} sz_softmax_stats;

/* y[t * stride + r], r = 0..15: products of the panel's rows with the tile's n tokens. */
typedef void (*sz_panel_product)(const sz_panel *p, const sz_tile *x, int n, float *y,
                                 size_t stride);

typedef struct sz_kernels {
    const char *isa;

    /* ---- Quantised products; indexed by sz_type, NULL where a type has no integer kernel --------
     */
    sz_panel_product product[40];
    void (*expand[40])(const sz_panel *p, sz_expanded *out);
    /* One of a panel's rows (0..15) as floats [n_cols], the values that the type's decoder gives.
     */
    void (*decode_row[40])(const sz_panel *p, int row, float *out);
    void (*expanded_product[40])(const sz_expanded *p, size_t n_cols, const sz_tile *x, int n,
                                 float *y, size_t stride);
    /* n rows x [n][32 * n_groups] (row stride given) into a tile of n: the first digits of groups
     * [first, last); and, when all of them are there, the second digits and `more`. */
    void (*quantize_first)(const float *x, size_t stride, int n, size_t first, size_t last,
                           const sz_tile *out);
    void (*quantize_second)(const float *x, size_t stride, int n, size_t n_groups,
                            const sz_tile *out);

    /* ---- Float products: panel [n_cols][16] of F32, F16 or BF16; x rows of f32 ------------------
     */
    void (*product_float)(sz_type type, const void *panel, size_t n_cols, const float *x,
                          size_t x_stride, int n, float *y, size_t stride);

    /* ---- Doubles; n and width are multiples of 8, nothing is fused, all exact but for rounding --
     */
    void (*product_f64)(const sz_product_f64 *p);
    void (*multiply_f64)(double *a, const double *b, size_t n); /* a *= b */
    void (*add_f64)(double *a, const double *b, size_t n);      /* a += b */
    void (*ratio_f64)(const double *a, double *b, size_t n);    /* b = a / b where b >= 2^-1022,
                                                                   else 0; b >= 0 */
    /* Each of n rows (values >= 0) times the power of two that brings its largest value into
     * [1, 2), whose exponent is added to exponent[row]. A row of zeros stays. */
    void (*rescale_f64)(double *rows, size_t n, size_t width, int64_t *exponent);

    /* ---- Products of float matrices (num/gemm.h) ------------------------------------------------
     */
    int gemm_rows, gemm_cols; /* of a tile; at most SZ_GEMM_ROWS and SZ_GEMM_COLS */
    /* c[i][j] = fma(a[k][i], b[k][j], c[i][j]) for k < depth in order, from c with `add` or from
     * zero, for a whole tile; a is [depth][gemm_rows], b [depth][gemm_cols]. */
    void (*gemm_tile)(const float *a, const float *b, size_t depth, float *c, size_t c_stride,
                      bool add);

    /* ---- Rows of f32; n >= 1, any alignment; out may be the input -------------------------------
     */
    void (*rms_norm)(const float *x, const float *weight, float eps, size_t n, float *out);
    void (*add)(const float *a, const float *b, size_t n, float *out);
    void (*mul)(const float *a, const float *b, size_t n, float *out);
    float (*dot)(const float *a, const float *b, size_t n); /* fused, canonical order */
    float (*sum)(const float *a, size_t n);
    void (*scale)(const float *a, float factor, size_t n, float *out);
    void (*silu_mul)(const float *gate, const float *up, size_t n, float *out);
    void (*gelu_mul)(const float *gate, const float *up, size_t n, float *out); /* tanh form */
    void (*exp)(const float *x, size_t n, float *out);  /* within 0.98 ulp */
    void (*tanh)(const float *x, size_t n, float *out); /* within 1.34 ulp */
    void (*to_f16)(const float *x, size_t n, uint16_t *out);
    void (*from_f16)(const uint16_t *x, size_t n, float *out);
    /* out[i] = q[i] * scale[i]; or * scale[0] if !each. */
    void (*scale_s8)(const int8_t *q, const float *scale, bool each, size_t n, float *out);
    /* Pairs (x[i], x[i + half]) turned by the angle whose cosine and sine are c[i], s[i]. */
    void (*rotate_halves)(float *x, const float *c, const float *s, size_t half);

    /* ---- Attention over one block of 64 positions -----------------------------------------------
     */
    /* scores[q][pos] = sum_d query[q][d] * key[d][pos], sequential in d, for pos < n_pos; others
     * may be written or not. key [dim][64]. */
    void (*attend_scores)(const float *const *query, int n_query, const void *key, bool f16,
                          size_t dim, int n_pos, float (*scores)[SZ_KV_BLOCK]);
    /* Softmax of one query's scores within its valid positions [from, to): scores become
     * exp(s - *max), zero elsewhere; *sum their sum. */
    void (*attend_softmax)(float *scores, int from, int to, float *max, float *sum);
    /* mix[q][d] = sum_pos scores[q][pos] * value[pos][d], sequential in pos < n_pos. */
    void (*attend_mix)(float (*const scores)[SZ_KV_BLOCK], int n_query, const void *value, bool f16,
                       size_t dim, int n_pos, float *const *mix);
    /* a = a * fa + b * fb as fma(a, fa, b * fb). */
    void (*merge)(float *a, float fa, const float *b, float fb, size_t n);

    /* ---- One pass over the vocabulary (card 00) -------------------------------------------------
     */
    void (*softmax_stats)(const float *logits, size_t n, float temperature, sz_softmax_stats *out);
    /* ---- Texts and patterns (card 43); indexed by the bytes of a symbol: 1, 2 or 4
     * ---------------
     */
    /* count[i] = how many j < m have text[i + offset[j]] == symbol[j], i < n. Reads the text up to
     * n - 1 + the greatest offset; any alignment of symbols. */
    void (*count_equal[5])(const void *text, const void *symbol, const uint32_t *offset, size_t m,
                           size_t n, uint32_t *count);
    /* count[i] = min(m - count[i], most). */
    void (*distances_within)(uint32_t *count, size_t n, uint32_t m, uint32_t most);
    /* out[i] = min(text[i], 65535). */
    void (*narrow_symbols)(const uint32_t *text, size_t n, uint16_t *out);
    /* VNNI-class throughput probe: `rounds` x 12 independent dot instructions. */
    void (*peak_int8)(uint64_t rounds, int32_t out[16]);
    /* `rounds` x 8 independent fused multiply-adds of 16 floats. */
    void (*peak_float)(uint64_t rounds, float out[16]);
} sz_kernels;

/* The kernels of an instruction set: NULL name: $SZILARD_ISA, else the best this processor has. */
SZ_API sz_status sz_kernels_get(const char *isa, const sz_kernels **out);

#endif
