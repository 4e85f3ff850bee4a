/* lm_text.c: the tokenizer's own tokens as long as their bytes are those of the text; where they
 * differ (a normalising tokenizer, a vocabulary without this byte) some bytes are escaped. */
#include "zip/lm_text.h"

#include <string.h>

const char *sz_lm_piece(const sz_tokenizer *t, int32_t id, size_t *n) {
    const char *piece = sz_tokenizer_piece(t, id, n);
    return piece && *n > 0 && !sz_tokenizer_is_control(t, id) ? piece : NULL;
}

void sz_lm_text_free(sz_lm_text *x) {
    sz_free(x->items);
    sz_free(x->at);
    *x = (sz_lm_text){0};
}

static sz_status reserve(sz_lm_text *x, size_t more) {
    if (x->n + more <= x->cap)
        return SZ_OK;
    size_t cap = 2 * (x->n + more);
    int32_t *items = sz_realloc(x->items, x->cap * sizeof *items, cap * sizeof *items);
    if (items)
        x->items = items;
    size_t *at = sz_realloc(x->at, x->cap * sizeof *at, cap * sizeof *at);
    if (at)
        x->at = at;
    SZ_REQUIRE(items && at, SZ_E_NOMEM, "no memory for %zu tokens", cap);
    x->cap = cap;
    return SZ_OK;
}

static void add(sz_lm_text *x, int32_t item, size_t at) {
    x->items[x->n] = item;
    x->at[x->n++] = at;
    x->n_tokens += item >= 0;
}

/* Appends ids as far as they give the text from *pos on; moves *pos behind them. */
static sz_status take_tokens(const sz_tokenizer *t, const uint8_t *data, size_t n, sz_lm_text *x,
                             size_t *pos) {
    int32_t *ids;
    size_t n_ids, length;
    SZ_TRY(sz_tokenizer_encode(t, (const char *)data + *pos, n - *pos, 0, &ids, &n_ids));
    sz_status status = reserve(x, n_ids);
    for (size_t i = 0; i < n_ids && status == SZ_OK; i++) {
        const char *piece = sz_lm_piece(t, ids[i], &length);
        if (!piece || length > n - *pos || memcmp(piece, data + *pos, length) != 0)
            break;
        add(x, ids[i], *pos);
        *pos += length;
    }
    sz_free(ids);
    return status;
}

/* Each time that tokens fail, twice as many bytes are escaped: texts that the tokenizer cannot give
 * are not encoded again and again from every byte on. */
sz_status sz_lm_text_make(const sz_tokenizer *t, const uint8_t *data, size_t n, sz_lm_text *out) {
    sz_lm_text x = {0};
    sz_status status = SZ_OK;
    for (size_t pos = 0, run = 1; pos < n && status == SZ_OK; run *= 2) {
        status = take_tokens(t, data, n, &x, &pos);
        size_t end = n - pos < run ? n : pos + run;
        if (status == SZ_OK)
            status = reserve(&x, end - pos);
        for (; pos < end && status == SZ_OK; pos++)
            add(&x, SZ_LM_ESCAPE, pos);
    }
    if (status != SZ_OK)
        sz_lm_text_free(&x);
    else
        *out = x;
    return status;
}
