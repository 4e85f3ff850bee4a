/* repro.c: the rows of a run, and the list of reproductions. */
#include "repro.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A new reproduction is one file and one line here. */
#define REPRODUCTIONS(X)                                                                           \
    X(00)                                                                                          \
    X(01)                                                                                          \
    X(04)                                                                                          \
    X(05)                                                                                          \
    X(06)                                                                                          \
    X(07)                                                                                          \
    X(07b)                                                                                         \
    X(08)                                                                                          \
    X(13)                                                                                          \
    X(29)                                                                                          \
    X(31)                                                                                          \
    X(40)                                                                                          \
    X(41)                                                                                          \
    X(43)                                                                                          \
    X(44)                                                                                          \
    X(46)                                                                                          \
    X(48)                                                                                          \
    X(49)
#define DECLARE(number) extern const sz_repro sz_repro_##number;
REPRODUCTIONS(DECLARE)
#define POINTER(number) &sz_repro_##number,
static const sz_repro *const all[] = {REPRODUCTIONS(POINTER)};

const sz_repro *sz_repro_find(const char *number) {
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i]->number, number) == 0)
            return all[i];
    return NULL;
}

static bool holds(double measured, const char *relation, double mark) {
    if (strcmp(relation, "<=") == 0)
        return measured <= mark;
    return strcmp(relation, ">=") == 0 ? measured >= mark : measured == mark;
}

void sz_repro_check(sz_repro_run *run, const char *claim, double measured, const char *relation,
                    double mark, const char *format, ...) {
    if (run->n == run->cap) {
        size_t cap = run->cap ? 2 * run->cap : 16;
        sz_repro_row *more = sz_realloc(run->rows, run->cap * sizeof *more, cap * sizeof *more);
        if (!more) {
            run->status = sz_fail(SZ_E_NOMEM, "no memory for %zu results", cap);
            return;
        }
        run->rows = more;
        run->cap = cap;
    }
    sz_repro_row *row = &run->rows[run->n++];
    *row = (sz_repro_row){.measured = measured, .mark = mark};
    row->passed = holds(measured, relation, mark);
    snprintf(row->relation, sizeof row->relation, "%s", relation);
    snprintf(row->claim, sizeof row->claim, "%s", claim);
    va_list args;
    va_start(args, format);
    vsnprintf(row->what, sizeof row->what, format, args);
    va_end(args);
}
