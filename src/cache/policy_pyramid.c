/* policy_pyramid.c: as SnapKV, with budgets that fall from layer to layer (PyramidKV, Cai et al.
 * 2024). */
#include "policy.h"

static const sz_option options[] = {
    SZ_KV_BUDGET_OPTION, SZ_KV_WINDOW_OPTION, SZ_KV_POOL_OPTION, SZ_KV_EVERY_OPTION, {0},
};

static sz_status budgets(const double *v, const sz_kv_prompt *p, uint32_t *capacity) {
    uint32_t *layers = sz_alloc(p->n_layer * sizeof *layers);
    SZ_REQUIRE(layers, SZ_E_NOMEM, "no memory for the budgets of %u layers", p->n_layer);
    sz_status status = sz_kv_pyramid_budgets((uint32_t)v[SZ_KV_BUDGET], (uint32_t)v[SZ_KV_WINDOW],
                                             p->n_layer, p->length, layers);
    for (size_t i = 0; status == SZ_OK && i < (size_t)p->n_layer * p->n_head; i++)
        capacity[i] = layers[i / p->n_head];
    sz_free(layers);
    return status;
}

const sz_kv_policy_kind sz_kv_policy_pyramid = {
    .name = "pyramid",
    .help = "as snapkv, with budgets that fall from layer to layer",
    .options = options,
    .needs = SZ_KV_NEEDS_RECENT_MASS,
    .check = sz_kv_check_window,
    .budgets = budgets,
    .score = sz_kv_score_window,
};
