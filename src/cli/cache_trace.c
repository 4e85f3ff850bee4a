/* cache_trace.c: see cache_trace.h. */
#include "cache_trace.h"
#include "cli.h"
#include <stdlib.h>
#include <string.h>

typedef struct id { /* a number, or a word; words come behind numbers */
    const char *word;
    uint64_t value; /* of a word its length */
    uint32_t at;
} id;

typedef struct reading {
    const char *path, *at, *end;
    size_t line, n, cap;
    id *ids;
    uint8_t *bits; /* [cap] */
    bool has_bits;
    int bit_column, size_column; /* -1: none */
    uint64_t size;               /* of the pages so far */
} reading;

enum { FIELDS = 8 };
typedef struct field {
    const char *s;
    size_t n;
} field;

static sz_status grow(reading *r) {
    size_t cap = r->cap ? 2 * r->cap : 4096;
    id *ids = sz_realloc(r->ids, r->cap * sizeof *ids, cap * sizeof *ids);
    r->ids = ids ? ids : r->ids;
    uint8_t *bits = ids ? sz_realloc(r->bits, r->cap, cap) : NULL;
    r->bits = bits ? bits : r->bits;
    SZ_REQUIRE(ids && bits, SZ_E_NOMEM, "%s: no memory for %zu requests", r->path, cap);
    r->cap = cap;
    return SZ_OK;
}

static bool is_number(field f, uint64_t *value) {
    *value = 0;
    for (size_t i = 0; i < f.n; i++)
        if (f.s[i] < '0' || f.s[i] > '9' || __builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, (uint64_t)(f.s[i] - '0'), value))
            return false;
    return f.n > 0;
}

static sz_status add(reading *r, field f, int bit) {
    uint64_t value;
    SZ_REQUIRE(r->n < SZ_NEVER - 1, SZ_E_LIMIT, "%s: too many requests", r->path);
    if (r->n == r->cap)
        SZ_TRY(grow(r));
    bool number = is_number(f, &value);
    r->ids[r->n] = (id){number ? NULL : f.s, number ? value : f.n, (uint32_t)r->n};
    r->bits[r->n++] = (uint8_t)bit;
    return SZ_OK;
}

/* ---- Text ------------------------------------------------------------------------------------ */

/* The fields of the next line, none of a line that is empty or a comment. */
static int next_line(reading *r, field *f) {
    int n = 0;
    const char *stop = memchr(r->at, '\n', (size_t)(r->end - r->at));
    stop = stop ? stop : r->end;
    for (const char *s = r->at; s < stop && n < FIELDS;) {
        while (s < stop && strchr(" \t\r,;", *s))
            s++;
        const char *from = s;
        while (s < stop && !strchr(" \t\r,;", *s))
            s++;
        if (s > from)
            f[n++] = (field){from, (size_t)(s - from)};
    }
    r->at = stop < r->end ? stop + 1 : r->end;
    r->line++;
    return n && f[0].s[0] == '#' ? 0 : n;
}

static bool is(field f, const char *word) {
    return strlen(word) == f.n && strncasecmp(f.s, word, f.n) == 0;
}

/* A first line of names. */
static bool read_names(reading *r, const field *f, int n) {
    if (!is(f[0], "page") && !is(f[0], "id"))
        return false;
    r->bit_column = r->size_column = -1;
    for (int i = 1; i < n; i++) {
        if (is(f[i], "bit"))
            r->bit_column = i;
        if (is(f[i], "size"))
            r->size_column = i;
    }
    return true;
}

static sz_status check_size(reading *r, field f) {
    uint64_t size;
    SZ_REQUIRE(is_number(f, &size), SZ_E_FORMAT, "%s: line %zu: '%.*s' is no size", r->path,
               r->line, (int)f.n, f.s);
    SZ_REQUIRE(r->n == 0 || size == r->size, SZ_E_FORMAT,
               "%s: line %zu: a page of size %llu among pages of %llu: the policies and their "
               "bounds are for pages of one size",
               r->path, r->line, (unsigned long long)size, (unsigned long long)r->size);
    r->size = size;
    return SZ_OK;
}

static sz_status read_line(reading *r, const field *f, int n) {
    int bit = 0, column = r->bit_column;
    if (r->size_column >= 0) {
        SZ_REQUIRE(r->size_column < n, SZ_E_FORMAT, "%s: line %zu: there is no size", r->path,
                   r->line);
        SZ_TRY(check_size(r, f[r->size_column]));
    }
    if (r->n == 0)
        r->has_bits = column >= 0 && column < n;
    SZ_REQUIRE(!r->has_bits || column < n, SZ_E_FORMAT, "%s: line %zu: there is no bit", r->path,
               r->line);
    SZ_REQUIRE(r->has_bits || column < 0 || column >= n, SZ_E_FORMAT,
               "%s: line %zu: a bit, but the lines before have none", r->path, r->line);
    if (r->has_bits) {
        bool known = is(f[column], "0") || is(f[column], "1");
        SZ_REQUIRE(known, SZ_E_FORMAT, "%s: line %zu: the bit is 0 or 1, not '%.*s'", r->path,
                   r->line, (int)f[column].n, f[column].s);
        bit = f[column].s[0] - '0';
    }
    return add(r, f[0], bit);
}

static sz_status read_text(reading *r) {
    field f[FIELDS];
    bool begun = false;
    r->bit_column = 1;
    r->size_column = -1;
    while (r->at < r->end) {
        int n = next_line(r, f);
        if (n == 0 || (!begun && read_names(r, f, n))) {
            begun |= n > 0;
            continue;
        }
        begun = true;
        SZ_TRY(read_line(r, f, n));
    }
    return SZ_OK;
}

static sz_status read_binary(reading *r) {
    size_t bytes = (size_t)(r->end - r->at);
    SZ_REQUIRE(bytes % 8 == 0, SZ_E_FORMAT, "%s: %zu bytes are no 64-bit numbers", r->path, bytes);
    for (; r->at < r->end; r->at += 8) {
        uint64_t value;
        memcpy(&value, r->at, 8);
        SZ_TRY(add(r, (field){"0", 1}, 0));
        r->ids[r->n - 1].value =
            __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap64(value) : value;
    }
    return SZ_OK;
}

/* ---- Numbers for ids ------------------------------------------------------------------------- */

static int compare(const id *a, const id *b) {
    if (!a->word != !b->word)
        return a->word ? 1 : -1;
    if (!a->word)
        return a->value < b->value ? -1 : a->value > b->value;
    int c = memcmp(a->word, b->word, a->value < b->value ? a->value : b->value);
    return c ? c : a->value < b->value ? -1 : a->value > b->value;
}

static int compare_for_sort(const void *a, const void *b) {
    return compare(a, b);
}

static sz_status number(reading *r, sz_cache_trace *out) {
    *out = (sz_cache_trace){.page = sz_calloc(r->n ? r->n : 1, sizeof *out->page), .n = r->n};
    SZ_REQUIRE(out->page, SZ_E_NOMEM, "%s: no memory for %zu requests", r->path, r->n);
    if (r->n)
        qsort(r->ids, r->n, sizeof *r->ids, compare_for_sort);
    for (size_t i = 0; i < r->n; i++) {
        out->n_pages += i == 0 || compare(&r->ids[i - 1], &r->ids[i]) != 0;
        out->page[r->ids[i].at] = out->n_pages - 1;
    }
    if (r->has_bits) {
        out->bit = r->bits;
        r->bits = NULL;
    }
    return SZ_OK;
}

static bool ends_with(const char *path, const char *end) {
    size_t n = strlen(path), m = strlen(end);
    return n >= m && strcmp(path + n - m, end) == 0;
}

sz_status sz_cache_trace_read(const char *path, sz_cache_trace *out) {
    sz_buf b = {0};
    *out = (sz_cache_trace){0};
    SZ_TRY(sz_cli_read(path, &b));
    reading r = {.path = path, .at = b.data, .end = b.data ? b.data + b.len : NULL};
    bool binary = ends_with(path, ".u64") || ends_with(path, ".bin");
    sz_status status = binary ? read_binary(&r) : read_text(&r);
    if (status == SZ_OK)
        status = number(&r, out);
    sz_free(r.ids);
    sz_free(r.bits);
    sz_buf_free(&b);
    return status;
}

void sz_cache_trace_free(sz_cache_trace *t) {
    sz_free(t->page);
    sz_free(t->bit);
}

sz_status sz_cache_bits_read(const char *path, size_t n, uint8_t **out) {
    sz_buf b = {0};
    field f[FIELDS];
    size_t count = 0;
    *out = NULL;
    SZ_TRY(sz_cli_read(path, &b));
    uint8_t *bits = sz_calloc(n ? n : 1, 1);
    sz_status status = bits ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for %zu bits", n);
    reading r = {.path = path, .at = b.data, .end = b.data ? b.data + b.len : NULL};
    while (status == SZ_OK && r.at < r.end) {
        int fields = next_line(&r, f);
        if (fields == 0)
            continue;
        if (fields != 1 || (!is(f[0], "0") && !is(f[0], "1")))
            status = sz_fail(SZ_E_FORMAT, "%s: line %zu: a bit is 0 or 1", path, r.line);
        else if (count == n)
            status = sz_fail(SZ_E_FORMAT, "%s: line %zu: the trace has only %zu requests", path,
                             r.line, n);
        else
            bits[count++] = (uint8_t)(f[0].s[0] - '0');
    }
    if (status == SZ_OK && count < n)
        status =
            sz_fail(SZ_E_FORMAT, "%s: line %zu: %zu bits for %zu requests", path, r.line, count, n);
    sz_buf_free(&b);
    if (status == SZ_OK)
        *out = bits;
    else
        sz_free(bits);
    return status;
}
