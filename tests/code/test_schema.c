/* test_schema.c: JSON schemas against values that follow them and values that do not. */
#include "check.h"

#include <string.h>

#include <szilard/unstable/grammar.h>

#include "code/grammar.h"

static sz_status grammar_of(const char *schema, sz_grammar **out) {
    sz_arena *arena;
    sz_json *root;
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    SZ_CHECK_OK(sz_json_parse(schema, strlen(schema), arena, &root));
    sz_status status = sz_grammar_from_schema(root, out);
    sz_arena_free(arena);
    return status;
}

static void values_follow_their_schemas(void **state) {
    static const struct {
        const char *schema, *good[8], *bad[8];
    } cases[] = {
        {"{}",
         {"1", "[]", "{\"a\": [1, {\"b\": null}]}", "\"x\"", "-0.5e-3"},
         {"", "{", "01", "\"\n\""}},
        {"{\"type\":\"string\"}", {"\"\"", "\"a\\n\\u00e9\xC3\xA9\""}, {"1", "\"a", "\"\\q\""}},
        {"{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}",
         {"\"ab\"", "\"\xC3\xA9\xC3\xA9x\""},
         {"\"a\"", "\"abcd\""}},
        {"{\"type\":\"string\",\"pattern\":\"^[a-z]+\\\\d.$\"}",
         {"\"ab1x\""},
         {"\"1x\"", "\"ab1\\\"\""}},
        {"{\"type\":\"string\",\"format\":\"date-time\"}",
         {"\"2026-11-25T14:30:00Z\""},
         {"\"2026-13-01T00:00:00Z\""}},
        {"{\"type\":\"integer\"}", {"0", "-12"}, {"1.5", "01", "-"}},
        {"{\"type\":\"integer\",\"minimum\":3,\"maximum\":250}",
         {"3", "9", "10", "99", "100", "250"},
         {"2", "251", "0", "999", "-3"}},
        {"{\"type\":\"integer\",\"exclusiveMinimum\":-12,\"maximum\":5}",
         {"-11", "-1", "0", "5"},
         {"-12", "6", "-0"}},
        {"{\"type\":\"number\"}", {"0", "-1.25", "1e9"}, {"1.", ".5"}},
        {"{\"type\":[\"boolean\",\"null\"]}", {"true", "null"}, {"0", "\"true\""}},
        {"{\"enum\":[\"a\",1,{\"b\":[null]}]}", {"\"a\"", "1", "{\"b\":[null]}"}, {"a", "2"}},
        {"{\"const\":\"q\\\"\"}", {"\"q\\\"\""}, {"\"q\""}},
        {"{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}",
         {"[]", "[1]", "[1, 2,3]"},
         {"[1,]", "[\"a\"]"}},
        {"{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":2,\"maxItems\":3}",
         {"[1,2]", "[1,2,3]"},
         {"[]", "[1]", "[1,2,3,4]"}},
        {"{\"type\":\"array\",\"prefixItems\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}",
         {"[\"a\",1]"},
         {"[\"a\"]", "[\"a\",1,2]"}},
        {"{\"type\":\"array\",\"prefixItems\":[{\"type\":\"string\"}],\"items\":{\"type\":"
         "\"integer\"}}",
         {"[\"a\"]", "[\"a\",1,2]"},
         {"[]", "[1]"}},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":"
         "\"string\"},\"c\":{\"type\":\"null\"}},\"required\":[\"b\"]}",
         {"{\"b\":\"x\"}", "{\"a\": 1, \"b\": \"x\"}", "{\"a\":1,\"b\":\"x\",\"c\":null}",
          "{\"b\":\"x\",\"c\":null}"},
         {"{}", "{\"a\":1}", "{\"b\":\"x\",\"a\":1}", "{\"b\":\"x\",\"d\":1}", "{\"b\":\"x\",}"}},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},"
         "\"additionalProperties\":{\"type\":\"boolean\"}}",
         {"{}", "{\"a\":1}", "{\"z\":true}", "{\"a\":1,\"z\":true,\"y\":false}"},
         {"{\"z\":1}", "{\"a\":1 \"z\":true}"}},
        {"{\"type\":\"object\",\"additionalProperties\":true}", {"{}", "{\"x\":[1]}"}, {"[]"}},
        {"{\"type\":\"object\"}", {"{}", "{\"x\":{\"y\":1}}"}, {"[]"}},
        {"{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}", {"1", "\"a\""}, {"true"}},
        {"{\"$ref\":\"#/$defs/"
         "node\",\"$defs\":{\"node\":{\"type\":\"object\",\"properties\":{\"next\":{\"anyOf\":[{\"$"
         "ref\":\"#/$defs/node\"},{\"type\":\"null\"}]}},\"required\":[\"next\"]}}}",
         {"{\"next\":null}", "{\"next\":{\"next\":{\"next\":null}}}"},
         {"{}", "{\"next\":1}"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sz_grammar *g;
        sz_status status = grammar_of(cases[i].schema, &g);
        if (status != SZ_OK)
            fail_msg("%s: %s", cases[i].schema, sz_last_error());
        for (int bad = 0; bad < 2; bad++)
            for (size_t j = 0; j < 8; j++) {
                const char *text = bad ? cases[i].bad[j] : cases[i].good[j];
                bool yes;
                if (!text)
                    break;
                SZ_CHECK_OK(sz_grammar_match(g, text, strlen(text), &yes));
                if (yes == bad)
                    fail_msg("%s %s %s", cases[i].schema, bad ? "takes" : "refuses", text);
            }
        sz_grammar_free(g);
    }
}

static void ranges_of_integers_are_exact(void **state) {
    static const struct {
        int least, most;
    } ranges[] = {{0, 0},   {0, 9},    {7, 7},     {1, 10},    {9, 11},
                  {19, 21}, {0, 1000}, {123, 987}, {99, 1001}, {5, 2026}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        sz_buf b = {0};
        sz_grammar *g;
        sz_buf_puts(&b, "root ::= ");
        sz_digits_between((uint64_t)ranges[i].least, (uint64_t)ranges[i].most, &b);
        SZ_CHECK_OK(sz_grammar_parse(b.data, b.len, &g));
        for (int v = 0; v < 3000; v++) {
            char text[16];
            bool yes;
            int n = snprintf(text, sizeof text, "%d", v);
            SZ_CHECK_OK(sz_grammar_match(g, text, (size_t)n, &yes));
            if (yes != (v >= ranges[i].least && v <= ranges[i].most))
                fail_msg("%d in %d..%d: %s", v, ranges[i].least, ranges[i].most, b.data);
        }
        sz_grammar_free(g);
        sz_buf_free(&b);
    }
}

static void what_is_not_understood_is_named(void **state) {
    static const struct {
        const char *schema, *part;
    } cases[] = {
        {"{\"not\":{}}", "not"},
        {"{\"type\":\"number\",\"minimum\":1}", "minimum"},
        {"{\"type\":\"thing\"}", "thing"},
        {"{\"$ref\":\"#/nowhere\"}", "nowhere"},
        {"{\"$ref\":\"http://x\"}", "$ref"},
        {"{\"allOf\":[{},{}]}", "allOf"},
        {"{\"enum\":[]}", "enum"},
        {"{\"type\":\"array\",\"uniqueItems\":true}", "uniqueItems"},
        {"{\"type\":\"integer\",\"minimum\":5,\"maximum\":4}", "between"},
        {"3", "neither"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sz_grammar *g;
        assert_int_not_equal(grammar_of(cases[i].schema, &g), SZ_OK);
        if (!strstr(sz_last_error(), cases[i].part))
            fail_msg("%s: %s", cases[i].schema, sz_last_error());
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_follow_their_schemas),
        cmocka_unit_test(ranges_of_integers_are_exact),
        cmocka_unit_test(what_is_not_understood_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
