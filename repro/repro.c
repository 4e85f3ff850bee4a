/* repro.c: the rows of a run, and the list of reproductions. */
#include "repro.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A new reproduction is one file and one line here. */
extern const sz_repro sz_repro_00, sz_repro_01, sz_repro_04, sz_repro_05, sz_repro_06, sz_repro_07,
    sz_repro_07b, sz_repro_08, sz_repro_13, sz_repro_29, sz_repro_31, sz_repro_41, sz_repro_43,
    sz_repro_44, sz_repro_46, sz_repro_48, sz_repro_49;
static const sz_repro *const all[] = {
    &sz_repro_00,  &sz_repro_01, &sz_repro_04, &sz_repro_05, &sz_repro_06, &sz_repro_07,
    &sz_repro_07b, &sz_repro_08, &sz_repro_13, &sz_repro_29, &sz_repro_31, &sz_repro_41,
    &sz_repro_43,  &sz_repro_44, &sz_repro_46, &sz_repro_48, &sz_repro_49};

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
