/* reveal.c: the receiver: the tokens of a text tell the bits that chose them. */
#include "zip/hide.h"

#include <math.h>
#include <string.h>

/* Standard deviations by which the surprisal of a sample never exceeds its expectation. */
enum { IMPROBABLE = 7, MOST_BITS_PER_TOKEN = 32 };

typedef struct reader {
    sz_cover *c;
    const sz_seal_keys *keys;
    const sz_hidden *from;
    sz_stego_tracker tracker;
    size_t at;      /* bytes or ids that were read */
    size_t n_bytes; /* of the sealed message; the head's alone until that is known */
    size_t n;       /* of the message */
    bool has_length;
} reader;

static bool improbable(const sz_cover *c) {
    return c->n_ids >= 8 && c->surprisal - c->entropy > IMPROBABLE * sqrt(c->variance);
}

static const char *const may_differ = "the model, the prompt, the samplers or the key differ from "
                                      "the sender's, or the text was changed";

static sz_status ended(const reader *r) {
    return sz_fail(SZ_E_FORMAT,
                   "the text ends with %zu of %zu bits of a message: it was cut, or %s",
                   sz_stego_bits(&r->tracker), 8 * r->n_bytes, may_differ);
}

static size_t end_of(const reader *r) {
    return r->c->config.as_tokens ? r->from->n_ids : r->from->n_text;
}

static sz_status read_id(reader *r, size_t *pool, size_t *index) {
    int32_t id = r->from->ids[r->at];
    *pool = sz_cover_pool_of_id(r->c, id);
    SZ_REQUIRE(*pool < r->c->n_pools, SZ_E_FORMAT,
               "token %zu (id %d) could not have been drawn there: the model, the prompt or the "
               "samplers differ from the sender's, or the tokens were changed",
               r->at + 1, id);
    *index = r->c->first[*pool];
    r->at++;
    return SZ_OK;
}

/* Whether all that is left of the text begins a token of the law. */
static bool breaks_off(const sz_cover *c, const char *rest, size_t n_rest) {
    for (size_t i = 0; i < c->n; i++) {
        size_t n;
        const char *bytes = sz_tokenizer_piece(c->tokenizer, c->token[i].id, &n);
        if (n > n_rest && memcmp(bytes, rest, n_rest) == 0)
            return true;
    }
    return false;
}

static sz_status read_bytes(reader *r, size_t *pool, size_t *index) {
    const char *rest = r->from->text + r->at;
    size_t n_rest = r->from->n_text - r->at, n;
    *pool = sz_cover_pool_of_bytes(r->c, rest, n_rest);
    if (*pool < r->c->n_pools) {
        *index = sz_cover_choose(r->c, *pool);
        const char *bytes = sz_tokenizer_piece(r->c->tokenizer, r->c->token[*index].id, &n);
        if (n <= n_rest && memcmp(bytes, rest, n) == 0) {
            r->at += n;
            return SZ_OK;
        }
    }
    if (breaks_off(r->c, rest, n_rest))
        return ended(r);
    return sz_fail(SZ_E_FORMAT, "no message is found beyond byte %zu: %s", r->at, may_differ);
}

/* The next token: its pool, and its index in the law. */
static sz_status read_token(reader *r, size_t *pool, size_t *index) {
    if (r->at == end_of(r))
        return ended(r);
    SZ_TRY(sz_cover_law(r->c));
    return r->c->config.as_tokens ? read_id(r, pool, index) : read_bytes(r, pool, index);
}

/* Once the head is known: a length that the rest of the text could never hold is noise. */
static sz_status take_length(reader *r) {
    uint8_t head[SZ_SEAL_HEAD];
    sz_stego_bytes(&r->tracker, head, sizeof head);
    r->n = sz_seal_length(r->keys, head);
    r->n_bytes = SZ_SEAL_HEAD + r->n + SZ_SEAL_TAG;
    r->has_length = true;
    size_t most = sz_stego_bits(&r->tracker) + MOST_BITS_PER_TOKEN * (end_of(r) - r->at) + 128;
    SZ_REQUIRE(8 * r->n_bytes <= most, SZ_E_FORMAT,
               "the key does not fit: by it the text would hold %zu bytes. Another key, or %s",
               r->n, may_differ);
    return SZ_OK;
}

static sz_status read_bits(reader *r, const sz_hide_limits *limits) {
    while (sz_stego_bits(&r->tracker) < 8 * r->n_bytes) {
        size_t pool = 0, index = 0;
        SZ_TRY(read_token(r, &pool, &index));
        SZ_TRY(sz_stego_track(&r->tracker, r->c->pool_cum, r->c->n_pools, pool));
        SZ_TRY(sz_cover_take(r->c, index));
        size_t bits = sz_stego_bits(&r->tracker);
        if (!r->has_length && bits >= 8 * SZ_SEAL_HEAD)
            SZ_TRY(take_length(r));
        if (limits->progress)
            limits->progress(limits->user, bits, 8 * r->n_bytes);
    }
    return SZ_OK;
}

static sz_status open_seal(const reader *r, sz_buf *message) {
    uint8_t *sealed = sz_alloc(r->n_bytes);
    SZ_REQUIRE(sealed, SZ_E_NOMEM, "no memory for a message of %zu bytes", r->n);
    sz_stego_bytes(&r->tracker, sealed, r->n_bytes);
    sz_status status = sz_unseal(r->keys, sealed, r->n, message);
    sz_free(sealed);
    if (status != SZ_E_FORMAT)
        return status;
    return improbable(r->c)
               ? sz_fail(status, "the text is no sample of this model with this prompt and these "
                                 "samplers: one of them differs from the sender's, or it was "
                                 "changed")
               : sz_fail(status,
                         "the key does not fit, or the text was changed: its seal is broken");
}

sz_status sz_reveal(sz_cover *c, const sz_seal_keys *keys, const sz_hidden *from,
                    const sz_hide_limits *limits, sz_buf *message) {
    reader r = {.c = c, .keys = keys, .from = from, .n_bytes = SZ_SEAL_HEAD};
    if (c->config.as_tokens)
        sz_cover_foresee(c, from->ids, from->n_ids);
    sz_status status = read_bits(&r, limits);
    if (status == SZ_OK)
        status = open_seal(&r, message);
    sz_stego_free(&r.tracker);
    return status;
}
