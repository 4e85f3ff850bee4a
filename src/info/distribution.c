/* distribution.c: probability vectors are checked here and nowhere else; units. */
#include "info/distribution.h"

#include <szilard/unstable/num.h>

sz_status sz_distribution_scale(const double *p, size_t n, const char *name, double *scale) {
    SZ_REQUIRE(n >= 1, SZ_E_ARG, "%s is empty, which is no distribution", name);
    sz_sum sum = {0};
    for (size_t i = 0; i < n; i++) {
        SZ_REQUIRE(p[i] - p[i] == 0, SZ_E_ARG, "%s[%zu] is not a finite number", name, i);
        SZ_REQUIRE(p[i] >= -1e-12, SZ_E_ARG, "%s[%zu] = %g is negative", name, i, p[i]);
        sz_sum_add(&sum, p[i] > 0 ? p[i] : 0.0);
    }
    double total = sz_sum_get(&sum), off = total - 1.0;
    SZ_REQUIRE(off <= 1e-6 && off >= -1e-6, SZ_E_ARG,
               "%s is not a distribution: its %zu entries sum to %.9g", name, n, total);
    *scale = 1.0 / total;
    return SZ_OK;
}

double sz_x_log_x(double x) {
    return x > 0 ? x * sz_log(x) : 0.0;
}

double sz_unit_convert(double nats, sz_unit unit) {
    const double ln2 = 0.69314718055994530942, ln10 = 2.30258509299404568402;
    return unit == SZ_BIT ? nats / ln2 : unit == SZ_HARTLEY ? nats / ln10 : nats;
}

const char *sz_unit_name(sz_unit unit) {
    return unit == SZ_BIT ? "bits" : unit == SZ_HARTLEY ? "hartleys" : "nats";
}
