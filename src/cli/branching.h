/* branching.h: --best-of, --beams and --branch: several continuations of one prompt. */
#ifndef SZ_CLI_BRANCHING_H
#define SZ_CLI_BRANCHING_H

#include "answer.h"
#include "generation.h"
#include <szilard/unstable/branching.h>

typedef enum sz_branching_kind {
    SZ_BRANCHING_NONE,
    SZ_BRANCHING_BEST_OF,
    SZ_BRANCHING_BEAMS,
    SZ_BRANCHING_BRANCHES
} sz_branching_kind;

/* Filled by sz_argp_branching, an argp child. */
typedef struct sz_branching_options {
    sz_branching_kind kind;
    sz_branching config;
    double length_penalty; /* NaN: what is usual for the kind */
} sz_branching_options;
extern const struct argp sz_argp_branching; /* --best-of, --beams, --branch, --length-penalty */

/* Prints the continuations of a prompt with their likelihoods. Returns an exit status. */
int sz_branch_out(sz_generation *generation, const sz_branching_options *options,
                  const sz_buf *prompt);

/* Appends the text of the tokens, without one that ended it. */
void sz_continuation_put(sz_buf *b, const sz_talk *t, const sz_continuation *c);
/* Appends ,"key":v; null where v is not finite. */
void sz_member_put(sz_buf *b, const char *key, double v);

#endif
