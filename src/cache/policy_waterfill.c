/* policy_waterfill.c: as SnapKV, with the budgets of heads chosen so that the attention that all of
 * them lose together is as small as it can be: the largest scores of all heads are kept, exactly
 * the optimum since a head's gains fall. */
#include "policy.h"

enum { SCOPE = 3 };

static const sz_option options[] = {
    SZ_KV_BUDGET_OPTION,
    SZ_KV_WINDOW_OPTION,
    SZ_KV_POOL_OPTION,
    {"scope", "heads that share what there is", .value = 1, .max = 1, .words = "layer|model"},
    SZ_KV_EVERY_OPTION,
    {0},
};

/* n heads from `first` on; gain: room for n times the length. */
static sz_status fill(const double *v, const sz_kv_prompt *p, size_t first, size_t n, double *gain,
                      double *score, uint32_t *capacity) {
    uint32_t window = (uint32_t)v[SZ_KV_WINDOW];
    size_t open = p->length - window, places = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t layer = (uint32_t)((first + i) / p->n_head);
        uint32_t head = (uint32_t)((first + i) % p->n_head), reach = sz_kv_reach(p, layer);
        sz_kv_head one = sz_kv_head_of(p, layer, head);
        sz_kv_score_window(v, &one, score);
        for (size_t j = 0; j < open; j++) /* what no later token sees is no gain */
            gain[i * open + j] = j + reach < p->length ? -1.0 : score[j];
        places += reach > window ? reach - window : 0;
    }
    size_t total = ((size_t)v[SZ_KV_BUDGET] - window) * n;
    SZ_TRY(sz_kv_water_fill(gain, n, open, total < places ? total : places, capacity));
    for (size_t i = 0; i < n; i++)
        capacity[i] += window;
    return SZ_OK;
}

static sz_status budgets(const double *v, const sz_kv_prompt *p, uint32_t *capacity) {
    size_t all = (size_t)p->n_layer * p->n_head, n = v[SCOPE] > 0 ? all : p->n_head;
    double *gain = sz_alloc((n + 1) * p->length * sizeof *gain);
    SZ_REQUIRE(gain, SZ_E_NOMEM, "no memory for the scores of %zu heads", n);
    sz_status status = SZ_OK;
    for (size_t i = 0; i < all && status == SZ_OK; i += n)
        status = fill(v, p, i, n, gain, gain + n * p->length, capacity + i);
    sz_free(gain);
    return status;
}

const sz_kv_policy_kind sz_kv_policy_waterfill = {
    .name = "waterfill",
    .help = "as snapkv, with budgets that keep the most attention over all heads",
    .options = options,
    .needs = SZ_KV_NEEDS_RECENT_MASS,
    .check = sz_kv_check_window,
    .budgets = budgets,
    .score = sz_kv_score_window,
};
