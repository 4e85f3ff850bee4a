/* Products of double matrices: every set of kernels gives the bits of the plain loops. */
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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_shape_has_the_bits_of_plain_loops)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
