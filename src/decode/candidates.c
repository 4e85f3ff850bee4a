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

/* ---- Cutting --------------------------------------------------------------------------------- */

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

size_t sz_candidates_count(const sz_candidates *c, float limit) {
    const float *x = c->logit;
    size_t n = c->n;
    uint32_t count[LANES] = {0};
    size_t whole = n - n % LANES, sum = 0;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            count[j] += x[i + j] >= limit;
    for (size_t i = whole; i < n; i++)
        count[0] += x[i] >= limit;
    for (size_t j = 0; j < LANES; j++)
        sum += count[j];
    return sum;
}

void sz_candidates_drop_below(sz_candidates *c, float limit) {
    size_t kept = 0;
    int32_t *id = c->id;
    float *logit = c->logit, *weight = c->scratch;
    if (sz_candidates_count(c, limit) > c->n / 4 * 3)
        return;
    for (size_t i = skip_below(c, 0, limit); i < c->n; i = skip_below(c, i + 1, limit)) {
        bool stays = logit[i] >= limit;
        id[kept] = id[i];
        weight[kept] = weight[i];
        logit[kept] = logit[i];
        kept += stays;
    }
    c->n = kept;
}

void sz_candidates_keep_allowed(sz_candidates *c, const uint64_t *bits) {
    size_t kept = 0;
    for (size_t i = 0; i < c->n; i++) {
        int32_t id = c->id[i];
        if (!(bits[id / 64] >> (id % 64) & 1))
            continue;
        c->id[kept] = id;
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

/* ---- The largest ----------------------------------------------------------------------------- */

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

/* Places of the candidates that may be among the k largest, rising, in the scratch: those that
 * reach the k-th largest of the blocks' maxima, which are not many more than k where they stand in
 * no order. Only blocks that reach it are looked into. 0: there are too few blocks to tell. */
static size_t gather(const sz_candidates *c, size_t k, uint32_t *place) {
    size_t n_blocks = c->n / BLOCK, n = 0;
    if (k > n_blocks / 2)
        return 0;
    float *maxima =
        c->scratch + c->n - n_blocks; /* places do not come so far while they are read */
    for (size_t b = 0; b < n_blocks; b++)
        maxima[b] = largest(c->logit + b * BLOCK, BLOCK);
    memcpy(c->scratch, maxima, n_blocks * sizeof *maxima);
    float low = select_largest(c->scratch, n_blocks, k);
    for (size_t b = 0; b < n_blocks; b++)
        for (size_t i = b * BLOCK; maxima[b] >= low && i < (b + 1) * BLOCK; i++)
            if (c->logit[i] >= low)
                place[n++] = (uint32_t)i;
    for (size_t i = n_blocks * BLOCK; i < c->n; i++)
        if (c->logit[i] >= low)
            place[n++] = (uint32_t)i;
    return n;
}

/* The k largest, of equal ones those that stand first: their places, rising, in the scratch. */
static uint32_t *find_top(const sz_candidates *c, size_t k) {
    uint32_t *place = (uint32_t *)(void *)c->scratch;
    size_t n = gather(c, k, place), above = 0, found = 0;
    bool narrowed = n > 0 && 2 * n <= c->n;
    float *value = narrowed ? c->scratch + n : c->scratch;
    n = narrowed ? n : c->n;
    for (size_t j = 0; j < n; j++)
        value[j] = c->logit[narrowed ? place[j] : j];
    float limit = select_largest(value, n, k);
    for (size_t j = 0; j < n; j++)
        above += value[j] > limit;
    size_t n_equal = k - above;
    for (size_t j = 0; j < n && found < k; j++) {
        size_t i = narrowed ? place[j] : j;
        bool equal = c->logit[i] == limit;
        if (!(c->logit[i] > limit) && !(equal && n_equal > 0))
            continue;
        n_equal -= equal;
        place[found++] = (uint32_t)i;
    }
    return place;
}

static int falling(const void *a, const void *b, void *context) {
    const float *logit = context;
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    if (logit[i] != logit[j])
        return logit[i] > logit[j] ? -1 : 1;
    return (i > j) - (i < j);
}

static int rising(const void *a, const void *b) {
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    return (i > j) - (i < j);
}

void sz_candidates_top(const sz_candidates *c, size_t k, uint32_t *index) {
    memmove(index, find_top(c, k), k * sizeof *index);
    qsort_r(index, k, sizeof *index, falling, c->logit);
}

static void keep_places(sz_candidates *c, const uint32_t *place, size_t k) {
    for (size_t j = 0; j < k; j++) {
        c->id[j] = c->id[place[j]];
        c->logit[j] = c->logit[place[j]];
    }
    c->n = k;
}

void sz_candidates_keep(sz_candidates *c, uint32_t *index, size_t k) {
    qsort(index, k, sizeof *index, rising);
    keep_places(c, index, k);
}

void sz_candidates_keep_top(sz_candidates *c, size_t k) {
    if (k > 0 && k < c->n)
        keep_places(c, find_top(c, k), k);
}
