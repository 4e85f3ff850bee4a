/* script_parse.c: the text of a program becomes statements and expressions. */
#include "script.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const sz_script_function sz_script_functions[] = {{"exp", 1}, {"log", 1},   {"sqrt", 1},
                                                  {"abs", 1}, {"floor", 1}, {"len", 1},
                                                  {"min", 2}, {"max", 2},   {0}};
const sz_script_function sz_script_laws[] = {
    {"flip", 1},        {"roll", 1}, {"categorical", 1}, {"uniform", 2}, {"normal", 2},
    {"exponential", 1}, {0}};

typedef struct parser {
    sz_script *s;
    const char *text;
    size_t n, at;
    uint32_t line;
    int nesting; /* of brackets, in which lines do not end statements */
    int depth;
} parser;

sz_status sz_script_append(sz_script_list *l, const void *entry, size_t size, int32_t *index) {
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 32;
        void *more = sz_realloc(l->v, l->cap * size, cap * size);
        SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for a program");
        l->v = more;
        l->cap = cap;
    }
    memcpy((char *)l->v + l->n * size, entry, size);
    if (index)
        *index = (int32_t)l->n;
    l->n++;
    return SZ_OK;
}

/* ---- Words -------------------------------------------------------------------------------------
 */

static void skip_blanks(parser *p) {
    while (p->at < p->n) {
        char c = p->text[p->at];
        if (c == '#')
            while (p->at < p->n && p->text[p->at] != '\n')
                p->at++;
        else if (c == '\n' && p->nesting > 0)
            p->line++, p->at++;
        else if (c == ' ' || c == '\t' || c == '\r')
            p->at++;
        else
            break;
    }
}

static char peek(parser *p) {
    skip_blanks(p);
    return p->at < p->n ? p->text[p->at] : '\0';
}

static bool at_name(parser *p) {
    char c = peek(p);
    return isalpha((unsigned char)c) || c == '_';
}

static size_t name_length(const parser *p) {
    size_t n = 0;
    while (p->at + n < p->n &&
           (isalnum((unsigned char)p->text[p->at + n]) || p->text[p->at + n] == '_'))
        n++;
    return n;
}

/* Takes the word if it is the next one, whole. */
static bool take_word(parser *p, const char *word) {
    size_t n = strlen(word);
    if (!at_name(p) || name_length(p) != n || memcmp(p->text + p->at, word, n) != 0)
        return false;
    p->at += n;
    return true;
}

/* Takes a sign; not the beginning of a longer one. */
static bool take_sign(parser *p, const char *sign) {
    size_t n = strlen(sign);
    if (peek(p) != sign[0] || p->at + n > p->n || memcmp(p->text + p->at, sign, n) != 0)
        return false;
    if (n == 1 && strchr("<>=!", sign[0]) && p->at + 1 < p->n && p->text[p->at + 1] == '=')
        return false;
    p->at += n;
    return true;
}

static sz_status unexpected(parser *p, const char *wanted) {
    char c = peek(p);
    if (c == '\0')
        return sz_fail(SZ_E_FORMAT, "line %u: %s is missing at the end", p->line, wanted);
    if (c == '\n')
        return sz_fail(SZ_E_FORMAT, "line %u: %s is missing", p->line, wanted);
    if (isalnum((unsigned char)c) || c == '_')
        return sz_fail(SZ_E_FORMAT, "line %u: '%.*s' stands where %s belongs", p->line,
                       (int)(name_length(p) < 40 ? name_length(p) : 40), p->text + p->at, wanted);
    return sz_fail(SZ_E_FORMAT, "line %u: %s belongs before the character 0x%02x", p->line, wanted,
                   (unsigned)(unsigned char)c);
}

static sz_status need_sign(parser *p, const char *sign) {
    char wanted[8];
    snprintf(wanted, sizeof wanted, "'%s'", sign);
    return take_sign(p, sign) ? SZ_OK : unexpected(p, wanted);
}

/* Brackets: what they hold may go over several lines. */
static sz_status open_bracket(parser *p, const char *sign) {
    SZ_TRY(need_sign(p, sign));
    p->nesting++;
    return SZ_OK;
}
static sz_status close_bracket(parser *p, const char *sign) {
    skip_blanks(p);
    p->nesting--;
    return need_sign(p, sign);
}

static const char *const reserved[] = {"if",      "else", "while", "return", "score", "logscore",
                                       "observe", "and",  "or",    "not",    NULL};

static sz_status take_name(parser *p, int32_t *out) {
    sz_script *s = p->s;
    if (!at_name(p))
        return unexpected(p, "a name");
    const char *word = p->text + p->at;
    size_t n = name_length(p);
    for (int i = 0; reserved[i]; i++)
        if (strlen(reserved[i]) == n && memcmp(word, reserved[i], n) == 0)
            return unexpected(p, "a name");
    p->at += n;
    for (size_t i = 0; i < s->n_names; i++)
        if (strlen(s->name[i]) == n && memcmp(s->name[i], word, n) == 0) {
            *out = (int32_t)i;
            return SZ_OK;
        }
    SZ_REQUIRE(s->n_names < SZ_SCRIPT_NAMES, SZ_E_LIMIT, "line %u: more than %d names", p->line,
               SZ_SCRIPT_NAMES);
    s->name[s->n_names] = sz_strndup(word, n);
    SZ_REQUIRE(s->name[s->n_names], SZ_E_NOMEM, "no memory for a name");
    *out = (int32_t)s->n_names++;
    return SZ_OK;
}

/* ---- Expressions -------------------------------------------------------------------------------
 */

static sz_status expression(parser *p, int32_t *out);

static sz_status add_node(parser *p, sz_script_op op, int32_t index, int32_t a, int32_t b,
                          int32_t *out) {
    sz_script_node node = {.op = op, .index = index, .a = a, .b = b};
    return sz_script_append(&p->s->nodes, &node, sizeof node, out);
}

static sz_status take_number(parser *p, int32_t *out) {
    char digits[64];
    size_t n = p->n - p->at < sizeof digits - 1 ? p->n - p->at : sizeof digits - 1;
    memcpy(digits, p->text + p->at, n);
    digits[n] = '\0';
    char *end;
    size_t whole = strspn(digits, "0123456789.eE+-"); /* neither hexadecimal nor nan */
    digits[whole] = '\0';
    double x = strtod(digits, &end);
    if (end == digits || !(x - x == 0.0))
        return unexpected(p, "a number");
    p->at += (size_t)(end - digits);
    SZ_TRY(add_node(p, SZ_OP_NUMBER, -1, -1, -1, out));
    sz_script_nodes(p->s)[*out].x = x;
    return SZ_OK;
}

/* Arrays are constants; their entries follow each other in the list of cells. */
static sz_status take_array(parser *p, int32_t *out) {
    sz_script *s = p->s;
    sz_script_list own = {0};
    sz_status status = open_bracket(p, "[");
    while (status == SZ_OK && peek(p) != ']') {
        int32_t node;
        sz_script_value v;
        status = expression(p, &node);
        if (status == SZ_OK && sz_script_evaluate(s, node, NULL, &v) != SZ_OK)
            status = sz_fail_within(SZ_E_FORMAT, "line %u: arrays hold constants", p->line);
        if (status == SZ_OK)
            status = sz_script_append(&own, &v, sizeof v, NULL);
        if (status == SZ_OK && !take_sign(p, ",") && peek(p) != ']')
            status = unexpected(p, "',' or ']'");
    }
    if (status == SZ_OK)
        status = close_bracket(p, "]");
    sz_script_array a = {s->cells.n, own.n};
    for (size_t i = 0; i < own.n && status == SZ_OK; i++)
        status = sz_script_append(&s->cells, (sz_script_value *)own.v + i, sizeof(sz_script_value),
                                  NULL);
    int32_t index = 0;
    if (status == SZ_OK)
        status = sz_script_append(&s->arrays, &a, sizeof a, &index);
    sz_free(own.v);
    SZ_TRY(status);
    return add_node(p, SZ_OP_ARRAY, index, -1, -1, out);
}

static int find_function(const parser *p, const sz_script_function *list) {
    size_t n = name_length(p);
    for (int i = 0; list[i].name; i++)
        if (strlen(list[i].name) == n && memcmp(list[i].name, p->text + p->at, n) == 0)
            return i;
    return -1;
}

static sz_status arguments(parser *p, const sz_script_function *f, int32_t *out) {
    p->at += strlen(f->name);
    SZ_TRY(open_bracket(p, "("));
    for (int i = 0; i < f->n_arguments; i++) {
        if (i > 0)
            SZ_TRY(need_sign(p, ","));
        SZ_TRY(expression(p, &out[i]));
    }
    return close_bracket(p, ")");
}

static sz_status primary(parser *p, int32_t *out) {
    char c = peek(p);
    if (isdigit((unsigned char)c) || c == '.')
        return take_number(p, out);
    if (c == '[')
        return take_array(p, out);
    if (c == '(') {
        SZ_TRY(open_bracket(p, "("));
        SZ_TRY(expression(p, out));
        return close_bracket(p, ")");
    }
    if (!at_name(p))
        return unexpected(p, "a value");
    int f = find_function(p, sz_script_functions);
    if (f >= 0) {
        int32_t a[2] = {-1, -1};
        SZ_TRY(arguments(p, &sz_script_functions[f], a));
        return add_node(p, SZ_OP_CALL, f, a[0], a[1], out);
    }
    int32_t name;
    SZ_TRY(take_name(p, &name));
    return add_node(p, SZ_OP_NAME, name, -1, -1, out);
}

static sz_status postfix(parser *p, int32_t *out) {
    SZ_TRY(primary(p, out));
    while (peek(p) == '[') {
        int32_t index;
        SZ_TRY(open_bracket(p, "["));
        SZ_TRY(expression(p, &index));
        SZ_TRY(close_bracket(p, "]"));
        SZ_TRY(add_node(p, SZ_OP_INDEX, -1, *out, index, out));
    }
    return SZ_OK;
}

static sz_status unary(parser *p, int32_t *out) {
    sz_script_op op = SZ_OP_NEGATE;
    if (take_word(p, "not"))
        op = SZ_OP_NOT;
    else if (!take_sign(p, "-"))
        return postfix(p, out);
    SZ_REQUIRE(++p->depth < SZ_SCRIPT_DEPTH, SZ_E_LIMIT, "line %u: nested too deeply", p->line);
    SZ_TRY(unary(p, out));
    p->depth--;
    return add_node(p, op, -1, *out, -1, out);
}

/* Operators by level, the loosest first; `swapped`: a > b is b < a. */
typedef struct sign {
    const char *text;
    int level;
    sz_script_op op;
    bool swapped;
} sign;
enum { TIGHTEST = 4 };
static const sign signs[] = {
    {"or", 0, SZ_OP_OR, false},      {"and", 1, SZ_OP_AND, false},
    {"<=", 2, SZ_OP_AT_MOST, false}, {">=", 2, SZ_OP_AT_MOST, true},
    {"==", 2, SZ_OP_EQUAL, false},   {"!=", 2, SZ_OP_UNEQUAL, false},
    {"<", 2, SZ_OP_LESS, false},     {">", 2, SZ_OP_LESS, true},
    {"+", 3, SZ_OP_ADD, false},      {"-", 3, SZ_OP_SUBTRACT, false},
    {"*", 4, SZ_OP_MULTIPLY, false}, {"/", 4, SZ_OP_DIVIDE, false},
    {"%", 4, SZ_OP_MODULO, false},
};

static const sign *take_operator(parser *p, int level) {
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (signs[i].level == level &&
            (isalpha((unsigned char)signs[i].text[0]) ? take_word(p, signs[i].text)
                                                      : take_sign(p, signs[i].text)))
            return &signs[i];
    return NULL;
}

static sz_status operators(parser *p, int level, int32_t *out) {
    if (level > TIGHTEST)
        return unary(p, out);
    SZ_TRY(operators(p, level + 1, out));
    for (const sign *s; (s = take_operator(p, level)) != NULL;) {
        int32_t right, left = *out;
        SZ_TRY(operators(p, level + 1, &right));
        SZ_TRY(add_node(p, s->op, -1, s->swapped ? right : left, s->swapped ? left : right, out));
    }
    return SZ_OK;
}

static sz_status expression(parser *p, int32_t *out) {
    SZ_REQUIRE(++p->depth < SZ_SCRIPT_DEPTH, SZ_E_LIMIT, "line %u: nested too deeply", p->line);
    SZ_TRY(operators(p, 0, out));
    p->depth--;
    return SZ_OK;
}

/* ---- Statements --------------------------------------------------------------------------------
 */

static sz_script_statement begin(const parser *p, sz_script_verb verb) {
    return (sz_script_statement){.verb = verb,
                                 .line = p->line,
                                 .name = -1,
                                 .expression = -1,
                                 .target = -1,
                                 .argument = {-1, -1}};
}

static sz_status add_statement(parser *p, const sz_script_statement *t, int32_t *index) {
    return sz_script_append(&p->s->statements, t, sizeof *t, index);
}

static int32_t here(const parser *p) {
    return (int32_t)p->s->statements.n;
}

static sz_status distribution(parser *p, sz_script_statement *t) {
    int f = at_name(p) ? find_function(p, sz_script_laws) : -1;
    if (f < 0)
        return unexpected(p, "a distribution (flip, roll, categorical, uniform, normal, "
                             "exponential)");
    t->law = (sz_script_law)f;
    return arguments(p, &sz_script_laws[f], t->argument);
}

static sz_status statement(parser *p);

static void skip_ends(parser *p) {
    for (char c = peek(p); c == '\n' || c == ';'; c = peek(p)) {
        p->line += c == '\n';
        p->at++;
    }
}

static sz_status block(parser *p) {
    SZ_TRY(need_sign(p, "{"));
    for (skip_ends(p); peek(p) != '}'; skip_ends(p)) {
        if (peek(p) == '\0')
            return unexpected(p, "'}'");
        SZ_TRY(statement(p));
    }
    return need_sign(p, "}");
}

static sz_status if_statement(parser *p) {
    sz_script_statement t = begin(p, SZ_DO_JUMP_UNLESS), skip = begin(p, SZ_DO_JUMP);
    int32_t unless, past;
    SZ_TRY(expression(p, &t.expression));
    SZ_TRY(add_statement(p, &t, &unless));
    SZ_TRY(block(p));
    if (!take_word(p, "else")) {
        sz_script_statements(p->s)[unless].target = here(p);
        return SZ_OK;
    }
    SZ_TRY(add_statement(p, &skip, &past));
    sz_script_statements(p->s)[unless].target = here(p);
    SZ_TRY(take_word(p, "if") ? if_statement(p) : block(p));
    sz_script_statements(p->s)[past].target = here(p);
    return SZ_OK;
}

static sz_status while_statement(parser *p) {
    sz_script_statement t = begin(p, SZ_DO_JUMP_UNLESS), back = begin(p, SZ_DO_JUMP);
    int32_t unless;
    back.target = here(p);
    SZ_TRY(expression(p, &t.expression));
    SZ_TRY(add_statement(p, &t, &unless));
    SZ_TRY(block(p));
    SZ_TRY(add_statement(p, &back, NULL));
    sz_script_statements(p->s)[unless].target = here(p);
    return SZ_OK;
}

static sz_status set_or_draw(parser *p) {
    sz_script_statement t = begin(p, SZ_DO_SET);
    SZ_TRY(take_name(p, &t.name));
    p->s->is_set[t.name] = true;
    if (take_sign(p, "~")) {
        t.verb = SZ_DO_DRAW;
        SZ_TRY(distribution(p, &t));
    } else {
        if (!take_sign(p, "="))
            return unexpected(p, "'=' or '~'");
        SZ_TRY(expression(p, &t.expression));
    }
    return add_statement(p, &t, NULL);
}

static sz_status simple(parser *p, sz_script_verb verb) {
    sz_script_statement t = begin(p, verb);
    SZ_TRY(expression(p, &t.expression));
    if (verb == SZ_DO_OBSERVE) {
        SZ_TRY(need_sign(p, "~"));
        SZ_TRY(distribution(p, &t));
    }
    p->s->scores = p->s->scores || verb == SZ_DO_SCORE || verb == SZ_DO_LOG_SCORE;
    return add_statement(p, &t, NULL);
}

static sz_status one_statement(parser *p) {
    if (take_word(p, "if"))
        return if_statement(p);
    if (take_word(p, "while"))
        return while_statement(p);
    if (take_word(p, "return"))
        return simple(p, SZ_DO_RETURN);
    if (take_word(p, "score"))
        return simple(p, SZ_DO_SCORE);
    if (take_word(p, "logscore"))
        return simple(p, SZ_DO_LOG_SCORE);
    if (take_word(p, "observe"))
        return simple(p, SZ_DO_OBSERVE);
    return set_or_draw(p);
}

static sz_status statement(parser *p) {
    SZ_REQUIRE(++p->depth < SZ_SCRIPT_DEPTH, SZ_E_LIMIT, "line %u: nested too deeply", p->line);
    SZ_TRY(one_statement(p));
    p->depth--;
    char c = peek(p);
    return c == '\n' || c == ';' || c == '}' || c == '\0' ? SZ_OK
                                                          : unexpected(p, "the end of the line");
}

static sz_status check_names(const sz_script *s) {
    const sz_script_statement *t = sz_script_statements(s);
    bool returns = false;
    for (size_t i = 0; i < s->statements.n; i++)
        returns = returns || t[i].verb == SZ_DO_RETURN;
    SZ_REQUIRE(returns, SZ_E_FORMAT, "the program has no 'return'");
    for (size_t i = 0; i < s->n_names; i++)
        SZ_REQUIRE(s->is_set[i], SZ_E_FORMAT, "'%s' is used but never set", s->name[i]);
    return SZ_OK;
}

static sz_status parse(parser *p) {
    for (skip_ends(p); peek(p) != '\0' || p->at < p->n; skip_ends(p)) {
        if (peek(p) == '\0')
            return sz_fail(SZ_E_FORMAT, "line %u: a NUL byte", p->line);
        SZ_TRY(statement(p));
    }
    return check_names(p->s);
}

sz_status sz_script_compile(const char *text, size_t n, sz_script **out) {
    SZ_REQUIRE(text && out, SZ_E_ARG, "sz_script_compile: a NULL argument");
    SZ_REQUIRE(n <= SZ_SCRIPT_BYTES, SZ_E_LIMIT, "a program of %zu bytes: at most %d", n,
               SZ_SCRIPT_BYTES);
    sz_script *s = sz_calloc(1, sizeof *s);
    SZ_REQUIRE(s, SZ_E_NOMEM, "no memory for a program");
    parser p = {.s = s, .text = text, .n = n, .line = 1};
    sz_status status = parse(&p);
    if (status == SZ_OK)
        *out = s;
    else
        sz_script_free(s);
    return status;
}

void sz_script_free(sz_script *s) {
    if (!s)
        return;
    for (size_t i = 0; i < s->n_names; i++)
        sz_free(s->name[i]);
    sz_free(s->statements.v);
    sz_free(s->nodes.v);
    sz_free(s->arrays.v);
    sz_free(s->cells.v);
    sz_free(s->drawn.v);
    sz_free(s->observed);
    sz_free(s);
}

/* ---- Data from outside -------------------------------------------------------------------------
 */

static sz_script_statement *first_setting(sz_script *s, const char *name) {
    sz_script_statement *t = sz_script_statements(s);
    for (size_t i = 0; i < s->statements.n; i++)
        if (t[i].name >= 0 && strcmp(s->name[t[i].name], name) == 0)
            return &t[i];
    return NULL;
}

sz_status sz_script_set(sz_script *s, const char *name, const double *values, size_t n) {
    SZ_REQUIRE(s && name && values && n > 0, SZ_E_ARG, "sz_script_set: nothing to set");
    sz_script_statement *t = first_setting(s, name);
    SZ_REQUIRE(t, SZ_E_NOTFOUND, "the program sets no '%s'", name);
    SZ_REQUIRE(t->verb == SZ_DO_SET, SZ_E_ARG, "line %u: '%s' is drawn, not set", t->line, name);
    bool number = sz_script_nodes(s)[t->expression].op != SZ_OP_ARRAY && n == 1;
    sz_script_node node = {.op = SZ_OP_NUMBER, .index = -1, .a = -1, .b = -1, .x = values[0]};
    if (!number) {
        sz_script_array a = {s->cells.n, n};
        for (size_t i = 0; i < n; i++) {
            sz_script_value v = {values[i], -1};
            SZ_TRY(sz_script_append(&s->cells, &v, sizeof v, NULL));
        }
        node.op = SZ_OP_ARRAY;
        SZ_TRY(sz_script_append(&s->arrays, &a, sizeof a, &node.index));
    }
    return sz_script_append(&s->nodes, &node, sizeof node, &t->expression);
}
