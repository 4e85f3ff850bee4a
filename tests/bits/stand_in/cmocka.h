/* cmocka.h: stands in for cmocka where it is not there for the processor that is compiled for: the
 * part that tests of kernels use. A failure ends the program. */
#ifndef SZ_TESTS_STAND_IN_CMOCKA_H
#define SZ_TESTS_STAND_IN_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*test)(void **state);
};

#define cmocka_unit_test(f)                                                                        \
    { #f, f }
#define fail_msg(...)                                                                              \
    do {                                                                                           \
        printf("%s:%d: ", __FILE__, __LINE__);                                                     \
        printf(__VA_ARGS__);                                                                       \
        printf("\n");                                                                              \
        exit(1);                                                                                   \
    } while (0)
#define fail() fail_msg("failed")
#define assert_true(c)                                                                             \
    do {                                                                                           \
        if (!(c))                                                                                  \
            fail_msg("%s", #c);                                                                    \
    } while (0)
#define assert_false(c)               assert_true(!(c))
#define assert_null(p)                assert_true((p) == NULL)
#define assert_non_null(p)            assert_true((p) != NULL)
#define assert_int_equal(a, b)        assert_true((long long)(a) == (long long)(b))
#define assert_int_not_equal(a, b)    assert_true((long long)(a) != (long long)(b))
#define assert_in_range(v, low, high) assert_true((v) >= (low) && (v) <= (high))
#define assert_string_equal(a, b)     assert_true(strcmp(a, b) == 0)
#define assert_memory_equal(a, b, n)  assert_true(memcmp(a, b, n) == 0)

#define cmocka_run_group_tests(tests, before, after)                                               \
    stand_in_run(tests, sizeof(tests) / sizeof *(tests))
static inline int stand_in_run(const struct CMUnitTest *tests, size_t n) {
    for (size_t i = 0; i < n; i++) {
        void *state = NULL;
        tests[i].test(&state);
    }
    printf("%zu tests passed\n", n);
    return 0;
}

#endif
