/* template_filter_value.c: defaults, numbers and JSON. */
#include <stdlib.h>

#include "model/template_builtin.h"

static sz_status filter_default(sz_tcall *c, sz_tv *out) {
    bool missing =
        c->arg[0].kind == SZ_T_UNDEFINED || (sz_targ_bool(c, 2) && !sz_tv_truth(c->arg[0]));
    *out = !missing ? c->arg[0] : c->arg[1].kind == SZ_T_ABSENT ? sz_tv_text("", 0) : c->arg[1];
    return SZ_OK;
}

/* ---- Numbers -------------------------------------------------------------------------------- */

/* Digits of a base behind a sign; false if the text is not such a number. *big: beyond 64 bits. */
static bool read_digits(sz_tv s, int64_t base, int64_t *out, bool *big) {
    bool negative = s.n > 0 && s.u.s[0] == '-', after_digit = false;
    uint32_t i = s.n > 0 && (s.u.s[0] == '-' || s.u.s[0] == '+');
    if (s.n - i > 2 && s.u.s[i] == '0') {
        int mark = s.u.s[i + 1] | 0x20;
        i += (mark == 'x' && base == 16) || (mark == 'o' && base == 8) || (mark == 'b' && base == 2)
                 ? 2
                 : 0;
    }
    int64_t v = 0;
    for (; i < s.n; i++) {
        int c = s.u.s[i], lower = c | 0x20;
        int digit = c >= '0' && c <= '9'           ? c - '0'
                    : lower >= 'a' && lower <= 'z' ? lower - 'a' + 10
                                                   : 99;
        bool underscore = c == '_' && after_digit && i + 1 < s.n;
        if (!underscore && digit >= base)
            return false;
        *big |= !underscore &&
                (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v));
        after_digit = !underscore;
    }
    *out = negative && !*big ? -v : v;
    return after_digit;
}

/* A text that float() of Python reads. */
static bool read_float(sz_render *r, sz_tv s, double *out) {
    bool negative = s.n > 0 && s.u.s[0] == '-', sign = negative || (s.n > 0 && s.u.s[0] == '+');
    sz_tv rest = sz_tv_text(s.u.s + sign, s.n - sign), low;
    if (rest.n > 8 || sz_text_case(r, rest, SZ_CASE_LOWER, &low) != SZ_OK)
        low = rest;
    bool infinite = sz_text_equal(low, "inf") || sz_text_equal(low, "infinity");
    if (infinite || sz_text_equal(low, "nan"))
        *out = infinite ? __builtin_inf() : __builtin_nan("");
    else if (!sz_text_to_double(rest.u.s, rest.n, out))
        return false;
    *out = negative ? -*out : *out;
    return true;
}

static bool fits_integer(double f) {
    return f > -9.2e18 && f < 9.2e18;
}

static sz_status filter_int(sz_tcall *c, sz_tv *out) {
    sz_tv v = c->arg[0];
    int64_t base, i;
    double f = 0;
    bool big = false, is_float = v.kind == SZ_T_FLOAT;
    SZ_TRY(sz_targ_int(c, 2, 10, &base));
    *out = c->arg[1].kind == SZ_T_ABSENT ? sz_tv_int(0) : c->arg[1];
    if (v.kind == SZ_T_UNDEFINED)
        return sz_tv_undefined_used(v);
    if (sz_tv_is_integral(v))
        *out = sz_tv_int(sz_tv_integer(v));
    else if (is_float)
        f = v.u.f;
    else if (v.kind == SZ_T_STRING) {
        sz_tv s = sz_text_strip(v, NULL, true, true);
        if (read_digits(s, base, &i, &big))
            *out = sz_tv_int(i);
        else
            is_float = read_float(c->r, s, &f);
    }
    big |= is_float && f - f == 0 && !fits_integer(f);
    SZ_REQUIRE(!big, SZ_E_LIMIT, "int: the number is beyond 64 bits");
    if (is_float && f - f == 0)
        *out = sz_tv_int((int64_t)f);
    return SZ_OK;
}

static sz_status filter_float(sz_tcall *c, sz_tv *out) {
    sz_tv v = c->arg[0];
    double f;
    *out = c->arg[1].kind == SZ_T_ABSENT ? sz_tv_float(0) : c->arg[1];
    if (v.kind == SZ_T_UNDEFINED)
        return sz_tv_undefined_used(v);
    if (sz_tv_is_number(v))
        *out = sz_tv_float(sz_tv_number(v));
    else if (v.kind == SZ_T_STRING && read_float(c->r, sz_text_strip(v, NULL, true, true), &f))
        *out = sz_tv_float(f);
    return SZ_OK;
}

static sz_status filter_abs(sz_tcall *c, sz_tv *out) {
    sz_tv negative;
    SZ_TRY(sz_tv_negate(c->r, c->arg[0], &negative));
    bool below = sz_tv_number(c->arg[0]) < 0;
    *out = below ? negative : c->arg[0].kind == SZ_T_BOOL ? sz_tv_int(c->arg[0].u.b) : c->arg[0];
    return SZ_OK;
}

/* f to so many decimals, halves by the exact value of f. */
static double round_decimals(double f, int64_t precision) {
    char text[400 + 64];
    if (!(f - f == 0) || precision > 300)
        return f;
    if (precision >= 0) {
        snprintf(text, sizeof text, "%.*f", (int)precision, f);
        return strtod(text, NULL);
    }
    double unit = 1;
    for (int64_t i = precision; i < 0 && unit < 1e300; i++)
        unit *= 10;
    snprintf(text, sizeof text, "%.0f", f / unit);
    return strtod(text, NULL) * unit;
}

static sz_status filter_round(sz_tcall *c, sz_tv *out) {
    sz_tv v = c->arg[0], method, whole;
    int64_t precision;
    SZ_TRY(sz_targ_int(c, 1, 0, &precision));
    SZ_TRY(sz_targ_str(c, 2, "common", &method));
    bool up = sz_text_equal(method, "ceil"), down = sz_text_equal(method, "floor");
    if (!up && !down && !sz_text_equal(method, "common"))
        return SZ_FAIL_CALL(c, "method must be common, ceil or floor");
    SZ_TRY(sz_tv_negate(c->r, v, &whole)); /* an error where v is no number */
    *out = v.kind == SZ_T_BOOL ? sz_tv_int(v.u.b) : v;
    if (!up && !down) {
        if (v.kind == SZ_T_FLOAT)
            *out = sz_tv_float(round_decimals(v.u.f, precision));
        else if (precision < 0)
            *out = sz_tv_int((int64_t)round_decimals(sz_tv_number(v), precision));
        return SZ_OK;
    }
    double unit = 1;
    for (int64_t i = precision < 0 ? -precision : precision; i > 0 && unit < 1e300; i--)
        unit *= 10;
    double scaled = precision < 0 ? sz_tv_number(v) / unit : sz_tv_number(v) * unit;
    sz_tv one = sz_tv_float(up ? -1 : 1), floored;
    SZ_TRY(sz_tv_binary(c->r, SZ_OP('/', '/'), sz_tv_float(scaled), one, &floored));
    double rounded = up ? -floored.u.f : floored.u.f;
    *out = sz_tv_float(precision < 0 ? rounded * unit : rounded / unit);
    return SZ_OK;
}

/* ---- JSON ----------------------------------------------------------------------------------- */

/* (item, key) */
static sz_status read_separators(const sz_tcall *c, sz_tv v, sz_tjson_style *style) {
    sz_tlist pair;
    SZ_TRY(sz_tv_iterate(c->r, v, &pair));
    if (pair.n != 2 || pair.item[0].kind != SZ_T_STRING || pair.item[1].kind != SZ_T_STRING)
        return SZ_FAIL_CALL(c, "separators must be two strings");
    style->item_separator = pair.item[0];
    style->key_separator = pair.item[1];
    return SZ_OK;
}

/* As transformers overrides it: nothing is escaped for HTML, and json.dumps has its options. */
static sz_status filter_tojson(sz_tcall *c, sz_tv *out) {
    sz_tjson_style style = {.ascii = sz_targ_bool(c, 1),
                            .indented = sz_targ_given(c, 2),
                            .sort = sz_targ_bool(c, 4),
                            .key_separator = sz_tv_text(": ", 2)};
    style.item_separator = style.indented ? sz_tv_text(",", 1) : sz_tv_text(", ", 2);
    style.indent = c->arg[2];
    if (style.indented && style.indent.kind != SZ_T_STRING) {
        int64_t width;
        SZ_TRY(sz_targ_int(c, 2, 0, &width));
        SZ_TRY(sz_tv_binary(c->r, '*', sz_tv_text(" ", 1), sz_tv_int(width), &style.indent));
    }
    if (sz_targ_given(c, 3))
        SZ_TRY(read_separators(c, c->arg[3], &style));
    size_t from = c->r->scratch.len;
    SZ_TRY(sz_tjson_put(c->r, &c->r->scratch, c->arg[0], &style));
    return sz_render_take(c->r, from, out);
}

const sz_tbuiltin sz_tfilters_value[] = {
    {"default", filter_default, "value default_value? boolean?"},
    {"d", filter_default, "value default_value? boolean?"},
    {"int", filter_int, "value default? base?"},
    {"float", filter_float, "value default?"},
    {"abs", filter_abs, "x"},
    {"round", filter_round, "value precision? method?"},
    {"tojson", filter_tojson, "x ensure_ascii? indent? separators? sort_keys?"},
    {0}};
