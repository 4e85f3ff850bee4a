/* Landauer, erasure and Simon's problem: the card's vectors, bounds, every hidden string of up to
 * ten bits, and what is refused. */
#include "learn/vector_case.h"

#include <math.h>
#include <stdlib.h>
#include <szilard/unstable/energy.h>

static double want(const sz_json *c, const char *key) {
    return number(expected(c, key));
}
static double input(const sz_json *c, const char *key) {
    return number(given(c, key));
}

static void check_classical(const sz_json *c, int n) {
    sz_simon_classical f;
    SZ_CHECK_OK(sz_simon_classical_figures(n, (uint64_t)input(c, "q"), &f));
    SZ_CHECK_ABS(f.collision, want(c, "collision_probability"), 1e-9);
    SZ_CHECK_ABS(f.mean, want(c, "mean_queries_to_collision"), 1e-9);
    SZ_CHECK_ABS(f.best_success, want(c, "best_possible_success"), 1e-9);
    SZ_CHECK_ABS(f.transcript_bits, want(c, "transcript_bits_no_collision"), 1e-9);
}

static void check_state(const sz_json *c, int n) {
    double table[64], law[64], expect[64];
    uint64_t f[64], s;
    size_t size = flatten(given(c, "f"), 0, table);
    for (size_t i = 0; i < size; i++)
        f[i] = (uint64_t)table[i];
    SZ_CHECK_OK(sz_simon_hidden(f, n, &s));
    SZ_CHECK_ABS((double)s, want(c, "hidden"), 0);
    SZ_CHECK_OK(sz_simon_circuit(f, n, law));
    flatten(expected(c, "first_register_distribution"), 0, expect);
    for (size_t i = 0; i < size; i++)
        SZ_CHECK_ABS(law[i], expect[i], 1e-12);
}

static void check_null_space(const sz_json *c, int n) {
    double rows[16], candidates[64];
    sz_gf2 g;
    uint64_t basis[64], all[64];
    size_t n_rows = flatten(given(c, "rows"), 0, rows), n_all = 0;
    size_t n_want = flatten(expected(c, "candidates"), 0, candidates);
    sz_gf2_begin(&g, n);
    for (size_t i = 0; i < n_rows; i++)
        sz_gf2_add(&g, (uint64_t)rows[i]);
    SZ_CHECK_ABS(g.rank, want(c, "rank"), 0);
    int dimension = sz_gf2_null(&g, basis);
    assert_int_equal(dimension, n - g.rank);
    for (uint64_t x = 1; x < UINT64_C(1) << n; x++) { /* spanned? */
        uint64_t left = x;
        for (uint64_t k = 0; k < UINT64_C(1) << dimension; k++) {
            uint64_t sum = 0;
            for (int i = 0; i < dimension; i++)
                sum ^= k >> i & 1 ? basis[i] : 0;
            left = sum == x ? 0 : left;
        }
        if (left == 0)
            all[n_all++] = x;
    }
    assert_int_equal(n_all, n_want);
    for (size_t i = 0; i < n_all; i++)
        SZ_CHECK_ABS((double)all[i], candidates[i], 0);
}

static void check_case(const sz_json *c) {
    double joules, p;
    uint64_t q;
    int n = given(c, "N") ? (int)input(c, "N") : 0;
    if (is_case(c, "landauer")) {
        SZ_CHECK_OK(sz_energy_landauer(input(c, "bits"), input(c, "kelvin"), &joules));
        SZ_CHECK_REL(joules, want(c, "joules"), 1e-12);
    } else if (is_case(c, "finite_step")) {
        sz_erasure e;
        SZ_CHECK_OK(sz_energy_erasure((uint64_t)input(c, "steps"), input(c, "residual_error"),
                                      input(c, "kelvin"), &e));
        SZ_CHECK_REL(e.work, want(c, "work_joules"), 1e-9);
        SZ_CHECK_REL(e.limit, want(c, "limit_joules"), 1e-9);
        SZ_CHECK_REL(e.bound, want(c, "upper_bound_joules"), 1e-9);
        SZ_CHECK_ABS(e.over_landauer, want(c, "work_over_kTln2"), 1e-9);
    } else if (is_case(c, "quantum_rank")) {
        SZ_CHECK_OK(sz_simon_rank_probability(n, (uint64_t)input(c, "k"), &p));
        SZ_CHECK_ABS(p, want(c, "probability"), 1e-12);
        SZ_CHECK_OK(sz_simon_quantum_mean(n, &p));
        SZ_CHECK_ABS(p, want(c, "mean_queries"), 1e-12);
    } else if (is_case(c, "classical_random")) {
        check_classical(c, n);
    } else if (is_case(c, "classical_lower")) {
        SZ_CHECK_OK(sz_simon_least_queries(n, input(c, "success"), &q));
        SZ_CHECK_ABS((double)q, want(c, "min_queries"), 0);
        SZ_CHECK_OK(sz_simon_deterministic_queries(n, &q));
        SZ_CHECK_ABS((double)q, want(c, "deterministic_upper"), 0);
    } else if (is_case(c, "simon_state")) {
        check_state(c, n);
    } else if (is_case(c, "gf2_solve")) {
        check_null_space(c, n);
    } else {
        fail_msg("unknown case %s", sz_json_get(c, "name")->u.s);
    }
}

static void vectors_are_met(void **state) {
    vectors v = open_vectors(SZ_TEST_VECTORS "/06-energy.json");
    size_t n = 0;
    for (const sz_json *c = v.first; c; c = c->next, n++)
        check_case(c);
    assert_true(n > 30);
    close_vectors(&v);
}

static void erasure_stays_within_its_bounds(void **state) {
    static const double errors[] = {0.5, 0.49999, 0.3, 0.01, 1e-6, 1e-15};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        double before = INFINITY;
        for (uint64_t steps = 1; steps <= 100000; steps *= 10) {
            sz_erasure e;
            SZ_CHECK_OK(sz_energy_erasure(steps, errors[i], 300, &e));
            double slack = 1e-9 * e.bound;
            assert_true(e.limit <= e.work + slack && e.work <= e.bound + slack);
            assert_true(e.work < before || errors[i] == 0.5);
            before = e.work;
        }
    }
}

static void landauer_is_linear(void **state) {
    double a, b;
    SZ_CHECK_OK(sz_energy_landauer(3, 100, &a));
    SZ_CHECK_OK(sz_energy_landauer(6, 200, &b));
    SZ_CHECK_REL(b, 4 * a, 1e-14);
}

static void every_string_is_found(void **state) {
    for (int n = 2; n <= 10; n++)
        for (uint64_t s = 1; s < UINT64_C(1) << n; s++) {
            sz_simon_run run;
            uint64_t most;
            SZ_CHECK_OK(sz_simon_deterministic_queries(n, &most));
            SZ_CHECK_OK(sz_simon_quantum(n, s, SZ_SIMON_SAMPLED, 1, &run));
            assert_true(run.found == s && run.queries + 1 >= (uint64_t)n);
            SZ_CHECK_OK(sz_simon_deterministic(n, s, &run));
            assert_true(run.found == s && run.queries <= most);
            SZ_CHECK_OK(sz_simon_random(n, s, 7, UINT64_MAX, &run));
            assert_true(run.found == s);
            if (n <= 6 || s % 97 == 1) {
                SZ_CHECK_OK(sz_simon_quantum(n, s, SZ_SIMON_WAVE, 1, &run));
                assert_true(run.found == s);
            }
            if (n <= 5 || (n < 8 && s % 29 == 1)) {
                SZ_CHECK_OK(sz_simon_quantum(n, s, SZ_SIMON_FULL, 1, &run));
                assert_true(run.found == s);
            }
        }
    sz_simon_run run;
    uint64_t s = (UINT64_C(1) << 63) - 5;
    SZ_CHECK_OK(sz_simon_quantum(63, s, SZ_SIMON_SAMPLED, 3, &run));
    assert_true(run.found == s && run.queries >= 62 && run.queries < 80);
}

static void check_mean(const char *what, double sum, double squares, double n, double mean) {
    double m = sum / n, se = sqrt((squares / n - m * m) / n);
    if (fabs(m - mean) > 5 * se)
        fail_msg("%s: mean %g, not %g within 5 x %g", what, m, mean, se);
}

static void means_are_those_of_the_formulas(void **state) {
    enum { RUNS = 2000, N = 9 };
    double sum[3] = {0}, squares[3] = {0}, mean;
    sz_simon_classical f;
    for (uint64_t i = 0; i < RUNS; i++) {
        uint64_t s = 1 + (uint64_t)(sz_uniform(1, 1, i) * 511);
        sz_simon_run run[3];
        SZ_CHECK_OK(sz_simon_quantum(N, s, SZ_SIMON_SAMPLED, i, &run[0]));
        SZ_CHECK_OK(sz_simon_quantum(N, s, SZ_SIMON_WAVE, i, &run[1]));
        SZ_CHECK_OK(sz_simon_random(N, s, i, UINT64_MAX, &run[2]));
        for (int k = 0; k < 3; k++) {
            sum[k] += (double)run[k].queries;
            squares[k] += (double)run[k].queries * (double)run[k].queries;
        }
    }
    SZ_CHECK_OK(sz_simon_quantum_mean(N, &mean));
    SZ_CHECK_OK(sz_simon_classical_figures(N, 2, &f));
    check_mean("sampled", sum[0], squares[0], RUNS, mean);
    check_mean("wave", sum[1], squares[1], RUNS, mean);
    check_mean("random", sum[2], squares[2], RUNS, f.mean);
}

static void transforms_keep_the_norm(void **state) {
    for (int n = 0; n <= 12; n++) {
        double v[4096], w[4096], norm = 0;
        for (size_t i = 0; i < (size_t)1 << n; i++)
            v[i] = w[i] = sz_uniform(5, (uint64_t)n, i) - 0.5;
        SZ_CHECK_OK(sz_walsh_hadamard(w, n));
        double first = 0;
        for (size_t i = 0; i < (size_t)1 << n; i++) {
            norm += w[i] * w[i] - v[i] * v[i];
            first += v[i];
        }
        SZ_CHECK_ABS(norm, 0, 1e-10);
        SZ_CHECK_ABS(w[0], first / sqrt((double)((size_t)1 << n)), 1e-12);
        SZ_CHECK_OK(sz_walsh_hadamard(w, n)); /* its own inverse */
        for (size_t i = 0; i < (size_t)1 << n; i++)
            SZ_CHECK_ABS(w[i], v[i], 1e-13);
    }
}

static void figures_are_monotone(void **state) {
    for (int n = 2; n <= 63; n++) {
        double before = -1, p, mean;
        for (uint64_t k = 0; k < 90; k++, before = p) {
            SZ_CHECK_OK(sz_simon_rank_probability(n, k, &p));
            assert_true(p >= before && p >= 0 && p <= 1);
        }
        SZ_CHECK_OK(sz_simon_quantum_mean(n, &mean));
        assert_true(mean > n - 1 && mean < n + 0.6067);
    }
    sz_simon_classical a, b; /* the birthday limit takes over smoothly */
    SZ_CHECK_OK(sz_simon_classical_figures(43, 10, &a));
    SZ_CHECK_OK(sz_simon_classical_figures(45, 10, &b));
    SZ_CHECK_REL(b.mean, 2 * a.mean, 1e-6);
}

static void classical_costs_outgrow_quantum_ones(void **state) {
    sz_simon_costs cheap = {.gate_joules = 1e-21}, dear = {.gate_joules = 1e-16};
    int a, b, none;
    SZ_CHECK_OK(sz_simon_crossover(&cheap, &a));
    SZ_CHECK_OK(sz_simon_crossover(&dear, &b));
    assert_true(a > 2 && b > a && b < 64);
    sz_simon_energy e;
    SZ_CHECK_OK(sz_simon_energies(b, &dear, &e));
    assert_true(e.log10_classical > e.log10_quantum);
    SZ_CHECK_OK(sz_simon_energies(b - 1, &dear, &e));
    assert_true(e.log10_classical <= e.log10_quantum);
    SZ_CHECK_OK(sz_simon_crossover(&(sz_simon_costs){.gate_joules = 1e9}, &none));
    assert_int_equal(none, 0);
}

static void bad_input_is_refused(void **state) {
    double x, law[8];
    uint64_t q, s;
    sz_erasure e;
    sz_simon_run run;
    assert_int_equal(sz_energy_landauer(1, 0, &x), SZ_E_ARG);
    assert_int_equal(sz_energy_landauer(1, NAN, &x), SZ_E_ARG);
    assert_int_equal(sz_energy_landauer(-1, 300, &x), SZ_E_ARG);
    assert_int_equal(sz_energy_erasure(0, 0.1, 300, &e), SZ_E_ARG);
    assert_int_equal(sz_energy_erasure(1, 0, 300, &e), SZ_E_ARG);
    assert_int_equal(sz_energy_erasure(1, 0.6, 300, &e), SZ_E_ARG);
    assert_int_equal(sz_simon_rank_probability(1, 3, &x), SZ_E_ARG);
    assert_int_equal(sz_simon_least_queries(5, 0, &q), SZ_E_ARG);
    assert_int_equal(sz_simon_quantum(13, 1, SZ_SIMON_FULL, 1, &run), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "2 to 12"));
    assert_int_equal(sz_simon_quantum(5, 0, SZ_SIMON_SAMPLED, 1, &run), SZ_E_ARG);
    assert_int_equal(sz_simon_quantum(5, 32, SZ_SIMON_SAMPLED, 1, &run), SZ_E_ARG);
    assert_int_equal(sz_simon_hidden((uint64_t[]){1, 1, 2, 3}, 2, &s), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "0 and 1 agree, but f(2) is not f(3)"));
    assert_int_equal(sz_simon_hidden((uint64_t[]){1, 1, 1, 1}, 2, &s), SZ_E_ARG);
    assert_int_equal(sz_simon_hidden((uint64_t[]){0, 1, 2, 3}, 2, &s), SZ_E_ARG);
    assert_int_equal(sz_simon_circuit((uint64_t[]){0, 9, 0, 1}, 2, law), SZ_E_ARG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_met),
        cmocka_unit_test(erasure_stays_within_its_bounds),
        cmocka_unit_test(landauer_is_linear),
        cmocka_unit_test(every_string_is_found),
        cmocka_unit_test(means_are_those_of_the_formulas),
        cmocka_unit_test(transforms_keep_the_norm),
        cmocka_unit_test(figures_are_monotone),
        cmocka_unit_test(classical_costs_outgrow_quantum_ones),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
