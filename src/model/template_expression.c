/* template_expression.c: expressions to trees, with jinja2's precedences: '~' binds tighter than
 * '+', unary minus tighter than '**', a filter tighter than any operator. */
#include "model/template_builtin.h"

/* ---- Building nodes ------------------------------------------------------------------------- */

sz_status sz_tparse_node(sz_tparser *p, sz_tnode_kind kind, sz_tnode **out) {
    sz_tnode *node = sz_arena_alloc_small(p->arena, sizeof *node);
    if (!node)
        return SZ_FAIL_AT(SZ_E_LIMIT, p->token.line, "the template needs too much memory");
    *node = (sz_tnode){.kind = (uint8_t)kind, .line = p->token.line, .height = 1};
    *out = node;
    return SZ_OK;
}

/* The parent is higher than its child; evaluation recurses by height, so it is bounded. */
sz_status sz_tparse_grown(sz_tparser *p, sz_tnode *parent, const sz_tnode *child) {
    if (child && child->height >= parent->height)
        parent->height = (uint16_t)(child->height + 1);
    if (parent->height > SZ_T_MAX_HEIGHT)
        return SZ_FAIL_AT(SZ_E_LIMIT, parent->line, "more than %d operators in one another",
                          SZ_T_MAX_HEIGHT);
    return SZ_OK;
}

sz_status sz_tparse_append(sz_tparser *p, sz_tnode *parent, sz_tnode ***tail, sz_tnode *child) {
    **tail = child;
    *tail = &child->next;
    parent->n++;
    return sz_tparse_grown(p, parent, child);
}

sz_status sz_tparse_over(sz_tparser *p, sz_tnode_kind kind, sz_tnode *a, sz_tnode **out) {
    SZ_TRY(sz_tparse_node(p, kind, out));
    (*out)->line = a->line;
    (*out)->a = a;
    return sz_tparse_grown(p, *out, a);
}

/* *left = *left op b */
static sz_status join(sz_tparser *p, sz_tnode_kind kind, uint16_t op, sz_tnode **left,
                      sz_tnode *b) {
    sz_tnode *node;
    SZ_TRY(sz_tparse_over(p, kind, *left, &node));
    node->op = op;
    node->b = b;
    *left = node;
    return sz_tparse_grown(p, node, b);
}

/* ---- Brackets ------------------------------------------------------------------------------- */

/* One expression, or a tuple of several with commas; an empty one only within parentheses. */
static sz_status parse_tuple(sz_tparser *p, bool with_if, bool within, sz_tnode **out) {
    sz_tnode *first = NULL, *tuple, **tail;
    if (!(within && sz_tparse_at_op(p, ')')))
        SZ_TRY(sz_tparse_expression(p, with_if, &first));
    if (first && !sz_tparse_at_op(p, ',')) {
        *out = first;
        return SZ_OK;
    }
    SZ_TRY(sz_tparse_node(p, SZ_N_TUPLE, &tuple));
    tail = &tuple->list;
    if (first)
        SZ_TRY(sz_tparse_append(p, tuple, &tail, first));
    while (sz_tparse_at_op(p, ',')) {
        SZ_TRY(sz_tparse_advance(p));
        bool ends = p->token.kind == SZ_TOK_BLOCK_END || p->token.kind == SZ_TOK_VARIABLE_END ||
                    sz_tparse_at_op(p, ')') || sz_tparse_at_word(p, "recursive");
        if (ends)
            break;
        SZ_TRY(sz_tparse_expression(p, with_if, &first));
        SZ_TRY(sz_tparse_append(p, tuple, &tail, first));
    }
    *out = tuple;
    return SZ_OK;
}

sz_status sz_tparse_tuple(sz_tparser *p, bool with_if, sz_tnode **out) {
    return parse_tuple(p, with_if, false, out);
}

static sz_status parse_parentheses(sz_tparser *p, sz_tnode **out) {
    SZ_TRY(sz_tparse_advance(p));
    SZ_TRY(parse_tuple(p, true, true, out));
    return sz_tparse_expect(p, ')');
}

/* [a, b] or {a: b, c: d}: keys and values alternate in the list. */
static sz_status parse_display(sz_tparser *p, sz_tnode_kind kind, char close, sz_tnode **out) {
    sz_tnode *node, *item;
    SZ_TRY(sz_tparse_node(p, kind, &node));
    sz_tnode **tail = &node->list;
    SZ_TRY(sz_tparse_advance(p));
    while (!sz_tparse_at_op(p, (uint16_t)close)) {
        SZ_TRY(sz_tparse_expression(p, true, &item));
        SZ_TRY(sz_tparse_append(p, node, &tail, item));
        if (kind == SZ_N_DICT) {
            SZ_TRY(sz_tparse_expect(p, ':'));
            SZ_TRY(sz_tparse_expression(p, true, &item));
            SZ_TRY(sz_tparse_append(p, node, &tail, item));
        }
        if (!sz_tparse_at_op(p, (uint16_t)close))
            SZ_TRY(sz_tparse_expect(p, ','));
    }
    *out = node;
    return sz_tparse_advance(p);
}

/* ---- Names and literals --------------------------------------------------------------------- */

static sz_status parse_word(sz_tparser *p, sz_tnode **out) {
    static const struct {
        const char *word;
        sz_tv value;
    } words[] = {{"true", {.kind = SZ_T_BOOL, .u.b = true}},
                 {"True", {.kind = SZ_T_BOOL, .u.b = true}},
                 {"false", {.kind = SZ_T_BOOL}},
                 {"False", {.kind = SZ_T_BOOL}},
                 {"none", {.kind = SZ_T_NONE}},
                 {"None", {.kind = SZ_T_NONE}}};
    SZ_TRY(sz_tparse_node(p, SZ_N_CONST, out));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (sz_tparse_at_word(p, words[i].word)) {
            (*out)->value = words[i].value;
            return sz_tparse_advance(p);
        }
    }
    static const struct {
        const char *word;
        uint8_t use;
    } uses[] = {
        {"varargs", SZ_USES_VARARGS}, {"kwargs", SZ_USES_KWARGS}, {"caller", SZ_USES_CALLER}};
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
        p->uses |= sz_tparse_at_word(p, uses[i].word) ? uses[i].use : 0;
    (*out)->kind = SZ_N_NAME;
    (*out)->builtin = sz_tbuiltin_find(sz_tglobals, p->token.s, p->token.n);
    return sz_tparse_name(p, &(*out)->name);
}

/* Literals that follow each other are one string. */
static sz_status parse_string(sz_tparser *p, sz_tnode **out) {
    SZ_TRY(sz_tparse_node(p, SZ_N_CONST, out));
    sz_buf joined = {0};
    sz_tv value = p->token.value;
    SZ_TRY(sz_tparse_advance(p));
    if (p->token.kind == SZ_TOK_STRING)
        sz_buf_append(&joined, value.u.s, value.n);
    sz_status status = SZ_OK;
    while (status == SZ_OK && p->token.kind == SZ_TOK_STRING) {
        sz_buf_append(&joined, p->token.value.u.s, p->token.value.n);
        status = sz_tparse_advance(p);
    }
    if (joined.len > 0) {
        char *copy = sz_arena_alloc_small(p->arena, joined.len);
        if (copy)
            memcpy(copy, joined.data, joined.len);
        else if (status == SZ_OK)
            status = SZ_FAIL_AT(SZ_E_LIMIT, p->token.line, "the template needs too much memory");
        value = sz_tv_text(copy, joined.len);
    }
    sz_buf_free(&joined);
    (*out)->value = value;
    return status;
}

static sz_status parse_primary(sz_tparser *p, sz_tnode **out) {
    switch (p->token.kind) {
    case SZ_TOK_NAME:
        return parse_word(p, out);
    case SZ_TOK_STRING:
        return parse_string(p, out);
    case SZ_TOK_NUMBER:
        SZ_TRY(sz_tparse_node(p, SZ_N_CONST, out));
        (*out)->value = p->token.value;
        return sz_tparse_advance(p);
    default:
        break;
    }
    if (sz_tparse_at_op(p, '('))
        return parse_parentheses(p, out);
    if (sz_tparse_at_op(p, '['))
        return parse_display(p, SZ_N_LIST, ']', out);
    if (sz_tparse_at_op(p, '{'))
        return parse_display(p, SZ_N_DICT, '}', out);
    return sz_tparse_unexpected(p, "an expression");
}

sz_status sz_tparse_primary(sz_tparser *p, sz_tnode **out) {
    SZ_TRY(sz_tparse_enter(p));
    SZ_TRY(parse_primary(p, out));
    p->nesting--;
    return SZ_OK;
}

/* ---- Operators ------------------------------------------------------------------------------ */

static sz_status parse_unary(sz_tparser *p, bool with_filters, sz_tnode **out) {
    SZ_TRY(sz_tparse_enter(p));
    bool minus = sz_tparse_at_op(p, '-');
    if (minus || sz_tparse_at_op(p, '+')) {
        SZ_TRY(sz_tparse_advance(p));
        SZ_TRY(parse_unary(p, false, out));
        SZ_TRY(sz_tparse_over(p, minus ? SZ_N_NEGATE : SZ_N_PLUS, *out, out));
    } else
        SZ_TRY(parse_primary(p, out));
    SZ_TRY(sz_tparse_postfix(p, out));
    if (with_filters)
        SZ_TRY(sz_tparse_filters_and_tests(p, out));
    p->nesting--;
    return SZ_OK;
}

enum { LEVEL_ADD, LEVEL_CONCAT, LEVEL_MULTIPLY, LEVEL_POWER, N_LEVELS };

static bool at_operator(const sz_tparser *p, int level) {
    static const uint16_t ops[N_LEVELS][4] = {
        {'+', '-'}, {'~'}, {'*', '/', '%', SZ_OP('/', '/')}, {SZ_OP('*', '*')}};
    for (int i = 0; i < 4 && ops[level][i]; i++)
        if (sz_tparse_at_op(p, ops[level][i]))
            return true;
    return false;
}

static sz_status parse_binary(sz_tparser *p, int level, sz_tnode **out) {
    sz_tnode *right;
    if (level == N_LEVELS)
        return parse_unary(p, true, out);
    SZ_TRY(parse_binary(p, level + 1, out));
    while (at_operator(p, level)) {
        uint16_t op = p->token.op;
        SZ_TRY(sz_tparse_advance(p));
        SZ_TRY(parse_binary(p, level + 1, &right));
        SZ_TRY(join(p, SZ_N_BINARY, op, out, right));
    }
    return SZ_OK;
}

/* The comparison at the current token, with its words or signs passed over; 0: there is none. "in"
 * is 'i' and "not in" 'n'. */
static sz_status take_comparison(sz_tparser *p, uint16_t *op) {
    static const uint16_t ops[] = {
        SZ_OP('=', '='), SZ_OP('!', '='), SZ_OP('<', '='), SZ_OP('>', '='), '<', '>'};
    *op = 0;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (sz_tparse_at_op(p, ops[i]))
            *op = ops[i];
    if (sz_tparse_at_word(p, "in"))
        *op = 'i';
    bool ahead_in =
        p->ahead.kind == SZ_TOK_NAME && p->ahead.n == 2 && memcmp(p->ahead.s, "in", 2) == 0;
    if (sz_tparse_at_word(p, "not") && ahead_in) {
        *op = 'n';
        SZ_TRY(sz_tparse_advance(p));
    }
    return *op ? sz_tparse_advance(p) : SZ_OK;
}

static sz_status parse_compare(sz_tparser *p, sz_tnode **out) {
    sz_tnode *compare = NULL, **tail = NULL, *operand, *right;
    uint16_t op;
    SZ_TRY(parse_binary(p, LEVEL_ADD, out));
    for (;;) {
        SZ_TRY(take_comparison(p, &op));
        if (!op)
            return SZ_OK;
        if (!compare) {
            SZ_TRY(sz_tparse_over(p, SZ_N_COMPARE, *out, &compare));
            tail = &compare->list;
            *out = compare;
        }
        SZ_TRY(parse_binary(p, LEVEL_ADD, &right));
        SZ_TRY(sz_tparse_over(p, SZ_N_OPERAND, right, &operand));
        operand->op = op;
        SZ_TRY(sz_tparse_append(p, compare, &tail, operand));
    }
}

static sz_status parse_not(sz_tparser *p, sz_tnode **out) {
    if (!sz_tparse_at_word(p, "not"))
        return parse_compare(p, out);
    SZ_TRY(sz_tparse_enter(p));
    SZ_TRY(sz_tparse_advance(p));
    SZ_TRY(parse_not(p, out));
    p->nesting--;
    return sz_tparse_over(p, SZ_N_NOT, *out, out);
}

static sz_status parse_and(sz_tparser *p, sz_tnode **out) {
    sz_tnode *right;
    SZ_TRY(parse_not(p, out));
    while (sz_tparse_at_word(p, "and")) {
        SZ_TRY(sz_tparse_advance(p));
        SZ_TRY(parse_not(p, &right));
        SZ_TRY(join(p, SZ_N_AND, 0, out, right));
    }
    return SZ_OK;
}

static sz_status parse_or(sz_tparser *p, sz_tnode **out) {
    sz_tnode *right;
    SZ_TRY(parse_and(p, out));
    while (sz_tparse_at_word(p, "or")) {
        SZ_TRY(sz_tparse_advance(p));
        SZ_TRY(parse_and(p, &right));
        SZ_TRY(join(p, SZ_N_OR, 0, out, right));
    }
    return SZ_OK;
}

/* with_if: "a if b else c" may stand here (not in the head of a for loop, where "if" filters). */
sz_status sz_tparse_expression(sz_tparser *p, bool with_if, sz_tnode **out) {
    sz_tnode *condition, *other;
    SZ_TRY(sz_tparse_enter(p));
    SZ_TRY(parse_or(p, out));
    while (with_if && sz_tparse_at_word(p, "if")) {
        SZ_TRY(sz_tparse_advance(p));
        SZ_TRY(parse_or(p, &condition));
        SZ_TRY(join(p, SZ_N_IF_ELSE, 0, out, condition));
        if (!sz_tparse_at_word(p, "else"))
            continue;
        sz_tnode *node = *out;
        SZ_TRY(sz_tparse_advance(p));
        SZ_TRY(sz_tparse_expression(p, true, &other));
        node->c = other;
        SZ_TRY(sz_tparse_grown(p, node, other));
    }
    p->nesting--;
    return SZ_OK;
}
