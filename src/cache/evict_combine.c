/* evict_combine.c: two policies are simulated beside the cache, which follows the one with fewer
 * misses so far: the least recently used page leaves that the leader does not hold. */
#include "evict.h"

typedef struct state {
    sz_evict *simulated[2];
    uint64_t misses[2];
    sz_page_link *links;
    sz_page_list order;
} state;

#define POLICIES "flush0|lru|mark0|marker|markpredict|lfu|clock|fifo|random"
static const char *const names[] = {"flush0", "lru",   "mark0", "marker", "markpredict",
                                    "lfu",    "clock", "fifo",  "random"};
enum { N_NAMES = sizeof names / sizeof *names };

static const sz_option options[] = {
    {"first", "a policy; it leads where both have as many misses", 0, 0, N_NAMES - 1, true,
     POLICIES, NULL},
    {"second", "the other", 1, 0, N_NAMES - 1, true, POLICIES, NULL},
    {0}};

static sz_status begin(void *p, const double *values, uint32_t k, uint32_t n_pages, uint64_t seed) {
    state *s = p;
    sz_page_list_clear(&s->order);
    for (int i = 0; i < 2; i++)
        SZ_TRY(
            sz_evict_new(names[(int)values[i]], k, n_pages, seed + (uint64_t)i, &s->simulated[i]));
    return sz_evict_array(n_pages, sizeof *s->links, &s->links);
}

static void end(void *p) {
    state *s = p;
    sz_evict_free(s->simulated[0]);
    sz_evict_free(s->simulated[1]);
    sz_free(s->links);
}

static void request(void *p, uint32_t page, int bit) {
    state *s = p;
    for (int i = 0; i < 2; i++)
        s->misses[i] += sz_evict_request(s->simulated[i], page, bit, NULL, NULL, NULL);
}

static void put(void *p, uint32_t page, int bit) {
    state *s = p;
    sz_page_list_append(&s->order, s->links, page);
}

static void drop(void *p, uint32_t page) {
    state *s = p;
    sz_page_list_remove(&s->order, s->links, page);
}

static void hit(void *p, uint32_t page, int bit) {
    drop(p, page);
    put(p, page, bit);
}

typedef struct wanted { /* pages that the leader holds stay */
    const sz_evict *leader;
    sz_may_evict may;
    const void *user;
} wanted;

static bool may_go(const void *user, uint32_t page) {
    const wanted *w = user;
    return !sz_evict_has(w->leader, page) && (!w->may || w->may(w->user, page));
}

/* Where all that the leader does without must stay, any that may go does. */
static uint32_t evict(void *p, sz_may_evict may, const void *user) {
    state *s = p;
    wanted w = {s->simulated[s->misses[1] < s->misses[0]], may, user};
    uint32_t page = sz_page_list_find(&s->order, s->links, may_go, &w);
    if (page == SZ_NEVER)
        page = sz_page_list_find(&s->order, s->links, may, user);
    if (page != SZ_NEVER)
        drop(s, page);
    return page;
}

const sz_evict_kind sz_evict_combine = {
    .name = "combine",
    .help = "follows the better one of two policies, simulated beside it",
    .options = options,
    .advice = SZ_ADVICE_DISCARD,
    .size = sizeof(state),
    .begin = begin,
    .end = end,
    .request = request,
    .hit = hit,
    .evict = evict,
    .put = put,
    .drop = drop,
};
