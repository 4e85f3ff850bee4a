/* duplicates_seed.c: winnowed fingerprints of a corpus, and the places that share them. */
#include <stdlib.h>
#include <string.h>

#include "text/duplicates.h"

enum { CROWD = 16 }; /* places of one fingerprint beyond which each is linked to the next alone */

typedef struct print {
    uint64_t hash;
    uint32_t at;
} print;

typedef struct prints {
    print *p;
    size_t n, cap;
} prints;

static sz_status add_print(prints *l, uint64_t hash, size_t at) {
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 1024;
        print *more = sz_realloc(l->p, l->n * sizeof *more, cap * sizeof *more);
        SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for %zu fingerprints", cap);
        l->p = more;
        l->cap = cap;
    }
    l->p[l->n++] = (print){hash, (uint32_t)at};
    return SZ_OK;
}

static uint64_t mixed(uint64_t h) {
    h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9u;
    h = (h ^ h >> 27) * 0x94d049bb133111ebu;
    return h ^ h >> 31;
}

static uint64_t hash_gram(const uint32_t *symbols, size_t n) {
    uint64_t h = n;
    for (size_t i = 0; i < n; i++)
        h = mixed(h + symbols[i] + 0x9e3779b97f4a7c15u);
    return h;
}

/* Place of the least of the last hashes up to i, the last of equals. */
static size_t least_of(const uint64_t *recent, size_t window, size_t i) {
    size_t best = i;
    for (size_t j = 1; j < window && j <= i; j++)
        if (recent[(i - j) % window] < recent[best % window])
            best = i - j;
    return best;
}

/* The least hash of each window, once while it stays the same. recent [window] holds the hashes of
 * the window, turned about. */
static sz_status winnow(const sz_corpus *c, size_t from, size_t to, uint64_t *recent, prints *out) {
    size_t gram = c->o.gram, window = c->o.window, best = 0;
    if (to - from < gram) /* too short to have one: all of it is */
        return to > from ? add_print(out, hash_gram(c->symbols + from, to - from), from) : SZ_OK;
    size_t n = to - from - gram + 1;
    for (size_t i = 0; i < n; i++) {
        recent[i % window] = hash_gram(c->symbols + from + i, gram);
        if (best + window <= i)
            best = least_of(recent, window, i);
        else if (recent[i % window] <= recent[best % window])
            best = i;
        bool whole = i + 1 >= window || i + 1 == n;
        if (whole && (out->n == 0 || out->p[out->n - 1].at != from + best))
            SZ_TRY(add_print(out, recent[best % window], from + best));
    }
    return SZ_OK;
}

static sz_status fingerprints(const sz_corpus *c, prints *out) {
    uint64_t *recent = sz_alloc(c->o.window * sizeof *recent);
    SZ_REQUIRE(recent, SZ_E_NOMEM, "no memory for a window of %u hashes", c->o.window);
    sz_status status = SZ_OK;
    for (size_t d = 0; d < c->n_docs && status == SZ_OK; d++)
        status = winnow(c, c->begin[d], c->begin[d + 1], recent, out);
    sz_free(recent);
    return status;
}

static int by_hash(const void *a, const void *b) {
    const print *x = a, *y = b;
    return x->hash != y->hash ? (x->hash > y->hash) - (x->hash < y->hash)
                              : (x->at > y->at) - (x->at < y->at);
}

size_t sz_corpus_document(const sz_corpus *c, size_t at) {
    size_t low = 0, high = c->n_docs;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (c->begin[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* ---- Seeds ----------------------------------------------------------------------------------- */

typedef struct placed { /* with what it is sorted by */
    uint32_t a, b;
    sz_seed seed;
} placed;

static int by_diagonal(const void *x, const void *y) {
    const placed *p = x, *q = y;
    if (p->a != q->a)
        return p->a > q->a ? 1 : -1;
    if (p->b != q->b)
        return p->b > q->b ? 1 : -1;
    uint32_t d = p->seed.high - p->seed.low, e = q->seed.high - q->seed.low;
    if (d != e)
        return d > e ? 1 : -1;
    return (p->seed.low > q->seed.low) - (p->seed.low < q->seed.low);
}

static size_t pairs_of(size_t places) {
    return places < 2 ? 0 : places <= CROWD ? places * (places - 1) / 2 : places - 1;
}

/* End of the run of equal hashes that begins at i. */
static size_t run_end(const prints *l, size_t i) {
    size_t end = i + 1;
    while (end < l->n && l->p[end].hash == l->p[i].hash)
        end++;
    return end;
}

static void put_pair(const sz_corpus *c, const prints *l, size_t i, size_t j, placed *out) {
    uint32_t low = l->p[i].at, high = l->p[j].at;
    *out = (placed){
        (uint32_t)sz_corpus_document(c, low), (uint32_t)sz_corpus_document(c, high), {low, high}};
}

static void put_run(const sz_corpus *c, const prints *l, size_t i, size_t end, placed **out) {
    for (size_t j = i; j < end; j++)
        for (size_t k = j + 1; k < end && (end - i <= CROWD || k == j + 1); k++)
            put_pair(c, l, j, k, (*out)++);
}

static sz_status pair_up(const sz_corpus *c, prints *l, sz_seeds *out) {
    size_t n = 0;
    if (l->n)
        qsort(l->p, l->n, sizeof *l->p, by_hash);
    for (size_t i = 0, end; i < l->n; i = end) {
        end = run_end(l, i);
        n += pairs_of(end - i);
    }
    placed *all = sz_alloc((n + 1) * sizeof *all), *at = all;
    SZ_REQUIRE(all, SZ_E_NOMEM, "no memory for %zu places that share a fingerprint", n);
    for (size_t i = 0, end; i < l->n; i = end) {
        end = run_end(l, i);
        put_run(c, l, i, end, &at);
    }
    qsort(all, n, sizeof *all, by_diagonal);
    sz_seed *seed = (sz_seed *)all; /* closed up in place: each is half of what it was */
    for (size_t i = 0; i < n; i++) {
        sz_seed s = all[i].seed;
        memcpy(seed + i, &s, sizeof s);
    }
    *out = (sz_seeds){seed, n};
    return SZ_OK;
}

sz_status sz_corpus_seeds(const sz_corpus *c, sz_seeds *out) {
    prints l = {0};
    sz_status status = fingerprints(c, &l);
    if (status == SZ_OK)
        status = pair_up(c, &l, out);
    sz_free(l.p);
    return status;
}
