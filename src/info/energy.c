/* energy.c: Landauer's limit, and how near to it a finite protocol of erasure comes. */
#include <math.h>
#include <szilard/unstable/energy.h>
#include <szilard/unstable/num.h>

static const double ln_2 = 0.69314718055994530942;

sz_status sz_energy_landauer(double bits, double kelvin, double *joules) {
    SZ_REQUIRE(kelvin > 0.0 && kelvin < INFINITY, SZ_E_ARG, "%g kelvin is no temperature", kelvin);
    SZ_REQUIRE(bits >= 0.0 && bits < INFINITY, SZ_E_ARG, "%g is no number of bits", bits);
    *joules = bits * (SZ_BOLTZMANN * kelvin * ln_2);
    return SZ_OK;
}

/* ln((1 - p) / p): the gap at which thermal equilibrium has p above, over kT. */
static double gap(double p) {
    return sz_log((1.0 - p) / p);
}

sz_status sz_energy_erasure(uint64_t steps, double eta, double kelvin, sz_erasure *out) {
    SZ_REQUIRE(steps >= 1 && steps <= 1000000000, SZ_E_ARG, "%llu steps: from 1 to 1e9",
               (unsigned long long)steps);
    SZ_REQUIRE(eta > 0.0 && eta <= 0.5, SZ_E_ARG, "a residual error of %g: above 0, at most 1/2",
               eta);
    SZ_REQUIRE(kelvin > 0.0 && kelvin < INFINITY, SZ_E_ARG, "%g kelvin is no temperature", kelvin);
    double k = (double)steps, p = 0.5, e = 0.0, work = 0.0, lost = 0.0;
    for (uint64_t i = 1; i <= steps; i++) {
        double next_p = i == steps ? eta : 0.5 - (0.5 - eta) * ((double)i / k), next = gap(next_p);
        double term = p * (next - e) - lost, sum = work + term; /* compensated */
        lost = (sum - work) - term;
        work = sum;
        p = next_p;
        e = next;
    }
    double kt = SZ_BOLTZMANN * kelvin;
    double h = -eta * sz_log(eta) - (1.0 - eta) * sz_log1p(-eta), limit = ln_2 - h;
    work = eta == 0.5 ? 0.0 : work - eta * e;
    limit = eta == 0.5 ? 0.0 : limit;
    *out = (sz_erasure){.work = kt * work,
                        .limit = kt * limit,
                        .bound = kt * (limit + (0.5 - eta) * gap(eta) / k),
                        .over_landauer = work / ln_2};
    return SZ_OK;
}
