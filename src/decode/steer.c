/* steer.c: particles that are sequences: how they draw, what they weigh, how they are copied. */
#include "continuations.h"
#include "grammar_masks.h"
#include "sampler.h"

#include <math.h>
#include <string.h>
#include <szilard/unstable/num.h>
#include <szilard/unstable/router.h>
#include <szilard/unstable/steer.h>

#define NOBODY UINT32_MAX

typedef struct particle {
    uint32_t seq, other; /* NOBODY: none */
    uint32_t state;      /* of the grammar */
    bool drawn, ended, done;
    double log_probability, log_score;
    sz_token next; /* the latest token; that of a particle that is done is never computed */
} particle;

typedef struct steer {
    sz_session *s;
    const sz_steering *config;
    sz_grammar_masks *masks; /* NULL: no grammar */
    size_t base, max_tokens;
    particle *particles, *old; /* [n] */
    size_t n;
    uint32_t *seqs; /* [n], of one pass */
    sz_token *tokens;
    uint32_t *which; /* [n]: particles whose texts are scored */
    sz_steer_text *texts;
    double *log_scores;
    size_t n_passes, n_computed;
} steer;

static sz_sequence *sequence_of(const steer *t, const particle *p) {
    return &t->s->sequences[p->seq];
}

/* ---- Drawing --------------------------------------------------------------------------------- */

/* ln of the sum of exp(logit). */
static double log_mass(const sz_candidates *c) {
    return c->n && sz_candidates_max(c) > -INFINITY
               ? (double)sz_candidates_max(c) + sz_log(sz_candidates_weights(c))
               : -INFINITY;
}

static sz_status fill(const sz_sampler_input *in, sz_chain *chain, size_t n_vocab,
                      sz_candidates *c) {
    sz_candidates_fill(c, in->logits, n_vocab);
    if (chain)
        return sz_chain_apply(chain, in, c);
    sz_candidates_keep_top(c, 1); /* greedy */
    return SZ_OK;
}

/* Draws among what the sampler keeps and the grammar allows. *increment: ln of the share of the
 * sampler's distribution that is allowed; -infinity: nothing is. */
static sz_status draw(steer *t, particle *p, double *increment) {
    sz_session *s = t->s;
    sz_sequence *q = sequence_of(t, p);
    const uint64_t *bits;
    size_t n_vocab = s->model->h.n_vocab;
    sz_candidates c = {s->candidate_id, s->candidate_logit, s->candidate_scratch, 0,
                       sz_runtime_kernels(s->model->rt)};
    sz_sampler_input in = {.model = s->model,
                           .history = q->records,
                           .n_history = q->n_records,
                           .stats = &q->stats,
                           .logits = q->logits,
                           .seed = q->seed,
                           .stream = q->stream};
    SZ_TRY(fill(&in, q->chain, n_vocab, &c));
    *increment = 0.0;
    if (t->masks) {
        double all = log_mass(&c);
        SZ_TRY(sz_grammar_masks_find(t->masks, p->state, &bits));
        sz_candidates_keep_allowed(&c, bits);
        double allowed = log_mass(&c);
        *increment = allowed - all < 0.0 ? allowed - all : 0.0;
    }
    if (*increment == -INFINITY)
        return SZ_OK;
    sz_candidates_draw(&c, &in, n_vocab, &p->next);
    p->drawn = true;
    return t->masks ? sz_grammar_masks_follow(t->masks, p->next.id, &p->state) : SZ_OK;
}

/* A step of one particle, up to what its text is scored by. */
static sz_status step_one(steer *t, particle *p, double *increment) {
    SZ_TRY(draw(t, p, increment));
    if (*increment == -INFINITY)
        return SZ_OK;
    const sz_sequence *q = sequence_of(t, p);
    p->log_probability += sz_log_probability(q, p->next.id);
    if (p->other != NOBODY)
        *increment += t->config->other_power *
                      sz_log_probability(&t->config->other->sequences[p->other], p->next.id);
    p->ended = sz_tokenizer_is_end(t->s->model->tokenizer, p->next.id);
    p->done = p->ended || q->n_records - t->base + 1 == t->max_tokens;
    if (p->done && t->masks && !sz_grammar_accepts(sz_grammar_masks_grammar(t->masks), p->state))
        *increment = -INFINITY; /* cut before the grammar's end */
    return SZ_OK;
}

/* ---- Scores of texts ------------------------------------------------------------------------- */

/* The bytes of a particle's tokens, one text after the other. */
static void put_text(const steer *t, const particle *p, sz_buf *b) {
    const sz_sequence *q = sequence_of(t, p);
    const sz_tokenizer *tokenizer = t->s->model->tokenizer;
    for (size_t i = t->base; i < q->n_records; i++)
        sz_tokenizer_decode(tokenizer, &q->records[i].id, 1, false, false, b);
    if (!p->ended)
        sz_tokenizer_decode(tokenizer, &p->next.id, 1, false, false, b);
}

/* Scores telescope: a text's weight has its latest score in place of the one before. */
static sz_status score_some(steer *t, size_t n, sz_buf *b, double *increments) {
    for (size_t i = 0; i < n; i++) {
        const particle *p = &t->particles[t->which[i]];
        size_t from = b->len;
        put_text(t, p, b);
        t->texts[i] = (sz_steer_text){NULL, b->len - from, p->done};
        sz_buf_putc(b, '\0');
    }
    SZ_REQUIRE(!b->failed, SZ_E_NOMEM, "no memory for %zu texts", n);
    for (size_t i = 0, at = 0; i < n; at += t->texts[i++].n + 1)
        t->texts[i].bytes = b->data + at;
    SZ_TRY(t->config->score(t->config->score_user, t->texts, n, t->log_scores));
    for (size_t i = 0; i < n; i++) {
        particle *p = &t->particles[t->which[i]];
        SZ_REQUIRE(t->log_scores[i] < INFINITY, SZ_E_NAN, "the score of '%.40s' is %g",
                   t->texts[i].bytes, t->log_scores[i]);
        increments[t->which[i]] += t->log_scores[i] - p->log_score;
        p->log_score = t->log_scores[i];
    }
    return SZ_OK;
}

static sz_status score(steer *t, size_t step, double *increments) {
    size_t n = 0, every = t->config->score_every;
    bool all = every > 0 && (step + 1) % every == 0;
    if (!t->config->score)
        return SZ_OK;
    for (size_t i = 0; i < t->n; i++) {
        const particle *p = &t->particles[i];
        if (p->drawn && increments[i] > -INFINITY && (p->done || all))
            t->which[n++] = (uint32_t)i;
    }
    sz_buf b = {0};
    sz_status status = n ? score_some(t, n, &b, increments) : SZ_OK;
    sz_buf_free(&b);
    return status;
}

/* ---- A step of all --------------------------------------------------------------------------- */

/* Computes the tokens of those that go on: [n] of them, in either model. */
static sz_status advance(steer *t, const double *increments, size_t *n_left) {
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++)
        if (t->particles[i].drawn && !t->particles[i].done && increments[i] > -INFINITY) {
            t->which[n] = (uint32_t)i;
            t->seqs[n] = t->particles[i].seq;
            t->tokens[n++] = t->particles[i].next;
        }
    *n_left = n;
    if (n == 0)
        return SZ_OK;
    SZ_TRY(sz_session_advance(t->s, t->seqs, t->tokens, n));
    t->n_passes++;
    t->n_computed += n;
    if (!t->config->other)
        return SZ_OK;
    for (size_t i = 0; i < n; i++)
        t->seqs[i] = t->particles[t->which[i]].other;
    return sz_session_advance(t->config->other, t->seqs, t->tokens, n);
}

static sz_status step_all(void *user, size_t step, const double *log_weights, double *increments,
                          size_t *n_left) {
    steer *t = user;
    for (size_t i = 0; i < t->n; i++) {
        particle *p = &t->particles[i];
        p->drawn = false;
        if (!p->done && log_weights[i] > -INFINITY)
            SZ_TRY(step_one(t, p, &increments[i]));
    }
    SZ_TRY(score(t, step, increments));
    return advance(t, increments, n_left);
}

/* ---- Copies ---------------------------------------------------------------------------------- */

static void drop(steer *t, particle *p) {
    if (p->seq != NOBODY)
        sz_session_drop(t->s, p->seq);
    if (p->other != NOBODY)
        sz_session_drop(t->config->other, p->other);
    p->seq = p->other = NOBODY;
}

static sz_status copy(steer *t, uint32_t seq, uint32_t other, particle *p) {
    p->seq = p->other = NOBODY;
    SZ_TRY(sz_session_fork(t->s, seq, &p->seq));
    return t->config->other ? sz_session_fork(t->config->other, other, &p->other) : SZ_OK;
}

/* The first child of a particle gets its sequences, the others forks, which draw numbers of their
 * own. */
static sz_status resample(void *user, const uint32_t *ancestors) {
    steer *t = user;
    uint32_t *heir = t->which; /* of each old particle */
    memcpy(t->old, t->particles, t->n * sizeof *t->old);
    for (size_t i = 0; i < t->n; i++)
        heir[i] = NOBODY;
    for (size_t i = t->n; i-- > 0;)
        heir[ancestors[i]] = (uint32_t)i;
    for (size_t i = 0; i < t->n; i++)
        if (heir[i] == NOBODY)
            drop(t, &t->old[i]);
    for (size_t i = 0; i < t->n; i++) {
        t->particles[i] = t->old[ancestors[i]];
        if (heir[ancestors[i]] != i)
            t->particles[i].seq = t->particles[i].other = NOBODY;
    }
    for (size_t i = 0; i < t->n; i++) {
        const particle *from = &t->particles[heir[ancestors[i]]];
        if (heir[ancestors[i]] != i)
            SZ_TRY(copy(t, from->seq, from->other, &t->particles[i]));
    }
    return SZ_OK;
}

/* ---- The run --------------------------------------------------------------------------------- */

static sz_status take_all(const steer *t, sz_continuations *out) {
    SZ_TRY(sz_continuations_reserve(out, t->n));
    out->n_passes = t->n_passes;
    out->n_computed = t->n_computed;
    for (; out->n < t->n; out->n++) {
        const particle *p = &t->particles[out->n];
        if (!p->drawn && !p->done) /* stopped where the grammar allows nothing */
            continue;
        SZ_TRY(sz_continuation_take(sequence_of(t, p), t->base, &p->next, p->log_probability, 0.0,
                                    p->ended, &out->v[out->n]));
    }
    return SZ_OK;
}

static sz_status run(steer *t, uint32_t seq, sz_steered *out) {
    const sz_steering *c = t->config;
    sz_sequence *parent = &t->s->sequences[seq];
    sz_weight_figures figures;
    for (size_t i = 0; i < t->n; i++) {
        particle *p = &t->particles[i];
        if (t->masks)
            p->state = sz_grammar_start(sz_grammar_masks_grammar(t->masks));
        SZ_TRY(copy(t, seq, c->other_seq, p));
    }
    sz_smc_config smc = {.n_particles = t->n,
                         .scheme = c->scheme,
                         .threshold = c->threshold,
                         .seed = parent->seed,
                         .stream = sz_sequence_new_stream(parent),
                         .observe = c->observe,
                         .observe_user = c->observe_user};
    SZ_TRY(
        sz_smc_run(&(sz_smc_model){t, step_all, resample}, &smc, out->log_weights, &out->account));
    SZ_TRY(sz_weights_measure(out->log_weights, t->n, out->shares, &figures));
    return take_all(t, &out->texts);
}

static sz_status allocate(steer *t, sz_steered *out) {
    size_t n = t->n;
    t->particles = sz_calloc(n, sizeof *t->particles);
    t->old = sz_calloc(n, sizeof *t->old);
    t->seqs = sz_alloc(n * sizeof *t->seqs);
    t->tokens = sz_alloc(n * sizeof *t->tokens);
    t->which = sz_alloc(n * sizeof *t->which);
    t->texts = sz_alloc(n * sizeof *t->texts);
    t->log_scores = sz_alloc(n * sizeof *t->log_scores);
    out->log_weights = sz_alloc(n * sizeof *out->log_weights);
    out->shares = sz_alloc(n * sizeof *out->shares);
    for (size_t i = 0; t->particles && i < n; i++)
        t->particles[i].seq = t->particles[i].other = NOBODY;
    SZ_REQUIRE(t->particles && t->old && t->seqs && t->tokens && t->which && t->texts &&
                   t->log_scores && out->log_weights && out->shares,
               SZ_E_NOMEM, "no memory for %zu particles", n);
    return SZ_OK;
}

static void release(steer *t) {
    for (size_t i = 0; t->particles && i < t->n; i++)
        drop(t, &t->particles[i]);
    sz_grammar_masks_release(t->masks);
    sz_free(t->particles);
    sz_free(t->old);
    sz_free(t->seqs);
    sz_free(t->tokens);
    sz_free(t->which);
    sz_free(t->texts);
    sz_free(t->log_scores);
}

static sz_status begin_other(steer *t) {
    const sz_steering *c = t->config;
    sz_branching b = {.n = c->n_particles, .max_tokens = t->max_tokens};
    if (!c->other)
        return SZ_OK;
    SZ_REQUIRE(c->other != t->s, SZ_E_ARG, "the other model needs a session of its own");
    SZ_REQUIRE(c->other_power - c->other_power == 0.0, SZ_E_NAN,
               "the power of the other model's probability is %g", c->other_power);
    SZ_TRY(sz_router_check_pair(c->other->model, t->s->model));
    return sz_continuations_begin(c->other, c->other_seq, &b, &t->max_tokens);
}

static sz_status begin(steer *t, uint32_t seq) {
    sz_branching b = {.n = t->config->n_particles, .max_tokens = t->config->max_tokens};
    SZ_TRY(sz_continuations_begin(t->s, seq, &b, &t->max_tokens));
    t->base = t->s->sequences[seq].n_records;
    return begin_other(t);
}

void sz_steered_free(sz_steered *s) {
    sz_continuations_free(&s->texts);
    sz_free(s->log_weights);
    sz_free(s->shares);
    *s = (sz_steered){0};
}

sz_status sz_session_steer(sz_session *s, uint32_t seq, const sz_steering *config,
                           sz_steered *out) {
    SZ_REQUIRE(config, SZ_E_ARG, "sz_session_steer: no config");
    if (!s || !out) {
        sz_grammar_free(config->grammar);
        return sz_fail(SZ_E_ARG, "sz_session_steer: a NULL argument");
    }
    steer t = {.s = s, .config = config, .n = config->n_particles};
    sz_steered made = {0};
    sz_status status = SZ_OK;
    if (config->grammar)
        status = sz_grammar_masks_new(s->model, config->grammar, &t.masks);
    if (status == SZ_OK)
        status = begin(&t, seq);
    if (status == SZ_OK)
        status = allocate(&t, &made);
    if (status == SZ_OK)
        status = run(&t, seq, &made);
    release(&t);
    if (status == SZ_OK)
        *out = made;
    else
        sz_steered_free(&made);
    return status;
}
