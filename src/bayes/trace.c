/* trace.c: runs that can be replayed from their uniforms, and single-site moves on them. */
#include <math.h>
#include <string.h>
#include <szilard/unstable/inference.h>
#include <szilard/unstable/num.h>

void sz_trace_free(sz_trace *t) {
    sz_free(t->u);
    *t = (sz_trace){0};
}

/* ---- Replay ------------------------------------------------------------------------------------
 */

typedef struct tape {
    const double *u; /* [n] to be read first */
    size_t n;
    const sz_move_source *source; /* what follows; NULL: nothing may */
    sz_trace *out;
    bool ran_out, no_memory;
} tape;

static bool keep(sz_trace *t, double u) {
    if (t->n == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 16;
        double *more = sz_realloc(t->u, t->cap * sizeof *more, cap * sizeof *more);
        if (!more)
            return false;
        t->u = more;
        t->cap = cap;
    }
    t->u[t->n++] = u;
    return true;
}

static double read_tape(void *self) {
    tape *t = self;
    size_t at = t->out->n;
    double u = 0.5;
    if (at < t->n)
        u = t->u[at];
    else if (t->source)
        u = t->source->fresh(t->source->self, at);
    else
        t->ran_out = true;
    if (!t->ran_out && !t->no_memory)
        t->no_memory = !keep(t->out, u);
    return u;
}

static sz_status check_tape(const tape *t) {
    SZ_REQUIRE(!t->ran_out, SZ_E_ARG, "the trace ends: the program draws at position %zu", t->n);
    SZ_REQUIRE(!t->no_memory, SZ_E_NOMEM, "no memory for a trace of %zu draws", t->out->n);
    return SZ_OK;
}

static sz_status run_segments(const sz_program *p, tape *t, size_t n_segments, void *state) {
    sz_effects e = {t, read_tape, NULL};
    sz_weighted w = {.output = NAN};
    SZ_TRY(p->start(p->env, state));
    for (bool done = false; !done && w.n_steps < n_segments && w.log_weight > -INFINITY;) {
        double score = 0.0;
        SZ_REQUIRE(w.n_steps < SZ_PROGRAM_STEPS, SZ_E_LIMIT, "the program goes on after %d steps",
                   SZ_PROGRAM_STEPS);
        sz_status status = p->step(p->env, state, &e, &score, &done);
        SZ_TRY(check_tape(t));
        SZ_TRY(status);
        SZ_REQUIRE(score < INFINITY, SZ_E_NAN, "step %zu: the log weight grows by %g", w.n_steps,
                   score);
        w.n_steps++;
        w.log_weight += score;
        if (done && w.log_weight > -INFINITY)
            w.output = p->output(p->env, state);
    }
    t->out->run = w;
    return SZ_OK;
}

static sz_status replay(const sz_program *p, tape *t, size_t n_segments, void *state) {
    void *own = state ? NULL : sz_alloc(p->state_bytes);
    SZ_REQUIRE(state || own, SZ_E_NOMEM, "no memory for a state of %zu bytes", p->state_bytes);
    t->out->n = 0;
    sz_status status = run_segments(p, t, n_segments, state ? state : own);
    sz_free(own);
    return status;
}

sz_status sz_trace_replay(const sz_program *p, const double *u, size_t n, size_t n_segments,
                          const sz_move_source *source, void *state, sz_trace *out) {
    tape t = {.u = u, .n = n, .source = source, .out = out};
    return replay(p, &t, n_segments, state);
}

sz_status sz_trace_density(const sz_program *p, const double *u, size_t n, sz_weighted *out) {
    sz_trace made = {0};
    tape t = {.u = u, .n = n, .out = &made};
    sz_status status = replay(p, &t, SIZE_MAX, NULL);
    if (status == SZ_OK && made.n < n && made.run.log_weight > -INFINITY)
        status =
            sz_fail(SZ_E_ARG, "the program ends after %zu draws: the trace has %zu", made.n, n);
    if (status == SZ_OK)
        *out = made.run;
    sz_trace_free(&made);
    return status;
}

sz_status sz_trace_draw(const sz_program *p, const sz_move_source *source, size_t max_tries,
                        sz_trace *out) {
    for (size_t i = 0; i < max_tries; i++) {
        SZ_TRY(sz_trace_replay(p, NULL, 0, SIZE_MAX, source, NULL, out));
        if (out->run.log_weight > -INFINITY)
            return SZ_OK;
    }
    return sz_fail(SZ_E_STATE, "%zu runs of the program were all rejected", max_tries);
}

/* ---- Moves -------------------------------------------------------------------------------------
 */

static bool ended(const sz_trace *t) {
    return t->run.output == t->run.output;
}

static double acceptance(const sz_trace *now, const sz_trace *next) {
    if (now->run.log_weight == -INFINITY)
        return 1.0;
    if (next->run.log_weight == -INFINITY || ended(now) != ended(next))
        return 0.0;
    double d = next->run.log_weight - now->run.log_weight;
    double r = d < 700.0 ? sz_exp(d) * (double)now->n / (double)next->n : 1.0;
    return r < 1.0 ? r : 1.0;
}

static sz_status propose(const sz_program *p, size_t n_segments, const sz_move_source *source,
                         void *state, const sz_trace *t, sz_trace *next) {
    double *u = sz_alloc(t->n * sizeof *u);
    SZ_REQUIRE(u, SZ_E_NOMEM, "no memory for a trace of %zu draws", t->n);
    memcpy(u, t->u, t->n * sizeof *u);
    size_t at = source->pick(source->self, t->n);
    u[at] = source->fresh(source->self, at);
    sz_status status = sz_trace_replay(p, u, t->n, n_segments, source, state, next);
    sz_free(u);
    return status;
}

sz_status sz_trace_move(const sz_program *p, size_t n_segments, const sz_move_source *source,
                        void *state, sz_trace *t, bool *accepted) {
    *accepted = t->n == 0;
    if (t->n == 0) /* nothing to draw anew: the identity */
        return sz_trace_replay(p, NULL, 0, n_segments, source, state, t);
    sz_trace next = {0};
    void *reached = sz_alloc(p->state_bytes);
    sz_status status = reached ? propose(p, n_segments, source, reached, t, &next)
                               : sz_fail(SZ_E_NOMEM, "no memory for a move");
    if (status == SZ_OK)
        *accepted = source->accept(source->self, acceptance(t, &next));
    if (status == SZ_OK && *accepted) {
        if (state)
            memcpy(state, reached, p->state_bytes);
        sz_free(t->u);
        *t = next;
    } else {
        sz_trace_free(&next);
    }
    sz_free(reached);
    return status;
}

/* ---- Philox ------------------------------------------------------------------------------------
 */

static double fresh_of(void *self, size_t position) {
    sz_draws *d = self;
    (void)position;
    return sz_uniform(d->seed, d->stream, d->counter++);
}
static size_t pick_of(void *self, size_t n) {
    return (size_t)(fresh_of(self, 0) * (double)n);
}
static bool accept_of(void *self, double probability) {
    return fresh_of(self, 0) < probability;
}

sz_move_source sz_move_source_of(sz_draws *d) {
    return (sz_move_source){d, fresh_of, pick_of, accept_of};
}

/* ---- A finite kernel ---------------------------------------------------------------------------
 */

static sz_status check_rows(const double *pi, const double *q, size_t n) {
    for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        SZ_REQUIRE(pi[i] >= 0.0 && pi[i] < INFINITY, SZ_E_ARG, "target %zu is %g", i, pi[i]);
        for (size_t j = 0; j < n; j++) {
            SZ_REQUIRE(q[i * n + j] >= 0.0, SZ_E_ARG, "proposal %zu, %zu is %g", i, j,
                       q[i * n + j]);
            sum += q[i * n + j];
        }
        SZ_REQUIRE(sum > 1.0 - 1e-9 && sum < 1.0 + 1e-9, SZ_E_ARG,
                   "row %zu of the proposal sums to %g", i, sum);
    }
    return SZ_OK;
}

sz_status sz_green_kernel(const double *pi, const double *q, size_t n, double *acceptance_out,
                          double *kernel) {
    SZ_REQUIRE(pi && q && n > 0 && acceptance_out && kernel, SZ_E_ARG,
               "sz_green_kernel: nothing to do");
    SZ_TRY(check_rows(pi, q, n));
    for (size_t i = 0; i < n; i++) {
        double stays = 1.0;
        for (size_t j = 0; j < n; j++) {
            double there = pi[i] * q[i * n + j], back = pi[j] * q[j * n + i];
            double a = back < there ? back / there : 1.0;
            acceptance_out[i * n + j] = a;
            kernel[i * n + j] = i == j ? 0.0 : q[i * n + j] * a;
            stays -= kernel[i * n + j];
        }
        kernel[i * n + i] = stays > 0.0 ? stays : 0.0;
    }
    return SZ_OK;
}
