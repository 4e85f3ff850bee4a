/* continuations.c: what best-of-n, beams and branches share. */
#include "continuations.h"

#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/num.h>

sz_status sz_continuations_begin(sz_session *s, uint32_t seq, const sz_branching *c,
                                 size_t *max_tokens) {
    SZ_TRY(sz_session_check(s, seq));
    SZ_REQUIRE(c && c->n > 0 && c->n <= SZ_CONTINUATIONS_MAX, SZ_E_ARG,
               "%zu continuations: from 1 to %d", c ? c->n : 0, SZ_CONTINUATIONS_MAX);
    SZ_REQUIRE(c->length_penalty >= 0.0 && c->length_penalty <= 100.0, SZ_E_ARG,
               "a length penalty of %g is not in 0 .. 100", c->length_penalty);
    size_t n_free = 0, room = s->config.context - sz_session_length(s, seq);
    for (uint32_t i = 0; i < s->config.n_sequences; i++)
        n_free += !s->sequences[i].live;
    SZ_REQUIRE(c->n <= n_free, SZ_E_LIMIT, "%zu continuations need as many sequences, %zu are free",
               c->n, n_free);
    SZ_REQUIRE(room > 0, SZ_E_LIMIT, "sequence %u fills the context of %u tokens", seq,
               s->config.context);
    *max_tokens = c->max_tokens && c->max_tokens < room ? c->max_tokens : room;
    return sz_session_need_logits(s, seq);
}

sz_status sz_continuations_reserve(sz_continuations *c, size_t n) {
    *c = (sz_continuations){.v = sz_calloc(n, sizeof *c->v)};
    SZ_REQUIRE(c->v, SZ_E_NOMEM, "no memory for %zu continuations", n);
    return SZ_OK;
}

void sz_continuations_free(sz_continuations *c) {
    for (size_t i = 0; i < c->n; i++)
        sz_free(c->v[i].tokens);
    sz_free(c->v);
    *c = (sz_continuations){0};
}

double sz_continuation_score(double log_probability, size_t n, double length_penalty) {
    return length_penalty == 0.0   ? log_probability
           : length_penalty == 1.0 ? log_probability / (double)n
                                   : log_probability / sz_pow((double)n, length_penalty);
}

sz_status sz_continuation_take(const sz_sequence *q, size_t base, const sz_token *last,
                               double log_probability, double length_penalty, bool ended,
                               sz_continuation *out) {
    size_t n = q->n_records - base;
    sz_token *tokens = sz_alloc((n + 1) * sizeof *tokens);
    SZ_REQUIRE(tokens, SZ_E_NOMEM, "no memory for %zu records", n + 1);
    memcpy(tokens, q->records + base, n * sizeof *tokens);
    tokens[n] = *last;
    *out = (sz_continuation){.tokens = tokens,
                             .n = n + 1,
                             .log_probability = log_probability,
                             .score = sz_continuation_score(log_probability, n + 1, length_penalty),
                             .ended = ended,
                             .parent = SIZE_MAX,
                             .branched_at = SIZE_MAX};
    return SZ_OK;
}

static int better(const void *a, const void *b) {
    const sz_continuation *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    for (size_t i = 0; i < x->n && i < y->n; i++)
        if (x->tokens[i].id != y->tokens[i].id)
            return x->tokens[i].id < y->tokens[i].id ? -1 : 1;
    return (x->n > y->n) - (x->n < y->n);
}

void sz_continuations_sort(sz_continuations *c) {
    qsort(c->v, c->n, sizeof *c->v, better);
}

sz_status sz_session_advance(sz_session *s, const uint32_t *seqs, const sz_token *tokens,
                             size_t n) {
    sz_span *spans = sz_alloc(n * sizeof *spans + 1);
    SZ_REQUIRE(spans, SZ_E_NOMEM, "no memory for %zu sequences", n);
    for (size_t i = 0; i < n; i++)
        spans[i] = (sz_span){.seq = seqs[i], .ids = &tokens[i].id, .n = 1, .want = SZ_LAST};
    sz_status status = sz_session_pass(s, spans, n, NULL, tokens);
    for (size_t i = 0; i < n && status == SZ_OK; i++)
        if (s->sequences[seqs[i]].chain)
            sz_chain_accept(s->sequences[seqs[i]].chain, &tokens[i]);
    sz_free(spans);
    return status;
}

double sz_log_probability(const sz_sequence *q, int32_t id) {
    return (double)q->logits[id] - q->stats.log_sum_exp;
}

sz_token sz_token_chosen(const sz_sequence *q, int32_t id) {
    const float nan = __builtin_nanf("");
    return (sz_token){.id = id,
                      .flags = SZ_TOKEN_GENERATED,
                      .surprisal = (float)-sz_log_probability(q, id),
                      .entropy = (float)q->stats.entropy,
                      .varentropy = (float)q->stats.varentropy,
                      .draw_surprisal = nan,
                      .draw_entropy = nan,
                      .kept_mass = nan};
}
