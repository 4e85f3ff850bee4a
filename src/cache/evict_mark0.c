/* evict_mark0.c: pages that are safe to drop leave first, the least recently used of them; among
 * the others an unmarked one by chance, as marker does (Mark0). At most OPT + 2 H_k eta_0 + eta_1
 * expected. */
#include "evict.h"

enum { UNMARKED, MARKED, SAFE };

typedef struct state {
    sz_page_link *links;
    uint32_t *place;
    uint8_t *in;        /* [n_pages] */
    sz_page_bag bag[2]; /* pages to keep */
    sz_page_list safe;  /* in the order of their last requests */
    uint64_t seed, draws;
} state;

static sz_status begin(void *p, const double *values, uint32_t k, uint32_t n_pages, uint64_t seed) {
    state *s = p;
    s->seed = seed;
    sz_page_list_clear(&s->safe);
    for (int i = 0; i < 2; i++)
        SZ_TRY(sz_evict_array(n_pages, sizeof *s->bag[i].page, &s->bag[i].page));
    SZ_TRY(sz_evict_array(n_pages, 1, &s->in));
    SZ_TRY(sz_evict_array(n_pages, sizeof *s->place, &s->place));
    return sz_evict_array(n_pages, sizeof *s->links, &s->links);
}

static void end(void *p) {
    state *s = p;
    for (int i = 0; i < 2; i++)
        sz_free(s->bag[i].page);
    sz_free(s->links);
    sz_free(s->place);
    sz_free(s->in);
}

static void put(void *p, uint32_t page, int bit) {
    state *s = p;
    s->in[page] = bit ? SAFE : MARKED;
    if (bit)
        sz_page_list_append(&s->safe, s->links, page);
    else
        sz_page_bag_add(&s->bag[MARKED], s->place, page);
}

static void drop(void *p, uint32_t page) {
    state *s = p;
    if (s->in[page] == SAFE)
        sz_page_list_remove(&s->safe, s->links, page);
    else
        sz_page_bag_remove(&s->bag[s->in[page]], s->place, page);
}

static void hit(void *p, uint32_t page, int bit) {
    drop(p, page);
    put(p, page, bit);
}

static void unmark_all(state *s) {
    while (s->bag[MARKED].n > 0) {
        uint32_t page = s->bag[MARKED].page[0];
        drop(s, page);
        s->in[page] = UNMARKED;
        sz_page_bag_add(&s->bag[UNMARKED], s->place, page);
    }
}

static uint32_t evict(void *p, sz_may_evict may, const void *user) {
    state *s = p;
    uint32_t page = sz_page_list_find(&s->safe, s->links, may, user);
    if (page == SZ_NEVER) {
        double u = sz_uniform(s->seed, 0, s->draws++);
        page = sz_page_bag_draw(&s->bag[UNMARKED], u, may, user);
        if (page == SZ_NEVER) {
            unmark_all(s);
            page = sz_page_bag_draw(&s->bag[UNMARKED], u, may, user);
        }
    }
    if (page != SZ_NEVER)
        drop(s, page);
    return page;
}

const sz_evict_kind sz_evict_mark0 = {
    .name = "mark0",
    .help = "pages that are safe to drop leave first, then unmarked ones by chance",
    .advice = SZ_ADVICE_DISCARD,
    .random = true,
    .size = sizeof(state),
    .begin = begin,
    .end = end,
    .hit = hit,
    .evict = evict,
    .put = put,
    .drop = drop,
};
