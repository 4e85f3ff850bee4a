/* template_render.h: the state of one rendering, and the evaluator. Read template.c first.
 *
 *   template_lexer.c      source text to tokens, whitespace control
 *   template_parser.c, template_expression.c, template_postfix.c    tokens to a tree
 *   template_eval.c       expressions
 *   template_exec.c, template_loop.c    statements
 *   template_value.c, template_container.c, template_text.c, template_string.c,
 *   template_case.c, template_operator.c, template_access.c    values
 *   template_call.c       arguments to the parameters of built-ins
 *   template_filter_*.c, template_test.c, template_method_*.c, template_global.c    the built-ins
 *   template_format.c, template_json.c, template_time.c    what several built-ins write
 */
#ifndef SZ_MODEL_TEMPLATE_RENDER_H
#define SZ_MODEL_TEMPLATE_RENDER_H

#include "model/template_tree.h"

typedef struct sz_tvar {
    const sz_tname *name;
    sz_tv value;
} sz_tvar;

typedef struct sz_tframe { /* one scope */
    struct sz_tframe *parent;
    sz_tvar *var;
    uint32_t n, cap;
    bool captured; /* a macro made here may look at it later */
} sz_tframe;

typedef struct sz_tmacro {
    const sz_tnode *node;
    sz_tframe *frame; /* where it was made */
} sz_tmacro;

typedef struct sz_tloop {
    sz_tlist items;
    uint32_t at, depth;
    const sz_tnode *node; /* for recursive loops */
    sz_tframe *frame;     /* around the loop */
    sz_tlist changed;     /* latest arguments of loop.changed() */
    bool has_changed;
} sz_tloop;

typedef enum sz_tflow { SZ_FLOW_ON, SZ_FLOW_BREAK, SZ_FLOW_CONTINUE } sz_tflow;

enum { SZ_T_N_GROWING = 4 };

struct sz_render {
    const sz_template *t;
    sz_arena *arena;
    sz_template_limits limits;
    uint64_t steps; /* left */
    int64_t now;
    sz_buf out;
    sz_buf scratch; /* strings being made: sz_render_take */
    sz_tdict *variables;
    sz_tframe *frame;
    sz_tframe *spare; /* frames to use again, linked by parent */
    sz_tv *args;      /* [SZ_T_MAX_ARGS], a stack */
    uint32_t n_args;
    uint32_t depth;
    uint32_t fail_line;
    sz_tflow flow;
    struct {
        char *end;
        size_t room;
    } growing[SZ_T_N_GROWING]; /* ends of joined strings: appending again needs no copy */
    uint32_t next_growing;
};

sz_status sz_render_steps(sz_render *r, uint64_t n);
sz_status sz_render_alloc(sz_render *r, size_t count, size_t size, void *out /* pointer */);
/* What was appended to r->scratch since its length was `from`, as a string; cuts it off there. */
sz_status sz_render_take(sz_render *r, size_t from, sz_tv *out);
sz_status sz_render_enter(sz_render *r); /* one level of evaluation; leave by depth-- */

typedef struct sz_targs { /* as written: n values, then n_kw pairs of name and value */
    const sz_tv *value;
    uint32_t n, n_kw;
} sz_targs;

/* ---- Evaluator: template_eval.c, template_exec.c, template_loop.c --------------------------- */

sz_status sz_teval(sz_render *r, const sz_tnode *e, sz_tv *out);
sz_status sz_teval_filters(sz_render *r, const sz_tnode *e, sz_tv subject, sz_tv *out);
sz_status sz_teval_call(sz_render *r, const sz_tnode *call, const sz_tv *caller, sz_tv *out);
sz_status sz_texec(sz_render *r, const sz_tnode *body);
sz_status sz_texec_macro(sz_render *r, const sz_tmacro *m, sz_targs args, sz_tv *out);
sz_status sz_texec_loop(sz_render *r, const sz_tnode *node, sz_tv over, uint32_t depth);
void sz_tloop_attribute(const sz_tloop *l, sz_tv name, sz_tv *out); /* unchanged if it has none */
sz_status sz_texec_assign(sz_render *r, const sz_tnode *target, sz_tv value);
/* Runs body and gives its output as a string. */
sz_status sz_texec_captured(sz_render *r, const sz_tnode *body, sz_tv *out);
sz_status sz_texec_take(sz_render *r, size_t from, sz_tv *out); /* cuts r->out off at `from` */
sz_status sz_tframe_push(sz_render *r, sz_tframe *parent);
void sz_tframe_pop(sz_render *r, sz_tframe *previous);
void sz_tframe_capture(sz_tframe *f);
sz_status sz_tframe_set(sz_render *r, const sz_tname *name, sz_tv value);

#endif
