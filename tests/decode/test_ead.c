/* The controller of entropy adaptive decoding against its vectors, its properties, bad input. */
#include "check.h"
#include "support/small_tokenizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/router.h>

static double number(const sz_json *object, const char *key) {
    const sz_json *v = sz_json_get(object, key);
    assert_non_null(v);
    return v->type == SZ_JSON_INT ? (double)v->u.i : v->u.f;
}

static double element(const sz_json *v) {
    return v->type == SZ_JSON_INT ? (double)v->u.i : v->u.f;
}

static sz_router_role role_of(char c) {
    return c == 'L' ? SZ_ROUTER_LARGE : SZ_ROUTER_SMALL;
}

static sz_ead controller_of(const sz_json *input) {
    sz_ead e = {.tau_up = number(input, "tau_up"),
                .tau_down = number(input, "tau_down"),
                .window = (uint32_t)number(input, "window"),
                .min_duration = (uint32_t)number(input, "min_duration"),
                .active = role_of(sz_json_get(input, "start")->u.s[0])};
    SZ_CHECK_OK(sz_ead_check(&e));
    return e;
}

/* What a model must compute in one pass before it can write a token: more than one where it has
 * not written the one before. */
typedef struct catch_ups {
    uint64_t held[2];
    const sz_json *next[2]; /* expected sizes that are still to come */
} catch_ups;

static void expect_catch_up(catch_ups *c, sz_router_role writer, uint64_t length) {
    uint64_t size = length - c->held[writer];
    c->held[writer] = length;
    if (size == 1)
        return;
    assert_non_null(c->next[writer]);
    assert_int_equal(size, c->next[writer]->u.i);
    c->next[writer] = c->next[writer]->next;
}

static void check_controller(const sz_json *input, const sz_json *expect, double tolerance) {
    sz_ead e = controller_of(input);
    const char *active = sz_json_get(expect, "active")->u.s;
    bool small_signal = strcmp(sz_json_get(input, "signal")->u.s, "small") == 0;
    const sz_json *small = sz_json_get(input, "entropy_small")->u.child;
    const sz_json *large = sz_json_get(input, "entropy_large")->u.child;
    const sz_json *rolling = sz_json_get(expect, "rolling")->u.child;
    catch_ups c = {{0, 0},
                   {sz_json_get(expect, "catchup_small")->u.child,
                    sz_json_get(expect, "catchup_large")->u.child}};
    uint64_t length = (uint64_t)number(input, "prompt_tokens");
    size_t n = strlen(active), n_large = 0;
    for (size_t i = 0; i < n; i++) {
        double mean;
        assert_int_equal(e.active, role_of(active[i]));
        expect_catch_up(&c, e.active, length++);
        n_large += e.active == SZ_ROUTER_LARGE;
        bool use_small = small_signal || e.active == SZ_ROUTER_SMALL;
        SZ_CHECK_OK(sz_ead_push(&e, element(use_small ? small : large), &mean));
        SZ_CHECK_ABS(mean, element(rolling), tolerance);
        small = small->next, large = large->next, rolling = rolling->next;
    }
    assert_int_equal(e.active, role_of(sz_json_get(expect, "next_active")->u.s[0]));
    assert_null(c.next[0]);
    assert_null(c.next[1]);
    double saving, f = (double)n_large / (double)n;
    SZ_CHECK_ABS(f, number(expect, "large_fraction"), tolerance);
    SZ_CHECK_OK(
        sz_ead_saving(f, number(input, "params_small"), number(input, "params_large"), &saving));
    SZ_CHECK_ABS(saving, number(expect, "parameter_weighted_saving"), tolerance);
}

static void vectors_of_the_controller(void **state) {
    sz_arena *arena;
    sz_json *root;
    int n = 0, n_savings = 0;
    SZ_CHECK_OK(vectors_open(SZ_TEST_VECTORS, "13-ead.json", &arena, &root));
    for (const sz_json *c = sz_json_get(root, "cases")->u.child; c; c = c->next) {
        const sz_json *input = sz_json_get(c, "input"), *expect = sz_json_get(c, "expect");
        const char *name = sz_json_get(c, "name")->u.s;
        if (strncmp(name, "controller", 10) == 0) {
            check_controller(input, expect, number(c, "tol"));
            n++;
        }
        if (strncmp(name, "paper_saving", 12) == 0) {
            double saving;
            SZ_CHECK_OK(sz_ead_saving(number(input, "large_fraction"),
                                      number(input, "params_small"), number(input, "params_large"),
                                      &saving));
            SZ_CHECK_ABS(saving, number(expect, "parameter_weighted_saving"), number(c, "tol"));
            n_savings++;
        }
    }
    assert_int_equal(n, 10);
    assert_int_equal(n_savings, 2);
    sz_arena_free(arena);
}

/* ---- Speculation: the law of acceptance ------------------------------------------------------ */

static size_t read_law(const sz_json *v, double out[16]) {
    size_t n = 0;
    for (v = v->u.child; v; v = v->next)
        out[n++] = element(v);
    return n;
}

static void vectors_of_speculation(void **state) {
    sz_arena *arena;
    sz_json *root;
    int n_cases = 0;
    SZ_CHECK_OK(vectors_open(SZ_TEST_VECTORS, "13-ead.json", &arena, &root));
    for (const sz_json *c = sz_json_get(root, "cases")->u.child; c; c = c->next) {
        const sz_json *input = sz_json_get(c, "input"), *expect = sz_json_get(c, "expect");
        double target[16], draft[16], want[16], residual[16], tolerance = number(c, "tol");
        sz_speculation_law law;
        if (strncmp(sz_json_get(c, "name")->u.s, "speculative", 11) != 0)
            continue;
        size_t n = read_law(sz_json_get(input, "target"), target);
        assert_int_equal(read_law(sz_json_get(input, "draft"), draft), n);
        assert_int_equal(read_law(sz_json_get(expect, "residual"), want), n);
        SZ_CHECK_OK(sz_speculation_law_of(target, draft, n, (uint32_t)number(input, "gamma"),
                                          residual, &law));
        SZ_CHECK_ABS(law.acceptance, number(expect, "acceptance"), tolerance);
        SZ_CHECK_ABS(law.total_variation, number(expect, "total_variation"), tolerance);
        SZ_CHECK_ABS(law.tokens_per_pass, number(expect, "expected_tokens_per_verify"), tolerance);
        for (size_t i = 0; i < n; i++) {
            double drawn =
                law.total_variation * residual[i] + (target[i] < draft[i] ? target[i] : draft[i]);
            SZ_CHECK_ABS(residual[i], want[i], tolerance);
            SZ_CHECK_ABS(drawn, target[i], 1e-12); /* accepted or redrawn: the target's law */
        }
        n_cases++;
    }
    assert_int_equal(n_cases, 5);
    sz_arena_free(arena);
}

static void laws_at_their_limits(void **state) {
    static const double one[] = {1, 0, 0}, other[] = {0, 0.5, 0.5};
    double residual[3];
    sz_speculation_law law;
    SZ_CHECK_OK(sz_speculation_law_of(other, other, 3, 7, residual, &law));
    assert_true(law.acceptance == 1 && law.total_variation == 0 && law.tokens_per_pass == 8);
    assert_true(residual[0] == 0 && residual[1] == 0 && residual[2] == 0);
    SZ_CHECK_OK(sz_speculation_law_of(one, other, 3, 7, NULL, &law));
    assert_true(law.acceptance == 0 && law.tokens_per_pass == 1);
    SZ_CHECK_OK(sz_speculation_law_of(one, other, 3, 0, NULL, &law));
    static const double bad[][3] = {{0.5, 0.4, 0}, {1.5, -0.5, 0}, {NAN, 0.5, 0.5}};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sz_speculation_law_of(bad[i], one, 3, 1, NULL, &law), SZ_E_ARG);
        assert_int_equal(sz_speculation_law_of(one, bad[i], 3, 1, NULL, &law), SZ_E_ARG);
    }
    assert_int_equal(sz_speculation_law_of(one, one, 0, 1, NULL, &law), SZ_E_ARG);
}

/* ---- Properties ------------------------------------------------------------------------------ */

static double large_tokens(double tau, uint32_t window, uint32_t min_duration, uint64_t seed) {
    sz_ead e = {.tau_up = tau, .tau_down = tau, .window = window, .min_duration = min_duration};
    int n = 0;
    for (uint64_t i = 0; i < 500; i++) {
        n += e.active == SZ_ROUTER_LARGE;
        SZ_CHECK_OK(sz_ead_push(&e, 4 * sz_uniform(seed, 0, i), NULL));
    }
    return n;
}

/* With a signal that does not depend on who writes. */
static void the_large_model_writes_less_the_higher_tau_is(void **state) {
    for (uint64_t seed = 0; seed < 20; seed++) {
        double before = 500;
        for (double tau = 0; tau <= 4.01; tau += 0.1) {
            double n = large_tokens(tau, 1 + seed % 7, 1, seed);
            assert_true(n <= before);
            before = n;
        }
        assert_true(before == 0);
        assert_true(large_tokens(0, 5, 1, seed) == 499); /* the first is the small one's */
    }
}

static void segments_last_as_long_as_told(void **state) {
    for (uint32_t least = 1; least < 20; least++) {
        sz_ead e = {.tau_up = 2, .tau_down = 2, .window = 1, .min_duration = least};
        sz_router_role writer = e.active;
        int length = 0, n_changes = 0;
        for (uint64_t i = 0; i < 2000; i++) {
            if (e.active != writer) {
                assert_true(n_changes == 0 || length >= (int)least);
                writer = e.active;
                length = 0;
                n_changes++;
            }
            length++;
            SZ_CHECK_OK(sz_ead_push(&e, 4 * sz_uniform(least, 0, i), NULL));
        }
        assert_true(n_changes > 10);
    }
}

/* A window of the largest size, and means over what there is before it is full. */
static void the_mean_goes_over_the_window(void **state) {
    sz_ead e = {.tau_up = 1, .tau_down = 1, .window = SZ_EAD_WINDOW_MAX, .min_duration = 1};
    for (int i = 1; i <= 3000; i++) {
        double mean, n = i < SZ_EAD_WINDOW_MAX ? i : SZ_EAD_WINDOW_MAX;
        SZ_CHECK_OK(sz_ead_push(&e, i, &mean));
        SZ_CHECK_ABS(mean, i - (n - 1) / 2, 1e-9);
    }
}

/* Entropies that wander, the large model's smaller. */
static void wander(uint64_t seed, double *small, double *large, size_t n) {
    double level = 1;
    for (size_t i = 0; i < n; i++) {
        level = 0.9 * level + 0.2 * sz_uniform(seed, 0, i);
        small[i] = level * 2 * sz_uniform(seed, 1, i);
        large[i] = 0.7 * small[i];
    }
}

static void calibration_reaches_the_wanted_share(void **state) {
    enum { TOKENS = 4000 };
    static double small[TOKENS], large[TOKENS];
    static uint8_t writers[TOKENS];
    for (uint64_t seed = 0; seed < 8; seed++) {
        bool small_signal = seed % 2, hysteresis = seed % 4 >= 2;
        wander(seed, small, large, TOKENS);
        for (double target = 0.1; target < 0.95; target += 0.2) {
            sz_ead e = {.tau_up = 1,
                        .tau_down = hysteresis ? 0.8 : 1,
                        .window = 5,
                        .min_duration = 1 + (uint32_t)seed};
            double got, again;
            size_t n_large = 0;
            SZ_CHECK_OK(sz_ead_calibrate(&e, small, large, TOKENS, small_signal, target, &got));
            SZ_CHECK_ABS(got, target, 0.02);
            SZ_CHECK_REL(e.tau_down, e.tau_up * (hysteresis ? 0.8 : 1), 1e-12);
            SZ_CHECK_OK(sz_ead_simulate(&e, small, large, TOKENS, small_signal, writers, &again));
            for (int i = 0; i < TOKENS; i++)
                n_large += writers[i];
            assert_true(again == got && got == (double)n_large / TOKENS);
        }
    }
    sz_ead e = {.tau_up = 1, .tau_down = 1, .window = 5, .min_duration = 1};
    double f;
    SZ_CHECK_OK(sz_ead_calibrate(&e, small, large, TOKENS, false, 0, &f));
    assert_true(f < 0.01);
    assert_int_equal(sz_ead_calibrate(&e, small, large, TOKENS, false, 1.1, &f), SZ_E_ARG);
    assert_int_equal(sz_ead_calibrate(&e, small, large, TOKENS, false, NAN, &f), SZ_E_ARG);
    assert_int_equal(sz_ead_calibrate(&e, small, large, 0, false, 0.5, &f), SZ_E_ARG);
    small[7] = NAN;
    assert_int_equal(sz_ead_calibrate(&e, small, large, TOKENS, false, 0.5, &f), SZ_E_NAN);
}

static void bad_input_is_refused(void **state) {
    const sz_ead good = {.tau_up = 1, .tau_down = 0.5, .window = 5, .min_duration = 10};
    sz_ead bad[7];
    for (int i = 0; i < 7; i++)
        bad[i] = good;
    bad[0].tau_up = NAN;
    bad[1].tau_up = -1;
    bad[2].tau_down = 2;
    bad[3].tau_down = NAN;
    bad[4].window = 0;
    bad[5].window = SZ_EAD_WINDOW_MAX + 1;
    bad[6].min_duration = 0;
    SZ_CHECK_OK(sz_ead_check(&good));
    for (int i = 0; i < 7; i++)
        assert_int_equal(sz_ead_check(&bad[i]), SZ_E_ARG);
    sz_ead e = good, before = e;
    static const double broken[] = {NAN, INFINITY, -INFINITY, -0.1};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(sz_ead_push(&e, broken[i], NULL), SZ_E_NAN);
        assert_memory_equal(&e, &before, sizeof e);
    }
    double out;
    assert_int_equal(sz_ead_saving(1.1, 1, 2, &out), SZ_E_ARG);
    assert_int_equal(sz_ead_saving(NAN, 1, 2, &out), SZ_E_ARG);
    assert_int_equal(sz_ead_saving(0.5, 1, 0, &out), SZ_E_ARG);
    assert_int_equal(sz_ead_saving(0.5, -1, 2, &out), SZ_E_ARG);
    assert_int_equal(sz_ead_saving(0.5, 1, INFINITY, &out), SZ_E_ARG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_the_controller),
        cmocka_unit_test(vectors_of_speculation),
        cmocka_unit_test(laws_at_their_limits),
        cmocka_unit_test(the_large_model_writes_less_the_higher_tau_is),
        cmocka_unit_test(segments_last_as_long_as_told),
        cmocka_unit_test(calibration_reaches_the_wanted_share),
        cmocka_unit_test(the_mean_goes_over_the_window),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
