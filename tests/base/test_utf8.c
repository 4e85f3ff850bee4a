#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <szilard/unstable/base.h>

static void every_character_survives(void **state) {
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
        if (cp >= 0xD800 && cp <= 0xDFFF)
            continue;
        char s[4];
        uint32_t back = 0;
        int n = sz_utf8_encode(cp, s);
        assert_int_equal(sz_utf8_decode(s, (size_t)n, &back), n);
        assert_int_equal(back, cp);
        if (n > 1) {
            assert_int_equal(sz_utf8_decode(s, (size_t)n - 1, &back), 0);
            assert_int_equal(sz_utf8_complete(s, (size_t)n - 1), 0);
        }
        assert_int_equal(sz_utf8_complete(s, (size_t)n), n);
    }
}

/* The number of valid sequences of each length is known, so counting all of them finds any that is
 * wrongly taken or refused. */
static void counts_valid_sequences(void **state) {
    uint64_t valid[4] = {0};
    uint32_t cp;
    for (uint32_t bits = 0; bits < 1u << 24; bits++) {
        char s[3] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};
        int n = sz_utf8_decode(s, 3, &cp);
        assert_in_range(n, 0, 3);
        valid[n]++;
    }
    assert_int_equal(valid[1], 128u << 16);
    assert_int_equal(valid[2], 30u * 64 << 8);
    assert_int_equal(valid[3], 16 * 4096 - 2048 - 2048); /* less overlong ones and surrogates */
    uint32_t four = 0;
    for (uint32_t bits = 0; bits < 1u << 21; bits++) { /* continuation bytes in their range */
        char s[4] = {(char)(0xF0 | bits >> 18), (char)(0x80 | (bits >> 12 & 63)),
                     (char)(0x80 | (bits >> 6 & 63)), (char)(0x80 | (bits & 63))};
        four += sz_utf8_decode(s, 4, &cp) == 4;
    }
    assert_int_equal(four, 0x100000);
}

static void valid_prefix_stops_at_the_first_fault(void **state) {
    static const struct {
        const char *s;
        size_t valid;
    } cases[] = {
        {"", 0},
        {"plain", 5},
        {"twelve bytes", 12},
        {"gr\xC3\xBC\xC3\x9F", 6},
        {"a\x80", 1},
        {"0123456789abcdef\xFF", 16},
        {"\xC0\x80", 0},         /* overlong */
        {"\xE0\x9F\xBF", 0},     /* overlong */
        {"x\xED\xA0\x80", 1},    /* surrogate */
        {"\xF4\x90\x80\x80", 0}, /* beyond U+10FFFF */
        {"\xE2\x82", 0},         /* cut off */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(sz_utf8_valid(cases[i].s, strlen(cases[i].s)), cases[i].valid);
}

static void complete_holds_back_only_unfinished_characters(void **state) {
    static const struct {
        const char *s;
        size_t complete;
    } cases[] = {
        {"", 0},
        {"abc", 3},
        {"ab\xE2\x82\xAC", 5},
        {"ab\xE2\x82", 2},
        {"ab\xE2", 2},
        {"\xF0\x9F\x94", 0},
        {"\xF0\x9F\x94\xA5", 4},
        {"a\xF0\x9F", 1},
        {"a\xFF", 2},    /* never becomes valid */
        {"a\x80", 2},    /* nor does this */
        {"\xE2\x28", 2}, /* already broken */
        {"\xED\xA0", 2}, /* the start of a surrogate */
        {"\x80\x80\x80", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(sz_utf8_complete(cases[i].s, strlen(cases[i].s)), cases[i].complete);
}

static void clean_replaces_each_fault_once(void **state) {
    static const struct {
        const char *in, *out;
        bool valid;
    } cases[] = {
        {"", "", true},
        {"ok \xC3\xA9", "ok \xC3\xA9", true},
        {"a\xFFz", "a\uFFFDz", false},
        {"\xFF\xFE", "\uFFFD\uFFFD", false},
        {"\xE2\x82", "\uFFFD", false}, /* one unfinished character */
        {"\xE2\x82x", "\uFFFDx", false},
        {"\xF0\x9F\x94\xF0", "\uFFFD\uFFFD", false},
        {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD", false}, /* no byte of it begins a character */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sz_buf b = {0};
        assert_int_equal(sz_utf8_clean(cases[i].in, strlen(cases[i].in), &b), cases[i].valid);
        assert_int_equal(b.len, strlen(cases[i].out));
        assert_memory_equal(b.len ? b.data : "", cases[i].out, b.len);
        sz_buf_free(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_survives),
        cmocka_unit_test(counts_valid_sequences),
        cmocka_unit_test(valid_prefix_stops_at_the_first_fault),
        cmocka_unit_test(complete_holds_back_only_unfinished_characters),
        cmocka_unit_test(clean_replaces_each_fault_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
