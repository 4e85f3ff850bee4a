/* template_call.c: arguments to parameters, for built-ins; and what kinds of value can be called.
 */
#include "model/template_builtin.h"

const sz_tbuiltin *sz_tbuiltin_find(const sz_tbuiltin *table, const char *s, size_t n) {
    for (; table->name; table++)
        if (strlen(table->name) == n && memcmp(table->name, s, n) == 0)
            return table;
    return NULL;
}

const sz_tbuiltin *sz_tfilter_find(const char *s, size_t n) {
    const sz_tbuiltin *const tables[] = {sz_tfilters_text, sz_tfilters_value, sz_tfilters_sequence,
                                         sz_tfilters_select, sz_tfilters_pretty};
    const sz_tbuiltin *found = NULL;
    for (size_t i = 0; i < sizeof tables / sizeof *tables && !found; i++)
        found = sz_tbuiltin_find(tables[i], s, n);
    return found;
}

void sz_tcall_explain(const sz_tcall *c, const char *format, ...) {
    va_list args;
    char text[256];
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sz_fail(SZ_E_FORMAT, "%s: %s", c->builtin->name, text);
}

const sz_tv *sz_targs_keyword(const sz_targs *a, const char *name, size_t n) {
    const sz_tv *pair = a->value + a->n;
    for (uint32_t i = 0; i < a->n_kw; i++, pair += 2)
        if (pair->kind == SZ_T_STRING && pair->n == n && memcmp(pair->u.s, name, n) == 0)
            return &pair[1];
    return NULL;
}

/* One parameter: the next value, else the keyword of its name. */
static sz_status bind_one(sz_tcall *c, int i, const char *param, size_t n, const sz_targs *args,
                          uint32_t *used, uint32_t *used_kw) {
    const sz_tv *keyword = sz_targs_keyword(args, param, n);
    bool given = *used < args->n;
    if (given && keyword)
        return SZ_FAIL_CALL(c, "'%.*s' is given twice", (int)n, param);
    if (!given && !keyword && param[n] != '?')
        return SZ_FAIL_CALL(c, "the argument '%.*s' is missing", (int)n, param);
    if (given)
        c->arg[i] = args->value[(*used)++];
    else if (keyword) {
        c->arg[i] = *keyword;
        (*used_kw)++;
    }
    return SZ_OK;
}

static bool is_lazy(const sz_tbuiltin *b) {
    return b->params[0] == '~';
}

static sz_status bind(sz_tcall *c, const sz_tv *self, sz_targs args) {
    uint32_t used = 0, used_kw = 0;
    int i = 0;
    const char *p = c->builtin->params + is_lazy(c->builtin);
    for (; *p && *p != '*'; i++) {
        size_t n = strcspn(p, " ?");
        if (i == 0 && self)
            c->arg[0] = *self;
        else
            SZ_TRY(bind_one(c, i, p, n, &args, &used, &used_kw));
        p += n;
        p += strspn(p, "? ");
    }
    if (*p == '*') {
        c->rest = (sz_targs){args.value + used, args.n - used, args.n_kw};
        return SZ_OK;
    }
    if (used < args.n)
        return SZ_FAIL_CALL(c, "%u arguments are too many", args.n + (self != NULL));
    if (used_kw < args.n_kw)
        return SZ_FAIL_CALL(c, "an argument has a name that is not known (parameters: %s)",
                            c->builtin->params);
    return SZ_OK;
}

/* A generator that holds this thread's error. Templates make some that they never read. */
static sz_status defer_error(sz_render *r, sz_tv *out) {
    sz_tlist *l;
    char *copy;
    size_t n = strlen(sz_last_error()) + 1;
    SZ_TRY(sz_tlist_new(r, SZ_T_IS_GENERATOR, 0, &l));
    SZ_TRY(sz_render_alloc(r, n, 1, &copy));
    memcpy(copy, sz_last_error(), n);
    l->name = copy;
    *out = sz_tv_list(l);
    return SZ_OK;
}

sz_status sz_tcall_builtin(sz_render *r, const sz_tbuiltin *b, const sz_tv *self, sz_targs args,
                           sz_tv *out) {
    sz_tcall c = {.r = r, .builtin = b};
    SZ_TRY(bind(&c, self, args));
    uint32_t depth = r->depth;
    size_t scratch = r->scratch.len;
    sz_status status = b->run(&c, out);
    if (!is_lazy(b) || (status != SZ_E_FORMAT && status != SZ_E_UNSUPPORTED))
        return status;
    r->depth = depth;
    r->scratch.len = scratch;
    return defer_error(r, out);
}

static sz_status call_loop(sz_render *r, const sz_tloop *l, sz_targs args, sz_tv *out) {
    SZ_REQUIRE(l->node->flag, SZ_E_FORMAT, "the loop is not marked 'recursive'");
    SZ_REQUIRE(args.n == 1 && args.n_kw == 0, SZ_E_FORMAT, "loop() takes one argument");
    sz_tframe *previous = r->frame;
    size_t from = r->out.len;
    SZ_TRY(sz_render_enter(r));
    SZ_TRY(sz_tframe_push(r, l->frame));
    SZ_TRY(sz_texec_loop(r, l->node, args.value[0], l->depth + 1));
    sz_tframe_pop(r, previous);
    r->depth--;
    return sz_texec_take(r, from, out);
}

sz_status sz_tcall_value(sz_render *r, sz_tv callee, sz_targs args, sz_tv *out) {
    switch (callee.kind) {
    case SZ_T_UNDEFINED:
        return sz_tv_undefined_used(callee);
    case SZ_T_FUNCTION:
        return sz_tcall_builtin(r, callee.u.function, NULL, args, out);
    case SZ_T_METHOD:
        return sz_tcall_builtin(r, callee.u.method->builtin, &callee.u.method->self, args, out);
    case SZ_T_MACRO:
        return sz_texec_macro(r, callee.u.macro, args, out);
    case SZ_T_LOOP:
        return call_loop(r, callee.u.loop, args, out);
    case SZ_T_JOINER: /* nothing the first time */
        *out = callee.u.list->at++ ? callee.u.list->item[0] : sz_tv_text("", 0);
        return SZ_OK;
    default:
        return sz_fail(SZ_E_FORMAT, "'%s' object is not callable", sz_tv_type_name(callee));
    }
}

/* ---- Arguments by type ---------------------------------------------------------------------- */

static sz_status wrong_type(const sz_tcall *c, int i, const char *wanted) {
    if (c->arg[i].kind == SZ_T_UNDEFINED)
        return sz_tv_undefined_used(c->arg[i]);
    return SZ_FAIL_CALL(c, "argument %d must be %s, not '%s'", i, wanted,
                        sz_tv_type_name(c->arg[i]));
}

sz_status sz_targ_int(const sz_tcall *c, int i, int64_t fallback, int64_t *out) {
    *out = fallback;
    if (!sz_targ_given(c, i))
        return SZ_OK;
    if (!sz_tv_is_integral(c->arg[i]))
        return wrong_type(c, i, "an integer");
    *out = sz_tv_integer(c->arg[i]);
    return SZ_OK;
}

bool sz_targ_bool(const sz_tcall *c, int i) {
    return sz_tv_truth(c->arg[i]);
}

sz_status sz_targ_str(const sz_tcall *c, int i, const char *fallback, sz_tv *out) {
    if (c->arg[i].kind != SZ_T_ABSENT)
        return sz_tv_str(c->r, c->arg[i], out);
    *out = sz_tv_text(fallback, strlen(fallback));
    return SZ_OK;
}

sz_status sz_targ_text(const sz_tcall *c, int i, sz_tv *out) {
    if (c->arg[i].kind != SZ_T_STRING)
        return wrong_type(c, i, "a string");
    *out = c->arg[i];
    return SZ_OK;
}
