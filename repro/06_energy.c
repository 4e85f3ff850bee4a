/* 06_energy.c: Simon's problem: queries of simulated circuits grow as N, those of classical
 * programs as 2^(N/2), below which no program succeeds; and with them the energy that they must
 * cost. */
#include "repro.h"

#include <math.h>
#include <szilard/unstable/energy.h>
#include <szilard/unstable/num.h>

enum { FIRST = 4, MOST_SIZES = 15 };

typedef struct mean {
    double sum, squares, n;
} mean;

static void add(mean *m, double x) {
    m->sum += x;
    m->squares += x * x;
    m->n++;
}
static double value(const mean *m) {
    return m->sum / m->n;
}
static double deviations(const mean *m, double from) {
    double v = value(m), error = sqrt((m->squares / m->n - v * v) / m->n);
    return error > 0 ? fabs(v - from) / error : v == from ? 0 : INFINITY;
}

typedef struct size_result {
    mean quantum, random;
    double quantum_off, random_off; /* from their formulas, standard errors */
    size_t n_lost, n_beyond;        /* strings not found; deterministic runs beyond their count */
    mean half;                      /* success at half of the least number of queries */
    double half_bound;
} size_result;

static sz_status measure(int n, uint64_t seeds, uint64_t seed, size_result *r) {
    sz_simon_run run;
    uint64_t least, most;
    double theory;
    sz_simon_classical f;
    SZ_TRY(sz_simon_least_queries(n, 0.5, &least));
    SZ_TRY(sz_simon_deterministic_queries(n, &most));
    for (uint64_t i = 0; i < seeds; i++) {
        double all = (double)((UINT64_C(1) << n) - 1);
        uint64_t s = 1 + (uint64_t)(sz_uniform(seed, (uint64_t)n, i) * all);
        sz_simon_mode mode = n <= 7 ? SZ_SIMON_FULL : n <= 10 ? SZ_SIMON_WAVE : SZ_SIMON_SAMPLED;
        SZ_TRY(sz_simon_quantum(n, s, mode, seed + i, &run));
        add(&r->quantum, (double)run.queries);
        r->n_lost += run.found != s;
        SZ_TRY(sz_simon_random(n, s, seed + i, UINT64_MAX, &run));
        add(&r->random, (double)run.queries);
        add(&r->half, run.queries <= least / 2);
        r->n_lost += run.found != s;
        SZ_TRY(sz_simon_deterministic(n, s, &run));
        r->n_lost += run.found != s;
        r->n_beyond += run.queries > most;
    }
    SZ_TRY(sz_simon_quantum_mean(n, &theory));
    r->quantum_off = deviations(&r->quantum, theory);
    SZ_TRY(sz_simon_classical_figures(n, least / 2, &f));
    r->random_off = deviations(&r->random, f.mean);
    r->half_bound = f.best_success;
    return SZ_OK;
}

static double slope(const double *y, size_t n) {
    double sx = 0, sy = 0, sxx = 0, sxy = 0, k = (double)n;
    for (size_t i = 0; i < n; i++) {
        double x = (double)i;
        sx += x;
        sy += y[i];
        sxx += x * x;
        sxy += x * y[i];
    }
    return (k * sxy - sx * sy) / (k * sxx - sx * sx);
}

static sz_status simon(sz_repro_run *run) {
    size_t sizes = run->smoke ? 9 : MOST_SIZES, n_lost = 0, n_beyond = 0;
    uint64_t seeds = run->smoke ? 200 : 1000;
    double logs[MOST_SIZES], means[MOST_SIZES], quantum = 0, random = 0, half = -INFINITY;
    for (size_t k = 0; k < sizes; k++) {
        size_result r = {0};
        SZ_TRY(measure(FIRST + (int)k, seeds, run->seed, &r));
        means[k] = value(&r.quantum);
        logs[k] = sz_log(value(&r.random)) / sz_log(2);
        quantum = r.quantum_off > quantum ? r.quantum_off : quantum;
        random = r.random_off > random ? r.random_off : random;
        n_lost += r.n_lost;
        n_beyond += r.n_beyond;
        double p = value(&r.half), above = p - r.half_bound - 3 * sqrt(p * (1 - p) / r.half.n);
        half = above > half ? above : half;
    }
    sz_repro_check(run, "", (double)n_lost, "==", 0, "hidden strings that were not found");
    sz_repro_check(run, "", (double)n_beyond, "==", 0, "deterministic runs beyond their count");
    sz_repro_check(run, "", quantum, "<=", 3, "quantum runs: off their mean, standard errors");
    sz_repro_check(run, "", random, "<=", 3, "random queries: off their mean, standard errors");
    sz_repro_check(run, "polynomial", slope(means, sizes), ">=", 0.97, "quantum runs per bit");
    sz_repro_check(run, "", slope(means, sizes), "<=", 1.03, "and at most");
    sz_repro_check(run, "exponential", slope(logs, sizes), ">=", 0.48,
                   "log2 of classical queries per bit");
    sz_repro_check(run, "", slope(logs, sizes), "<=", 0.52, "and at most");
    sz_repro_check(run, "", half, "<=", 0, "classical success above its bound and 3 errors");
    return SZ_OK;
}

static sz_status energies(sz_repro_run *run) {
    double gap[SZ_SIMON_MOST + 1];
    sz_simon_costs costs = {.gate_joules = 1e-18, .logic_joules = 1e-18};
    sz_erasure coarse, fine;
    int cross;
    for (int n = 20; n <= 60; n++) {
        sz_simon_energy e;
        SZ_TRY(sz_simon_energies(n, &costs, &e));
        gap[n - 20] = (e.log10_classical - e.log10_quantum) * 3.32192809488736235;
    }
    SZ_TRY(sz_simon_crossover(&costs, &cross));
    sz_repro_check(run, "exponential", slope(gap, 41), ">=", 0.4,
                   "log2 of the energy advantage per bit, N = 20 to 60");
    sz_repro_check(run, "", cross, "<=", 40, "it begins at N (gates of 1e-18 J)");
    sz_repro_check(run, "", cross, ">=", 3, "and not at once");
    SZ_TRY(sz_energy_erasure(100, 1e-3, 300, &coarse));
    SZ_TRY(sz_energy_erasure(1000, 1e-3, 300, &fine));
    double ratio = (coarse.work - coarse.limit) / (fine.work - fine.limit);
    sz_repro_check(run, "O(1/K)", ratio, ">=", 9,
                   "ten times the steps: excess of erasure falls by");
    sz_repro_check(run, "", ratio, "<=", 11, "and at most");
    return SZ_OK;
}

static sz_status run_all(sz_repro_run *run) {
    SZ_TRY(simon(run));
    return energies(run);
}

const sz_repro sz_repro_06 = {"06", run_all};
