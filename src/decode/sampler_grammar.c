/* sampler_grammar.c: tokens that a grammar allows next. */
#include "grammar_masks.h"
#include "sampler.h"

typedef struct grammar_state {
    sz_grammar_masks *masks; /* all clones share them */
    uint32_t at;
    bool lost; /* a token was drawn that the grammar does not know, or a bound was reached */
} grammar_state;

static sz_status apply(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    const grammar_state *g = state;
    const uint64_t *bits;
    SZ_REQUIRE(!g->lost, SZ_E_STATE, "the text has left its grammar");
    SZ_TRY(sz_grammar_masks_find(g->masks, g->at, &bits));
    sz_candidates_keep_allowed(c, bits);
    SZ_REQUIRE(c->n > 0, SZ_E_STATE, "the grammar allows no token here that is still in play");
    return SZ_OK;
}

static void accept(void *state, const sz_token *drawn) {
    grammar_state *g = state;
    g->lost = g->lost || sz_grammar_masks_follow(g->masks, drawn->id, &g->at) != SZ_OK ||
              g->at == SZ_GRAMMAR_DEAD;
}

static sz_status clone(const void *from, void *to) {
    grammar_state *copy = to;
    *copy = *(const grammar_state *)from;
    sz_grammar_masks_share(copy->masks);
    return SZ_OK;
}

static void end(void *state) {
    sz_grammar_masks_release(((grammar_state *)state)->masks);
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
    sz_grammar_masks *masks;
    uint32_t start = sz_grammar_start(grammar);
    SZ_TRY(sz_grammar_masks_new(model, grammar, &masks));
    grammar_state *g = sz_calloc(1, sizeof *g);
    if (!g) {
        sz_grammar_masks_release(masks);
        return sz_fail(SZ_E_NOMEM, "no memory for a grammar");
    }
    *g = (grammar_state){.masks = masks, .at = start};
    return sz_chain_put(chain, &sampler_grammar, g);
}
