/* template_eval.c: expressions. */
#include "model/template_builtin.h"

/* ---- Names ---------------------------------------------------------------------------------- */

static sz_status look_up(sz_render *r, const sz_tnode *e, sz_tv *out) {
    const sz_tname *name = e->name;
    for (const sz_tframe *f = r->frame; f; f = f->parent) {
        SZ_TRY(sz_render_steps(r, f->n / 16));
        for (uint32_t i = f->n; i-- > 0;) {
            if (f->var[i].name == name) {
                *out = f->var[i].value;
                return SZ_OK;
            }
        }
    }
    const sz_tentry *found = sz_tdict_find_text(r->variables, name->s, name->n);
    SZ_TRY(sz_render_steps(r, r->variables->n / 16));
    if (found)
        *out = found->value;
    else if (e->builtin)
        *out = (sz_tv){.kind = SZ_T_FUNCTION, .u.function = e->builtin};
    else
        *out = (sz_tv){.kind = SZ_T_UNDEFINED, .n = name->n, .u.s = name->s};
    return SZ_OK;
}

/* ---- Arguments ------------------------------------------------------------------------------ */

static sz_status push(sz_render *r, sz_tv v) {
    SZ_REQUIRE(r->n_args < SZ_T_MAX_ARGS, SZ_E_LIMIT, "more than %d arguments at a time",
               SZ_T_MAX_ARGS);
    r->args[r->n_args++] = v;
    return SZ_OK;
}

static sz_status push_values(sz_render *r, const sz_tnode *node) {
    for (; node; node = node->next) {
        sz_tv v;
        sz_tlist items;
        if (node->kind == SZ_N_KEYWORD || node->kind == SZ_N_SPREAD_KEYWORDS)
            continue;
        SZ_TRY(sz_teval(r, node->kind == SZ_N_SPREAD ? node->a : node, &v));
        if (node->kind != SZ_N_SPREAD) {
            SZ_TRY(push(r, v));
            continue;
        }
        SZ_TRY(sz_tv_iterate(r, v, &items));
        for (uint32_t i = 0; i < items.n; i++)
            SZ_TRY(push(r, items.item[i]));
    }
    return SZ_OK;
}

static sz_status push_keywords(sz_render *r, const sz_tnode *node) {
    for (; node; node = node->next) {
        sz_tv v;
        if (node->kind != SZ_N_KEYWORD && node->kind != SZ_N_SPREAD_KEYWORDS)
            continue;
        SZ_TRY(sz_teval(r, node->a, &v));
        if (node->kind == SZ_N_KEYWORD) {
            SZ_TRY(push(r, sz_tv_text(node->name->s, node->name->n)));
            SZ_TRY(push(r, v));
            continue;
        }
        SZ_REQUIRE(v.kind == SZ_T_DICT, SZ_E_FORMAT,
                   "argument after ** must be a mapping, not '%s'", sz_tv_type_name(v));
        for (uint32_t i = 0; i < v.u.dict->n; i++) {
            SZ_TRY(push(r, v.u.dict->entry[i].key));
            SZ_TRY(push(r, v.u.dict->entry[i].value));
        }
    }
    return SZ_OK;
}

/* Evaluates the arguments onto the stack. The caller sets r->n_args back when it is done. */
static sz_status push_arguments(sz_render *r, const sz_tnode *call, const sz_tv *caller,
                                sz_targs *out) {
    uint32_t from = r->n_args;
    SZ_TRY(push_values(r, call->list));
    uint32_t keywords = r->n_args;
    SZ_TRY(push_keywords(r, call->list));
    if (caller) {
        SZ_TRY(push(r, sz_tv_text("caller", 6)));
        SZ_TRY(push(r, *caller));
    }
    *out = (sz_targs){r->args + from, keywords - from, (r->n_args - keywords) / 2};
    return SZ_OK;
}

/* ---- Calls, filters, tests ------------------------------------------------------------------ */

sz_status sz_teval_call(sz_render *r, const sz_tnode *call, const sz_tv *caller, sz_tv *out) {
    sz_tv callee;
    sz_targs args;
    uint32_t from = r->n_args;
    SZ_TRY(sz_teval(r, call->a, &callee));
    SZ_TRY(push_arguments(r, call, caller, &args));
    SZ_TRY(sz_tcall_value(r, callee, args, out));
    r->n_args = from;
    return SZ_OK;
}

static sz_status apply(sz_render *r, const sz_tnode *e, const char *what, sz_tv subject,
                       sz_tv *out) {
    sz_targs args;
    uint32_t from = r->n_args;
    SZ_REQUIRE(e->builtin, SZ_E_UNSUPPORTED, "no %s is named '%.*s'", what, (int)e->name->n,
               e->name->s);
    SZ_TRY(push_arguments(r, e, NULL, &args));
    SZ_TRY(sz_tcall_builtin(r, e->builtin, &subject, args, out));
    r->n_args = from;
    return SZ_OK;
}

/* The filters of a block, over its text. */
sz_status sz_teval_filters(sz_render *r, const sz_tnode *e, sz_tv subject, sz_tv *out) {
    *out = subject;
    if (!e)
        return SZ_OK;
    SZ_TRY(sz_render_enter(r));
    SZ_TRY(sz_teval_filters(r, e->a, subject, &subject));
    r->depth--;
    return apply(r, e, "filter", subject, out);
}

static sz_status eval_filter(sz_render *r, const sz_tnode *e, sz_tv *out) {
    sz_tv subject;
    SZ_TRY(sz_teval(r, e->a, &subject));
    return apply(r, e, "filter", subject, out);
}

static sz_status eval_test(sz_render *r, const sz_tnode *e, sz_tv *out) {
    sz_tv subject;
    SZ_TRY(sz_teval(r, e->a, &subject));
    SZ_TRY(apply(r, e, "test", subject, out));
    *out = sz_tv_bool(sz_tv_truth(*out) != e->flag);
    return SZ_OK;
}

/* ---- Displays, items ------------------------------------------------------------------------ */

static sz_status eval_list(sz_render *r, const sz_tnode *e, sz_tv *out) {
    sz_tlist *l;
    SZ_TRY(sz_tlist_new(r, e->kind == SZ_N_LIST ? SZ_T_IS_LIST : SZ_T_IS_TUPLE, e->n, &l));
    for (const sz_tnode *item = e->list; item; item = item->next) {
        SZ_TRY(sz_teval(r, item, &l->item[l->n]));
        l->n++;
    }
    *out = sz_tv_list(l);
    return SZ_OK;
}

static sz_status eval_dict(sz_render *r, const sz_tnode *e, sz_tv *out) {
    sz_tdict *d;
    SZ_TRY(sz_tdict_new(r, e->n / 2, &d));
    for (const sz_tnode *item = e->list; item; item = item->next->next) {
        sz_tv key, value;
        SZ_TRY(sz_teval(r, item, &key));
        SZ_TRY(sz_teval(r, item->next, &value));
        SZ_TRY(sz_tdict_set(r, d, key, value));
    }
    *out = sz_tv_dict(d);
    return SZ_OK;
}

static sz_status eval_slice(sz_render *r, const sz_tnode *e, sz_tv object, sz_tv *out) {
    const sz_tnode *const part[3] = {e->a, e->b, e->c};
    sz_tv bound[3] = {{0}};
    for (int i = 0; i < 3; i++)
        if (part[i])
            SZ_TRY(sz_teval(r, part[i], &bound[i]));
    return sz_tv_slice(r, object, bound, out);
}

static sz_status eval_item(sz_render *r, const sz_tnode *e, sz_tv *out) {
    sz_tv object, key;
    SZ_TRY(sz_teval(r, e->a, &object));
    if (e->b->kind == SZ_N_SLICE)
        return eval_slice(r, e->b, object, out);
    SZ_TRY(sz_teval(r, e->b, &key));
    return sz_tv_item(r, object, key, out);
}

/* ---- Operators ------------------------------------------------------------------------------ */

static sz_status eval_binary(sz_render *r, const sz_tnode *e, sz_tv *out) {
    sz_tv a, b;
    SZ_TRY(sz_teval(r, e->a, &a));
    SZ_TRY(sz_teval(r, e->b, &b));
    return sz_tv_binary(r, e->op, a, b, out);
}

/* a < b < c: each pair until one fails */
static sz_status eval_compare(sz_render *r, const sz_tnode *e, sz_tv *out) {
    sz_tv left, right;
    bool holds = true;
    SZ_TRY(sz_teval(r, e->a, &left));
    for (const sz_tnode *operand = e->list; operand && holds; operand = operand->next) {
        SZ_TRY(sz_teval(r, operand->a, &right));
        SZ_TRY(sz_tv_compare(r, operand->op, left, right, &holds));
        left = right;
    }
    *out = sz_tv_bool(holds);
    return SZ_OK;
}

static sz_status eval_logic(sz_render *r, const sz_tnode *e, sz_tv *out) {
    SZ_TRY(sz_teval(r, e->a, out));
    return sz_tv_truth(*out) == (e->kind == SZ_N_AND) ? sz_teval(r, e->b, out) : SZ_OK;
}

static sz_status eval_if_else(sz_render *r, const sz_tnode *e, sz_tv *out) {
    sz_tv condition;
    SZ_TRY(sz_teval(r, e->b, &condition));
    if (sz_tv_truth(condition))
        return sz_teval(r, e->a, out);
    *out = SZ_T_UNDEFINED_VALUE;
    return e->c ? sz_teval(r, e->c, out) : SZ_OK;
}

static sz_status eval_sign(sz_render *r, const sz_tnode *e, sz_tv *out) {
    sz_tv a, negative;
    SZ_TRY(sz_teval(r, e->a, &a));
    SZ_TRY(sz_tv_negate(r, a, &negative)); /* +a has the same errors */
    *out = e->kind == SZ_N_NEGATE ? negative : a.kind == SZ_T_BOOL ? sz_tv_int(a.u.b) : a;
    return SZ_OK;
}

static sz_status eval_attribute(sz_render *r, const sz_tnode *e, sz_tv *out) {
    sz_tv object;
    SZ_TRY(sz_teval(r, e->a, &object));
    return sz_tv_attribute(r, object, sz_tv_text(e->name->s, e->name->n), out);
}

static sz_status eval_not(sz_render *r, const sz_tnode *e, sz_tv *out) {
    sz_tv a;
    SZ_TRY(sz_teval(r, e->a, &a));
    *out = sz_tv_bool(!sz_tv_truth(a));
    return SZ_OK;
}

static sz_status eval_kind(sz_render *r, const sz_tnode *e, sz_tv *out) {
    switch (e->kind) {
    case SZ_N_CONST:
        *out = e->value;
        return SZ_OK;
    case SZ_N_NAME:
        return look_up(r, e, out);
    case SZ_N_LIST:
    case SZ_N_TUPLE:
        return eval_list(r, e, out);
    case SZ_N_DICT:
        return eval_dict(r, e, out);
    case SZ_N_ATTRIBUTE:
        return eval_attribute(r, e, out);
    case SZ_N_ITEM:
        return eval_item(r, e, out);
    case SZ_N_CALL:
        return sz_teval_call(r, e, NULL, out);
    case SZ_N_FILTER:
        return eval_filter(r, e, out);
    case SZ_N_TEST:
        return eval_test(r, e, out);
    case SZ_N_NOT:
        return eval_not(r, e, out);
    case SZ_N_NEGATE:
    case SZ_N_PLUS:
        return eval_sign(r, e, out);
    case SZ_N_AND:
    case SZ_N_OR:
        return eval_logic(r, e, out);
    case SZ_N_BINARY:
        return eval_binary(r, e, out);
    case SZ_N_COMPARE:
        return eval_compare(r, e, out);
    case SZ_N_IF_ELSE:
        return eval_if_else(r, e, out);
    default:
        return sz_fail(SZ_E_FORMAT, "a slice stands where it cannot");
    }
}

sz_status sz_teval(sz_render *r, const sz_tnode *e, sz_tv *out) {
    sz_status status = sz_render_enter(r);
    if (status == SZ_OK)
        status = eval_kind(r, e, out);
    if (status != SZ_OK && !r->fail_line)
        r->fail_line = e->line;
    r->depth--;
    return status;
}
