/* paths.h: where files are: our models folder and the caches of other programs. Strings that are
 * returned through `char **` or as `char *` belong to the caller: free(). */
#ifndef SZ_CLI_PATHS_H
#define SZ_CLI_PATHS_H

#include <szilard/unstable/base.h>

/* printf into new memory; NULL if there is none. */
char *sz_text(const char *format, ...) SZ_PRINTF(1, 2);

/* $SZ_MODEL_DIR, else ${XDG_CACHE_HOME:-~/.cache}/szilard/models. */
sz_status sz_path_models(char **out);
/* Folders of other programs; NULL if they cannot be named. They may not exist. */
char *sz_path_llama_cpp(void);    /* $LLAMA_CACHE, else ~/.cache/llama.cpp */
char *sz_path_hugging_face(void); /* $HF_HUB_CACHE, $HF_HOME/hub, ~/.cache/huggingface/hub */
char *sz_path_ollama(void);       /* $OLLAMA_MODELS, ~/.ollama/models */
/* ${XDG_STATE_HOME:-~/.local/state}/szilard/NAME, its folder made. */
sz_status sz_path_state(const char *name, char **out);

/* Makes the folders above the file `path`. */
sz_status sz_path_make_parents(const char *path);
bool sz_path_is_file(const char *path, uint64_t *bytes /* may be NULL */);
const char *sz_path_base(const char *path);            /* after the last '/' */
bool sz_has_suffix(const char *s, const char *suffix); /* letter case does not count */

/* Splits "name-00001-of-00003.gguf": *part and *parts are set, *stem_n is the length of "name". */
bool sz_split_name(const char *file, unsigned *part, unsigned *parts, size_t *stem_n);

#endif
