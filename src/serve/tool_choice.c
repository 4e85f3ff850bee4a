/* tool_choice.c: the member tool_choice: no tool, one at will, or one that must be called, whose
 * call a grammar then makes well-formed. */
#include "api.h"

#include <string.h>

static const sz_json *function_of(const sz_json *tool) {
    const sz_json *f = tool->type == SZ_JSON_OBJECT ? sz_json_get(tool, "function") : NULL;
    return f && f->type == SZ_JSON_OBJECT ? f : NULL;
}

/* Whether the tool is the named one; NULL: every one is. */
static bool is_chosen(const sz_json *tool, const char *name) {
    const sz_json *f = function_of(tool), *own = f ? sz_json_get(f, "name") : NULL;
    return own && sz_json_is_text(own) && (!name || strcmp(own->u.s, name) == 0);
}

/* The schema of a call of any of the chosen tools. */
static size_t put_schema(sz_buf *b, const sz_json *tools, const char *name) {
    size_t n = 0;
    sz_buf_puts(b, "{\"anyOf\":[");
    for (const sz_json *t = tools->u.child; t; t = t->next) {
        if (!is_chosen(t, name))
            continue;
        const sz_json *f = function_of(t), *parameters = sz_json_get(f, "parameters");
        sz_buf_puts(b, n++ ? "," : "");
        sz_buf_puts(b, "{\"type\":\"object\",\"properties\":{\"name\":{\"const\":");
        sz_json_put(b, sz_json_get(f, "name"));
        sz_buf_puts(b, "},\"arguments\":");
        if (parameters && parameters->type == SZ_JSON_OBJECT)
            sz_json_put(b, parameters);
        else
            sz_buf_puts(b, "{\"type\":\"object\"}");
        sz_buf_puts(b, "},\"required\":[\"name\",\"arguments\"],\"additionalProperties\":false}");
    }
    sz_buf_puts(b, "]}");
    return n;
}

/* Puts the marks of a call around what the schema describes. */
static sz_status parse_between_marks(const sz_buf *gbnf, sz_grammar **out) {
    static const char root[] = "root ::= ";
    const char *body = gbnf->data + sizeof root - 1, *end = strchr(body, '\n');
    sz_buf b = {0};
    SZ_REQUIRE(end && strncmp(gbnf->data, root, sizeof root - 1) == 0, SZ_E_STATE,
               "the grammar of a schema has no root");
    sz_buf_printf(&b, "%s\"<tool_call>\\n\" (%.*s) \"</tool_call>\"%s", root, (int)(end - body),
                  body, end);
    sz_status status = b.failed ? sz_fail(SZ_E_NOMEM, "no memory for a grammar")
                                : sz_grammar_parse(b.data, b.len, out);
    sz_buf_free(&b);
    return status;
}

static sz_status grammar_of(const sz_buf *schema, sz_grammar **out) {
    sz_arena *arena;
    sz_json *v;
    sz_buf gbnf = {0};
    SZ_REQUIRE(!schema->failed, SZ_E_NOMEM, "no memory for a schema");
    SZ_TRY(sz_arena_new(1 << 14, &arena));
    sz_status status = sz_json_parse(schema->data, schema->len, arena, &v);
    if (status == SZ_OK)
        status = sz_grammar_schema_to_gbnf(v, &gbnf);
    if (status == SZ_OK)
        status = parse_between_marks(&gbnf, out);
    sz_buf_free(&gbnf);
    sz_arena_free(arena);
    return status;
}

sz_status sz_read_tool_choice(sz_reader *r, sz_tool_choice *out) {
    const sz_json *v = sz_read_member(r, "tool_choice");
    *out = (sz_tool_choice){.mode = SZ_TOOLS_AUTO};
    if (!v)
        return SZ_OK;
    const sz_json *f = function_of(v), *name = f ? sz_json_get(f, "name") : NULL;
    if (name && sz_json_is_text(name))
        *out = (sz_tool_choice){SZ_TOOLS_MUST, name->u.s};
    else if (v->type == SZ_JSON_STRING && strcmp(v->u.s, "required") == 0)
        out->mode = SZ_TOOLS_MUST;
    else if (v->type == SZ_JSON_STRING && strcmp(v->u.s, "none") == 0)
        out->mode = SZ_TOOLS_NONE;
    else if (v->type != SZ_JSON_STRING || strcmp(v->u.s, "auto") != 0)
        return sz_read_fail(r, "tool_choice", "is neither none, auto, required nor a function");
    return SZ_OK;
}

sz_status sz_tool_grammar(sz_reader *r, sz_grammar **out) {
    const sz_json *tools = NULL;
    sz_tool_choice choice;
    sz_buf schema = {0};
    SZ_TRY(sz_read_tool_choice(r, &choice));
    SZ_TRY(sz_read_array(r, "tools", &tools));
    if (choice.mode != SZ_TOOLS_MUST)
        return SZ_OK;
    sz_status status = SZ_OK;
    if (!tools || put_schema(&schema, tools, choice.name) == 0)
        status = sz_read_fail(r, "tool_choice", "names a tool that is not among 'tools'");
    else
        status = grammar_of(&schema, out);
    sz_buf_free(&schema);
    return status;
}
