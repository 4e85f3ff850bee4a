/* circuit.h: probabilistic circuits over records of discrete variables: exact probabilities,
 * marginals, conditionals and samples, and learning by expectation maximisation.
 *
 * The circuit is a hidden Chow-Liu tree: every variable v has a hidden state Z_v of M values, the
 * hidden states form a tree, and X_v depends on Z_v alone. It is smooth and decomposable, so that
 * any set of variables is summed out in one pass. Parameters: the root's prior [M], a table
 * T_v[z_parent][z] for every other variable, emissions E_v[z][x] over K categories.
 *
 * Records are rows of int32 [n_vars]; SZ_PC_MISSING is a value that is not known and is summed out.
 * All information is in nats. Everything here has the same bits for every number of threads and
 * every instruction set.
 *
 * Source: card 07: Liu, Mandt, Van den Broeck 2021; Liu, Van den Broeck 2021 (hidden trees). */
#ifndef SZILARD_CIRCUIT_H
#define SZILARD_CIRCUIT_H

#include <szilard/unstable/base.h>

enum {
    SZ_PC_MISSING = -1,
    SZ_PC_MAX_VARS = 1 << 16,
    SZ_PC_MAX_LATENTS = 1024,
    SZ_PC_MAX_CATEGORIES = 1 << 16,
};
#define SZ_PC_MAX_PARAMETERS ((uint64_t)1 << 28) /* n_vars * n_latents * (latents + categories) */

typedef struct sz_pc sz_pc;

typedef struct sz_pc_shape {
    size_t n_vars, n_latents, n_categories;
} sz_pc_shape;

/* ---- Structure and parameters -------------------------------------------------------------- */

/* parent [n_vars]: -1 for the root, else another variable; a tree, in any order.
 * root [M]; trans [n_vars][M][M], the root's own table is not read; emit [n_vars][M][K]. All are
 * copied. Every row is a distribution: not negative, and its sum within 1e-6 of 1 (then normalised
 * where it is off by more than 1e-12). SZ_E_ARG or SZ_E_NAN name the variable and the row. */
SZ_API sz_status sz_pc_new(const sz_pc_shape *shape, const int32_t *parent, const double *root,
                           const double *trans, const double *emit, sz_pc **out);
SZ_API void sz_pc_free(sz_pc *pc);
SZ_API sz_pc_shape sz_pc_get_shape(const sz_pc *pc);
SZ_API uint64_t sz_pc_n_parameters(const sz_pc *pc);
/* Copies out what sz_pc_new takes; any pointer may be NULL. The root's table is all zero. */
SZ_API void sz_pc_get(const sz_pc *pc, int32_t *parent, double *root, double *trans, double *emit);
/* Depth first from the root, children in rising order: the order of sz_pc_conditionals and of
 * coding. [n_vars], borrowed. */
SZ_API const uint32_t *sz_pc_order(const sz_pc *pc);

/* SZ_E_ARG names row and column of a value that is neither a category nor, if `missing`, unknown.
 */
SZ_API sz_status sz_pc_check_records(const sz_pc_shape *shape, const int32_t *x, size_t n,
                                     bool missing);

/* ---- Exact queries -------------------------------------------------------------------------- */

/* out [n]: ln P of the known values of each record; -infinity where that is zero.
 * O(n n_vars M^2). */
SZ_API sz_status sz_pc_loglik(sz_runtime *rt, const sz_pc *pc, const int32_t *x, size_t n,
                              double *out);
/* pmf [n_vars][K]: row v is P(X_v | the known values of x); where v is known, all of it is there.
 * *loglik (may be NULL): ln P of the known values. SZ_E_ARG if that probability is zero. */
SZ_API sz_status sz_pc_posterior(sz_runtime *rt, const sz_pc *pc, const int32_t *x, double *pmf,
                                 double *loglik);
/* pmf [n_vars][K]: row v is P(X_v | the values of the variables before v in sz_pc_order), so that
 * the product over all v of pmf[v][x[v]] is P(x). O(n_vars (M^2 + M K)) for all of them. SZ_E_ARG
 * names the column whose value has probability zero. */
SZ_API sz_status sz_pc_conditionals(sz_runtime *rt, const sz_pc *pc, const int32_t *x, double *pmf);
/* x [n][n_vars]: draws from the circuit given the known values of `given` [n_vars] (NULL: none).
 * Record i is a pure function of seed and i. SZ_E_ARG if `given` has probability zero. */
SZ_API sz_status sz_pc_sample(sz_runtime *rt, const sz_pc *pc, const int32_t *given, size_t n,
                              uint64_t seed, int32_t *x);

/* ---- Learning ------------------------------------------------------------------------------- */

/* mi [d][d]: mutual information of every pair of the d columns of x [n][d], in nats: plug-in, from
 * the records where both values are known, 0 on the diagonal; categories beyond 32 are joined into
 * 32 equal ranges. Below 1e-12 it is 0. SZ_E_LIMIT beyond 8192 columns. O(n d^2). */
SZ_API sz_status sz_pc_mutual_information(sz_runtime *rt, const int32_t *x, size_t n, size_t d,
                                          size_t n_categories, double *mi);
/* parent [d]: the spanning tree of largest total information (ties: lower indices), its root a
 * centre (least distance to the farthest variable, ties: lower index). Where the information falls
 * apart into components, the root is that of the largest, and the centres of the others hang off
 * it. *total (may be NULL): the information of all edges. */
SZ_API sz_status sz_pc_chow_liu(const double *mi, size_t d, int32_t *parent, double *total);

/* One step of expectation maximisation over x [n][n_vars], n >= 1: every row of parameters moves
 * the share `step` (0 < step <= 1) of the way to (expected counts + pseudocount / its length),
 * normalised; a row without either stays. pseudocount >= 0. *mean_loglik (may be NULL): of the
 * records before the step, per record. SZ_E_ARG names a record of probability zero. On failure the
 * circuit stays as it was. O(n n_vars M^2). Source: card 07, section 3. */
SZ_API sz_status sz_pc_em_step(sz_runtime *rt, sz_pc *pc, const int32_t *x, size_t n, double step,
                               double pseudocount, double *mean_loglik);

typedef struct sz_pc_epoch {
    size_t epoch, n_epochs;
    double train_nats, valid_nats; /* mean ln P per record; train: before the epoch's steps;
                                      valid: after them, NaN without validation records */
} sz_pc_epoch;

typedef struct sz_pc_fit_config {
    size_t size;
    size_t n_latents;   /* 0: 16 */
    size_t n_epochs;    /* 0: 50 */
    size_t batch;       /* records per step; 0: all */
    double step, last;  /* step size of the first and the last epoch, a line between; 0: 1 and 1
                           for full batches, else 0.1 and 0.05 */
    double pseudocount; /* 0: 1; negative: none */
    uint64_t seed;
    const int32_t *valid; /* [n_valid][n_vars]: the circuit of the epoch that is best on them is
                             kept; NULL: that of the last */
    size_t n_valid;
    size_t patience; /* epochs without a better one before it stops; 0: 10 */
    /* Called after every epoch; false ends the training there. May be NULL. */
    bool (*progress)(void *user, const sz_pc_epoch *epoch);
    void *user;
} sz_pc_fit_config;

/* Learns a circuit from x [n][d], n >= 1: the tree, then the parameters from a random start.
 * SZ_E_CANCELLED after sz_runtime_cancel. The same seed gives the same circuit. */
SZ_API sz_status sz_pc_fit(sz_runtime *rt, const int32_t *x, size_t n, size_t d,
                           size_t n_categories, const sz_pc_fit_config *config, sz_pc **out);

/* ---- Coding --------------------------------------------------------------------------------- */

/* Codes records in as many bytes as -log2 P of them says, and a few: both directions walk the tree
 * together, 64 records in step, one range coder for all. Immutable; any number of threads may code
 * at once. Borrows rt and pc; doubles the memory of the emissions. */
typedef struct sz_pc_coder sz_pc_coder;
SZ_API sz_status sz_pc_coder_new(sz_runtime *rt, const sz_pc *pc, sz_pc_coder **out);
SZ_API void sz_pc_coder_free(sz_pc_coder *coder);
/* Appends the code of x [n][n_vars] to out. What is SZ_PC_MISSING is not coded. SZ_E_ARG names a
 * value that the circuit holds impossible ("unencodable symbol"). */
SZ_API sz_status sz_pc_encode(const sz_pc_coder *coder, const int32_t *x, size_t n, sz_buf *out);
/* Fills in x [n][n_vars] but what is SZ_PC_MISSING in it, as it was when coded. Any bytes give
 * categories: whether the right ones is for a checksum to tell. */
SZ_API sz_status sz_pc_decode(const sz_pc_coder *coder, const uint8_t *code, size_t n_code,
                              int32_t *x, size_t n);

#endif
