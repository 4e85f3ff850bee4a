/* grammar.h: a grammar on its way from expressions to nodes of an automaton. */
#ifndef SZ_CODE_GRAMMAR_H
#define SZ_CODE_GRAMMAR_H

#include <szilard/unstable/grammar.h>

enum {
    SZ_GRAMMAR_DEPTH = 200,     /* nesting of groups */
    SZ_GRAMMAR_RULES = 1 << 14, /* in one grammar */
    SZ_GRAMMAR_NODES = 1 << 18,
    SZ_GRAMMAR_REPEATS = 1 << 12, /* of one expression */
};

/* ---- Expressions: what the parser reads ------------------------------------------------------ */

typedef struct sz_code_range {
    uint32_t from, to; /* code points, both included */
} sz_code_range;

typedef enum sz_expr_kind {
    SZ_EXPR_BYTES,
    SZ_EXPR_CLASS,
    SZ_EXPR_RULE,
    SZ_EXPR_SEQUENCE,
    SZ_EXPR_CHOICE,
    SZ_EXPR_REPEAT
} sz_expr_kind;

typedef struct sz_expr {
    sz_expr_kind kind;
    struct sz_expr *child, *next; /* children of a sequence, choice or repetition */
    const char *bytes;            /* of a literal [n] */
    size_t n;
    sz_code_range *ranges; /* of a class [n], in any order */
    uint32_t rule;
    uint32_t least, most; /* repetitions; UINT32_MAX: any number */
} sz_expr;

typedef struct sz_rule {
    const char *name;
    size_t n_name;
    sz_expr *body; /* NULL: used but not defined */
} sz_rule;

/* Rules [n_rules], start rule `root`; everything lives in the caller's arena. */
sz_status sz_grammar_compile(const sz_rule *rules, size_t n_rules, uint32_t root, sz_grammar **out);

/* As sz_grammar_regex_to_gbnf, for a text inside the quotes of a JSON string. */
sz_status sz_regex_within_json(const char *regex, size_t n, sz_buf *out);
/* The digits of the whole numbers from least to most, both at least 0, as alternatives in GBNF. */
void sz_digits_between(uint64_t least, uint64_t most, sz_buf *out);

/* ---- Nodes: what the automaton walks --------------------------------------------------------- */

typedef enum sz_node_kind {
    SZ_NODE_BYTE,
    SZ_NODE_SPLIT,
    SZ_NODE_CALL,
    SZ_NODE_RETURN
} sz_node_kind;
typedef struct sz_node {
    uint8_t kind, from, to; /* BYTE: the range it takes */
    uint32_t next;
    uint32_t other; /* SPLIT: the second way; CALL: the rule's first node */
} sz_node;

typedef struct sz_nodes {
    sz_node *v;
    size_t n, cap;
} sz_nodes;

/* Byte sequences of the code points from..to, as a choice of nodes that all lead to `next`. */
sz_status sz_nodes_add_codes(sz_nodes *nodes, const sz_code_range *ranges, size_t n, uint32_t next,
                             uint32_t *entry);
sz_status sz_nodes_add(sz_nodes *nodes, sz_node node, uint32_t *index);

/* Takes the nodes over. */
sz_status sz_automaton_new(sz_nodes *nodes, uint32_t start, sz_grammar **out);

#endif
