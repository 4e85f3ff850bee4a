/* candidates.c: operations on candidate lists. None of them sorts the vocabulary. */
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/num.h>

#include "num/kernels/kernels.h"
#include "sampler.h"

enum {
    LANES = 16
}; /* independent sums and maxima, so that the compiler can keep them in vectors */

bool sz_candidates_valid(const sz_candidates *c) {
    int bad = 0, finite = 0;
    for (size_t i = 0; i < c->n; i++) {
        bad |= !(c->logit[i] <= __FLT_MAX__);
        finite |= c->logit[i] >= -__FLT_MAX__;
    }
    return finite && !bad;
}

float sz_candidates_max(const sz_candidates *c) {
    float max[LANES];
    for (size_t j = 0; j < LANES; j++)
        max[j] = c->logit[0];
    size_t i = 0;
    for (; i + LANES <= c->n; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            max[j] = c->logit[i + j] > max[j] ? c->logit[i + j] : max[j];
    for (; i < c->n; i++)
        max[0] = c->logit[i] > max[0] ? c->logit[i] : max[0];
    for (size_t j = 1; j < LANES; j++)
        max[0] = max[j] > max[0] ? max[j] : max[0];
    return max[0];
}

size_t sz_candidates_find(const sz_candidates *c, int32_t id) {
    size_t low = 0, high = c->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->id[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->n && c->id[low] == id ? low : c->n;
}

void sz_candidates_cut(sz_candidates *c, float limit, size_t n_equal) {
    size_t kept = 0;
    for (size_t i = 0; i < c->n; i++) {
        bool equal = c->logit[i] == limit;
        if (!(c->logit[i] > limit) && !(equal && n_equal > 0))
            continue;
        n_equal -= equal;
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
    double sum[LANES] = {0};
    for (size_t i = 0; i < c->n; i++)
        c->scratch[i] = c->logit[i] - max;
    c->kernels->exp(c->scratch, c->n, c->scratch);
    size_t i = 0;
    for (; i + LANES <= c->n; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            sum[j] += (double)c->scratch[i + j];
    for (; i < c->n; i++)
        sum[i % LANES] += (double)c->scratch[i];
    for (size_t j = 1; j < LANES; j++)
        sum[0] += sum[j];
    return sum[0];
}

double sz_candidates_entropy(const sz_candidates *c, double sum) {
    double mean = 0.0;
    float max = sz_candidates_max(c);
    for (size_t i = 0; i < c->n; i++)
        if (c->scratch[i] > 0.0f)
            mean += (double)c->scratch[i] * (double)(c->logit[i] - max);
    double h = sz_log(sum) - mean / sum;
    return h > 0.0 ? h : 0.0;
}

/* ---- The largest ------------------------------------------------------------------------------
 */

static int falling(const void *a, const void *b, void *context) {
    const float *logit = context;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    if (logit[i] != logit[j])
        return logit[i] > logit[j] ? -1 : 1;
    return (i > j) - (i < j);
}

/* The edge of the k largest: the least logit among them, and how many of exactly that. */
static float top_edge(const sz_candidates *c, size_t k, size_t *n_equal) {
    float limit = sz_candidates_select(c, k);
    size_t above = 0;
    for (size_t i = 0; i < c->n; i++)
        above += c->logit[i] > limit;
    *n_equal = k - above;
    return limit;
}

void sz_candidates_top(const sz_candidates *c, size_t k, uint32_t *index) {
    size_t n_equal, n = 0;
    float limit = top_edge(c, k, &n_equal);
    for (size_t i = 0; i < c->n && n < k; i++) {
        bool equal = c->logit[i] == limit;
        if (!(c->logit[i] > limit) && !(equal && n_equal > 0))
            continue;
        n_equal -= equal;
        index[n++] = (uint32_t)i;
    }
    qsort_r(index, n, sizeof *index, falling, c->logit);
}

void sz_candidates_keep_top(sz_candidates *c, size_t k) {
    size_t n_equal;
    if (k == 0 || k >= c->n)
        return;
    float limit = top_edge(c, k, &n_equal);
    sz_candidates_cut(c, limit, n_equal);
}
