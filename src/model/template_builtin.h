/* template_builtin.h: filters, tests, methods and functions, and what calls them. */
#ifndef SZ_MODEL_TEMPLATE_BUILTIN_H
#define SZ_MODEL_TEMPLATE_BUILTIN_H

#include "model/template_render.h"

enum { SZ_T_MAX_PARAMS = 6 };

typedef struct sz_tcall {
    sz_render *r;
    const struct sz_tbuiltin *builtin;
    sz_tv arg[SZ_T_MAX_PARAMS]; /* by parameter; absent where not given */
    sz_targs rest;              /* what a "*" takes, keywords included */
} sz_tcall;

/* params: names in order, '?' after those that may be missing; "*" at the end takes the rest. The
 * first is the object of a filter, a test or a method. '~' before all: the result is a generator,
 * and errors wait until that is read. */
typedef struct sz_tbuiltin {
    const char *name;
    sz_status (*run)(sz_tcall *c, sz_tv *out);
    const char *params;
} sz_tbuiltin;

/* NULL-ended tables, looked up by name. */
extern const sz_tbuiltin sz_tfilters_text[], sz_tfilters_sequence[], sz_tfilters_value[],
    sz_tfilters_select[], sz_tfilters_pretty[], sz_ttests[], sz_tglobals[], sz_tmethods_text[],
    sz_tmethods_text_is[], sz_tmethods_list[], sz_tmethods_dict[], sz_tmethods_loop[],
    sz_tmethods_cycler[];
const sz_tbuiltin *sz_tbuiltin_find(const sz_tbuiltin *table, const char *s, size_t n);
const sz_tbuiltin *sz_tfilter_find(const char *s, size_t n);

/* self NULL: a function. */
sz_status sz_tcall_builtin(sz_render *r, const sz_tbuiltin *b, const sz_tv *self, sz_targs args,
                           sz_tv *out);
sz_status sz_tcall_value(sz_render *r, sz_tv callee, sz_targs args, sz_tv *out);
/* An error of a built-in: its name goes before the text. */
#define SZ_FAIL_CALL(c, ...) (sz_tcall_explain(c, __VA_ARGS__), SZ_E_FORMAT)
void sz_tcall_explain(const sz_tcall *c, const char *format, ...) SZ_PRINTF(2, 3);
static inline bool sz_targ_given(const sz_tcall *c, int i) {
    return c->arg[i].kind != SZ_T_ABSENT && c->arg[i].kind != SZ_T_NONE;
}
sz_status sz_targ_int(const sz_tcall *c, int i, int64_t fallback, int64_t *out);
bool sz_targ_bool(const sz_tcall *c, int i); /* absent: false */
sz_status sz_targ_str(const sz_tcall *c, int i, const char *fallback, sz_tv *out); /* str(arg) */
sz_status sz_targ_text(const sz_tcall *c, int i, sz_tv *out);                 /* must be a string */
const sz_tv *sz_targs_keyword(const sz_targs *a, const char *name, size_t n); /* NULL: not given */

/* ---- What several of them write ------------------------------------------------------------- */

typedef struct sz_tjson_style {
    bool ascii, sort, indented;
    sz_tv indent; /* string put once per level */
    sz_tv item_separator, key_separator;
} sz_tjson_style;
sz_status sz_tjson_put(sz_render *r, sz_buf *b, sz_tv v, const sz_tjson_style *style);
sz_status sz_tformat_percent(sz_render *r, sz_tv format, sz_targs args, sz_tv *out);
sz_status sz_tformat_braces(sz_render *r, sz_tv format, sz_targs args, sz_tv *out);
sz_status sz_ttime_format(sz_render *r, int64_t unix_time, sz_tv format, sz_tv *out);

#endif
