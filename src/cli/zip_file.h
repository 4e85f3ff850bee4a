/* zip_file.h: `szilard zip` and `unzip`: their options, and one file from its name to its result.
 */
#ifndef SZ_CLI_ZIP_FILE_H
#define SZ_CLI_ZIP_FILE_H

#include "cli.h"
#include "zip/slz.h"

typedef enum sz_zip_action { SZ_ZIP_CODE, SZ_ZIP_DECODE, SZ_ZIP_TEST, SZ_ZIP_LIST } sz_zip_action;

typedef struct sz_zip_options {
    sz_zip_action action;
    const char *model; /* NULL: not given */
    uint32_t context;  /* 0: not given */
    bool plain;        /* without the adaptive layer */
    size_t segments;   /* of a window; 0: not given */
    int threads;       /* 0: not given */
    bool stats;
    const char *page;   /* of the stats; NULL: none */
    const char *output; /* "-": standard output; NULL: named after the input */
    bool keep_broken;   /* a result whose source is damaged stays as far as it goes */
    bool remove_source, force, quiet, json;
    char **files; /* [n_files]; none: standard input */
    int n_files;
} sz_zip_options;

extern const struct argp sz_argp_zip_options;

/* All files of the options; an exit status. */
int sz_zip_files(const sz_zip_options *options);

#endif
