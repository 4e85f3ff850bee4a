/* circuit_records.c: records of discrete values from the files that people have. */
#include "circuit_command.h"
#include "table.h"
#include <string.h>

static sz_status new_records(size_t n, size_t width, sz_records *out) {
    size_t cells, bytes;
    SZ_REQUIRE(n >= 1 && width >= 1, SZ_E_FORMAT, "there are no records");
    SZ_REQUIRE(width <= SZ_PC_MAX_VARS, SZ_E_LIMIT, "%zu values to a record: at most %d", width,
               SZ_PC_MAX_VARS);
    SZ_REQUIRE(!__builtin_mul_overflow(n, width, &cells) &&
                   !__builtin_mul_overflow(cells, sizeof *out->x, &bytes),
               SZ_E_LIMIT, "%zu records of %zu values", n, width);
    *out = (sz_records){.n = n, .width = width, .n_categories = 256, .x = sz_alloc(bytes)};
    SZ_REQUIRE(out->x, SZ_E_NOMEM, "no memory for %zu records of %zu values", n, width);
    return SZ_OK;
}

static sz_status from_bytes(const uint8_t *data, size_t n, size_t width, sz_records *out) {
    SZ_REQUIRE(n % width == 0, SZ_E_FORMAT, "%zu bytes are not whole records of %zu", n, width);
    SZ_TRY(new_records(n / width, width, out));
    for (size_t i = 0; i < n; i++)
        out->x[i] = data[i];
    return SZ_OK;
}

/* ---- IDX, the format of the MNIST files ------------------------------------------------------ */

static bool is_idx(const sz_map *m) {
    return m->size >= 8 && m->data[0] == 0 && m->data[1] == 0 && m->data[3] >= 1 &&
           m->data[3] <= 4 && strchr("\x08\x09\x0b\x0c\x0d\x0e", m->data[2]) && m->data[2] != 0;
}

static sz_status from_idx(const sz_map *m, sz_records *out) {
    size_t n_dim = m->data[3], start = 4 + 4 * n_dim, n = 0, width = 1;
    SZ_REQUIRE(m->data[2] == 8, SZ_E_UNSUPPORTED, "IDX of elements of kind 0x%02x: only bytes (8)",
               m->data[2]);
    SZ_REQUIRE(m->size >= start, SZ_E_FORMAT, "the header is cut off");
    for (size_t i = 0; i < n_dim; i++) {
        const uint8_t *p = m->data + 4 + 4 * i;
        size_t dim = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
        if (i == 0)
            n = dim;
        else
            SZ_REQUIRE(!__builtin_mul_overflow(width, dim, &width), SZ_E_LIMIT, "a record is huge");
    }
    size_t bytes;
    SZ_REQUIRE(!__builtin_mul_overflow(n, width, &bytes) && bytes == m->size - start, SZ_E_FORMAT,
               "the header tells of %zu records of %zu bytes, and %zu bytes follow", n, width,
               m->size - start);
    SZ_REQUIRE(bytes, SZ_E_FORMAT, "there are no records");
    return from_bytes(m->data + start, bytes, width, out);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static sz_status from_table(const sz_table *t, sz_records *out) {
    for (size_t j = 0; j < t->columns; j++)
        SZ_REQUIRE(
            !t->column[j].labels, SZ_E_FORMAT,
            "column %zu (%s) holds words: values are whole numbers, nan where one is missing", j,
            t->column[j].name);
    SZ_TRY(new_records(t->rows, t->columns, out));
    int32_t most = 0;
    for (size_t i = 0; i < t->rows * t->columns; i++) {
        double v = t->v[i];
        bool missing = v != v || v == SZ_PC_MISSING;
        bool fits = missing || (v >= 0 && v < SZ_PC_MAX_CATEGORIES && v == (double)(int32_t)v);
        if (!fits) {
            sz_free(out->x);
            return sz_fail(SZ_E_FORMAT,
                           "row %zu, column %zu: %g is not a whole number from 0 to %d",
                           i / t->columns, i % t->columns, v, SZ_PC_MAX_CATEGORIES - 1);
        }
        out->x[i] = missing ? SZ_PC_MISSING : (int32_t)v;
        most = out->x[i] > most ? out->x[i] : most;
    }
    out->n_categories = (size_t)most + 1;
    return SZ_OK;
}

/* ---- By name and content --------------------------------------------------------------------- */

static sz_status read_bytes(const char *path, size_t width, sz_records *out) {
    sz_buf b = {0};
    sz_status status = sz_cli_read(path, &b);
    if (status == SZ_OK)
        status = from_bytes((const uint8_t *)b.data, b.len, width, out);
    sz_buf_free(&b);
    return status;
}

static sz_status read_table(const char *path, sz_records *out) {
    sz_table t;
    SZ_TRY(sz_table_read(path, &t));
    sz_status status = from_table(&t, out);
    sz_table_free(&t);
    return status;
}

/* *known: whether the content told the format. */
static sz_status read_mapped(const char *path, sz_records *out, bool *known) {
    sz_map m;
    SZ_TRY(sz_map_open(path, &m));
    sz_status status = SZ_OK;
    *known = is_idx(&m);
    if (*known)
        status = from_idx(&m, out);
    else if (m.size >= 2 && m.data[0] == 0x1f && m.data[1] == 0x8b)
        status = sz_fail(SZ_E_UNSUPPORTED, "is packed: unpack it first with gzip -dk");
    sz_map_close(&m);
    return status;
}

sz_status sz_records_read(const char *path, size_t width, sz_records *out) {
    bool known = width > 0;
    sz_status status = known ? read_bytes(path, width, out) : SZ_OK;
    if (!known && strcmp(path, "-") != 0)
        status = read_mapped(path, out, &known);
    if (status == SZ_OK && !known)
        status = read_table(path, out);
    return status == SZ_OK || strstr(sz_last_error(), path) ? status
                                                            : sz_fail_within(status, "%s", path);
}
