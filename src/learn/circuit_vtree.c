/* circuit_vtree.c: the sets of variables of a circuit's units, and the tree that they form where
 * all products split a set in the same way. */
#include <stdlib.h>
#include <string.h>

#include "circuit_graph.h"

/* ---- Distinct sets --------------------------------------------------------------------------- */

static int by_set(const void *a, const void *b, void *graph) {
    const sz_pc_graph *g = graph;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    int order =
        memcmp(g->holds + i * g->n_words, g->holds + j * g->n_words, g->n_words * sizeof *g->holds);
    return order ? order : (i > j) - (i < j);
}

static uint32_t set_size(const sz_pc_graph *g, size_t unit) {
    uint32_t size = 0;
    for (size_t w = 0; w < g->n_words; w++)
        size += (uint32_t)__builtin_popcountll(g->holds[unit * g->n_words + w]);
    return size;
}

static bool same_set(const sz_pc_graph *g, size_t a, size_t b) {
    return memcmp(g->holds + a * g->n_words, g->holds + b * g->n_words,
                  g->n_words * sizeof *g->holds) == 0;
}

static void number_scopes(sz_pc_graph *g) {
    for (size_t i = 0; i < g->n_units; i++)
        g->by_scope[i] = (uint32_t)i;
    qsort_r(g->by_scope, g->n_units, sizeof *g->by_scope, by_set, g);
    for (size_t i = 0; i < g->n_units; i++) {
        uint32_t unit = g->by_scope[i];
        if (i == 0 || !same_set(g, unit, g->by_scope[i - 1]))
            g->scope[g->n_scopes++] = (sz_scope){.representative = unit,
                                                 .size = set_size(g, unit),
                                                 .first = (uint32_t)i,
                                                 .parent = -1};
        g->scope_of[unit] = (uint32_t)g->n_scopes - 1;
        g->scope[g->n_scopes - 1].n++;
    }
}

/* ---- The tree -------------------------------------------------------------------------------- */

static int larger_first(const void *a, const void *b, void *graph) {
    const sz_pc_graph *g = graph;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    if (g->scope[i].size != g->scope[j].size)
        return g->scope[i].size > g->scope[j].size ? -1 : 1;
    return (i > j) - (i < j);
}

/* The parts that product u splits its set into, in order, to `parts`; 1 where it does not split. */
static uint32_t list_parts(const sz_pc_graph *g, const sz_pc_unit *u, uint32_t *parts) {
    for (size_t i = 0; i < u->n_children; i++)
        parts[i] = g->scope_of[u->child[i]];
    qsort_r(parts, u->n_children, sizeof *parts, larger_first, (void *)g);
    return u->n_children;
}

/* Whether u splits as the products over its set before it; `end` is where g->part is free. */
static bool take_split(sz_pc_graph *g, size_t id, uint32_t *end) {
    sz_scope *s = &g->scope[g->scope_of[id]];
    uint32_t *parts = g->part + *end, n = list_parts(g, &g->unit[id], parts);
    if (n == 1)
        return true;
    if (s->n_parts)
        return n == s->n_parts && memcmp(parts, g->part + s->part, n * sizeof *parts) == 0;
    s->n_parts = n;
    s->part = *end;
    *end += n;
    int32_t above = (int32_t)g->scope_of[id];
    for (uint32_t i = 0; i < n; i++) {
        if (g->scope[parts[i]].parent >= 0) /* part of two sets */
            return false;
        g->scope[parts[i]].parent = above;
    }
    return true;
}

static uint32_t only_variable(const sz_pc_graph *g, size_t unit) {
    size_t w = 0;
    while (!g->holds[unit * g->n_words + w])
        w++;
    return (uint32_t)(64 * w + (size_t)__builtin_ctzll(g->holds[unit * g->n_words + w]));
}

/* Depth first; `stack` [n_scopes]: every set of the tree is put there once. */
static void fill_order(sz_pc_graph *g, uint32_t *stack) {
    size_t waiting = 0, n = 0;
    stack[waiting++] = g->scope_of[g->n_units - 1];
    while (waiting) {
        uint32_t scope = stack[--waiting];
        const sz_scope *s = &g->scope[scope];
        for (uint32_t i = s->n_parts; i-- > 0;)
            stack[waiting++] = g->part[s->part + i];
        if (s->size == 1) {
            uint32_t v = only_variable(g, s->representative);
            g->order[n++] = v;
            g->leaf[v] = (int32_t)scope;
        }
    }
}

static void fill_entries(sz_pc_graph *g, double *reach) {
    reach[g->n_units - 1] = g->entry[g->n_units - 1] = 1;
    for (size_t id = g->n_units; id-- > 0;) {
        const sz_pc_unit *u = &g->unit[id];
        for (size_t i = 0; i < u->n_children; i++) {
            double flow = reach[id] * (u->kind == SZ_PC_SUM ? u->weight[i] : 1.0);
            reach[u->child[i]] += flow;
            if (g->scope_of[u->child[i]] != g->scope_of[id])
                g->entry[u->child[i]] += flow;
        }
    }
}

static void find_splits(sz_pc_graph *g) {
    uint32_t end = 0;
    g->structured = true;
    for (size_t i = 0; i < g->n_units && g->structured; i++)
        if (g->unit[i].kind == SZ_PC_PRODUCT)
            g->structured = take_split(g, i, &end);
}

sz_status sz_graph_build_vtree(sz_pc_graph *g) {
    double *reach = sz_calloc(g->n_units, sizeof *reach);
    uint32_t *stack = sz_alloc(g->n_units * sizeof *stack);
    if (reach && stack) {
        number_scopes(g);
        fill_entries(g, reach);
        find_splits(g);
        for (size_t v = 0; v < g->n_vars; v++) {
            g->order[v] = (uint32_t)v;
            g->leaf[v] = -1;
        }
        if (g->structured)
            fill_order(g, stack);
    }
    sz_status status =
        reach && stack ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for %zu units", g->n_units);
    sz_free(reach);
    sz_free(stack);
    return status;
}
