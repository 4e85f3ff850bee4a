/* template_text.c: values as text, as str() and repr() of Python write them. */
#include <stdlib.h>

#include "model/template_render.h"

/* ---- Numbers -------------------------------------------------------------------------------- */

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

/* ---- str() and repr() ----------------------------------------------------------------------- */

/* How a character is written that is not written as it is; "" for the others. */
static const char *repr_escape(uint32_t cp, char quote, char text[12]) {
    static const char special[] = "\n\r\t\\", names[] = "nrt\\";
    const char *found = cp && cp < 0x80 ? strchr(special, (char)cp) : NULL;
    text[0] = '\0';
    if (found || cp == (uint32_t)quote) {
        text[0] = '\\';
        text[1] = found ? names[found - special] : quote;
        text[2] = '\0';
    } else if (cp < 0x20 || (cp >= 0x7F && cp <= 0xA0) || cp == 0xAD)
        snprintf(text, 12, "\\x%02x", cp);
    else if (cp > 0xFF && sz_text_is_space(cp))
        snprintf(text, 12, "\\u%04x", cp);
    return text;
}

static void put_repr_text(sz_buf *b, sz_tv v) {
    bool single = memchr(v.u.s, '\'', v.n), twofold = memchr(v.u.s, '"', v.n);
    char quote = single && !twofold ? '"' : '\'', text[12];
    size_t plain = 0;
    sz_buf_putc(b, quote);
    for (size_t at = 0; at < v.n;) {
        size_t from = at;
        uint32_t cp = sz_text_next(v.u.s, v.n, &at);
        if (!*repr_escape(cp, quote, text))
            continue;
        sz_buf_append(b, v.u.s + plain, from - plain);
        sz_buf_puts(b, text);
        plain = at;
    }
    sz_buf_append(b, v.u.s + plain, v.n - plain);
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
    /* finding the shortest digits of a float takes many trials */
    SZ_TRY(sz_render_steps(r, v.kind == SZ_T_STRING  ? 1 + v.n / 2
                              : v.kind == SZ_T_FLOAT ? 100
                                                     : 1));
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
    SZ_TRY(sz_render_steps(r, s.n / 4));
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
