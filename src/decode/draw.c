/* draw.c: drawing a token from a row of logits, and its record. One pass per sampler; nothing
 * sorts the vocabulary. */
/* The likeliest first, equal ones by id. */
#define SZ_EDGE_RANK(c, i, context) (~sz_rank_of((c)->scratch[i]))
#include "edge.h"
#include "sampler.h"
#include "session.h"

#include <szilard/unstable/num.h>

/* Inverts the cumulative sum in that order. */
static size_t choose(const sz_candidates *c, double sum, double uniform) {
    return sz_edge_last(c, NULL, sz_edge_find(c, NULL, uniform * sum));
}

/* The model's own probability of the tokens that were kept; overwrites the scratch. */
static double mass_kept(const sz_sampler_input *in, const sz_candidates *c, size_t n_vocab) {
    return c->n == n_vocab ? 1.0 : sz_candidates_mass(c, in->logits, in->stats);
}

static void describe(const sz_sampler_input *in, const sz_candidates *c, double sum, size_t pick,
                     size_t n_vocab, sz_token *out) {
    int32_t id = c->id[pick];
    double weight = (double)c->scratch[pick];
    *out = (sz_token){
        .id = id,
        .flags = SZ_TOKEN_GENERATED,
        .surprisal = (float)(in->stats->log_sum_exp - (double)in->logits[id]),
        .entropy = (float)in->stats->entropy,
        .varentropy = (float)in->stats->varentropy,
        .draw_surprisal = (float)(sz_log(sum) - sz_log(weight)),
        .draw_entropy = (float)sz_candidates_entropy(c, sum),
        .kept_mass = (float)mass_kept(in, c, n_vocab),
        .kept_n = (uint32_t)c->n,
    };
}

/* The likeliest, without a pass. */
static void draw_greedily(const sz_sampler_input *in, size_t n_vocab, sz_candidates *c,
                          sz_token *out) {
    c->n = 1;
    c->id[0] = in->stats->argmax;
    c->logit[0] = in->stats->max;
    c->scratch[0] = 1.0f;
    describe(in, c, 1.0, 0, n_vocab, out);
}

void sz_candidates_draw(const sz_candidates *c, const sz_sampler_input *in, size_t n_vocab,
                        sz_token *out) {
    double sum = sz_candidates_weights(c);
    size_t pick = choose(c, sum, sz_uniform(in->seed, in->stream, in->n_history));
    describe(in, c, sum, pick, n_vocab, out);
}

sz_status sz_chain_draw(sz_chain *chain, const sz_sampler_input *in, size_t n_vocab,
                        sz_candidates *c, sz_token *out) {
    SZ_REQUIRE(in->logits && in->stats && n_vocab > 0, SZ_E_ARG,
               "there are no logits to draw from, or their statistics are not given");
    if (!chain) {
        draw_greedily(in, n_vocab, c, out);
        return SZ_OK;
    }
    sz_candidates_fill(c, in->logits, n_vocab);
    SZ_TRY(sz_chain_apply(chain, in, c));
    sz_candidates_draw(c, in, n_vocab, out);
    return SZ_OK;
}

sz_status sz_session_draw(sz_session *s, sz_sequence *q, sz_token *out) {
    sz_candidates c = {s->candidate_id, s->candidate_logit, s->candidate_scratch, 0,
                       sz_runtime_kernels(s->model->rt)};
    sz_sampler_input input = {.model = s->model,
                              .history = q->records,
                              .n_history = q->n_records,
                              .stats = &q->stats,
                              .logits = q->logits,
                              .seed = q->seed,
                              .stream = q->stream};
    return sz_chain_draw(q->chain, &input, s->model->h.n_vocab, &c, out);
}
