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
    double alpha, min_keep, exact, rule, carry;
    double saved;    /* nats that earlier tokens left over */
    double *offered; /* budget of the latest draw; apart, since applying changes no state */
} top_h;

static const sz_option options[] = {
    {"alpha", "share of the entropy that is kept; 1 keeps all", .value = 0.4, .min = 1e-6,
     .max = 1},
    {"min-keep", "tokens that stay in any case", .value = 1, .min = 1, .max = 1e9, .whole = true},
    {"exact", "the best set among this many likeliest tokens; 0: the greedy one",
     .max = SZ_ECMM_MOST, .whole = true},
    {"rule", "the paper's, its repository's, or that of transformers", .max = 2,
     .words = "paper|repo|hf"},
    {"carry", "share of an unspent budget that the next token gets on top of its own", .max = 1},
    {0},
};

static sz_status begin(void *state, const double *v, const sz_setting *words) {
    top_h *t = state;
    double *offered = sz_calloc(1, sizeof *offered);
    SZ_REQUIRE(offered, SZ_E_NOMEM, "no memory for sampler top-h");
    *t = (top_h){v[0], v[1], v[2], v[3], v[4], 0, offered};
    return SZ_OK;
}

static sz_status clone(const void *from, void *to) {
    const top_h *t = from;
    double v[] = {t->alpha, t->min_keep, t->exact, t->rule, t->carry};
    SZ_TRY(begin(to, v, NULL));
    ((top_h *)to)->saved = t->saved;
    *((top_h *)to)->offered = *t->offered;
    return SZ_OK;
}

static void end(void *state) {
    sz_free(((top_h *)state)->offered);
}

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

/* The length of the greedy prefix: the first token that would lift the entropy of the renormalised
 * prefix beyond the budget does not belong to it. No set within the budget has more mass than
 * *bound. */
static size_t greedy(sorted *s, double budget, size_t min_keep, double *mass, double *bound) {
    double g = 0, h = 0;
    look(s, FIRST_LOOK);
    for (size_t j = 0;; j++) {
        if (j == s->n && s->n < s->c->n)
            look(s, 4 * s->n);
        double p = j < s->n ? probability(s, j) : 0, more = p > 0 ? h + p * sz_log(p) : h;
        if (p == 0 || (j >= min_keep && sz_log(g + p) - more / (g + p) > budget)) {
            *mass = g;
            *bound = sz_ecmm_bound(g, -h, p, budget);
            return j;
        }
        g += p;
        h = more;
    }
}

static void keep_greedily(sorted *s, const top_h *t, double budget, const sz_sampler_input *in) {
    double mass, bound;
    size_t k = greedy(s, budget, (size_t)t->min_keep, &mass, &bound);
    sz_sampler_note(in, "mass", mass);
    sz_sampler_note(in, "mass_bound", bound);
    sz_candidates_keep(s->c, s->index, k);
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

static sz_status keep_exact(sorted *s, double budget, size_t k) {
    double p[SZ_ECMM_MOST], mass;
    bool chosen[SZ_ECMM_MOST];
    size_t n = 0;
    look(s, k);
    for (size_t j = 0; j < s->n; j++)
        p[j] = probability(s, j);
    SZ_TRY(sz_ecmm_exact(p, s->n, budget, chosen, &mass));
    for (size_t j = 0; j < s->n; j++)
        if (chosen[j])
            s->index[n++] = s->index[j];
    if (mass > 0)
        sz_candidates_keep(s->c, s->index, n);
    return SZ_OK;
}

static sz_status apply(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    const top_h *t = state;
    *t->offered = t->saved;
    if (t->alpha >= 1 || c->n == 1)
        return SZ_OK;
    sorted s = {.c = c, .index = (uint32_t *)(void *)c->scratch};
    c->kernels->softmax_stats(c->logit, c->n, 1.0f, &s.stats);
    double budget = t->alpha * s.stats.entropy + t->saved;
    *t->offered = budget;
    sz_sampler_note(input, "entropy_before_nats", s.stats.entropy);
    sz_sampler_note(input, "budget_nats", budget);
    if (t->rule != RULE_PAPER)
        sz_candidates_keep(c, s.index, other_rule(&s, t));
    else if (t->exact > 0)
        return keep_exact(&s, budget, (size_t)t->exact);
    else
        keep_greedily(&s, t, budget, input);
    return SZ_OK;
}

static void accept(void *state, const sz_token *drawn) {
    top_h *t = state;
    double unspent = *t->offered - (double)drawn->draw_entropy;
    t->saved = unspent > 0 ? t->carry * unspent : 0;
}

const sz_sampler_kind sz_sampler_top_h = {
    .name = "top-h",
    .help = "keep the likeliest tokens within a share of the entropy",
    .options = options,
    .state_bytes = sizeof(top_h),
    .begin = begin,
    .clone = clone,
    .end = end,
    .apply = apply,
    .accept = accept,
};
