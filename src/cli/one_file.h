/* one_file.h: commands that read one file with a model's tokenizer and print what comes of it. */
#ifndef SZ_CLI_ONE_FILE_H
#define SZ_CLI_ONE_FILE_H

#include "cli.h"
#include "engine.h"

typedef struct sz_one_file {
    sz_engine_options engine;
    const char *file; /* NULL: standard input */
    bool json;
} sz_one_file;

/* -m MODEL, FILE and --json; input: a sz_one_file. */
extern const struct argp sz_argp_one_file;

/* Parses into `settings`, whose first member is `o`, opens the tokenizer, and prints what `work`
 * put. */
int sz_one_file_run(const struct argp *argp, int argc, char **argv, void *settings, sz_one_file *o,
                    sz_status (*work)(const void *settings, const sz_tokenizer *t, sz_buf *out));

#endif
