/* Elementary functions: the errors that the headers state, on a sample of all floats and on doubles
 * where the functions are hardest; special values. test_math_long.c takes every float. */
#include "check.h"
#include "math_error.h"

#define CHECK_WORST(w, allowed)                                                                    \
    do {                                                                                           \
        if (!((w).ulp <= (allowed)))                                                               \
            fail_msg(#w ": %.4f ulp at %a", (w).ulp, (w).at);                                      \
    } while (0)

static void check_doubles(const double_errors *e) {
    CHECK_WORST(e->exp, ULP_EXP);
    CHECK_WORST(e->log, ULP_LOG);
    CHECK_WORST(e->sincos, ULP_SINCOS);
    CHECK_WORST(e->expm1, ULP_EXPM1);
    CHECK_WORST(e->log1p, ULP_LOG1P);
}

static void test_floats(void **state) {
    const sz_kernels *k;
    SZ_CHECK_OK(sz_kernels_get(NULL, &k));
    float_errors f = {0};
    double_errors d = {0};
    measure_range(k, 0, 1ull << 32, 8191, &f, &d);
    measure_range(k, 0x3f000000, 0x42d00000, 997, &f, NULL); /* 0.5 to 104: where both bend */
    measure_range(k, 0xbf000000, 0xc2d00000, 997, &f, NULL);
    CHECK_WORST(f.exp, ULP_EXP_FLOAT);
    CHECK_WORST(f.exp_tiny, ULP_EXP_FLOAT_TINY);
    CHECK_WORST(f.tanh, ULP_TANH_FLOAT);
    check_doubles(&d);
}

/* Doubles with all their digits: exp over its range, log and log1p around 1, angles up to 2^27, and
 * beside multiples of pi/2, where reduction cancels. */
static void test_doubles(void **state) {
    double_errors e = {0};
    for (uint64_t i = 0; i < 100000; i++) {
        double u = sz_uniform(3, 0, i), v = sz_uniform(3, 1, i);
        measure_double(1420.0 * u - 710.0, &e);
        measure_double(0.7 + 0.75 * u, &e);
        measure_double((u - 0.5) * ldexp(1.0, -(int)(40.0 * v)), &e);
        measure_double((u - 0.5) * 0x1p28, &e);
        measure_double((double)(int64_t)(u * 0x1p26) * 1.5707963267948966, &e);
        measure_double(ldexp(1.0 + u, (int)(2000.0 * v) - 1000), &e);
    }
    check_doubles(&e);
}

static void test_special_values(void **state) {
    assert_true(sz_exp(0.0) == 1.0 && sz_exp(-0.0) == 1.0);
    assert_true(sz_exp(INFINITY) == INFINITY && sz_exp(-INFINITY) == 0.0 && isnan(sz_exp(NAN)));
    assert_true(sz_exp(709.79) == INFINITY && sz_exp(709.78) < INFINITY);
    assert_true(sz_exp(-745.14) == 0.0 && sz_exp(-745.13) == 0x1p-1074);
    assert_true(sz_log(1.0) == 0.0 && sz_log(0.0) == -INFINITY && sz_log(-0.0) == -INFINITY);
    assert_true(sz_log(INFINITY) == INFINITY && isnan(sz_log(-1.0)) && isnan(sz_log(NAN)));
    SZ_CHECK_REL(sz_log(0x1p-1074), -744.4400719213812, 1e-15);
    assert_true(sz_expm1(0.0) == 0.0 && sz_log1p(0.0) == 0.0 && sz_log1p(-1.0) == -INFINITY);
    assert_true(sz_expm1(-INFINITY) == -1.0 && sz_log1p(INFINITY) == INFINITY);
    double sine, cosine;
    sz_sincos(0.0, &sine, &cosine);
    assert_true(sine == 0.0 && cosine == 1.0);
    sz_sincos(-1.0, &sine, &cosine);
    assert_true(sine < 0.0 && cosine > 0.0);
}

/* x^y as exp(y log x): the error of the logarithm grows with the exponent. */
static void test_powers(void **state) {
    assert_true(sz_pow(10.0, 0.0) == 1.0);
    for (uint64_t i = 0; i < 50000; i++) {
        double x = exp(30.0 * sz_uniform(5, 0, i) - 15.0), y = 4.0 * sz_uniform(5, 1, i) - 2.0;
        long double want = powl(x, y);
        double allowed = 2.0 + 2.0 * fabs(y * log(x));
        if (!(ulp_of_double(sz_pow(x, y), want) <= allowed))
            fail_msg("%a ^ %a", x, y);
    }
    for (int i = 0; i < 64; i++) /* the frequencies of rope */
        SZ_CHECK_REL(sz_pow(1e6, -i / 64.0), (double)powl(1e6L, -i / 64.0L), 4e-15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_special_values),
        cmocka_unit_test(test_powers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
