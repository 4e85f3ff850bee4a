/* policy_snapkv.c: the latest tokens, and those which they attend to, with their neighbours
 * (SnapKV, Li et al. 2024). */
#include "policy.h"

static const sz_option options[] = {
    SZ_KV_BUDGET_OPTION, SZ_KV_WINDOW_OPTION, SZ_KV_POOL_OPTION, SZ_KV_EVERY_OPTION, {0},
};

const sz_kv_policy_kind sz_kv_policy_snapkv = {
    .name = "snapkv",
    .help = "what the latest tokens attend to, the same number for every head",
    .options = options,
    .needs = SZ_KV_NEEDS_RECENT_MASS,
    .check = sz_kv_check_window,
    .score = sz_kv_score_window,
};
