/* json.c: a parser for JSON texts that may be hostile, and two writers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/base.h>

#include "base/utf8.h"

enum { MAX_DEPTH = 128, MAX_NUMBER = 1 << 12 };

typedef struct parser {
    const char *text;
    size_t n, at;
    sz_arena *arena;
    int depth;
} parser;

/* ---- Errors and blanks ----------------------------------------------------------------------- */

static sz_status fail_at(const parser *p, size_t at, sz_status status, const char *what) {
    size_t line = 1, column = 1;
    for (size_t i = 0; i < at && i < p->n; i++) {
        bool newline = p->text[i] == '\n';
        line += newline;
        column = newline ? 1 : column + ((p->text[i] & 0xC0) != 0x80);
    }
    return sz_fail(status, "JSON line %zu, column %zu: %s", line, column, what);
}

static sz_status fail_here(const parser *p, const char *what) {
    return fail_at(p, p->at, SZ_E_FORMAT, p->at < p->n ? what : "the text ends too early");
}

static sz_status no_memory(const parser *p) {
    return fail_at(p, p->at, SZ_E_LIMIT, "the text needs more memory than its bound allows");
}

static int peek(const parser *p) {
    return p->at < p->n ? (unsigned char)p->text[p->at] : -1;
}

static void skip_blanks(parser *p) {
    for (int c = peek(p); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = peek(p))
        p->at++;
}

static bool take(parser *p, char c) {
    if (peek(p) != (unsigned char)c)
        return false;
    p->at++;
    return true;
}

/* ---- Strings --------------------------------------------------------------------------------- */

static int hex4(const char *s) {
    int v = 0;
    for (int i = 0; i < 4; i++) {
        int c = s[i], lower = c | 0x20;
        int digit = c >= '0' && c <= '9'           ? c - '0'
                    : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10
                                                   : -1;
        if (digit < 0)
            return -1;
        v = v << 4 | digit;
    }
    return v;
}

/* The number after "\u" at `at`; -1 if there is none. */
static int unit_at(const parser *p, size_t at) {
    return p->n - at >= 6 && p->text[at] == '\\' && p->text[at + 1] == 'u' ? hex4(p->text + at + 2)
                                                                           : -1;
}

/* \uXXXX or a pair of surrogates, appended at *out. */
static sz_status unescape_unit(parser *p, char **out) {
    int high = unit_at(p, p->at);
    if (high < 0)
        return fail_here(p, "\\u wants four hexadecimal digits");
    uint32_t cp = (uint32_t)high;
    size_t used = 6;
    if (cp >= 0xD800 && cp <= 0xDFFF) {
        int low = cp < 0xDC00 && p->n - p->at > 6 ? unit_at(p, p->at + 6) : -1;
        if (low < 0xDC00 || low > 0xDFFF)
            return fail_here(p, "half of a surrogate pair");
        cp = 0x10000 + ((cp - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
        used = 12;
    }
    p->at += used;
    *out += sz_utf8_encode(cp, *out);
    return SZ_OK;
}

static sz_status unescape(parser *p, char **out) {
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    int c = p->n - p->at >= 2 ? p->text[p->at + 1] : 0;
    if (c == 'u')
        return unescape_unit(p, out);
    const char *found = c ? strchr(names, c) : NULL;
    if (!found)
        return fail_here(p, "unknown escape after \\");
    *(*out)++ = values[found - names];
    p->at += 2;
    return SZ_OK;
}

/* Where the string whose first character is at p->at ends: its closing quote, or p->n. */
static size_t closing_quote(const parser *p) {
    size_t i = p->at;
    while (i < p->n && p->text[i] != '"')
        i += p->text[i] == '\\' ? 2 : 1;
    return i < p->n ? i : p->n;
}

/* A string literal at p->at, unescaped: never longer than it is written. */
static sz_status parse_string(parser *p, const char **s, uint32_t *n) {
    if (!take(p, '"'))
        return fail_here(p, "a string must begin here");
    size_t end = closing_quote(p);
    if (end - p->at > UINT32_MAX)
        return fail_here(p, "the string is too long");
    char *start = sz_arena_alloc_small(p->arena, end - p->at + 1), *out = start;
    if (!start)
        return no_memory(p);
    while (p->at < end) {
        unsigned char c = (unsigned char)p->text[p->at];
        uint32_t cp;
        if (c == '\\') {
            SZ_TRY(unescape(p, &out));
            continue;
        }
        if (c < 0x20)
            return fail_here(p, "control characters in strings must be escaped");
        int length = c < 0x80 ? 1 : sz_utf8_decode(p->text + p->at, end - p->at, &cp);
        if (length == 0)
            return fail_here(p, "the string is not valid UTF-8");
        for (int i = 0; i < length; i++)
            *out++ = p->text[p->at++];
    }
    if (!take(p, '"'))
        return fail_here(p, "the string does not end");
    *out = '\0';
    *s = start;
    *n = (uint32_t)(out - start);
    return SZ_OK;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static bool digits(parser *p) {
    size_t from = p->at;
    while (peek(p) >= '0' && peek(p) <= '9')
        p->at++;
    return p->at > from;
}

/* Correctly rounded. The text is handed on without its decimal point, which would be another one in
 * some locales: 1.25e3 as 125e1. */
static double to_double(const char *s, size_t n) {
    char text[MAX_NUMBER + 32];
    size_t used = 0, i = 0;
    int fraction = 0, exponent = 0;
    for (bool point = false; i < n && (s[i] | 0x20) != 'e'; i++) {
        point |= s[i] == '.';
        fraction += point && s[i] != '.';
        if (s[i] != '.')
            text[used++] = s[i];
    }
    bool below = i + 1 < n && s[i + 1] == '-';
    for (; i < n; i++)
        if (s[i] >= '0' && s[i] <= '9' && exponent < 1000000)
            exponent = exponent * 10 + (s[i] - '0');
    snprintf(text + used, sizeof text - used, "e%d", (below ? -exponent : exponent) - fraction);
    return strtod(text, NULL);
}

static sz_status parse_number(parser *p, sz_json *v) {
    size_t from = p->at;
    take(p, '-');
    if (!take(p, '0') && !digits(p))
        return fail_here(p, "a value must begin here");
    bool whole = true;
    if (take(p, '.')) {
        whole = false;
        if (!digits(p))
            return fail_here(p, "a digit must follow the decimal point");
    }
    if (peek(p) == 'e' || peek(p) == 'E') {
        whole = false;
        p->at++;
        if (!take(p, '+'))
            take(p, '-');
        if (!digits(p))
            return fail_here(p, "a digit must follow the exponent");
    }
    size_t n = p->at - from;
    if (n > MAX_NUMBER)
        return fail_at(p, from, SZ_E_FORMAT, "the number is too long");
    const char *s = p->text + from;
    int64_t i = 0;
    bool negative = s[0] == '-';
    for (size_t k = negative; k < n && whole; k++) /* counted downwards: reaches INT64_MIN */
        whole = !__builtin_mul_overflow(i, 10, &i) && !__builtin_sub_overflow(i, s[k] - '0', &i);
    whole = whole && (negative ? i != 0 : i != INT64_MIN); /* -0 is a float */
    v->type = whole ? SZ_JSON_INT : SZ_JSON_FLOAT;
    if (whole)
        v->u.i = negative ? i : -i;
    else
        v->u.f = to_double(s, n);
    if (!whole && v->u.f - v->u.f != 0.0)
        return fail_at(p, from, SZ_E_FORMAT, "the number is beyond the range of doubles");
    return SZ_OK;
}

/* ---- Values ---------------------------------------------------------------------------------- */

static sz_status parse_value(parser *p, sz_json **out);

static int by_key(const void *a, const void *b) {
    const sz_json *x = *(sz_json *const *)a, *y = *(sz_json *const *)b;
    uint32_t n = x->key_n < y->key_n ? x->key_n : y->key_n;
    int order = memcmp(x->key, y->key, n);
    return order ? order : (x->key_n > y->key_n) - (x->key_n < y->key_n);
}

/* Sorting finds equal keys without comparing every pair. */
static sz_status require_distinct_keys(const parser *p, const sz_json *object) {
    if (object->n < 2)
        return SZ_OK;
    sz_json **sorted = sz_alloc(object->n * sizeof *sorted);
    if (!sorted)
        return no_memory(p);
    uint32_t n = 0;
    for (sz_json *v = object->u.child; v; v = v->next)
        sorted[n++] = v;
    qsort(sorted, n, sizeof *sorted, by_key);
    sz_status status = SZ_OK;
    for (uint32_t i = 1; i < n && status == SZ_OK; i++) {
        char what[160];
        snprintf(what, sizeof what, "key \"%.80s\" stands twice in the object that ends here",
                 sorted[i]->key);
        if (by_key(&sorted[i - 1], &sorted[i]) == 0)
            status = fail_at(p, p->at - 1, SZ_E_FORMAT, what);
    }
    sz_free(sorted);
    return status;
}

static sz_status parse_member(parser *p, bool in_object, sz_json **out) {
    const char *key = NULL;
    uint32_t key_n = 0;
    if (in_object) {
        SZ_TRY(parse_string(p, &key, &key_n));
        skip_blanks(p);
        if (!take(p, ':'))
            return fail_here(p, "':' must follow the key");
        skip_blanks(p);
    }
    SZ_TRY(parse_value(p, out));
    (*out)->key = key;
    (*out)->key_n = key_n;
    return SZ_OK;
}

/* An array or object whose bracket is at p->at. */
static sz_status parse_children(parser *p, sz_json *v, char close) {
    bool in_object = close == '}';
    if (p->depth == MAX_DEPTH)
        return fail_at(p, p->at, SZ_E_LIMIT, "nested deeper than 128 levels");
    p->depth++;
    p->at++;
    v->type = in_object ? SZ_JSON_OBJECT : SZ_JSON_ARRAY;
    sz_json **tail = &v->u.child;
    skip_blanks(p);
    bool more = !take(p, close);
    while (more) {
        if (v->n == UINT32_MAX)
            return fail_here(p, "too many values");
        SZ_TRY(parse_member(p, in_object, tail));
        tail = &(*tail)->next;
        v->n++;
        skip_blanks(p);
        more = !take(p, close);
        if (more && !take(p, ','))
            return fail_here(p, in_object ? "',' or '}' must follow" : "',' or ']' must follow");
        skip_blanks(p);
    }
    p->depth--;
    return in_object ? require_distinct_keys(p, v) : SZ_OK;
}

static sz_status parse_word(parser *p, sz_json *v) {
    static const struct {
        const char *word;
        sz_json_type type;
    } words[] = {{"null", SZ_JSON_NULL}, {"true", SZ_JSON_TRUE}, {"false", SZ_JSON_FALSE}};
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(words[i].word);
        if (p->n - p->at >= n && memcmp(p->text + p->at, words[i].word, n) == 0) {
            p->at += n;
            v->type = words[i].type;
            return SZ_OK;
        }
    }
    return fail_here(p, "a value must begin here");
}

static sz_status parse_value(parser *p, sz_json **out) {
    sz_json *v = sz_arena_alloc_small(p->arena, sizeof *v);
    if (!v)
        return no_memory(p);
    *v = (sz_json){0};
    *out = v;
    switch (peek(p)) {
    case '{':
        return parse_children(p, v, '}');
    case '[':
        return parse_children(p, v, ']');
    case '"':
        v->type = SZ_JSON_STRING;
        return parse_string(p, &v->u.s, &v->n);
    case 'n':
    case 't':
    case 'f':
        return parse_word(p, v);
    default:
        return parse_number(p, v);
    }
}

sz_status sz_json_parse(const char *text, size_t n, sz_arena *arena, sz_json **out) {
    parser p = {.text = text, .n = n, .arena = arena};
    sz_json *v = NULL;
    skip_blanks(&p);
    SZ_TRY(parse_value(&p, &v));
    skip_blanks(&p);
    if (p.at < n)
        return fail_here(&p, "nothing may follow the value");
    *out = v;
    return SZ_OK;
}

const sz_json *sz_json_get(const sz_json *object, const char *key) {
    if (!object || object->type != SZ_JSON_OBJECT)
        return NULL;
    size_t n = strlen(key);
    const sz_json *v = object->u.child;
    while (v && !(v->key_n == n && memcmp(v->key, key, n) == 0))
        v = v->next;
    return v;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void quote_plain(sz_buf *b, const char *s, size_t n) {
    static const char special[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7F)
            continue;
        sz_buf_append(b, s + from, i - from);
        from = i + 1;
        const char *found = c ? strchr(special, c) : NULL;
        if (found)
            sz_buf_printf(b, "\\%c", names[found - special]);
        else
            sz_buf_printf(b, "\\u%04x", c);
    }
    sz_buf_append(b, s + from, n - from);
}

void sz_json_quote(sz_buf *b, const char *s, size_t n) {
    sz_buf clean = {0};
    bool valid = sz_utf8_valid(s, n) == n;
    if (!valid)
        sz_utf8_clean(s, n, &clean);
    b->failed |= clean.failed;
    sz_buf_putc(b, '"');
    quote_plain(b, valid ? s : clean.data, valid ? n : clean.len);
    sz_buf_putc(b, '"');
    sz_buf_free(&clean);
}

/* A positive number as digits d and exponent: d[0].d[1]d[2].. * 10^exponent. */
typedef struct decimal {
    char d[20];
    int n, exponent;
} decimal;

/* x > 0 rounded to n digits, whatever decimal point the process's locale has. */
static decimal round_decimal(double x, int n) {
    char text[64];
    decimal out = {.n = 0};
    snprintf(text, sizeof text, "%.*e", n - 1, x);
    const char *c = text;
    for (; *c != 'e'; c++)
        if (*c >= '0' && *c <= '9')
            out.d[out.n++] = *c;
    out.exponent = (int)strtol(c + 1, NULL, 10);
    return out;
}

static bool reads_as(const decimal *v, double x) {
    char text[64]; /* without a decimal point */
    snprintf(text, sizeof text, "%.*se%d", v->n, v->d, v->exponent - (v->n - 1));
    return strtod(text, NULL) == x;
}

/* The next larger decimal of as many digits, where the last digit is not 9. */
static bool increment(decimal *v) {
    return v->d[v->n - 1]++ != '9';
}

/* The fewest digits that read back as x > 0. 15 digits are enough for what was written with up to
 * 15, but for subnormal numbers, which have fewer. A power of two is closer to its lower neighbour,
 * so that the decimal next above may serve where the nearest does not. */
static decimal shortest(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    bool power_of_two = (bits & ((1ull << 52) - 1)) == 0;
    decimal v;
    for (int n = x < 0x1p-1022 ? 1 : 15;; n++) {
        v = round_decimal(x, n);
        if (n >= 17 || reads_as(&v, x))
            break;
        decimal above = v;
        if (power_of_two && increment(&above) && reads_as(&above, x))
            return above;
    }
    while (v.n > 1 && v.d[v.n - 1] == '0')
        v.n--;
    return v;
}

void sz_json_number(sz_buf *b, double x) {
    if (x - x != 0.0 || x == 0.0) {
        sz_buf_puts(b, x != 0.0 ? "null" : 1.0 / x < 0.0 ? "-0.0" : "0");
        return;
    }
    decimal v = shortest(x < 0.0 ? -x : x);
    if (x < 0.0)
        sz_buf_putc(b, '-');
    bool plain = v.exponent >= -5 && v.exponent < 16;
    int before = plain && v.exponent >= 0 ? v.exponent + 1 : 1; /* digits before the point */
    if (plain && v.exponent < 0)
        sz_buf_printf(b, "0.%.*s%.*s", -v.exponent - 1, "0000", v.n, v.d);
    else if (v.n <= before)
        sz_buf_printf(b, "%.*s%.*s", v.n, v.d, before - v.n, "000000000000000");
    else
        sz_buf_printf(b, "%.*s.%.*s", before, v.d, v.n - before, v.d + before);
    if (!plain)
        sz_buf_printf(b, "e%d", v.exponent);
}
