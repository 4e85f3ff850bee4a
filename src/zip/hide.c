/* hide.c: the sender: uniform bits become the tokens of a text. */
#include "zip/writing.h"

#include <string.h>

enum { STALL = 512, MOST_TO_SENTENCE = 128 };
static const double stall_nats = 0.01 * 0.69314718055994530942;

double sz_hide_distance_log2(size_t n_tokens) {
    return sz_log((double)(n_tokens > 0 ? n_tokens : 1)) / 0.69314718055994530942 - 88;
}

/* ---- Where a text may end ------------------------------------------------------------------ */

static bool ends_character(const sz_cover *c) {
    return sz_utf8_complete(c->text.data, c->text.len) == c->text.len;
}

static bool ends_sentence(const sz_cover *c) {
    size_t n = c->text.len;
    while (n > 0 && strchr("\"')*", c->text.data[n - 1]))
        n--;
    return n > 0 && strchr(".!?\n", c->text.data[n - 1]);
}

static size_t most_tokens(const sz_hide_writer *w) {
    return w->limits->max_tokens ? w->limits->max_tokens : SIZE_MAX;
}

static bool has_room(const sz_hide_writer *w) {
    const sz_session *s = w->c->session;
    return w->c->n_ids < most_tokens(w) && sz_session_length(s, 0) < sz_session_context(s);
}

bool sz_hide_goes_on(sz_hide_writer *w) {
    const sz_cover *c = w->c;
    if (w->n_placed < w->n_wanted)
        return true;
    if (c->n_ids == 0 || w->extra >= MOST_TO_SENTENCE || !has_room(w))
        return false;
    w->extra++;
    return !ends_character(c) || (w->limits->sentence && !ends_sentence(c));
}

/* ---- Writing --------------------------------------------------------------------------------- */

static sz_status check_room(const sz_hide_writer *w) {
    SZ_REQUIRE(w->c->n_ids < most_tokens(w), SZ_E_LIMIT,
               "%zu tokens hold %zu of %zu bits: allow more tokens, or a higher temperature",
               most_tokens(w), w->n_placed, w->n_wanted);
    SZ_REQUIRE(has_room(w), SZ_E_LIMIT,
               "the context of %u tokens is full with %zu of %zu bits placed: allow a longer one, "
               "or a higher temperature",
               sz_session_context(w->c->session), w->n_placed, w->n_wanted);
    return SZ_OK;
}

sz_status sz_hide_law(sz_hide_writer *w) {
    SZ_TRY(check_room(w));
    SZ_TRY(sz_cover_law(w->c));
    w->stalled = w->c->pool_entropy < stall_nats ? w->stalled + 1 : 0;
    SZ_REQUIRE(w->stalled < STALL, SZ_E_LIMIT,
               "the text holds almost nothing: %d tokens in a row with less than 0.01 bit. Choose "
               "a higher temperature or another prompt",
               STALL);
    return SZ_OK;
}

sz_status sz_hide_put(sz_hide_writer *w, size_t pool, size_t n_placed) {
    const sz_hide_limits *limits = w->limits;
    size_t index = sz_cover_choose(w->c, pool);
    if (limits->watch)
        limits->watch(limits->user, w->c, index);
    SZ_TRY(sz_cover_take(w->c, index));
    w->n_placed = n_placed < w->n_wanted ? n_placed : w->n_wanted;
    if (limits->progress)
        limits->progress(limits->user, w->n_placed, w->n_wanted);
    return SZ_OK;
}

static sz_status write_bits(sz_hide_writer *w, sz_stego_drawer *d, sz_stego_tracker *t) {
    const sz_cover *c = w->c;
    while (sz_hide_goes_on(w)) {
        SZ_TRY(sz_hide_law(w));
        size_t pool = sz_stego_draw(d, c->pool_cum, c->n_pools);
        SZ_TRY(sz_stego_track(t, c->pool_cum, c->n_pools, pool));
        SZ_TRY(sz_hide_put(w, pool, sz_stego_bits(t)));
    }
    return SZ_OK;
}

sz_status sz_hide_bits(sz_cover *c, sz_stego_next next, void *user, size_t n_bits,
                       const sz_hide_limits *limits) {
    sz_hide_writer w = {.c = c, .limits = limits, .n_wanted = n_bits};
    sz_stego_drawer drawer;
    sz_stego_tracker tracker = {0};
    sz_stego_begin(&drawer, next, user);
    sz_status status = write_bits(&w, &drawer, &tracker);
    sz_stego_free(&tracker);
    return status;
}

/* ---- A message ----------------------------------------------------------------------------- */

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
