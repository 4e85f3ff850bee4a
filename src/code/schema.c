/* schema.c: JSON schemas as grammars. Every schema that is met becomes a rule of its own, so that
 * references may form circles. Properties come in their order; without "additionalProperties" there
 * are no others, as is usual for generated JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "code/grammar.h"

enum { MOST_SCHEMAS = 4096, MOST_DIGITS = 18 };

typedef struct writer {
    const sz_json *root;
    sz_buf *out;
    const sz_json *met[MOST_SCHEMAS]; /* schema i is rule "s<i>" */
    size_t n;
} writer;

static const char common[] =
    "ws ::= | \" \" | \"\\n\" [ \\t]{0,20}\n"
    "char ::= [^\"\\\\\\x00-\\x1F\\x7F] | \"\\\\\" ([\"\\\\/bfnrt] | \"u\" [0-9a-fA-F]{4})\n"
    "string ::= \"\\\"\" char* \"\\\"\"\n"
    "digits ::= \"0\" | [1-9] [0-9]{0,17}\n"
    "integer ::= \"-\"? digits\n"
    "number ::= \"-\"? digits (\".\" [0-9]{1,17})? ([eE] [-+]? [0-9]{1,3})?\n"
    "boolean ::= \"true\" | \"false\"\n"
    "null ::= \"null\"\n"
    "array ::= \"[\" ws (value (\",\" ws value)*)? \"]\"\n"
    "pair ::= string ws \":\" ws value\n"
    "object ::= \"{\" ws (pair (\",\" ws pair)*)? \"}\"\n"
    "value ::= (object | array | string | number | boolean | null) ws\n"
    "date ::= [0-9]{4} \"-\" (\"0\" [1-9] | \"1\" [0-2]) \"-\" (\"0\" [1-9] | [12] [0-9] | \"3\" "
    "[01])\n"
    "time ::= ([01] [0-9] | \"2\" [0-3]) \":\" [0-5] [0-9] \":\" [0-5] [0-9] (\".\" [0-9]{1,9})? "
    "(\"Z\" | [+-] ([01] [0-9] | \"2\" [0-3]) \":\" [0-5] [0-9])\n"
    "hex ::= [0-9a-fA-F]\n"
    "uuid ::= hex{8} \"-\" hex{4} \"-\" hex{4} \"-\" hex{4} \"-\" hex{12}\n";

static sz_status unsupported(const char *what, const char *why) {
    return sz_fail(SZ_E_UNSUPPORTED, "JSON schema: %s %s", what, why);
}

static bool is_text(const sz_json *v, const char *text) {
    return v && v->type == SZ_JSON_STRING && strcmp(v->u.s, text) == 0;
}

/* ---- JSON and bytes as literals -------------------------------------------------------------- */

static void put_literal(sz_buf *out, const char *bytes, size_t n) {
    sz_buf_putc(out, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '"' || c == '\\')
            sz_buf_printf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7F)
            sz_buf_printf(out, "\\x%02X", c);
        else
            sz_buf_putc(out, (char)c);
    }
    sz_buf_puts(out, "\" ");
}

static void put_json(sz_buf *b, const sz_json *v) {
    switch (v->type) {
    case SZ_JSON_NULL:
        sz_buf_puts(b, "null");
        break;
    case SZ_JSON_TRUE:
        sz_buf_puts(b, "true");
        break;
    case SZ_JSON_FALSE:
        sz_buf_puts(b, "false");
        break;
    case SZ_JSON_INT:
        sz_buf_printf(b, "%lld", (long long)v->u.i);
        break;
    case SZ_JSON_FLOAT:
        sz_json_number(b, v->u.f);
        break;
    case SZ_JSON_STRING:
        sz_json_quote(b, v->u.s, v->n);
        break;
    default:
        sz_buf_putc(b, v->type == SZ_JSON_ARRAY ? '[' : '{');
        for (const sz_json *c = v->u.child; c; c = c->next) {
            if (v->type == SZ_JSON_OBJECT) {
                sz_json_quote(b, c->key, c->key_n);
                sz_buf_putc(b, ':');
            }
            put_json(b, c);
            sz_buf_puts(b, c->next ? "," : "");
        }
        sz_buf_putc(b, v->type == SZ_JSON_ARRAY ? ']' : '}');
    }
}

static void put_json_literal(writer *w, const sz_json *v) {
    sz_buf text = {0};
    put_json(&text, v);
    put_literal(w->out, text.data ? text.data : "", text.len);
    w->out->failed |= text.failed;
    sz_buf_free(&text);
}

/* ---- Schemas by number ----------------------------------------------------------------------- */

/* "s<i> " for a schema, which will be written if it was not met before. */
static sz_status put_schema(writer *w, const sz_json *schema) {
    size_t i = 0;
    while (i < w->n && w->met[i] != schema)
        i++;
    SZ_REQUIRE(i < MOST_SCHEMAS, SZ_E_LIMIT, "the JSON schema has more than %d parts",
               MOST_SCHEMAS);
    if (i == w->n)
        w->met[w->n++] = schema;
    sz_buf_printf(w->out, "s%zu ", i);
    return SZ_OK;
}

/* One step of a JSON pointer: ~1 is '/', ~0 is '~'. */
static const sz_json *pointer_step(const sz_json *at, const char *step, size_t n) {
    char key[256];
    size_t length = 0;
    for (size_t i = 0; i < n && length < sizeof key - 1; i++) {
        bool escape = step[i] == '~' && i + 1 < n;
        key[length++] = !escape ? step[i] : step[++i] == '1' ? '/' : '~';
    }
    key[length] = '\0';
    if (at->type == SZ_JSON_OBJECT)
        return sz_json_get(at, key);
    if (at->type != SZ_JSON_ARRAY)
        return NULL;
    const sz_json *c = at->u.child;
    for (unsigned long i = strtoul(key, NULL, 10); i > 0 && c; i--)
        c = c->next;
    return c;
}

static sz_status put_reference(writer *w, const sz_json *ref) {
    const sz_json *at = w->root;
    if (ref->type != SZ_JSON_STRING || ref->u.s[0] != '#')
        return unsupported("$ref", "must point into the document, as \"#/$defs/name\" does");
    for (const char *step = ref->u.s + 1; *step == '/' && at;) {
        size_t n = strcspn(step + 1, "/");
        at = pointer_step(at, step + 1, n);
        step += n + 1;
    }
    SZ_REQUIRE(at, SZ_E_FORMAT, "JSON schema: $ref %s points at nothing", ref->u.s);
    return put_schema(w, at);
}

/* ---- Kinds of values ------------------------------------------------------------------------- */

/* A whole number at `key`; `missing` if there is none. */
static sz_status whole(const sz_json *schema, const char *key, int64_t missing, int64_t *out) {
    const sz_json *v = sz_json_get(schema, key);
    *out = v ? v->u.i : missing;
    SZ_REQUIRE(!v || (v->type == SZ_JSON_INT && v->u.i >= 0 && v->u.i <= SZ_GRAMMAR_REPEATS),
               SZ_E_FORMAT, "JSON schema: %s is not a whole number up to %d", key,
               SZ_GRAMMAR_REPEATS);
    return SZ_OK;
}

static void put_bounds(sz_buf *b, int64_t least, int64_t most) {
    if (most < 0)
        sz_buf_printf(b, "{%lld,} ", (long long)least);
    else
        sz_buf_printf(b, "{%lld,%lld} ", (long long)least, (long long)most);
}

static sz_status put_string(writer *w, const sz_json *schema) {
    static const char *const formats[] = {"date", "time", "uuid"};
    const sz_json *pattern = sz_json_get(schema, "pattern"),
                  *format = sz_json_get(schema, "format");
    int64_t least, most;
    SZ_TRY(whole(schema, "minLength", 0, &least));
    SZ_TRY(whole(schema, "maxLength", -1, &most));
    sz_buf_puts(w->out, "\"\\\"\" ");
    if (pattern) {
        if (pattern->type != SZ_JSON_STRING || least > 0 || most >= 0)
            return unsupported("pattern",
                               "must be a text, and stand without minLength or maxLength");
        sz_buf_puts(w->out, "(");
        SZ_TRY(sz_regex_within_json(pattern->u.s, pattern->n, w->out));
        sz_buf_puts(w->out, ") ");
    } else if (is_text(format, "date-time")) {
        sz_buf_puts(w->out, "date \"T\" time ");
    } else {
        size_t i = 0;
        while (i < 3 && !is_text(format, formats[i]))
            i++;
        sz_buf_puts(w->out, i < 3 ? formats[i] : "char");
        if (i == 3)
            put_bounds(w->out, least, most);
        sz_buf_putc(w->out, ' ');
    }
    sz_buf_puts(w->out, "\"\\\"\" ");
    return SZ_OK;
}

/* A bound of a number; *out unchanged if there is none. exclusive: moved inwards by one. */
static sz_status bound(const sz_json *schema, const char *key, int64_t move, int64_t *out,
                       bool *given) {
    const sz_json *v = sz_json_get(schema, key);
    if (!v)
        return SZ_OK;
    SZ_REQUIRE(v->type == SZ_JSON_INT && v->u.i > -1000000000000000000 &&
                   v->u.i < 1000000000000000000,
               SZ_E_UNSUPPORTED, "JSON schema: %s must be a whole number of at most %d digits", key,
               MOST_DIGITS);
    *out = v->u.i + move;
    *given = true;
    return SZ_OK;
}

static sz_status put_integer(writer *w, const sz_json *schema) {
    int64_t limit = 999999999999999999, least = -limit, most = limit;
    bool given = false;
    SZ_TRY(bound(schema, "minimum", 0, &least, &given));
    SZ_TRY(bound(schema, "exclusiveMinimum", 1, &least, &given));
    SZ_TRY(bound(schema, "maximum", 0, &most, &given));
    SZ_TRY(bound(schema, "exclusiveMaximum", -1, &most, &given));
    SZ_REQUIRE(least <= most, SZ_E_FORMAT, "JSON schema: no integer lies between the bounds");
    if (!given) {
        sz_buf_puts(w->out, "integer ");
        return SZ_OK;
    }
    const char *bar = "";
    sz_buf_puts(w->out, "(");
    if (least < 0) {
        sz_buf_puts(w->out, "\"-\" (");
        sz_digits_between((uint64_t)(most < 0 ? -most : 1), (uint64_t)-least, w->out);
        sz_buf_puts(w->out, ") ");
        bar = "| ";
    }
    if (most >= 0) {
        sz_buf_puts(w->out, bar);
        sz_digits_between((uint64_t)(least > 0 ? least : 0), (uint64_t)most, w->out);
    }
    sz_buf_puts(w->out, ") ");
    return SZ_OK;
}

static sz_status put_number(writer *w, const sz_json *schema) {
    static const char *const bounds[] = {"minimum", "maximum", "exclusiveMinimum",
                                         "exclusiveMaximum"};
    for (size_t i = 0; i < 4; i++)
        if (sz_json_get(schema, bounds[i]))
            return unsupported(bounds[i], "is supported for integers only");
    sz_buf_puts(w->out, "number ");
    return SZ_OK;
}

/* prefixItems first, then items, within minItems and maxItems. */
static sz_status put_array(writer *w, const sz_json *schema) {
    const sz_json *items = sz_json_get(schema, "items"),
                  *prefix = sz_json_get(schema, "prefixItems");
    int64_t least, most, fixed = prefix ? prefix->n : 0;
    SZ_TRY(whole(schema, "minItems", fixed, &least));
    SZ_TRY(whole(schema, "maxItems", -1, &most));
    bool more = !(items && items->type == SZ_JSON_FALSE) && (items || !prefix);
    if ((least < fixed) || (most >= 0 && (most < least || most < fixed)))
        return unsupported("minItems, maxItems", "must leave room for each other and prefixItems");
    sz_buf_puts(w->out, "\"[\" ws ");
    for (const sz_json *p = prefix ? prefix->u.child : NULL; p; p = p->next) {
        SZ_TRY(put_schema(w, p));
        sz_buf_puts(w->out, p->next ? "\",\" ws " : "");
    }
    if (more && (most < 0 || most > fixed)) {
        bool first = fixed == 0; /* the first item has no comma before it */
        sz_buf_puts(w->out, first ? least == 0 ? "(" : "" : "(\",\" ws ");
        if (items)
            SZ_TRY(put_schema(w, items));
        else
            sz_buf_puts(w->out, "value ");
        if (first) {
            sz_buf_puts(w->out, "(\",\" ws ");
            if (items)
                SZ_TRY(put_schema(w, items));
            else
                sz_buf_puts(w->out, "value ");
        }
        int64_t before = fixed + first;
        sz_buf_puts(w->out, ")");
        put_bounds(w->out, least > before ? least - before : 0, most < 0 ? -1 : most - before);
        sz_buf_puts(w->out, first && least == 0 ? ")? " : "");
    } else if (least > fixed) {
        return unsupported("minItems", "asks for more items than there can be");
    }
    sz_buf_puts(w->out, "\"]\" ");
    return SZ_OK;
}

static bool is_required(const sz_json *required, const sz_json *property) {
    for (const sz_json *r = required ? required->u.child : NULL; r; r = r->next)
        if (r->type == SZ_JSON_STRING && r->n == property->key_n &&
            memcmp(r->u.s, property->key, r->n) == 0)
            return true;
    return false;
}

static sz_status put_property(writer *w, const sz_json *p) {
    sz_buf key = {0};
    sz_json_quote(&key, p->key, p->key_n);
    put_literal(w->out, key.data ? key.data : "", key.len);
    w->out->failed |= key.failed;
    sz_buf_free(&key);
    sz_buf_puts(w->out, "ws \":\" ws ");
    return put_schema(w, p);
}

/* Further pairs of any name: what additionalProperties allows. */
static sz_status put_further(writer *w, const sz_json *extra) {
    sz_buf_puts(w->out, "string ws \":\" ws ");
    if (extra->type == SZ_JSON_OBJECT)
        return put_schema(w, extra);
    sz_buf_puts(w->out, "value ");
    return SZ_OK;
}

/* Rules o<i>f<k> and o<i>r<k>: properties from the k-th on where none stands before, or some do. */
static sz_status put_properties(writer *w, size_t i, const sz_json *properties,
                                const sz_json *required, const sz_json *extra) {
    size_t k = 0;
    const sz_json *p = properties ? properties->u.child : NULL;
    for (;; p = p->next, k++) {
        for (int some = 0; some < 2; some++) {
            sz_buf_printf(w->out, "o%zu%c%zu ::= ", i, some ? 'r' : 'f', k);
            if (!p && extra) {
                sz_buf_puts(w->out, some ? "(\",\" ws " : "(");
                SZ_TRY(put_further(w, extra));
                if (!some) {
                    sz_buf_puts(w->out, "(\",\" ws ");
                    SZ_TRY(put_further(w, extra));
                }
                sz_buf_puts(w->out, some ? ")*" : ")*)?");
            } else if (p) {
                sz_buf_puts(w->out, some ? "\",\" ws " : "");
                SZ_TRY(put_property(w, p));
                sz_buf_printf(w->out, "o%zur%zu ", i, k + 1);
                if (!is_required(required, p))
                    sz_buf_printf(w->out, "| o%zu%c%zu", i, some ? 'r' : 'f', k + 1);
            } else {
                sz_buf_puts(w->out, "\"\"");
            }
            sz_buf_putc(w->out, '\n');
        }
        if (!p)
            return SZ_OK;
    }
}

/* ---- A schema -------------------------------------------------------------------------------- */

static sz_status put_ways(writer *w, const sz_json *ways, bool literal) {
    SZ_REQUIRE(ways->type == SZ_JSON_ARRAY && ways->n > 0, SZ_E_FORMAT,
               "JSON schema: %s is not an array with something in it",
               ways->key ? ways->key : "it");
    for (const sz_json *c = ways->u.child; c; c = c->next) {
        if (literal)
            put_json_literal(w, c);
        else
            SZ_TRY(put_schema(w, c));
        sz_buf_puts(w->out, c->next ? "| " : "");
    }
    return SZ_OK;
}

/* Keywords that bind and are not understood, by any name. */
static sz_status refuse_unknown(const sz_json *schema) {
    static const char *const binding[] = {"not",
                                          "if",
                                          "then",
                                          "else",
                                          "patternProperties",
                                          "propertyNames",
                                          "contains",
                                          "uniqueItems",
                                          "multipleOf",
                                          "dependentRequired",
                                          "dependentSchemas",
                                          "minProperties",
                                          "maxProperties",
                                          "unevaluatedProperties",
                                          "$dynamicRef"};
    for (size_t i = 0; i < sizeof binding / sizeof *binding; i++) {
        const sz_json *v = sz_json_get(schema, binding[i]);
        if (v && v->type != SZ_JSON_FALSE)
            return unsupported(binding[i], "is not supported");
    }
    return SZ_OK;
}

static sz_status put_type(writer *w, size_t i, const sz_json *schema, const char *type) {
    const sz_json *properties = sz_json_get(schema, "properties");
    if (strcmp(type, "string") == 0)
        return put_string(w, schema);
    if (strcmp(type, "integer") == 0)
        return put_integer(w, schema);
    if (strcmp(type, "number") == 0)
        return put_number(w, schema);
    if (strcmp(type, "array") == 0)
        return put_array(w, schema);
    if (strcmp(type, "object") == 0) {
        if (properties || sz_json_get(schema, "additionalProperties"))
            sz_buf_printf(w->out, "\"{\" ws o%zuf0 \"}\" ", i);
        else
            sz_buf_puts(w->out, "object ");
        return SZ_OK;
    }
    SZ_REQUIRE(strcmp(type, "boolean") == 0 || strcmp(type, "null") == 0, SZ_E_FORMAT,
               "JSON schema: there is no type \"%s\"", type);
    sz_buf_printf(w->out, "%s ", type);
    return SZ_OK;
}

static sz_status put_types(writer *w, size_t i, const sz_json *schema, const sz_json *type) {
    const sz_json *first = type->type == SZ_JSON_ARRAY ? type->u.child : type;
    SZ_REQUIRE(first, SZ_E_FORMAT, "JSON schema: type is an empty array");
    for (const sz_json *t = first; t; t = type->type == SZ_JSON_ARRAY ? t->next : NULL) {
        SZ_REQUIRE(t->type == SZ_JSON_STRING, SZ_E_FORMAT, "JSON schema: a type is not a text");
        SZ_TRY(put_type(w, i, schema, t->u.s));
        sz_buf_puts(w->out, type->type == SZ_JSON_ARRAY && t->next ? "| " : "");
    }
    return SZ_OK;
}

static sz_status put_body(writer *w, size_t i, const sz_json *schema) {
    const sz_json *v;
    if (schema->type == SZ_JSON_TRUE || (schema->type == SZ_JSON_OBJECT && schema->n == 0)) {
        sz_buf_puts(w->out, "value ");
        return SZ_OK;
    }
    SZ_REQUIRE(schema->type == SZ_JSON_OBJECT, SZ_E_FORMAT,
               "JSON schema: a part is neither an object nor true");
    SZ_TRY(refuse_unknown(schema));
    if ((v = sz_json_get(schema, "$ref")))
        return put_reference(w, v);
    if ((v = sz_json_get(schema, "const"))) {
        put_json_literal(w, v);
        return SZ_OK;
    }
    if ((v = sz_json_get(schema, "enum")))
        return put_ways(w, v, true);
    if ((v = sz_json_get(schema, "anyOf")) || (v = sz_json_get(schema, "oneOf")))
        return put_ways(w, v, false);
    if ((v = sz_json_get(schema, "allOf"))) {
        if (v->type != SZ_JSON_ARRAY || v->n != 1)
            return unsupported("allOf", "of more than one schema is not supported");
        return put_ways(w, v, false);
    }
    if ((v = sz_json_get(schema, "type")))
        return put_types(w, i, schema, v);
    if (sz_json_get(schema, "properties") || sz_json_get(schema, "additionalProperties"))
        return put_type(w, i, schema, "object");
    if (sz_json_get(schema, "items") || sz_json_get(schema, "prefixItems"))
        return put_type(w, i, schema, "array");
    sz_buf_puts(w->out, "value ");
    return SZ_OK;
}

/* The rules that the body may have called for. */
static sz_status put_object_rules(writer *w, size_t i, const sz_json *schema) {
    const sz_json *properties = sz_json_get(schema, "properties");
    const sz_json *extra = sz_json_get(schema, "additionalProperties");
    if (!properties && !extra)
        return SZ_OK;
    SZ_REQUIRE(!properties || properties->type == SZ_JSON_OBJECT, SZ_E_FORMAT,
               "JSON schema: properties is not an object");
    return put_properties(w, i, properties, sz_json_get(schema, "required"),
                          extra && extra->type != SZ_JSON_FALSE ? extra : NULL);
}

static sz_status write_all(writer *w) {
    SZ_TRY(put_schema(w, w->root));
    sz_buf_puts(w->out, "\n");
    for (size_t i = 0; i < w->n; i++) { /* grows while it is written */
        sz_buf_printf(w->out, "s%zu ::= (", i);
        SZ_TRY(put_body(w, i, w->met[i]));
        sz_buf_puts(w->out, ") ws\n");
        SZ_TRY(put_object_rules(w, i, w->met[i]));
    }
    sz_buf_puts(w->out, common);
    SZ_REQUIRE(!w->out->failed, SZ_E_NOMEM, "no memory for the grammar of a JSON schema");
    return SZ_OK;
}

sz_status sz_grammar_schema_to_gbnf(const sz_json *schema, sz_buf *out) {
    writer *w = sz_calloc(1, sizeof *w);
    SZ_REQUIRE(w, SZ_E_NOMEM, "no memory for a JSON schema");
    w->root = schema;
    w->out = out;
    sz_buf_puts(out, "root ::= ");
    sz_status status = write_all(w);
    sz_free(w);
    return status;
}

sz_status sz_grammar_from_schema(const sz_json *schema, sz_grammar **out) {
    sz_buf b = {0};
    sz_status status = sz_grammar_schema_to_gbnf(schema, &b);
    if (status == SZ_OK)
        status = sz_grammar_parse(b.data, b.len, out);
    sz_buf_free(&b);
    return status;
}
