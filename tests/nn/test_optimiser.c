/* Optimisers beside their formulas in double, and what every one of them must do. */
#include "check.h"

#include <math.h>
#include <string.h>

#include <szilard/unstable/num.h>
#include <szilard/unstable/optimiser.h>

enum { ROWS = 6, COLS = 9, N = ROWS * COLS, STEPS = 5 };

static uint64_t drawn;
static float draw(void) {
    return (float)(2 * sz_uniform(9, 0, drawn++) - 1);
}

typedef struct bench {
    float p[N], g[N], q[COLS], h[COLS]; /* a matrix and a vector, with gradients */
    sz_tensor matrix, vector;
    sz_learned learned[2];
    sz_runtime *rt;
    sz_optimiser *o;
} bench;

static sz_runtime *runtime(int threads, const char *isa) {
    sz_runtime *rt;
    SZ_CHECK_OK(sz_runtime_new(
        &(sz_runtime_config){.size = sizeof(sz_runtime_config), .n_threads = threads, .isa = isa},
        &rt));
    return rt;
}

static void begin(bench *b, sz_runtime *rt, const sz_optimiser_config *c) {
    memset(b, 0, sizeof *b);
    drawn = 0;
    for (int i = 0; i < N; i++)
        b->p[i] = draw();
    for (int i = 0; i < COLS; i++)
        b->q[i] = draw();
    b->matrix = sz_tensor_of(b->p, b->g, ROWS, COLS);
    b->vector = sz_tensor_of(b->q, b->h, 1, COLS);
    b->learned[0] = (sz_learned){"matrix", &b->matrix, true};
    b->learned[1] = (sz_learned){"vector", &b->vector, false};
    b->rt = rt;
    SZ_CHECK_OK(sz_optimiser_new(rt, c, b->learned, 2, &b->o));
}

static void draw_gradients(bench *b) {
    for (int i = 0; i < N; i++)
        b->g[i] = draw();
    for (int i = 0; i < COLS; i++)
        b->h[i] = draw();
}

/* ---- One element in double
 * -----------------------------------------------------------------------
 */

typedef struct element {
    double p, m, v;
} element;

static void plain(const sz_optimiser_config *c, element *e, double g, int step, double rate,
                  double decay) {
    double beta1 = c->beta1 > 0 ? c->beta1 : 0.9;
    double beta2 = c->beta2 > 0 ? c->beta2 : c->kind == SZ_LION ? 0.99 : 0.999, way;
    e->p *= 1 - rate * decay;
    if (c->kind == SZ_SGD) {
        e->m = c->beta1 * e->m + g;
        e->p -= rate * (c->nesterov ? g + c->beta1 * e->m : e->m);
    } else if (c->kind == SZ_LION) {
        way = beta1 * e->m + (1 - beta1) * g;
        e->m = beta2 * e->m + (1 - beta2) * g;
        e->p -= rate * ((way > 0) - (way < 0));
    } else {
        e->m = beta1 * e->m + (1 - beta1) * g;
        e->v = beta2 * e->v + (1 - beta2) * g * g;
        e->p -=
            rate * (e->m / (1 - pow(beta1, step))) / (sqrt(e->v / (1 - pow(beta2, step))) + 1e-8);
    }
}

static void check_elements(const sz_optimiser_config *c, double tolerance) {
    static bench b;
    element e[N + COLS] = {0};
    double average[N + COLS], norm;
    sz_runtime *rt = runtime(2, NULL);
    begin(&b, rt, c);
    for (int i = 0; i < N + COLS; i++)
        average[i] = e[i].p = (double)(i < N ? b.p[i] : b.q[i - N]);
    for (int step = 1; step <= STEPS; step++) {
        draw_gradients(&b);
        double sum = 0, scale;
        for (int i = 0; i < N + COLS; i++)
            sum += pow((double)(i < N ? b.g[i] : b.h[i - N]), 2);
        scale = c->clip_norm > 0 && sqrt(sum) > c->clip_norm ? c->clip_norm / sqrt(sum) : 1;
        for (int i = 0; i < N + COLS; i++) {
            plain(c, &e[i], scale * (double)(i < N ? b.g[i] : b.h[i - N]), step, 0.01,
                  i < N ? c->weight_decay : 0);
            average[i] = 0.75 * average[i] + 0.25 * e[i].p;
        }
        SZ_CHECK_OK(sz_optimiser_step(b.o, 0.01, &norm));
        SZ_CHECK_REL(norm, sqrt(sum), 1e-6);
        for (int i = 0; i < N + COLS; i++) {
            SZ_CHECK_ABS((double)(i < N ? b.p[i] : b.q[i - N]), e[i].p, tolerance);
            assert_true((i < N ? b.g[i] : b.h[i - N]) == 0);
        }
    }
    assert_int_equal(sz_optimiser_steps(b.o), STEPS);
    for (int i = 0; c->ema_decay > 0 && i < N + COLS; i++)
        SZ_CHECK_ABS((double)sz_optimiser_average(b.o, i >= N)[i < N ? i : i - N], average[i],
                     tolerance);
    sz_optimiser_free(b.o);
    sz_runtime_free(rt);
}

static void test_elements(void **state) {
    check_elements(&(sz_optimiser_config){.kind = SZ_SGD}, 1e-6);
    check_elements(&(sz_optimiser_config){.kind = SZ_SGD, .beta1 = 0.9, .weight_decay = 0.1}, 1e-6);
    check_elements(&(sz_optimiser_config){.kind = SZ_SGD, .beta1 = 0.9, .nesterov = true}, 1e-6);
    check_elements(&(sz_optimiser_config){.kind = SZ_LION, .weight_decay = 0.1}, 1e-6);
    check_elements(&(sz_optimiser_config){.kind = SZ_ADAMW}, 1e-6);
    check_elements(&(sz_optimiser_config){.kind = SZ_ADAMW,
                                          .beta2 = 0.95,
                                          .weight_decay = 0.1,
                                          .clip_norm = 1,
                                          .ema_decay = 0.75},
                   1e-6);
    /* moments of 3 and 4 bits: steps are off by some percent of the rate */
    check_elements(&(sz_optimiser_config){.kind = SZ_ADAMW8, .weight_decay = 0.1}, 0.05 * 0.01 * 5);
}

/* ---- Matrices
 * ------------------------------------------------------------------------------------
 */

/* The step of Muon is the orthogonal factor of the momentum, about: singular values near 1. */
static void test_muon(void **state) {
    static bench b;
    sz_runtime *rt = runtime(2, NULL);
    double norm, gram[ROWS][ROWS];
    begin(&b, rt, &(sz_optimiser_config){.kind = SZ_MUON});
    float before[N];
    memcpy(before, b.p, sizeof before);
    draw_gradients(&b);
    float q = b.q[3], h = b.h[3], g[N];
    memcpy(g, b.g, sizeof g);
    SZ_CHECK_OK(sz_optimiser_step(b.o, 0.01, &norm));
    SZ_CHECK_ABS((double)b.q[3], (double)q - 0.01 * (h > 0 ? 1 : -1), 1e-6); /* AdamW's first */
    double along = 0;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < ROWS; j++) {
            gram[i][j] = 0;
            for (int k = 0; k < COLS; k++)
                gram[i][j] += (double)(before[i * COLS + k] - b.p[i * COLS + k]) *
                              (double)(before[j * COLS + k] - b.p[j * COLS + k]);
            gram[i][j] /= pow(0.01 * 0.2 * sqrt(COLS), 2);
        }
    for (int i = 0; i < N; i++)
        along += (double)(before[i] - b.p[i]) * (double)g[i];
    assert_true(along > 0); /* downhill */
    double values[ROWS];
    SZ_CHECK_OK(sz_eigen_symmetric(&gram[0][0], ROWS, false, values));
    for (int i = 0; i < ROWS; i++)
        assert_true(values[i] > 0.3 && values[i] < 1.6);
    sz_optimiser_free(b.o);
    sz_runtime_free(rt);
}

/* First step of Adafactor: g / sqrt(rows cols / mean), cut to an rms of 1. */
static void test_adafactor(void **state) {
    static bench b;
    sz_runtime *rt = runtime(2, NULL);
    double norm, rows[ROWS] = {0}, cols[COLS] = {0}, mean = 0, u[N], rms = 0;
    begin(&b, rt, &(sz_optimiser_config){.kind = SZ_ADAFACTOR});
    float before[N];
    memcpy(before, b.p, sizeof before);
    draw_gradients(&b);
    for (int i = 0; i < N; i++) {
        double square = pow((double)b.g[i], 2);
        rows[i / COLS] += square / COLS;
        cols[i % COLS] += square / ROWS;
        mean += square / N;
    }
    for (int i = 0; i < N; i++) {
        u[i] = (double)b.g[i] / sqrt(rows[i / COLS] * cols[i % COLS] / mean);
        rms += u[i] * u[i] / N;
    }
    rms = sqrt(rms) > 1 ? sqrt(rms) : 1;
    SZ_CHECK_OK(sz_optimiser_step(b.o, 0.01, &norm));
    for (int i = 0; i < N; i++)
        SZ_CHECK_ABS((double)b.p[i], (double)before[i] - 0.01 * u[i] / rms, 1e-6);
    assert_int_equal(sz_optimiser_bytes(b.o), (ROWS + COLS + COLS) * sizeof(float));
    sz_optimiser_free(b.o);
    sz_runtime_free(rt);
}

/* ---- All
 * -----------------------------------------------------------------------------------------
 */

/* Each finds the least of a quadratic form with axes of different length. */
static void test_descent(void **state) {
    static bench b;
    sz_runtime *rt = runtime(2, NULL);
    for (int kind = SZ_SGD; kind <= SZ_MUON; kind++) {
        double loss = 0, first = 0, norm;
        begin(&b, rt, &(sz_optimiser_config){.kind = (sz_optimiser_kind)kind});
        for (int step = 0; step < 400; step++) {
            loss = 0;
            for (int i = 0; i < N; i++) {
                float axis = 0.2f + (float)(i % 7) / 7, off = b.p[i] - 0.3f;
                b.g[i] = axis * off;
                loss += 0.5 * (double)(axis * off * off);
            }
            first = step ? first : loss;
            SZ_CHECK_OK(
                sz_optimiser_step(b.o, (kind == SZ_SGD ? 0.1 : 0.02) * (1 - step / 400.0), &norm));
        }
        if (loss > 0.05 * first)
            fail_msg("optimiser %d: loss %g, at first %g", kind, loss, first);
        sz_optimiser_free(b.o);
    }
    sz_runtime_free(rt);
}

/* Another optimiser, of other copies of the parameters, that goes on where `from` is. */
static void take_over(bench *to, bench *from, const sz_optimiser_config *config) {
    uint64_t at = drawn; /* begin starts the numbers anew */
    begin(to, from->rt, config);
    drawn = at;
    memcpy(to->p, from->p, sizeof to->p);
    memcpy(to->q, from->q, sizeof to->q);
    for (size_t i = 0; i < sz_optimiser_n_pieces(from->o); i++) {
        size_t n, m;
        void *old = sz_optimiser_piece(from->o, i, &n), *new = sz_optimiser_piece(to->o, i, &m);
        assert_int_equal(n, m);
        if (n)
            memcpy(new, old, n);
    }
    sz_optimiser_set_steps(to->o, sz_optimiser_steps(from->o));
    sz_optimiser_free(from->o);
}

/* The same bits on any machine; state that is saved and put back goes on the same way. */
static void test_bits(void **state) {
    static bench b, c;
    float after[N];
    for (int kind = SZ_SGD; kind <= SZ_MUON; kind++) {
        sz_optimiser_config config = {.kind = (sz_optimiser_kind)kind,
                                      .beta1 = 0.8,
                                      .weight_decay = 0.1,
                                      .clip_norm = 0.5,
                                      .ema_decay = 0.9};
        int run = 0;
        for (const char *const *isa = sz_isa_available(); *isa; isa++)
            for (int threads = 1; threads <= 3; threads++, run++) {
                double norm;
                bench *now = &b;
                sz_runtime *rt = runtime(threads, *isa);
                begin(&b, rt, &config);
                for (int step = 0; step < 4; step++) {
                    if (step == 2 && run % 2) {
                        take_over(&c, &b, &config);
                        now = &c;
                    }
                    draw_gradients(now);
                    SZ_CHECK_OK(sz_optimiser_step(now->o, 0.01, &norm));
                }
                if (run == 0)
                    memcpy(after, now->p, sizeof after);
                assert_memory_equal(after, now->p, sizeof after);
                sz_optimiser_free(now->o);
                sz_runtime_free(rt);
            }
    }
}

static void test_errors(void **state) {
    static bench b;
    sz_runtime *rt = runtime(1, NULL);
    sz_optimiser *o;
    double norm;
    const sz_optimiser_config wrong[] = {
        {.beta1 = 1},      {.beta2 = -0.1},       {.eps = 2},
        {.clip_norm = -1}, {.weight_decay = NAN}, {.ema_decay = 1}};
    begin(&b, rt, &(sz_optimiser_config){.kind = SZ_ADAMW});
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(sz_optimiser_new(rt, &wrong[i], b.learned, 2, &o), SZ_E_ARG);
    float before[N];
    memcpy(before, b.p, sizeof before);
    draw_gradients(&b);
    b.h[4] = NAN;
    assert_int_equal(sz_optimiser_step(b.o, 0.01, &norm), SZ_E_NAN);
    assert_non_null(strstr(sz_last_error(), "vector"));
    assert_memory_equal(before, b.p, sizeof before);
    assert_int_equal(sz_optimiser_steps(b.o), 0);
    assert_int_equal(sz_optimiser_step(b.o, -1, &norm), SZ_E_ARG);
    b.vector.grad = NULL;
    assert_int_equal(sz_optimiser_new(rt, &(sz_optimiser_config){0}, b.learned, 2, &o), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "vector"));
    sz_optimiser_free(b.o);
    sz_runtime_free(rt);
}

static void test_schedules(void **state) {
    sz_schedule s = {SZ_COSINE, 1, 0.1, 10, 110, 20};
    SZ_CHECK_REL(sz_schedule_at(&s, 0), 0.1, 1e-12);
    SZ_CHECK_REL(sz_schedule_at(&s, 9), 1.0, 1e-12);
    SZ_CHECK_REL(sz_schedule_at(&s, 60), 0.55, 1e-12);
    SZ_CHECK_REL(sz_schedule_at(&s, 35), 0.1 + 0.45 * (1 + cos(M_PI / 4)), 1e-12);
    SZ_CHECK_REL(sz_schedule_at(&s, 110), 0.1, 1e-12);
    SZ_CHECK_REL(sz_schedule_at(&s, 1000), 0.1, 1e-12);
    s.kind = SZ_WSD;
    SZ_CHECK_REL(sz_schedule_at(&s, 90), 1.0, 1e-12);
    SZ_CHECK_REL(sz_schedule_at(&s, 100), 0.55, 1e-12);
    SZ_CHECK_REL(sz_schedule_at(&s, 110), 0.1, 1e-12);
    s.kind = SZ_LINEAR;
    SZ_CHECK_REL(sz_schedule_at(&s, 60), 0.55, 1e-12);
    s.kind = SZ_CONSTANT;
    SZ_CHECK_REL(sz_schedule_at(&s, 1000), 1.0, 1e-12);
    s = (sz_schedule){SZ_COSINE, 1, 0, 0, 0, 0}; /* no steps at all */
    SZ_CHECK_ABS(sz_schedule_at(&s, 5), 0, 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements),  cmocka_unit_test(test_muon),
        cmocka_unit_test(test_adafactor), cmocka_unit_test(test_descent),
        cmocka_unit_test(test_bits),      cmocka_unit_test(test_errors),
        cmocka_unit_test(test_schedules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
