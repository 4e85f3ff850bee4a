/* hide.c: the sender: uniform bits become the tokens of a text. */
#include "zip/hide.h"

#include <string.h>

enum { STALL = 512, MOST_TO_SENTENCE = 128 };
static const double stall_nats = 0.01 * 0.69314718055994530942;

double sz_hide_distance_log2(size_t n_tokens) {
    return sz_log((double)(n_tokens > 0 ? n_tokens : 1)) / 0.69314718055994530942 - 88;
}

/* ---- Where a text may end
 * ------------------------------------------------------------------------ */

static bool ends_character(const sz_cover *c) {
    return sz_utf8_complete(c->text.data, c->text.len) == c->text.len;
}

static bool ends_sentence(const sz_cover *c) {
    size_t n = c->text.len;
    while (n > 0 && strchr("\"')*", c->text.data[n - 1]))
        n--;
    return n > 0 && strchr(".!?\n", c->text.data[n - 1]);
}

/* `extra` tokens were written after the last bit. */
static bool may_end(const sz_cover *c, const sz_hide_limits *limits, size_t extra) {
    if (c->n_ids == 0 || extra >= MOST_TO_SENTENCE)
        return true;
    return ends_character(c) && (!limits->sentence || ends_sentence(c));
}

/* ---- Writing
 * ------------------------------------------------------------------------------------- */

static sz_status check_room(const sz_cover *c, const sz_hide_limits *limits, size_t n_bits,
                            size_t n_wanted) {
    size_t length = sz_session_length(c->session, 0), context = sz_session_context(c->session);
    size_t most = limits->max_tokens ? limits->max_tokens : SIZE_MAX;
    SZ_REQUIRE(c->n_ids < most, SZ_E_LIMIT,
               "%zu tokens hold %zu of %zu bits: allow more tokens, or a higher temperature", most,
               n_bits, n_wanted);
    SZ_REQUIRE(length < context, SZ_E_LIMIT,
               "the context of %zu tokens is full with %zu of %zu bits placed: allow a longer one, "
               "or a higher temperature",
               context, n_bits, n_wanted);
    return SZ_OK;
}

/* One token; *stalled counts those in a row that held almost nothing. */
static sz_status write_token(sz_cover *c, sz_stego_drawer *d, sz_stego_tracker *t,
                             const sz_hide_limits *limits, size_t *stalled) {
    SZ_TRY(sz_cover_law(c));
    *stalled = c->pool_entropy < stall_nats ? *stalled + 1 : 0;
    SZ_REQUIRE(*stalled < STALL, SZ_E_LIMIT,
               "the text holds almost nothing: %d tokens in a row with less than 0.01 bit. Choose "
               "a higher temperature or another prompt",
               STALL);
    size_t pool = sz_stego_draw(d, c->pool_cum, c->n_pools);
    SZ_TRY(sz_stego_track(t, c->pool_cum, c->n_pools, pool));
    size_t index = sz_cover_choose(c, pool);
    if (limits->watch)
        limits->watch(limits->user, c, index);
    return sz_cover_take(c, index);
}

sz_status sz_hide_bits(sz_cover *c, sz_stego_next next, void *user, size_t n_bits,
                       const sz_hide_limits *limits) {
    sz_stego_drawer drawer;
    sz_stego_tracker tracker = {0};
    sz_status status = SZ_OK;
    size_t placed = 0, stalled = 0, extra = 0;
    sz_stego_begin(&drawer, next, user);
    while (status == SZ_OK && (placed < n_bits || !may_end(c, limits, extra))) {
        if (placed >= n_bits && (check_room(c, limits, placed, n_bits) != SZ_OK))
            break; /* the bits are there: an abrupt end is no failure */
        extra += placed >= n_bits;
        status = check_room(c, limits, placed, n_bits);
        if (status == SZ_OK)
            status = write_token(c, &drawer, &tracker, limits, &stalled);
        placed = sz_stego_bits(&tracker);
        if (status == SZ_OK && limits->progress)
            limits->progress(limits->user, placed < n_bits ? placed : n_bits, n_bits);
    }
    sz_stego_free(&tracker);
    return status;
}

/* ---- A message
 * -------------------------------------------------------------------------------------- */

typedef struct source { /* a sealed message, then padding without end */
    sz_buf sealed;
    size_t at;
    sz_seal_stream padding;
} source;

static uint8_t next_byte(void *user) {
    source *s = user;
    return s->at < s->sealed.len ? (uint8_t)s->sealed.data[s->at++]
                                 : sz_seal_stream_next(&s->padding);
}

sz_status sz_hide(sz_cover *c, const sz_seal_keys *keys, const void *message, size_t n,
                  const uint8_t *nonce, const sz_hide_limits *limits, size_t *n_bits) {
    source s = {0};
    sz_status status = sz_seal(keys, message, n, nonce, &s.sealed);
    if (status == SZ_OK) {
        sz_seal_stream_begin(&s.padding, keys->padding, (const uint8_t *)s.sealed.data);
        *n_bits = 8 * s.sealed.len;
        status = sz_hide_bits(c, next_byte, &s, *n_bits, limits);
    }
    sz_buf_free(&s.sealed);
    return status;
}
