/* template_operator.c: arithmetic, comparisons, attributes, items and slices, as Python does. */
#include "model/template_parts.h"

/* ---- Numbers -----------------------------------------------------------------------------------
 */

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

/* ---- Strings and lists -------------------------------------------------------------------------
 */

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

static bool is_joinable(sz_tv v) {
    return v.kind == SZ_T_LIST && (sz_tv_is_tuple(v) || v.u.list->shape == SZ_T_IS_LIST);
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
    if (sz_tv_is_integral(b) && is_joinable(a))
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
    if (op == '+' && is_joinable(a) && is_joinable(b) && sz_tv_is_tuple(a) == sz_tv_is_tuple(b))
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

/* ---- Attributes and items ----------------------------------------------------------------------
 */

static sz_tv missing(sz_tv object, sz_tv name) {
    return (sz_tv){
        .kind = SZ_T_UNDEFINED, .flag = object.kind, .n = name.n, .u.s = name.n ? name.u.s : ""};
}

/* The built-in method of that name, bound; *found false if the type has none. */
static sz_status find_method(sz_render *r, sz_tv object, sz_tv name, sz_tv *out, bool *found) {
    const sz_tbuiltin *b = NULL;
    if (object.kind == SZ_T_STRING) {
        b = sz_tbuiltin_find(sz_tmethods_text, name.u.s, name.n);
        b = b ? b : sz_tbuiltin_find(sz_tmethods_text_is, name.u.s, name.n);
    } else if (object.kind == SZ_T_LIST && is_joinable(object))
        b = sz_tbuiltin_find(sz_tmethods_list, name.u.s, name.n);
    else if (object.kind == SZ_T_DICT)
        b = sz_tbuiltin_find(sz_tmethods_dict, name.u.s, name.n);
    else if (object.kind == SZ_T_LOOP)
        b = sz_tbuiltin_find(sz_tmethods_loop, name.u.s, name.n);
    else if (object.kind == SZ_T_CYCLER)
        b = sz_tbuiltin_find(sz_tmethods_cycler, name.u.s, name.n);
    *found = b != NULL;
    if (!b)
        return SZ_OK;
    sz_tmethod *method;
    SZ_TRY(sz_render_alloc(r, 1, sizeof *method, &method));
    *method = (sz_tmethod){object, b};
    *out = (sz_tv){.kind = SZ_T_METHOD, .u.method = method};
    return SZ_OK;
}

static sz_status own_attribute(sz_tv object, sz_tv name, sz_tv *out) {
    const sz_tentry *e = NULL;
    *out = missing(object, name);
    if (object.kind == SZ_T_DICT || object.kind == SZ_T_NAMESPACE) {
        e = sz_tdict_find_text(object.u.dict, name.u.s, name.n);
        *out = e ? e->value : *out;
    } else if (object.kind == SZ_T_LOOP)
        sz_tloop_attribute(object.u.loop, name, out);
    else if (object.kind == SZ_T_CYCLER && sz_text_equal(name, "current"))
        *out = object.u.list->item[object.u.list->at];
    else if (object.kind == SZ_T_MACRO && sz_text_equal(name, "name"))
        *out = sz_tv_text(object.u.macro->node->name->s, object.u.macro->node->name->n);
    else if (sz_tv_is_shape(object, SZ_T_IS_GROUP) && sz_text_equal(name, "grouper"))
        *out = object.u.list->item[0];
    else if (sz_tv_is_shape(object, SZ_T_IS_GROUP) && sz_text_equal(name, "list"))
        *out = object.u.list->item[1];
    return SZ_OK;
}

sz_status sz_tv_attribute(sz_render *r, sz_tv object, sz_tv name, sz_tv *out) {
    bool found;
    if (object.kind == SZ_T_UNDEFINED)
        return sz_tv_undefined_used(object);
    if (object.kind == SZ_T_DICT)
        SZ_TRY(sz_render_steps(r, object.u.dict->n / 8));
    SZ_TRY(find_method(r, object, name, out, &found));
    return found ? SZ_OK : own_attribute(object, name, out);
}

static sz_status missing_index(sz_render *r, sz_tv object, sz_tv key, sz_tv *out) {
    sz_tv shown;
    SZ_TRY(sz_tv_str(r, key, &shown));
    *out = missing(object, shown);
    return SZ_OK;
}

static sz_status item_at(sz_render *r, sz_tv object, sz_tv key, sz_tv *out) {
    int64_t n, i = sz_tv_integer(key);
    SZ_TRY(sz_tv_length(r, object, &n));
    i += i < 0 ? n : 0;
    if (i < 0 || i >= n)
        return missing_index(r, object, key, out);
    if (object.kind == SZ_T_LIST) {
        *out = object.u.list->item[i];
        return SZ_OK;
    }
    size_t from = sz_text_offset(object.u.s, object.n, (size_t)i), to = from;
    sz_text_next(object.u.s, object.n, &to);
    *out = sz_tv_text(object.u.s + from, to - from);
    return SZ_OK;
}

static bool is_sequence(sz_tv v) {
    return v.kind == SZ_T_STRING || is_joinable(v) || sz_tv_is_shape(v, SZ_T_IS_RANGE);
}

sz_status sz_tv_item(sz_render *r, sz_tv object, sz_tv key, sz_tv *out) {
    if (object.kind == SZ_T_UNDEFINED)
        return sz_tv_undefined_used(object);
    if (object.kind == SZ_T_DICT) {
        sz_tentry *e;
        sz_status status = sz_tdict_find(r, object.u.dict, key, &e);
        if (status == SZ_E_FORMAT) /* a list is no key */
            return missing_index(r, object, key, out);
        SZ_TRY(status);
        if (e) {
            *out = e->value;
            return SZ_OK;
        }
    } else if (is_sequence(object) && sz_tv_is_integral(key))
        return item_at(r, object, key, out);
    if (key.kind == SZ_T_STRING)
        return sz_tv_attribute(r, object, key, out);
    return missing_index(r, object, key, out);
}

sz_status sz_tv_path(sz_render *r, sz_tv object, sz_tv path, sz_tv *out) {
    *out = object;
    if (path.kind != SZ_T_STRING)
        return sz_tv_item(r, object, path, out);
    for (size_t from = 0; from <= path.n;) {
        const char *dot = memchr(path.u.s + from, '.', path.n - from);
        size_t to = dot ? (size_t)(dot - path.u.s) : path.n;
        sz_tv key = sz_tv_text(path.u.s + from, to - from);
        int64_t index = 0;
        size_t digits = 0;
        while (digits < key.n && digits < 18 && key.u.s[digits] >= '0' && key.u.s[digits] <= '9')
            index = 10 * index + (key.u.s[digits++] - '0');
        if (key.n > 0 && digits == key.n)
            key = sz_tv_int(index);
        SZ_TRY(sz_tv_item(r, *out, key, out));
        from = to + 1;
    }
    return SZ_OK;
}

/* ---- Slices ------------------------------------------------------------------------------------
 */

static sz_status bound_of(sz_tv v, int64_t fallback, int64_t *out) {
    *out = sz_tv_is_integral(v) ? sz_tv_integer(v) : fallback;
    if (v.kind == SZ_T_UNDEFINED)
        return sz_tv_undefined_used(v);
    SZ_REQUIRE(sz_tv_is_integral(v) || v.kind == SZ_T_NONE || v.kind == SZ_T_ABSENT, SZ_E_FORMAT,
               "slice indices must be integers, not '%s'", sz_tv_type_name(v));
    return SZ_OK;
}

static int64_t clamp(int64_t i, int64_t n, int64_t low, int64_t high) {
    if (i < 0)
        i = i < -n ? -1 : i + n;
    return i < low ? low : i > high ? high : i;
}

/* Start, number and step of the items that a slice takes of n. */
static sz_status resolve_slice(int64_t n, const sz_tv bound[3], int64_t *start, int64_t *count,
                               int64_t *step) {
    int64_t stop;
    SZ_TRY(bound_of(bound[2], 1, step));
    SZ_REQUIRE(*step != 0, SZ_E_FORMAT, "slice step cannot be zero");
    bool back = *step < 0;
    int64_t low = back ? -1 : 0, high = back ? n - 1 : n;
    SZ_TRY(bound_of(bound[0], back ? INT64_MAX : 0, start));
    SZ_TRY(bound_of(bound[1], back ? INT64_MIN : INT64_MAX, &stop));
    *start = clamp(*start, n, low, high);
    stop = clamp(stop, n, low, high);
    int64_t span = back ? *start - stop : stop - *start;
    uint64_t stride = back ? 0 - (uint64_t)*step : (uint64_t)*step;
    *count = span <= 0 ? 0 : (int64_t)((uint64_t)(span - 1) / stride) + 1;
    return SZ_OK;
}

static sz_status slice_text(sz_render *r, sz_tv s, int64_t start, int64_t count, int64_t step,
                            sz_tv *out) {
    sz_tlist cps;
    if (step == 1 || count == 0) {
        size_t from = sz_text_offset(s.u.s, s.n, (size_t)start);
        *out = sz_tv_text(s.u.s + from, sz_text_offset(s.u.s + from, s.n - from, (size_t)count));
        return sz_render_steps(r, s.n / 64);
    }
    SZ_TRY(sz_tv_iterate(r, s, &cps));
    size_t from = r->scratch.len;
    for (int64_t i = 0; i < count; i++)
        sz_buf_append(&r->scratch, cps.item[start + i * step].u.s, cps.item[start + i * step].n);
    return sz_render_take(r, from, out);
}

sz_status sz_tv_slice(sz_render *r, sz_tv object, const sz_tv bound[3], sz_tv *out) {
    int64_t n, start, count, step;
    if (object.kind == SZ_T_UNDEFINED)
        return sz_tv_undefined_used(object);
    SZ_REQUIRE(is_sequence(object), SZ_E_FORMAT, "'%s' object cannot be sliced",
               sz_tv_type_name(object));
    SZ_TRY(sz_tv_length(r, object, &n));
    SZ_TRY(resolve_slice(n, bound, &start, &count, &step));
    if (object.kind == SZ_T_STRING)
        return slice_text(r, object, start, count, step, out);
    sz_tlist *l;
    sz_tshape shape = sz_tv_is_tuple(object) ? SZ_T_IS_TUPLE : SZ_T_IS_LIST;
    SZ_TRY(sz_tlist_new(r, shape, (size_t)count, &l));
    SZ_TRY(sz_render_steps(r, (uint64_t)count / 8));
    for (int64_t i = 0; i < count; i++)
        l->item[l->n++] = object.u.list->item[start + i * step];
    *out = sz_tv_list(l);
    return SZ_OK;
}
