/* template_value.h: the values that a chat template computes with: Python's, as far as templates
 * see them. They live in the arena of one rendering. All strings are valid UTF-8; positions and
 * lengths that a template sees count code points. */
#ifndef SZ_MODEL_TEMPLATE_VALUE_H
#define SZ_MODEL_TEMPLATE_VALUE_H

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

typedef struct sz_render sz_render; /* template_render.h */

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

/* ---- Making, comparing, looking inside: template_value.c ------------------------------------- */

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
static inline bool sz_tv_is_joinable(sz_tv v) { /* a list or tuple proper */
    return sz_tv_is_tuple(v) || sz_tv_is_shape(v, SZ_T_IS_LIST);
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

/* ---- Lists and mappings: template_container.c ----------------------------------------------- */

sz_status sz_tlist_new(sz_render *r, sz_tshape shape, size_t cap, sz_tlist **out);
sz_status sz_tlist_push(sz_render *r, sz_tlist *l, sz_tv v);
sz_status sz_tlist_pair(sz_render *r, sz_tv first, sz_tv second, sz_tv *out); /* a tuple */
sz_status sz_tdict_new(sz_render *r, size_t cap, sz_tdict **out);
sz_status sz_tdict_find(sz_render *r, const sz_tdict *d, sz_tv key, sz_tentry **out /* or NULL */);
sz_status sz_tdict_set(sz_render *r, sz_tdict *d, sz_tv key, sz_tv value);
const sz_tentry *sz_tdict_find_text(const sz_tdict *d, const char *s, size_t n);
sz_status sz_tdict_items(sz_render *r, const sz_tdict *d, sz_tshape shape, sz_tlist **out);
/* Stable; by the values' own order, or by that of keys (same length) where keys is not NULL. */
sz_status sz_tlist_sort(sz_render *r, sz_tv *items, const sz_tv *keys, uint32_t n, bool reverse);

/* ---- Strings: template_string.c, template_case.c -------------------------------------------- */

size_t sz_text_length(const char *s, size_t n);             /* code points */
size_t sz_text_offset(const char *s, size_t n, size_t cps); /* bytes of the first cps */
uint32_t sz_text_next(const char *s, size_t n, size_t *at); /* code point at *at; moves on */
bool sz_text_is_space(uint32_t cp);
bool sz_text_equal(sz_tv a, const char *text);
/* Where `part` first, or last, stands in s[from..to), in bytes; -1: nowhere. */
int64_t sz_text_find(sz_tv s, sz_tv part, size_t from, size_t to);
sz_status sz_text_find_last(sz_render *r, sz_tv s, sz_tv part, size_t from, size_t to,
                            int64_t *out);
sz_status sz_text_replace(sz_render *r, sz_tv s, sz_tv old, sz_tv new, int64_t count, sz_tv *out);
/* Whether s is a number without a sign, as float() reads it; too large ones are infinite. */
bool sz_text_to_double(const char *s, size_t n, double *out);
sz_tv sz_text_strip(sz_tv s, const sz_tv *chars, bool left, bool right); /* NULL: white space */

typedef enum sz_tcase {
    SZ_CASE_UPPER,
    SZ_CASE_LOWER,
    SZ_CASE_CAPITALIZE, /* first letter of the text in title case */
    SZ_CASE_WORD,       /* first letter of the text in upper case */
    SZ_CASE_TITLE,      /* first letters of all runs of letters */
    SZ_CASE_SWAP,
} sz_tcase;
/* Where the filling goes. */
typedef enum sz_tpad { SZ_PAD_LEFT, SZ_PAD_RIGHT, SZ_PAD_BOTH } sz_tpad;
sz_status sz_text_pad(sz_render *r, sz_tv s, int64_t width, sz_tv fill, sz_tpad how, sz_tv *out);
sz_status sz_text_count_matches(sz_render *r, sz_tv s, const char *regex, size_t *out);
sz_status sz_text_case(sz_render *r, sz_tv s, sz_tcase how, sz_tv *out);

/* ---- As text: template_text.c --------------------------------------------------------------- */

sz_status sz_tv_put_repr(sz_render *r, sz_buf *b, sz_tv v, int depth);
sz_status sz_tv_write(sz_render *r, sz_buf *b, sz_tv v); /* str(v) */
sz_status sz_tv_str(sz_render *r, sz_tv v, sz_tv *out);
void sz_tv_put_float(sz_buf *b, double f);                 /* repr */
sz_status sz_tv_escape(sz_render *r, sz_tv s, sz_tv *out); /* HTML; markup stays */

/* ---- Operators: template_operator.c --------------------------------------------------------- */

/* An operator of one or two characters as a number. */
#define SZ_OP(a, b) ((a) | (b) << 8)

sz_status sz_tv_binary(sz_render *r, uint16_t op, sz_tv a, sz_tv b, sz_tv *out);
sz_status sz_tv_compare(sz_render *r, uint16_t op, sz_tv a, sz_tv b, bool *out);
sz_status sz_tv_negate(sz_render *r, sz_tv a, sz_tv *out);
sz_status sz_tv_concat(sz_render *r, sz_tv a, sz_tv b, sz_tv *out); /* two strings */

/* ---- Attributes and items: template_access.c ------------------------------------------------ */

sz_status sz_tv_attribute(sz_render *r, sz_tv object, sz_tv name, sz_tv *out); /* object.name */
sz_status sz_tv_item(sz_render *r, sz_tv object, sz_tv key, sz_tv *out);       /* object[key] */
/* object[a:b:c]; none or absent where not given */
sz_status sz_tv_slice(sz_render *r, sz_tv object, const sz_tv bound[3], sz_tv *out);
/* The dotted path of map(attribute=...) and its like. */
sz_status sz_tv_path(sz_render *r, sz_tv object, sz_tv path, sz_tv *out);

#endif
