/* logits.c: information of a row of logits (card 00). */
#include <szilard/unstable/info.h>

#include "num/kernels/kernels.h"

sz_status sz_logits_measure(const sz_runtime *rt, const float *logits, size_t n, float temperature,
                            sz_logit_stats *out) {
    SZ_REQUIRE(n >= 1 && temperature > 0.0f, SZ_E_ARG, "%zu logits at temperature %g", n,
               (double)temperature);
    sz_softmax_stats stats;
    sz_runtime_kernels(rt)->softmax_stats(logits, n, temperature, &stats);
    SZ_REQUIRE(!stats.has_nan, SZ_E_NAN,
               "a logit is NaN or infinity, or all of them are -infinity");
    *out = (sz_logit_stats){stats.lse, stats.entropy, stats.varentropy, stats.max, stats.argmax};
    return SZ_OK;
}
