/* pretokenizer.h: cutting text into the words that byte-level BPE never merges across. */
#ifndef SZ_MODEL_PRETOKENIZER_H
#define SZ_MODEL_PRETOKENIZER_H

#include "model/pattern.h"

typedef struct sz_pretokenizer sz_pretokenizer; /* immutable; any number of threads */
typedef sz_status (*sz_word_fn)(void *context, const char *word, size_t n);

/* name: the value of tokenizer.ggml.pre. Unknown names are SZ_E_UNSUPPORTED. */
sz_status sz_pretokenizer_new(const char *name, size_t n_name, sz_pretokenizer **out);
void sz_pretokenizer_free(sz_pretokenizer *p);
/* A word that is a token stays whole, whatever the merges say. */
bool sz_pretokenizer_ignores_merges(const sz_pretokenizer *p);
/* Whether begin-of-text is added where the file does not say. */
bool sz_pretokenizer_adds_bos(const sz_pretokenizer *p);

/* Calls fn for the words of text in order; they cover it. text must be valid UTF-8. Stops at the
 * first status that is not SZ_OK and returns it. */
sz_status sz_pretokenizer_split(const sz_pretokenizer *p, sz_matcher *m, const char *text, size_t n,
                                sz_word_fn fn, void *context);

#endif
