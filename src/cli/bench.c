/* bench.c: measuring prefill and decode, and counting the bytes and products of both. */
#include "bench.h"
#include "machine.h"
#include <stdlib.h>
#include <string.h>

#define PROBE_NS 100000000u

static double larger(double a, double b) {
    return a > b ? a : b;
}

void sz_bench_machine(sz_runtime *rt, const sz_model *model, sz_bench_result *out) {
    out->threads = sz_runtime_threads(rt);
    snprintf(out->isa, sizeof out->isa, "%s", sz_runtime_isa(rt));
    double read = sz_machine_read_bandwidth(rt, model, PROBE_NS);
    double peak = sz_machine_int8_peak(rt, PROBE_NS);
    double floats = sz_machine_float_peak(rt, PROBE_NS / 4);
    out->read_bytes_per_s = larger(out->read_bytes_per_s, read);
    out->int8_macs_per_s = larger(out->int8_macs_per_s, peak);
    out->float_macs_per_s = larger(out->float_macs_per_s, floats);
}

/* ---- The work -------------------------------------------------------------------------------- */

void sz_bench_fill_ids(int32_t *ids, size_t n, uint32_t n_vocab) {
    for (size_t i = 0; i < n; i++)
        ids[i] = (int32_t)(sz_uniform(1, 0, i) * n_vocab);
}

/* A session, and the tokens that it is given. */
typedef struct subject {
    sz_session *session;
    const int32_t *ids;
    size_t context;
} subject;

static sz_status time_prefill(const subject *w, size_t n, double *seconds) {
    SZ_TRY(sz_session_truncate(w->session, 0, 0));
    uint64_t start = sz_time_ns();
    SZ_TRY(sz_session_prompt_ids(w->session, 0, w->ids, n));
    *seconds = (double)(sz_time_ns() - start) * 1e-9;
    return SZ_OK;
}

/* Each token alone, with its logits, after the context, which stays from one repeat to the next. */
static sz_status time_decode(const subject *w, size_t n, double *seconds) {
    if (sz_session_length(w->session, 0) < w->context) {
        SZ_TRY(sz_session_truncate(w->session, 0, 0));
        SZ_TRY(sz_session_prompt_ids(w->session, 0, w->ids, w->context));
    }
    SZ_TRY(sz_session_truncate(w->session, 0, (uint32_t)w->context));
    uint64_t start = sz_time_ns();
    for (size_t i = 0; i < n; i++) {
        sz_span span = {0, w->ids + w->context + i, 1, SZ_LAST};
        SZ_TRY(sz_session_forward(w->session, &span, 1));
    }
    *seconds = (double)(sz_time_ns() - start) * 1e-9;
    return SZ_OK;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

typedef sz_status (*timing)(const subject *w, size_t n, double *seconds);

/* A first pass, which is not counted, fills caches and memory. */
static sz_status repeat(timing run, const subject *w, size_t n, int repeats, sz_bench_work *out) {
    double *seconds = sz_alloc((size_t)repeats * sizeof *seconds), first;
    SZ_REQUIRE(seconds, SZ_E_NOMEM, "out of memory for %d repeats", repeats);
    sz_status status = n ? run(w, n < 32 ? n : 32, &first) : SZ_OK;
    sz_energy_meter *meter = sz_energy_meter_begin();
    out->energy.source = SZ_ENERGY_NONE;
    for (int i = 0; n && i < repeats && status == SZ_OK; i++) {
        status = run(w, n, &seconds[i]);
        if (meter)
            sz_energy_meter_poll(meter);
    }
    if (meter)
        sz_energy_meter_read(meter, &out->energy);
    sz_energy_meter_close(meter);
    out->n_metered = n * (size_t)repeats;
    if (n && status == SZ_OK) {
        qsort(seconds, (size_t)repeats, sizeof *seconds, by_value);
        out->best_s = seconds[0];
        out->median_s = repeats % 2 ? seconds[repeats / 2]
                                    : (seconds[repeats / 2] + seconds[repeats / 2 - 1]) / 2;
    }
    sz_free(seconds);
    return status;
}

/* Weights are read once per pass, the head for the last token of a prompt only. */
static void count(const sz_model *model, size_t chunk, const sz_bench_plan *plan,
                  sz_bench_result *out) {
    sz_workload w;
    uint64_t macs, bytes;
    sz_workload_of(model, &w);
    size_t n = plan->n_prefill, passes = (n + chunk - 1) / chunk;
    sz_workload_attention(model, 0, n, &macs, &bytes);
    out->prefill.macs = n ? (double)(n * w.layer_macs + w.head_macs + macs) : 0;
    out->prefill.bytes = n ? (double)(passes * w.layer_bytes + w.head_bytes + bytes) : 0;
    n = plan->n_decode;
    sz_workload_attention(model, plan->context, n, &macs, &bytes);
    out->decode.macs = (double)(n * (w.layer_macs + w.head_macs) + macs);
    out->decode.bytes = (double)(n * (w.layer_bytes + w.head_bytes) + bytes);
    sz_workload_attention(model, plan->context, 1, &macs, &bytes);
    for (size_t i = 0; i < plan->n_batches; i++) {
        double tokens = (double)plan->batch[i];
        out->batch[i].macs = tokens * (double)(w.layer_macs + w.head_macs + macs);
        out->batch[i].bytes = (double)(w.layer_bytes + w.head_bytes) + tokens * (double)bytes;
    }
}

static sz_status measure(const subject *w, const sz_bench_plan *plan, sz_bench_result *out) {
    SZ_TRY(repeat(time_prefill, w, plan->n_prefill, plan->repeats, &out->prefill));
    return repeat(time_decode, w, plan->n_decode, plan->repeats, &out->decode);
}

sz_status sz_bench_model(const sz_engine *e, const sz_bench_plan *plan, sz_bench_result *out) {
    size_t n = plan->context + plan->n_decode;
    sz_model_info info;
    sz_session *s;
    n = plan->n_prefill > n ? plan->n_prefill : n;
    sz_model_get_info(e->model, &info);
    sz_session_config config = {.size = sizeof config, .context = (uint32_t)n, .n_sequences = 1};
    SZ_TRY(sz_session_new(e->model, &config, &s));
    int32_t *ids = sz_alloc(n * sizeof *ids);
    sz_status status = ids ? SZ_OK : sz_fail(SZ_E_NOMEM, "out of memory for %zu tokens", n);
    *out = (sz_bench_result){0};
    if (status == SZ_OK) {
        sz_bench_fill_ids(ids, n, info.n_vocab);
        sz_bench_machine(e->rt, e->model, out);
        status = measure(&(subject){s, ids, plan->context}, plan, out);
    }
    if (status == SZ_OK)
        status = sz_bench_batches(e, plan, out);
    if (status == SZ_OK && plan->operators)
        status = sz_bench_operators(e, plan, out);
    if (status == SZ_OK) {
        sz_bench_machine(e->rt, e->model, out); /* machines vary: the better of before and after */
        count(e->model, sz_session_chunk(s), plan, out);
    }
    sz_free(ids);
    sz_session_free(s);
    return status;
}
