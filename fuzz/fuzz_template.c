/* fuzz_template.c: a template, and behind a line of four percent signs its variables; without that
 * line, some variables of every type. */
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/template.h>

#include "base/utf8.h"

static const char SEPARATOR[] = "\n%%%%\n";

static const char VARIABLES[] =
    "{\"n\":7,\"neg\":-3,\"zero\":0,\"f\":2.5,\"big\":12345678901234,\"tiny\":1e-7,\"huge\":1."
    "5e300,"
    "\"t\":true,\"no\":false,\"none_value\":null,\"s\":\"Hello, World\",\"empty\":\"\","
    "\"blank\":\"  padded\\t\\n\",\"uni\":\"Gr\u00fc\u00dfe, \u0395\u03bb\u03bb\u03ac\u03c2 "
    "\u65e5\u672c\","
    "\"quote\":\"it's \\\"both\\\"\",\"html\":\"<a href='x'>1 & 2</a>\","
    "\"lines\":\"one\\ntwo\\n\\nfour\\n\",\"l\":[3,1,2],\"names\":[\"bob\",\"Alice\",\"alice\"],"
    "\"nested\":[[1,2],[3,[4,5]]],\"mixed\":[1,\"a\",null,true,2.0,[],{}],\"none_list\":[],"
    "\"d\":{\"b\":1,\"a\":2,\"C\":3},\"keys\":{\"items\":5,\"get\":6,\"x y\":7,\"_p\":8},"
    "\"people\":[{\"name\":\"Ann\",\"age\":30,\"tags\":[\"x\"],\"at\":{\"city\":\"Rome\"}},"
    "{\"name\":\"bo\",\"age\":25,\"tags\":[],\"at\":{\"city\":\"Oslo\"}}],"
    "\"schema\":{\"type\":\"object\",\"properties\":{\"q\":{\"enum\":[\"\u00e9\",\"<b>\"]}},"
    "\"deep\":[[],{},[{}]]},"
    "\"tree\":[{\"n\":\"a\",\"c\":[{\"n\":\"b\",\"c\":[]}]},{\"n\":\"e\"}],"
    "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"add_generation_prompt\":true}";

static void need(bool what) {
    if (!what)
        abort();
}

static void check_failure(sz_status status) {
    need(status == SZ_E_FORMAT || status == SZ_E_LIMIT || status == SZ_E_UNSUPPORTED);
    need(strncmp(sz_last_error(), "template line ", 14) == 0 || status == SZ_E_LIMIT);
}

static void render(const sz_template *t, const sz_json *variables) {
    static const sz_template_limits limits = {200000, 1 << 20, 16 << 20};
    sz_buf first = {0}, second = {0};
    sz_status status = sz_template_render(t, variables, 1754053509, &limits, &first);
    if (status != SZ_OK) {
        check_failure(status);
        need(first.len == 0);
    } else {
        need(first.len <= 1 << 20 &&
             sz_utf8_valid(first.data ? first.data : "", first.len) == first.len);
        need(sz_template_render(t, variables, 1754053509, &limits, &second) == SZ_OK);
        need(first.len == second.len &&
             (!first.len || !memcmp(first.data, second.data, first.len)));
    }
    sz_buf_free(&first);
    sz_buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *source = (const char *)data, *variables = VARIABLES;
    size_t n = size, n_variables = strlen(VARIABLES);
    const char *line = size ? memmem(source, size, SEPARATOR, strlen(SEPARATOR)) : NULL;
    if (line) {
        n = (size_t)(line - source);
        variables = line + strlen(SEPARATOR);
        n_variables = size - n - strlen(SEPARATOR);
    }
    sz_arena *arena;
    sz_json *object;
    sz_template *t = NULL;
    if (sz_arena_new(1 << 14, &arena) != SZ_OK)
        return 0;
    sz_arena_set_limit(arena, 16 << 20);
    sz_status status = sz_template_parse(source, n, &t);
    if (status != SZ_OK) {
        need(t == NULL);
        check_failure(status);
    } else if (sz_json_parse(variables, n_variables, arena, &object) == SZ_OK &&
               object->type == SZ_JSON_OBJECT)
        render(t, object);
    sz_template_free(t);
    sz_arena_free(arena);
    return 0;
}
