/* train_run.h: a run of training in a folder:
 *
 *   start.gguf       the model that it began with
 *   tokens.npy       the texts as token ids
 *   checkpoint.gguf  all that the next step depends on
 *   log.jsonl        a line for each step that was told
 *   model.gguf       what came out, in F32 */
#ifndef SZ_CLI_TRAIN_RUN_H
#define SZ_CLI_TRAIN_RUN_H

#include "cli.h"
#include <szilard/unstable/train.h>

typedef struct sz_train_options {
    const char *folder, *name;
    const char *from;       /* a model to go on from; NULL: random weights of `shape` */
    const char *vocabulary; /* a model whose tokens are taken; NULL: bytes */
    const char **texts;     /* files; or one token file */
    size_t n_texts;
    sz_lm_shape shape;
    sz_train_config config;
    uint64_t steps;                                  /* in all */
    uint64_t save_every, tell_every, validate_every; /* steps; 0: never but at the end */
    bool resume, json;
    int threads;
} sz_train_options;

/* Returns an exit status. Interrupted, it keeps a checkpoint of the last whole step. */
int sz_train_run(const sz_train_options *o);

#endif
