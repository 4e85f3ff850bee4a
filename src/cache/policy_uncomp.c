/* policy_uncomp.c: heads whose queries have a high effective rank keep more tokens (UNComp, Xiong
 * et al. 2025). Heads are ranked within their layer, or over the whole model where a layer has
 * fewer cached heads than there are groups. */
#include "policy.h"

enum { GROUPS = 3, STEP, SCOPE, REVERSE };
enum { SCOPE_AUTO, SCOPE_LAYER, SCOPE_MODEL };
enum { PUBLISHED_STEP = 73, PUBLISHED_BUDGET = 384 };

static const sz_option options[] = {
    SZ_KV_BUDGET_OPTION,
    SZ_KV_WINDOW_OPTION,
    SZ_KV_POOL_OPTION,
    {"groups", "groups of heads with budgets of their own", .value = 8, .min = 1, .max = 1024,
     .whole = true},
    {"step", "tokens more from group to group; -1: 73 of 384, as published", .value = -1, .min = -1,
     .max = 1 << 27, .whole = true},
    {"scope", "where heads are ranked; auto: in the layer if it has enough of them",
     .max = SCOPE_MODEL, .words = "auto|layer|model"},
    {"reverse", "high ranks keep fewer tokens, for comparison", .max = 1, .words = "no|yes"},
    {SZ_KV_PROFILE, "file with the ranks of the heads, by `szilard model calibrate kv`",
     .text = "none"},
    SZ_KV_EVERY_OPTION,
    {0},
};

/* Heads ranked together: `total` tokens for n of them. */
static sz_status share(const double *v, const sz_kv_prompt *p, const double *rank, size_t n,
                       const uint32_t *groups, uint32_t *group, uint32_t *order,
                       uint32_t *capacity) {
    uint32_t budget = (uint32_t)v[SZ_KV_BUDGET], least = (uint32_t)v[SZ_KV_WINDOW] + 1;
    size_t n_groups = (size_t)v[GROUPS];
    SZ_TRY(sz_kv_head_groups(rank, n, n_groups, group));
    SZ_TRY(sz_kv_order(rank, n, order));
    for (size_t i = 0; i < n; i++)
        capacity[i] = groups[v[REVERSE] > 0 ? n_groups - 1 - group[i] : group[i]];
    sz_kv_balance(capacity, order, n, (size_t)budget * n, least, p->length);
    return SZ_OK;
}

static sz_status share_all(const double *v, const sz_kv_prompt *p, size_t n, uint32_t *work,
                           uint32_t *capacity) {
    size_t all = (size_t)p->n_layer * p->n_head, n_groups = (size_t)v[GROUPS];
    double budget = v[SZ_KV_BUDGET];
    double step = v[STEP] >= 0 ? v[STEP] : budget * PUBLISHED_STEP / PUBLISHED_BUDGET;
    uint32_t *groups = work, *group = work + n_groups, *order = group + n;
    SZ_TRY(sz_kv_group_budgets((uint32_t)budget, (uint32_t)step, n_groups,
                               (uint32_t)v[SZ_KV_WINDOW] + 1, groups));
    for (size_t i = 0; i < all; i += n)
        SZ_TRY(share(v, p, p->rank + i, n, groups, group, order, capacity + i));
    return SZ_OK;
}

static sz_status budgets(const double *v, const sz_kv_prompt *p, uint32_t *capacity) {
    bool model = v[SCOPE] == SCOPE_MODEL || (v[SCOPE] == SCOPE_AUTO && p->n_head < v[GROUPS]);
    size_t n = model ? (size_t)p->n_layer * p->n_head : p->n_head;
    SZ_REQUIRE(v[GROUPS] <= (double)n, SZ_E_ARG,
               "kv policy uncomp: %g groups of the %zu cached heads of a %s: choose fewer%s",
               v[GROUPS], n, model ? "model" : "layer", model ? "" : ", or scope=model");
    uint32_t *work = sz_alloc(((size_t)v[GROUPS] + 2 * n) * sizeof *work);
    SZ_REQUIRE(work, SZ_E_NOMEM, "no memory for the budgets of %zu heads", n);
    sz_status status = share_all(v, p, n, work, capacity);
    sz_free(work);
    return status;
}

const sz_kv_policy_kind sz_kv_policy_uncomp = {
    .name = "uncomp",
    .help = "as snapkv, with more tokens for heads whose queries have a higher effective rank",
    .options = options,
    .needs = SZ_KV_NEEDS_RECENT_MASS | SZ_KV_NEEDS_RANK,
    .check = sz_kv_check_window,
    .budgets = budgets,
    .score = sz_kv_score_window,
};
