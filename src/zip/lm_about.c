/* lm_about.c: what a file must say so that another machine can decode it: the model's digest, the
 * context policy, and the identity of the arithmetic that all figures come from. */
#include <stdio.h>
#include <string.h>

#include <szilard/unstable/code.h>

#include "zip/lm.h"

enum { DEFAULT_CONTEXT = 2048 };

/* Everything that the bits of a prediction depend on beside model and text. A change of any of them
 * is a change of this line. */
static const char contract[] =
    "szilard lm 1; docs/bits.md of 0.1; keys and values f16; bos, then restart with overlap; "
    "frequencies of 2^32 in steps of 1/1024 nat; escape 64; recall 1";

/* The kernel identity: a digest of the contract, the policy and the model. */
static void identity(const sz_lm_about *a, uint8_t out[32]) {
    sz_sha256 h;
    uint32_t policy[3] = {a->context, a->overlap, a->adaptive};
    sz_sha256_init(&h);
    sz_sha256_update(&h, contract, sizeof contract - 1);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 4; k++)
            sz_sha256_update(&h, &(uint8_t){(uint8_t)(policy[i] >> 8 * k)}, 1);
    sz_sha256_update(&h, a->digest, 32);
    sz_sha256_final(&h, out);
}

sz_status sz_lm_about_make(const sz_model *model, uint32_t context, bool adaptive,
                           const uint8_t digest[32], const char *name, sz_lm_about *out) {
    sz_model_info info;
    sz_model_get_info(model, &info);
    if (context == 0)
        context = info.n_ctx_train < DEFAULT_CONTEXT ? info.n_ctx_train : DEFAULT_CONTEXT;
    SZ_REQUIRE(context >= SZ_LM_LEAST_CONTEXT && context <= SZ_LM_MOST_CONTEXT, SZ_E_ARG,
               "a context of %u tokens: it can have %d to %d", context, SZ_LM_LEAST_CONTEXT,
               SZ_LM_MOST_CONTEXT);
    *out = (sz_lm_about){.context = context, .overlap = context / 8, .adaptive = adaptive};
    memcpy(out->digest, digest, 32);
    snprintf(out->name, sizeof out->name, "%s", name);
    return SZ_OK;
}

void sz_lm_about_write(const sz_lm_about *a, sz_buf *b) {
    uint8_t id[32];
    identity(a, id);
    sz_buf_append(b, a->digest, 32);
    sz_buf_append(b, id, 32);
    sz_varint_put(b, a->context);
    sz_varint_put(b, a->overlap);
    sz_buf_putc(b, a->adaptive);
    sz_buf_puts(b, a->name);
}

sz_status sz_lm_about_read(const uint8_t *bytes, size_t n, sz_lm_about *out) {
    sz_lm_about a = {0};
    uint8_t id[32];
    uint64_t context, overlap;
    const uint8_t *at = bytes + 64, *end = bytes + n;
    SZ_REQUIRE(n > 64, SZ_E_FORMAT, "the header about the model is cut off");
    SZ_TRY(sz_varint_get(&at, end, &context));
    SZ_TRY(sz_varint_get(&at, end, &overlap));
    SZ_REQUIRE(at < end && *at <= 1, SZ_E_FORMAT, "the header about the model is cut off");
    a.adaptive = *at++;
    SZ_REQUIRE(context >= SZ_LM_LEAST_CONTEXT && context <= SZ_LM_MOST_CONTEXT &&
                   overlap < context / 2,
               SZ_E_FORMAT, "a context of %llu tokens with an overlap of %llu",
               (unsigned long long)context, (unsigned long long)overlap);
    SZ_REQUIRE((size_t)(end - at) < sizeof a.name && !memchr(at, 0, (size_t)(end - at)),
               SZ_E_FORMAT, "the name of the model is too long");
    a.context = (uint32_t)context;
    a.overlap = (uint32_t)overlap;
    memcpy(a.digest, bytes, 32);
    memcpy(a.name, at, (size_t)(end - at));
    identity(&a, id);
    char theirs[65], ours[65];
    sz_hex(bytes + 32, 32, theirs);
    sz_hex(id, 32, ours);
    SZ_REQUIRE(memcmp(id, bytes + 32, 32) == 0, SZ_E_UNSUPPORTED,
               "the file was coded with other arithmetic or rules (%.16s...) than this program's "
               "(%.16s...): use the version that wrote it",
               theirs, ours);
    *out = a;
    return SZ_OK;
}
