/* policy_streaming.c: the first tokens, which serve as attention sinks, and the latest
 * (StreamingLLM, Xiao et al. 2024). Positions stay what they were. */
#include <math.h>

#include "policy.h"

enum { SINKS = 1 };

static const sz_option options[] = {
    SZ_KV_BUDGET_OPTION,
    {"sinks", "first tokens that are kept", .value = 4, .max = 1 << 27, .whole = true},
    SZ_KV_EVERY_OPTION,
    {0},
};

static sz_status check(const double *v) {
    SZ_REQUIRE(v[SINKS] < v[SZ_KV_BUDGET], SZ_E_ARG,
               "%g sinks leave no room for the latest tokens in a budget of %g", v[SINKS],
               v[SZ_KV_BUDGET]);
    return SZ_OK;
}

static void score(const double *v, const sz_kv_head *h, double *score) {
    for (uint32_t j = 0; j < h->length; j++)
        score[j] = j < v[SINKS] || j + 1 == h->length ? INFINITY : j;
}

const sz_kv_policy_kind sz_kv_policy_streaming = {
    .name = "streaming",
    .help = "the first tokens and the latest",
    .options = options,
    .check = check,
    .score = score,
};
