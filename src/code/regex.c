/* regex.c: regular expressions as a grammar of one rule. */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "code/grammar.h"

typedef struct reader {
    const char *text;
    size_t n, at;
    sz_buf *out;
    int depth;
    bool in_json; /* what it takes stands in a JSON string: no quotes, backslashes and controls */
} reader;

/* What a negated class leaves out besides. */
static void put_limits(const reader *r) {
    if (r->in_json)
        sz_buf_puts(r->out, "\"\\\\\\x00-\\x1F");
}

static sz_status fail_here(const reader *r, const char *what) {
    return sz_fail(SZ_E_FORMAT, "regular expression, byte %zu: %s", r->at + 1, what);
}

static int peek(const reader *r) {
    return r->at < r->n ? (unsigned char)r->text[r->at] : -1;
}
static bool take(reader *r, char c) {
    bool found = peek(r) == (unsigned char)c;
    r->at += found;
    return found;
}

/* A code point as GBNF writes it, in a literal or a class. */
static void put_code(sz_buf *b, uint32_t c) {
    bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ';
    if (plain)
        sz_buf_putc(b, (char)c);
    else
        sz_buf_printf(b, "\\U%08X", (unsigned)c);
}

/* \d, \w and \s within a class; false for other letters. */
static bool put_named(sz_buf *b, int c) {
    static const char *const named[] = {"d0-9", "wa-zA-Z0-9_", "s \\t\\n\\r"};
    for (size_t i = 0; i < 3; i++)
        if (named[i][0] == c) {
            sz_buf_puts(b, named[i] + 1);
            return true;
        }
    return false;
}

/* A character that stands for itself, after its backslash if it had one. */
static sz_status read_code(reader *r, bool escaped, uint32_t *c) {
    if (escaped) {
        static const char names[] = "nrtfv0", values[] = "\n\r\t\f\v\0";
        int e = peek(r);
        const char *found = e > 0 ? strchr(names, e) : NULL;
        if (e == 'x' || e == 'u') {
            int digits = e == 'x' ? 2 : 4, got = 0;
            for (*c = 0, r->at++; got < digits; got++, r->at++) {
                int h = peek(r), lower = h | 0x20;
                if (!((h >= '0' && h <= '9') || (lower >= 'a' && lower <= 'f')))
                    return fail_here(r, "hexadecimal digits must follow");
                *c = *c << 4 | (uint32_t)(h <= '9' ? h - '0' : lower - 'a' + 10);
            }
            return *c >= 0xD800 && *c <= 0xDFFF ? fail_here(r, "half of a surrogate pair") : SZ_OK;
        }
        if (found) {
            *c = (unsigned char)values[found - names];
            r->at++;
            return SZ_OK;
        }
        if ((e >= 'a' && e <= 'z') || (e >= 'A' && e <= 'Z') || (e >= '0' && e <= '9'))
            return fail_here(r, "this escape is not supported");
    }
    int length = r->at < r->n ? sz_utf8_decode(r->text + r->at, r->n - r->at, c) : 0;
    if (length == 0)
        return fail_here(r, r->at < r->n ? "not valid UTF-8" : "it ends too early");
    r->at += (size_t)length;
    return SZ_OK;
}

static sz_status read_class(reader *r) {
    sz_buf *b = r->out;
    bool negated = take(r, '^');
    sz_buf_puts(b, negated ? "[^" : "[");
    if (negated)
        put_limits(r);
    for (bool first = true; first || peek(r) != ']'; first = false) {
        bool escaped = take(r, '\\');
        uint32_t c;
        if (escaped && put_named(b, peek(r))) {
            r->at++;
            continue;
        }
        SZ_TRY(read_code(r, escaped, &c));
        put_code(b, c);
        if (peek(r) == '-' && r->at + 1 < r->n && r->text[r->at + 1] != ']') {
            r->at++;
            sz_buf_putc(b, '-');
            SZ_TRY(read_code(r, take(r, '\\'), &c));
            put_code(b, c);
        }
    }
    r->at++;
    sz_buf_puts(b, "]");
    return SZ_OK;
}

static sz_status read_choice(reader *r);

static sz_status read_group(reader *r) {
    SZ_REQUIRE(r->depth < SZ_GRAMMAR_DEPTH / 2, SZ_E_LIMIT, "groups are nested too deeply");
    if (take(r, '?') && !take(r, ':'))
        return fail_here(r, "look-around and named groups are not supported");
    r->depth++;
    sz_buf_puts(r->out, "(");
    SZ_TRY(read_choice(r));
    sz_buf_puts(r->out, ")");
    r->depth--;
    return take(r, ')') ? SZ_OK : fail_here(r, "')' must stand here");
}

static sz_status read_atom(reader *r) {
    uint32_t c;
    if (take(r, '('))
        return read_group(r);
    if (take(r, '['))
        return read_class(r);
    if (take(r, '.')) {
        sz_buf_puts(r->out, "[^\\n\\r");
        put_limits(r);
        sz_buf_puts(r->out, "]");
        return SZ_OK;
    }
    if (strchr("*+?{", peek(r)))
        return fail_here(r, "nothing stands before this repetition");
    bool escaped = take(r, '\\');
    int e = peek(r), lower = e | 0x20;
    if (escaped && (lower == 'd' || lower == 'w' || lower == 's')) {
        r->at++;
        sz_buf_puts(r->out, e == lower ? "[" : "[^");
        if (e != lower)
            put_limits(r);
        put_named(r->out, lower);
        sz_buf_puts(r->out, "]");
        return SZ_OK;
    }
    SZ_TRY(read_code(r, escaped, &c));
    sz_buf_puts(r->out, "\"");
    put_code(r->out, c);
    sz_buf_puts(r->out, "\"");
    return SZ_OK;
}

/* * + ? {m,n}, copied as they are; a lazy mark changes nothing in what is matched. */
static sz_status read_repetition(reader *r) {
    int c = peek(r);
    if (c == '{') {
        size_t from = r->at;
        while (peek(r) >= 0 && peek(r) != '}')
            r->at++;
        if (!take(r, '}'))
            return fail_here(r, "'}' must stand here");
        sz_buf_append(r->out, r->text + from, r->at - from);
    } else if (c == '*' || c == '+' || c == '?') {
        sz_buf_putc(r->out, (char)c);
        r->at++;
    } else {
        return SZ_OK;
    }
    take(r, '?');
    return SZ_OK;
}

static sz_status read_choice(reader *r) {
    for (;;) {
        int c = peek(r);
        if (c < 0 || c == ')')
            return SZ_OK;
        if (take(r, '|')) {
            sz_buf_puts(r->out, " | ");
            continue;
        }
        bool anchor = (c == '^' && r->at == 0) || (c == '$' && r->at + 1 == r->n);
        if (anchor) {
            r->at++;
            continue;
        }
        if (c == '^' || c == '$')
            return fail_here(r, "anchors are supported at the ends only");
        SZ_TRY(read_atom(r));
        SZ_TRY(read_repetition(r));
        sz_buf_putc(r->out, ' ');
    }
}

static sz_status convert(const char *regex, size_t n, bool in_json, sz_buf *out) {
    reader r = {.text = regex, .n = n, .out = out, .in_json = in_json};
    SZ_TRY(read_choice(&r));
    if (r.at < n)
        return fail_here(&r, "')' has no '('");
    SZ_REQUIRE(!out->failed, SZ_E_NOMEM, "no memory for a regular expression");
    return SZ_OK;
}

sz_status sz_grammar_regex_to_gbnf(const char *regex, size_t n, sz_buf *out) {
    return convert(regex, n, false, out);
}

sz_status sz_regex_within_json(const char *regex, size_t n, sz_buf *out) {
    return convert(regex, n, true, out);
}

sz_status sz_grammar_from_regex(const char *regex, size_t n, sz_grammar **out) {
    sz_buf b = {0};
    sz_buf_puts(&b, "root ::= ");
    sz_status status = sz_grammar_regex_to_gbnf(regex, n, &b);
    if (status == SZ_OK)
        status = sz_grammar_parse(b.data, b.len, out);
    sz_buf_free(&b);
    return status;
}
