/* evict_random.c: any page leaves, each with the same chance. */
#include "evict.h"

typedef struct state {
    uint32_t *place;
    sz_page_bag bag;
    uint64_t seed, draws;
} state;

static sz_status begin(void *p, const double *values, uint32_t k, uint32_t n_pages, uint64_t seed) {
    state *s = p;
    s->seed = seed;
    SZ_TRY(sz_evict_array(n_pages, sizeof *s->place, &s->place));
    return sz_evict_array(n_pages, sizeof *s->bag.page, &s->bag.page);
}

static void end(void *p) {
    state *s = p;
    sz_free(s->place);
    sz_free(s->bag.page);
}

static void hit(void *p, uint32_t page, int bit) {}

static void put(void *p, uint32_t page, int bit) {
    state *s = p;
    sz_page_bag_add(&s->bag, s->place, page);
}

static void drop(void *p, uint32_t page) {
    state *s = p;
    sz_page_bag_remove(&s->bag, s->place, page);
}

static uint32_t evict(void *p, sz_may_evict may, const void *user) {
    state *s = p;
    uint32_t page = sz_page_bag_draw(&s->bag, sz_uniform(s->seed, 0, s->draws++), may, user);
    if (page != SZ_NEVER)
        drop(p, page);
    return page;
}

const sz_evict_kind sz_evict_random = {
    .name = "random",
    .help = "any page leaves, each with the same chance",
    .random = true,
    .size = sizeof(state),
    .begin = begin,
    .end = end,
    .hit = hit,
    .evict = evict,
    .put = put,
    .drop = drop,
};
