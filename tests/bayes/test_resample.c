/* Weights and resampling: the vectors, the expected number of copies, borders. */
#include "learn/vector_case.h"

#include <math.h>
#include <szilard/unstable/bayes.h>
#include <szilard/unstable/num.h>

static const char path[] = SZ_TEST_VECTORS "/31-inference.json";

static const sz_json *find_case(const vectors *v, const char *name) {
    const sz_json *c = v->first;
    while (!is_case(c, name))
        c = c->next;
    return c;
}

static void weights_have_their_figures(void **state) {
    vectors v = open_vectors(path);
    const sz_json *c = find_case(&v, "log_weights");
    double w[8], want[8], shares[8];
    sz_weight_figures f;
    size_t n = flatten(given(c, "log_weights"), 0, w);
    SZ_CHECK_OK(sz_weights_measure(w, n, shares, &f));
    SZ_CHECK_REL(f.log_sum, number(expected(c, "log_sum")), 1e-12);
    SZ_CHECK_REL(f.log_mean, number(expected(c, "log_mean")), 1e-12);
    SZ_CHECK_REL(f.ess, number(expected(c, "ess")), 1e-9);
    SZ_CHECK_REL(f.entropy, number(expected(c, "entropy_nats")), 1e-9);
    flatten(expected(c, "normalised"), 0, want);
    for (size_t i = 0; i < n; i++)
        SZ_CHECK_REL(shares[i], want[i], 1e-9);
    close_vectors(&v);
}

static void check_ancestors(const sz_json *c, sz_resampling scheme, const char *uniforms) {
    double w[8], u[8];
    int32_t want[8];
    uint32_t got[8];
    size_t n = flatten(given(c, "weights"), 0, w);
    flatten(given(c, uniforms), 0, u);
    integers(expected(c, sz_resampling_names[scheme]), want);
    for (size_t i = 0; i < n; i++)
        w[i] = sz_log(w[i]) - 2000; /* the scale does not count */
    SZ_CHECK_OK(sz_resample_with(scheme, w, n, u, got, n));
    for (size_t i = 0; i < n; i++)
        assert_int_equal(got[i], want[i]);
}

static void ancestors_are_those_of_the_vectors(void **state) {
    vectors v = open_vectors(path);
    const sz_json *c = find_case(&v, "resampling_indices");
    check_ancestors(c, SZ_RESAMPLE_SYSTEMATIC, "u");
    check_ancestors(c, SZ_RESAMPLE_STRATIFIED, "us");
    check_ancestors(c, SZ_RESAMPLE_MULTINOMIAL, "us");
    close_vectors(&v);
}

/* Every scheme gives n W copies on average; all but the multinomial keep close to that each time.
 */
static void copies_are_expected_by_weight(void **state) {
    enum { N = 6, RUNS = 20000 };
    for (size_t n_out = 5; n_out <= 11; n_out += 3)
        for (int scheme = 0; scheme <= SZ_RESAMPLE_RESIDUAL; scheme++) {
            double w[N] = {-3, -INFINITY, -1, -2.5, -0.2, -7}, shares[N];
            double sum[N] = {0}, squares[N] = {0};
            sz_weight_figures f;
            SZ_CHECK_OK(sz_weights_measure(w, N, shares, &f));
            for (uint64_t run = 0; run < RUNS; run++) {
                uint32_t a[16], copies[N] = {0};
                SZ_CHECK_OK(sz_resample((sz_resampling)scheme, w, N, 1, run, 0, a, n_out));
                for (size_t k = 0; k < n_out; k++)
                    copies[a[k]]++;
                for (size_t i = 0; i < N; i++) {
                    double mean = shares[i] * (double)n_out;
                    sum[i] += copies[i];
                    squares[i] += copies[i] * copies[i];
                    assert_true(scheme != SZ_RESAMPLE_RESIDUAL || copies[i] >= floor(mean));
                    assert_true(scheme != SZ_RESAMPLE_SYSTEMATIC || fabs(copies[i] - mean) < 1);
                    assert_true(scheme != SZ_RESAMPLE_STRATIFIED || fabs(copies[i] - mean) < 2);
                }
            }
            for (size_t i = 0; i < N; i++) {
                double mean = sum[i] / RUNS, se = sqrt((squares[i] / RUNS - mean * mean) / RUNS);
                SZ_CHECK_ABS(mean, shares[i] * (double)n_out, 5 * se + 1e-9);
            }
        }
}

static void equal_weights_change_nothing(void **state) {
    static const sz_resampling schemes[] = {SZ_RESAMPLE_SYSTEMATIC, SZ_RESAMPLE_STRATIFIED,
                                            SZ_RESAMPLE_RESIDUAL};
    for (size_t n = 1; n <= 300; n += 13)
        for (size_t s = 0; s < 3; s++) {
            double w[300];
            uint32_t a[300];
            for (size_t i = 0; i < n; i++)
                w[i] = -3.7;
            SZ_CHECK_OK(sz_resample(schemes[s], w, n, n, s, 0, a, n));
            if (schemes[s] == SZ_RESAMPLE_STRATIFIED && n > 1)
                continue; /* a point may fall on a border that rounding moved */
            for (size_t i = 0; i < n; i++)
                assert_int_equal(a[i], i);
        }
}

/* What has no weight is never taken, at the ends of [0, 1) neither. */
static void the_weightless_are_never_taken(void **state) {
    static const double ends[] = {0, 0x1.fffffffffffffp-1};
    double w[] = {-INFINITY, -800, -INFINITY, -801, -INFINITY};
    for (int scheme = 0; scheme <= SZ_RESAMPLE_RESIDUAL; scheme++)
        for (int e = 0; e < 2; e++) {
            double u[] = {ends[e], ends[e], ends[e], ends[e]};
            uint32_t a[4];
            SZ_CHECK_OK(sz_resample_with((sz_resampling)scheme, w, 5, u, a, 4));
            for (int i = 0; i < 4; i++)
                assert_true(a[i] == 1 || a[i] == 3);
        }
}

static void bad_input_is_refused(void **state) {
    double w[] = {0, -1, NAN}, dead[] = {-INFINITY, -INFINITY}, u[] = {0.5, 1.0};
    uint32_t a[4];
    sz_weight_figures f;
    assert_int_equal(sz_weights_measure(w, 0, NULL, &f), SZ_E_ARG);
    assert_int_equal(sz_weights_measure(w, 3, NULL, &f), SZ_E_NAN);
    assert_non_null(strstr(sz_last_error(), "weight 2"));
    w[2] = INFINITY;
    assert_int_equal(sz_weights_measure(w, 3, NULL, &f), SZ_E_NAN);
    SZ_CHECK_OK(sz_weights_measure(dead, 2, NULL, &f));
    assert_true(f.log_sum == -INFINITY && f.ess == 0 && f.entropy == 0);
    assert_int_equal(sz_resample(SZ_RESAMPLE_SYSTEMATIC, dead, 2, 0, 0, 0, a, 2), SZ_E_STATE);
    assert_int_equal(sz_resample(SZ_RESAMPLE_SYSTEMATIC, w, 2, 0, 0, 0, a, 0), SZ_E_ARG);
    assert_int_equal(sz_resample(SZ_RESAMPLE_SYSTEMATIC, w, 0, 0, 0, 0, a, 2), SZ_E_ARG);
    assert_int_equal(sz_resample((sz_resampling)4, w, 2, 0, 0, 0, a, 2), SZ_E_ARG);
    assert_int_equal(sz_resample(SZ_RESAMPLE_SYSTEMATIC, NULL, 2, 0, 0, 0, a, 2), SZ_E_ARG);
    assert_int_equal(sz_resample_with(SZ_RESAMPLE_MULTINOMIAL, w, 2, u, a, 2), SZ_E_ARG);
    SZ_CHECK_OK(sz_resample_with(SZ_RESAMPLE_SYSTEMATIC, w, 2, u, a, 2));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_have_their_figures),
        cmocka_unit_test(ancestors_are_those_of_the_vectors),
        cmocka_unit_test(copies_are_expected_by_weight),
        cmocka_unit_test(equal_weights_change_nothing),
        cmocka_unit_test(the_weightless_are_never_taken),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
