/* duplicates.c: near-duplicates of a corpus: proposed by fingerprints, stretched along a diagonal,
 * counted exactly, connected to clusters. */
#include <stdlib.h>
#include <string.h>

#include "text/duplicates.h"

typedef struct finder {
    sz_corpus c;
    sz_duplicate *pair;
    size_t n, cap;
} finder;

static sz_status check(const size_t *begin, size_t n_docs, const sz_duplicate_options *o,
                       sz_duplicate_options *out) {
    *out = o ? *o : (sz_duplicate_options){0};
    out->gram = out->gram ? out->gram : 5;
    out->window = out->window ? out->window : 8;
    out->similarity = out->similarity != 0 ? out->similarity : 0.8;
    out->least = out->least ? out->least : (size_t)out->gram + out->window - 1;
    SZ_REQUIRE(out->gram <= 1 << 20 && out->window <= 1 << 20, SZ_E_ARG,
               "windows of %u grams of %u symbols: at most 2^20", out->window, out->gram);
    SZ_REQUIRE(out->similarity > 0 && out->similarity <= 1, SZ_E_ARG,
               "similarity is %g, not inside (0, 1]", out->similarity);
    for (size_t d = 0; d < n_docs; d++)
        SZ_REQUIRE(begin[d] <= begin[d + 1], SZ_E_ARG, "document %zu ends before it begins", d);
    SZ_REQUIRE(n_docs < UINT32_MAX && (n_docs == 0 || begin[n_docs] < UINT32_MAX), SZ_E_LIMIT,
               "a corpus of %zu symbols: fewer than 2^32", n_docs ? begin[n_docs] : 0);
    return SZ_OK;
}

static sz_status add_pair(finder *f, sz_duplicate d) {
    if (f->n == f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 64;
        sz_duplicate *more = sz_realloc(f->pair, f->n * sizeof *more, cap * sizeof *more);
        SZ_REQUIRE(more, SZ_E_NOMEM, "no memory for %zu duplicates", cap);
        f->pair = more;
        f->cap = cap;
    }
    f->pair[f->n++] = d;
    return SZ_OK;
}

/* ---- Stretching ------------------------------------------------------------------------------ */

/* How far from a pair of places equal symbols outweigh others, at most `most` symbols: an equal
 * symbol weighs 1 - s, another -s, so that any stretch of weight >= 0 has a share >= s. Gives up
 * where the weight is a whole window below its best. forward: from the places on; else before. */
static size_t stretch(const sz_corpus *c, size_t low, size_t high, size_t most, bool forward) {
    double s = c->o.similarity, weight = 0, best = 0, drop = c->o.window + c->o.gram;
    size_t length = 0;
    for (size_t i = 0; i < most && weight > best - drop; i++) {
        size_t x = forward ? low + i : low - 1 - i, y = forward ? high + i : high - 1 - i;
        weight += c->symbols[x] == c->symbols[y] ? 1 - s : -s;
        if (weight >= best) {
            best = weight;
            length = i + 1;
        }
    }
    return length;
}

/* A passage at two places, as symbols of the corpus. */
typedef struct passage {
    size_t low, high, n;
} passage;

static passage around(const sz_corpus *c, sz_seed s, size_t a, size_t b) {
    size_t before = s.low - c->begin[a], after = c->begin[b + 1] - s.high;
    size_t room = s.high - c->begin[b], end = c->begin[a + 1] - s.low;
    before = before < room ? before : room;
    after = after < end ? after : end;
    size_t forward = stretch(c, s.low, s.high, after, true);
    size_t backward = stretch(c, s.low, s.high, before, false);
    passage p = {s.low - backward, s.high - backward, backward + forward};
    if (a == b && p.n > p.high - p.low) /* one document: the two do not overlap */
        p.n = p.high - p.low;
    return p;
}

/* ---- Counting -------------------------------------------------------------------------------- */

/* Exact distances of the lower passage around the place of the higher; takes the nearest. */
static sz_status count(const sz_corpus *c, size_t a, size_t b, passage *p, uint32_t *mismatches) {
    size_t around = 2 * (size_t)c->o.window, from = p->high - c->begin[b];
    from = p->high - (from < around ? from : around);
    if (a == b && from < p->low + p->n)
        from = p->low + p->n;
    size_t to = p->high + p->n + around;
    to = to < c->begin[b + 1] ? to : c->begin[b + 1];
    uint32_t *d = sz_alloc((4 * (size_t)c->o.window + 2) * sizeof *d);
    SZ_REQUIRE(d, SZ_E_NOMEM, "no memory for the distances around a passage");
    sz_symbols text = {c->symbols + from, to - from, 4}, pattern = {c->symbols + p->low, p->n, 4};
    sz_match_options o = {.method = SZ_MATCH_SCAN};
    sz_status status = sz_match_distances(&text, &pattern, &o, d, NULL);
    size_t best = p->high - from;
    for (size_t i = 0; i + p->n <= to - from && status == SZ_OK; i++)
        if (d[i] < d[best])
            best = i;
    if (status == SZ_OK) {
        *mismatches = d[best];
        p->high = from + best;
    }
    sz_free(d);
    return status;
}

static sz_status propose(finder *f, size_t a, size_t b, passage *p) {
    const sz_corpus *c = &f->c;
    uint32_t mismatches;
    if (p->n < c->o.least)
        return SZ_OK;
    passage q = *p;
    SZ_TRY(count(c, a, b, &q, &mismatches));
    if ((double)mismatches > (1 - c->o.similarity) * (double)q.n + 1e-9)
        return SZ_OK;
    return add_pair(
        f, (sz_duplicate){a, b, q.low - c->begin[a], q.high - c->begin[b], q.n, mismatches});
}

/* Seeds come by documents, diagonal and place: one inside the passage before proposes nothing new.
 */
static sz_status follow(finder *f, const sz_seeds *s) {
    passage last = {0, 0, 0};
    for (size_t i = 0; i < s->n; i++) {
        sz_seed seed = s->seed[i];
        bool known = seed.high - seed.low == last.high - last.low && seed.low >= last.low &&
                     seed.low < last.low + last.n;
        if (known)
            continue;
        size_t a = sz_corpus_document(&f->c, seed.low), b = sz_corpus_document(&f->c, seed.high);
        last = around(&f->c, seed, a, b);
        SZ_TRY(propose(f, a, b, &last));
    }
    return SZ_OK;
}

/* ---- Pairs and clusters ---------------------------------------------------------------------- */

static int by_place(const void *x, const void *y) {
    const sz_duplicate *p = x, *q = y;
    if (p->a != q->a)
        return p->a > q->a ? 1 : -1;
    if (p->b != q->b)
        return p->b > q->b ? 1 : -1;
    if (p->at_a != q->at_a)
        return p->at_a > q->at_a ? 1 : -1;
    if (p->n != q->n) /* the longer first */
        return p->n < q->n ? 1 : -1;
    return (p->at_b > q->at_b) - (p->at_b < q->at_b);
}

static bool inside(const sz_duplicate *x, const sz_duplicate *y) {
    return x->a == y->a && x->b == y->b && x->at_a >= y->at_a && x->at_a + x->n <= y->at_a + y->n &&
           x->at_b >= y->at_b && x->at_b + x->n <= y->at_b + y->n;
}

/* Neighbouring diagonals propose parts of what another has found. */
static void drop_parts(finder *f) {
    enum { BACK = 32 };
    size_t kept = 0;
    if (f->n)
        qsort(f->pair, f->n, sizeof *f->pair, by_place);
    for (size_t i = 0; i < f->n; i++) {
        bool part = false;
        for (size_t j = kept; j > 0 && kept - j < BACK && !part; j--)
            part = inside(&f->pair[i], &f->pair[j - 1]);
        if (!part)
            f->pair[kept++] = f->pair[i];
    }
    f->n = kept;
}

static size_t root_of(size_t *parent, size_t d) {
    while (parent[d] != d) {
        parent[d] = parent[parent[d]];
        d = parent[d];
    }
    return d;
}

/* The least of the connected documents stands for them. */
static void connect(const finder *f, size_t *cluster) {
    for (size_t d = 0; d < f->c.n_docs; d++)
        cluster[d] = d;
    for (size_t i = 0; i < f->n; i++) {
        size_t x = root_of(cluster, f->pair[i].a), y = root_of(cluster, f->pair[i].b);
        cluster[x > y ? x : y] = x > y ? y : x;
    }
    for (size_t d = 0; d < f->c.n_docs; d++)
        cluster[d] = root_of(cluster, d);
}

sz_status sz_duplicates_find(const uint32_t *symbols, const size_t *begin, size_t n_docs,
                             const sz_duplicate_options *o, sz_duplicates *out) {
    finder f = {.c = {symbols, begin, n_docs, {0}}};
    sz_seeds seeds = {0};
    SZ_TRY(check(begin, n_docs, o, &f.c.o));
    size_t *cluster = sz_alloc((n_docs + 1) * sizeof *cluster);
    sz_status status = cluster ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for %zu documents", n_docs);
    if (status == SZ_OK)
        status = sz_corpus_seeds(&f.c, &seeds);
    if (status == SZ_OK)
        status = follow(&f, &seeds);
    sz_free(seeds.seed);
    if (status != SZ_OK) {
        sz_free(cluster);
        sz_free(f.pair);
        return status;
    }
    drop_parts(&f);
    connect(&f, cluster);
    *out = (sz_duplicates){f.pair, f.n, cluster};
    return SZ_OK;
}

void sz_duplicates_free(sz_duplicates *d) {
    sz_free(d->pair);
    sz_free(d->cluster);
    *d = (sz_duplicates){0};
}
