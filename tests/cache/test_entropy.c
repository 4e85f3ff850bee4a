/* test_entropy.c: truncated matrix entropy: closed forms, bounds and what it does not depend on. */
#include "check.h"

#include <math.h>
#include <string.h>

#include <szilard/unstable/cache.h>

enum { MOST = 40, DIM = 12 };

static float x[MOST * DIM], y[MOST * DIM];

static void random_rows(uint64_t seed, size_t rows, size_t columns) {
    for (size_t i = 0; i < rows * columns; i++)
        x[i] = (float)(4 * sz_uniform(seed, i % columns, i / columns) - 2 + (double)(i % columns));
}

static void the_entropy_is_within_its_bounds(void **state) {
    for (uint64_t seed = 0; seed < 100; seed++) {
        size_t rows = 2 + seed % (MOST - 1), columns = 1 + seed % DIM;
        double values[DIM], sum = 0, last = 0;
        sz_matrix_entropy e;
        random_rows(seed, rows, columns);
        for (size_t k = 1; k <= columns; k++) {
            SZ_CHECK_OK(sz_matrix_entropy_of_rows(x, rows, columns, k, values, &e));
            assert_true(e.k == k && e.truncated >= last && e.truncated <= e.full + 1e-12);
            SZ_CHECK_REL(e.effective_rank, exp(e.truncated), 1e-12);
            last = e.truncated;
        }
        SZ_CHECK_ABS(e.truncated, e.full, 1e-12);
        size_t most = rows - 1 < columns ? rows - 1 : columns;
        assert_true(e.full <= log((double)most) + 1e-6);
        for (size_t i = 0; i < columns; i++) {
            assert_true(values[i] >= 0 && (i == 0 || values[i] <= values[i - 1]));
            sum += values[i];
        }
        SZ_CHECK_ABS(sum, 1.0, 1e-12);
        SZ_CHECK_OK(sz_matrix_entropy_of_rows(x, rows, columns, 0, NULL, &e));
        assert_int_equal(e.k, e.elbow + 1);
    }
}

/* y = x turned in the plane of two columns. */
static void rotations_change_nothing(void **state) {
    enum { N = 30, D = 8 };
    sz_matrix_entropy a, b;
    random_rows(5, N, D);
    memcpy(y, x, sizeof y);
    for (size_t i = 0; i < N; i++) {
        double c = cos(0.7), s = sin(0.7), p = (double)x[i * D + 1], q = (double)x[i * D + 6];
        y[i * D + 1] = (float)(c * p - s * q);
        y[i * D + 6] = (float)(s * p + c * q);
    }
    SZ_CHECK_OK(sz_matrix_entropy_of_rows(x, N, D, 3, NULL, &a));
    SZ_CHECK_OK(sz_matrix_entropy_of_rows(y, N, D, 3, NULL, &b));
    SZ_CHECK_ABS(a.truncated, b.truncated, 1e-6);
    for (size_t i = 0; i < N * D; i++) /* scaled and moved */
        y[i] = 3.0f * x[i] + (float)(i % D);
    SZ_CHECK_OK(sz_matrix_entropy_of_rows(y, N, D, 3, NULL, &b));
    SZ_CHECK_ABS(a.truncated, b.truncated, 1e-6);
}

static void equal_rows_have_rank_one(void **state) {
    sz_matrix_entropy e;
    double values[DIM];
    for (size_t rows = 1; rows <= MOST; rows += 13) {
        for (size_t i = 0; i < rows * DIM; i++)
            x[i] = 0.1f * (float)(i % DIM) - 0.37f;
        SZ_CHECK_OK(sz_matrix_entropy_of_rows(x, rows, DIM, 4, values, &e));
        assert_true(e.truncated == 0 && e.full == 0 && e.effective_rank == 1 && values[0] == 0);
    }
    memset(x, 0, sizeof x);
    SZ_CHECK_OK(sz_matrix_entropy_of_rows(x, 7, 1, 0, NULL, &e));
    assert_true(e.effective_rank == 1 && e.relative == 0);
}

static void bad_input_is_told(void **state) {
    sz_matrix_entropy e;
    random_rows(1, 10, 4);
    assert_int_equal(sz_matrix_entropy_of_rows(x, 10, 4, 5, NULL, &e), SZ_E_ARG);
    assert_int_equal(sz_matrix_entropy_of_rows(x, 0, 4, 1, NULL, &e), SZ_E_ARG);
    assert_int_equal(sz_matrix_entropy_of_rows(x, 10, 0, 0, NULL, &e), SZ_E_ARG);
    x[9] = NAN;
    assert_int_equal(sz_matrix_entropy_of_rows(x, 10, 4, 1, NULL, &e), SZ_E_NAN);
    x[9] = INFINITY;
    assert_int_equal(sz_matrix_entropy_of_rows(x, 10, 4, 1, NULL, &e), SZ_E_NAN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_entropy_is_within_its_bounds),
        cmocka_unit_test(rotations_change_nothing),
        cmocka_unit_test(equal_rows_have_rank_one),
        cmocka_unit_test(bad_input_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
