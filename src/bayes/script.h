/* script.h: a program as text, once it is read: statements with jumps over trees of expressions. */
#ifndef SZ_BAYES_SCRIPT_H
#define SZ_BAYES_SCRIPT_H

#include <szilard/unstable/inference.h>

enum {
    SZ_SCRIPT_NAMES = 256,
    SZ_SCRIPT_DEPTH = 64, /* of expressions and blocks */
    SZ_SCRIPT_CATEGORIES = 1024,
    SZ_SCRIPT_OPERATIONS = 10000000, /* statements that one run may execute */
};

typedef enum sz_script_op {
    SZ_OP_NUMBER,
    SZ_OP_ARRAY, /* constant: `index` of arrays */
    SZ_OP_NAME,
    SZ_OP_INDEX,
    SZ_OP_NEGATE,
    SZ_OP_NOT,
    SZ_OP_ADD,
    SZ_OP_SUBTRACT,
    SZ_OP_MULTIPLY,
    SZ_OP_DIVIDE,
    SZ_OP_MODULO,
    SZ_OP_LESS,
    SZ_OP_AT_MOST,
    SZ_OP_EQUAL,
    SZ_OP_UNEQUAL,
    SZ_OP_AND,
    SZ_OP_OR,
    SZ_OP_CALL /* function `index` */
} sz_script_op;

typedef struct sz_script_node {
    sz_script_op op;
    int32_t index, a, b; /* a, b: nodes; -1 */
    double x;
} sz_script_node;

typedef enum sz_script_law {
    SZ_LAW_FLIP,
    SZ_LAW_ROLL,
    SZ_LAW_CATEGORICAL,
    SZ_LAW_UNIFORM,
    SZ_LAW_NORMAL,
    SZ_LAW_EXPONENTIAL
} sz_script_law;

typedef enum sz_script_verb {
    SZ_DO_SET,
    SZ_DO_DRAW,
    SZ_DO_OBSERVE,
    SZ_DO_SCORE,
    SZ_DO_LOG_SCORE,
    SZ_DO_JUMP,
    SZ_DO_JUMP_UNLESS,
    SZ_DO_RETURN
} sz_script_verb;

typedef struct sz_script_statement {
    sz_script_verb verb;
    uint32_t line;
    int32_t name, expression, target;
    sz_script_law law;
    int32_t argument[2]; /* -1: none */
} sz_script_statement;

typedef struct sz_script_value {
    double x;
    int32_t array; /* -1: a number; -2: not set */
} sz_script_value;

typedef struct sz_script_array {
    size_t first, n; /* of cells */
} sz_script_array;

/* Growing lists, of `n` entries each. */
typedef struct sz_script_list {
    void *v;
    size_t n, cap;
} sz_script_list;

struct sz_script {
    sz_script_list statements, nodes, arrays, cells;
    char *name[SZ_SCRIPT_NAMES];
    bool is_set[SZ_SCRIPT_NAMES];
    size_t n_names;
    bool scores; /* has `score` or `logscore` */

    const double *data; /* what is observed in place of what the text says; NULL: the text's */
    size_t n_data;
    sz_script_list drawn;       /* by sz_script_simulate */
    struct sz_script *observed; /* this script with `drawn` as data: a shallow copy */
};

static inline sz_script_node *sz_script_nodes(const sz_script *s) {
    return s->nodes.v;
}
static inline sz_script_statement *sz_script_statements(const sz_script *s) {
    return s->statements.v;
}
static inline sz_script_array *sz_script_arrays(const sz_script *s) {
    return s->arrays.v;
}
static inline sz_script_value *sz_script_cells(const sz_script *s) {
    return s->cells.v;
}

/* Appends an entry of `size` bytes; *index: its number. */
sz_status sz_script_append(sz_script_list *l, const void *entry, size_t size, int32_t *index);

typedef struct sz_script_function {
    const char *name;
    int n_arguments;
} sz_script_function;
enum { SZ_FN_EXP, SZ_FN_LOG, SZ_FN_SQRT, SZ_FN_ABS, SZ_FN_FLOOR, SZ_FN_LEN, SZ_FN_MIN, SZ_FN_MAX };
extern const sz_script_function sz_script_functions[]; /* ends with name NULL */
extern const sz_script_function sz_script_laws[];      /* the same, by sz_script_law */

/* The value of an expression over the variables [n_names]; NULL: constants only. */
sz_status sz_script_evaluate(const sz_script *s, int32_t node, const sz_script_value *variables,
                             sz_script_value *out);

/* A law with its parameters, checked. */
typedef struct sz_script_distribution {
    sz_script_law law;
    double a, b;
    double p[SZ_SCRIPT_CATEGORIES];
    size_t n; /* of p */
} sz_script_distribution;
sz_status sz_script_distribution_of(const sz_script *s, const sz_script_statement *t,
                                    const sz_script_value *variables, sz_script_distribution *out);
double sz_script_draw(const sz_script_distribution *d, const sz_effects *e);
/* Log of the mass or density at x; -infinity outside of what it can be. */
double sz_script_log_density(const sz_script_distribution *d, double x);

#endif
