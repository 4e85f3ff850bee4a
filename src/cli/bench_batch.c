/* bench_batch.c: what a pass over several tokens costs: of several sequences, or of one. */
#include "bench.h"

typedef struct subject {
    sz_session *session;
    const int32_t *ids; /* [context + most] */
    uint32_t *sequences;
    size_t context;
} subject;

/* The context in one sequence, and forks of it. */
static sz_status prepare(const subject *w, size_t most) {
    SZ_TRY(sz_session_prompt_ids(w->session, 0, w->ids, w->context));
    for (size_t i = 1; i < most; i++)
        SZ_TRY(sz_session_fork(w->session, 0, &w->sequences[i]));
    return SZ_OK;
}

sz_status sz_bench_cut(sz_session *s, const int32_t *ids, size_t context) {
    SZ_TRY(sz_session_truncate(s, 0, context ? (uint32_t)context - 1 : 0));
    sz_span last = {0, ids + context - 1, 1, SZ_LAST};
    return context ? sz_session_forward(s, &last, 1) : SZ_OK;
}

static sz_status time_pass(const subject *w, const sz_span *spans, size_t n_spans, double *best) {
    uint64_t start = sz_time_ns();
    SZ_TRY(sz_session_forward(w->session, spans, n_spans));
    double seconds = (double)(sz_time_ns() - start) * 1e-9;
    *best = *best > 0 && *best < seconds ? *best : seconds;
    for (size_t i = 0; i < n_spans; i++)
        SZ_TRY(sz_session_truncate(w->session, spans[i].seq, (uint32_t)w->context));
    return SZ_OK;
}

/* All logits are wanted, as speculation and sampling want them. */
static sz_status time_batch(const subject *w, sz_bench_batch *b) {
    sz_span spans[SZ_LARGEST_BATCH];
    for (size_t i = 0; i < b->n; i++)
        spans[i] = (sz_span){w->sequences[i], w->ids + w->context + i, 1, SZ_LAST};
    SZ_TRY(time_pass(w, spans, b->n, &b->sequences_s));
    SZ_TRY(sz_bench_cut(w->session, w->ids, w->context));
    sz_span whole = {0, w->ids + w->context, (uint32_t)b->n, SZ_ALL};
    return time_pass(w, &whole, 1, &b->span_s);
}

/* Machines vary: in every round all sizes have their turn. */
static sz_status time_rounds(const subject *w, const sz_bench_plan *plan, sz_bench_result *out) {
    out->one.n = 1;
    for (size_t i = 0; i < plan->n_batches; i++)
        out->batch[i].n = plan->batch[i];
    for (int round = 0; round <= plan->repeats; round++) {
        SZ_TRY(time_batch(w, &out->one));
        for (size_t i = 0; i < plan->n_batches; i++)
            SZ_TRY(time_batch(w, &out->batch[i]));
    }
    return SZ_OK;
}

sz_status sz_bench_batches(const sz_engine *e, const sz_bench_plan *plan, sz_bench_result *out) {
    sz_model_info info;
    size_t most = 1;
    for (size_t i = 0; i < plan->n_batches; i++)
        most = plan->batch[i] > most ? plan->batch[i] : most;
    if (plan->n_batches == 0)
        return SZ_OK;
    size_t n = plan->context + most;
    sz_session_config config = {
        .size = sizeof config, .context = (uint32_t)n, .n_sequences = (uint32_t)most};
    subject w = {.context = plan->context};
    SZ_TRY(sz_session_new(e->model, &config, &w.session));
    sz_model_get_info(e->model, &info);
    int32_t *ids = sz_alloc(n * sizeof *ids);
    w.ids = ids;
    w.sequences = sz_calloc(most, sizeof *w.sequences);
    sz_status status =
        ids && w.sequences ? SZ_OK : sz_fail(SZ_E_NOMEM, "out of memory for %zu tokens", n);
    if (status == SZ_OK) {
        sz_bench_fill_ids(ids, n, info.n_vocab);
        status = prepare(&w, most);
    }
    if (status == SZ_OK)
        status = time_rounds(&w, plan, out);
    sz_free(w.sequences);
    sz_free(ids);
    sz_session_free(w.session);
    return status;
}
