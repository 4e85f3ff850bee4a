/* batch.c: checking the spans of a pass, and flattening them to rows. */
#include "batch.h"

#include <string.h>

/* ---- Checking and flattening ----------------------------------------------------------------- */

size_t sz_span_n_wanted(const sz_span *p) {
    bool all = p->want == SZ_ALL || p->want == SZ_SCORE;
    return p->n == 0 || p->want == SZ_NONE ? 0 : all ? p->n : 1;
}

static sz_status check_span(const sz_session *s, const sz_span *p, bool embeddings) {
    SZ_TRY(sz_session_check(s, p->seq));
    SZ_REQUIRE(p->want >= SZ_NONE && p->want <= SZ_SCORE, SZ_E_ARG,
               "sequence %u: %d is no kind of wanted logits", p->seq, (int)p->want);
    SZ_REQUIRE(p->ids || p->n == 0 || embeddings, SZ_E_ARG, "sequence %u: no token ids", p->seq);
    uint32_t length = sz_kv_length(s->kv, p->seq), vocab = s->model->h.n_vocab;
    SZ_REQUIRE(p->n <= s->config.context - length, SZ_E_LIMIT,
               "sequence %u: %u more tokens after %u exceed the context of %u", p->seq, p->n,
               length, s->config.context);
    for (uint32_t j = 0; !embeddings && j < p->n; j++)
        SZ_REQUIRE(p->ids[j] >= 0 && (uint32_t)p->ids[j] < vocab, SZ_E_ARG,
                   "token id %d is not in the vocabulary of %u", p->ids[j], vocab);
    return SZ_OK;
}

static sz_status check_spans(sz_session *s, const sz_span *spans, size_t n_spans, sz_batch *b) {
    SZ_REQUIRE(n_spans <= s->config.n_sequences, SZ_E_ARG, "%zu spans for %u sequences", n_spans,
               s->config.n_sequences);
    bool *seen = sz_arena_alloc(s->arena, s->config.n_sequences * sizeof *seen);
    SZ_REQUIRE(seen, SZ_E_NOMEM, "no memory for %zu spans", n_spans);
    memset(seen, 0, s->config.n_sequences * sizeof *seen);
    for (size_t i = 0; i < n_spans; i++) {
        const sz_span *p = &spans[i];
        SZ_TRY(check_span(s, p, b->embeddings != NULL));
        SZ_REQUIRE(!seen[p->seq], SZ_E_ARG, "sequence %u stands in two spans", p->seq);
        seen[p->seq] = true;
        b->n += p->n;
        b->n_want += sz_span_n_wanted(p);
    }
    SZ_REQUIRE(b->n <= 1u << 24, SZ_E_LIMIT, "%zu tokens in one pass", b->n);
    return SZ_OK;
}

static sz_status allocate(sz_arena *arena, sz_batch *b) {
    b->ids = sz_arena_alloc(arena, b->n * sizeof *b->ids);
    b->seq = sz_arena_alloc(arena, b->n * sizeof *b->seq);
    b->position = sz_arena_alloc(arena, b->n * sizeof *b->position);
    b->want = sz_arena_alloc(arena, b->n_want * sizeof *b->want);
    b->want_rows = sz_arena_alloc(arena, b->n_want * sizeof *b->want_rows);
    SZ_REQUIRE(b->ids && b->seq && b->position && b->want && b->want_rows, SZ_E_NOMEM,
               "no memory for a pass over %zu tokens", b->n);
    return SZ_OK;
}

static void flatten_span(const sz_span *p, uint32_t position, size_t first_row, sz_batch *b,
                         size_t *n_want) {
    for (uint32_t j = 0; j < p->n; j++) {
        bool last = j + 1 == p->n, measured = p->want == SZ_ALL || p->want == SZ_SCORE;
        size_t row = first_row + j;
        b->ids[row] = p->ids ? p->ids[j] : -1;
        b->seq[row] = p->seq;
        b->position[row] = position + j;
        if (!measured && !(p->want == SZ_LAST && last))
            continue;
        b->want_rows[*n_want] = (uint32_t)row;
        b->want[*n_want] = (sz_wanted){.next = last || !p->ids ? -1 : p->ids[j + 1],
                                       .kept = p->want == SZ_ALL || last};
        b->n_kept += b->want[(*n_want)++].kept;
    }
}

sz_status sz_batch_make(sz_session *s, const sz_span *spans, size_t n_spans, sz_batch *b) {
    size_t row = 0, want = 0;
    SZ_TRY(check_spans(s, spans, n_spans, b));
    SZ_TRY(allocate(s->arena, b));
    for (size_t i = 0; i < n_spans; i++) {
        flatten_span(&spans[i], sz_kv_length(s->kv, spans[i].seq), row, b, &want);
        row += spans[i].n;
    }
    return SZ_OK;
}

sz_status sz_batch_last(sz_session *s, const sz_span *last, sz_batch *b) {
    size_t want = 0;
    b->n = b->n_want = 1;
    SZ_TRY(allocate(s->arena, b));
    flatten_span(last, sz_kv_length(s->kv, last->seq) - 1, 0, b, &want);
    return SZ_OK;
}
