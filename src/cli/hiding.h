/* hiding.h: what `hide` and `reveal` share: their options, and the cover text that they make of
 * them. */
#ifndef SZ_CLI_HIDING_H
#define SZ_CLI_HIDING_H

#include "engine.h"
#include "sampling.h"
#include "term.h"
#include "zip/hide.h"

/* Filled by sz_argp_hiding, an argp child. */
typedef struct sz_hiding_options {
    sz_engine_options engine;
    sz_sampling sampling;
    const char *key;                  /* a file */
    const char *prompt, *prompt_file; /* at most one of them */
    const char *file;                 /* NULL or "-": standard input */
    const char *out;                  /* NULL or "-": standard output */
    uint32_t context;                 /* 0: the session's default */
    bool raw, tokens, iterative, json, quiet;
} sz_hiding_options;
extern const struct argp sz_argp_hiding;

typedef struct sz_hiding {
    sz_engine engine;
    sz_session *session;
    sz_cover cover;
    sz_seal_keys keys;
    char chain[SZ_CHAIN_MAX];
    sz_progress progress;
} sz_hiding;

/* Opens the model and computes the prompt. Close in any case. */
sz_status sz_hiding_open(const sz_hiding_options *o, sz_hiding *out);
void sz_hiding_close(sz_hiding *h);
/* Limits that show a progress bar named `label`. */
sz_hide_limits sz_hiding_limits(sz_hiding *h, const char *label);
/* Writes bytes to the file that was asked for, or to standard output. */
sz_status sz_hiding_write(const sz_hiding_options *o, const void *bytes, size_t n);

#endif
