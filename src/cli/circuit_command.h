/* circuit_command.h: what the words of `szilard fit circuit` share. */
#ifndef SZ_CLI_CIRCUIT_COMMAND_H
#define SZ_CLI_CIRCUIT_COMMAND_H

#include "cli.h"
#include <szilard/unstable/circuit_file.h>
#include <szilard/unstable/info.h>

typedef struct sz_circuit_options {
    const char *model, *output, *data, *given;
    int threads;         /* 0: measured */
    size_t width;        /* bytes of a record of plain bytes; 0: the file says */
    size_t n_categories; /* 0: from the data */
    size_t n;            /* samples */
    double valid_share;
    sz_pc_fit_config fit;
    sz_unit unit;
    bool each, json;
} sz_circuit_options;

/* Records of a file. */
typedef struct sz_records {
    size_t n, width, n_categories; /* n_categories: 256 for bytes, else one more than the largest */
    int32_t *x;                    /* [n][width]; sz_free */
} sz_records;

/* By name and content: IDX of bytes, .npy, .json, text; plain bytes where width is given. Errors
 * name the file, and the row and column of a value that is not a category. */
sz_status sz_records_read(const char *path, size_t width, sz_records *out);

/* One for each word; an exit status. */
int sz_circuit_train(const sz_circuit_options *o);
int sz_circuit_loglik(const sz_circuit_options *o);
int sz_circuit_marginal(const sz_circuit_options *o);
int sz_circuit_sample(const sz_circuit_options *o);
int sz_circuit_info(const sz_circuit_options *o);

/* `szilard zip` (cmd_zip.c). */
int sz_run_zip(int argc, char **argv);

#endif
