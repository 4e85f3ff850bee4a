/* grammar_masks.c: which tokens a grammar allows in a state. The vocabulary is walked in the order
 * of its bytes: a beginning that the grammar refuses removes all tokens that share it at once. The
 * mask of each state is remembered, and texts come back to few states. */
#include "grammar_masks.h"
#include "vocabulary.h"

#include <stdatomic.h>
#include <string.h>
#include <szilard/unstable/model.h>

enum { MASKS = 64 };

typedef struct mask {
    uint32_t state; /* SZ_GRAMMAR_DEAD: free */
    uint64_t used;  /* when it was last wanted */
    uint64_t *bits; /* [(n_vocab + 63) / 64] */
} mask;

struct sz_grammar_masks {
    atomic_uint owners;
    sz_grammar *grammar;
    const sz_model *model;
    sz_vocabulary vocabulary;
    uint32_t *path; /* [longest + 1]: states along a token */
    mask masks[MASKS];
    uint64_t clock;
};

void sz_grammar_masks_release(sz_grammar_masks *s) {
    if (!s || atomic_fetch_sub(&s->owners, 1) > 1)
        return;
    sz_grammar_free(s->grammar);
    sz_vocabulary_free(&s->vocabulary);
    for (size_t i = 0; i < MASKS; i++)
        sz_free(s->masks[i].bits);
    sz_free(s->path);
    sz_free(s);
}

/* ---- Masks ----------------------------------------------------------------------------------- */

static sz_status fill(sz_grammar_masks *s, uint32_t from, uint64_t *bits) {
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

/* The one not wanted for longest makes room. */
sz_status sz_grammar_masks_find(sz_grammar_masks *s, uint32_t state, const uint64_t **out) {
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

/* ---- Owners and states ----------------------------------------------------------------------- */

sz_status sz_grammar_masks_new(const sz_model *model, sz_grammar *grammar, sz_grammar_masks **out) {
    sz_grammar_masks *s = sz_calloc(1, sizeof *s);
    if (!s) {
        sz_grammar_free(grammar);
        return sz_fail(SZ_E_NOMEM, "no memory for a grammar");
    }
    atomic_init(&s->owners, 1);
    s->grammar = grammar;
    s->model = model;
    sz_status status = sz_vocabulary_make(sz_model_tokenizer(model), &s->vocabulary);
    if (status == SZ_OK && !(s->path = sz_alloc((s->vocabulary.longest + 2) * sizeof *s->path)))
        status = sz_fail(SZ_E_NOMEM, "no memory for a grammar");
    if (status != SZ_OK) {
        sz_grammar_masks_release(s);
        return status;
    }
    *out = s;
    return SZ_OK;
}

void sz_grammar_masks_share(sz_grammar_masks *s) {
    atomic_fetch_add(&s->owners, 1);
}

const sz_grammar *sz_grammar_masks_grammar(const sz_grammar_masks *s) {
    return s->grammar;
}

sz_status sz_grammar_masks_follow(sz_grammar_masks *s, int32_t id, uint32_t *state) {
    size_t n = 0;
    uint32_t at = *state;
    const sz_tokenizer *t = sz_model_tokenizer(s->model);
    const char *bytes = sz_tokenizer_piece(t, id, &n);
    if (sz_tokenizer_is_end(t, id))
        return SZ_OK;
    if (!bytes || sz_tokenizer_is_control(t, id))
        at = SZ_GRAMMAR_DEAD;
    for (size_t i = 0; i < n && at != SZ_GRAMMAR_DEAD; i++)
        SZ_TRY(sz_grammar_step(s->grammar, at, (uint8_t)bytes[i], &at));
    *state = at;
    return SZ_OK;
}
