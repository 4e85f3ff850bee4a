/* store.h: the models on this machine, pulled by us or left by other programs. */
#ifndef SZ_CLI_STORE_H
#define SZ_CLI_STORE_H

#include "known_models.h"
#include <szilard/unstable/base.h>

typedef enum sz_place {
    SZ_PLACE_OWN,
    SZ_PLACE_LLAMA_CPP,
    SZ_PLACE_HUGGING_FACE,
    SZ_PLACE_OLLAMA
} sz_place;
extern const char *const sz_place_names[]; /* "szilard", "llama.cpp", ... */

typedef struct sz_local_model {
    char *name;     /* what -m takes */
    char *path;     /* of the file, or of its first part */
    uint64_t bytes; /* of all parts */
    sz_place place;
    const sz_known_model *known; /* NULL: not in our table */
} sz_local_model;

typedef struct sz_local_models {
    sz_local_model *v;
    size_t n;
} sz_local_models;

/* All of them, ours first, each place sorted by name. A folder that cannot be read is empty. */
sz_status sz_store_scan(sz_local_models *out);
void sz_store_free(sz_local_models *m);

/* The file that -m NAME means: a path, a known name, or a name that `szilard list` shows.
 * *path: free(). SZ_E_NOTFOUND tells how to get it. */
sz_status sz_store_find(const char *name, char **path);
/* Sets *out to the entry of `models` that NAME means, NULL if there is none. */
const sz_local_model *sz_store_match(const sz_local_models *models, const char *name);

#endif
