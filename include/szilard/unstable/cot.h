/* cot.h: what a reasoning trace is worth in examples: CoT information of a finite class of
 * procedures, the numbers of annotated and plain examples that it proves enough, or too few, and
 * measured curves.
 *
 * A hypothesis h answers an input x with an output y and a trace z; here both are numbers that only
 * need to be equal or not. Nats. Rows are hypotheses, columns inputs: tables
 * [n_hypotheses][n_inputs]. Source: Altabaa et al. 2025 (card 41): theorems 1, 3, 4, 5; the rule
 * for mixed supervision and the transfer variant are as in the card. */
#ifndef SZILARD_COT_H
#define SZILARD_COT_H

#include <szilard/unstable/base.h>

enum { SZ_COT_CELLS = 1 << 28 }; /* of a table, at most */

typedef struct sz_cot_class {
    size_t n_hypotheses, n_inputs;
    uint32_t *y, *yz;  /* tables; yz: equal where output and trace are both equal */
    double *p;         /* [n_inputs], sums to 1 */
    bool uniform;      /* all p alike: agreement is a count */
    size_t n_draws;    /* > 0: the inputs are that many draws of a larger support */
    size_t n_distinct; /* hypotheses with different tables */
} sz_cot_class;

/* y, z: tables of any codes. p: NULL: uniform; else it must sum to 1 within 1e-9, unless
 * renormalise. */
SZ_API sz_status sz_cot_class_new(const int64_t *y, const int64_t *z, size_t n_hypotheses,
                                  size_t n_inputs, const double *p, bool renormalise,
                                  sz_cot_class **out);
SZ_API void sz_cot_class_free(sz_cot_class *c);
/* All automata of that many states over so many symbols (transitions first: hypothesis t 2^states +
 * mask of accepting states, t the transitions as digits, state 0 and symbol 0 the lowest), start 0,
 * on all strings of the length; the trace is the path. n_draws > 0: on that many random strings
 * instead. */
SZ_API sz_status sz_cot_class_automata(size_t states, size_t symbols, size_t length, size_t n_draws,
                                       uint64_t seed, sz_cot_class **out);
/* Index of an automaton: transition [states * symbols] at state * symbols + symbol. */
SZ_API size_t sz_cot_automaton_index(size_t states, size_t symbols, const uint32_t *transition,
                                     uint32_t accept_mask);
/* Whether x is the hidden word u, all words over an alphabet; the trace tells place by place. */
SZ_API sz_status sz_cot_class_checks(size_t alphabet, size_t checks, sz_cot_class **out);
/* Parity of a hidden set of bits; the trace is the running parity. */
SZ_API sz_status sz_cot_class_parity(size_t bits, sz_cot_class **out);

/* I(h1, h2) = -ln P[same output and trace]; *disagreement = P[outputs differ]. */
SZ_API sz_status sz_cot_relative(const sz_cot_class *c, size_t h1, size_t h2, double *nats,
                                 double *disagreement);

typedef struct sz_cot_info {
    double cot, e2e; /* I(eps), and from outputs alone; infinity: no bad hypothesis, or each reveals
                        itself at once */
    size_t n_bad;    /* hypotheses with disagreement > eps */
    size_t worst;    /* the one that decides cot; SIZE_MAX: none */
    double upper_cot,
        upper_e2e;    /* examples that suffice with probability 1 - delta; 0: none needed */
    double lower_cot; /* below ln(1/delta) / I any rule may fail with probability delta */
} sz_cot_info;
/* eps in [0, 1), delta in (0, 1). test_p [n_inputs] (NULL: p): inputs on which the risk counts,
 * while examples come from p. Of a class on draws, agreement is replaced by its upper confidence
 * limit (Clopper and Pearson at delta / 2 over all hypotheses), and delta by delta / 2. */
SZ_API sz_status sz_cot_information(const sz_cot_class *c, size_t star, double eps, double delta,
                                    const double *test_p, sz_cot_info *out);
/* Over all hypotheses as the truth: cot of each, [n_hypotheses]. O(n_hypotheses^2 n_inputs). */
SZ_API sz_status sz_cot_information_all(const sz_cot_class *c, double eps, sz_pool *pool,
                                        double *nats);
/* sup over eps of eps / 2 exp(-m I(eps)): what the error of any rule may be after m annotated
 * examples. */
SZ_API sz_status sz_cot_two_point(const sz_cot_class *c, size_t star, double m, double *out);
/* Plain examples that suffice beside m_cot annotated ones (a union bound). */
SZ_API sz_status sz_cot_mixed(const sz_cot_class *c, size_t star, double eps, double delta,
                              double m_cot, double *m_plain);
typedef struct sz_cot_plan {
    double m_cot, m_plain, price; /* the cheapest mix */
    double all_cot, all_plain;    /* prices of one kind alone */
} sz_cot_plan;
SZ_API sz_status sz_cot_cheapest(const sz_cot_class *c, size_t star, double eps, double delta,
                                 double price_cot, double price_plain, sz_cot_plan *out);

/* max(0, (ln M / 2 - ln 2) / (channel * information)): Fano, M the packing number. */
SZ_API sz_status sz_cot_fano(double packing, double channel_nats, double information, double *out);
/* A greedy packing in output disagreement > eps: members [n_hypotheses] takes indices, *n their
 * number; mean I over two independent uniform members. */
SZ_API sz_status sz_cot_packing(const sz_cot_class *c, double eps, size_t *members, size_t *n,
                                double *mean_nats);

/* Agnostic: a joint law of (input, output, trace) as atoms. */
typedef struct sz_cot_atom {
    size_t x;
    int64_t y, z;
    double p;
} sz_cot_atom;
/* risk_e2e, risk_cot [n_hypotheses] (may be NULL). *nats: least excess CoT risk among hypotheses
 * whose excess output risk is >= eps; infinity if there are none. 0: traces mislead. */
SZ_API sz_status sz_cot_agnostic(const int64_t *y, const int64_t *z, size_t n_hypotheses,
                                 size_t n_inputs, const sz_cot_atom *atoms, size_t n_atoms,
                                 double eps, double *risk_e2e, double *risk_cot, double *nats);

/* Examples until the worst hypothesis that is consistent with all of them has risk <= eps, in each
 * of n_runs runs: with traces, and with outputs alone; most_examples + 1 where that many did not
 * do. */
SZ_API sz_status sz_cot_curve(const sz_cot_class *c, size_t star, double eps, size_t n_runs,
                              size_t most_examples, uint64_t seed, size_t *with_traces,
                              size_t *without);
/* Mean risk of a random consistent hypothesis after each of counts [n] (rising) examples, over
 * n_runs runs. */
SZ_API sz_status sz_cot_risks(const sz_cot_class *c, size_t star, const size_t *counts, size_t n,
                              size_t n_runs, uint64_t seed, double *with_traces, double *without);

#endif
