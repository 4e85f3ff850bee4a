/* template_text.c: values as text, as str() and repr() of Python write them, and what is asked of
 * strings by code point. */
#include <stdlib.h>

#include "base/utf8.h"
#include "model/template_parts.h"

/* ---- Code points -------------------------------------------------------------------------------
 */

uint32_t sz_text_next(const char *s, size_t n, size_t *at) {
    uint32_t cp = (unsigned char)s[*at];
    int length = cp < 0x80 ? 1 : sz_utf8_decode(s + *at, n - *at, &cp);
    *at += length ? (size_t)length : 1;
    return cp;
}

size_t sz_text_length(const char *s, size_t n) {
    size_t length = 0;
    for (size_t i = 0; i < n; i++)
        length += (s[i] & 0xC0) != 0x80;
    return length;
}

size_t sz_text_offset(const char *s, size_t n, size_t cps) {
    size_t at = 0;
    while (at < n && cps > 0) {
        at++;
        while (at < n && (s[at] & 0xC0) == 0x80)
            at++;
        cps--;
    }
    return at;
}

/* What str.isspace() and \s of Python call white space. */
bool sz_text_is_space(uint32_t cp) {
    return (cp >= 9 && cp <= 13) || (cp >= 28 && cp <= 32) || cp == 0x85 || cp == 0xA0 ||
           cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 || cp == 0x2029 ||
           cp == 0x202F || cp == 0x205F || cp == 0x3000;
}

bool sz_text_equal(sz_tv a, const char *text) {
    return a.kind == SZ_T_STRING && a.n == strlen(text) && memcmp(a.u.s, text, a.n) == 0;
}

int64_t sz_text_find(sz_tv s, sz_tv part, size_t from, size_t to, bool last) {
    if (from > to || part.n > to - from)
        return -1;
    if (!last) {
        const char *found =
            part.n ? memmem(s.u.s + from, to - from, part.u.s, part.n) : s.u.s + from;
        return found ? found - s.u.s : -1;
    }
    for (size_t at = to - part.n + 1; at-- > from;)
        if (memcmp(s.u.s + at, part.u.s, part.n) == 0)
            return (int64_t)at;
    return -1;
}

/* An empty `old` stands between all characters. */
sz_status sz_text_replace(sz_render *r, sz_tv s, sz_tv old, sz_tv new, int64_t count, sz_tv *out) {
    size_t from = r->scratch.len, at = 0;
    SZ_TRY(sz_render_steps(r, s.n / 64));
    for (; count != 0; count--) {
        int64_t found = sz_text_find(s, old, at, s.n, false);
        if (found < 0)
            break;
        sz_buf_append(&r->scratch, s.u.s + at, (size_t)found - at);
        sz_buf_append(&r->scratch, new.u.s, new.n);
        at = (size_t)found + old.n;
        if (old.n > 0)
            continue;
        if (at == s.n) {
            at++;
            break;
        }
        size_t next = at;
        sz_text_next(s.u.s, s.n, &next);
        sz_buf_append(&r->scratch, s.u.s + at, next - at);
        at = next;
        SZ_TRY(sz_render_steps(r, 1));
    }
    if (at < s.n)
        sz_buf_append(&r->scratch, s.u.s + at, s.n - at);
    return sz_render_take(r, from, out);
}

static bool strips(const sz_tv *chars, const char *s, size_t n, uint32_t cp) {
    return chars ? memmem(chars->u.s, chars->n, s, n) != NULL : sz_text_is_space(cp);
}

sz_tv sz_text_strip(sz_tv s, const sz_tv *chars, bool left, bool right) {
    size_t from = 0, to = s.n;
    while (left && from < to) {
        size_t next = from;
        uint32_t cp = sz_text_next(s.u.s, to, &next);
        if (!strips(chars, s.u.s + from, next - from, cp))
            break;
        from = next;
    }
    while (right && from < to) {
        size_t last = to - 1, next;
        while (last > from && (s.u.s[last] & 0xC0) == 0x80)
            last--;
        next = last;
        uint32_t cp = sz_text_next(s.u.s, to, &next);
        if (!strips(chars, s.u.s + last, to - last, cp))
            break;
        to = last;
    }
    return sz_tv_text(s.u.s + from, to - from);
}

/* ---- Numbers -----------------------------------------------------------------------------------
 */

/* The shortest decimal digits that read back as f > 0, and where the point stands among them: f is
 * 0.d1d2d3... times ten to the *point. */
static int shortest_digits(double f, char digits[24], int *point) {
    char text[40];
    int n = 0;
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, f);
        if (strtod(text, NULL) == f)
            break;
    }
    char *e = strchr(text, 'e');
    for (char *c = text; c < e; c++)
        if (*c >= '0' && *c <= '9') /* whatever the locale's decimal point is */
            digits[n++] = *c;
    *point = atoi(e + 1) + 1;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    return n;
}

void sz_tv_put_float(sz_buf *b, double f) {
    char digits[24];
    int point;
    if (f != f || f - f != 0) {
        sz_buf_puts(b, f != f ? "nan" : f > 0 ? "inf" : "-inf");
        return;
    }
    if (__builtin_signbit(f))
        sz_buf_putc(b, '-');
    if (f == 0) {
        sz_buf_puts(b, "0.0");
        return;
    }
    int n = shortest_digits(f < 0 ? -f : f, digits, &point);
    if (point < -3 || point > 16) {
        sz_buf_putc(b, digits[0]);
        if (n > 1)
            sz_buf_putc(b, '.');
        sz_buf_append(b, digits + 1, (size_t)n - 1);
        sz_buf_printf(b, "e%c%02d", point > 0 ? '+' : '-', abs(point - 1));
        return;
    }
    if (point <= 0)
        sz_buf_puts(b, "0.");
    for (int i = point; i < 0; i++)
        sz_buf_putc(b, '0');
    for (int i = 0; i < n || i < point + 1; i++) {
        if (i == point && i > 0)
            sz_buf_putc(b, '.');
        sz_buf_putc(b, i < n ? digits[i] : '0');
        if (i >= n && i >= point)
            break;
    }
}

/* ---- str() and repr() --------------------------------------------------------------------------
 */

static void put_repr_text(sz_buf *b, sz_tv v) {
    bool single = memchr(v.u.s, '\'', v.n), twofold = memchr(v.u.s, '"', v.n);
    char quote = single && !twofold ? '"' : '\'';
    sz_buf_putc(b, quote);
    for (size_t at = 0; at < v.n;) {
        size_t from = at;
        uint32_t cp = sz_text_next(v.u.s, v.n, &at);
        if (cp == (uint32_t)quote || cp == '\\')
            sz_buf_printf(b, "\\%c", (char)cp);
        else if (cp == '\n' || cp == '\r' || cp == '\t')
            sz_buf_printf(b, "\\%c", cp == '\n' ? 'n' : cp == '\r' ? 'r' : 't');
        else if (cp < 0x20 || (cp >= 0x7F && cp <= 0xA0) || cp == 0xAD)
            sz_buf_printf(b, "\\x%02x", cp);
        else if (cp > 0xFF && sz_text_is_space(cp))
            sz_buf_printf(b, "\\u%04x", cp);
        else
            sz_buf_append(b, v.u.s + from, at - from);
    }
    sz_buf_putc(b, quote);
}

static sz_status put_items(sz_render *r, sz_buf *b, const sz_tlist *l, const char *ends,
                           int depth) {
    sz_buf_putc(b, ends[0]);
    for (uint32_t i = 0; i < l->n; i++) {
        if (i > 0)
            sz_buf_puts(b, ", ");
        SZ_TRY(sz_tv_put_repr(r, b, l->item[i], depth + 1));
    }
    if (ends[0] == '(' && l->n == 1)
        sz_buf_putc(b, ',');
    sz_buf_putc(b, ends[1]);
    return SZ_OK;
}

static sz_status put_list(sz_render *r, sz_buf *b, sz_tv v, int depth) {
    switch (v.u.list->shape) {
    case SZ_T_IS_RANGE:
        sz_buf_puts(b, v.u.list->name);
        return SZ_OK;
    case SZ_T_IS_GENERATOR:
        sz_buf_puts(b, "<generator object>");
        return SZ_OK;
    case SZ_T_IS_TUPLE:
    case SZ_T_IS_GROUP:
        return put_items(r, b, v.u.list, "()", depth);
    case SZ_T_IS_LIST:
        return put_items(r, b, v.u.list, "[]", depth);
    default:
        break;
    }
    sz_buf_printf(b, "%s(", sz_tv_type_name(v));
    SZ_TRY(put_items(r, b, v.u.list, "[]", depth));
    sz_buf_putc(b, ')');
    return SZ_OK;
}

static sz_status put_dict(sz_render *r, sz_buf *b, const sz_tdict *d, int depth) {
    sz_buf_putc(b, '{');
    for (uint32_t i = 0; i < d->n; i++) {
        if (i > 0)
            sz_buf_puts(b, ", ");
        SZ_TRY(sz_tv_put_repr(r, b, d->entry[i].key, depth + 1));
        sz_buf_puts(b, ": ");
        SZ_TRY(sz_tv_put_repr(r, b, d->entry[i].value, depth + 1));
    }
    sz_buf_putc(b, '}');
    return SZ_OK;
}

sz_status sz_tv_put_repr(sz_render *r, sz_buf *b, sz_tv v, int depth) {
    SZ_REQUIRE(depth < SZ_T_MAX_VALUE_DEPTH, SZ_E_LIMIT, "a value is nested deeper than %d levels",
               SZ_T_MAX_VALUE_DEPTH);
    SZ_TRY(sz_render_steps(r, 1));
    SZ_REQUIRE(!b->failed, SZ_E_LIMIT, "the text is too long");
    switch (v.kind) {
    case SZ_T_UNDEFINED:
        sz_buf_puts(b, "Undefined");
        return SZ_OK;
    case SZ_T_NONE:
        sz_buf_puts(b, "None");
        return SZ_OK;
    case SZ_T_BOOL:
        sz_buf_puts(b, v.u.b ? "True" : "False");
        return SZ_OK;
    case SZ_T_INT:
        sz_buf_printf(b, "%lld", (long long)v.u.i);
        return SZ_OK;
    case SZ_T_FLOAT:
        sz_tv_put_float(b, v.u.f);
        return SZ_OK;
    case SZ_T_STRING:
        sz_buf_puts(b, v.flag ? "Markup(" : "");
        put_repr_text(b, v);
        sz_buf_puts(b, v.flag ? ")" : "");
        return SZ_OK;
    case SZ_T_LIST:
        return put_list(r, b, v, depth);
    case SZ_T_DICT:
        return put_dict(r, b, v.u.dict, depth);
    case SZ_T_NAMESPACE:
        sz_buf_puts(b, "<Namespace ");
        SZ_TRY(put_dict(r, b, v.u.dict, depth));
        sz_buf_putc(b, '>');
        return SZ_OK;
    case SZ_T_MACRO:
        sz_buf_printf(b, "<Macro '%.*s'>", (int)v.u.macro->node->name->n, v.u.macro->node->name->s);
        return SZ_OK;
    case SZ_T_LOOP:
        sz_buf_printf(b, "<LoopContext %u/%u>", v.u.loop->at + 1, v.u.loop->items.n);
        return SZ_OK;
    default:
        sz_buf_printf(b, "<%s>", sz_tv_type_name(v));
        return SZ_OK;
    }
}

sz_status sz_tv_write(sz_render *r, sz_buf *b, sz_tv v) {
    if (v.kind == SZ_T_STRING)
        sz_buf_append(b, v.u.s, v.n);
    else if (v.kind != SZ_T_UNDEFINED)
        return sz_tv_put_repr(r, b, v, 0);
    return SZ_OK;
}

sz_status sz_tv_str(sz_render *r, sz_tv v, sz_tv *out) {
    size_t from = r->scratch.len;
    if (v.kind == SZ_T_STRING || v.kind == SZ_T_UNDEFINED) {
        *out = v.kind == SZ_T_STRING ? v : sz_tv_text("", 0);
        return SZ_OK;
    }
    SZ_TRY(sz_tv_put_repr(r, &r->scratch, v, 0));
    return sz_render_take(r, from, out);
}

sz_status sz_tv_escape(sz_render *r, sz_tv v, sz_tv *out) {
    static const char special[] = "&<>'\"";
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&#39;", "&#34;"};
    sz_tv s;
    SZ_TRY(sz_tv_str(r, v, &s));
    size_t from = r->scratch.len;
    for (size_t i = 0; i < s.n; i++) {
        const char *found = s.u.s[i] && !s.flag ? strchr(special, s.u.s[i]) : NULL;
        if (found)
            sz_buf_puts(&r->scratch, names[found - special]);
        else
            sz_buf_putc(&r->scratch, s.u.s[i]);
    }
    SZ_TRY(sz_render_take(r, from, out));
    out->flag = 1;
    return SZ_OK;
}
