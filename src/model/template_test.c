/* template_test.c: tests, the words after "is". */
#include "model/template_builtin.h"

static bool is_kind(const sz_tcall *c, sz_tkind kind) {
    return c->arg[0].kind == kind;
}

static sz_status give(bool b, sz_tv *out) {
    *out = sz_tv_bool(b);
    return SZ_OK;
}

static sz_status test_defined(sz_tcall *c, sz_tv *out) {
    return give(!is_kind(c, SZ_T_UNDEFINED), out);
}
static sz_status test_undefined(sz_tcall *c, sz_tv *out) {
    return give(is_kind(c, SZ_T_UNDEFINED), out);
}
static sz_status test_none(sz_tcall *c, sz_tv *out) {
    return give(is_kind(c, SZ_T_NONE), out);
}
static sz_status test_boolean(sz_tcall *c, sz_tv *out) {
    return give(is_kind(c, SZ_T_BOOL), out);
}
static sz_status test_integer(sz_tcall *c, sz_tv *out) {
    return give(is_kind(c, SZ_T_INT), out);
}
static sz_status test_float(sz_tcall *c, sz_tv *out) {
    return give(is_kind(c, SZ_T_FLOAT), out);
}
static sz_status test_string(sz_tcall *c, sz_tv *out) {
    return give(is_kind(c, SZ_T_STRING), out);
}
static sz_status test_mapping(sz_tcall *c, sz_tv *out) {
    return give(is_kind(c, SZ_T_DICT), out);
}

static sz_status test_true(sz_tcall *c, sz_tv *out) {
    return give(is_kind(c, SZ_T_BOOL) && c->arg[0].u.b, out);
}
static sz_status test_false(sz_tcall *c, sz_tv *out) {
    return give(is_kind(c, SZ_T_BOOL) && !c->arg[0].u.b, out);
}
static sz_status test_number(sz_tcall *c, sz_tv *out) {
    return give(sz_tv_is_number(c->arg[0]), out);
}

/* What can be iterated, in jinja2 an undefined value too. */
static sz_status test_iterable(sz_tcall *c, sz_tv *out) {
    return give(is_kind(c, SZ_T_LIST) || is_kind(c, SZ_T_STRING) || is_kind(c, SZ_T_DICT) ||
                    is_kind(c, SZ_T_UNDEFINED) || is_kind(c, SZ_T_LOOP),
                out);
}

/* What has a length and items. */
static sz_status test_sequence(sz_tcall *c, sz_tv *out) {
    sz_tv v = c->arg[0];
    bool list = v.kind == SZ_T_LIST && (sz_tv_is_tuple(v) || v.u.list->shape == SZ_T_IS_LIST ||
                                        v.u.list->shape == SZ_T_IS_RANGE);
    return give(list || is_kind(c, SZ_T_STRING) || is_kind(c, SZ_T_DICT) ||
                    is_kind(c, SZ_T_UNDEFINED),
                out);
}

static sz_status test_callable(sz_tcall *c, sz_tv *out) {
    return give(is_kind(c, SZ_T_FUNCTION) || is_kind(c, SZ_T_METHOD) || is_kind(c, SZ_T_MACRO) ||
                    is_kind(c, SZ_T_LOOP) || is_kind(c, SZ_T_JOINER) || is_kind(c, SZ_T_UNDEFINED),
                out);
}

static sz_status remainder_is(sz_tcall *c, sz_tv by, int64_t wanted, sz_tv *out) {
    sz_tv rest;
    bool equal;
    SZ_TRY(sz_tv_binary(c->r, '%', c->arg[0], by, &rest));
    SZ_TRY(sz_tv_equal(c->r, rest, sz_tv_int(wanted), &equal));
    return give(equal, out);
}

static sz_status test_odd(sz_tcall *c, sz_tv *out) {
    return remainder_is(c, sz_tv_int(2), 1, out);
}
static sz_status test_even(sz_tcall *c, sz_tv *out) {
    return remainder_is(c, sz_tv_int(2), 0, out);
}
static sz_status test_divisible(sz_tcall *c, sz_tv *out) {
    return remainder_is(c, c->arg[1], 0, out);
}

static sz_status compare(sz_tcall *c, uint16_t op, sz_tv *out) {
    bool holds;
    SZ_TRY(sz_tv_compare(c->r, op, c->arg[0], c->arg[1], &holds));
    return give(holds, out);
}

static sz_status test_eq(sz_tcall *c, sz_tv *out) {
    return compare(c, SZ_OP('=', '='), out);
}
static sz_status test_ne(sz_tcall *c, sz_tv *out) {
    return compare(c, SZ_OP('!', '='), out);
}
static sz_status test_lt(sz_tcall *c, sz_tv *out) {
    return compare(c, '<', out);
}
static sz_status test_le(sz_tcall *c, sz_tv *out) {
    return compare(c, SZ_OP('<', '='), out);
}
static sz_status test_gt(sz_tcall *c, sz_tv *out) {
    return compare(c, '>', out);
}
static sz_status test_ge(sz_tcall *c, sz_tv *out) {
    return compare(c, SZ_OP('>', '='), out);
}
static sz_status test_in(sz_tcall *c, sz_tv *out) {
    return compare(c, 'i', out);
}

/* Identity: of small values, sameness. */
static sz_status test_sameas(sz_tcall *c, sz_tv *out) {
    sz_tv a = c->arg[0], b = c->arg[1];
    bool contained = a.kind == SZ_T_LIST || a.kind == SZ_T_DICT || a.kind == SZ_T_NAMESPACE;
    bool equal = false;
    if (a.kind == b.kind && contained)
        equal = a.u.list == b.u.list;
    else if (a.kind == b.kind)
        SZ_TRY(sz_tv_equal(c->r, a, b, &equal));
    return give(equal, out);
}

/* Whether the text has letters with case, all of them in this one. */
static sz_status in_case(sz_tcall *c, const char *method, sz_tv *out) {
    sz_tv s;
    const sz_targs none = {0};
    SZ_TRY(sz_tv_str(c->r, c->arg[0], &s));
    return sz_tcall_builtin(c->r, sz_tbuiltin_find(sz_tmethods_text_is, method, strlen(method)), &s,
                            none, out);
}

static sz_status test_upper(sz_tcall *c, sz_tv *out) {
    return in_case(c, "isupper", out);
}
static sz_status test_lower(sz_tcall *c, sz_tv *out) {
    return in_case(c, "islower", out);
}

static sz_status test_filter(sz_tcall *c, sz_tv *out) {
    return give(is_kind(c, SZ_T_STRING) && sz_tfilter_find(c->arg[0].u.s, c->arg[0].n), out);
}
static sz_status test_test(sz_tcall *c, sz_tv *out) {
    return give(is_kind(c, SZ_T_STRING) && sz_tbuiltin_find(sz_ttests, c->arg[0].u.s, c->arg[0].n),
                out);
}
static sz_status test_escaped(sz_tcall *c, sz_tv *out) {
    return give(is_kind(c, SZ_T_STRING) && c->arg[0].flag, out);
}

const sz_tbuiltin sz_ttests[] = {{"defined", test_defined, "value"},
                                 {"undefined", test_undefined, "value"},
                                 {"none", test_none, "value"},
                                 {"boolean", test_boolean, "value"},
                                 {"true", test_true, "value"},
                                 {"false", test_false, "value"},
                                 {"integer", test_integer, "value"},
                                 {"float", test_float, "value"},
                                 {"number", test_number, "value"},
                                 {"string", test_string, "value"},
                                 {"mapping", test_mapping, "value"},
                                 {"iterable", test_iterable, "value"},
                                 {"sequence", test_sequence, "value"},
                                 {"callable", test_callable, "value"},
                                 {"odd", test_odd, "value"},
                                 {"even", test_even, "value"},
                                 {"divisibleby", test_divisible, "value num"},
                                 {"eq", test_eq, "value other"},
                                 {"equalto", test_eq, "value other"},
                                 {"==", test_eq, "value other"},
                                 {"ne", test_ne, "value other"},
                                 {"!=", test_ne, "value other"},
                                 {"lt", test_lt, "value other"},
                                 {"lessthan", test_lt, "value other"},
                                 {"<", test_lt, "value other"},
                                 {"le", test_le, "value other"},
                                 {"<=", test_le, "value other"},
                                 {"gt", test_gt, "value other"},
                                 {"greaterthan", test_gt, "value other"},
                                 {">", test_gt, "value other"},
                                 {"ge", test_ge, "value other"},
                                 {">=", test_ge, "value other"},
                                 {"in", test_in, "value seq"},
                                 {"sameas", test_sameas, "value other"},
                                 {"upper", test_upper, "value"},
                                 {"lower", test_lower, "value"},
                                 {"filter", test_filter, "value"},
                                 {"test", test_test, "value"},
                                 {"escaped", test_escaped, "value"},
                                 {0}};
