/* method_help.h: help texts made from the tables of options that methods bring along. */
#ifndef SZ_CLI_METHOD_HELP_H
#define SZ_CLI_METHOD_HELP_H

#include "cli.h"
#include <szilard/unstable/option.h>

/* One line for a method, and one for each of its options with the value it has when not given. */
void sz_help_method(sz_buf *b, const char *name, const char *help, const sz_option *options);

/* What was written to `b`, for argp, which frees it; NULL if memory ran out. Frees `b`. */
char *sz_help_text(sz_buf *b);

#endif
