/* test_kt_script.c: the dialect of the KoLMogorov test: outputs and prices of the reference, every
 * function's corners, what is refused, scripts that are generated. */
#include "check.h"

#include <string.h>

#include <szilard/unstable/kt.h>

static void reference_values(void **state) {
    sz_buf text = {0};
    sz_arena *arena;
    sz_json *root;
    SZ_CHECK_OK(sz_file_read(SZ_TEST_VECTORS "/08-kt.json", 1 << 20, &text));
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    SZ_CHECK_OK(sz_json_parse(text.data, text.len, arena, &root));
    size_t checked = 0;
    for (const sz_json *c = sz_json_get(root, "cases")->u.child; c; c = c->next) {
        if (strncmp(sz_json_get(c, "name")->u.s, "paper_dsl/", 10) != 0)
            continue;
        const sz_json *program = sz_json_get(sz_json_get(c, "input"), "program");
        const sz_json *want = sz_json_get(sz_json_get(c, "expect"), "output");
        sz_buf out = {0};
        double bits;
        SZ_CHECK_OK(sz_kt_script_run(program->u.s, program->n, false, &out, &bits));
        SZ_CHECK_ABS(bits, sz_json_get(sz_json_get(c, "expect"), "bits_uniform_prior")->u.f, 1e-9);
        assert_int_equal(out.len, want->n);
        size_t i = 0;
        for (const sz_json *v = want->u.child; v; v = v->next)
            assert_int_equal((uint8_t)out.data[i++], v->u.i);
        sz_buf_free(&out);
        checked++;
    }
    assert_int_equal(checked, 13);
    sz_arena_free(arena);
    sz_buf_free(&text);
}

/* Runs "sequence_1 = [..]", "sequence_2 = [..]", "sequence_3 = call" and compares. */
static void gives(const char *x, const char *y, const char *call, const char *want) {
    char text[512];
    sz_buf out = {0}, got = {0};
    snprintf(text, sizeof text,
             "sequence_1 = set_list([%s])\nsequence_2 = set_list([%s])\nsequence_3 = %s\n"
             "output = sequence_3",
             x, y, call);
    SZ_CHECK_OK(sz_kt_script_run(text, strlen(text), false, &out, NULL));
    for (size_t i = 0; i < out.len; i++)
        sz_buf_printf(&got, "%s%u", i ? " " : "", (uint8_t)out.data[i]);
    assert_string_equal(got.data ? got.data : "", want);
    sz_buf_free(&out);
    sz_buf_free(&got);
}

static void functions_and_their_corners(void **state) {
    const char *x = "3, 1, 4, 1, 5", *y = "2, 0, 2";
    gives(x, y, "range_func_up(5, 8)", "5 6 7 8");
    gives(x, y, "range_func_up(8, 5)", "");
    gives(x, y, "range_func_interval(1, 9, 4)", "1 5");
    gives(x, y, "repeat_num(3, 7)", "7 7 7");
    gives(x, y, "repeat_num(0, 7)", "");
    gives(x, y, "set_list([])", "");
    gives(x, y, "repeat_list(2, sequence_2)", "2 0 2 2 0 2");
    gives(x, y, "reverse_list(sequence_1)", "5 1 4 1 3");
    gives(x, y, "substitute(sequence_1, 1, 9)", "3 9 4 9 5");
    gives(x, y, "get_subsequence_with_jumps(sequence_1, 2)", "3 4 5");
    gives(x, y, "get_subsequence_with_jumps(sequence_1, 200)", "3");
    gives(x, y, "get_subsequence_between_indices(sequence_1, 1, 3)", "1 4");
    gives(x, y, "get_subsequence_between_indices(sequence_1, 3, 100)", "1 5");
    gives(x, y, "get_subsequence_between_indices(sequence_1, 4, 2)", "");
    gives(x, y, "max_n(sequence_1, 2)", "5 4");
    gives(x, y, "min_n(sequence_1, 3)", "1 1 3");
    gives(x, y, "max_n(sequence_1, 100)", "5 4 3 1 1");
    gives(x, y, "add_item_list(sequence_1, 250)", "253 251 254 251 255");
    gives(x, y, "subtract_item_list(sequence_1, 1)", "2 0 3 0 4");
    gives(x, y, "modulo_item_list(sequence_1, 3)", "0 1 1 1 2");
    gives("-7, 7, 0", y, "modulo_item_list(sequence_1, 3)", "2 1 0");
    gives(x, y, "filter(is_even, sequence_1)", "4");
    gives(x, y, "filter(is_odd, sequence_1)", "3 1 1 5");
    gives(x, y, "filter(is_not_zero, sequence_2)", "2 2");
    gives(x, y, "scan_add(sequence_1)", "3 4 8 9 14");
    gives(x, y, "add_two_lists(sequence_1, sequence_2)", "5 1 6");
    gives(x, y, "subtract_two_lists(sequence_1, sequence_2)", "1 1 2");
    gives(x, y, "modulo_two_lists(sequence_1, sequence_2)", "1 0");
    gives(x, y, "concatenate(sequence_1, sequence_2)", "3 1 4 1 5 2 0 2");
    gives(x, y, "interleave(sequence_1, sequence_2)", "3 2 1 0 4 2 1 5");
}

static void strict_charges_predicates(void **state) {
    const char *text = "sequence_1 = range_func_up(1, 9)\nsequence_2 = filter(is_odd, sequence_1)\n"
                       "output = sequence_2\n";
    sz_buf out = {0};
    double loose, strict;
    SZ_CHECK_OK(sz_kt_script_run(text, strlen(text), false, &out, &loose));
    SZ_CHECK_OK(sz_kt_script_run(text, strlen(text), true, &out, &strict));
    SZ_CHECK_ABS(strict - loose, 1.584962500721156, 1e-12);
    sz_buf_free(&out);
}

static void refused(const char *text, sz_status status, const char *part) {
    sz_buf out = {0};
    sz_status got = sz_kt_script_run(text, strlen(text), false, &out, NULL);
    if (got != status || !strstr(sz_last_error(), part))
        fail_msg("%s: '%s' does not say '%s'", sz_status_name(got), sz_last_error(), part);
    assert_int_equal(out.len, 0);
    sz_buf_free(&out);
}

static void bad_scripts_are_named(void **state) {
    refused("", SZ_E_FORMAT, "no line of output");
    refused("sequence_1 = range_func_up(1, 2)", SZ_E_FORMAT, "line 1: there is no line of output");
    refused("\n\noutput = sequence_1", SZ_E_FORMAT, "line 3: sequence_1 is not defined");
    refused("sequence_1 = frobnicate(1)", SZ_E_FORMAT, "line 1: there is no function 'frobnicate'");
    refused("sequence_1 = range_func_up(1)", SZ_E_FORMAT, "line 1: ',' is missing");
    refused("sequence_1 = range_func_up(1, 2, 3)", SZ_E_FORMAT, "line 1: ')' is missing");
    refused("sequence_1 = range_func_up(1, 2) x", SZ_E_FORMAT, "'x' is left over");
    refused("sequence_0 = range_func_up(1, 2)", SZ_E_FORMAT, "sequence_0");
    refused("sequence_65 = range_func_up(1, 2)", SZ_E_FORMAT, "sequence_65");
    refused("sequence_1 = range_func_up(x, 2)", SZ_E_FORMAT, "a number is missing");
    refused("sequence_1 = range_func_up(1, 99999999999)", SZ_E_FORMAT, "beyond 2^31");
    refused("sequence_1 = set_list([1, 2)", SZ_E_FORMAT, "missing");
    refused("sequence_1 = set_list([300])\noutput = sequence_1", SZ_E_FORMAT,
            "line 2: the output's item 0 is 300");
    refused("sequence_1 = set_list([1])\noutput = sequence_1\noutput = sequence_1", SZ_E_FORMAT,
            "line 3: something stands behind");
    refused("sequence_1 = set_list([1])\nsequence_2 = filter(is_big, sequence_1)", SZ_E_FORMAT,
            "is_big");
    refused("sequence_1 = set_list([1])\nsequence_2 = modulo_item_list(sequence_1, 0)", SZ_E_ARG,
            "line 2: modulo_item_list: modulo 0");
    refused("sequence_1 = set_list([1])\nsequence_2 = get_subsequence_with_jumps(sequence_1, 0)",
            SZ_E_ARG, "the jump is 0");
    refused("sequence_1 = repeat_num(65537, 1)", SZ_E_LIMIT, "at most 65536");
    refused("sequence_1 = repeat_num(2000000, 1)", SZ_E_LIMIT, "out of fuel");
    refused("sequence_1 = repeat_num(-1, 1)", SZ_E_ARG, "-1 times");
}

static void fuel_lines_and_values_are_bounded(void **state) {
    sz_buf text = {0}, out = {0};
    sz_buf_puts(&text, "sequence_1 = repeat_num(60000, 1)\n");
    for (int i = 2; i <= 40; i++)
        sz_buf_printf(&text, "sequence_%d = reverse_list(sequence_%d)\n", i, i - 1);
    assert_int_equal(sz_kt_script_run(text.data, text.len, false, &out, NULL), SZ_E_LIMIT);
    assert_non_null(strstr(sz_last_error(), "line 17: reverse_list: out of fuel"));
    sz_buf_clear(&text);
    for (int i = 1; i <= 64; i++)
        sz_buf_puts(&text, "sequence_1 = repeat_num(1, 1)\n");
    sz_buf_puts(&text, "output = sequence_1\n");
    assert_int_equal(sz_kt_script_run(text.data, text.len, false, &out, NULL), SZ_E_FORMAT);
    assert_non_null(strstr(sz_last_error(), "64 lines"));
    sz_buf_clear(&text);
    sz_buf_puts(&text,
                "sequence_1 = repeat_num(10, 2147483648)\nsequence_2 = scan_add(sequence_1)\n");
    assert_int_equal(sz_kt_script_run(text.data, text.len, false, &out, NULL), SZ_E_LIMIT);
    assert_non_null(strstr(sz_last_error(), "beyond 2^31"));
    sz_buf_free(&text);
    sz_buf_free(&out);
}

static void generated_scripts_make_their_output(void **state) {
    for (uint64_t i = 0; i < 300; i++) {
        sz_buf text = {0}, out = {0}, again = {0}, twice = {0};
        SZ_CHECK_OK(sz_kt_script_generate(3, i, &text, &out));
        assert_true(out.len > 0);
        SZ_CHECK_OK(sz_kt_script_run(text.data, text.len, false, &again, NULL));
        assert_int_equal(again.len, out.len);
        assert_memory_equal(again.data, out.data, out.len);
        sz_buf_clear(&again);
        SZ_CHECK_OK(sz_kt_script_generate(3, i, &twice, &again));
        assert_string_equal(twice.data, text.data);
        sz_buf_free(&text);
        sz_buf_free(&out);
        sz_buf_free(&again);
        sz_buf_free(&twice);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_values),
        cmocka_unit_test(functions_and_their_corners),
        cmocka_unit_test(strict_charges_predicates),
        cmocka_unit_test(bad_scripts_are_named),
        cmocka_unit_test(fuel_lines_and_values_are_bounded),
        cmocka_unit_test(generated_scripts_make_their_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
