/* generate.c: prompts in chunks, and drawing the next token of a sequence. */
#include <string.h>

#include "sampler.h"
#include "session.h"

sz_status sz_session_prompt_ids(sz_session *s, uint32_t seq, const int32_t *ids, size_t n) {
    SZ_TRY(sz_session_check(s, seq));
    SZ_REQUIRE(n <= s->config.context - sz_kv_length(s->kv, seq), SZ_E_LIMIT,
               "sequence %u: %zu more tokens after %u exceed the context of %u", seq, n,
               sz_kv_length(s->kv, seq), s->config.context);
    for (size_t at = 0; at < n; at += s->config.chunk) {
        size_t count = n - at < s->config.chunk ? n - at : s->config.chunk;
        sz_span span = {seq, ids + at, (uint32_t)count, at + count == n ? SZ_LAST : SZ_NONE};
        SZ_TRY(sz_session_forward(s, &span, 1));
    }
    return SZ_OK;
}

sz_status sz_session_prompt(sz_session *s, uint32_t seq, const char *text) {
    int32_t *ids;
    size_t n;
    SZ_TRY(sz_session_check(s, seq));
    unsigned flags = SZ_TOKENIZE_CONTROL | (sz_kv_length(s->kv, seq) == 0 ? SZ_TOKENIZE_BOS : 0);
    SZ_TRY(sz_tokenizer_encode(s->model->tokenizer, text, strlen(text), flags, &ids, &n));
    sz_status status = sz_session_prompt_ids(s, seq, ids, n);
    sz_free(ids);
    return status;
}

/* Draws by inverting the cumulative sum in order of ids. */
static size_t choose(const sz_candidates *c, double sum, double uniform) {
    double at = uniform * sum, mass = 0.0;
    size_t last = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (c->scratch[i] > 0.0f)
            last = i;
        mass += (double)c->scratch[i];
        if (mass > at)
            return i;
    }
    return last;
}

/* Entropy of the distribution drawn from, given weights exp(z - max) and their sum. */
static double entropy_of(const sz_candidates *c, double sum) {
    double mean = 0.0, log_sum = sz_log(sum);
    float max = sz_candidates_max(c);
    for (size_t i = 0; i < c->n; i++)
        if (c->scratch[i] > 0.0f)
            mean += (double)c->scratch[i] * (double)(c->logit[i] - max);
    double h = log_sum - mean / sum;
    return h > 0.0 ? h : 0.0;
}

/* The model's own probability of the tokens that were kept. */
static double mass_kept(const sz_sequence *q, const sz_candidates *c, size_t n_vocab) {
    double mass = 0.0;
    if (c->n == n_vocab)
        return 1.0;
    for (size_t i = 0; i < c->n; i++)
        mass += sz_exp((double)q->logits[c->id[i]] - q->stats.log_sum_exp);
    return mass < 1.0 ? mass : 1.0;
}

sz_status sz_session_draw(sz_session *s, sz_sequence *q, sz_token *out) {
    size_t n_vocab = s->model->h.n_vocab, pick;
    sz_candidates c = {s->candidate_id, s->candidate_logit, s->candidate_scratch, n_vocab,
                       sz_runtime_kernels(s->model->rt)};
    double sum = 1.0;
    if (q->chain) {
        sz_sampler_input input = {q->records, q->n_records};
        for (size_t i = 0; i < n_vocab; i++)
            c.id[i] = (int32_t)i;
        memcpy(c.logit, q->logits, n_vocab * sizeof *c.logit);
        SZ_TRY(sz_chain_apply(q->chain, &input, &c));
        sum = sz_candidates_weights(&c);
        pick = choose(&c, sum, sz_uniform(q->seed, q->stream, q->n_records));
    } else { /* greedy */
        c.n = 1;
        c.id[0] = q->stats.argmax;
        c.logit[0] = q->stats.max;
        c.scratch[0] = 1.0f;
        pick = 0;
    }
    int32_t id = c.id[pick];
    *out = (sz_token){
        .id = id,
        .flags = SZ_TOKEN_GENERATED,
        .surprisal = (float)(q->stats.log_sum_exp - (double)q->logits[id]),
        .entropy = (float)q->stats.entropy,
        .varentropy = (float)q->stats.varentropy,
        .draw_surprisal = (float)(sz_log(sum) - sz_log((double)c.scratch[pick])),
        .draw_entropy = (float)entropy_of(&c, sum),
        .kept_mass = (float)mass_kept(q, &c, n_vocab),
        .kept_n = (uint32_t)c.n,
    };
    if (q->chain)
        sz_chain_accept(q->chain, out);
    return SZ_OK;
}

static sz_status append_text(sz_session *s, sz_sequence *q, int32_t id) {
    bool start = sz_kv_length(s->kv, (uint32_t)(q - s->sequences)) == 0;
    SZ_TRY(sz_tokenizer_decode(s->model->tokenizer, &id, 1, false, start, &q->text));
    SZ_REQUIRE(!q->text.failed, SZ_E_NOMEM, "no memory for the generated text");
    return SZ_OK;
}

sz_status sz_session_next(sz_session *s, uint32_t seq, sz_token *out) {
    SZ_TRY(sz_session_check(s, seq));
    sz_sequence *q = &s->sequences[seq];
    SZ_REQUIRE(q->has_logits, SZ_E_STATE,
               "sequence %u has no distribution to draw from; give it a prompt first", seq);
    SZ_REQUIRE(!sz_runtime_cancelled(s->model->rt), SZ_E_CANCELLED, "cancelled");
    uint32_t length = sz_kv_length(s->kv, seq);
    SZ_REQUIRE(length < s->config.context, SZ_E_LIMIT, "sequence %u fills the context of %u tokens",
               seq, s->config.context);
    sz_token t;
    SZ_TRY(sz_session_draw(s, q, &t));
    *out = t;
    if (sz_tokenizer_is_end(s->model->tokenizer, t.id))
        return SZ_END;
    SZ_TRY(append_text(s, q, t.id));
    SZ_TRY(sz_session_add_record(q, &t));
    sz_span span = {seq, &t.id, 1, SZ_LAST};
    return sz_session_forward(s, &span, 1);
}
