/* Products of float matrices: every instruction set, cutting and thread count gives the chain of
 * fused multiply-adds over the depth in order. */
#include "each_isa.h"

#include <math.h>

#include "num/gemm.h"

typedef struct shape {
    size_t n_rows, n_cols, depth;
} shape;

static const shape shapes[] = {{1, 1, 1},    {1, 40, 7},     {14, 32, 16},  {15, 33, 17},
                               {5, 700, 3},  {130, 70, 300}, {3, 4100, 5},  {64, 64, 513},
                               {113, 31, 2}, {29, 97, 256},  {20, 530, 260}};

static float *filled(size_t n) {
    float *x = sz_alloc((n + 1) * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = uniform();
    return x;
}

static void chain(const sz_gemm *p, float *c) {
    for (size_t i = 0; i < p->n_rows; i++)
        for (size_t j = 0; j < p->n_cols; j++) {
            float sum = p->add ? c[i * p->c_stride + j] : 0;
            for (size_t k = 0; k < p->depth; k++)
                sum = fmaf(p->a.at[i * p->a.row + k * p->a.col],
                           p->b.at[k * p->b.row + j * p->b.col], sum);
            c[i * p->c_stride + j] = sum;
        }
}

/* turned: bit 0 for a, bit 1 for b. */
static void check_shape(const shape *s, int turned, bool add, sz_pool *pool) {
    size_t stride = s->n_cols + 3, n = s->n_rows * stride;
    float *a = filled(s->n_rows * s->depth), *b = filled(s->depth * s->n_cols);
    float *start = filled(n), *want = filled(n), *got = filled(n);
    sz_gemm p = {s->n_rows,         s->n_cols, s->depth, {a, s->depth, 1},
                 {b, s->n_cols, 1}, got,       stride,   add};
    if (turned & 1)
        p.a = (sz_matrix_view){a, 1, s->n_rows};
    if (turned & 2)
        p.b = (sz_matrix_view){b, 1, s->depth};
    memcpy(want, start, n * sizeof *want);
    chain(&p, want);
    sz_arena *arena;
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    float *scratch = sz_alloc(sz_gemm_scratch() * sizeof *scratch);
    for (const sz_kernels **k = each_isa(); *k; k++) {
        memcpy(got, start, n * sizeof *got);
        SZ_CHECK_OK(sz_gemm_run(*k, pool, arena, &p));
        assert_memory_equal(got, want, n * sizeof *got); /* what lies between rows stays */
        memcpy(got, start, n * sizeof *got);
        sz_gemm_alone(*k, scratch, &p);
        assert_memory_equal(got, want, n * sizeof *got);
    }
    sz_free(scratch);
    sz_arena_free(arena);
    float *all[] = {a, b, start, want, got};
    for (size_t i = 0; i < 5; i++)
        sz_free(all[i]);
}

static void test_shapes(void **state) {
    for (int threads = 1; threads <= 3; threads++) {
        sz_pool *pool;
        SZ_CHECK_OK(sz_pool_new(threads, &pool));
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
            check_shape(&shapes[i], (int)(i + (size_t)threads) & 3, i & 1, pool);
        sz_pool_free(pool);
    }
}

static void test_both_ways_round(void **state) {
    sz_pool *pool;
    SZ_CHECK_OK(sz_pool_new(2, &pool));
    for (int turned = 0; turned < 4; turned++)
        check_shape(&(shape){61, 530, 270}, turned, turned & 1, pool);
    sz_pool_free(pool);
}

/* Nothing to sum: zeros, or what stood there. */
static void test_no_depth(void **state) {
    sz_arena *arena;
    sz_pool *pool;
    const sz_kernels *k;
    float c[6] = {1, 2, 3, 4, 5, 6};
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    SZ_CHECK_OK(sz_pool_new(1, &pool));
    SZ_CHECK_OK(sz_kernels_get(NULL, &k));
    sz_gemm p = {.n_rows = 2, .n_cols = 2, .c = c, .c_stride = 3, .add = true};
    SZ_CHECK_OK(sz_gemm_run(k, pool, arena, &p));
    assert_true(c[0] == 1 && c[4] == 5);
    p.add = false;
    SZ_CHECK_OK(sz_gemm_run(k, pool, arena, &p));
    assert_true(c[0] == 0 && c[1] == 0 && c[2] == 3 && c[3] == 0 && c[4] == 0 && c[5] == 6);
    sz_pool_free(pool);
    sz_arena_free(arena);
}

/* Dots and sums are the canonical ones: 16 lanes and the tree. */
static float tree(float lanes[16]) {
    for (int half = 8; half; half /= 2)
        for (int i = 0; i < half; i++)
            lanes[i] += lanes[i + half];
    return lanes[0];
}

static void test_sums(void **state) {
    for (size_t n = 1; n < 300; n += 1 + n / 9) {
        float *a = filled(n), *b = filled(n), dot[16] = {0}, sum[16] = {0}, *product = filled(n);
        for (size_t i = 0; i < n; i++) {
            dot[i % 16] = fmaf(a[i], b[i], dot[i % 16]);
            sum[i % 16] += a[i];
        }
        float want_dot = tree(dot), want_sum = tree(sum);
        for (const sz_kernels **k = each_isa(); *k; k++) {
            assert_true((*k)->dot(a, b, n) == want_dot);
            assert_true((*k)->sum(a, n) == want_sum);
            (*k)->mul(a, b, n, product);
            for (size_t i = 0; i < n; i++)
                assert_true(product[i] == a[i] * b[i]);
        }
        sz_free(a);
        sz_free(b);
        sz_free(product);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_both_ways_round),
        cmocka_unit_test(test_no_depth),
        cmocka_unit_test(test_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
