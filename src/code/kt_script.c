/* kt_script.c: the dialect of the KoLMogorov test: scripts parsed line by line, interpreted with
 * fuel, priced by the uniform prior. */
#include <stdlib.h>
#include <string.h>

#include "code/kt_lines.h"

enum { MOST_NAME = 40, MOST_ARGUMENTS = 3, FUNCTIONS = 24 /* as the paper counts them */ };

typedef struct reader {
    const char *at, *end; /* of the line */
    const char *text_end;
    unsigned line;  /* from 1, for messages */
    unsigned index; /* among the lines that are not empty, from 0 */
    sz_kt_machine m;
    double bits;
    bool strict;
    sz_kt_lines *lines; /* NULL: not wanted as data */
    uint8_t line_of[SZ_KT_MOST_LINES + 1];
} reader;

#define FAIL(r, ...) sz_fail_within(sz_fail(SZ_E_FORMAT, __VA_ARGS__), "line %u", (r)->line)

/* ---- Words of a line ------------------------------------------------------------------------- */

static void skip_blanks(reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\r'))
        r->at++;
}

static sz_status expect(reader *r, char c) {
    skip_blanks(r);
    if (r->at >= r->end || *r->at != c)
        return FAIL(r, "'%c' is missing", c);
    r->at++;
    return SZ_OK;
}

static bool in_name(char c) {
    return (c >= 'a' && c <= 'z') || c == '_' || (c >= '0' && c <= '9');
}

static sz_status read_name(reader *r, char name[MOST_NAME]) {
    size_t n = 0;
    skip_blanks(r);
    while (r->at < r->end && in_name(*r->at)) {
        if (n + 1 == MOST_NAME)
            return FAIL(r, "a name is longer than %d", MOST_NAME - 1);
        name[n++] = *r->at++;
    }
    name[n] = '\0';
    return n ? SZ_OK : FAIL(r, "a name is missing");
}

static sz_status read_number(reader *r, int64_t *out) {
    skip_blanks(r);
    bool negative = r->at < r->end && *r->at == '-';
    r->at += negative;
    if (r->at >= r->end || *r->at < '0' || *r->at > '9')
        return FAIL(r, "a number is missing");
    int64_t v = 0;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
        v = 10 * v + (*r->at - '0');
        if (v > SZ_KT_MOST_VALUE)
            return FAIL(r, "a number is beyond 2^31");
    }
    *out = negative ? -v : v;
    return SZ_OK;
}

/* The number of "sequence_7". */
static sz_status sequence_number(reader *r, const char *name, unsigned *out) {
    char *end;
    bool right = strncmp(name, "sequence_", 9) == 0 && name[9] >= '1' && name[9] <= '9';
    unsigned long v = right ? strtoul(name + 9, &end, 10) : 0;
    if (!right || *end || v > SZ_KT_MOST_LINES)
        return FAIL(r, "'%s' is no sequence_1 to sequence_%d", name, SZ_KT_MOST_LINES);
    *out = (unsigned)v;
    return SZ_OK;
}

static sz_status read_sequence(reader *r, unsigned *number) {
    char name[MOST_NAME];
    SZ_TRY(read_name(r, name));
    SZ_TRY(sequence_number(r, name, number));
    if (!r->m.known[*number])
        return FAIL(r, "%s is not defined yet", name);
    return SZ_OK;
}

static sz_status read_list(reader *r, sz_kt_list *out) {
    size_t room = 1, n = 0;
    SZ_TRY(expect(r, '['));
    for (const char *c = r->at; c < r->end && *c != ']'; c++)
        room += *c == ',';
    sz_status status = sz_kt_list_new(&r->m, room, out);
    if (status != SZ_OK)
        return sz_fail_within(status, "line %u", r->line);
    skip_blanks(r);
    while (r->at < r->end && *r->at != ']') {
        if (n > 0)
            SZ_TRY(expect(r, ','));
        SZ_TRY(read_number(r, &out->v[n++])); /* at most room: a comma before each but the first */
        skip_blanks(r);
    }
    out->n = n;
    return expect(r, ']');
}

static sz_status read_predicate(reader *r, int *out) {
    static const char *const names[] = {"is_even", "is_odd", "is_not_zero"};
    char name[MOST_NAME];
    SZ_TRY(read_name(r, name));
    for (int i = 0; i < 3; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = i;
            return SZ_OK;
        }
    return FAIL(r, "'%s' is none of is_even, is_odd, is_not_zero", name);
}

/* ---- Lines ----------------------------------------------------------------------------------- */

/* One argument of the kind that the function's signature says, and its price. */
static sz_status read_argument(reader *r, char kind, sz_kt_argument *a) {
    switch (kind) {
    case 'S':
        r->bits += sz_kt_log2(r->index + 1);
        SZ_TRY(read_sequence(r, &a->sequence));
        a->list = r->m.sequence[a->sequence];
        return SZ_OK;
    case 'P':
        r->bits += r->strict ? sz_kt_log2(3) : 0;
        return read_predicate(r, &a->predicate);
    case 'L':
        SZ_TRY(read_list(r, &a->list));
        r->bits += 8.0 * (double)a->list.n;
        return SZ_OK;
    case 'V': /* one of 256 values */
        r->bits += 8;
        return read_number(r, &a->number);
    case 'T': /* a number of times up to 20 */
        r->bits += sz_kt_log2(20);
        return read_number(r, &a->number);
    default: /* one of 8 */
        r->bits += 3;
        return read_number(r, &a->number);
    }
}

static sz_status read_call(reader *r, unsigned into) {
    char name[MOST_NAME];
    sz_kt_argument a[MOST_ARGUMENTS] = {0};
    SZ_TRY(read_name(r, name));
    const sz_kt_function *f = sz_kt_function_find(name);
    if (!f)
        return FAIL(r, "there is no function '%s'", name);
    SZ_TRY(expect(r, '('));
    for (size_t i = 0; f->takes[i]; i++) {
        if (i > 0)
            SZ_TRY(expect(r, ','));
        SZ_TRY(read_argument(r, f->takes[i], &a[i]));
    }
    SZ_TRY(expect(r, ')'));
    sz_kt_list made = {0};
    sz_status status = f->call(&r->m, a, &made);
    if (status != SZ_OK)
        return sz_fail_within(status, "line %u: %s", r->line, name);
    if (r->lines) {
        status = sz_kt_lines_add(r->lines, sz_kt_function_index(f), a, r->line_of);
        if (status != SZ_OK)
            return sz_fail_within(status, "line %u", r->line);
        r->line_of[into] = (uint8_t)(r->lines->n - 1);
    }
    r->m.sequence[into] = made;
    r->m.known[into] = true;
    return SZ_OK;
}

static sz_status put_output(reader *r, sz_buf *out) {
    unsigned number = 0;
    SZ_TRY(read_sequence(r, &number));
    sz_kt_list l = r->m.sequence[number];
    for (size_t i = 0; i < l.n; i++)
        if (l.v[i] < 0 || l.v[i] > 255)
            return FAIL(r, "the output's item %zu is %lld, no byte", i, (long long)l.v[i]);
    for (size_t i = 0; i < l.n; i++)
        sz_buf_putc(out, (char)l.v[i]);
    if (r->lines)
        sz_kt_lines_prune(r->lines, r->line_of[number]);
    return SZ_OK;
}

/* SZ_END: it was the line of the output. */
static sz_status read_line(reader *r, sz_buf *out) {
    char name[MOST_NAME];
    unsigned number = 0;
    SZ_TRY(read_name(r, name));
    bool output = strcmp(name, "output") == 0;
    if (!output)
        SZ_TRY(sequence_number(r, name, &number));
    SZ_TRY(expect(r, '='));
    r->bits += sz_kt_log2(FUNCTIONS + 1);
    SZ_TRY(output ? put_output(r, out) : read_call(r, number));
    skip_blanks(r);
    if (r->at < r->end)
        return FAIL(r, "'%.*s' is left over", (int)(r->end - r->at < 20 ? r->end - r->at : 20),
                    r->at);
    r->index++;
    return output ? SZ_END : SZ_OK;
}

/* The next line that is not empty; false at the end. */
static bool next_line(reader *r) {
    while (r->end < r->text_end || r->line == 0) {
        r->at = r->line == 0 ? r->at : r->end + 1;
        const char *end =
            r->at < r->text_end ? memchr(r->at, '\n', (size_t)(r->text_end - r->at)) : NULL;
        r->end = end ? end : r->text_end;
        r->line++;
        skip_blanks(r);
        if (r->at < r->end)
            return true;
    }
    return false;
}

static sz_status run(reader *r, sz_buf *out) {
    sz_status status = SZ_OK;
    while (status == SZ_OK && next_line(r)) {
        if (r->index >= SZ_KT_MOST_LINES)
            return FAIL(r, "a script has at most %d lines", SZ_KT_MOST_LINES);
        status = read_line(r, out);
    }
    if (status == SZ_OK)
        return FAIL(r, "there is no line of output");
    if (status != SZ_END)
        return status;
    if (next_line(r))
        return FAIL(r, "something stands behind the output");
    return SZ_OK;
}

sz_status sz_kt_script_read(const char *text, size_t n, bool strict, sz_kt_lines *lines,
                            sz_buf *out, double *bits) {
    reader r = {.at = text, .end = text, .text_end = text + n, .strict = strict, .lines = lines};
    if (lines)
        lines->n = 0;
    size_t before = out->len;
    SZ_TRY(sz_kt_machine_open(&r.m));
    sz_status status = run(&r, out);
    sz_kt_machine_close(&r.m);
    if (status != SZ_OK) {
        out->len = before;
        return status;
    }
    SZ_REQUIRE(!out->failed, SZ_E_NOMEM, "no memory for the output");
    if (bits)
        *bits = r.bits;
    return SZ_OK;
}

sz_status sz_kt_script_run(const char *text, size_t n, bool strict, sz_buf *out, double *bits) {
    return sz_kt_script_read(text, n, strict, NULL, out, bits);
}

sz_status sz_kt_lines_parse(const char *text, size_t n, sz_kt_lines *out) {
    sz_buf bytes = {0};
    sz_status status = sz_kt_script_read(text, n, false, out, &bytes, NULL);
    sz_buf_free(&bytes);
    return status;
}
