/* template_loop.c: for loops and what `loop` tells inside of them. */
#include "model/template_builtin.h"

/* ---- The loop variable ---------------------------------------------------------------------- */

void sz_tloop_attribute(const sz_tloop *l, sz_tv name, sz_tv *out) {
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {{"index", (int64_t)l->at + 1},
                   {"index0", l->at},
                   {"revindex", (int64_t)l->items.n - l->at},
                   {"revindex0", (int64_t)l->items.n - l->at - 1},
                   {"length", l->items.n},
                   {"depth", (int64_t)l->depth + 1},
                   {"depth0", l->depth}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (sz_text_equal(name, numbers[i].name))
            *out = sz_tv_int(numbers[i].value);
    if (sz_text_equal(name, "first"))
        *out = sz_tv_bool(l->at == 0);
    else if (sz_text_equal(name, "last"))
        *out = sz_tv_bool(l->at + 1 == l->items.n);
    else if (sz_text_equal(name, "previtem") && l->at > 0)
        *out = l->items.item[l->at - 1];
    else if (sz_text_equal(name, "nextitem") && l->at + 1 < l->items.n)
        *out = l->items.item[l->at + 1];
}

static sz_status loop_cycle(sz_tcall *c, sz_tv *out) {
    if (c->rest.n == 0)
        return SZ_FAIL_CALL(c, "no items to cycle through");
    *out = c->rest.value[c->arg[0].u.loop->at % c->rest.n];
    return SZ_OK;
}

/* Whether the arguments differ from those of the last call. */
static sz_status loop_changed(sz_tcall *c, sz_tv *out) {
    sz_tloop *l = c->arg[0].u.loop;
    bool same = l->has_changed && l->changed.n == c->rest.n;
    for (uint32_t i = 0; i < c->rest.n && same; i++)
        SZ_TRY(sz_tv_equal(c->r, l->changed.item[i], c->rest.value[i], &same));
    *out = sz_tv_bool(!same);
    l->changed.n = 0;
    l->has_changed = true;
    for (uint32_t i = 0; i < c->rest.n; i++)
        SZ_TRY(sz_tlist_push(c->r, &l->changed, c->rest.value[i]));
    return SZ_OK;
}

const sz_tbuiltin sz_tmethods_loop[] = {
    {"cycle", loop_cycle, "loop *"}, {"changed", loop_changed, "loop *"}, {0}};

/* ---- Running -------------------------------------------------------------------------------- */

/* The items for which the loop's condition holds. */
static sz_status select_items(sz_render *r, const sz_tnode *node, sz_tlist *items) {
    sz_tlist *kept;
    sz_tframe *previous = r->frame;
    SZ_TRY(sz_tlist_new(r, SZ_T_IS_LIST, 0, &kept));
    for (uint32_t i = 0; i < items->n; i++) {
        sz_tv condition;
        SZ_TRY(sz_tframe_push(r, previous));
        SZ_TRY(sz_texec_assign(r, node->a, items->item[i]));
        SZ_TRY(sz_teval(r, node->c, &condition));
        sz_tframe_pop(r, previous);
        if (sz_tv_truth(condition))
            SZ_TRY(sz_tlist_push(r, kept, items->item[i]));
    }
    *items = *kept;
    return SZ_OK;
}

static sz_status run_once(sz_render *r, const sz_tnode *node, sz_tloop *l) {
    sz_tframe *previous = r->frame;
    SZ_TRY(sz_tframe_push(r, previous));
    SZ_TRY(sz_tframe_set(r, r->t->loop, (sz_tv){.kind = SZ_T_LOOP, .u.loop = l}));
    SZ_TRY(sz_texec_assign(r, node->a, l->items.item[l->at]));
    SZ_TRY(sz_texec(r, node->body));
    sz_tframe_pop(r, previous);
    return SZ_OK;
}

static sz_status run_else(sz_render *r, const sz_tnode *node) {
    sz_tframe *previous = r->frame;
    SZ_TRY(sz_tframe_push(r, previous));
    SZ_TRY(sz_texec(r, node->other));
    sz_tframe_pop(r, previous);
    return SZ_OK;
}

sz_status sz_texec_loop(sz_render *r, const sz_tnode *node, sz_tv over, uint32_t depth) {
    sz_tloop *l;
    sz_tlist items;
    SZ_TRY(sz_tv_iterate(r, over, &items));
    if (node->c)
        SZ_TRY(select_items(r, node, &items));
    if (items.n == 0)
        return run_else(r, node);
    SZ_TRY(sz_render_alloc(r, 1, sizeof *l, &l));
    *l = (sz_tloop){.items = items, .depth = depth, .node = node, .frame = r->frame};
    if (node->flag) /* loop() may be called from anywhere */
        sz_tframe_capture(r->frame);
    bool broken = false;
    for (; l->at < items.n && !broken; l->at++) {
        SZ_TRY(run_once(r, node, l));
        broken = r->flow == SZ_FLOW_BREAK;
        r->flow = SZ_FLOW_ON;
    }
    return SZ_OK;
}
