/* bench_tokenizer.c: MB/s of text to ids and back, per second of processor time of one thread.
 *
 *     bench_tokenizer MODEL.gguf [FILE [ROUNDS]]
 *
 * Without FILE: a megabyte each of "a", of digits and of spaces, which have no words to remember.
 * Prints the best and the median round. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <szilard/unstable/tokenizer.h>

enum { MOST_ROUNDS = 101 };

static void check(sz_status status) {
    if (status != SZ_OK) {
        fprintf(stderr, "bench_tokenizer: %s\n", sz_last_error());
        exit(1);
    }
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print(const char *what, double *rate, int rounds, size_t bytes, size_t tokens) {
    qsort(rate, (size_t)rounds, sizeof *rate, by_value);
    printf("%-24s %8.1f MB/s best %8.1f median %10zu bytes %9zu tokens\n", what, rate[rounds - 1],
           rate[rounds / 2], bytes, tokens);
}

/* What others run on the machine does not count. */
static uint64_t cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static double megabytes_per_s(size_t bytes, uint64_t from) {
    return (double)bytes * 1e3 / (double)(cpu_ns() - from + 1);
}

static void measure(const sz_tokenizer *t, const char *what, const sz_buf *text, int rounds) {
    double to_ids[MOST_ROUNDS], to_text[MOST_ROUNDS];
    size_t n = 0;
    for (int i = 0; i < rounds; i++) {
        int32_t *ids = NULL;
        sz_buf back = {0};
        uint64_t from = cpu_ns();
        check(sz_tokenizer_encode(t, text->data, text->len, 0, &ids, &n));
        to_ids[i] = megabytes_per_s(text->len, from);
        from = cpu_ns();
        check(sz_tokenizer_decode(t, ids, n, true, true, &back));
        to_text[i] = megabytes_per_s(back.len, from);
        sz_buf_free(&back);
        sz_free(ids);
    }
    print(what, to_ids, rounds, text->len, n);
    print("  and back", to_text, rounds, text->len, n);
}

static void measure_runs(const sz_tokenizer *t, int rounds) {
    static const struct {
        const char *what, *unit;
    } runs[] = {{"a run of letters", "a"}, {"a run of digits", "7"}, {"a run of spaces", " "}};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        sz_buf text = {0};
        while (text.len < 1 << 20)
            sz_buf_puts(&text, runs[i].unit);
        measure(t, runs[i].what, &text, rounds);
        sz_buf_free(&text);
    }
}

int main(int argc, char **argv) {
    int rounds = argc > 3 ? atoi(argv[3]) : 5;
    if (argc < 2 || argc > 4 || rounds < 1 || rounds > MOST_ROUNDS)
        return fprintf(stderr, "usage: bench_tokenizer MODEL.gguf [FILE [ROUNDS]]\n"), 2;
    sz_gguf *g = NULL;
    sz_tokenizer *t = NULL;
    check(sz_gguf_open(argv[1], &g));
    uint64_t from = cpu_ns();
    check(sz_tokenizer_from_gguf(g, &t));
    printf("%u tokens loaded in %.1f ms\n", sz_tokenizer_n_vocab(t),
           (double)(cpu_ns() - from) / 1e6);
    if (argc > 2) {
        sz_buf text = {0};
        check(sz_file_read(argv[2], (size_t)1 << 30, &text));
        measure(t, argv[2], &text, rounds);
        sz_buf_free(&text);
    } else {
        measure_runs(t, rounds);
    }
    sz_tokenizer_free(t);
    sz_gguf_close(g);
    return 0;
}
