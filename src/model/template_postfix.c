/* template_postfix.c: what follows a value: attributes, items, calls, filters, tests. */
#include "model/template_builtin.h"

static sz_status parse_argument(sz_tparser *p, sz_tnode **out) {
    bool spread = sz_tparse_at_op(p, '*'), spread_keywords = sz_tparse_at_op(p, SZ_OP('*', '*'));
    bool keyword = p->token.kind == SZ_TOK_NAME && p->ahead.kind == SZ_TOK_OP && p->ahead.op == '=';
    if (!spread && !spread_keywords && !keyword)
        return sz_tparse_expression(p, true, out);
    sz_tnode *node, *value;
    SZ_TRY(sz_tparse_node(p,
                          keyword  ? SZ_N_KEYWORD
                          : spread ? SZ_N_SPREAD
                                   : SZ_N_SPREAD_KEYWORDS,
                          &node));
    if (keyword)
        SZ_TRY(sz_tparse_name(p, &node->name));
    SZ_TRY(sz_tparse_advance(p));
    SZ_TRY(sz_tparse_expression(p, true, &value));
    node->a = value;
    *out = node;
    return sz_tparse_grown(p, node, value);
}

static sz_status parse_arguments(sz_tparser *p, sz_tnode *call) {
    sz_tnode **tail = &call->list, *item;
    bool named = false;
    SZ_TRY(sz_tparse_expect(p, '('));
    while (!sz_tparse_at_op(p, ')')) {
        uint32_t line = p->token.line;
        SZ_TRY(parse_argument(p, &item));
        bool is_named = item->kind == SZ_N_KEYWORD || item->kind == SZ_N_SPREAD_KEYWORDS;
        if (named && !is_named)
            return SZ_FAIL_AT(SZ_E_FORMAT, line,
                              "an argument without a name follows one with a name");
        named |= is_named;
        SZ_TRY(sz_tparse_append(p, call, &tail, item));
        if (!sz_tparse_at_op(p, ')'))
            SZ_TRY(sz_tparse_expect(p, ','));
    }
    return sz_tparse_advance(p);
}

static sz_status parse_call(sz_tparser *p, sz_tnode **node) {
    SZ_TRY(sz_tparse_over(p, SZ_N_CALL, *node, node));
    (*node)->line = p->token.line;
    return parse_arguments(p, *node);
}

static sz_status parse_attribute(sz_tparser *p, sz_tnode **node) {
    SZ_TRY(sz_tparse_advance(p));
    bool is_item = p->token.kind == SZ_TOK_NUMBER && p->token.value.kind == SZ_T_INT;
    if (!is_item && p->token.kind != SZ_TOK_NAME)
        return sz_tparse_unexpected(p, "a name or number after '.'");
    SZ_TRY(sz_tparse_over(p, is_item ? SZ_N_ITEM : SZ_N_ATTRIBUTE, *node, node));
    if (is_item)
        return sz_tparse_primary(p, &(*node)->b);
    return sz_tparse_name(p, &(*node)->name);
}

/* a, or a:b:c with any of them left out */
static sz_status parse_subscript(sz_tparser *p, sz_tnode **out) {
    sz_tnode *part[3] = {NULL}, *slice;
    int n = 0;
    for (;;) {
        if (!sz_tparse_at_op(p, ':') && !sz_tparse_at_op(p, ']') && !sz_tparse_at_op(p, ','))
            SZ_TRY(sz_tparse_expression(p, true, &part[n]));
        if (n == 2 || !sz_tparse_at_op(p, ':'))
            break;
        n++;
        SZ_TRY(sz_tparse_advance(p));
    }
    if (n == 0 && !part[0])
        return sz_tparse_unexpected(p, "an index");
    *out = part[0];
    if (n == 0)
        return SZ_OK;
    SZ_TRY(sz_tparse_node(p, SZ_N_SLICE, &slice));
    slice->a = part[0];
    slice->b = part[1];
    slice->c = part[2];
    for (int i = 0; i < 3; i++)
        SZ_TRY(sz_tparse_grown(p, slice, part[i]));
    *out = slice;
    return SZ_OK;
}

static sz_status parse_item(sz_tparser *p, sz_tnode **node) {
    sz_tnode *index = NULL;
    SZ_TRY(sz_tparse_over(p, SZ_N_ITEM, *node, node));
    (*node)->line = p->token.line;
    SZ_TRY(sz_tparse_advance(p));
    SZ_TRY(parse_subscript(p, &index));
    (*node)->b = index;
    SZ_TRY(sz_tparse_grown(p, *node, index));
    return sz_tparse_expect(p, ']');
}

sz_status sz_tparse_postfix(sz_tparser *p, sz_tnode **node) {
    for (;;) {
        if (sz_tparse_at_op(p, '.'))
            SZ_TRY(parse_attribute(p, node));
        else if (sz_tparse_at_op(p, '['))
            SZ_TRY(parse_item(p, node));
        else if (sz_tparse_at_op(p, '('))
            SZ_TRY(parse_call(p, node));
        else
            return SZ_OK;
    }
}

/* The filters that follow, each over the one before. at_name: the first stands without its '|'. */
sz_status sz_tparse_filters(sz_tparser *p, sz_tnode *subject, bool at_name, sz_tnode **out) {
    sz_tnode *node = subject, *filter;
    while (at_name || sz_tparse_at_op(p, '|')) {
        if (!at_name)
            SZ_TRY(sz_tparse_advance(p));
        at_name = false;
        SZ_TRY(sz_tparse_node(p, SZ_N_FILTER, &filter));
        filter->a = node;
        SZ_TRY(sz_tparse_grown(p, filter, node));
        SZ_TRY(sz_tparse_name(p, &filter->name));
        filter->builtin = sz_tfilter_find(filter->name->s, filter->name->n);
        if (sz_tparse_at_op(p, '('))
            SZ_TRY(parse_arguments(p, filter));
        node = filter;
    }
    *out = node;
    return SZ_OK;
}

/* Whether the current token begins the argument of a test written without parentheses. */
static bool begins_argument(const sz_tparser *p) {
    if (p->token.kind == SZ_TOK_NAME)
        return !sz_tparse_at_word(p, "else") && !sz_tparse_at_word(p, "or") &&
               !sz_tparse_at_word(p, "and");
    return p->token.kind == SZ_TOK_STRING || p->token.kind == SZ_TOK_NUMBER ||
           sz_tparse_at_op(p, '[') || sz_tparse_at_op(p, '{');
}

static sz_status parse_test(sz_tparser *p, sz_tnode **node) {
    sz_tnode *test, *argument;
    SZ_TRY(sz_tparse_over(p, SZ_N_TEST, *node, &test));
    test->line = p->token.line;
    SZ_TRY(sz_tparse_advance(p));
    test->flag = sz_tparse_at_word(p, "not");
    if (test->flag)
        SZ_TRY(sz_tparse_advance(p));
    SZ_TRY(sz_tparse_name(p, &test->name));
    test->builtin = sz_tbuiltin_find(sz_ttests, test->name->s, test->name->n);
    *node = test;
    if (sz_tparse_at_op(p, '('))
        return parse_arguments(p, test);
    if (!begins_argument(p))
        return SZ_OK;
    if (sz_tparse_at_word(p, "is"))
        return sz_tparse_unexpected(p, "no second 'is'");
    sz_tnode **tail = &test->list;
    SZ_TRY(sz_tparse_primary(p, &argument));
    SZ_TRY(sz_tparse_postfix(p, &argument));
    return sz_tparse_append(p, test, &tail, argument);
}

sz_status sz_tparse_filters_and_tests(sz_tparser *p, sz_tnode **node) {
    for (;;) {
        if (sz_tparse_at_op(p, '|'))
            SZ_TRY(sz_tparse_filters(p, *node, false, node));
        else if (sz_tparse_at_word(p, "is"))
            SZ_TRY(parse_test(p, node));
        else if (sz_tparse_at_op(p, '('))
            SZ_TRY(parse_call(p, node));
        else
            return SZ_OK;
    }
}
