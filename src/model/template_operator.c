/* template_operator.c: arithmetic, joining, repeating and comparing, as Python does. */
#include "model/template_builtin.h"

/* ---- Numbers -------------------------------------------------------------------------------- */

static sz_status overflow(void) {
    return sz_fail(SZ_E_LIMIT, "an integer is beyond 64 bits");
}

static double floor_of(double x) {
    if (!(x > -9e15 && x < 9e15) || x == 0) /* without fraction, or not finite */
        return x;
    double whole = (double)(int64_t)x;
    return whole > x ? whole - 1 : whole;
}

/* The remainder with the sign of b, exact: multiples of b are taken away, largest first. */
static double modulo(double a, double b) {
    double rest = a < 0 ? -a : a, unit = b < 0 ? -b : b;
    if (!(a - a == 0) || b != b)
        return a - a + b;
    if (!(b - b == 0))
        return (a < 0) == (b < 0) || a == 0 ? a : b;
    while (rest >= unit) {
        double multiple = unit;
        while (multiple <= rest / 2)
            multiple *= 2;
        rest -= multiple;
    }
    rest = a < 0 ? -rest : rest;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

static double power_of(double base, uint64_t exponent) {
    double result = 1;
    for (; exponent; exponent >>= 1, base *= base)
        result *= exponent & 1 ? base : 1;
    return result;
}

static sz_status power_floats(double a, double b, sz_tv *out) {
    double n = b < 0 ? -b : b;
    SZ_REQUIRE(a != 0 || b >= 0, SZ_E_FORMAT, "zero cannot be raised to a negative power");
    SZ_REQUIRE(b == 0.5 || (n == floor_of(n) && n < 1e15), SZ_E_UNSUPPORTED,
               "only whole powers and the root are there");
    double p = b == 0.5 ? __builtin_sqrt(a) : power_of(a, (uint64_t)n);
    *out = sz_tv_float(b < 0 ? 1 / p : p);
    return SZ_OK;
}

static sz_status power_integers(int64_t a, int64_t b, sz_tv *out) {
    int64_t p = 1;
    if (b < 0)
        return power_floats((double)a, (double)b, out);
    if (a == 0 || a == 1 || a == -1) {
        *out = sz_tv_int(b == 0 ? 1 : a == -1 && b % 2 == 0 ? 1 : a);
        return SZ_OK;
    }
    for (int64_t i = 0; i < b; i++)
        if (__builtin_mul_overflow(p, a, &p))
            return overflow();
    *out = sz_tv_int(p);
    return SZ_OK;
}

static sz_status divide_integers(uint16_t op, int64_t a, int64_t b, sz_tv *out) {
    SZ_REQUIRE(b != 0, SZ_E_FORMAT, "division by zero");
    if (op == '/') {
        *out = sz_tv_float((double)a / (double)b);
        return SZ_OK;
    }
    if (b == -1 && op == '%') {
        *out = sz_tv_int(0);
        return SZ_OK;
    }
    if (b == -1 && a == INT64_MIN)
        return overflow();
    int64_t quotient = a / b, rest = a % b;
    bool down = rest != 0 && (rest < 0) != (b < 0);
    *out = sz_tv_int(op == '%' ? (down ? rest + b : rest) : quotient - down);
    return SZ_OK;
}

static sz_status integers(uint16_t op, int64_t a, int64_t b, sz_tv *out) {
    int64_t v = 0;
    bool over = false;
    switch (op) {
    case '+':
        over = __builtin_add_overflow(a, b, &v);
        break;
    case '-':
        over = __builtin_sub_overflow(a, b, &v);
        break;
    case '*':
        over = __builtin_mul_overflow(a, b, &v);
        break;
    case SZ_OP('*', '*'):
        return power_integers(a, b, out);
    default:
        return divide_integers(op, a, b, out);
    }
    *out = sz_tv_int(v);
    return over ? overflow() : SZ_OK;
}

static sz_status floats(uint16_t op, double a, double b, sz_tv *out) {
    bool divides = op == '/' || op == '%' || op == SZ_OP('/', '/');
    SZ_REQUIRE(!divides || b != 0, SZ_E_FORMAT, "float division by zero");
    switch (op) {
    case '+':
        *out = sz_tv_float(a + b);
        return SZ_OK;
    case '-':
        *out = sz_tv_float(a - b);
        return SZ_OK;
    case '*':
        *out = sz_tv_float(a * b);
        return SZ_OK;
    case '/':
        *out = sz_tv_float(a / b);
        return SZ_OK;
    case '%':
        *out = sz_tv_float(modulo(a, b));
        return SZ_OK;
    case SZ_OP('*', '*'):
        return power_floats(a, b, out);
    default:
        *out = sz_tv_float(floor_of((a - modulo(a, b)) / b + 0.5));
        return SZ_OK;
    }
}

sz_status sz_tv_negate(sz_render *r, sz_tv a, sz_tv *out) {
    if (a.kind == SZ_T_FLOAT) {
        *out = sz_tv_float(-a.u.f);
        return SZ_OK;
    }
    if (sz_tv_is_integral(a))
        return integers('-', 0, sz_tv_integer(a), out);
    if (a.kind == SZ_T_UNDEFINED)
        return sz_tv_undefined_used(a);
    return sz_fail(SZ_E_FORMAT, "bad operand type for unary -: '%s'", sz_tv_type_name(a));
}

/* ---- Strings and lists ---------------------------------------------------------------------- */

/* A string that was joined last is joined again without copying it: where its end is that of a
 * buffer with room, the new part is written behind it. Earlier values see only their own length. */
static sz_status concat(sz_render *r, sz_tv a, sz_tv b, sz_tv *out) {
    size_t n = (size_t)a.n + b.n;
    SZ_REQUIRE(n <= UINT32_MAX / 2, SZ_E_LIMIT, "the text is too long");
    SZ_TRY(sz_render_steps(r, b.n / 64));
    int slot = -1;
    for (int i = 0; i < SZ_T_N_GROWING && a.n > 0; i++)
        if (r->growing[i].end == a.u.s + a.n)
            slot = i;
    char *start = slot >= 0 ? r->growing[slot].end - a.n : NULL;
    if (slot < 0 || r->growing[slot].room < b.n) {
        SZ_TRY(sz_render_steps(r, n / 64));
        SZ_TRY(sz_render_alloc(r, 2 * n, 1, &start));
        memcpy(start, a.u.s, a.n);
        if (slot < 0)
            slot = (int)(r->next_growing++ % SZ_T_N_GROWING);
        r->growing[slot].end = start + a.n;
        r->growing[slot].room = 2 * n - a.n;
    }
    memcpy(r->growing[slot].end, b.u.s, b.n);
    r->growing[slot].end += b.n;
    r->growing[slot].room -= b.n;
    *out = sz_tv_text(start, n);
    return SZ_OK;
}

sz_status sz_tv_concat(sz_render *r, sz_tv a, sz_tv b, sz_tv *out) {
    bool markup = a.flag || b.flag;
    if (markup && !a.flag)
        SZ_TRY(sz_tv_escape(r, a, &a));
    if (markup && !b.flag)
        SZ_TRY(sz_tv_escape(r, b, &b));
    if (a.n == 0 || b.n == 0)
        *out = a.n == 0 ? b : a;
    else
        SZ_TRY(concat(r, a, b, out));
    out->flag = markup;
    return SZ_OK;
}

static sz_status repeat_text(sz_render *r, sz_tv s, int64_t times, sz_tv *out) {
    char *copy;
    size_t n;
    if (times <= 0 || s.n == 0) {
        *out = sz_tv_text("", 0);
        return SZ_OK;
    }
    SZ_REQUIRE(!__builtin_mul_overflow((size_t)s.n, (size_t)times, &n) && n <= UINT32_MAX / 2,
               SZ_E_LIMIT, "a text repeated %lld times is too long", (long long)times);
    SZ_TRY(sz_render_alloc(r, n, 1, &copy));
    SZ_TRY(sz_render_steps(r, n / 64));
    for (size_t at = 0; at < n; at += s.n)
        memcpy(copy + at, s.u.s, s.n);
    *out = sz_tv_text(copy, n);
    return SZ_OK;
}

static sz_status join_lists(sz_render *r, const sz_tlist *a, const sz_tlist *b, sz_tv *out) {
    sz_tlist *l;
    SZ_TRY(sz_tlist_new(r, a->shape, (size_t)a->n + b->n, &l));
    SZ_TRY(sz_render_steps(r, ((uint64_t)a->n + b->n) / 8));
    if (a->n)
        memcpy(l->item, a->item, a->n * sizeof *l->item);
    if (b->n)
        memcpy(l->item + a->n, b->item, b->n * sizeof *l->item);
    l->n = a->n + b->n;
    *out = sz_tv_list(l);
    return SZ_OK;
}

static sz_status repeat_list(sz_render *r, const sz_tlist *a, int64_t times, sz_tv *out) {
    sz_tlist *l;
    size_t n = 0;
    bool fits = times <= 0 || !__builtin_mul_overflow((size_t)a->n, (size_t)times, &n);
    SZ_REQUIRE(fits && n <= UINT32_MAX / 32, SZ_E_LIMIT, "a list repeated %lld times is too long",
               (long long)times);
    SZ_TRY(sz_tlist_new(r, a->shape, n, &l));
    SZ_TRY(sz_render_steps(r, n / 8));
    while (l->n < n) {
        l->item[l->n] = a->item[l->n % a->n];
        l->n++;
    }
    *out = sz_tv_list(l);
    return SZ_OK;
}

static sz_status unsupported(uint16_t op, sz_tv a, sz_tv b) {
    if (a.kind == SZ_T_UNDEFINED || b.kind == SZ_T_UNDEFINED)
        return sz_tv_undefined_used(a.kind == SZ_T_UNDEFINED ? a : b);
    char sign[3] = {(char)op, (char)(op >> 8), '\0'};
    return sz_fail(SZ_E_FORMAT, "unsupported operand types for %s: '%s' and '%s'", sign,
                   sz_tv_type_name(a), sz_tv_type_name(b));
}

static sz_status multiply(sz_render *r, sz_tv a, sz_tv b, sz_tv *out) {
    if (sz_tv_is_integral(a)) {
        sz_tv times = a;
        a = b;
        b = times;
    }
    if (sz_tv_is_integral(b) && a.kind == SZ_T_STRING)
        return repeat_text(r, a, sz_tv_integer(b), out);
    if (sz_tv_is_integral(b) && sz_tv_is_joinable(a))
        return repeat_list(r, a.u.list, sz_tv_integer(b), out);
    return unsupported('*', a, b);
}

static sz_status format_percent(sz_render *r, sz_tv format, sz_tv values, sz_tv *out) {
    sz_targs args = {&values, 1, 0};
    if (sz_tv_is_tuple(values))
        args = (sz_targs){values.u.list->item, values.u.list->n, 0};
    return sz_tformat_percent(r, format, args, out);
}

sz_status sz_tv_binary(sz_render *r, uint16_t op, sz_tv a, sz_tv b, sz_tv *out) {
    if (op == '~') {
        SZ_TRY(sz_tv_str(r, a, &a));
        SZ_TRY(sz_tv_str(r, b, &b));
        a.flag = b.flag = 0;
        return sz_tv_concat(r, a, b, out);
    }
    if (sz_tv_is_integral(a) && sz_tv_is_integral(b))
        return integers(op, sz_tv_integer(a), sz_tv_integer(b), out);
    if (sz_tv_is_number(a) && sz_tv_is_number(b))
        return floats(op, sz_tv_number(a), sz_tv_number(b), out);
    if (op == '+' && a.kind == SZ_T_STRING && b.kind == SZ_T_STRING)
        return sz_tv_concat(r, a, b, out);
    if (op == '+' && sz_tv_is_joinable(a) && sz_tv_is_joinable(b) &&
        sz_tv_is_tuple(a) == sz_tv_is_tuple(b))
        return join_lists(r, a.u.list, b.u.list, out);
    if (op == '*')
        return multiply(r, a, b, out);
    if (op == '%' && a.kind == SZ_T_STRING)
        return format_percent(r, a, b, out);
    return unsupported(op, a, b);
}

sz_status sz_tv_compare(sz_render *r, uint16_t op, sz_tv a, sz_tv b, bool *out) {
    int order = 0;
    switch (op) {
    case SZ_OP('=', '='):
        return sz_tv_equal(r, a, b, out);
    case SZ_OP('!', '='):
        SZ_TRY(sz_tv_equal(r, a, b, out));
        *out = !*out;
        return SZ_OK;
    case 'i':
        return sz_tv_contains(r, b, a, out);
    case 'n':
        SZ_TRY(sz_tv_contains(r, b, a, out));
        *out = !*out;
        return SZ_OK;
    default:
        break;
    }
    char sign[3] = {(char)op, (char)(op >> 8), '\0'};
    SZ_TRY(sz_tv_order(r, a, b, sign, &order));
    bool or_equal = op >> 8 == '=' && order == 0;
    *out = or_equal || ((op & 0xFF) == '<' ? order == -1 : order == 1);
    return SZ_OK;
}
