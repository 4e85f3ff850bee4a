/* choices.c: scoring continuations of a sequence in forks of it. */
#include "session.h"

#include <szilard/unstable/choices.h>
#include <szilard/unstable/num.h>

#include <math.h>

enum { MOST_TOKENS = 512, MOST_FORKS = 64 }; /* of one pass */

static sz_status check(sz_session *s, uint32_t seq, const sz_choice *choices, size_t n) {
    SZ_TRY(sz_session_check(s, seq));
    SZ_REQUIRE(choices && n > 0, SZ_E_ARG, "there are no choices to score");
    uint32_t room = s->config.context - sz_session_length(s, seq);
    for (size_t i = 0; i < n; i++) {
        SZ_REQUIRE(choices[i].ids && choices[i].n > 0, SZ_E_ARG, "choice %zu has no tokens", i + 1);
        SZ_REQUIRE(choices[i].n <= room, SZ_E_LIMIT,
                   "choice %zu has %zu tokens, the context has room for %u", i + 1, choices[i].n,
                   room);
    }
    return SZ_OK;
}

/* Forks for the first choices that fit into a pass, at least one. */
static sz_status fork_for(sz_session *s, uint32_t seq, const sz_choice *choices, size_t n,
                          sz_span spans[MOST_FORKS], size_t *n_spans) {
    size_t tokens = 0;
    for (*n_spans = 0; *n_spans < n && *n_spans < MOST_FORKS; ++*n_spans) {
        const sz_choice *c = &choices[*n_spans];
        sz_span *span = &spans[*n_spans];
        tokens += c->n;
        if (*n_spans > 0 && tokens > MOST_TOKENS)
            return SZ_OK;
        *span = (sz_span){.ids = c->ids, .n = (uint32_t)c->n, .want = SZ_SCORE};
        sz_status status = sz_session_fork(s, seq, &span->seq);
        if (status == SZ_E_LIMIT && *n_spans > 0)
            return SZ_OK;
        SZ_TRY(status);
    }
    return SZ_OK;
}

/* The log-probability that an end-of-generation token comes next. */
static double log_end(const sz_session *s, const sz_sequence *q) {
    double sum = 0.0;
    for (uint32_t id = 0; id < sz_tokenizer_n_vocab(s->model->tokenizer); id++)
        if (sz_tokenizer_is_end(s->model->tokenizer, (int32_t)id))
            sum += sz_exp((double)q->logits[id] - q->stats.log_sum_exp);
    return sum > 0.0 ? sz_log(sum) : -INFINITY;
}

static void read_figures(const sz_session *s, const sz_span *span, sz_choice *c) {
    const sz_sequence *q = &s->sequences[span->seq];
    const sz_token *t = q->records + q->n_records - span->n;
    c->log_probability = 0.0;
    for (uint32_t i = 0; i < span->n; i++)
        c->log_probability -= (double)t[i].surprisal;
    c->log_end = log_end(s, q);
}

static sz_status score_some(sz_session *s, uint32_t seq, sz_choice *choices, size_t n,
                            size_t *done) {
    sz_span spans[MOST_FORKS];
    sz_status status = fork_for(s, seq, choices, n, spans, done);
    if (status == SZ_OK)
        status = sz_session_forward(s, spans, *done);
    for (size_t i = 0; i < *done; i++) {
        if (status == SZ_OK)
            read_figures(s, &spans[i], &choices[i]);
        sz_session_drop(s, spans[i].seq);
    }
    return status;
}

/* Shares are made from differences of logarithms: long choices have tiny probabilities. */
static double share_out(sz_choice *choices, size_t n) {
    double max = choices[0].log_probability, sum = 0.0;
    for (size_t i = 1; i < n; i++)
        max = choices[i].log_probability > max ? choices[i].log_probability : max;
    for (size_t i = 0; i < n; i++)
        sum += choices[i].share = sz_exp(choices[i].log_probability - max);
    for (size_t i = 0; i < n; i++)
        choices[i].share /= sum;
    return sz_exp(max) * sum;
}

sz_status sz_session_score_choices(sz_session *s, uint32_t seq, sz_choice *choices, size_t n,
                                   double *mass) {
    SZ_TRY(check(s, seq, choices, n));
    SZ_TRY(sz_session_need_logits(s, seq));
    for (size_t at = 0, done; at < n; at += done)
        SZ_TRY(score_some(s, seq, choices + at, n - at, &done));
    double joint = share_out(choices, n);
    if (mass)
        *mass = joint;
    return SZ_OK;
}
