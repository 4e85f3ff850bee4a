/* sampler_top_h.c: the likeliest tokens as long as the entropy of what is kept stays within a share
 * of the whole entropy (Baghaei Potraghloo et al. 2025). The rules of the paper's repository and of
 * transformers, which differ from the paper, are there by their numbers. */
#include <szilard/unstable/num.h>

#include "ecmm.h"
#include "num/kernels/kernels.h"
#include "sampler.h"

enum { RULE_PAPER, RULE_REPOSITORY, RULE_TRANSFORMERS };
enum { FIRST_LOOK = 64, OTHER_RULES_LOOK = 100 };

typedef struct top_h {
    double alpha, min_keep, exact, rule;
} top_h;

static const sz_option options[] = {
    {"alpha", "share of the entropy that is kept; 1 keeps all", .value = 0.4, .min = 1e-6,
     .max = 1},
    {"min-keep", "tokens that stay in any case", .value = 1, .min = 1, .max = 1e9, .whole = true},
    {"exact", "the best set among this many likeliest tokens; 0: the greedy one",
     .max = SZ_ECMM_MOST, .whole = true},
    {"rule", "0 the paper's, 1 its repository's, 2 that of transformers", .max = 2, .whole = true},
    {0},
};

/* The distribution that enters, and its likeliest tokens. */
typedef struct sorted {
    sz_candidates *c;
    sz_softmax_stats stats;
    uint32_t *index; /* falling; in the scratch */
    size_t n;
} sorted;

static double probability(const sorted *s, size_t rank) {
    return sz_exp((double)s->c->logit[s->index[rank]] - s->stats.lse);
}

static void look(sorted *s, size_t k) {
    s->n = k < s->c->n ? k : s->c->n;
    sz_candidates_top(s->c, s->n, s->index);
}

/* Keeps the first k of those that were looked at. */
static void keep(const sorted *s, size_t k) {
    float limit = s->c->logit[s->index[k - 1]];
    size_t n_equal = 1;
    while (n_equal < k && s->c->logit[s->index[k - 1 - n_equal]] == limit)
        n_equal++;
    sz_candidates_cut(s->c, limit, n_equal);
}

/* The length of the greedy prefix: the first token that would lift the entropy of the renormalised
 * prefix beyond the budget does not belong to it. */
static size_t greedy(sorted *s, double budget, size_t min_keep) {
    double g = 0, h = 0;
    look(s, FIRST_LOOK);
    for (size_t j = 0;; j++) {
        if (j == s->n && s->n == s->c->n)
            return j;
        if (j == s->n)
            look(s, 4 * s->n);
        double p = probability(s, j), more = h + p * sz_log(p);
        if (p == 0)
            return j;
        if (j >= min_keep && sz_log(g + p) - more / (g + p) > budget)
            return j;
        g += p;
        h = more;
    }
}

/* Unlike the paper's, these rules do not renormalise the prefix: they compare the sums of -p ln p
 * within the 100 likeliest tokens, for transformers of probabilities renormalised there. */
static size_t other_rule(sorted *s, const top_h *t) {
    double total = 0, whole = 0, sum = 0;
    look(s, OTHER_RULES_LOOK);
    for (size_t j = 0; j < s->n; j++)
        total += probability(s, j);
    double scale = t->rule == RULE_TRANSFORMERS ? 1.0 / total : 1.0;
    for (size_t j = 0; j < s->n; j++) {
        double p = probability(s, j) * scale;
        whole -= p > 0 ? p * sz_log(p) : 0;
    }
    for (size_t j = 0; j < s->n; j++) {
        double p = probability(s, j) * scale;
        sum -= p > 0 ? p * sz_log(p) : 0;
        if (j >= (size_t)t->min_keep && sum > t->alpha * whole)
            return j;
    }
    return s->n;
}

static void keep_marked(sz_candidates *c, const uint32_t *index, const bool *chosen, size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < c->n; i++) {
        size_t j = 0;
        while (j < n && !(chosen[j] && index[j] == i))
            j++;
        if (j == n)
            continue;
        c->id[kept] = c->id[i];
        c->logit[kept++] = c->logit[i];
    }
    c->n = kept;
}

static sz_status keep_exact(sorted *s, double budget, size_t k) {
    double p[SZ_ECMM_MOST], mass;
    bool chosen[SZ_ECMM_MOST];
    uint32_t index[SZ_ECMM_MOST];
    look(s, k);
    for (size_t j = 0; j < s->n; j++) {
        p[j] = probability(s, j);
        index[j] = s->index[j];
    }
    SZ_TRY(sz_ecmm_exact(p, s->n, budget, chosen, &mass));
    if (mass > 0)
        keep_marked(s->c, index, chosen, s->n);
    return SZ_OK;
}

static sz_status apply(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    const top_h *t = state;
    if (t->alpha >= 1 || c->n == 1)
        return SZ_OK;
    sorted s = {.c = c, .index = (uint32_t *)(void *)c->scratch};
    c->kernels->softmax_stats(c->logit, c->n, 1.0f, &s.stats);
    double budget = t->alpha * s.stats.entropy;
    if (t->rule == RULE_PAPER && t->exact > 0)
        return keep_exact(&s, budget, (size_t)t->exact);
    keep(&s, t->rule == RULE_PAPER ? greedy(&s, budget, (size_t)t->min_keep) : other_rule(&s, t));
    return SZ_OK;
}

const sz_sampler_kind sz_sampler_top_h = {
    .name = "top-h",
    .help = "keep the likeliest tokens within a share of the entropy",
    .options = options,
    .state_bytes = sizeof(top_h),
    .apply = apply,
};
