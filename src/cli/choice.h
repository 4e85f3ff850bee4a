/* choice.h: --choices: the probability of each of some given answers. */
#ifndef SZ_CLI_CHOICE_H
#define SZ_CLI_CHOICE_H

#include "generation.h"

/* Scores the answers in `list`, "a,b,c" with \, for a comma within one, after a prompt, and prints
 * them. Returns an exit status. */
int sz_choose(sz_generation *options, const char *list, const sz_buf *prompt);

#endif
