/* term.h: what the terminal can show. */
#ifndef SZ_CLI_TERM_H
#define SZ_CLI_TERM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum sz_colour { SZ_COLOUR_AUTO, SZ_COLOUR_ALWAYS, SZ_COLOUR_NEVER } sz_colour;
extern const char *const sz_colour_choices[]; /* "auto", "always", "never", NULL */

/* Whether f may be coloured: with AUTO a terminal that is not "dumb", and NO_COLOR unset. */
bool sz_term_has_colour(FILE *f, sz_colour wish);
/* How many colours f shows; none where sz_term_has_colour says no. */
typedef enum sz_depth { SZ_DEPTH_NONE, SZ_DEPTH_16, SZ_DEPTH_256, SZ_DEPTH_TRUE } sz_depth;
sz_depth sz_term_depth(FILE *f, sz_colour wish);
int sz_term_width(FILE *f); /* columns; 80 if unknown */

/* A bar on stderr while something takes long; silent where stderr is no terminal. */
typedef struct sz_progress {
    const char *label, *unit; /* unit NULL: bytes */
    uint64_t done, total;     /* total 0: unknown */
    uint64_t first;           /* `done` at the start: not counted in the rate */
    uint64_t start_ns, shown_ns;
    bool terminal, drawn;
} sz_progress;
void sz_progress_begin(sz_progress *p, const char *label, const char *unit, uint64_t done,
                       uint64_t total);
void sz_progress_update(sz_progress *p, uint64_t done);
void sz_progress_end(sz_progress *p); /* erases the bar */

#endif
