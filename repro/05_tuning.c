/* 05_tuning.c: the weight between two tables of scores, tuned exactly on few tasks and tried on
 * many. */
#include "repro.h"

#include <math.h>
#include <szilard/unstable/num.h>
#include <szilard/unstable/tune.h>

enum { EXAMPLES = 40, CLASSES = 4, CELLS = EXAMPLES * CLASSES, MOST_TASKS = 2000 };

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

typedef struct tasks {
    float *a, *b; /* [n][EXAMPLES][CLASSES] */
    int32_t *labels;
    size_t n;
} tasks;

static void free_tasks(tasks *t) {
    sz_free(t->a);
    sz_free(t->b);
    sz_free(t->labels);
}

/* Strengths vary from task to task; the second table is louder, and better. */
static sz_status make_tasks(size_t n, source *s, tasks *t) {
    *t = (tasks){sz_alloc(n * CELLS * sizeof(float)), sz_alloc(n * CELLS * sizeof(float)),
                 sz_alloc(n * EXAMPLES * sizeof(int32_t)), n};
    if (!t->a || !t->b || !t->labels) {
        free_tasks(t);
        return sz_fail(SZ_E_NOMEM, "no memory for %zu tasks", n);
    }
    for (size_t i = 0; i < n; i++) {
        double qa = 0.3 + 0.9 * uniform(s), qb = 0.3 + 1.6 * uniform(s);
        for (size_t e = i * EXAMPLES; e < (i + 1) * EXAMPLES; e++) {
            t->labels[e] = (int32_t)(uniform(s) * CLASSES);
            for (size_t c = 0; c < CLASSES; c++) {
                bool right = (size_t)t->labels[e] == c;
                t->a[e * CLASSES + c] = (float)(gaussian(s) + (right ? qa : 0));
                t->b[e * CLASSES + c] = (float)(3 * (gaussian(s) + (right ? qb : 0)));
            }
        }
    }
    return SZ_OK;
}

static sz_status tune(const tasks *t, size_t n, sz_tune_curve *out) {
    return sz_tune_interpolate(t->a, t->b, t->labels, n * EXAMPLES, CLASSES, 0, 1, out);
}

typedef struct outcome {
    double gap, advantage;      /* sums */
    size_t n_beaten, n_covered; /* by a grid; by the certificate */
} outcome;

/* `train` tasks are tuned on, the curve of all of `test` is the truth. */
static sz_status repeat(size_t m, const sz_tune_curve *test, source *s, outcome *out) {
    tasks train;
    sz_tune_curve k;
    double grid = 0, slack;
    SZ_TRY(make_tasks(m, s, &train));
    sz_status status = tune(&train, m, &k);
    if (status == SZ_OK) {
        double all = (double)(m * EXAMPLES), tested = sz_tune_curve_at(test, k.alpha);
        for (int g = 0; g <= 10; g++)
            grid = fmax(grid, sz_tune_curve_at(&k, g < 10 ? g * 0.1 : 1 - 1e-12));
        status = sz_tune_certificate(k.n_cells, m, 1, 0.05, &slack);
        double train_value = k.best / all;
        out->gap += fabs(train_value - tested / (MOST_TASKS * EXAMPLES));
        out->advantage += train_value - grid / all;
        out->n_beaten += grid > k.best;
        out->n_covered += tested / (MOST_TASKS * EXAMPLES) >= train_value - slack;
        sz_tune_curve_free(&k);
    }
    free_tasks(&train);
    return status;
}

static double slope(const double *y, size_t n) {
    double sx = 0, sy = 0, sxx = 0, sxy = 0, k = (double)n;
    for (size_t i = 0; i < n; i++) {
        double x = (double)i * sz_log(4);
        sx += x;
        sy += y[i];
        sxx += x * x;
        sxy += x * y[i];
    }
    return (k * sxy - sx * sy) / (k * sxx - sx * sx);
}

static sz_status synthetic(sz_repro_run *run, const sz_tune_curve *test, source *s) {
    static const char *const claims[] = {"0.060", "0.032", "0.015", "0.0071", "0.0024"};
    size_t sizes = run->smoke ? 4 : 5, repeats = run->smoke ? 15 : 30;
    double gaps[5], at_64 = 0;
    size_t beaten = 0, covered = 0;
    for (size_t k = 0; k < sizes; k++) {
        size_t m = (size_t)4 << 2 * k;
        outcome o = {0};
        for (size_t r = 0; r < repeats; r++)
            SZ_TRY(repeat(m, test, s, &o));
        double gap = o.gap / (double)repeats;
        gaps[k] = sz_log(gap);
        beaten += o.n_beaten;
        covered += o.n_covered;
        at_64 = m == 64 ? o.advantage / (double)repeats : at_64;
        sz_repro_check(run, claims[k], gap, "<=", 0.12 / sqrt((double)m / 4),
                       "%zu tasks: mean distance of training and test", m);
    }
    sz_repro_check(run, "", slope(gaps, sizes), ">=", -0.75, "its slope over the tasks, logs");
    sz_repro_check(run, "", slope(gaps, sizes), "<=", -0.40, "and at most");
    sz_repro_check(run, "never", (double)beaten, "==", 0, "runs in which a grid of 11 is better");
    sz_repro_check(run, "", at_64, ">=", 0.001, "64 tasks: gain over that grid");
    sz_repro_check(run, "100 %", (double)covered / (double)(sizes * repeats), ">=", 0.95,
                   "tests within the certificate");
    return SZ_OK;
}

static sz_status run_all(sz_repro_run *run) {
    source s = {run->seed, 5, 0};
    tasks test;
    sz_tune_curve k;
    SZ_TRY(make_tasks(MOST_TASKS, &s, &test));
    sz_status status = tune(&test, MOST_TASKS, &k);
    free_tasks(&test);
    SZ_TRY(status);
    status = synthetic(run, &k, &s);
    sz_tune_curve_free(&k);
    return status;
}

const sz_repro sz_repro_05 = {"05", run_all};
