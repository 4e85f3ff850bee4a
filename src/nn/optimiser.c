/* optimiser.c: gradients to steps. Work is cut into chunks of one parameter, whose size does not
 * depend on anything, so that sums have one order. */
#include "optimiser.h"

#include <math.h>
#include <string.h>

/* ---- Making
 * --------------------------------------------------------------------------------------
 */

static sz_status check(const sz_optimiser_config *c) {
    SZ_REQUIRE(c->kind <= SZ_MUON, SZ_E_ARG, "there is no optimiser number %d", (int)c->kind);
    SZ_REQUIRE(c->beta1 >= 0 && c->beta1 < 1, SZ_E_ARG, "beta1 is %g, not in [0, 1)", c->beta1);
    SZ_REQUIRE(c->beta2 >= 0 && c->beta2 < 1, SZ_E_ARG, "beta2 is %g, not in [0, 1)", c->beta2);
    SZ_REQUIRE(c->eps >= 0 && c->eps < 1, SZ_E_ARG, "eps is %g, not in [0, 1)", c->eps);
    SZ_REQUIRE(c->weight_decay >= 0 && c->weight_decay < INFINITY, SZ_E_ARG, "weight decay is %g",
               c->weight_decay);
    SZ_REQUIRE(c->clip_norm >= 0, SZ_E_ARG, "the gradient is clipped to %g", c->clip_norm);
    SZ_REQUIRE(c->ema_decay >= 0 && c->ema_decay < 1, SZ_E_ARG, "the average's decay is %g",
               c->ema_decay);
    return SZ_OK;
}

static double otherwise(double given, double usual) {
    return given > 0 ? given : usual;
}

static void fill_in(sz_optimiser_config *c) {
    bool lion = c->kind == SZ_LION, sgd = c->kind == SZ_SGD;
    c->beta1 = sgd ? c->beta1 : otherwise(c->beta1, c->kind == SZ_MUON ? 0.95 : 0.9);
    c->beta2 = otherwise(c->beta2, lion ? 0.99 : 0.999);
    c->eps = otherwise(c->eps, c->kind == SZ_ADAFACTOR ? 1e-30 : 1e-8);
}

/* Bytes of the two pieces of state that a parameter has. */
static void sizes_of_state(const sz_optimiser *o, const slot *s, size_t bytes[2]) {
    size_t n = s->n, blocks = (n + SZ_MOMENT_BLOCK - 1) / SZ_MOMENT_BLOCK;
    bytes[0] = bytes[1] = n * sizeof(float);
    switch (s->rule) {
    case SZ_SGD:
        bytes[0] = o->config.beta1 > 0 ? bytes[0] : 0;
        bytes[1] = 0;
        break;
    case SZ_LION:
    case SZ_MUON:
        bytes[1] = 0;
        break;
    case SZ_ADAMW8:
        bytes[0] = bytes[1] = blocks * (sizeof(float) + SZ_MOMENT_BLOCK);
        break;
    case SZ_ADAFACTOR: /* rows, then columns; or everything */
        bytes[0] = s->factored ? s->n_rows * sizeof(float) : bytes[0];
        bytes[1] = s->factored ? s->n_cols * sizeof(float) : 0;
        break;
    case SZ_ADAMW:
        break;
    }
}

static sz_status add_slot(sz_optimiser *o, const sz_learned *p) {
    const sz_tensor *t = p->tensor;
    slot *s = &o->slots[o->n];
    SZ_REQUIRE(t->data && t->grad, SZ_E_ARG, "%s has no gradient to learn from", p->name);
    *s = (slot){.p = *p, .n = t->n_rows * t->n_cols, .n_rows = t->n_rows, .n_cols = t->n_cols};
    s->factored = p->matrix && t->n_rows > 1 && t->n_cols > 1;
    s->rule = o->config.kind == SZ_MUON && !s->factored ? SZ_ADAMW : o->config.kind;
    size_t bytes[3];
    sizes_of_state(o, s, bytes);
    bytes[2] = o->config.ema_decay > 0 ? s->n * sizeof(float) : 0;
    for (int i = 0; i < 3; i++) {
        s->state[i] = bytes[i] ? sz_calloc(1, bytes[i]) : NULL;
        s->bytes[i] = bytes[i];
        SZ_REQUIRE(s->state[i] || !bytes[i], SZ_E_NOMEM, "no memory for the state of %s", p->name);
        o->bytes += bytes[i];
    }
    if (s->state[2])
        memcpy(s->state[2], t->data, s->n * sizeof(float));
    o->n++;
    o->n_chunks += (s->n + SZ_STEP_CHUNK - 1) / SZ_STEP_CHUNK;
    return SZ_OK;
}

static sz_status make_chunks(sz_optimiser *o) {
    size_t at = 0;
    o->chunks = sz_alloc((o->n_chunks + 1) * sizeof *o->chunks);
    o->squares = sz_alloc((o->n_chunks + 1) * sizeof *o->squares);
    SZ_REQUIRE(o->chunks && o->squares, SZ_E_NOMEM, "no memory for %zu chunks", o->n_chunks);
    for (size_t i = 0; i < o->n; i++)
        for (size_t first = 0; first < o->slots[i].n; first += SZ_STEP_CHUNK) {
            size_t left = o->slots[i].n - first;
            o->chunks[at++] =
                (chunk){&o->slots[i], first, left < SZ_STEP_CHUNK ? left : SZ_STEP_CHUNK};
        }
    return SZ_OK;
}

sz_status sz_optimiser_new(sz_runtime *rt, const sz_optimiser_config *config,
                           const sz_learned *parameters, size_t n, sz_optimiser **out) {
    SZ_TRY(check(config));
    sz_optimiser *o = sz_calloc(1, sizeof *o);
    SZ_REQUIRE(o, SZ_E_NOMEM, "no memory for an optimiser");
    *o = (sz_optimiser){.kernels = sz_runtime_kernels(rt), .pool = sz_runtime_pool(rt)};
    o->config = *config;
    fill_in(&o->config);
    o->slots = sz_calloc(n + 1, sizeof *o->slots);
    sz_status status = o->slots ? sz_arena_new(1 << 20, &o->arena)
                                : sz_fail(SZ_E_NOMEM, "no memory for an optimiser");
    for (size_t i = 0; i < n && status == SZ_OK; i++)
        status = add_slot(o, &parameters[i]);
    if (status == SZ_OK)
        status = make_chunks(o);
    if (status == SZ_OK)
        *out = o;
    else
        sz_optimiser_free(o);
    return status;
}

void sz_optimiser_free(sz_optimiser *o) {
    if (!o)
        return;
    for (size_t i = 0; o->slots && i <= o->n; i++)
        for (int k = 0; k < 3; k++)
            sz_free(o->slots[i].state[k]);
    sz_free(o->slots);
    sz_free(o->chunks);
    sz_free(o->squares);
    sz_arena_free(o->arena);
    sz_free(o);
}

/* ---- Steps
 * ---------------------------------------------------------------------------------------
 */

static void square_chunk(void *context, size_t task, int thread) {
    sz_optimiser *o = context;
    const chunk *c = &o->chunks[task];
    const float *g = c->s->p.tensor->grad + c->first;
    o->squares[task] = (double)o->kernels->dot(g, g, c->n);
}

/* Elements whose rule looks at nothing else. */
static void step_chunk(void *context, size_t task, int thread) {
    const sz_optimiser *o = context;
    const chunk *c = &o->chunks[task];
    switch (c->s->rule) {
    case SZ_SGD:
        sz_step_sgd(o, c);
        break;
    case SZ_ADAMW:
        sz_step_adamw(o, c);
        break;
    case SZ_ADAMW8:
        sz_step_adamw8(o, c);
        break;
    case SZ_LION:
        sz_step_lion(o, c);
        break;
    default: /* Muon and Adafactor move a parameter at once */
        break;
    }
}

static void finish_chunk(void *context, size_t task, int thread) {
    const sz_optimiser *o = context;
    const chunk *c = &o->chunks[task];
    const float *p = c->s->p.tensor->data + c->first;
    float *average = c->s->state[2], keep = (float)o->config.ema_decay;
    memset(c->s->p.tensor->grad + c->first, 0, c->n * sizeof(float));
    for (size_t i = 0; average && i < c->n; i++)
        average[c->first + i] = keep * average[c->first + i] + (1 - keep) * p[i];
}

static sz_status measure_gradient(sz_optimiser *o, double *norm) {
    double sum = 0;
    sz_pool_run(o->pool, square_chunk, o, o->n_chunks);
    for (size_t i = 0; i < o->n_chunks; i++) {
        SZ_REQUIRE(o->squares[i] - o->squares[i] == 0, SZ_E_NAN, "the gradient of %s is not finite",
                   o->chunks[i].s->p.name);
        sum += o->squares[i];
    }
    *norm = sqrt(sum);
    double clip = o->config.clip_norm;
    o->scale = clip > 0 && *norm > clip ? (float)(clip / *norm) : 1;
    return SZ_OK;
}

sz_status sz_optimiser_step(sz_optimiser *o, double rate, double *norm) {
    SZ_REQUIRE(rate >= 0 && rate < INFINITY, SZ_E_ARG, "the learning rate is %g", rate);
    SZ_TRY(measure_gradient(o, norm));
    o->steps++;
    o->rate = (float)rate;
    o->decay = (float)(1 - rate * o->config.weight_decay);
    sz_pool_run(o->pool, step_chunk, o, o->n_chunks);
    for (size_t i = 0; i < o->n; i++) {
        if (o->slots[i].rule == SZ_MUON)
            SZ_TRY(sz_step_muon(o, &o->slots[i]));
        else if (o->slots[i].rule == SZ_ADAFACTOR)
            SZ_TRY(sz_step_adafactor(o, &o->slots[i]));
    }
    sz_pool_run(o->pool, finish_chunk, o, o->n_chunks);
    return SZ_OK;
}

/* ---- State
 * ---------------------------------------------------------------------------------------
 */

const float *sz_optimiser_average(const sz_optimiser *o, size_t i) {
    return i < o->n ? o->slots[i].state[2] : NULL;
}
size_t sz_optimiser_bytes(const sz_optimiser *o) {
    return o->bytes;
}
uint64_t sz_optimiser_steps(const sz_optimiser *o) {
    return o->steps;
}
void sz_optimiser_set_steps(sz_optimiser *o, uint64_t steps) {
    o->steps = steps;
}
size_t sz_optimiser_n_pieces(const sz_optimiser *o) {
    return 3 * o->n;
}
void *sz_optimiser_piece(sz_optimiser *o, size_t i, size_t *bytes) {
    *bytes = o->slots[i / 3].bytes[i % 3];
    return o->slots[i / 3].state[i % 3];
}
