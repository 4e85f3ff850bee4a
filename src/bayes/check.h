/* check.h: how the laws of a program are tested, in pieces. */
#ifndef SZ_BAYES_CHECK_H
#define SZ_BAYES_CHECK_H

#include <szilard/unstable/inference.h>

typedef struct sz_checker {
    const sz_program *program;
    const sz_check_config *config;
    uint64_t max_paths;
    double tolerance;
    sz_atoms measure; /* exact; empty where the program is not finite */
    double evidence;
    sz_law_report *report;
} sz_checker;

/* Adds a law: broken where error > tolerance. */
sz_law *sz_check_add(sz_checker *c, const char *name, double error, uint64_t n_paths);
/* SZ_E_LIMIT and SZ_E_UNSUPPORTED make a law that is skipped; other failures are passed on. */
sz_status sz_check_skip(sz_checker *c, const char *name, sz_status status);

/* A uniform from one of the cells that cuts [n] (in (0, 1), any order) make, the middle of it. n <=
 * SZ_MOST_CUTS. */
enum { SZ_MOST_CUTS = 512 };
double sz_check_cell(sz_odometer *o, double *cuts, size_t n);

sz_status sz_check_populations(sz_checker *c);
sz_status sz_check_moves(sz_checker *c);
sz_status sz_check_ranks(sz_checker *c);

/* Between which values the uniforms at each place of a trace need not be told apart. */
enum { SZ_CELL_PLACES = 64 };
typedef struct sz_cells {
    double *cuts[SZ_CELL_PLACES];
    size_t n[SZ_CELL_PLACES];
} sz_cells;
sz_status sz_cells_find(const sz_program *p, uint64_t max_paths, sz_cells *out);
void sz_cells_free(sz_cells *c);

/* A move source that visits all draws, over cells. */
typedef struct sz_cell_source {
    sz_odometer odometer;
    const sz_cells *cells;
    double scratch[SZ_MOST_CUTS];
    bool beyond; /* a place without cells was asked for */
} sz_cell_source;
sz_move_source sz_cell_source_of(sz_cell_source *s);

#endif
