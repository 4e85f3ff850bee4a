/* pass.c: computing spans of tokens of several sequences in one pass. Everything that can fail
 * comes first; then the records and logits of all sequences are set, or the cache goes back to
 * where it was. */
#include "batch.h"

#include <string.h>

enum { SCORE_ROWS = 32 }; /* rows of logits in memory at once where only figures are wanted */

/* ---- Logits and their figures ---------------------------------------------------------------- */

typedef struct measure_job {
    const sz_session *s;
    const sz_tensor *logits;
    sz_wanted **want; /* [logits->n_rows] */
    bool bad;         /* set by any thread, never cleared */
} measure_job;

static void measure_rows(void *context, size_t first, size_t last) {
    measure_job *job = context;
    size_t vocab = job->logits->n_cols;
    for (size_t i = first; i < last; i++) {
        const float *row = job->logits->data + i * vocab;
        sz_wanted *w = job->want[i];
        if (sz_logits_measure(job->s->model->rt, row, vocab, 1.0f, &w->stats) != SZ_OK)
            __atomic_store_n(&job->bad, true, __ATOMIC_RELAXED);
        w->next_logit = w->next >= 0 ? row[w->next] : 0.0f;
    }
}

/* The head on rows `index` of the hidden states, and the figures of every row. */
static sz_tensor *head(sz_session *s, sz_graph *g, sz_tensor *hidden, const uint32_t *index,
                       sz_wanted **want, size_t n) {
    sz_tensor *logits = sz_linear(g, sz_gather(g, hidden, index, n), &s->model->head);
    if (!logits)
        return NULL;
    measure_job job = {s, logits, want, false};
    uint64_t start = sz_meter_start(g);
    sz_graph_rows(g, n, 8 * logits->n_cols, measure_rows, &job);
    sz_meter_stop_rows(g, start, "statistics", n * logits->n_cols);
    if (job.bad)
        return sz_graph_fail(g, sz_fail(SZ_E_NAN, "the model gave logits that are not finite"));
    return logits;
}

/* Kept rows stay in the arena; the others are measured a few at a time and forgotten. */
static sz_status measure(sz_session *s, sz_graph *g, sz_tensor *hidden, sz_batch *b) {
    uint32_t *index = sz_arena_alloc(s->arena, b->n_want * sizeof *index);
    sz_wanted **want = sz_arena_alloc(s->arena, b->n_want * sizeof *want);
    sz_logit_stats *stats = sz_arena_alloc(s->arena, b->n_kept * sizeof *stats);
    SZ_REQUIRE(index && want && stats, SZ_E_NOMEM, "no memory for the figures of %zu tokens",
               b->n_want);
    size_t kept = 0, other = b->n_kept;
    for (size_t i = 0; i < b->n_want; i++) {
        size_t at = b->want[i].kept ? kept++ : other++;
        index[at] = (uint32_t)i;
        want[at] = &b->want[i];
    }
    sz_tensor *rows = b->n_kept ? head(s, g, hidden, index, want, b->n_kept) : NULL;
    for (size_t at = b->n_kept; at < b->n_want; at += SCORE_ROWS) {
        sz_arena_mark mark = sz_arena_get_mark(s->arena);
        size_t n = b->n_want - at < SCORE_ROWS ? b->n_want - at : SCORE_ROWS;
        head(s, g, hidden, index + at, want + at, n);
        sz_arena_rewind(s->arena, mark);
    }
    SZ_TRY(g->status);
    for (size_t i = 0; i < b->n_kept; i++)
        stats[i] = want[i]->stats;
    s->rows = rows ? rows->data : NULL;
    s->row_stats = stats;
    s->n_rows = b->n_kept;
    return SZ_OK;
}

static sz_status compute(sz_session *s, sz_batch *b) {
    sz_graph g;
    sz_graph_begin(&g, s->model->rt, s->arena, SZ_RUN);
    g.meter = s->meter;
    g.meter_user = s->meter_user;
    sz_pass pass = {.kv = s->kv,
                    .n = b->n,
                    .ids = b->embeddings ? NULL : b->ids,
                    .embeddings = b->embeddings,
                    .seq = b->seq,
                    .position = b->position,
                    .want = b->want_rows,
                    .n_want = b->n_want,
                    .tap = s->tap,
                    .tap_user = s->tap_user};
    sz_follow_tap follow = {s, b->n, b->seq, b->position};
    if (sz_follow_any(&follow)) {
        pass.tap = sz_follow_look;
        pass.tap_user = &follow;
    }
    sz_tensor *hidden = sz_model_forward(&g, s->model, &pass, false);
    SZ_TRY(g.status);
    return measure(s, &g, hidden, b);
}

/* ---- What a sequence keeps ------------------------------------------------------------------- */

static sz_status reserve(const sz_session *s, const sz_span *p) {
    sz_sequence *q = &s->sequences[p->seq];
    SZ_TRY(sz_sequence_reserve(q, p->n));
    if (!q->logits && sz_span_n_wanted(p))
        q->logits = sz_alloc(s->model->h.n_vocab * sizeof *q->logits);
    SZ_REQUIRE(q->logits || !sz_span_n_wanted(p), SZ_E_NOMEM, "no memory for a row of logits");
    return SZ_OK;
}

/* The record of a token that was given: figures where the distribution before it was measured. */
static sz_token scored(int32_t id, bool first, const sz_logit_stats *stats, float logit) {
    sz_token t = sz_token_given(id, first);
    if (stats) {
        if (id >= 0)
            t.surprisal = (float)(stats->log_sum_exp - (double)logit);
        t.entropy = (float)stats->entropy;
        t.varentropy = (float)stats->varentropy;
    }
    return t;
}

/* want: of this span. */
static void record(sz_sequence *q, const sz_span *p, const sz_wanted *want) {
    bool measured = p->want == SZ_ALL || p->want == SZ_SCORE;
    for (uint32_t j = 0; j < p->n; j++) {
        int32_t id = p->ids ? p->ids[j] : -1;
        const sz_logit_stats *stats = NULL;
        float logit = 0.0f;
        if (j > 0 && measured) {
            stats = &want[j - 1].stats;
            logit = want[j - 1].next_logit;
        } else if (j == 0 && q->has_logits) {
            stats = &q->stats;
            logit = id >= 0 ? q->logits[id] : 0.0f;
        }
        sz_token t = scored(id, q->n_records == 0, stats, logit);
        sz_sequence_record(q, &t);
    }
}

static void keep_logits(const sz_session *s, sz_sequence *q, size_t row) {
    size_t vocab = s->model->h.n_vocab;
    memcpy(q->logits, s->rows + row * vocab, vocab * sizeof *q->logits);
    q->stats = s->row_stats[row];
    q->has_logits = true;
}

static void commit(sz_session *s, const sz_span *spans, size_t n_spans, const sz_batch *b,
                   const sz_token *drawn) {
    size_t row = 0;
    const sz_wanted *want = b->want;
    for (size_t i = 0; i < n_spans; i++) {
        const sz_span *p = &spans[i];
        sz_sequence *q = &s->sequences[p->seq];
        size_t n = sz_span_n_wanted(p), n_rows = p->want == SZ_ALL ? n : n > 0;
        if (p->n == 0)
            continue;
        if (drawn && drawn[i].flags)
            sz_sequence_record(q, &drawn[i]);
        else
            record(q, p, want);
        q->has_logits = false;
        want += n;
        row += n_rows;
        if (n_rows)
            keep_logits(s, q, row - 1);
    }
}

/* ---- The pass -------------------------------------------------------------------------------- */

static void begin(sz_session *s) {
    sz_arena_reset(s->arena);
    s->rows = NULL;
    s->n_rows = 0;
}

static sz_status extend_and_compute(sz_session *s, const sz_span *spans, size_t n_spans,
                                    sz_batch *b, size_t *n_extended) {
    SZ_TRY(sz_follow_act(s, spans, n_spans));
    for (size_t i = 0; i < n_spans; i++)
        SZ_TRY(reserve(s, &spans[i]));
    for (; *n_extended < n_spans; ++*n_extended)
        SZ_TRY(sz_kv_extend(s->kv, spans[*n_extended].seq, spans[*n_extended].n));
    return compute(s, b);
}

sz_status sz_session_pass(sz_session *s, const sz_span *spans, size_t n_spans,
                          const float *embeddings, const sz_token *drawn) {
    sz_batch b = {.embeddings = embeddings};
    size_t n_extended = 0;
    begin(s);
    SZ_REQUIRE(!sz_runtime_cancelled(s->model->rt), SZ_E_CANCELLED, "cancelled");
    SZ_TRY(sz_batch_make(s, spans, n_spans, &b));
    if (b.n == 0)
        return SZ_OK;
    sz_status status = extend_and_compute(s, spans, n_spans, &b, &n_extended);
    if (status == SZ_OK) {
        commit(s, spans, n_spans, &b, drawn);
        return SZ_OK;
    }
    for (size_t i = 0; i < n_extended; i++)
        sz_kv_truncate(s->kv, spans[i].seq, sz_kv_length(s->kv, spans[i].seq) - spans[i].n);
    return status;
}

sz_status sz_session_need_logits(sz_session *s, uint32_t seq) {
    sz_sequence *q = &s->sequences[seq];
    uint32_t length = sz_kv_length(s->kv, seq);
    if (q->has_logits)
        return SZ_OK;
    SZ_REQUIRE(length > 0, SZ_E_STATE,
               "sequence %u is empty: there is no distribution to draw from before a prompt", seq);
    SZ_REQUIRE(length > sz_kv_base(s->kv, seq), SZ_E_STATE,
               "sequence %u has forgotten what the distribution after its first %u tokens depends "
               "on: give it a token first",
               seq, length);
    sz_span last = {seq, &q->records[length - 1].id, 1, SZ_LAST};
    SZ_REQUIRE(*last.ids >= 0, SZ_E_STATE,
               "sequence %u ends with an embedding whose logits were not kept", seq);
    sz_batch b = {0};
    begin(s);
    SZ_REQUIRE(!sz_runtime_cancelled(s->model->rt), SZ_E_CANCELLED, "cancelled");
    SZ_TRY(sz_batch_last(s, &last, &b));
    SZ_TRY(reserve(s, &last));
    SZ_TRY(compute(s, &b)); /* stores the same key and value over themselves */
    keep_logits(s, q, 0);
    return SZ_OK;
}

/* Complete records need the distribution before the first token of their span, too. */
static sz_status need_before(sz_session *s, const sz_span *p) {
    SZ_TRY(sz_session_check(s, p->seq));
    const sz_sequence *q = &s->sequences[p->seq];
    bool measured = p->n > 0 && (p->want == SZ_ALL || p->want == SZ_SCORE);
    if (!measured || q->n_records == 0 || q->records[q->n_records - 1].id < 0)
        return SZ_OK;
    return sz_session_need_logits(s, p->seq);
}

sz_status sz_session_forward(sz_session *s, const sz_span *spans, size_t n_spans) {
    SZ_REQUIRE(s && (spans || n_spans == 0), SZ_E_ARG, "sz_session_forward: a NULL argument");
    for (size_t i = 0; i < n_spans; i++)
        SZ_TRY(need_before(s, &spans[i]));
    return sz_follow_forward(s, spans, n_spans, NULL);
}

sz_status sz_session_forward_embeddings(sz_session *s, uint32_t seq, const float *embeddings,
                                        uint32_t n, sz_want want) {
    SZ_REQUIRE(s && (embeddings || n == 0), SZ_E_ARG,
               "sz_session_forward_embeddings: a NULL argument");
    sz_span span = {.seq = seq, .ids = NULL, .n = n, .want = want};
    return sz_follow_forward(s, &span, 1, embeddings ? embeddings : (const float[1]){0});
}

const float *sz_session_logits(const sz_session *s, size_t row) {
    return row < s->n_rows ? s->rows + row * s->model->h.n_vocab : NULL;
}

const sz_logit_stats *sz_session_stats(const sz_session *s, size_t row) {
    return row < s->n_rows ? &s->row_stats[row] : NULL;
}
