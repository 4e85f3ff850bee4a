/* coupling.c: the greedy coupling of two and more marginals, by heaps of integer masses. */
#include "info/mass.h"

#include <stdio.h>

sz_status sz_coupling_new(size_t most_cells, size_t k, sz_coupling *out) {
    size_t indices, bytes;
    SZ_REQUIRE(!__builtin_mul_overflow(most_cells, k, &indices) &&
                   !__builtin_mul_overflow(indices, sizeof *out->index, &bytes),
               SZ_E_LIMIT, "a coupling of %zu cells is too large", most_cells);
    sz_coupling c = {.k = k, .index = sz_alloc(bytes)};
    c.mass = sz_alloc(most_cells * sizeof *c.mass);
    if (!c.index || !c.mass) {
        sz_coupling_free(&c);
        return sz_fail(SZ_E_NOMEM, "no memory for a coupling of %zu cells", most_cells);
    }
    *out = c;
    return SZ_OK;
}

void sz_coupling_free(sz_coupling *c) {
    if (!c)
        return;
    sz_free(c->index);
    sz_free(c->mass);
    *c = (sz_coupling){0};
}

double sz_coupling_entropy(const sz_coupling *c) {
    return sz_mass_entropy(c->mass, c->n);
}

/* ---- A heap with the heaviest on top --------------------------------------------------------- */

typedef struct atom {
    uint64_t mass;
    uint32_t index;
} atom;
typedef struct heap {
    atom *at;
    size_t n;
} heap;

static bool heavier(const atom *a, const atom *b) {
    return a->mass > b->mass || (a->mass == b->mass && a->index < b->index);
}

static void sift_down(heap *h, size_t i) {
    atom moved = h->at[i];
    for (size_t child; (child = 2 * i + 1) < h->n; i = child) {
        child += child + 1 < h->n && heavier(&h->at[child + 1], &h->at[child]);
        if (!heavier(&h->at[child], &moved))
            break;
        h->at[i] = h->at[child];
    }
    h->at[i] = moved;
}

static void heap_fill(heap *h, const uint64_t *mass, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (mass[i] > 0)
            h->at[h->n++] = (atom){mass[i], (uint32_t)i};
    for (size_t i = h->n / 2; i-- > 0;)
        sift_down(h, i);
}

static void take(heap *h, uint64_t mass) {
    h->at[0].mass -= mass;
    if (h->at[0].mass == 0)
        h->at[0] = h->at[--h->n];
    if (h->n > 0)
        sift_down(h, 0);
}

/* ---- Greedy ---------------------------------------------------------------------------------- */

static void couple(heap *heaps, size_t k, sz_coupling *c) {
    while (heaps[0].n > 0) { /* all sums are equal, so all end together */
        uint64_t least = heaps[0].at[0].mass;
        for (size_t i = 0; i < k; i++) {
            c->index[c->n * k + i] = heaps[i].at[0].index;
            least = heaps[i].at[0].mass < least ? heaps[i].at[0].mass : least;
        }
        for (size_t i = 0; i < k; i++)
            take(&heaps[i], least);
        c->mass[c->n++] = least;
    }
}

sz_status sz_mec_greedy_masses(const uint64_t *const *mass, const size_t *n, size_t k,
                               sz_coupling *out) {
    size_t total = 0;
    for (size_t i = 0; i < k; i++)
        total += n[i];
    heap *heaps = sz_calloc(k, sizeof *heaps);
    atom *atoms = sz_alloc(total * sizeof *atoms);
    sz_coupling c = {0};
    sz_status status = heaps && atoms ? sz_coupling_new(total - k + 1, k, &c)
                                      : sz_fail(SZ_E_NOMEM, "no memory for %zu masses", total);
    if (status == SZ_OK) {
        for (size_t i = 0, from = 0; i < k; from += n[i++]) {
            heaps[i].at = atoms + from;
            heap_fill(&heaps[i], mass[i], n[i]);
        }
        couple(heaps, k, &c);
        *out = c;
    }
    sz_free(heaps);
    sz_free(atoms);
    return status;
}

static sz_status greedy(const double *const *p, const size_t *n, size_t k, uint64_t **mass,
                        sz_coupling *out) {
    char name[24];
    for (size_t i = 0; i < k; i++) {
        if (k == 2)
            snprintf(name, sizeof name, "%c", i == 0 ? 'p' : 'q');
        else
            snprintf(name, sizeof name, "marginal %zu", i);
        SZ_TRY(sz_mass_new(p[i], n[i], name, &mass[i]));
    }
    return sz_mec_greedy_masses((const uint64_t *const *)mass, n, k, out);
}

sz_status sz_mec_greedy_many(const double *const *p, const size_t *n, size_t k, sz_coupling *out) {
    SZ_REQUIRE(k >= 1 && k <= 1 << 16, SZ_E_ARG, "a coupling of %zu marginals", k);
    uint64_t **mass = sz_calloc(k, sizeof *mass);
    SZ_REQUIRE(mass, SZ_E_NOMEM, "no memory for %zu marginals", k);
    sz_status status = greedy(p, n, k, mass, out);
    for (size_t i = 0; i < k; i++)
        sz_free(mass[i]);
    sz_free(mass);
    return status;
}

sz_status sz_mec_greedy(const double *p, size_t n_p, const double *q, size_t n_q,
                        sz_coupling *out) {
    return sz_mec_greedy_many((const double *const[]){p, q}, (const size_t[]){n_p, n_q}, 2, out);
}
