/* bench_engine.c: tokens/s of the engine by kind of pass, for measuring a change beside its parent.
 *
 *     bench_engine MODEL.gguf [THREADS [ROUNDS [WHAT...]]]
 *
 * WHAT: prefill N (one pass of N tokens), decode N (N passes of one token after 64), batch N (16
 * passes of N tokens after 64); default: prefill 512, decode 64, batch 4. Prints best and median.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <szilard.h>
#include <szilard/unstable/base.h>

enum { DEPTH = 64, BATCHES = 16, MOST_ROUNDS = 101 };

typedef struct bench {
    sz_model *model;
    sz_session *session;
    uint32_t n_vocab;
    int rounds;
} bench;

static void check(sz_status status) {
    if (status != SZ_OK) {
        fprintf(stderr, "bench_engine: %s\n", sz_last_error());
        exit(1);
    }
}

static void pass(bench *b, uint32_t n) {
    int32_t *ids = malloc(n * sizeof *ids);
    uint32_t at = sz_session_length(b->session, 0);
    for (uint32_t i = 0; i < n; i++)
        ids[i] = (int32_t)((uint64_t)(at + i) * 7919 % b->n_vocab);
    sz_span span = {0, ids, n, SZ_LAST};
    check(sz_session_forward(b->session, &span, 1));
    free(ids);
}

/* Tokens per second of one round. */
static double round_of(bench *b, const char *what, uint32_t n) {
    bool decode = strcmp(what, "decode") == 0, prefill = strcmp(what, "prefill") == 0;
    uint32_t passes = prefill ? 1 : decode ? n : BATCHES, width = decode ? 1 : n;
    check(sz_session_truncate(b->session, 0, 0));
    if (!prefill)
        pass(b, DEPTH);
    uint64_t start = sz_time_ns();
    for (uint32_t i = 0; i < passes; i++)
        pass(b, width);
    return 1e9 * passes * width / (double)(sz_time_ns() - start);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(bench *b, const char *what, uint32_t n) {
    double rates[MOST_ROUNDS];
    if (n == 0 || n > 65536) {
        fprintf(stderr, "bench_engine: %s needs a number of tokens\n", what);
        exit(2);
    }
    round_of(b, what, n < 16 ? n : 16); /* memory is there, threads run */
    for (int i = 0; i < b->rounds; i++)
        rates[i] = round_of(b, what, n);
    qsort(rates, (size_t)b->rounds, sizeof *rates, by_value);
    printf("  %s %u: %.1f (%.1f)", what, n, rates[b->rounds - 1], rates[b->rounds / 2]);
    fflush(stdout);
}

int main(int argc, char **argv) {
    static char *const usual[] = {"prefill", "512", "decode", "64", "batch", "4"};
    if (argc < 2) {
        fputs("usage: bench_engine MODEL.gguf [THREADS [ROUNDS [WHAT N]...]]\n", stderr);
        return 2;
    }
    bench b = {.rounds = argc > 3 ? atoi(argv[3]) : 5};
    b.rounds = b.rounds < 1 ? 1 : b.rounds > MOST_ROUNDS ? MOST_ROUNDS : b.rounds;
    sz_runtime_config runtime = {.n_threads = argc > 2 ? atoi(argv[2]) : 0};
    sz_session_config config = {.context = 65536, .n_sequences = 1};
    sz_runtime *rt;
    sz_model_info info;
    uint64_t start = sz_time_ns();
    check(sz_runtime_new(&runtime, &rt));
    check(sz_model_open(rt, argv[1], NULL, &b.model));
    check(sz_session_new(b.model, &config, &b.session));
    printf("%s, %d threads: open %.0f ms", sz_runtime_isa(rt), sz_runtime_threads(rt),
           (double)(sz_time_ns() - start) / 1e6);
    sz_model_get_info(b.model, &info);
    b.n_vocab = info.n_vocab;
    char *const *what = argc > 4 ? argv + 4 : usual;
    int n = argc > 4 ? argc - 4 : 6;
    for (int i = 0; i + 1 < n; i += 2)
        measure(&b, what[i], (uint32_t)atoi(what[i + 1]));
    printf("  peak %.0f MB\n", (double)sz_memory_peak() / 1e6);
    sz_session_free(b.session);
    sz_model_close(b.model);
    sz_runtime_free(rt);
    return 0;
}
