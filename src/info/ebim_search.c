/* ebim_search.c: encoders beyond the greedy map: many maps, each with one symbol split between two
 * columns. I(X;T) is convex and H(T) concave in the mass that moves, so that the best split of a
 * symbol lies where H(T) meets the rate. */
#include "info/ebim.h"

#include <math.h>
#include <string.h>

enum { MOST_HEADS = 64, ALL_TARGETS = 16, BISECTIONS = 64 };

typedef struct search {
    const double *p;
    size_t n;
    double rate;
    sz_ebim_method method;
    sz_ebim_map map, *best;
} search;

static double cost(double x) {
    return -sz_x_log_x(x);
}

double sz_binary_entropy(double x) {
    return cost(x) + cost(1 - x);
}

static void keep(search *s, double moved, uint32_t symbol, uint32_t to, double information) {
    const sz_ebim_map *m = &s->map;
    if (!(information > s->best->information))
        return;
    memcpy(s->best->code, m->code, s->n * sizeof *m->code);
    memcpy(s->best->law, m->law, m->n_codes * sizeof *m->law);
    s->best->n_codes = m->n_codes;
    s->best->entropy = m->entropy;
    s->best->moved = moved;
    s->best->symbol = symbol;
    s->best->to = to;
    s->best->information = information;
}

/* ---- One split ------------------------------------------------------------------------------- */

typedef struct split { /* H(T) once `moved` of a column has gone to another */
    double base, from, to;
} split;

static double entropy_at(const split *c, double moved) {
    return c->base + cost(c->from - moved) + cost(c->to + moved);
}

/* Between `below`, where the rate allows H(T), and `above`, where it does not: the last moved mass
 * that is allowed. */
static double meet_rate(const split *c, double below, double above, double rate) {
    for (int i = 0; i < BISECTIONS; i++) {
        double middle = 0.5 * (below + above);
        if (entropy_at(c, middle) <= rate)
            below = middle;
        else
            above = middle;
    }
    return below;
}

static void try_split(search *s, size_t x, size_t to) {
    const sz_ebim_map *m = &s->map;
    double p = s->p[x], law = to < m->n_codes ? m->law[to] : 0;
    double from = m->law[m->code[x]];
    split c = {m->entropy - cost(from) - cost(law), from, law};
    double peak = 0.5 * (from - law);
    peak = peak < 0 ? 0 : peak > p ? p : peak;
    if (entropy_at(&c, peak) <= s->rate) /* then no mass is needed elsewhere: a map does as well */
        return;
    const double ends[] = {0, p};
    for (int i = 0; i < 2; i++) {
        if (entropy_at(&c, ends[i]) > s->rate)
            continue;
        double moved = meet_rate(&c, ends[i], peak, s->rate);
        double information = entropy_at(&c, moved) - p * sz_binary_entropy(moved / p);
        keep(s, moved, (uint32_t)x, (uint32_t)to, information);
    }
}

static void try_all_splits(search *s) {
    size_t codes = s->map.n_codes;
    for (size_t x = 0; x < s->n; x++) {
        bool alone = s->map.law[s->map.code[x]] <= s->p[x];
        for (size_t to = 0; to < codes + !alone; to++)
            if (to != s->map.code[x] && (codes <= ALL_TARGETS || to == 0 || to + 1 >= codes))
                try_split(s, x, to);
    }
}

/* Just above the entropy of a map: the cell that is the least part of its column moves to a new
 * one. Just below: the least cell of the lightest column moves to the heaviest. */
static void try_two_moves(search *s) {
    const sz_ebim_map *m = &s->map;
    size_t part = 0, lightest = 0, heaviest = 0, least = s->n;
    for (size_t x = 1; x < s->n; x++)
        if (s->p[x] / m->law[m->code[x]] < s->p[part] / m->law[m->code[part]])
            part = x;
    for (size_t t = 1; t < m->n_codes; t++) {
        lightest = m->law[t] < m->law[lightest] ? t : lightest;
        heaviest = m->law[t] > m->law[heaviest] ? t : heaviest;
    }
    for (size_t x = 0; x < s->n; x++)
        if (m->code[x] == lightest)
            least = x; /* p falls: the last is the least */
    if (m->entropy <= s->rate && m->law[m->code[part]] > s->p[part])
        try_split(s, part, m->n_codes);
    if (lightest != heaviest)
        try_split(s, least, heaviest);
}

static void consider(search *s) {
    sz_ebim_map *m = &s->map;
    m->entropy = 0;
    for (size_t t = 0; t < m->n_codes; t++)
        m->entropy += cost(m->law[t]);
    if (m->entropy <= s->rate + SZ_EBIM_SLACK)
        keep(s, 0, 0, 0, m->entropy);
    if (s->method == SZ_EBIM_ONE_SPLIT)
        try_all_splits(s);
    else if (s->method == SZ_EBIM_TWO_MOVES)
        try_two_moves(s);
}

/* ---- Maps ---------------------------------------------------------------------------------- */

static void all_maps(search *s, size_t x) {
    sz_ebim_map *m = &s->map;
    if (x == s->n) {
        consider(s);
        return;
    }
    size_t codes = m->n_codes;
    for (size_t t = 0; t <= codes; t++) {
        double before = t < codes ? m->law[t] : 0;
        m->code[x] = (uint32_t)t;
        m->law[t] = before + s->p[x];
        m->n_codes = t < codes ? codes : codes + 1;
        all_maps(s, x + 1);
        m->n_codes = codes;
        m->law[t] = before;
    }
}

/* Maps that merge heaviest and lightest symbols as the greedy one does, in other proportions. */
static sz_status heads_and_tails(search *s) {
    size_t n = s->n, step = (n + MOST_HEADS - 1) / MOST_HEADS;
    double *sums = sz_alloc(2 * (n + 1) * sizeof *sums), *costs = sums + n + 1;
    SZ_REQUIRE(sums, SZ_E_NOMEM, "no memory for %zu sums", n);
    sums[0] = costs[0] = 0;
    for (size_t x = 0; x < n; x++) {
        sums[x + 1] = sums[x] + s->p[x];
        costs[x + 1] = costs[x] + cost(s->p[x]);
    }
    for (size_t heads = 1; heads < n; heads += step) {
        size_t tails = 1;
        double h = INFINITY;
        while (heads + tails <= n && h > s->rate) { /* until the rate allows the map */
            h = cost(sums[heads]) + costs[n - tails] - costs[heads] +
                cost(sums[n] - sums[n - tails]);
            tails++;
        }
        for (size_t t = tails > 3 ? tails - 3 : 1; t < tails; t++) {
            sz_ebim_merge_ends(s->p, n, heads, t, &s->map);
            consider(s);
        }
    }
    sz_free(sums);
    return SZ_OK;
}

sz_status sz_ebim_search(const double *p, size_t n, double rate, sz_ebim_method method,
                         sz_ebim_map *best) {
    search s = {.p = p, .n = n, .rate = rate, .method = method, .best = best};
    s.map.code = sz_alloc(n * sizeof *s.map.code);
    s.map.law = sz_calloc(n + 1, sizeof *s.map.law);
    sz_status status = s.map.code && s.map.law
                           ? SZ_OK
                           : sz_fail(SZ_E_NOMEM, "no memory for a map of %zu symbols", n);
    if (status == SZ_OK && n <= SZ_EBIM_ALL_MAPS) {
        all_maps(&s, 0);
    } else if (status == SZ_OK) {
        size_t heads, tails;
        sz_ebim_greedy(p, n, rate, &heads, &tails);
        sz_ebim_merge_ends(p, n, heads, tails, &s.map);
        consider(&s);
        status = heads_and_tails(&s);
    }
    sz_free(s.map.code);
    sz_free(s.map.law);
    return status;
}
