/* bench_simon.c: the transform at the heart of a simulated circuit, beside a simulator of complex
 * amplitudes that applies gate by gate, and beside the memory's bandwidth.
 *
 *     bench_simon [qubits]
 *
 * Best of five each.
 */
#include <complex.h>
#include <stdio.h>
#include <stdlib.h>
#include <szilard/unstable/energy.h>

enum { REPEATS = 5 };

static void by_gates(double complex *v, int n) {
    static const double root_half = 0.70710678118654752440;
    for (int q = 0; q < n; q++) {
        size_t h = (size_t)1 << q;
        for (size_t i = 0; i < (size_t)1 << n; i++)
            if (!(i & h)) {
                double complex a = v[i], b = v[i | h];
                v[i] = (a + b) * root_half;
                v[i | h] = (a - b) * root_half;
            }
    }
}

static double seconds_since(uint64_t begin) {
    return (double)(sz_time_ns() - begin) * 1e-9;
}

int main(int argc, char **argv) {
    int n = argc > 1 ? atoi(argv[1]) : 22;
    size_t size = (size_t)1 << n;
    double best[3] = {1e9, 1e9, 1e9}, sum = 0;
    double *v = sz_calloc(size, sizeof *v);
    double complex *w = sz_calloc(size, sizeof *w);
    if (n < 2 || n > SZ_SIMON_WAVE_MOST || !v || !w)
        return 1;
    v[5] = 1;
    w[5] = 1;
    for (int k = 0; k < REPEATS; k++) {
        uint64_t begin = sz_time_ns();
        if (sz_walsh_hadamard(v, n) != SZ_OK)
            return 1;
        double t = seconds_since(begin);
        best[0] = t < best[0] ? t : best[0];
        begin = sz_time_ns();
        by_gates(w, n);
        t = seconds_since(begin);
        best[1] = t < best[1] ? t : best[1];
        begin = sz_time_ns();
        for (size_t i = 0; i < size; i++)
            sum += v[i] *= 1.0000000001;
        t = seconds_since(begin);
        best[2] = t < best[2] ? t : best[2];
    }
    double passes = (n + 1) / 2;
    printf("%d qubits: transform %.2f ms; gate by gate with complex numbers %.2f ms, %.1f times; "
           "%.0f %% "
           "of the bandwidth of one pass (%.1f GB/s) %s\n",
           n, best[0] * 1e3, best[1] * 1e3, best[1] / best[0], 100 * passes * best[2] / best[0],
           16.0 * (double)size / best[2] * 1e-9, sum == 12345 ? "!" : "");
    uint64_t begin = sz_time_ns();
    uint64_t runs = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        sz_simon_run r;
        if (sz_simon_quantum(63, 1 + i, SZ_SIMON_SAMPLED, i, &r) != SZ_OK)
            return 1;
        runs += r.queries;
    }
    printf("63 bits, sampled: %.2f us for a whole elimination of %.1f rows\n",
           seconds_since(begin) * 1e2, (double)runs * 1e-4);
    sz_free(v);
    sz_free(w);
    return 0;
}
