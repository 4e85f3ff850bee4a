/* sampler_top_p.c: the smallest set of likeliest tokens with mass >= p (Holtzman et al. 2020); of
 * equally likely ones at its edge the lower ids stay. The edge is found by a weighted selection in
 * expected O(n): nothing is sorted. */
#include "sampler.h"

static const sz_option options[] = {
    {"p", "probability mass kept; 1 keeps all", .value = 0.95, .max = 1},
    {0},
};

typedef struct edge {
    float weight;   /* of the least likely token that stays */
    size_t n_equal; /* how many of exactly that weight stay */
} edge;

static void swap(float *a, size_t i, size_t j) {
    float t = a[i];
    a[i] = a[j];
    a[j] = t;
}

static float middle_of(float x, float y, float z) {
    return x > y ? (y > z ? y : x > z ? z : x) : (x > z ? x : y > z ? z : y);
}

/* The fewest of n_most tokens of one weight that have the mass `missing`; at least one. */
static size_t fewest(double weight, size_t n_most, double missing) {
    size_t n = weight > 0.0 && missing > 0.0 ? (size_t)(missing / weight) : 0;
    n = n > 0 ? n : 1;
    while (n < n_most && (double)n * weight < missing)
        n++;
    return n < n_most ? n : n_most;
}

/* Reorders w. Everything before `low` is likelier than what is undecided, and has mass `before`. */
static edge find_edge(float *w, size_t n, double wanted) {
    size_t low = 0, high = n;
    double before = 0.0;
    edge least = {w[0], 1};
    while (low < high) {
        float pivot = middle_of(w[low], w[low + (high - low) / 2], w[high - 1]);
        size_t above = low, equal = low; /* [low, above) > pivot, [above, equal) == pivot */
        double mass = 0.0;
        for (size_t i = low; i < high; i++) {
            if (!(w[i] >= pivot))
                continue;
            swap(w, i, equal);
            if (w[equal] > pivot) {
                mass += (double)w[equal];
                swap(w, equal, above++);
            }
            equal++;
        }
        if (above > low && before + mass >= wanted) {
            high = above;
            continue;
        }
        least = (edge){pivot, equal - above};
        before += mass;
        double all = (double)least.n_equal * (double)pivot;
        if (before + all >= wanted) {
            least.n_equal = fewest((double)pivot, least.n_equal, wanted - before);
            return least;
        }
        before += all;
        low = equal;
    }
    return least; /* rounding: the whole mass fell short, all stay */
}

/* Weights stand in the scratch again after this. */
static void keep(sz_candidates *c, edge e) {
    size_t kept = 0;
    sz_candidates_weights(c);
    for (size_t i = 0; i < c->n; i++) {
        bool equal = c->scratch[i] == e.weight;
        if (!(c->scratch[i] > e.weight) && !(equal && e.n_equal > 0))
            continue;
        e.n_equal -= equal;
        c->id[kept] = c->id[i];
        c->logit[kept++] = c->logit[i];
    }
    c->n = kept;
}

static sz_status apply(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    double p = *(const double *)state;
    if (p >= 1.0)
        return SZ_OK;
    double sum = sz_candidates_weights(c);
    keep(c, find_edge(c->scratch, c->n, p * sum));
    return SZ_OK;
}

const sz_sampler_kind sz_sampler_top_p = {
    .name = "top-p",
    .help = "keep the likeliest tokens that together have probability p",
    .options = options,
    .apply = apply,
};
