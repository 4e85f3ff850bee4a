/* template_filter_select.c: filters that apply another filter, a test or a path to each item. */
#include "model/template_builtin.h"

/* As jinja2 does, nothing that is false is looked at: neither an empty list nor none. */
static sz_status nothing(sz_render *r, sz_tv *out) {
    sz_tlist *l;
    SZ_TRY(sz_tlist_new(r, SZ_T_IS_GENERATOR, 0, &l));
    *out = sz_tv_list(l);
    return SZ_OK;
}

static sz_status map_paths(sz_tcall *c, const sz_tlist *items, sz_tv path, sz_tlist *mapped) {
    const sz_tv *fallback = sz_targs_keyword(&c->rest, "default", 7);
    for (uint32_t i = 0; i < items->n; i++) {
        sz_tv v;
        SZ_TRY(sz_tv_path(c->r, items->item[i], path, &v));
        SZ_TRY(sz_tlist_push(c->r, mapped, v.kind == SZ_T_UNDEFINED && fallback ? *fallback : v));
    }
    return SZ_OK;
}

static sz_status map_filter(sz_tcall *c, const sz_tlist *items, sz_tlist *mapped) {
    sz_tv name = c->rest.value[0];
    const sz_tbuiltin *filter = name.kind == SZ_T_STRING ? sz_tfilter_find(name.u.s, name.n) : NULL;
    SZ_REQUIRE(filter, SZ_E_UNSUPPORTED, "map: no filter of that name");
    const sz_targs args = {c->rest.value + 1, c->rest.n - 1, c->rest.n_kw};
    for (uint32_t i = 0; i < items->n; i++) {
        sz_tv v;
        SZ_TRY(sz_tcall_builtin(c->r, filter, &items->item[i], args, &v));
        SZ_TRY(sz_tlist_push(c->r, mapped, v));
    }
    return SZ_OK;
}

static sz_status filter_map(sz_tcall *c, sz_tv *out) {
    sz_tlist items, *mapped;
    const sz_tv *path = sz_targs_keyword(&c->rest, "attribute", 9);
    if (!sz_tv_truth(c->arg[0]))
        return nothing(c->r, out);
    if (!path && c->rest.n == 0)
        return SZ_FAIL_CALL(c, "the name of a filter or attribute=... is missing");
    SZ_TRY(sz_render_enter(c->r)); /* map may map */
    SZ_TRY(sz_tv_iterate(c->r, c->arg[0], &items));
    SZ_TRY(sz_tlist_new(c->r, SZ_T_IS_GENERATOR, items.n, &mapped));
    if (c->rest.n == 0)
        SZ_TRY(map_paths(c, &items, *path, mapped));
    else
        SZ_TRY(map_filter(c, &items, mapped));
    c->r->depth--;
    *out = sz_tv_list(mapped);
    return SZ_OK;
}

/* The items (or with `by_path` their attribute) that pass a test, or the others. */
static sz_status select_items(sz_tcall *c, bool by_path, bool wanted, sz_tv *out) {
    sz_tlist items, *kept;
    sz_targs args = c->rest;
    const sz_tbuiltin *test = NULL;
    if (!sz_tv_truth(c->arg[0]))
        return nothing(c->r, out);
    if (by_path && args.n == 0)
        return SZ_FAIL_CALL(c, "the name of an attribute is missing");
    sz_tv path = by_path ? *args.value : SZ_T_NONE_VALUE;
    args.value += by_path;
    args.n -= by_path;
    if (args.n > 0) {
        sz_tv name = *args.value++;
        args.n--;
        test = name.kind == SZ_T_STRING ? sz_tbuiltin_find(sz_ttests, name.u.s, name.n) : NULL;
        SZ_REQUIRE(test, SZ_E_UNSUPPORTED, "%s: no test of that name", c->builtin->name);
    }
    SZ_TRY(sz_tv_iterate(c->r, c->arg[0], &items));
    SZ_TRY(sz_tlist_new(c->r, SZ_T_IS_GENERATOR, 0, &kept));
    for (uint32_t i = 0; i < items.n; i++) {
        sz_tv v = items.item[i];
        if (by_path)
            SZ_TRY(sz_tv_path(c->r, v, path, &v));
        if (test) {
            sz_tv subject = v;
            SZ_TRY(sz_tcall_builtin(c->r, test, &subject, args, &v));
        }
        if (sz_tv_truth(v) == wanted)
            SZ_TRY(sz_tlist_push(c->r, kept, items.item[i]));
        SZ_TRY(sz_render_steps(c->r, 1));
    }
    *out = sz_tv_list(kept);
    return SZ_OK;
}

static sz_status filter_select(sz_tcall *c, sz_tv *out) {
    return select_items(c, false, true, out);
}
static sz_status filter_reject(sz_tcall *c, sz_tv *out) {
    return select_items(c, false, false, out);
}
static sz_status filter_selectattr(sz_tcall *c, sz_tv *out) {
    return select_items(c, true, true, out);
}
static sz_status filter_rejectattr(sz_tcall *c, sz_tv *out) {
    return select_items(c, true, false, out);
}

const sz_tbuiltin sz_tfilters_select[] = {{"map", filter_map, "~value *"},
                                          {"select", filter_select, "~value *"},
                                          {"reject", filter_reject, "~value *"},
                                          {"selectattr", filter_selectattr, "~value *"},
                                          {"rejectattr", filter_rejectattr, "~value *"},
                                          {0}};
