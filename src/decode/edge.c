/* edge.c: what finding an edge needs whatever the order is. */
#define SZ_EDGE_RANK(c, i, context) sz_rank_of((c)->logit[i])
#include "edge.h"

uint32_t sz_edge_find_bin(const sz_edge_bins *b, unsigned digit, double wanted, double *before) {
    uint32_t last = 0;
    double last_before = *before;
    for (uint32_t bin = 0; bin < 1u << sz_edge_width(digit); bin++) {
        double mass = b->mass[bin][0] + b->mass[bin][1];
        if (b->n[bin][0] + b->n[bin][1] == 0)
            continue;
        last = bin;
        last_before = *before;
        if (*before + mass > wanted)
            return bin;
        *before += mass;
    }
    *before = last_before;
    return last;
}

size_t sz_edge_count_equal(double weight, size_t n, double before, double wanted) {
    if (!(before + (double)n * weight > wanted))
        return n;
    size_t k = (size_t)((wanted - before) / weight);
    k = k < n ? k : n - 1;
    while (k > 0 && before + (double)k * weight > wanted)
        k--;
    while (k < n && !(before + (double)k * weight > wanted))
        k++;
    return k > 0 ? k : 1;
}
