/* paging_expected.c: expected misses of policies that draw, from the law over their states. What a
 * page's last request said is the same in every state; a state is who is cached, and who marked. */
#include <string.h>
#include <szilard/unstable/evict.h>

typedef struct node {
    uint64_t cached, marked;
    double p;
} node;

typedef struct law {
    node *node; /* open addressing by the two sets; p = 0: free */
    size_t cap, n, most;
    bool full;
} law;

enum { MARKER, MARK0, MARKPREDICT };

typedef struct rules {
    int kind;
    uint32_t k;
    uint64_t safe;     /* pages whose last bit was 1 */
    uint32_t when[64]; /* last requests */
} rules;

static size_t slot(const law *l, uint64_t cached, uint64_t marked) {
    uint64_t h = (cached * 0x9e3779b97f4a7c15u) ^ (marked * 0xc2b2ae3d27d4eb4fu);
    size_t at = (size_t)(h ^ h >> 29) & (l->cap - 1);
    while (l->node[at].p > 0 && (l->node[at].cached != cached || l->node[at].marked != marked))
        at = (at + 1) & (l->cap - 1);
    return at;
}

static void add(law *l, uint64_t cached, uint64_t marked, double p) {
    if (l->n >= l->most) {
        l->full = true;
        return;
    }
    node *x = &l->node[slot(l, cached, marked)];
    l->n += x->p == 0;
    *x = (node){cached, marked, x->p + p};
}

static uint64_t oldest(const rules *r, uint64_t pages) {
    uint64_t best = pages & -pages;
    for (uint64_t rest = pages; rest; rest &= rest - 1) {
        uint64_t page = rest & -rest;
        if (r->when[__builtin_ctzll(page)] < r->when[__builtin_ctzll(best)])
            best = page;
    }
    return best;
}

/* Pages of which one leaves, each with the same chance; may begin a phase. */
static uint64_t candidates(const rules *r, uint64_t cached, uint64_t *marked) {
    uint64_t ones = cached & r->safe;
    if (r->kind == MARK0 && ones)
        return oldest(r, ones);
    uint64_t unmarked = cached & ~*marked;
    if (!unmarked) {
        *marked = 0;
        unmarked = cached;
    }
    return r->kind == MARKPREDICT && (unmarked & ones) ? unmarked & ones : unmarked;
}

static double advance(const rules *r, const node *x, uint64_t page, int bit, law *to) {
    uint64_t mark = r->kind == MARK0 && bit ? 0 : page, marked = x->marked;
    if (x->cached & page) {
        add(to, x->cached, (marked & ~page) | mark, x->p);
        return 0;
    }
    if ((uint32_t)__builtin_popcountll(x->cached) < r->k) {
        add(to, x->cached | page, marked | mark, x->p);
        return x->p;
    }
    uint64_t leave = candidates(r, x->cached, &marked);
    double p = x->p / __builtin_popcountll(leave);
    for (; leave; leave &= leave - 1) {
        uint64_t left = leave & -leave;
        add(to, (x->cached & ~left) | page, (marked & ~left) | mark, p);
    }
    return x->p;
}

static sz_status find_rules(const char *policy, rules *r) {
    static const char *const names[] = {"marker", "mark0", "markpredict"};
    for (int i = 0; i < 3; i++)
        if (strcmp(policy, names[i]) == 0) {
            r->kind = i;
            return SZ_OK;
        }
    return sz_fail(SZ_E_ARG, "expected misses are of marker, mark0 or markpredict, not of '%s'",
                   policy);
}

static double step(const rules *r, const sz_page_trace *t, size_t i, const law *from, law *to) {
    double misses = 0;
    memset(to->node, 0, to->cap * sizeof *to->node);
    to->n = 0;
    for (size_t s = 0; s < from->cap; s++)
        if (from->node[s].p > 0)
            misses +=
                advance(r, &from->node[s], (uint64_t)1 << t->page[i], t->bit && t->bit[i], to);
    return misses;
}

static sz_status walk(rules *r, const sz_page_trace *t, law l[2], double *misses) {
    double sum = 0;
    add(&l[0], 0, 0, 1.0);
    for (size_t i = 0; i < t->n; i++) {
        SZ_REQUIRE(t->page[i] < t->n_pages, SZ_E_ARG, "request %zu: page %u of %u", i, t->page[i],
                   t->n_pages);
        sum += step(r, t, i, &l[i & 1], &l[~i & 1]);
        SZ_REQUIRE(!l[~i & 1].full, SZ_E_LIMIT, "request %zu: more than %zu states", i, l[0].most);
        uint64_t page = (uint64_t)1 << t->page[i];
        r->safe = t->bit && t->bit[i] ? r->safe | page : r->safe & ~page;
        r->when[t->page[i]] = (uint32_t)i;
    }
    *misses = sum;
    return SZ_OK;
}

sz_status sz_paging_expected(const char *policy, const sz_page_trace *t, uint32_t k,
                             size_t max_states, double *misses) {
    rules r = {.k = k};
    law l[2] = {{0}};
    SZ_REQUIRE(k > 0, SZ_E_ARG, "a cache has at least one page");
    SZ_REQUIRE(t->n_pages <= 64, SZ_E_LIMIT, "exact laws take 64 pages, not %u", t->n_pages);
    SZ_REQUIRE(max_states > 0 && max_states <= (size_t)1 << 26, SZ_E_ARG, "%zu states", max_states);
    SZ_TRY(find_rules(policy, &r));
    size_t cap = 16;
    while (cap < 2 * max_states)
        cap *= 2;
    for (int i = 0; i < 2; i++)
        l[i] = (law){.node = sz_calloc(cap, sizeof(node)), .cap = cap, .most = max_states};
    sz_status status = l[0].node && l[1].node
                           ? walk(&r, t, l, misses)
                           : sz_fail(SZ_E_NOMEM, "no memory for %zu states", cap);
    sz_free(l[0].node);
    sz_free(l[1].node);
    return status;
}
