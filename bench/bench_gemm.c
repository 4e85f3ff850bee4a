/* bench_gemm.c: products of float matrices beside OpenBLAS and what the cores could do at most.
 *
 *     bench_gemm [THREADS]
 *
 * For each shape of a training step: GFLOP/s of this library's product, of OpenBLAS's cblas_sgemm
 * where libopenblas.so.0 is installed (loaded at run time: nothing is linked to it), their ratio,
 * and the share of the measured peak of fused multiply-adds. Best of some repeats, taken in turns.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "num/gemm.h"

typedef void (*sgemm_fn)(int order, int ta, int tb, int m, int n, int k, float alpha,
                         const float *a, int lda, const float *b, int ldb, float beta, float *c,
                         int ldc);
enum { ROW_MAJOR = 101, PLAIN = 111, TURNED = 112, REPEATS = 7 };

typedef struct shape {
    const char *what;
    size_t n_rows, n_cols, depth;
    bool a_turned, b_turned;
} shape;

/* A GPT-2-124M-shaped step of 4 x 64 tokens, forward and both gradients; square ones. */
static const shape shapes[] = {
    {"qkv", 256, 2304, 768, false, true},
    {"ffn up", 256, 3072, 768, false, true},
    {"ffn down", 256, 768, 3072, false, true},
    {"d input of up", 256, 768, 3072, false, false},
    {"d weight of up", 3072, 768, 256, true, false},
    {"head tile", 256, 4096, 768, false, true},
    {"square 512", 512, 512, 512, false, false},
    {"square 1024", 1024, 1024, 1024, false, false},
    {"tiny 64", 64, 64, 64, false, true},
};

static const sz_kernels *k;
static sz_pool *pool;
static sz_arena *arena;

static void check(sz_status status) {
    if (status != SZ_OK) {
        fprintf(stderr, "bench_gemm: %s\n", sz_last_error());
        exit(1);
    }
}

static float *filled(size_t n) {
    float *x = sz_alloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)sz_uniform(1, 0, i) - 0.5f;
    return x;
}

static void peak_task(void *context, size_t task, int thread) {
    float out[16];
    k->peak_float(2000000, out);
}

static double peak(int threads) {
    double best = 1e9;
    for (int i = 0; i < 5; i++) {
        uint64_t start = sz_time_ns();
        sz_pool_run(pool, peak_task, NULL, (size_t)threads);
        double t = (double)(sz_time_ns() - start) * 1e-9;
        best = t < best ? t : best;
    }
    return threads * 2000000.0 * 8 * 16 * 2 / best * 1e-9;
}

static void measure(const shape *s, sgemm_fn sgemm, double ceiling) {
    float *a = filled(s->n_rows * s->depth), *b = filled(s->depth * s->n_cols);
    float *c = filled(s->n_rows * s->n_cols);
    size_t lda = s->a_turned ? s->n_rows : s->depth, ldb = s->b_turned ? s->depth : s->n_cols;
    sz_gemm p = {s->n_rows, s->n_cols, s->depth, {a, lda, 1}, {b, ldb, 1}, c, s->n_cols, false};
    if (s->a_turned)
        p.a = (sz_matrix_view){a, 1, lda};
    if (s->b_turned)
        p.b = (sz_matrix_view){b, 1, ldb};
    double flops = 2.0 * (double)s->n_rows * (double)s->n_cols * (double)s->depth;
    double ours = 1e9, theirs = 1e9;
    int inner = flops < 1e7 ? 100 : 1;
    for (int i = 0; i < REPEATS; i++) {
        if (sgemm && sz_pool_threads(pool) > 1)
            usleep(100000); /* OpenBLAS's threads spin for a while after their work */
        uint64_t start = sz_time_ns();
        for (int j = 0; j < inner; j++)
            check(sz_gemm_run(k, pool, arena, &p));
        uint64_t middle = sz_time_ns();
        for (int j = 0; sgemm && j < inner; j++)
            sgemm(ROW_MAJOR, s->a_turned ? TURNED : PLAIN, s->b_turned ? TURNED : PLAIN,
                  (int)s->n_rows, (int)s->n_cols, (int)s->depth, 1, a, (int)lda, b, (int)ldb, 0, c,
                  (int)s->n_cols);
        double first = (double)(middle - start) * 1e-9 / inner;
        double second = (double)(sz_time_ns() - middle) * 1e-9 / inner;
        ours = first < ours ? first : ours;
        theirs = second < theirs ? second : theirs;
    }
    printf("%-15s %5zu x %5zu x %5zu  %7.1f", s->what, s->n_rows, s->n_cols, s->depth,
           flops / ours * 1e-9);
    if (sgemm)
        printf("  %7.1f  %5.2f", flops / theirs * 1e-9, theirs / ours);
    printf("  %5.1f %%\n", 100 * flops / ours * 1e-9 / ceiling);
    sz_free(a);
    sz_free(b);
    sz_free(c);
}

int main(int argc, char **argv) {
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    void *blas = dlopen("libopenblas.so.0", RTLD_NOW);
    void (*set_threads)(int) = NULL;
    sgemm_fn sgemm = NULL;
    if (blas) {
        *(void **)&sgemm = dlsym(blas, "cblas_sgemm");
        *(void **)&set_threads = dlsym(blas, "openblas_set_num_threads");
    }
    check(sz_kernels_get(NULL, &k));
    check(sz_pool_new(threads, &pool));
    check(sz_arena_new(1 << 20, &arena));
    double ceiling = peak(threads);
    if (set_threads)
        set_threads(threads);
    printf("%s, %d threads: peak %.1f GFLOP/s\n", k->isa, threads, ceiling);
    printf("%-15s %-21s  GFLOP/s%s  of peak\n", "", "", sgemm ? "  OpenBLAS  ratio" : "");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        measure(&shapes[i], sgemm, ceiling);
}
