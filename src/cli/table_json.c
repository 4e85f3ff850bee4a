/* table_json.c: [1, 2], [[1, 2], [3, 4]] by rows, or {"name": [1, 2], ...} by columns. */
#include "table.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool as_number(const sz_json *v, double *out) {
    if (v->type == SZ_JSON_INT || v->type == SZ_JSON_FLOAT) {
        *out = v->type == SZ_JSON_INT ? (double)v->u.i : v->u.f;
        return true;
    }
    if (v->type != SZ_JSON_STRING)
        return false;
    bool infinite = strcmp(v->u.s, "inf") == 0, negative = strcmp(v->u.s, "-inf") == 0;
    *out = negative ? -INFINITY : INFINITY;
    return infinite || negative;
}

/* The children of an array into v, one every `stride`. */
static sz_status fill(const sz_json *array, const char *what, size_t which, double *v,
                      size_t stride) {
    size_t i = 0;
    for (const sz_json *c = array->u.child; c; c = c->next, i++)
        SZ_REQUIRE(as_number(c, &v[i * stride]), SZ_E_FORMAT, "%s %zu: entry %zu is not a number",
                   what, which + 1, i + 1);
    return SZ_OK;
}

static sz_status from_rows(const sz_json *root, sz_table *t) {
    const sz_json *first = root->u.child;
    bool nested = first && first->type == SZ_JSON_ARRAY;
    SZ_TRY(sz_table_new(root->n, nested ? first->n : 1, t));
    if (!nested)
        return fill(root, "array", 0, t->v, 1);
    size_t i = 0;
    for (const sz_json *row = first; row; row = row->next, i++) {
        SZ_REQUIRE(row->type == SZ_JSON_ARRAY && row->n == t->columns, SZ_E_FORMAT,
                   "row %zu is not an array of %zu numbers as the first is", i + 1, t->columns);
        SZ_TRY(fill(row, "row", i, t->v + i * t->columns, 1));
    }
    return SZ_OK;
}

static sz_status from_columns(const sz_json *root, sz_table *t) {
    const sz_json *first = root->u.child;
    SZ_REQUIRE(first && first->type == SZ_JSON_ARRAY, SZ_E_FORMAT,
               "an object must hold arrays of numbers, one for each column");
    SZ_TRY(sz_table_new(first->n, root->n, t));
    size_t j = 0;
    for (const sz_json *column = first; column; column = column->next, j++) {
        SZ_REQUIRE(column->type == SZ_JSON_ARRAY && column->n == t->rows, SZ_E_FORMAT,
                   "\"%s\" is not an array of %zu numbers as the first is", column->key, t->rows);
        free(t->column[j].name);
        t->column[j].name = strdup(column->key);
        SZ_REQUIRE(t->column[j].name, SZ_E_NOMEM, "no memory for a name");
        SZ_TRY(fill(column, "column", j, t->v + j, t->columns));
    }
    return SZ_OK;
}

sz_status sz_table_from_json(const char *text, size_t n, sz_table *out) {
    sz_arena *arena;
    sz_json *root;
    sz_table t = {0};
    SZ_TRY(sz_arena_new(1 << 16, &arena));
    sz_status status = sz_json_parse(text, n, arena, &root);
    if (status == SZ_OK)
        status = root->type == SZ_JSON_ARRAY    ? from_rows(root, &t)
                 : root->type == SZ_JSON_OBJECT ? from_columns(root, &t)
                                                : sz_fail(SZ_E_FORMAT, "neither array nor object");
    sz_arena_free(arena);
    if (status != SZ_OK)
        sz_table_free(&t);
    else
        *out = t;
    return status;
}
