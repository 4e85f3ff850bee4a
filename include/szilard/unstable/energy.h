/* energy.h: what information must cost: Landauer's limit, erasure in finitely many steps, and
 * Simon's problem, where a gap in queries becomes one in energy.
 *
 * Joules and kelvin. N is the number of bits of Simon's problem, 2 .. 63: f(x) = f(y) if and only
 * if y is x or x ^ s, s not 0. Randomness: Philox by seed. Source: card 06; Landauer 1961; Simon
 * 1994; Meier and Yamasaki 2023. The bounds on energy are instances of the paper's framework with
 * parameters of the user's, not its theorems. */
#ifndef SZILARD_ENERGY_H
#define SZILARD_ENERGY_H

#include <szilard/unstable/base.h>

#define SZ_BOLTZMANN 1.380649e-23 /* joules per kelvin, exact */

/* bits k T ln 2; bits >= 0, kelvin > 0. */
SZ_API sz_status sz_energy_landauer(double bits, double kelvin, double *joules);

typedef struct sz_erasure {
    double work, limit, bound; /* of the protocol; kT (ln 2 - h(eta)); limit <= work <= bound */
    double over_landauer;      /* work / kT ln 2 */
} sz_erasure;
/* A bit set to 0 but for a residual error 0 < eta <= 1/2, by raising the gap of two levels in
 * `steps` quasi-static steps: the cost above the limit falls as 1 / steps. */
SZ_API sz_status sz_energy_erasure(uint64_t steps, double eta, double kelvin, sz_erasure *out);

/* ---- Simon's problem: figures ------------------------------------------------------------------
 */

enum { SZ_SIMON_MOST = 63, SZ_SIMON_FULL_MOST = 12, SZ_SIMON_WAVE_MOST = 26 };

/* Probability that k uniform vectors of s^perp have rank N - 1; and the mean number of runs. */
SZ_API sz_status sz_simon_rank_probability(int n, uint64_t k, double *out);
SZ_API sz_status sz_simon_quantum_mean(int n, double *out);
typedef struct sz_simon_classical {
    double collision;       /* probability of a collision within q random distinct queries */
    double mean;            /* of the queries to the first collision */
    double best_success;    /* that any algorithm can reach with q queries */
    double transcript_bits; /* of q answers that do not collide */
} sz_simon_classical;
/* mean: exact to N = 44, the birthday limit beyond, which differs by less than 1e-6 of it. */
SZ_API sz_status sz_simon_classical_figures(int n, uint64_t q, sz_simon_classical *out);
/* Least q with which success p, 0 < p <= 1, is possible; queries that suffice for certain. */
SZ_API sz_status sz_simon_least_queries(int n, double p, uint64_t *out);
SZ_API sz_status sz_simon_deterministic_queries(int n, uint64_t *out);

/* ---- Simon's problem: runs ---------------------------------------------------------------------
 */

/* The hidden string of a table f [2^n], n <= 26. SZ_E_ARG names the first inputs that break the
 * promise. */
SZ_API sz_status sz_simon_hidden(const uint64_t *f, int n, uint64_t *s);
/* Law of the first register after the circuit, [2^n], by a state of 2n qubits; n <= 12. */
SZ_API sz_status sz_simon_circuit(const uint64_t *f, int n, double *law);
/* In-place Walsh and Hadamard transform of v [2^n], each pass scaled to keep the norm. */
SZ_API sz_status sz_walsh_hadamard(double *v, int n);

/* Rows over GF(2), reduced as they come. */
typedef struct sz_gf2 {
    uint64_t row[64]; /* by leading bit */
    int n, rank;
} sz_gf2;
SZ_API void sz_gf2_begin(sz_gf2 *g, int n);
SZ_API bool sz_gf2_add(sz_gf2 *g, uint64_t row); /* whether the rank grew */
/* Basis of the vectors that all rows annihilate: basis [n], returns n - rank. */
SZ_API int sz_gf2_null(const sz_gf2 *g, uint64_t *basis);

typedef enum sz_simon_mode {
    SZ_SIMON_FULL,    /* the state of 2n qubits, n <= 12 */
    SZ_SIMON_WAVE,    /* of n, once the output was measured, n <= 26 */
    SZ_SIMON_SAMPLED, /* vectors of s^perp, any n */
} sz_simon_mode;
typedef struct sz_simon_run {
    uint64_t found, queries; /* classical runs count queries, quantum runs calls of the circuit */
} sz_simon_run;
/* s: the hidden string, 1 .. 2^n - 1. */
SZ_API sz_status sz_simon_quantum(int n, uint64_t s, sz_simon_mode mode, uint64_t seed,
                                  sz_simon_run *out);
SZ_API sz_status sz_simon_random(int n, uint64_t s, uint64_t seed, uint64_t most_queries,
                                 sz_simon_run *out); /* n <= 40; found 0: not within most_queries */
SZ_API sz_status sz_simon_deterministic(int n, uint64_t s, sz_simon_run *out); /* n <= 40 */

/* ---- Simon's problem: energy -------------------------------------------------------------------
 */

typedef struct sz_simon_costs {
    double success, kelvin, reset_error; /* 2/3, 300, 1e-3 where 0 */
    uint64_t reset_steps;                /* 100 where 0 */
    double gate_joules, logic_joules;    /* of one gate; of one word operation of the solver */
    double oracle_gates;                 /* per query, per bit of n; 1 where 0 */
} sz_simon_costs;
typedef struct sz_simon_energy {
    double log10_quantum, log10_classical; /* of joules: an upper and a lower bound */
    uint64_t runs, queries;
} sz_simon_energy;
/* Instances: quantum runs of gates, resets of 2N qubits and elimination; classical: the Landauer
 * cost of the transcript, in a model whose memory must be reset and whose oracle cannot be run
 * backwards. */
SZ_API sz_status sz_simon_energies(int n, const sz_simon_costs *costs, sz_simon_energy *out);
/* Least n <= 63 from which the classical bound is above the quantum one; 0: none. */
SZ_API sz_status sz_simon_crossover(const sz_simon_costs *costs, int *n);

#endif
