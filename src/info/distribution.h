/* distribution.h: what the estimators share: checked vectors and compensated sums. */
#ifndef SZ_INFO_DISTRIBUTION_H
#define SZ_INFO_DISTRIBUTION_H

#include <szilard/unstable/info.h>

/* Neumaier's sum: the error of every addition is kept beside the sum. */
typedef struct sz_sum {
    double sum, error;
} sz_sum;
static inline void sz_sum_add(sz_sum *s, double x) {
    double t = s->sum + x;
    double a = s->sum < 0 ? -s->sum : s->sum, b = x < 0 ? -x : x;
    s->error += a >= b ? (s->sum - t) + x : (x - t) + s->sum;
    s->sum = t;
}
static inline double sz_sum_get(const sz_sum *s) {
    double t = s->sum + s->error;
    return t == t ? t : s->sum; /* infinite terms leave a NaN in the error */
}

/* Checks that p is a distribution; *scale is what normalises it. `name` is for messages. */
sz_status sz_distribution_scale(const double *p, size_t n, const char *name, double *scale);
static inline double sz_probability(const double *p, size_t i, double scale) {
    return p[i] > 0 ? p[i] * scale : 0.0;
}
static inline double sz_at_least_zero(double x) {
    return x > 0 ? x : 0.0;
}

/* x ln x, with 0 ln 0 = 0. */
double sz_x_log_x(double x);

#endif
