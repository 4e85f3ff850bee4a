/* Exact tuning: the card's vectors, grids that never beat it, symmetries, certificates, and bad
 * input. */
#include "vector_case.h"

#include <math.h>
#include <stdlib.h>
#include <szilard/unstable/tune.h>

static double want(const sz_json *c, const char *key) {
    return number(expected(c, key));
}
static double input(const sz_json *c, const char *key) {
    return number(given(c, key));
}

static void check_pieces(const sz_json *c, const sz_tune_curve *k, double tol) {
    double p[256], plateau[2];
    size_t n = flatten(expected(c, "pieces"), 0, p) / 3;
    assert_int_equal(n, k->n);
    for (size_t i = 0; i < n; i++) {
        SZ_CHECK_ABS(k->pieces[i].left, p[3 * i], tol);
        SZ_CHECK_ABS(k->pieces[i].right, p[3 * i + 1], tol);
        SZ_CHECK_ABS(k->pieces[i].value, p[3 * i + 2], tol);
    }
    flatten(expected(c, "best_interval"), 0, plateau);
    SZ_CHECK_ABS(k->left, plateau[0], tol);
    SZ_CHECK_ABS(k->right, plateau[1], tol);
    SZ_CHECK_ABS(k->alpha, (plateau[0] + plateau[1]) / 2, tol);
}

static void check_interpolation(const sz_json *c) {
    double x[256];
    float a[256], b[256];
    int32_t labels[64];
    size_t n = integers(given(c, "label"), labels), cells = flatten(given(c, "a"), 0, x);
    sz_tune_curve k;
    for (size_t i = 0; i < cells; i++)
        a[i] = (float)x[i];
    flatten(given(c, "b"), 0, x);
    for (size_t i = 0; i < cells; i++)
        b[i] = (float)x[i];
    SZ_CHECK_OK(
        sz_tune_interpolate(a, b, labels, n, cells / n, input(c, "lo"), input(c, "hi"), &k));
    check_pieces(c, &k, 1e-5); /* scores in single precision */
    SZ_CHECK_ABS(k.best, want(c, "best_correct"), 0);
    sz_tune_curve_free(&k);
    double scores[512]; /* exactly, as polynomials of degree 1 */
    flatten(given(c, "a"), 0, x);
    for (size_t i = 0; i < cells; i++)
        scores[2 * i] = x[i];
    flatten(given(c, "b"), 0, x);
    for (size_t i = 0; i < cells; i++)
        scores[2 * i + 1] = x[i] - scores[2 * i];
    SZ_CHECK_OK(
        sz_tune_polynomials(scores, labels, n, cells / n, 1, input(c, "lo"), input(c, "hi"), &k));
    check_pieces(c, &k, 1e-9);
    sz_tune_curve_free(&k);
}

static void check_graph(const sz_json *c) {
    double d[256], m[64];
    int32_t labels[16];
    size_t n = integers(given(c, "label"), labels);
    sz_tune_curve k;
    flatten(given(c, "dist"), 0, d);
    size_t classes = flatten(given(c, "features_times_weights"), 0, m) / n;
    SZ_CHECK_OK(sz_tune_graph(d, m, labels, n, classes, (size_t)input(c, "degree"), false,
                              input(c, "lo"), input(c, "hi"), &k));
    check_pieces(c, &k, 1e-7);
    SZ_CHECK_ABS(k.best, want(c, "best_correct"), 0);
    sz_tune_curve_free(&k);
    assert_int_equal(sz_tune_graph(d, m, labels, n, classes, 2, true, -2, 2, &k), SZ_E_ARG);
}

static void check_steps(const sz_json *c) {
    static double numbers[64][64];
    sz_tune_steps tasks[32];
    size_t n = 0;
    double gap;
    sz_tune_curve k;
    for (const sz_json *t = given(c, "tasks")->u.child; t; t = t->next, n++) {
        tasks[n].n_breaks = flatten(sz_json_get(t, "breaks"), 0, numbers[2 * n]);
        flatten(sz_json_get(t, "values"), 0, numbers[2 * n + 1]);
        tasks[n].breaks = numbers[2 * n];
        tasks[n].values = numbers[2 * n + 1];
    }
    SZ_CHECK_OK(sz_tune_mean_steps(tasks, n, input(c, "lo"), input(c, "hi"), &k));
    check_pieces(c, &k, 1e-9);
    SZ_CHECK_ABS(k.best, want(c, "best_value"), 1e-9);
    SZ_CHECK_ABS((double)k.n_cells, want(c, "cells_before_merging"), 0);
    SZ_CHECK_OK(sz_tune_certificate(k.n_cells, n, 1, 0.05, &gap));
    SZ_CHECK_ABS(gap, want(c, "empirical_gap_H1_delta0.05"), 1e-9);
    sz_tune_curve_free(&k);
}

static void check_envelope(const sz_json *c) {
    double p[256];
    const sz_json *tasks = given(c, "tasks_candidates_poly_ascending");
    sz_tune_poly k;
    size_t n = flatten(tasks, 0, p), m = tasks->n, candidates = tasks->u.child->n;
    SZ_CHECK_OK(sz_tune_envelope(p, m, candidates, n / m / candidates - 1, input(c, "lo"),
                                 input(c, "hi"), &k));
    SZ_CHECK_ABS(k.best, want(c, "best_value"), 1e-8);
    SZ_CHECK_ABS(k.alpha, want(c, "best_alpha"), 1e-8);
    sz_tune_poly_free(&k);
}

static const sz_tune_bend relu = {0, 1}, identity = {1, 1};

static void check_activation(const sz_json *c) {
    double w1[16], w2[16], v[16], x[64], y[16], breaks[16], poly[64];
    const double *weights[] = {w1, w2, v};
    size_t n_y = flatten(given(c, "y"), 0, y), n_x = flatten(given(c, "x"), 0, x) / n_y;
    size_t n_1 = flatten(given(c, "W1"), 0, w1) / n_x, n_2 = flatten(given(c, "W2"), 0, w2) / n_1;
    size_t widths[] = {n_x, n_1, n_2, 1};
    sz_tune_poly k;
    flatten(given(c, "v"), 0, v);
    SZ_CHECK_OK(sz_tune_activation(weights, widths, 3, relu, identity, x, y, n_y, 0, 1, &k));
    size_t n = flatten(expected(c, "breakpoints"), 0, breaks);
    flatten(expected(c, "pieces_poly_ascending"), 0, poly);
    assert_int_equal(k.n + 1, n);
    for (size_t i = 0; i < n; i++)
        SZ_CHECK_ABS(k.breaks[i], breaks[i], 1e-8);
    for (size_t i = 0; i < k.n * 5; i++)
        SZ_CHECK_ABS(-k.c[i], poly[i], 1e-8 * (1 + fabs(poly[i])));
    SZ_CHECK_ABS(k.alpha, want(c, "best_alpha"), 1e-7);
    SZ_CHECK_ABS(-k.best, want(c, "best_loss"), 1e-8);
    sz_tune_poly_free(&k);
}

static void check_network(const sz_json *c) {
    double w[16];
    uint64_t widths[16];
    sz_tune_network r;
    size_t n = flatten(given(c, "widths"), 0, w);
    for (size_t i = 0; i < n; i++)
        widths[i] = (uint64_t)w[i];
    SZ_CHECK_OK(sz_tune_network_size(widths, n, (uint64_t)input(c, "examples"),
                                     (uint64_t)input(c, "breakpoints_per_activation"),
                                     (uint64_t)input(c, "activation_degree"), &r));
    SZ_CHECK_REL(r.log_pieces, want(c, "ln_pieces"), 1e-9);
    SZ_CHECK_ABS((double)r.n_weights, want(c, "weights"), 0);
    SZ_CHECK_ABS((double)r.output_degree, want(c, "output_degree"), 0);
    SZ_CHECK_ABS((double)r.pseudo_dimension, want(c, "pdim_upper"), 0);
}

static void check_sizes(const sz_json *c) {
    double constant, general;
    SZ_CHECK_OK(sz_tune_tasks_needed(input(c, "H"), input(c, "eps"), input(c, "delta"),
                                     input(c, "oscillations"), &constant, &general));
    SZ_CHECK_ABS(constant, want(c, "m_massart_piecewise_constant"), 0);
    SZ_CHECK_ABS(general, want(c, "m_pollard"), 0);
}

static void vectors_are_met(void **state) {
    vectors v = open_vectors(SZ_TEST_VECTORS "/05-tuning.json");
    size_t n = 0;
    for (const sz_json *c = v.first; c; c = c->next, n++) {
        uint32_t d;
        if (is_case(c, "interpolate_scores"))
            check_interpolation(c);
        else if (is_case(c, "graph"))
            check_graph(c);
        else if (is_case(c, "average_step"))
            check_steps(c);
        else if (is_case(c, "envelope"))
            check_envelope(c);
        else if (is_case(c, "interpolated_activation"))
            check_activation(c);
        else if (is_case(c, "pdim")) {
            SZ_CHECK_OK(sz_tune_pseudo_dimension(input(c, "oscillations"), &d));
            SZ_CHECK_ABS(d, want(c, "pdim_upper"), 0);
        } else if (is_case(c, "sample_size"))
            check_sizes(c);
        else if (is_case(c, "activation_network"))
            check_network(c);
        else
            fail_msg("unknown case %s", sz_json_get(c, "name")->u.s);
    }
    assert_int_equal(n, 24);
    close_vectors(&v);
}

/* ---- Properties --------------------------------------------------------------------------------
 */

enum { N = 60, C = 5 };

static void fill(float *s, uint64_t stream) {
    for (size_t i = 0; i < N * C; i++)
        s[i] = (float)(sz_uniform(4, stream, i) - 0.5) * 4;
}
static size_t right_at(const float *a, const float *b, const int32_t *labels, double alpha) {
    size_t right = 0;
    for (size_t i = 0; i < N; i++) {
        int best = 0;
        double most = -INFINITY;
        for (int c = 0; c < C; c++) {
            double s =
                (1 - alpha) * (double)a[i * C + (size_t)c] + alpha * (double)b[i * C + (size_t)c];
            if (s > most)
                most = s, best = c;
        }
        right += best == labels[i];
    }
    return right;
}

static void no_grid_is_better(void **state) {
    float a[N * C], b[N * C];
    int32_t labels[N];
    for (uint64_t run = 0; run < 30; run++) {
        sz_tune_curve k, mirrored, two;
        fill(a, 2 * run);
        fill(b, 2 * run + 1);
        for (size_t i = 0; i < N; i++)
            labels[i] = (int32_t)(sz_uniform(5, run, i) * C);
        SZ_CHECK_OK(sz_tune_interpolate(a, b, labels, N, C, -1, 2, &k));
        for (int g = 0; g <= 300; g++) {
            double alpha = -1 + g * 0.01 + 0.0000123;
            size_t right = right_at(a, b, labels, alpha);
            assert_true((double)right <= k.best);
            if (alpha < 2)
                SZ_CHECK_ABS(sz_tune_curve_at(&k, alpha), (double)right, 0);
        }
        SZ_CHECK_ABS((double)right_at(a, b, labels, k.alpha), k.best, 0);
        SZ_CHECK_OK(sz_tune_interpolate(b, a, labels, N, C, -1, 2, &mirrored));
        assert_int_equal(mirrored.n, k.n);
        for (size_t i = 0; i < k.n; i++) {
            SZ_CHECK_ABS(mirrored.pieces[i].left, 1 - k.pieces[k.n - 1 - i].right, 1e-9);
            SZ_CHECK_ABS(mirrored.pieces[i].value, k.pieces[k.n - 1 - i].value, 0);
        }
        for (size_t i = 0; i < N * C; i++) /* a constant per example changes nothing */
            a[i] += 8 * (float)(i / C % 3), b[i] += 8 * (float)(i / C % 3);
        SZ_CHECK_OK(sz_tune_interpolate(a, b, labels, N, C, -1, 2, &two));
        SZ_CHECK_ABS(two.best, k.best, 0);
        sz_tune_curve_free(&k);
        sz_tune_curve_free(&mirrored);
        sz_tune_curve_free(&two);
    }
}

static void ties_go_to_the_lowest(void **state) {
    float a[] = {1, 1, 0, 2, 2, 0}, b[] = {3, 3, 0, 4, 4, 0};
    int32_t labels[] = {0, 1};
    sz_tune_curve k;
    SZ_CHECK_OK(sz_tune_interpolate(a, b, labels, 2, 3, 0, 1, &k));
    assert_true(k.n == 1 && k.best == 1 && k.left == 0 && k.right == 1);
    sz_tune_curve_free(&k);
}

static void steps_outside_of_the_range_do_not_count(void **state) {
    double breaks[] = {-1, 0.5, 3}, values[] = {9, 1, 2, 9};
    sz_tune_steps t = {breaks, values, 3};
    sz_tune_curve k;
    SZ_CHECK_OK(sz_tune_mean_steps(&t, 1, 0, 1, &k));
    assert_true(k.n == 2 && k.pieces[0].value == 1 && k.pieces[1].value == 2 && k.n_cells == 2);
    sz_tune_curve_free(&k);
}

/* Envelope and net against direct evaluation. */
static void polynomials_are_what_they_stand_for(void **state) {
    double c[5 * 4 * 4], w[3][64], x[24], y[8];
    size_t widths[] = {3, 4, 4, 1};
    const double *weights[] = {w[0], w[1], w[2]};
    sz_tune_poly k;
    for (size_t i = 0; i < 80; i++)
        c[i] = sz_uniform(1, 2, i) - 0.5;
    SZ_CHECK_OK(sz_tune_envelope(c, 5, 4, 3, -2, 2, &k));
    for (double alpha = -2; alpha <= 2; alpha += 0.0123) {
        double mean = 0;
        for (size_t t = 0; t < 5; t++) {
            double most = -INFINITY;
            for (size_t j = 0; j < 4; j++) {
                const double *p = c + (t * 4 + j) * 4;
                most = fmax(most, p[0] + alpha * (p[1] + alpha * (p[2] + alpha * p[3])));
            }
            mean += most / 5;
        }
        SZ_CHECK_ABS(sz_tune_poly_at(&k, alpha), mean, 1e-9);
        assert_true(mean <= k.best + 1e-9);
    }
    sz_tune_poly_free(&k);
    for (size_t i = 0; i < 3 * 64; i++)
        w[i / 64][i % 64] = 2 * sz_uniform(1, 3, i) - 1;
    for (size_t i = 0; i < 24; i++)
        x[i] = 2 * sz_uniform(1, 4, i) - 1;
    for (size_t i = 0; i < 8; i++)
        y[i] = sz_uniform(1, 5, i);
    SZ_CHECK_OK(
        sz_tune_activation(weights, widths, 3, relu, (sz_tune_bend){-1, 1}, x, y, 8, 0, 1, &k));
    for (double alpha = 0; alpha <= 1; alpha += 0.00321) {
        double loss = 0;
        for (size_t e = 0; e < 8; e++) {
            double u[2][4];
            memcpy(u[0], x + 3 * e, 3 * sizeof(double));
            for (size_t l = 0; l < 3; l++) {
                for (size_t i = 0; i < widths[l + 1]; i++) {
                    double z = 0;
                    for (size_t j = 0; j < widths[l]; j++)
                        z += w[l][i * widths[l] + j] * u[0][j];
                    u[1][i] = l == 2 ? z : alpha * (z > 0 ? z : 0) + (1 - alpha) * fabs(z);
                }
                memcpy(u[0], u[1], sizeof u[0]);
            }
            loss += (u[0][0] - y[e]) * (u[0][0] - y[e]) / 8;
        }
        SZ_CHECK_ABS(-sz_tune_poly_at(&k, alpha), loss, 1e-9);
        assert_true(loss >= -k.best - 1e-9);
    }
    sz_tune_poly_free(&k);
}

static void mixtures_have_their_maximum(void **state) {
    double p[200], q[200], alpha, mean;
    for (size_t i = 0; i < 200; i++) {
        p[i] = log(0.01 + 0.98 * sz_uniform(1, 1, i));
        q[i] = log(0.01 + 0.98 * sz_uniform(1, 2, i));
    }
    SZ_CHECK_OK(sz_tune_mixture(p, q, 200, &alpha, &mean));
    assert_true(alpha > 0 && alpha < 1);
    for (int g = 0; g <= 1000; g++) {
        double sum = 0, a = g * 0.001;
        for (size_t i = 0; i < 200; i++)
            sum += log((1 - a) * exp(p[i]) + a * exp(q[i])) / 200;
        assert_true(sum <= mean + 1e-12);
    }
    SZ_CHECK_OK(sz_tune_mixture(p, p, 200, &alpha, &mean));
    assert_true(alpha == 0);
    double low = log(0.1), high = log(0.9), far = -5000;
    SZ_CHECK_OK(sz_tune_mixture(&low, &high, 1, &alpha, &mean));
    assert_true(alpha == 1);
    SZ_CHECK_ABS(mean, high, 1e-12);
    SZ_CHECK_OK(sz_tune_mixture(&far, &high, 1, &alpha, &mean));
    assert_true(alpha == 1);
    double p2[] = {-5000, log(0.5)}, q2[] = {log(0.5), -5000};
    SZ_CHECK_OK(sz_tune_mixture(p2, q2, 2, &alpha, &mean));
    SZ_CHECK_ABS(alpha, 0.5, 1e-9);
}

static void calculators_are_monotone(void **state) {
    uint32_t before = 0, d;
    double few, many, g;
    for (double b = 1; b < 1e12; b *= 3) {
        SZ_CHECK_OK(sz_tune_pseudo_dimension(b, &d));
        assert_true(d >= before);
        assert_true(ldexp(1, (int)d) <= d * b + 1 && ldexp(1, (int)d + 1) > (d + 1) * b + 1);
        before = d;
    }
    SZ_CHECK_OK(sz_tune_tasks_needed(1, 0.1, 0.05, 10, &few, &g));
    SZ_CHECK_OK(sz_tune_tasks_needed(1, 0.1, 0.01, 10, &many, &g));
    assert_true(many >= few);
    SZ_CHECK_OK(sz_tune_tasks_needed(1, 0.05, 0.05, 10, &many, &g));
    assert_true(many > 3 * few);
}

static void bad_input_is_refused(void **state) {
    float a[] = {0, 1}, b[] = {1, NAN};
    double breaks[] = {0.5, 0.5}, values[] = {0, 1, 2}, alpha, x;
    int32_t labels[] = {0}, wrong[] = {2};
    sz_tune_curve k;
    sz_tune_steps t = {breaks, values, 2};
    uint32_t d;
    assert_int_equal(sz_tune_interpolate(a, b, labels, 1, 2, 0, 1, &k), SZ_E_NAN);
    assert_non_null(strstr(sz_last_error(), "example 0: score 1 of b"));
    assert_int_equal(sz_tune_interpolate(a, a, wrong, 1, 2, 0, 1, &k), SZ_E_ARG);
    assert_int_equal(sz_tune_interpolate(a, a, labels, 0, 2, 0, 1, &k), SZ_E_ARG);
    assert_int_equal(sz_tune_interpolate(a, a, labels, 1, 2, 1, 1, &k), SZ_E_ARG);
    assert_int_equal(sz_tune_mean_steps(&t, 1, 0, 1, &k), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "task 0: break 1 does not rise"));
    assert_int_equal(sz_tune_mean_steps(&t, 0, 0, 1, &k), SZ_E_ARG);
    assert_int_equal(sz_tune_pseudo_dimension(0.5, &d), SZ_E_ARG);
    assert_int_equal(sz_tune_certificate(1, 0, 1, 0.1, &x), SZ_E_ARG);
    assert_int_equal(sz_tune_certificate(1, 1, 0, 0.1, &x), SZ_E_ARG);
    x = 1;
    assert_int_equal(sz_tune_mixture(&x, &x, 1, &alpha, &x), SZ_E_ARG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_met),
        cmocka_unit_test(no_grid_is_better),
        cmocka_unit_test(ties_go_to_the_lowest),
        cmocka_unit_test(steps_outside_of_the_range_do_not_count),
        cmocka_unit_test(polynomials_are_what_they_stand_for),
        cmocka_unit_test(mixtures_have_their_maximum),
        cmocka_unit_test(calculators_are_monotone),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
