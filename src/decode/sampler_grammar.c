/* sampler_grammar.c: tokens that a grammar allows next. The vocabulary is walked in the order of
 * its bytes: a beginning that the grammar refuses removes all tokens that share it at once. The
 * mask of each state is remembered, and texts come back to few states. */
#include <stdatomic.h>
#include <string.h>
#include <szilard/unstable/model.h>

#include "sampler.h"
#include "vocabulary.h"

enum { MASKS = 64 };

typedef struct mask {
    uint32_t state; /* SZ_GRAMMAR_DEAD: free */
    uint64_t used;  /* when it was last wanted */
    uint64_t *bits; /* [(n_vocab + 63) / 64] */
} mask;

/* What all clones share. */
typedef struct shared {
    atomic_uint owners;
    sz_grammar *grammar;
    const sz_model *model;
    sz_vocabulary vocabulary;
    uint32_t *path; /* [longest + 1]: states along a token */
    mask masks[MASKS];
    uint64_t clock;
} shared;

typedef struct grammar_state {
    shared *shared;
    uint32_t at;
    bool lost; /* a token was drawn that the grammar does not know, or a bound was reached */
} grammar_state;

static void release(shared *s) {
    if (!s || atomic_fetch_sub(&s->owners, 1) > 1)
        return;
    sz_grammar_free(s->grammar);
    sz_vocabulary_free(&s->vocabulary);
    for (size_t i = 0; i < MASKS; i++)
        sz_free(s->masks[i].bits);
    sz_free(s->path);
    sz_free(s);
}

/* ---- Masks
 * ------------------------------------------------------------------------------------------ */

static sz_status fill(shared *s, uint32_t from, uint64_t *bits) {
    const sz_vocabulary *v = &s->vocabulary;
    memset(bits, 0, (v->n_vocab + 63) / 64 * sizeof *bits);
    uint32_t known = 0; /* bytes of the token before whose states stand in the path */
    s->path[0] = from;
    for (size_t i = 0; i < v->n; i++) {
        uint32_t at = v->shared[i] < known ? v->shared[i] : known;
        if (at < v->shared[i]) /* refused where the one before was */
            continue;
        while (at < v->length[i] && s->path[at] != SZ_GRAMMAR_DEAD) {
            SZ_TRY(sz_grammar_step(s->grammar, s->path[at], (uint8_t)v->bytes[i][at],
                                   &s->path[at + 1]));
            at++;
        }
        bool allowed = s->path[at] != SZ_GRAMMAR_DEAD;
        known = allowed ? at : at - 1;
        if (allowed)
            bits[v->id[i] / 64] |= 1ull << (v->id[i] % 64);
    }
    for (size_t i = 0; i < v->n_end && sz_grammar_accepts(s->grammar, from); i++)
        bits[v->end[i] / 64] |= 1ull << (v->end[i] % 64);
    return SZ_OK;
}

/* The mask of a state; the one not wanted for longest makes room. */
static sz_status find_mask(shared *s, uint32_t state, const uint64_t **out) {
    mask *oldest = &s->masks[0];
    for (size_t i = 0; i < MASKS; i++) {
        mask *m = &s->masks[i];
        if (m->state == state && m->bits) {
            m->used = ++s->clock;
            *out = m->bits;
            return SZ_OK;
        }
        oldest = m->used < oldest->used ? m : oldest;
    }
    size_t words = (s->vocabulary.n_vocab + 63) / 64;
    if (!oldest->bits)
        oldest->bits = sz_alloc(words * sizeof *oldest->bits + 1);
    SZ_REQUIRE(oldest->bits, SZ_E_NOMEM, "no memory for the mask of a grammar");
    oldest->state = SZ_GRAMMAR_DEAD;
    oldest->used = 0;
    SZ_TRY(fill(s, state, oldest->bits));
    oldest->state = state;
    oldest->used = ++s->clock;
    *out = oldest->bits;
    return SZ_OK;
}

/* ---- The sampler
 * ------------------------------------------------------------------------------------ */

static sz_status apply(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    const grammar_state *g = state;
    const uint64_t *bits;
    size_t kept = 0;
    SZ_REQUIRE(!g->lost, SZ_E_STATE, "the text has left its grammar");
    SZ_TRY(find_mask(g->shared, g->at, &bits));
    for (size_t i = 0; i < c->n; i++) {
        int32_t id = c->id[i];
        if (!(bits[id / 64] >> (id % 64) & 1))
            continue;
        c->id[kept] = id;
        c->logit[kept++] = c->logit[i];
    }
    SZ_REQUIRE(kept > 0, SZ_E_STATE, "the grammar allows no token here that is still in play");
    c->n = kept;
    return SZ_OK;
}

static void accept(void *state, const sz_token *drawn) {
    grammar_state *g = state;
    size_t n = 0;
    const sz_tokenizer *t = sz_model_tokenizer(g->shared->model);
    const char *bytes = sz_tokenizer_piece(t, drawn->id, &n);
    if (sz_tokenizer_is_end(t, drawn->id))
        return;
    g->lost = g->lost || !bytes || sz_tokenizer_is_control(t, drawn->id);
    for (size_t i = 0; i < n && !g->lost; i++)
        g->lost = sz_grammar_step(g->shared->grammar, g->at, (uint8_t)bytes[i], &g->at) != SZ_OK ||
                  g->at == SZ_GRAMMAR_DEAD;
}

static sz_status clone(const void *from, void *to) {
    grammar_state *copy = to;
    *copy = *(const grammar_state *)from;
    atomic_fetch_add(&copy->shared->owners, 1);
    return SZ_OK;
}

static void end(void *state) {
    release(((grammar_state *)state)->shared);
}

static const sz_sampler_kind sampler_grammar = {
    .name = "grammar",
    .help = "keep the tokens that a grammar allows",
    .state_bytes = sizeof(grammar_state),
    .clone = clone,
    .end = end,
    .apply = apply,
    .accept = accept,
};

sz_status sz_chain_add_grammar(sz_chain *chain, const sz_model *model, sz_grammar *grammar) {
    shared *s = sz_calloc(1, sizeof *s);
    grammar_state *g = sz_calloc(1, sizeof *g);
    if (!s || !g) {
        sz_grammar_free(grammar);
        sz_free(s);
        sz_free(g);
        return sz_fail(SZ_E_NOMEM, "no memory for a grammar");
    }
    atomic_init(&s->owners, 1);
    s->grammar = grammar;
    s->model = model;
    sz_status status = sz_vocabulary_make(sz_model_tokenizer(model), &s->vocabulary);
    if (status == SZ_OK && !(s->path = sz_alloc((s->vocabulary.longest + 2) * sizeof *s->path)))
        status = sz_fail(SZ_E_NOMEM, "no memory for a grammar");
    if (status != SZ_OK) {
        release(s);
        sz_free(g);
        return status;
    }
    *g = (grammar_state){.shared = s, .at = sz_grammar_start(grammar)};
    return sz_chain_put(chain, &sampler_grammar, g);
}
