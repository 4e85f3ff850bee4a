/* coupling_bound.c: how much entropy any coupling of two marginals has at least. */
#include "info/mass.h"

#include <stdlib.h>
#include <szilard/unstable/num.h>

static int falling(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x > y ? -1 : x < y;
}

/* The differences of the lesser of both cumulative sums: every coupling is majorised by them. */
static double meet(const uint64_t *p, size_t n_p, const uint64_t *q, size_t n_q) {
    uint64_t sum_p = 0, sum_q = 0, before = 0;
    sz_sum h = {0};
    for (size_t i = 0; i < n_p || i < n_q; i++) {
        sum_p += i < n_p ? p[i] : 0;
        sum_q += i < n_q ? q[i] : 0;
        uint64_t lesser = sum_p < sum_q ? sum_p : sum_q;
        sz_sum_add(&h, -sz_x_log_x(sz_mass_probability(lesser - before)));
        before = lesser;
    }
    return sz_sum_get(&h);
}

/* A point of the coupling lies in an atom of p and one of q, and its cell in both. Walks the
 * quantiles from the lightest atoms up. */
static double profile(const uint64_t *p, size_t n_p, const uint64_t *q, size_t n_q) {
    sz_sum h = {0};
    uint64_t left_p = 0, left_q = 0;
    for (size_t i = n_p, j = n_q; i > 0 || j > 0 || left_p > 0;) {
        while (left_p == 0 && i > 0)
            left_p = p[--i];
        while (left_q == 0 && j > 0)
            left_q = q[--j];
        uint64_t step = left_p < left_q ? left_p : left_q, lesser = p[i] < q[j] ? p[i] : q[j];
        if (step == 0)
            break;
        sz_sum_add(&h, -sz_mass_probability(step) * sz_log(sz_mass_probability(lesser)));
        left_p -= step;
        left_q -= step;
    }
    return sz_sum_get(&h);
}

sz_status sz_mec_bound(const double *p, size_t n_p, const double *q, size_t n_q,
                       sz_mec_bounds *out) {
    uint64_t *a, *b;
    SZ_TRY(sz_mass_new(p, n_p, "p", &a));
    sz_status status = sz_mass_new(q, n_q, "q", &b);
    if (status == SZ_OK) {
        qsort(a, n_p, sizeof *a, falling);
        qsort(b, n_q, sizeof *b, falling);
        out->meet = sz_at_least_zero(meet(a, n_p, b, n_q));
        out->profile = sz_at_least_zero(profile(a, n_p, b, n_q));
        out->lower = out->meet > out->profile ? out->meet : out->profile;
        sz_free(b);
    }
    sz_free(a);
    return status;
}
