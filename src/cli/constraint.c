/* constraint.c: reads the grammar that an option names. */
#include "constraint.h"
#include "cli.h"
#include <string.h>

static sz_status from_file(const char *path, sz_grammar **out) {
    sz_buf text = {0};
    SZ_TRY(sz_cli_read(path, &text));
    sz_status status = sz_grammar_parse(text.data ? text.data : "", text.len, out);
    sz_buf_free(&text);
    return status == SZ_OK ? SZ_OK : sz_fail_within(status, "%s", path);
}

static sz_status from_schema_text(const char *text, size_t n, sz_grammar **out) {
    sz_arena *arena;
    sz_json *schema;
    SZ_TRY(sz_arena_new(1 << 14, &arena));
    sz_status status = sz_json_parse(text, n, arena, &schema);
    if (status == SZ_OK)
        status = sz_grammar_from_schema(schema, out);
    sz_arena_free(arena);
    return status;
}

/* A schema that is written out begins with a brace; anything else is a file. */
static sz_status from_schema(const char *text, sz_grammar **out) {
    if (text[strspn(text, " \t\n")] == '{')
        return from_schema_text(text, strlen(text), out);
    sz_buf b = {0};
    SZ_TRY(sz_cli_read(text, &b));
    sz_status status = from_schema_text(b.data ? b.data : "", b.len, out);
    sz_buf_free(&b);
    return status == SZ_OK ? SZ_OK : sz_fail_within(status, "%s", text);
}

sz_status sz_constraint_make(const sz_constraint *c, sz_grammar **out) {
    *out = NULL;
    switch (c->kind) {
    case SZ_CONSTRAINT_GRAMMAR:
        return from_file(c->text, out);
    case SZ_CONSTRAINT_SCHEMA:
        return from_schema(c->text, out);
    case SZ_CONSTRAINT_REGEX:
        return sz_grammar_from_regex(c->text, strlen(c->text), out);
    default:
        return SZ_OK;
    }
}
