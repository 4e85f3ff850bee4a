/* candidates.c: operations on candidate lists. None of them sorts the vocabulary. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/num.h>

#include "num/kernels/kernels.h"
#include "sampler.h"

enum {
    LANES = 16, /* independent sums and maxima, so that the compiler can keep them in vectors */
    BLOCK = 64, /* candidates that are looked at together */
};

sz_status sz_candidates_new(const sz_runtime *rt, size_t n_vocab, sz_candidates *out) {
    sz_candidates c = {.id = sz_alloc(n_vocab * sizeof *c.id),
                       .logit = sz_alloc(n_vocab * sizeof *c.logit),
                       .scratch = sz_alloc(n_vocab * sizeof *c.scratch),
                       .kernels = sz_runtime_kernels(rt)};
    if (!c.id || !c.logit || !c.scratch) {
        sz_candidates_free(&c);
        return sz_fail(SZ_E_NOMEM, "no memory for %zu candidates", n_vocab);
    }
    *out = c;
    return SZ_OK;
}

void sz_candidates_free(sz_candidates *c) {
    sz_free(c->id);
    sz_free(c->logit);
    sz_free(c->scratch);
    *c = (sz_candidates){0};
}

void sz_candidates_fill(sz_candidates *c, const float *logits, size_t n) {
    c->n = n;
    for (size_t i = 0; i < n; i++)
        c->id[i] = (int32_t)i;
    memcpy(c->logit, logits, n * sizeof *logits);
}

bool sz_candidates_valid(const sz_candidates *c) {
    int bad = 0, finite = 0;
    for (size_t i = 0; i < c->n; i++) {
        bad |= !(c->logit[i] <= __FLT_MAX__);
        finite |= c->logit[i] >= -__FLT_MAX__;
    }
    return finite && !bad;
}

static float largest(const float *x, size_t n) {
    float max[LANES];
    size_t whole = n - n % LANES;
    for (size_t j = 0; j < LANES; j++)
        max[j] = x[0];
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            max[j] = x[i + j] > max[j] ? x[i + j] : max[j];
    for (size_t i = whole; i < n; i++)
        max[0] = x[i] > max[0] ? x[i] : max[0];
    for (size_t j = 1; j < LANES; j++)
        max[0] = max[j] > max[0] ? max[j] : max[0];
    return max[0];
}

float sz_candidates_max(const sz_candidates *c) {
    return largest(c->logit, c->n);
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

/* ---- Cutting ------------------------------------------------------------------------------------
 */

/* Whether one of a block reaches the limit: in most blocks none does, and vectors see that fast. */
static bool reaches(const float *block, float limit) {
    int any = 0;
    for (size_t j = 0; j < BLOCK; j++)
        any |= block[j] >= limit;
    return any;
}

/* The first place from i on where something may reach the limit: whole blocks are passed over. */
static size_t skip_below(const sz_candidates *c, size_t i, float limit) {
    size_t whole = c->n - c->n % BLOCK;
    while (i % BLOCK == 0 && i < whole && !reaches(&c->logit[i], limit))
        i += BLOCK;
    return i;
}

void sz_candidates_cut(sz_candidates *c, float limit, size_t n_equal) {
    size_t kept = 0;
    for (size_t i = skip_below(c, 0, limit); i < c->n; i = skip_below(c, i + 1, limit)) {
        bool equal = c->logit[i] == limit;
        if (!(c->logit[i] > limit) && !(equal && n_equal > 0))
            continue;
        n_equal -= equal;
        c->id[kept] = c->id[i];
        c->logit[kept++] = c->logit[i];
    }
    c->n = kept;
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

double sz_candidates_mass(const sz_candidates *c, const float *logits,
                          const sz_logit_stats *stats) {
    for (size_t i = 0; i < c->n; i++)
        c->scratch[i] = logits[c->id[i]] - stats->max;
    c->kernels->exp(c->scratch, c->n, c->scratch);
    double mass = 0.0;
    for (size_t i = 0; i < c->n; i++)
        mass += (double)c->scratch[i];
    mass *= sz_exp((double)stats->max - stats->log_sum_exp);
    return mass < 1.0 ? mass : 1.0;
}

/* ---- The largest ------------------------------------------------------------------------------
 */

/* The k-th largest of a [n], 1 <= k <= n, which loses its order. Hoare's selection with the median
 * of three; expected O(n). */
static float select_largest(float *a, size_t n, size_t k) {
    size_t low = 0, high = n - 1, target = k - 1;
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

/* A limit that at least k candidates reach, and not many more where they stand in no order: the
 * k-th largest of the blocks' maxima. -infinity where there are too few blocks. */
static float low_limit(const sz_candidates *c, size_t k) {
    size_t n_blocks = c->n / BLOCK;
    if (k > n_blocks / 2)
        return -INFINITY;
    for (size_t b = 0; b < n_blocks; b++)
        c->scratch[b] = largest(c->logit + b * BLOCK, BLOCK);
    return select_largest(c->scratch, n_blocks, k);
}

/* The edge of the k largest: the least logit among them, and how many of exactly that. */
static float top_edge(const sz_candidates *c, size_t k, size_t *n_equal) {
    float low = low_limit(c, k);
    size_t n = 0, above = 0;
    for (size_t i = skip_below(c, 0, low); i < c->n; i = skip_below(c, i + 1, low))
        if (c->logit[i] >= low)
            c->scratch[n++] = c->logit[i];
    float limit = select_largest(c->scratch, n, k);
    for (size_t i = 0; i < n; i++)
        above += c->scratch[i] > limit;
    *n_equal = k - above;
    return limit;
}

static int falling(const void *a, const void *b, void *context) {
    const float *logit = context;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    if (logit[i] != logit[j])
        return logit[i] > logit[j] ? -1 : 1;
    return (i > j) - (i < j);
}

void sz_candidates_top(const sz_candidates *c, size_t k, uint32_t *index) {
    size_t n_equal, n = 0;
    float limit = top_edge(c, k, &n_equal);
    for (size_t i = skip_below(c, 0, limit); n < k; i = skip_below(c, i + 1, limit)) {
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
