/* engine.h: what every command with a model shares: its options, and opening what they name. */
#ifndef SZ_CLI_ENGINE_H
#define SZ_CLI_ENGINE_H

#include "cli.h"
#include <szilard/unstable/model.h>

/* Filled by sz_argp_engine, an argp child: hand it the address in state->child_inputs[]. */
typedef struct sz_engine_options {
    const char *model; /* a path or a name; NULL: none given */
    const char *small; /* set by the command: a second, smaller model to open; NULL: none */
    int threads;       /* 0: measured */
    bool vocab_only;   /* set by the command: no weights are wanted */
} sz_engine_options;
extern const struct argp sz_argp_engine; /* -m, -t */

extern const char *const sz_kv_choices[]; /* names of sz_kv_type in its order, NULL-ended */

typedef struct sz_engine {
    sz_runtime *rt;
    sz_model *model;
    sz_model *small; /* NULL: none */
    char *path;      /* of the model's file */
} sz_engine;

/* Opens the model and catches Ctrl-C, which then cancels the work. Close in any case. */
sz_status sz_engine_open(const sz_engine_options *options, sz_engine *out);
void sz_engine_close(sz_engine *e);

#endif
