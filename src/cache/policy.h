/* policy.h: what policies share. */
#ifndef SZ_CACHE_POLICY_H
#define SZ_CACHE_POLICY_H

#include <szilard/unstable/cache.h>

enum { SZ_KV_BUDGET, SZ_KV_WINDOW }; /* places in the tables of options */

/* The options that begin a table. */
#define SZ_KV_BUDGET_OPTION                                                                        \
    {                                                                                              \
        "budget", "tokens that a head keeps, on average", .value = 384, .min = 2, .max = 1 << 27,  \
                                                          .whole = true                            \
    }
#define SZ_KV_WINDOW_OPTION                                                                        \
    {                                                                                              \
        "window", "latest tokens, which are kept and whose attention counts",                      \
            .value = 8, .min = 1, .max = 4096, .whole = true                                       \
    }
#define SZ_KV_POOL_OPTION                                                                          \
    {                                                                                              \
        "pool", "neighbours over which attention is averaged, an odd number",                      \
            .value = 7, .min = 1, .max = 1023, .whole = true                                       \
    }

#define SZ_KV_EVERY_OPTION                                                                         \
    {                                                                                              \
        SZ_KV_EVERY, "tokens after which it forgets again down to the budget; 0: never",           \
            .value = 64, .max = 1 << 27, .whole = true                                             \
    }
#define SZ_KV_EVERY "every"
/* The option that names the file of a profile. */
#define SZ_KV_PROFILE "profile"

/* The budget leaves room beside the window, and the pool is odd; for tables with window and pool in
 * second and third place. */
sz_status sz_kv_check_window(const double *values);
/* Recent mass averaged over neighbours, the window always kept (SnapKV); for the same tables. */
void sz_kv_score_window(const double *values, const sz_kv_head *head, double *score);
sz_kv_head sz_kv_head_of(const sz_kv_prompt *prompt, uint32_t layer, uint32_t head);
/* The places of the n largest scores, rising, equal ones from the front; 1 <= n <= length; sorted
 * [length] is scratch. */
void sz_kv_take_largest(const double *score, double *sorted, uint32_t length, uint32_t n,
                        uint32_t *place);

/* The largest capacity that is any use in a layer. */
uint32_t sz_kv_reach(const sz_kv_prompt *prompt, uint32_t layer);
/* Brings the sum of capacity [n] to `total` by ones, taken from the heads in the order given, or
 * given to them from its end, within least .. most; as near as these allow. */
void sz_kv_balance(uint32_t *capacity, const uint32_t *order, size_t n, size_t total,
                   uint32_t least, uint32_t most);
/* order [n]: places of the values, rising, equal ones by index. */
sz_status sz_kv_order(const double *value, size_t n, uint32_t *order);

#endif
