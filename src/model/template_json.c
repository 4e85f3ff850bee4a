/* template_json.c: values as JSON, as json.dumps of Python writes them. */
#include "model/template_builtin.h"

static void put_unit(sz_buf *b, uint32_t unit) {
    sz_buf_printf(b, "\\u%04x", unit);
}

static void put_escape(sz_buf *b, uint32_t cp, bool ascii) {
    static const char special[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
    const char *found = cp > 0 && cp < 0x80 ? strchr(special, (char)cp) : NULL;
    if (found)
        sz_buf_printf(b, "\\%c", names[found - special]);
    else if (ascii && cp > 0xFFFF) {
        put_unit(b, 0xD800 + ((cp - 0x10000) >> 10));
        put_unit(b, 0xDC00 + ((cp - 0x10000) & 0x3FF));
    } else
        put_unit(b, cp);
}

static bool is_plain(uint32_t cp, bool ascii) {
    return cp >= 0x20 && cp != '"' && cp != '\\' && (!ascii || cp <= 0x7E);
}

static void put_string(sz_buf *b, sz_tv s, bool ascii) {
    size_t plain = 0;
    sz_buf_putc(b, '"');
    for (size_t at = 0; at < s.n;) {
        size_t from = at;
        uint32_t cp = sz_text_next(s.u.s, s.n, &at);
        if (is_plain(cp, ascii))
            continue;
        sz_buf_append(b, s.u.s + plain, from - plain);
        put_escape(b, cp, ascii);
        plain = at;
    }
    sz_buf_append(b, s.u.s + plain, s.n - plain);
    sz_buf_putc(b, '"');
}

static void put_float(sz_buf *b, double f) {
    if (f != f)
        sz_buf_puts(b, "NaN");
    else if (f - f != 0)
        sz_buf_puts(b, f > 0 ? "Infinity" : "-Infinity");
    else
        sz_tv_put_float(b, f);
}

static void break_line(sz_buf *b, const sz_tjson_style *style, int depth) {
    if (!style->indented)
        return;
    sz_buf_putc(b, '\n');
    for (int i = 0; i < depth; i++)
        sz_buf_append(b, style->indent.u.s, style->indent.n);
}

static void put_separator(sz_buf *b, const sz_tjson_style *style, bool first, int depth) {
    if (!first)
        sz_buf_append(b, style->item_separator.u.s, style->item_separator.n);
    break_line(b, style, depth);
}

static sz_status put_value(sz_render *r, sz_buf *b, sz_tv v, const sz_tjson_style *style,
                           int depth);

static sz_status put_list(sz_render *r, sz_buf *b, const sz_tlist *l, const sz_tjson_style *style,
                          int depth) {
    sz_buf_putc(b, '[');
    for (uint32_t i = 0; i < l->n; i++) {
        put_separator(b, style, i == 0, depth + 1);
        SZ_TRY(put_value(r, b, l->item[i], style, depth + 1));
    }
    if (l->n > 0)
        break_line(b, style, depth);
    sz_buf_putc(b, ']');
    return SZ_OK;
}

static sz_status put_key(sz_buf *b, sz_tv key, bool ascii) {
    if (key.kind == SZ_T_STRING) {
        put_string(b, key, ascii);
        return SZ_OK;
    }
    sz_buf_putc(b, '"');
    if (key.kind == SZ_T_INT)
        sz_buf_printf(b, "%lld", (long long)key.u.i);
    else if (key.kind == SZ_T_FLOAT)
        put_float(b, key.u.f);
    else if (key.kind == SZ_T_BOOL || key.kind == SZ_T_NONE)
        sz_buf_puts(b, key.kind == SZ_T_NONE ? "null" : key.u.b ? "true" : "false");
    else
        return sz_fail(SZ_E_FORMAT, "keys must be str, int, float, bool or None, not %s",
                       sz_tv_type_name(key));
    sz_buf_putc(b, '"');
    return SZ_OK;
}

/* The entries in the order of their keys. */
static sz_status sorted_entries(sz_render *r, const sz_tdict *d, sz_tentry **out) {
    sz_tv *keys, *places;
    SZ_TRY(sz_render_alloc(r, d->n, sizeof **out, out));
    SZ_TRY(sz_render_alloc(r, d->n, sizeof *keys, &keys));
    SZ_TRY(sz_render_alloc(r, d->n, sizeof *places, &places));
    for (uint32_t i = 0; i < d->n; i++) {
        keys[i] = d->entry[i].key;
        places[i] = sz_tv_int(i);
    }
    SZ_TRY(sz_tlist_sort(r, places, keys, d->n, false));
    for (uint32_t i = 0; i < d->n; i++)
        (*out)[i] = d->entry[places[i].u.i];
    return SZ_OK;
}

static sz_status put_dict(sz_render *r, sz_buf *b, const sz_tdict *d, const sz_tjson_style *style,
                          int depth) {
    sz_tentry *entry = d->entry;
    if (style->sort)
        SZ_TRY(sorted_entries(r, d, &entry));
    sz_buf_putc(b, '{');
    for (uint32_t i = 0; i < d->n; i++) {
        put_separator(b, style, i == 0, depth + 1);
        SZ_TRY(put_key(b, entry[i].key, style->ascii));
        sz_buf_append(b, style->key_separator.u.s, style->key_separator.n);
        SZ_TRY(put_value(r, b, entry[i].value, style, depth + 1));
    }
    if (d->n > 0)
        break_line(b, style, depth);
    sz_buf_putc(b, '}');
    return SZ_OK;
}

static sz_status put_value(sz_render *r, sz_buf *b, sz_tv v, const sz_tjson_style *style,
                           int depth) {
    bool is_list = sz_tv_is_tuple(v) || sz_tv_is_shape(v, SZ_T_IS_LIST);
    SZ_REQUIRE(depth < SZ_T_MAX_VALUE_DEPTH, SZ_E_LIMIT, "a value is nested deeper than %d levels",
               SZ_T_MAX_VALUE_DEPTH);
    SZ_REQUIRE(!b->failed, SZ_E_LIMIT, "the JSON text is too long");
    SZ_TRY(sz_render_steps(r, v.kind == SZ_T_STRING  ? 1 + v.n / 8
                              : v.kind == SZ_T_FLOAT ? 100
                                                     : 1));
    switch (v.kind) {
    case SZ_T_NONE:
        sz_buf_puts(b, "null");
        return SZ_OK;
    case SZ_T_BOOL:
        sz_buf_puts(b, v.u.b ? "true" : "false");
        return SZ_OK;
    case SZ_T_INT:
        sz_buf_printf(b, "%lld", (long long)v.u.i);
        return SZ_OK;
    case SZ_T_FLOAT:
        put_float(b, v.u.f);
        return SZ_OK;
    case SZ_T_STRING:
        put_string(b, v, style->ascii);
        return SZ_OK;
    case SZ_T_DICT:
        return put_dict(r, b, v.u.dict, style, depth);
    default:
        break;
    }
    if (is_list)
        return put_list(r, b, v.u.list, style, depth);
    return sz_fail(SZ_E_FORMAT, "Object of type %s is not JSON serializable", sz_tv_type_name(v));
}

sz_status sz_tjson_put(sz_render *r, sz_buf *b, sz_tv v, const sz_tjson_style *style) {
    return put_value(r, b, v, style, 0);
}
