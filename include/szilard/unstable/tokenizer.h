/* tokenizer.h: text to token ids and back, with the tokenizer that a GGUF file carries. */
#ifndef SZILARD_TOKENIZER_H
#define SZILARD_TOKENIZER_H

#include <szilard/unstable/gguf.h>

typedef struct sz_tokenizer sz_tokenizer; /* immutable after creation; any number of threads */

/* tokenizer.ggml.model: gpt2 (byte-level BPE), llama (SPM), bert (WordPiece). An unknown model or
 * pre-tokeniser is SZ_E_UNSUPPORTED naming the key. Copies what it needs from g. */
SZ_API sz_status sz_tokenizer_from_gguf(const sz_gguf *g, sz_tokenizer **out);
SZ_API void sz_tokenizer_free(sz_tokenizer *t);

enum {
    SZ_TOKENIZE_CONTROL = 1 /* parse control tokens in the text */,
    SZ_TOKENIZE_BOS = 2 /* add begin/end tokens where the file asks for them */
};
/* text: any bytes (invalid UTF-8 is encoded byte by byte). *ids is allocated with sz_alloc; the
 * caller frees it. n_text <= 2^30. */
SZ_API sz_status sz_tokenizer_encode(const sz_tokenizer *t, const char *text, size_t n_text,
                                     unsigned flags, int32_t **ids, size_t *n_ids);
/* Appends the bytes of ids; control tokens only if `control`. Follows the file's rule about a
 * leading space (SPM) for the first id of a text if `start`. */
SZ_API sz_status sz_tokenizer_decode(const sz_tokenizer *t, const int32_t *ids, size_t n_ids,
                                     bool control, bool start, sz_buf *out);

SZ_API uint32_t sz_tokenizer_n_vocab(const sz_tokenizer *t);
/* Decoded bytes of one id, NUL-terminated, borrowed; NULL if out of range. Control tokens give
 * their name. */
SZ_API const char *sz_tokenizer_piece(const sz_tokenizer *t, int32_t id, size_t *n);
SZ_API bool sz_tokenizer_is_control(const sz_tokenizer *t, int32_t id);
SZ_API bool sz_tokenizer_is_end(const sz_tokenizer *t, int32_t id); /* eos, eot, known names */
SZ_API int32_t sz_tokenizer_bos(const sz_tokenizer *t);             /* -1 if none */
SZ_API int32_t sz_tokenizer_eos(const sz_tokenizer *t);
SZ_API int32_t sz_tokenizer_eot(const sz_tokenizer *t);
SZ_API bool sz_tokenizer_add_bos(const sz_tokenizer *t);
SZ_API int32_t sz_tokenizer_find(const sz_tokenizer *t, const char *piece, size_t n); /* -1 */

#endif
