/* circuit_graph.h: a checked graph of units, and its tree of variable sets. */
#ifndef SZ_LEARN_CIRCUIT_GRAPH_H
#define SZ_LEARN_CIRCUIT_GRAPH_H

#include <szilard/unstable/circuit_graph.h>

/* A distinct set of variables, and the units over it in rising order. */
typedef struct sz_scope {
    uint32_t representative; /* a unit over it */
    uint32_t size;           /* variables */
    uint32_t first, n;       /* its units: by_scope[first ...] */
    int32_t parent;          /* the least set of the vtree that holds it; -1: the root's, or none */
    uint32_t n_parts; /* into which its products split it; 0: a single variable, or unknown */
    uint32_t part;    /* the first of them in `part` */
} sz_scope;

struct sz_pc_graph {
    size_t n_vars, n_categories, n_units, n_words;
    sz_pc_unit *unit; /* child and weight point into the arrays below */
    uint32_t *child;
    double *weight;
    uint64_t *holds;    /* [n_units][n_words]: bit v of a unit's set */
    uint32_t *scope_of; /* [n_units] */
    sz_scope *scope;    /* [n_scopes] */
    size_t n_scopes;
    uint32_t *by_scope; /* [n_units] */
    uint32_t *part;     /* scopes: the parts of each */
    double *entry;      /* [n_units]: probability of entering a unit from a larger set */
    uint32_t *order;    /* [n_vars] */
    int32_t *leaf;      /* [n_vars]: the scope of the variable alone; -1: there is none */
    bool structured;
};

static inline bool sz_graph_holds(const sz_pc_graph *g, size_t unit, size_t v) {
    return g->holds[unit * g->n_words + v / 64] >> v % 64 & 1;
}

/* Fills scopes, vtree, entry and order of a checked graph. */
sz_status sz_graph_build_vtree(sz_pc_graph *g);

#endif
