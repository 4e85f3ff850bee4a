/* template_filter_pretty.c: pprint: repr with the keys of mappings in order, broken into lines
 * where it is wider than 80 characters. Long strings stay whole. */
#include "model/template_builtin.h"

enum { WIDTH = 80 };

/* ---- A copy in the order of keys ------------------------------------------------------------- */

static sz_status ordered(sz_render *r, sz_tv v, int depth, sz_tv *out);

static sz_status ordered_list(sz_render *r, const sz_tlist *l, int depth, sz_tv *out) {
    sz_tlist *copy;
    SZ_TRY(sz_tlist_new(r, l->shape, l->n, &copy));
    for (; copy->n < l->n; copy->n++)
        SZ_TRY(ordered(r, l->item[copy->n], depth + 1, &copy->item[copy->n]));
    *out = sz_tv_list(copy);
    return SZ_OK;
}

static sz_status ordered_dict(sz_render *r, const sz_tdict *d, int depth, sz_tv *out) {
    sz_tv *key, *value;
    sz_tdict *copy;
    SZ_TRY(sz_render_alloc(r, d->n, sizeof *key, &key));
    SZ_TRY(sz_render_alloc(r, d->n, sizeof *value, &value));
    SZ_TRY(sz_tdict_new(r, d->n, &copy));
    for (uint32_t i = 0; i < d->n; i++) {
        key[i] = d->entry[i].key;
        SZ_TRY(ordered(r, d->entry[i].value, depth + 1, &value[i]));
    }
    sz_status status = sz_tlist_sort(r, value, key, d->n, false);
    if (status == SZ_OK)
        status = sz_tlist_sort(r, key, NULL, d->n, false);
    if (status != SZ_OK && status != SZ_E_FORMAT) /* keys without an order stay as they are */
        return status;
    for (uint32_t i = 0; i < d->n; i++)
        copy->entry[copy->n++] = (sz_tentry){key[i], value[i]};
    *out = sz_tv_dict(copy);
    return SZ_OK;
}

static sz_status ordered(sz_render *r, sz_tv v, int depth, sz_tv *out) {
    SZ_REQUIRE(depth < SZ_T_MAX_VALUE_DEPTH, SZ_E_LIMIT, "a value is nested deeper than %d levels",
               SZ_T_MAX_VALUE_DEPTH);
    SZ_TRY(sz_render_steps(r, 1));
    *out = v;
    if (v.kind == SZ_T_DICT)
        return ordered_dict(r, v.u.dict, depth, out);
    return sz_tv_is_joinable(v) ? ordered_list(r, v.u.list, depth, out) : SZ_OK;
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static void break_line(sz_buf *b, int64_t indent) {
    sz_buf_puts(b, ",\n");
    for (int64_t i = 0; i < indent; i++)
        sz_buf_putc(b, ' ');
}

/* after: characters that follow on the last line. */
static sz_status put(sz_render *r, sz_buf *b, sz_tv v, int64_t indent, int64_t after);

static sz_status put_items(sz_render *r, sz_buf *b, sz_tv v, int64_t indent, int64_t after) {
    const sz_tlist *l = v.u.list;
    bool tuple = sz_tv_is_tuple(v), single = tuple && l->n == 1;
    sz_buf_putc(b, tuple ? '(' : '[');
    for (uint32_t i = 0; i < l->n; i++) {
        bool last = i + 1 == l->n;
        SZ_TRY(put(r, b, l->item[i], indent + 1, last ? after + 1 + single : 1));
        if (!last)
            break_line(b, indent + 1);
    }
    sz_buf_puts(b, single ? ",)" : tuple ? ")" : "]");
    return SZ_OK;
}

static sz_status put_entries(sz_render *r, sz_buf *b, const sz_tdict *d, int64_t indent,
                             int64_t after) {
    sz_buf_putc(b, '{');
    for (uint32_t i = 0; i < d->n; i++) {
        bool last = i + 1 == d->n;
        size_t from = b->len;
        SZ_TRY(sz_tv_put_repr(r, b, d->entry[i].key, 0));
        sz_buf_puts(b, ": ");
        int64_t key = b->failed ? 0 : (int64_t)sz_text_length(b->data + from, b->len - from);
        SZ_TRY(put(r, b, d->entry[i].value, indent + key + 1, last ? after + 1 : 1));
        if (!last)
            break_line(b, indent + 1);
    }
    sz_buf_putc(b, '}');
    return SZ_OK;
}

static sz_status put(sz_render *r, sz_buf *b, sz_tv v, int64_t indent, int64_t after) {
    size_t from = b->len;
    SZ_TRY(sz_tv_put_repr(r, b, v, 0));
    SZ_REQUIRE(!b->failed, SZ_E_LIMIT, "the text is too long");
    int64_t width = (int64_t)sz_text_length(b->data + from, b->len - from);
    bool is_list = sz_tv_is_joinable(v) && v.u.list->n > 0;
    bool is_dict = v.kind == SZ_T_DICT && v.u.dict->n > 0;
    if (width <= WIDTH - indent - after || (!is_list && !is_dict))
        return SZ_OK;
    b->len = from;
    return is_list ? put_items(r, b, v, indent, after) : put_entries(r, b, v.u.dict, indent, after);
}

static sz_status filter_pprint(sz_tcall *c, sz_tv *out) {
    sz_tv v;
    size_t from = c->r->scratch.len;
    SZ_TRY(ordered(c->r, c->arg[0], 0, &v));
    SZ_TRY(put(c->r, &c->r->scratch, v, 0, 0));
    return sz_render_take(c->r, from, out);
}

const sz_tbuiltin sz_tfilters_pretty[] = {{"pprint", filter_pprint, "value"}, {0}};
