/* template_access.c: attributes, items and slices. What is not there is undefined, no error. */
#include "model/template_builtin.h"

/* ---- Attributes and items ------------------------------------------------------------------- */

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
    } else if (object.kind == SZ_T_LIST && sz_tv_is_joinable(object))
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
    SZ_TRY(sz_render_steps(r, object.n / 16));
    size_t from = sz_text_offset(object.u.s, object.n, (size_t)i), to = from;
    sz_text_next(object.u.s, object.n, &to);
    *out = sz_tv_text(object.u.s + from, to - from);
    return SZ_OK;
}

static bool is_sequence(sz_tv v) {
    return v.kind == SZ_T_STRING || sz_tv_is_joinable(v) || sz_tv_is_shape(v, SZ_T_IS_RANGE);
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

/* ---- Slices --------------------------------------------------------------------------------- */

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
        return sz_render_steps(r, s.n / 16);
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
