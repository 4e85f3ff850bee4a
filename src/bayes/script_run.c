/* script_run.c: a program's text as a state machine that pauses at every score. */
#include "script.h"
#include <math.h>
#include <string.h>
#include <szilard/unstable/num.h>

typedef struct state {
    uint32_t at; /* statement */
    uint32_t n_operations;
    size_t n_observed;
    double result;
    sz_script_value variable[];
} state;

static sz_status start(const void *env, void *memory) {
    const sz_script *s = env;
    state *m = memory;
    memset(m, 0, sizeof *m);
    for (size_t i = 0; i < s->n_names; i++)
        m->variable[i] = (sz_script_value){0.0, -2};
    return SZ_OK;
}

/* What a run of a simulation draws for each observation, in turn. */
typedef struct simulation {
    sz_script *s;
    const sz_effects *data; /* NULL: observations are read, not drawn */
} simulation;

static sz_status observe(const sz_script *s, const sz_script_statement *t, state *m,
                         const simulation *sim, double *log_weight) {
    sz_script_distribution d;
    sz_script_value v;
    SZ_TRY(sz_script_distribution_of(s, t, m->variable, &d));
    if (sim) {
        double x = sz_script_draw(&d, sim->data);
        return sz_script_append(&sim->s->drawn, &x, sizeof x, NULL);
    }
    SZ_TRY(sz_script_evaluate(s, t->expression, m->variable, &v));
    SZ_REQUIRE(v.array == -1, SZ_E_ARG, "an array stands where a number belongs");
    if (s->data)
        v.x = m->n_observed < s->n_data ? s->data[m->n_observed] : NAN;
    m->n_observed++;
    SZ_REQUIRE(v.x == v.x, SZ_E_NAN, "the observed value is NaN");
    *log_weight = sz_script_log_density(&d, v.x);
    return SZ_OK;
}

static sz_status score(const sz_script_statement *t, const sz_script_value *v, double *log_weight) {
    double x = v->x;
    SZ_REQUIRE(v->array == -1, SZ_E_ARG, "an array stands where a number belongs");
    if (t->verb == SZ_DO_SCORE) {
        SZ_REQUIRE(x >= 0.0 && x < INFINITY, SZ_E_NAN, "the score is %g, not a weight", x);
        x = x > 0.0 ? sz_log(x) : -INFINITY;
    }
    SZ_REQUIRE(x < INFINITY, SZ_E_NAN, "the log of a score is %g", x);
    *log_weight = x;
    return SZ_OK;
}

static sz_status execute(const sz_script *s, const sz_script_statement *t, state *m,
                         const sz_effects *e, const simulation *sim, double *log_weight) {
    sz_script_value v = {0.0, -1};
    sz_script_distribution d;
    m->at++;
    if (t->verb == SZ_DO_OBSERVE)
        return observe(s, t, m, sim, log_weight);
    if (t->expression >= 0)
        SZ_TRY(sz_script_evaluate(s, t->expression, m->variable, &v));
    switch (t->verb) {
    case SZ_DO_SET:
        m->variable[t->name] = v;
        return SZ_OK;
    case SZ_DO_DRAW:
        SZ_TRY(sz_script_distribution_of(s, t, m->variable, &d));
        m->variable[t->name] = (sz_script_value){sz_script_draw(&d, e), -1};
        return SZ_OK;
    case SZ_DO_JUMP:
        m->at = (uint32_t)t->target;
        return SZ_OK;
    case SZ_DO_JUMP_UNLESS:
        SZ_REQUIRE(v.array == -1 && v.x == v.x, SZ_E_NAN, "the condition is not a number");
        if (v.x == 0.0)
            m->at = (uint32_t)t->target;
        return SZ_OK;
    case SZ_DO_RETURN:
        SZ_REQUIRE(v.array == -1 && v.x == v.x, SZ_E_NAN, "what is returned is not a number");
        m->result = v.x;
        return SZ_OK;
    default:
        return score(t, &v, log_weight);
    }
}

static bool weighs(sz_script_verb verb) {
    return verb == SZ_DO_SCORE || verb == SZ_DO_LOG_SCORE || verb == SZ_DO_OBSERVE;
}

/* Up to the next score, or to the end. */
static sz_status run_on(const sz_script *s, state *m, const sz_effects *e, const simulation *sim,
                        double *log_weight, bool *done) {
    for (;;) {
        SZ_REQUIRE(m->at < s->statements.n, SZ_E_STATE, "the program ends without 'return'");
        const sz_script_statement *t = &sz_script_statements(s)[m->at];
        SZ_REQUIRE(m->n_operations++ < SZ_SCRIPT_OPERATIONS, SZ_E_LIMIT,
                   "line %u: the program runs for more than %d statements", t->line,
                   SZ_SCRIPT_OPERATIONS);
        sz_status status = execute(s, t, m, e, sim, log_weight);
        if (status != SZ_OK)
            return sz_fail_within(status, "line %u", t->line);
        *done = t->verb == SZ_DO_RETURN;
        if (*done || weighs(t->verb))
            return SZ_OK;
    }
}

static sz_status step(const void *env, void *memory, const sz_effects *e, double *log_weight,
                      bool *done) {
    return run_on(env, memory, e, NULL, log_weight, done);
}

static double output(const void *env, const void *memory) {
    (void)env;
    return ((const state *)memory)->result;
}

sz_program sz_script_program(const sz_script *s) {
    return (sz_program){s, sizeof(state) + s->n_names * sizeof(sz_script_value), start, step,
                        output};
}

/* ---- Data drawn from the program ---------------------------------------------------------------
 */

typedef struct latent {
    const sz_effects *e;
    sz_script_list draws;
    sz_status status;
} latent;

static double draw_latent(void *self) {
    latent *l = self;
    double u = l->e->uniform(l->e->self);
    if (l->status == SZ_OK)
        l->status = sz_script_append(&l->draws, &u, sizeof u, NULL);
    return u;
}

static sz_status simulate(sz_script *s, latent *l, state *m) {
    simulation sim = {s, l->e};
    sz_effects e = {l, draw_latent, NULL};
    s->drawn.n = 0;
    SZ_TRY(start(s, m));
    for (bool done = false; !done;) {
        double log_weight = 0.0;
        SZ_TRY(run_on(s, m, &e, &sim, &log_weight, &done));
        SZ_TRY(l->status);
    }
    return SZ_OK;
}

sz_status sz_script_simulate(void *script, const sz_effects *e, sz_trace *truth,
                             sz_program *given) {
    sz_script *s = script;
    SZ_REQUIRE(!s->scores, SZ_E_UNSUPPORTED,
               "a program with 'score' does not say how its data come about");
    latent l = {.e = e};
    sz_program p = sz_script_program(s);
    state *m = sz_alloc(p.state_bytes);
    if (!s->observed)
        s->observed = sz_alloc(sizeof *s->observed);
    sz_status status =
        m && s->observed ? simulate(s, &l, m) : sz_fail(SZ_E_NOMEM, "no memory for a simulation");
    if (status == SZ_OK) {
        *s->observed = *s;
        s->observed->data = s->drawn.v;
        s->observed->n_data = s->drawn.n;
        *given = sz_script_program(s->observed);
        sz_free(truth->u);
        *truth = (sz_trace){l.draws.v, l.draws.n, l.draws.cap, {.output = m->result}};
    } else {
        sz_free(l.draws.v);
    }
    sz_free(m);
    return status;
}
