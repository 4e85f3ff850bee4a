/* lm_text.h: a text as what the language-model engine codes: tokens, and bytes that no tokens give.
 */
#ifndef SZ_ZIP_LM_TEXT_H
#define SZ_ZIP_LM_TEXT_H

#include <szilard/unstable/tokenizer.h>

enum { SZ_LM_ESCAPE = -1 };

typedef struct sz_lm_text {
    int32_t *items; /* [n]: ids, or SZ_LM_ESCAPE for one byte as it is */
    size_t *at;     /* [n]: where the item's bytes begin */
    size_t n, cap, n_tokens;
} sz_lm_text;

/* The bytes of the items, one after the other, are data [n]. */
sz_status sz_lm_text_make(const sz_tokenizer *t, const uint8_t *data, size_t n, sz_lm_text *out);
void sz_lm_text_free(sz_lm_text *x);
/* The bytes of a token that may stand in a text: NULL for control tokens and empty ones. */
const char *sz_lm_piece(const sz_tokenizer *t, int32_t id, size_t *n);

#endif
