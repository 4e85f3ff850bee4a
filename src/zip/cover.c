/* cover.c: the law of the next token of a cover text, in whole numbers. */
#include "zip/cover.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/code.h>

#include "zip/seal.h"
#include "zip/stego.h"

enum { CHUNK = 32 }; /* known tokens that are computed together */

/* ---- The order of bytes -------------------------------------------------------------------- */

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

/* ---- Opening ------------------------------------------------------------------------------- */

static sz_status allocate(sz_cover *c, size_t n_vocab) {
    c->freq = sz_alloc(n_vocab * sizeof *c->freq);
    c->place = sz_alloc(n_vocab * sizeof *c->place);
    c->slot = sz_calloc(n_vocab, sizeof *c->slot);
    c->token = sz_alloc(n_vocab * sizeof *c->token);
    c->token_cum = sz_alloc((n_vocab + 1) * sizeof *c->token_cum);
    c->first = sz_alloc((n_vocab + 1) * sizeof *c->first);
    c->pool_cum = sz_alloc((n_vocab + 1) * sizeof *c->pool_cum);
    SZ_REQUIRE(c->freq && c->place && c->slot && c->token && c->token_cum && c->first &&
                   c->pool_cum,
               SZ_E_NOMEM, "no memory for the law of %zu tokens", n_vocab);
    return SZ_OK;
}

sz_status sz_cover_open(const sz_runtime *rt, sz_session *session, sz_model *model,
                        const sz_cover_config *config, sz_cover *out) {
    *out = (sz_cover){.session = session, .model = model, .config = *config};
    out->tokenizer = sz_model_tokenizer(model);
    size_t n_vocab = sz_tokenizer_n_vocab(out->tokenizer);
    out->n_prompt = sz_session_length(session, 0);
    SZ_REQUIRE(sz_session_logits(session, 0), SZ_E_STATE, "there is no prompt");
    SZ_TRY(sz_chain_parse(config->sampler, &out->chain));
    SZ_TRY(sz_candidates_new(rt, n_vocab, &out->candidates));
    SZ_TRY(allocate(out, n_vocab));
    return order_vocabulary(out->tokenizer, n_vocab, out->place);
}

void sz_cover_close(sz_cover *c) {
    sz_chain_free(c->chain);
    sz_candidates_free(&c->candidates);
    sz_free(c->freq);
    sz_free(c->place);
    sz_free(c->slot);
    sz_free(c->token);
    sz_free(c->token_cum);
    sz_free(c->first);
    sz_free(c->pool_cum);
    sz_free(c->ids);
    sz_buf_free(&c->text);
    *c = (sz_cover){0};
}

/* ---- The law ------------------------------------------------------------------------------- */

/* Drops candidates that cannot be drawn or that a text cannot show. */
static void drop_impossible(const sz_cover *c, sz_candidates *k) {
    size_t kept = 0;
    for (size_t i = 0; i < k->n; i++)
        if (k->logit[i] > -INFINITY && c->place[k->id[i]] != UINT32_MAX) {
            k->id[kept] = k->id[i];
            k->logit[kept++] = k->logit[i];
        }
    k->n = kept;
}

/* The tokens that the samplers keep of those a text can show. */
static sz_status sample(sz_cover *c) {
    sz_candidates *k = &c->candidates;
    const float *logits = sz_session_logits(c->session, c->row);
    sz_candidates_fill(k, logits, sz_tokenizer_n_vocab(c->tokenizer));
    drop_impossible(c, k);
    SZ_REQUIRE(k->n > 0, SZ_E_NAN, "no token that a text can show is possible");
    sz_sampler_input input = {.model = c->model,
                              .stats = sz_session_stats(c->session, c->row),
                              .logits = logits,
                              .seed = c->config.seed};
    SZ_TRY(sz_session_records(c->session, 0, &input.history, &input.n_history));
    input.n_history = c->n_prompt + c->n_ids; /* without what was computed ahead */
    SZ_TRY(sz_chain_apply(c->chain, &input, k));
    drop_impossible(c, k);
    return SZ_OK;
}

static int by_place(const void *a, const void *b) {
    const sz_cover_token *x = a, *y = b;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* The candidates as tokens, in the order of bytes where the wire is text: many by a walk over all
 * places, few by sorting. */
static void list_tokens(sz_cover *c) {
    const sz_candidates *k = &c->candidates;
    size_t n_vocab = sz_tokenizer_n_vocab(c->tokenizer);
    bool walk = !c->config.as_tokens && k->n >= n_vocab / 32;
    c->n = 0;
    for (size_t i = 0; i < k->n; i++) {
        uint32_t place = c->place[k->id[i]];
        if (walk)
            c->slot[place] = (uint32_t)i + 1;
        else
            c->token[c->n++] = (sz_cover_token){k->id[i], (uint32_t)i, place};
    }
    for (size_t place = 0; walk && place < n_vocab; place++)
        if (c->slot[place]) {
            uint32_t i = c->slot[place] - 1;
            c->slot[place] = 0;
            c->token[c->n++] = (sz_cover_token){k->id[i], i, (uint32_t)place};
        }
    if (!walk && !c->config.as_tokens)
        qsort(c->token, c->n, sizeof *c->token, by_place);
}

/* Frequencies are made in the order of ids, so that the wire does not change them. */
static sz_status count(sz_cover *c) {
    const sz_candidates *k = &c->candidates;
    list_tokens(c);
    if (c->n > 1)
        SZ_TRY(sz_freq_from_logits(k->logit, k->n, c->freq));
    c->token_cum[0] = 0;
    for (size_t i = 0; i < c->n; i++)
        c->token_cum[i + 1] = c->token_cum[i] + (c->n > 1 ? c->freq[c->token[i].candidate] : 0);
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

/* Entropy and varentropy of parts of 2^32. */
static void measure(const uint64_t *cum, size_t n, double *entropy, double *variance) {
    double h = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t part = cum[i + 1] - cum[i];
        double p = (double)part * 0x1p-32, bits = cost(part);
        h += p * bits;
        squares += p * bits * bits;
    }
    *entropy = h;
    *variance = squares > h * h ? squares - h * h : 0;
}

sz_status sz_cover_law(sz_cover *c) {
    double unused;
    SZ_TRY(sample(c));
    SZ_TRY(count(c));
    pool(c);
    measure(c->token_cum, c->n, &c->token_entropy, &c->token_variance);
    c->pool_entropy = c->token_entropy;
    if (c->n_pools < c->n)
        measure(c->pool_cum, c->n_pools, &c->pool_entropy, &unused);
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

/* ---- Taking a token ------------------------------------------------------------------------ */

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

void sz_cover_foresee(sz_cover *c, const int32_t *ids, size_t n) {
    c->ahead = ids;
    c->n_ahead = n;
}

/* Gets the logits after the token, and with it of what is known to follow. */
static sz_status compute(sz_cover *c, int32_t id) {
    bool known = c->n_ahead > 0 && c->ahead[0] == id;
    size_t room = sz_session_context(c->session) - sz_session_length(c->session, 0);
    size_t n = !known ? 1 : c->n_ahead < CHUNK ? c->n_ahead : CHUNK;
    sz_span span = {.seq = 0, .ids = known ? c->ahead : &id, .n = 1, .want = SZ_ALL};
    span.n = (uint32_t)(n > room && room > 0 ? room : n);
    c->row++;
    if (c->row >= c->n_rows) {
        SZ_TRY(sz_session_forward(c->session, &span, 1));
        c->row = 0;
        c->n_rows = span.n;
    }
    if (known) {
        c->ahead++;
        c->n_ahead--;
    }
    return SZ_OK;
}

sz_status sz_cover_take(sz_cover *c, size_t index) {
    int32_t id = c->token[index].id;
    double surprisal = cost(c->token_cum[index + 1] - c->token_cum[index]);
    sz_token record = {.id = id,
                       .flags = SZ_TOKEN_GENERATED,
                       .draw_surprisal = (float)surprisal,
                       .kept_n = (uint32_t)c->n};
    SZ_TRY(remember(c, id));
    c->surprisal += surprisal;
    c->entropy += c->token_entropy;
    c->variance += c->token_variance;
    sz_seal_mix(c->config.key, c->state, &id, sizeof id);
    SZ_TRY(compute(c, id));
    sz_chain_accept(c->chain, &record);
    return SZ_OK;
}
