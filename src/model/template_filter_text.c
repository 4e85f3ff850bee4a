/* template_filter_text.c: filters over strings. What is no string is taken as its str(). */
#include "model/template_builtin.h"

static sz_status change_case(sz_tcall *c, sz_tcase how, sz_tv *out) {
    sz_tv s;
    SZ_TRY(sz_targ_str(c, 0, "", &s));
    return sz_text_case(c->r, s, how, out);
}

static sz_status filter_upper(sz_tcall *c, sz_tv *out) {
    return change_case(c, SZ_CASE_UPPER, out);
}
static sz_status filter_lower(sz_tcall *c, sz_tv *out) {
    return change_case(c, SZ_CASE_LOWER, out);
}
static sz_status filter_capitalize(sz_tcall *c, sz_tv *out) {
    return change_case(c, SZ_CASE_CAPITALIZE, out);
}

/* Unlike str.title(): words begin only behind white space, hyphens and opening brackets. */
static sz_status filter_title(sz_tcall *c, sz_tv *out) {
    sz_tv s, word;
    SZ_TRY(sz_targ_str(c, 0, "", &s));
    *out = sz_tv_text("", 0);
    for (size_t at = 0, from = 0; from < s.n; from = at) {
        for (bool between = false, was = false; at < s.n; was = between) {
            size_t next = at;
            uint32_t cp = sz_text_next(s.u.s, s.n, &next);
            between = sz_text_is_space(cp) || (cp < 0x80 && cp && strchr("-({[<", (char)cp));
            if (at > from && between != was)
                break;
            at = next;
        }
        SZ_TRY(sz_text_case(c->r, sz_tv_text(s.u.s + from, at - from), SZ_CASE_WORD, &word));
        SZ_TRY(sz_tv_concat(c->r, *out, word, out));
    }
    return SZ_OK;
}

static sz_status filter_trim(sz_tcall *c, sz_tv *out) {
    static const char strip[] = "strip";
    sz_tv s;
    const sz_targs chars = {&c->arg[1], c->arg[1].kind != SZ_T_ABSENT, 0};
    SZ_TRY(sz_targ_str(c, 0, "", &s));
    SZ_TRY(sz_tcall_builtin(c->r, sz_tbuiltin_find(sz_tmethods_text, strip, strlen(strip)), &s,
                            chars, out));
    out->flag = s.flag;
    return SZ_OK;
}

static sz_status filter_replace(sz_tcall *c, sz_tv *out) {
    sz_tv s, old, new;
    int64_t count;
    SZ_TRY(sz_targ_str(c, 0, "", &s));
    SZ_TRY(sz_targ_str(c, 1, "", &old));
    SZ_TRY(sz_targ_str(c, 2, "", &new));
    SZ_TRY(sz_targ_int(c, 3, -1, &count));
    return sz_text_replace(c->r, s, old, new, count, out);
}

static sz_status filter_string(sz_tcall *c, sz_tv *out) {
    return sz_tv_str(c->r, c->arg[0], out);
}

static sz_status filter_safe(sz_tcall *c, sz_tv *out) {
    SZ_TRY(sz_tv_str(c->r, c->arg[0], out));
    out->flag = 1;
    return SZ_OK;
}

static sz_status filter_escape(sz_tcall *c, sz_tv *out) {
    return sz_tv_escape(c->r, c->arg[0], out);
}

static sz_status filter_forceescape(sz_tcall *c, sz_tv *out) {
    c->arg[0].flag = 0;
    return sz_tv_escape(c->r, c->arg[0], out);
}

static sz_status filter_format(sz_tcall *c, sz_tv *out) {
    sz_tv format;
    SZ_TRY(sz_targ_str(c, 0, "", &format));
    return sz_tformat_percent(c->r, format, c->rest, out);
}

/* Lines after the first get the prefix, empty ones only with blank. */
static sz_status filter_indent(sz_tcall *c, sz_tv *out) {
    sz_tv s, prefix = c->arg[1];
    sz_buf *b = &c->r->scratch;
    size_t from = b->len;
    bool first = sz_targ_bool(c, 2), blank = sz_targ_bool(c, 3);
    SZ_TRY(sz_targ_text(c, 0, &s));
    if (prefix.kind != SZ_T_STRING) {
        int64_t width;
        SZ_TRY(sz_targ_int(c, 1, 4, &width));
        SZ_TRY(sz_tv_binary(c->r, '*', sz_tv_text(" ", 1), sz_tv_int(width), &prefix));
    }
    SZ_TRY(sz_render_steps(c->r, s.n / 8));
    for (size_t at = 0; at < s.n || at == 0;) {
        const char *newline = memchr(s.u.s + at, '\n', s.n - at);
        size_t end = newline ? (size_t)(newline - s.u.s) : s.n;
        bool indented = at == 0 ? first : blank || end > at;
        if (indented)
            sz_buf_append(b, prefix.u.s, prefix.n);
        sz_buf_append(b, s.u.s + at, end - at);
        if (newline)
            sz_buf_putc(b, '\n');
        if (end + 1 >= s.n) {
            if (newline && blank)
                sz_buf_append(b, prefix.u.s, prefix.n);
            break;
        }
        at = end + 1;
    }
    return sz_render_take(c->r, from, out);
}

static sz_status filter_center(sz_tcall *c, sz_tv *out) {
    int64_t width;
    sz_tv s;
    SZ_TRY(sz_targ_str(c, 0, "", &s));
    SZ_TRY(sz_targ_int(c, 1, 80, &width));
    return sz_text_pad(c->r, s, width, sz_tv_text(" ", 1), SZ_PAD_BOTH, out);
}

static sz_status filter_wordcount(sz_tcall *c, sz_tv *out) {
    sz_tv s;
    size_t n;
    SZ_TRY(sz_targ_str(c, 0, "", &s));
    SZ_TRY(sz_text_count_matches(c->r, s, "[\\p{L}\\p{N}_]+", &n));
    *out = sz_tv_int((int64_t)n);
    return SZ_OK;
}

/* At most length characters, the end mark included; up to leeway more are let be. */
static sz_status filter_truncate(sz_tcall *c, sz_tv *out) {
    sz_tv s = c->arg[0], end;
    int64_t n, length, leeway;
    SZ_TRY(sz_tv_length(c->r, s, &n));
    SZ_TRY(sz_targ_int(c, 1, 255, &length));
    SZ_TRY(sz_targ_str(c, 3, "...", &end));
    SZ_TRY(sz_targ_int(c, 4, 5, &leeway));
    int64_t n_end = (int64_t)sz_text_length(end.u.s, end.n);
    if (length < n_end || leeway < 0)
        return SZ_FAIL_CALL(c, "expected length >= %lld and leeway >= 0", (long long)n_end);
    *out = s;
    if (n - leeway <= length)
        return SZ_OK;
    SZ_TRY(sz_targ_text(c, 0, &s));
    sz_tv kept = sz_tv_text(s.u.s, sz_text_offset(s.u.s, s.n, (size_t)(length - n_end)));
    int64_t space = -1;
    if (!sz_targ_bool(c, 2))
        SZ_TRY(sz_text_find_last(c->r, kept, sz_tv_text(" ", 1), 0, kept.n, &space));
    if (space >= 0)
        kept.n = (uint32_t)space;
    return sz_tv_concat(c->r, kept, end, out);
}

/* in_query: a part of a query string, where '/' is no separator and a space becomes '+'. */
static sz_status put_quoted(sz_tcall *c, sz_tv v, bool in_query) {
    static const char kept[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~";
    sz_buf *b = &c->r->scratch;
    sz_tv s;
    SZ_TRY(sz_tv_str(c->r, v, &s));
    SZ_TRY(sz_render_steps(c->r, s.n));
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.u.s[i];
        if (ch && (strchr(kept, ch) || (ch == '/' && !in_query)))
            sz_buf_putc(b, ch);
        else if (ch == ' ' && in_query)
            sz_buf_putc(b, '+');
        else
            sz_buf_printf(b, "%%%02X", (unsigned char)ch);
    }
    return SZ_OK;
}

/* A string, or the pairs of a mapping or list as a query string. */
static sz_status filter_urlencode(sz_tcall *c, sz_tv *out) {
    sz_tv v = c->arg[0];
    sz_tlist *of_dict, pairs, pair;
    size_t from = c->r->scratch.len;
    if (v.kind != SZ_T_DICT && v.kind != SZ_T_LIST) {
        SZ_TRY(put_quoted(c, v, false));
        return sz_render_take(c->r, from, out);
    }
    if (v.kind == SZ_T_DICT) {
        SZ_TRY(sz_tdict_items(c->r, v.u.dict, SZ_T_IS_ITEMS, &of_dict));
        v = sz_tv_list(of_dict);
    }
    SZ_TRY(sz_tv_iterate(c->r, v, &pairs));
    for (uint32_t i = 0; i < pairs.n; i++) {
        SZ_TRY(sz_tv_iterate(c->r, pairs.item[i], &pair));
        if (pair.n != 2)
            return SZ_FAIL_CALL(c, "element %u is not a pair", i);
        if (i > 0)
            sz_buf_putc(&c->r->scratch, '&');
        SZ_TRY(put_quoted(c, pair.item[0], true));
        sz_buf_putc(&c->r->scratch, '=');
        SZ_TRY(put_quoted(c, pair.item[1], true));
    }
    return sz_render_take(c->r, from, out);
}

const sz_tbuiltin sz_tfilters_text[] = {
    {"upper", filter_upper, "s"},
    {"lower", filter_lower, "s"},
    {"capitalize", filter_capitalize, "s"},
    {"title", filter_title, "s"},
    {"trim", filter_trim, "value chars?"},
    {"replace", filter_replace, "s old new count?"},
    {"string", filter_string, "object"},
    {"safe", filter_safe, "value"},
    {"escape", filter_escape, "s"},
    {"e", filter_escape, "s"},
    {"forceescape", filter_forceescape, "value"},
    {"format", filter_format, "value *"},
    {"indent", filter_indent, "s width? first? blank?"},
    {"center", filter_center, "value width?"},
    {"wordcount", filter_wordcount, "s"},
    {"truncate", filter_truncate, "s length? killwords? end? leeway?"},
    {"urlencode", filter_urlencode, "value"},
    {0}};
