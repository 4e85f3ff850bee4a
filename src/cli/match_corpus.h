/* match_corpus.h: files, folders and lines as documents of words, for `szilard match dup`. */
#ifndef SZ_CLI_MATCH_CORPUS_H
#define SZ_CLI_MATCH_CORPUS_H

#include "match.h"

typedef struct sz_match_document {
    uint32_t file;  /* index of paths */
    uint32_t line;  /* from 1; 0: the whole file */
    bool unescaped; /* a JSON string: places are those of its text, not of the file */
} sz_match_document;

typedef struct sz_match_corpus {
    sz_buf symbols;  /* uint32_t [n_symbols] */
    sz_buf place;    /* uint64_t [n_symbols][2]: first byte and the one behind, in file or text */
    sz_buf begin;    /* size_t [n_docs + 1] */
    sz_buf document; /* sz_match_document [n_docs] */
    char **path;
    size_t n_paths, cap_paths, n_docs, n_symbols;
} sz_match_corpus;

/* Words, folded to lower case, of the files and of those in the folders; lines of .jsonl files are
 * objects whose "text" is the document. AUTO: each file is a document, but a single one is taken
 * line by line. With a tokenizer, a model's tokens in place of words. */
sz_status sz_match_corpus_read(char *const *paths, size_t n, sz_match_unit unit,
                               const sz_tokenizer *tokenizer, sz_match_corpus *out);
void sz_match_corpus_free(sz_match_corpus *c);

#endif
