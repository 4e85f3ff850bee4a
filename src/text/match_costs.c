/* match_costs.c: what the steps of each method cost on this machine: the shortest of a few runs of
 * the methods themselves on small inputs. */
#include <pthread.h>

#include "text/match.h"

enum { N = 1 << 15, M = 1024, ROUNDS = 3 };

typedef struct trial {
    sz_match_setup s;
    sz_match_tile t;
    uint32_t *out;
    void *codes;
    uint64_t votes;
} trial;

static void run_scatter(trial *t) {
    t->votes = sz_match_scatter(&t->s, &t->t, NULL, t->out);
}
static void run_fft(trial *t) {
    sz_match_report r;
    sz_match_fft(&t->s, &t->t, NULL, t->out, &r);
}
static void run_blocks(trial *t) {
    sz_match_blocks(&t->s, &t->t, true, t->out);
}
static void run_encode(trial *t) {
    sz_needle_encode(&t->s.p, t->t.text, t->t.n, t->codes);
}

static double shortest(trial *t, void (*run)(trial *t)) {
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t from = sz_time_ns();
        run(t);
        uint64_t took = sz_time_ns() - from;
        best = took < best ? took : best;
    }
    return (double)best;
}

/* A text and a pattern of random symbols below `symbols`, of 1 or 4 bytes. */
static sz_status trial_new(unsigned width, uint32_t symbols, size_t m, void *text, trial *out) {
    trial t = {.t = {text, N}};
    for (size_t i = 0; i < N + m; i++) {
        uint32_t r = (uint32_t)(sz_uniform(1, 45, i) * symbols);
        if (width == 1)
            ((uint8_t *)text)[i] = (uint8_t)r;
        else
            ((uint32_t *)text)[i] = r;
    }
    t.s.o = (sz_match_options){.bounded = true, .k = 3};
    SZ_TRY(sz_kernels_get(NULL, &t.s.kernels));
    const sz_symbols pattern = {sz_symbols_from(text, width, N / 2), m, width};
    SZ_TRY(sz_needle_new(&pattern, false, 0, &t.s.p));
    t.out = sz_alloc(N * sizeof *t.out);
    t.codes = sz_alloc(N * sizeof(uint32_t));
    sz_status status = t.out && t.codes ? sz_match_plan_new(sz_match_fft_points(m), &t.s.plan)
                                        : sz_fail(SZ_E_NOMEM, "no memory for measuring");
    if (status == SZ_OK) {
        *out = t;
        return SZ_OK;
    }
    sz_needle_free(&t.s.p);
    sz_free(t.out);
    sz_free(t.codes);
    return status;
}

static void trial_free(trial *t) {
    sz_match_plan_free(t->s.plan);
    sz_needle_free(&t->s.p);
    sz_free(t->out);
    sz_free(t->codes);
}

static void time_scans(const sz_kernels *k, const void *text, uint32_t *out, sz_match_costs *c) {
    uint32_t offset[M];
    for (uint32_t j = 0; j < M; j++)
        offset[j] = j;
    for (unsigned width = 1; width <= 4; width *= 2) {
        uint64_t best = UINT64_MAX;
        for (int i = 0; i < ROUNDS; i++) {
            uint64_t from = sz_time_ns();
            k->count_equal[width](text, text, offset, M, N / 8, out);
            uint64_t took = sz_time_ns() - from;
            best = took < best ? took : best;
        }
        c->scan[width] = (double)best / (M * (N / 8));
    }
}

/* Two patterns, one with sixteen times the votes of the other, tell the costs of a visit and a
 * vote apart. */
static void time_scatter(void *text, sz_match_costs *c) {
    trial few, many;
    if (trial_new(1, 256, M / 4, text, &few) != SZ_OK)
        return;
    double few_ns = shortest(&few, run_scatter);
    if (trial_new(1, 256, 4 * M, text, &many) == SZ_OK) {
        double many_ns = shortest(&many, run_scatter);
        double vote = (many_ns - few_ns) / (double)(many.votes - few.votes);
        c->vote = vote > 0.1 ? vote : 0.1;
        double visit = (few_ns - c->vote * (double)few.votes) / N;
        c->visit = visit > 0.5 ? visit : 0.5;
        trial_free(&many);
    }
    trial_free(&few);
}

static void time_transform(void *text, sz_match_costs *c) {
    enum { SYMBOLS = 8, LEVELS = 15, POINTS = 1 << LEVELS };
    trial t;
    if (trial_new(1, SYMBOLS, M, text, &t) != SZ_OK)
        return;
    t.t.n = POINTS - M + 1; /* one block */
    run_fft(&t);            /* makes the tables */
    double ns = shortest(&t, run_fft);
    c->transform = ns / (LEVELS * POINTS * 2.0 * (SYMBOLS / 2 + 1)); /* as transform_cost counts */
    c->roll = shortest(&t, run_blocks) / N;
    trial_free(&t);
}

static void time_encode(void *text, sz_match_costs *c) {
    trial t;
    if (trial_new(4, 50000, M, text, &t) != SZ_OK)
        return;
    c->code = shortest(&t, run_encode) / N;
    trial_free(&t);
}

/* One core of 2022 with AVX2: what stands where memory for measuring is short. */
static sz_match_costs costs = {.scan = {[1] = 0.012, [2] = 0.022, [4] = 0.04},
                               .code = 3,
                               .visit = 6,
                               .vote = 0.9,
                               .transform = 0.5,
                               .roll = 1.5};

static void measure(void) {
    const sz_kernels *k;
    uint32_t *text = sz_calloc(N + 8 * M, sizeof *text), *out = sz_alloc(N * sizeof *out);
    if (text && out && sz_kernels_get(NULL, &k) == SZ_OK) {
        time_scans(k, text, out, &costs);
        time_scatter(text, &costs);
        time_transform(text, &costs);
        time_encode(text, &costs);
    }
    sz_free(text);
    sz_free(out);
}

const sz_match_costs *sz_match_costs_measured(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, measure);
    return &costs;
}
