/* grammar_compile.c: expressions to nodes. Each expression is laid down in front of what follows
 * it, so that nothing has to be patched but loops. */
#include "code/grammar.h"

typedef struct compiler {
    const sz_rule *rules;
    size_t n_rules;
    uint32_t *entry; /* [n_rules]: of each rule, a SPLIT made beforehand */
    sz_nodes nodes;
} compiler;

sz_status sz_nodes_add(sz_nodes *nodes, sz_node node, uint32_t *index) {
    SZ_REQUIRE(nodes->n < SZ_GRAMMAR_NODES, SZ_E_LIMIT,
               "the grammar is too large: more than %d places", SZ_GRAMMAR_NODES);
    if (nodes->n == nodes->cap) {
        size_t cap = nodes->cap ? 2 * nodes->cap : 256;
        sz_node *more = sz_realloc(nodes->v, nodes->cap * sizeof *more, cap * sizeof *more);
        SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for a grammar");
        nodes->v = more;
        nodes->cap = cap;
    }
    nodes->v[nodes->n] = node;
    *index = (uint32_t)nodes->n++;
    return SZ_OK;
}

static sz_status lay(compiler *c, const sz_expr *e, uint32_t next, uint32_t *entry);

static sz_status lay_bytes(compiler *c, const sz_expr *e, uint32_t next, uint32_t *entry) {
    for (size_t i = e->n; i-- > 0;) {
        uint8_t b = (uint8_t)e->bytes[i];
        SZ_TRY(sz_nodes_add(&c->nodes, (sz_node){SZ_NODE_BYTE, b, b, next, 0}, &next));
    }
    *entry = next;
    return SZ_OK;
}

static sz_status lay_sequence(compiler *c, const sz_expr *child, uint32_t next, uint32_t *entry) {
    if (child) {
        SZ_TRY(lay_sequence(c, child->next, next, &next));
        SZ_TRY(lay(c, child, next, &next));
    }
    *entry = next;
    return SZ_OK;
}

static sz_status lay_choice(compiler *c, const sz_expr *e, uint32_t next, uint32_t *entry) {
    SZ_TRY(lay(c, e->child, next, entry));
    for (const sz_expr *way = e->child->next; way; way = way->next) {
        uint32_t other;
        SZ_TRY(lay(c, way, next, &other));
        SZ_TRY(sz_nodes_add(&c->nodes, (sz_node){SZ_NODE_SPLIT, 0, 0, *entry, other}, entry));
    }
    return SZ_OK;
}

static sz_status lay_repeat(compiler *c, const sz_expr *e, uint32_t next, uint32_t *entry) {
    uint32_t at = next, body;
    if (e->most == UINT32_MAX) {
        SZ_TRY(sz_nodes_add(&c->nodes, (sz_node){SZ_NODE_SPLIT, 0, 0, next, next}, &at));
        SZ_TRY(lay(c, e->child, at, &body));
        c->nodes.v[at].other = body;
    }
    for (uint32_t i = e->least; e->most != UINT32_MAX && i < e->most; i++) {
        SZ_TRY(lay(c, e->child, at, &body));
        SZ_TRY(sz_nodes_add(&c->nodes, (sz_node){SZ_NODE_SPLIT, 0, 0, body, next}, &at));
    }
    for (uint32_t i = 0; i < e->least; i++)
        SZ_TRY(lay(c, e->child, at, &at));
    *entry = at;
    return SZ_OK;
}

static sz_status lay(compiler *c, const sz_expr *e, uint32_t next, uint32_t *entry) {
    switch (e->kind) {
    case SZ_EXPR_BYTES:
        return lay_bytes(c, e, next, entry);
    case SZ_EXPR_CLASS:
        return sz_nodes_add_codes(&c->nodes, e->ranges, e->n, next, entry);
    case SZ_EXPR_RULE:
        return sz_nodes_add(&c->nodes, (sz_node){SZ_NODE_CALL, 0, 0, next, c->entry[e->rule]},
                            entry);
    case SZ_EXPR_SEQUENCE:
        return lay_sequence(c, e->child, next, entry);
    case SZ_EXPR_CHOICE:
        return lay_choice(c, e, next, entry);
    case SZ_EXPR_REPEAT:
        return lay_repeat(c, e, next, entry);
    }
    return SZ_OK;
}

/* ---- Rules that begin with themselves -------------------------------------------------------- */

typedef struct left {
    const sz_rule *rules;
    bool *nullable; /* [n_rules] */
    uint8_t *mark;  /* [n_rules]: 0 not seen, 1 on the way, 2 done */
} left;

static bool is_nullable(const left *l, const sz_expr *e) {
    bool all = true, any = false;
    switch (e->kind) {
    case SZ_EXPR_BYTES:
        return e->n == 0;
    case SZ_EXPR_CLASS:
        return false;
    case SZ_EXPR_RULE:
        return l->nullable[e->rule];
    case SZ_EXPR_REPEAT:
        return e->least == 0 || is_nullable(l, e->child);
    default:
        for (const sz_expr *c = e->child; c; c = c->next) {
            bool n = is_nullable(l, c);
            all &= n;
            any |= n;
        }
        return e->kind == SZ_EXPR_SEQUENCE ? all : any;
    }
}

static sz_status walk_left(left *l, const sz_expr *e);

static sz_status enter_rule(left *l, uint32_t rule) {
    SZ_REQUIRE(l->mark[rule] != 1, SZ_E_FORMAT,
               "rule '%.*s' begins with itself: write it so that something comes first",
               (int)l->rules[rule].n_name, l->rules[rule].name);
    if (l->mark[rule] == 2)
        return SZ_OK;
    l->mark[rule] = 1;
    SZ_TRY(walk_left(l, l->rules[rule].body));
    l->mark[rule] = 2;
    return SZ_OK;
}

/* Follows what can stand first in e. */
static sz_status walk_left(left *l, const sz_expr *e) {
    if (e->kind == SZ_EXPR_RULE)
        return enter_rule(l, e->rule);
    for (const sz_expr *c = e->child; c; c = c->next) {
        SZ_TRY(walk_left(l, c));
        if (e->kind == SZ_EXPR_SEQUENCE && !is_nullable(l, c))
            break;
    }
    return SZ_OK;
}

static sz_status refuse_left_recursion(const sz_rule *rules, size_t n) {
    left l = {.rules = rules, .nullable = sz_calloc(n, 1), .mark = sz_calloc(n, 1)};
    sz_status status =
        l.nullable && l.mark ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for a grammar");
    for (bool changed = status == SZ_OK; changed;) {
        changed = false;
        for (size_t i = 0; i < n; i++)
            if (!l.nullable[i] && is_nullable(&l, rules[i].body))
                changed = l.nullable[i] = true;
    }
    for (uint32_t i = 0; i < n && status == SZ_OK; i++)
        status = enter_rule(&l, i);
    sz_free(l.nullable);
    sz_free(l.mark);
    return status;
}

/* ---- The whole ------------------------------------------------------------------------------- */

static sz_status compile(compiler *c) {
    uint32_t end, body;
    SZ_TRY(sz_nodes_add(&c->nodes, (sz_node){SZ_NODE_RETURN, 0, 0, 0, 0}, &end));
    for (size_t i = 0; i < c->n_rules; i++)
        SZ_TRY(sz_nodes_add(&c->nodes, (sz_node){SZ_NODE_SPLIT, 0, 0, 0, 0}, &c->entry[i]));
    for (size_t i = 0; i < c->n_rules; i++) {
        SZ_TRY(lay(c, c->rules[i].body, end, &body));
        c->nodes.v[c->entry[i]].next = c->nodes.v[c->entry[i]].other = body;
    }
    return SZ_OK;
}

sz_status sz_grammar_compile(const sz_rule *rules, size_t n_rules, uint32_t root,
                             sz_grammar **out) {
    for (size_t i = 0; i < n_rules; i++)
        SZ_REQUIRE(rules[i].body, SZ_E_FORMAT, "rule '%.*s' is used but not defined",
                   (int)rules[i].n_name, rules[i].name);
    SZ_TRY(refuse_left_recursion(rules, n_rules));
    compiler c = {.rules = rules, .n_rules = n_rules};
    c.entry = sz_calloc(n_rules, sizeof *c.entry);
    SZ_REQUIRE(c.entry, SZ_E_NOMEM, "no memory for a grammar");
    sz_status status = compile(&c);
    uint32_t start = status == SZ_OK ? c.entry[root] : 0;
    sz_free(c.entry);
    if (status == SZ_OK)
        status = sz_automaton_new(&c.nodes, start, out);
    sz_free(c.nodes.v);
    return status;
}
