/* tune.h: breaks that many tasks share, and roots of polynomials. */
#ifndef SZ_LEARN_TUNE_H
#define SZ_LEARN_TUNE_H

#include <szilard/unstable/tune.h>

/* At `at` the sum changes by `by`. */
typedef struct sz_tune_event {
    double at, by;
} sz_tune_event;
/* Pieces of start + changes, events [n] in any order (they are sorted), divided by `scale`. */
sz_status sz_tune_sweep(double start, sz_tune_event *events, size_t n, double scale, double lo,
                        double hi, sz_tune_curve *out);

double sz_tune_evaluate(const double *c, size_t degree, double x);
/* Where c changes its sign within (lo, hi), rising: roots [degree]; returns how many. */
size_t sz_tune_roots(const double *c, size_t degree, double lo, double hi, double *roots);
/* A growing list of numbers. */
typedef struct sz_tune_list {
    double *v;
    size_t n, cap;
} sz_tune_list;
sz_status sz_tune_push(sz_tune_list *l, double x);
/* Sorted, without those that are closer than 1e-12 (hi - lo) to the one before; returns how many
 * went. */
size_t sz_tune_tidy(sz_tune_list *l, double lo, double hi);
sz_status sz_tune_check_range(double lo, double hi);

#endif
