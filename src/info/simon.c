/* simon.c: Simon's problem in figures: queries, chances, and energies. */
#include <math.h>
#include <szilard/unstable/energy.h>
#include <szilard/unstable/num.h>

static const double ln_2 = 0.69314718055994530942, ln_10 = 2.30258509299404568402;

static sz_status check_bits(int n) {
    SZ_REQUIRE(n >= 2 && n <= SZ_SIMON_MOST, SZ_E_ARG, "%d bits: from 2 to %d", n, SZ_SIMON_MOST);
    return SZ_OK;
}

static double power_of_2(int k) { /* exact */
    double x = 1.0, step = k < 0 ? 0.5 : 2.0;
    for (int i = k < 0 ? -k : k; i > 0; i--)
        x *= step;
    return x;
}

sz_status sz_simon_rank_probability(int n, uint64_t k, double *out) {
    SZ_TRY(check_bits(n));
    *out = k + 1 >= (uint64_t)n ? 1.0 : 0.0;
    for (int i = 0; i <= n - 2 && *out > 0.0; i++) {
        uint64_t apart = k - (uint64_t)i;
        *out *= apart > 1000 ? 1.0 : 1.0 - power_of_2(-(int)apart);
    }
    return SZ_OK;
}

sz_status sz_simon_quantum_mean(int n, double *out) {
    SZ_TRY(check_bits(n));
    *out = 0.0;
    for (int j = 1; j <= n - 1; j++)
        *out += 1.0 / (1.0 - power_of_2(-j));
    return SZ_OK;
}

/* ---- Classical queries -------------------------------------------------------------------------
 */

static double mean_queries(int n) {
    double all = power_of_2(n), none = 1.0, sum = 0.0;
    if (n > 44) { /* sqrt(pi / 2) 2^(N/2): the next term is of order 1 */
        static const double root = 1.2533141373155002512;
        return root * sqrt(all);
    }
    for (double i = 0.0; none > 1e-18 && 2.0 * i <= all; i += 1.0) {
        sum += none;
        none *= (all - 2.0 * i) / (all - i);
    }
    return sum;
}

sz_status sz_simon_classical_figures(int n, uint64_t q, sz_simon_classical *out) {
    SZ_TRY(check_bits(n));
    double all = power_of_2(n), none = 1.0, bits = 0.0, lost = 0.0;
    SZ_REQUIRE(q <= UINT64_C(1) << n, SZ_E_ARG, "%llu queries: there are 2^%d inputs",
               (unsigned long long)q, n);
    SZ_REQUIRE(q <= UINT64_C(1) << 32, SZ_E_LIMIT, "%llu queries: at most 2^32",
               (unsigned long long)q);
    for (uint64_t i = 0; i < q; i++) {
        double x = (double)i;
        none *= 2.0 * x < all ? (all - 2.0 * x) / (all - x) : 0.0;
        if (2.0 * x >= all) /* f has no further values: no more answers that do not collide */
            break;
        double term = sz_log(all - x) / ln_2 - lost, sum = bits + term; /* compensated */
        lost = (sum - bits) - term;
        bits = sum;
    }
    double pairs = 0.5 * (double)q * ((double)q - 1.0) + 1.0, best = pairs / (all - 1.0);
    *out = (sz_simon_classical){.collision = 1.0 - none,
                                .mean = mean_queries(n),
                                .best_success = best < 1.0 ? best : 1.0,
                                .transcript_bits = bits};
    return SZ_OK;
}

sz_status sz_simon_least_queries(int n, double p, uint64_t *out) {
    SZ_TRY(check_bits(n));
    SZ_REQUIRE(p > 0.0 && p <= 1.0, SZ_E_ARG, "a success of %g: above 0, at most 1", p);
    double wanted = p * (power_of_2(n) - 1.0);
    uint64_t low = 0, high = UINT64_C(1) << 33; /* pairs of so many exceed 2^63 */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        double pairs = (double)(middle * (middle > 0 ? middle - 1 : 0) / 2) + 1.0;
        if (pairs >= wanted)
            high = middle;
        else
            low = middle + 1;
    }
    *out = low;
    return SZ_OK;
}

sz_status sz_simon_deterministic_queries(int n, uint64_t *out) {
    SZ_TRY(check_bits(n));
    *out = (UINT64_C(1) << (n + 1) / 2) + (UINT64_C(1) << n / 2) - 1;
    return SZ_OK;
}

/* ---- Energy ------------------------------------------------------------------------------------
 */

static double or_else(double x, double otherwise) {
    return x > 0.0 ? x : otherwise;
}

static sz_status check_costs(const sz_simon_costs *c) {
    SZ_REQUIRE(c->gate_joules >= 0.0 && c->logic_joules >= 0.0 && c->oracle_gates >= 0.0 &&
                   c->success >= 0.0 && c->success < 1.0,
               SZ_E_ARG, "the costs are not energies, or the success is not below 1");
    return SZ_OK;
}

static sz_status least_runs(int n, double success, uint64_t *out) {
    double p = 0.0;
    *out = (uint64_t)n - 2;
    while (p < success)
        SZ_TRY(sz_simon_rank_probability(n, ++*out, &p));
    return SZ_OK;
}

/* sum over i < q of log2(2^n - i), of which only the order matters beyond 2^24 terms: there the sum
 * is bounded from below by q log2(2^n - q). */
static double transcript_bits(int n, uint64_t q) {
    double all = power_of_2(n), sum = 0.0;
    if (q > UINT64_C(1) << 24)
        return (double)q * (sz_log(all - (double)q) / ln_2);
    for (uint64_t i = 0; i < q; i++)
        sum += sz_log(all - (double)i) / ln_2;
    return sum;
}

sz_status sz_simon_energies(int n, const sz_simon_costs *costs, sz_simon_energy *out) {
    SZ_TRY(check_bits(n));
    SZ_TRY(check_costs(costs));
    double kelvin = or_else(costs->kelvin, 300.0), success = or_else(costs->success, 2.0 / 3.0);
    sz_erasure reset;
    SZ_TRY(sz_energy_erasure(costs->reset_steps ? costs->reset_steps : 100,
                             or_else(costs->reset_error, 1e-3), kelvin, &reset));
    SZ_TRY(least_runs(n, success, &out->runs));
    SZ_TRY(sz_simon_least_queries(n, success, &out->queries));
    double gates = 2.0 * n + or_else(costs->oracle_gates, 1.0) * n, runs = (double)out->runs;
    double quantum = runs * (gates * costs->gate_joules + 2.0 * n * reset.bound) +
                     runs * n * costs->logic_joules;
    double classical = SZ_BOLTZMANN * kelvin * ln_2 * transcript_bits(n, out->queries);
    out->log10_quantum = sz_log(quantum) / ln_10;
    out->log10_classical = sz_log(classical) / ln_10;
    return SZ_OK;
}

/* The classical bound grows as 2^(n/2), the quantum one as n^2: beyond the first crossing it stays,
 * and below it the difference need not be monotone, so that all are looked at from above. */
sz_status sz_simon_crossover(const sz_simon_costs *costs, int *n) {
    *n = 0;
    for (int k = SZ_SIMON_MOST; k >= 2; k--) {
        sz_simon_energy e;
        SZ_TRY(sz_simon_energies(k, costs, &e));
        if (!(e.log10_classical > e.log10_quantum))
            break;
        *n = k;
    }
    return SZ_OK;
}
