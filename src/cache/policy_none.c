/* policy_none.c: everything stays. */
#include "policy.h"

static const sz_option options[] = {{0}};

const sz_kv_policy_kind sz_kv_policy_none = {
    .name = "none",
    .help = "keep every token",
    .options = options,
};
