/* inference.h: probabilistic programs, and inference made of blocks that each keep a program's
 * unnormalised measure: weight, population, resampling, traces and moves.
 *
 * A program draws, weighs and ends with a number. It must be a pure function of what it draws: then
 * it stands for a measure on its results, of total mass Z (the evidence), and every block here is
 * checked against that measure by visiting all draws (sz_program_check).
 * Weights are logarithms in nats. Bits: identical for every number of threads.
 * Source: Scibior et al. 2018, "Denotational validation of higher-order Bayesian inference". */
#ifndef SZILARD_INFERENCE_H
#define SZILARD_INFERENCE_H

#include <szilard/unstable/bayes.h>

/* ---- Programs --------------------------------------------------------------------------------
 */

/* Where a program's draws come from. */
typedef struct sz_effects {
    void *self;
    double (*uniform)(void *self); /* [0, 1) */
    /* Index of a choice with probabilities p [n] that sum to 1. NULL: made of one uniform. */
    size_t (*choose)(void *self, const double *p, size_t n);
} sz_effects;

/* What a program calls for a finite choice; n >= 1. */
SZ_API size_t sz_program_choose(const sz_effects *e, const double *p, size_t n);

/* A program as a state machine whose state is plain bytes: copied by memcpy, owning nothing. */
typedef struct sz_program {
    const void *env;    /* what all runs share; must not change while one goes on */
    size_t state_bytes; /* >= 1 */
    sz_status (*start)(const void *env, void *state);
    /* Runs on to the next score or to the end. *log_weight: that score in nats, 0 if there was
     * none; -infinity rejects. *done: it has ended. */
    sz_status (*step)(const void *env, void *state, const sz_effects *e, double *log_weight,
                      bool *done);
    double (*output)(const void *env, const void *state); /* once done */
} sz_program;

enum { SZ_PROGRAM_STEPS = 1 << 20 }; /* a run of more segments is SZ_E_LIMIT */

typedef struct sz_weighted {
    double output, log_weight; /* log_weight -infinity: rejected, and output is NaN */
    size_t n_steps;            /* segments: scores, and the end */
} sz_weighted;

/* One run. A weight that is NaN or +infinity is SZ_E_NAN and names its step. */
SZ_API sz_status sz_program_sample(const sz_program *p, const sz_effects *e, sz_weighted *out);

/* The program that runs `first` and then the program that `then` picks for its output, which must
 * live as long as the result and have at most next_bytes of state. *bound is the environment that
 * the caller keeps. */
typedef struct sz_bound_program {
    const sz_program *first;
    const sz_program *(*then)(const void *user, double output); /* not NULL */
    const void *user;
    size_t next_bytes;
} sz_bound_program;
SZ_API sz_program sz_program_bind(const sz_bound_program *bound);

/* ---- Every draw, one by one --------------------------------------------------------------------
 */

/* Visits all paths through a procedure that makes finite choices: run it, take `probability`, and
 * go on while sz_odometer_next. */
enum { SZ_ODOMETER_DEPTH = 512 };
typedef struct sz_odometer {
    uint32_t digit[SZ_ODOMETER_DEPTH];
    bool more[SZ_ODOMETER_DEPTH]; /* whether another choice is possible after it */
    size_t depth, at;             /* digits in use; the next one to be read */
    double probability;           /* of the path so far */
    bool too_deep;                /* more choices than there is room for */
} sz_odometer;
SZ_API void sz_odometer_begin(sz_odometer *o); /* before the first path */
SZ_API size_t sz_odometer_choose(sz_odometer *o, const double *p, size_t n); /* skips p_i = 0 */
SZ_API bool sz_odometer_next(sz_odometer *o); /* false: all paths were visited */

/* Calls `visit` for every path of non-zero probability: the program's measure is the sum of
 * probability * exp(log_weight) at output. SZ_E_UNSUPPORTED: the program draws a uniform itself and
 * so is not finite; SZ_E_LIMIT: more than max_paths. */
SZ_API sz_status sz_program_enumerate(const sz_program *p, uint64_t max_paths,
                                      void (*visit)(void *user, const sz_weighted *w,
                                                    double probability),
                                      void *user);

/* A finite measure, atoms by rising output. Zero-initialise. */
typedef struct sz_atoms {
    double *output, *mass; /* [n] */
    size_t n, cap;
} sz_atoms;
SZ_API sz_status sz_atoms_add(sz_atoms *a, double output,
                              double mass); /* O(log n) to find, O(n) to add */
SZ_API double sz_atoms_total(const sz_atoms *a);
SZ_API double sz_atoms_distance(const sz_atoms *a,
                                const sz_atoms *b); /* largest difference of mass */
SZ_API void sz_atoms_free(sz_atoms *a);
SZ_API sz_status sz_program_measure(const sz_program *p, uint64_t max_paths, sz_atoms *out);

/* ---- Traces and moves --------------------------------------------------------------------------
 */

/* The uniforms that a run used, in order. Zero-initialise. */
typedef struct sz_trace {
    double *u; /* [n] */
    size_t n, cap;
    sz_weighted run;
} sz_trace;
SZ_API void sz_trace_free(sz_trace *t);

/* Where the draws of a move come from: Philox, or an enumeration. */
typedef struct sz_move_source {
    void *self;
    double (*fresh)(void *self, size_t position); /* a uniform for that place of the trace */
    size_t (*pick)(void *self, size_t n);         /* one of n, all alike */
    bool (*accept)(void *self, double probability);
} sz_move_source;
typedef struct sz_draws { /* Philox: the draws of one stream, in order */
    uint64_t seed, stream, counter;
} sz_draws;
SZ_API sz_move_source sz_move_source_of(sz_draws *d);

/* Runs the first n_segments segments (SIZE_MAX: all) on the uniforms u [n], drawing fresh ones when
 * they run out; what is left over is dropped. `state` (NULL: of its own) takes the state reached.
 * u may not be out's own. */
SZ_API sz_status sz_trace_replay(const sz_program *p, const double *u, size_t n, size_t n_segments,
                                 const sz_move_source *source, void *state, sz_trace *out);
/* Only these uniforms: SZ_E_ARG names the position where they run out, or where the program ends
 * before them. */
SZ_API sz_status sz_trace_density(const sz_program *p, const double *u, size_t n, sz_weighted *out);
/* Draws until the weight is above zero; SZ_E_STATE after max_tries. */
SZ_API sz_status sz_trace_draw(const sz_program *p, const sz_move_source *source, size_t max_tries,
                               sz_trace *out);
/* A step of single-site Metropolis and Hastings: one uniform is drawn anew, the rest replayed,
 * accepted with min(1, w' l / (w l')), l the number of uniforms. Of a rejected trace (weight zero)
 * any move is accepted. state as above, set where the move was accepted. */
SZ_API sz_status sz_trace_move(const sz_program *p, size_t n_segments, const sz_move_source *source,
                               void *state, sz_trace *t, bool *accepted);

/* Acceptance min(1, pi_j q_ji / (pi_i q_ij)) and the kernel that it makes of a proposal q [n][n]
 * (rows sum to 1) for a target pi [n] >= 0: both out [n][n]. Where pi_i q_ij is 0 acceptance is 1.
 * Metropolis, Hastings, Green. */
SZ_API sz_status sz_green_kernel(const double *pi, const double *q, size_t n, double *acceptance,
                                 double *kernel);

/* ---- Populations of runs -----------------------------------------------------------------------
 */

typedef struct sz_population_config {
    size_t n_particles; /* >= 1 */
    sz_resampling scheme;
    double threshold; /* as in sz_smc_config; negative: importance sampling */
    size_t n_moves;   /* of each particle after each resampling (resample-move) */
    uint64_t seed, stream;
    sz_pool *pool; /* NULL: the caller's thread */
    void (*observe)(void *user, const sz_smc_step *step);
    void *observe_user;
    /* In place of Philox, for whoever visits all draws: of the runs; of the moves, and of runs that
     * are moved; and the i-th uniform of a resampling. NULL otherwise. */
    const sz_effects *effects;
    const sz_move_source *source;
    double (*uniform)(void *user, const double *log_weights, size_t i);
    void *uniform_user;
} sz_population_config;

/* Sequential Monte Carlo over a program, one segment a step. outputs, log_weights [n_particles]:
 * the weighted results, which sum to the evidence; outputs of weight zero are NaN. */
SZ_API sz_status sz_program_smc(const sz_program *p, const sz_population_config *config,
                                double *outputs, double *log_weights, sz_smc_account *out);
/* Particle independent Metropolis and Hastings: fresh populations, accepted with min(1, Z' / Z);
 * samples [n_samples] are one output per step. *accepted counts. SZ_E_STATE: every population of
 * the first hundred died. */
SZ_API sz_status sz_program_pimh(const sz_program *p, const sz_population_config *config,
                                 size_t n_samples, double *samples, size_t *accepted);
/* Trace moves from a first draw: samples [n_samples], one every `thin` >= 1 moves after n_skip. */
SZ_API sz_status sz_program_mcmc(const sz_program *p, uint64_t seed, size_t n_skip, size_t thin,
                                 size_t n_samples, double *samples, size_t *accepted);

/* ---- The laws, as a test of a program ----------------------------------------------------------
 */

typedef enum sz_law_outcome { SZ_LAW_HOLDS, SZ_LAW_BROKEN, SZ_LAW_SKIPPED } sz_law_outcome;
typedef struct sz_law {
    char name[48], detail[160]; /* detail: a counter-example, or why it was skipped */
    sz_law_outcome outcome;
    double
        error; /* largest difference of the two sides, relative to the evidence; NaN if skipped */
    uint64_t n_paths;
} sz_law;
enum { SZ_MOST_LAWS = 24 };
typedef struct sz_law_report {
    sz_law law[SZ_MOST_LAWS];
    size_t n, n_broken;
    bool finite;         /* all laws by enumeration; else by simulation */
    double log_evidence; /* exact where finite; NaN otherwise */
} sz_law_report;

typedef struct sz_check_config {
    uint64_t max_paths; /* per law; 0: 200,000 */
    double tolerance;   /* 0: 1e-12 */
    size_t n_runs;      /* of a simulation; 0: 200 */
    uint64_t seed;
    /* For programs that are not finite: draws a value and data from the model, both with `e`, and
     * gives the program for that data (valid until the next call). NULL: the law is skipped. */
    sz_status (*simulate)(void *user, const sz_effects *e, sz_trace *truth, sz_program *given);
    void *user;
} sz_check_config;

/* Whether the same draws give the same run twice; and, if the program is finite, whether spawning,
 * each way of resampling, sequential Monte Carlo with 1, 2, 3 particles, particle independent and
 * single-site Metropolis and Hastings, and resample-move keep its measure, by visiting every draw.
 * Otherwise simulation-based calibration of the trace moves: the true value's rank among draws to
 * both sides of it in a chain is uniform (chi-square, p >= 1e-4). A broken law is a result. */
SZ_API sz_status sz_program_check(const sz_program *p, const sz_check_config *config,
                                  sz_law_report *out);

/* ---- Programs as text --------------------------------------------------------------------------
 */

/* A small language (docs/inference.md), of one statement a line:
 *
 *     rate ~ uniform(0, 1)
 *     i = 0
 *     while i < len(y) { observe y[i] ~ flip(rate); i = i + 1 }
 *     return rate
 */
typedef struct sz_script sz_script;
/* Errors name the line. At most SZ_SCRIPT_BYTES of text. */
enum { SZ_SCRIPT_BYTES = 1 << 20 };
SZ_API sz_status sz_script_compile(const char *text, size_t n, sz_script **out);
/* Replaces what a name is first set to: for data from outside, before any run. */
SZ_API sz_status sz_script_set(sz_script *s, const char *name, const double *values, size_t n);
SZ_API void sz_script_free(sz_script *s);
SZ_API sz_program sz_script_program(const sz_script *s); /* valid as long as s */
/* An sz_check_config.simulate, user: the sz_script: observed values are drawn in place of read.
 * Only for programs without `score`: SZ_E_UNSUPPORTED otherwise. */
SZ_API sz_status sz_script_simulate(void *script, const sz_effects *e, sz_trace *truth,
                                    sz_program *given);

#endif
