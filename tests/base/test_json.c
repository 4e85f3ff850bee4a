/* JSON: what RFC 8259 allows and forbids, errors that say where, bounds, numbers to the last bit.
 */
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static sz_arena *arena;

static int set_up(void **state) {
    return sz_arena_new(1 << 16, &arena) != SZ_OK;
}
static int tear_down(void **state) {
    sz_arena_free(arena);
    return 0;
}

/* The parser sees exactly the text's bytes: they end where an allocation ends. */
static sz_status parse_bytes(const char *text, size_t n, sz_json **out) {
    char *copy = malloc(n + !n);
    memcpy(copy, text, n);
    *out = NULL;
    sz_status status = sz_json_parse(copy, n, arena, out);
    free(copy);
    return status;
}
static sz_json *parse(const char *text) {
    sz_json *v;
    if (parse_bytes(text, strlen(text), &v) != SZ_OK)
        fail_msg("%s: %s", text, sz_last_error());
    return v;
}
static void refuse(const char *text, size_t n, const char *where) {
    sz_json *v;
    if (parse_bytes(text, n, &v) != SZ_E_FORMAT)
        fail_msg("%.*s is taken", (int)n, text);
    assert_null(v);
    if (!strstr(sz_last_error(), where))
        fail_msg("%.*s: \"%s\" does not say \"%s\"", (int)n, text, sz_last_error(), where);
}

/* ---- Structure ------------------------------------------------------------------------------- */

static void test_values(void **state) {
    assert_int_equal(parse("null")->type, SZ_JSON_NULL);
    assert_int_equal(parse(" \t\r\n true \n")->type, SZ_JSON_TRUE);
    assert_int_equal(parse("false")->type, SZ_JSON_FALSE);
    assert_int_equal(parse("[]")->n, 0);
    assert_int_equal(parse("{}")->n, 0);
    assert_int_equal(parse("[ ]")->type, SZ_JSON_ARRAY);
    const sz_json *v = parse("{\"a\" : [1, \"two\", null, {\"b\":2.5}] , \"\":true}");
    assert_int_equal(v->type, SZ_JSON_OBJECT);
    assert_int_equal(v->n, 2);
    const sz_json *a = sz_json_get(v, "a");
    assert_int_equal(a->n, 4);
    assert_int_equal(a->u.child->u.i, 1);
    assert_string_equal(a->u.child->next->u.s, "two");
    assert_true(sz_json_get(a->u.child->next->next->next, "b")->u.f == 2.5);
    assert_null(a->u.child->next->next->next->next);
    assert_int_equal(sz_json_get(v, "")->type, SZ_JSON_TRUE);
    assert_null(sz_json_get(v, "b"));
    assert_null(sz_json_get(a, "a"));
    assert_null(sz_json_get(NULL, "a"));
}

/* Every proper prefix of a text that needs its last byte is an error. */
static void test_cut_texts(void **state) {
    static const char text[] = "{\"key\\u00e9\\n\": [1.5e-3, true, null, \"\\ud83d\\ude00\", {}]}";
    sz_json *v;
    for (size_t n = 0; n < sizeof text - 1; n++)
        assert_int_equal(parse_bytes(text, n, &v), SZ_E_FORMAT);
    SZ_CHECK_OK(parse_bytes(text, sizeof text - 1, &v));
}

static void test_refused(void **state) {
    static const char *const texts[] = {
        "",
        " ",
        "nul",
        "True",
        "nulll",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1,,2]",
        "[",
        "]",
        "[1}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{'a':1}",
        "{1:2}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":1 \"b\":2}",
        "{\"a\",1}",
        "[1]]",
        "1 2",
        "// x\n1",
        "/**/1",
        "01",
        "-",
        "-01",
        "+1",
        ".5",
        "1.",
        "1.e5",
        "1e",
        "1e+",
        "1E-",
        "0x10",
        "1_000",
        "NaN",
        "Infinity",
        "-Infinity",
        "--1",
        "1.5.2",
        "'a'",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud800\\ud800\"",
        "\"\\ud800x\"",
        "\"\\a\"",
        "\"a\nb\"",
        "\"a\tb\"",
        "\"\x01\"",
        "\"\x80\"",
        "\"\xc0\xaf\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xe2\x82\"",
        "\xef\xbb\xbf"
        "1",
        "\v1",
        "\xa0"
        "1",
        "1e999",
        "-1e400",
        "2e308",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        refuse(texts[i], strlen(texts[i]), "JSON line ");
    refuse("1\0", 2, "line 1, column 2");
    refuse("\"\0\"", 3, "control characters");
    refuse("[1\0]", 4, "',' or ']'");
}

static void test_errors_say_where(void **state) {
    refuse("[1,\n  2,\n  x]", 14, "line 3, column 3");
    refuse("\r\n\r\n{\"a\": 01}", 13, "line 3, column 8");
    refuse("\"\xc3\xa4\xe2\x82\xac\x01\"", 8, "column 4"); /* columns count characters */
    refuse("{\"a\": 1,\n\"a\": 2}", 16, "\"a\" stands twice");
    refuse("[1", 2, "ends too early");
}

static void test_duplicates(void **state) {
    static const char *const texts[] = {"{\"a\":1,\"b\":2,\"a\":3}", "{\"\":1,\"\":2}",
                                        "[{\"x\":{\"k\":1,\"k\":1}}]", "{\"\\u0061\":1,\"a\":2}"};
    for (size_t i = 0; i < 4; i++)
        refuse(texts[i], strlen(texts[i]), "stands twice");
    assert_int_equal(parse("{\"a\":1,\"A\":2,\"a \":3,\"a\\u0000\":4,\"ab\":5}")->n, 5);
    assert_int_equal(parse("[{\"a\":1},{\"a\":1}]")->n, 2);
}

/* ---- Bounds ---------------------------------------------------------------------------------- */

static void test_depth(void **state) {
    char text[2 * 129 + 1];
    sz_json *v;
    for (int objects = 0; objects < 2; objects++)
        for (size_t depth = 127; depth < 130; depth++) {
            sz_buf b = {0};
            for (size_t i = 0; i < depth; i++)
                sz_buf_puts(&b, objects ? "{\"a\":" : "[");
            sz_buf_puts(&b, "1");
            for (size_t i = 0; i < depth; i++)
                sz_buf_putc(&b, objects ? '}' : ']');
            sz_status status = parse_bytes(b.data, b.len, &v);
            assert_int_equal(status, depth <= 128 ? SZ_OK : SZ_E_LIMIT);
            sz_buf_free(&b);
        }
    memset(text, '[', sizeof text);
    assert_int_equal(parse_bytes(text, sizeof text, &v), SZ_E_LIMIT);
    assert_non_null(strstr(sz_last_error(), "128"));
}

static void test_memory(void **state) {
    sz_arena *small;
    sz_json *v = NULL;
    sz_buf b = {0};
    sz_buf_putc(&b, '[');
    for (int i = 0; i < 100000; i++)
        sz_buf_puts(&b, "0,");
    sz_buf_puts(&b, "0]");
    SZ_CHECK_OK(sz_arena_new(4096, &small));
    sz_arena_set_limit(small, 1 << 20);
    assert_int_equal(sz_json_parse(b.data, b.len, small, &v), SZ_E_LIMIT);
    assert_null(v);
    sz_arena_free(small);
    assert_int_equal(parse(b.data)->n, 100001);
    sz_buf_free(&b);
}

/* ---- Strings --------------------------------------------------------------------------------- */

static void test_strings(void **state) {
    assert_string_equal(parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")->u.s, "\"\\/\b\f\n\r\t");
    assert_string_equal(parse("\"\\u00e9\\u20AC\\uD83D\\uDE00\"")->u.s,
                        "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_string_equal(parse("\"\xf0\x9f\x98\x80\x7f\"")->u.s, "\xf0\x9f\x98\x80\x7f");
    const sz_json *v = parse("\"a\\u0000b\"");
    assert_int_equal(v->n, 3);
    assert_memory_equal(v->u.s, "a\0b", 4);
    v = parse("\"\"");
    assert_int_equal(v->n, 0);
    assert_string_equal(v->u.s, "");
}

static void check_quote(const char *s, size_t n, const char *want) {
    sz_buf b = {0};
    sz_json_quote(&b, s, n);
    assert_string_equal(b.data, want);
    sz_buf_free(&b);
}

static void test_quoting(void **state) {
    check_quote("", 0, "\"\"");
    check_quote("a\"b\\c/\b\f\n\r\t\x1f\x7f", 13, "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u001f\\u007f\"");
    check_quote("\0", 1, "\"\\u0000\"");
    check_quote("\xe2\x82\xac\xff!", 5, "\"\xe2\x82\xac\xef\xbf\xbd!\"");
    check_quote("\xf0\x9f", 2, "\"\xef\xbf\xbd\"");
}

/* What is quoted reads back, for every byte and random valid strings. */
static void test_quoting_reads_back(void **state) {
    for (uint64_t i = 0; i < 3000; i++) {
        sz_buf bytes = {0}, clean = {0}, quoted = {0};
        size_t n = (size_t)(20 * sz_uniform(1, 0, i));
        for (size_t j = 0; j < n; j++)
            sz_buf_putc(&bytes, (char)(256 * sz_uniform(2, i, j)));
        if (i < 256)
            sz_buf_putc(&bytes, (char)i);
        sz_utf8_clean(bytes.data, bytes.len, &clean);
        sz_json_quote(&quoted, bytes.data, bytes.len);
        const sz_json *v = parse(quoted.data);
        assert_int_equal(v->n, clean.len);
        if (clean.len)
            assert_memory_equal(v->u.s, clean.data, clean.len);
        sz_buf_free(&bytes);
        sz_buf_free(&clean);
        sz_buf_free(&quoted);
        sz_arena_reset(arena);
    }
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static void test_integers(void **state) {
    static const struct {
        const char *text;
        int64_t value;
    } whole[] = {{"0", 0},
                 {"-1", -1},
                 {"9223372036854775807", INT64_MAX},
                 {"-9223372036854775808", INT64_MIN},
                 {"1000000", 1000000}};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        const sz_json *v = parse(whole[i].text);
        assert_int_equal(v->type, SZ_JSON_INT);
        assert_true(v->u.i == whole[i].value);
    }
    static const char *const floats[] = {"9223372036854775808", "-9223372036854775809", "1.0",
                                         "1e0", "100000000000000000000000000"};
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
        const sz_json *v = parse(floats[i]);
        assert_int_equal(v->type, SZ_JSON_FLOAT);
        assert_true(v->u.f == strtod(floats[i], NULL));
    }
    const sz_json *zero = parse("-0");
    assert_int_equal(zero->type, SZ_JSON_FLOAT);
    assert_true(zero->u.f == 0.0 && signbit(zero->u.f));
}

static void test_floats(void **state) {
    static const char *const texts[] = {"1.5",
                                        "-2.5E+3",
                                        "1e-2",
                                        "0.1",
                                        "0e5",
                                        "0.0000000000000000000000001",
                                        "1e308",
                                        "1.7976931348623157e308",
                                        "4.9e-324",
                                        "2e-324",
                                        "1e-999",
                                        "0e999999999999999999999",
                                        "1e-999999999999999999999",
                                        "123456789.123456789e-5",
                                        "9007199254740993.0",
                                        "0.500000000000000166533453693773481063544750213623046875",
                                        "2.2250738585072011e-308",
                                        "1E5",
                                        "-0.0"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double got = parse(texts[i])->u.f, want = strtod(texts[i], NULL);
        assert_memory_equal(&got, &want, sizeof got);
    }
    char many[4200];
    memset(many, '1', sizeof many);
    many[0] = '0';
    many[1] = '.';
    sz_json *v;
    SZ_CHECK_OK(parse_bytes(many, 4096, &v));
    assert_true(v->u.f == 1.0 / 9.0);
    refuse(many, 4097, "too long");
    memset(many + 2, '0', sizeof many - 2); /* 1e-1000 * 1e1002, written out */
    memcpy(many + 1001, "1e1002", 6);
    SZ_CHECK_OK(parse_bytes(many, 1007, &v));
    assert_true(v->u.f == 100.0);
}

static void check_number(double x, const char *want) {
    sz_buf b = {0};
    sz_json_number(&b, x);
    assert_string_equal(b.data, want);
    sz_buf_free(&b);
}

static void test_shortest(void **state) {
    check_number(0.0, "0");
    check_number(-0.0, "-0.0");
    check_number(1.0, "1");
    check_number(-1.5, "-1.5");
    check_number(0.1, "0.1");
    check_number(1.0 / 3.0, "0.3333333333333333");
    check_number(100.0, "100");
    check_number(1e15, "1000000000000000");
    check_number(123456789012345678.0, "1.2345678901234568e17");
    check_number(1e16, "1e16");
    check_number(1e22, "1e22");
    check_number(0.00001, "0.00001");
    check_number(0.000001, "1e-6");
    check_number(1.5e-7, "1.5e-7");
    check_number(123.456, "123.456");
    check_number(5e-324, "5e-324");                 /* subnormal: few digits are enough */
    check_number(0x1p-44, "5.684341886080802e-14"); /* the nearest of 16 digits ends in 1 */
    check_number(9007199254740993.0, "9007199254740992");
    check_number(1.7976931348623157e308, "1.7976931348623157e308");
    check_number(0.30000000000000004, "0.30000000000000004");
    check_number(NAN, "null");
    check_number(INFINITY, "null");
    check_number(-INFINITY, "null");
}

/* Reads back to the bit, and one digit fewer would not. */
static void check_round_trip(double x) {
    sz_buf b = {0};
    sz_json_number(&b, x);
    const sz_json *v = parse(b.data);
    double back = v->type == SZ_JSON_INT ? (double)v->u.i : v->u.f;
    assert_memory_equal(&back, &x, sizeof x);
    int digits = 0, zeros = 0;
    for (const char *c = b.data; *c && *c != 'e'; c++) {
        if (*c < '0' || *c > '9' || (*c == '0' && digits == 0))
            continue;
        digits++;
        zeros = *c == '0' ? zeros + 1 : 0;
    }
    digits -= zeros;
    assert_true(digits <= 17);
    char shorter[64];
    snprintf(shorter, sizeof shorter, "%.*e", digits > 1 ? digits - 2 : 0, x);
    if (digits > 1 && strtod(shorter, NULL) == x)
        fail_msg("%s has more digits than %s", b.data, shorter);
    sz_buf_free(&b);
    sz_arena_reset(arena);
}

static void test_round_trips(void **state) {
    for (uint64_t i = 0; i < 150000; i++) {
        uint32_t r[4];
        uint64_t bits;
        double any;
        sz_philox4x32(5, 0, i, r);
        memcpy(&bits, r, sizeof bits);
        memcpy(&any, &bits, sizeof any);
        if (any - any == 0.0)
            check_round_trip(any);
        check_round_trip((double)(int32_t)r[2] / 1000.0);
        if (i < 20000)
            check_round_trip((double)(float)(r[3] * 0x1p-20));
    }
    for (int e = -1074; e < 1024; e++) {
        check_round_trip(ldexp(1.0, e));
        check_round_trip(nextafter(ldexp(1.0, e), 0.0) + (e == -1074 ? 5e-324 : 0.0));
        check_round_trip(-nextafter(ldexp(1.0, e), INFINITY));
    }
}

/* A locale whose decimal point is a comma changes nothing, where the machine has one. */
static void test_locale(void **state) {
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE",
                                        "ps_AF"};
    const char *set = NULL;
    for (size_t i = 0; i < 5 && !set; i++)
        set = setlocale(LC_ALL, names[i]);
    if (!set)
        skip();
    assert_string_not_equal(localeconv()->decimal_point, ".");
    check_number(1234.5, "1234.5");
    check_number(1.5e-300, "1.5e-300");
    assert_true(parse("1234.5")->u.f == 1234.5);
    assert_true(parse("[1.25e2,3]")->n == 2);
    setlocale(LC_ALL, "C");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),     cmocka_unit_test(test_cut_texts),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_errors_say_where),
        cmocka_unit_test(test_duplicates), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_memory),     cmocka_unit_test(test_strings),
        cmocka_unit_test(test_quoting),    cmocka_unit_test(test_quoting_reads_back),
        cmocka_unit_test(test_integers),   cmocka_unit_test(test_floats),
        cmocka_unit_test(test_shortest),   cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_locale),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
