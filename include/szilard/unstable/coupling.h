/* coupling.h: joint laws with given marginals and as little randomness as possible, with and
 * without a bottleneck between them.
 *
 * Conventions of info.h: nats, checked distributions, SZ_E_ARG names what is wrong. Masses are
 * integers that sum to SZ_MASS_ONE, so that couplings end exactly, have exact marginals and the
 * same bits everywhere. Threads: pure functions. Sources: Kocaoglu et al. 2017 (greedy coupling);
 * Cicalese, Gargano, Vaccaro 2019 and Compton et al. 2023 (bounds); Ebrahimi, Chen, Khisti 2024
 * (bottleneck); Sokota et al. 2022 (iterative coupling). */
#ifndef SZILARD_COUPLING_H
#define SZILARD_COUPLING_H

#include <szilard/unstable/info.h>

#define SZ_MASS_ONE (UINT64_C(1) << 62)

/* mass [n] of a distribution p [n]: the nearest multiples of 2^-62, at least one where p[i] > 0;
 * what is then missing or too much goes to the largest (ties: the lowest index). n < 2^32. */
SZ_API sz_status sz_mass_from_probabilities(const double *p, size_t n, uint64_t *mass);

/* ---- Couplings ------------------------------------------------------------------------------- */

typedef struct sz_coupling {
    size_t n, k;     /* cells of positive mass, marginals */
    uint32_t *index; /* [n][k] */
    uint64_t *mass;  /* [n], their sum SZ_MASS_ONE */
} sz_coupling;
SZ_API void sz_coupling_free(sz_coupling *c);
SZ_API double sz_coupling_entropy(const sz_coupling *c);

/* Couples the heaviest of each marginal for as much as both have, until nothing is left (ties: the
 * lowest index). At most n_p + n_q - 1 cells, O((n_p + n_q) log(n_p + n_q)). The entropy is within
 * 1/e nats of the least possible. Release with sz_coupling_free. */
SZ_API sz_status sz_mec_greedy(const double *p, size_t n_p, const double *q, size_t n_q,
                               sz_coupling *out);
/* The same for k >= 1 marginals p[i] [n[i]]: within 1 nat of the meet's entropy. */
SZ_API sz_status sz_mec_greedy_many(const double *const *p, const size_t *n, size_t k,
                                    sz_coupling *out);
/* Couples the two whose masses differ least (ties: the heavier pair), which is often a little
 * better. O((n_p + n_q)^2). */
SZ_API sz_status sz_mec_zero_seeking(const double *p, size_t n_p, const double *q, size_t n_q,
                                     sz_coupling *out);
/* The least entropy of all, over the vertices of the transport polytope. SZ_E_LIMIT where the
 * positive entries give more than SZ_MEC_EXACT_CELLS cells. */
enum { SZ_MEC_EXACT_CELLS = 25 };
SZ_API sz_status sz_mec_exact(const double *p, size_t n_p, const double *q, size_t n_q,
                              sz_coupling *out);

typedef struct sz_mec_bounds {
    double meet;    /* entropy of the differences of the lesser cumulative sums */
    double profile; /* mean of ln 1/min(m_p(u), m_q(u)), m(u) the mass of the atom at quantile u */
    double lower;   /* the larger of the two: no coupling has less entropy */
} sz_mec_bounds;
SZ_API sz_status sz_mec_bound(const double *p, size_t n_p, const double *q, size_t n_q,
                              sz_mec_bounds *out);

/* ---- Entropy-bounded information maximisation: the encoder ----------------------------------- */

typedef enum sz_ebim_method {
    SZ_EBIM_GREEDY,    /* a map: merges the two heaviest or lightest columns, O(n log n) */
    SZ_EBIM_TWO_MOVES, /* the best map and one of the two moves that are optimal near it */
    SZ_EBIM_ONE_SPLIT, /* the best map with any one symbol split between two codes */
} sz_ebim_method;

/* An encoder p(t|x) with H(T) <= rate. All of symbol x goes to code[x], but for split_mass of
 * symbol split_symbol, which goes to split_code. */
typedef struct sz_ebim_code {
    size_t n, n_codes;
    uint32_t *code; /* [n]; symbols without mass go to code 0 */
    double *law;    /* [n_codes]: p(t) */
    uint32_t split_symbol, split_code;
    double split_mass;        /* 0: a deterministic map */
    double rate, information; /* H(T), I(X;T) */
    double gap_bound;         /* rate asked for - information of the greedy map is at most this */
    bool identity;            /* the rate allows T = X */
} sz_ebim_code;
/* Codes are numbered by falling mass of the map (ties: the lowest first symbol). Up to
 * SZ_EBIM_ALL_MAPS symbols of positive mass every map is tried, above that a family around the
 * greedy one; results other than the greedy map are the best found, not proved optimal. */
enum { SZ_EBIM_ALL_MAPS = 9 };
SZ_API sz_status sz_ebim(const double *p, size_t n, double rate, sz_ebim_method method,
                         sz_ebim_code *out);
SZ_API void sz_ebim_code_free(sz_ebim_code *c);

/* ---- Coupling with a bottleneck -------------------------------------------------------------- */

/* X -> T -> Y with H(T) <= rate: an encoder by sz_ebim, then the greedy coupling of T and Y. */
typedef struct sz_mecb {
    sz_ebim_code encoder;
    sz_coupling decoder;     /* of T and Y */
    double *joint;           /* [n_x][n_y] */
    double i_xt, i_ty, i_xy; /* informations */
    double lower;            /* i_xt + i_ty - rate <= i_xy, and at least 0 */
} sz_mecb;
SZ_API sz_status sz_mecb_solve(const double *p_x, size_t n_x, const double *p_y, size_t n_y,
                               double rate, sz_ebim_method method, sz_mecb *out);
SZ_API void sz_mecb_free(sz_mecb *m);

/* ---- Iterative coupling: a message within a sequence ----------------------------------------- */

/* A uniform message of n_blocks numbers below 2^bits, 1 <= bits <= 16, coupled step by step with
 * the laws q [n] of a sequence's symbols, whose law does not change by it. Sender and receiver hold
 * a posterior over each block; every step serves the most uncertain one (ties: the lowest). */
typedef struct sz_imec sz_imec;
SZ_API sz_status sz_imec_new(size_t n_blocks, unsigned bits, sz_imec **out);
SZ_API void sz_imec_free(sz_imec *m);
SZ_API size_t sz_imec_block(const sz_imec *m); /* the block that the next step serves */
SZ_API const uint64_t *sz_imec_posterior(const sz_imec *m, size_t block); /* [2^bits], borrowed */
SZ_API double sz_imec_uncertainty(const sz_imec *m); /* entropy of all blocks */
/* The coupling of the next step: of the block's posterior and q. */
SZ_API sz_status sz_imec_couple(const sz_imec *m, const double *q, size_t n, sz_coupling *out);
/* Sender: the symbol for message [n_blocks], from its row of the coupling by u in [0, 1). */
SZ_API sz_status sz_imec_encode(sz_imec *m, const uint32_t *message, const double *q, size_t n,
                                double u, uint32_t *symbol);
/* Receiver: what `symbol` tells. SZ_E_ARG where q gives it no mass. */
SZ_API sz_status sz_imec_decode(sz_imec *m, const double *q, size_t n, uint32_t symbol);
/* The likeliest message so far (ties: the lowest number). */
SZ_API void sz_imec_message(const sz_imec *m, uint32_t *message);

#endif
