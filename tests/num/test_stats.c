/* Statistics of a row of logits: |dH| <= 4e-6 nats against long double, also where the sums are
 * long and one-sided; the same bits on every set of kernels; masks, and rows that are errors. */
#include <math.h>

#include "each_isa.h"
#include <szilard/unstable/info.h>

typedef struct exact {
    double lse, entropy, varentropy;
} exact;

static exact exact_stats(const float *z, size_t n, float temperature) {
    long double max = -INFINITY, sum = 0, h = 0, v = 0, t = temperature;
    for (size_t i = 0; i < n; i++)
        max = z[i] > max ? z[i] : max;
    for (size_t i = 0; i < n; i++)
        sum += expl((z[i] - max) / t);
    long double log_sum = logl(sum);
    for (size_t i = 0; i < n; i++) {
        long double log_p = (z[i] - max) / t - log_sum;
        h -= z[i] > -INFINITY ? expl(log_p) * log_p : 0;
    }
    for (size_t i = 0; i < n; i++) {
        long double log_p = (z[i] - max) / t - log_sum;
        v += z[i] > -INFINITY ? expl(log_p) * (log_p + h) * (log_p + h) : 0;
    }
    return (exact){(double)(max / t + log_sum), (double)h, (double)v};
}

static void check(const float *z, size_t n, float temperature) {
    exact want = exact_stats(z, n, temperature);
    sz_softmax_stats first = {0}, s;
    for (const sz_kernels **k = each_isa(); *k; k++) {
        memset(&s, 0, sizeof s);
        (*k)->softmax_stats(z, n, temperature, &s);
        assert_false(s.has_nan);
        SZ_CHECK_ABS(s.entropy, want.entropy, 4e-6);
        SZ_CHECK_ABS(s.lse, want.lse, 4e-6 + 1e-15 * fabs(want.lse));
        SZ_CHECK_ABS(s.varentropy, want.varentropy, 1e-5 * (1.0 + want.varentropy));
        assert_true(s.entropy >= 0.0 && s.varentropy >= 0.0);
        assert_true(z[s.argmax] == s.max);
        for (int32_t i = 0; i < s.argmax; i++)
            assert_true(z[i] < s.max); /* the first of equals, and none is larger */
        for (size_t i = 0; i < n; i++)
            assert_true(z[i] <= s.max);
        if (k == each_isa())
            first = s;
        assert_memory_equal(&first.lse, &s.lse, sizeof s.lse);
        assert_memory_equal(&first.entropy, &s.entropy, sizeof s.entropy);
        assert_memory_equal(&first.varentropy, &s.varentropy, sizeof s.varentropy);
        assert_int_equal(first.argmax, s.argmax);
    }
}

/* Shapes that are hard for sums in float: many equal terms below one peak, two plateaus, slopes. */
static void fill(float *z, size_t n, int kind, float depth) {
    for (size_t i = 0; i < n; i++) {
        float u = 0.5f + 0.5f * uniform();
        switch (kind) {
        case 0:
            z[i] = -depth;
            break;
        case 1:
            z[i] = -depth * (1.0f + 1e-3f * u);
            break;
        case 2:
            z[i] = -depth * u;
            break;
        case 3:
            z[i] = i % 3 ? -depth : -0.9f * depth;
            break;
        case 4:
            z[i] = -depth * (float)i / (float)n;
            break;
        case 5:
            z[i] = 1e4f + 8.0f * u;
            break; /* far from zero */
        default:
            z[i] = random_bits() % 7 ? 10.0f * uniform() : -INFINITY;
            break;
        }
    }
    z[random_bits() % n] = kind == 5 ? 1e4f : 0.0f;
}

static void test_accuracy(void **state) {
    static const size_t lengths[] = {1, 2, 3, 15, 16, 17, 63, 65, 1000, 1023, 1025, 5000};
    float *z = malloc(5000 * sizeof *z);
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
        for (int kind = 0; kind < 7; kind++)
            for (float depth = 0.1f; depth < 15.0f; depth = depth * 1.5f + 0.3f) {
                fill(z, lengths[l], kind, depth);
                check(z, lengths[l], 1.0f);
                check(z, lengths[l], 0.2f + 2.0f * depth / 15.0f);
            }
    free(z);
}

static void test_vocabularies(void **state) {
    static const size_t sizes[] = {32000, 49152, 151936, 262144};
    float *z = malloc(262144 * sizeof *z);
    for (size_t i = 0; i < 4; i++) {
        fill(z, sizes[i], (int)i, 4.0f + 3.0f * (float)i);
        check(z, sizes[i], 1.0f);
        check(z, sizes[i], 0.7f);
    }
    free(z);
}

static void test_known_values(void **state) {
    const sz_kernels *k = each_isa()[0];
    sz_softmax_stats s;
    float z[40];
    for (int i = 0; i < 40; i++)
        z[i] = 3.5f;
    k->softmax_stats(z, 40, 1.0f, &s);
    SZ_CHECK_ABS(s.entropy, log(40.0), 1e-7);
    SZ_CHECK_ABS(s.varentropy, 0.0, 1e-12);
    assert_true(s.argmax == 0 && s.max == 3.5f);
    for (int i = 1; i < 40; i++)
        z[i] = -INFINITY; /* all masked but one */
    k->softmax_stats(z, 40, 0.1f, &s);
    assert_true(s.entropy == 0.0 && s.varentropy == 0.0 && s.lse == 3.5 / (double)0.1f);
    z[20] = -3e38f; /* differences beyond the range of floats */
    z[0] = 3e38f;
    k->softmax_stats(z, 40, 1e-30f, &s);
    assert_true(s.entropy == 0.0 && s.argmax == 0 && !s.has_nan);
    z[3] = z[7] = 1.0f;
    z[0] = z[20] = -INFINITY;
    k->softmax_stats(z, 40, 1e30f, &s);
    SZ_CHECK_ABS(s.entropy, log(2.0), 1e-7);
    assert_int_equal(s.argmax, 3);
}

static void test_errors(void **state) {
    static const float bad[] = {NAN, INFINITY};
    float z[3000];
    sz_softmax_stats s;
    for (const sz_kernels **k = each_isa(); *k; k++) {
        for (int i = 0; i < 2; i++)
            for (size_t at = 0; at < 3000; at += 1 + at / 2) {
                memset(z, 0, sizeof z);
                z[at] = bad[i];
                (*k)->softmax_stats(z, 3000, 1.0f, &s);
                assert_true(s.has_nan);
            }
        for (size_t n = 1; n < 3000; n = 3 * n + 1) {
            for (size_t i = 0; i < n; i++)
                z[i] = -INFINITY;
            (*k)->softmax_stats(z, n, 1.0f, &s);
            assert_true(s.has_nan);
        }
    }
}

static void test_public_call(void **state) {
    sz_runtime *rt;
    sz_logit_stats s = {.argmax = 77};
    float z[5] = {0.0f, 1.0f, NAN, 1.0f, -1.0f};
    SZ_CHECK_OK(sz_runtime_new(&(sz_runtime_config){.n_threads = 1}, &rt));
    assert_int_equal(sz_logits_measure(rt, z, 5, 1.0f, &s), SZ_E_NAN);
    z[2] = INFINITY;
    assert_int_equal(sz_logits_measure(rt, z, 5, 1.0f, &s), SZ_E_NAN);
    assert_int_equal(s.argmax, 77); /* written only on success */
    z[2] = -INFINITY;
    assert_int_equal(sz_logits_measure(rt, z, 0, 1.0f, &s), SZ_E_ARG);
    assert_int_equal(sz_logits_measure(rt, z, 5, 0.0f, &s), SZ_E_ARG);
    assert_int_equal(sz_logits_measure(rt, z, 5, -1.0f, &s), SZ_E_ARG);
    assert_int_equal(sz_logits_measure(rt, z, 5, NAN, &s), SZ_E_ARG);
    SZ_CHECK_OK(sz_logits_measure(rt, z, 5, 1.0f, &s));
    exact want = exact_stats(z, 5, 1.0f);
    SZ_CHECK_ABS(s.entropy, want.entropy, 1e-7);
    assert_int_equal(s.argmax, 1);
    sz_runtime_free(rt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accuracy),     cmocka_unit_test(test_vocabularies),
        cmocka_unit_test(test_known_values), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_public_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
