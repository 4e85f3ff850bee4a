/* template_format.c: "%s" % x and "{}".format(x), as Python does both. */
#include <stdlib.h>

#include "model/template_builtin.h"

/* What a conversion is asked for, by either way of formatting. */
typedef struct spec {
    sz_tv fill;
    char align; /* '<', '>', '^', '='; 0: by type */
    char sign;  /* '+', ' ', or 0: only of negative numbers */
    bool alternate, thousands;
    int64_t width, precision; /* precision -1: none */
    char type;                /* 0: str() */
} spec;

enum { MAX_FIELD = 100000, MAX_PRECISION = 100 };

/* ---- One value ------------------------------------------------------------------------------ */

/* Sign and prefix stay in front where the filling goes between. */
static sz_status pad_field(sz_render *r, const spec *f, sz_tv head, sz_tv body, bool is_number,
                           sz_tv *out) {
    char align = f->align ? f->align : is_number ? '>' : '<';
    if (align == '=') {
        SZ_TRY(sz_text_pad(r, body, f->width - head.n, f->fill, SZ_PAD_LEFT, &body));
        return sz_tv_concat(r, head, body, out);
    }
    SZ_TRY(sz_tv_concat(r, head, body, &body));
    if (align != '^')
        return sz_text_pad(r, body, f->width, f->fill, align == '<' ? SZ_PAD_RIGHT : SZ_PAD_LEFT,
                           out);
    int64_t missing = f->width - (int64_t)sz_text_length(body.u.s, body.n);
    if (missing > 1) /* an odd one out goes to the right */
        SZ_TRY(sz_text_pad(r, body, f->width - missing + missing / 2, f->fill, SZ_PAD_LEFT, &body));
    return sz_text_pad(r, body, f->width, f->fill, SZ_PAD_RIGHT, out);
}

static void put_thousands(sz_buf *b, const char *digits, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            sz_buf_putc(b, ',');
        sz_buf_putc(b, digits[i]);
    }
}

static sz_status format_integer(sz_render *r, const spec *f, int64_t v, sz_tv *out) {
    uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    char digits[72], head[4] = "";
    int n = 0, base = f->type == 'x' || f->type == 'X' ? 16
                      : f->type == 'o'                 ? 8
                      : f->type == 'b'                 ? 2
                                                       : 10;
    const char *alphabet = f->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    do
        digits[sizeof digits - 1 - (size_t)n++] = alphabet[magnitude % (uint64_t)base];
    while (magnitude /= (uint64_t)base);
    if (v < 0 || f->sign)
        head[0] = v < 0 ? '-' : f->sign;
    if (f->alternate && base != 10)
        snprintf(head + strlen(head), 3, "0%c", f->type);
    size_t from = r->scratch.len;
    const char *first = digits + sizeof digits - n;
    if (f->thousands && base == 10)
        put_thousands(&r->scratch, first, (size_t)n);
    else
        sz_buf_append(&r->scratch, first, (size_t)n);
    sz_tv body, head_copy;
    SZ_TRY(sz_render_take(r, from, &body));
    sz_buf_puts(&r->scratch, head);
    SZ_TRY(sz_render_take(r, from, &head_copy));
    return pad_field(r, f, head_copy, body, true, out);
}

/* printf's text of x >= 0, with '.' whatever the locale's decimal point is. */
static void put_plain_float(sz_buf *b, const spec *f, double x) {
    char text[512], format[8] = "%.*f";
    int precision = f->precision < 0 ? 6 : (int)f->precision;
    bool percent = f->type == '%';
    format[3] = percent ? 'f' : f->type;
    snprintf(text, sizeof text, format, precision, percent ? x * 100 : x);
    size_t n = strcspn(text, "0123456789"), whole = n + strspn(text + n, "0123456789");
    if (f->thousands && n == 0)
        put_thousands(b, text, whole);
    else
        sz_buf_append(b, text, whole);
    size_t rest = whole + strcspn(text + whole, "0123456789e");
    if (rest > whole && text[rest])
        sz_buf_putc(b, '.');
    sz_buf_puts(b, text + rest);
    if (percent)
        sz_buf_putc(b, '%');
}

static sz_status format_float(sz_render *r, const spec *f, double x, sz_tv *out) {
    bool negative = __builtin_signbit(x) && x == x;
    size_t from = r->scratch.len;
    double magnitude = negative ? -x : x;
    if (!(x - x == 0) || (f->type == 0 && f->precision < 0))
        sz_tv_put_float(&r->scratch, magnitude);
    else if (f->type == 0) {
        spec general = *f;
        general.type = 'g';
        put_plain_float(&r->scratch, &general, magnitude);
    } else
        put_plain_float(&r->scratch, f, magnitude);
    sz_tv body;
    SZ_TRY(sz_render_take(r, from, &body));
    sz_tv head = negative         ? sz_tv_text("-", 1)
                 : f->sign == '+' ? sz_tv_text("+", 1)
                 : f->sign        ? sz_tv_text(" ", 1)
                                  : sz_tv_text("", 0);
    return pad_field(r, f, head, body, true, out);
}

static sz_status format_text(sz_render *r, const spec *f, sz_tv s, sz_tv *out) {
    if (f->precision >= 0)
        s = sz_tv_text(s.u.s, sz_text_offset(s.u.s, s.n, (size_t)f->precision));
    return pad_field(r, f, sz_tv_text("", 0), s, false, out);
}

static sz_status repr_of(sz_render *r, sz_tv v, sz_tv *out) {
    size_t from = r->scratch.len;
    SZ_TRY(sz_tv_put_repr(r, &r->scratch, v, 0));
    return sz_render_take(r, from, out);
}

static bool is_one_of(char c, const char *set) {
    return c && strchr(set, c);
}

static sz_status check_size(const spec *f) {
    SZ_REQUIRE(f->width <= MAX_FIELD, SZ_E_LIMIT, "a field of %lld characters is too wide",
               (long long)f->width);
    SZ_REQUIRE(f->precision <= MAX_PRECISION || f->type == 0 || f->type == 's', SZ_E_LIMIT,
               "a precision of %lld is too high", (long long)f->precision);
    return SZ_OK;
}

/* ---- "%s" ----------------------------------------------------------------------------------- */

typedef struct reader {
    sz_render *r;
    const char *s;
    size_t n, at;
    sz_targs args;
    uint32_t used; /* of args */
    bool by_name;
} reader;

static sz_status next_value(reader *p, sz_tv *out) {
    SZ_REQUIRE(p->used < p->args.n, SZ_E_FORMAT, "not enough arguments for format string");
    *out = p->args.value[p->used++];
    return SZ_OK;
}

/* Digits, or with `star` the next value. */
static sz_status read_number(reader *p, int64_t *out) {
    if (p->at < p->n && p->s[p->at] == '*') {
        sz_tv v;
        p->at++;
        SZ_TRY(next_value(p, &v));
        SZ_REQUIRE(sz_tv_is_integral(v), SZ_E_FORMAT, "* wants int");
        *out = sz_tv_integer(v);
        return SZ_OK;
    }
    while (p->at < p->n && p->s[p->at] >= '0' && p->s[p->at] <= '9') {
        *out = *out < 0 ? 0 : *out;
        *out = *out > MAX_FIELD ? *out : 10 * *out + (p->s[p->at] - '0');
        p->at++;
    }
    return SZ_OK;
}

/* The name in "%(name)s": its value among the keywords or in the one mapping given. */
static sz_status read_name(reader *p, sz_tv *out) {
    const char *close = memchr(p->s + p->at, ')', p->n - p->at);
    SZ_REQUIRE(close, SZ_E_FORMAT, "incomplete format key");
    size_t n = (size_t)(close - p->s) - p->at;
    const sz_tv *v = sz_targs_keyword(&p->args, p->s + p->at, n);
    if (!v && p->args.n == 1 && p->args.value[0].kind == SZ_T_DICT) {
        const sz_tentry *e = sz_tdict_find_text(p->args.value[0].u.dict, p->s + p->at, n);
        v = e ? &e->value : NULL;
    }
    SZ_REQUIRE(v, SZ_E_FORMAT, "format: no value is named '%.*s'", (int)n, p->s + p->at);
    p->at += n + 1;
    p->by_name = true;
    *out = *v;
    return SZ_OK;
}

static void read_flags(reader *p, spec *f) {
    for (; p->at < p->n && is_one_of(p->s[p->at], "-+ 0#"); p->at++) {
        char c = p->s[p->at];
        f->align = c == '-' ? '<' : f->align;
        f->sign = c == '+' || (c == ' ' && !f->sign) ? c : f->sign;
        f->alternate |= c == '#';
        if (c == '0' && f->align != '<') {
            f->fill = sz_tv_text("0", 1);
            f->align = '=';
        }
    }
    if (f->align == '<')
        f->fill = sz_tv_text(" ", 1);
}

static sz_status put_converted(reader *p, spec *f, sz_tv v, sz_tv *out) {
    if (f->type == 's' || f->type == 'r' || f->type == 'a') {
        sz_tv s;
        SZ_TRY(f->type == 's' ? sz_tv_str(p->r, v, &s) : repr_of(p->r, v, &s));
        f->fill = sz_tv_text(" ", 1);
        f->align = f->align == '<' ? '<' : '>';
        return format_text(p->r, f, s, out);
    }
    if (f->type == 'c' && v.kind == SZ_T_STRING)
        return format_text(p->r, f, v, out);
    if (v.kind == SZ_T_UNDEFINED)
        return sz_tv_undefined_used(v);
    SZ_REQUIRE(sz_tv_is_number(v), SZ_E_FORMAT, "%%%c format: a real number is required, not %s",
               f->type, sz_tv_type_name(v));
    if (is_one_of(f->type, "eEfFgG"))
        return format_float(p->r, f, sz_tv_number(v), out);
    SZ_REQUIRE(is_one_of(f->type, "diuxXo"), SZ_E_FORMAT, "unsupported format character '%c'",
               f->type);
    double whole = sz_tv_number(v);
    SZ_REQUIRE(v.kind != SZ_T_FLOAT || is_one_of(f->type, "diu"), SZ_E_FORMAT,
               "%%%c format: an integer is required, not float", f->type);
    SZ_REQUIRE(v.kind != SZ_T_FLOAT || (whole > -9.2e18 && whole < 9.2e18), SZ_E_LIMIT,
               "an integer is beyond 64 bits");
    return format_integer(p->r, f, v.kind == SZ_T_FLOAT ? (int64_t)whole : sz_tv_integer(v), out);
}

/* Behind a '%'. */
static sz_status put_percent(reader *p) {
    spec f = {.fill = sz_tv_text(" ", 1), .precision = -1};
    sz_tv v = {0}, text;
    if (p->at < p->n && p->s[p->at] == '%') {
        p->at++;
        sz_buf_putc(&p->r->scratch, '%');
        return SZ_OK;
    }
    if (p->at < p->n && p->s[p->at] == '(') {
        p->at++;
        SZ_TRY(read_name(p, &v));
    }
    read_flags(p, &f);
    SZ_TRY(read_number(p, &f.width));
    if (p->at < p->n && p->s[p->at] == '.') {
        p->at++;
        f.precision = 0;
        SZ_TRY(read_number(p, &f.precision));
    }
    SZ_REQUIRE(p->at < p->n, SZ_E_FORMAT, "incomplete format");
    f.type = p->s[p->at++];
    SZ_TRY(check_size(&f));
    SZ_TRY(sz_render_steps(p->r, 50));
    if (v.kind == SZ_T_ABSENT)
        SZ_TRY(next_value(p, &v));
    SZ_TRY(put_converted(p, &f, v, &text));
    sz_buf_append(&p->r->scratch, text.u.s, text.n);
    return SZ_OK;
}

sz_status sz_tformat_percent(sz_render *r, sz_tv format, sz_targs args, sz_tv *out) {
    reader p = {.r = r, .s = format.u.s, .n = format.n, .args = args};
    size_t from = r->scratch.len;
    SZ_TRY(sz_render_steps(r, format.n / 8));
    while (p.at < p.n) {
        char c = p.s[p.at++];
        if (c == '%')
            SZ_TRY(put_percent(&p));
        else
            sz_buf_putc(&r->scratch, c);
    }
    bool mapping =
        args.n == 1 && (args.value[0].kind == SZ_T_DICT || /* what has items */
                        args.value[0].kind == SZ_T_UNDEFINED ||
                        (args.value[0].kind == SZ_T_LIST && !sz_tv_is_tuple(args.value[0])));
    SZ_REQUIRE(p.by_name || mapping || p.used == args.n, SZ_E_FORMAT,
               "not all arguments converted during string formatting");
    return sz_render_take(r, from, out);
}

/* ---- "{}" ----------------------------------------------------------------------------------- */

static sz_status read_spec(reader *p, size_t end, spec *f) {
    size_t next = p->at;
    if (p->at < end) {
        sz_text_next(p->s, end, &next);
        if (next < end && is_one_of(p->s[next], "<>^=")) {
            f->fill = sz_tv_text(p->s + p->at, next - p->at);
            p->at = next;
        }
    }
    if (p->at < end && is_one_of(p->s[p->at], "<>^="))
        f->align = p->s[p->at++];
    if (p->at < end && is_one_of(p->s[p->at], "+- ")) {
        f->sign = p->s[p->at] == '-' ? 0 : p->s[p->at];
        p->at++;
    }
    if (p->at < end && p->s[p->at] == '#') {
        f->alternate = true;
        p->at++;
    }
    if (p->at < end && p->s[p->at] == '0' && !f->align) {
        f->fill = sz_tv_text("0", 1);
        f->align = '=';
    }
    SZ_TRY(read_number(p, &f->width));
    if (p->at < end && (p->s[p->at] == ',' || p->s[p->at] == '_'))
        f->thousands = p->s[p->at++] == ',';
    if (p->at < end && p->s[p->at] == '.') {
        p->at++;
        SZ_TRY(read_number(p, &f->precision));
    }
    f->type = p->at < end ? p->s[p->at++] : 0;
    SZ_REQUIRE(p->at == end, SZ_E_FORMAT, "invalid format specifier");
    return check_size(f);
}

static sz_status format_value(sz_render *r, spec *f, sz_tv v, sz_tv *out) {
    bool integral = v.kind == SZ_T_INT || (v.kind == SZ_T_BOOL && f->type && f->type != 's');
    if (integral && (!f->type || is_one_of(f->type, "dnxXob")))
        return format_integer(r, f, sz_tv_integer(v), out);
    if ((integral && is_one_of(f->type, "eEfFgG%")) ||
        (v.kind == SZ_T_FLOAT && (!f->type || is_one_of(f->type, "eEfFgGn%")))) {
        f->type = f->type == 'n' ? 'g' : f->type;
        return format_float(r, f, sz_tv_number(v), out);
    }
    SZ_REQUIRE(!f->type || f->type == 's', SZ_E_FORMAT,
               "Unknown format code '%c' for object of type '%s'", f->type, sz_tv_type_name(v));
    if (v.kind == SZ_T_UNDEFINED && f->width == 0)
        *out = sz_tv_text("", 0);
    SZ_TRY(sz_tv_str(r, v, &v));
    return format_text(r, f, v, out);
}

/* The value that "0.name[key]" names. */
static sz_status read_field(reader *p, size_t end, sz_tv *out) {
    size_t from = p->at, n;
    while (p->at < end && !is_one_of(p->s[p->at], ".["))
        p->at++;
    n = p->at - from;
    int64_t index = -1;
    size_t at = p->at;
    p->at = from;
    if (n > 0 && p->s[from] >= '0' && p->s[from] <= '9')
        SZ_TRY(read_number(p, &index));
    bool numbered = index >= 0 && p->at == at;
    p->at = at;
    const sz_tv *named = n > 0 && !numbered ? sz_targs_keyword(&p->args, p->s + from, n) : NULL;
    if (n == 0)
        SZ_TRY(next_value(p, out));
    else if (numbered && index < p->args.n)
        *out = p->args.value[index];
    else if (named)
        *out = *named;
    else
        return sz_fail(SZ_E_FORMAT, "format: no argument for '{%.*s}'", (int)n, p->s + from);
    while (p->at < end) {
        bool item = p->s[p->at++] == '[';
        size_t start = p->at;
        while (p->at < end && (item ? p->s[p->at] != ']' : !is_one_of(p->s[p->at], ".[")))
            p->at++;
        sz_tv key = sz_tv_text(p->s + start, p->at - start);
        p->at += item && p->at < end;
        SZ_TRY(item ? sz_tv_path(p->r, *out, key, out) : sz_tv_attribute(p->r, *out, key, out));
    }
    return SZ_OK;
}

/* Behind a '{', up to and with its '}'. */
static sz_status put_field(reader *p) {
    const char *close = memchr(p->s + p->at, '}', p->n - p->at);
    SZ_REQUIRE(close, SZ_E_FORMAT, "expected '}' before end of string");
    size_t end = (size_t)(close - p->s);
    const char *colon = memchr(p->s + p->at, ':', end - p->at);
    size_t name_end = colon ? (size_t)(colon - p->s) : end;
    const char *bang = memchr(p->s + p->at, '!', name_end - p->at);
    char conversion = bang && bang + 1 < p->s + name_end ? bang[1] : 0;
    spec f = {.fill = sz_tv_text(" ", 1), .precision = -1};
    sz_tv v, text;
    SZ_TRY(read_field(p, bang ? (size_t)(bang - p->s) : name_end, &v));
    if (conversion)
        SZ_TRY(conversion == 's' ? sz_tv_str(p->r, v, &v) : repr_of(p->r, v, &v));
    p->at = colon ? name_end + 1 : end;
    SZ_TRY(read_spec(p, end, &f));
    SZ_TRY(sz_render_steps(p->r, 50));
    SZ_TRY(format_value(p->r, &f, v, &text));
    sz_buf_append(&p->r->scratch, text.u.s, text.n);
    p->at = end + 1;
    return SZ_OK;
}

sz_status sz_tformat_braces(sz_render *r, sz_tv format, sz_targs args, sz_tv *out) {
    reader p = {.r = r, .s = format.u.s, .n = format.n, .args = args};
    size_t from = r->scratch.len;
    SZ_TRY(sz_render_steps(r, format.n / 8));
    while (p.at < p.n) {
        char c = p.s[p.at++];
        bool twice = (c == '{' || c == '}') && p.at < p.n && p.s[p.at] == c;
        p.at += twice;
        SZ_REQUIRE(c != '}' || twice, SZ_E_FORMAT, "Single '}' encountered in format string");
        if (c == '{' && !twice)
            SZ_TRY(put_field(&p));
        else
            sz_buf_putc(&r->scratch, c);
    }
    return sz_render_take(r, from, out);
}
