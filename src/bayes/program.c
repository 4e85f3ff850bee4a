/* program.c: programs that draw and weigh: one run, one after another, and all of them. */
#include <math.h>
#include <string.h>
#include <szilard/unstable/inference.h>
#include <szilard/unstable/num.h>

size_t sz_program_choose(const sz_effects *e, const double *p, size_t n) {
    if (e->choose)
        return e->choose(e->self, p, n);
    double u = e->uniform(e->self), up_to = 0.0;
    size_t last = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(p[i] > 0.0))
            continue;
        up_to += p[i];
        last = i; /* rounding at the end of [0, 1) never finds one that cannot be */
        if (u < up_to)
            break;
    }
    return last;
}

static sz_status run(const sz_program *p, const sz_effects *e, void *state, sz_weighted *out) {
    sz_weighted w = {.output = NAN};
    SZ_TRY(p->start(p->env, state));
    for (bool done = false; !done;) {
        double score = 0.0;
        SZ_REQUIRE(w.n_steps < SZ_PROGRAM_STEPS, SZ_E_LIMIT, "the program goes on after %d steps",
                   SZ_PROGRAM_STEPS);
        SZ_TRY(p->step(p->env, state, e, &score, &done));
        SZ_REQUIRE(score < INFINITY, SZ_E_NAN, "step %zu: the log weight grows by %g", w.n_steps,
                   score);
        w.n_steps++;
        w.log_weight += score;
        if (w.log_weight == -INFINITY)
            break;
        if (done)
            w.output = p->output(p->env, state);
    }
    *out = w;
    return SZ_OK;
}

sz_status sz_program_sample(const sz_program *p, const sz_effects *e, sz_weighted *out) {
    void *state = sz_alloc(p->state_bytes);
    SZ_REQUIRE(state, SZ_E_NOMEM, "no memory for a state of %zu bytes", p->state_bytes);
    sz_status status = run(p, e, state, out);
    sz_free(state);
    return status;
}

/* ---- One after another -------------------------------------------------------------------------
 */

typedef struct bound_state {
    const sz_program *next; /* NULL: the first still runs */
    max_align_t bytes[];
} bound_state;

static sz_status start_bound(const void *env, void *state) {
    const sz_bound_program *b = env;
    bound_state *s = state;
    s->next = NULL;
    return b->first->start(b->first->env, s->bytes);
}

static sz_status step_bound(const void *env, void *state, const sz_effects *e, double *log_weight,
                            bool *done) {
    const sz_bound_program *b = env;
    bound_state *s = state;
    if (s->next)
        return s->next->step(s->next->env, s->bytes, e, log_weight, done);
    bool first_done = false;
    SZ_TRY(b->first->step(b->first->env, s->bytes, e, log_weight, &first_done));
    if (!first_done || *log_weight == -INFINITY)
        return SZ_OK;
    const sz_program *next = b->then(b->user, b->first->output(b->first->env, s->bytes));
    SZ_REQUIRE(next->state_bytes <= b->next_bytes, SZ_E_ARG,
               "a program of %zu bytes of state follows where there is room for %zu",
               next->state_bytes, b->next_bytes);
    s->next = next;
    return next->start(next->env, s->bytes);
}

static double output_bound(const void *env, const void *state) {
    const bound_state *s = state;
    return s->next->output(s->next->env, s->bytes);
}

sz_program sz_program_bind(const sz_bound_program *b) {
    size_t bytes = b->first->state_bytes > b->next_bytes ? b->first->state_bytes : b->next_bytes;
    return (sz_program){b, sizeof(bound_state) + bytes, start_bound, step_bound, output_bound};
}
