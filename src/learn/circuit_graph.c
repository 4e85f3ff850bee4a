/* circuit_graph.c: a graph of units: checked, copied, freed. */
#include "circuit_graph.h"

#include <string.h>

enum { MOST_UNITS = 1 << 22, MOST_CHILDREN = 1 << 24, MOST_SET_BYTES = 1 << 30 };

/* ---- One unit -------------------------------------------------------------------------------- */

static sz_status check_weights(const double *w, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        SZ_REQUIRE(w[i] >= 0 && w[i] <= 2, SZ_E_ARG, "weight %zu is %g", i, w[i]);
        sum += w[i];
    }
    SZ_REQUIRE(sum > 1 - 1e-6 && sum < 1 + 1e-6, SZ_E_ARG, "its weights sum to %.9g, not 1", sum);
    return SZ_OK;
}

static sz_status take_input(sz_pc_graph *g, const sz_pc_unit *u, uint64_t *set) {
    SZ_REQUIRE(u->variable < g->n_vars && u->n_children == 0, SZ_E_ARG,
               "an input of variable %u of %zu with %u children", u->variable, g->n_vars,
               u->n_children);
    set[u->variable / 64] |= (uint64_t)1 << u->variable % 64;
    return check_weights(u->weight, g->n_categories);
}

static size_t first_bit(uint64_t word, size_t at) {
    return 64 * at + (size_t)__builtin_ctzll(word);
}

static sz_status take_child(const sz_pc_graph *g, const sz_pc_unit *u, size_t i, uint64_t *set) {
    const uint64_t *of_child = g->holds + u->child[i] * g->n_words;
    for (size_t w = 0; w < g->n_words; w++) {
        uint64_t common = set[w] & of_child[w], differs = set[w] ^ of_child[w];
        SZ_REQUIRE(u->kind == SZ_PC_SUM || !common, SZ_E_ARG,
                   "not decomposable: variable %zu is below child %u and below another",
                   first_bit(common, w), u->child[i]);
        SZ_REQUIRE(u->kind == SZ_PC_PRODUCT || i == 0 || !differs, SZ_E_ARG,
                   "not smooth: variable %zu is below child %u or below another, but not both",
                   first_bit(differs, w), u->child[i]);
        set[w] |= of_child[w];
    }
    return SZ_OK;
}

static sz_status take_unit(sz_pc_graph *g, const sz_pc_unit *u, size_t id) {
    uint64_t *set = g->holds + id * g->n_words;
    SZ_REQUIRE(u->kind == SZ_PC_INPUT || u->kind == SZ_PC_PRODUCT || u->kind == SZ_PC_SUM, SZ_E_ARG,
               "its kind is %d", (int)u->kind);
    if (u->kind == SZ_PC_INPUT)
        return take_input(g, u, set);
    SZ_REQUIRE(u->n_children >= 1, SZ_E_ARG, "it has no children");
    for (size_t i = 0; i < u->n_children; i++) {
        SZ_REQUIRE(u->child[i] < id, SZ_E_ARG, "child %u does not come before it", u->child[i]);
        SZ_TRY(take_child(g, u, i, set));
    }
    return u->kind == SZ_PC_SUM ? check_weights(u->weight, u->n_children) : SZ_OK;
}

/* ---- All units ------------------------------------------------------------------------------- */

static sz_status take_units(sz_pc_graph *g, const sz_pc_unit *units) {
    uint32_t *child = g->child;
    double *weight = g->weight;
    for (size_t i = 0; i < g->n_units; i++) {
        sz_pc_unit *u = &g->unit[i];
        sz_status status = take_unit(g, &units[i], i);
        if (status != SZ_OK)
            return sz_fail_within(status, "unit %zu", i);
        *u = units[i];
        size_t n_weights = u->kind == SZ_PC_INPUT ? g->n_categories
                           : u->kind == SZ_PC_SUM ? u->n_children
                                                  : 0;
        u->child = u->n_children ? memcpy(child, u->child, u->n_children * sizeof *child) : NULL;
        u->weight = n_weights ? memcpy(weight, u->weight, n_weights * sizeof *weight) : NULL;
        child += u->n_children;
        weight += n_weights;
    }
    for (size_t v = 0; v < g->n_vars; v++)
        SZ_REQUIRE(sz_graph_holds(g, g->n_units - 1, v), SZ_E_ARG,
                   "the root, unit %zu, lacks variable %zu", g->n_units - 1, v);
    return SZ_OK;
}

static sz_status allocate(sz_pc_graph *g, const sz_pc_unit *units) {
    size_t n = g->n_units, children = 0, weights = 0;
    for (size_t i = 0; i < n; i++) {
        children += units[i].n_children;
        weights += units[i].kind == SZ_PC_INPUT ? g->n_categories : units[i].n_children;
        SZ_REQUIRE(children <= MOST_CHILDREN && weights <= SZ_PC_MAX_PARAMETERS, SZ_E_LIMIT,
                   "unit %zu: too many children or weights in all", i);
    }
    SZ_REQUIRE(n * g->n_words <= MOST_SET_BYTES / 8, SZ_E_LIMIT,
               "%zu units over %zu variables are too many", n, g->n_vars);
    g->unit = sz_alloc(n * sizeof *g->unit);
    g->child = sz_alloc((children + 1) * sizeof *g->child);
    g->weight = sz_alloc((weights + 1) * sizeof *g->weight);
    g->holds = sz_calloc(n * g->n_words, sizeof *g->holds);
    g->scope_of = sz_alloc(n * sizeof *g->scope_of);
    g->scope = sz_calloc(n, sizeof *g->scope);
    g->by_scope = sz_alloc(n * sizeof *g->by_scope);
    g->part = sz_alloc((children + 1) * sizeof *g->part);
    g->entry = sz_calloc(n, sizeof *g->entry);
    g->order = sz_alloc(g->n_vars * sizeof *g->order);
    g->leaf = sz_alloc(g->n_vars * sizeof *g->leaf);
    SZ_REQUIRE(g->unit && g->child && g->weight && g->holds && g->scope_of && g->scope &&
                   g->by_scope && g->part && g->entry && g->order && g->leaf,
               SZ_E_NOMEM, "no memory for a circuit of %zu units", n);
    return SZ_OK;
}

sz_status sz_pc_graph_new(const sz_pc_unit *units, size_t n_units, size_t n_vars,
                          size_t n_categories, sz_pc_graph **out) {
    SZ_REQUIRE(n_vars >= 1 && n_vars <= SZ_PC_MAX_VARS && n_categories >= 1 &&
                   n_categories <= SZ_PC_MAX_CATEGORIES,
               SZ_E_ARG, "%zu variables of %zu categories", n_vars, n_categories);
    SZ_REQUIRE(n_units >= 1 && n_units <= MOST_UNITS, SZ_E_LIMIT, "%zu units: 1 to %d", n_units,
               MOST_UNITS);
    sz_pc_graph *g = sz_calloc(1, sizeof *g);
    SZ_REQUIRE(g, SZ_E_NOMEM, "no memory for a circuit");
    g->n_vars = n_vars;
    g->n_categories = n_categories;
    g->n_units = n_units;
    g->n_words = (n_vars + 63) / 64;
    sz_status status = allocate(g, units);
    if (status == SZ_OK)
        status = take_units(g, units);
    if (status == SZ_OK)
        status = sz_graph_build_vtree(g);
    if (status != SZ_OK) {
        sz_pc_graph_free(g);
        return status;
    }
    *out = g;
    return SZ_OK;
}

void sz_pc_graph_free(sz_pc_graph *g) {
    if (!g)
        return;
    sz_free(g->unit);
    sz_free(g->child);
    sz_free(g->weight);
    sz_free(g->holds);
    sz_free(g->scope_of);
    sz_free(g->scope);
    sz_free(g->by_scope);
    sz_free(g->part);
    sz_free(g->entry);
    sz_free(g->order);
    sz_free(g->leaf);
    sz_free(g);
}

const uint32_t *sz_pc_graph_order(const sz_pc_graph *g) {
    return g->order;
}

bool sz_pc_graph_is_structured(const sz_pc_graph *g) {
    return g->structured;
}
