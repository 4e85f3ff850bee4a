/* 40_paging.c: advice of one bit on the blocks of simulated conversations: the optimum with true
 * bits, little lost with some wrong ones, and the two kinds of error are not alike. */
#include "repro.h"

#include <math.h>
#include <string.h>
#include <szilard/unstable/evict.h>
#include <szilard/unstable/num.h>

enum {
    PROMPTS = 12,    /* system prompts, by Zipf's law with exponent 1.1 */
    TALKS = 24,      /* at once */
    BLOCKS = 256,    /* of a conversation, at most */
    REQUESTS = 12000 /* blocks that turns ask for */
};

typedef struct source {
    uint64_t seed, counter;
} source;

static double uniform(source *s) {
    return sz_uniform(s->seed, 40, s->counter++);
}

static uint32_t between(source *s, uint32_t from, uint32_t to) {
    return from + (uint32_t)(uniform(s) * (to - from + 1));
}

typedef struct talk {
    uint32_t block[BLOCKS], n, shared; /* the first `shared` are its system prompt's */
    bool ends;                         /* after the next turn */
} talk;

typedef struct world {
    source s;
    uint32_t prompt[PROMPTS][10], length[PROMPTS], n_pages;
    double weight[PROMPTS];
    talk talk[TALKS];
    uint32_t page[REQUESTS];
    uint8_t end_bit[REQUESTS]; /* 1: a private block at the last turn of its conversation */
    size_t n;
} world;

static void begin_talk(world *w, talk *t) {
    double u = uniform(&w->s);
    int p = 0;
    while (p < PROMPTS - 1 && (u -= w->weight[p]) >= 0)
        p++;
    memcpy(t->block, w->prompt[p], w->length[p] * sizeof *t->block);
    t->n = t->shared = w->length[p];
}

static void begin_world(world *w, uint64_t seed) {
    double sum = 0;
    *w = (world){.s = {seed, 0}};
    for (int p = 0; p < PROMPTS; p++) {
        w->length[p] = between(&w->s, 2, 10);
        for (uint32_t i = 0; i < w->length[p]; i++)
            w->prompt[p][i] = w->n_pages++;
        w->weight[p] = sz_exp(-1.1 * sz_log(p + 1.0));
        sum += w->weight[p];
    }
    for (int p = 0; p < PROMPTS; p++)
        w->weight[p] /= sum;
    for (int i = 0; i < TALKS; i++)
        begin_talk(w, &w->talk[i]);
}

/* One turn: the chain of all blocks so far, and one to four new ones. */
static void turn(world *w, size_t limit) {
    talk *t = &w->talk[between(&w->s, 0, TALKS - 1)];
    uint32_t more = between(&w->s, 1, 4);
    bool last = uniform(&w->s) < 1 / 4.5 || t->n + more + 4 > BLOCKS;
    for (uint32_t i = 0; i < more; i++)
        t->block[t->n++] = w->n_pages++;
    for (uint32_t i = 0; i < t->n && w->n < limit; i++) {
        w->end_bit[w->n] = last && i >= t->shared;
        w->page[w->n++] = t->block[i];
    }
    if (last)
        begin_talk(w, t);
}

/* ---- What it costs --------------------------------------------------------------------------- */

typedef struct costs {
    sz_page_trace t;
    uint32_t k;
    uint64_t optimum, lru;
    uint8_t *truth, *bit;
} costs;

static sz_status misses(costs *c, const char *policy, const uint8_t *bit, double *out) {
    uint64_t n;
    c->t.bit = bit;
    SZ_TRY(sz_paging_misses(policy, &c->t, c->k, 1, &n));
    *out = (double)n;
    return SZ_OK;
}

/* The truth, with bits of one value (or of any: -1) turned with some chance. */
static const uint8_t *flipped(costs *c, int value, double chance, uint64_t stream) {
    for (size_t i = 0; i < c->t.n; i++) {
        bool turn_it = (value < 0 || c->truth[i] == value) && sz_uniform(4, stream, i) < chance;
        c->bit[i] = c->truth[i] ^ turn_it;
    }
    return c->bit;
}

static sz_status check_noise(sz_repro_run *run, costs *c) {
    static const double chances[] = {0.01, 0.05, 0.2};
    for (int i = 0; i < 3; i++) {
        double cost;
        sz_paging_errors e;
        const uint8_t *bit = flipped(c, -1, chances[i], (uint64_t)i);
        SZ_TRY(misses(c, "flush0", bit, &cost));
        sz_paging_discard_errors(&c->t, c->truth, &e);
        double bound = (double)(c->optimum + (c->k - 1) * e.kept + e.dropped);
        sz_repro_check(run, "(1, k-1, 1)", cost / bound, "<=", 1,
                       "k %u, %g %% wrong: misses over the bound", c->k, 100 * chances[i]);
        if (chances[i] == 0.05)
            sz_repro_check(run, "", ((double)c->lru - cost) / (double)(c->lru - c->optimum),
                           ">=", 0.25, "k %u, 5 %% wrong: share of LRU's distance closed", c->k);
    }
    return SZ_OK;
}

static sz_status check_asymmetry(sz_repro_run *run, costs *c) {
    double kept, dropped;
    SZ_TRY(misses(c, "flush0", flipped(c, 1, 0.3, 7), &kept));
    SZ_TRY(misses(c, "flush0", flipped(c, 0, 0.03, 8), &dropped));
    sz_repro_check(run, "k-1 against 1", kept / dropped, ">=", 1,
                   "k %u: 30 %% of true 1s lost, over 3 %% false 1s", c->k);
    return SZ_OK;
}

static sz_status check_size(sz_repro_run *run, const world *w, costs *c) {
    double cost;
    SZ_TRY(sz_paging_optimum(&c->t, c->k, &c->optimum, c->truth));
    SZ_TRY(misses(c, "lru", NULL, &cost));
    c->lru = (uint64_t)cost;
    SZ_TRY(misses(c, "flush0", c->truth, &cost));
    sz_repro_check(run, "1", cost / (double)c->optimum, "==", 1, "k %u: true bits, over OPT", c->k);
    if (!run->smoke)
        SZ_TRY(check_noise(run, c));
    if (c->k == 64)
        SZ_TRY(check_asymmetry(run, c));
    SZ_TRY(misses(c, "combine", flipped(c, -1, 0.5, 9), &cost));
    sz_repro_check(run, "", cost / (double)c->lru, "<=", 1.03,
                   "k %u: random bits, combine over LRU", c->k);
    SZ_TRY(misses(c, "flush0", w->end_bit, &cost));
    sz_repro_check(run, "", cost / (double)c->lru, "<=", run->smoke ? 1.05 : 1,
                   "k %u: bits at the end of conversations, over LRU", c->k);
    return SZ_OK;
}

static sz_status measure(sz_repro_run *run, world *w, costs *c) {
    static const uint32_t sizes[] = {64, 128, 256};
    size_t n = run->smoke ? 2000 : REQUESTS;
    begin_world(w, run->seed + 1);
    while (w->n < n)
        turn(w, n);
    c->t = (sz_page_trace){w->page, NULL, w->n, w->n_pages};
    for (int i = 0; i < (run->smoke ? 1 : 3); i++) {
        c->k = sizes[i];
        SZ_TRY(check_size(run, w, c));
    }
    return SZ_OK;
}

static sz_status run_40(sz_repro_run *run) {
    world *w = sz_calloc(1, sizeof *w);
    costs c = {.truth = sz_calloc(REQUESTS, 1), .bit = sz_calloc(REQUESTS, 1)};
    sz_status status =
        w && c.truth && c.bit ? measure(run, w, &c) : sz_fail(SZ_E_NOMEM, "no memory for a trace");
    sz_free(w);
    sz_free(c.truth);
    sz_free(c.bit);
    return status;
}

const sz_repro sz_repro_40 = {"40", run_40};
