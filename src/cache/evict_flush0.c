/* evict_flush0.c: pages that are safe to drop leave first, the least recently used of them; where
 * there are none, all become so (FlushWhenAll0s). At most OPT + (k - 1) eta_0 + eta_1 misses. */
#include "evict.h"

enum { KEEP, SAFE };

typedef struct state {
    sz_page_link *links;
    uint8_t *bit;         /* [n_pages] of those in the cache: which list */
    sz_page_list list[2]; /* in the order of their last requests */
} state;

static sz_status begin(void *p, const double *values, uint32_t k, uint32_t n_pages, uint64_t seed) {
    state *s = p;
    sz_page_list_clear(&s->list[KEEP]);
    sz_page_list_clear(&s->list[SAFE]);
    SZ_TRY(sz_evict_array(n_pages, 1, &s->bit));
    return sz_evict_array(n_pages, sizeof *s->links, &s->links);
}

static void end(void *p) {
    state *s = p;
    sz_free(s->links);
    sz_free(s->bit);
}

static void put(void *p, uint32_t page, int bit) {
    state *s = p;
    s->bit[page] = bit ? SAFE : KEEP;
    sz_page_list_append(&s->list[s->bit[page]], s->links, page);
}

static void drop(void *p, uint32_t page) {
    state *s = p;
    sz_page_list_remove(&s->list[s->bit[page]], s->links, page);
}

static void hit(void *p, uint32_t page, int bit) {
    drop(p, page);
    put(p, page, bit);
}

/* Pages keep their mark of the list that they came from: it is set anew. */
static void flush(state *s) {
    for (uint32_t page = s->list[KEEP].first; page != SZ_NEVER; page = s->links[page].after)
        s->bit[page] = SAFE;
    sz_page_list_splice(&s->list[SAFE], &s->list[KEEP], s->links);
}

static uint32_t evict(void *p, sz_may_evict may, const void *user) {
    state *s = p;
    uint32_t page = sz_page_list_find(&s->list[SAFE], s->links, may, user);
    if (page == SZ_NEVER) {
        flush(s);
        page = sz_page_list_find(&s->list[SAFE], s->links, may, user);
    }
    if (page != SZ_NEVER)
        drop(p, page);
    return page;
}

const sz_evict_kind sz_evict_flush0 = {
    .name = "flush0",
    .help = "pages that are safe to drop leave first; if there are none, all are",
    .advice = SZ_ADVICE_DISCARD,
    .size = sizeof(state),
    .begin = begin,
    .end = end,
    .hit = hit,
    .evict = evict,
    .put = put,
    .drop = drop,
};
