/* template_parts.h: what the files of the chat template evaluator share. Read template.c first.
 *
 *   template_lexer.c      source text to tokens, whitespace control
 *   template_expression.c, template_parser.c    tokens to a tree
 *   template_value.c      making, comparing and ordering values
 *   template_text.c       values as text, as str() and repr() of Python write them
 *   template_operator.c   arithmetic, attributes, items, slices
 *   template_call.c       binding arguments to the parameters of filters, tests and functions
 *   template_eval.c       expressions; template_exec.c statements
 *   template_filter_*.c, template_test.c, template_method_*.c, template_global.c    the built-ins
 *   template_format.c, template_json.c, template_time.c    what several built-ins write
 *
 * All strings are valid UTF-8; positions and lengths that a template sees count code points.
 */
#ifndef SZ_MODEL_TEMPLATE_PARTS_H
#define SZ_MODEL_TEMPLATE_PARTS_H

#include <stdio.h>
#include <string.h>
#include <szilard/unstable/template.h>

enum {
    SZ_T_MAX_SOURCE = 1 << 20,      /* bytes of a template */
    SZ_T_MAX_TREE_BYTES = 48 << 20, /* memory of its tree */
    SZ_T_MAX_NESTING = 200,         /* brackets, unary operators and blocks within each other */
    SZ_T_MAX_HEIGHT = 1000,         /* of the tree: long chains of operators lean to the left */
    SZ_T_MAX_CALLS = 1500,          /* nested evaluations, macros included */
    SZ_T_MAX_VALUE_DEPTH = 200,     /* lists within lists */
    SZ_T_MAX_RANGE = 100000,        /* as jinja2's sandbox */
    SZ_T_MAX_ARGS = 1 << 13,        /* argument values alive at a time */
};

/* ---- Values ------------------------------------------------------------------------------------
 */

typedef enum sz_tkind {
    SZ_T_ABSENT, /* an argument that was not given */
    SZ_T_UNDEFINED,
    SZ_T_NONE,
    SZ_T_BOOL,
    SZ_T_INT,
    SZ_T_FLOAT,
    SZ_T_STRING,
    SZ_T_LIST,
    SZ_T_DICT,
    SZ_T_NAMESPACE, /* u.dict */
    SZ_T_LOOP,
    SZ_T_MACRO,
    SZ_T_FUNCTION, /* of template_global.c */
    SZ_T_METHOD,   /* bound to its object */
    SZ_T_CYCLER,   /* u.list, at its position */
    SZ_T_JOINER,   /* u.list of the separator, used or not */
} sz_tkind;

typedef enum sz_tshape { /* what a list is in Python */
                         SZ_T_IS_LIST,
                         SZ_T_IS_TUPLE,
                         SZ_T_IS_RANGE,
                         SZ_T_IS_KEYS,
                         SZ_T_IS_VALUES,
                         SZ_T_IS_ITEMS,
                         SZ_T_IS_GENERATOR, /* empties itself as it is read */
                         SZ_T_IS_GROUP,     /* a tuple with .grouper and .list */
} sz_tshape;

typedef struct sz_tv {
    uint8_t kind;
    uint8_t flag; /* string: is markup; undefined: kind of the object that lacks it, 0: variable */
    uint32_t n;   /* bytes of the string, or of the undefined name */
    union {
        bool b;
        int64_t i;
        double f;
        const char *s;
        struct sz_tlist *list;
        struct sz_tdict *dict;
        struct sz_tloop *loop;
        struct sz_tmacro *macro;
        const struct sz_tbuiltin *function;
        struct sz_tmethod *method;
    } u;
} sz_tv;

typedef struct sz_tlist {
    sz_tv *item;
    uint32_t n, cap;
    uint32_t at; /* of a cycler, a joiner */
    uint8_t shape;
    const char *name; /* of a range: its repr; of a generator: the error that reading it gives */
} sz_tlist;

typedef struct sz_tentry {
    sz_tv key, value;
} sz_tentry;

typedef struct sz_tdict { /* in the order of insertion */
    sz_tentry *entry;
    uint32_t n, cap;
} sz_tdict;

typedef struct sz_tmethod {
    sz_tv self;
    const struct sz_tbuiltin *builtin;
} sz_tmethod;

/* ---- Tokens and tree ---------------------------------------------------------------------------
 */

/* An operator of one or two characters as a number. */
#define SZ_OP(a, b) ((a) | (b) << 8)

typedef enum sz_ttoken_kind {
    SZ_TOK_END,
    SZ_TOK_DATA,
    SZ_TOK_BLOCK, /* {% */
    SZ_TOK_BLOCK_END,
    SZ_TOK_VARIABLE, /* {{ */
    SZ_TOK_VARIABLE_END,
    SZ_TOK_NAME,
    SZ_TOK_STRING,
    SZ_TOK_NUMBER,
    SZ_TOK_OP,
} sz_ttoken_kind;

typedef struct sz_ttoken {
    uint8_t kind;
    uint16_t op;
    uint32_t line;
    const char *s; /* data, name: its text; else as written, for messages */
    size_t n;
    sz_tv value; /* string, number */
} sz_ttoken;

typedef struct sz_tlexer {
    const char *s;
    size_t n, at;
    sz_arena *arena;
    uint32_t line; /* of s[counted] */
    size_t counted;
    uint8_t mode;
    bool line_starts; /* what was read last ended with a newline */
    int n_open;
    char open[SZ_T_MAX_NESTING]; /* brackets */
} sz_tlexer;

/* `s` without its carriage returns and one newline at its end, as jinja2 reads a template. */
sz_status sz_tlexer_init(sz_tlexer *l, const char *s, size_t n, sz_arena *arena);
sz_status sz_tlexer_next(sz_tlexer *l, sz_ttoken *out);
/* Sets the error text and is the status; the compiler sees that it is not SZ_OK. */
#define SZ_FAIL_AT(status, line, ...) (sz_texplain_at(status, line, __VA_ARGS__), (status))
void sz_texplain_at(sz_status status, uint32_t line, const char *format, ...) SZ_PRINTF(3, 4);

typedef struct sz_tname { /* one object per name of a template */
    const char *s;
    uint32_t n;
} sz_tname;

typedef enum sz_tnode_kind {
    /* expressions */
    SZ_N_CONST,     /* value */
    SZ_N_NAME,      /* name, builtin: the global of that name */
    SZ_N_LIST,      /* list */
    SZ_N_TUPLE,     /* list */
    SZ_N_DICT,      /* list: key, value, key, value, ... */
    SZ_N_ATTRIBUTE, /* a.name */
    SZ_N_ITEM,      /* a[b] */
    SZ_N_SLICE,     /* a:b:c, each may be NULL */
    SZ_N_CALL,      /* a(list) */
    SZ_N_FILTER,    /* a|name(list); a is NULL in filter blocks */
    SZ_N_TEST,      /* a is name(list) */
    SZ_N_KEYWORD,   /* name=a in a call */
    SZ_N_SPREAD,    /* *a in a call */
    SZ_N_SPREAD_KEYWORDS,
    SZ_N_NOT,
    SZ_N_NEGATE,
    SZ_N_PLUS,
    SZ_N_AND,
    SZ_N_OR,
    SZ_N_BINARY,  /* a op b */
    SZ_N_COMPARE, /* a, then list of SZ_N_OPERAND */
    SZ_N_OPERAND, /* op a */
    SZ_N_IF_ELSE, /* a if b else c; c may be NULL */
    /* statements */
    SZ_N_DATA,         /* value */
    SZ_N_OUTPUT,       /* a */
    SZ_N_IF,           /* list of SZ_N_BRANCH */
    SZ_N_BRANCH,       /* if a: body; a is NULL in else */
    SZ_N_FOR,          /* for a in b if c: body, other */
    SZ_N_SET,          /* a = b */
    SZ_N_SET_BLOCK,    /* a = body through the filters b (may be NULL) */
    SZ_N_NAMESPACE,    /* target: name.attribute */
    SZ_N_MACRO,        /* name, list of SZ_N_PARAMETER, body */
    SZ_N_PARAMETER,    /* name, a: default (may be NULL) */
    SZ_N_CALL_BLOCK,   /* a: the call; b: a macro, the caller */
    SZ_N_FILTER_BLOCK, /* body through the filters b */
    SZ_N_WITH,         /* list of SZ_N_SET, body */
    SZ_N_BREAK,
    SZ_N_CONTINUE,
} sz_tnode_kind;

enum { SZ_USES_VARARGS = 1, SZ_USES_KWARGS = 2, SZ_USES_CALLER = 4 };

typedef struct sz_tnode {
    uint8_t kind;
    uint8_t flag; /* for: recursive; macro: SZ_USES_*; test: is not */
    uint16_t op;
    uint16_t height;
    uint32_t line;
    uint32_t n; /* nodes in list */
    sz_tv value;
    const sz_tname *name, *attribute;
    const struct sz_tbuiltin *builtin;
    struct sz_tnode *a, *b, *c;
    struct sz_tnode *list, *body, *other; /* linked by next */
    struct sz_tnode *next;
} sz_tnode;

typedef struct sz_tparser {
    sz_tlexer lexer;
    sz_ttoken token, ahead; /* current and next */
    sz_arena *arena;
    struct sz_name_table *names;
    const sz_tname **name; /* [n_name] */
    uint32_t n_name, cap_name;
    int nesting;
    int loops;    /* around the current token, within its macro */
    uint8_t uses; /* SZ_USES_* of the macro being read */
} sz_tparser;

struct sz_template {
    sz_arena *arena;
    sz_tnode *body;
    const sz_tname *loop, *caller, *varargs, *kwargs; /* names that the evaluator binds */
};

/* Parsing: statements up to the end of the source. */
sz_status sz_tparse_template(sz_tparser *p, sz_tnode **body);
sz_status sz_tparse_expression(sz_tparser *p, bool with_if, sz_tnode **out);
sz_status sz_tparse_tuple(sz_tparser *p, bool with_if, sz_tnode **out);
sz_status sz_tparse_primary(sz_tparser *p, sz_tnode **out);
sz_status sz_tparse_filters(sz_tparser *p, sz_tnode *subject, bool at_name, sz_tnode **out);
sz_status sz_tparse_advance(sz_tparser *p);
sz_status sz_tparse_node(sz_tparser *p, sz_tnode_kind kind, sz_tnode **out);
sz_status sz_tparse_grown(sz_tparser *p, sz_tnode *parent, const sz_tnode *child);
sz_status sz_tparse_append(sz_tparser *p, sz_tnode *parent, sz_tnode ***tail, sz_tnode *child);
sz_status sz_tparse_intern(sz_tparser *p, const char *s, size_t n, const sz_tname **out);
sz_status sz_tparse_name(sz_tparser *p, const sz_tname **out); /* the current token, a name */
sz_status sz_tparse_expect(sz_tparser *p, uint16_t op);
sz_status sz_tparse_unexpected(const sz_tparser *p, const char *wanted);
sz_status sz_tparse_enter(sz_tparser *p);
bool sz_tparse_at_word(const sz_tparser *p, const char *word);
bool sz_tparse_at_op(const sz_tparser *p, uint16_t op);

/* ---- Rendering ---------------------------------------------------------------------------------
 */

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

typedef struct sz_render {
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
} sz_render;

sz_status sz_render_steps(sz_render *r, uint64_t n);
sz_status sz_render_alloc(sz_render *r, size_t count, size_t size, void *out /* pointer */);
/* What was appended to r->scratch since its length was `from`, as a string; cuts it off there. */
sz_status sz_render_take(sz_render *r, size_t from, sz_tv *out);
sz_status sz_render_enter(sz_render *r); /* one level of evaluation; leave by depth-- */

/* ---- template_value.c ---- */
#define SZ_T_NONE_VALUE      ((sz_tv){.kind = SZ_T_NONE})
#define SZ_T_UNDEFINED_VALUE ((sz_tv){.kind = SZ_T_UNDEFINED})
static inline sz_tv sz_tv_bool(bool b) {
    return (sz_tv){.kind = SZ_T_BOOL, .u.b = b};
}
static inline sz_tv sz_tv_int(int64_t i) {
    return (sz_tv){.kind = SZ_T_INT, .u.i = i};
}
static inline sz_tv sz_tv_float(double f) {
    return (sz_tv){.kind = SZ_T_FLOAT, .u.f = f};
}
static inline sz_tv sz_tv_text(const char *s, size_t n) { /* borrowed */
    return (sz_tv){.kind = SZ_T_STRING, .n = (uint32_t)n, .u.s = s};
}
static inline sz_tv sz_tv_list(sz_tlist *l) {
    return (sz_tv){.kind = SZ_T_LIST, .u.list = l};
}
static inline sz_tv sz_tv_dict(sz_tdict *d) {
    return (sz_tv){.kind = SZ_T_DICT, .u.dict = d};
}
static inline bool sz_tv_is_shape(sz_tv v, sz_tshape shape) {
    return v.kind == SZ_T_LIST && v.u.list->shape == shape;
}
static inline bool sz_tv_is_tuple(sz_tv v) {
    return sz_tv_is_shape(v, SZ_T_IS_TUPLE) || sz_tv_is_shape(v, SZ_T_IS_GROUP);
}
static inline bool sz_tv_is_integral(sz_tv v) {
    return v.kind == SZ_T_INT || v.kind == SZ_T_BOOL;
}
static inline int64_t sz_tv_integer(sz_tv v) {
    return v.kind == SZ_T_BOOL ? v.u.b : v.u.i;
}
static inline bool sz_tv_is_number(sz_tv v) {
    return sz_tv_is_integral(v) || v.kind == SZ_T_FLOAT;
}
static inline double sz_tv_number(sz_tv v) {
    return v.kind == SZ_T_FLOAT ? v.u.f : (double)sz_tv_integer(v);
}

const char *sz_tv_type_name(sz_tv v); /* as type(v).__name__ */
sz_status sz_tlist_new(sz_render *r, sz_tshape shape, size_t cap, sz_tlist **out);
sz_status sz_tlist_push(sz_render *r, sz_tlist *l, sz_tv v);
sz_status sz_tlist_pair(sz_render *r, sz_tv first, sz_tv second, sz_tv *out); /* a tuple */
sz_status sz_tdict_new(sz_render *r, size_t cap, sz_tdict **out);
sz_status sz_tdict_find(sz_render *r, const sz_tdict *d, sz_tv key, sz_tentry **out /* or NULL */);
sz_status sz_tdict_set(sz_render *r, sz_tdict *d, sz_tv key, sz_tv value);
const sz_tentry *sz_tdict_find_text(const sz_tdict *d, const char *s, size_t n);
sz_status sz_tdict_items(sz_render *r, const sz_tdict *d, sz_tshape shape, sz_tlist **out);
bool sz_tv_truth(sz_tv v);
sz_status sz_tv_equal(sz_render *r, sz_tv a, sz_tv b, bool *out);
/* -1, 0, 1, or an error where Python has no order; `op` is named in it. */
sz_status sz_tv_order(sz_render *r, sz_tv a, sz_tv b, const char *op, int *out);
sz_status sz_tv_contains(sz_render *r, sz_tv container, sz_tv v, bool *out);
sz_status sz_tv_length(sz_render *r, sz_tv v, int64_t *out);
/* What a loop over v visits. May be v's own list: look, do not change. */
sz_status sz_tv_iterate(sz_render *r, sz_tv v, sz_tlist *out);
/* Puts back what was not looked at, where v is a generator. */
void sz_tv_unread(sz_tv v, const sz_tlist *items, uint32_t n_read);
sz_status sz_tv_undefined_used(sz_tv v); /* the error of using it */
sz_status sz_tv_from_json(sz_render *r, const sz_json *j, int depth, sz_tv *out);
size_t sz_text_length(const char *s, size_t n);             /* code points */
size_t sz_text_offset(const char *s, size_t n, size_t cps); /* bytes of the first cps */
uint32_t sz_text_next(const char *s, size_t n, size_t *at); /* code point at *at; moves on */
bool sz_text_is_space(uint32_t cp);
bool sz_text_equal(sz_tv a, const char *text);
/* Where `part` first (or last) stands in s[from..to), in bytes; -1: nowhere. */
int64_t sz_text_find(sz_tv s, sz_tv part, size_t from, size_t to, bool last);
sz_status sz_text_replace(sz_render *r, sz_tv s, sz_tv old, sz_tv new, int64_t count, sz_tv *out);
sz_tv sz_text_strip(sz_tv s, const sz_tv *chars, bool left, bool right); /* NULL: white space */

/* ---- template_text.c ---- */
sz_status sz_tv_put_repr(sz_render *r, sz_buf *b, sz_tv v, int depth);
sz_status sz_tv_write(sz_render *r, sz_buf *b, sz_tv v); /* str(v) */
sz_status sz_tv_str(sz_render *r, sz_tv v, sz_tv *out);
void sz_tv_put_float(sz_buf *b, double f);                 /* repr */
sz_status sz_tv_escape(sz_render *r, sz_tv s, sz_tv *out); /* HTML; markup stays */

/* ---- template_case.c ---- */
typedef enum sz_tcase {
    SZ_CASE_UPPER,
    SZ_CASE_LOWER,
    SZ_CASE_CAPITALIZE, /* first letter of the text in title case */
    SZ_CASE_WORD,       /* first letter of the text in upper case */
    SZ_CASE_TITLE,      /* first letters of all runs of letters */
    SZ_CASE_SWAP,
} sz_tcase;
typedef enum sz_tpad {
    SZ_PAD_LEFT,
    SZ_PAD_RIGHT,
    SZ_PAD_BOTH
} sz_tpad; /* where the filling goes */
sz_status sz_text_pad(sz_render *r, sz_tv s, int64_t width, sz_tv fill, sz_tpad how, sz_tv *out);
sz_status sz_text_count_matches(sz_render *r, sz_tv s, const char *regex, size_t *out);
sz_status sz_text_case(sz_render *r, sz_tv s, sz_tcase how, sz_tv *out);

/* ---- template_operator.c ---- */
sz_status sz_tv_binary(sz_render *r, uint16_t op, sz_tv a, sz_tv b, sz_tv *out);
sz_status sz_tv_compare(sz_render *r, uint16_t op, sz_tv a, sz_tv b, bool *out);
sz_status sz_tv_negate(sz_render *r, sz_tv a, sz_tv *out);
sz_status sz_tv_concat(sz_render *r, sz_tv a, sz_tv b, sz_tv *out);            /* two strings */
sz_status sz_tv_attribute(sz_render *r, sz_tv object, sz_tv name, sz_tv *out); /* object.name */
sz_status sz_tv_item(sz_render *r, sz_tv object, sz_tv key, sz_tv *out);       /* object[key] */
/* object[a:b:c]; none or absent where not given */
sz_status sz_tv_slice(sz_render *r, sz_tv object, const sz_tv bound[3], sz_tv *out);
/* The dotted path of map(attribute=...) and its like. */
sz_status sz_tv_path(sz_render *r, sz_tv object, sz_tv path, sz_tv *out);

/* ---- template_call.c ---- */
typedef struct sz_targs { /* as written: n values, then n_kw pairs of name and value */
    const sz_tv *value;
    uint32_t n, n_kw;
} sz_targs;

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
    sz_tfilters_select[], sz_ttests[], sz_tglobals[], sz_tmethods_text[], sz_tmethods_text_is[],
    sz_tmethods_list[], sz_tmethods_dict[], sz_tmethods_loop[], sz_tmethods_cycler[];
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

/* ---- template_eval.c, template_exec.c ---- */
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

/* ---- what several built-ins write ---- */
typedef struct sz_tjson_style {
    bool ascii, sort, indented;
    sz_tv indent; /* string put once per level */
    sz_tv item_separator, key_separator;
} sz_tjson_style;
sz_status sz_tjson_put(sz_render *r, sz_buf *b, sz_tv v, const sz_tjson_style *style);
sz_status sz_tformat_percent(sz_render *r, sz_tv format, sz_targs args, sz_tv *out);
sz_status sz_tformat_braces(sz_render *r, sz_tv format, sz_targs args, sz_tv *out);
sz_status sz_ttime_format(sz_render *r, int64_t unix_time, sz_tv format, sz_tv *out);
/* Stable; by the values' own order, or by that of keys (same length) where keys is not NULL. */
sz_status sz_tlist_sort(sz_render *r, sz_tv *items, const sz_tv *keys, uint32_t n, bool reverse);

#endif
