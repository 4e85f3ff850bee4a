/* sequence.c: what a sequence keeps beside the cache: its records and its text. */
#include "session.h"

#include <string.h>

enum { FIRST_RECORDS = 64 };

sz_status sz_sequence_reserve(sz_sequence *q, size_t n) {
    size_t cap = q->cap_records ? q->cap_records : FIRST_RECORDS;
    if (n <= q->cap_records - q->n_records)
        return SZ_OK;
    while (cap - q->n_records < n)
        cap *= 2;
    sz_token *more = sz_realloc(q->records, q->cap_records * sizeof *more, cap * sizeof *more);
    SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for %zu records", cap);
    q->records = more;
    q->cap_records = cap;
    return SZ_OK;
}

void sz_sequence_record(sz_sequence *q, const sz_token *record) {
    q->records[q->n_records++] = *record;
}

void sz_sequence_cut(sz_sequence *q, size_t n_records) {
    q->n_records = n_records;
    q->has_logits = false; /* they belong to a token that is gone */
    if (q->n_told > n_records) {
        q->n_told = n_records;
        sz_buf_clear(&q->text);
    }
}

sz_token sz_token_given(int32_t id, bool first) {
    const float nan = __builtin_nanf("");
    return (sz_token){.id = id,
                      .flags = SZ_TOKEN_PROMPT | (first ? SZ_TOKEN_FIRST : 0),
                      .surprisal = nan,
                      .entropy = nan,
                      .varentropy = nan,
                      .draw_surprisal = nan,
                      .draw_entropy = nan,
                      .kept_mass = nan};
}

void sz_sequence_clear(sz_sequence *q) {
    sz_chain_free(q->chain);
    sz_free(q->records);
    sz_free(q->logits);
    sz_buf_free(&q->text);
    sz_buf_free(&q->shown);
    sz_follower_free(q->follower);
    *q = (sz_sequence){0};
}

sz_status sz_sequence_copy(const sz_sequence *from, size_t n_vocab, sz_sequence *to) {
    if (from->chain)
        SZ_TRY(sz_chain_clone(from->chain, &to->chain));
    if (from->follower)
        SZ_TRY(from->follower->kind->clone(from->follower, &to->follower));
    SZ_TRY(sz_sequence_reserve(to, from->n_records));
    if (from->n_records)
        memcpy(to->records, from->records, from->n_records * sizeof *to->records);
    if (from->has_logits) {
        to->logits = sz_alloc(n_vocab * sizeof *to->logits);
        SZ_REQUIRE(to->logits, SZ_E_NOMEM, "no memory for a row of logits");
        memcpy(to->logits, from->logits, n_vocab * sizeof *to->logits);
    }
    sz_buf_append(&to->text, from->text.data, from->text.len);
    SZ_REQUIRE(!to->text.failed, SZ_E_NOMEM, "no memory for the text of a sequence");
    to->live = true;
    to->seed = from->seed;
    to->n_records = from->n_records;
    to->has_logits = from->has_logits;
    to->stats = from->stats;
    to->n_told = from->n_told;
    return SZ_OK;
}

sz_status sz_session_records(const sz_session *s, uint32_t seq, const sz_token **out, size_t *n) {
    SZ_TRY(sz_session_check(s, seq));
    *out = s->sequences[seq].records;
    *n = s->sequences[seq].n_records;
    return SZ_OK;
}

/* Ids beyond the tokenizer's vocabulary, where a model has some, have no text. */
static void tell(const sz_tokenizer *t, sz_sequence *q) {
    for (; q->n_told < q->n_records; q->n_told++) {
        const sz_token *token = &q->records[q->n_told];
        if ((token->flags & SZ_TOKEN_GENERATED) && (uint32_t)token->id < sz_tokenizer_n_vocab(t))
            sz_tokenizer_decode(t, &token->id, 1, false, false, &q->text);
    }
}

const char *sz_session_text(sz_session *s, uint32_t seq) {
    if (sz_session_check(s, seq) != SZ_OK)
        return "";
    return sz_sequence_text(&s->sequences[seq], s->model->tokenizer);
}

const char *sz_sequence_text(sz_sequence *q, const sz_tokenizer *t) {
    tell(t, q);
    size_t n = q->text.len ? sz_utf8_complete(q->text.data, q->text.len) : 0;
    sz_buf_clear(&q->shown);
    sz_buf_append(&q->shown, q->text.data, n);
    if (n == 0 || q->shown.failed)
        return "";
    memmove(q->text.data, q->text.data + n, q->text.len - n);
    q->text.len -= n;
    return q->shown.data;
}
