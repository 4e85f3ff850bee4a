/* bench_operators.c: passes taken apart into their operators, by the meter of a session. */
#include "bench.h"
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_BATCH = 4, SHORT_PASSES = 8 /* of few tokens, in the time of one prompt or less */ };

/* ---- Collecting ------------------------------------------------------------------------------ */

/* The last place takes what finds no other. */
static void collect(void *user, const sz_operator_cost *cost) {
    sz_bench_pass *p = user;
    size_t i = 0;
    while (i < p->n_ops && strcmp(p->op[i].sum.name, cost->name) != 0)
        i++;
    if (i == SZ_MOST_OPERATORS)
        i--;
    if (i == p->n_ops) {
        p->op[i] = (sz_bench_operator){.sum = *cost, .calls = 1};
        p->n_ops++;
        return;
    }
    p->op[i].calls++;
    p->op[i].sum.ns += cost->ns;
    p->op[i].sum.bytes += cost->bytes;
    p->op[i].sum.multiply_adds += cost->multiply_adds;
}

static int slower_first(const void *a, const void *b) {
    uint64_t x = ((const sz_bench_operator *)a)->sum.ns, y = ((const sz_bench_operator *)b)->sum.ns;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* ---- Passes ---------------------------------------------------------------------------------- */

typedef struct subject {
    sz_session *session;
    const int32_t *ids; /* as many as the context and the longest pass */
} subject;

/* Tokens [context, context + n) in one pass; keeps the figures if it was the fastest so far. */
static sz_status run_pass(const subject *w, sz_bench_pass *best) {
    sz_bench_pass now = {.name = best->name, .n_tokens = best->n_tokens, .context = best->context};
    sz_want want = now.context ? SZ_ALL : SZ_LAST;
    SZ_TRY(sz_bench_cut(w->session, w->ids, now.context));
    sz_span span = {0, w->ids + now.context, (uint32_t)now.n_tokens, want};
    sz_session_set_meter(w->session, collect, &now);
    uint64_t start = sz_time_ns();
    sz_status status = sz_session_forward(w->session, &span, 1);
    now.ns = sz_time_ns() - start;
    sz_session_set_meter(w->session, NULL, NULL);
    if (status == SZ_OK && (best->ns == 0 || now.ns < best->ns))
        *best = now;
    return status;
}

static sz_status run_round(const subject *w, sz_bench_result *out) {
    for (size_t i = 0; i < out->n_passes; i++) {
        sz_bench_pass *p = &out->pass[i];
        size_t length = sz_session_length(w->session, 0);
        if (length < p->context)
            SZ_TRY(sz_session_prompt_ids(w->session, 0, w->ids + length, p->context - length));
        for (int pass = 0; pass < (p->context ? SHORT_PASSES : 1); pass++)
            SZ_TRY(run_pass(w, p));
    }
    return SZ_OK;
}

static size_t choose(const sz_bench_plan *plan, size_t chunk, sz_bench_result *out) {
    size_t batch = plan->n_batches ? plan->batch[0] : DEFAULT_BATCH;
    size_t prompt = plan->n_prefill < chunk ? plan->n_prefill : chunk; /* one pass is shown */
    out->n_passes = 0;
    out->pass[out->n_passes++] = (sz_bench_pass){"decode", 1, plan->context, .n_ops = 0};
    out->pass[out->n_passes++] = (sz_bench_pass){"batch", batch, plan->context, .n_ops = 0};
    if (prompt)
        out->pass[out->n_passes++] = (sz_bench_pass){"prefill", prompt, 0, .n_ops = 0};
    return plan->context + batch > prompt ? plan->context + batch : prompt;
}

static sz_status run_rounds(const subject *w, int repeats, sz_bench_result *out) {
    for (int round = 0; round < repeats; round++)
        SZ_TRY(run_round(w, out));
    for (size_t i = 0; i < out->n_passes; i++)
        qsort(out->pass[i].op, out->pass[i].n_ops, sizeof *out->pass[i].op, slower_first);
    return SZ_OK;
}

sz_status sz_bench_operators(const sz_engine *e, const sz_bench_plan *plan, sz_bench_result *out) {
    sz_model_info info;
    subject w = {NULL, NULL};
    size_t most = plan->context + SZ_LARGEST_BATCH;
    most = plan->n_prefill > most ? plan->n_prefill : most;
    sz_session_config config = {.size = sizeof config, .context = (uint32_t)most, .n_sequences = 1};
    SZ_TRY(sz_session_new(e->model, &config, &w.session));
    sz_model_get_info(e->model, &info);
    size_t n = choose(plan, sz_session_chunk(w.session), out);
    int32_t *ids = sz_alloc(n * sizeof *ids);
    sz_status status = ids ? SZ_OK : sz_fail(SZ_E_NOMEM, "out of memory for %zu tokens", n);
    if (status == SZ_OK) {
        sz_bench_fill_ids(ids, n, info.n_vocab);
        w.ids = ids;
        status = run_rounds(&w, plan->repeats, out);
    }
    sz_free(ids);
    sz_session_free(w.session);
    return status;
}
