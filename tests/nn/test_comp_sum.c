/* Comp-sum losses: the vectors of card 49, central differences, and what the bounds promise. */
#include "learn/vector_case.h"

#include <math.h>

#include <szilard/unstable/loss.h>

enum { MOST = 64 };

static double value(const sz_json *c, const char *key) {
    return number(given(c, key));
}

static void check_loss(const sz_json *c, double tau, const char *key) {
    double scores[MOST], got[MOST], want[MOST], loss;
    bool capped;
    size_t n = flatten(given(c, "scores"), 0, scores);
    SZ_CHECK_OK(sz_comp_sum(scores, n, (size_t)given(c, "y")->u.i, tau, &loss, got, &capped));
    SZ_CHECK_REL(loss, number(expected(c, key)), 1e-9);
    assert_false(capped);
    n = expected(c, "grad") ? flatten(expected(c, "grad"), 0, want) : 0;
    for (size_t i = 0; i < n; i++)
        SZ_CHECK_ABS(got[i], want[i], 1e-9 * (1 + fabs(want[i])));
}

static void check_transform(const sz_json *c) {
    double beta[MOST], t[MOST], want[MOST], simple[MOST], got, bound, above;
    size_t n = (size_t)given(c, "n_classes")->u.i;
    double tau = value(c, "tau");
    flatten(expected(c, "T"), 0, want);
    for (size_t i = 0, m = flatten(given(c, "beta"), 0, beta); i < m; i++) {
        SZ_CHECK_OK(sz_comp_sum_transform(beta[i], n, tau, &got));
        SZ_CHECK_ABS(got, want[i], 1e-7 * (1e-3 + fabs(want[i])));
    }
    flatten(expected(c, "Gamma"), 0, want);
    flatten(expected(c, "Gamma_simple_upper"), 0, simple);
    for (size_t i = 0, m = flatten(given(c, "t"), 0, t); i < m; i++) {
        SZ_CHECK_OK(sz_comp_sum_error_bound(t[i], n, tau, &bound, &above));
        SZ_CHECK_REL(bound, want[i], 1e-7);
        SZ_CHECK_REL(above, simple[i], 1e-7);
    }
}

static void check_best(const sz_json *c) {
    double p[MOST], got;
    size_t n = flatten(given(c, "p"), 0, p);
    SZ_CHECK_OK(sz_comp_sum_best(p, n, value(c, "tau"), &got));
    SZ_CHECK_ABS(got, number(expected(c, "C_star")), 1e-9);
}

static void check_adversarial(const sz_json *c) {
    double clean[MOST], attacked[MOST], comp_sum, smooth;
    size_t n = flatten(given(c, "scores_clean"), 0, clean);
    flatten(given(c, "scores_adv"), 0, attacked);
    sz_smooth_adversarial s = {value(c, "tau"), value(c, "rho"), value(c, "nu")};
    SZ_CHECK_OK(sz_smooth_adversarial_loss(&s, clean, attacked, n, (size_t)given(c, "y")->u.i,
                                           &comp_sum, &smooth, NULL, NULL));
    SZ_CHECK_ABS(comp_sum, number(expected(c, "comp_sum_part")), 1e-9);
    SZ_CHECK_ABS(smooth, number(expected(c, "smooth_part")), 1e-9);
}

/* Scores W x over the corners of the box: the largest change of the margins. */
static void check_linear(const sz_json *c) {
    double w[MOST], x[MOST], clean[MOST], attacked[MOST], comp_sum, smooth, most = 0;
    size_t dim = flatten(given(c, "x"), 0, x), n = flatten(given(c, "W"), 0, w) / dim;
    for (unsigned corner = 0; corner < 1u << dim; corner++) {
        for (size_t k = 0; k < n; k++) {
            clean[k] = attacked[k] = 0;
            for (size_t j = 0; j < dim; j++) {
                double by = corner >> j & 1 ? value(c, "gamma") : -value(c, "gamma");
                clean[k] += w[k * dim + j] * x[j];
                attacked[k] += w[k * dim + j] * (x[j] + by);
            }
        }
        sz_smooth_adversarial s = {1, 1, 1};
        SZ_CHECK_OK(sz_smooth_adversarial_loss(&s, clean, attacked, n, (size_t)given(c, "y")->u.i,
                                               &comp_sum, &smooth, NULL, NULL));
        most = smooth > most ? smooth : most;
    }
    SZ_CHECK_ABS(most, number(expected(c, "sup_norm2_delta")), 1e-9);
}

static void check_bounded(const sz_json *c) {
    double got;
    SZ_CHECK_OK(sz_comp_sum_best_bounded((size_t)given(c, "n_classes")->u.i, value(c, "Lambda"),
                                         value(c, "tau"), &got));
    SZ_CHECK_REL(got, number(expected(c, "inf_conditional_loss")), 1e-10);
}

static void test_vectors(void **state) {
    vectors v = open_vectors(SZ_TEST_VECTORS "/49-compsum.json");
    size_t n = 0;
    for (const sz_json *c = v.first; c; c = c->next, n++) {
        if (is_case(c, "comp_sum") || is_case(c, "extreme"))
            check_loss(c, value(c, "tau"), "loss");
        else if (is_case(c, "gce"))
            check_loss(c, 1 + value(c, "q"), "loss = (1-p^q)/q");
        else if (is_case(c, "transform"))
            check_transform(c);
        else if (is_case(c, "best"))
            check_best(c);
        else if (is_case(c, "deterministic"))
            check_bounded(c);
        else if (is_case(c, "smooth_adversarial"))
            check_adversarial(c);
        else if (is_case(c, "smooth_term"))
            check_linear(c);
        else
            fail_msg("case %s is not known", sz_json_get(c, "name")->u.s);
    }
    assert_true(n > 40);
    close_vectors(&v);
}

/* ---- Properties
 * ----------------------------------------------------------------------------------
 */

static uint64_t drawn;
static double draw(void) {
    return 2 * sz_uniform(5, 0, drawn++) - 1;
}

static void test_gradients(void **state) {
    double clean[5], attacked[5], dc[5], da[5], part[2], side[2][2];
    for (int trial = 0; trial < 50; trial++) {
        sz_smooth_adversarial s = {0.5 * (trial % 5), 0.7, 1.3};
        for (int i = 0; i < 5; i++) {
            clean[i] = 2 * draw();
            attacked[i] = clean[i] + draw();
        }
        SZ_CHECK_OK(
            sz_smooth_adversarial_loss(&s, clean, attacked, 5, 2, &part[0], &part[1], dc, da));
        for (int i = 0; i < 10; i++) {
            double *x = i < 5 ? &clean[i] : &attacked[i - 5], at = *x;
            for (int k = 0; k < 2; k++) {
                *x = at + (k ? 1e-6 : -1e-6);
                SZ_CHECK_OK(sz_smooth_adversarial_loss(&s, clean, attacked, 5, 2, &side[k][0],
                                                       &side[k][1], NULL, NULL));
            }
            *x = at;
            double slope = (side[1][0] + side[1][1] - side[0][0] - side[0][1]) / 2e-6;
            SZ_CHECK_ABS(i < 5 ? dc[i] : da[i - 5], slope, 1e-6 * (1 + fabs(slope)));
        }
    }
}

static void test_family(void **state) {
    for (double log_p = -20; log_p < 0; log_p += 0.37) {
        double at = sz_comp_sum_of(log_p, 1), before = INFINITY;
        SZ_CHECK_ABS(at, -log_p, 1e-12);
        SZ_CHECK_ABS(sz_comp_sum_of(log_p, 1 + 1e-9), at, 1e-6);
        SZ_CHECK_REL(sz_comp_sum_of(log_p, 1 - 2e-6), sz_comp_sum_of(log_p, 1 - 0.9e-6), 1e-4);
        for (double tau = 0; tau <= 3; tau += 0.25) {
            double loss = sz_comp_sum_of(log_p, tau);
            assert_true(loss < before && loss > 0);
            before = loss;
        }
    }
}

/* regret_01 <= Gamma(regret_tau) for any labels and scores; T inverts. */
static void test_bound(void **state) {
    static const double taus[] = {0, 0.5, 1, 1.5, 2};
    for (int trial = 0; trial < 2000; trial++) {
        double p[3], h[3], total = 0, tau = taus[trial % 5], risk = 0, best, bound, t;
        for (int i = 0; i < 3; i++) {
            total += p[i] = -log(0.5 + 0.5 * draw() + 1e-12);
            h[i] = 3 * draw();
        }
        size_t chosen = 0, most = 0;
        for (size_t i = 0; i < 3; i++)
            p[i] /= total;
        for (size_t i = 1; i < 3; i++) {
            chosen = h[i] > h[chosen] ? i : chosen;
            most = p[i] > p[most] ? i : most;
        }
        for (size_t i = 0; i < 3; i++) {
            double loss;
            SZ_CHECK_OK(sz_comp_sum(h, 3, i, tau, &loss, NULL, NULL));
            risk += p[i] * loss;
        }
        SZ_CHECK_OK(sz_comp_sum_best(p, 3, tau, &best));
        assert_true(risk >= best - 1e-12);
        SZ_CHECK_OK(sz_comp_sum_error_bound(risk - best, 3, tau, &bound, NULL));
        assert_true(p[most] - p[chosen] <= bound + 1e-9);
        SZ_CHECK_OK(sz_comp_sum_transform(p[most], 3, tau, &t));
        SZ_CHECK_OK(sz_comp_sum_error_bound(t, 3, tau, &bound, NULL));
        SZ_CHECK_ABS(bound, p[most], 1e-7);
    }
}

static void test_bad_input(void **state) {
    double h[3] = {1, 2, -800}, x[3], loss;
    bool capped = false;
    assert_int_equal(sz_comp_sum(h, 3, 3, 1, &loss, x, NULL), SZ_E_ARG);
    assert_int_equal(sz_comp_sum(h, 3, 0, -0.1, &loss, x, NULL), SZ_E_ARG);
    assert_int_equal(sz_comp_sum(h, 3, 0, NAN, &loss, x, NULL), SZ_E_ARG);
    assert_int_equal(sz_comp_sum((double[]){1, NAN}, 2, 0, 1, &loss, x, NULL), SZ_E_NAN);
    SZ_CHECK_OK(sz_comp_sum(h, 1, 0, 0, &loss, x, NULL));
    assert_true(loss == 0 && x[0] == 0);
    SZ_CHECK_OK(sz_comp_sum(h, 3, 2, 0, &loss, x, &capped));
    assert_true(loss == 1e30 && capped && x[2] >= -1e30);
    assert_int_equal(sz_comp_sum_error_bound(-1e-6, 3, 1, &loss, NULL), SZ_E_ARG);
    SZ_CHECK_OK(sz_comp_sum_error_bound(-1e-13, 3, 1, &loss, NULL));
    assert_true(loss == 0);
    SZ_CHECK_OK(sz_comp_sum_error_bound(1e9, 3, 1.5, &loss, NULL));
    assert_true(loss == 1);
    assert_int_equal(sz_comp_sum_transform(1.5, 3, 1, &loss), SZ_E_ARG);
    assert_int_equal(sz_comp_sum_best((double[]){0.5, 0.4}, 2, 1, &loss), SZ_E_ARG);
    sz_smooth_adversarial s = {1, 0, 1};
    assert_int_equal(sz_smooth_adversarial_loss(&s, h, h, 3, 0, x, x, NULL, NULL), SZ_E_ARG);
    s.rho = 1;
    SZ_CHECK_OK(sz_smooth_adversarial_loss(&s, h, h, 3, 0, &x[0], &x[1], NULL, NULL));
    assert_true(x[1] == 0); /* no attack */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),   cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_family),    cmocka_unit_test(test_bound),
        cmocka_unit_test(test_bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
