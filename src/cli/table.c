/* table.c: chooses the reader of a table, and holds it. */
#include "table.h"
#include "cli.h"
#include "paths.h"
#include <stdlib.h>
#include <string.h>

sz_status sz_table_new(size_t rows, size_t columns, sz_table *out) {
    size_t cells;
    SZ_REQUIRE(rows >= 1 && columns >= 1, SZ_E_FORMAT, "there are no values");
    SZ_REQUIRE(!__builtin_mul_overflow(rows, columns, &cells) && cells <= SIZE_MAX / 16, SZ_E_LIMIT,
               "%zu x %zu values are too many", rows, columns);
    sz_table t = {.rows = rows, .columns = columns};
    t.v = sz_calloc(cells, sizeof *t.v);
    t.column = sz_calloc(columns, sizeof *t.column);
    bool ok = t.v && t.column;
    for (size_t j = 0; ok && j < columns; j++)
        ok = (t.column[j].name = sz_text("%zu", j + 1)) != NULL;
    if (!ok) {
        t.columns = t.column ? columns : 0;
        sz_table_free(&t);
        return sz_fail(SZ_E_NOMEM, "no memory for %zu x %zu values", rows, columns);
    }
    *out = t;
    return SZ_OK;
}

void sz_table_free(sz_table *t) {
    for (size_t j = 0; j < t->columns; j++)
        free(t->column[j].name);
    sz_free(t->column);
    sz_free(t->v);
    *t = (sz_table){0};
}

static bool looks_like_json(const char *path, const char *text, size_t n) {
    size_t i = 0;
    while (i < n && strchr(" \t\r\n", text[i]))
        i++;
    return sz_has_suffix(path, ".json") || (i < n && (text[i] == '[' || text[i] == '{'));
}

sz_status sz_table_parse(const char *path, const char *text, size_t n, sz_table *out) {
    static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8, that some programs write */
    if (n >= 3 && memcmp(text, mark, 3) == 0) {
        text += 3;
        n -= 3;
    }
    if (sz_table_is_npy(text, n))
        return sz_table_from_npy(text, n, out);
    return looks_like_json(path, text, n) ? sz_table_from_json(text, n, out)
                                          : sz_table_from_text(text, n, out);
}

static sz_status from_npy_file(const char *path, sz_table *out) {
    sz_map m;
    SZ_TRY(sz_map_open(path, &m));
    sz_status status = sz_table_from_npy(m.data, m.size, out);
    sz_map_close(&m);
    return status;
}

sz_status sz_table_read(const char *path, sz_table *out) {
    sz_buf text = {0};
    sz_status status;
    if (sz_has_suffix(path, ".npy")) {
        status = from_npy_file(path, out);
    } else {
        SZ_TRY(sz_cli_read(path, &text));
        status = sz_table_parse(path, text.data ? text.data : "", text.len, out);
    }
    sz_buf_free(&text);
    return status == SZ_OK ? SZ_OK : sz_fail_within(status, "%s", path);
}
