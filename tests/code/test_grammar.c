/* test_grammar.c: grammars and regular expressions against the texts that they take and refuse. */
#include "check.h"

#include <string.h>

#include <szilard/unstable/grammar.h>

static bool matches(sz_grammar *g, const char *text) {
    bool yes;
    SZ_CHECK_OK(sz_grammar_match(g, text, strlen(text), &yes));
    return yes;
}

/* Texts separated by '\1': those before a '\2' are taken, those behind it are not. */
static void check(const char *what, sz_grammar *g, const char *texts) {
    char text[256];
    bool wanted = true;
    for (const char *at = texts;;) {
        size_t n = strcspn(at, "\1\2");
        memcpy(text, at, n);
        text[n] = '\0';
        if (matches(g, text) != wanted)
            fail_msg("%s %s \"%s\"", what, wanted ? "refuses" : "takes", text);
        if (at[n] == '\0')
            break;
        wanted = wanted && at[n] == '\1';
        at += n + 1;
    }
    sz_grammar_free(g);
}

static void grammars(void **state) {
    static const struct {
        const char *gbnf, *texts;
    } cases[] = {
        {"root ::= \"yes\" | \"no\"", "yes\1no\2\1ye\1yesno"},
        {"root ::= [a-c]+ [^0-9]?", "a\1abc\1abcx\1ab!\2\1x\1a7"},
        {"root ::= \"a\"{2,3}", "aa\1aaa\2a\1aaaa"},
        {"root ::= \"a\"{2} \"b\"{1,}", "aab\1aabbb\2ab\1aa"},
        {"root ::= \"a\"{0,1} .", "a\1b\1ab\1aa\2\1abc"},
        {"# comment\nroot ::= list # tail\nlist ::= \"[\" (item (\",\" item)*)? \"]\"\n"
         "item ::= [0-9] | list\n",
         "[]\1[1]\1[1,2,[3,[]]]\2[\1[1,]\1[,1]\1[1]]"},
        {"root ::=\n  \"a\"\n  | \"b\" \"c\"\n  | (\n \"d\"\n |\n \"e\" )\n", "a\1bc\1d\1e\2b\1de"},
        {"root ::= expr\nexpr ::= term (\"+\" term)*\nterm ::= \"x\" | \"(\" expr \")\"",
         "x\1x+x\1((x)+x)\2\1x+\1(x\1x)"},
        {"root ::= \"\\x41\\u00e9\\U0001F600\"", "A\xC3\xA9\xF0\x9F\x98\x80\2"
                                                 "A"},
        {"root ::= [\\u0100-\\u0800]", "\xC4\x80\1\xDF\xBF\1\xE0\xA0\x80\2\xC3\xBF\1\xE0\xA0\x81"},
        {"root ::= [^\\x00-\\x7F]", "\xC2\x80\1\xEF\xBF\xBD\1\xF4\x8F\xBF\xBF\2"
                                    "a\1\xC2\1\xED\xA0\x80"},
        {"root ::= \"a\" root | \"\"", "\1a\1aaaaaaaaaaaaaaaaaaaaaaaaa\2b"},
        {"root ::= a-b_2\na-b_2 ::= \"q\"", "q\2"},
        {"root ::= \"x\" (\"y\")?? \"z\"", "xz\1xyz\2xyyz"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sz_grammar *g;
        SZ_CHECK_OK(sz_grammar_parse(cases[i].gbnf, strlen(cases[i].gbnf), &g));
        check(cases[i].gbnf, g, cases[i].texts);
    }
}

static void regular_expressions(void **state) {
    static const struct {
        const char *regex, *texts;
    } cases[] = {
        {"^\\d{4}-\\d{2}-\\d{2}$", "2026-11-25\2"
                                   "2026-1-25\1 2026-11-25"},
        {"(cat|dog)s?", "cat\1dogs\2cats!\1cow"},
        {"[A-Z][a-z]*( [A-Z][a-z]*)+", "Leo Szilard\2Leo\1leo szilard"},
        {"a.c", "abc\1a\xC3\xA9"
                "c\2a\nc\1ac"},
        {"[^\"\\\\]*", "\1abc\2a\"b"},
        {"\\w+@\\w+\\.(com|org)", "a_1@b.com\2@b.com\1"
                                  "a@bcom"},
        {"(?:ab)*?c", "c\1ababc\2abab"},
        {"[]x-]+", "]\1x-]\2y"},
        {"\\x41\\u0042\\.", "AB.\2ABx"},
        {"\\S+\\s\\D", "ab c\2ab 1"},
        {"", "\2x"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sz_grammar *g;
        SZ_CHECK_OK(sz_grammar_from_regex(cases[i].regex, strlen(cases[i].regex), &g));
        check(cases[i].regex, g, cases[i].texts);
    }
}

static void broken_ones_are_refused(void **state) {
    static const struct {
        const char *gbnf, *part;
    } cases[] = {
        {"", "root"},
        {"start ::= \"a\"", "root"},
        {"root ::= missing", "missing"},
        {"root ::= root \"a\" | \"b\"", "begins with itself"},
        {"root ::= a\na ::= b? root\nb ::= \"b\"", "begins with itself"},
        {"root ::= \"a", "line 1"},
        {"root ::= \"a\"\nroot ::= \"b\"", "line 2"},
        {"root ::= [z-a]", "backwards"},
        {"root ::= (\"a\"", "')'"},
        {"root ::= \"a\")", "end here"},
        {"root ::= \"a\"{3,2}", "greater"},
        {"root ::= \"a\"{99999}", "4096"},
        {"root ::= \"\\q\"", "escape"},
        {"root ::= [\\uD800]", "no character"},
        {"root = \"a\"", "::="},
        {"root ::= \"\xC3\"", "UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sz_grammar *g;
        assert_int_not_equal(sz_grammar_parse(cases[i].gbnf, strlen(cases[i].gbnf), &g), SZ_OK);
        if (!strstr(sz_last_error(), cases[i].part))
            fail_msg("%s: %s", cases[i].gbnf, sz_last_error());
    }
    static const char *const regexes[] = {"(",     ")",    "a**b{", "*a", "[a",
                                          "(?=a)", "a\\1", "a^b",   "\\"};
    for (size_t i = 0; i < sizeof regexes / sizeof *regexes; i++) {
        sz_grammar *g;
        if (sz_grammar_from_regex(regexes[i], strlen(regexes[i]), &g) == SZ_OK)
            fail_msg("%s is taken", regexes[i]);
    }
}

static void hostile_ones_are_bounded(void **state) {
    sz_grammar *g;
    sz_buf b = {0};
    sz_buf_puts(&b, "root ::= ");
    for (int i = 0; i < 3000; i++)
        sz_buf_puts(&b, "(");
    assert_int_equal(sz_grammar_parse(b.data, b.len, &g), SZ_E_LIMIT);
    sz_buf_clear(&b);
    const char *nested = "root ::= (((((\"a\"{4000}){4000}){4000}){4000}){4000})";
    assert_int_equal(sz_grammar_parse(nested, strlen(nested), &g), SZ_E_LIMIT);
    /* exponentially many readings: each state holds them once, or a bound says so */
    const char *many = "root ::= s\ns ::= \"a\" | \"a\" s s";
    SZ_CHECK_OK(sz_grammar_parse(many, strlen(many), &g));
    uint32_t at = sz_grammar_start(g);
    sz_status status = SZ_OK;
    for (int i = 0; i < 100000 && status == SZ_OK; i++)
        status = sz_grammar_step(g, at, 'a', &at);
    assert_int_equal(status, SZ_E_LIMIT);
    sz_grammar_free(g);
    const char *deep = "root ::= \"(\" root \")\" | \"x\"";
    SZ_CHECK_OK(sz_grammar_parse(deep, strlen(deep), &g));
    at = sz_grammar_start(g);
    for (int i = 0; i < 10000; i++)
        SZ_CHECK_OK(sz_grammar_step(g, at, '(', &at));
    SZ_CHECK_OK(sz_grammar_step(g, at, 'x', &at));
    for (int i = 0; i < 10000; i++) {
        assert_false(sz_grammar_accepts(g, at));
        SZ_CHECK_OK(sz_grammar_step(g, at, ')', &at));
    }
    assert_true(sz_grammar_accepts(g, at));
    sz_grammar_free(g);
    sz_buf_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grammars),
        cmocka_unit_test(regular_expressions),
        cmocka_unit_test(broken_ones_are_refused),
        cmocka_unit_test(hostile_ones_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
