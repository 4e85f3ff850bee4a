/* evict_lru.c: the least recently used page leaves; fifo: the one that has been there longest. */
#include "evict.h"

typedef struct state {
    sz_page_link *links;
    sz_page_list order;
} state;

static sz_status begin(void *p, const double *values, uint32_t k, uint32_t n_pages, uint64_t seed) {
    state *s = p;
    sz_page_list_clear(&s->order);
    return sz_evict_array(n_pages, sizeof *s->links, &s->links);
}

static void end(void *p) {
    sz_free(((state *)p)->links);
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

static void stay(void *p, uint32_t page, int bit) {}

static uint32_t evict(void *p, sz_may_evict may, const void *user) {
    state *s = p;
    uint32_t page = sz_page_list_find(&s->order, s->links, may, user);
    if (page != SZ_NEVER)
        drop(p, page);
    return page;
}

const sz_evict_kind sz_evict_lru = {
    .name = "lru",
    .help = "the least recently used page leaves",
    .size = sizeof(state),
    .begin = begin,
    .end = end,
    .hit = hit,
    .evict = evict,
    .put = put,
    .drop = drop,
};

const sz_evict_kind sz_evict_fifo = {
    .name = "fifo",
    .help = "the page that has been there longest leaves",
    .size = sizeof(state),
    .begin = begin,
    .end = end,
    .hit = stay,
    .evict = evict,
    .put = put,
    .drop = drop,
};
