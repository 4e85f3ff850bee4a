/* population.c: sequential Monte Carlo over programs, with moves of each particle; chains. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <szilard/unstable/inference.h>
#include <szilard/unstable/num.h>

enum { CHUNK = 1024, FIRST_TRIES = 100 };

/* Where the particles of one step draw: a stream of each particle's own, keyed apart from the
 * stream that resampling draws from. */
typedef struct particle_draws {
    uint64_t key, stream, counter;
} particle_draws;

static double particle_uniform(void *self) {
    particle_draws *d = self;
    return sz_uniform(d->key, d->stream, d->counter++);
}

typedef struct population {
    const sz_program *program;
    const sz_population_config *config;
    size_t n;
    uint64_t key[2];     /* of draws, and of moves */
    char *state, *spare; /* [n][state_bytes] */
    bool *done, *was_done;
    double *outputs;
    sz_trace *trace, *spare_trace; /* [n]; NULL without moves */
    size_t step;
    const double *log_weights;
    double *increments;
    sz_status *failed; /* [chunks] */
    char (*why)[256];  /* [chunks] */
} population;

static uint64_t key_of(uint64_t seed, uint64_t use) {
    uint32_t r[4];
    sz_philox4x32(seed, UINT64_C(0x696e666572), use, r);
    return (uint64_t)r[0] << 32 | r[1];
}

static char *state_of(const population *p, size_t i) {
    return p->state + i * p->program->state_bytes;
}

/* ---- A step ------------------------------------------------------------------------------------
 */

/* What fresh draws of particle i in this step come from. */
static particle_draws draws_of(const population *p, size_t i, int use) {
    return (particle_draws){p->key[use], p->config->stream << 28 | i, (uint64_t)p->step << 32};
}

typedef struct recorded {
    particle_draws draws;
    const sz_move_source *source; /* in their place; NULL: none */
    sz_trace *trace;
    bool no_memory;
} recorded;

static double recorded_uniform(void *self) {
    recorded *r = self;
    sz_trace *t = r->trace;
    double u = r->source ? r->source->fresh(r->source->self, t->n) : particle_uniform(&r->draws);
    if (t->n == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 16;
        double *more = sz_realloc(t->u, t->cap * sizeof *more, cap * sizeof *more);
        r->no_memory = r->no_memory || !more;
        if (!more)
            return u;
        t->u = more;
        t->cap = cap;
    }
    t->u[t->n++] = u;
    return u;
}

/* Moves keep the measure of what the program's first `step` segments leave unfinished. Every
 * unfinished particle is moved, before every step: whether one is must depend on nothing but
 * itself, or the expected measure would shift. */
static sz_status move_one(population *p, size_t i) {
    particle_draws d = draws_of(p, i, 1);
    sz_draws draws = {d.key, d.stream, d.counter};
    sz_move_source source = p->config->source ? *p->config->source : sz_move_source_of(&draws);
    bool accepted;
    for (size_t k = 0; k < p->config->n_moves; k++)
        SZ_TRY(
            sz_trace_move(p->program, p->step, &source, state_of(p, i), &p->trace[i], &accepted));
    return SZ_OK;
}

static sz_status step_one(population *p, size_t i) {
    if (p->trace && p->step > 0)
        SZ_TRY(move_one(p, i));
    recorded r = {draws_of(p, i, 0), p->config->source, p->trace ? &p->trace[i] : NULL, false};
    sz_effects e = {&r, recorded_uniform, NULL};
    if (!p->trace)
        e = p->config->effects ? *p->config->effects
                               : (sz_effects){&r.draws, particle_uniform, NULL};
    double score = 0.0;
    SZ_TRY(p->program->step(p->program->env, state_of(p, i), &e, &score, &p->done[i]));
    SZ_REQUIRE(!r.no_memory, SZ_E_NOMEM, "no memory for the trace of particle %zu", i);
    p->increments[i] = score;
    if (p->trace) {
        p->trace[i].run.log_weight += score;
        p->trace[i].run.n_steps++;
    }
    if (p->done[i] && score > -INFINITY)
        p->outputs[i] = p->program->output(p->program->env, state_of(p, i));
    return SZ_OK;
}

static void step_chunk(void *context, size_t task, int thread) {
    population *p = context;
    size_t end = (task + 1) * CHUNK < p->n ? (task + 1) * CHUNK : p->n;
    (void)thread;
    p->failed[task] = SZ_OK;
    for (size_t i = task * CHUNK; i < end; i++) {
        if (p->done[i] || p->log_weights[i] == -INFINITY)
            continue;
        sz_status status = step_one(p, i);
        if (status != SZ_OK) {
            p->failed[task] = status;
            snprintf(p->why[task], sizeof p->why[task], "%s", sz_last_error());
            return;
        }
    }
}

static void step_all(population *p) {
    size_t n_chunks = (p->n + CHUNK - 1) / CHUNK;
    if (p->config->pool)
        sz_pool_run(p->config->pool, step_chunk, p, n_chunks);
    else
        for (size_t i = 0; i < n_chunks; i++)
            step_chunk(p, i, 0);
}

/* The failure of the first chunk that has one, whichever thread ran it. */
static sz_status first_failure(const population *p) {
    for (size_t i = 0; i * CHUNK < p->n; i++)
        if (p->failed[i] != SZ_OK) {
            sz_set_error(p->why[i]);
            return p->failed[i];
        }
    return SZ_OK;
}

static sz_status step(void *user, size_t step, const double *log_weights, double *increments,
                      size_t *n_left) {
    population *p = user;
    SZ_REQUIRE(step < SZ_PROGRAM_STEPS, SZ_E_LIMIT, "the program goes on after %d steps",
               SZ_PROGRAM_STEPS);
    p->step = step;
    p->log_weights = log_weights;
    p->increments = increments;
    step_all(p);
    SZ_TRY(first_failure(p));
    *n_left = 0;
    for (size_t i = 0; i < p->n; i++)
        *n_left += !p->done[i] && log_weights[i] > -INFINITY && increments[i] > -INFINITY;
    return SZ_OK;
}

/* ---- Resampling --------------------------------------------------------------------------------
 */

static sz_status copy_trace(const sz_trace *from, sz_trace *to) {
    if (to->cap < from->n) {
        double *u = sz_realloc(to->u, 0, from->n * sizeof *u);
        SZ_REQUIRE(u, SZ_E_NOMEM, "no memory for a trace of %zu draws", from->n);
        to->u = u;
        to->cap = from->n;
    }
    if (from->n > 0)
        memcpy(to->u, from->u, from->n * sizeof *from->u);
    to->n = from->n;
    to->run = from->run;
    return SZ_OK;
}

static sz_status resample(void *user, const uint32_t *ancestors) {
    population *p = user;
    size_t bytes = p->program->state_bytes;
    double *old = p->increments; /* free until the next step */
    memcpy(old, p->outputs, p->n * sizeof *old);
    memcpy(p->was_done, p->done, p->n * sizeof *p->done);
    for (size_t i = 0; i < p->n; i++) {
        size_t a = ancestors[i];
        memcpy(p->spare + i * bytes, state_of(p, a), bytes);
        p->done[i] = p->was_done[a];
        p->outputs[i] = old[a];
        if (p->trace)
            SZ_TRY(copy_trace(&p->trace[a], &p->spare_trace[i]));
    }
    char *state = p->state;
    p->state = p->spare;
    p->spare = state;
    sz_trace *trace = p->trace;
    p->trace = p->spare_trace;
    p->spare_trace = trace;
    return SZ_OK;
}

/* ---- A run -------------------------------------------------------------------------------------
 */

static void release(population *p) {
    for (size_t i = 0; p->trace && i < p->n; i++)
        sz_trace_free(&p->trace[i]);
    for (size_t i = 0; p->spare_trace && i < p->n; i++)
        sz_trace_free(&p->spare_trace[i]);
    sz_free(p->trace);
    sz_free(p->spare_trace);
    sz_free(p->state);
    sz_free(p->spare);
    sz_free(p->done);
    sz_free(p->was_done);
    sz_free(p->failed);
    sz_free(p->why);
}

static sz_status prepare(population *p) {
    size_t n_chunks = (p->n + CHUNK - 1) / CHUNK;
    p->state = sz_calloc(p->n, p->program->state_bytes);
    p->spare = sz_calloc(p->n, p->program->state_bytes);
    p->done = sz_calloc(p->n, sizeof *p->done);
    p->was_done = sz_calloc(p->n, sizeof *p->was_done);
    p->failed = sz_calloc(n_chunks, sizeof *p->failed);
    p->why = sz_calloc(n_chunks, sizeof *p->why);
    bool ok = p->state && p->spare && p->done && p->was_done && p->failed && p->why;
    if (ok && p->config->n_moves > 0) {
        p->trace = sz_calloc(p->n, sizeof *p->trace);
        p->spare_trace = sz_calloc(p->n, sizeof *p->spare_trace);
        ok = p->trace && p->spare_trace;
    }
    SZ_REQUIRE(ok, SZ_E_NOMEM, "no memory for %zu particles", p->n);
    for (size_t i = 0; i < p->n; i++) {
        p->outputs[i] = NAN;
        if (p->trace)
            p->trace[i].run.output = NAN;
        SZ_TRY(p->program->start(p->program->env, state_of(p, i)));
    }
    return SZ_OK;
}

static double given_uniform(void *user, size_t step, size_t i) {
    const population *p = user;
    (void)step;
    return p->config->uniform(p->config->uniform_user, p->log_weights, i);
}

sz_status sz_program_smc(const sz_program *program, const sz_population_config *c, double *outputs,
                         double *log_weights, sz_smc_account *out) {
    SZ_REQUIRE(program && c && outputs && log_weights && out, SZ_E_ARG,
               "sz_program_smc: a NULL argument");
    SZ_REQUIRE(c->n_particles > 0 && c->n_particles <= SZ_PARTICLES_MAX, SZ_E_ARG,
               "%zu particles: from 1 to %d", c->n_particles, SZ_PARTICLES_MAX);
    population p = {.program = program,
                    .config = c,
                    .n = c->n_particles,
                    .key = {key_of(c->seed, 0), key_of(c->seed, 1)},
                    .outputs = outputs};
    sz_smc_config smc = {.n_particles = c->n_particles,
                         .scheme = c->scheme,
                         .threshold = c->threshold,
                         .seed = c->seed,
                         .stream = c->stream,
                         .observe = c->observe,
                         .observe_user = c->observe_user,
                         .uniform = c->uniform ? given_uniform : NULL,
                         .uniform_user = &p};
    sz_status status = prepare(&p);
    if (status == SZ_OK)
        status = sz_smc_run(&(sz_smc_model){&p, step, resample}, &smc, log_weights, out);
    for (size_t i = 0; status == SZ_OK && i < p.n; i++)
        if (log_weights[i] == -INFINITY)
            outputs[i] = NAN;
    release(&p);
    return status;
}

/* ---- Chains ------------------------------------------------------------------------------------
 */

/* One output of the population, by weight. */
static sz_status collapse(const double *outputs, const double *log_weights, size_t n, double u,
                          double *out) {
    uint32_t chosen;
    SZ_TRY(sz_resample_with(SZ_RESAMPLE_MULTINOMIAL, log_weights, n, &u, &chosen, 1));
    *out = outputs[chosen];
    return SZ_OK;
}

typedef struct pimh {
    const sz_program *program;
    sz_population_config config;
    sz_draws draws;
    double *outputs, *log_weights;
} pimh;

/* A fresh population's evidence and one of its outputs; -infinity where it died. */
static sz_status fresh_population(pimh *h, double *log_z, double *output) {
    sz_smc_account a;
    SZ_TRY(sz_program_smc(h->program, &h->config, h->outputs, h->log_weights, &a));
    h->config.stream++;
    *log_z = a.log_evidence;
    double u = sz_uniform(h->draws.seed, h->draws.stream, h->draws.counter++);
    if (a.log_evidence == -INFINITY)
        return SZ_OK;
    return collapse(h->outputs, h->log_weights, h->config.n_particles, u, output);
}

static sz_status run_pimh(pimh *h, size_t n_samples, double *samples, size_t *accepted) {
    double log_z = -INFINITY, output = NAN;
    for (int i = 0; i < FIRST_TRIES && log_z == -INFINITY; i++)
        SZ_TRY(fresh_population(h, &log_z, &output));
    SZ_REQUIRE(log_z > -INFINITY, SZ_E_STATE, "%d populations died: the evidence may be zero",
               FIRST_TRIES);
    *accepted = 0;
    for (size_t i = 0; i < n_samples; i++) {
        double next_z, next = NAN;
        SZ_TRY(fresh_population(h, &next_z, &next));
        double u = sz_uniform(h->draws.seed, h->draws.stream, h->draws.counter++);
        if (next_z >= log_z || u < sz_exp(next_z - log_z)) {
            log_z = next_z;
            output = next;
            ++*accepted;
        }
        samples[i] = output;
    }
    return SZ_OK;
}

sz_status sz_program_pimh(const sz_program *p, const sz_population_config *c, size_t n_samples,
                          double *samples, size_t *accepted) {
    SZ_REQUIRE(p && c && samples && accepted, SZ_E_ARG, "sz_program_pimh: a NULL argument");
    SZ_REQUIRE(c->n_particles > 0 && c->n_particles <= SZ_PARTICLES_MAX, SZ_E_ARG,
               "%zu particles: from 1 to %d", c->n_particles, SZ_PARTICLES_MAX);
    pimh h = {p, *c, {key_of(c->seed, 2), c->stream, 0}, NULL, NULL};
    h.outputs = sz_alloc(c->n_particles * sizeof *h.outputs);
    h.log_weights = sz_alloc(c->n_particles * sizeof *h.log_weights);
    sz_status status = h.outputs && h.log_weights
                           ? run_pimh(&h, n_samples, samples, accepted)
                           : sz_fail(SZ_E_NOMEM, "no memory for %zu particles", c->n_particles);
    sz_free(h.outputs);
    sz_free(h.log_weights);
    return status;
}

sz_status sz_program_mcmc(const sz_program *p, uint64_t seed, size_t n_skip, size_t thin,
                          size_t n_samples, double *samples, size_t *accepted) {
    enum { TRIES = 100000 };
    SZ_REQUIRE(p && samples && accepted && thin > 0, SZ_E_ARG, "sz_program_mcmc: nothing to do");
    sz_draws draws = {key_of(seed, 3), 0, 0};
    sz_move_source source = sz_move_source_of(&draws);
    sz_trace t = {0};
    sz_status status = sz_trace_draw(p, &source, TRIES, &t);
    size_t n_moves = n_skip + thin * n_samples, n_accepted = 0;
    for (size_t i = 0; i < n_moves && status == SZ_OK; i++) {
        bool moved;
        status = sz_trace_move(p, SIZE_MAX, &source, NULL, &t, &moved);
        n_accepted += status == SZ_OK && moved;
        if (i >= n_skip && (i - n_skip) % thin == thin - 1)
            samples[(i - n_skip) / thin] = t.run.output;
    }
    sz_trace_free(&t);
    if (status == SZ_OK)
        *accepted = n_accepted;
    return status;
}
