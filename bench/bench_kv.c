/* bench_kv.c: what decoding costs after a long prompt, with the full cache and with policies: time
 * of a token, of its attention alone (less a token after a single one), and memory. All take turns.
 * usage: bench_kv MODEL.gguf [TOKENS [ROUNDS]] */
#include <stdio.h>
#include <stdlib.h>

#include <szilard/unstable/cache.h>
#include <szilard/unstable/model.h>

static const char *const policies[] = {
    NULL,
    "none",
    "snapkv budget=1024",
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

/* One sequence for each line: after a single token (NULL), or after the prompt under a policy. */
static sz_status prepare(sz_session *s, const int32_t *ids, uint32_t n, size_t bytes[N]) {
    for (uint32_t i = 0; i < N; i++) {
        sz_kv_policy policy;
        uint32_t seq = 0;
        if (i > 0)
            SZ_TRY(sz_session_add(s, &seq));
        size_t before = sz_session_kv_bytes(s);
        if (!policies[i]) {
            SZ_TRY(sz_session_prompt_ids(s, seq, ids, 1));
        } else {
            SZ_TRY(sz_kv_policy_parse(policies[i], &policy));
            SZ_TRY(sz_session_prompt_kept(s, seq, ids, n, &policy, NULL));
        }
        bytes[i] = sz_session_kv_bytes(s) - before;
    }
    return SZ_OK;
}

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

static sz_status run(const char *path, uint32_t n, int rounds) {
    static uint64_t ns[N][MOST_ROUNDS];
    size_t bytes[N];
    sz_runtime *rt;
    sz_model *model;
    sz_session *s;
    sz_model_info info;
    int32_t *ids = sz_alloc(n * sizeof *ids);
    SZ_REQUIRE(ids, SZ_E_NOMEM, "no memory for %u tokens", n);
    SZ_TRY(sz_runtime_new(NULL, &rt));
    SZ_TRY(sz_model_open(rt, path, NULL, &model));
    sz_model_get_info(model, &info);
    for (uint32_t i = 0; i < n; i++)
        ids[i] = (int32_t)(sz_uniform(1, 2, i) * info.n_vocab);
    sz_session_config config = {.context = n + MOST_ROUNDS, .n_sequences = N};
    SZ_TRY(sz_session_new(model, &config, &s));
    SZ_TRY(prepare(s, ids, n, bytes));
    SZ_TRY(measure(s, rounds, ns));
    printf("%u tokens, %d rounds in turn, %d threads, %s; the best of each\n", n, rounds,
           sz_runtime_threads(rt), sz_runtime_isa(rt));
    for (size_t i = 0; i < N; i++)
        qsort(ns[i], (size_t)rounds, sizeof **ns, rising);
    double base = (double)ns[0][0] * 1e-6, full = (double)ns[1][0] * 1e-6 - base;
    for (size_t i = 0; i < N; i++) {
        double ms = (double)ns[i][0] * 1e-6;
        printf("%-22s %8.2f ms per token, attention %8.2f ms",
               policies[i] ? policies[i] : "after one token", ms, ms - base);
        if (policies[i])
            printf(", %5.1f x", full / (ms - base));
        printf("; %8.2f MiB\n", (double)bytes[i] / 1048576.0);
    }
    sz_session_free(s);
    sz_model_close(model);
    sz_runtime_free(rt);
    sz_free(ids);
    return SZ_OK;
}

int main(int argc, char **argv) {
    int n = argc > 2 ? atoi(argv[2]) : 2048, rounds = argc > 3 ? atoi(argv[3]) : 30;
    if (argc < 2 || n < 2 || n > 1 << 20 || rounds < 1 || rounds > MOST_ROUNDS) {
        fprintf(stderr, "usage: bench_kv MODEL.gguf [TOKENS [ROUNDS up to %d]]\n", MOST_ROUNDS);
        return 2;
    }
    if (run(argv[1], (uint32_t)n, rounds) == SZ_OK)
        return 0;
    fprintf(stderr, "%s\n", sz_last_error());
    return 1;
}
