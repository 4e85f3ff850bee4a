/* template_value.c: names, comparing and looking into values, as Python does. */
#include "model/template_render.h"

const char *sz_tv_type_name(sz_tv v) {
    static const char *const shapes[] = {"list",        "tuple",      "range",     "dict_keys",
                                         "dict_values", "dict_items", "generator", "tuple"};
    switch (v.kind) {
    case SZ_T_UNDEFINED:
        return "Undefined";
    case SZ_T_NONE:
        return "NoneType";
    case SZ_T_BOOL:
        return "bool";
    case SZ_T_INT:
        return "int";
    case SZ_T_FLOAT:
        return "float";
    case SZ_T_STRING:
        return "str";
    case SZ_T_LIST:
        return shapes[v.u.list->shape];
    case SZ_T_DICT:
        return "dict";
    case SZ_T_NAMESPACE:
        return "Namespace";
    case SZ_T_LOOP:
        return "LoopContext";
    case SZ_T_MACRO:
        return "Macro";
    case SZ_T_CYCLER:
        return "Cycler";
    case SZ_T_JOINER:
        return "Joiner";
    default:
        return "function";
    }
}

sz_status sz_tv_undefined_used(sz_tv v) {
    static const char *const owners[] = {
        [SZ_T_NONE] = "None",         [SZ_T_BOOL] = "bool object",
        [SZ_T_INT] = "int object",    [SZ_T_FLOAT] = "float object",
        [SZ_T_STRING] = "str object", [SZ_T_LIST] = "list object",
        [SZ_T_DICT] = "dict object",  [SZ_T_NAMESPACE] = "namespace object"};
    if (!v.u.s)
        return sz_fail(SZ_E_FORMAT, "an undefined value is used");
    if (!v.flag)
        return sz_fail(SZ_E_FORMAT, "'%.*s' is undefined", (int)v.n, v.u.s);
    bool known = v.flag < sizeof owners / sizeof *owners && owners[v.flag];
    return sz_fail(SZ_E_FORMAT, "'%s' has no attribute '%.*s'", known ? owners[v.flag] : "object",
                   (int)v.n, v.u.s);
}

/* ---- Truth, equality, order ----------------------------------------------------------------- */

bool sz_tv_truth(sz_tv v) {
    switch (v.kind) {
    case SZ_T_ABSENT:
    case SZ_T_UNDEFINED:
    case SZ_T_NONE:
        return false;
    case SZ_T_BOOL:
        return v.u.b;
    case SZ_T_INT:
        return v.u.i != 0;
    case SZ_T_FLOAT:
        return v.u.f != 0;
    case SZ_T_STRING:
        return v.n > 0;
    case SZ_T_LIST:
        return v.u.list->n > 0 || v.u.list->shape == SZ_T_IS_GENERATOR;
    case SZ_T_DICT:
        return v.u.dict->n > 0;
    default:
        return true;
    }
}

static sz_status enter_value(sz_render *r, int depth) {
    SZ_REQUIRE(depth < SZ_T_MAX_VALUE_DEPTH, SZ_E_LIMIT, "a value is nested deeper than %d levels",
               SZ_T_MAX_VALUE_DEPTH);
    return sz_render_steps(r, 1);
}

static sz_status equal_at(sz_render *r, sz_tv a, sz_tv b, int depth, bool *out);

static bool same_shape(sz_tv a, sz_tv b) {
    return a.u.list->shape == b.u.list->shape || (sz_tv_is_tuple(a) && sz_tv_is_tuple(b));
}

static sz_status equal_lists(sz_render *r, sz_tv a, sz_tv b, int depth, bool *out) {
    *out = a.u.list == b.u.list;
    if (*out || a.u.list->n != b.u.list->n || !same_shape(a, b) ||
        a.u.list->shape == SZ_T_IS_GENERATOR)
        return SZ_OK;
    *out = true;
    for (uint32_t i = 0; i < a.u.list->n && *out; i++)
        SZ_TRY(equal_at(r, a.u.list->item[i], b.u.list->item[i], depth + 1, out));
    return SZ_OK;
}

static sz_status equal_dicts(sz_render *r, const sz_tdict *a, const sz_tdict *b, int depth,
                             bool *out) {
    *out = a->n == b->n;
    for (uint32_t i = 0; i < a->n && *out; i++) {
        sz_tentry *other;
        SZ_TRY(sz_tdict_find(r, b, a->entry[i].key, &other));
        *out = other != NULL;
        if (other)
            SZ_TRY(equal_at(r, a->entry[i].value, other->value, depth + 1, out));
    }
    return SZ_OK;
}

static sz_status equal_at(sz_render *r, sz_tv a, sz_tv b, int depth, bool *out) {
    SZ_TRY(enter_value(r, depth));
    if (sz_tv_is_integral(a) && sz_tv_is_integral(b))
        *out = sz_tv_integer(a) == sz_tv_integer(b);
    else if (sz_tv_is_number(a) && sz_tv_is_number(b))
        *out = sz_tv_number(a) == sz_tv_number(b);
    else if (a.kind != b.kind)
        *out = false;
    else if (a.kind == SZ_T_STRING) {
        *out = a.n == b.n && (a.n == 0 || memcmp(a.u.s, b.u.s, a.n) == 0);
        return sz_render_steps(r, a.n / 64);
    } else if (a.kind == SZ_T_LIST)
        return equal_lists(r, a, b, depth, out);
    else if (a.kind == SZ_T_DICT)
        return equal_dicts(r, a.u.dict, b.u.dict, depth, out);
    else
        *out = a.kind == SZ_T_NONE || a.kind == SZ_T_UNDEFINED || a.u.s == b.u.s;
    return SZ_OK;
}

sz_status sz_tv_equal(sz_render *r, sz_tv a, sz_tv b, bool *out) {
    return equal_at(r, a, b, 0, out);
}

/* Bytes of UTF-8 are in the order of their code points. */
static int order_text(sz_tv a, sz_tv b) {
    uint32_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.u.s, b.u.s, n) : 0;
    return order ? (order < 0 ? -1 : 1) : (a.n > b.n) - (a.n < b.n);
}

static sz_status order_at(sz_render *r, sz_tv a, sz_tv b, const char *op, int depth, int *out) {
    SZ_TRY(enter_value(r, depth));
    if (sz_tv_is_integral(a) && sz_tv_is_integral(b)) {
        int64_t x = sz_tv_integer(a), y = sz_tv_integer(b);
        *out = (x > y) - (x < y);
        return SZ_OK;
    }
    if (sz_tv_is_number(a) && sz_tv_is_number(b)) {
        double x = sz_tv_number(a), y = sz_tv_number(b);
        *out = x < y ? -1 : x > y ? 1 : x == y ? 0 : 2; /* 2: NaN, in no order */
        return SZ_OK;
    }
    if (a.kind == SZ_T_STRING && b.kind == SZ_T_STRING) {
        *out = order_text(a, b);
        return sz_render_steps(r, (a.n < b.n ? a.n : b.n) / 64);
    }
    bool lists = a.kind == SZ_T_LIST && b.kind == SZ_T_LIST && same_shape(a, b) &&
                 (sz_tv_is_tuple(a) || a.u.list->shape == SZ_T_IS_LIST);
    if (!lists) {
        if (a.kind == SZ_T_UNDEFINED || b.kind == SZ_T_UNDEFINED)
            return sz_tv_undefined_used(a.kind == SZ_T_UNDEFINED ? a : b);
        return sz_fail(SZ_E_FORMAT, "'%s' not supported between instances of '%s' and '%s'", op,
                       sz_tv_type_name(a), sz_tv_type_name(b));
    }
    const sz_tlist *x = a.u.list, *y = b.u.list;
    for (uint32_t i = 0; i < x->n && i < y->n; i++) {
        bool equal;
        SZ_TRY(equal_at(r, x->item[i], y->item[i], depth + 1, &equal));
        if (!equal)
            return order_at(r, x->item[i], y->item[i], op, depth + 1, out);
    }
    *out = (x->n > y->n) - (x->n < y->n);
    return SZ_OK;
}

sz_status sz_tv_order(sz_render *r, sz_tv a, sz_tv b, const char *op, int *out) {
    return order_at(r, a, b, op, 0, out);
}

/* ---- Looking into values -------------------------------------------------------------------- */

/* One string per code point. */
static sz_status characters(sz_render *r, sz_tv s, sz_tlist *out) {
    sz_tlist *l;
    SZ_TRY(sz_render_steps(r, s.n / 4));
    SZ_TRY(sz_tlist_new(r, SZ_T_IS_LIST, sz_text_length(s.u.s, s.n), &l));
    for (size_t at = 0; at < s.n;) {
        size_t from = at;
        sz_text_next(s.u.s, s.n, &at);
        l->item[l->n++] = sz_tv_text(s.u.s + from, at - from);
    }
    *out = *l;
    return SZ_OK;
}

static sz_status keys(sz_render *r, const sz_tdict *d, sz_tlist *out) {
    sz_tlist *l;
    SZ_TRY(sz_tlist_new(r, SZ_T_IS_LIST, d->n, &l));
    for (uint32_t i = 0; i < d->n; i++)
        l->item[l->n++] = d->entry[i].key;
    *out = *l;
    return SZ_OK;
}

sz_status sz_tv_iterate(sz_render *r, sz_tv v, sz_tlist *out) {
    *out = (sz_tlist){0};
    switch (v.kind) {
    case SZ_T_UNDEFINED:
        return SZ_OK;
    case SZ_T_STRING:
        return characters(r, v, out);
    case SZ_T_DICT:
        return keys(r, v.u.dict, out);
    case SZ_T_LIST:
        *out = *v.u.list;
        if (v.u.list->shape == SZ_T_IS_GENERATOR) {
            SZ_REQUIRE(!v.u.list->name, SZ_E_FORMAT, "%s", v.u.list->name);
            v.u.list->n = 0;
        }
        return sz_render_steps(r, out->n / 8);
    default:
        return sz_fail(SZ_E_FORMAT, "'%s' object is not iterable", sz_tv_type_name(v));
    }
}

void sz_tv_unread(sz_tv v, const sz_tlist *items, uint32_t n_read) {
    if (!sz_tv_is_shape(v, SZ_T_IS_GENERATOR))
        return;
    v.u.list->item = n_read ? items->item + n_read : items->item;
    v.u.list->n = items->n - n_read;
}

sz_status sz_tv_length(sz_render *r, sz_tv v, int64_t *out) {
    bool generator = sz_tv_is_shape(v, SZ_T_IS_GENERATOR);
    *out = 0;
    switch (generator ? SZ_T_NONE : v.kind) {
    case SZ_T_UNDEFINED:
        return SZ_OK;
    case SZ_T_STRING:
        *out = (int64_t)sz_text_length(v.u.s, v.n);
        return sz_render_steps(r, v.n / 64);
    case SZ_T_LIST:
        *out = v.u.list->n;
        return SZ_OK;
    case SZ_T_DICT:
        *out = v.u.dict->n;
        return SZ_OK;
    default:
        return sz_fail(SZ_E_FORMAT, "object of type '%s' has no len()", sz_tv_type_name(v));
    }
}

sz_status sz_tv_contains(sz_render *r, sz_tv container, sz_tv v, bool *out) {
    if (container.kind == SZ_T_STRING) {
        if (v.kind == SZ_T_UNDEFINED)
            return sz_tv_undefined_used(v);
        SZ_REQUIRE(v.kind == SZ_T_STRING, SZ_E_FORMAT,
                   "'in <string>' requires string as left operand, not %s", sz_tv_type_name(v));
        *out = v.n == 0 || memmem(container.u.s, container.n, v.u.s, v.n);
        return sz_render_steps(r, container.n / 8);
    }
    if (container.kind == SZ_T_DICT) {
        sz_tentry *e;
        SZ_TRY(sz_tdict_find(r, container.u.dict, v, &e));
        *out = e != NULL;
        return SZ_OK;
    }
    sz_tlist items;
    if (container.kind != SZ_T_LIST && container.kind != SZ_T_UNDEFINED)
        return sz_fail(SZ_E_FORMAT, "argument of type '%s' is not iterable",
                       sz_tv_type_name(container));
    SZ_TRY(sz_tv_iterate(r, container, &items));
    uint32_t i = 0;
    for (*out = false; i < items.n && !*out; i++)
        SZ_TRY(sz_tv_equal(r, items.item[i], v, out));
    sz_tv_unread(container, &items, i);
    return SZ_OK;
}

/* ---- From JSON ------------------------------------------------------------------------------ */

static sz_status list_from_json(sz_render *r, const sz_json *j, int depth, sz_tv *out) {
    sz_tlist *l;
    SZ_TRY(sz_tlist_new(r, SZ_T_IS_LIST, j->n, &l));
    for (const sz_json *c = j->u.child; c; c = c->next)
        SZ_TRY(sz_tv_from_json(r, c, depth + 1, &l->item[l->n++]));
    *out = sz_tv_list(l);
    return SZ_OK;
}

static sz_status dict_from_json(sz_render *r, const sz_json *j, int depth, sz_tv *out) {
    sz_tdict *d;
    SZ_TRY(sz_tdict_new(r, j->n, &d));
    for (const sz_json *c = j->u.child; c; c = c->next) { /* keys are distinct already */
        sz_tentry *e = &d->entry[d->n++];
        e->key = sz_tv_text(c->key, c->key_n);
        SZ_TRY(sz_tv_from_json(r, c, depth + 1, &e->value));
    }
    *out = sz_tv_dict(d);
    return SZ_OK;
}

/* Strings are borrowed from the JSON. */
sz_status sz_tv_from_json(sz_render *r, const sz_json *j, int depth, sz_tv *out) {
    SZ_TRY(enter_value(r, depth));
    switch (j->type) {
    case SZ_JSON_NULL:
        *out = SZ_T_NONE_VALUE;
        return SZ_OK;
    case SZ_JSON_FALSE:
    case SZ_JSON_TRUE:
        *out = sz_tv_bool(j->type == SZ_JSON_TRUE);
        return SZ_OK;
    case SZ_JSON_INT:
        *out = sz_tv_int(j->u.i);
        return SZ_OK;
    case SZ_JSON_FLOAT:
        *out = sz_tv_float(j->u.f);
        return SZ_OK;
    case SZ_JSON_STRING:
        *out = sz_tv_text(j->u.s, j->n);
        return SZ_OK;
    case SZ_JSON_ARRAY:
        return list_from_json(r, j, depth, out);
    case SZ_JSON_OBJECT:
        return dict_from_json(r, j, depth, out);
    }
    return sz_fail(SZ_E_ARG, "a variable is of no JSON type");
}
