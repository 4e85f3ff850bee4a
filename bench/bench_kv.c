/* bench_kv.c: what decoding costs after a long text, with all of its cache and with what policies
 * keep of it: a token, its attention alone (less a token after a single one), and memory. All take
 * turns. The cache is filled with random keys and values, and policies see random attention: what
 * is measured depends on how much is kept, and how it lies.
 * usage: bench_kv MODEL.gguf [TOKENS [ROUNDS [THREADS]]] */
#include <stdio.h>
#include <stdlib.h>

#include <szilard/unstable/cache.h>
#include <szilard/unstable/model.h>

#include "decode/session.h"

static const char *const policies[] = {
    NULL,
    "none",
    "snapkv budget=2048",
    "uncomp budget=2048",
    "snapkv budget=1024",
    "uncomp budget=1024",
    "snapkv budget=384",
    "uncomp budget=384",
    "snapkv budget=128",
    "uncomp budget=128",
};
enum { N = sizeof policies / sizeof *policies, MOST_ROUNDS = 1000 };

static int rising(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double median(uint64_t *ns, int n) {
    qsort(ns, (size_t)n, sizeof *ns, rising);
    return (double)ns[n / 2] * 1e-6;
}

/* ---- A cache ----------------------------------------------------------------------------------
 */

/* n tokens with keys and values that nobody computed. */
static sz_status fill(sz_session *s, uint32_t seq, uint32_t n) {
    const sz_hparams *h = &s->model->h;
    sz_sequence *q = &s->sequences[seq];
    float *row = sz_alloc((size_t)h->head_dim * 65 * sizeof *row);
    SZ_REQUIRE(row, SZ_E_NOMEM, "no memory for a key");
    for (size_t i = 0; i < (size_t)h->head_dim * 65; i++)
        row[i] = (float)(sz_uniform(7, seq, i) - 0.5);
    SZ_TRY(sz_kv_extend(s->kv, seq, n));
    SZ_TRY(sz_sequence_reserve(q, n));
    for (uint32_t at = 0; at < n; at++) {
        sz_token t = sz_token_given(1, at == 0);
        sz_sequence_record(q, &t);
        for (uint32_t l = 0; l < h->n_layer; l++)
            for (uint32_t k = 0; k < h->n_head_kv; k++) {
                const float *x = row + (at * 31 + l * 7 + k) % 64 * h->head_dim;
                sz_kv_store(s->kv, seq, at, l, k, x, x + h->head_dim);
            }
    }
    sz_free(row);
    return SZ_OK;
}

static sz_status keep(sz_session *s, uint32_t seq, const char *text, uint32_t n) {
    const sz_hparams *h = &s->model->h;
    size_t heads = (size_t)h->n_layer * h->n_head_kv;
    double *mass = sz_alloc((heads * n + heads) * sizeof *mass);
    sz_kv_policy policy;
    sz_kv_plan plan;
    SZ_REQUIRE(mass, SZ_E_NOMEM, "no memory for attention");
    for (size_t i = 0; i < heads * n + heads; i++)
        mass[i] = 1 + sz_uniform(3, 1, i);
    sz_kv_prompt prompt = {h->n_layer, h->n_head_kv, n, NULL, mass, mass, mass + heads * n};
    SZ_TRY(sz_kv_policy_parse(text, &policy));
    sz_status status = sz_kv_policy_plan(&policy, &prompt, &plan);
    sz_free(mass);
    SZ_TRY(status);
    status = sz_session_keep(s, seq, &plan);
    sz_kv_plan_free(&plan);
    sz_kv_policy_free(&policy);
    return status;
}

/* One sequence for each line: after a single token (NULL), or with what a policy keeps of many. */
static sz_status prepare(sz_session *s, uint32_t n, size_t bytes[N]) {
    for (uint32_t i = 0; i < N; i++) {
        uint32_t seq = 0;
        if (i > 0)
            SZ_TRY(sz_session_add(s, &seq));
        SZ_TRY(fill(s, seq, policies[i] ? n : 1));
        if (policies[i])
            SZ_TRY(keep(s, seq, policies[i], n));
        bytes[i] = sz_kv_sequence_bytes(s->kv, seq);
    }
    return SZ_OK;
}

/* ---- Measuring --------------------------------------------------------------------------------
 */

static sz_status measure(sz_session *s, int rounds, uint64_t (*ns)[MOST_ROUNDS]) {
    const int32_t id = 1;
    for (int r = 0; r < rounds; r++)
        for (uint32_t i = 0; i < N; i++) {
            sz_span span = {i, &id, 1, SZ_LAST};
            uint64_t start = sz_time_ns();
            SZ_TRY(sz_session_forward(s, &span, 1));
            ns[i][r] = sz_time_ns() - start;
        }
    return SZ_OK;
}

static sz_status run(const char *path, uint32_t n, int rounds, int threads) {
    static uint64_t ns[N][MOST_ROUNDS];
    double ms[N];
    size_t bytes[N];
    sz_runtime *rt;
    sz_model *model;
    sz_session *s;
    SZ_TRY(sz_runtime_new(&(sz_runtime_config){.n_threads = threads}, &rt));
    SZ_TRY(sz_model_open(rt, path, NULL, &model));
    sz_session_config config = {.context = n + MOST_ROUNDS, .n_sequences = N};
    SZ_TRY(sz_session_new(model, &config, &s));
    SZ_TRY(prepare(s, n, bytes));
    SZ_TRY(measure(s, rounds, ns));
    printf("%u tokens, %d rounds in turn, %d threads, %s; the median of each\n", n, rounds,
           sz_runtime_threads(rt), sz_runtime_isa(rt));
    for (size_t i = 0; i < N; i++)
        ms[i] = median(ns[i], rounds);
    for (size_t i = 0; i < N; i++) {
        double attention = ms[i] - ms[0];
        printf("%-22s %8.2f ms per token, attention %8.2f ms; %8.2f MiB",
               policies[i] ? policies[i] : "after one token", ms[i], attention,
               (double)bytes[i] / 1048576.0);
        if (i > 1)
            printf("; %5.1f x faster, %5.1f x smaller", (ms[1] - ms[0]) / attention,
                   (double)bytes[1] / (double)bytes[i]);
        if (i > 2 && i % 2 == 1)
            printf("; %.2f of the line above", attention / (ms[i - 1] - ms[0]));
        putchar('\n');
    }
    sz_session_free(s);
    sz_model_close(model);
    sz_runtime_free(rt);
    return SZ_OK;
}

int main(int argc, char **argv) {
    int n = argc > 2 ? atoi(argv[2]) : 8192, rounds = argc > 3 ? atoi(argv[3]) : 30;
    int threads = argc > 4 ? atoi(argv[4]) : 0;
    if (argc < 2 || n < 2 || n > 1 << 20 || rounds < 1 || rounds > MOST_ROUNDS || threads < 0) {
        fprintf(stderr, "usage: bench_kv MODEL.gguf [TOKENS [ROUNDS up to %d [THREADS]]]\n",
                MOST_ROUNDS);
        return 2;
    }
    if (run(argv[1], (uint32_t)n, rounds, threads) == SZ_OK)
        return 0;
    fprintf(stderr, "%s\n", sz_last_error());
    return 1;
}
