/* inference.h: what `szilard fit bayes` is asked, and how it answers. */
#ifndef SZ_CLI_INFERENCE_H
#define SZ_CLI_INFERENCE_H

#include "cli.h"
#include <szilard/unstable/inference.h>
#include <szilard/unstable/info.h>

typedef enum sz_infer_method {
    SZ_INFER_AUTO, /* exact where the paths can be counted, else smc */
    SZ_INFER_EXACT,
    SZ_INFER_IMPORTANCE,
    SZ_INFER_SMC,
    SZ_INFER_MCMC,
    SZ_INFER_PIMH
} sz_infer_method;
extern const char *const sz_infer_methods[];

typedef struct sz_infer_options {
    const char *file;
    char **data; /* [n_data] NAME=FILE or NAME=NUMBER,... */
    size_t n_data;
    sz_infer_method method;
    sz_population_config population;
    size_t n_samples, n_skip, thin;
    size_t n_runs; /* of check */
    uint64_t max_paths;
    int threads;
    sz_unit unit;
    const char *output; /* the weighted results as CSV; NULL: none */
    bool json;
} sz_infer_options;

/* Reads the program with its data. *out: sz_script_free. */
sz_status sz_infer_open(const sz_infer_options *o, sz_script **out);
/* Exit statuses. */
int sz_infer_run(const sz_infer_options *o);
int sz_infer_check(const sz_infer_options *o);

#endif
