/* labels: long */
/* Elementary functions over every float: the largest errors, printed and held to what the headers
 * state; and the soft fused multiply-add on two thousand million cases. Half an hour on two cores.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "check.h"
#include "fma_cases.h"
#include "math_error.h"
#include "num/fma.h"

enum { TASKS = 1024 };

typedef struct share { /* one task's */
    float_errors f;
    double_errors d;
    uint64_t wrong_fma;
} share;

typedef struct job {
    const sz_kernels *k;
    share *shares; /* [TASKS] */
} job;

static void measure_task(void *context, size_t task, int thread) {
    const job *j = context;
    share *s = &j->shares[task];
    measure_range(j->k, (uint64_t)task << 22, (uint64_t)(task + 1) << 22, 1, &s->f, &s->d);
    for (uint64_t i = 0; i < 1 << 17; i++) { /* and doubles with all their digits */
        double u = sz_uniform(task, 0, i), v = sz_uniform(task, 1, i);
        measure_double(1420.0 * u - 710.0, &s->d);
        measure_double(0.7 + 0.75 * u, &s->d);
        measure_double((u - 0.5) * ldexp(1.0, 28 - (int)(40.0 * v)), &s->d);
        measure_double((double)(int64_t)(u * 0x1p26) * 1.5707963267948966, &s->d);
    }
}

static void fma_task(void *context, size_t task, int thread) {
    const job *j = context;
    uint64_t end = (uint64_t)(task + 1) << 21, wrong;
    wrong = first_wrong_fma(sz_fmaf_soft, (uint64_t)task << 21, end);
    j->shares[task].wrong_fma = wrong == end ? UINT64_MAX : wrong;
}

static void check(const char *name, const share *shares, size_t offset, double allowed) {
    worst w = {0};
    for (size_t i = 0; i < TASKS; i++) {
        const worst *other = (const worst *)((const char *)&shares[i] + offset);
        keep_worst(&w, other->ulp, other->at);
    }
    printf("%-10s %.4f ulp at %a (stated: %.2f)\n", name, w.ulp, w.at, allowed);
    if (!(w.ulp <= allowed))
        fail();
}

static void test_every_float(void **state) {
    sz_pool *pool;
    job j = {.shares = calloc(TASKS, sizeof *j.shares)};
    SZ_CHECK_OK(sz_kernels_get(NULL, &j.k));
    SZ_CHECK_OK(sz_pool_new(sz_cpu_available(), &pool));
    sz_pool_run(pool, measure_task, &j, TASKS);
    check("exp f32", j.shares, offsetof(share, f.exp), ULP_EXP_FLOAT);
    check("  tiny", j.shares, offsetof(share, f.exp_tiny), ULP_EXP_FLOAT_TINY);
    check("tanh f32", j.shares, offsetof(share, f.tanh), ULP_TANH_FLOAT);
    check("exp", j.shares, offsetof(share, d.exp), ULP_EXP);
    check("log", j.shares, offsetof(share, d.log), ULP_LOG);
    check("sin, cos", j.shares, offsetof(share, d.sincos), ULP_SINCOS);
    check("expm1", j.shares, offsetof(share, d.expm1), ULP_EXPM1);
    check("log1p", j.shares, offsetof(share, d.log1p), ULP_LOG1P);
    sz_pool_free(pool);
    free(j.shares);
}

static void test_soft_fma(void **state) {
    sz_pool *pool;
    job j = {.shares = calloc(TASKS, sizeof *j.shares)};
    SZ_CHECK_OK(sz_pool_new(sz_cpu_available(), &pool));
    sz_pool_run(pool, fma_task, &j, TASKS);
    for (size_t i = 0; i < TASKS; i++)
        if (j.shares[i].wrong_fma != UINT64_MAX)
            fail_msg("soft fma: case %llu", (unsigned long long)j.shares[i].wrong_fma);
    printf("soft fma: %llu cases\n", (unsigned long long)TASKS << 21);
    sz_pool_free(pool);
    free(j.shares);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_float),
        cmocka_unit_test(test_soft_fma),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
