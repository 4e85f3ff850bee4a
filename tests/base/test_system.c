/* The clock, and what the machine has. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static void test_clock(void **state) {
    uint64_t before = sz_time_ns();
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    uint64_t after = sz_time_ns();
    assert_true(after - before >= 2000000);
    for (int i = 0; i < 1000; i++) {
        uint64_t now = sz_time_ns();
        assert_true(now >= after);
        after = now;
    }
}

static void test_memory(void **state) {
    uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t available = sz_memory_available();
    assert_true(available > 0 && available <= all);
    enum { BYTES = 40 << 20 };
    uint64_t before = sz_memory_peak();
    char *p = malloc(BYTES);
    memset(p, 1, BYTES);
    uint64_t after = sz_memory_peak();
    assert_int_equal(p[BYTES / 2], 1);
    free(p);
    assert_true(before > 0 && after >= before + BYTES / 2 && after <= all);
    assert_true(sz_memory_peak() + (1 << 20) >= after); /* a peak stays; its counters are inexact */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
