/* template_parser.c: statements to trees, and the token window that both parsers read from. */
#include "model/name_table.h"
#include "model/template_tree.h"

/* ---- Tokens --------------------------------------------------------------------------------- */

sz_status sz_tparse_advance(sz_tparser *p) {
    p->token = p->ahead;
    if (p->token.kind == SZ_TOK_END)
        return SZ_OK;
    return sz_tlexer_next(&p->lexer, &p->ahead);
}

bool sz_tparse_at_word(const sz_tparser *p, const char *word) {
    return p->token.kind == SZ_TOK_NAME && p->token.n == strlen(word) &&
           memcmp(p->token.s, word, p->token.n) == 0;
}

bool sz_tparse_at_op(const sz_tparser *p, uint16_t op) {
    return p->token.kind == SZ_TOK_OP && p->token.op == op;
}

sz_status sz_tparse_unexpected(const sz_tparser *p, const char *wanted) {
    char shown[80];
    if (p->token.kind == SZ_TOK_END)
        return SZ_FAIL_AT(SZ_E_FORMAT, p->token.line, "the template ends, expected %s", wanted);
    return SZ_FAIL_AT(SZ_E_FORMAT, p->token.line, "unexpected '%s', expected %s",
                      sz_show_text(p->token.s, p->token.n, shown), wanted);
}

sz_status sz_tparse_expect(sz_tparser *p, uint16_t op) {
    char wanted[4] = {'\'', (char)op, '\''};
    if (!sz_tparse_at_op(p, op))
        return sz_tparse_unexpected(p, wanted);
    return sz_tparse_advance(p);
}

static sz_status expect_word(sz_tparser *p, const char *word) {
    if (!sz_tparse_at_word(p, word))
        return sz_tparse_unexpected(p, word);
    return sz_tparse_advance(p);
}

static sz_status expect_block_end(sz_tparser *p) {
    if (p->token.kind != SZ_TOK_BLOCK_END)
        return sz_tparse_unexpected(p, "'%}'");
    return sz_tparse_advance(p);
}

sz_status sz_tparse_enter(sz_tparser *p) {
    if (p->nesting == SZ_T_MAX_NESTING)
        return SZ_FAIL_AT(SZ_E_LIMIT, p->token.line, "nested deeper than %d levels",
                          SZ_T_MAX_NESTING);
    p->nesting++;
    return SZ_OK;
}

/* ---- Names ---------------------------------------------------------------------------------- */

static sz_status keep_name(sz_tparser *p, const sz_tname *name) {
    if (p->n_name == p->cap_name) {
        uint32_t cap = p->cap_name ? 2 * p->cap_name : 64;
        const sz_tname **more = sz_realloc(p->name, p->n_name * sizeof *more, cap * sizeof *more);
        SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for the template's names");
        p->name = more;
        p->cap_name = cap;
    }
    p->name[p->n_name++] = name;
    return SZ_OK;
}

sz_status sz_tparse_intern(sz_tparser *p, const char *s, size_t n, const sz_tname **out) {
    int64_t known = sz_name_table_find(p->names, s, n);
    if (known >= 0) {
        *out = p->name[known];
        return SZ_OK;
    }
    bool is_new;
    sz_tname *name = sz_arena_alloc_small(p->arena, sizeof *name);
    if (!name)
        return SZ_FAIL_AT(SZ_E_LIMIT, p->token.line, "the template needs too much memory");
    *name = (sz_tname){s, (uint32_t)n};
    SZ_TRY(sz_name_table_add(p->names, s, n, p->n_name, &is_new));
    *out = name;
    return keep_name(p, name);
}

sz_status sz_tparse_name(sz_tparser *p, const sz_tname **out) {
    if (p->token.kind != SZ_TOK_NAME)
        return sz_tparse_unexpected(p, "a name");
    SZ_TRY(sz_tparse_intern(p, p->token.s, p->token.n, out));
    return sz_tparse_advance(p);
}

/* ---- Statements ----------------------------------------------------------------------------- */

static sz_status parse_body(sz_tparser *p, const char *const *ends, sz_tnode **body);

/* The rest of an opening tag and the statements up to {% end %}, that tag included. */
static sz_status parse_block(sz_tparser *p, const char *end, sz_tnode **body) {
    const char *const ends[] = {end, NULL};
    SZ_TRY(expect_block_end(p));
    SZ_TRY(parse_body(p, ends, body));
    return expect_word(p, end);
}

/* A name, or with_attribute name.attribute. */
static sz_status parse_target_name(sz_tparser *p, bool with_attribute, sz_tnode **out) {
    static const char *const reserved[] = {"true", "false", "none", "True", "False", "None"};
    sz_tnode *node;
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (sz_tparse_at_word(p, reserved[i]))
            return sz_tparse_unexpected(p, "a name that can be set");
    SZ_TRY(sz_tparse_node(p, SZ_N_NAME, &node));
    SZ_TRY(sz_tparse_name(p, &node->name));
    if (with_attribute && sz_tparse_at_op(p, '.')) {
        node->kind = SZ_N_NAMESPACE;
        SZ_TRY(sz_tparse_advance(p));
        SZ_TRY(sz_tparse_name(p, &node->attribute));
    }
    *out = node;
    return SZ_OK;
}

static sz_status parse_target(sz_tparser *p, bool with_attribute, sz_tnode **out);

/* a, b or (a, b) */
static sz_status parse_target_part(sz_tparser *p, bool with_attribute, sz_tnode **out) {
    if (!sz_tparse_at_op(p, '('))
        return parse_target_name(p, with_attribute, out);
    SZ_TRY(sz_tparse_enter(p));
    SZ_TRY(sz_tparse_advance(p));
    SZ_TRY(parse_target(p, with_attribute, out));
    p->nesting--;
    return sz_tparse_expect(p, ')');
}

static sz_status parse_target(sz_tparser *p, bool with_attribute, sz_tnode **out) {
    sz_tnode *first, *tuple;
    SZ_TRY(parse_target_part(p, with_attribute, &first));
    *out = first;
    if (!sz_tparse_at_op(p, ','))
        return SZ_OK;
    SZ_TRY(sz_tparse_node(p, SZ_N_TUPLE, &tuple));
    sz_tnode **tail = &tuple->list;
    SZ_TRY(sz_tparse_append(p, tuple, &tail, first));
    while (sz_tparse_at_op(p, ',')) {
        SZ_TRY(sz_tparse_advance(p));
        if (p->token.kind != SZ_TOK_NAME && !sz_tparse_at_op(p, '('))
            break;
        SZ_TRY(parse_target_part(p, with_attribute, &first));
        SZ_TRY(sz_tparse_append(p, tuple, &tail, first));
    }
    *out = tuple;
    return SZ_OK;
}

static sz_status parse_if(sz_tparser *p, sz_tnode *node) {
    static const char *const ends[] = {"elif", "else", "endif", NULL};
    sz_tnode **tail = &node->list, *branch;
    bool otherwise = false;
    node->kind = SZ_N_IF;
    do {
        SZ_TRY(sz_tparse_node(p, SZ_N_BRANCH, &branch));
        if (!otherwise)
            SZ_TRY(sz_tparse_tuple(p, false, &branch->a));
        SZ_TRY(expect_block_end(p));
        SZ_TRY(parse_body(p, otherwise ? ends + 2 : ends, &branch->body));
        SZ_TRY(sz_tparse_append(p, node, &tail, branch));
        otherwise = sz_tparse_at_word(p, "else");
        if (sz_tparse_at_word(p, "endif"))
            break;
        SZ_TRY(sz_tparse_advance(p));
    } while (true);
    return sz_tparse_advance(p);
}

static sz_status parse_for(sz_tparser *p, sz_tnode *node) {
    static const char *const ends[] = {"else", "endfor", NULL};
    node->kind = SZ_N_FOR;
    SZ_TRY(parse_target(p, false, &node->a));
    SZ_TRY(expect_word(p, "in"));
    SZ_TRY(sz_tparse_tuple(p, false, &node->b));
    if (sz_tparse_at_word(p, "if")) {
        SZ_TRY(sz_tparse_advance(p));
        SZ_TRY(sz_tparse_expression(p, true, &node->c));
    }
    node->flag = sz_tparse_at_word(p, "recursive");
    if (node->flag)
        SZ_TRY(sz_tparse_advance(p));
    SZ_TRY(expect_block_end(p));
    p->loops++;
    SZ_TRY(parse_body(p, ends, &node->body));
    p->loops--;
    if (sz_tparse_at_word(p, "else")) {
        SZ_TRY(sz_tparse_advance(p));
        return parse_block(p, "endfor", &node->other);
    }
    return sz_tparse_advance(p);
}

static sz_status parse_set(sz_tparser *p, sz_tnode *node) {
    SZ_TRY(parse_target(p, true, &node->a));
    if (sz_tparse_at_op(p, '=')) {
        node->kind = SZ_N_SET;
        SZ_TRY(sz_tparse_advance(p));
        return sz_tparse_tuple(p, true, &node->b);
    }
    node->kind = SZ_N_SET_BLOCK;
    SZ_TRY(sz_tparse_filters(p, NULL, false, &node->b));
    return parse_block(p, "endset", &node->body);
}

/* (a, b=1, ...) */
static sz_status parse_parameters(sz_tparser *p, sz_tnode *macro) {
    sz_tnode **tail = &macro->list, *parameter;
    bool defaults = false;
    SZ_TRY(sz_tparse_expect(p, '('));
    while (!sz_tparse_at_op(p, ')')) {
        SZ_TRY(parse_target_name(p, false, &parameter));
        parameter->kind = SZ_N_PARAMETER;
        if (defaults && !sz_tparse_at_op(p, '='))
            return sz_tparse_unexpected(p, "a default, as the parameters before have");
        defaults = sz_tparse_at_op(p, '=');
        if (defaults) {
            SZ_TRY(sz_tparse_advance(p));
            SZ_TRY(sz_tparse_expression(p, true, &parameter->a));
            SZ_TRY(sz_tparse_grown(p, parameter, parameter->a));
        }
        SZ_TRY(sz_tparse_append(p, macro, &tail, parameter));
        if (!sz_tparse_at_op(p, ')'))
            SZ_TRY(sz_tparse_expect(p, ','));
    }
    return sz_tparse_advance(p);
}

/* Parameters and body of a macro; which special names they use. */
static sz_status parse_macro_rest(sz_tparser *p, const char *end, sz_tnode *macro) {
    uint8_t outside = p->uses;
    int loops = p->loops;
    p->uses = 0;
    p->loops = 0;
    macro->kind = SZ_N_MACRO;
    SZ_TRY(parse_block(p, end, &macro->body));
    macro->flag = p->uses;
    p->uses = outside;
    p->loops = loops;
    return SZ_OK;
}

static sz_status parse_macro(sz_tparser *p, sz_tnode *node) {
    SZ_TRY(sz_tparse_name(p, &node->name));
    SZ_TRY(parse_parameters(p, node));
    return parse_macro_rest(p, "endmacro", node);
}

static sz_status parse_call_block(sz_tparser *p, sz_tnode *node) {
    sz_tnode *caller;
    node->kind = SZ_N_CALL_BLOCK;
    SZ_TRY(sz_tparse_node(p, SZ_N_MACRO, &caller));
    SZ_TRY(sz_tparse_intern(p, "caller", 6, &caller->name));
    if (sz_tparse_at_op(p, '('))
        SZ_TRY(parse_parameters(p, caller));
    SZ_TRY(sz_tparse_expression(p, true, &node->a));
    if (node->a->kind != SZ_N_CALL)
        return SZ_FAIL_AT(SZ_E_FORMAT, node->line, "{%% call %%} wants a call");
    node->b = caller;
    return parse_macro_rest(p, "endcall", caller);
}

static sz_status parse_filter_block(sz_tparser *p, sz_tnode *node) {
    node->kind = SZ_N_FILTER_BLOCK;
    SZ_TRY(sz_tparse_filters(p, NULL, true, &node->b));
    return parse_block(p, "endfilter", &node->body);
}

static sz_status parse_with(sz_tparser *p, sz_tnode *node) {
    sz_tnode **tail = &node->list, *set;
    node->kind = SZ_N_WITH;
    while (p->token.kind != SZ_TOK_BLOCK_END) {
        if (node->list)
            SZ_TRY(sz_tparse_expect(p, ','));
        SZ_TRY(sz_tparse_node(p, SZ_N_SET, &set));
        SZ_TRY(parse_target_part(p, false, &set->a));
        SZ_TRY(sz_tparse_expect(p, '='));
        SZ_TRY(sz_tparse_expression(p, true, &set->b));
        SZ_TRY(sz_tparse_append(p, node, &tail, set));
    }
    return parse_block(p, "endwith", &node->body);
}

/* transformers marks the assistant's tokens by it; the text is that of its body. */
static sz_status parse_generation(sz_tparser *p, sz_tnode *node) {
    node->kind = SZ_N_WITH;
    return parse_block(p, "endgeneration", &node->body);
}

static sz_status parse_flow(sz_tparser *p, sz_tnode *node, sz_tnode_kind kind) {
    node->kind = (uint8_t)kind;
    if (p->loops == 0)
        return SZ_FAIL_AT(SZ_E_FORMAT, node->line, "break or continue outside of a loop");
    return SZ_OK;
}

static sz_status parse_break(sz_tparser *p, sz_tnode *node) {
    return parse_flow(p, node, SZ_N_BREAK);
}

static sz_status parse_continue(sz_tparser *p, sz_tnode *node) {
    return parse_flow(p, node, SZ_N_CONTINUE);
}

static sz_status parse_statement(sz_tparser *p, sz_tnode *node) {
    static const struct {
        const char *word;
        sz_status (*parse)(sz_tparser *p, sz_tnode *node);
    } statements[] = {{"if", parse_if},           {"for", parse_for},
                      {"set", parse_set},         {"macro", parse_macro},
                      {"call", parse_call_block}, {"filter", parse_filter_block},
                      {"with", parse_with},       {"generation", parse_generation},
                      {"break", parse_break},     {"continue", parse_continue}};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        if (!sz_tparse_at_word(p, statements[i].word))
            continue;
        SZ_TRY(sz_tparse_enter(p));
        SZ_TRY(sz_tparse_advance(p));
        SZ_TRY(statements[i].parse(p, node));
        p->nesting--;
        return expect_block_end(p);
    }
    return sz_tparse_unexpected(p, "if, for, set, macro, call, filter, with, generation, break, "
                                   "continue or the end of an open block");
}

/* One statement, text or variable; *ended where a tag begins with one of `ends` (kept current). */
static sz_status parse_part(sz_tparser *p, const char *const *ends, sz_tnode *node, bool *ended) {
    switch (p->token.kind) {
    case SZ_TOK_DATA:
        node->kind = SZ_N_DATA;
        node->value = sz_tv_text(p->token.s, p->token.n);
        return sz_tparse_advance(p);
    case SZ_TOK_VARIABLE:
        node->kind = SZ_N_OUTPUT;
        SZ_TRY(sz_tparse_advance(p));
        SZ_TRY(sz_tparse_tuple(p, true, &node->a));
        if (p->token.kind != SZ_TOK_VARIABLE_END)
            return sz_tparse_unexpected(p, "'}}'");
        return sz_tparse_advance(p);
    default:
        break;
    }
    SZ_TRY(sz_tparse_advance(p)); /* {% */
    for (; ends && *ends; ends++) {
        if (sz_tparse_at_word(p, *ends)) {
            *ended = true;
            return SZ_OK;
        }
    }
    return parse_statement(p, node);
}

static sz_status parse_body(sz_tparser *p, const char *const *ends, sz_tnode **body) {
    bool ended = false;
    while (p->token.kind != SZ_TOK_END) {
        sz_tnode *node;
        SZ_TRY(sz_tparse_node(p, SZ_N_DATA, &node));
        SZ_TRY(parse_part(p, ends, node, &ended));
        if (ended)
            return SZ_OK;
        *body = node;
        body = &node->next;
    }
    return ends ? sz_tparse_unexpected(p, *ends) : SZ_OK;
}

sz_status sz_tparse_template(sz_tparser *p, sz_tnode **body) {
    SZ_TRY(sz_tlexer_next(&p->lexer, &p->ahead));
    if (p->ahead.kind == SZ_TOK_END)
        return SZ_OK;
    SZ_TRY(sz_tparse_advance(p));
    return parse_body(p, NULL, body);
}
