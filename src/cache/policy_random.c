/* policy_random.c: any tokens, and the latest: what the others must beat. */
#include <math.h>

#include "policy.h"

enum { RECENT = 1, SEED };

static const sz_option options[] = {
    SZ_KV_BUDGET_OPTION,
    {"recent", "latest tokens, which are kept in any case", .value = 8, .min = 1, .max = 4096,
     .whole = true},
    {"seed", "which tokens they are", .max = 4294967295.0, .whole = true},
    {0},
};

static sz_status check(const double *v) {
    SZ_REQUIRE(v[RECENT] <= v[SZ_KV_BUDGET], SZ_E_ARG,
               "%g recent tokens do not fit into a budget of %g", v[RECENT], v[SZ_KV_BUDGET]);
    return SZ_OK;
}

static void score(const double *v, const sz_kv_prompt *p, uint32_t layer, uint32_t head,
                  uint32_t capacity, double *score) {
    uint64_t stream = (uint64_t)layer * p->n_head + head;
    for (uint32_t j = 0; j < p->length; j++)
        score[j] = p->length - j <= v[RECENT] ? INFINITY : sz_uniform((uint64_t)v[SEED], stream, j);
}

const sz_kv_policy_kind sz_kv_policy_random = {
    .name = "random",
    .help = "any tokens and the latest, for comparison",
    .options = options,
    .check = check,
    .score = score,
};
