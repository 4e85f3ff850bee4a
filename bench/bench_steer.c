/* bench_steer.c: what steered texts cost beside plain ones.
 *
 *     bench_steer MODEL.gguf [THREADS [TOKENS [ROUNDS]]]
 *
 * For 1, 4, 16 and 32 texts of TOKENS tokens after one prompt, in turn: drawn plainly in one pass
 * per token (best of n); steered by a regular expression, whose particles are weighed and
 * resampled; and one text after the other. Prints tokens of all texts per second, the median of
 * ROUNDS, and ratios of paired rounds to the plain texts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/branching.h>
#include <szilard/unstable/model.h>
#include <szilard/unstable/steer.h>

enum { MOST_TEXTS = 32, MOST_ROUNDS = 99 };

static const size_t numbers[] = {1, 4, 16, MOST_TEXTS};
static const char regex[] = "([a-zA-Z ,.;']|\\n)*"; /* no text ends by it */

typedef struct bench {
    sz_session *s;
    size_t n_tokens;
} bench;

static void check(sz_status status) {
    if (status != SZ_OK) {
        fprintf(stderr, "bench_steer: %s\n", sz_last_error());
        exit(1);
    }
}

static double plain(const bench *b, size_t n, size_t *computed) {
    sz_continuations texts = {0};
    uint64_t start = sz_time_ns();
    check(sz_session_best_of(b->s, 0, &(sz_branching){.n = n, .max_tokens = b->n_tokens}, &texts));
    double seconds = (double)(sz_time_ns() - start) * 1e-9;
    *computed += texts.n_computed;
    sz_continuations_free(&texts);
    return seconds;
}

static double one_by_one(const bench *b, size_t n, size_t *computed) {
    double seconds = 0;
    for (size_t i = 0; i < n; i++)
        seconds += plain(b, 1, computed);
    return seconds;
}

static double steered(const bench *b, size_t n, size_t *computed) {
    sz_steering config = {.n_particles = n, .max_tokens = b->n_tokens, .threshold = 0.5};
    sz_steered texts = {0};
    check(sz_grammar_from_regex(regex, strlen(regex), &config.grammar));
    uint64_t start = sz_time_ns();
    check(sz_session_steer(b->s, 0, &config, &texts));
    double seconds = (double)(sz_time_ns() - start) * 1e-9;
    *computed += texts.texts.n_computed;
    sz_steered_free(&texts);
    return seconds;
}

static double (*const ways[])(const bench *, size_t, size_t *) = {plain, steered, one_by_one};
static const char *const names[] = {"plain", "steered", "one by one"};
enum { N_WAYS = sizeof ways / sizeof *ways };

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, int n) {
    qsort(v, (size_t)n, sizeof *v, rising);
    return v[n / 2];
}

/* Seconds per computed token, since a text may end early. */
static void measure(const bench *b, size_t n, int rounds) {
    static double cost[N_WAYS][MOST_ROUNDS], ratio[N_WAYS][MOST_ROUNDS];
    for (int r = 0; r < rounds; r++)
        for (size_t w = 0; w < N_WAYS; w++) {
            size_t computed = 0;
            double seconds = ways[w](b, n, &computed);
            cost[w][r] = seconds / (double)(computed ? computed : 1);
            ratio[w][r] = cost[w][r] / cost[0][r];
        }
    for (size_t w = 0; w < N_WAYS; w++)
        printf("%3zu texts  %-11s %8.1f tokens/s  %6.2f times plain\n", n, names[w],
               1 / median(cost[w], rounds), median(ratio[w], rounds));
}

int main(int argc, char **argv) {
    int threads = argc > 2 ? atoi(argv[2]) : 0, tokens = argc > 3 ? atoi(argv[3]) : 32;
    int rounds = argc > 4 ? atoi(argv[4]) : 5;
    if (argc < 2 || threads < 0 || tokens < 1 || tokens > 1000 || rounds < 1 ||
        rounds > MOST_ROUNDS) {
        fprintf(stderr, "usage: bench_steer MODEL.gguf [THREADS [TOKENS [ROUNDS]]]\n");
        return 2;
    }
    sz_runtime *rt;
    sz_model *model;
    bench b = {.n_tokens = (size_t)tokens};
    check(sz_runtime_new(&(sz_runtime_config){.n_threads = threads}, &rt));
    check(sz_model_open(rt, argv[1], NULL, &model));
    sz_session_config config = {.context = 2048, .n_sequences = 2 * MOST_TEXTS + 1};
    check(sz_session_new(model, &config, &b.s));
    check(sz_session_set_sampler(b.s, 0, "temperature 1", 3));
    check(sz_session_prompt(b.s, 0, "The old lighthouse keeper"));
    printf("%d tokens of each text, %d rounds in turn, %d threads, %s\n", tokens, rounds,
           sz_runtime_threads(rt), sz_runtime_isa(rt));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        measure(&b, numbers[i], rounds);
    sz_session_free(b.s);
    sz_model_close(model);
    sz_runtime_free(rt);
    return 0;
}
