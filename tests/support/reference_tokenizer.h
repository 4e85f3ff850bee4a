/* reference_tokenizer.h: the tokenizer of a real model against tests/vectors/tokenizers.json. */
#ifndef SZ_TESTS_REFERENCE_TOKENIZER_H
#define SZ_TESTS_REFERENCE_TOKENIZER_H

#include <szilard/unstable/tokenizer.h>

/* Opens the tokenizer of $SZ_MODEL_DIR/NAME.gguf, by default in the user's cache folder. false: the
 * file is not there. Other failures fail the test. */
bool real_tokenizer(const char *name, sz_tokenizer **out);

/* Fails the test unless all strings of the reference give its ids, with control tokens as text and
 * as tokens, and come back from them. folder: tests/vectors. */
void check_reference(const char *folder, const char *name, const sz_tokenizer *t);

/* Texts that need bytes which the vocabulary lacks do not come back; they are told by this. */
bool has_all_bytes(const sz_tokenizer *t, const char *text, size_t n);

#endif
