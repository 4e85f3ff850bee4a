/* generate.c: prompts in chunks, and the next token of a sequence. */
#include "session.h"

#include <string.h>

sz_status sz_session_prompt_ids(sz_session *s, uint32_t seq, const int32_t *ids, size_t n) {
    SZ_TRY(sz_session_check(s, seq));
    SZ_REQUIRE(ids || n == 0, SZ_E_ARG, "sequence %u: no token ids", seq);
    uint32_t length = sz_kv_length(s->kv, seq), chunk = s->config.chunk;
    SZ_REQUIRE(n <= s->config.context - length, SZ_E_LIMIT,
               "sequence %u: %zu more tokens after %u exceed the context of %u", seq, n, length,
               s->config.context);
    for (size_t at = 0; at < n; at += chunk) {
        size_t count = n - at < chunk ? n - at : chunk;
        sz_want want = s->config.score_prompts ? SZ_SCORE : at + count == n ? SZ_LAST : SZ_NONE;
        sz_span span = {seq, ids + at, (uint32_t)count, want};
        SZ_TRY(sz_session_forward(s, &span, 1));
    }
    return SZ_OK;
}

sz_status sz_session_prompt(sz_session *s, uint32_t seq, const char *text) {
    int32_t *ids;
    size_t n;
    SZ_TRY(sz_session_check(s, seq));
    SZ_REQUIRE(text, SZ_E_ARG, "sequence %u: no text", seq);
    unsigned flags = SZ_TOKENIZE_CONTROL | (sz_kv_length(s->kv, seq) == 0 ? SZ_TOKENIZE_BOS : 0);
    SZ_TRY(sz_tokenizer_encode(s->model->tokenizer, text, strlen(text), flags, &ids, &n));
    sz_status status = sz_session_prompt_ids(s, seq, ids, n);
    sz_free(ids);
    return status;
}

sz_status sz_session_sync(sz_session *s, uint32_t seq, const int32_t *ids, size_t n,
                          size_t *n_kept) {
    SZ_TRY(sz_session_check(s, seq));
    SZ_REQUIRE(ids || n == 0, SZ_E_ARG, "sequence %u: no token ids", seq);
    SZ_REQUIRE(n <= s->config.context, SZ_E_LIMIT,
               "sequence %u: %zu tokens exceed the context of %u", seq, n, s->config.context);
    const sz_sequence *q = &s->sequences[seq];
    size_t same = 0;
    while (same < n && same < q->n_records && ids[same] == q->records[same].id)
        same++;
    if (same < sz_sequence_bound(s, seq)) /* what it has forgotten must be computed anew */
        same = 0;
    SZ_TRY(sz_session_truncate(s, seq, (uint32_t)same));
    SZ_TRY(sz_session_prompt_ids(s, seq, ids + same, n - same));
    if (n_kept)
        *n_kept = same;
    return SZ_OK;
}

sz_status sz_session_next(sz_session *s, uint32_t seq, sz_token *out) {
    SZ_TRY(sz_session_check(s, seq));
    SZ_REQUIRE(out, SZ_E_ARG, "sequence %u: no place for the token", seq);
    sz_sequence *q = &s->sequences[seq];
    uint32_t length = sz_kv_length(s->kv, seq);
    SZ_REQUIRE(!sz_runtime_cancelled(s->model->rt), SZ_E_CANCELLED, "cancelled");
    SZ_REQUIRE(length < s->config.context, SZ_E_LIMIT, "sequence %u fills the context of %u tokens",
               seq, s->config.context);
    SZ_TRY(sz_session_need_logits(s, seq));
    sz_token t;
    SZ_TRY(sz_session_draw(s, q, &t));
    if (sz_tokenizer_is_end(s->model->tokenizer, t.id)) {
        *out = t;
        return SZ_END;
    }
    sz_span span = {seq, &t.id, 1, SZ_LAST};
    SZ_TRY(sz_session_pass(s, &span, 1, NULL, &t));
    if (q->chain)
        sz_chain_accept(q->chain, &t);
    *out = t;
    return SZ_OK;
}
