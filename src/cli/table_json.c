/* table_json.c: [1, 2], [[1, 2], [3, 4]] by rows, {"name": [1, 2], ...} by columns, or records
 * {"name": 1, ...} in an array or one a line. */
#include "table.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What stands at each place before it is numbers or words. */
typedef struct cells {
    size_t rows, columns;
    const sz_json **at;  /* [rows][columns] */
    const sz_json *keys; /* the first of `columns` children with the names; NULL: numbered */
    bool gaps;           /* null is a number that is not known */
} cells;

static sz_status cells_new(size_t rows, size_t columns, cells *c) {
    size_t n;
    SZ_REQUIRE(rows >= 1 && columns >= 1, SZ_E_FORMAT, "there are no values");
    SZ_REQUIRE(!__builtin_mul_overflow(rows, columns, &n), SZ_E_LIMIT, "%zu x %zu values", rows,
               columns);
    *c = (cells){.rows = rows, .columns = columns, .at = sz_calloc(n, sizeof *c->at)};
    SZ_REQUIRE(c->at, SZ_E_NOMEM, "no memory for %zu x %zu values", rows, columns);
    return SZ_OK;
}

static bool as_number(const sz_json *v, bool gaps, double *out) {
    switch (v->type) {
    case SZ_JSON_INT:
        *out = (double)v->u.i;
        return true;
    case SZ_JSON_FLOAT:
        *out = v->u.f;
        return true;
    case SZ_JSON_STRING:
        *out = v->u.s[0] == '-' ? -INFINITY : INFINITY;
        return strcmp(v->u.s, "inf") == 0 || strcmp(v->u.s, "-inf") == 0;
    default:
        *out = v->type == SZ_JSON_TRUE ? 1 : v->type == SZ_JSON_FALSE ? 0 : NAN;
        return gaps && v->type != SZ_JSON_ARRAY && v->type != SZ_JSON_OBJECT;
    }
}

/* A column is numbers or words: what its first value is. */
static sz_status fill_column(const cells *c, size_t j, sz_table *t, sz_word *words) {
    double first;
    const sz_json *head = c->at[j];
    bool worded = head->type == SZ_JSON_STRING && !as_number(head, c->gaps, &first);
    for (size_t i = 0; i < c->rows; i++) {
        const sz_json *v = c->at[i * c->columns + j];
        SZ_REQUIRE(worded ? v->type == SZ_JSON_STRING
                          : as_number(v, c->gaps, &t->v[i * c->columns + j]),
                   SZ_E_FORMAT, "row %zu, column '%s' is not a %s", i + 1, t->column[j].name,
                   worded ? "word as the first is" : "number");
        if (worded)
            words[i] = (sz_word){v->u.s, v->n, i};
    }
    if (worded)
        sz_table_take_words(t, j, words);
    return SZ_OK;
}

static sz_status name_columns(const cells *c, sz_table *t) {
    const sz_json *key = c->keys;
    for (size_t j = 0; key && j < c->columns; j++, key = key->next) {
        free(t->column[j].name);
        t->column[j].name = strdup(key->key);
        SZ_REQUIRE(t->column[j].name, SZ_E_NOMEM, "no memory for a name");
    }
    return SZ_OK;
}

static sz_status fill(const cells *c, sz_table *t) {
    SZ_TRY(sz_table_new(c->rows, c->columns, t));
    SZ_TRY(name_columns(c, t));
    sz_word *words = sz_alloc(c->rows * sizeof *words);
    SZ_REQUIRE(words, SZ_E_NOMEM, "no memory for %zu words", c->rows);
    sz_status status = SZ_OK;
    for (size_t j = 0; j < c->columns && status == SZ_OK; j++)
        status = fill_column(c, j, t, words);
    sz_free(words);
    return status;
}

static sz_status from_records(const sz_json *root, cells *c) {
    const sz_json *first = root->u.child;
    SZ_TRY(cells_new(root->n, first->n, c));
    c->keys = first->u.child;
    c->gaps = true;
    size_t i = 0;
    for (const sz_json *row = first; row; row = row->next, i++) {
        const sz_json *key = c->keys;
        for (size_t j = 0; j < c->columns; j++, key = key->next) {
            const sz_json *v = row->type == SZ_JSON_OBJECT ? sz_json_get(row, key->key) : NULL;
            SZ_REQUIRE(v, SZ_E_FORMAT, "row %zu has no \"%s\", which the first has", i + 1,
                       key->key);
            c->at[i * c->columns + j] = v;
        }
    }
    return SZ_OK;
}

static sz_status from_rows(const sz_json *root, cells *c) {
    const sz_json *first = root->u.child;
    if (first && first->type == SZ_JSON_OBJECT)
        return from_records(root, c);
    bool nested = first && first->type == SZ_JSON_ARRAY;
    SZ_TRY(cells_new(root->n, nested ? first->n : 1, c));
    size_t at = 0;
    for (const sz_json *row = first; row; row = row->next) {
        if (!nested) {
            c->at[at++] = row;
            continue;
        }
        SZ_REQUIRE(row->type == SZ_JSON_ARRAY && row->n == c->columns, SZ_E_FORMAT,
                   "row %zu is not an array of %zu values as the first is", at / c->columns + 1,
                   c->columns);
        for (const sz_json *v = row->u.child; v; v = v->next)
            c->at[at++] = v;
    }
    return SZ_OK;
}

static sz_status from_columns(const sz_json *root, cells *c) {
    const sz_json *first = root->u.child;
    SZ_REQUIRE(first && first->type == SZ_JSON_ARRAY, SZ_E_FORMAT,
               "an object must hold arrays of numbers or words, one for each column");
    SZ_TRY(cells_new(first->n, root->n, c));
    c->keys = first;
    size_t j = 0;
    for (const sz_json *column = first; column; column = column->next, j++) {
        SZ_REQUIRE(column->type == SZ_JSON_ARRAY && column->n == c->rows, SZ_E_FORMAT,
                   "\"%s\" is not an array of %zu values as the first is", column->key, c->rows);
        size_t i = 0;
        for (const sz_json *v = column->u.child; v; v = v->next)
            c->at[i++ * c->columns + j] = v;
    }
    return SZ_OK;
}

/* One text, or a record on each line. */
static sz_status parse(const char *text, size_t n, sz_arena *arena, sz_json **out) {
    const char *end = text + n, *line = memchr(text, '\n', n);
    sz_json *all, **last;
    if (sz_json_parse(text, n, arena, out) == SZ_OK || text[0] != '{' || !line)
        return sz_json_parse(text, n, arena, out);
    SZ_TRY(sz_json_parse("[]", 2, arena, &all));
    last = &all->u.child;
    for (const char *at = text; at < end; at = line < end ? line + 1 : end) {
        line = memchr(at, '\n', (size_t)(end - at));
        line = line ? line : end;
        const char *first = at;
        while (first < line && strchr(" \t\r", *first))
            first++;
        if (first == line)
            continue;
        sz_status status = sz_json_parse(at, (size_t)(line - at), arena, last);
        if (status != SZ_OK)
            return sz_fail_within(status, "record %u", all->n + 1);
        last = &(*last)->next;
        all->n++;
    }
    *out = all;
    return SZ_OK;
}

sz_status sz_table_from_json(const char *text, size_t n, sz_table *out) {
    sz_arena *arena;
    sz_json *root;
    sz_table t = {0};
    cells c = {0};
    SZ_TRY(sz_arena_new(1 << 16, &arena));
    sz_status status = parse(text, n, arena, &root);
    if (status == SZ_OK)
        status = root->type == SZ_JSON_ARRAY    ? from_rows(root, &c)
                 : root->type == SZ_JSON_OBJECT ? from_columns(root, &c)
                                                : sz_fail(SZ_E_FORMAT, "neither array nor object");
    if (status == SZ_OK)
        status = fill(&c, &t);
    sz_free(c.at);
    sz_arena_free(arena);
    if (status != SZ_OK)
        sz_table_free(&t);
    else
        *out = t;
    return status;
}
