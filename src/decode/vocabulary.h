/* vocabulary.h: a model's tokens in the order of their bytes, so that what tokens share at their
 * beginning is looked at once. */
#ifndef SZ_DECODE_VOCABULARY_H
#define SZ_DECODE_VOCABULARY_H

#include <szilard/unstable/tokenizer.h>

typedef struct sz_vocabulary {
    size_t n;           /* tokens with bytes; control tokens are left out */
    int32_t *id;        /* [n] */
    const char **bytes; /* [n], the tokenizer's */
    uint32_t *length;   /* [n] */
    uint32_t *shared;   /* [n]: bytes that begin the one before, too */
    uint32_t longest, n_vocab;
    int32_t *end; /* [n_end]: end-of-generation tokens */
    size_t n_end;
} sz_vocabulary;

sz_status sz_vocabulary_make(const sz_tokenizer *t, sz_vocabulary *out);
void sz_vocabulary_free(sz_vocabulary *v);

#endif
