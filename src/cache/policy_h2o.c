/* policy_h2o.c: heavy hitters, the tokens with the most attention from all queries, and the latest
 * tokens (H2O, Zhang et al. 2023). */
#include <math.h>

#include "policy.h"

enum { RECENT = 1 };

static const sz_option options[] = {
    SZ_KV_BUDGET_OPTION,
    {"recent", "latest tokens, which are kept in any case; 0: half of the budget", .max = 1 << 27,
     .whole = true},
    SZ_KV_EVERY_OPTION,
    {0},
};

static sz_status check(const double *v) {
    SZ_REQUIRE(v[RECENT] <= v[SZ_KV_BUDGET], SZ_E_ARG,
               "%g recent tokens do not fit into a budget of %g", v[RECENT], v[SZ_KV_BUDGET]);
    return SZ_OK;
}

static void score(const double *v, const sz_kv_head *h, double *score) {
    uint32_t recent = v[RECENT] > 0 ? (uint32_t)v[RECENT] : (uint32_t)v[SZ_KV_BUDGET] / 2;
    for (uint32_t j = 0; j < h->length; j++)
        score[j] = h->length - j <= recent ? INFINITY : h->total_mass[j];
}

const sz_kv_policy_kind sz_kv_policy_h2o = {
    .name = "h2o",
    .help = "the tokens that got the most attention from all others, and the latest",
    .options = options,
    .needs = SZ_KV_NEEDS_TOTAL_MASS,
    .check = check,
    .score = score,
};
