/* kd_tree.h: neighbours of points in the max-norm. */
#ifndef SZ_INFO_KD_TREE_H
#define SZ_INFO_KD_TREE_H

#include <szilard/unstable/base.h>

typedef struct sz_kd_node {
    uint32_t from, to;    /* points of the subtree */
    uint32_t left, right; /* 0: a leaf */
} sz_kd_node;

typedef struct sz_kd_tree {
    size_t n, d;
    double *points;  /* [n][d], in the tree's order */
    uint32_t *order; /* [n]: which point that is */
    sz_kd_node *nodes;
    double *boxes; /* [nodes][2][d]: least and greatest coordinates */
    size_t n_nodes;
} sz_kd_tree;

/* Copies x [n][d]; n < 2^31. O(n log n). */
sz_status sz_kd_build(const double *x, size_t n, size_t d, sz_kd_tree *out);
void sz_kd_free(sz_kd_tree *t);

typedef struct sz_neighbour {
    double distance;
    uint32_t at; /* in the tree's order */
} sz_neighbour;
/* The k nearest points of point `self` (in the tree's order), itself excluded, nearest first. */
void sz_kd_nearest(const sz_kd_tree *t, uint32_t self, size_t k, sz_neighbour *out);
/* Points at distance < r of x [d] (<= r if closed), x itself included where it is one of them. */
size_t sz_kd_count(const sz_kd_tree *t, const double *x, double r, bool closed);

/* Moves points [n][d] by 1e-10 of each column's standard deviation times a uniform number in
 * [-1/2, 1/2), so that none coincide. */
void sz_jitter(double *points, size_t n, size_t d, uint64_t seed);

#endif
