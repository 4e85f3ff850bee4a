/* bench_tune.c: the exact weight between two tables, beside a grid of 1001 points over the same
 * tables, and beside reading both once.
 *
 *     bench_tune [examples] [classes]
 */
#include <stdio.h>
#include <stdlib.h>
#include <szilard/unstable/tune.h>

static size_t right_at(const float *a, const float *b, const int32_t *labels, size_t n, size_t c,
                       float alpha) {
    size_t right = 0;
    for (size_t i = 0; i < n; i++) {
        size_t best = 0;
        float most = -1e30f;
        for (size_t k = 0; k < c; k++) {
            float s = a[i * c + k] + alpha * (b[i * c + k] - a[i * c + k]);
            best = s > most ? k : best;
            most = s > most ? s : most;
        }
        right += best == (size_t)labels[i];
    }
    return right;
}

int main(int argc, char **argv) {
    size_t n = argc > 1 ? (size_t)atol(argv[1]) : 2000, c = argc > 2 ? (size_t)atol(argv[2]) : 1000;
    float *a = sz_alloc(n * c * sizeof *a), *b = sz_alloc(n * c * sizeof *b), sum = 0;
    int32_t *labels = sz_alloc(n * sizeof *labels);
    if (!a || !b || !labels)
        return 1;
    for (size_t i = 0; i < n * c; i++) {
        a[i] = (float)sz_uniform(1, 1, i);
        b[i] = (float)sz_uniform(1, 2, i);
    }
    for (size_t i = 0; i < n; i++) {
        labels[i] = (int32_t)(sz_uniform(1, 3, i) * (double)c);
        a[i * c + (size_t)labels[i]] += 0.4f;
        b[i * c + (size_t)labels[i]] += 0.4f;
    }
    double best[3] = {1e9, 1e9, 1e9};
    sz_tune_curve k;
    size_t grid = 0;
    for (int repeat = 0; repeat < 5; repeat++) {
        uint64_t begin = sz_time_ns();
        if (sz_tune_interpolate(a, b, labels, n, c, 0, 1, &k) != SZ_OK)
            return 1;
        double t = (double)(sz_time_ns() - begin) * 1e-9;
        best[0] = t < best[0] ? t : best[0];
        begin = sz_time_ns();
        for (size_t i = 0; i < n * c; i++)
            sum += a[i] * b[i];
        t = (double)(sz_time_ns() - begin) * 1e-9;
        best[1] = t < best[1] ? t : best[1];
        sz_tune_curve_free(&k);
    }
    uint64_t begin = sz_time_ns();
    for (int g = 0; g < 20; g++) { /* of 1001 */
        size_t right = right_at(a, b, labels, n, c, (float)g / 20);
        grid = right > grid ? right : grid;
    }
    best[2] = (double)(sz_time_ns() - begin) * 1e-9 / 20 * 1001;
    printf("%zu examples of %zu classes: exact %.2f ms; a grid of 1001 points %.0f ms, %.0f times; "
           "%.1f times "
           "reading both tables (%zu %g)\n",
           n, c, best[0] * 1e3, best[2] * 1e3, best[2] / best[0], best[0] / best[1], grid,
           (double)sum);
    return 0;
}
