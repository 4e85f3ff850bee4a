/* test_printer.c: stop strings, thoughts and colours do not depend on how a text is cut in tokens.
 */
#include "check.h"
#include "cli/printer.h"
#include <stdlib.h>
#include <string.h>

/* Prints `text` in pieces of whole characters, whose lengths depend on `seed`. */
typedef struct result {
    char printed[1024];
    char shown[512], answer[512];
    bool stopped;
} result;

static result print_pieces(const sz_printer_style *style, bool thinking, const char *text,
                           uint64_t seed) {
    result r = {0};
    sz_printer p;
    sz_printer_style s = *style;
    s.out = tmpfile();
    assert_non_null(s.out);
    sz_printer_begin(&p, &s, thinking);
    size_t n = strlen(text), at = 0;
    bool go_on = true;
    for (uint64_t i = 0; at < n && go_on; i++) {
        size_t length = 1 + (size_t)(sz_uniform(seed, 0, i) * 6);
        length = length < n - at ? length : n - at;
        while (at + length < n && ((unsigned char)text[at + length] & 0xC0) == 0x80)
            length++;
        char piece[16] = "";
        memcpy(piece, text + at, length);
        go_on = sz_printer_add(&p, piece, 2.5);
        at += length;
    }
    SZ_CHECK_OK(sz_printer_end(&p));
    rewind(s.out);
    r.printed[fread(r.printed, 1, sizeof r.printed - 1, s.out)] = '\0';
    fclose(s.out);
    snprintf(r.shown, sizeof r.shown, "%s", p.shown.data ? p.shown.data : "");
    snprintf(r.answer, sizeof r.answer, "%s", p.answer.data ? p.answer.data : "");
    r.stopped = p.stopped;
    sz_printer_free(&p);
    return r;
}

/* Every cutting gives the same. */
static void check(const sz_printer_style *style, bool thinking, const char *text, const char *shown,
                  const char *answer, bool stopped) {
    for (uint64_t seed = 0; seed < 200; seed++) {
        result r = print_pieces(style, thinking, text, seed);
        assert_string_equal(r.shown, shown);
        assert_string_equal(r.answer, answer);
        assert_int_equal(r.stopped, stopped);
        if (style->depth == SZ_DEPTH_NONE)
            assert_string_equal(r.printed, shown);
    }
}

static void test_stops(void **state) {
    char *const stops[] = {"END", "\n\n", "caf\xC3\xA9"};
    sz_printer_style style = {.stops = stops, .n_stops = 3};
    check(&style, false, "nothing to stop", "nothing to stop", "nothing to stop", false);
    check(&style, false, "a bEND c", "a b", "a b", true);
    check(&style, false, "END", "", "", true);
    check(&style, false, "EENEND", "EEN", "EEN", true);
    check(&style, false, "EN", "EN", "EN", false);
    check(&style, false, "one\ntwo\n\nthree", "one\ntwo", "one\ntwo", true);
    check(&style, false, "one\n", "one\n", "one\n", false);
    check(&style, false, "a caf\xC3\xA8 and a caf\xC3\xA9!", "a caf\xC3\xA8 and a ",
          "a caf\xC3\xA8 and a ", true);
}

/* One stop string begins within another. */
static void test_overlapping_stops(void **state) {
    char *const stops[] = {"aab", "abc"};
    sz_printer_style style = {.stops = stops, .n_stops = 2};
    check(&style, false, "xaaab", "xa", "xa", true);
    check(&style, false, "xaabc", "x", "x", true);
    check(&style, false, "xabab", "xabab", "xabab", false);
}

static void test_held_back(void **state) {
    char *const stops[] = {"STOP"};
    sz_printer_style style = {.stops = stops, .n_stops = 1};
    sz_printer p;
    sz_printer_begin(&p, &style, false);
    assert_true(sz_printer_add(&p, "go ST", 0));
    assert_string_equal(p.shown.data, "go "); /* no part of it is shown */
    assert_true(sz_printer_add(&p, "O", 0));
    assert_string_equal(p.shown.data, "go ");
    assert_true(sz_printer_add(&p, "RM", 0));
    assert_string_equal(p.shown.data, "go STORM");
    assert_false(sz_printer_add(&p, " STOP now", 0));
    assert_string_equal(p.shown.data, "go STORM ");
    SZ_CHECK_OK(sz_printer_end(&p));
    sz_printer_free(&p);
}

static void test_thoughts(void **state) {
    const char *text = "<think>\nhmm < 3\n</think>\n\nYes, a < b.";
    sz_printer_style style = {.thoughts = true};
    check(&style, false, text, text, text, false);
    style.hide_thoughts = true;
    check(&style, false, text, "Yes, a < b.", text, false);
    check(&style, true, "hmm</think> Yes", "Yes", "hmm</think> Yes", false);
    check(&style, false, "No <thinking> here", "No <thinking> here", "No <thinking> here", false);
    check(&style, false, "a <think>b", "a ", "a <think>b", false);
    check(&style, false, "a <thi", "a <thi", "a <thi", false);
    style.thoughts = false;
    style.hide_thoughts = false;
    check(&style, false, text, text, text, false);
}

static void test_stop_in_thought(void **state) {
    char *const stops[] = {"</think>", "STOP"};
    sz_printer_style style = {
        .thoughts = true, .hide_thoughts = true, .stops = stops, .n_stops = 2};
    check(&style, false, "<think>a STOP b", "", "<think>a ", true);
    check(&style, false, "<think>a</think>b", "", "<think>a", true);
}

/* Without the escape sequences the printed text is the shown one, and none is left open. */
static void test_colours(void **state) {
    sz_printer_style style = {.depth = SZ_DEPTH_TRUE, .heat = true, .thoughts = true};
    for (uint64_t seed = 0; seed < 50; seed++) {
        result r = print_pieces(&style, false, "<think>a</think>b \xF0\x9F\x98\x80 c", seed);
        char plain[512];
        size_t n = 0;
        int open = 0;
        for (const char *s = r.printed; *s; s++) {
            if (*s != '\033') {
                assert_true(open);
                plain[n++] = *s;
                continue;
            }
            open = strncmp(s, "\033[0m", 4) != 0;
            s = strchr(s, 'm');
        }
        plain[n] = '\0';
        assert_string_equal(plain, r.shown);
        assert_false(open);
    }
}

static void test_dimmed(void **state) {
    sz_printer_style style = {.depth = SZ_DEPTH_16, .thoughts = true};
    result r = print_pieces(&style, false, "<think>a", 9);
    assert_non_null(strstr(r.printed, "\033[2m"));
    r = print_pieces(&style, false, "no thought", 9);
    assert_null(strchr(r.printed, '\033'));
}

static void test_invalid_bytes(void **state) {
    sz_printer_style style = {0};
    result r = print_pieces(&style, false, "a\xFF\xFE z", 3);
    assert_string_equal(r.shown, "a\xEF\xBF\xBD\xEF\xBF\xBD z");
}

/* A terminal gets no control characters from a model, a file gets what was written. */
static void test_control_characters(void **state) {
    sz_printer_style style = {.terminal = true};
    const char *text = "a\033[2J\tb\r\nc\rd\x7F \xC2\x9Bm\xC2\xA0.";
    result r = print_pieces(&style, false, text, 1);
    assert_null(strpbrk(r.printed, "\033\x7F"));
    assert_null(strstr(r.printed, "\xC2\x9B"));
    assert_string_equal(r.shown, text);
    assert_non_null(strstr(r.printed, "a\xE2\x90\x9B[2J\tb"));
    assert_non_null(strstr(r.printed, "\xE2\x90\xA1 \xE2\x90\xA6m\xC2\xA0."));
    style.terminal = false;
    r = print_pieces(&style, false, text, 1);
    assert_string_equal(r.printed, text);
}

static void test_write_error(void **state) {
    sz_printer_style style = {.out = fopen("/dev/full", "w")};
    sz_printer p;
    if (!style.out)
        skip();
    sz_printer_begin(&p, &style, false);
    assert_false(sz_printer_add(&p, "text", 0));
    assert_int_equal(sz_printer_end(&p), SZ_E_IO);
    sz_printer_free(&p);
    fclose(style.out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stops),
        cmocka_unit_test(test_overlapping_stops),
        cmocka_unit_test(test_held_back),
        cmocka_unit_test(test_thoughts),
        cmocka_unit_test(test_stop_in_thought),
        cmocka_unit_test(test_colours),
        cmocka_unit_test(test_dimmed),
        cmocka_unit_test(test_invalid_bytes),
        cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_write_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
