/* tune_input.c: tables, lists and records that hold the scores to be tuned. */
#include "table.h"
#include "tune.h"
#include <math.h>
#include <string.h>
#include <szilard/unstable/num.h>

sz_status sz_tune_open(const char *path, sz_tune_file *out) {
    *out = (sz_tune_file){.path = path};
    SZ_TRY(sz_cli_read(path, &out->text));
    sz_status status = sz_arena_new(1 << 20, &out->arena);
    if (status == SZ_OK)
        status = sz_json_parse(out->text.data ? out->text.data : "", out->text.len, out->arena,
                               &out->root);
    if (status == SZ_OK)
        return SZ_OK;
    status = sz_fail_within(status, "%s", path);
    sz_tune_close(out);
    return status;
}

void sz_tune_close(sz_tune_file *f) {
    sz_arena_free(f->arena);
    sz_buf_free(&f->text);
}

sz_status sz_tune_member(const sz_json *object, const char *key, const sz_json **out) {
    *out = object->type == SZ_JSON_OBJECT ? sz_json_get(object, key) : NULL;
    SZ_REQUIRE(*out, SZ_E_FORMAT, "there is no '%s'", key);
    return SZ_OK;
}

/* ---- Nested lists ------------------------------------------------------------------------------
 */

static sz_status measure(const sz_json *list, const char *what, size_t depth, size_t *shape) {
    for (size_t k = 0; k < depth; k++) {
        SZ_REQUIRE(list && list->type == SZ_JSON_ARRAY && list->n > 0, SZ_E_FORMAT,
                   "'%s' is not %zu levels of lists", what, depth);
        shape[k] = list->n;
        list = list->u.child;
    }
    return SZ_OK;
}

static sz_status copy(const sz_json *v, const char *what, size_t depth, const size_t *shape,
                      double **out) {
    if (depth == 0) {
        SZ_REQUIRE(v->type == SZ_JSON_INT || v->type == SZ_JSON_FLOAT, SZ_E_FORMAT,
                   "'%s' holds something else than numbers", what);
        *(*out)++ = v->type == SZ_JSON_INT ? (double)v->u.i : v->u.f;
        return SZ_OK;
    }
    SZ_REQUIRE(v->type == SZ_JSON_ARRAY && v->n == shape[0], SZ_E_FORMAT,
               "'%s' is ragged: a list does not have %zu entries", what, shape[0]);
    size_t index = 0;
    for (const sz_json *e = v->u.child; e; e = e->next, index++) {
        sz_status status = copy(e, what, depth - 1, shape + 1, out);
        if (status != SZ_OK)
            return sz_fail_within(status, "entry %zu", index);
    }
    return SZ_OK;
}

sz_status sz_tune_numbers(const sz_json *list, const char *what, size_t depth, size_t *shape,
                          double **v) {
    size_t n = 1;
    SZ_TRY(measure(list, what, depth, shape));
    for (size_t k = 0; k < depth; k++) {
        SZ_REQUIRE(shape[k] <= ((size_t)1 << 28) / n, SZ_E_LIMIT, "'%s' is too large", what);
        n *= shape[k];
    }
    double *numbers = sz_alloc(n * sizeof *numbers), *at = numbers;
    SZ_REQUIRE(numbers, SZ_E_NOMEM, "no memory for '%s'", what);
    sz_status status = copy(list, what, depth, shape, &at);
    if (status == SZ_OK)
        *v = numbers;
    else
        sz_free(numbers);
    return status;
}

sz_status sz_tune_labels(const double *v, size_t n, int32_t **out) {
    int32_t *labels = sz_alloc(n * sizeof *labels);
    SZ_REQUIRE(labels, SZ_E_NOMEM, "no memory for %zu labels", n);
    for (size_t i = 0; i < n; i++) {
        if (!(v[i] >= 0 && v[i] < 2147483647.0 && v[i] == (double)(int32_t)v[i])) {
            sz_free(labels);
            return sz_fail(SZ_E_ARG, "label %zu is %g, not a class from 0", i, v[i]);
        }
        labels[i] = (int32_t)v[i];
    }
    *out = labels;
    return SZ_OK;
}

/* ---- Records -----------------------------------------------------------------------------------
 */

static sz_status read_record(const char *line, size_t n, sz_arena *arena, double *out,
                             bool *present) {
    sz_json *root;
    SZ_TRY(sz_json_parse(line, n, arena, &root));
    const sz_json *s = root->type == SZ_JSON_OBJECT ? sz_json_get(root, "surprisal_nats") : NULL;
    SZ_REQUIRE(s, SZ_E_FORMAT, "a record has no 'surprisal_nats'");
    *present = s->type == SZ_JSON_INT || s->type == SZ_JSON_FLOAT;
    if (*present)
        *out = -(s->type == SZ_JSON_INT ? (double)s->u.i : s->u.f);
    return SZ_OK;
}

static sz_status read_records(const sz_buf *text, double **v, size_t *n) {
    sz_arena *arena = NULL;
    size_t lines = 1, line = 0;
    for (size_t i = 0; i < text->len; i++)
        lines += text->data[i] == '\n';
    double *out = sz_alloc(lines * sizeof *out);
    SZ_REQUIRE(out, SZ_E_NOMEM, "no memory for %zu records", lines);
    sz_status status = sz_arena_new(1 << 16, &arena);
    *n = 0;
    for (const char *at = text->data, *end = at + text->len; at < end && status == SZ_OK;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = stop ? (size_t)(stop - at) : (size_t)(end - at);
        bool present = false;
        line++;
        if (length > 0) {
            sz_arena_reset(arena);
            status = read_record(at, length, arena, &out[*n], &present);
        }
        if (status != SZ_OK)
            status = sz_fail_within(status, "line %zu", line);
        *n += present;
        at += length + 1;
    }
    sz_arena_free(arena);
    if (status == SZ_OK)
        *v = out;
    else
        sz_free(out);
    return status;
}

static sz_status take_column(sz_table t, double **v, size_t *n) {
    *n = t.rows * t.columns;
    double *out = sz_alloc(*n * sizeof *out);
    sz_status status = out ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for %zu numbers", *n);
    for (size_t i = 0; i < *n && status == SZ_OK; i++) {
        if (!(t.v[i] > 0 && t.v[i] <= 1))
            status = sz_fail(SZ_E_ARG, "entry %zu is %g, not a probability above 0", i, t.v[i]);
        else
            out[i] = sz_log(t.v[i]);
    }
    sz_table_free(&t);
    if (status == SZ_OK)
        *v = out;
    else
        sz_free(out);
    return status;
}

static sz_status read_text(const sz_buf *text, double **v, size_t *n) {
    sz_table t;
    const char *data = text->data ? text->data : "";
    if (data[0] == '{')
        return read_records(text, v, n);
    SZ_TRY(data[0] == '[' ? sz_table_from_json(data, text->len, &t)
                          : sz_table_from_text(data, text->len, &t));
    return take_column(t, v, n);
}

sz_status sz_tune_log_probabilities(const char *path, double **v, size_t *n) {
    sz_buf text = {0};
    sz_table t;
    size_t length = strlen(path);
    sz_status status;
    if (length > 4 && strcmp(path + length - 4, ".npy") == 0) {
        SZ_TRY(sz_table_read(path, &t));
        status = take_column(t, v, n);
    } else {
        SZ_TRY(sz_cli_read(path, &text));
        status = read_text(&text, v, n);
    }
    sz_buf_free(&text);
    return status == SZ_OK ? SZ_OK : sz_fail_within(status, "%s", path);
}
