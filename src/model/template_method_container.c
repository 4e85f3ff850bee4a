/* template_method_container.c: methods of lists and mappings. What a template changes are its own
 * copies: the caller's variables stay as they are. */
#include "model/template_builtin.h"

/* ---- Lists ---------------------------------------------------------------------------------- */

static sz_status mutable_list(const sz_tcall *c, sz_tlist **out) {
    if (c->arg[0].u.list->shape != SZ_T_IS_LIST)
        return SZ_FAIL_CALL(c, "'tuple' object cannot be changed");
    *out = c->arg[0].u.list;
    return SZ_OK;
}

static sz_status list_append(sz_tcall *c, sz_tv *out) {
    sz_tlist *l;
    SZ_TRY(mutable_list(c, &l));
    *out = SZ_T_NONE_VALUE;
    return sz_tlist_push(c->r, l, c->arg[1]);
}

static sz_status list_extend(sz_tcall *c, sz_tv *out) {
    sz_tlist *l, more;
    SZ_TRY(mutable_list(c, &l));
    SZ_TRY(sz_tv_iterate(c->r, c->arg[1], &more));
    for (uint32_t i = 0; i < more.n; i++)
        SZ_TRY(sz_tlist_push(c->r, l, more.item[i]));
    *out = SZ_T_NONE_VALUE;
    return SZ_OK;
}

static sz_status list_insert(sz_tcall *c, sz_tv *out) {
    sz_tlist *l;
    int64_t i;
    SZ_TRY(mutable_list(c, &l));
    SZ_TRY(sz_targ_int(c, 1, 0, &i));
    i += i < 0 ? l->n : 0;
    i = i < 0 ? 0 : i > l->n ? l->n : i;
    SZ_TRY(sz_tlist_push(c->r, l, c->arg[2]));
    SZ_TRY(sz_render_steps(c->r, l->n / 16));
    memmove(l->item + i + 1, l->item + i, (l->n - 1 - (size_t)i) * sizeof *l->item);
    l->item[i] = c->arg[2];
    *out = SZ_T_NONE_VALUE;
    return SZ_OK;
}

static sz_status list_pop(sz_tcall *c, sz_tv *out) {
    sz_tlist *l;
    int64_t i;
    SZ_TRY(mutable_list(c, &l));
    SZ_TRY(sz_targ_int(c, 1, -1, &i));
    i += i < 0 ? l->n : 0;
    if (i < 0 || i >= l->n)
        return SZ_FAIL_CALL(c, "index out of range");
    SZ_TRY(sz_render_steps(c->r, l->n / 16));
    *out = l->item[i];
    memmove(l->item + i, l->item + i + 1, (l->n - 1 - (size_t)i) * sizeof *l->item);
    l->n--;
    return SZ_OK;
}

static sz_status list_index(sz_tcall *c, sz_tv *out) {
    const sz_tlist *l = c->arg[0].u.list;
    for (uint32_t i = 0; i < l->n; i++) {
        bool equal;
        SZ_TRY(sz_tv_equal(c->r, l->item[i], c->arg[1], &equal));
        if (equal) {
            *out = sz_tv_int(i);
            return SZ_OK;
        }
    }
    return SZ_FAIL_CALL(c, "the value is not in the list");
}

static sz_status list_count(sz_tcall *c, sz_tv *out) {
    const sz_tlist *l = c->arg[0].u.list;
    int64_t n = 0;
    for (uint32_t i = 0; i < l->n; i++) {
        bool equal;
        SZ_TRY(sz_tv_equal(c->r, l->item[i], c->arg[1], &equal));
        n += equal;
    }
    *out = sz_tv_int(n);
    return SZ_OK;
}

static sz_status list_copy(sz_tcall *c, sz_tv *out) {
    sz_tlist *l;
    SZ_TRY(mutable_list(c, &l));
    const sz_tv all[3] = {{0}};
    return sz_tv_slice(c->r, c->arg[0], all, out);
}

const sz_tbuiltin sz_tmethods_list[] = {{"append", list_append, "self object"},
                                        {"extend", list_extend, "self iterable"},
                                        {"insert", list_insert, "self index object"},
                                        {"pop", list_pop, "self index?"},
                                        {"index", list_index, "self value"},
                                        {"count", list_count, "self value"},
                                        {"copy", list_copy, "self"},
                                        {0}};

/* ---- Mappings ------------------------------------------------------------------------------- */

static sz_status dict_items(sz_tcall *c, sz_tv *out) {
    sz_tlist *l;
    SZ_TRY(sz_tdict_items(c->r, c->arg[0].u.dict, SZ_T_IS_ITEMS, &l));
    *out = sz_tv_list(l);
    return SZ_OK;
}

static sz_status one_side(sz_tcall *c, bool values, sz_tv *out) {
    const sz_tdict *d = c->arg[0].u.dict;
    sz_tlist *l;
    SZ_TRY(sz_tlist_new(c->r, values ? SZ_T_IS_VALUES : SZ_T_IS_KEYS, d->n, &l));
    SZ_TRY(sz_render_steps(c->r, d->n / 8));
    for (; l->n < d->n; l->n++)
        l->item[l->n] = values ? d->entry[l->n].value : d->entry[l->n].key;
    *out = sz_tv_list(l);
    return SZ_OK;
}

static sz_status dict_keys(sz_tcall *c, sz_tv *out) {
    return one_side(c, false, out);
}
static sz_status dict_values(sz_tcall *c, sz_tv *out) {
    return one_side(c, true, out);
}

static sz_status dict_get(sz_tcall *c, sz_tv *out) {
    sz_tentry *e;
    SZ_TRY(sz_tdict_find(c->r, c->arg[0].u.dict, c->arg[1], &e));
    *out = e ? e->value : c->arg[2].kind == SZ_T_ABSENT ? SZ_T_NONE_VALUE : c->arg[2];
    return SZ_OK;
}

static sz_status dict_pop(sz_tcall *c, sz_tv *out) {
    sz_tdict *d = c->arg[0].u.dict;
    sz_tentry *e;
    SZ_TRY(sz_tdict_find(c->r, d, c->arg[1], &e));
    if (!e && c->arg[2].kind == SZ_T_ABSENT)
        return SZ_FAIL_CALL(c, "the key is not there");
    *out = e ? e->value : c->arg[2];
    if (e) {
        memmove(e, e + 1, (d->n - 1 - (size_t)(e - d->entry)) * sizeof *e);
        d->n--;
    }
    return SZ_OK;
}

static sz_status dict_setdefault(sz_tcall *c, sz_tv *out) {
    sz_tentry *e;
    SZ_TRY(sz_tdict_find(c->r, c->arg[0].u.dict, c->arg[1], &e));
    *out = e ? e->value : c->arg[2].kind == SZ_T_ABSENT ? SZ_T_NONE_VALUE : c->arg[2];
    return e ? SZ_OK : sz_tdict_set(c->r, c->arg[0].u.dict, c->arg[1], *out);
}

static sz_status dict_copy(sz_tcall *c, sz_tv *out) {
    const sz_tdict *d = c->arg[0].u.dict;
    sz_tdict *copy;
    SZ_TRY(sz_tdict_new(c->r, d->n, &copy));
    SZ_TRY(sz_render_steps(c->r, d->n / 8));
    if (d->n)
        memcpy(copy->entry, d->entry, d->n * sizeof *d->entry);
    copy->n = d->n;
    *out = sz_tv_dict(copy);
    return SZ_OK;
}

static sz_status dict_update(sz_tcall *c, sz_tv *out) {
    sz_tdict *d = c->arg[0].u.dict;
    sz_tv more;
    SZ_TRY(sz_tcall_builtin(c->r, sz_tbuiltin_find(sz_tglobals, "dict", 4), NULL, c->rest, &more));
    for (uint32_t i = 0; i < more.u.dict->n; i++)
        SZ_TRY(sz_tdict_set(c->r, d, more.u.dict->entry[i].key, more.u.dict->entry[i].value));
    *out = SZ_T_NONE_VALUE;
    return SZ_OK;
}

const sz_tbuiltin sz_tmethods_dict[] = {{"items", dict_items, "self"},
                                        {"keys", dict_keys, "self"},
                                        {"values", dict_values, "self"},
                                        {"get", dict_get, "self key default?"},
                                        {"pop", dict_pop, "self key default?"},
                                        {"setdefault", dict_setdefault, "self key default?"},
                                        {"copy", dict_copy, "self"},
                                        {"update", dict_update, "self *"},
                                        {0}};
