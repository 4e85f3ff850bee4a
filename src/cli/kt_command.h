/* kt_command.h: `szilard zip kt`: its settings and its works. */
#ifndef SZ_CLI_KT_COMMAND_H
#define SZ_CLI_KT_COMMAND_H

#include "engine.h"
#include <szilard/unstable/kt.h>

typedef struct sz_kt_settings {
    sz_engine_options engine; /* model NULL: none proposes */
    const char *file;         /* NULL or "-": standard input; of bench: NULL, generated ones */
    const char *output;       /* NULL: none */
    uint64_t n;               /* of gen and bench */
    size_t length;            /* bench: bytes of a block of the file */
    uint32_t steps, restarts;
    uint32_t samples; /* scripts that a model proposes for each string */
    uint64_t seed;
    bool strict, show, force, json;
} sz_kt_settings;

enum { SZ_KT_MOST_FILE = 1 << 20 };

/* Each returns an exit status. */
int sz_kt_compress(const sz_kt_settings *s);
int sz_kt_run(const sz_kt_settings *s);
int sz_kt_generate(const sz_kt_settings *s);
int sz_kt_bench(const sz_kt_settings *s);

#endif
