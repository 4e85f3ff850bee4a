/* bench_samplers.c: what a sampler costs per token, and top-H beside top-p.
 *
 *     bench_samplers [SAMPLER|draw...]
 *
 * For vocabularies of 49152, 151936 and 262144 tokens and logits of three shapes (a model that is
 * sure, one that is not, and one that knows nothing): microseconds of each sampler alone, the
 * median of paired rounds, and GB/s of logits, once read, that this makes; last the ratio of top-H
 * to top-p. Samplers run in turn within a round, so that a busy machine hurts all of them alike.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/num.h>
#include <szilard/unstable/sampler.h>
#include <time.h>

enum { ROUNDS = 31, HISTORY = 256, MOST = 32, LARGEST = 262144 };

static const size_t sizes[] = {49152, 151936, LARGEST};
enum { N_SIZES = sizeof sizes / sizeof *sizes };
static const struct shape {
    const char *name;
    double spread, peak, fall; /* of the bulk; of the likeliest above it, and how fast they fall */
} shapes[] = {{"sure", 2, 16, 1.6}, {"unsure", 2, 13, 0.9}, {"flat", 1, 0, 0}};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

/* What stands alone needs a value under which it does its work; the others have good defaults. */
static const struct special {
    const char *name, *text;
} specials[] = {{"logit-bias", "logit-bias 7 bias=1"},
                {"penalties", "penalties 1.1 last=256"},
                {"xtc", "xtc probability=1"},
                {"temperature", "temperature 1.5"},
                {"top-p", "top-p 0.9"}};

/* Whole draws: `draw` on the command line. */
static const char *const chains[] = {"top-k 40, top-p 0.95, min-p 0.05, temperature 0.8",
                                     "temperature 1.5, top-h 0.4", "temperature 1"};

static sz_token history[HISTORY];
static float logits[LARGEST];
static sz_candidates c;
static sz_runtime *rt;

typedef struct entrant {
    const char *name;
    sz_chain *chain;
    double t[ROUNDS];
    size_t kept;
    bool draws; /* a whole chain, from the logits to the record */
} entrant;

static void check(sz_status status) {
    if (status != SZ_OK) {
        fprintf(stderr, "bench_samplers: %s\n", sz_last_error());
        exit(1);
    }
}

static void make_logits(const struct shape *shape, size_t n) {
    for (size_t i = 0; i < n; i++) { /* a sum of four is normal enough */
        double u = -2;
        for (uint64_t j = 0; j < 4; j++)
            u += sz_uniform(1, j, i);
        logits[i] = (float)(shape->spread * u * 1.73);
    }
    for (size_t r = 0; shape->peak > 0 && r < 500; r++) {
        size_t at = (size_t)(sz_uniform(2, 0, r) * (double)n);
        logits[at] = (float)(shape->peak - shape->fall * sz_log((double)(r + 1)));
    }
}

static const char *text_of(const char *name) {
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        if (strcmp(specials[i].name, name) == 0)
            return specials[i].text;
    return name;
}

/* Of this thread: other work on the machine does not count. */
static double processor_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Seconds of one application without the copy of the logits, or of a whole draw. */
static double seconds(const entrant *e, size_t n) {
    sz_logit_stats stats;
    check(sz_logits_measure(rt, logits, n, 1.0f, &stats));
    sz_sampler_input input = {
        .history = history, .n_history = HISTORY, .stats = &stats, .logits = logits, .seed = 1};
    sz_token drawn;
    sz_candidates_fill(&c, logits, n);
    double start = processor_seconds();
    if (e->draws)
        check(sz_chain_draw(e->chain, &input, n, &c, &drawn));
    else
        check(sz_chain_apply(e->chain, &input, &c));
    return processor_seconds() - start;
}

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *t) {
    qsort(t, ROUNDS, sizeof *t, rising);
    return t[ROUNDS / 2];
}

static void measure(entrant *e, size_t n_entrants, size_t n, const struct shape *shape) {
    const entrant *top_p = NULL, *top_h = NULL;
    double ratio[ROUNDS];
    make_logits(shape, n);
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < n_entrants; i++) {
            e[i].t[round] = seconds(&e[i], n);
            e[i].kept = c.n;
        }
    for (size_t i = 0; i < n_entrants; i++) {
        top_p = strcmp(e[i].name, "top-p") == 0 ? &e[i] : top_p;
        top_h = strcmp(e[i].name, "top-h") == 0 ? &e[i] : top_h;
    }
    for (int round = 0; top_p && top_h && round < ROUNDS; round++)
        ratio[round] = top_h->t[round] / top_p->t[round];
    for (size_t i = 0; i < n_entrants; i++) {
        double t = median(e[i].t);
        printf("%7zu %-7s %-20s %9.1f us %7.2f GB/s  %7zu kept\n", n, shape->name, e[i].name,
               t * 1e6, (double)(n * sizeof *logits) / t * 1e-9, e[i].kept);
    }
    if (top_p && top_h)
        printf("%7zu %-7s top-H / top-p        %9.2f x\n", n, shape->name, median(ratio));
}

static bool wanted(int argc, char **argv, const char *name) {
    bool found = argc == 1;
    for (int j = 1; j < argc; j++)
        found |= strcmp(argv[j], name) == 0;
    return found;
}

int main(int argc, char **argv) {
    static entrant entrants[MOST];
    size_t n = 0;
    check(sz_runtime_new(&(sz_runtime_config){.n_threads = 1}, &rt));
    check(sz_candidates_new(rt, LARGEST, &c));
    for (size_t i = 0; i < HISTORY; i++)
        history[i].id = (int32_t)(sz_uniform(3, 0, i) * 1000);
    for (const sz_sampler_kind *const *k = sz_sampler_kinds(); *k && n < MOST; k++) {
        if (!wanted(argc, argv, (*k)->name))
            continue;
        check(sz_chain_parse(text_of((*k)->name), &entrants[n].chain));
        entrants[n++].name = (*k)->name;
    }
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
        if (!wanted(argc, argv, "draw"))
            continue;
        check(sz_chain_parse(chains[i], &entrants[n].chain));
        entrants[n].draws = true;
        entrants[n++].name = chains[i];
    }
    for (size_t i = 0; i < N_SIZES; i++)
        for (size_t j = 0; j < N_SHAPES; j++)
            measure(entrants, n, sizes[i], &shapes[j]);
    for (size_t i = 0; i < n; i++)
        sz_chain_free(entrants[i].chain);
    sz_candidates_free(&c);
    sz_runtime_free(rt);
    return 0;
}
