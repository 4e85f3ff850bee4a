/* small_tokenizer.h: the learned vocabularies of tests/vectors/tokenizers-small.json, and comparing
 * ids with those of a file of vectors. */
#ifndef SZ_TESTS_SMALL_TOKENIZER_H
#define SZ_TESTS_SMALL_TOKENIZER_H

#include <szilard/unstable/tokenizer.h>

/* The JSON file `name` of tests/vectors; the value lives in *arena. */
sz_status vectors_open(const char *folder, const char *name, sz_arena **arena, sz_json **out);

/* kind: "bpe", "spm", "spm-prefix" or "wordpiece", a member of the file. */
sz_status small_tokenizer_new(const sz_json *vectors, const char *kind, sz_tokenizer **out);

/* Number of strings whose ids, one array each (null: skipped), are not those that t gives; shows
 * the first few. */
size_t differing_ids(const sz_tokenizer *t, unsigned flags, const sz_json *strings,
                     const sz_json *ids);
/* The same for one string. */
bool same_ids(const sz_tokenizer *t, unsigned flags, const char *text, size_t n,
              const sz_json *want);

/* Whether a text comes back from its ids, whole and token by token. */
bool comes_back(const sz_tokenizer *t, const char *text, size_t n);

/* n characters of many scripts, white space and controls, depending on the seed; valid UTF-8. */
void random_text(uint64_t seed, size_t n, sz_buf *out);

#endif
