/* 46_dse.c: diffusion spectral entropy grows with the intrinsic dimension of noisy spheres where
 * binned entropy saturates, and its information about labels falls as they are corrupted. */
#include "repro.h"

#include <math.h>
#include <string.h>
#include <szilard/unstable/info.h>
#include <szilard/unstable/num.h>

enum { AMBIENT = 64, MOST = 400 };

typedef struct source {
    uint64_t seed, stream, counter;
} source;

static double uniform(source *s) {
    return sz_uniform(s->seed, s->stream, s->counter++);
}

static double gaussian(source *s) {
    double sine, cosine, radius = sqrt(-2.0 * sz_log(1.0 - uniform(s)));
    sz_sincos(6.283185307179586 * uniform(s), &sine, &cosine);
    return radius * cosine;
}

/* n points on the d-sphere, turned into 64 dimensions, with noise per coordinate. */
static void sphere(source *s, size_t n, size_t d, double noise, double *x) {
    double axes[10][AMBIENT];
    for (size_t a = 0; a <= d; a++) { /* Gram and Schmidt */
        for (size_t j = 0; j < AMBIENT; j++)
            axes[a][j] = gaussian(s);
        for (size_t b = 0; b <= a; b++) {
            double dot = 0;
            for (size_t j = 0; j < AMBIENT; j++)
                dot += axes[a][j] * axes[b][j];
            for (size_t j = 0; j < AMBIENT; j++)
                axes[a][j] = b < a ? axes[a][j] - dot * axes[b][j] : axes[a][j] / sqrt(dot);
        }
    }
    for (size_t i = 0; i < n; i++) {
        double p[10], norm = 0;
        for (size_t a = 0; a <= d; a++) {
            p[a] = gaussian(s);
            norm += p[a] * p[a];
        }
        for (size_t j = 0; j < AMBIENT; j++) {
            x[i * AMBIENT + j] = noise * gaussian(s);
            for (size_t a = 0; a <= d; a++)
                x[i * AMBIENT + j] += p[a] / sqrt(norm) * axes[a][j];
        }
    }
}

static sz_status dse_bits(const double *x, size_t n, double sigma, double t, double *out) {
    sz_point_set *s;
    double *values = sz_alloc(n * sizeof *values);
    SZ_REQUIRE(values, SZ_E_NOMEM, "no memory for %zu eigenvalues", n);
    sz_status status = sz_point_set_new(x, n, AMBIENT, &s);
    if (status == SZ_OK) {
        status = sz_diffusion_spectrum(s, NULL, n, sigma, SZ_DIFFUSION, values);
        sz_point_set_free(s);
    }
    if (status == SZ_OK)
        status = sz_diffusion_entropy(values, n, t, out);
    *out = sz_unit_convert(*out, SZ_BIT);
    sz_free(values);
    return status;
}

/* Shannon entropy of the cells that two bins per dimension make: the foil. */
static double binned_bits(const double *x, size_t n) {
    double h = 0;
    uint64_t cell[MOST];
    for (size_t i = 0; i < n; i++) {
        cell[i] = 0;
        for (size_t j = 0; j < AMBIENT; j++)
            cell[i] |= (uint64_t)(x[i * AMBIENT + j] > 0) << j;
    }
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;
        for (size_t j = 0; j < n; j++)
            same += cell[j] == cell[i];
        h -= sz_log((double)same / (double)n) / (double)n;
    }
    return sz_unit_convert(h, SZ_BIT);
}

static sz_status spheres(sz_repro_run *run, double *x) {
    static const size_t dimensions[] = {1, 2, 4, 8};
    static const char *const clean_claims[] = {"2.49", "3.36", "4.34", "5.38"};
    size_t n = run->smoke ? 200 : MOST;
    double before = 0, before_noisy = 0, least = INFINITY, most = 0;
    for (size_t k = 0; k < 4; k++) {
        source s = {run->seed, k, 0};
        double clean, noisy;
        sphere(&s, n, dimensions[k], 0, x);
        SZ_TRY(dse_bits(x, n, 0.5, 2, &clean));
        sphere(&s, n, dimensions[k], 0.3 / 8, x);
        SZ_TRY(dse_bits(x, n, 0.5, 2, &noisy));
        double foil = binned_bits(x, n);
        least = foil < least ? foil : least;
        most = foil > most ? foil : most;
        int d = (int)dimensions[k];
        sz_repro_check(run, clean_claims[k], clean, ">=", before + 1e-6,
                       "%d-sphere: DSE at t = 2 rises with d, bits", d);
        sz_repro_check(run, "", noisy, ">=", before_noisy + 1e-6, "%d-sphere with noise: rises too",
                       d);
        sz_repro_check(run, "", noisy - clean, "<=", 0.9, "%d-sphere: what the noise adds, bits",
                       d);
        before = clean;
        before_noisy = noisy;
    }
    if (!run->smoke)
        sz_repro_check(run, "saturates", most - least, "<=", 0.05,
                       "binned entropy over the same spheres varies by, bits");
    return SZ_OK;
}

/* Ten Gaussian clusters; a share of the labels is drawn anew. */
static sz_status corruption(sz_repro_run *run, double *x) {
    enum { CLASSES = 10, SHARES = 5 };
    size_t n = run->smoke ? 200 : MOST;
    double before = INFINITY, bits = 0;
    source s = {run->seed, 100, 0};
    int32_t labels[MOST];
    double centers[CLASSES][AMBIENT];
    for (size_t c = 0; c < CLASSES; c++)
        for (size_t j = 0; j < AMBIENT; j++)
            centers[c][j] = 0.25 * gaussian(&s);
    for (size_t i = 0; i < n * AMBIENT; i++)
        x[i] = centers[i / AMBIENT % CLASSES][i % AMBIENT] + 0.1 * gaussian(&s);
    sz_point_set *set;
    SZ_TRY(sz_point_set_new(x, n, AMBIENT, &set));
    sz_status status = SZ_OK;
    for (int k = 0; k < SHARES && status == SZ_OK; k++) {
        sz_dsmi_estimate e = {0};
        for (size_t i = 0; i < n; i++)
            labels[i] =
                uniform(&s) < k * 0.25 ? (int32_t)(uniform(&s) * CLASSES) : (int32_t)(i % CLASSES);
        status = sz_dsmi(set, labels, 1.0, 1, 5, run->seed, &e);
        bits = sz_unit_convert(e.nats, SZ_BIT);
        sz_repro_check(run, "falls", bits, "<=", before, "%d %% of labels corrupted: DSMI, bits",
                       25 * k);
        if (k == 0)
            sz_repro_check(run, "", bits, ">=", 0.7, "true labels of ten clusters: DSMI, bits");
        before = bits;
    }
    sz_point_set_free(set);
    sz_repro_check(run, "-0.02", bits < 0 ? -bits : bits, "<=", 0.1, "random labels: |DSMI|, bits");
    return status;
}

static sz_status run_all(sz_repro_run *run) {
    double *x = sz_alloc(MOST * AMBIENT * sizeof *x);
    SZ_REQUIRE(x, SZ_E_NOMEM, "no memory for %d points", MOST);
    sz_status status = spheres(run, x);
    if (status == SZ_OK)
        status = corruption(run, x);
    sz_free(x);
    return status;
}

const sz_repro sz_repro_46 = {"46", run_all};
