/* mass.c: distributions as integers, where sums are exact and nothing is left over. */
#include "info/mass.h"

#include <math.h>

double sz_mass_entropy(const uint64_t *mass, size_t n) {
    sz_sum sum = {0};
    for (size_t i = 0; i < n; i++)
        sz_sum_add(&sum, -sz_x_log_x(sz_mass_probability(mass[i])));
    return sz_at_least_zero(sz_sum_get(&sum));
}

void sz_mass_complete(uint64_t *mass, size_t n) {
    uint64_t sum = 0;
    size_t largest = 0;
    for (size_t i = 0; i < n; i++) {
        sum += mass[i];
        largest = mass[i] > mass[largest] ? i : largest;
    }
    mass[largest] += SZ_MASS_ONE - sum; /* modulo 2^64: also where the sum is too large */
}

static sz_status fill(const double *p, size_t n, const char *name, uint64_t *mass) {
    double scale;
    SZ_REQUIRE(n < UINT32_MAX, SZ_E_LIMIT, "%s has %zu entries, which are too many", name, n);
    SZ_TRY(sz_distribution_scale(p, n, name, &scale));
    for (size_t i = 0; i < n; i++) {
        double x = sz_probability(p, i, scale);
        uint64_t m = (uint64_t)(x * 0x1p62 + 0.5);
        mass[i] = x > 0 && m == 0 ? 1 : m;
    }
    sz_mass_complete(mass, n);
    return SZ_OK;
}

sz_status sz_mass_from_probabilities(const double *p, size_t n, uint64_t *mass) {
    return fill(p, n, "p", mass);
}

sz_status sz_mass_new(const double *p, size_t n, const char *name, uint64_t **out) {
    uint64_t *mass = sz_alloc((n ? n : 1) * sizeof *mass);
    SZ_REQUIRE(mass, SZ_E_NOMEM, "no memory for %zu masses", n);
    sz_status status = fill(p, n, name, mass);
    if (status != SZ_OK)
        sz_free(mass);
    else
        *out = mass;
    return status;
}
