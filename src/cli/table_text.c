/* table_text.c: rows of fields between commas, tabs or blanks. */
#include "paths.h"
#include "table.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COLUMNS = 1 << 16 };

typedef struct field {
    const char *s;
    size_t n;
} field;

typedef struct lines {
    const char *at, *end;
    char separator; /* ' ': any blanks */
    size_t number;
} lines;

static field trim(const char *from, const char *to) {
    while (from < to && strchr(" \t\r", *from))
        from++;
    while (to > from && strchr(" \t\r", to[-1]))
        to--;
    if (to - from >= 2 && *from == '"' && to[-1] == '"')
        from++, to--;
    return (field){from, (size_t)(to - from)};
}

/* The next line with something on it. */
static bool next_line(lines *l, field *line) {
    while (l->at < l->end) {
        const char *stop = memchr(l->at, '\n', (size_t)(l->end - l->at));
        stop = stop ? stop : l->end;
        const char *comment = memchr(l->at, '#', (size_t)(stop - l->at));
        field f = trim(l->at, comment ? comment : stop);
        l->at = stop < l->end ? stop + 1 : l->end;
        l->number++;
        if (f.n) {
            *line = f;
            return true;
        }
    }
    return false;
}

/* Cuts the next field off a line; false if there is none left. `more`: a separator was passed. */
static bool next_field(field *line, char separator, bool *more, field *out) {
    const char *end = line->s + line->n, *stop = line->s;
    if (line->n == 0 && !*more)
        return false;
    if (separator == ' ') {
        while (stop < end && *stop != ' ' && *stop != '\t')
            stop++;
    } else {
        bool quoted = false;
        for (; stop < end && (quoted || *stop != separator); stop++)
            quoted ^= *stop == '"';
    }
    *out = trim(line->s, stop);
    *more = stop < end;
    const char *next = stop < end ? stop + 1 : end;
    while (separator == ' ' && next < end && (*next == ' ' || *next == '\t'))
        next++;
    *line = (field){next, (size_t)(end - next)};
    return true;
}

static bool read_number(field f, double *out) {
    char text[64], *end;
    if (f.n == 0 || f.n >= sizeof text)
        return false;
    memcpy(text, f.s, f.n);
    text[f.n] = '\0';
    *out = strtod(text, &end);
    return *end == '\0';
}

static size_t count_fields(field line, char separator) {
    size_t n = 0;
    bool more = false;
    field f;
    while (next_field(&line, separator, &more, &f))
        n++;
    return n;
}

/* ---- Words as codes -------------------------------------------------------------------------- */

typedef struct word {
    field text;
    size_t row;
} word;

static int by_text(const void *a, const void *b) {
    const word *x = a, *y = b;
    size_t n = x->text.n < y->text.n ? x->text.n : y->text.n;
    int order = memcmp(x->text.s, y->text.s, n);
    return order ? order : (x->text.n > y->text.n) - (x->text.n < y->text.n);
}

static void encode_words(word *words, size_t n, double *v, size_t stride) {
    qsort(words, n, sizeof *words, by_text);
    double code = 0;
    for (size_t i = 0; i < n; i++) {
        code += i > 0 && by_text(&words[i - 1], &words[i]) != 0;
        v[words[i].row * stride] = code;
    }
}

/* ---- The table ------------------------------------------------------------------------------- */

typedef struct cells {
    field *f; /* [rows][columns] */
    size_t rows, columns;
} cells;

static sz_status cut(const char *text, size_t n, cells *c) {
    lines l = {.at = text, .end = text + n, .separator = ' '};
    field line, first;
    lines probe = l;
    if (!next_line(&probe, &first))
        return sz_fail(SZ_E_FORMAT, "there are no values");
    l.separator = memchr(first.s, ',', first.n) ? ',' : memchr(first.s, '\t', first.n) ? '\t' : ' ';
    c->columns = count_fields(first, l.separator);
    SZ_REQUIRE(c->columns <= MAX_COLUMNS, SZ_E_LIMIT, "line 1 has more than %d fields",
               MAX_COLUMNS);
    size_t cap = 0;
    while (next_line(&l, &line)) {
        size_t have = count_fields(line, l.separator);
        SZ_REQUIRE(have == c->columns, SZ_E_FORMAT, "line %zu has %zu fields, the first has %zu",
                   l.number, have, c->columns);
        if (c->rows == cap) {
            size_t more = cap ? 2 * cap : 256;
            field *f =
                sz_realloc(c->f, cap * c->columns * sizeof *f, more * c->columns * sizeof *f);
            SZ_REQUIRE(f, SZ_E_NOMEM, "no memory for %zu rows", more);
            c->f = f;
            cap = more;
        }
        bool passed = false;
        for (size_t j = 0; j < c->columns; j++)
            next_field(&line, l.separator, &passed, &c->f[c->rows * c->columns + j]);
        c->rows++;
    }
    return SZ_OK;
}

/* A first row of words over a column that goes on with numbers. */
static bool has_header(const cells *c) {
    double unused;
    for (size_t j = 0; c->rows > 1 && j < c->columns; j++)
        if (!read_number(c->f[j], &unused) && read_number(c->f[c->columns + j], &unused))
            return true;
    return false;
}

static sz_status fill_column(const cells *c, size_t skip, size_t j, sz_table *t) {
    bool numbers = true;
    for (size_t i = 0; numbers && i < t->rows; i++)
        numbers = read_number(c->f[(i + skip) * c->columns + j], &t->v[i * t->columns + j]);
    if (numbers)
        return SZ_OK;
    word *words = sz_alloc(t->rows * sizeof *words);
    SZ_REQUIRE(words, SZ_E_NOMEM, "no memory for %zu words", t->rows);
    for (size_t i = 0; i < t->rows; i++)
        words[i] = (word){c->f[(i + skip) * c->columns + j], i};
    encode_words(words, t->rows, t->v + j, t->columns);
    t->column[j].labels = true;
    sz_free(words);
    return SZ_OK;
}

static sz_status fill(const cells *c, sz_table *t) {
    size_t skip = has_header(c);
    SZ_TRY(sz_table_new(c->rows - skip, c->columns, t));
    for (size_t j = 0; j < c->columns; j++) {
        if (skip) {
            free(t->column[j].name);
            t->column[j].name = strndup(c->f[j].s, c->f[j].n);
            SZ_REQUIRE(t->column[j].name, SZ_E_NOMEM, "no memory for a name");
        }
        SZ_TRY(fill_column(c, skip, j, t));
    }
    return SZ_OK;
}

sz_status sz_table_from_text(const char *text, size_t n, sz_table *out) {
    cells c = {0};
    sz_table t = {0};
    sz_status status = cut(text, n, &c);
    if (status == SZ_OK)
        status = fill(&c, &t);
    sz_free(c.f);
    if (status != SZ_OK)
        sz_table_free(&t);
    else
        *out = t;
    return status;
}
