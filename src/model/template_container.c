/* template_container.c: lists and mappings. A mapping keeps the order of insertion and is searched
 * from its start: those of templates are small, and what a large one takes is charged. */
#include "model/template_render.h"

sz_status sz_tlist_new(sz_render *r, sz_tshape shape, size_t cap, sz_tlist **out) {
    sz_tlist *l;
    SZ_TRY(sz_render_alloc(r, 1, sizeof *l, &l));
    *l = (sz_tlist){.shape = (uint8_t)shape, .cap = (uint32_t)cap};
    if (cap > 0)
        SZ_TRY(sz_render_alloc(r, cap, sizeof *l->item, &l->item));
    *out = l;
    return SZ_OK;
}

sz_status sz_tlist_push(sz_render *r, sz_tlist *l, sz_tv v) {
    if (l->n == l->cap) {
        uint32_t cap = l->cap ? 2 * l->cap : 4;
        sz_tv *more;
        SZ_TRY(sz_render_alloc(r, cap, sizeof *more, &more));
        if (l->n)
            memcpy(more, l->item, l->n * sizeof *more);
        l->item = more;
        l->cap = cap;
    }
    l->item[l->n++] = v;
    return SZ_OK;
}

sz_status sz_tlist_pair(sz_render *r, sz_tv first, sz_tv second, sz_tv *out) {
    sz_tlist *l;
    SZ_TRY(sz_tlist_new(r, SZ_T_IS_TUPLE, 2, &l));
    l->item[0] = first;
    l->item[1] = second;
    l->n = 2;
    *out = sz_tv_list(l);
    return SZ_OK;
}

sz_status sz_tdict_new(sz_render *r, size_t cap, sz_tdict **out) {
    sz_tdict *d;
    SZ_TRY(sz_render_alloc(r, 1, sizeof *d, &d));
    *d = (sz_tdict){.cap = (uint32_t)cap};
    if (cap > 0)
        SZ_TRY(sz_render_alloc(r, cap, sizeof *d->entry, &d->entry));
    *out = d;
    return SZ_OK;
}

const sz_tentry *sz_tdict_find_text(const sz_tdict *d, const char *s, size_t n) {
    for (uint32_t i = 0; i < d->n; i++) {
        const sz_tv *key = &d->entry[i].key;
        if (key->kind == SZ_T_STRING && key->n == n && memcmp(key->u.s, s, n) == 0)
            return &d->entry[i];
    }
    return NULL;
}

static bool is_hashable(sz_tv v) {
    if (sz_tv_is_tuple(v)) {
        for (uint32_t i = 0; i < v.u.list->n; i++)
            if (v.u.list->item[i].kind == SZ_T_DICT || v.u.list->item[i].kind == SZ_T_LIST)
                return false; /* of tuples within tuples, no keys are made */
        return true;
    }
    return v.kind != SZ_T_DICT && !(v.kind == SZ_T_LIST && v.u.list->shape == SZ_T_IS_LIST);
}

sz_status sz_tdict_find(sz_render *r, const sz_tdict *d, sz_tv key, sz_tentry **out) {
    SZ_REQUIRE(is_hashable(key), SZ_E_FORMAT, "unhashable type: '%s'", sz_tv_type_name(key));
    *out = NULL;
    SZ_TRY(sz_render_steps(r, d->n / 8));
    if (key.kind == SZ_T_STRING) {
        const sz_tentry *e = sz_tdict_find_text(d, key.u.s, key.n);
        *out = e ? &d->entry[e - d->entry] : NULL;
        return SZ_OK;
    }
    for (uint32_t i = 0; i < d->n && !*out; i++) {
        bool equal;
        SZ_TRY(sz_tv_equal(r, d->entry[i].key, key, &equal));
        if (equal)
            *out = &d->entry[i];
    }
    return SZ_OK;
}

sz_status sz_tdict_set(sz_render *r, sz_tdict *d, sz_tv key, sz_tv value) {
    sz_tentry *e;
    SZ_TRY(sz_tdict_find(r, d, key, &e));
    if (e) {
        e->value = value;
        return SZ_OK;
    }
    if (d->n == d->cap) {
        uint32_t cap = d->cap ? 2 * d->cap : 4;
        SZ_TRY(sz_render_alloc(r, cap, sizeof *e, &e));
        if (d->n)
            memcpy(e, d->entry, d->n * sizeof *e);
        d->entry = e;
        d->cap = cap;
    }
    d->entry[d->n++] = (sz_tentry){key, value};
    return SZ_OK;
}

sz_status sz_tdict_items(sz_render *r, const sz_tdict *d, sz_tshape shape, sz_tlist **out) {
    SZ_TRY(sz_tlist_new(r, shape, d->n, out));
    SZ_TRY(sz_render_steps(r, d->n / 4));
    for (uint32_t i = 0; i < d->n; i++) {
        SZ_TRY(sz_tlist_pair(r, d->entry[i].key, d->entry[i].value, &(*out)->item[i]));
        (*out)->n++;
    }
    return SZ_OK;
}
