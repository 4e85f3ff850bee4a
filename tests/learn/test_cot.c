/* CoT information against enumerated vectors, its properties, the learners against its bounds, and
 * bad input. */
#include "vector_case.h"

#include <math.h>
#include <stdlib.h>
#include <szilard/unstable/cot.h>

enum { MOST = 64 };

static double value(const sz_json *v) {
    return v->type == SZ_JSON_STRING ? INFINITY : number(v);
}
static void near(double got, const sz_json *want, double tol) {
    if (value(want) == INFINITY)
        assert_true(got == INFINITY);
    else
        SZ_CHECK_ABS(got, value(want), tol);
}

typedef struct table {
    int64_t y[MOST * MOST], z[MOST * MOST];
    double p[MOST];
    size_t n_h, n_x;
} table;

static size_t read_codes(const sz_json *list, int64_t *out) {
    size_t n = 0;
    for (const sz_json *v = list->u.child; v; v = v->next)
        out[n++] = v->u.i;
    return n;
}

static void read_table(const sz_json *c, table *t) {
    t->n_h = 0;
    for (const sz_json *h = given(c, "hypotheses")->u.child; h; h = h->next, t->n_h++) {
        const sz_json *y = sz_json_get(h, "y");
        t->n_x = y->n;
        read_codes(y, t->y + t->n_h * t->n_x);
        read_codes(sz_json_get(h, "z"), t->z + t->n_h * t->n_x);
    }
}

static sz_cot_class *class_of(const sz_json *c) {
    static table t;
    sz_cot_class *out;
    read_table(c, &t);
    flatten(given(c, "px"), 0, t.p);
    SZ_CHECK_OK(sz_cot_class_new(t.y, t.z, t.n_h, t.n_x, t.p, false, &out));
    return out;
}

static void check_info(const sz_json *c, const sz_cot_class *k, size_t star) {
    double delta = number(given(c, "delta"));
    const sz_json *cot = expected(c, "cot_info_nats")->u.child,
                  *e2e = expected(c, "e2e_info_nats")->u.child,
                  *upper = expected(c, "m_upper_cot")->u.child, *lower = expected(c, "m_lower_cot"),
                  *plain = expected(c, "m_upper_e2e");
    lower = lower ? lower->u.child : NULL;
    plain = plain ? plain->u.child : NULL;
    for (const sz_json *eps = given(c, "eps")->u.child; eps; eps = eps->next) {
        sz_cot_info i;
        SZ_CHECK_OK(sz_cot_information(k, star, number(eps), delta, NULL, &i));
        near(i.cot, cot, 1e-10);
        near(i.e2e, e2e, 1e-10);
        SZ_CHECK_ABS(i.upper_cot, number(upper), 0);
        if (lower)
            near(i.lower_cot, lower, 1e-10);
        if (plain)
            SZ_CHECK_ABS(i.upper_e2e, number(plain), 0);
        assert_true(i.cot >= i.e2e - 1e-12 && i.e2e >= number(eps));
        cot = cot->next, e2e = e2e->next, upper = upper->next;
        lower = lower ? lower->next : NULL;
        plain = plain ? plain->next : NULL;
    }
}

static void check_tables(const sz_json *c) {
    sz_cot_class *k = class_of(c);
    size_t star = (size_t)given(c, "star")->u.i, a = 0;
    const sz_json *d = expected(c, "e2e_disagreement")->u.child;
    for (const sz_json *r = expected(c, "rel_cot_info_nats")->u.child; r; r = r->next, a++) {
        size_t b = 0;
        const sz_json *e = d->u.child;
        for (const sz_json *v = r->u.child; v; v = v->next, e = e->next, b++) {
            double nats, differ;
            SZ_CHECK_OK(sz_cot_relative(k, a, b, &nats, &differ));
            near(nats, v, 1e-10);
            SZ_CHECK_ABS(differ, number(e), 1e-10);
        }
        d = d->next;
    }
    check_info(c, k, star);
    const sz_json *want = expected(c, "two_point_error_fixed_star")->u.child;
    for (const sz_json *m = given(c, "m_two_point")->u.child; m; m = m->next, want = want->next) {
        double error;
        SZ_CHECK_OK(sz_cot_two_point(k, star, number(m), &error));
        SZ_CHECK_ABS(error, number(want), 1e-10);
    }
    sz_cot_class_free(k);
}

static void check_automata(const sz_json *c) {
    double digits[16];
    uint32_t transition[16];
    size_t states = (size_t)given(c, "states")->u.i, symbols = (size_t)given(c, "alphabet")->u.i;
    size_t n = flatten(given(c, "star_transition"), 0, digits), zero = 0;
    sz_cot_class *k;
    for (size_t i = 0; i < n; i++)
        transition[i] = (uint32_t)digits[i];
    SZ_CHECK_OK(sz_cot_class_automata(states, symbols, (size_t)given(c, "length")->u.i, 0, 0, &k));
    SZ_CHECK_ABS((double)k->n_hypotheses, number(expected(c, "class_size")), 0);
    size_t star = sz_cot_automaton_index(states, symbols, transition,
                                         (uint32_t)given(c, "star_accept_mask")->u.i);
    check_info(c, k, star);
    for (size_t h = 0; h < k->n_hypotheses; h++) {
        double nats, differ;
        SZ_CHECK_OK(sz_cot_relative(k, star, h, &nats, &differ));
        zero += differ == 0;
    }
    SZ_CHECK_ABS((double)zero, number(expected(c, "hypotheses_with_zero_e2e_risk")), 0);
    sz_cot_class_free(k);
}

static void check_checks(const sz_json *c) {
    sz_cot_class *k;
    sz_cot_info i;
    SZ_CHECK_OK(sz_cot_class_checks((size_t)given(c, "alphabet")->u.i,
                                    (size_t)given(c, "checks")->u.i, &k));
    SZ_CHECK_OK(sz_cot_information(k, 0, 0, 0.05, NULL, &i));
    near(i.cot, expected(c, "cot_info_nats"), 1e-10);
    near(i.cot, expected(c, "closed_form_cot"), 1e-10);
    SZ_CHECK_ABS(1 - exp(-i.e2e), number(expected(c, "min_e2e_disagreement")), 1e-10);
    sz_cot_class_free(k);
}

static void check_agnostic(const sz_json *c) {
    static table t;
    sz_cot_atom atoms[MOST];
    double e2e[MOST], cot[MOST], want[MOST], nats;
    size_t n = 0;
    read_table(c, &t);
    for (const sz_json *a = given(c, "joint")->u.child; a; a = a->next)
        atoms[n++] = (sz_cot_atom){(size_t)sz_json_get(a, "x")->u.i, sz_json_get(a, "y")->u.i,
                                   sz_json_get(a, "z")->u.i, number(sz_json_get(a, "p"))};
    const sz_json *info = expected(c, "agnostic_cot_info")->u.child;
    for (const sz_json *eps = given(c, "eps")->u.child; eps; eps = eps->next, info = info->next) {
        SZ_CHECK_OK(
            sz_cot_agnostic(t.y, t.z, t.n_h, t.n_x, atoms, n, number(eps), e2e, cot, &nats));
        near(nats, info, 1e-10);
    }
    flatten(expected(c, "risk_e2e"), 0, want);
    for (size_t h = 0; h < t.n_h; h++)
        SZ_CHECK_ABS(e2e[h], want[h], 1e-10);
    flatten(expected(c, "risk_cot"), 0, want);
    for (size_t h = 0; h < t.n_h; h++)
        SZ_CHECK_ABS(cot[h], want[h], 1e-10);
}

static void check_mixed(const sz_json *c) {
    sz_cot_class *k = class_of(c);
    const sz_json *want = expected(c, "m_e2e")->u.child;
    for (const sz_json *m = given(c, "m_cot")->u.child; m; m = m->next, want = want->next) {
        double plain;
        SZ_CHECK_OK(sz_cot_mixed(k, (size_t)given(c, "star")->u.i, number(given(c, "eps")),
                                 number(given(c, "delta")), number(m), &plain));
        SZ_CHECK_ABS(plain, number(want), 0);
    }
    sz_cot_class_free(k);
}

static void check_file(const char *path, size_t n_cases) {
    vectors v = open_vectors(path);
    for (const sz_json *c = v.first; c; c = c->next, n_cases--) {
        double m;
        if (is_case(c, "dfa"))
            check_automata(c);
        else if (is_case(c, "and_of"))
            check_checks(c);
        else if (is_case(c, "agnostic"))
            check_agnostic(c);
        else if (is_case(c, "mixed"))
            check_mixed(c);
        else if (is_case(c, "fano")) {
            SZ_CHECK_OK(sz_cot_fano(number(given(c, "packing_number")),
                                    number(given(c, "C_Q_nats")),
                                    number(given(c, "mean_rel_cot_info_nats")), &m));
            SZ_CHECK_ABS(m, number(expected(c, "m_lower")), 1e-12);
        } else
            check_tables(c);
    }
    assert_int_equal(n_cases, 0);
    close_vectors(&v);
}

static void vectors_are_met(void **state) {
    check_file(SZ_TEST_VECTORS "/41-cot-information.json", 10);
    check_file(SZ_TEST_VECTORS "/41-cot-extra.json", 15);
}

/* ---- Properties --------------------------------------------------------------------------------
 */

static void information_is_monotone(void **state) {
    sz_cot_class *k;
    SZ_CHECK_OK(sz_cot_class_automata(3, 2, 5, 0, 0, &k));
    for (size_t star = 17; star < k->n_hypotheses; star += 1301) {
        double before = 0;
        for (double eps = 0; eps < 1; eps += 0.07) {
            sz_cot_info i;
            SZ_CHECK_OK(sz_cot_information(k, star, eps, 0.05, NULL, &i));
            assert_true(i.cot >= before);
            before = i.cot;
        }
    }
    double a, b, d, e;
    for (size_t h = 0; h < 3000; h += 371) {
        SZ_CHECK_OK(sz_cot_relative(k, h, h, &a, &d));
        assert_true(a == 0 && d == 0);
        SZ_CHECK_OK(sz_cot_relative(k, h, 2222, &a, &d));
        SZ_CHECK_OK(sz_cot_relative(k, 2222, h, &b, &e));
        assert_true(a == b && d == e);
    }
    sz_cot_class_free(k);
}

/* A larger class has no more information; names of outputs and traces do not matter. */
static void names_do_not_matter(void **state) {
    enum { H = 20, X = 12 };
    int64_t y[H * X], z[H * X], y2[H * X], z2[H * X];
    for (size_t i = 0; i < H * X; i++) {
        y[i] = (int64_t)(sz_uniform(1, 1, i) * 3);
        z[i] = (int64_t)(sz_uniform(1, 2, i) * 4);
        y2[i] = 1000 - 7 * y[i];
        z2[i] = z[i] * z[i] - 50;
    }
    sz_cot_class *a, *b, *small;
    SZ_CHECK_OK(sz_cot_class_new(y, z, H, X, NULL, false, &a));
    SZ_CHECK_OK(sz_cot_class_new(y2, z2, H, X, NULL, false, &b));
    SZ_CHECK_OK(sz_cot_class_new(y, z, H / 2, X, NULL, false, &small));
    for (size_t star = 0; star < H; star++)
        for (double eps = 0; eps < 0.9; eps += 0.1) {
            sz_cot_info i, j;
            SZ_CHECK_OK(sz_cot_information(a, star, eps, 0.1, NULL, &i));
            SZ_CHECK_OK(sz_cot_information(b, star, eps, 0.1, NULL, &j));
            assert_true(i.cot == j.cot && i.e2e == j.e2e && i.worst == j.worst);
            if (star < H / 2) {
                SZ_CHECK_OK(sz_cot_information(small, star, eps, 0.1, NULL, &j));
                assert_true(j.cot >= i.cot);
            }
        }
    sz_cot_class_free(a);
    sz_cot_class_free(b);
    sz_cot_class_free(small);
}

static void parities_gain_nothing(void **state) {
    sz_cot_class *k;
    sz_cot_info i;
    SZ_CHECK_OK(sz_cot_class_parity(7, &k));
    SZ_CHECK_OK(sz_cot_information(k, 77, 0.3, 0.05, NULL, &i));
    SZ_CHECK_ABS(i.cot, log(2), 1e-12);
    SZ_CHECK_ABS(i.e2e, log(2), 1e-12);
    sz_cot_class_free(k);
}

static void automata_are_those_of_an_interpreter(void **state) {
    static const uint32_t transition[] = {1, 2, 0, 1, 2, 0};
    enum { L = 6 };
    sz_cot_class *k;
    SZ_CHECK_OK(sz_cot_class_automata(3, 2, L, 0, 0, &k));
    size_t a = sz_cot_automaton_index(3, 2, transition, 5),
           b = sz_cot_automaton_index(3, 2, transition, 0);
    for (size_t x = 0; x < k->n_inputs; x++) { /* nothing is accepted by b */
        uint32_t state_now = 0;
        for (size_t i = 0; i < L; i++)
            state_now = transition[state_now * 2 + (x >> (L - 1 - i) & 1)];
        bool accepts = 5 >> state_now & 1;
        assert_true((k->y[a * k->n_inputs + x] != k->y[b * k->n_inputs + x]) == accepts);
    }
    sz_cot_class_free(k);
}

static void draws_are_told_with_caution(void **state) {
    static const uint32_t transition[] = {0, 1, 1, 2, 2, 0};
    sz_cot_class *k;
    size_t star = sz_cot_automaton_index(3, 2, transition, 4);
    sz_cot_info exact, drawn;
    SZ_CHECK_OK(sz_cot_class_automata(3, 2, 8, 0, 0, &k));
    SZ_CHECK_OK(sz_cot_information(k, star, 0.05, 0.05, NULL, &exact));
    sz_cot_class_free(k);
    SZ_CHECK_OK(sz_cot_class_automata(3, 2, 8, 2000, 1, &k));
    SZ_CHECK_OK(sz_cot_information(k, star, 0.05, 0.05, NULL, &drawn));
    assert_true(drawn.cot <= exact.cot && drawn.cot > 0.7 * exact.cot);
    assert_true(drawn.upper_cot >= exact.upper_cot);
    sz_cot_class_free(k);
}

static void threads_change_nothing(void **state) {
    double a[512], b[512];
    sz_cot_class *k;
    sz_pool *pool;
    SZ_CHECK_OK(sz_cot_class_checks(8, 3, &k));
    SZ_CHECK_OK(sz_pool_new(3, &pool));
    SZ_CHECK_OK(sz_cot_information_all(k, 0, NULL, a));
    SZ_CHECK_OK(sz_cot_information_all(k, 0, pool, b));
    assert_memory_equal(a, b, sizeof a);
    SZ_CHECK_ABS(a[100], -log(1 - 2.0 / 8), 1e-12);
    sz_pool_free(pool);
    sz_cot_class_free(k);
}

static void transfer_counts_other_inputs(void **state) {
    int64_t y[] = {0, 0, 0, 1}, z[] = {0, 0, 0, 0};
    double p[] = {0.9, 0.1}, test[] = {0.1, 0.9};
    sz_cot_class *k;
    sz_cot_info i;
    SZ_CHECK_OK(sz_cot_class_new(y, z, 2, 2, p, false, &k));
    SZ_CHECK_OK(sz_cot_information(k, 0, 0.5, 0.1, NULL, &i));
    assert_int_equal(i.n_bad, 0); /* wrong on 10 % only */
    SZ_CHECK_OK(sz_cot_information(k, 0, 0.5, 0.1, test, &i));
    assert_int_equal(i.n_bad, 1);
    SZ_CHECK_ABS(i.cot, -log(0.9), 1e-12); /* but seen in 10 % of the examples */
    sz_cot_class_free(k);
}

/* ---- Learners ----------------------------------------------------------------------------------
 */

static int by_size(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static void learners_keep_the_bounds(void **state) {
    enum { RUNS = 200 };
    size_t traces[RUNS], plain[RUNS], beyond[2] = {0};
    sz_cot_class *k;
    sz_cot_info i;
    SZ_CHECK_OK(sz_cot_class_checks(4, 4, &k));
    SZ_CHECK_OK(sz_cot_information(k, 37, 0, 0.05, NULL, &i));
    SZ_CHECK_OK(sz_cot_curve(k, 37, 0, RUNS, 100000, 3, traces, plain));
    for (size_t r = 0; r < RUNS; r++) {
        assert_true(traces[r] <= plain[r]);
        beyond[0] += (double)traces[r] > i.upper_cot;
        beyond[1] += (double)plain[r] > i.upper_e2e;
    }
    assert_true(beyond[0] <= RUNS / 20 && beyond[1] <= RUNS / 20);
    qsort(traces, RUNS, sizeof *traces, by_size);
    qsort(plain, RUNS, sizeof *plain, by_size);
    assert_true(plain[RUNS / 2] > 20 * traces[RUNS / 2]);
    double with[4], without[4];
    SZ_CHECK_OK(sz_cot_risks(k, 37, (size_t[]){0, 1, 4, 4000}, 4, 50, 5, with, without));
    SZ_CHECK_ABS(with[0], without[0], 1e-15);
    assert_true(with[2] < without[2] && with[3] == 0 && without[3] < without[0]);
    sz_cot_class_free(k);
}

static void mixtures_are_cheapest(void **state) {
    sz_cot_class *k;
    sz_cot_plan p;
    SZ_CHECK_OK(sz_cot_class_checks(4, 3, &k));
    SZ_CHECK_OK(sz_cot_cheapest(k, 0, 0, 0.05, 1, 1, &p));
    assert_true(p.m_plain == 0 && p.price == p.all_cot && p.all_cot < p.all_plain);
    SZ_CHECK_OK(sz_cot_cheapest(k, 0, 0, 0.05, 1000, 1, &p));
    assert_true(p.m_cot == 0 && p.price == p.all_plain);
    sz_cot_class_free(k);
}

static void packings_are_apart(void **state) {
    sz_cot_class *k;
    size_t members[4096], n;
    double mean;
    SZ_CHECK_OK(sz_cot_class_parity(8, &k));
    SZ_CHECK_OK(sz_cot_packing(k, 0.4, members, &n, &mean));
    assert_int_equal(n, 256);
    assert_true(mean > log(2) * 255 / 256 - 1e-12);
    sz_cot_class_free(k);
}

static void bad_input_is_refused(void **state) {
    int64_t y[] = {0, 1}, z[] = {0, 0};
    sz_cot_class *k;
    sz_cot_info i;
    double x;
    assert_int_equal(sz_cot_class_new(y, z, 0, 1, NULL, false, &k), SZ_E_ARG);
    assert_int_equal(sz_cot_class_new(y, z, 1, 2, (double[]){0.5, -0.5}, false, &k), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "input 1"));
    assert_int_equal(sz_cot_class_new(y, z, 1, 2, (double[]){0.5, 0.4}, false, &k), SZ_E_ARG);
    SZ_CHECK_OK(sz_cot_class_new(y, z, 1, 2, (double[]){0.5, 0.4}, true, &k));
    SZ_CHECK_REL(k->p[0], 0.5 / 0.9, 1e-12);
    assert_int_equal(sz_cot_information(k, 1, 0, 0.1, NULL, &i), SZ_E_ARG);
    assert_int_equal(sz_cot_information(k, 0, 1, 0.1, NULL, &i), SZ_E_ARG);
    assert_int_equal(sz_cot_information(k, 0, -0.1, 0.1, NULL, &i), SZ_E_ARG);
    assert_int_equal(sz_cot_information(k, 0, 0, 1, NULL, &i), SZ_E_ARG);
    SZ_CHECK_OK(sz_cot_information(k, 0, 0, 0.1, NULL, &i));
    assert_true(i.cot == INFINITY && i.upper_cot == 0 && i.worst == SIZE_MAX);
    sz_cot_class_free(k);
    assert_int_equal(sz_cot_class_automata(5, 4, 4, 0, 0, &k), SZ_E_ARG);
    assert_int_equal(sz_cot_class_automata(4, 2, 40, 0, 0, &k), SZ_E_ARG);
    assert_int_equal(sz_cot_class_automata(3, 2, 25, 0, 0, &k), SZ_E_LIMIT);
    assert_non_null(strstr(sz_last_error(), "draw inputs"));
    assert_int_equal(sz_cot_class_checks(4, 10, &k), SZ_E_LIMIT);
    assert_int_equal(sz_cot_fano(0, 1, 1, &x), SZ_E_ARG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_met),
        cmocka_unit_test(information_is_monotone),
        cmocka_unit_test(names_do_not_matter),
        cmocka_unit_test(parities_gain_nothing),
        cmocka_unit_test(automata_are_those_of_an_interpreter),
        cmocka_unit_test(draws_are_told_with_caution),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(transfer_counts_other_inputs),
        cmocka_unit_test(learners_keep_the_bounds),
        cmocka_unit_test(mixtures_are_cheapest),
        cmocka_unit_test(packings_are_apart),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
