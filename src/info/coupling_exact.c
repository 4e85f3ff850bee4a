/* coupling_exact.c: the least entropy of all couplings of two small marginals. Entropy is concave,
 * so it is least at a vertex of the transport polytope: a forest of cells, which can be taken apart
 * leaf by leaf. The search puts leaves together, each using up a row or a column, with bounds and a
 * memory of what was seen. */
#include "info/mass.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SIDE = SZ_MEC_EXACT_CELLS, MOST_CELLS = SZ_MEC_EXACT_CELLS + 1, SEEN = 1 << 18 };

typedef struct cell {
    uint8_t i, j;
    uint64_t mass;
} cell;
typedef struct seen { /* a set of residuals, and the least cost at which it was met */
    uint64_t key[2];
    double cost;
} seen;
typedef struct search {
    size_t n_p, n_q;
    uint32_t name_p[MOST_SIDE], name_q[MOST_SIDE];
    uint64_t p[MOST_SIDE], q[MOST_SIDE]; /* what is left */
    cell path[MOST_CELLS], best[MOST_CELLS];
    size_t depth, best_depth;
    double best_cost;
    seen *memory; /* [SEEN] */
} search;

static double cost_of(uint64_t mass) {
    return -sz_x_log_x(sz_mass_probability(mass));
}

static double side_cost(const uint64_t *mass, size_t n) {
    double h = 0;
    for (size_t i = 0; i < n; i++)
        h += cost_of(mass[i]);
    return h;
}

static uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 31)) * UINT64_C(0x7fb5d329728ea185);
    x = (x ^ (x >> 27)) * UINT64_C(0x81dadef4bc2dd44d);
    return x ^ (x >> 33);
}

/* Sums of mixed masses do not depend on their order: residuals that are permutations of each other
 * cost the same. */
static void key_of(const search *s, uint64_t key[2]) {
    key[0] = key[1] = 0;
    for (size_t i = 0; i < s->n_p; i++)
        if (s->p[i]) {
            key[0] += mix(s->p[i] + 1);
            key[1] += mix(~s->p[i]);
        }
    for (size_t j = 0; j < s->n_q; j++)
        if (s->q[j]) {
            key[0] += mix(s->q[j] ^ UINT64_C(0x9e3779b97f4a7c15));
            key[1] += mix(s->q[j] * 3);
        }
}

/* Whether the residuals were met at this cost or less; remembers them otherwise. */
static bool was_seen(search *s, double cost) {
    uint64_t key[2];
    key_of(s, key);
    seen *slot = &s->memory[key[0] % SEEN];
    if (slot->key[0] == key[0] && slot->key[1] == key[1] && slot->cost <= cost)
        return true;
    *slot = (seen){{key[0], key[1]}, cost};
    return false;
}

static void keep_best(search *s, double cost) {
    s->best_cost = cost;
    s->best_depth = s->depth;
    memcpy(s->best, s->path, s->depth * sizeof *s->path);
}

static bool all_used(const search *s) {
    for (size_t i = 0; i < s->n_p; i++)
        if (s->p[i] > 0)
            return false;
    return true;
}

static void extend(search *s, double cost) {
    double left_p = side_cost(s->p, s->n_p), left_q = side_cost(s->q, s->n_q);
    if (all_used(s)) {
        if (cost < s->best_cost)
            keep_best(s, cost);
        return;
    }
    if (cost + (left_p > left_q ? left_p : left_q) >= s->best_cost - 1e-14 || was_seen(s, cost))
        return;
    for (size_t i = 0; i < s->n_p; i++)
        for (size_t j = 0; j < s->n_q; j++) {
            uint64_t a = s->p[i], b = s->q[j], mass = a < b ? a : b;
            if (mass == 0)
                continue;
            s->p[i] -= mass;
            s->q[j] -= mass;
            s->path[s->depth++] = (cell){(uint8_t)i, (uint8_t)j, mass};
            extend(s, cost + cost_of(mass));
            s->depth--;
            s->p[i] = a;
            s->q[j] = b;
        }
}

static size_t positive(const uint64_t *mass, size_t n) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += mass[i] > 0;
    return count;
}

static size_t drop_zeros(const uint64_t *mass, size_t n, uint64_t *left, uint32_t *name) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (mass[i] > 0) {
            left[kept] = mass[i];
            name[kept++] = (uint32_t)i;
        }
    return kept;
}

static sz_status solve(const uint64_t *p, size_t n_p, const uint64_t *q, size_t n_q, search *s,
                       sz_coupling *out) {
    size_t rows = positive(p, n_p), columns = positive(q, n_q);
    SZ_REQUIRE(rows * columns <= SZ_MEC_EXACT_CELLS, SZ_E_LIMIT,
               "the exact coupling is for at most %d cells, not %zu x %zu", SZ_MEC_EXACT_CELLS,
               rows, columns);
    s->n_p = drop_zeros(p, n_p, s->p, s->name_p);
    s->n_q = drop_zeros(q, n_q, s->q, s->name_q);
    s->best_cost = INFINITY;
    extend(s, 0);
    SZ_TRY(sz_coupling_new(s->best_depth, 2, out));
    for (size_t c = 0; c < s->best_depth; c++)
        sz_coupling_add(out, s->name_p[s->best[c].i], s->name_q[s->best[c].j], s->best[c].mass);
    return SZ_OK;
}

sz_status sz_mec_exact(const double *p, size_t n_p, const double *q, size_t n_q, sz_coupling *out) {
    uint64_t *a = NULL, *b = NULL;
    search *s = sz_calloc(1, sizeof *s);
    sz_status status = s ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for an exact coupling");
    if (s && !(s->memory = sz_calloc(SEEN, sizeof *s->memory)))
        status = sz_fail(SZ_E_NOMEM, "no memory for an exact coupling");
    if (status == SZ_OK)
        status = sz_mass_new(p, n_p, "p", &a);
    if (status == SZ_OK)
        status = sz_mass_new(q, n_q, "q", &b);
    if (status == SZ_OK)
        status = solve(a, n_p, b, n_q, s, out);
    sz_free(a);
    sz_free(b);
    if (s)
        sz_free(s->memory);
    sz_free(s);
    return status;
}
