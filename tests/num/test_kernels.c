/* Kernels: every instruction set gives the bits of the portable one, a token alone gives the bits
 * it has in a batch, and products agree with a double-precision reference. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "num/matrix.h"

static const sz_type types[] = {SZ_Q4_0,   SZ_Q4_1, SZ_Q5_0, SZ_Q5_1, SZ_Q8_0, SZ_IQ4_NL,
                                SZ_MXFP4,  SZ_Q2_K, SZ_Q3_K, SZ_Q4_K, SZ_Q5_K, SZ_Q6_K,
                                SZ_IQ4_XS, SZ_F32,  SZ_F16,  SZ_BF16};
enum { N_TYPES = sizeof types / sizeof *types };

static uint64_t counter;
static float uniform(void) {
    return (float)(2.0 * sz_uniform(7, 0, counter++) - 1.0);
}
static uint8_t random_byte(void) {
    return (uint8_t)(256.0 * sz_uniform(9, 1, counter++));
}

static float *random_floats(size_t n) {
    float *x = malloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = uniform() * 3.0f;
    return x;
}

/* Where the blocks of a type keep f16 scales; -1: nowhere. */
static int scale_offset(sz_type type, int which) {
    switch (type) {
    case SZ_Q2_K:
        return which ? 82 : 80;
    case SZ_Q3_K:
        return which ? -1 : 108;
    case SZ_Q6_K:
        return which ? -1 : 208;
    case SZ_Q4_1:
    case SZ_Q5_1:
    case SZ_Q4_K:
    case SZ_Q5_K:
        return which ? 2 : 0;
    case SZ_MXFP4:
    case SZ_F32:
    case SZ_F16:
    case SZ_BF16:
        return -1;
    default:
        return which ? -1 : 0;
    }
}

/* Random blocks: every bit pattern of the quants, sane scales. */
static uint8_t *random_matrix(sz_type type, size_t n_weights) {
    const sz_type_info *info = sz_type_get(type);
    size_t n_blocks = n_weights / info->block;
    uint8_t *m = malloc(n_blocks * info->block_bytes);
    for (size_t b = 0; b < n_blocks; b++) {
        uint8_t *block = m + b * info->block_bytes;
        for (size_t i = 0; i < info->block_bytes; i++)
            block[i] = random_byte();
        for (int which = 0; which < 2; which++) {
            uint16_t half = sz_f32_to_f16(0.02f * uniform());
            if (scale_offset(type, which) >= 0)
                memcpy(block + scale_offset(type, which), &half, 2);
        }
        float f = uniform();
        uint16_t h = type == SZ_F16 ? sz_f32_to_f16(f) : sz_f32_to_bf16(f);
        if (type == SZ_MXFP4)
            block[0] = (uint8_t)(110 + block[0] % 24);
        else if (type == SZ_F32)
            memcpy(block, &f, 4);
        else if (info->block == 1)
            memcpy(block, &h, 2);
    }
    return m;
}

typedef struct product_case {
    sz_type type;
    size_t n_rows, n_cols, n;
    const uint8_t *weights;
    const float *x;
} product_case;

static void multiply(const char *isa, int threads, const product_case *c, size_t batch, float *y) {
    const sz_kernels *k;
    sz_pool *pool;
    sz_arena *arena;
    sz_matrix m;
    SZ_CHECK_OK(sz_kernels_get(isa, &k));
    SZ_CHECK_OK(sz_pool_new(threads, &pool));
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    SZ_CHECK_OK(sz_matrix_pack(pool, c->type, c->n_rows, c->n_cols, c->weights, &m));
    for (size_t at = 0; at < c->n; at += batch) {
        size_t n = c->n - at < batch ? c->n - at : batch;
        sz_activations a = {
            .x = c->x + at * c->n_cols, .n = n, .n_cols = c->n_cols, .stride = c->n_cols};
        SZ_CHECK_OK(sz_matrix_multiply(k, pool, arena, &m, &a, y + at * c->n_rows, c->n_rows));
        sz_arena_reset(arena);
    }
    sz_matrix_free(&m);
    sz_arena_free(arena);
    sz_pool_free(pool);
}

/* Error of the whole product against dequantised double sums, relative to the Euclidean norm of all
 * terms w x: results that cancel weigh no more than others. */
static double error_of(const product_case *c, const float *y) {
    const sz_type_info *info = sz_type_get(c->type);
    float *row = malloc(c->n_cols * sizeof *row);
    double wrong = 0.0, all = 0.0;
    for (size_t r = 0; r < c->n_rows; r++) {
        info->dequantize(c->weights + r * (c->n_cols / info->block * info->block_bytes), row,
                         c->n_cols);
        for (size_t t = 0; t < c->n; t++) {
            double sum = 0.0;
            for (size_t i = 0; i < c->n_cols; i++) {
                double term = (double)row[i] * (double)c->x[t * c->n_cols + i];
                sum += term;
                all += term * term;
            }
            wrong += (sum - y[t * c->n_rows + r]) * (sum - y[t * c->n_rows + r]);
        }
    }
    free(row);
    return sqrt(wrong / all);
}

static void check_product(sz_type type, size_t n_rows, size_t n_cols, size_t n) {
    product_case c = {
        type, n_rows, n_cols, n, random_matrix(type, n_rows * n_cols), random_floats(n * n_cols)};
    size_t bytes = n * n_rows * sizeof(float);
    float *reference = malloc(bytes), *y = malloc(bytes);
    multiply("portable", 1, &c, n, reference);
    /* Rounding x to 8 bits moves a term by 4e-3 (one standard deviation); few results vary more. */
    bool integer = sz_type_get(type)->block > 1;
    double allowed = integer ? 5e-3 * (1.0 + 4.0 / sqrt((double)(n * n_rows))) : 1e-6;
    SZ_CHECK_ABS(error_of(&c, reference), 0.0, allowed);
    for (const char *const *isa = sz_isa_available(); *isa; isa++)
        for (size_t batch = 1; batch <= n; batch = batch * 3 + 1) {
            memset(y, 0, bytes);
            multiply(*isa, batch % 2 ? 2 : 3, &c, batch, y);
            assert_memory_equal(reference, y, bytes);
            assert_true(sz_isa_products(*isa) > 0);
        }
    free((void *)c.weights);
    free((void *)c.x);
    free(reference);
    free(y);
}

static void test_products(void **state) {
    for (size_t i = 0; i < N_TYPES; i++) {
        size_t block = sz_type_get(types[i])->block;
        check_product(types[i], 1, block, 1);
        check_product(types[i], 37, block == 256 ? 512 : 96, 23);
        check_product(types[i], 16, block == 1 ? 7 : 256, 9);
    }
}

static void test_wide_product(void **state) {
    check_product(SZ_Q4_1, 130, 1600, 130);
}

/* ---- Rows, attention, statistics: all instruction sets against the portable one -----------------
 */

typedef void (*row_check)(const sz_kernels *k, const float *x, size_t n, float *out);

static void apply_rows(const sz_kernels *k, const float *x, size_t n, float *out) {
    uint16_t half[1024];
    k->add(x, x + 1, n, out);
    k->scale(x, 1.7f, n, out + 1000);
    k->silu_mul(x, x + 3, n, out + 2000);
    k->gelu_mul(x, x + 3, n, out + 3000);
    k->exp(x, n, out + 4000);
    k->tanh(x, n, out + 5000);
    k->rms_norm(x, x + 5, 1e-5f, n, out + 6000);
    k->to_f16(x, n, half);
    k->from_f16(half, n, out + 7000);
    memcpy(out + 8000, x, n * sizeof *x);
    k->rotate_halves(out + 8000, x + 1, x + 2, n / 2);
    memcpy(out + 9000, x, n * sizeof *x);
    k->merge(out + 9000, 0.3f, x + 7, 0.9f, n);
}

static void apply_attention(const sz_kernels *k, const float *x, size_t n, float *out) {
    size_t dim = n < 16 ? 16 : n / 16 * 16;
    dim = dim > 128 ? 128 : dim;
    float scores[SZ_QUERY_MAX][SZ_KV_BLOCK], max, sum;
    uint16_t half[128 * 64];
    k->to_f16(x, 128 * 64, half);
    for (int f16 = 0; f16 < 2; f16++)
        for (int q = 1; q <= SZ_QUERY_MAX; q++) {
            const float *queries[] = {x, x + 200, x + 400, x + 600};
            float *mix[] = {out, out + 200, out + 400, out + 600};
            const void *block = f16 ? (const void *)half : (const void *)x;
            k->attend_scores(queries, q, block, f16, dim, scores);
            for (int i = 0; i < q; i++) {
                k->attend_softmax(scores[i], i, 64 - 3 * i, &max, &sum);
                *out++ = max;
                *out++ = sum;
            }
            k->attend_mix(scores, q, block, f16, dim, 61, mix);
            out += 1000;
        }
}

static void check_rows(row_check check, size_t n) {
    enum { OUT = 16384 };
    float *x = random_floats(16384), *reference = calloc(OUT, 4), *out = calloc(OUT, 4);
    const sz_kernels *k;
    SZ_CHECK_OK(sz_kernels_get("portable", &k));
    check(k, x, n, reference);
    for (const char *const *isa = sz_isa_available(); *isa; isa++) {
        SZ_CHECK_OK(sz_kernels_get(*isa, &k));
        memset(out, 0, OUT * sizeof *out);
        check(k, x, n, out);
        assert_memory_equal(reference, out, OUT * sizeof *out);
    }
    free(x);
    free(reference);
    free(out);
}

static void test_rows(void **state) {
    for (size_t n = 1; n < 1000; n = n * 2 + 1)
        check_rows(apply_rows, n);
}

static void test_attention(void **state) {
    for (size_t n = 16; n <= 128; n += 16)
        check_rows(apply_attention, n);
}

static void check_stats(size_t n, float spread) {
    float *z = malloc(n * sizeof *z);
    for (size_t i = 0; i < n; i++)
        z[i] = spread * uniform();
    z[n / 2] = n > 2 ? -INFINITY : z[n / 2];
    double max = -INFINITY, sum = 0.0, h = 0.0, v = 0.0;
    for (size_t i = 0; i < n; i++)
        max = z[i] > max ? z[i] : max;
    for (size_t i = 0; i < n; i++)
        sum += exp(z[i] - max);
    double lse = max + log(sum);
    for (size_t i = 0; i < n; i++)
        h += z[i] > -INFINITY ? -exp(z[i] - lse) * (z[i] - lse) : 0.0;
    for (size_t i = 0; i < n; i++)
        v += z[i] > -INFINITY ? exp(z[i] - lse) * (z[i] - lse + h) * (z[i] - lse + h) : 0.0;
    sz_softmax_stats first, s;
    for (const char *const *isa = sz_isa_available(); *isa; isa++) {
        const sz_kernels *k;
        SZ_CHECK_OK(sz_kernels_get(*isa, &k));
        memset(&s, 0, sizeof s);
        k->softmax_stats(z, n, 1.0f, &s);
        SZ_CHECK_ABS(s.lse, lse, 4e-6);
        SZ_CHECK_ABS(s.entropy, h, 4e-6);
        SZ_CHECK_ABS(s.varentropy, v, 2e-5 * (1.0 + v));
        assert_true(z[s.argmax] == (float)max && !s.has_nan);
        if (isa != sz_isa_available())
            assert_true(s.lse == first.lse && s.entropy == first.entropy &&
                        s.varentropy == first.varentropy && s.argmax == first.argmax);
        first = s;
    }
    free(z);
}

static void test_stats(void **state) {
    for (size_t n = 1; n < 70000; n = n * 3 + 2)
        for (float spread = 0.01f; spread < 100.0f; spread *= 30.0f)
            check_stats(n, spread);
}

static void test_stats_of_bad_rows(void **state) {
    const float bad[] = {NAN, INFINITY};
    for (const char *const *isa = sz_isa_available(); *isa; isa++) {
        const sz_kernels *k;
        sz_softmax_stats s;
        SZ_CHECK_OK(sz_kernels_get(*isa, &k));
        for (int i = 0; i < 2; i++)
            for (size_t at = 0; at < 40; at += 13) {
                float z[40] = {0};
                z[at] = bad[i];
                k->softmax_stats(z, 40, 1.0f, &s);
                assert_true(s.has_nan);
            }
        float none[3] = {-INFINITY, -INFINITY, -INFINITY};
        k->softmax_stats(none, 3, 1.0f, &s);
        assert_true(s.has_nan);
    }
}

static void test_dispatch(void **state) {
    const sz_kernels *k = NULL;
    assert_int_equal(sz_kernels_get("sse9", &k), SZ_E_UNSUPPORTED);
    assert_non_null(strstr(sz_last_error(), "sse9"));
    assert_null(k);
    SZ_CHECK_OK(sz_kernels_get("portable", &k));
    assert_string_equal(k->isa, "portable");
}

static void test_pack_errors(void **state) {
    sz_pool *pool;
    sz_matrix m;
    uint8_t bytes[256] = {0};
    SZ_CHECK_OK(sz_pool_new(1, &pool));
    assert_int_equal(sz_matrix_pack(pool, SZ_I32, 1, 4, bytes, &m), SZ_E_UNSUPPORTED);
    assert_int_equal(sz_matrix_pack(pool, SZ_Q4_0, 1, 33, bytes, &m), SZ_E_ARG);
    sz_pool_free(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products), cmocka_unit_test(test_wide_product),
        cmocka_unit_test(test_rows),     cmocka_unit_test(test_attention),
        cmocka_unit_test(test_stats),    cmocka_unit_test(test_stats_of_bad_rows),
        cmocka_unit_test(test_dispatch), cmocka_unit_test(test_pack_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
