/* sampler_top_p.c: the smallest set of likeliest tokens with mass >= p (Holtzman et al. 2020). The
 * mass is first gathered in buckets of the distance from the largest logit; only the bucket in
 * which it crosses p is sorted. */
#include <stdlib.h>

#include "num/kernels/kernels.h"
#include "sampler.h"

enum { N_BUCKETS = 512 };

static const sz_option options[] = {
    {"p", "probability mass kept; 1 keeps all", 0.95, 0.0, 1.0},
    {0},
};

static size_t bucket_of(float max, float logit) {
    float d = (max - logit) * 16.0f;
    return d < (float)(N_BUCKETS - 1) ? (size_t)d : N_BUCKETS - 1;
}

static int falling(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return x > y ? -1 : x < y;
}

/* The smallest logit that stays, and how many candidates at exactly that logit stay. */
typedef struct cut {
    float limit;
    size_t n_equal;
} cut;

static cut cut_bucket(sz_candidates *c, float max, size_t bucket, double missing) {
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++)
        if (bucket_of(max, c->logit[i]) == bucket)
            c->scratch[n++] = c->logit[i];
    qsort(c->scratch, n, sizeof *c->scratch, falling);
    size_t last = 0;
    for (double mass = 0.0; last < n; last++) {
        float weight = c->scratch[last] - max;
        c->kernels->exp(&weight, 1, &weight);
        mass += (double)weight;
        if (mass >= missing)
            break;
    }
    last = last < n ? last : n - 1; /* rounding: the bucket's mass fell short */
    cut result = {c->scratch[last], 0};
    for (size_t i = 0; i <= last; i++)
        result.n_equal += c->scratch[i] == result.limit;
    return result;
}

static void keep(sz_candidates *c, cut at) {
    size_t kept = 0;
    for (size_t i = 0; i < c->n; i++) {
        bool equal = c->logit[i] == at.limit;
        if (!(c->logit[i] > at.limit) && !(equal && at.n_equal > 0))
            continue;
        at.n_equal -= equal;
        c->id[kept] = c->id[i];
        c->logit[kept++] = c->logit[i];
    }
    c->n = kept;
}

static sz_status apply(void *state, const sz_sampler_input *input, sz_candidates *c) {
    double p = *(const double *)state, mass[N_BUCKETS] = {0}, before = 0.0;
    if (p >= 1.0)
        return SZ_OK;
    float max = sz_candidates_max(c);
    double wanted = p * sz_candidates_weights(c);
    for (size_t i = 0; i < c->n; i++)
        mass[bucket_of(max, c->logit[i])] += (double)c->scratch[i];
    size_t bucket = 0; /* the bucket that crosses, or the last occupied one */
    for (size_t i = 1; i < N_BUCKETS && before + mass[bucket] < wanted; i++)
        if (mass[i] > 0.0) {
            before += mass[bucket];
            bucket = i;
        }
    keep(c, cut_bucket(c, max, bucket, wanted - before));
    return SZ_OK;
}

const sz_sampler_kind sz_sampler_top_p = {
    .name = "top-p",
    .help = "keep the likeliest tokens that together have probability p",
    .options = options,
    .apply = apply,
};
