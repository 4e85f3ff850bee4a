/* template_exec.c: statements, scopes and macros. */
#include "model/template_builtin.h"

/* ---- Scopes --------------------------------------------------------------------------------- */

sz_status sz_tframe_push(sz_render *r, sz_tframe *parent) {
    sz_tframe *f = r->spare;
    if (f)
        r->spare = f->parent;
    else {
        SZ_TRY(sz_render_alloc(r, 1, sizeof *f, &f));
        *f = (sz_tframe){0};
    }
    f->parent = parent;
    f->n = 0;
    r->frame = f;
    return SZ_OK;
}

void sz_tframe_pop(sz_render *r, sz_tframe *previous) {
    sz_tframe *f = r->frame;
    if (!f->captured) {
        f->parent = r->spare;
        r->spare = f;
    }
    r->frame = previous;
}

/* Whoever keeps a frame keeps those around it. */
void sz_tframe_capture(sz_tframe *f) {
    for (; f && !f->captured; f = f->parent)
        f->captured = true;
}

sz_status sz_tframe_set(sz_render *r, const sz_tname *name, sz_tv value) {
    sz_tframe *f = r->frame;
    SZ_TRY(sz_render_steps(r, f->n / 16));
    for (uint32_t i = 0; i < f->n; i++) {
        if (f->var[i].name == name) {
            f->var[i].value = value;
            return SZ_OK;
        }
    }
    if (f->n == f->cap) {
        uint32_t cap = f->cap ? 2 * f->cap : 4;
        sz_tvar *more;
        SZ_TRY(sz_render_alloc(r, cap, sizeof *more, &more));
        if (f->n)
            memcpy(more, f->var, f->n * sizeof *more);
        f->var = more;
        f->cap = cap;
    }
    f->var[f->n++] = (sz_tvar){name, value};
    return SZ_OK;
}

/* ---- Assignment ----------------------------------------------------------------------------- */

static sz_status assign_attribute(sz_render *r, const sz_tnode *target, sz_tv value) {
    sz_tv object;
    const sz_tnode name = {.kind = SZ_N_NAME, .line = target->line, .name = target->name};
    SZ_TRY(sz_teval(r, &name, &object));
    if (object.kind == SZ_T_UNDEFINED)
        return sz_tv_undefined_used(object);
    SZ_REQUIRE(object.kind == SZ_T_NAMESPACE, SZ_E_FORMAT,
               "cannot assign attribute on non-namespace object");
    return sz_tdict_set(r, object.u.dict, sz_tv_text(target->attribute->s, target->attribute->n),
                        value);
}

static sz_status assign_several(sz_render *r, const sz_tnode *target, sz_tv value) {
    sz_tlist items;
    uint32_t i = 0;
    SZ_TRY(sz_tv_iterate(r, value, &items));
    SZ_REQUIRE(items.n == target->n, SZ_E_FORMAT, "%u values to unpack, expected %u", items.n,
               target->n);
    for (const sz_tnode *part = target->list; part; part = part->next)
        SZ_TRY(sz_texec_assign(r, part, items.item[i++]));
    return SZ_OK;
}

sz_status sz_texec_assign(sz_render *r, const sz_tnode *target, sz_tv value) {
    switch (target->kind) {
    case SZ_N_NAME:
        return sz_tframe_set(r, target->name, value);
    case SZ_N_NAMESPACE:
        return assign_attribute(r, target, value);
    default:
        return assign_several(r, target, value);
    }
}

/* ---- Output --------------------------------------------------------------------------------- */

static sz_status check_output(const sz_render *r) {
    SZ_REQUIRE(!r->out.failed, SZ_E_LIMIT, "the rendered text is longer than %llu bytes",
               (unsigned long long)r->limits.output_bytes);
    return SZ_OK;
}

sz_status sz_texec_take(sz_render *r, size_t from, sz_tv *out) {
    char *copy;
    size_t n = r->out.len - from;
    SZ_TRY(check_output(r));
    SZ_TRY(sz_render_alloc(r, n, 1, &copy));
    if (n > 0)
        memcpy(copy, r->out.data + from, n);
    r->out.len = from;
    *out = sz_tv_text(copy, n);
    return SZ_OK;
}

sz_status sz_texec_captured(sz_render *r, const sz_tnode *body, sz_tv *out) {
    size_t from = r->out.len;
    SZ_TRY(sz_texec(r, body));
    return sz_texec_take(r, from, out);
}

static sz_status put(sz_render *r, sz_tv v) {
    SZ_TRY(sz_tv_write(r, &r->out, v));
    SZ_TRY(sz_render_steps(r, v.kind == SZ_T_STRING ? v.n / 64 : 0));
    return check_output(r);
}

/* ---- Macros --------------------------------------------------------------------------------- */

static sz_status bind_parameter(sz_render *r, const sz_tnode *param, uint32_t i,
                                const sz_targs *args) {
    sz_tv value = {.kind = SZ_T_UNDEFINED, .n = param->name->n, .u.s = param->name->s};
    const sz_tv *keyword = sz_targs_keyword(args, param->name->s, param->name->n);
    SZ_TRY(sz_render_steps(r, args->n_kw / 8));
    if (i < args->n)
        value = args->value[i];
    else if (keyword)
        value = *keyword;
    else if (param->a)
        SZ_TRY(sz_teval(r, param->a, &value));
    SZ_REQUIRE(i >= args->n || !keyword, SZ_E_FORMAT, "'%.*s' is given twice", (int)param->name->n,
               param->name->s);
    return sz_tframe_set(r, param->name, value);
}

static sz_status bind_varargs(sz_render *r, const sz_tnode *macro, const sz_targs *args) {
    sz_tlist *l;
    if (!(macro->flag & SZ_USES_VARARGS)) {
        SZ_REQUIRE(args->n <= macro->n, SZ_E_FORMAT, "macro '%.*s' takes %u arguments, not %u",
                   (int)macro->name->n, macro->name->s, macro->n, args->n);
        return SZ_OK;
    }
    SZ_TRY(sz_tlist_new(r, SZ_T_IS_TUPLE, 0, &l));
    for (uint32_t i = macro->n; i < args->n; i++)
        SZ_TRY(sz_tlist_push(r, l, args->value[i]));
    return sz_tframe_set(r, r->t->varargs, sz_tv_list(l));
}

static bool is_parameter(const sz_tnode *macro, sz_tv name) {
    for (const sz_tnode *p = macro->list; p; p = p->next)
        if (p->name->n == name.n && memcmp(p->name->s, name.u.s, name.n) == 0)
            return true;
    return false;
}

/* What is left of the keywords: kwargs, and the caller of a call block. */
static sz_status bind_keywords(sz_render *r, const sz_tnode *macro, const sz_targs *args) {
    sz_tdict *kwargs = NULL;
    sz_tv caller = {.kind = SZ_T_UNDEFINED, .n = 6, .u.s = "caller"};
    if (macro->flag & SZ_USES_KWARGS) {
        SZ_TRY(sz_tdict_new(r, 0, &kwargs));
        SZ_TRY(sz_tframe_set(r, r->t->kwargs, sz_tv_dict(kwargs)));
    }
    const sz_tv *pair = args->value + args->n;
    for (uint32_t i = 0; i < args->n_kw; i++, pair += 2) {
        SZ_REQUIRE(pair->kind == SZ_T_STRING, SZ_E_FORMAT, "names of arguments must be strings");
        SZ_TRY(sz_render_steps(r, macro->n / 8));
        if (is_parameter(macro, *pair))
            continue;
        if (sz_text_equal(*pair, "caller") && macro->flag & SZ_USES_CALLER)
            caller = pair[1];
        else if (kwargs)
            SZ_TRY(sz_tdict_set(r, kwargs, pair[0], pair[1]));
        else
            return sz_fail(SZ_E_FORMAT, "macro '%.*s' takes no argument '%.*s'",
                           (int)macro->name->n, macro->name->s, (int)pair->n, pair->u.s);
    }
    bool own = is_parameter(macro, sz_tv_text("caller", 6));
    return macro->flag & SZ_USES_CALLER && !own ? sz_tframe_set(r, r->t->caller, caller) : SZ_OK;
}

sz_status sz_texec_macro(sz_render *r, const sz_tmacro *m, sz_targs args, sz_tv *out) {
    sz_tframe *previous = r->frame;
    sz_tflow flow = r->flow;
    uint32_t i = 0;
    SZ_TRY(sz_render_enter(r));
    SZ_TRY(sz_tframe_push(r, m->frame));
    SZ_TRY(bind_varargs(r, m->node, &args));
    SZ_TRY(bind_keywords(r, m->node, &args));
    for (const sz_tnode *param = m->node->list; param; param = param->next)
        SZ_TRY(bind_parameter(r, param, i++, &args));
    SZ_TRY(sz_texec_captured(r, m->node->body, out));
    sz_tframe_pop(r, previous);
    r->flow = flow;
    r->depth--;
    return SZ_OK;
}

static sz_status make_macro(sz_render *r, const sz_tnode *node, sz_tv *out) {
    sz_tmacro *m;
    SZ_TRY(sz_render_alloc(r, 1, sizeof *m, &m));
    *m = (sz_tmacro){node, r->frame};
    sz_tframe_capture(r->frame);
    *out = (sz_tv){.kind = SZ_T_MACRO, .u.macro = m};
    return SZ_OK;
}

/* ---- Statements ----------------------------------------------------------------------------- */

static sz_status exec_if(sz_render *r, const sz_tnode *node) {
    for (const sz_tnode *branch = node->list; branch; branch = branch->next) {
        sz_tv condition = sz_tv_bool(true);
        if (branch->a)
            SZ_TRY(sz_teval(r, branch->a, &condition));
        if (sz_tv_truth(condition))
            return sz_texec(r, branch->body);
    }
    return SZ_OK;
}

static sz_status exec_for(sz_render *r, const sz_tnode *node) {
    sz_tv over;
    SZ_TRY(sz_teval(r, node->b, &over));
    return sz_texec_loop(r, node, over, 0);
}

static sz_status exec_set(sz_render *r, const sz_tnode *node) {
    sz_tv value;
    SZ_TRY(sz_teval(r, node->b, &value));
    return sz_texec_assign(r, node->a, value);
}

/* The text of a body in a scope of its own, through filters. */
static sz_status filtered(sz_render *r, const sz_tnode *node, sz_tv *out) {
    sz_tframe *previous = r->frame;
    SZ_TRY(sz_tframe_push(r, previous));
    SZ_TRY(sz_texec_captured(r, node->body, out));
    SZ_TRY(sz_teval_filters(r, node->b, *out, out));
    sz_tframe_pop(r, previous);
    return SZ_OK;
}

static sz_status exec_set_block(sz_render *r, const sz_tnode *node) {
    sz_tv text;
    SZ_TRY(filtered(r, node, &text));
    return sz_texec_assign(r, node->a, text);
}

static sz_status exec_filter_block(sz_render *r, const sz_tnode *node) {
    sz_tv text;
    SZ_TRY(filtered(r, node, &text));
    return put(r, text);
}

static sz_status exec_macro(sz_render *r, const sz_tnode *node) {
    sz_tv macro;
    SZ_TRY(make_macro(r, node, &macro));
    return sz_tframe_set(r, node->name, macro);
}

static sz_status exec_call_block(sz_render *r, const sz_tnode *node) {
    sz_tv caller, text;
    SZ_TRY(make_macro(r, node->b, &caller));
    SZ_TRY(sz_teval_call(r, node->a, &caller, &text));
    return put(r, text);
}

/* Values are evaluated outside of the new scope, all before the first is set. */
static sz_status exec_with(sz_render *r, const sz_tnode *node) {
    sz_tframe *previous = r->frame;
    sz_tlist *values;
    uint32_t i = 0;
    SZ_TRY(sz_tlist_new(r, SZ_T_IS_LIST, node->n, &values));
    for (const sz_tnode *set = node->list; set; set = set->next)
        SZ_TRY(sz_teval(r, set->b, &values->item[values->n++]));
    SZ_TRY(sz_tframe_push(r, previous));
    for (const sz_tnode *set = node->list; set; set = set->next)
        SZ_TRY(sz_texec_assign(r, set->a, values->item[i++]));
    SZ_TRY(sz_texec(r, node->body));
    sz_tframe_pop(r, previous);
    return SZ_OK;
}

static sz_status exec_output(sz_render *r, const sz_tnode *node) {
    sz_tv v;
    SZ_TRY(sz_teval(r, node->a, &v));
    return put(r, v);
}

static sz_status exec_one(sz_render *r, const sz_tnode *node) {
    switch (node->kind) {
    case SZ_N_DATA:
        return put(r, node->value);
    case SZ_N_OUTPUT:
        return exec_output(r, node);
    case SZ_N_IF:
        return exec_if(r, node);
    case SZ_N_FOR:
        return exec_for(r, node);
    case SZ_N_SET:
        return exec_set(r, node);
    case SZ_N_SET_BLOCK:
        return exec_set_block(r, node);
    case SZ_N_MACRO:
        return exec_macro(r, node);
    case SZ_N_CALL_BLOCK:
        return exec_call_block(r, node);
    case SZ_N_FILTER_BLOCK:
        return exec_filter_block(r, node);
    case SZ_N_WITH:
        return exec_with(r, node);
    default:
        r->flow = node->kind == SZ_N_BREAK ? SZ_FLOW_BREAK : SZ_FLOW_CONTINUE;
        return SZ_OK;
    }
}

/* Stops behind a break or continue; the loop around looks at r->flow. */
sz_status sz_texec(sz_render *r, const sz_tnode *body) {
    sz_status status = sz_render_enter(r);
    for (; body && status == SZ_OK && r->flow == SZ_FLOW_ON; body = body->next) {
        status = sz_render_steps(r, 1);
        if (status == SZ_OK)
            status = exec_one(r, body);
        if (status != SZ_OK && !r->fail_line)
            r->fail_line = body->line;
    }
    r->depth--;
    return status;
}
