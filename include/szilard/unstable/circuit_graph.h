/* circuit_graph.h: probabilistic circuits of any shape: a graph of input, product and sum units.
 *
 * Smooth: the children of a sum are over the same variables. Decomposable: those of a product share
 * none. Both are required, and make every marginal one pass. Structured-decomposable: all products
 * over the same variables split them in the same way, by one tree of variable sets (a vtree); then
 * the conditionals of a record cost one visit of each unit per level of that tree, else one pass of
 * the graph per variable.
 * Same bits everywhere: sums and products in one order, scaled by powers of two.
 * Source: card 07, sections 1 and 4: Liu, Mandt, Van den Broeck 2021. */
#ifndef SZILARD_CIRCUIT_GRAPH_H
#define SZILARD_CIRCUIT_GRAPH_H

#include <szilard/unstable/circuit.h>

typedef enum sz_pc_unit_kind { SZ_PC_INPUT, SZ_PC_PRODUCT, SZ_PC_SUM } sz_pc_unit_kind;

typedef struct sz_pc_unit {
    sz_pc_unit_kind kind;
    uint32_t variable;     /* of an input */
    uint32_t n_children;   /* 0 for an input */
    const uint32_t *child; /* [n_children]: units before this one */
    const double *weight;  /* input: [n_categories]; sum: [n_children]; a distribution */
} sz_pc_unit;

typedef struct sz_pc_graph sz_pc_graph;

/* units [n_units], children before parents, the root last; over n_vars variables of n_categories
 * values. All is copied. SZ_E_ARG names the unit that is wrong: a child that does not come before
 * it, weights that are no distribution, not smooth, not decomposable; or the variable that the root
 * lacks. SZ_E_LIMIT: beyond 2^22 units, 2^24 children or 1 GiB of variable sets. */
SZ_API sz_status sz_pc_graph_new(const sz_pc_unit *units, size_t n_units, size_t n_vars,
                                 size_t n_categories, sz_pc_graph **out);
SZ_API void sz_pc_graph_free(sz_pc_graph *g);
/* The order of coding [n_vars], borrowed: the vtree depth first, larger sets first; without one 0,
 * 1, 2 and so on. */
SZ_API const uint32_t *sz_pc_graph_order(const sz_pc_graph *g);
SZ_API bool sz_pc_graph_is_structured(const sz_pc_graph *g);

/* out [n]: ln P of the known values of each of the records x [n][n_vars]. O(n * children). */
SZ_API sz_status sz_pc_graph_loglik(const sz_pc_graph *g, const int32_t *x, size_t n, double *out);
/* pmf [n_vars][n_categories]: row v is P(X_v | the values of the variables before v in
 * sz_pc_graph_order). SZ_E_ARG names a column whose value has probability zero. */
SZ_API sz_status sz_pc_graph_conditionals(const sz_pc_graph *g, const int32_t *x, double *pmf);

#endif
