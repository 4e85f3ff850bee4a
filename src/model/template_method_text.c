/* template_method_text.c: methods of strings. */
#include "model/template_builtin.h"

/* ---- Case, blanks, padding ------------------------------------------------------------------ */

static sz_status method_upper(sz_tcall *c, sz_tv *out) {
    return sz_text_case(c->r, c->arg[0], SZ_CASE_UPPER, out);
}
static sz_status method_lower(sz_tcall *c, sz_tv *out) {
    return sz_text_case(c->r, c->arg[0], SZ_CASE_LOWER, out);
}
static sz_status method_title(sz_tcall *c, sz_tv *out) {
    return sz_text_case(c->r, c->arg[0], SZ_CASE_TITLE, out);
}
static sz_status method_capitalize(sz_tcall *c, sz_tv *out) {
    return sz_text_case(c->r, c->arg[0], SZ_CASE_CAPITALIZE, out);
}
static sz_status method_swapcase(sz_tcall *c, sz_tv *out) {
    return sz_text_case(c->r, c->arg[0], SZ_CASE_SWAP, out);
}

static sz_status strip(sz_tcall *c, bool left, bool right, sz_tv *out) {
    sz_tv chars = {0};
    bool given = sz_targ_given(c, 1);
    if (given)
        SZ_TRY(sz_targ_text(c, 1, &chars));
    *out = sz_text_strip(c->arg[0], given ? &chars : NULL, left, right);
    return sz_render_steps(c->r, (c->arg[0].n - out->n) / 4 * (1 + chars.n / 16));
}

static sz_status method_strip(sz_tcall *c, sz_tv *out) {
    return strip(c, true, true, out);
}
static sz_status method_lstrip(sz_tcall *c, sz_tv *out) {
    return strip(c, true, false, out);
}
static sz_status method_rstrip(sz_tcall *c, sz_tv *out) {
    return strip(c, false, true, out);
}

static sz_status pad(sz_tcall *c, sz_tpad how, sz_tv *out) {
    int64_t width;
    sz_tv fill = sz_tv_text(" ", 1);
    SZ_TRY(sz_targ_int(c, 1, 0, &width));
    if (c->arg[2].kind != SZ_T_ABSENT)
        SZ_TRY(sz_targ_text(c, 2, &fill));
    if (sz_text_length(fill.u.s, fill.n) != 1)
        return SZ_FAIL_CALL(c, "the fill character must be one character");
    return sz_text_pad(c->r, c->arg[0], width, fill, how, out);
}

static sz_status method_center(sz_tcall *c, sz_tv *out) {
    return pad(c, SZ_PAD_BOTH, out);
}
static sz_status method_ljust(sz_tcall *c, sz_tv *out) {
    return pad(c, SZ_PAD_RIGHT, out);
}
static sz_status method_rjust(sz_tcall *c, sz_tv *out) {
    return pad(c, SZ_PAD_LEFT, out);
}

static sz_status method_zfill(sz_tcall *c, sz_tv *out) {
    sz_tv s = c->arg[0], sign;
    int64_t width;
    SZ_TRY(sz_targ_int(c, 1, 0, &width));
    bool has_sign = s.n > 0 && (s.u.s[0] == '-' || s.u.s[0] == '+');
    sign = sz_tv_text(s.u.s, has_sign);
    s = sz_tv_text(s.u.s + has_sign, s.n - has_sign);
    SZ_TRY(sz_text_pad(c->r, s, width - has_sign, sz_tv_text("0", 1), SZ_PAD_LEFT, out));
    return sz_tv_concat(c->r, sign, *out, out);
}

/* ---- Splitting and joining ------------------------------------------------------------------ */

static sz_status push_part(sz_tcall *c, sz_tlist *l, size_t from, size_t to) {
    SZ_TRY(sz_render_steps(c->r, 1));
    return sz_tlist_push(c->r, l, sz_tv_text(c->arg[0].u.s + from, to - from));
}

/* Runs of white space divide; none at the ends. */
static sz_status split_blanks(sz_tcall *c, int64_t most, sz_tlist *l) {
    sz_tv s = sz_text_strip(c->arg[0], NULL, true, false);
    size_t at = (size_t)(s.u.s - c->arg[0].u.s), end = c->arg[0].n;
    while (at < end) {
        size_t from = at, to = at;
        bool rest = most >= 0 && l->n == (uint64_t)most;
        while (at < end) {
            to = at;
            if (sz_text_is_space(sz_text_next(c->arg[0].u.s, end, &at)) && !rest)
                break;
            to = at;
        }
        SZ_TRY(push_part(c, l, from, to));
        s = sz_text_strip(sz_tv_text(c->arg[0].u.s + at, end - at), NULL, true, false);
        at = (size_t)(s.u.s - c->arg[0].u.s);
    }
    return SZ_OK;
}

static sz_status split_by(sz_tcall *c, sz_tv by, int64_t most, sz_tlist *l) {
    size_t from = 0;
    for (; most != 0; most--) {
        int64_t found = sz_text_find(c->arg[0], by, from, c->arg[0].n);
        if (found < 0)
            break;
        SZ_TRY(push_part(c, l, from, (size_t)found));
        from = (size_t)found + by.n;
    }
    return push_part(c, l, from, c->arg[0].n);
}

static void reverse(sz_tlist *l) {
    for (uint32_t i = 0; i < l->n / 2; i++) {
        sz_tv kept = l->item[i];
        l->item[i] = l->item[l->n - 1 - i];
        l->item[l->n - 1 - i] = kept;
    }
}

static sz_status rsplit_by(sz_tcall *c, sz_tv by, int64_t most, sz_tlist *l) {
    size_t to = c->arg[0].n;
    for (; most != 0; most--) {
        int64_t found;
        SZ_TRY(sz_text_find_last(c->r, c->arg[0], by, 0, to, &found));
        if (found < 0)
            break;
        SZ_TRY(push_part(c, l, (size_t)found + by.n, to));
        to = (size_t)found;
    }
    SZ_TRY(push_part(c, l, 0, to));
    reverse(l);
    return SZ_OK;
}

static sz_status rsplit_blanks(sz_tcall *c, int64_t most, sz_tlist *l) {
    const char *s = c->arg[0].u.s;
    size_t end = sz_text_strip(c->arg[0], NULL, false, true).n;
    while (end > 0) {
        size_t at = end, from = 0;
        bool rest = most >= 0 && l->n == (uint64_t)most;
        while (at > 0 && !rest) {
            size_t last = at - 1, next;
            while (last > 0 && (s[last] & 0xC0) == 0x80)
                last--;
            next = last;
            if (sz_text_is_space(sz_text_next(s, at, &next))) {
                from = at;
                break;
            }
            at = last;
        }
        SZ_TRY(push_part(c, l, from, end));
        end = rest ? 0 : sz_text_strip(sz_tv_text(s, from), NULL, false, true).n;
    }
    reverse(l);
    return SZ_OK;
}

static sz_status split(sz_tcall *c, bool right, sz_tv *out) {
    sz_tlist *l;
    sz_tv by;
    int64_t most;
    SZ_TRY(sz_targ_int(c, 2, -1, &most));
    SZ_TRY(sz_tlist_new(c->r, SZ_T_IS_LIST, 0, &l));
    SZ_TRY(sz_render_steps(c->r, c->arg[0].n / 16));
    *out = sz_tv_list(l);
    if (!sz_targ_given(c, 1))
        return right ? rsplit_blanks(c, most, l) : split_blanks(c, most, l);
    SZ_TRY(sz_targ_text(c, 1, &by));
    if (by.n == 0)
        return SZ_FAIL_CALL(c, "empty separator");
    return right ? rsplit_by(c, by, most, l) : split_by(c, by, most, l);
}

static sz_status method_split(sz_tcall *c, sz_tv *out) {
    return split(c, false, out);
}
static sz_status method_rsplit(sz_tcall *c, sz_tv *out) {
    return split(c, true, out);
}

static bool ends_line(uint32_t cp) {
    return (cp >= 10 && cp <= 13) || (cp >= 28 && cp <= 30) || cp == 0x85 || cp == 0x2028 ||
           cp == 0x2029;
}

static sz_status method_splitlines(sz_tcall *c, sz_tv *out) {
    sz_tlist *l;
    sz_tv s = c->arg[0];
    bool keep = sz_targ_bool(c, 1);
    SZ_TRY(sz_tlist_new(c->r, SZ_T_IS_LIST, 0, &l));
    SZ_TRY(sz_render_steps(c->r, s.n / 16));
    size_t from = 0;
    for (size_t at = 0; at < s.n;) {
        size_t end = at;
        uint32_t cp = sz_text_next(s.u.s, s.n, &at);
        if (!ends_line(cp))
            continue;
        at += cp == '\r' && at < s.n && s.u.s[at] == '\n';
        SZ_TRY(push_part(c, l, from, keep ? at : end));
        from = at;
    }
    if (from < s.n)
        SZ_TRY(push_part(c, l, from, s.n));
    *out = sz_tv_list(l);
    return SZ_OK;
}

/* (before, separator, after) */
static sz_status partition(sz_tcall *c, bool last, sz_tv *out) {
    sz_tv s = c->arg[0], by, empty = sz_tv_text("", 0);
    sz_tlist *l;
    SZ_TRY(sz_targ_text(c, 1, &by));
    if (by.n == 0)
        return SZ_FAIL_CALL(c, "empty separator");
    SZ_TRY(sz_tlist_new(c->r, SZ_T_IS_TUPLE, 3, &l));
    int64_t found = sz_text_find(s, by, 0, s.n);
    if (last)
        SZ_TRY(sz_text_find_last(c->r, s, by, 0, s.n, &found));
    SZ_TRY(sz_render_steps(c->r, s.n / 32));
    l->n = 3;
    *out = sz_tv_list(l);
    l->item[0] = found >= 0 ? sz_tv_text(s.u.s, (size_t)found) : last ? empty : s;
    l->item[1] = found >= 0 ? by : empty;
    l->item[2] = found < 0 ? (last ? s : empty)
                           : sz_tv_text(s.u.s + found + by.n, s.n - (size_t)found - by.n);
    return SZ_OK;
}

static sz_status method_partition(sz_tcall *c, sz_tv *out) {
    return partition(c, false, out);
}
static sz_status method_rpartition(sz_tcall *c, sz_tv *out) {
    return partition(c, true, out);
}

static sz_status method_join(sz_tcall *c, sz_tv *out) {
    sz_tlist items;
    SZ_TRY(sz_tv_iterate(c->r, c->arg[1], &items));
    size_t from = c->r->scratch.len;
    for (uint32_t i = 0; i < items.n; i++) {
        if (items.item[i].kind != SZ_T_STRING)
            return SZ_FAIL_CALL(c, "item %u is no string but '%s'", i,
                                sz_tv_type_name(items.item[i]));
        if (i > 0)
            sz_buf_append(&c->r->scratch, c->arg[0].u.s, c->arg[0].n);
        sz_buf_append(&c->r->scratch, items.item[i].u.s, items.item[i].n);
        SZ_TRY(sz_render_steps(c->r, 1));
    }
    return sz_render_take(c->r, from, out);
}

/* ---- Searching ------------------------------------------------------------------------------ */

/* The bytes of arguments 2 and 3, start and end in characters. */
static sz_status search_range(sz_tcall *c, size_t *from, size_t *to) {
    sz_tv s = c->arg[0];
    int64_t n = (int64_t)sz_text_length(s.u.s, s.n), start, stop;
    SZ_TRY(sz_targ_int(c, 2, 0, &start));
    SZ_TRY(sz_targ_int(c, 3, n, &stop));
    start = start < -n ? 0 : start < 0 ? start + n : start;
    stop = stop < -n ? 0 : stop < 0 ? stop + n : stop;
    *from = start > n ? s.n + 1 : sz_text_offset(s.u.s, s.n, (size_t)start);
    *to = sz_text_offset(s.u.s, s.n, (size_t)stop);
    return sz_render_steps(c->r, s.n / 16);
}

static sz_status find(sz_tcall *c, bool last, bool must, sz_tv *out) {
    sz_tv part;
    size_t from, to;
    SZ_TRY(sz_targ_text(c, 1, &part));
    SZ_TRY(search_range(c, &from, &to));
    int64_t found = sz_text_find(c->arg[0], part, from, to);
    if (last)
        SZ_TRY(sz_text_find_last(c->r, c->arg[0], part, from, to, &found));
    if (found < 0 && must)
        return SZ_FAIL_CALL(c, "substring not found");
    *out = sz_tv_int(found < 0 ? -1 : (int64_t)sz_text_length(c->arg[0].u.s, (size_t)found));
    return SZ_OK;
}

static sz_status method_find(sz_tcall *c, sz_tv *out) {
    return find(c, false, false, out);
}
static sz_status method_rfind(sz_tcall *c, sz_tv *out) {
    return find(c, true, false, out);
}
static sz_status method_index(sz_tcall *c, sz_tv *out) {
    return find(c, false, true, out);
}
static sz_status method_rindex(sz_tcall *c, sz_tv *out) {
    return find(c, true, true, out);
}

static sz_status method_count(sz_tcall *c, sz_tv *out) {
    sz_tv part;
    size_t from, to;
    int64_t n = 0;
    SZ_TRY(sz_targ_text(c, 1, &part));
    SZ_TRY(search_range(c, &from, &to));
    if (part.n == 0 && from <= to)
        n = (int64_t)sz_text_length(c->arg[0].u.s + from, to - from) + 1;
    while (part.n > 0) {
        int64_t found = sz_text_find(c->arg[0], part, from, to);
        if (found < 0)
            break;
        from = (size_t)found + part.n;
        n++;
        SZ_TRY(sz_render_steps(c->r, 1));
    }
    *out = sz_tv_int(n);
    return SZ_OK;
}

static bool stands_at_end(sz_tv s, sz_tv part, bool front) {
    return part.n <= s.n && memcmp(s.u.s + (front ? 0 : s.n - part.n), part.u.s, part.n) == 0;
}

/* One string, or any of a tuple. */
static sz_status stands(sz_tcall *c, bool front, sz_tv *out) {
    sz_tlist parts = {.item = &c->arg[1], .n = 1};
    size_t from, to;
    bool found = false;
    if (sz_tv_is_tuple(c->arg[1]))
        parts = *c->arg[1].u.list;
    SZ_TRY(search_range(c, &from, &to));
    for (uint32_t i = 0; i < parts.n && !found; i++) {
        if (parts.item[i].kind != SZ_T_STRING)
            return SZ_FAIL_CALL(c, "wants a string or a tuple of strings, not '%s'",
                                sz_tv_type_name(parts.item[i]));
        found = from <= to &&
                stands_at_end(sz_tv_text(c->arg[0].u.s + from, to - from), parts.item[i], front);
    }
    *out = sz_tv_bool(found);
    return SZ_OK;
}

static sz_status method_startswith(sz_tcall *c, sz_tv *out) {
    return stands(c, true, out);
}
static sz_status method_endswith(sz_tcall *c, sz_tv *out) {
    return stands(c, false, out);
}

static sz_status remove_end(sz_tcall *c, bool front, sz_tv *out) {
    sz_tv s = c->arg[0], part;
    SZ_TRY(sz_targ_text(c, 1, &part));
    *out = s;
    if (stands_at_end(s, part, front))
        *out = sz_tv_text(s.u.s + (front ? part.n : 0), s.n - part.n);
    return SZ_OK;
}

static sz_status method_removeprefix(sz_tcall *c, sz_tv *out) {
    return remove_end(c, true, out);
}
static sz_status method_removesuffix(sz_tcall *c, sz_tv *out) {
    return remove_end(c, false, out);
}

static sz_status method_replace(sz_tcall *c, sz_tv *out) {
    sz_tv old, new;
    int64_t count;
    SZ_TRY(sz_targ_text(c, 1, &old));
    SZ_TRY(sz_targ_text(c, 2, &new));
    SZ_TRY(sz_targ_int(c, 3, -1, &count));
    return sz_text_replace(c->r, c->arg[0], old, new, count, out);
}

static sz_status method_format(sz_tcall *c, sz_tv *out) {
    return sz_tformat_braces(c->r, c->arg[0], c->rest, out);
}

const sz_tbuiltin sz_tmethods_text[] = {
    {"upper", method_upper, "self"},
    {"lower", method_lower, "self"},
    {"title", method_title, "self"},
    {"capitalize", method_capitalize, "self"},
    {"swapcase", method_swapcase, "self"},
    {"strip", method_strip, "self chars?"},
    {"lstrip", method_lstrip, "self chars?"},
    {"rstrip", method_rstrip, "self chars?"},
    {"center", method_center, "self width fillchar?"},
    {"ljust", method_ljust, "self width fillchar?"},
    {"rjust", method_rjust, "self width fillchar?"},
    {"zfill", method_zfill, "self width"},
    {"split", method_split, "self sep? maxsplit?"},
    {"rsplit", method_rsplit, "self sep? maxsplit?"},
    {"splitlines", method_splitlines, "self keepends?"},
    {"partition", method_partition, "self sep"},
    {"rpartition", method_rpartition, "self sep"},
    {"join", method_join, "self iterable"},
    {"find", method_find, "self sub start? end?"},
    {"rfind", method_rfind, "self sub start? end?"},
    {"index", method_index, "self sub start? end?"},
    {"rindex", method_rindex, "self sub start? end?"},
    {"count", method_count, "self sub start? end?"},
    {"startswith", method_startswith, "self prefix start? end?"},
    {"endswith", method_endswith, "self suffix start? end?"},
    {"removeprefix", method_removeprefix, "self prefix"},
    {"removesuffix", method_removesuffix, "self suffix"},
    {"replace", method_replace, "self old new count?"},
    {"format", method_format, "self *"},
    {0}};
