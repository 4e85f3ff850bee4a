/* sampling.h: the sampler chain that the options of a command describe. */
#ifndef SZ_CLI_SAMPLING_H
#define SZ_CLI_SAMPLING_H

#include "cli.h"
#include <szilard/unstable/option.h>

enum { SZ_CHAIN_MAX = 1024, SZ_ORDER_MAX = 256 };

/* A chain that people know from elsewhere: its samplers in their order, with values. */
typedef struct sz_preset {
    const char *name;
    const char *order;                       /* names of samplers */
    double temperature, top_k, top_p, min_p; /* where they act by default; NaN: they do not */
    double top_h;
} sz_preset;

/* Shortcuts change single values of a preset's chain; a whole chain replaces it. NaN: not given. */
typedef struct sz_sampling {
    const char *chain;        /* --sampler; NULL: the preset's with the shortcuts below */
    char order[SZ_ORDER_MAX]; /* --sampler-order; "": the preset's */
    const sz_preset *preset;  /* NULL: llama.cpp */
    double temperature, top_k, top_p, min_p, top_h, top_h_rule, top_h_exact, target_entropy;
    double repeat_penalty;
    int64_t seed; /* -1: a new one from the system */
} sz_sampling;

extern const struct argp sz_argp_sampling; /* --sampler, --temp, ... --seed */

sz_sampling sz_sampling_default(void);
/* Sets one value by the name of its shortcut ("temp", "top-k", ..., "sampler",
 * "sampler-order", "sampler-preset", "seed"). SZ_E_ARG tells what is wrong; `text` is borrowed
 * where the name is "sampler". */
sz_status sz_sampling_set(sz_sampling *s, const char *name, const char *text);
/* The chain in the grammar of sz_session_set_sampler, NUL-terminated. SZ_E_ARG if it is none. */
sz_status sz_sampling_chain(const sz_sampling *s, char out[SZ_CHAIN_MAX]);
/* A seed that is short enough to be typed again. */
uint64_t sz_random_seed(void);

#endif
