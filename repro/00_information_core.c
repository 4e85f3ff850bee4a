/* 00_information_core.c: the bias of entropy estimators, nearest-neighbour information of Gaussian
 * samples against its formula, and p-values of independent tables. */
#include "repro.h"

#include <math.h>
#include <szilard/unstable/info.h>
#include <szilard/unstable/num.h>

enum { CELLS = 100 };

typedef struct source { /* random numbers of one experiment */
    uint64_t seed, stream, counter;
} source;

static double uniform(source *s) {
    return sz_uniform(s->seed, s->stream, s->counter++);
}

static double gaussian(source *s) { /* Box and Muller */
    double sine, cosine, radius = sqrt(-2.0 * sz_log(1.0 - uniform(s)));
    sz_sincos(6.283185307179586 * uniform(s), &sine, &cosine);
    return radius * cosine;
}

static double magnitude(double x) {
    return x < 0 ? -x : x;
}

/* Mean error of the estimators on `n` draws from the uniform law on 100 cells. */
static sz_status biases(sz_repro_run *run, uint64_t n, int repeats, double bias[3]) {
    source s = {run->seed, n, 0};
    bias[0] = bias[1] = bias[2] = 0;
    for (int i = 0; i < repeats; i++) {
        uint64_t counts[CELLS] = {0};
        sz_count_entropy e;
        for (uint64_t j = 0; j < n; j++)
            counts[(size_t)(uniform(&s) * CELLS)]++;
        SZ_TRY(sz_entropy_counts(counts, CELLS, &e));
        double truth = sz_log(CELLS);
        bias[0] += (e.plug_in - truth) / repeats;
        bias[1] += (e.miller_madow - truth) / repeats;
        bias[2] += (e.grassberger - truth) / repeats;
    }
    return SZ_OK;
}

static sz_status bias_curve(sz_repro_run *run) {
    static const uint64_t sizes[] = {50, 100, 200, 400, 1000};
    for (size_t i = 0; i < 5; i++) {
        double b[3];
        SZ_TRY(biases(run, sizes[i], run->smoke ? 40 : 200, b));
        if (sizes[i] == 100 || sizes[i] == 200) {
            sz_repro_check(run, sizes[i] == 100 ? "-0.56 > -0.25" : "",
                           magnitude(b[0]) - magnitude(b[1]), ">=", 0,
                           "N = %d: |bias| of plug-in beyond Miller-Madow's, nats", (int)sizes[i]);
            sz_repro_check(run, "", magnitude(b[1]) - magnitude(b[2]), ">=", 0,
                           "N = %d: |bias| of Miller-Madow beyond Grassberger's, nats",
                           (int)sizes[i]);
        }
        if (sizes[i] >= 100)
            sz_repro_check(run, sizes[i] == 100 ? "0.04" : "", magnitude(b[2]), "<=", 0.06,
                           "N = %d: |bias| of Grassberger's estimator, nats", (int)sizes[i]);
    }
    return SZ_OK;
}

static sz_status gaussian_information(sz_repro_run *run) {
    enum { N = 1000 };
    static const double rhos[] = {0, 0.3, 0.6, 0.9};
    const int seeds = 20;
    double before = -INFINITY;
    double *x = sz_alloc(2 * N * sizeof *x), *y = x + N;
    SZ_REQUIRE(x, SZ_E_NOMEM, "no memory for %d samples", N);
    sz_status status = SZ_OK;
    for (size_t r = 0; r < 4 && status == SZ_OK; r++) {
        double rho = rhos[r], truth = -0.5 * sz_log(1.0 - rho * rho), mean = 0;
        for (int seed = 0; seed < seeds && status == SZ_OK; seed++) {
            source s = {run->seed + (uint64_t)seed, 1000 + r, 0};
            sz_knn_estimate e = {0};
            for (size_t i = 0; i < N; i++) {
                x[i] = gaussian(&s);
                y[i] = rho * x[i] + sqrt(1.0 - rho * rho) * gaussian(&s);
            }
            status = sz_mi_ksg1(x, 1, y, 1, N, NULL, &e);
            mean += e.nats / seeds;
        }
        sz_repro_check(run, "0.006 to 0.013", magnitude(mean - truth), "<=", 0.03,
                       "rho = %.1f: |mean error| of KSG1, nats", rho);
        if (r > 0)
            sz_repro_check(run, "", mean - before, ">=", 1e-9, "rho = %.1f: KSG1 rises by", rho);
        before = mean;
    }
    sz_free(x);
    return status;
}

static sz_status independence(sz_repro_run *run) {
    enum { TABLES = 200 };
    double p[TABLES], distance = 0;
    source s = {run->seed, 2000, 0};
    for (size_t i = 0; i < TABLES; i++) {
        uint64_t table[20] = {0};
        for (int j = 0; j < 150; j++)
            table[(size_t)(uniform(&s) * 4) * 5 + (size_t)(uniform(&s) * 5)]++;
        SZ_TRY(sz_mi_permutation(table, 4, 5, run->smoke ? 60 : 200, run->seed + i, &p[i]));
        for (size_t j = i; j > 0 && p[j - 1] > p[j]; j--) {
            double t = p[j];
            p[j] = p[j - 1];
            p[j - 1] = t;
        }
    }
    for (size_t i = 0; i < TABLES; i++) {
        double off = magnitude(p[i] - (double)(i + 1) / TABLES);
        distance = off > distance ? off : distance;
    }
    sz_repro_check(run, "uniform", distance, "<=", 0.12,
                   "p-values of 200 independent tables: Kolmogorov-Smirnov distance");
    return SZ_OK;
}

static sz_status run_all(sz_repro_run *run) {
    SZ_TRY(bias_curve(run));
    SZ_TRY(gaussian_information(run));
    return independence(run);
}

const sz_repro sz_repro_00 = {"00", run_all};
