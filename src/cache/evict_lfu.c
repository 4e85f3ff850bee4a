/* evict_lfu.c: the page that was requested least often leaves, the longest unused of equals. Counts
 * age: a page begins with the count of the one that left last, so that old fame does not stay. */
#include "evict.h"

typedef struct rank {
    uint64_t count, time;
} rank;

typedef struct state {
    uint32_t *heap, *place; /* [k], the lowest rank first; [n_pages] */
    rank *rank;             /* [n_pages] */
    uint32_t n;
    uint64_t clock, age;
} state;

static sz_status begin(void *p, const double *values, uint32_t k, uint32_t n_pages, uint64_t seed) {
    state *s = p;
    SZ_TRY(sz_evict_array(k < n_pages ? k : n_pages, sizeof *s->heap, &s->heap));
    SZ_TRY(sz_evict_array(n_pages, sizeof *s->place, &s->place));
    return sz_evict_array(n_pages, sizeof *s->rank, &s->rank);
}

static void end(void *p) {
    state *s = p;
    sz_free(s->heap);
    sz_free(s->place);
    sz_free(s->rank);
}

static bool below(const state *s, uint32_t a, uint32_t b) {
    const rank *x = &s->rank[a], *y = &s->rank[b];
    return x->count != y->count ? x->count < y->count : x->time < y->time;
}

static void set(state *s, uint32_t at, uint32_t page) {
    s->heap[at] = page;
    s->place[page] = at;
}

/* Moves the page at `at` to where it belongs. */
static void settle(state *s, uint32_t at) {
    uint32_t page = s->heap[at];
    for (; at > 0 && below(s, page, s->heap[(at - 1) / 2]); at = (at - 1) / 2)
        set(s, at, s->heap[(at - 1) / 2]);
    for (uint32_t child; (child = 2 * at + 1) < s->n; at = child) {
        if (child + 1 < s->n && below(s, s->heap[child + 1], s->heap[child]))
            child++;
        if (!below(s, s->heap[child], page))
            break;
        set(s, at, s->heap[child]);
    }
    set(s, at, page);
}

static void hit(void *p, uint32_t page, int bit) {
    state *s = p;
    s->rank[page] = (rank){s->rank[page].count + 1, s->clock++};
    settle(s, s->place[page]);
}

static void put(void *p, uint32_t page, int bit) {
    state *s = p;
    s->rank[page] = (rank){s->age + 1, s->clock++};
    set(s, s->n++, page);
    settle(s, s->n - 1);
}

static void drop(void *p, uint32_t page) {
    state *s = p;
    uint32_t at = s->place[page], last = s->heap[--s->n];
    if (at == s->n)
        return;
    set(s, at, last);
    settle(s, at);
}

static uint32_t lowest(const state *s, sz_may_evict may, const void *user) {
    uint32_t best = SZ_NEVER;
    if (!may)
        return s->n ? s->heap[0] : SZ_NEVER;
    for (uint32_t i = 0; i < s->n; i++)
        if (may(user, s->heap[i]) && (best == SZ_NEVER || below(s, s->heap[i], best)))
            best = s->heap[i];
    return best;
}

static uint32_t evict(void *p, sz_may_evict may, const void *user) {
    state *s = p;
    uint32_t page = lowest(s, may, user);
    if (page == SZ_NEVER)
        return page;
    s->age = s->rank[page].count;
    drop(p, page);
    return page;
}

const sz_evict_kind sz_evict_lfu = {
    .name = "lfu",
    .help = "the page that was requested least often leaves; counts age",
    .size = sizeof(state),
    .begin = begin,
    .end = end,
    .hit = hit,
    .evict = evict,
    .put = put,
    .drop = drop,
};
