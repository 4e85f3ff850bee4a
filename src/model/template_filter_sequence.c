/* template_filter_sequence.c: filters over lists and mappings. */
#include "model/template_builtin.h"

static sz_status filter_length(sz_tcall *c, sz_tv *out) {
    int64_t n;
    SZ_TRY(sz_tv_length(c->r, c->arg[0], &n));
    *out = sz_tv_int(n);
    return SZ_OK;
}

static sz_status filter_first(sz_tcall *c, sz_tv *out) {
    sz_tlist items;
    SZ_TRY(sz_tv_iterate(c->r, c->arg[0], &items));
    *out = items.n ? items.item[0] : SZ_T_UNDEFINED_VALUE;
    sz_tv_unread(c->arg[0], &items, items.n > 0);
    return SZ_OK;
}

static sz_status filter_last(sz_tcall *c, sz_tv *out) {
    sz_tlist items;
    if (sz_tv_is_shape(c->arg[0], SZ_T_IS_GENERATOR))
        return SZ_FAIL_CALL(c, "'generator' object is not reversible");
    SZ_TRY(sz_tv_iterate(c->r, c->arg[0], &items));
    *out = items.n ? items.item[items.n - 1] : SZ_T_UNDEFINED_VALUE;
    return SZ_OK;
}

/* A copy of what a loop over v visits. */
static sz_status copy_of(sz_render *r, sz_tv v, sz_tshape shape, sz_tlist **out) {
    sz_tlist items;
    SZ_TRY(sz_tv_iterate(r, v, &items));
    SZ_TRY(sz_tlist_new(r, shape, items.n, out));
    if (items.n)
        memcpy((*out)->item, items.item, items.n * sizeof *items.item);
    (*out)->n = items.n;
    return SZ_OK;
}

static sz_status filter_list(sz_tcall *c, sz_tv *out) {
    sz_tlist *l;
    SZ_TRY(copy_of(c->r, c->arg[0], SZ_T_IS_LIST, &l));
    *out = sz_tv_list(l);
    return SZ_OK;
}

static sz_status filter_reverse(sz_tcall *c, sz_tv *out) {
    sz_tlist *l;
    const sz_tv backwards[3] = {[2] = {.kind = SZ_T_INT, .u.i = -1}};
    if (c->arg[0].kind == SZ_T_STRING)
        return sz_tv_slice(c->r, c->arg[0], backwards, out);
    SZ_TRY(copy_of(c->r, c->arg[0], SZ_T_IS_GENERATOR, &l));
    for (uint32_t i = 0; i < l->n / 2; i++) {
        sz_tv kept = l->item[i];
        l->item[i] = l->item[l->n - 1 - i];
        l->item[l->n - 1 - i] = kept;
    }
    *out = sz_tv_list(l);
    return SZ_OK;
}

static sz_status filter_join(sz_tcall *c, sz_tv *out) {
    sz_tlist items;
    sz_tv separator;
    SZ_TRY(sz_targ_str(c, 1, "", &separator));
    SZ_TRY(sz_tv_iterate(c->r, c->arg[0], &items));
    size_t from = c->r->scratch.len;
    for (uint32_t i = 0; i < items.n; i++) {
        sz_tv item = items.item[i];
        if (sz_targ_given(c, 2))
            SZ_TRY(sz_tv_path(c->r, item, c->arg[2], &item));
        if (i > 0)
            sz_buf_append(&c->r->scratch, separator.u.s, separator.n);
        SZ_TRY(sz_tv_write(c->r, &c->r->scratch, item));
        SZ_TRY(sz_render_steps(c->r, 1));
    }
    return sz_render_take(c->r, from, out);
}

/* ---- Order ---------------------------------------------------------------------------------- */

/* Merges the sorted halves items[0..half) and items[half..n). */
static sz_status merge(sz_render *r, uint32_t *place, uint32_t half, uint32_t n, const sz_tv *keys,
                       bool reverse, uint32_t *scratch) {
    uint32_t a = 0, b = half, used = 0;
    while (a < half && b < n) {
        int order;
        SZ_TRY(sz_tv_order(r, keys[place[b]], keys[place[a]], "<", &order));
        bool second = reverse ? order == 1 : order == -1; /* equal ones keep their order */
        scratch[used++] = second ? place[b++] : place[a++];
    }
    while (a < half)
        scratch[used++] = place[a++];
    memcpy(place, scratch, used * sizeof *place);
    return SZ_OK;
}

sz_status sz_tlist_sort(sz_render *r, sz_tv *items, const sz_tv *keys, uint32_t n, bool reverse) {
    uint32_t *place, *scratch;
    sz_tv *sorted;
    SZ_TRY(sz_render_alloc(r, n, sizeof *place, &place));
    SZ_TRY(sz_render_alloc(r, n, sizeof *scratch, &scratch));
    SZ_TRY(sz_render_alloc(r, n, sizeof *sorted, &sorted));
    for (uint32_t i = 0; i < n; i++)
        place[i] = i;
    for (uint64_t half = 1; half < n; half *= 2) {
        for (uint64_t from = 0; from + half < n; from += 2 * half) {
            uint64_t rest = n - from;
            SZ_TRY(merge(r, place + from, (uint32_t)half,
                         (uint32_t)(rest < 2 * half ? rest : 2 * half), keys ? keys : items,
                         reverse, scratch));
        }
    }
    for (uint32_t i = 0; i < n; i++)
        sorted[i] = items[place[i]];
    if (n)
        memcpy(items, sorted, n * sizeof *items);
    return SZ_OK;
}

/* One thing that an item is ordered by: the item or what a path leads to; strings in lower case
 * unless case_sensitive. */
static sz_status one_key(sz_render *r, sz_tv item, sz_tv path, bool case_sensitive, sz_tv *out) {
    *out = item;
    if (path.kind != SZ_T_ABSENT && path.kind != SZ_T_NONE)
        SZ_TRY(sz_tv_path(r, item, path, out));
    return out->kind == SZ_T_STRING && !case_sensitive ? sz_text_case(r, *out, SZ_CASE_LOWER, out)
                                                       : SZ_OK;
}

/* What sort orders an item by: a list of what the paths lead to, commas between them. In a list two
 * undefined values are equal, which have no order by themselves. */
static sz_status sort_key(sz_render *r, sz_tv item, sz_tv path, bool case_sensitive, sz_tv *out) {
    sz_tlist *keys;
    SZ_TRY(sz_tlist_new(r, SZ_T_IS_LIST, 1, &keys));
    if (path.kind != SZ_T_STRING) {
        SZ_TRY(one_key(r, item, path, case_sensitive, &keys->item[keys->n++]));
        *out = sz_tv_list(keys);
        return SZ_OK;
    }
    for (size_t from = 0; from <= path.n;) {
        const char *comma = memchr(path.u.s + from, ',', path.n - from);
        size_t to = comma ? (size_t)(comma - path.u.s) : path.n;
        sz_tv key;
        SZ_TRY(one_key(r, item, sz_tv_text(path.u.s + from, to - from), case_sensitive, &key));
        SZ_TRY(sz_tlist_push(r, keys, key));
        from = to + 1;
    }
    *out = sz_tv_list(keys);
    return SZ_OK;
}

typedef sz_status (*key_fn)(sz_render *r, sz_tv item, sz_tv path, bool case_sensitive, sz_tv *out);

static sz_status keys_of(sz_render *r, key_fn key_of, const sz_tlist *items, sz_tv path,
                         bool case_sensitive, sz_tv **out) {
    SZ_TRY(sz_render_alloc(r, items->n, sizeof **out, out));
    for (uint32_t i = 0; i < items->n; i++)
        SZ_TRY(key_of(r, items->item[i], path, case_sensitive, &(*out)[i]));
    return SZ_OK;
}

static sz_status filter_sort(sz_tcall *c, sz_tv *out) {
    sz_tlist *l;
    sz_tv *keys;
    SZ_TRY(copy_of(c->r, c->arg[0], SZ_T_IS_LIST, &l));
    SZ_TRY(keys_of(c->r, sort_key, l, c->arg[3], sz_targ_bool(c, 2), &keys));
    SZ_TRY(sz_tlist_sort(c->r, l->item, keys, l->n, sz_targ_bool(c, 1)));
    *out = sz_tv_list(l);
    return SZ_OK;
}

static sz_status extreme(sz_tcall *c, int wanted, sz_tv *out) {
    sz_tlist items;
    sz_tv *keys;
    uint32_t best = 0;
    SZ_TRY(sz_tv_iterate(c->r, c->arg[0], &items));
    SZ_TRY(keys_of(c->r, one_key, &items, c->arg[2], sz_targ_bool(c, 1), &keys));
    for (uint32_t i = 1; i < items.n; i++) {
        int order;
        SZ_TRY(sz_tv_order(c->r, keys[i], keys[best], wanted < 0 ? "<" : ">", &order));
        best = order == wanted ? i : best;
    }
    *out = items.n ? items.item[best] : SZ_T_UNDEFINED_VALUE;
    return SZ_OK;
}

static sz_status filter_min(sz_tcall *c, sz_tv *out) {
    return extreme(c, -1, out);
}
static sz_status filter_max(sz_tcall *c, sz_tv *out) {
    return extreme(c, 1, out);
}

static sz_status filter_unique(sz_tcall *c, sz_tv *out) {
    sz_tlist items, *kept;
    sz_tv *keys;
    sz_tdict *seen;
    SZ_TRY(sz_tv_iterate(c->r, c->arg[0], &items));
    SZ_TRY(keys_of(c->r, one_key, &items, c->arg[2], sz_targ_bool(c, 1), &keys));
    SZ_TRY(sz_tlist_new(c->r, SZ_T_IS_GENERATOR, 0, &kept));
    SZ_TRY(sz_tdict_new(c->r, 0, &seen));
    for (uint32_t i = 0; i < items.n; i++) {
        uint32_t before = seen->n;
        SZ_TRY(sz_tdict_set(c->r, seen, keys[i], SZ_T_NONE_VALUE));
        if (seen->n > before)
            SZ_TRY(sz_tlist_push(c->r, kept, items.item[i]));
    }
    *out = sz_tv_list(kept);
    return SZ_OK;
}

static sz_status filter_dictsort(sz_tcall *c, sz_tv *out) {
    sz_tlist *pairs;
    sz_tv by, *keys;
    if (c->arg[0].kind == SZ_T_UNDEFINED)
        return sz_tv_undefined_used(c->arg[0]);
    if (c->arg[0].kind != SZ_T_DICT)
        return SZ_FAIL_CALL(c, "'%s' object is no mapping", sz_tv_type_name(c->arg[0]));
    SZ_TRY(sz_targ_str(c, 2, "key", &by));
    bool by_value = sz_text_equal(by, "value");
    if (!by_value && !sz_text_equal(by, "key"))
        return SZ_FAIL_CALL(c, "'by' must be \"key\" or \"value\"");
    SZ_TRY(sz_tdict_items(c->r, c->arg[0].u.dict, SZ_T_IS_LIST, &pairs));
    SZ_TRY(keys_of(c->r, one_key, pairs, sz_tv_int(by_value), sz_targ_bool(c, 1), &keys));
    SZ_TRY(sz_tlist_sort(c->r, pairs->item, keys, pairs->n, sz_targ_bool(c, 3)));
    *out = sz_tv_list(pairs);
    return SZ_OK;
}

static sz_status filter_items(sz_tcall *c, sz_tv *out) {
    sz_tlist *pairs;
    sz_tdict none = {0};
    bool missing = c->arg[0].kind == SZ_T_UNDEFINED;
    if (!missing && c->arg[0].kind != SZ_T_DICT)
        return SZ_FAIL_CALL(c, "can only get item pairs from a mapping");
    SZ_TRY(sz_tdict_items(c->r, missing ? &none : c->arg[0].u.dict, SZ_T_IS_GENERATOR, &pairs));
    *out = sz_tv_list(pairs);
    return SZ_OK;
}

/* ---- Groups --------------------------------------------------------------------------------- */

static sz_status group_path(sz_tcall *c, sz_tv item, sz_tv *out) {
    SZ_TRY(sz_tv_path(c->r, item, c->arg[1], out));
    if (out->kind == SZ_T_UNDEFINED && c->arg[2].kind != SZ_T_ABSENT)
        *out = c->arg[2];
    return SZ_OK;
}

static sz_status push_group(sz_render *r, sz_tlist *groups, sz_tv name, sz_tlist **members) {
    sz_tv pair;
    SZ_TRY(sz_tlist_new(r, SZ_T_IS_LIST, 0, members));
    SZ_TRY(sz_tlist_pair(r, name, sz_tv_list(*members), &pair));
    pair.u.list->shape = SZ_T_IS_GROUP;
    return sz_tlist_push(r, groups, pair);
}

static sz_status filter_groupby(sz_tcall *c, sz_tv *out) {
    sz_tlist *l, *groups, *members = NULL;
    sz_tv *keys, name, same = SZ_T_NONE_VALUE;
    bool case_sensitive = sz_targ_bool(c, 3);
    SZ_TRY(copy_of(c->r, c->arg[0], SZ_T_IS_LIST, &l));
    SZ_TRY(sz_tlist_new(c->r, SZ_T_IS_LIST, 0, &groups));
    SZ_TRY(sz_render_alloc(c->r, l->n, sizeof *keys, &keys));
    for (uint32_t i = 0; i < l->n; i++) {
        SZ_TRY(group_path(c, l->item[i], &name));
        SZ_TRY(one_key(c->r, name, (sz_tv){0}, case_sensitive, &keys[i]));
    }
    SZ_TRY(sz_tlist_sort(c->r, l->item, keys, l->n, false));
    for (uint32_t i = 0; i < l->n; i++) {
        sz_tv key;
        bool equal;
        SZ_TRY(group_path(c, l->item[i], &name));
        SZ_TRY(one_key(c->r, name, (sz_tv){0}, case_sensitive, &key));
        SZ_TRY(sz_tv_equal(c->r, key, same, &equal));
        if (!members || !equal)
            SZ_TRY(push_group(c->r, groups, name, &members));
        SZ_TRY(sz_tlist_push(c->r, members, l->item[i]));
        same = key;
    }
    *out = sz_tv_list(groups);
    return SZ_OK;
}

/* Lists of `size` items each; the last is filled up where a filling is given. */
static sz_status filter_batch(sz_tcall *c, sz_tv *out) {
    sz_tlist items, *batches, *row = NULL;
    int64_t size;
    SZ_TRY(sz_targ_int(c, 1, 0, &size));
    if (size < 1)
        return SZ_FAIL_CALL(c, "the number of items must be positive");
    SZ_TRY(sz_tv_iterate(c->r, c->arg[0], &items));
    SZ_TRY(sz_tlist_new(c->r, SZ_T_IS_GENERATOR, 0, &batches));
    for (uint32_t i = 0; i < items.n; i++) {
        if (i % size == 0) {
            SZ_TRY(sz_tlist_new(c->r, SZ_T_IS_LIST, 0, &row));
            SZ_TRY(sz_tlist_push(c->r, batches, sz_tv_list(row)));
        }
        SZ_TRY(sz_tlist_push(c->r, row, items.item[i]));
    }
    while (row && sz_targ_given(c, 2) && row->n < size) {
        SZ_TRY(sz_tlist_push(c->r, row, c->arg[2]));
        SZ_TRY(sz_render_steps(c->r, 1));
    }
    *out = sz_tv_list(batches);
    return SZ_OK;
}

/* So many lists, the first ones longer by one where the items do not divide evenly. */
static sz_status filter_slice(sz_tcall *c, sz_tv *out) {
    sz_tlist items, *slices, *row;
    int64_t n;
    uint32_t at = 0;
    SZ_TRY(sz_targ_int(c, 1, 0, &n));
    if (n < 1)
        return SZ_FAIL_CALL(c, "the number of slices must be positive");
    SZ_TRY(sz_tv_iterate(c->r, c->arg[0], &items));
    SZ_TRY(sz_tlist_new(c->r, SZ_T_IS_GENERATOR, 0, &slices));
    for (int64_t i = 0; i < n; i++) {
        bool longer = i < items.n % n;
        SZ_TRY(sz_render_steps(c->r, 1));
        SZ_TRY(sz_tlist_new(c->r, SZ_T_IS_LIST, 0, &row));
        for (uint32_t end = at + (uint32_t)(items.n / n) + longer; at < end; at++)
            SZ_TRY(sz_tlist_push(c->r, row, items.item[at]));
        if (sz_targ_given(c, 2) && !longer && items.n % n)
            SZ_TRY(sz_tlist_push(c->r, row, c->arg[2]));
        SZ_TRY(sz_tlist_push(c->r, slices, sz_tv_list(row)));
    }
    *out = sz_tv_list(slices);
    return SZ_OK;
}

static sz_status filter_sum(sz_tcall *c, sz_tv *out) {
    sz_tlist items;
    SZ_TRY(sz_tv_iterate(c->r, c->arg[0], &items));
    *out = c->arg[2].kind == SZ_T_ABSENT ? sz_tv_int(0) : c->arg[2];
    if (out->kind == SZ_T_STRING)
        return SZ_FAIL_CALL(c, "strings are joined by join, not by sum");
    for (uint32_t i = 0; i < items.n; i++) {
        sz_tv item = items.item[i];
        if (sz_targ_given(c, 1))
            SZ_TRY(sz_tv_path(c->r, item, c->arg[1], &item));
        SZ_TRY(sz_tv_binary(c->r, '+', *out, item, out));
    }
    return SZ_OK;
}

const sz_tbuiltin sz_tfilters_sequence[] = {
    {"length", filter_length, "value"},
    {"count", filter_length, "value"},
    {"first", filter_first, "seq"},
    {"last", filter_last, "seq"},
    {"list", filter_list, "value"},
    {"reverse", filter_reverse, "value"},
    {"join", filter_join, "value d? attribute?"},
    {"sort", filter_sort, "value reverse? case_sensitive? attribute?"},
    {"min", filter_min, "value case_sensitive? attribute?"},
    {"max", filter_max, "value case_sensitive? attribute?"},
    {"unique", filter_unique, "~value case_sensitive? attribute?"},
    {"dictsort", filter_dictsort, "value case_sensitive? by? reverse?"},
    {"items", filter_items, "~value"},
    {"groupby", filter_groupby, "value attribute default? case_sensitive?"},
    {"batch", filter_batch, "~value linecount fill_with?"},
    {"slice", filter_slice, "~value slices fill_with?"},
    {"sum", filter_sum, "iterable attribute? start?"},
    {0}};
