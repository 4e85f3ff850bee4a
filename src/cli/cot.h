/* cot.h: a class of procedures from a name or a file. */
#ifndef SZ_CLI_COT_H
#define SZ_CLI_COT_H

#include "cli.h"
#include <szilard/unstable/cot.h>

typedef struct sz_cot_options {
    const char *class_name; /* dfa, checks, parity, or a file */
    size_t states, symbols, length, checks, n_draws;
    const char
        *star; /* NULL: the file's, or 0; a number, or transitions and a mask "0,1,1,2,2,0:4" */
    bool renormalise;
    uint64_t seed;
} sz_cot_options;

/* Makes the class and finds the truth in it. Free the class with sz_cot_class_free. */
sz_status sz_cot_open(const sz_cot_options *o, sz_cot_class **out, size_t *star);
/* {"x": weights, "hypotheses": [{"y": [...], "z": [...]}], "star": index}: outputs and traces are
 * texts, numbers or lists of them; blanks at the ends of texts do not count. */
sz_status sz_cot_read(const char *path, bool renormalise, sz_cot_class **out, size_t *star);

#endif
