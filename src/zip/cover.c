/* cover.c: the law of the next token of a cover text, in whole numbers. */
#include "zip/cover.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/code.h>

#include "zip/seal.h"
#include "zip/stego.h"

/* ---- The order of bytes
 * --------------------------------------------------------------------------- */

typedef struct piece {
    const char *bytes;
    size_t n;
    int32_t id;
} piece;

static int by_bytes(const void *a, const void *b) {
    const piece *x = a, *y = b;
    int order = memcmp(x->bytes, y->bytes, x->n < y->n ? x->n : y->n);
    if (order != 0)
        return order;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Control tokens, which a text does not show, and tokens without bytes have no place. */
static sz_status order_vocabulary(const sz_tokenizer *t, size_t n_vocab, uint32_t *place) {
    piece *pieces = sz_alloc(n_vocab * sizeof *pieces);
    size_t n = 0;
    SZ_REQUIRE(pieces, SZ_E_NOMEM, "no memory for a vocabulary of %zu", n_vocab);
    for (size_t id = 0; id < n_vocab; id++) {
        piece p = {.id = (int32_t)id};
        p.bytes = sz_tokenizer_piece(t, p.id, &p.n);
        place[id] = UINT32_MAX;
        if (p.bytes && p.n > 0 && !sz_tokenizer_is_control(t, p.id) &&
            !sz_tokenizer_is_end(t, p.id))
            pieces[n++] = p;
    }
    qsort(pieces, n, sizeof *pieces, by_bytes);
    for (size_t i = 0; i < n; i++)
        place[pieces[i].id] = (uint32_t)i;
    sz_free(pieces);
    SZ_REQUIRE(n > 0, SZ_E_UNSUPPORTED, "the model has no token that a text can show");
    return SZ_OK;
}

/* ---- Opening
 * ------------------------------------------------------------------------------------- */

static sz_status allocate(sz_cover *c, size_t n_vocab) {
    c->logits = sz_alloc(n_vocab * sizeof *c->logits);
    c->freq = sz_alloc(n_vocab * sizeof *c->freq);
    c->place = sz_alloc(n_vocab * sizeof *c->place);
    c->token = sz_alloc(n_vocab * sizeof *c->token);
    c->token_cum = sz_alloc((n_vocab + 1) * sizeof *c->token_cum);
    c->first = sz_alloc((n_vocab + 1) * sizeof *c->first);
    c->pool_cum = sz_alloc((n_vocab + 1) * sizeof *c->pool_cum);
    SZ_REQUIRE(c->logits && c->freq && c->place && c->token && c->token_cum && c->first &&
                   c->pool_cum,
               SZ_E_NOMEM, "no memory for the law of %zu tokens", n_vocab);
    return SZ_OK;
}

sz_status sz_cover_open(const sz_runtime *rt, sz_session *session, sz_model *model,
                        const sz_cover_config *config, sz_cover *out) {
    *out = (sz_cover){.session = session, .model = model, .config = *config};
    out->tokenizer = sz_model_tokenizer(model);
    size_t n_vocab = sz_tokenizer_n_vocab(out->tokenizer);
    SZ_REQUIRE(sz_session_logits(session, 0), SZ_E_STATE, "there is no prompt");
    SZ_TRY(sz_chain_parse(config->sampler, &out->chain));
    SZ_TRY(sz_candidates_new(rt, n_vocab, &out->candidates));
    SZ_TRY(allocate(out, n_vocab));
    return order_vocabulary(out->tokenizer, n_vocab, out->place);
}

void sz_cover_close(sz_cover *c) {
    sz_chain_free(c->chain);
    sz_candidates_free(&c->candidates);
    sz_free(c->logits);
    sz_free(c->freq);
    sz_free(c->place);
    sz_free(c->token);
    sz_free(c->token_cum);
    sz_free(c->first);
    sz_free(c->pool_cum);
    sz_free(c->ids);
    sz_buf_free(&c->text);
    *c = (sz_cover){0};
}

/* ---- The law
 * ----------------------------------------------------------------------------------------- */

/* The tokens that the samplers keep of those a text can show. */
static sz_status sample(sz_cover *c) {
    sz_candidates *k = &c->candidates;
    const float *logits = sz_session_logits(c->session, 0);
    size_t kept = 0;
    sz_candidates_fill(k, logits, sz_tokenizer_n_vocab(c->tokenizer));
    for (size_t i = 0; i < k->n; i++)
        if (c->place[k->id[i]] != UINT32_MAX && k->logit[i] > -INFINITY) {
            k->id[kept] = k->id[i];
            k->logit[kept++] = k->logit[i];
        }
    k->n = kept;
    SZ_REQUIRE(kept > 0, SZ_E_NAN, "no token that a text can show is possible");
    sz_sampler_input input = {.model = c->model,
                              .stats = sz_session_stats(c->session, 0),
                              .logits = logits,
                              .seed = c->config.seed};
    SZ_TRY(sz_session_records(c->session, 0, &input.history, &input.n_history));
    return sz_chain_apply(c->chain, &input, k);
}

static int by_place(const void *a, const void *b) {
    const sz_cover_token *x = a, *y = b;
    return x->place < y->place ? -1 : x->place > y->place;
}

static sz_status count(sz_cover *c) {
    const sz_candidates *k = &c->candidates;
    c->n = 0;
    for (size_t i = 0; i < k->n; i++)
        if (k->logit[i] > -INFINITY) {
            c->logits[c->n] = k->logit[i];
            c->token[c->n++] = (sz_cover_token){k->id[i], 0, c->place[k->id[i]]};
        }
    if (c->n > 1)
        SZ_TRY(sz_freq_from_logits(c->logits, c->n, c->freq));
    for (size_t i = 0; c->n > 1 && i < c->n; i++)
        c->token[i].freq = c->freq[i];
    if (!c->config.as_tokens)
        qsort(c->token, c->n, sizeof *c->token, by_place);
    c->token_cum[0] = 0;
    for (size_t i = 0; i < c->n; i++)
        c->token_cum[i + 1] = c->token_cum[i] + c->token[i].freq;
    c->token_cum[c->n] = SZ_STEGO_TOTAL;
    return SZ_OK;
}

static bool begins(const char *bytes, size_t n, const char *with, size_t n_with) {
    return n >= n_with && memcmp(bytes, with, n_with) == 0;
}

/* In the order of bytes, the tokens that begin with a shorter one follow it. */
static void pool(sz_cover *c) {
    const char *root = NULL;
    size_t n_root = 0;
    c->n_pools = 0;
    for (size_t i = 0; i < c->n; i++) {
        size_t n;
        const char *bytes = sz_tokenizer_piece(c->tokenizer, c->token[i].id, &n);
        if (!c->config.as_tokens && root && begins(bytes, n, root, n_root))
            continue;
        root = bytes;
        n_root = n;
        c->pool_cum[c->n_pools] = c->token_cum[i];
        c->first[c->n_pools++] = (uint32_t)i;
    }
    c->pool_cum[c->n_pools] = SZ_STEGO_TOTAL;
    c->first[c->n_pools] = (uint32_t)c->n;
}

/* -ln p of a part of 2^32. */
static double cost(uint64_t part) {
    return -sz_log((double)part * 0x1p-32);
}

static double entropy(const uint64_t *cum, size_t n) {
    double h = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t part = cum[i + 1] - cum[i];
        h += (double)part * 0x1p-32 * cost(part);
    }
    return h;
}

sz_status sz_cover_law(sz_cover *c) {
    SZ_TRY(sample(c));
    SZ_TRY(count(c));
    pool(c);
    c->pool_entropy = entropy(c->pool_cum, c->n_pools);
    return SZ_OK;
}

size_t sz_cover_choose(const sz_cover *c, size_t pool) {
    size_t from = c->first[pool], to = c->first[pool + 1];
    if (to - from == 1)
        return from;
    uint8_t random[16];
    sz_wide uniform = 0;
    memcpy(random, c->state, sizeof random);
    sz_seal_mix(c->config.key, random, "draw", 4);
    for (size_t i = 0; i < sizeof random; i++)
        uniform = uniform << 8 | random[i];
    uint64_t mass = c->token_cum[to] - c->token_cum[from];
    /* floor(uniform mass / 2^128), by halves */
    sz_wide low = (sz_wide)(uint64_t)uniform * mass >> 64;
    uint64_t target = (uint64_t)(((uniform >> 64) * mass + low) >> 64);
    size_t i = from;
    while (c->token_cum[i + 1] - c->token_cum[from] <= target)
        i++;
    return i;
}

size_t sz_cover_pool_of_bytes(const sz_cover *c, const char *bytes, size_t n) {
    size_t low = 0, high = c->n_pools; /* the last whose first token is not behind the bytes */
    while (high > low) {
        size_t middle = low + (high - low) / 2;
        piece first = {.id = c->token[c->first[middle]].id}, text = {bytes, n, INT32_MAX};
        first.bytes = sz_tokenizer_piece(c->tokenizer, first.id, &first.n);
        if (by_bytes(&first, &text) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return c->n_pools;
    size_t n_first;
    const char *first = sz_tokenizer_piece(c->tokenizer, c->token[c->first[low - 1]].id, &n_first);
    return begins(bytes, n, first, n_first) ? low - 1 : c->n_pools;
}

size_t sz_cover_pool_of_id(const sz_cover *c, int32_t id) {
    for (size_t pool = 0; pool < c->n_pools; pool++)
        if (c->token[c->first[pool]].id == id)
            return pool;
    return c->n_pools;
}

/* ---- Taking a token
 * --------------------------------------------------------------------------------- */

static sz_status remember(sz_cover *c, int32_t id) {
    size_t n;
    const char *bytes = sz_tokenizer_piece(c->tokenizer, id, &n);
    if (c->n_ids == c->cap_ids) {
        size_t cap = c->cap_ids ? 2 * c->cap_ids : 256;
        int32_t *more = sz_realloc(c->ids, c->cap_ids * sizeof *more, cap * sizeof *more);
        SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for %zu tokens", cap);
        c->ids = more;
        c->cap_ids = cap;
    }
    sz_buf_append(&c->text, bytes, n);
    SZ_REQUIRE(!c->text.failed, SZ_E_NOMEM, "no memory for the text");
    c->ids[c->n_ids++] = id;
    return SZ_OK;
}

static void account(sz_cover *c, double surprisal) {
    double h = entropy(c->token_cum, c->n);
    c->surprisal += surprisal;
    c->entropy += h;
    for (size_t i = 0; i < c->n; i++) {
        uint64_t part = c->token_cum[i + 1] - c->token_cum[i];
        double off = cost(part) - h;
        c->variance += (double)part * 0x1p-32 * off * off;
    }
}

sz_status sz_cover_take(sz_cover *c, size_t index) {
    int32_t id = c->token[index].id;
    double surprisal = cost(c->token_cum[index + 1] - c->token_cum[index]);
    sz_token record = {.id = id,
                       .flags = SZ_TOKEN_GENERATED,
                       .draw_surprisal = (float)surprisal,
                       .kept_n = (uint32_t)c->n};
    sz_span span = {.seq = 0, .ids = &id, .n = 1, .want = SZ_LAST};
    SZ_TRY(remember(c, id));
    account(c, surprisal);
    sz_seal_mix(c->config.key, c->state, &id, sizeof id);
    SZ_TRY(sz_session_forward(c->session, &span, 1));
    sz_chain_accept(c->chain, &record);
    return SZ_OK;
}
