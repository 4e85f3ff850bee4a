/* draw.c: drawing a token from a sequence's logits, and its record. One pass per sampler; nothing
 * sorts the vocabulary. */
#include "edge.h"
#include "num/kernels/kernels.h"
#include "sampler.h"
#include "session.h"

#include <string.h>

/* Candidates in falling order of probability, equal ones by id. */
static uint32_t likeliest_first(const sz_candidates *c, size_t i, const double *context) {
    return ~sz_rank_of(c->scratch[i]);
}

/* Inverts the cumulative sum in that order. */
static size_t choose(const sz_candidates *c, double sum, double uniform) {
    return sz_edge_last(c, likeliest_first, NULL,
                        sz_edge_find(c, likeliest_first, NULL, uniform * sum));
}

/* The model's own probability of the tokens that were kept; overwrites the scratch. */
static double mass_kept(const sz_sequence *q, const sz_candidates *c, size_t n_vocab) {
    if (c->n == n_vocab)
        return 1.0;
    for (size_t i = 0; i < c->n; i++)
        c->scratch[i] = q->logits[c->id[i]] - q->stats.max;
    c->kernels->exp(c->scratch, c->n, c->scratch);
    double mass = 0.0;
    for (size_t i = 0; i < c->n; i++)
        mass += (double)c->scratch[i];
    mass *= sz_exp((double)q->stats.max - q->stats.log_sum_exp);
    return mass < 1.0 ? mass : 1.0;
}

static void describe(const sz_sequence *q, const sz_candidates *c, double sum, size_t pick,
                     size_t n_vocab, sz_token *out) {
    int32_t id = c->id[pick];
    double weight = (double)c->scratch[pick];
    *out = (sz_token){
        .id = id,
        .flags = SZ_TOKEN_GENERATED,
        .surprisal = (float)(q->stats.log_sum_exp - (double)q->logits[id]),
        .entropy = (float)q->stats.entropy,
        .varentropy = (float)q->stats.varentropy,
        .draw_surprisal = (float)(sz_log(sum) - sz_log(weight)),
        .draw_entropy = (float)sz_candidates_entropy(c, sum),
        .kept_mass = (float)mass_kept(q, c, n_vocab),
        .kept_n = (uint32_t)c->n,
    };
}

sz_status sz_session_draw(sz_session *s, sz_sequence *q, sz_token *out) {
    size_t n_vocab = s->model->h.n_vocab;
    sz_candidates c = {s->candidate_id, s->candidate_logit, s->candidate_scratch, n_vocab,
                       sz_runtime_kernels(s->model->rt)};
    if (!q->chain) { /* greedy: the likeliest, without a pass */
        c.n = 1;
        c.id[0] = q->stats.argmax;
        c.logit[0] = q->stats.max;
        c.scratch[0] = 1.0f;
        describe(q, &c, 1.0, 0, n_vocab, out);
        return SZ_OK;
    }
    sz_sampler_input input = {.model = s->model,
                              .history = q->records,
                              .n_history = q->n_records,
                              .stats = &q->stats,
                              .seed = q->seed,
                              .stream = q->stream};
    for (size_t i = 0; i < n_vocab; i++)
        c.id[i] = (int32_t)i;
    memcpy(c.logit, q->logits, n_vocab * sizeof *c.logit);
    SZ_TRY(sz_chain_apply(q->chain, &input, &c));
    double sum = sz_candidates_weights(&c);
    size_t pick = choose(&c, sum, sz_uniform(q->seed, q->stream, q->n_records));
    describe(q, &c, sum, pick, n_vocab, out);
    return SZ_OK;
}
