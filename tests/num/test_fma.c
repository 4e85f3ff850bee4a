/* The soft fused multiply-add gives the bits of libm's exact one, on hard cases and any bits. A
 * long test (test_math_long.c) runs hundreds of millions of cases. */
#include "check.h"
#include "fma_cases.h"
#include "num/fma.h"

static void test_soft_fma(void **state) {
    enum { CASES = 4000000 };
    uint64_t number = first_wrong_fma(sz_fmaf_soft, 0, CASES);
    if (number < CASES) {
        float x[3];
        fma_case(number, x);
        fail_msg("case %llu: %a * %a + %a = %a, not %a", (unsigned long long)number, (double)x[0],
                 (double)x[1], (double)x[2], (double)sz_fmaf_soft(x[0], x[1], x[2]),
                 (double)fmaf(x[0], x[1], x[2]));
    }
    assert_int_equal(first_wrong_fma(sz_fmaf, 0, CASES / 8), CASES / 8);
}

/* Cases that one rounding too many gets wrong: the sum in double would lie on a tie of floats. */
static float rounded_twice(float a, float b, float c) {
    return (float)((double)a * (double)b + (double)c);
}
static void test_cases_are_hard(void **state) {
    int wrong = 0;
    for (uint64_t from = 0; wrong < 100; wrong++) {
        from = first_wrong_fma(rounded_twice, from, 4000000) + 1;
        assert_true(from < 4000000);
    }
}

static void test_known_cases(void **state) {
    assert_true(sz_fmaf_soft(0x1.000002p0f, 0x1.000002p0f, -0x1.000004p0f) == 0x1p-46f);
    assert_true(sz_fmaf_soft(0x1.fffffep127f, 2.0f, -0x1.fffffep127f) == 0x1.fffffep127f);
    assert_true(sz_fmaf_soft(0x1p-149f, 0.5f, 0x1p-149f) == 0x1p-148f); /* a tie, to even */
    assert_true(sz_fmaf_soft(0x1p-149f, 0x1.fffffep-2f, 0x1p-149f) == 0x1p-149f);
    assert_true(1.0f / sz_fmaf_soft(-0.0f, 1.0f, -0.0f) == -INFINITY);
    assert_true(1.0f / sz_fmaf_soft(1.0f, -1.0f, 1.0f) == INFINITY);
    assert_true(isnan(sz_fmaf_soft(INFINITY, 0.0f, 1.0f)));
    assert_true(isnan(sz_fmaf_soft(INFINITY, 1.0f, -INFINITY)));
    assert_true(sz_fmaf_soft(INFINITY, 1.0f, 1.0f) == INFINITY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_soft_fma),
        cmocka_unit_test(test_cases_are_hard),
        cmocka_unit_test(test_known_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
