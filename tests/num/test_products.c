/* Products of matrices: for every storage type, shape and number of tokens, every set of kernels
 * gives the bits of the contract written out in plain C (canonical.h). */
#include "each_isa.h"

#include "canonical.h"
#include "num/matrix.h"

static const sz_type types[] = {SZ_Q4_0,   SZ_Q4_1, SZ_Q5_0, SZ_Q5_1, SZ_Q8_0, SZ_IQ4_NL,
                                SZ_MXFP4,  SZ_Q2_K, SZ_Q3_K, SZ_Q4_K, SZ_Q5_K, SZ_Q6_K,
                                SZ_IQ4_XS, SZ_F32,  SZ_F16,  SZ_BF16};
enum { N_TYPES = sizeof types / sizeof *types };

/* Bytes of a half in the block that holds a scale: 0.05 in size, or any. */
static void put_scale(uint8_t *block, int at, bool wild) {
    uint16_t half = wild ? (uint16_t)random_bits() : sz_f32_to_f16(0.05f * uniform());
    memcpy(block + at, &half, sizeof half);
}

/* Every bit pattern of the quants; scales sane unless wild. */
static void random_block(sz_type type, uint8_t *block, bool wild) {
    const sz_type_info *info = sz_type_get(type);
    for (size_t i = 0; i < info->block_bytes; i++)
        block[i] = (uint8_t)random_bits();
    float f = wild ? from_bits(random_bits()) : uniform();
    switch (type) {
    case SZ_F32:
        memcpy(block, &f, sizeof f);
        break;
    case SZ_F16:
        if (!wild)
            info->quantize(&f, block, 1);
        break;
    case SZ_BF16:
        if (!wild)
            info->quantize(&f, block, 1);
        break;
    case SZ_MXFP4:
        block[0] = wild ? block[0] : (uint8_t)(118 + block[0] % 10);
        break;
    case SZ_Q2_K:
        put_scale(block, 80, wild);
        put_scale(block, 82, wild);
        break;
    case SZ_Q3_K:
        put_scale(block, 108, wild);
        break;
    case SZ_Q6_K:
        put_scale(block, 208, wild);
        break;
    case SZ_Q4_1:
    case SZ_Q5_1:
    case SZ_Q4_K:
    case SZ_Q5_K:
        put_scale(block, 2, wild); /* fall through */
    default:
        put_scale(block, 0, wild);
        break;
    }
}

typedef struct shape {
    sz_type type;
    size_t n_rows, n_cols, n;  /* n tokens */
    size_t x_stride, y_stride; /* floats per token */
    size_t row_bytes;
} shape;

typedef struct problem {
    shape s;
    uint8_t *weights; /* at an odd address */
    float *x, *want, *y;
} problem;

static problem make_problem(shape s, bool wild) {
    const sz_type_info *info = sz_type_get(s.type);
    problem p = {.s = s};
    p.s.row_bytes = s.n_cols / info->block * info->block_bytes;
    p.weights = (uint8_t *)malloc(s.n_rows * p.s.row_bytes + 1) + 1;
    for (size_t at = 0; at < s.n_rows * p.s.row_bytes; at += info->block_bytes)
        random_block(s.type, p.weights + at, wild);
    p.x = malloc((s.n * s.x_stride + 1) * sizeof *p.x);
    (wild ? any_floats : hard_floats)(p.x, s.n * s.x_stride + 1);
    p.want = malloc(s.n * s.n_rows * sizeof *p.want);
    p.y = malloc(s.n * s.y_stride * sizeof *p.y);
    for (size_t t = 0; t < s.n; t++)
        for (size_t r = 0; r < s.n_rows; r++)
            p.want[t * s.n_rows + r] = canonical_product(s.type, p.weights + r * p.s.row_bytes,
                                                         s.n_cols, p.x + 1 + t * s.x_stride);
    return p;
}

static void free_problem(problem *p) {
    free(p->weights - 1);
    free(p->x);
    free(p->want);
    free(p->y);
}

/* Tokens [first, first + n) of the problem in one product. */
static void multiply(const sz_kernels *k, sz_pool *pool, sz_arena *arena, const sz_matrix *m,
                     problem *p, size_t first, size_t n) {
    sz_activations a = {.x = p->x + 1 + first * p->s.x_stride,
                        .n = n,
                        .n_cols = p->s.n_cols,
                        .stride = p->s.x_stride};
    SZ_CHECK_OK(
        sz_matrix_multiply(k, pool, arena, m, &a, p->y + first * p->s.y_stride, p->s.y_stride));
    sz_arena_reset(arena);
}

static void compare(const problem *p, const sz_kernels *k, size_t batch) {
    for (size_t t = 0; t < p->s.n; t++)
        for (size_t r = 0; r < p->s.y_stride; r++) {
            float got = p->y[t * p->s.y_stride + r];
            if (r >= p->s.n_rows) {
                assert_int_equal(memcmp(&got, "\xa5\xa5\xa5\xa5", 4), 0); /* not touched */
                continue;
            }
            float want = p->want[t * p->s.n_rows + r];
            if (!same_float(got, want))
                fail_msg("%s %s %zu x %zu, %zu at a time: row %zu of token %zu is %a, not %a",
                         k->isa, sz_type_get(p->s.type)->name, p->s.n_rows, p->s.n_cols, batch, r,
                         t, (double)got, (double)want);
        }
}

/* The problem's tokens in batches of `batch`, for every set of kernels. */
static void check_batches(problem *p, int threads, size_t batch) {
    sz_pool *pool;
    sz_arena *arena;
    sz_matrix m;
    SZ_CHECK_OK(sz_pool_new(threads, &pool));
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    SZ_CHECK_OK(sz_matrix_pack(pool, p->s.type, p->s.n_rows, p->s.n_cols, p->weights, &m));
    for (const sz_kernels **k = each_isa(); *k; k++) {
        memset(p->y, 0xa5, p->s.n * p->s.y_stride * sizeof *p->y);
        for (size_t first = 0; first < p->s.n; first += batch)
            multiply(*k, pool, arena, &m, p, first,
                     p->s.n - first < batch ? p->s.n - first : batch);
        compare(p, *k, batch);
        assert_true(sz_isa_products((*k)->isa) > 0);
    }
    sz_matrix_free(&m);
    sz_arena_free(arena);
    sz_pool_free(pool);
}

static void check_shape(sz_type type, size_t n_rows, size_t n_cols, size_t n, bool wild) {
    problem p = make_problem((shape){.type = type,
                                     .n_rows = n_rows,
                                     .n_cols = n_cols,
                                     .n = n,
                                     .x_stride = n_cols + 3,
                                     .y_stride = n_rows + 5},
                             wild);
    check_batches(&p, 1, n);
    check_batches(&p, 2, 1);
    for (size_t batch = 2; batch < n; batch += batch < 8 ? 1 : 5)
        check_batches(&p, 1 + (int)(batch % 3), batch);
    free_problem(&p);
}

static void test_widths_and_rows(void **state) {
    static const size_t of_floats[] = {1, 2, 7, 31, 33, 100}, of_32[] = {32, 64, 96, 224, 288},
                        of_256[] = {256, 512, 768, 256, 256}, rows[] = {1, 2, 15, 16, 17, 37};
    for (size_t i = 0; i < N_TYPES; i++) {
        size_t block = sz_type_get(types[i])->block;
        const size_t *widths = block == 1 ? of_floats : block == 32 ? of_32 : of_256;
        for (size_t w = 0; w < (block == 1 ? 6 : block == 32 ? 5 : 3); w++)
            for (size_t r = 0; r < 6; r++)
                check_shape(types[i], rows[r], widths[w], 1 + (w + r) % 3, false);
    }
}

static void test_numbers_of_tokens(void **state) {
    for (size_t i = 0; i < N_TYPES; i++) {
        size_t block = sz_type_get(types[i])->block;
        for (size_t n = 1; n <= 8; n++)
            check_shape(types[i], 19, block == 1 ? 5 : 256, n, false);
        check_shape(types[i], 21, block == 1 ? 40 : 256, 39, false);
        check_shape(types[i], 48, block == 1 ? 64 : 512, 23, false);
    }
}

/* Long prompts, and the rows of the largest vocabularies. */
static void test_large(void **state) {
    for (size_t i = 0; i < N_TYPES; i++) {
        size_t block = sz_type_get(types[i])->block, n_cols = block == 1 ? 33 : block;
        problem p = make_problem((shape){.type = types[i],
                                         .n_rows = 17,
                                         .n_cols = n_cols,
                                         .n = 1000,
                                         .x_stride = n_cols,
                                         .y_stride = 17},
                                 false);
        check_batches(&p, 2, 1000);
        free_problem(&p);
    }
    static const sz_type of_heads[] = {SZ_Q8_0, SZ_F16};
    for (size_t i = 0; i < sizeof of_heads / sizeof *of_heads; i++) {
        problem p = make_problem((shape){.type = of_heads[i],
                                         .n_rows = 300000,
                                         .n_cols = 32,
                                         .n = 1,
                                         .x_stride = 32,
                                         .y_stride = 300000},
                                 false);
        check_batches(&p, 2, 1);
        free_problem(&p);
    }
}

static void test_any_bits(void **state) {
    for (size_t i = 0; i < N_TYPES; i++)
        for (size_t n = 1; n < 40; n = 2 * n + 1)
            check_shape(types[i], 20, sz_type_get(types[i])->block == 1 ? 9 : 256, n, true);
}

/* Outliers in one group of seven at random: their groups have second digits, and the bits still do
 * not depend on what is computed together. */
static void test_outliers(void **state) {
    for (size_t i = 0; i < N_TYPES; i++) {
        size_t n_cols = 1024, n = 21, n_second = 0;
        bool second[1024 / 32];
        problem p = make_problem((shape){.type = types[i],
                                         .n_rows = 19,
                                         .n_cols = n_cols,
                                         .n = n,
                                         .x_stride = n_cols,
                                         .y_stride = 19},
                                 false);
        for (size_t at = 0; at < n * n_cols + 1; at++)
            p.x[at] = uniform() * (random_bits() % 224 == 0 ? 80.0f : 1.0f);
        for (size_t t = 0; t < n; t++) {
            canonical_second(p.x + 1 + t * n_cols, n_cols / 32, second);
            for (size_t g = 0; g < n_cols / 32; g++)
                n_second += second[g];
            for (size_t r = 0; r < 19; r++)
                p.want[t * 19 + r] = canonical_product(types[i], p.weights + r * p.s.row_bytes,
                                                       n_cols, p.x + 1 + t * n_cols);
        }
        assert_in_range(n_second, n, n * (n_cols / 32) / 6);
        for (size_t batch = 1; batch <= n; batch += batch < 9 ? 1 : 6)
            check_batches(&p, 1 + (int)(batch % 3), batch);
        free_problem(&p);
    }
}

/* The largest sums: all quants and activations at their ends, where pairs of products would not fit
 * 16 bits. */
static void test_extreme_sums(void **state) {
    for (size_t i = 0; i < N_TYPES; i++)
        for (int sign = -1; sign <= 1; sign += 2)
            for (int fill = 0; fill < 4; fill++) {
                static const uint8_t fills[] = {0x00, 0x7f, 0x80, 0xff};
                problem p = make_problem((shape){.type = types[i],
                                                 .n_rows = 16,
                                                 .n_cols = 256,
                                                 .n = 1,
                                                 .x_stride = 256,
                                                 .y_stride = 16},
                                         false);
                memset(p.weights, fills[fill], 16 * p.s.row_bytes);
                for (size_t at = 0; at < 257; at++)
                    p.x[at] = (float)sign;
                for (size_t r = 0; r < 16; r++)
                    p.want[r] =
                        canonical_product(types[i], p.weights + r * p.s.row_bytes, 256, p.x + 1);
                check_batches(&p, 1, 1);
                free_problem(&p);
            }
}

/* The contract's integers and scales are those that the decoders give (bit for bit with the vectors
 * of test_formats.c). */
static void test_the_contract_decodes(void **state) {
    for (size_t i = 0; i < N_TYPES; i++) {
        const sz_type_info *info = sz_type_get(types[i]);
        for (int repeat = 0; repeat < 200 && info->block > 1; repeat++) {
            uint8_t block[256];
            float weights[256];
            random_block(types[i], block, false);
            info->dequantize(block, weights, info->block);
            for (uint32_t at = 0; at < info->block; at += 32) {
                canonical_group g = canonical_weights(types[i], block, (int)at / 32);
                for (int c = 0; c < 32; c++) {
                    float w = g.d[c / 16] * (float)g.w[c];
                    w += g.minima ? g.m[c / 16] : 0.0f;
                    assert_true(w == weights[at + (uint32_t)c]);
                }
            }
        }
    }
}

/* Rows read back from panels are those that the decoders give from the file's blocks. */
static void test_rows_of_panels(void **state) {
    sz_pool *pool;
    SZ_CHECK_OK(sz_pool_new(2, &pool));
    for (size_t i = 0; i < N_TYPES; i++) {
        const sz_type_info *info = sz_type_get(types[i]);
        enum { ROWS = 37, COLS = 512 };
        size_t row_bytes = COLS / info->block * info->block_bytes;
        uint8_t *weights = malloc(ROWS * row_bytes);
        float got[COLS], want[COLS];
        sz_matrix m;
        for (size_t at = 0; at < ROWS * row_bytes; at += info->block_bytes)
            random_block(types[i], weights + at, false);
        SZ_CHECK_OK(sz_matrix_pack(pool, types[i], ROWS, COLS, weights, &m));
        for (const sz_kernels **k = each_isa(); *k; k++)
            for (size_t r = 0; r < ROWS; r++) {
                info->dequantize(weights + r * row_bytes, want, COLS);
                sz_matrix_decode_row(*k, &m, r, got);
                assert_memory_equal(got, want, sizeof want);
            }
        sz_matrix_free(&m);
        free(weights);
    }
    sz_pool_free(pool);
}

/* A panel holds no more bytes than the file's blocks of its rows. */
static void test_panels_are_no_larger_than_the_file(void **state) {
    sz_pool *pool;
    SZ_CHECK_OK(sz_pool_new(1, &pool));
    for (size_t i = 0; i < N_TYPES; i++) {
        const sz_type_info *info = sz_type_get(types[i]);
        size_t file_bytes = 32 * (1024 / info->block * info->block_bytes);
        uint8_t *weights = calloc(1, file_bytes);
        sz_matrix m;
        SZ_CHECK_OK(sz_matrix_pack(pool, types[i], 32, 1024, weights, &m));
        assert_true(m.bytes <= file_bytes);
        sz_matrix_free(&m);
        free(weights);
    }
    sz_pool_free(pool);
}

static void test_pack_errors(void **state) {
    sz_pool *pool;
    sz_matrix m;
    uint8_t bytes[512] = {0};
    SZ_CHECK_OK(sz_pool_new(1, &pool));
    assert_int_equal(sz_matrix_pack(pool, SZ_I32, 1, 4, bytes, &m), SZ_E_UNSUPPORTED);
    assert_non_null(strstr(sz_last_error(), "I32"));
    assert_int_equal(sz_matrix_pack(pool, (sz_type)77, 1, 4, bytes, &m), SZ_E_UNSUPPORTED);
    assert_int_equal(sz_matrix_pack(pool, SZ_Q4_0, 1, 33, bytes, &m), SZ_E_ARG);
    assert_int_equal(sz_matrix_pack(pool, SZ_Q4_K, 1, 128, bytes, &m), SZ_E_ARG);
    assert_int_equal(sz_matrix_pack(pool, SZ_F32, 0, 4, bytes, &m), SZ_E_ARG);
    assert_int_equal(sz_matrix_pack(pool, SZ_F32, 4, 0, bytes, &m), SZ_E_ARG);
    sz_pool_free(pool);
}

static void test_columns_must_fit(void **state) {
    const sz_kernels *k;
    sz_pool *pool;
    sz_arena *arena;
    sz_matrix m;
    float x[64] = {0}, y[4];
    SZ_CHECK_OK(sz_kernels_get("portable", &k));
    SZ_CHECK_OK(sz_pool_new(1, &pool));
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    SZ_CHECK_OK(sz_matrix_pack(pool, SZ_F32, 4, 16, x, &m));
    sz_activations a = {.x = x, .n = 1, .n_cols = 8, .stride = 8};
    assert_int_equal(sz_matrix_multiply(k, pool, arena, &m, &a, y, 4), SZ_E_ARG);
    sz_matrix_free(&m);
    sz_arena_free(arena);
    sz_pool_free(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_contract_decodes),
        cmocka_unit_test(test_widths_and_rows),
        cmocka_unit_test(test_numbers_of_tokens),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_any_bits),
        cmocka_unit_test(test_outliers),
        cmocka_unit_test(test_extreme_sums),
        cmocka_unit_test(test_rows_of_panels),
        cmocka_unit_test(test_panels_are_no_larger_than_the_file),
        cmocka_unit_test(test_pack_errors),
        cmocka_unit_test(test_columns_must_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
