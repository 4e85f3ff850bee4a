/* template_method_is.c: questions to strings, answered by Unicode's properties of characters. */
#include "model/pattern.h"
#include "model/template_builtin.h"

sz_status sz_text_count_matches(sz_render *r, sz_tv s, const char *regex, size_t *out) {
    sz_pattern *pattern = NULL;
    sz_matcher *matcher = NULL;
    size_t start = 0, end = 0;
    *out = 0;
    SZ_TRY(sz_render_steps(r, 1000 + s.n)); /* compiling the pattern is the most of it */
    sz_status status = sz_pattern_new(regex, &pattern);
    if (status == SZ_OK)
        status = sz_matcher_new(&matcher);
    while (status == SZ_OK && end < s.n) {
        status = sz_pattern_next(pattern, matcher, s.u.s, s.n, end, &start, &end);
        *out += status == SZ_OK;
    }
    sz_matcher_free(matcher);
    sz_pattern_free(pattern);
    return status == SZ_END ? SZ_OK : status;
}

static sz_status matches(sz_tcall *c, const char *regex, sz_tv *out) {
    size_t n;
    SZ_TRY(sz_text_count_matches(c->r, c->arg[0], regex, &n));
    *out = sz_tv_bool(n > 0);
    return SZ_OK;
}

static sz_status method_isalpha(sz_tcall *c, sz_tv *out) {
    return matches(c, "\\A\\p{L}+\\z", out);
}
static sz_status method_isdecimal(sz_tcall *c, sz_tv *out) {
    return matches(c, "\\A\\p{Nd}+\\z", out);
}
static sz_status method_isdigit(sz_tcall *c, sz_tv *out) { /* superscripts and circled ones too */
    return matches(c,
                   "\\A[\\p{Nd}\\x{B2}\\x{B3}\\x{B9}\\x{2070}\\x{2074}-\\x{2079}\\x{2080}-\\x{2089}"
                   "\\x{2460}-\\x{2468}]+\\z",
                   out);
}
static sz_status method_isnumeric(sz_tcall *c, sz_tv *out) {
    return matches(c, "\\A\\p{N}+\\z", out);
}
static sz_status method_isalnum(sz_tcall *c, sz_tv *out) {
    return matches(c, "\\A[\\p{L}\\p{N}]+\\z", out);
}
static sz_status method_isupper(sz_tcall *c, sz_tv *out) {
    return matches(c, "\\A[^\\p{Ll}\\p{Lt}]*\\p{Lu}[^\\p{Ll}\\p{Lt}]*\\z", out);
}
static sz_status method_islower(sz_tcall *c, sz_tv *out) {
    return matches(c, "\\A[^\\p{Lu}\\p{Lt}]*\\p{Ll}[^\\p{Lu}\\p{Lt}]*\\z", out);
}
static sz_status method_isidentifier(sz_tcall *c, sz_tv *out) {
    return matches(c, "\\A[\\p{L}\\p{Nl}_][\\p{L}\\p{Nl}_\\p{Mn}\\p{Mc}\\p{Nd}\\p{Pc}]*\\z", out);
}

static sz_status method_isspace(sz_tcall *c, sz_tv *out) {
    sz_tv s = c->arg[0];
    *out = sz_tv_bool(s.n > 0 && sz_text_strip(s, NULL, true, false).n == 0);
    return sz_render_steps(c->r, s.n / 4);
}

static sz_status method_isascii(sz_tcall *c, sz_tv *out) {
    sz_tv s = c->arg[0];
    *out = sz_tv_bool(sz_text_length(s.u.s, s.n) == s.n);
    return sz_render_steps(c->r, s.n / 64);
}

/* Capitals only where a word begins, and there always. */
static sz_status method_istitle(sz_tcall *c, sz_tv *out) {
    sz_tv title;
    bool equal;
    size_t cased;
    SZ_TRY(sz_text_case(c->r, c->arg[0], SZ_CASE_TITLE, &title));
    SZ_TRY(sz_tv_equal(c->r, title, c->arg[0], &equal));
    SZ_TRY(sz_text_count_matches(c->r, c->arg[0], "[\\p{Lu}\\p{Lt}\\p{Ll}]", &cased));
    *out = sz_tv_bool(equal && cased > 0);
    return SZ_OK;
}

const sz_tbuiltin sz_tmethods_text_is[] = {
    {"isalpha", method_isalpha, "self"},           {"isdecimal", method_isdecimal, "self"},
    {"isdigit", method_isdigit, "self"},           {"isnumeric", method_isnumeric, "self"},
    {"isalnum", method_isalnum, "self"},           {"isupper", method_isupper, "self"},
    {"islower", method_islower, "self"},           {"istitle", method_istitle, "self"},
    {"isspace", method_isspace, "self"},           {"isascii", method_isascii, "self"},
    {"isidentifier", method_isidentifier, "self"}, {0}};
