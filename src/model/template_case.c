/* template_case.c: upper, lower and title case of strings, as Python's str methods. */
#include "base/utf8.h"
#include "model/template_render.h"
#include "model/unicode_case.h"

enum { SIGMA = 0x3A3, FINAL_SIGMA = 0x3C2 };

static bool is_cased(uint32_t cp) {
    uint32_t upper[3], lower[3];
    return sz_unicode_upper(cp, upper) > 1 || upper[0] != cp || sz_unicode_lower(cp, lower) > 1 ||
           lower[0] != cp;
}

/* A capital sigma at the end of a word becomes another letter than elsewhere. */
static bool ends_word(sz_tv s, size_t next, bool after_letter) {
    return after_letter && (next == s.n || !is_cased(sz_text_next(s.u.s, s.n, &next)));
}

static int lower(sz_tv s, uint32_t cp, size_t next, bool after_letter, uint32_t *to) {
    if (cp != SIGMA || !ends_word(s, next, after_letter))
        return sz_unicode_lower(cp, to);
    to[0] = FINAL_SIGMA;
    return 1;
}

static int swapped(uint32_t cp, uint32_t *to) {
    int n = sz_unicode_lower(cp, to);
    return n > 1 || to[0] != cp ? n : sz_unicode_upper(cp, to);
}

/* A to Z and back, all that there is to do in most texts. */
static void change_ascii(char *s, size_t n, sz_tcase how) {
    char from = how == SZ_CASE_UPPER ? 'a' : 'A';
    for (size_t i = 0; i < n; i++)
        s[i] ^= s[i] >= from && s[i] <= from + 25 ? 0x20 : 0;
}

sz_status sz_text_case(sz_render *r, sz_tv s, sz_tcase how, sz_tv *out) {
    size_t from = r->scratch.len;
    bool after_letter = false;
    if (how <= SZ_CASE_LOWER && sz_text_length(s.u.s, s.n) == s.n) {
        SZ_TRY(sz_render_steps(r, s.n / 16));
        sz_buf_append(&r->scratch, s.u.s, s.n);
        if (!r->scratch.failed && s.n > 0)
            change_ascii(r->scratch.data + from, s.n, how);
        SZ_TRY(sz_render_take(r, from, out));
        out->flag = s.flag;
        return SZ_OK;
    }
    SZ_TRY(sz_render_steps(r, s.n));
    for (size_t at = 0; at < s.n;) {
        size_t start = at;
        uint32_t to[3], cp = sz_text_next(s.u.s, s.n, &at);
        bool first = how == SZ_CASE_CAPITALIZE || how == SZ_CASE_WORD
                         ? start == 0
                         : how == SZ_CASE_TITLE && !after_letter;
        int n = how == SZ_CASE_UPPER || (first && how == SZ_CASE_WORD) ? sz_unicode_upper(cp, to)
                : how == SZ_CASE_SWAP                                  ? swapped(cp, to)
                : first                                                ? sz_unicode_title(cp, to)
                        : lower(s, cp, at, after_letter, to);
        for (int i = 0; i < n; i++) {
            char bytes[4];
            sz_buf_append(&r->scratch, bytes, (size_t)sz_utf8_encode(to[i], bytes));
        }
        after_letter = how != SZ_CASE_UPPER && is_cased(cp);
    }
    SZ_TRY(sz_render_take(r, from, out));
    out->flag = s.flag;
    return SZ_OK;
}
