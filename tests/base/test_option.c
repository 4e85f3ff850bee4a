/* The grammar of structured options. */
#include "check.h"

#include <string.h>
#include <szilard/unstable/option.h>

static const sz_option options[] = {
    {"k", "whole", .value = 40, .min = 0, .max = 1000, .whole = true},
    {"p", "any", .value = 0.95, .min = -2, .max = 2},
    {0},
};

static sz_setting only(const char *text) {
    sz_setting s;
    SZ_CHECK_OK(sz_setting_read(&text, &s));
    assert_int_equal(*text, 0);
    return s;
}

static void settings_are_separated_by_commas(void **state) {
    const char *text = " top-k 40,min-p\tp=0.05 ,\n greedy  ";
    static const char *const names[] = {"top-k", "min-p", "greedy"};
    sz_setting s;
    for (int i = 0; i < 3; i++) {
        SZ_CHECK_OK(sz_setting_read(&text, &s));
        assert_true(sz_setting_is(&s, names[i]));
        assert_false(sz_setting_is(&s, "top"));
        assert_false(sz_setting_is(&s, "top-k40"));
    }
    assert_int_equal(sz_setting_read(&text, &s), SZ_END);
    text = "  ";
    assert_int_equal(sz_setting_read(&text, &s), SZ_END);
}

static void missing_names_are_errors(void **state) {
    static const char *const wrong[] = {",", ", a", "a,,b", "a, ,b", "a,", "a, "};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *text = wrong[i];
        sz_setting s;
        sz_status status;
        while ((status = sz_setting_read(&text, &s)) == SZ_OK)
            ;
        assert_int_equal(status, SZ_E_ARG);
        assert_non_null(strstr(sz_last_error(), "a name is missing"));
    }
}

static void values_come_from_words_or_defaults(void **state) {
    static const struct {
        const char *text;
        double k, p;
    } right[] = {
        {"x", 40, 0.95},         {"x 7", 7, 0.95},
        {"x k=7", 7, 0.95},      {"x 7 p=0.5", 7, 0.5},
        {"x p=0.5 k=7", 7, 0.5}, {"x p=-1.25", 40, -1.25},
        {"x p=.5", 40, 0.5},     {"x p=1.", 40, 1},
        {"x p=1e-3", 40, 1e-3},  {"x p=12E-1", 40, 1.2},
        {"x k=1e2", 100, 0.95},  {"x k=7.0", 7, 0.95},
        {"x p=0.1", 40, 0.1},    {"x p=0.123456789012345", 40, 0.123456789012345},
    };
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        double v[SZ_OPTIONS_MAX];
        sz_setting s = only(right[i].text);
        SZ_CHECK_OK(sz_setting_values(&s, "x", options, v));
        assert_true(v[0] == right[i].k && v[1] == right[i].p); /* to the last bit */
    }
}

static void wrong_words_are_named(void **state) {
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"x 1 2", "x: '2' is left over; options: k, p"},
        {"x p=1 2", "x: '2' is left over"},
        {"x q=1", "x: 'q=1' is left over; options: k, p"},
        {"x =1", "x: '=1' is left over"},
        {"x k=", "x: '' is not a number for k"},
        {"x k=abc", "x: 'abc' is not a number for k"},
        {"x p=1e", "x: '1e' is not a number for p"},
        {"x p=--1", "'--1' is not a number"},
        {"x p=+1", "'+1' is not a number"},
        {"x p=.", "'.' is not a number"},
        {"x p=1.2.3", "'1.2.3' is not a number"},
        {"x p=0x1", "'0x1' is not a number"},
        {"x p=nan", "'nan' is not a number"},
        {"x p=inf", "'inf' is not a number"},
        {"x p=1e99", "'1e99' is not a number"},
        {"x p=0.00000000000000000000000000000000000000001", "is not a number for p"},
        {"x k=2.5", "x: k = 2.5 is not a whole number"},
        {"x k=1001", "x: k = 1001 is not in 0 .. 1000"},
        {"x k=-1", "x: k = -1 is not in 0 .. 1000"},
        {"x k=1 k=2", "x: k is given twice"},
        {"x 1 k=2", "x: k is given twice"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        double v[SZ_OPTIONS_MAX];
        sz_setting s = only(wrong[i].text);
        assert_int_equal(sz_setting_values(&s, "x", options, v), SZ_E_ARG);
        if (!strstr(sz_last_error(), wrong[i].message))
            fail_msg("%s: \"%s\"", wrong[i].text, sz_last_error());
    }
}

static void texts_stand_in_quotation_marks(void **state) {
    static const sz_option with_text[] = {
        {"k", "", .max = 9}, {"breaker", "", .text = "\"\\n\""}, {0}};
    static const char *const want[] = {"a, b", "\n\t\"\\", "", "plain"};
    const char *text = "x 3 breaker=\"a, b\" breaker=\"\\n\\t\\\"\\\\\" breaker=\"\" "
                       "breaker=plain, y 1";
    double v[SZ_OPTIONS_MAX];
    sz_setting s, next;
    SZ_CHECK_OK(sz_setting_read(&text, &s));
    SZ_CHECK_OK(sz_setting_read(&text, &next));
    assert_true(sz_setting_is(&next, "y"));
    SZ_CHECK_OK(sz_setting_values(&s, "x", with_text, v));
    assert_true(v[0] == 3 && v[1] == 4);
    for (size_t i = 0; i < 4; i++) {
        sz_buf b = {0};
        SZ_CHECK_OK(sz_setting_text(&s, "breaker", i, &b));
        assert_string_equal(b.data ? b.data : "", want[i]);
        sz_buf_free(&b);
    }
    sz_buf none = {0};
    assert_int_equal(sz_setting_text(&s, "breaker", 4, &none), SZ_END);
    text = "x breaker=\"\\q\"";
    SZ_CHECK_OK(sz_setting_read(&text, &s));
    assert_int_equal(sz_setting_text(&s, "breaker", 0, &none), SZ_E_ARG);
    sz_buf_free(&none);
    static const char *const open[] = {"x breaker=\"a", "x \"a\" \"", "x \"a\\\""};
    for (size_t i = 0; i < 3; i++) {
        text = open[i];
        assert_int_equal(sz_setting_read(&text, &s), SZ_E_ARG);
        assert_non_null(strstr(sz_last_error(), "do not close"));
    }
}

static void words_stand_for_numbers(void **state) {
    static const sz_option rule[] = {{"rule", "", .max = 2, .words = "paper|repo|hf"}, {0}};
    static const char *const right[] = {"x paper", "x rule=repo", "x hf", "x 2"};
    static const double want[] = {0, 1, 2, 2};
    double v[SZ_OPTIONS_MAX];
    for (size_t i = 0; i < 4; i++) {
        sz_setting s = only(right[i]);
        SZ_CHECK_OK(sz_setting_values(&s, "x", rule, v));
        assert_true(v[0] == want[i]);
    }
    static const char *const wrong[] = {"x pape", "x papers", "x 0.5", "x 3", "x |", "x rule="};
    for (size_t i = 0; i < 6; i++) {
        sz_setting s = only(wrong[i]);
        assert_int_equal(sz_setting_values(&s, "x", rule, v), SZ_E_ARG);
    }
}

static void a_method_without_options_takes_none(void **state) {
    double v[SZ_OPTIONS_MAX];
    sz_setting s = only("x");
    SZ_CHECK_OK(sz_setting_values(&s, "x", NULL, v));
    s = only("x 1");
    assert_int_equal(sz_setting_values(&s, "x", NULL, v), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "options: none"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_separated_by_commas),
        cmocka_unit_test(missing_names_are_errors),
        cmocka_unit_test(values_come_from_words_or_defaults),
        cmocka_unit_test(wrong_words_are_named),
        cmocka_unit_test(texts_stand_in_quotation_marks),
        cmocka_unit_test(words_stand_for_numbers),
        cmocka_unit_test(a_method_without_options_takes_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
