/* evict_clock.c: a hand goes round; a page that was requested since it last passed stays. */
#include "evict.h"

typedef struct state {
    sz_page_link *links;
    uint8_t *used; /* [n_pages] */
    sz_page_list order;
} state;

static sz_status begin(void *p, const double *values, uint32_t k, uint32_t n_pages, uint64_t seed) {
    state *s = p;
    sz_page_list_clear(&s->order);
    SZ_TRY(sz_evict_array(n_pages, 1, &s->used));
    return sz_evict_array(n_pages, sizeof *s->links, &s->links);
}

static void end(void *p) {
    state *s = p;
    sz_free(s->links);
    sz_free(s->used);
}

static void hit(void *p, uint32_t page, int bit) {
    ((state *)p)->used[page] = 1;
}

static void put(void *p, uint32_t page, int bit) {
    state *s = p;
    s->used[page] = 0;
    sz_page_list_append(&s->order, s->links, page);
}

static void drop(void *p, uint32_t page) {
    state *s = p;
    sz_page_list_remove(&s->order, s->links, page);
}

/* Two rounds at most: the first one takes the marks away. */
static uint32_t evict(void *p, sz_may_evict may, const void *user) {
    state *s = p;
    for (uint64_t i = 0, most = 2 * (uint64_t)s->order.n; i < most; i++) {
        uint32_t page = s->order.first;
        drop(p, page);
        if (!s->used[page] && (!may || may(user, page)))
            return page;
        put(p, page, 0);
    }
    return SZ_NEVER;
}

const sz_evict_kind sz_evict_clock = {
    .name = "clock",
    .help = "a page that was requested since the hand last passed stays",
    .size = sizeof(state),
    .begin = begin,
    .end = end,
    .hit = hit,
    .evict = evict,
    .put = put,
    .drop = drop,
};
