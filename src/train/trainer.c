/* trainer.c: batches in, steps out. Which windows of the tokens a step sees follows from its number
 * and the seed. */
#include "trainer.h"

#include <math.h>
#include <string.h>

/* ---- Making
 * --------------------------------------------------------------------------------------
 */

static sz_status complete(sz_train_config *c, const sz_hparams *h) {
    c->batch = c->batch ? c->batch : 8;
    c->accumulate = c->accumulate ? c->accumulate : 1;
    c->length = c->length ? c->length : h->n_ctx_train < 256 ? h->n_ctx_train : 256;
    c->schedule.peak = c->schedule.peak > 0 ? c->schedule.peak : 1e-3;
    SZ_REQUIRE(c->length <= h->n_ctx_train, SZ_E_ARG,
               "windows of %u tokens are longer than the model's context of %u", c->length,
               h->n_ctx_train);
    SZ_REQUIRE(c->batch <= 65536 && c->accumulate <= 65536 && c->length >= 2, SZ_E_ARG,
               "a batch of %u windows of %u tokens, %u times", c->batch, c->length, c->accumulate);
    SZ_REQUIRE(c->hold_out >= 0 && c->hold_out < 1, SZ_E_ARG, "a share of %g cannot be held out",
               c->hold_out);
    SZ_REQUIRE(c->loss.shift == 0, SZ_E_ARG, "targets are shifted already");
    return SZ_OK;
}

static sz_status check_tokens(sz_trainer *t, const sz_hparams *h) {
    const sz_tokens *k = &t->tokens;
    uint64_t length = t->config.length;
    SZ_REQUIRE(k->n > length, SZ_E_ARG, "%llu tokens are too few for a window of %llu and one more",
               (unsigned long long)k->n, (unsigned long long)length);
    for (uint64_t i = 0; i < k->n; i++)
        SZ_REQUIRE(
            k->ids[i] >= 0 && (uint32_t)k->ids[i] < h->n_vocab, SZ_E_ARG,
            "token %d at place %llu is not in the vocabulary of %u: the tokens were made with "
            "another tokenizer",
            k->ids[i], (unsigned long long)i, h->n_vocab);
    uint64_t all = (k->n - 1) / length;
    t->n_held = (uint64_t)((double)all * t->config.hold_out);
    t->n_held += t->config.hold_out > 0 && t->n_held == 0 && all > 1;
    t->n_windows = all - t->n_held;
    return SZ_OK;
}

static sz_status take_memory(sz_trainer *t) {
    size_t n = (size_t)t->config.batch * t->config.length;
    t->ids = sz_calloc(n, sizeof *t->ids);
    t->targets = sz_calloc(n, sizeof *t->targets);
    t->position = sz_calloc(n, sizeof *t->position);
    t->first = sz_calloc(n, sizeof *t->first);
    SZ_REQUIRE(t->ids && t->targets && t->position && t->first, SZ_E_NOMEM,
               "no memory for a batch of %zu tokens", n);
    return sz_arena_new(16 << 20, &t->arena);
}

static sz_status open_parts(sz_trainer *t, const char *model) {
    SZ_TRY(sz_model_open_learning(t->rt, model, &t->model));
    SZ_TRY(complete(&t->config, &t->model->h));
    SZ_TRY(check_tokens(t, &t->model->h));
    SZ_TRY(take_memory(t));
    return sz_optimiser_new(t->rt, &t->config.optimiser, t->model->learned, t->model->n_learned,
                            &t->optimiser);
}

sz_status sz_trainer_new(sz_runtime *rt, const char *model, const sz_tokens *tokens,
                         const sz_train_config *config, sz_trainer **out) {
    sz_trainer *t = sz_calloc(1, sizeof *t);
    SZ_REQUIRE(t, SZ_E_NOMEM, "no memory for a trainer");
    *t = (sz_trainer){.rt = rt, .tokens = *tokens, .config = *config};
    sz_status status = open_parts(t, model);
    if (status == SZ_OK)
        *out = t;
    else
        sz_trainer_free(t);
    return status;
}

void sz_trainer_free(sz_trainer *t) {
    if (!t)
        return;
    sz_optimiser_free(t->optimiser);
    sz_model_close(t->model);
    sz_arena_free(t->arena);
    void *arrays[] = {t->ids, t->targets, t->position, t->first};
    for (size_t i = 0; i < 4; i++)
        sz_free(arrays[i]);
    sz_free(t);
}

uint64_t sz_trainer_steps(const sz_trainer *t) {
    return t->steps;
}
uint64_t sz_trainer_n_parameters(const sz_trainer *t) {
    return t->model->n_params;
}
uint64_t sz_trainer_epoch_steps(const sz_trainer *t) {
    uint64_t per_step = (uint64_t)t->config.batch * t->config.accumulate;
    return (t->n_windows + per_step - 1) / per_step;
}

/* ---- Batches
 * -------------------------------------------------------------------------------------
 */

/* A window into row `b` of the batch. An end of text begins what follows it. */
static void load_window(sz_trainer *t, uint32_t b, uint64_t window) {
    uint32_t length = t->config.length, start = 0;
    const int32_t *from = t->tokens.ids + window * length;
    int32_t end = sz_tokenizer_eos(t->model->tokenizer);
    for (uint32_t i = 0; i < length; i++) {
        size_t at = (size_t)b * length + i;
        start = from[i] == end && !t->config.join_documents ? i : start;
        t->ids[at] = from[i];
        t->targets[at] = from[i + 1];
        t->position[at] = i;
        t->first[at] = start;
    }
}

static void load_batch(sz_trainer *t, uint32_t round) {
    uint64_t batch = t->config.batch;
    uint64_t at = (t->steps * t->config.accumulate + round) * batch;
    for (uint32_t b = 0; b < batch; b++, at++)
        load_window(t, b,
                    sz_shuffle(t->config.seed, at / t->n_windows, t->n_windows, at % t->n_windows));
}

/* ---- Passes
 * --------------------------------------------------------------------------------------
 */

typedef struct layer_call { /* of a checkpoint */
    const sz_model *m;
    sz_pass *pass;
    uint32_t layer;
} layer_call;

static sz_tensor *run_layer(sz_graph *g, void *context, sz_tensor *x) {
    const layer_call *c = context;
    return c->m->architecture->layer(g, c->m, c->layer, c->pass, x);
}

/* Hidden states of the batch, layers forgotten and computed again where asked for. */
static sz_tensor *hidden_states(sz_trainer *t, sz_graph *g, sz_pass *pass) {
    const sz_model *m = t->model;
    if (!t->config.checkpoint || g->mode == SZ_RUN)
        return sz_model_forward(g, m, pass, false);
    layer_call *calls = sz_arena_alloc(g->arena, m->h.n_layer * sizeof *calls);
    sz_tensor *x = sz_model_begin(g, m, pass);
    for (uint32_t i = 0; calls && i < m->h.n_layer && g->status == SZ_OK; i++) {
        calls[i] = (layer_call){m, pass, i};
        x = sz_checkpoint(g, run_layer, &calls[i], x);
    }
    return sz_rms_norm(g, x, m->output_norm, m->h.n_embd, m->h.rms_eps);
}

static sz_tensor *loss_of(sz_trainer *t, sz_graph *g, sz_pass *pass, uint32_t n_rows,
                          sz_cce_result *r) {
    *pass = (sz_pass){.n = (size_t)n_rows * t->config.length,
                      .length = t->config.length,
                      .ids = t->ids,
                      .position = t->position,
                      .first = t->first};
    sz_tensor *x = hidden_states(t, g, pass);
    const sz_weight *head = &t->model->head;
    return sz_cut_cross_entropy(g, x, head->values, head->bias, t->targets, &t->config.loss, r);
}

static void clear_gradients(sz_trainer *t) {
    for (size_t i = 0; i < t->model->n_learned; i++) {
        sz_tensor *p = t->model->learned[i].tensor;
        memset(p->grad, 0, p->n_rows * p->n_cols * sizeof(float));
    }
}

/* Adds a round's share to the gradients. */
static sz_status run_round(sz_trainer *t, uint32_t round, double *loss) {
    sz_graph g;
    sz_pass pass;
    sz_cce_result r = {0};
    load_batch(t, round);
    sz_arena_reset(t->arena);
    sz_graph_begin(&g, t->rt, t->arena, SZ_RECORD);
    sz_tensor *l = loss_of(t, &g, &pass, t->config.batch, &r);
    if (t->config.accumulate > 1)
        l = sz_scale(&g, l, 1.0f / (float)t->config.accumulate);
    SZ_TRY(g.status);
    SZ_REQUIRE(r.loss - r.loss == 0, SZ_E_NAN,
               "the loss of step %llu is not finite: the learning rate may be too high",
               (unsigned long long)t->steps + 1);
    SZ_TRY(sz_graph_backward(&g, l));
    *loss += r.loss / t->config.accumulate;
    size_t bytes = sz_graph_bytes(&g);
    t->arena_bytes = bytes > t->arena_bytes ? bytes : t->arena_bytes;
    return SZ_OK;
}

sz_status sz_trainer_step(sz_trainer *t, sz_train_report *out) {
    sz_train_report r = {.rate = sz_schedule_at(&t->config.schedule, t->steps)};
    sz_status status = SZ_OK;
    for (uint32_t i = 0; i < t->config.accumulate && status == SZ_OK; i++)
        status = run_round(t, i, &r.loss);
    if (status == SZ_OK)
        status = sz_optimiser_step(t->optimiser, r.rate, &r.norm);
    if (status != SZ_OK) {
        clear_gradients(t);
        return status;
    }
    r.step = ++t->steps;
    r.n_tokens = (uint64_t)t->config.batch * t->config.length * t->config.accumulate;
    r.arena_bytes = t->arena_bytes;
    *out = r;
    return SZ_OK;
}

sz_status sz_trainer_validate(sz_trainer *t, uint64_t most, double *nats, uint64_t *n_tokens) {
    uint64_t n = t->n_held ? t->n_held : t->n_windows, from = t->n_held ? t->n_windows : 0;
    const sz_cce_config plain = {.softcap = t->config.loss.softcap}, own = t->config.loss;
    double sum = 0;
    sz_status status = SZ_OK;
    n = most && most < n ? most : n;
    t->config.loss = plain;
    for (uint64_t at = 0; at < n && status == SZ_OK; at += t->config.batch) {
        uint32_t rows = n - at < t->config.batch ? (uint32_t)(n - at) : t->config.batch;
        sz_graph g;
        sz_pass pass;
        sz_cce_result r = {0};
        for (uint32_t b = 0; b < rows; b++)
            load_window(t, b, from + at + b);
        sz_arena_reset(t->arena);
        sz_graph_begin(&g, t->rt, t->arena, SZ_RUN);
        loss_of(t, &g, &pass, rows, &r);
        status = g.status;
        sum += r.loss * rows;
    }
    t->config.loss = own;
    *nats = sum / (double)n;
    *n_tokens = n * t->config.length;
    return status;
}

sz_status sz_trainer_export(const sz_trainer *t, const char *name, bool average, const char *path) {
    const float **values = NULL;
    if (average && t->config.optimiser.ema_decay > 0) {
        values = sz_calloc(t->model->n_learned, sizeof *values);
        SZ_REQUIRE(values, SZ_E_NOMEM, "no memory for a list of tensors");
        for (size_t i = 0; i < t->model->n_learned; i++)
            values[i] = sz_optimiser_average(t->optimiser, i);
    }
    sz_status status = sz_model_save_learned(t->model, name, values, path);
    sz_free(values);
    return status;
}
