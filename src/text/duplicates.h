/* duplicates.h: the steps from a corpus to its near-duplicates. */
#ifndef SZ_TEXT_DUPLICATES_H
#define SZ_TEXT_DUPLICATES_H

#include <szilard/unstable/text.h>

typedef struct sz_corpus {
    const uint32_t *symbols;
    const size_t *begin; /* [n_docs + 1] */
    size_t n_docs;
    sz_duplicate_options o; /* without zeros */
} sz_corpus;

/* Two places with the same fingerprint, low < high, as symbols of the whole corpus. */
typedef struct sz_seed {
    uint32_t low, high;
} sz_seed;
typedef struct sz_seeds {
    sz_seed *seed; /* by documents, then diagonal, then place */
    size_t n;
} sz_seeds;

size_t sz_corpus_document(const sz_corpus *c, size_t at); /* that holds a symbol */
/* What fingerprints propose; seed: sz_free. */
sz_status sz_corpus_seeds(const sz_corpus *c, sz_seeds *out);

#endif
