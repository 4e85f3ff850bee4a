/* bench_pc.c: what learning and using a circuit get out of one core, beside the rate of products.
 *
 *     bench_pc [LATENTS [VARIABLES [RECORDS [CATEGORIES [LIBRARY]]]]]
 *
 * Defaults 32, 784, 512, 256. A step of expectation maximisation has three products of M x M tables
 * per variable and record (up, down, counts): its rate over these operations alone, as a share of
 * the rate of products of 64 x 64 matrices that stay in the cache, timed in turn, on one thread, by
 * time on the processor.
 * Then records coded to bytes and back, per second.
 * LIBRARY, a shared BLAS such as libopenblas.so.0, adds its dgemm of 768 x 768 as a ceiling. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <szilard/unstable/circuit.h>

#include "num/kernels/kernels.h"

enum { SIDE = 64, BLAS_SIDE = 768, ROUNDS = 5 };

static void check(sz_status status) {
    if (status != SZ_OK) {
        fprintf(stderr, "bench_pc: %s\n", sz_last_error());
        exit(1);
    }
}

/* Time of this process on the processor, so that a busy machine does not matter. */
static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double product_rate(const sz_kernels *k) {
    static double a[SIDE * SIDE], b[SIDE * SIDE], c[SIDE * SIDE];
    enum { REPEATS = 400 };
    sz_product_f64 p = {a, b, c, SIDE, SIDE, SIDE, SIDE, 1, SIDE, SIDE, true};
    double start = now();
    for (int i = 0; i < REPEATS; i++)
        k->product_f64(&p);
    return 2.0 * SIDE * SIDE * SIDE * REPEATS / (now() - start) * 1e-9;
}

typedef void (*dgemm_fn)(int order, int ta, int tb, int m, int n, int k, double alpha,
                         const double *a, int lda, const double *b, int ldb, double beta, double *c,
                         int ldc);

static double blas_rate(dgemm_fn dgemm) {
    static double a[BLAS_SIDE * BLAS_SIDE], b[BLAS_SIDE * BLAS_SIDE], c[BLAS_SIDE * BLAS_SIDE];
    int n = BLAS_SIDE;
    double start = now();
    dgemm(101, 111, 111, n, n, n, 1, a, n, b, n, 0, c, n);
    return 2.0 * n * n * n / (now() - start) * 1e-9;
}

static dgemm_fn load_blas(const char *library) {
    void *h = dlopen(library, RTLD_NOW);
    void *dgemm = h ? dlsym(h, "cblas_dgemm") : NULL;
    void (*threads)(int) = NULL;
    *(void **)&threads = h ? dlsym(h, "openblas_set_num_threads") : NULL;
    if (threads)
        threads(1);
    dgemm_fn fn;
    *(void **)&fn = dgemm;
    return fn;
}

static sz_pc *start_circuit(sz_runtime *rt, const sz_pc_shape *s) {
    int32_t *parent = sz_alloc(s->n_vars * sizeof *parent);
    size_t m = s->n_latents, k = s->n_categories;
    double *p = sz_alloc(s->n_vars * m * (m + k) * sizeof *p), *emit = p + s->n_vars * m * m;
    for (size_t v = 0; v < s->n_vars; v++)
        parent[v] = v == 0 ? -1 : (int32_t)((v - 1) / 2 + v / 2 * (v % 3 != 0)) % (int32_t)v;
    for (size_t row = 0; row < 2 * s->n_vars * m; row++) {
        bool table = row < s->n_vars * m;
        size_t n = table ? m : k;
        double *r = table ? p + row * m : emit + (row - s->n_vars * m) * k, sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += r[i] = 0.1 + sz_uniform(1, row, i);
        for (size_t i = 0; i < n; i++)
            r[i] /= sum;
    }
    sz_pc *pc;
    check(sz_pc_new(s, parent, p, p, emit, &pc));
    sz_free(parent);
    sz_free(p);
    return pc;
}

static void time_coding(sz_runtime *rt, const sz_pc *pc, int32_t *x, size_t n) {
    sz_pc_coder *coder;
    check(sz_pc_coder_new(rt, pc, &coder));
    for (int i = 0; i < 3; i++) {
        sz_buf code = {0};
        double start = now();
        check(sz_pc_encode(coder, x, n, &code));
        double there = now() - start;
        start = now();
        check(sz_pc_decode(coder, (const uint8_t *)code.data, code.len, x, n));
        printf("coded: %.0f records/s, decoded: %.0f records/s, %.0f bytes per record\n",
               (double)n / there, (double)n / (now() - start), (double)code.len / (double)n);
        sz_buf_free(&code);
    }
    sz_pc_coder_free(coder);
}

int main(int argc, char **argv) {
    size_t size[4] = {32, 784, 512, 256};
    for (int i = 1; i < argc && i < 5; i++)
        size[i - 1] = strtoul(argv[i], NULL, 10);
    sz_pc_shape shape = {size[1], size[0], size[3]};
    size_t n = size[2];
    dgemm_fn dgemm = argc > 5 ? load_blas(argv[5]) : NULL;
    sz_runtime *rt;
    check(sz_runtime_new(&(sz_runtime_config){.size = sizeof(sz_runtime_config), .n_threads = 1},
                         &rt));
    sz_pc *pc = start_circuit(rt, &shape);
    int32_t *x = sz_alloc(n * shape.n_vars * sizeof *x);
    double *ln = sz_alloc(n * sizeof *ln);
    check(sz_pc_sample(rt, pc, NULL, n, 1, x));
    double records = (double)n, ops = 2.0 * records * (double)shape.n_vars;
    ops *= (double)shape.n_latents * (double)shape.n_latents;
    printf("%zu hidden states, %zu variables, %zu categories, %zu records; %s, 1 thread\n",
           shape.n_latents, shape.n_vars, shape.n_categories, n, sz_runtime_isa(rt));
    printf("products  EM step  share  records/s   likelihood  records/s    dgemm   (GFLOP/s)\n");
    for (int i = 0; i < ROUNDS; i++) {
        double peak = product_rate(sz_runtime_kernels(rt));
        double start = now();
        check(sz_pc_em_step(rt, pc, x, n, 1, 1, NULL));
        double em = now() - start;
        start = now();
        check(sz_pc_loglik(rt, pc, x, n, ln));
        double up = now() - start;
        printf("%8.1f %8.1f %5.1f%% %10.0f %12.1f %10.0f %8.1f\n", peak, 3 * ops / em * 1e-9,
               300 * ops / em * 1e-9 / peak, records / em, ops / up * 1e-9, records / up,
               dgemm ? blas_rate(dgemm) : 0.0);
    }
    time_coding(rt, pc, x, n);
    sz_free(x);
    sz_free(ln);
    sz_pc_free(pc);
    sz_runtime_free(rt);
    return 0;
}
