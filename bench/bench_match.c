/* bench_match.c: every method of matching beside the two loops that a compiler makes vectors of,
 * as n, m and k grow.
 *
 *     bench_match [N [ROUNDS]]
 *     bench_match --plot FOLDER    as figures: match-n.svg, match-m.svg, match-k.svg
 *
 * Symbols are those of DNA (4), letters (26), all bytes (256) and tokens (Zipf over 50,000). Prints
 * ns of one thread per alignment, the median of the rounds, how it compares with the two loops of
 * the same round, and what AUTO took beside the best single method. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <szilard/unstable/num.h>
#include <szilard/unstable/text.h>

#include "cli/plot.h"

enum { MOST_ROUNDS = 31 };

static void check(sz_status status) {
    if (status != SZ_OK) {
        fprintf(stderr, "bench_match: %s\n", sz_last_error());
        exit(1);
    }
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, int n) {
    qsort(v, (size_t)n, sizeof *v, by_value);
    return v[n / 2];
}

/* The plain loop: over alignments inside, so that the compiler can use vectors. */
__attribute__((noinline)) static void two_loops_bytes(const uint8_t *t, const uint8_t *p, size_t n,
                                                      size_t m, uint32_t *d) {
    memset(d, 0, n * sizeof *d);
    for (size_t j = 0; j < m; j++)
        for (size_t i = 0; i < n; i++)
            d[i] += t[i + j] != p[j];
}
__attribute__((noinline)) static void two_loops_tokens(const uint32_t *t, const uint32_t *p,
                                                       size_t n, size_t m, uint32_t *d) {
    memset(d, 0, n * sizeof *d);
    for (size_t j = 0; j < m; j++)
        for (size_t i = 0; i < n; i++)
            d[i] += t[i + j] != p[j];
}
/* Blocks of alignments that stay in the first cache. */
static void two_loops(const sz_symbols *t, const sz_symbols *p, uint32_t *d) {
    enum { BLOCK = 2048 };
    size_t n = t->n - p->n + 1;
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t count = n - at < BLOCK ? n - at : BLOCK;
        if (t->width == 1)
            two_loops_bytes((const uint8_t *)t->data + at, p->data, count, p->n, d + at);
        else
            two_loops_tokens((const uint32_t *)t->data + at, p->data, count, p->n, d + at);
    }
}

/* Zipf(1) over `alphabet` symbols, or all alike. */
static void fill(sz_symbols *s, uint32_t alphabet, bool zipf) {
    double all = sz_log((double)alphabet + 1);
    for (size_t i = 0; i < s->n; i++) {
        double u = sz_uniform(1, alphabet, i);
        uint32_t c = (uint32_t)(zipf ? sz_exp(u * all) - 1 : u * alphabet);
        if (s->width == 1)
            ((uint8_t *)s->data)[i] = (uint8_t)c;
        else
            ((uint32_t *)s->data)[i] = c;
    }
}

/* What others run on the machine does not count. */
static uint64_t cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

typedef struct bench {
    const char *what;
    sz_symbols t;
    int rounds;
    uint32_t *d, *want;
} bench;

static double run_one(const bench *b, const sz_symbols *p, const sz_match_options *o) {
    uint64_t from = cpu_ns();
    check(sz_match_distances(&b->t, p, o, b->d, NULL));
    return (double)(cpu_ns() - from) / (double)(b->t.n - p->n + 1);
}

static void compare(const bench *b, size_t m, const sz_match_method *methods, int64_t k) {
    sz_symbols p = {(const uint8_t *)b->t.data + b->t.n / 2 * b->t.width, m, b->t.width};
    double best = 1e300, loops[MOST_ROUNDS], took[MOST_ROUNDS];
    size_t n = b->t.n - m + 1;
    for (; *methods != SZ_MATCH_METHODS; methods++) {
        sz_match_options o = {.method = *methods, .bounded = k >= 0, .k = k};
        double ratio[MOST_ROUNDS];
        for (int r = 0; r < b->rounds; r++) {
            uint64_t from = cpu_ns();
            two_loops(&b->t, &p, b->want);
            loops[r] = (double)(cpu_ns() - from) / (double)n;
            took[r] = run_one(b, &p, &o);
            ratio[r] = loops[r] / took[r];
        }
        for (size_t i = 0; i < n; i++)
            if (b->d[i] != (k >= 0 && b->want[i] > k ? k + 1 : b->want[i])) {
                fprintf(stderr, "bench_match: %s differs at %zu\n", sz_match_method_name(*methods),
                        i);
                exit(1);
            }
        double ns = median(took, b->rounds), times = median(ratio, b->rounds);
        printf("%-8s n %9zu m %6zu k %5lld  %-8s %10.3f ns %8.2f G/s %8.2f x two loops", b->what,
               b->t.n, m, (long long)k, sz_match_method_name(*methods), ns, (double)m / ns, times);
        if (*methods == SZ_MATCH_AUTO)
            printf("  %.2f x the best", ns / best);
        printf("\n");
        if (*methods != SZ_MATCH_SAMPLE) /* which may miss one */
            best = ns < best ? ns : best;
    }
}

static void kind(const char *what, unsigned width, uint32_t alphabet, bool zipf, size_t n,
                 int rounds) {
    bench b = {.what = what, .t = {sz_alloc(n * width), n, width}, .rounds = rounds};
    b.d = sz_alloc(n * sizeof *b.d);
    b.want = sz_alloc(n * sizeof *b.want);
    if (!b.t.data || !b.d || !b.want)
        exit(1);
    fill(&b.t, alphabet, zipf);
    static const sz_match_method all[] = {SZ_MATCH_SCAN,  SZ_MATCH_SCATTER, SZ_MATCH_FFT,
                                          SZ_MATCH_SPLIT, SZ_MATCH_AUTO,    SZ_MATCH_METHODS};
    static const sz_match_method plain[] = {SZ_MATCH_SCAN, SZ_MATCH_SCATTER, SZ_MATCH_SPLIT,
                                            SZ_MATCH_AUTO, SZ_MATCH_METHODS};
    static const sz_match_method within[] = {SZ_MATCH_SCAN,   SZ_MATCH_BLOCKS, SZ_MATCH_JUMPS,
                                             SZ_MATCH_SAMPLE, SZ_MATCH_AUTO,   SZ_MATCH_METHODS};
    for (size_t m = 16; m <= 4096; m *= 4)
        compare(&b, m, alphabet <= 26 ? all : plain, -1);
    for (int64_t k = 2; k <= 256; k *= 4)
        compare(&b, 1024, within, k);
    sz_free((void *)b.t.data);
    sz_free(b.d);
    sz_free(b.want);
}

/* ---- Figures --------------------------------------------------------------------------------- */

enum { POINTS = 14, LINES = 6, LETTERS = 26, MOST_N = 1 << 20 };
static const struct {
    const char *name;
    sz_match_method method; /* NAIVE: the two loops */
} drawn[2][LINES] = {{{"two loops", SZ_MATCH_NAIVE},
                      {"scan", SZ_MATCH_SCAN},
                      {"scatter", SZ_MATCH_SCATTER},
                      {"fft", SZ_MATCH_FFT},
                      {"split", SZ_MATCH_SPLIT},
                      {"auto", SZ_MATCH_AUTO}},
                     {{"two loops", SZ_MATCH_NAIVE},
                      {"scan", SZ_MATCH_SCAN},
                      {"blocks", SZ_MATCH_BLOCKS},
                      {"jumps", SZ_MATCH_JUMPS},
                      {"sample", SZ_MATCH_SAMPLE},
                      {"auto", SZ_MATCH_AUTO}}};

typedef struct figure {
    const char *file, *title, *x_label;
    size_t n, m;
    int64_t k;              /* negative: all distances */
    enum { N, M, K } grows; /* from its value on, twice as much at each point */
    size_t points;
} figure;

/* log10 of ns per alignment: the best of the rounds. */
static double draw_point(bench *b, size_t m, sz_match_options o) {
    sz_symbols p = {(const uint8_t *)b->t.data + b->t.n / 2, m, 1};
    if (b->t.n / 2 + m > b->t.n)
        p.data = b->t.data;
    double best = 1e300;
    for (int r = 0; r < 3; r++) {
        uint64_t from = cpu_ns();
        if (o.method == SZ_MATCH_NAIVE)
            two_loops(&b->t, &p, b->want);
        else
            check(sz_match_distances(&b->t, &p, &o, b->d, NULL));
        double took = (double)(cpu_ns() - from) / (double)(b->t.n - m + 1);
        best = took < best ? took : best;
    }
    return sz_log(best) / sz_log(10);
}

static void draw(const char *folder, const figure *f, bench *b) {
    double x[POINTS], y[LINES][POINTS];
    sz_plot_line lines[LINES];
    for (size_t line = 0; line < LINES; line++) {
        for (size_t i = 0; i < f->points; i++) {
            size_t n = f->n << (f->grows == N ? i : 0), m = f->m << (f->grows == M ? i : 0);
            int64_t k = f->k < 0 ? f->k : f->k << (f->grows == K ? i : 0);
            b->t.n = n;
            x[i] = sz_log(f->grows == N   ? (double)n
                          : f->grows == M ? (double)m
                                          : (double)k) /
                   sz_log(2);
            sz_match_options o = {
                .method = drawn[f->k >= 0][line].method, .bounded = k >= 0, .k = k};
            y[line][i] = draw_point(b, m, o);
        }
        lines[line] = (sz_plot_line){drawn[f->k >= 0][line].name, y[line]};
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, f->file);
    check(sz_plot_write(path, &(sz_plot){.title = f->title,
                                         .x_label = f->x_label,
                                         .y_label = "log10 of ns per alignment",
                                         .x = x,
                                         .n = f->points,
                                         .lines = lines,
                                         .n_lines = LINES}));
}

static void draw_all(const char *folder) {
    static const figure figures[] = {
        {"match-n.svg", "Letters, m = 256: longer texts", "log2 n", 1024, 256, -1, N, 11},
        {"match-m.svg", "Letters, n = 131,072: longer patterns", "log2 m", 1 << 17, 4, -1, M, 13},
        {"match-k.svg", "Letters, n = 131,072, m = 1024: wider bounds", "log2 k", 1 << 17, 1024, 1,
         K, 10}};
    bench b = {.t = {sz_alloc(MOST_N), MOST_N, 1}};
    b.d = sz_calloc(MOST_N, sizeof *b.d);
    b.want = sz_calloc(MOST_N, sizeof *b.want);
    if (!b.t.data || !b.d || !b.want)
        exit(1);
    fill(&b.t, LETTERS, false);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        draw(folder, &figures[i], &b);
    sz_free((void *)b.t.data);
    sz_free(b.d);
    sz_free(b.want);
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--plot") == 0) {
        draw_all(argv[2]);
        return 0;
    }
    size_t n = argc > 1 ? (size_t)atol(argv[1]) : 200000;
    int rounds = argc > 2 ? atoi(argv[2]) : 3;
    rounds = rounds < 1 ? 1 : rounds > MOST_ROUNDS ? MOST_ROUNDS : rounds;
    if (n < 10000) {
        fprintf(stderr, "bench_match: N is at least 10000\n");
        return 2;
    }
    const sz_match_costs *c = sz_match_costs_measured();
    printf("costs in ns: scan %.4f %.4f %.4f, visit %.2f, vote %.2f, transform %.3f, roll %.2f, "
           "code %.2f\n",
           c->scan[1], c->scan[2], c->scan[4], c->visit, c->vote, c->transform, c->roll, c->code);
    kind("dna", 1, 4, false, n, rounds);
    kind("letters", 1, 26, false, n, rounds);
    kind("bytes", 1, 256, false, n, rounds);
    kind("tokens", 4, 50000, true, n, rounds);
    return 0;
}
