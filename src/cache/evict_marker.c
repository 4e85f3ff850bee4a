/* evict_marker.c: a requested page is marked; an unmarked one leaves, each with the same chance;
 * where all are marked, none is any more (marker). With the bits of phases an unmarked page that is
 * safe to drop goes before the others (markpredict): at most 2 OPT + H_k eta_0 + eta_1 expected. */
#include "evict.h"

enum { KEEP, SAFE, MARKED, BAGS };

typedef struct state {
    uint32_t *place;       /* [n_pages] in its bag */
    uint8_t *in, *bit;     /* [n_pages] which bag; the advice of the last request */
    sz_page_bag bag[BAGS]; /* unmarked by their bits; marked */
    uint64_t seed, draws;
} state;

static sz_status begin(void *p, const double *values, uint32_t k, uint32_t n_pages, uint64_t seed) {
    state *s = p;
    s->seed = seed;
    for (int i = 0; i < BAGS; i++)
        SZ_TRY(sz_evict_array(n_pages, sizeof *s->bag[i].page, &s->bag[i].page));
    SZ_TRY(sz_evict_array(n_pages, 1, &s->in));
    SZ_TRY(sz_evict_array(n_pages, 1, &s->bit));
    return sz_evict_array(n_pages, sizeof *s->place, &s->place);
}

static void end(void *p) {
    state *s = p;
    for (int i = 0; i < BAGS; i++)
        sz_free(s->bag[i].page);
    sz_free(s->place);
    sz_free(s->in);
    sz_free(s->bit);
}

static void add(state *s, int bag, uint32_t page) {
    s->in[page] = (uint8_t)bag;
    sz_page_bag_add(&s->bag[bag], s->place, page);
}

static void drop(void *p, uint32_t page) {
    state *s = p;
    sz_page_bag_remove(&s->bag[s->in[page]], s->place, page);
}

/* Without advice all bits are 0. */
static void put_plain(void *p, uint32_t page, int bit) {
    add(p, MARKED, page);
}

static void put(void *p, uint32_t page, int bit) {
    ((state *)p)->bit[page] = (uint8_t)bit;
    add(p, MARKED, page);
}

static void hit_plain(void *p, uint32_t page, int bit) {
    drop(p, page);
    put_plain(p, page, bit);
}

static void hit(void *p, uint32_t page, int bit) {
    drop(p, page);
    put(p, page, bit);
}

static void unmark_all(state *s) {
    while (s->bag[MARKED].n > 0) {
        uint32_t page = s->bag[MARKED].page[0];
        drop(s, page);
        add(s, s->bit[page] ? SAFE : KEEP, page);
    }
}

static uint32_t draw(state *s, sz_may_evict may, const void *user) {
    double u = sz_uniform(s->seed, 0, s->draws++);
    uint32_t page = sz_page_bag_draw(&s->bag[SAFE], u, may, user);
    return page != SZ_NEVER ? page : sz_page_bag_draw(&s->bag[KEEP], u, may, user);
}

static uint32_t evict(void *p, sz_may_evict may, const void *user) {
    state *s = p;
    uint32_t page = draw(s, may, user);
    if (page == SZ_NEVER) {
        unmark_all(s);
        page = draw(s, may, user);
    }
    if (page != SZ_NEVER)
        drop(s, page);
    return page;
}

const sz_evict_kind sz_evict_marker = {
    .name = "marker",
    .help = "an unmarked page leaves by chance; requests mark",
    .random = true,
    .size = sizeof(state),
    .begin = begin,
    .end = end,
    .hit = hit_plain,
    .evict = evict,
    .put = put_plain,
    .drop = drop,
};

const sz_evict_kind sz_evict_markpredict = {
    .name = "markpredict",
    .help = "as marker; unmarked pages that the next phase does not need leave first",
    .advice = SZ_ADVICE_PHASE,
    .random = true,
    .size = sizeof(state),
    .begin = begin,
    .end = end,
    .hit = hit,
    .evict = evict,
    .put = put,
    .drop = drop,
};
