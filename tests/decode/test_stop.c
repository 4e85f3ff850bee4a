/* Each rule on records made for it, at the very token where it must speak. */
#include "check.h"

#include <math.h>
#include <string.h>
#include <szilard/unstable/stop.h>

enum { MOST = 400, VOCAB = 1000 };

static sz_token text[MOST];
static sz_stop_reason reason;

static void drawn(size_t at, int32_t id, double surprisal, double entropy) {
    text[at] = (sz_token){.id = id,
                          .flags = SZ_TOKEN_GENERATED,
                          .surprisal = (float)surprisal,
                          .entropy = (float)entropy,
                          .draw_entropy = (float)entropy / 2};
}

/* The number of tokens after which a rule speaks; 0: it does not. */
static size_t ends_at(const char *rules, size_t n, sz_stop_verdict want) {
    sz_stops *stops;
    size_t at = 0;
    SZ_CHECK_OK(sz_stops_parse(rules, &stops));
    for (size_t round = 0; round < 2; round++) { /* a new text begins anew */
        sz_stop_verdict verdict = SZ_STOP_GO;
        at = 0;
        sz_stops_reset(stops);
        while (at < n && verdict == SZ_STOP_GO) {
            sz_stop_input in = {
                .text = text, .n = ++at, .n_vocab = VOCAB, .thinking = at > 3 && at <= 50};
            verdict = sz_stops_look(stops, &in, &reason);
        }
        if (verdict == SZ_STOP_GO)
            at = 0;
        else
            assert_int_equal(verdict, want);
    }
    sz_stops_free(stops);
    return at;
}

static void entropy_over_a_window(void **state) {
    for (size_t i = 0; i < 100; i++)
        drawn(i, (int32_t)i, 1, (double)i / 10); /* the mean of 4 up to i: (i - 1.5) / 10 */
    assert_int_equal(ends_at("entropy window=4 above=3", 100, SZ_STOP_TEXT), 33);
    SZ_CHECK_ABS(reason.figure, 3.05, 1e-5);
    assert_true(reason.limit == 3 && strstr(reason.quantity, "nats") != NULL);
    assert_string_equal(reason.rule, "entropy");
    assert_int_equal(ends_at("entropy window=101 above=0.1", 100, SZ_STOP_TEXT), 0);
    assert_int_equal(ends_at("entropy window=4 above=0 below=0.2", 100, SZ_STOP_TEXT), 4);
    assert_int_equal(ends_at("entropy above=0", 100, SZ_STOP_TEXT), 0);
    for (size_t i = 0; i < 10; i++) /* given tokens have no entropy and do not count */
        text[i] = (sz_token){.id = 1, .flags = SZ_TOKEN_PROMPT, .entropy = NAN};
    assert_int_equal(ends_at("entropy window=4 above=0.1", 100, SZ_STOP_TEXT), 14);
}

static void confidence_has_two_quantities(void **state) {
    for (size_t i = 0; i < 100; i++)
        drawn(i, (int32_t)i, i < 50 ? log(2) : log(8), i < 20 ? 0.1 : 6);
    assert_int_equal(ends_at("confidence window=2 below=0.2", 100, SZ_STOP_TEXT), 52);
    SZ_CHECK_ABS(reason.figure, 0.125, 1e-6);
    assert_int_equal(ends_at("confidence window=2 below=0 above=0.4", 100, SZ_STOP_TEXT), 2);
    SZ_CHECK_ABS(reason.figure, 0.5, 1e-6);
    assert_int_equal(ends_at("confidence certainty window=1 below=0.5", 100, SZ_STOP_TEXT), 21);
    SZ_CHECK_ABS(reason.figure, 1 - 6 / log(VOCAB), 1e-6);
    assert_non_null(strstr(reason.quantity, "entropy"));
}

static void repetitions_of_any_period(void **state) {
    for (size_t period = 1; period <= 40; period++) {
        for (size_t i = 0; i < MOST; i++)
            drawn(i, (int32_t)(i < 7 ? 500 + i : (i - 7) % period), 1, 1);
        char rules[64];
        snprintf(rules, sizeof rules, "repetition times=3 tokens=10");
        size_t need = 3 * period > 10 ? 3 * period : 10;
        if (period < 10 && 3 * period < 10) /* a shorter piece several times over is one, too */
            need = 10;
        assert_int_equal(ends_at(rules, MOST, SZ_STOP_TEXT), 7 + need);
        snprintf(rules, sizeof rules, "repetition period=%zu", period - 1 ? period - 1 : 1);
        if (period > 1)
            assert_int_equal(ends_at(rules, 3 * period + 7, SZ_STOP_TEXT), 0);
    }
    for (size_t i = 0; i < MOST; i++)
        drawn(i, (int32_t)(i * i % 397), 1, 1);
    assert_int_equal(ends_at("repetition", MOST, SZ_STOP_TEXT), 0);
}

static void a_budget_is_spent(void **state) {
    for (size_t i = 0; i < 100; i++)
        drawn(i, (int32_t)i, 0.5, 2);
    text[3] = (sz_token){.flags = SZ_TOKEN_PROMPT, .surprisal = NAN, .entropy = NAN};
    assert_int_equal(ends_at("budget 5", 100, SZ_STOP_TEXT), 11);
    assert_true(reason.figure == 5 && reason.limit == 5);
    assert_int_equal(ends_at("budget 5 of=entropy", 100, SZ_STOP_TEXT), 3);
    assert_int_equal(ends_at("budget 5 of=draw-entropy", 100, SZ_STOP_TEXT), 6);
    assert_int_equal(ends_at("budget 1000", 100, SZ_STOP_TEXT), 0);
}

static void a_thought_has_a_budget(void **state) {
    for (size_t i = 0; i < 100; i++)
        drawn(i, (int32_t)i, 0.5, 2);
    assert_int_equal(ends_at("thinking tokens=10", 100, SZ_STOP_THOUGHT), 13);
    assert_int_equal(ends_at("thinking tokens=0 nats=3", 100, SZ_STOP_THOUGHT), 9);
    assert_int_equal(ends_at("thinking tokens=48", 100, SZ_STOP_THOUGHT), 0); /* it had 47 */
    assert_int_equal(ends_at("thinking tokens=0", 100, SZ_STOP_THOUGHT), 0);
}

static void the_first_rule_that_speaks_decides(void **state) {
    for (size_t i = 0; i < 100; i++)
        drawn(i, (int32_t)i, 0.5, 2);
    assert_int_equal(ends_at("budget 5, entropy window=8 above=1", 100, SZ_STOP_TEXT), 8);
    assert_string_equal(reason.rule, "entropy");
    assert_int_equal(ends_at("budget 4, entropy window=8 above=1", 100, SZ_STOP_TEXT), 8);
    assert_string_equal(reason.rule, "budget");
    assert_int_equal(ends_at("", 100, SZ_STOP_TEXT), 0);
}

static void wrong_rules_are_explained(void **state) {
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"enthropy", "unknown stop rule 'enthropy'; choose from: entropy, "},
        {"entropy window=0", "stop rule entropy: window = 0 is not in 1"},
        {"budget of=bits", "of is one of surprisal|entropy|draw-entropy"},
        {"repetition 2.5", "not a whole number"},
        {"entropy,", "a name is missing"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        sz_stops *stops = NULL;
        assert_int_equal(sz_stops_parse(wrong[i].text, &stops), SZ_E_ARG);
        assert_null(stops);
        if (!strstr(sz_last_error(), wrong[i].message))
            fail_msg("%s: \"%s\"", wrong[i].text, sz_last_error());
    }
    sz_buf many = {0};
    sz_stops *stops;
    for (int i = 0; i < 17; i++)
        sz_buf_puts(&many, i ? ", budget" : "budget");
    assert_int_equal(sz_stops_parse(many.data, &stops), SZ_E_ARG);
    sz_buf_free(&many);
    for (const sz_stop_kind *const *k = sz_stop_kinds(); *k; k++) { /* defaults are in range */
        SZ_CHECK_OK(sz_stops_parse((*k)->name, &stops));
        sz_stops_free(stops);
        for (const sz_option *o = (*k)->options; o->name; o++)
            assert_true(o->help[0] && o->value >= o->min && o->value <= o->max);
    }
    sz_stops_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entropy_over_a_window),
        cmocka_unit_test(confidence_has_two_quantities),
        cmocka_unit_test(repetitions_of_any_period),
        cmocka_unit_test(a_budget_is_spent),
        cmocka_unit_test(a_thought_has_a_budget),
        cmocka_unit_test(the_first_rule_that_speaks_decides),
        cmocka_unit_test(wrong_rules_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
