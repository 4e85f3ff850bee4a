/* coupling_zero.c: the coupling that looks for pairs of nearly equal masses, which it can use up
 * in one cell. */
#include "info/mass.h"

#include <stdlib.h>
#include <string.h>

typedef struct atom {
    uint64_t mass;
    uint32_t index;
} atom;
typedef struct atoms { /* by rising mass, equals by rising index */
    atom *at;
    size_t n;
} atoms;

static int by_mass(const void *a, const void *b) {
    const atom *x = a, *y = b;
    if (x->mass != y->mass)
        return x->mass < y->mass ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static sz_status atoms_new(const double *p, size_t n, const char *name, atoms *out) {
    uint64_t *mass;
    SZ_TRY(sz_mass_new(p, n, name, &mass));
    atoms s = {.at = sz_alloc(n * sizeof *s.at)};
    for (size_t i = 0; s.at && i < n; i++)
        if (mass[i] > 0)
            s.at[s.n++] = (atom){mass[i], (uint32_t)i};
    sz_free(mass);
    SZ_REQUIRE(s.at, SZ_E_NOMEM, "no memory for %zu masses", n);
    qsort(s.at, s.n, sizeof *s.at, by_mass);
    *out = s;
    return SZ_OK;
}

static size_t first_of_its_mass(const atoms *s, size_t i) {
    while (i > 0 && s->at[i - 1].mass == s->at[i].mass)
        i--;
    return i;
}

/* Places of the two that differ least; later pairs are heavier and win ties. */
static void nearest(const atoms *p, const atoms *q, size_t *at_p, size_t *at_q) {
    uint64_t least = UINT64_MAX;
    for (size_t i = 0, j = 0; i < p->n && j < q->n;) {
        uint64_t a = p->at[i].mass, b = q->at[j].mass, off = a < b ? b - a : a - b;
        if (off <= least) {
            least = off;
            *at_p = i;
            *at_q = j;
        }
        if (a <= b)
            i++;
        else
            j++;
    }
    *at_p = first_of_its_mass(p, *at_p);
    *at_q = first_of_its_mass(q, *at_q);
}

/* Takes mass from the atom at `i` and moves the rest to its place. */
static void take(atoms *s, size_t i, uint64_t mass) {
    atom rest = {s->at[i].mass - mass, s->at[i].index};
    size_t to = i;
    while (to > 0 && rest.mass > 0 && by_mass(&rest, &s->at[to - 1]) < 0)
        to--;
    if (rest.mass > 0) {
        memmove(s->at + to + 1, s->at + to, (i - to) * sizeof *s->at);
        s->at[to] = rest;
    } else {
        memmove(s->at + i, s->at + i + 1, (--s->n - i) * sizeof *s->at);
    }
}

static void couple(atoms *p, atoms *q, sz_coupling *c) {
    while (p->n > 0) {
        size_t i = 0, j = 0;
        nearest(p, q, &i, &j);
        uint64_t a = p->at[i].mass, b = q->at[j].mass, mass = a < b ? a : b;
        sz_coupling_add(c, p->at[i].index, q->at[j].index, mass);
        take(p, i, mass);
        take(q, j, mass);
    }
}

sz_status sz_mec_zero_seeking(const double *p, size_t n_p, const double *q, size_t n_q,
                              sz_coupling *out) {
    atoms a = {0}, b = {0};
    sz_coupling c = {0};
    sz_status status = atoms_new(p, n_p, "p", &a);
    if (status == SZ_OK)
        status = atoms_new(q, n_q, "q", &b);
    if (status == SZ_OK)
        status = sz_coupling_new(a.n + b.n - 1, 2, &c);
    if (status == SZ_OK) {
        couple(&a, &b, &c);
        *out = c;
    }
    sz_free(a.at);
    sz_free(b.at);
    return status;
}
