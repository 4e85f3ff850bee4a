/* template_lexer.c: source text to tokens. Whitespace control follows jinja2 with trim_blocks and
 * lstrip_blocks: a newline after a block or comment belongs to it, blanks before it on its line
 * too, and '-' and '+' beside the delimiters override that. */
#include <stdlib.h>

#include "base/utf8.h"
#include "model/template_tree.h"

enum { IN_DATA, IN_BLOCK, IN_VARIABLE, IN_RAW };

void sz_texplain_at(sz_status status, uint32_t line, const char *format, ...) {
    va_list args;
    char text[512];
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sz_fail(status, "template line %u: %s", line, text);
}

sz_status sz_tlexer_init(sz_tlexer *l, const char *s, size_t n, sz_arena *arena) {
    char *copy = sz_arena_alloc_small(arena, n + 1);
    SZ_REQUIRE(copy, SZ_E_NOMEM, "no memory for a template of %zu bytes", n);
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        bool crlf = s[i] == '\r' && i + 1 < n && s[i + 1] == '\n';
        if (!crlf)
            copy[used++] = s[i] == '\r' ? '\n' : s[i];
    }
    if (used > 0 && copy[used - 1] == '\n')
        used--;
    copy[used] = '\0';
    *l = (sz_tlexer){.s = copy, .n = used, .arena = arena, .line = 1, .line_starts = true};
    size_t valid = sz_utf8_valid(copy, used);
    if (valid < used) {
        for (size_t i = 0; i < valid; i++)
            l->line += copy[i] == '\n';
        return SZ_FAIL_AT(SZ_E_FORMAT, l->line, "the text is not valid UTF-8");
    }
    return SZ_OK;
}

static uint32_t line_at(sz_tlexer *l, size_t at) {
    for (; l->counted < at; l->counted++)
        l->line += l->s[l->counted] == '\n';
    return l->line;
}

static bool looking_at(const sz_tlexer *l, size_t at, const char *word) {
    size_t n = strlen(word);
    return l->n - at >= n && memcmp(l->s + at, word, n) == 0;
}

static char sign_at(const sz_tlexer *l, size_t at) {
    return at < l->n && (l->s[at] == '-' || l->s[at] == '+') ? l->s[at] : '\0';
}

static size_t skip_space(const sz_tlexer *l, size_t at) {
    while (at < l->n) {
        size_t next = at;
        if (!sz_text_is_space(sz_text_next(l->s, l->n, &next)))
            break;
        at = next;
    }
    return at;
}

/* ---- Delimiters ----------------------------------------------------------------------------- */

/* Behind the closing delimiter at `at` (the sign included), and what whitespace it takes along; 0
 * if there is none. A variable trims nothing by itself and knows no '+'. */
static size_t after_close(const sz_tlexer *l, size_t at, const char *close, bool is_variable) {
    char sign = sign_at(l, at);
    if (sign == '+' && is_variable)
        return 0;
    if (!looking_at(l, at + (sign != '\0'), close))
        return 0;
    at += strlen(close) + (sign != '\0');
    if (sign == '-')
        return skip_space(l, at);
    return at + (sign == '\0' && !is_variable && looking_at(l, at, "\n"));
}

static void move_behind(sz_tlexer *l, size_t at) {
    l->at = at;
    l->line_starts = l->s[at - 1] == '\n';
}

/* "{% raw %}" or "{% endraw %}" at `at`: where it ends; 0 if it is not there. */
static size_t after_raw_tag(const sz_tlexer *l, size_t at, const char *word) {
    bool begin = word[0] == 'r';
    at += 2;
    at += sign_at(l, at) != '\0';
    at = skip_space(l, at);
    if (!looking_at(l, at, word))
        return 0;
    at = skip_space(l, at + strlen(word));
    size_t end = after_close(l, at, "%}", false);
    if (!end || !begin)
        return end;
    if (sign_at(l, at) == '+')
        return 0;
    return sign_at(l, at) ? end : at + 2; /* a newline after {% raw %} stays */
}

/* Where the text s[from..to) before a tag ends once the tag's whitespace control is applied. */
static size_t trimmed_end(const sz_tlexer *l, size_t from, size_t to, bool is_variable) {
    char sign = sign_at(l, to + 2);
    if (sign == '-') {
        sz_tv kept = sz_text_strip(sz_tv_text(l->s + from, to - from), NULL, false, true);
        return from + kept.n;
    }
    if (sign == '+' || is_variable)
        return to;
    size_t line = to;
    while (line > from && l->s[line - 1] != '\n')
        line--;
    bool at_start = line > from || l->line_starts;
    return at_start && skip_space(l, line) >= to ? line : to;
}

/* ---- Outside of tags ------------------------------------------------------------------------ */

static size_t find_tag(const sz_tlexer *l, size_t at) {
    for (; at < l->n; at++) {
        const char *brace = memchr(l->s + at, '{', l->n - at);
        if (!brace)
            return l->n;
        at = (size_t)(brace - l->s);
        if (at + 1 < l->n && strchr("%{#", l->s[at + 1]) && l->s[at + 1])
            return at;
    }
    return l->n;
}

static void emit_data(const sz_tlexer *l, size_t from, size_t to, sz_ttoken *out) {
    out->kind = SZ_TOK_DATA;
    out->s = l->s + from;
    out->n = to - from;
}

static sz_status skip_comment(sz_tlexer *l) {
    uint32_t line = line_at(l, l->at);
    size_t from = l->at + 2;
    from += sign_at(l, from) != '\0';
    const char *close = from < l->n ? memmem(l->s + from, l->n - from, "#}", 2) : NULL;
    if (!close)
        return SZ_FAIL_AT(SZ_E_FORMAT, line, "the comment does not end");
    size_t at = (size_t)(close - l->s);
    at -= at > from && sign_at(l, at - 1);
    move_behind(l, after_close(l, at, "#}", false));
    return SZ_OK;
}

static sz_status next_raw(sz_tlexer *l, sz_ttoken *out) {
    for (size_t at = l->at;; at++) {
        at = find_tag(l, at);
        if (at == l->n)
            return SZ_FAIL_AT(SZ_E_FORMAT, line_at(l, l->at), "the raw block does not end");
        size_t end = l->s[at + 1] == '%' ? after_raw_tag(l, at, "endraw") : 0;
        if (!end)
            continue;
        emit_data(l, l->at, trimmed_end(l, l->at, at, false), out);
        move_behind(l, end);
        l->mode = IN_DATA;
        return SZ_OK;
    }
}

/* The tag at l->at: *out is its token, or nothing where a comment was skipped. */
static sz_status open_tag(sz_tlexer *l, sz_ttoken *out) {
    size_t raw = l->s[l->at + 1] == '%' ? after_raw_tag(l, l->at, "raw") : 0;
    if (raw) {
        move_behind(l, raw);
        l->mode = IN_RAW;
        return next_raw(l, out);
    }
    if (l->s[l->at + 1] == '#')
        return skip_comment(l);
    bool is_variable = l->s[l->at + 1] == '{';
    out->kind = is_variable ? SZ_TOK_VARIABLE : SZ_TOK_BLOCK;
    out->line = line_at(l, l->at);
    out->s = l->s + l->at;
    out->n = 2;
    l->mode = is_variable ? IN_VARIABLE : IN_BLOCK;
    l->at += 2;
    l->at += sign_at(l, l->at) != '\0';
    return SZ_OK;
}

static sz_status next_data(sz_tlexer *l, sz_ttoken *out) {
    while (l->at < l->n && out->kind == SZ_TOK_END) {
        size_t tag = find_tag(l, l->at);
        size_t end = tag < l->n ? trimmed_end(l, l->at, tag, l->s[tag + 1] == '{') : tag;
        if (end > l->at)
            emit_data(l, l->at, end, out);
        l->at = tag;
        l->line_starts = l->line_starts && out->kind == SZ_TOK_END;
        if (out->kind == SZ_TOK_END)
            SZ_TRY(open_tag(l, out));
    }
    return SZ_OK;
}

/* ---- Inside of tags ------------------------------------------------------------------------- */

static bool is_digit(int c) {
    return c >= '0' && c <= '9';
}

static bool is_name_byte(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c) || c >= 0x80;
}

static int byte_at(const sz_tlexer *l, size_t at) {
    return at < l->n ? (unsigned char)l->s[at] : -1;
}

static int digit_value(int c) {
    int lower = c | 0x20;
    return is_digit(c) ? c - '0' : lower >= 'a' && lower <= 'z' ? lower - 'a' + 10 : 99;
}

/* Digits of the base, '_' between them; the end of them. */
static size_t skip_digits(const sz_tlexer *l, size_t at, int base) {
    while (digit_value(byte_at(l, at)) < base ||
           (byte_at(l, at) == '_' && digit_value(byte_at(l, at + 1)) < base))
        at++;
    return at;
}

static sz_status read_integer(sz_tlexer *l, size_t from, size_t to, int base, sz_ttoken *out) {
    int64_t v = 0;
    for (size_t i = from; i < to; i++) {
        if (l->s[i] == '_')
            continue;
        if (__builtin_mul_overflow(v, base, &v) ||
            __builtin_add_overflow(v, digit_value(l->s[i]), &v))
            return SZ_FAIL_AT(SZ_E_LIMIT, out->line, "the integer is beyond 64 bits");
    }
    out->value = sz_tv_int(v);
    return SZ_OK;
}

static sz_status read_float(sz_tlexer *l, size_t from, size_t to, sz_ttoken *out) {
    double f;
    if (!sz_text_to_double(l->s + from, to - from, &f))
        return SZ_FAIL_AT(SZ_E_LIMIT, out->line, "the number is too long");
    out->value = sz_tv_float(f);
    return SZ_OK;
}

static sz_status next_number(sz_tlexer *l, sz_ttoken *out) {
    size_t from = l->at, prefix = 0;
    int base = 10, mark = byte_at(l, from + 1) | 0x20;
    out->kind = SZ_TOK_NUMBER;
    if (l->s[from] == '0' && (mark == 'x' || mark == 'o' || mark == 'b')) {
        base = mark == 'x' ? 16 : mark == 'o' ? 8 : 2;
        prefix = 2;
    }
    size_t end = skip_digits(l, from + prefix, base), whole = end;
    bool after_dot = from > 0 && l->s[from - 1] == '.'; /* a.0.1 holds no float */
    if (base == 10 && !after_dot) {
        if (byte_at(l, end) == '.' && is_digit(byte_at(l, end + 1)))
            end = skip_digits(l, end + 1, 10);
        size_t sign = end + 1;
        sign += sign_at(l, sign) != '\0';
        if ((byte_at(l, end) | 0x20) == 'e' && is_digit(byte_at(l, sign)))
            end = skip_digits(l, sign, 10);
    }
    l->at = end;
    out->n = end - from;
    return end > whole ? read_float(l, from, end, out)
                       : read_integer(l, from + prefix, end, base, out);
}

/* \ooo, \xhh, \uhhhh, \Uhhhhhhhh at s[*at], behind the backslash; false if it is none of them. */
static bool numeric_escape(const char *s, size_t n, size_t *at, uint32_t *cp) {
    int base = 16, most = s[*at] == 'x' ? 2 : s[*at] == 'u' ? 4 : s[*at] == 'U' ? 8 : 0, digits = 0;
    size_t i = *at + 1;
    if (s[*at] >= '0' && s[*at] <= '7') {
        base = 8;
        most = 3;
        i = *at;
    }
    *cp = 0;
    for (; digits < most && i < n && digit_value((unsigned char)s[i]) < base; digits++, i++)
        *cp = *cp * (uint32_t)base + (uint32_t)digit_value((unsigned char)s[i]);
    if (most == 0 || (base == 16 && digits < most))
        return false;
    *at = i;
    if (*cp > 0x10FFFF || (*cp >= 0xD800 && *cp <= 0xDFFF))
        *cp = 0xFFFD;
    return true;
}

/* As Python reads a literal: unknown escapes stay as they are written. */
static size_t unescape(const char *s, size_t n, char *out) {
    static const char names[] = "\\'\"abfnrtv\n", values[] = "\\'\"\a\b\f\n\r\t\v";
    size_t used = 0;
    for (size_t i = 0; i < n;) {
        if (s[i] != '\\' || i + 1 == n) {
            out[used++] = s[i++];
            continue;
        }
        uint32_t cp;
        const char *found = s[++i] ? strchr(names, s[i]) : NULL;
        if (found) {
            if (*found != '\n') /* an escaped newline is nothing */
                out[used++] = values[found - names];
            i++;
        } else if (numeric_escape(s, n, &i, &cp))
            used += (size_t)sz_utf8_encode(cp, out + used);
        else
            out[used++] = '\\';
    }
    return used;
}

static sz_status next_string(sz_tlexer *l, sz_ttoken *out) {
    char quote = l->s[l->at];
    size_t from = l->at + 1, to = from;
    bool escapes = false;
    while (to < l->n && l->s[to] != quote) {
        escapes |= l->s[to] == '\\';
        to += l->s[to] == '\\' ? 2 : 1;
    }
    if (to >= l->n)
        return SZ_FAIL_AT(SZ_E_FORMAT, out->line, "the string does not end");
    out->kind = SZ_TOK_STRING;
    out->n = to + 1 - l->at;
    l->at = to + 1;
    out->value = sz_tv_text(l->s + from, to - from);
    if (!escapes)
        return SZ_OK;
    char *text = sz_arena_alloc_small(l->arena, to - from + 4);
    if (!text)
        return SZ_FAIL_AT(SZ_E_LIMIT, out->line, "the template needs too much memory");
    out->value = sz_tv_text(text, unescape(l->s + from, to - from, text));
    return SZ_OK;
}

static sz_status match_bracket(sz_tlexer *l, char c, uint32_t line) {
    static const char opening[] = "([{", closing[] = ")]}";
    const char *found = strchr(opening, c);
    if (found) {
        if (l->n_open == SZ_T_MAX_NESTING)
            return SZ_FAIL_AT(SZ_E_LIMIT, line, "brackets nested deeper than %d", SZ_T_MAX_NESTING);
        l->open[l->n_open++] = closing[found - opening];
    } else if (strchr(closing, c)) {
        if (l->n_open == 0)
            return SZ_FAIL_AT(SZ_E_FORMAT, line, "unexpected '%c'", c);
        if (l->open[--l->n_open] != c)
            return SZ_FAIL_AT(SZ_E_FORMAT, line, "unexpected '%c', expected '%c'", c,
                              l->open[l->n_open]);
    }
    return SZ_OK;
}

static sz_status next_operator(sz_tlexer *l, sz_ttoken *out) {
    static const char two[][3] = {"==", "!=", ">=", "<=", "//", "**"};
    char c = l->s[l->at];
    out->kind = SZ_TOK_OP;
    out->n = 1;
    for (size_t i = 0; i < sizeof two / sizeof *two; i++)
        out->n += looking_at(l, l->at, two[i]);
    if (out->n == 1 && (!c || !strchr("+-/*%~[](){}><=.:|,;", c)))
        return SZ_FAIL_AT(SZ_E_FORMAT, out->line, "unexpected character '%c'",
                          c >= ' ' && c < 127 ? c : '?');
    out->op = (uint16_t)(out->n == 2 ? SZ_OP(c, l->s[l->at + 1]) : c);
    l->at += out->n;
    return out->n == 1 ? match_bracket(l, c, out->line) : SZ_OK;
}

static sz_status next_in_tag(sz_tlexer *l, sz_ttoken *out) {
    bool is_variable = l->mode == IN_VARIABLE;
    l->at = skip_space(l, l->at);
    out->line = line_at(l, l->at);
    out->s = l->s + l->at;
    size_t end = l->n_open ? 0 : after_close(l, l->at, is_variable ? "}}" : "%}", is_variable);
    if (end) {
        out->kind = is_variable ? SZ_TOK_VARIABLE_END : SZ_TOK_BLOCK_END;
        out->n = 2;
        move_behind(l, end);
        l->mode = IN_DATA;
        return SZ_OK;
    }
    int c = byte_at(l, l->at);
    if (c < 0)
        return SZ_OK;
    if (is_digit(c))
        return next_number(l, out);
    if (c == '"' || c == '\'')
        return next_string(l, out);
    if (!is_name_byte(c))
        return next_operator(l, out);
    out->kind = SZ_TOK_NAME;
    while (is_name_byte(byte_at(l, l->at + out->n)))
        out->n++;
    l->at += out->n;
    return SZ_OK;
}

sz_status sz_tlexer_next(sz_tlexer *l, sz_ttoken *out) {
    *out = (sz_ttoken){.kind = SZ_TOK_END, .line = line_at(l, l->at)};
    return l->mode == IN_DATA ? next_data(l, out) : next_in_tag(l, out);
}
