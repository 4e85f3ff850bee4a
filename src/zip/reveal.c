/* reveal.c: the receiver: the tokens of a text tell the bits that chose them. */
#include "zip/writing.h"

#include <math.h>
#include <string.h>

/* Standard deviations by which the surprisal of a sample never exceeds its expectation. */
enum { IMPROBABLE = 7, MOST_BITS_PER_TOKEN = 32 };

static bool improbable(const sz_cover *c) {
    return c->n_ids >= 8 && c->surprisal - c->entropy > IMPROBABLE * sqrt(c->variance);
}

static const char *const may_differ = "the model, the prompt, the samplers or the key differ from "
                                      "the sender's, or the text was changed";

static sz_status ended(const sz_hide_reader *r) {
    return sz_fail(SZ_E_FORMAT,
                   "the text ends with %zu of %zu bits of a message: it was cut, or %s", r->n_known,
                   r->n_wanted, may_differ);
}

size_t sz_hide_rest(const sz_hide_reader *r) {
    return (r->c->config.as_tokens ? r->from->n_ids : r->from->n_text) - r->at;
}

static sz_status read_id(sz_hide_reader *r, size_t *pool, size_t *index) {
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

static sz_status read_bytes(sz_hide_reader *r, size_t *pool, size_t *index) {
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

sz_status sz_hide_read(sz_hide_reader *r, size_t *pool, size_t *index) {
    if (sz_hide_rest(r) == 0)
        return ended(r);
    SZ_TRY(sz_cover_law(r->c));
    return r->c->config.as_tokens ? read_id(r, pool, index) : read_bytes(r, pool, index);
}

sz_status sz_hide_check_length(const sz_hide_reader *r, size_t n) {
    size_t most = r->n_known + MOST_BITS_PER_TOKEN * sz_hide_rest(r) + 128;
    SZ_REQUIRE(8 * n <= most, SZ_E_FORMAT,
               "the key does not fit: by it the text would hold %zu bytes. Another key, or %s", n,
               may_differ);
    return SZ_OK;
}

sz_status sz_hide_unseal(const sz_hide_reader *r, const sz_seal_keys *keys, const uint8_t *sealed,
                         size_t n, sz_buf *message) {
    sz_status status = sz_unseal(keys, sealed, n, message);
    if (status != SZ_E_FORMAT)
        return status;
    return improbable(r->c)
               ? sz_fail(status, "the text is no sample of this model with this prompt and these "
                                 "samplers: one of them differs from the sender's, or it was "
                                 "changed")
               : sz_fail(status, "the message's seal is broken: %s", may_differ);
}

/* ---- The range engine ------------------------------------------------------------------------ */

static sz_status read_bits(sz_hide_reader *r, sz_stego_tracker *t, size_t n_bytes,
                           const sz_hide_limits *limits) {
    r->n_wanted = 8 * n_bytes;
    while (r->n_known < r->n_wanted) {
        size_t pool = 0, index = 0;
        SZ_TRY(sz_hide_read(r, &pool, &index));
        SZ_TRY(sz_stego_track(t, r->c->pool_cum, r->c->n_pools, pool));
        SZ_TRY(sz_cover_take(r->c, index));
        r->n_known = sz_stego_bits(t);
        if (limits->progress)
            limits->progress(limits->user, r->n_known, r->n_wanted);
    }
    return SZ_OK;
}

static sz_status read_message(sz_hide_reader *r, const sz_seal_keys *keys, sz_stego_tracker *t,
                              const sz_hide_limits *limits, sz_buf *message) {
    uint8_t head[SZ_SEAL_HEAD];
    SZ_TRY(read_bits(r, t, SZ_SEAL_HEAD, limits));
    sz_stego_bytes(t, head, sizeof head);
    size_t n = sz_seal_length(keys, head), n_bytes = SZ_SEAL_HEAD + n + SZ_SEAL_TAG;
    SZ_TRY(sz_hide_check_length(r, n));
    SZ_TRY(read_bits(r, t, n_bytes, limits));
    uint8_t *sealed = sz_alloc(n_bytes);
    SZ_REQUIRE(sealed, SZ_E_NOMEM, "no memory for a message of %zu bytes", n);
    sz_stego_bytes(t, sealed, n_bytes);
    sz_status status = sz_hide_unseal(r, keys, sealed, n, message);
    sz_free(sealed);
    return status;
}

sz_status sz_reveal(sz_cover *c, const sz_seal_keys *keys, const sz_hidden *from,
                    const sz_hide_limits *limits, sz_buf *message) {
    sz_hide_reader r = {.c = c, .from = from};
    sz_stego_tracker tracker = {0};
    if (c->config.as_tokens)
        sz_cover_foresee(c, from->ids, from->n_ids);
    sz_status status = read_message(&r, keys, &tracker, limits, message);
    sz_stego_free(&tracker);
    return status;
}
