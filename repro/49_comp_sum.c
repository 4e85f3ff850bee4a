/* 49_comp_sum.c: what the choice of a comp-sum loss does: many classes, noisy labels, and the bound
 * from loss to error. A network of two layers learns through the tape; the loss is cut
 * cross-entropy's, with comp-sum's factor per row. */
#include "repro.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <szilard/unstable/loss.h>
#include <szilard/unstable/num.h>
#include <szilard/unstable/optimiser.h>

#include "07_digits.h"
#include "49_labels.h"

enum { HIDDEN = 128, MOST_PARAMETERS = HIDDEN * (64 + 1) + 100 * (HIDDEN + 1) };

typedef struct examples {
    size_t n, n_test, dim, classes;
    float *x;       /* [n + n_test][dim] */
    int32_t *label; /* as training sees them */
    int32_t *truth;
} examples;

typedef struct training {
    sz_optimiser_config optimiser;
    double rate, tau;
    int epochs, batch;
    uint64_t seed;
} training;

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

/* ---- A network of two layers
 * ---------------------------------------------------------------------
 */

typedef struct network {
    float values[MOST_PARAMETERS], grads[MOST_PARAMETERS];
    sz_tensor w1, b1, w2, b2;
    sz_learned learned[4];
    sz_optimiser *o;
} network;

/* A tensor of uniform values within 1/sqrt(inputs). */
static sz_tensor part(network *w, size_t *at, size_t n_rows, size_t n_cols, size_t inputs,
                      source *s) {
    float *data = w->values + *at, *grad = w->grads + *at;
    for (size_t i = 0; i < n_rows * n_cols; i++) {
        data[i] = (float)((2 * uniform(s) - 1) / sqrt((double)inputs));
        grad[i] = 0;
    }
    *at += n_rows * n_cols;
    return sz_tensor_of(data, grad, n_rows, n_cols);
}

static sz_status make_network(sz_runtime *rt, const examples *e, const training *t, network *w) {
    source s = {t->seed, 21, 0};
    size_t at = 0;
    w->w1 = part(w, &at, HIDDEN, e->dim, e->dim, &s);
    w->b1 = part(w, &at, 1, HIDDEN, e->dim, &s);
    w->w2 = part(w, &at, e->classes, HIDDEN, HIDDEN, &s);
    w->b2 = part(w, &at, 1, e->classes, HIDDEN, &s);
    const sz_learned all[] = {
        {"w1", &w->w1, true}, {"b1", &w->b1, false}, {"w2", &w->w2, true}, {"b2", &w->b2, false}};
    memcpy(w->learned, all, sizeof all);
    return sz_optimiser_new(rt, &t->optimiser, w->learned, 4, &w->o);
}

static sz_tensor *hidden(sz_graph *g, network *w, sz_tensor *x) {
    return sz_activate(g, sz_add_row(g, sz_matmul(g, x, &w->w1, true), &w->b1), SZ_RELU);
}

static sz_status one_batch(sz_runtime *rt, sz_arena *arena, network *w, const training *t, float *x,
                           const int32_t *label, size_t n, size_t dim) {
    sz_graph g;
    double norm;
    const sz_cce_config c = {.comp_sum = true, .tau = t->tau};
    sz_tensor in = sz_tensor_of(x, NULL, n, dim);
    sz_arena_reset(arena);
    sz_graph_begin(&g, rt, arena, SZ_RECORD);
    sz_tensor *loss = sz_cut_cross_entropy(&g, hidden(&g, w, &in), &w->w2, &w->b2, label, &c, NULL);
    SZ_TRY(sz_graph_backward(&g, loss));
    return sz_optimiser_step(w->o, t->rate, &norm);
}

static sz_status measure(sz_runtime *rt, sz_arena *arena, network *w, const examples *e,
                         double *accuracy) {
    sz_graph g;
    size_t hits = 0;
    sz_tensor in = sz_tensor_of(e->x + e->n * e->dim, NULL, e->n_test, e->dim);
    sz_arena_reset(arena);
    sz_graph_begin(&g, rt, arena, SZ_RUN);
    sz_tensor *z = sz_add_row(&g, sz_matmul(&g, hidden(&g, w, &in), &w->w2, true), &w->b2);
    SZ_TRY(g.status);
    for (size_t i = 0; i < e->n_test; i++) {
        const float *row = z->data + i * e->classes;
        size_t best = 0;
        for (size_t k = 1; k < e->classes; k++)
            best = row[k] > row[best] ? k : best;
        hits += (int32_t)best == e->truth[e->n + i];
    }
    *accuracy = (double)hits / (double)e->n_test;
    return SZ_OK;
}

static sz_status learn(sz_runtime *rt, sz_arena *arena, const examples *e, const training *t,
                       network *w, double *accuracy) {
    size_t batch = (size_t)t->batch;
    float *x = sz_alloc(batch * e->dim * sizeof *x);
    int32_t *label = sz_alloc(batch * sizeof *label);
    source s = {t->seed, 22, 0};
    sz_status status = x && label ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for a batch");
    size_t steps = (size_t)t->epochs * (e->n / batch);
    for (size_t step = 0; step < steps && status == SZ_OK; step++) {
        for (size_t i = 0; i < batch; i++) {
            size_t from = (size_t)(uniform(&s) * (double)e->n);
            memcpy(x + i * e->dim, e->x + from * e->dim, e->dim * sizeof *x);
            label[i] = e->label[from];
        }
        status = one_batch(rt, arena, w, t, x, label, batch, e->dim);
    }
    if (status == SZ_OK)
        status = measure(rt, arena, w, e, accuracy);
    sz_free(x);
    sz_free(label);
    return status;
}

static sz_status train(sz_runtime *rt, const examples *e, const training *t, double *accuracy) {
    sz_arena *arena;
    network *w = sz_calloc(1, sizeof *w);
    SZ_REQUIRE(w, SZ_E_NOMEM, "no memory for a network");
    sz_status status = sz_arena_new(1 << 20, &arena);
    if (status == SZ_OK) {
        status = make_network(rt, e, t, w);
        if (status == SZ_OK)
            status = learn(rt, arena, e, t, w, accuracy);
        sz_optimiser_free(w->o);
        sz_arena_free(arena);
    }
    sz_free(w);
    return status;
}

static sz_status make_examples(size_t n, size_t n_test, size_t dim, size_t classes, examples *e) {
    *e = (examples){.n = n, .n_test = n_test, .dim = dim, .classes = classes};
    e->x = sz_alloc((n + n_test) * dim * sizeof *e->x);
    e->label = sz_alloc((n + n_test) * sizeof *e->label);
    e->truth = sz_alloc((n + n_test) * sizeof *e->truth);
    SZ_REQUIRE(e->x && e->label && e->truth, SZ_E_NOMEM, "no memory for %zu examples", n);
    return SZ_OK;
}

static void free_examples(examples *e) {
    sz_free(e->x);
    sz_free(e->label);
    sz_free(e->truth);
}

/* ---- Noisy labels
 * --------------------------------------------------------------------------------
 */

/* Digits in a random order; a share of the labels of training drawn anew. */
static void noisy_digits(uint64_t seed, double noise, examples *e) {
    size_t order[N_DIGITS];
    source s = {seed, 23, 0};
    for (size_t i = 0; i < N_DIGITS; i++)
        order[i] = i;
    for (size_t i = N_DIGITS; i-- > 1;) {
        size_t j = (size_t)(uniform(&s) * (double)(i + 1)), swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
    for (size_t i = 0; i < N_DIGITS; i++) {
        for (size_t v = 0; v < DIGIT_PIXELS; v++)
            e->x[i * DIGIT_PIXELS + v] = (float)(digits[order[i]][v] - 'A') / 16;
        e->truth[i] = e->label[i] = digit_labels[order[i]] - '0';
        if (uniform(&s) < noise)
            e->label[i] = (int32_t)((e->truth[i] + 1 + (int32_t)(uniform(&s) * 9)) % 10);
    }
}

static sz_status noisy_labels(sz_repro_run *run, sz_runtime *rt) {
    static const double taus[] = {0, 1, 1.7, 2};
    static const char *const claims[] = {"0.883, 0.915", "0.905, 0.918", "0.935, 0.940",
                                         "0.931, 0.941"};
    int seeds = run->smoke ? 1 : 5;
    double mean[4] = {0}, accuracy;
    examples e;
    sz_status status = make_examples(1200, N_DIGITS - 1200, DIGIT_PIXELS, 10, &e);
    for (int seed = 0; seed < seeds && status == SZ_OK; seed++) {
        noisy_digits(run->seed + (uint64_t)seed, 0.4, &e);
        for (int k = 0; k < 4 && status == SZ_OK; k++) {
            training t = {
                {.kind = SZ_ADAMW, .clip_norm = 5}, 1e-3, taus[k], run->smoke ? 15 : 60, 32,
                run->seed + (uint64_t)seed};
            status = train(rt, &e, &t, &accuracy);
            mean[k] += accuracy / seeds;
        }
    }
    free_examples(&e);
    SZ_TRY(status);
    for (int k = 0; k < 4; k++)
        sz_repro_check(run, claims[k], mean[k], ">=", 0.5,
                       "40 %% of labels wrong: accuracy, tau %g", taus[k]);
    sz_repro_check(run, "0.030, 0.022", mean[2] - mean[1], ">=", run->smoke ? -0.02 : 0.01,
                   "what tau 1.7 gains over cross-entropy");
    if (!run->smoke)
        sz_repro_check(run, "-0.022, -0.003", mean[0] - mean[1], "<=", 0.005,
                       "and sum-exponential loses");
    return SZ_OK;
}

/* ---- Many classes
 * --------------------------------------------------------------------------------
 */

static void clusters(uint64_t seed, examples *e) {
    source s = {seed, 24, 0};
    double *mean = sz_alloc(e->classes * e->dim * sizeof *mean);
    for (size_t i = 0; mean && i < e->classes * e->dim; i++)
        mean[i] = 1.2 * gaussian(&s);
    for (size_t i = 0; mean && i < e->n + e->n_test; i++) {
        size_t k = i % e->classes;
        e->truth[i] = e->label[i] = (int32_t)k;
        for (size_t j = 0; j < e->dim; j++)
            e->x[i * e->dim + j] = (float)(mean[k * e->dim + j] + gaussian(&s));
    }
    sz_free(mean);
}

static sz_status many_classes(sz_repro_run *run, sz_runtime *rt) {
    static const double taus[] = {0.5, 1, 1.5, 1.7, 2};
    static const char *const claims[] = {"0.804", "0.933", "0.937", "0.907", "0.387"};
    double accuracy[2][5], least = 1, most = 0;
    examples e;
    sz_status status = make_examples(4000, 2000, 20, 100, &e);
    if (status == SZ_OK)
        clusters(run->seed, &e);
    for (int adam = 0; adam < 2; adam++)
        for (int k = 0; k < 5 && status == SZ_OK; k++) {
            training t = {
                {.kind = SZ_SGD, .beta1 = 0.9, .clip_norm = 5}, 0.05, taus[k], 30, 32, run->seed};
            if (adam) {
                t.optimiser = (sz_optimiser_config){.kind = SZ_ADAMW, .clip_norm = 5};
                t.rate = 2e-3;
            }
            status = train(rt, &e, &t, &accuracy[adam][k]);
        }
    free_examples(&e);
    SZ_TRY(status);
    for (int k = 0; k < 5; k++) {
        if (k == 1)
            sz_repro_check(run, claims[k], accuracy[0][k], ">=", 0.90,
                           "100 classes, SGD: accuracy of cross-entropy");
        else
            sz_repro_check(run, claims[k], accuracy[0][k], "<=", k == 4 ? accuracy[0][1] - 0.20 : 1,
                           "100 classes, SGD: accuracy, tau %g", taus[k]);
        least = accuracy[1][k] < least ? accuracy[1][k] : least;
        most = accuracy[1][k] > most ? accuracy[1][k] : most;
    }
    sz_repro_check(run, "0.01", most - least, "<=", 0.03, "the same with Adam: spread over tau");
    return SZ_OK;
}

/* ---- From loss to error
 * --------------------------------------------------------------------------
 */

static sz_status bounds(sz_repro_run *run) {
    static const double taus[] = {0, 0.5, 1, 1.5, 2};
    size_t broken = 0;
    double tightest = 0;
    source s = {run->seed, 25, 0};
    for (int trial = 0; trial < 5000; trial++) {
        double p[3], h[3], total = 0, risk = 0, best, bound, loss, tau = taus[trial % 5];
        size_t chosen = 0, most = 0;
        for (int i = 0; i < 3; i++) {
            total += p[i] = -sz_log(1 - uniform(&s));
            h[i] = 3 * gaussian(&s);
        }
        for (size_t i = 0; i < 3; i++) {
            p[i] /= total;
            chosen = h[i] > h[chosen] ? i : chosen;
            most = p[i] > p[most] ? i : most;
        }
        for (size_t i = 0; i < 3; i++) {
            SZ_TRY(sz_comp_sum(h, 3, i, tau, &loss, NULL, NULL));
            risk += p[i] * loss;
        }
        SZ_TRY(sz_comp_sum_best(p, 3, tau, &best));
        SZ_TRY(sz_comp_sum_error_bound(risk - best, 3, tau, &bound, NULL));
        double regret = p[most] - p[chosen];
        broken += regret > bound + 1e-9;
        tightest = bound > 0 && regret / bound > tightest ? regret / bound : tightest;
    }
    sz_repro_check(run, "never", (double)broken, "==", 0,
                   "random labels and scores whose excess error passes the bound, of 5000");
    sz_repro_check(run, "", tightest, "<=", 1,
                   "the nearest that an excess error came to its bound");
    return SZ_OK;
}

static sz_status run_all(sz_repro_run *run) {
    sz_runtime *rt;
    SZ_TRY(bounds(run));
    SZ_TRY(sz_runtime_new(NULL, &rt));
    sz_status status = noisy_labels(run, rt);
    if (status == SZ_OK && !run->smoke)
        status = many_classes(run, rt);
    sz_runtime_free(rt);
    return status;
}

const sz_repro sz_repro_49 = {"49", run_all};
