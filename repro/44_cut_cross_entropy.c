/* 44_cut_cross_entropy.c: the loss that never holds its logits: beside a materialised one in
 * double, its memory, what its filter keeps and how far that is off; whole, on the states of a real
 * model, and a small model trained with and without the filter. */
#include "repro.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <szilard/unstable/loss.h>
#include <szilard/unstable/num.h>
#include <szilard/unstable/train.h>

#include "model/model.h"

typedef struct problem {
    size_t n, dim, n_vocab;
    float *hidden, *classifier, *bias; /* bias NULL: none */
    int32_t *targets;
    float *d_hidden, *d_classifier, *exact, *lse, *mean;
    double largest; /* entry of the exact gradient of hidden */
    size_t peak;    /* bytes of scratch */
} problem;

static sz_status make_problem(size_t n, size_t dim, size_t n_vocab, problem *p) {
    *p = (problem){.n = n, .dim = dim, .n_vocab = n_vocab};
    p->hidden = sz_calloc(n * dim, sizeof(float));
    p->classifier = sz_calloc(n_vocab * dim, sizeof(float));
    p->targets = sz_calloc(n, sizeof *p->targets);
    p->d_hidden = sz_calloc(n * dim, sizeof(float));
    p->exact = sz_calloc(n * dim, sizeof(float));
    p->d_classifier = sz_calloc(n_vocab * dim, sizeof(float));
    p->lse = sz_calloc(n, sizeof(float));
    p->mean = sz_calloc(n_vocab, sizeof(float));
    SZ_REQUIRE(p->hidden && p->classifier && p->targets && p->d_hidden && p->exact &&
                   p->d_classifier && p->lse && p->mean,
               SZ_E_NOMEM, "no memory for %zu classes", n_vocab);
    return SZ_OK;
}

static void free_problem(problem *p) {
    void *all[] = {p->hidden,       p->classifier, p->bias, p->targets, p->d_hidden,
                   p->d_classifier, p->exact,      p->lse,  p->mean};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sz_free(all[i]);
}

static sz_status run_loss(sz_runtime *rt, problem *p, const sz_cce_config *c, sz_cce_gradients *d,
                          sz_cce_result *r) {
    sz_arena *arena;
    sz_cce in = {p->hidden, p->classifier, p->bias, p->targets, p->n, p->dim, p->n_vocab};
    sz_cce_rows rows = {p->lse, NULL, NULL, p->mean};
    *d = (sz_cce_gradients){.hidden = p->d_hidden, .classifier = p->d_classifier};
    memset(p->d_hidden, 0, p->n * p->dim * sizeof(float));
    memset(p->d_classifier, 0, p->n_vocab * p->dim * sizeof(float));
    SZ_TRY(sz_arena_new(1 << 16, &arena));
    sz_status status = sz_cce_forward(rt, arena, &in, c, &rows, r);
    if (status == SZ_OK)
        status = sz_cce_backward(rt, arena, &in, c, &rows, 1, d);
    p->peak = sz_arena_bytes(arena);
    sz_arena_free(arena);
    return status;
}

/* Loss and gradient of hidden in double, a row of logits at a time; share: of softmax >= 2^-12. */
static sz_status materialised(const problem *p, double *loss, double *worst, double *largest,
                              double *share) {
    double *z = sz_alloc((p->n_vocab + p->dim) * sizeof *z), *want = z + p->n_vocab;
    size_t likely = 0;
    SZ_REQUIRE(z, SZ_E_NOMEM, "no memory for a row of logits");
    *loss = *worst = *largest = 0;
    for (size_t i = 0; i < p->n; i++) {
        double most = -INFINITY, sum = 0;
        for (size_t v = 0; v < p->n_vocab; v++) {
            z[v] = p->bias ? (double)p->bias[v] : 0;
            for (size_t k = 0; k < p->dim; k++)
                z[v] += (double)p->hidden[i * p->dim + k] * (double)p->classifier[v * p->dim + k];
            most = z[v] > most ? z[v] : most;
        }
        for (size_t v = 0; v < p->n_vocab; v++)
            sum += sz_exp(z[v] - most);
        double lse = most + sz_log(sum);
        *loss += (lse - z[p->targets[i]]) / (double)p->n;
        for (size_t v = 0; v < p->n_vocab; v++) {
            z[v] = sz_exp(z[v] - lse);
            likely += z[v] >= 0x1p-12;
            z[v] = (z[v] - ((int32_t)v == p->targets[i])) / (double)p->n;
        }
        memset(want, 0, p->dim * sizeof *want);
        for (size_t v = 0; v < p->n_vocab; v++)
            for (size_t k = 0; k < p->dim; k++)
                want[k] += z[v] * (double)p->classifier[v * p->dim + k];
        for (size_t k = 0; k < p->dim; k++) {
            double off = fabs(want[k] - (double)p->d_hidden[i * p->dim + k]);
            *worst = off > *worst ? off : *worst;
            *largest = fabs(want[k]) > *largest ? fabs(want[k]) : *largest;
        }
    }
    *share = (double)likely / (double)(p->n * p->n_vocab);
    sz_free(z);
    return SZ_OK;
}

static double farthest(const problem *p, double *relative) {
    double worst = 0, square = 0, whole = 0;
    for (size_t i = 0; i < p->n * p->dim; i++) {
        double off = (double)p->d_hidden[i] - (double)p->exact[i];
        worst = fabs(off) > worst ? fabs(off) : worst;
        square += off * off;
        whole += (double)p->exact[i] * (double)p->exact[i];
    }
    *relative = sqrt(square / whole);
    return worst;
}

/* The same classes in a random order. */
static void permute(problem *p, uint64_t seed) {
    for (size_t v = p->n_vocab; v-- > 1;) {
        size_t u = (size_t)(sz_uniform(seed, 5, v) * (double)(v + 1));
        for (size_t k = 0; k < p->dim; k++) {
            float swap = p->classifier[v * p->dim + k];
            p->classifier[v * p->dim + k] = p->classifier[u * p->dim + k];
            p->classifier[u * p->dim + k] = swap;
        }
        for (size_t i = 0; i < p->n; i++)
            p->targets[i] = p->targets[i] == (int32_t)v   ? (int32_t)u
                            : p->targets[i] == (int32_t)u ? (int32_t)v
                                                          : p->targets[i];
    }
}

static sz_status examine(sz_repro_run *run, sz_runtime *rt, problem *p, bool real) {
    sz_cce_config c = {0};
    sz_cce_gradients d;
    sz_cce_result r;
    double loss, worst, largest, share, relative, kept[3];
    SZ_TRY(run_loss(rt, p, &c, &d, &r));
    SZ_TRY(materialised(p, &loss, &worst, &largest, &share));
    sz_repro_check(run, "", fabs(r.loss - loss) / loss, "<=", 1e-6,
                   "loss beside a materialised one in double");
    sz_repro_check(run, "", worst / largest, "<=", 2e-6,
                   "gradient of the states, the largest difference beside the largest entry");
    sz_repro_check(run, real ? "1 MB beside 24,000" : "", (double)p->peak / 1e6,
                   "<=", 8 + 4e-6 * (double)(p->n + p->n_vocab),
                   "memory of loss and gradient beside their results, MB (logits: %.0f MB)",
                   4e-6 * (double)(p->n * p->n_vocab));
    if (real)
        sz_repro_check(run, "< 0.0002", share, "<=", 0.05, "softmax entries of 2^-12 and more");
    memcpy(p->exact, p->d_hidden, p->n * p->dim * sizeof(float));
    c.filter_eps = 0x1p-12f;
    c.tile_rows = real ? 0 : 16;
    c.tile_columns = real ? 0 : 64;
    SZ_TRY(run_loss(rt, p, &c, &d, &r));
    kept[1] = (double)d.tiles_kept / (double)d.tiles;
    worst = farthest(p, &relative);
    sz_repro_check(run, "", worst / d.bound, "<=", 1, "filter: error over its certificate");
    sz_repro_check(run, "", relative, "<=", 1e-2, "filter: relative error of the gradient");
    c.sort = true;
    SZ_TRY(run_loss(rt, p, &c, &d, &r));
    kept[0] = (double)d.tiles_kept / (double)d.tiles;
    c.sort = false;
    permute(p, run->seed);
    SZ_TRY(run_loss(rt, p, &c, &d, &r));
    kept[2] = (double)d.tiles_kept / (double)d.tiles;
    sz_repro_check(run, "fewer", kept[0], "<=", kept[1], "tiles kept with sorting, and without");
    sz_repro_check(run, "more", kept[2], ">=", kept[0], "tiles kept in a random order");
    return SZ_OK;
}

static sz_status synthetic(sz_repro_run *run, sz_runtime *rt) {
    problem p;
    sz_status status = make_problem(64, 32, 4096, &p);
    for (size_t i = 0; status == SZ_OK && i < p.n * p.dim; i++)
        p.hidden[i] = 3 * (float)(sz_uniform(run->seed, 1, i) - 0.5);
    for (size_t v = 0; status == SZ_OK && v < p.n_vocab; v++) /* some classes are far out */
        for (size_t k = 0; k < p.dim; k++)
            p.classifier[v * p.dim + k] = (float)(sz_uniform(run->seed, 2, v * p.dim + k) - 0.5) *
                                          (sz_uniform(run->seed, 4, v) < 0.02 ? 8 : 1);
    for (size_t i = 0; status == SZ_OK && i < p.n; i++)
        p.targets[i] = (int32_t)(sz_uniform(run->seed, 3, i) * 4096);
    if (status == SZ_OK)
        status = examine(run, rt, &p, false);
    free_problem(&p);
    return status;
}

/* ---- A real model
 * --------------------------------------------------------------------------------
 */

typedef struct states {
    const sz_model *m;
    float *to;
    size_t n;
} states;

static bool take_states(void *user, sz_tap_kind kind, uint32_t layer, const float *data,
                        size_t n_rows, size_t n_cols) {
    states *s = user;
    if (kind != SZ_TAP_HIDDEN || layer + 1 != s->m->h.n_layer)
        return false;
    for (size_t i = 0; data && i < n_rows; i++, s->n++)
        sz_runtime_kernels(s->m->rt)->rms_norm(data + i * n_cols, s->m->output_norm->data,
                                               s->m->h.rms_eps, n_cols, s->to + s->n * n_cols);
    return true;
}

static sz_status load_states(sz_model *m, const int32_t *ids, problem *p) {
    sz_session *s;
    states taken = {m, p->hidden, 0};
    sz_session_config config = {.size = sizeof config, .context = (uint32_t)p->n, .n_sequences = 1};
    SZ_TRY(sz_session_new(m, &config, &s));
    sz_session_set_tap(s, take_states, &taken);
    sz_status status = sz_session_prompt_ids(s, 0, ids, p->n);
    sz_session_free(s);
    SZ_TRY(status);
    SZ_REQUIRE(taken.n == p->n, SZ_E_STATE, "%zu states of %zu", taken.n, p->n);
    for (size_t v = 0; v < p->n_vocab; v++)
        sz_matrix_decode_row(sz_runtime_kernels(m->rt), &m->head.matrix, v,
                             p->classifier + v * p->dim);
    memcpy(p->targets, ids + 1, p->n * sizeof *ids);
    return SZ_OK;
}

static sz_status real_model(sz_repro_run *run, sz_runtime *rt) {
    enum { TOKENS = 96 };
    char *path;
    sz_model *m;
    sz_buf text = {0};
    int32_t *ids = NULL;
    size_t n = 0;
    problem p = {0};
    SZ_REQUIRE(run->text, SZ_E_ARG, "the long form reads a text: give one with --text");
    SZ_TRY(run->find_model("smollm2", &path));
    sz_status status = sz_model_open(rt, path, NULL, &m);
    free(path);
    SZ_TRY(status);
    status = sz_file_read(run->text, 1 << 24, &text);
    if (status == SZ_OK)
        status = sz_tokenizer_encode(sz_model_tokenizer(m), text.data,
                                     text.len < 4096 ? text.len : 4096, 0, &ids, &n);
    if (status == SZ_OK && n < TOKENS + 1)
        status = sz_fail(SZ_E_ARG, "the text has %zu tokens, %d are needed", n, TOKENS + 1);
    if (status == SZ_OK)
        status = make_problem(TOKENS, m->h.n_embd, m->h.n_vocab, &p);
    if (status == SZ_OK)
        status = load_states(m, ids, &p);
    if (status == SZ_OK)
        status = examine(run, rt, &p, true);
    free_problem(&p);
    sz_free(ids);
    sz_buf_free(&text);
    sz_model_close(m);
    return status;
}

/* ---- Training with the filter
 * --------------------------------------------------------------------
 */

/* Validation loss after `steps` more from the model at `path`, which becomes what was learned. */
static sz_status learn(sz_runtime *rt, const char *path, const sz_tokens *tokens, float eps,
                       int steps, const char *to, double *nats) {
    sz_train_config c = {.batch = 4,
                         .length = 64,
                         .hold_out = 0.1,
                         .seed = 3,
                         .optimiser = {.kind = SZ_ADAMW, .clip_norm = 1},
                         .schedule = {SZ_CONSTANT, 2e-3, 0, 10, 0, 0},
                         .loss = {.filter_eps = eps, .sort = eps > 0}};
    sz_trainer *t;
    sz_train_report r;
    uint64_t n;
    SZ_TRY(sz_trainer_new(rt, path, tokens, &c, &t));
    sz_status status = SZ_OK;
    for (int i = 0; i < steps && status == SZ_OK; i++)
        status = sz_trainer_step(t, &r);
    if (status == SZ_OK)
        status = sz_trainer_validate(t, 0, nats, &n);
    if (status == SZ_OK && to)
        status = sz_trainer_export(t, NULL, false, to);
    sz_trainer_free(t);
    return status;
}

/* Sentences of a small grammar, as bytes. */
static void write_ids(uint64_t seed, int32_t *ids, size_t n) {
    static const char *const words[] = {"the ",  "heat ",   "of a ", "gas ",   "turns ",
                                        "into ", "work ",   "and ",  "a bit ", "is ",
                                        "lost ", "in the ", "box. "};
    size_t at = 0, last = 0;
    for (uint64_t i = 0; at < n; i++) {
        last = (last + 1 + (size_t)(sz_uniform(seed, 9, i) * 3)) % 13;
        for (const char *c = words[last]; *c && at < n; c++)
            ids[at++] = (unsigned char)*c;
    }
}

static sz_status fine_tuning(sz_repro_run *run, sz_runtime *rt) {
    enum { N = 40000 };
    char folder[] = "/tmp/szilard-cce-XXXXXX", start[64], tuned[64];
    int32_t *ids = sz_alloc(N * sizeof *ids);
    double base, exact, filtered;
    SZ_REQUIRE(ids && mkdtemp(folder), SZ_E_IO, "no folder for a model");
    snprintf(start, sizeof start, "%s/start.gguf", folder);
    snprintf(tuned, sizeof tuned, "%s/tuned.gguf", folder);
    write_ids(run->seed, ids, N);
    sz_tokens tokens = {ids, N, {0}};
    sz_lm_shape shape = {.n_layer = 2, .n_embd = 64, .n_head = 4, .n_ctx = 64};
    sz_status status = sz_lm_create(&shape, NULL, "small", run->seed, start);
    if (status == SZ_OK)
        status = learn(rt, start, &tokens, 0, 200, tuned, &base);
    if (status == SZ_OK)
        status = learn(rt, tuned, &tokens, 0, 300, NULL, &exact);
    if (status == SZ_OK)
        status = learn(rt, tuned, &tokens, 0x1p-12f, 300, NULL, &filtered);
    if (status == SZ_OK)
        sz_repro_check(run, "", fabs(filtered - exact), "<=", 0.01,
                       "fine-tuning with and without the filter, nats (%.3f from %.3f)", exact,
                       base);
    unlink(start);
    unlink(tuned);
    rmdir(folder);
    sz_free(ids);
    return status;
}

static sz_status run_all(sz_repro_run *run) {
    sz_runtime *rt;
    SZ_TRY(sz_runtime_new(NULL, &rt));
    sz_status status = synthetic(run, rt);
    if (status == SZ_OK && !run->smoke)
        status = fine_tuning(run, rt);
    if (status == SZ_OK && !run->smoke)
        status = real_model(run, rt);
    sz_runtime_free(rt);
    return status;
}

const sz_repro sz_repro_44 = {"44", run_all};
