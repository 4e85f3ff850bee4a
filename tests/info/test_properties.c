/* test_properties.c: identities and inequalities that hold for every input, and bad inputs. */
#include "check.h"

#include <math.h>
#include <string.h>

#include <szilard/unstable/info.h>
#include <szilard/unstable/num.h>

enum { MANY = 300, MOST = 40 };

static double uniform(void) {
    static uint64_t counter;
    return sz_uniform(7, 1, counter++);
}

/* A random distribution; `holes`: about a third of the entries are zero. */
static size_t random_distribution(double *p, size_t n, bool holes) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double u = uniform();
        p[i] = holes && i > 0 && u < 0.3 ? 0.0 : exp(4 * uniform());
        sum += p[i];
    }
    for (size_t i = 0; i < n; i++)
        p[i] /= sum;
    return n;
}

static void renyi_falls_with_its_order(void **state) {
    static const double orders[] = {0,   0.1, 0.5, 0.9, 1 - 1e-9, 1,       1 + 1e-9,
                                    1.1, 1.9, 2.1, 5,   50,       INFINITY};
    double p[MOST], h, before;
    for (int round = 0; round < MANY; round++) {
        size_t n = random_distribution(p, 1 + (size_t)(uniform() * (MOST - 1)), true);
        before = log((double)n);
        for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
            SZ_CHECK_OK(sz_entropy_renyi(p, n, orders[i], &h));
            assert_true(h <= before + 1e-9 && h >= 0);
            before = h;
        }
        double shannon, tsallis;
        SZ_CHECK_OK(sz_entropy_shannon(p, n, &shannon));
        SZ_CHECK_OK(sz_entropy_tsallis(p, n, 1 + 1e-9, &tsallis));
        SZ_CHECK_ABS(tsallis, shannon, 1e-7);
    }
}

static void divergences_obey_their_inequalities(void **state) {
    double p[MOST], q[MOST], kl, js, back, tv, chi2, before, d;
    static const double orders[] = {0.1, 0.5, 0.99, 1, 1.01, 2, 3};
    for (int round = 0; round < MANY; round++) {
        size_t n = 2 + (size_t)(uniform() * (MOST - 2));
        random_distribution(p, n, true);
        random_distribution(q, n, false);
        SZ_CHECK_OK(sz_div_kl(p, q, n, &kl));
        SZ_CHECK_OK(sz_div_js(p, q, n, 0.5, &js));
        SZ_CHECK_OK(sz_div_js(q, p, n, 0.5, &back));
        SZ_CHECK_OK(sz_div_total_variation(p, q, n, &tv));
        SZ_CHECK_OK(sz_div_chi2(p, q, n, &chi2));
        SZ_CHECK_ABS(js, back, 1e-12);
        assert_true(2 * tv * tv <= kl + 1e-12); /* Pinsker */
        assert_true(kl <= log1p(chi2) + 1e-12);
        assert_true(js >= 0 && js <= log(2) * tv + 1e-12);
        before = 0;
        for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
            SZ_CHECK_OK(sz_div_renyi(p, q, n, orders[i], &d));
            assert_true(d >= before - 1e-9);
            before = d;
        }
        double both[2 * MOST], half[2] = {0.5, 0.5}, many;
        memcpy(both, p, n * sizeof *p);
        memcpy(both + n, q, n * sizeof *q);
        SZ_CHECK_OK(sz_div_js_many(both, half, 2, n, &many));
        SZ_CHECK_ABS(many, js, 1e-12);
    }
}

static void logit_sums_merge_in_any_order(void **state) {
    double z[MOST];
    for (int round = 0; round < MANY; round++) {
        sz_logit_sums whole = {0}, left = {0}, right = {0};
        for (size_t i = 0; i < MOST; i++) {
            z[i] = uniform() < 0.1 ? -INFINITY : 40 * uniform() - 20;
            sz_logit_sums_add(&whole, z[i]);
            sz_logit_sums_add(uniform() < 0.5 ? &left : &right, z[i]);
        }
        sz_logit_sums merged = right;
        sz_logit_sums_merge(&merged, &left);
        SZ_CHECK_REL(merged.s0, whole.s0, 1e-12);
        SZ_CHECK_REL(merged.s1, whole.s1, 1e-12);
        SZ_CHECK_REL(merged.s2, whole.s2, 1e-12);
        sz_logit_entropies a, b;
        SZ_CHECK_OK(sz_entropy_logits(z, MOST, &a));
        for (size_t i = 0; i < MOST; i++)
            z[i] += 1e4;
        SZ_CHECK_OK(sz_entropy_logits(z, MOST, &b));
        SZ_CHECK_ABS(b.shannon, a.shannon, 1e-11);
        SZ_CHECK_ABS(b.varentropy, a.varentropy, 1e-10);
        assert_true(a.min <= a.renyi_2 + 1e-12 && a.renyi_2 <= a.shannon + 1e-12);
    }
}

static void kl_of_logits_is_kl_of_softmax(void **state) {
    float a[MOST], b[MOST];
    double p[MOST], q[MOST], direct, got, sp = 0, sq = 0;
    for (size_t i = 0; i < MOST; i++) {
        a[i] = (float)(10 * uniform());
        b[i] = (float)(10 * uniform());
        sp += p[i] = exp((double)a[i]);
        sq += q[i] = exp((double)b[i]);
    }
    for (size_t i = 0; i < MOST; i++) {
        p[i] /= sp;
        q[i] /= sq;
    }
    SZ_CHECK_OK(sz_div_kl(p, q, MOST, &direct));
    SZ_CHECK_OK(sz_div_kl_logits(a, b, MOST, &got));
    SZ_CHECK_ABS(got, direct, 1e-11);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static void tables_obey_the_chain_rule(void **state) {
    for (int round = 0; round < MANY; round++) {
        size_t rows = 1 + (size_t)(uniform() * 6), columns = 1 + (size_t)(uniform() * 6);
        uint64_t t[36], turned[36];
        for (size_t i = 0; i < rows * columns; i++)
            t[i] = (uint64_t)(uniform() * 9);
        t[0] += 1;
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++)
                turned[j * rows + i] = t[i * columns + j];
        sz_table_information a, b;
        SZ_CHECK_OK(sz_mi_table(t, rows, columns, &a));
        SZ_CHECK_OK(sz_mi_table(turned, columns, rows, &b));
        SZ_CHECK_ABS(a.plug_in, a.h_x + a.h_y - a.h_xy, 1e-10);
        SZ_CHECK_ABS(a.plug_in, b.plug_in, 1e-12);
        assert_true(a.plug_in >= 0 && a.p_value >= 0 && a.p_value <= 1);
        /* data processing: merging two columns cannot add information */
        for (size_t i = 0; columns > 1 && i < rows; i++) {
            t[i * columns] += t[i * columns + 1];
            t[i * columns + 1] = 0;
        }
        SZ_CHECK_OK(sz_mi_table(t, rows, columns, &b));
        assert_true(b.plug_in <= a.plug_in + 1e-12);
    }
}

static void permutation_p_values_are_uniform(void **state) {
    double p[200];
    for (size_t round = 0; round < 200; round++) {
        uint64_t t[12] = {0};
        for (int i = 0; i < 120; i++)
            t[(size_t)(uniform() * 3) * 4 + (size_t)(uniform() * 4)]++;
        SZ_CHECK_OK(sz_mi_permutation(t, 3, 4, 99, round, &p[round]));
        for (size_t j = round; j > 0 && p[j - 1] > p[j]; j--) {
            double swap = p[j];
            p[j] = p[j - 1];
            p[j - 1] = swap;
        }
    }
    double most = 0; /* Kolmogorov and Smirnov */
    for (size_t i = 0; i < 200; i++)
        most = fmax(most, fabs(p[i] - (double)(i + 1) / 200));
    assert_true(most <= 0.12);
    uint64_t diagonal[9] = {20, 0, 0, 0, 20, 0, 0, 0, 20};
    SZ_CHECK_OK(sz_mi_permutation(diagonal, 3, 3, 199, 1, &p[0]));
    SZ_CHECK_ABS(p[0], 1.0 / 200, 1e-15);
}

static void conditioning_and_total_correlation(void **state) {
    /* X, Y fair coins, Z their sum modulo 2: pairwise independent, I(X;Y|Z) = ln 2 */
    uint64_t t[8] = {5, 0, 0, 5, 0, 5, 5, 0};
    uint32_t codes[60];
    double got;
    SZ_CHECK_OK(sz_mi_conditional(t, 2, 2, 2, &got));
    SZ_CHECK_ABS(got, log(2), 1e-12);
    for (uint32_t i = 0; i < 20; i++) {
        codes[3 * i] = i & 1;
        codes[3 * i + 1] = i >> 1 & 1;
        codes[3 * i + 2] = (i ^ i >> 1) & 1;
    }
    SZ_CHECK_OK(sz_mi_total_correlation(codes, 20, 3, &got));
    SZ_CHECK_ABS(got, log(2), 1e-12);
}

static void bins_follow_their_rules(void **state) {
    double x[100];
    uint32_t codes[100], used, seen[10] = {0};
    for (size_t i = 0; i < 100; i++)
        x[i] = (double)((i * 37) % 100);
    SZ_CHECK_OK(sz_bin(x, 100, SZ_BIN_FREQUENCY, 10, codes, &used));
    for (size_t i = 0; i < 100; i++)
        seen[codes[i]]++;
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(seen[i], 10);
    for (size_t i = 0; i < 60; i++)
        x[i] = 50;
    SZ_CHECK_OK(sz_bin(x, 100, SZ_BIN_FREQUENCY, 10, codes, &used));
    for (size_t i = 1; i < 60; i++) /* ties stay together */
        assert_int_equal(codes[i], codes[0]);
    SZ_CHECK_OK(sz_bin(x, 60, SZ_BIN_WIDTH, 10, codes, &used));
    assert_int_equal(used, 1); /* constant */
    SZ_CHECK_OK(sz_bin(x, 100, SZ_BIN_FREEDMAN_DIACONIS, 0, codes, &used));
    assert_true(used >= 1);
}

/* ---- Nearest neighbours ---------------------------------------------------------------------- */

static double gaussian(void) {
    double u = uniform();
    return sqrt(-2 * log(1 - u)) * cos(6.283185307179586 * uniform());
}

/* The first estimator written from its definition, O(n^2). */
static double ksg1_by_definition(const double *x, size_t d_x, const double *y, size_t d_y, size_t n,
                                 size_t k) {
    double mean = 0;
    for (size_t i = 0; i < n; i++) {
        double far[400], far_x[400], far_y[400], sorted[400];
        for (size_t j = 0; j < n; j++) {
            far_x[j] = far_y[j] = 0;
            for (size_t a = 0; a < d_x; a++)
                far_x[j] = fmax(far_x[j], fabs(x[i * d_x + a] - x[j * d_x + a]));
            for (size_t a = 0; a < d_y; a++)
                far_y[j] = fmax(far_y[j], fabs(y[i * d_y + a] - y[j * d_y + a]));
            sorted[j] = far[j] = j == i ? -1 : fmax(far_x[j], far_y[j]);
            for (size_t at = j; at > 0 && sorted[at - 1] > sorted[at]; at--) {
                double swap = sorted[at];
                sorted[at] = sorted[at - 1];
                sorted[at - 1] = swap;
            }
        }
        size_t n_x = 0, n_y = 0;
        for (size_t j = 0; j < n; j++) {
            n_x += j != i && far_x[j] < sorted[k];
            n_y += j != i && far_y[j] < sorted[k];
        }
        mean += (sz_digamma((double)n_x + 1) + sz_digamma((double)n_y + 1)) / (double)n;
    }
    return sz_digamma((double)k) + sz_digamma((double)n) - mean;
}

static void trees_find_what_the_definition_finds(void **state) {
    double x[3 * 400], y[2 * 400];
    for (size_t d_x = 1; d_x <= 3; d_x++)
        for (size_t d_y = 1; d_y <= 2; d_y++) {
            size_t n = 100 * (1 + d_x);
            for (size_t i = 0; i < n * d_x; i++)
                x[i] = gaussian();
            for (size_t i = 0; i < n * d_y; i++)
                y[i] = gaussian() + x[i / d_y * d_x];
            sz_knn_options o = {.k = (uint32_t)(2 + d_y)};
            sz_knn_estimate e;
            SZ_CHECK_OK(sz_mi_ksg1(x, d_x, y, d_y, n, &o, &e));
            SZ_CHECK_ABS(e.nats, ksg1_by_definition(x, d_x, y, d_y, n, o.k), 1e-11);
            SZ_CHECK_ABS(e.ceiling, log((double)n), 1e-12);
        }
}

static void gaussian_information_is_met(void **state) {
    static const double rhos[] = {0, 0.3, 0.6, 0.9};
    static double x[1000], y[1000];
    double before = -1;
    for (size_t r = 0; r < 4; r++) {
        double mean = 0;
        for (int round = 0; round < 5; round++) {
            sz_knn_estimate e;
            for (size_t i = 0; i < 1000; i++) {
                x[i] = gaussian();
                y[i] = rhos[r] * x[i] + sqrt(1 - rhos[r] * rhos[r]) * gaussian();
            }
            SZ_CHECK_OK(sz_mi_ksg1(x, 1, y, 1, 1000, NULL, &e));
            mean += e.nats / 5;
        }
        SZ_CHECK_ABS(mean, -0.5 * log(1 - rhos[r] * rhos[r]), 0.05);
        assert_true(mean > before);
        before = mean;
    }
}

static void duplicates_are_moved_or_refused(void **state) {
    double x[60], y[60];
    int32_t labels[60];
    sz_knn_estimate e, again;
    sz_knn_options strict = {.no_jitter = true};
    for (size_t i = 0; i < 60; i++) {
        x[i] = y[i] = (double)(i / 20);
        labels[i] = (int32_t)(i % 2);
    }
    assert_int_equal(sz_mi_ksg1(x, 1, y, 1, 60, &strict, &e), SZ_E_ARG);
    assert_int_equal(sz_entropy_knn(x, 60, 1, &strict, &e), SZ_E_ARG);
    assert_int_equal(sz_mi_ross(x, 1, labels, 60, &strict, &e), SZ_E_ARG);
    SZ_CHECK_OK(sz_mi_ksg1(x, 1, y, 1, 60, NULL, &e));
    SZ_CHECK_OK(sz_mi_ksg1(x, 1, y, 1, 60, NULL, &again));
    assert_true(e.jittered && e.nats == again.nats);
    SZ_CHECK_OK(sz_mi_ross(x, 1, labels, 60, NULL, &e));
    assert_true(e.jittered);
}

static void lonely_labels_are_dropped(void **state) {
    double x[30];
    int32_t labels[30];
    sz_knn_estimate with, without;
    for (size_t i = 0; i < 30; i++) {
        x[i] = gaussian();
        labels[i] = i == 7 ? -5 : i == 29 ? 99 : (int32_t)(i % 2);
    }
    SZ_CHECK_OK(sz_mi_ross(x, 1, labels, 30, NULL, &with));
    assert_int_equal(with.n, 28);
    memmove(x + 7, x + 8, 21 * sizeof *x);
    memmove(labels + 7, labels + 8, 21 * sizeof *labels);
    SZ_CHECK_OK(sz_mi_ross(x, 1, labels, 28, NULL, &without));
    SZ_CHECK_ABS(with.nats, without.nats, 1e-12);
}

/* ---- Spectra --------------------------------------------------------------------------------- */

static void eigenpairs_are_eigenpairs(void **state) {
    static double a[60 * 60], copy[60 * 60], values[60];
    for (size_t n = 1; n <= 60; n = n < 8 ? n + 1 : n + 13) {
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j <= i; j++)
                a[i * n + j] = a[j * n + i] = copy[i * n + j] = copy[j * n + i] =
                    i % 5 == 4 ? 0 : gaussian();
        SZ_CHECK_OK(sz_eigen_symmetric(a, n, true, values));
        for (size_t v = 0; v < n; v++) {
            assert_true(v == 0 || values[v] >= values[v - 1]);
            for (size_t i = 0; i < n; i++) {
                double image = 0, product = 0;
                for (size_t j = 0; j < n; j++) {
                    image += copy[i * n + j] * a[v * n + j];
                    product += a[v * n + j] * a[i * n + j];
                }
                SZ_CHECK_ABS(image, values[v] * a[v * n + i], 1e-11);
                SZ_CHECK_ABS(product, v == i ? 1.0 : 0.0, 1e-12);
            }
        }
        double alone[60];
        SZ_CHECK_OK(sz_eigen_symmetric(copy, n, false, alone));
        for (size_t v = 0; v < n; v++)
            SZ_CHECK_ABS(alone[v], values[v], 1e-11);
    }
}

/* Almost all eigenvalues are rounding: they must not keep the iteration from ending. */
static void nearly_singular_matrices_converge(void **state) {
    enum { N = 300 };
    double *a = sz_alloc(N * N * sizeof *a), values[N], trace = 0;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            double d = (double)i - (double)j;
            a[i * N + j] = exp(-d * d / (2.0 * 60 * 60));
        }
    SZ_CHECK_OK(sz_eigen_symmetric(a, N, false, values));
    for (size_t i = 0; i < N; i++) {
        trace += values[i];
        assert_true(values[i] > -1e-12);
    }
    SZ_CHECK_REL(trace, (double)N, 1e-12);
    sz_free(a);
}

static void gram_and_covariance_share_their_spectrum(void **state) {
    float z[12 * 7], turned[7 * 12];
    double *a, *b, s2, full, entropy, s;
    size_t n, m;
    for (size_t i = 0; i < 12; i++)
        for (size_t j = 0; j < 7; j++)
            turned[j * 12 + i] = z[i * 7 + j] = (float)gaussian();
    SZ_CHECK_OK(sz_spectral_of_rows(z, 12, 7, false, &a, &n));
    SZ_CHECK_OK(sz_spectral_of_rows(turned, 7, 12, false, &b, &m));
    assert_int_equal(n, 7);
    assert_int_equal(m, 7);
    for (size_t i = 0; i < 7; i++)
        SZ_CHECK_ABS(a[i], b[i], 1e-12);
    SZ_CHECK_OK(sz_spectral_renyi2(z, 12, 7, false, &s2));
    SZ_CHECK_OK(sz_spectral_entropy(a, n, 2, NULL, &s));
    SZ_CHECK_ABS(s2, s, 1e-12);
    SZ_CHECK_OK(sz_spectral_truncated(a, n, n, false, &full));
    SZ_CHECK_OK(sz_spectral_entropy(a, n, 1, NULL, &entropy));
    SZ_CHECK_ABS(full, entropy, 1e-12);
    sz_free(a);
    sz_free(b);
}

static void functions_near_zero_keep_their_digits(void **state) {
    for (int i = 0; i < 20000; i++) {
        double x = (uniform() - 0.5) * exp(-30 * uniform());
        SZ_CHECK_REL(sz_expm1(x), expm1(x), 1e-15);
        SZ_CHECK_REL(sz_log1p(x), log1p(x), 1e-15);
        double y = 200 * uniform() + 1e-3;
        SZ_CHECK_WITHIN("relative", sz_log_gamma(y), lgamma(y), 1e-13 * (1 + fabs(lgamma(y))));
    }
    SZ_CHECK_ABS(sz_digamma(1), -0.57721566490153286061, 1e-14);
    SZ_CHECK_ABS(sz_digamma(0.5), -1.96351002602142347944, 1e-14);
    SZ_CHECK_ABS(sz_gamma_upper(0.5, 1.92072941034706), 0.05, 1e-12); /* chi^2, one degree */
    SZ_CHECK_ABS(sz_gamma_upper(5, 2), 0.94734698265628889, 1e-14);
    SZ_CHECK_REL(sz_gamma_upper(5, 20), exp(-20) * (221 + 8000.0 / 6 + 160000.0 / 24),
                 1e-13); /* its finite sum */
}

/* ---- Bad input ------------------------------------------------------------------------------- */

static void bad_input_is_named(void **state) {
    double out, p[3] = {0.5, 0.6, -0.1}, q[3] = {0.2, 0.3, 0.4}, nan[2] = {NAN, 1};
    assert_int_equal(sz_entropy_shannon(p, 3, &out), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "p[2]"));
    assert_int_equal(sz_entropy_shannon(q, 3, &out), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "0.9"));
    assert_int_equal(sz_entropy_shannon(nan, 2, &out), SZ_E_ARG);
    assert_int_equal(sz_entropy_shannon(p, 0, &out), SZ_E_ARG);
    double one[1] = {1}, masked[2] = {-INFINITY, -INFINITY}, infinite[2] = {1, INFINITY};
    assert_int_equal(sz_entropy_renyi(one, 1, -1, &out), SZ_E_ARG);
    assert_int_equal(sz_div_kl(one, nan, 1, &out), SZ_E_ARG);
    sz_logit_entropies e;
    assert_int_equal(sz_entropy_logits(masked, 2, &e), SZ_E_NAN);
    assert_int_equal(sz_entropy_logits(infinite, 2, &e), SZ_E_NAN);
    uint64_t none[2] = {0, 0}, many[2] = {UINT64_MAX, UINT64_MAX};
    sz_count_entropy c;
    sz_table_information t;
    assert_int_equal(sz_entropy_counts(none, 2, &c), SZ_E_ARG);
    assert_int_equal(sz_entropy_counts(many, 2, &c), SZ_E_ARG);
    assert_int_equal(sz_mi_table(none, 1, 2, &t), SZ_E_ARG);
    assert_int_equal(sz_mi_table(many, 1, 2, &t), SZ_E_ARG);
    sz_knn_estimate k;
    assert_int_equal(sz_entropy_knn(q, 3, 1, &(sz_knn_options){.k = 3}, &k), SZ_E_ARG);
    assert_int_equal(sz_entropy_knn(nan, 2, 1, &(sz_knn_options){.k = 1}, &k), SZ_E_NAN);
    double zero[4] = {0};
    assert_int_equal(sz_spectral_entropy(zero, 4, 1, NULL, &out), SZ_E_ARG);
    float flat[4] = {2, 2, 2, 2};
    assert_int_equal(sz_spectral_renyi2(flat, 2, 2, true, &out), SZ_E_ARG);
    assert_int_equal(sz_eigen_symmetric(nan, 1, false, &out), SZ_E_NAN);
    uint64_t single[1] = {9};
    SZ_CHECK_OK(sz_entropy_counts(single, 1, &c));
    assert_true(c.plug_in == 0 && c.miller_madow == 0);
    single[0] = 1;
    SZ_CHECK_OK(sz_entropy_counts(single, 1, &c));
    assert_true(isnan(c.standard_error));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renyi_falls_with_its_order),
        cmocka_unit_test(divergences_obey_their_inequalities),
        cmocka_unit_test(logit_sums_merge_in_any_order),
        cmocka_unit_test(kl_of_logits_is_kl_of_softmax),
        cmocka_unit_test(tables_obey_the_chain_rule),
        cmocka_unit_test(permutation_p_values_are_uniform),
        cmocka_unit_test(conditioning_and_total_correlation),
        cmocka_unit_test(bins_follow_their_rules),
        cmocka_unit_test(trees_find_what_the_definition_finds),
        cmocka_unit_test(gaussian_information_is_met),
        cmocka_unit_test(duplicates_are_moved_or_refused),
        cmocka_unit_test(lonely_labels_are_dropped),
        cmocka_unit_test(eigenpairs_are_eigenpairs),
        cmocka_unit_test(nearly_singular_matrices_converge),
        cmocka_unit_test(gram_and_covariance_share_their_spectrum),
        cmocka_unit_test(functions_near_zero_keep_their_digits),
        cmocka_unit_test(bad_input_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
