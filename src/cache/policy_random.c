/* policy_random.c: any tokens, and the latest: what the others must beat. */
#include <math.h>

#include "policy.h"

enum { RECENT = 1, SEED };

static const sz_option options[] = {
    SZ_KV_BUDGET_OPTION,
    {"recent", "latest tokens, which are kept in any case", .value = 8, .min = 1, .max = 4096,
     .whole = true},
    {"seed", "which tokens they are", .max = 4294967295.0, .whole = true},
    SZ_KV_EVERY_OPTION,
    {0},
};

static sz_status check(const double *v) {
    SZ_REQUIRE(v[RECENT] <= v[SZ_KV_BUDGET], SZ_E_ARG,
               "%g recent tokens do not fit into a budget of %g", v[RECENT], v[SZ_KV_BUDGET]);
    return SZ_OK;
}

/* Every position has its number for good, so that what is kept is at any time a fair sample. */
static void score(const double *v, const sz_kv_head *h, double *score) {
    uint64_t stream = (uint64_t)h->layer * h->n_head + h->head;
    for (uint32_t j = 0; j < h->length; j++)
        score[j] = h->length - j <= v[RECENT]
                       ? INFINITY
                       : sz_uniform((uint64_t)v[SEED], stream, h->position ? h->position[j] : j);
}

const sz_kv_policy_kind sz_kv_policy_random = {
    .name = "random",
    .help = "any tokens and the latest, for comparison",
    .options = options,
    .check = check,
    .score = score,
};
