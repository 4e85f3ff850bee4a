/* speculation_law.c: what speculation can reach between two distributions. */
#include <szilard/unstable/router.h>

static sz_status check(const char *what, const double *p, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        SZ_REQUIRE(p[i] >= 0.0 && p[i] <= 1.0 + 1e-6, SZ_E_ARG,
                   "the %s's probability %zu is %g, not in 0 .. 1", what, i, p[i]);
        sum += p[i];
    }
    SZ_REQUIRE(sum > 1.0 - 1e-6 && sum < 1.0 + 1e-6, SZ_E_ARG,
               "the %s's probabilities sum to %.9g, not 1", what, sum);
    return SZ_OK;
}

sz_status sz_speculation_law_of(const double *target, const double *draft, size_t n, uint32_t gamma,
                                double *residual, sz_speculation_law *out) {
    SZ_REQUIRE(target && draft && out && n > 0, SZ_E_ARG, "sz_speculation_law_of: nothing given");
    SZ_TRY(check("target", target, n));
    SZ_TRY(check("draft", draft, n));
    double accepted = 0.0, left = 0.0, tokens = 1.0, power = 1.0;
    for (size_t i = 0; i < n; i++) {
        accepted += target[i] < draft[i] ? target[i] : draft[i];
        left += target[i] > draft[i] ? target[i] - draft[i] : 0.0;
    }
    accepted = accepted < 1.0 ? accepted : 1.0;
    for (uint32_t i = 0; i < gamma && power > 0.0; i++)
        tokens += power *= accepted;
    for (size_t i = 0; residual && i < n; i++)
        residual[i] = target[i] > draft[i] ? (target[i] - draft[i]) / left : 0.0;
    *out = (sz_speculation_law){accepted, 1.0 - accepted, tokens};
    return SZ_OK;
}
