/* Matrices and rows of doubles: every set of kernels gives the bits of the plain loops. */
#include "each_isa.h"

enum { MOST = 40 };

static double a[MOST * MOST], b[MOST * MOST], want[MOST * MOST], got[MOST * MOST];

static void fill(double *x) {
    for (size_t i = 0; i < MOST * MOST; i++) {
        int32_t r = (int32_t)random_bits();
        x[i] = r % 7 == 0 ? 0.0 : (double)r * (r % 5 == 0 ? 0x1p-900 : 0x1p-31);
    }
}

static void plain(const sz_product_f64 *p) {
    for (size_t i = 0; i < p->n_rows; i++)
        for (size_t j = 0; j < p->n_cols; j++) {
            volatile double sum = p->add ? p->c[i * p->c_stride + j] : 0;
            for (size_t k = 0; k < p->depth; k++) {
                volatile double term =
                    p->a[i * p->a_row + k * p->a_col] * p->b[k * p->b_stride + j];
                sum = sum + term;
            }
            p->c[i * p->c_stride + j] = sum;
        }
}

static void every_shape_has_the_bits_of_plain_loops(void **state) {
    static const size_t rows[] = {1, 3, 4, 5, 8, 9, 17, 32}, depths[] = {0, 1, 2, 7, 32};
    for (int test = 0; test < 8 * 5 * 8; test++) {
        sz_product_f64 p = {
            .a = a, .b = b, .n_rows = rows[test % 8], .depth = depths[test / 8 % 5]};
        p.n_cols = 8 * (1 + (size_t)(test / 40) % 4);
        p.b_stride = p.n_cols + (size_t)test % 3;
        p.c_stride = p.n_cols + (size_t)test % 2;
        p.add = test & 1;
        p.a_row = test & 2 ? MOST : 1;
        p.a_col = test & 2 ? 1 : MOST;
        fill(a);
        fill(b);
        fill(want);
        for (const sz_kernels **k = each_isa(); *k; k++) {
            double start[MOST * MOST];
            memcpy(start, want, sizeof start);
            memcpy(got, want, sizeof got);
            p.c = got;
            (*k)->product_f64(&p);
            p.c = start;
            plain(&p);
            if (memcmp(got, start, sizeof got) != 0)
                fail_msg("%s: %zu x %zu x %zu differs", (*k)->isa, p.n_rows, p.depth, p.n_cols);
        }
    }
}

/* Values >= 0, subnormal ones and zeros among them. */
static void fill_positive(double *x) {
    for (size_t i = 0; i < MOST * MOST; i++) {
        uint64_t bits = (uint64_t)random_bits() << 31 | random_bits() >> 1;
        memcpy(x + i, &bits, sizeof bits);
        if (i % 9 == 0 || !(x[i] < 1e300))
            x[i] = i % 2 ? 0 : 0x1p-1060 * (double)(i + 1);
    }
}

static void rows_have_the_bits_of_plain_loops(void **state) {
    enum { CELLS = MOST * MOST };
    fill_positive(a);
    fill_positive(b);
    for (const sz_kernels **k = each_isa(); *k; k++) {
        memcpy(got, a, sizeof got);
        (*k)->multiply_f64(got, b, CELLS);
        for (size_t i = 0; i < CELLS; i++)
            want[i] = a[i] * b[i];
        assert_memory_equal(got, want, sizeof got);
        memcpy(got, a, sizeof got);
        (*k)->add_f64(got, b, CELLS);
        for (size_t i = 0; i < CELLS; i++)
            want[i] = a[i] + b[i];
        assert_memory_equal(got, want, sizeof got);
        memcpy(got, b, sizeof got);
        (*k)->ratio_f64(a, got, CELLS);
        for (size_t i = 0; i < CELLS; i++)
            want[i] = b[i] >= 0x1p-1022 ? a[i] / b[i] : 0;
        assert_memory_equal(got, want, sizeof got);
    }
}

static void rows_are_scaled_by_powers_of_two(void **state) {
    for (size_t width = 8; width <= MOST; width += 8) {
        fill_positive(a);
        memset(a, 0, width * sizeof *a); /* the first row */
        a[width] = 0x1p-1074;
        memset(a + width + 1, 0, (width - 1) * sizeof *a);
        for (const sz_kernels **k = each_isa(); *k; k++) {
            int64_t e[MOST] = {0};
            memcpy(got, a, sizeof got);
            (*k)->rescale_f64(got, MOST, width, e);
            assert_int_equal(e[0], 0);
            assert_int_equal(e[1], -1022);
            for (size_t row = 0; row < MOST; row++) {
                double most = 0;
                for (size_t i = 0; i < width; i++) {
                    double x = got[row * width + i];
                    assert_true(x == __builtin_ldexp(a[row * width + i], (int)-e[row]));
                    most = x > most ? x : most;
                }
                assert_true(row < 2 || (most >= 1 && most < 2));
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_has_the_bits_of_plain_loops),
        cmocka_unit_test(rows_have_the_bits_of_plain_loops),
        cmocka_unit_test(rows_are_scaled_by_powers_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
