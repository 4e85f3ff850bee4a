/* gbnf.c: reads grammars in GBNF. */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "code/grammar.h"

typedef struct parser {
    const char *text;
    size_t n, at;
    sz_arena *arena;
    sz_rule *rules; /* [SZ_GRAMMAR_RULES] */
    size_t n_rules;
    int depth;
} parser;

static sz_status fail_here(const parser *p, const char *what) {
    size_t line = 1, column = 1;
    for (size_t i = 0; i < p->at && i < p->n; i++) {
        bool newline = p->text[i] == '\n';
        line += newline;
        column = newline ? 1 : column + 1;
    }
    return sz_fail(SZ_E_FORMAT, "grammar line %zu, column %zu: %s", line, column, what);
}

static sz_status no_memory(void) {
    return sz_fail(SZ_E_NOMEM, "no memory for a grammar");
}

static int peek(const parser *p) {
    return p->at < p->n ? (unsigned char)p->text[p->at] : -1;
}
static bool take(parser *p, char c) {
    bool found = peek(p) == (unsigned char)c;
    p->at += found;
    return found;
}

/* Blanks and comments; line ends only where `lines`. */
static void skip(parser *p, bool lines) {
    for (;;) {
        int c = peek(p);
        if (c == '#')
            while (p->at < p->n && p->text[p->at] != '\n')
                p->at++;
        else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r')))
            p->at++;
        else
            return;
    }
}

static bool name_byte(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/* The rule of that name, entered if it is new. */
static sz_status find_rule(parser *p, uint32_t *out) {
    size_t from = p->at;
    while (name_byte(peek(p)))
        p->at++;
    size_t n = p->at - from;
    if (n == 0)
        return fail_here(p, "a rule's name must stand here");
    for (uint32_t i = 0; i < p->n_rules; i++)
        if (p->rules[i].n_name == n && memcmp(p->rules[i].name, p->text + from, n) == 0) {
            *out = i;
            return SZ_OK;
        }
    SZ_REQUIRE(p->n_rules < SZ_GRAMMAR_RULES, SZ_E_LIMIT, "more than %d rules", SZ_GRAMMAR_RULES);
    p->rules[p->n_rules] = (sz_rule){.name = p->text + from, .n_name = n};
    *out = (uint32_t)p->n_rules++;
    return SZ_OK;
}

static sz_status new_expr(parser *p, sz_expr_kind kind, sz_expr **out) {
    *out = sz_arena_alloc_small(p->arena, sizeof **out);
    if (!*out)
        return no_memory();
    **out = (sz_expr){.kind = kind};
    return SZ_OK;
}

/* ---- Characters ------------------------------------------------------------------------------ */

static sz_status read_hex(parser *p, int digits, uint32_t *out) {
    *out = 0;
    for (int i = 0; i < digits; i++) {
        int c = peek(p), lower = c | 0x20;
        if (!((c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'f')))
            return fail_here(p, "hexadecimal digits must follow the escape");
        *out = *out << 4 | (uint32_t)(c <= '9' ? c - '0' : lower - 'a' + 10);
        p->at++;
    }
    return SZ_OK;
}

/* One code point, escaped or not. */
static sz_status read_character(parser *p, uint32_t *out) {
    if (take(p, '\\')) {
        static const char names[] = "nrt\\\"[]-^/'", values[] = "\n\r\t\\\"[]-^/'";
        int c = peek(p);
        const char *found = c > 0 ? strchr(names, c) : NULL;
        if (c == 'x' || c == 'u' || c == 'U') {
            p->at++;
            SZ_TRY(read_hex(p, c == 'x' ? 2 : c == 'u' ? 4 : 8, out));
            if (*out > 0x10FFFF || (*out >= 0xD800 && *out <= 0xDFFF))
                return fail_here(p, "the escape is no character");
            return SZ_OK;
        }
        if (!found)
            return fail_here(p, "unknown escape");
        *out = (unsigned char)values[found - names];
        p->at++;
        return SZ_OK;
    }
    int length = p->at < p->n ? sz_utf8_decode(p->text + p->at, p->n - p->at, out) : 0;
    if (length == 0)
        return fail_here(p, p->at < p->n ? "not valid UTF-8" : "the grammar ends too early");
    p->at += (size_t)length;
    return SZ_OK;
}

static sz_status read_literal(parser *p, sz_expr **out) {
    sz_buf bytes = {0};
    sz_status status = SZ_OK;
    while (status == SZ_OK && !take(p, '"')) {
        uint32_t c;
        char encoded[4];
        if (peek(p) == '\n')
            status = fail_here(p, "the literal does not end on its line");
        else
            status = read_character(p, &c);
        if (status == SZ_OK)
            sz_buf_append(&bytes, encoded, (size_t)sz_utf8_encode(c, encoded));
    }
    if (status == SZ_OK)
        status = bytes.failed ? no_memory() : new_expr(p, SZ_EXPR_BYTES, out);
    char *copy = status == SZ_OK ? sz_arena_alloc_small(p->arena, bytes.len + 1) : NULL;
    if (status == SZ_OK && !copy)
        status = no_memory();
    if (status == SZ_OK) {
        memcpy(copy, bytes.data ? bytes.data : "", bytes.len);
        (*out)->bytes = copy;
        (*out)->n = bytes.len;
    }
    sz_buf_free(&bytes);
    return status;
}

enum { CLASS_RANGES = 4096 };

static int by_start(const sz_code_range *a, const sz_code_range *b) {
    return (a->from > b->from) - (a->from < b->from);
}

/* The code points that are in none of the ranges. */
static size_t complement(sz_code_range *r, size_t n, sz_code_range *out) {
    for (size_t i = 1; i < n; i++) /* few: sorted by insertion */
        for (size_t j = i; j > 0 && by_start(&r[j - 1], &r[j]) > 0; j--) {
            sz_code_range t = r[j];
            r[j] = r[j - 1];
            r[j - 1] = t;
        }
    size_t kept = 0;
    uint32_t from = 0;
    for (size_t i = 0; i < n; i++) {
        if (r[i].from > from)
            out[kept++] = (sz_code_range){from, r[i].from - 1};
        from = r[i].to + 1 > from ? r[i].to + 1 : from;
    }
    if (from <= 0x10FFFF)
        out[kept++] = (sz_code_range){from, 0x10FFFF};
    return kept;
}

static sz_status make_class(parser *p, sz_code_range *ranges, size_t n, bool negated,
                            sz_expr **out) {
    SZ_TRY(new_expr(p, SZ_EXPR_CLASS, out));
    (*out)->ranges = sz_arena_alloc_small(p->arena, (n + 1) * sizeof *ranges);
    if (!(*out)->ranges)
        return no_memory();
    (*out)->n = n;
    if (negated)
        (*out)->n = complement(ranges, n, (*out)->ranges);
    else
        memcpy((*out)->ranges, ranges, n * sizeof *ranges);
    return SZ_OK;
}

static sz_status read_class(parser *p, sz_expr **out) {
    sz_code_range ranges[CLASS_RANGES];
    size_t n = 0;
    bool negated = take(p, '^');
    while (!take(p, ']')) {
        if (n == CLASS_RANGES)
            return fail_here(p, "too many ranges in one class");
        sz_code_range *r = &ranges[n++];
        SZ_TRY(read_character(p, &r->from));
        r->to = r->from;
        if (peek(p) == '-' && p->at + 1 < p->n && p->text[p->at + 1] != ']') {
            p->at++;
            SZ_TRY(read_character(p, &r->to));
            if (r->to < r->from)
                return fail_here(p, "the range runs backwards");
        }
    }
    return make_class(p, ranges, n, negated, out);
}

/* ---- Expressions ----------------------------------------------------------------------------- */

static sz_status read_choice(parser *p, bool in_group, sz_expr **out);

static sz_status read_primary(parser *p, sz_expr **out) {
    if (take(p, '"'))
        return read_literal(p, out);
    if (take(p, '['))
        return read_class(p, out);
    if (take(p, '.')) {
        sz_code_range all = {0, 0x10FFFF};
        return make_class(p, &all, 1, false, out);
    }
    if (take(p, '(')) {
        SZ_REQUIRE(p->depth < SZ_GRAMMAR_DEPTH, SZ_E_LIMIT, "groups are nested deeper than %d",
                   SZ_GRAMMAR_DEPTH);
        p->depth++;
        SZ_TRY(read_choice(p, true, out));
        p->depth--;
        return take(p, ')') ? SZ_OK : fail_here(p, "')' must stand here");
    }
    SZ_TRY(new_expr(p, SZ_EXPR_RULE, out));
    return find_rule(p, &(*out)->rule);
}

static sz_status read_count(parser *p, uint32_t *out) {
    if (!(peek(p) >= '0' && peek(p) <= '9'))
        return fail_here(p, "a number must stand here");
    *out = 0;
    while (peek(p) >= '0' && peek(p) <= '9') {
        *out = *out * 10 + (uint32_t)(p->text[p->at++] - '0');
        if (*out > SZ_GRAMMAR_REPEATS)
            return fail_here(p, "more than 4096 repetitions");
    }
    return SZ_OK;
}

/* What stands behind {: "m}", "m,}" or "m,n}". */
static sz_status read_bounds(parser *p, uint32_t *least, uint32_t *most) {
    skip(p, false);
    SZ_TRY(read_count(p, least));
    *most = *least;
    skip(p, false);
    if (take(p, ',')) {
        skip(p, false);
        *most = UINT32_MAX;
        if (peek(p) != '}')
            SZ_TRY(read_count(p, most));
        skip(p, false);
    }
    if (!take(p, '}'))
        return fail_here(p, "'}' must stand here");
    return *most < *least ? fail_here(p, "the greater number must stand last") : SZ_OK;
}

static sz_status read_item(parser *p, sz_expr **out) {
    SZ_TRY(read_primary(p, out));
    for (;;) {
        uint32_t least = 0, most = UINT32_MAX;
        if (take(p, '+'))
            least = 1;
        else if (take(p, '?'))
            most = 1;
        else if (take(p, '{'))
            SZ_TRY(read_bounds(p, &least, &most));
        else if (!take(p, '*'))
            return SZ_OK;
        sz_expr *repeat;
        SZ_TRY(new_expr(p, SZ_EXPR_REPEAT, &repeat));
        repeat->child = *out;
        repeat->least = least;
        repeat->most = most;
        *out = repeat;
    }
}

/* Whether the next line begins a new rule: a name and "::=". */
static bool at_rule(const parser *p) {
    parser ahead = *p;
    while (name_byte(peek(&ahead)))
        ahead.at++;
    bool named = ahead.at > p->at;
    skip(&ahead, false);
    return named && ahead.n - ahead.at >= 3 && memcmp(ahead.text + ahead.at, "::=", 3) == 0;
}

static sz_status read_sequence(parser *p, bool in_group, sz_expr **out) {
    SZ_TRY(new_expr(p, SZ_EXPR_SEQUENCE, out));
    sz_expr **tail = &(*out)->child;
    for (;;) {
        skip(p, in_group);
        int c = peek(p);
        if (c < 0 || c == '|' || c == ')' || c == '\n' || c == '\r' || at_rule(p))
            return SZ_OK;
        SZ_TRY(read_item(p, tail));
        tail = &(*tail)->next;
    }
}

static sz_status read_choice(parser *p, bool in_group, sz_expr **out) {
    sz_expr *first;
    SZ_TRY(read_sequence(p, in_group, &first));
    *out = first;
    sz_expr *last = first;
    for (;;) {
        parser ahead = *p; /* a '|' may open the next line */
        skip(&ahead, true);
        if (peek(&ahead) != '|')
            return SZ_OK;
        p->at = ahead.at + 1;
        skip(p, true);
        if (*out == first) {
            SZ_TRY(new_expr(p, SZ_EXPR_CHOICE, out));
            (*out)->child = first;
        }
        SZ_TRY(read_sequence(p, in_group, &last->next));
        last = last->next;
    }
}

static sz_status read_rule(parser *p) {
    uint32_t rule;
    SZ_TRY(find_rule(p, &rule));
    skip(p, false);
    if (p->n - p->at < 3 || memcmp(p->text + p->at, "::=", 3) != 0)
        return fail_here(p, "'::=' must follow the rule's name");
    if (p->rules[rule].body)
        return fail_here(p, "this rule is there already");
    p->at += 3;
    skip(p, true);
    SZ_TRY(read_choice(p, false, &p->rules[rule].body));
    int c = peek(p);
    return c < 0 || c == '\n' || c == '\r' ? SZ_OK : fail_here(p, "the rule must end here");
}

static sz_status read_rules(parser *p, sz_grammar **out) {
    for (skip(p, true); p->at < p->n; skip(p, true))
        SZ_TRY(read_rule(p));
    uint32_t root = 0;
    while (root < p->n_rules &&
           !(p->rules[root].n_name == 4 && memcmp(p->rules[root].name, "root", 4) == 0))
        root++;
    SZ_REQUIRE(root < p->n_rules && p->rules[root].body, SZ_E_FORMAT,
               "the grammar has no rule 'root'");
    return sz_grammar_compile(p->rules, p->n_rules, root, out);
}

sz_status sz_grammar_parse(const char *gbnf, size_t n, sz_grammar **out) {
    parser p = {.text = gbnf, .n = n};
    SZ_REQUIRE(n <= 1 << 22, SZ_E_LIMIT, "a grammar of %zu bytes is too large", n);
    SZ_TRY(sz_arena_new(1 << 16, &p.arena));
    p.rules = sz_calloc(SZ_GRAMMAR_RULES, sizeof *p.rules);
    sz_status status = p.rules ? read_rules(&p, out) : no_memory();
    sz_free(p.rules);
    sz_arena_free(p.arena);
    return status;
}
