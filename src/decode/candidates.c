/* candidates.c: operations on candidate lists. None of them sorts the vocabulary. */
#include <string.h>

#include "num/kernels/kernels.h"
#include "sampler.h"

float sz_candidates_max(const sz_candidates *c) {
    float max = c->logit[0];
    for (size_t i = 1; i < c->n; i++)
        max = c->logit[i] > max ? c->logit[i] : max;
    return max;
}

void sz_candidates_keep_above(sz_candidates *c, float limit) {
    size_t kept = 0;
    float max = sz_candidates_max(c);
    limit = limit < max ? limit : max;
    for (size_t i = 0; i < c->n; i++)
        if (c->logit[i] >= limit) {
            c->id[kept] = c->id[i];
            c->logit[kept++] = c->logit[i];
        }
    c->n = kept;
}

/* Hoare's selection with the median of three; expected O(n). */
float sz_candidates_select(const sz_candidates *c, size_t k) {
    float *a = c->scratch;
    memcpy(a, c->logit, c->n * sizeof *a);
    size_t low = 0, high = c->n - 1, target = k - 1;
    while (low < high) {
        float x = a[low], y = a[low + (high - low) / 2], z = a[high];
        float pivot = x > y ? (y > z ? y : x > z ? z : x) : (x > z ? x : y > z ? z : y);
        size_t i = low, j = high;
        for (;;) {
            while (a[i] > pivot)
                i++;
            while (a[j] < pivot)
                j--;
            if (i >= j)
                break;
            float t = a[i];
            a[i++] = a[j];
            a[j--] = t;
        }
        size_t split = a[j] >= pivot ? j : j - 1;
        if (target <= split)
            high = split;
        else
            low = split + 1;
    }
    return a[target];
}

double sz_candidates_weights(const sz_candidates *c) {
    float max = sz_candidates_max(c);
    double sum = 0.0;
    for (size_t i = 0; i < c->n; i++)
        c->scratch[i] = c->logit[i] - max;
    c->kernels->exp(c->scratch, c->n, c->scratch);
    for (size_t i = 0; i < c->n; i++)
        sum += (double)c->scratch[i];
    return sum;
}
