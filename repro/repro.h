/* repro.h: reproductions of papers. A file repro/NN_slug.c holds one: no method code, only the
 * experiment, the paper's claim and the mark that our measurement must reach. */
#ifndef SZ_REPRO_H
#define SZ_REPRO_H

#include <szilard/unstable/base.h>

typedef struct sz_repro_run sz_repro_run;

typedef struct sz_repro {
    const char *number;                  /* "00", "07b" */
    sz_status (*run)(sz_repro_run *run); /* adds rows; fails only where it cannot measure */
} sz_repro;

/* One measured figure beside what the paper says and what must hold. */
typedef struct sz_repro_row {
    char what[96], claim[64];
    double measured;
    char relation[3]; /* "<=", ">=", "==" */
    double mark;
    bool passed;
} sz_repro_row;

struct sz_repro_run {
    bool smoke; /* seconds, on synthetic data */
    uint64_t seed;
    const char *text; /* a file of the user's for experiments that read one; NULL: none */
    /* The file of a model by its name, such as smollm2; *path: free(). SZ_E_NOTFOUND tells how to
     * get it. Short forms need none. */
    sz_status (*find_model)(const char *name, char **path);
    sz_repro_row *rows;
    size_t n, cap;
    sz_status status; /* of the first row that could not be kept */
};

/* Adds a row; `claim` is the paper's figure as text, "" if it gives none. */
void sz_repro_check(sz_repro_run *run, const char *claim, double measured, const char *relation,
                    double mark, const char *format, ...) SZ_PRINTF(6, 7);

/* The papers that the project unites, in order; ends with number NULL. */
typedef struct sz_paper {
    const char *number, *title, *source;
} sz_paper;
extern const sz_paper sz_papers[];
/* The reproduction of a paper; NULL if there is none yet. */
const sz_repro *sz_repro_find(const char *number);

#endif
