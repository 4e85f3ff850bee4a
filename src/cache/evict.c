/* evict.c: a cache under a policy: who is in it, and the list of policies. */
#include "evict.h"
#include <string.h>

struct sz_evict {
    const sz_evict_kind *kind;
    uint32_t k, n_pages, n;
    uint8_t *in; /* [n_pages] */
    void *state;
};

const sz_evict_kind *const *sz_evict_kinds(void) {
    static const sz_evict_kind *const kinds[] = {&sz_evict_lru,
                                                 &sz_evict_fifo,
                                                 &sz_evict_clock,
                                                 &sz_evict_lfu,
                                                 &sz_evict_random,
                                                 &sz_evict_marker,
                                                 &sz_evict_flush0,
                                                 &sz_evict_mark0,
                                                 &sz_evict_markpredict,
                                                 &sz_evict_combine,
                                                 NULL};
    return kinds;
}

sz_status sz_evict_array(uint32_t n_pages, size_t size, void *out) {
    void *memory = sz_calloc(n_pages ? n_pages : 1, size);
    SZ_REQUIRE(memory, SZ_E_NOMEM, "no memory for %u pages of a cache", n_pages);
    memcpy(out, &memory, sizeof memory);
    return SZ_OK;
}

static const sz_evict_kind *find_kind(const char *name, size_t n) {
    for (const sz_evict_kind *const *k = sz_evict_kinds(); *k; k++)
        if (strlen((*k)->name) == n && memcmp((*k)->name, name, n) == 0)
            return *k;
    return NULL;
}

/* The policy and the values of its options. */
static sz_status parse(const char *policy, const sz_evict_kind **kind, double *values) {
    sz_setting s;
    const char *rest = policy;
    SZ_TRY(sz_setting_read(&rest, &s));
    *kind = find_kind(s.name, s.n_name);
    SZ_REQUIRE(*kind, SZ_E_ARG,
               "there is no policy '%.*s': lru, fifo, clock, lfu, random, marker, flush0, mark0, "
               "markpredict, combine",
               (int)s.n_name, s.name);
    SZ_REQUIRE(*rest == '\0', SZ_E_ARG, "one policy, not '%s'", policy);
    return sz_setting_values(&s, policy, (*kind)->options, values);
}

sz_status sz_evict_new(const char *policy, uint32_t k, uint32_t n_pages, uint64_t seed,
                       sz_evict **out) {
    double values[SZ_OPTIONS_MAX];
    const sz_evict_kind *kind;
    *out = NULL;
    SZ_REQUIRE(k > 0, SZ_E_ARG, "a cache has at least one page");
    SZ_REQUIRE(n_pages <= SZ_PAGES_MAX, SZ_E_LIMIT, "%u pages; at most %d", n_pages, SZ_PAGES_MAX);
    SZ_TRY(parse(policy, &kind, values));
    sz_evict *e = sz_calloc(1, sizeof *e);
    SZ_REQUIRE(e, SZ_E_NOMEM, "no memory for a cache");
    *e = (sz_evict){.kind = kind, .k = k, .n_pages = n_pages};
    e->state = sz_calloc(1, kind->size);
    sz_status status = sz_evict_array(n_pages, 1, &e->in);
    if (status == SZ_OK)
        status = e->state ? kind->begin(e->state, values, k, n_pages, seed)
                          : sz_fail(SZ_E_NOMEM, "no memory for a cache");
    if (status != SZ_OK)
        sz_evict_free(e);
    else
        *out = e;
    return status;
}

void sz_evict_free(sz_evict *e) {
    if (!e)
        return;
    if (e->state)
        e->kind->end(e->state);
    sz_free(e->state);
    sz_free(e->in);
    sz_free(e);
}

const sz_evict_kind *sz_evict_kind_of(const sz_evict *e) {
    return e->kind;
}

bool sz_evict_has(const sz_evict *e, uint32_t page) {
    return e->in[page];
}

bool sz_evict_request(sz_evict *e, uint32_t page, int bit, sz_may_evict may, const void *user,
                      uint32_t *evicted) {
    uint32_t left = SZ_NEVER;
    bool miss = !e->in[page];
    if (e->kind->request)
        e->kind->request(e->state, page, bit);
    if (!miss)
        e->kind->hit(e->state, page, bit);
    if (miss && e->n == e->k) {
        left = e->kind->evict(e->state, may, user);
        if (left != SZ_NEVER)
            e->in[left] = 0, e->n--;
    }
    if (miss && e->n < e->k) {
        e->kind->put(e->state, page, bit);
        e->in[page] = 1, e->n++;
    }
    if (evicted)
        *evicted = left;
    return miss;
}

void sz_evict_drop(sz_evict *e, uint32_t page) {
    if (!e->in[page])
        return;
    e->kind->drop(e->state, page);
    e->in[page] = 0, e->n--;
}

sz_status sz_paging_misses(const char *policy, const sz_page_trace *t, uint32_t k, uint64_t seed,
                           uint64_t *misses) {
    sz_evict *e;
    *misses = 0;
    for (size_t i = 0; i < t->n; i++)
        SZ_REQUIRE(t->page[i] < t->n_pages, SZ_E_ARG, "request %zu: page %u of %u", i, t->page[i],
                   t->n_pages);
    SZ_TRY(sz_evict_new(policy, k, t->n_pages, seed, &e));
    for (size_t i = 0; i < t->n; i++)
        *misses += sz_evict_request(e, t->page[i], t->bit ? t->bit[i] : 0, NULL, NULL, NULL);
    sz_evict_free(e);
    return SZ_OK;
}
