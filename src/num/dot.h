/* dot.h: dot products of doubles in one order everywhere: 8 lanes and a fixed tree. */
#ifndef SZ_NUM_DOT_H
#define SZ_NUM_DOT_H

#include <stddef.h>

enum { SZ_DOT_LANES = 8 };

static inline double sz_dot_lanes(const double s[SZ_DOT_LANES]) {
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

static inline double sz_dot(const double *restrict a, const double *restrict b, size_t n) {
    double s[SZ_DOT_LANES] = {0};
    size_t i = 0;
    for (; i + SZ_DOT_LANES <= n; i += SZ_DOT_LANES)
        for (size_t l = 0; l < SZ_DOT_LANES; l++)
            s[l] += a[i + l] * b[i + l];
    for (size_t l = 0; i < n; i++, l++)
        s[l] += a[i] * b[i];
    return sz_dot_lanes(s);
}

#endif
