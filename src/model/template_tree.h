/* template_tree.h: a template as tokens and as a tree. */
#ifndef SZ_MODEL_TEMPLATE_TREE_H
#define SZ_MODEL_TEMPLATE_TREE_H

#include "model/template_value.h"

/* ---- Tokens: template_lexer.c --------------------------------------------------------------- */

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

/* ---- Tree ----------------------------------------------------------------------------------- */

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

/* ---- Parsing: template_parser.c, _expression.c, _postfix.c ---------------------------------- */

/* Statements up to the end of the source. */
sz_status sz_tparse_template(sz_tparser *p, sz_tnode **body);
sz_status sz_tparse_expression(sz_tparser *p, bool with_if, sz_tnode **out);
sz_status sz_tparse_tuple(sz_tparser *p, bool with_if, sz_tnode **out);
sz_status sz_tparse_primary(sz_tparser *p, sz_tnode **out);
sz_status sz_tparse_filters(sz_tparser *p, sz_tnode *subject, bool at_name, sz_tnode **out);
/* .a [b] (c) behind *node; then |filters and tests. */
sz_status sz_tparse_postfix(sz_tparser *p, sz_tnode **node);
sz_status sz_tparse_filters_and_tests(sz_tparser *p, sz_tnode **node);
sz_status sz_tparse_advance(sz_tparser *p);
sz_status sz_tparse_node(sz_tparser *p, sz_tnode_kind kind, sz_tnode **out);
/* A node with the child a, on its line. */
sz_status sz_tparse_over(sz_tparser *p, sz_tnode_kind kind, sz_tnode *a, sz_tnode **out);
sz_status sz_tparse_grown(sz_tparser *p, sz_tnode *parent, const sz_tnode *child);
sz_status sz_tparse_append(sz_tparser *p, sz_tnode *parent, sz_tnode ***tail, sz_tnode *child);
sz_status sz_tparse_intern(sz_tparser *p, const char *s, size_t n, const sz_tname **out);
sz_status sz_tparse_name(sz_tparser *p, const sz_tname **out); /* the current token, a name */
sz_status sz_tparse_expect(sz_tparser *p, uint16_t op);
sz_status sz_tparse_unexpected(const sz_tparser *p, const char *wanted);
sz_status sz_tparse_enter(sz_tparser *p);
bool sz_tparse_at_word(const sz_tparser *p, const char *word);
bool sz_tparse_at_op(const sz_tparser *p, uint16_t op);

#endif
