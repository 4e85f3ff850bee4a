/* template_global.c: functions that every template has. */
#include "model/template_builtin.h"

/* ---- range, dict, namespace ----------------------------------------------------------------- */

static sz_status global_range(sz_tcall *c, sz_tv *out) {
    int64_t start, stop, step;
    sz_tlist *l;
    bool only_stop = c->arg[1].kind == SZ_T_ABSENT;
    SZ_TRY(sz_targ_int(c, only_stop ? 1 : 0, 0, &start));
    SZ_TRY(sz_targ_int(c, only_stop ? 0 : 1, 0, &stop));
    SZ_TRY(sz_targ_int(c, 2, 1, &step));
    if (step == 0)
        return SZ_FAIL_CALL(c, "the step must not be zero");
    __int128 span = step > 0 ? (__int128)stop - start : (__int128)start - stop;
    __int128 stride = step > 0 ? (__int128)step : -(__int128)step;
    __int128 n = span > 0 ? (span + stride - 1) / stride : 0;
    SZ_REQUIRE(n <= SZ_T_MAX_RANGE, SZ_E_LIMIT, "range: more than %d numbers", SZ_T_MAX_RANGE);
    SZ_TRY(sz_render_steps(c->r, (uint64_t)n / 8));
    SZ_TRY(sz_tlist_new(c->r, SZ_T_IS_RANGE, (size_t)n, &l));
    for (; l->n < n; l->n++)
        l->item[l->n] = sz_tv_int(start + (int64_t)l->n * step);
    char name[96], *copy;
    int used = snprintf(name, sizeof name, "range(%lld, %lld", (long long)start, (long long)stop);
    snprintf(name + used, sizeof name - (size_t)used, step == 1 ? ")" : ", %lld)", (long long)step);
    SZ_TRY(sz_render_alloc(c->r, strlen(name) + 1, 1, &copy));
    l->name = strcpy(copy, name);
    *out = sz_tv_list(l);
    return SZ_OK;
}

/* A mapping's entries, then the keywords. */
static sz_status make_dict(sz_tcall *c, sz_tdict **out) {
    const sz_targs *args = &c->rest;
    if (args->n > 1)
        return SZ_FAIL_CALL(c, "takes one mapping, not %u", args->n);
    SZ_TRY(sz_tdict_new(c->r, args->n_kw, out));
    sz_tv from = args->n ? args->value[0] : SZ_T_UNDEFINED_VALUE;
    sz_tlist pairs, pair;
    if (from.kind == SZ_T_DICT) {
        for (uint32_t i = 0; i < from.u.dict->n; i++)
            SZ_TRY(
                sz_tdict_set(c->r, *out, from.u.dict->entry[i].key, from.u.dict->entry[i].value));
    } else {
        SZ_TRY(sz_tv_iterate(c->r, from, &pairs));
        for (uint32_t i = 0; i < pairs.n; i++) {
            SZ_TRY(sz_tv_iterate(c->r, pairs.item[i], &pair));
            if (pair.n != 2)
                return SZ_FAIL_CALL(c, "element %u is not a pair", i);
            SZ_TRY(sz_tdict_set(c->r, *out, pair.item[0], pair.item[1]));
        }
    }
    const sz_tv *keyword = args->value + args->n;
    for (uint32_t i = 0; i < args->n_kw; i++, keyword += 2)
        SZ_TRY(sz_tdict_set(c->r, *out, keyword[0], keyword[1]));
    return SZ_OK;
}

static sz_status global_dict(sz_tcall *c, sz_tv *out) {
    sz_tdict *d;
    SZ_TRY(make_dict(c, &d));
    *out = sz_tv_dict(d);
    return SZ_OK;
}

static sz_status global_namespace(sz_tcall *c, sz_tv *out) {
    sz_tdict *d;
    SZ_TRY(make_dict(c, &d));
    *out = (sz_tv){.kind = SZ_T_NAMESPACE, .u.dict = d};
    return SZ_OK;
}

/* ---- cycler, joiner ------------------------------------------------------------------------- */

static sz_status global_cycler(sz_tcall *c, sz_tv *out) {
    sz_tlist *l;
    if (c->rest.n == 0)
        return SZ_FAIL_CALL(c, "at least one item has to be provided");
    SZ_TRY(sz_tlist_new(c->r, SZ_T_IS_LIST, c->rest.n, &l));
    for (; l->n < c->rest.n; l->n++)
        l->item[l->n] = c->rest.value[l->n];
    *out = (sz_tv){.kind = SZ_T_CYCLER, .u.list = l};
    return SZ_OK;
}

static sz_status cycler_next(sz_tcall *c, sz_tv *out) {
    sz_tlist *l = c->arg[0].u.list;
    *out = l->item[l->at];
    l->at = (l->at + 1) % l->n;
    return SZ_OK;
}

static sz_status cycler_reset(sz_tcall *c, sz_tv *out) {
    c->arg[0].u.list->at = 0;
    *out = SZ_T_NONE_VALUE;
    return SZ_OK;
}

const sz_tbuiltin sz_tmethods_cycler[] = {
    {"next", cycler_next, "cycler"}, {"reset", cycler_reset, "cycler"}, {0}};

static sz_status global_joiner(sz_tcall *c, sz_tv *out) {
    sz_tlist *l;
    SZ_TRY(sz_tlist_new(c->r, SZ_T_IS_LIST, 1, &l));
    l->item[l->n++] = c->arg[0].kind == SZ_T_ABSENT ? sz_tv_text(", ", 2) : c->arg[0];
    *out = (sz_tv){.kind = SZ_T_JOINER, .u.list = l};
    return SZ_OK;
}

/* ---- What transformers adds ----------------------------------------------------------------- */

static sz_status global_raise(sz_tcall *c, sz_tv *out) {
    sz_tv text;
    SZ_TRY(sz_tv_str(c->r, c->arg[0], &text));
    return sz_fail(SZ_E_FORMAT, "%.*s", (int)text.n, text.u.s);
}

static sz_status global_strftime_now(sz_tcall *c, sz_tv *out) {
    sz_tv format;
    SZ_TRY(sz_targ_text(c, 0, &format));
    return sz_ttime_format(c->r, c->r->now, format, out);
}

const sz_tbuiltin sz_tglobals[] = {{"range", global_range, "start stop? step?"},
                                   {"dict", global_dict, "*"},
                                   {"namespace", global_namespace, "*"},
                                   {"cycler", global_cycler, "*"},
                                   {"joiner", global_joiner, "sep?"},
                                   {"raise_exception", global_raise, "message"},
                                   {"strftime_now", global_strftime_now, "format"},
                                   {0}};
