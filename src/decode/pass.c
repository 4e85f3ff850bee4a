/* pass.c: computing spans of tokens of several sequences in one pass. */
#include <string.h>

#include "session.h"

/* What the caller asked for, flattened to rows. */
typedef struct batch {
    size_t n, n_want;
    int32_t *ids;
    uint32_t *seq, *position, *want;
} batch;

static sz_status check_spans(const sz_session *s, const sz_span *spans, size_t n_spans, size_t *n,
                             size_t *n_want) {
    *n = *n_want = 0;
    for (size_t i = 0; i < n_spans; i++) {
        const sz_span *p = &spans[i];
        SZ_TRY(sz_session_check(s, p->seq));
        for (size_t j = 0; j < i; j++)
            SZ_REQUIRE(spans[j].seq != p->seq, SZ_E_ARG, "sequence %u stands in two spans", p->seq);
        uint32_t length = sz_kv_length(s->kv, p->seq);
        SZ_REQUIRE(p->n <= s->config.context - length, SZ_E_LIMIT,
                   "sequence %u: %u more tokens after %u exceed the context of %u", p->seq, p->n,
                   length, s->config.context);
        for (uint32_t j = 0; p->ids && j < p->n; j++)
            SZ_REQUIRE(p->ids[j] >= 0 && (uint32_t)p->ids[j] < s->model->h.n_vocab, SZ_E_ARG,
                       "token id %d is not in the vocabulary of %u", p->ids[j],
                       s->model->h.n_vocab);
        *n += p->n;
        *n_want += p->want == SZ_ALL ? p->n : p->want == SZ_LAST && p->n ? 1 : 0;
    }
    SZ_REQUIRE(*n <= 1u << 24, SZ_E_LIMIT, "%zu tokens in one pass", *n);
    return SZ_OK;
}

static sz_status flatten(sz_session *s, const sz_span *spans, size_t n_spans, batch *b) {
    b->ids = sz_arena_alloc(s->arena, b->n * sizeof *b->ids + 1);
    b->seq = sz_arena_alloc(s->arena, b->n * sizeof *b->seq + 1);
    b->position = sz_arena_alloc(s->arena, b->n * sizeof *b->position + 1);
    b->want = sz_arena_alloc(s->arena, b->n_want * sizeof *b->want + 1);
    SZ_REQUIRE(b->ids && b->seq && b->position && b->want, SZ_E_NOMEM, "no memory for %zu tokens",
               b->n);
    size_t row = 0, want = 0;
    for (size_t i = 0; i < n_spans; i++) {
        const sz_span *p = &spans[i];
        uint32_t length = sz_kv_length(s->kv, p->seq);
        for (uint32_t j = 0; j < p->n; j++, row++) {
            b->ids[row] = p->ids ? p->ids[j] : -1;
            b->seq[row] = p->seq;
            b->position[row] = length + j;
            if (p->want == SZ_ALL || (p->want == SZ_LAST && j + 1 == p->n))
                b->want[want++] = (uint32_t)row;
        }
    }
    return SZ_OK;
}

/* ---- Records and logits after a pass ------------------------------------------------------------ */

typedef struct stats_job {
    const sz_session *s;
    const sz_tensor *logits;
    bool bad; /* set by any thread, never cleared */
} stats_job;

static void measure_rows(void *context, size_t first, size_t last) {
    stats_job *job = context;
    for (size_t i = first; i < last; i++) {
        const float *row = job->logits->data + i * job->logits->n_cols;
        if (sz_logits_measure(job->s->model->rt, row, job->logits->n_cols, 1.0f,
                              &job->s->row_stats[i]) != SZ_OK)
            __atomic_store_n(&job->bad, true, __ATOMIC_RELAXED);
    }
}

sz_status sz_session_add_record(sz_sequence *q, const sz_token *record) {
    if (q->n_records == q->cap_records) {
        size_t cap = q->cap_records ? 2 * q->cap_records : 64;
        sz_token *more = sz_realloc(q->records, q->cap_records * sizeof *more, cap * sizeof *more);
        SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for %zu records", cap);
        q->records = more;
        q->cap_records = cap;
    }
    q->records[q->n_records++] = *record;
    return SZ_OK;
}

/* The record of a token that was given: figures where the distribution before it is known. */
static sz_token scored(const float *logits, const sz_logit_stats *stats, int32_t id, bool first) {
    const float nan = __builtin_nanf("");
    sz_token t = {.id = id, .flags = SZ_TOKEN_PROMPT | (first ? SZ_TOKEN_FIRST : 0)};
    t.surprisal = t.entropy = t.varentropy = t.draw_surprisal = t.draw_entropy = nan;
    t.kept_mass = nan;
    if (stats && id >= 0) {
        t.surprisal = (float)(stats->log_sum_exp - (double)logits[id]);
        t.entropy = (float)stats->entropy;
        t.varentropy = (float)stats->varentropy;
    }
    return t;
}

/* Adds the records of one span's tokens; `row` is its first wanted row. */
static sz_status record_span(sz_session *s, const sz_span *p, uint32_t length, size_t row) {
    sz_sequence *q = &s->sequences[p->seq];
    size_t vocab = s->model->h.n_vocab;
    for (uint32_t j = 0; j < p->n; j++) {
        if (q->n_records > length + j) /* a generated token's record is there already */
            continue;
        const float *logits = NULL;
        const sz_logit_stats *stats = NULL;
        if (j > 0 && p->want == SZ_ALL) {
            logits = s->rows + (row + j - 1) * vocab;
            stats = &s->row_stats[row + j - 1];
        } else if (j == 0 && q->has_logits) {
            logits = q->logits;
            stats = &q->stats;
        }
        sz_token t = scored(logits, stats, p->ids ? p->ids[j] : -1, length + j == 0);
        SZ_TRY(sz_session_add_record(q, &t));
    }
    return SZ_OK;
}

static sz_status keep_logits(sz_session *s, const sz_span *p, size_t last_row) {
    sz_sequence *q = &s->sequences[p->seq];
    size_t bytes = s->model->h.n_vocab * sizeof(float);
    q->has_logits = false;
    if (p->want == SZ_NONE)
        return SZ_OK;
    if (!q->logits)
        q->logits = sz_alloc(bytes);
    SZ_REQUIRE(q->logits, SZ_E_NOMEM, "no memory for a row of logits");
    memcpy(q->logits, s->rows + last_row * s->model->h.n_vocab, bytes);
    q->stats = s->row_stats[last_row];
    q->has_logits = true;
    return SZ_OK;
}

static sz_status finish(sz_session *s, sz_graph *g, const sz_tensor *logits, const sz_span *spans,
                        size_t n_spans) {
    s->rows = logits->data;
    s->n_rows = logits->n_rows;
    s->row_stats = sz_arena_alloc(s->arena, logits->n_rows * sizeof *s->row_stats + 1);
    SZ_REQUIRE(s->row_stats, SZ_E_NOMEM, "no memory for statistics");
    stats_job job = {s, logits, false};
    sz_graph_rows(g, logits->n_rows, 8 * logits->n_cols, measure_rows, &job);
    SZ_REQUIRE(!job.bad, SZ_E_NAN, "the model gave logits that are not finite");
    size_t row = 0;
    for (size_t i = 0; i < n_spans; i++) {
        const sz_span *p = &spans[i];
        size_t n_rows = p->want == SZ_ALL ? p->n : p->want == SZ_LAST && p->n ? 1 : 0;
        if (p->n == 0)
            continue;
        SZ_TRY(record_span(s, p, sz_kv_length(s->kv, p->seq) - p->n, row));
        SZ_TRY(keep_logits(s, p, row + n_rows - 1));
        row += n_rows;
    }
    return SZ_OK;
}

/* ---- The pass ----------------------------------------------------------------------------------- */

static sz_status compute(sz_session *s, const sz_span *spans, size_t n_spans, const batch *b,
                         const float *embeddings) {
    sz_graph g;
    sz_graph_begin(&g, s->model->rt, s->arena);
    sz_pass pass = {.kv = s->kv,
                    .n = b->n,
                    .ids = embeddings ? NULL : b->ids,
                    .embeddings = embeddings,
                    .seq = b->seq,
                    .position = b->position,
                    .want = b->want,
                    .n_want = b->n_want,
                    .tap = s->tap,
                    .tap_user = s->tap_user};
    sz_tensor *logits = sz_model_forward(&g, s->model, &pass, true);
    SZ_TRY(g.status);
    return finish(s, &g, logits, spans, n_spans);
}

static sz_status forward(sz_session *s, const sz_span *spans, size_t n_spans,
                         const float *embeddings) {
    batch b = {0};
    SZ_REQUIRE(!sz_runtime_cancelled(s->model->rt), SZ_E_CANCELLED, "cancelled");
    SZ_TRY(check_spans(s, spans, n_spans, &b.n, &b.n_want));
    sz_arena_reset(s->arena);
    s->rows = NULL;
    s->n_rows = 0;
    SZ_TRY(flatten(s, spans, n_spans, &b));
    sz_status status = SZ_OK;
    size_t done = 0;
    for (; done < n_spans && status == SZ_OK; done++)
        status = sz_kv_extend(s->kv, spans[done].seq, spans[done].n);
    if (status == SZ_OK)
        status = compute(s, spans, n_spans, &b, embeddings);
    else
        done--;
    for (size_t i = 0; status != SZ_OK && i < done; i++) { /* leave the sequences as they were */
        uint32_t length = sz_kv_length(s->kv, spans[i].seq) - spans[i].n;
        sz_kv_truncate(s->kv, spans[i].seq, length);
        sz_sequence *q = &s->sequences[spans[i].seq];
        q->n_records = q->n_records < length ? q->n_records : length;
    }
    return status;
}

sz_status sz_session_forward(sz_session *s, const sz_span *spans, size_t n_spans) {
    return forward(s, spans, n_spans, NULL);
}

sz_status sz_session_forward_embeddings(sz_session *s, uint32_t seq, const float *embeddings,
                                        uint32_t n, sz_want want) {
    sz_span span = {.seq = seq, .ids = NULL, .n = n, .want = want};
    return forward(s, &span, 1, embeddings);
}

const float *sz_session_logits(const sz_session *s, size_t row) {
    return row < s->n_rows ? s->rows + row * s->model->h.n_vocab : NULL;
}

const sz_logit_stats *sz_session_stats(const sz_session *s, size_t row) {
    return row < s->n_rows ? &s->row_stats[row] : NULL;
}
