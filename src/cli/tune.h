/* tune.h: what `szilard tune` reads. */
#ifndef SZ_CLI_TUNE_H
#define SZ_CLI_TUNE_H

#include "cli.h"
#include <szilard/unstable/tune.h>

/* A JSON file; text and arena stay with the values. */
typedef struct sz_tune_file {
    const char *path;
    sz_buf text;
    sz_arena *arena;
    sz_json *root;
} sz_tune_file;
sz_status sz_tune_open(const char *path, sz_tune_file *out);
void sz_tune_close(sz_tune_file *f);

/* Numbers in lists within lists, of `depth` >= 1 levels and the same shape everywhere; shape
 * [depth]. *v: sz_free. Errors name `what` and the first place that differs. */
sz_status sz_tune_numbers(const sz_json *list, const char *what, size_t depth, size_t *shape,
                          double **v);
/* The member `key` of an object. */
sz_status sz_tune_member(const sz_json *object, const char *key, const sz_json **out);
sz_status sz_tune_labels(const double *v, size_t n, int32_t **out);

/* Log-probabilities of what a file scores: the surprisals of records as `szilard score` writes them
 * (null is left out), or a column of probabilities. */
sz_status sz_tune_log_probabilities(const char *path, double **v, size_t *n);

#endif
