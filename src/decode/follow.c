/* follow.c: followers of sequences: what they see of a pass, and passes that are cut where they
 * act.
 */
#include "batch.h"

#include <string.h>

void sz_follower_free(sz_follower *f) {
    if (f)
        f->kind->free(f);
}

bool sz_follow_any(const sz_follow_tap *t) {
    bool any = false;
    for (size_t i = 0; i < t->n && !any; i++)
        any = t->s->sequences[t->seq[i]].follower != NULL;
    return any;
}

bool sz_follow_look(void *tap, sz_tap_kind kind, uint32_t layer, const float *data, size_t n_rows,
                    size_t n_cols) {
    const sz_follow_tap *t = tap;
    sz_session *s = t->s;
    bool wanted = s->tap && s->tap(s->tap_user, kind, layer, NULL, 0, 0);
    if (!data)
        return wanted || kind == SZ_TAP_QUERY;
    for (size_t i = 0; kind == SZ_TAP_QUERY && i < n_rows; i++) {
        sz_follower *f = s->sequences[t->seq[i]].follower;
        if (f)
            f->kind->see(f, layer, t->position[i], data + i * n_cols);
    }
    if (wanted)
        s->tap(s->tap_user, kind, layer, data, n_rows, n_cols);
    return false;
}

sz_status sz_follow_act(sz_session *s, const sz_span *spans, size_t n_spans) {
    for (size_t i = 0; i < n_spans; i++) {
        sz_follower *f = s->sequences[spans[i].seq].follower;
        if (f && spans[i].n > 0 && sz_kv_length(s->kv, spans[i].seq) == f->due)
            SZ_TRY(f->kind->act(f, s, spans[i].seq));
    }
    return SZ_OK;
}

/* ---- Passes in pieces ------------------------------------------------------------------------ */

/* Tokens that a sequence can take before its follower acts again; 1 where that is not known yet. */
static uint32_t room(const sz_session *s, uint32_t seq) {
    const sz_follower *f = s->sequences[seq].follower;
    uint32_t length = sz_kv_length(s->kv, seq);
    return !f ? UINT32_MAX : length < f->due ? f->due - length : 1;
}

static size_t n_rows_of(const sz_span *p) {
    return p->want == SZ_ALL ? p->n : sz_span_n_wanted(p) > 0;
}

/* Appends the rows of the latest pass to those joined so far. */
static void join(sz_session *s, size_t *n) {
    size_t vocab = s->model->h.n_vocab;
    if (s->n_rows) {
        memcpy(s->joined_rows + *n * vocab, s->rows, s->n_rows * vocab * sizeof *s->rows);
        memcpy(s->joined_stats + *n, s->row_stats, s->n_rows * sizeof *s->row_stats);
    }
    *n += s->n_rows;
}

/* What a piece must give so that the span gives what is wanted. */
static sz_want want_of(const sz_span *p, bool last) {
    return p->want == SZ_LAST && !last ? SZ_NONE : p->want;
}

static sz_status forward_span(sz_session *s, const sz_span *p, const float *embeddings, size_t *n) {
    size_t width = s->model->h.n_embd;
    for (uint32_t at = 0, count; at < p->n; at += count) {
        SZ_TRY(sz_follow_act(s, p, 1));
        uint32_t most = room(s, p->seq);
        count = most < p->n - at ? most : p->n - at;
        bool last = at + count == p->n;
        sz_span piece = {p->seq, p->ids ? p->ids + at : NULL, count, want_of(p, last)};
        SZ_TRY(sz_session_pass(s, &piece, 1, embeddings ? embeddings + at * width : NULL, NULL));
        if (p->want == SZ_ALL || last)
            join(s, n);
    }
    return SZ_OK;
}

static sz_status forward_in_pieces(sz_session *s, const sz_span *spans, size_t n_spans,
                                   const float *embeddings) {
    size_t n = 0, joined = 0;
    for (size_t i = 0; i < n_spans; i++)
        n += n_rows_of(&spans[i]);
    sz_free(s->joined_rows);
    sz_free(s->joined_stats);
    s->joined_rows = sz_calloc(n, s->model->h.n_vocab * sizeof *s->joined_rows);
    s->joined_stats = sz_calloc(n, sizeof *s->joined_stats);
    SZ_REQUIRE(s->joined_rows && s->joined_stats, SZ_E_NOMEM, "no memory for %zu rows of logits",
               n);
    for (size_t i = 0; i < n_spans; i++)
        SZ_TRY(forward_span(s, &spans[i], embeddings, &joined));
    s->rows = s->joined_rows;
    s->row_stats = s->joined_stats;
    s->n_rows = joined;
    return SZ_OK;
}

sz_status sz_follow_forward(sz_session *s, const sz_span *spans, size_t n_spans,
                            const float *embeddings) {
    bool cut = false;
    for (size_t i = 0; i < n_spans && !cut; i++)
        cut = sz_session_check(s, spans[i].seq) == SZ_OK && spans[i].n > room(s, spans[i].seq);
    return cut ? forward_in_pieces(s, spans, n_spans, embeddings)
               : sz_session_pass(s, spans, n_spans, embeddings, NULL);
}
