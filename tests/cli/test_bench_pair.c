/* test_bench_pair.c: the ratio of two builds and its interval. */
#include "check.h"
#include "cli/bench_pair.h"

#include <math.h>

static sz_bench_ratio ratio_of(double *ours, double *theirs, size_t n) {
    sz_bench_ratio r;
    sz_bench_pair_row row = {.ours = ours, .theirs = theirs};
    SZ_CHECK_OK(sz_bench_pair_ratio(&row, n, &r));
    return r;
}

static void best_and_median(void **state) {
    double ours[] = {3, 8, 4, 6}, theirs[] = {1, 4, 4, 2};
    sz_bench_ratio r = ratio_of(ours, theirs, 4); /* 3, 2, 1, 3 */
    assert_float_equal(r.ours_best, 8, 0);
    assert_float_equal(r.theirs_best, 4, 0);
    assert_float_equal(r.ours_median, 5, 0);
    assert_float_equal(r.theirs_median, 3, 0);
    assert_float_equal(r.best, 2, 0);
    assert_float_equal(r.median, 2.5, 0);
    assert_float_equal(r.low, 1, 0); /* all of them: 1 - 2 / 2^4 */
    assert_float_equal(r.high, 3, 0);
    assert_float_equal(r.confidence, 0.875, 1e-15);
}

static void one_round_says_nothing_of_the_median(void **state) {
    double ours[] = {3}, theirs[] = {2};
    sz_bench_ratio r = ratio_of(ours, theirs, 1);
    assert_float_equal(r.median, 1.5, 0);
    assert_float_equal(r.low, 1.5, 0);
    assert_float_equal(r.high, 1.5, 0);
    assert_float_equal(r.confidence, 0, 0);
}

/* The narrowest interval of ranks that is right nine times of ten, from the binomial law. */
static void ranks_of_the_interval(void **state) {
    static const struct {
        size_t n, rank;
        double confidence;
    } known[] = {{5, 1, 0.9375},
                 {7, 1, 0.984375},
                 {8, 2, 0.9296875},
                 {11, 3, 0.9345703125},
                 {20, 6, 0.9586105346679688}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double ours[20], theirs[20];
        size_t n = known[i].n;
        for (size_t j = 0; j < n; j++) {
            ours[j] = (double)((7 * j) % n + 1); /* 1 to n in some order */
            theirs[j] = 1;
        }
        if (n == 7)
            for (size_t j = 0; j < n; j++)
                ours[j] = (double)(j + 1);
        sz_bench_ratio r = ratio_of(ours, theirs, n);
        assert_float_equal(r.low, known[i].rank, 0);
        assert_float_equal(r.high, n + 1 - known[i].rank, 0);
        assert_float_equal(r.confidence, known[i].confidence, 1e-12);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_and_median),
        cmocka_unit_test(one_round_says_nothing_of_the_median),
        cmocka_unit_test(ranks_of_the_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
