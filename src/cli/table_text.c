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

/* Where a comment begins: a '#' at the beginning or behind a blank or a comma, so that "C#" is
 * none.
 */
static const char *comment_of(const char *from, const char *to) {
    for (const char *at = from; (at = memchr(at, '#', (size_t)(to - at))); at++)
        if (at == from || strchr(" \t,;", at[-1]))
            return at;
    return to;
}

/* The next line with something on it. */
static bool next_line(lines *l, field *line) {
    while (l->at < l->end) {
        const char *stop = memchr(l->at, '\n', (size_t)(l->end - l->at));
        stop = stop ? stop : l->end;
        field f = trim(l->at, comment_of(l->at, stop));
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

static int by_text(const void *a, const void *b) {
    const sz_word *x = a, *y = b;
    size_t n = x->n < y->n ? x->n : y->n;
    int order = memcmp(x->s, y->s, n);
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

void sz_table_take_words(sz_table *t, size_t j, sz_word *words) {
    qsort(words, t->rows, sizeof *words, by_text);
    double code = 0;
    for (size_t i = 0; i < t->rows; i++) {
        code += i > 0 && by_text(&words[i - 1], &words[i]) != 0;
        t->v[words[i].row * t->columns + j] = code;
    }
    t->column[j].labels = true;
}

/* ---- The table ------------------------------------------------------------------------------- */

typedef struct cells {
    field *f; /* [rows][columns] */
    size_t rows, columns;
    size_t *line; /* [rows] in the file */
} cells;

static sz_status grow(cells *c, size_t *cap) {
    size_t more = *cap ? 2 * *cap : 256, width = c->columns * sizeof *c->f;
    field *f = sz_realloc(c->f, *cap * width, more * width);
    SZ_REQUIRE(f, SZ_E_NOMEM, "no memory for %zu rows", more);
    c->f = f;
    size_t *line = sz_realloc(c->line, *cap * sizeof *line, more * sizeof *line);
    SZ_REQUIRE(line, SZ_E_NOMEM, "no memory for %zu rows", more);
    c->line = line;
    *cap = more;
    return SZ_OK;
}

static sz_status cut(const char *text, size_t n, cells *c) {
    lines l = {.at = text, .end = text + n, .separator = ' '};
    field line, first;
    lines probe = l;
    if (!next_line(&probe, &first))
        return sz_fail(SZ_E_FORMAT, "there are no values");
    for (const char *one = ",;\t"; *one && l.separator == ' '; one++)
        l.separator = memchr(first.s, *one, first.n) ? *one : ' ';
    c->columns = count_fields(first, l.separator);
    SZ_REQUIRE(c->columns <= MAX_COLUMNS, SZ_E_LIMIT, "line 1 has more than %d fields",
               MAX_COLUMNS);
    size_t cap = 0;
    while (next_line(&l, &line)) {
        size_t have = count_fields(line, l.separator);
        SZ_REQUIRE(have == c->columns, SZ_E_FORMAT, "line %zu has %zu fields, the first has %zu",
                   l.number, have, c->columns);
        if (c->rows == cap)
            SZ_TRY(grow(c, &cap));
        c->line[c->rows] = l.number;
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

/* What programs write where a value is missing. */
static bool is_gap(field f) {
    static const char *const gaps[] = {"", "NA", "N/A", "null", "None", "?"};
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++)
        if (f.n == strlen(gaps[i]) && strncasecmp(f.s, gaps[i], f.n) == 0)
            return true;
    return false;
}

/* A column of numbers with a gap or a slip in it is no column of words: taken for one, it would
 * give figures that mean nothing. Whole numbers may stand among words. */
static sz_status check_words(const cells *c, size_t skip, size_t j, const sz_table *t) {
    const field *odd = NULL;
    size_t odd_line = 0, fractions = 0, numbers = 0;
    for (size_t i = skip; i < c->rows; i++) {
        const field *f = &c->f[i * c->columns + j];
        double v;
        bool number = read_number(*f, &v);
        numbers += number;
        fractions += number && v != floor(v);
        if (!number && (!odd || (is_gap(*f) && !is_gap(*odd)))) {
            odd = f;
            odd_line = c->line[i];
        }
    }
    SZ_REQUIRE(!odd || !is_gap(*odd) || numbers == 0, SZ_E_FORMAT,
               "line %zu: column '%s' has no value there, and numbers elsewhere", odd_line,
               t->column[j].name);
    SZ_REQUIRE(!odd || fractions == 0, SZ_E_FORMAT,
               "line %zu: column '%s' has '%.*s' there, and numbers elsewhere", odd_line,
               t->column[j].name, (int)(odd->n < 40 ? odd->n : 40), odd->s);
    return SZ_OK;
}

static sz_status fill_column(const cells *c, size_t skip, size_t j, sz_table *t) {
    bool numbers = true;
    for (size_t i = 0; numbers && i < t->rows; i++)
        numbers = read_number(c->f[(i + skip) * c->columns + j], &t->v[i * t->columns + j]);
    if (numbers)
        return SZ_OK;
    SZ_TRY(check_words(c, skip, j, t));
    sz_word *words = sz_alloc(t->rows * sizeof *words);
    SZ_REQUIRE(words, SZ_E_NOMEM, "no memory for %zu words", t->rows);
    for (size_t i = 0; i < t->rows; i++)
        words[i] =
            (sz_word){c->f[(i + skip) * c->columns + j].s, c->f[(i + skip) * c->columns + j].n, i};
    sz_table_take_words(t, j, words);
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
    SZ_REQUIRE(!memchr(text, '\0', n), SZ_E_FORMAT,
               "neither text nor .npy; '--as bytes' takes any");
    sz_status status = cut(text, n, &c);
    if (status == SZ_OK)
        status = fill(&c, &t);
    sz_free(c.f);
    sz_free(c.line);
    if (status != SZ_OK)
        sz_table_free(&t);
    else
        *out = t;
    return status;
}
