/* jitter.c: equal points moved apart by a hair. */
#include <math.h>

#include "info/kd_tree.h"

void sz_jitter(double *points, size_t n, size_t d, uint64_t seed) {
    for (size_t a = 0; a < d; a++) {
        double mean = 0, square = 0;
        for (size_t i = 0; i < n; i++)
            mean += points[i * d + a] / (double)n;
        for (size_t i = 0; i < n; i++) {
            double off = points[i * d + a] - mean;
            square += off * off / (double)n;
        }
        double scale = square > 0 ? sqrt(square) : 1.0;
        for (size_t i = 0; i < n; i++)
            points[i * d + a] += 1e-10 * scale * (sz_uniform(seed, a, i) - 0.5);
    }
}
