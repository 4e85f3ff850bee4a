/* plan.c: from a policy's budgets and scores to the positions that each head keeps. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

static bool keeps_all(const sz_kv_policy *policy, const sz_kv_prompt *p) {
    return !policy->kind->score || p->length <= policy->values[SZ_KV_BUDGET];
}

static sz_status check_mass(const double *mass, const char *what, const sz_kv_prompt *p) {
    for (size_t i = 0; i < (size_t)p->n_layer * p->n_head; i++)
        for (uint32_t j = 0; j < p->length; j++)
            SZ_REQUIRE(mass[i * p->length + j] - mass[i * p->length + j] == 0, SZ_E_NAN,
                       "the %s of layer %zu, head %zu, position %u is not finite", what,
                       i / p->n_head, i % p->n_head, j);
    return SZ_OK;
}

static sz_status check_prompt(const sz_kv_policy_kind *kind, const sz_kv_prompt *p) {
    static const char missing[] = "kv policy %s needs the %s";
    if (kind->needs & SZ_KV_NEEDS_RECENT_MASS) {
        SZ_REQUIRE(p->recent_mass, SZ_E_ARG, missing, kind->name, "attention of the last queries");
        SZ_TRY(check_mass(p->recent_mass, "attention", p));
    }
    if (kind->needs & SZ_KV_NEEDS_TOTAL_MASS) {
        SZ_REQUIRE(p->total_mass, SZ_E_ARG, missing, kind->name, "attention of all queries");
        SZ_TRY(check_mass(p->total_mass, "attention", p));
    }
    SZ_REQUIRE(!(kind->needs & SZ_KV_NEEDS_RANK) || p->rank, SZ_E_ARG, missing, kind->name,
               "effective ranks of heads");
    for (size_t i = 0; kind->needs & SZ_KV_NEEDS_RANK && i < (size_t)p->n_layer * p->n_head; i++)
        SZ_REQUIRE(p->rank[i] - p->rank[i] == 0, SZ_E_NAN,
                   "the effective rank of layer %zu, head %zu is not finite", i / p->n_head,
                   i % p->n_head);
    return SZ_OK;
}

/* capacity [n_layer * n_head], within what each layer can use unless nothing is forgotten. */
static sz_status find_budgets(const sz_kv_policy *policy, const sz_kv_prompt *p,
                              uint32_t *capacity) {
    size_t n = (size_t)p->n_layer * p->n_head;
    bool all = keeps_all(policy, p);
    for (size_t i = 0; i < n; i++)
        capacity[i] = all ? p->length : (uint32_t)policy->values[SZ_KV_BUDGET];
    if (!all && policy->kind->budgets)
        SZ_TRY(policy->kind->budgets(policy->values, p, capacity));
    for (size_t i = 0; !all && i < n; i++) {
        uint32_t reach = sz_kv_reach(p, (uint32_t)(i / p->n_head));
        capacity[i] = capacity[i] < reach ? capacity[i] : reach;
    }
    return SZ_OK;
}

static int falling(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

void sz_kv_take_largest(const double *score, double *sorted, uint32_t length, uint32_t n,
                        uint32_t *position) {
    memcpy(sorted, score, length * sizeof *score);
    qsort(sorted, length, sizeof *sorted, falling);
    double limit = sorted[n - 1];
    uint32_t n_equal = 1, at = 0;
    while (n_equal < n && sorted[n - 1 - n_equal] == limit)
        n_equal++;
    for (uint32_t j = 0; j < length; j++)
        if (score[j] > limit || (score[j] == limit && n_equal > 0)) {
            n_equal -= score[j] == limit;
            position[at++] = j;
        }
}

static void select_head(const sz_kv_policy *policy, const sz_kv_prompt *p, size_t i, double *score,
                        uint32_t capacity, uint32_t *position) {
    uint32_t layer = (uint32_t)(i / p->n_head), head = (uint32_t)(i % p->n_head);
    uint32_t hidden = p->length - sz_kv_reach(p, layer);
    if (keeps_all(policy, p) || capacity == p->length - hidden) {
        for (uint32_t j = 0; j < capacity; j++)
            position[j] = p->length - capacity + j;
        return;
    }
    sz_kv_head one = sz_kv_head_of(p, layer, head);
    policy->kind->score(policy->values, &one, score);
    sz_kv_take_largest(score + hidden, score + p->length, p->length - hidden, capacity, position);
    for (uint32_t j = 0; j < capacity; j++)
        position[j] += hidden;
}

static sz_status fill(const sz_kv_policy *policy, const sz_kv_prompt *p, const uint32_t *capacity,
                      sz_kv_plan *plan) {
    size_t n = (size_t)p->n_layer * p->n_head;
    plan->first = sz_alloc((n + 1) * sizeof *plan->first);
    SZ_REQUIRE(plan->first, SZ_E_NOMEM, "no memory for the plan of %zu heads", n);
    plan->first[0] = 0;
    for (size_t i = 0; i < n; i++)
        plan->first[i + 1] = plan->first[i] + capacity[i];
    plan->position = sz_alloc(plan->first[n] * sizeof *plan->position);
    double *score = sz_alloc(2 * (size_t)p->length * sizeof *score);
    if (!plan->position || !score) {
        sz_free(score);
        return sz_fail(SZ_E_NOMEM, "no memory for a plan of %zu positions", plan->first[n]);
    }
    for (size_t i = 0; i < n; i++)
        select_head(policy, p, i, score, capacity[i], plan->position + plan->first[i]);
    sz_free(score);
    return SZ_OK;
}

/* The ranks of the policy's profile take the place of those of the prompt. */
static sz_status use_profile(const sz_kv_profile *profile, sz_kv_prompt *p) {
    sz_kv_profile_info info = sz_kv_profile_get_info(profile);
    SZ_REQUIRE(info.n_layer == p->n_layer && info.n_head == p->n_head, SZ_E_ARG,
               "the profile is for %u layers with %u cached heads, the prompt has %u with %u",
               info.n_layer, info.n_head, p->n_layer, p->n_head);
    p->rank = info.rank;
    return SZ_OK;
}

sz_status sz_kv_policy_plan(const sz_kv_policy *policy, const sz_kv_prompt *prompt,
                            sz_kv_plan *out) {
    SZ_REQUIRE(policy && policy->kind && prompt && out, SZ_E_ARG,
               "sz_kv_policy_plan: nothing to plan");
    SZ_REQUIRE(prompt->n_layer >= 1 && prompt->n_head >= 1 && prompt->length >= 1, SZ_E_ARG,
               "a prompt of %u tokens for %u layers with %u heads", prompt->length, prompt->n_layer,
               prompt->n_head);
    sz_kv_prompt with_profile = *prompt, *p = &with_profile;
    if (policy->profile)
        SZ_TRY(use_profile(policy->profile, p));
    if (!keeps_all(policy, p))
        SZ_TRY(check_prompt(policy->kind, p));
    uint32_t *capacity = sz_alloc((size_t)p->n_layer * p->n_head * sizeof *capacity);
    SZ_REQUIRE(capacity, SZ_E_NOMEM, "no memory for the budgets of %u layers", p->n_layer);
    sz_kv_plan plan = {.n_layer = p->n_layer, .n_head = p->n_head, .length = p->length};
    sz_status status = find_budgets(policy, p, capacity);
    if (status == SZ_OK)
        status = fill(policy, p, capacity, &plan);
    sz_free(capacity);
    if (status != SZ_OK) {
        sz_kv_plan_free(&plan);
        return status;
    }
    *out = plan;
    return SZ_OK;
}

void sz_kv_plan_free(sz_kv_plan *plan) {
    sz_free(plan->first);
    sz_free(plan->position);
    *plan = (sz_kv_plan){0};
}
