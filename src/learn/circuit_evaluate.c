/* circuit_evaluate.c: probabilities under a graph of units, and conditionals along its vtree. */
#include <math.h>
#include <string.h>

#include <szilard/unstable/num.h>

#include "circuit_graph.h"

/* ---- Numbers with a range of their own: m 2^e, m in [1, 2) or 0 ------------------------------ */

typedef struct scaled {
    double m;
    int64_t e;
} scaled;

static double power_of_two(int64_t e) {
    uint64_t bits = (uint64_t)(e + 1023) << 52;
    double r;
    memcpy(&r, &bits, sizeof r);
    return r;
}

static scaled normal(double m, int64_t e) {
    if (!(m >= 0x1p-1022))
        return (scaled){0};
    uint64_t bits;
    memcpy(&bits, &m, sizeof bits);
    int64_t by = (int64_t)(bits >> 52) - 1023;
    return (scaled){m * power_of_two(-by), e + by};
}

static scaled add(scaled a, scaled b) {
    if (a.m == 0 || b.m == 0)
        return a.m == 0 ? b : a;
    if (a.e < b.e) {
        scaled swap = a;
        a = b;
        b = swap;
    }
    return a.e - b.e > 1000 ? a : normal(a.m + b.m * power_of_two(b.e - a.e), a.e);
}

/* ---- Units ----------------------------------------------------------------------------------- */

static scaled evaluate(const sz_pc_graph *g, const sz_pc_unit *u, const scaled *value,
                       const int32_t *x) {
    if (u->kind == SZ_PC_INPUT)
        return x[u->variable] == SZ_PC_MISSING ? (scaled){1, 0}
                                               : normal(u->weight[x[u->variable]], 0);
    scaled r = u->kind == SZ_PC_SUM ? (scaled){0} : (scaled){1, 0};
    for (size_t i = 0; i < u->n_children; i++) {
        scaled c = value[u->child[i]];
        r = u->kind == SZ_PC_SUM ? add(r, normal(c.m * u->weight[i], c.e))
                                 : normal(r.m * c.m, r.e + c.e);
    }
    return r;
}

static void evaluate_all(const sz_pc_graph *g, const int32_t *x, scaled *value) {
    for (size_t i = 0; i < g->n_units; i++)
        value[i] = evaluate(g, &g->unit[i], value, x);
}

static sz_pc_shape shape_of(const sz_pc_graph *g) {
    return (sz_pc_shape){g->n_vars, 1, g->n_categories};
}

sz_status sz_pc_graph_loglik(const sz_pc_graph *g, const int32_t *x, size_t n, double *out) {
    sz_pc_shape shape = shape_of(g);
    SZ_TRY(sz_pc_check_records(&shape, x, n, true));
    scaled *value = sz_alloc(g->n_units * sizeof *value);
    SZ_REQUIRE(value, SZ_E_NOMEM, "no memory for %zu units", g->n_units);
    for (size_t i = 0; i < n; i++) {
        evaluate_all(g, x + i * g->n_vars, value);
        scaled p = value[g->n_units - 1];
        out[i] = p.m > 0 ? sz_log(p.m) + (double)p.e * 0x1.62e42fefa39efp-1 : -INFINITY;
    }
    sz_free(value);
    return SZ_OK;
}

/* ---- Conditionals ---------------------------------------------------------------------------- */

typedef struct walk {
    const sz_pc_graph *g;
    scaled *value;
    int32_t *x; /* values so far, the rest missing */
} walk;

/* P of the values so far after variable v changed, from the units over sets that hold it up to
 * `top`, the least set that holds all coded variables: those entered from above, by how likely. */
static scaled along_tree(walk *w, size_t v, int32_t top) {
    const sz_pc_graph *g = w->g;
    scaled p = {0};
    for (int32_t at = g->leaf[v];; at = g->scope[at].parent) {
        const sz_scope *s = &g->scope[at];
        for (uint32_t i = 0; i < s->n; i++) {
            uint32_t id = g->by_scope[s->first + i];
            w->value[id] = evaluate(g, &g->unit[id], w->value, w->x);
            if (at == top)
                p = add(p, normal(w->value[id].m * g->entry[id], w->value[id].e));
        }
        if (at == top)
            return p;
    }
}

static scaled everywhere(walk *w, size_t v) {
    const sz_pc_graph *g = w->g;
    for (size_t i = 0; i < g->n_units; i++)
        if (sz_graph_holds(g, i, v))
            w->value[i] = evaluate(g, &g->unit[i], w->value, w->x);
    return w->value[g->n_units - 1];
}

/* The least set of the tree above `top` that holds v too. */
static int32_t widen(const sz_pc_graph *g, int32_t top, size_t v) {
    if (top < 0)
        return g->leaf[v];
    while (!sz_graph_holds(g, g->scope[top].representative, v))
        top = g->scope[top].parent;
    return top;
}

static void to_probabilities(const scaled *p, size_t n, double *pmf) {
    scaled sum = {0};
    for (size_t c = 0; c < n; c++)
        sum = add(sum, p[c]);
    for (size_t c = 0; c < n; c++)
        pmf[c] =
            p[c].m > 0 && sum.e - p[c].e < 1000 ? p[c].m * power_of_two(p[c].e - sum.e) / sum.m : 0;
}

static sz_status run(walk *w, const int32_t *x, scaled *p, double *pmf) {
    const sz_pc_graph *g = w->g;
    size_t k = g->n_categories;
    int32_t top = -1;
    for (size_t i = 0; i < g->n_vars; i++) {
        size_t v = g->order[i];
        top = g->structured ? widen(g, top, v) : -1;
        for (size_t c = 0; c <= k; c++) { /* each value, and then the one that is there */
            w->x[v] = c < k ? (int32_t)c : x[v];
            p[c] = g->structured ? along_tree(w, v, top) : everywhere(w, v);
        }
        SZ_REQUIRE(p[k].m > 0, SZ_E_ARG, "column %zu: the value %d has probability zero", v, x[v]);
        to_probabilities(p, k, pmf + v * k);
    }
    return SZ_OK;
}

sz_status sz_pc_graph_conditionals(const sz_pc_graph *g, const int32_t *x, double *pmf) {
    sz_pc_shape shape = shape_of(g);
    SZ_TRY(sz_pc_check_records(&shape, x, 1, false));
    walk w = {.g = g,
              .value = sz_alloc(g->n_units * sizeof *w.value),
              .x = sz_alloc(g->n_vars * sizeof *w.x)};
    scaled *p = sz_alloc((g->n_categories + 1) * sizeof *p);
    sz_status status = SZ_OK;
    if (w.value && w.x && p) {
        for (size_t v = 0; v < g->n_vars; v++)
            w.x[v] = SZ_PC_MISSING;
        evaluate_all(g, w.x, w.value);
        status = run(&w, x, p, pmf);
    } else
        status = sz_fail(SZ_E_NOMEM, "no memory for %zu units", g->n_units);
    sz_free(w.value);
    sz_free(w.x);
    sz_free(p);
    return status;
}
