/* bench_stats.c: the statistics of a step over a whole vocabulary: log-sum-exp, entropy,
 * varentropy.
 *
 *     bench_stats [ROUNDS]
 *
 * Microseconds of sz_logits_measure by one thread over 49,152, 151,936 and 262,144 logits, best and
 * median of the rounds (default 201) in which the sizes take turns, beside reading the same floats
 * once.
 */
#include <stdio.h>
#include <stdlib.h>

#include <szilard/unstable/base.h>
#include <szilard/unstable/info.h>

enum { N_SIZES = 3, MOST_ROUNDS = 10001, LARGEST = 262144 };
static const size_t sizes[N_SIZES] = {49152, 151936, LARGEST};

static void check(sz_status status) {
    if (status != SZ_OK) {
        fprintf(stderr, "bench_stats: %s\n", sz_last_error());
        exit(1);
    }
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

typedef uint64_t lanes __attribute__((vector_size(64)));

/* What any pass over the logits takes at least; n is a multiple of 64. */
static uint64_t read_once(const float *logits, size_t n) {
    const lanes *p = (const lanes *)(const void *)logits;
    lanes a = {0}, b = {0}, c = {0}, d = {0};
    for (size_t i = 0; i < n / 16; i += 4) {
        a ^= p[i];
        b ^= p[i + 1];
        c ^= p[i + 2];
        d ^= p[i + 3];
    }
    a ^= b ^ c ^ d;
    return a[0] ^ a[1] ^ a[2] ^ a[3] ^ a[4] ^ a[5] ^ a[6] ^ a[7];
}

/* Logits of a model that is unsure: a normal bulk. */
static float *make_logits(void) {
    float *v = sz_alloc(LARGEST * sizeof *v);
    if (!v)
        check(sz_fail(SZ_E_NOMEM, "no memory"));
    for (size_t i = 0; i < LARGEST; i++) {
        double sum = 0;
        for (uint64_t k = 0; k < 12; k++)
            sum += sz_uniform(1, k, i);
        v[i] = (float)(3 * (sum - 6));
    }
    return v;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 201;
    rounds = rounds < 1 ? 1 : rounds > MOST_ROUNDS ? MOST_ROUNDS : rounds;
    static double measure_us[N_SIZES][MOST_ROUNDS], read_us[N_SIZES][MOST_ROUNDS];
    float *logits = make_logits();
    volatile uint64_t sink = 0;
    sz_logit_stats stats;
    sz_runtime *rt;
    sz_runtime_config config = {.size = sizeof config, .n_threads = 1};
    check(sz_runtime_new(&config, &rt));
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < N_SIZES; i++) {
            sink ^= read_once(logits, sizes[i]); /* where a step leaves them: in a cache */
            uint64_t start = sz_time_ns();
            check(sz_logits_measure(rt, logits, sizes[i], 1.0f, &stats));
            uint64_t middle = sz_time_ns();
            sink ^= read_once(logits, sizes[i]);
            read_us[i][r] = 1e-3 * (double)(sz_time_ns() - middle);
            measure_us[i][r] = 1e-3 * (double)(middle - start);
        }
    printf("%s, 1 thread, %d rounds: us as best (median)\n", sz_runtime_isa(rt), rounds);
    for (int i = 0; i < N_SIZES; i++) {
        qsort(measure_us[i], (size_t)rounds, sizeof(double), by_value);
        qsort(read_us[i], (size_t)rounds, sizeof(double), by_value);
        printf("%7zu logits  statistics %7.1f (%7.1f)  reading %6.1f (%6.1f)\n", sizes[i],
               measure_us[i][0], measure_us[i][rounds / 2], read_us[i][0], read_us[i][rounds / 2]);
    }
    sz_runtime_free(rt);
    sz_free(logits);
    return 0;
}
