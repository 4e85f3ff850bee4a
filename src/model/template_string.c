/* template_string.c: characters of strings, searching, stripping, padding, reading numbers. */
#include <locale.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "model/template_render.h"

/* ---- Code points ---------------------------------------------------------------------------- */

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

/* ---- Searching ------------------------------------------------------------------------------ */

int64_t sz_text_find(sz_tv s, sz_tv part, size_t from, size_t to) {
    if (from > to || part.n > to - from)
        return -1;
    const char *found = part.n ? memmem(s.u.s + from, to - from, part.u.s, part.n) : s.u.s + from;
    return found ? found - s.u.s : -1;
}

/* Candidates are the places of the first byte, from behind; each costs steps, since all may begin
 * like `part`. */
sz_status sz_text_find_last(sz_render *r, sz_tv s, sz_tv part, size_t from, size_t to,
                            int64_t *out) {
    *out = -1;
    if (from > to || part.n > to - from)
        return SZ_OK;
    if (part.n == 0) {
        *out = (int64_t)to;
        return SZ_OK;
    }
    for (size_t end = to - part.n + 1; end > from;) {
        const char *found = memrchr(s.u.s + from, part.u.s[0], end - from);
        if (!found)
            break;
        end = (size_t)(found - s.u.s);
        SZ_TRY(sz_render_steps(r, 1 + part.n / 32));
        if (memcmp(found, part.u.s, part.n) == 0) {
            *out = (int64_t)end;
            break;
        }
    }
    return sz_render_steps(r, (to - from) / 64);
}

/* An empty `old` stands between all characters. */
sz_status sz_text_replace(sz_render *r, sz_tv s, sz_tv old, sz_tv new, int64_t count, sz_tv *out) {
    size_t from = r->scratch.len, at = 0;
    SZ_TRY(sz_render_steps(r, s.n / 32));
    for (; count != 0; count--) {
        int64_t found = sz_text_find(s, old, at, s.n);
        if (found < 0)
            break;
        SZ_TRY(sz_render_steps(r, 1));
        sz_buf_append(&r->scratch, s.u.s + at, (size_t)found - at);
        sz_buf_append(&r->scratch, new.u.s, new.n);
        at = (size_t)found + old.n;
        if (old.n > 0)
            continue;
        if (at == s.n)
            break;
        size_t next = at;
        sz_text_next(s.u.s, s.n, &next);
        sz_buf_append(&r->scratch, s.u.s + at, next - at);
        at = next;
    }
    sz_buf_append(&r->scratch, s.u.s + at, s.n - at);
    return sz_render_take(r, from, out);
}

/* ---- Ends ----------------------------------------------------------------------------------- */

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

sz_status sz_text_pad(sz_render *r, sz_tv s, int64_t width, sz_tv fill, sz_tpad how, sz_tv *out) {
    int64_t n = (int64_t)sz_text_length(s.u.s, s.n), missing = width > n ? width - n : 0;
    /* str.center puts the odd one out to the left where the width is odd */
    int64_t left = how == SZ_PAD_LEFT    ? missing
                   : how == SZ_PAD_RIGHT ? 0
                                         : missing / 2 + (missing & width & 1);
    sz_tv before, after;
    SZ_TRY(sz_render_steps(r, s.n / 64));
    SZ_TRY(sz_tv_binary(r, '*', fill, sz_tv_int(left), &before));
    SZ_TRY(sz_tv_binary(r, '*', fill, sz_tv_int(missing - left), &after));
    before.flag = after.flag = s.flag;
    SZ_TRY(sz_tv_concat(r, before, s, out));
    return sz_tv_concat(r, *out, after, out);
}

/* ---- Numbers --------------------------------------------------------------------------------- */

/* Digits with '_' between them, from s[*at], put to text without those; how many. */
static size_t copy_digits(const char *s, size_t n, size_t *at, char *text, size_t *used) {
    size_t from = *used;
    while (*at < n) {
        bool between = s[*at] == '_' && *used > from && *at + 1 < n && s[*at + 1] != '_';
        if (s[*at] >= '0' && s[*at] <= '9')
            text[(*used)++] = s[*at];
        else if (!between || s[*at + 1] < '0' || s[*at + 1] > '9')
            break;
        (*at)++;
    }
    return *used - from;
}

bool sz_text_to_double(const char *s, size_t n, double *out) {
    enum { LONGEST = 512 };
    char text[LONGEST + 16];
    size_t at = 0, used = 0;
    if (n > LONGEST)
        return false;
    size_t digits = copy_digits(s, n, &at, text, &used);
    if (at < n && s[at] == '.') {
        at++;
        for (const char *point = localeconv()->decimal_point; *point && used < n + 8; point++)
            text[used++] = *point;
        digits += copy_digits(s, n, &at, text, &used);
    }
    if (digits > 0 && at < n && (s[at] | 0x20) == 'e') {
        text[used++] = 'e';
        at++;
        if (at < n && (s[at] == '+' || s[at] == '-'))
            text[used++] = s[at++];
        digits = copy_digits(s, n, &at, text, &used);
    }
    text[used] = '\0';
    *out = strtod(text, NULL);
    return digits > 0 && at == n;
}
