/* text.h: texts against patterns: the number of mismatches at every alignment (Hamming distances),
 * exactly, bounded by k or approximately; and near-duplicates of a corpus. Usable with no model.
 *
 * Conventions (card 43). A text of n symbols and a pattern of m, bytes or token ids, have
 * n - m + 1 alignments; D[i] counts the j < m with text[i + j] != pattern[j]. Positions are those
 * of symbols, from 0. All exact methods give the same numbers; which is fastest depends on sizes
 * and symbols, and SZ_MATCH_AUTO finds out. Threads: those of the runtime, or one. Bits: identical
 * everywhere. Source: Chan, Jin, Vassilevska Williams, Xu 2023, arXiv 2310.13174, which bounds the
 * problem; the methods are older and named below. */
#ifndef SZILARD_TEXT_H
#define SZILARD_TEXT_H

#include <szilard/unstable/base.h>

/* A string of symbols, borrowed. */
typedef struct sz_symbols {
    const void *data; /* [n] uint8_t or uint32_t, aligned to its type */
    size_t n;
    unsigned width; /* bytes of a symbol: 1 or 4 */
} sz_symbols;

/* ---- Distances at every alignment ------------------------------------------------------------ */

typedef enum sz_match_method {
    SZ_MATCH_AUTO,    /* the cheapest by counted symbols and measured costs */
    SZ_MATCH_NAIVE,   /* two loops: the definition */
    SZ_MATCH_SCAN,    /* compares blocks of alignments by vectors; n m steps, many at once */
    SZ_MATCH_SCATTER, /* text symbols vote for alignments; sum over symbols of occ_T occ_P steps */
    SZ_MATCH_FFT,     /* correlations of each symbol's places; rounding is checked */
    SZ_MATCH_NTT,     /* the same modulo a prime: exact by construction */
    SZ_MATCH_SPLIT,   /* each symbol by scatter or FFT, whichever is cheaper for it */
    /* The next need a bound k. */
    SZ_MATCH_BITS, /* counters packed into one word (Shift-Add); m (ceil(log2(k + 1)) + 1) <= 64 */
    SZ_MATCH_BLOCKS, /* one of k + 1 blocks must match exactly: hash them, then verify */
    SZ_MATCH_JUMPS,  /* from mismatch to mismatch by hashed longest common extensions; O(n k log m)
                      */
    SZ_MATCH_SAMPLE, /* 32 sampled places discard alignments; the rest is verified. Each alignment
                        within k is missed with probability < 1e-9: the one method not exact */
    SZ_MATCH_METHODS
} sz_match_method;

/* "auto", "naive", ...; NULL beyond the last. */
SZ_API const char *sz_match_method_name(sz_match_method method);

/* Costs of the steps of each method on this machine, in ns of one thread. */
typedef struct sz_match_costs {
    double scan[5];     /* one comparison of symbols of 1, 2 and 4 bytes */
    double code;        /* a text symbol of 4 bytes looked up among the pattern's */
    double visit, vote; /* scatter: a text symbol, and a counter raised */
    double transform;   /* FFT: a text symbol and level, for two symbols of the alphabet */
    double roll;        /* blocks: a text symbol hashed */
} sz_match_costs;
/* Measured once per process, in some milliseconds, when first needed. */
SZ_API const sz_match_costs *sz_match_costs_measured(void);

typedef struct sz_match_options {
    sz_match_method method;
    bool bounded; /* distances are min(D, k + 1) */
    int64_t k;    /* >= 0 where bounded */
    bool wild;    /* the symbol `wildcard` matches everything, in the text and in the pattern;
                     counting methods only */
    uint32_t wildcard;
    uint64_t seed;               /* of hashes and samples; exact results do not depend on it */
    double tolerance;            /* FFT: largest distance of a sum from an integer; 0: 0.25 */
    sz_runtime *rt;              /* threads and instruction set; NULL: one thread, the best set */
    const sz_match_costs *costs; /* NULL: those measured */
} sz_match_options;

/* What was done: alignments by each method, and those redone in float64 or modulo a prime because
 * rounding in float32 could not be trusted. */
typedef struct sz_match_report {
    uint64_t by[SZ_MATCH_METHODS];
    uint64_t redone_f64, redone_ntt;
    uint64_t votes; /* counters raised by scatter */
} sz_match_report;

/* sz_match_distances: D of every alignment, out [text.n - pattern.n + 1]; nothing where the pattern
 * is longer than the text.
 * o       NULL: all distances, automatically
 * report  may be NULL
 * SZ_E_ARG: an empty pattern, widths that differ or are not 1 or 4, k < 0, a method that needs a
 * bound without one, wildcards with a method that knows none, BITS where the counters do not fit;
 * SZ_E_LIMIT: m > 2^31, or NTT with m > 2^21. Memory: a few MB and a multiple of m, whatever n. */
SZ_API sz_status sz_match_distances(const sz_symbols *text, const sz_symbols *pattern,
                                    const sz_match_options *o, uint32_t *out,
                                    sz_match_report *report);

/* The same for a text that comes in pieces: each is appended to what came before, and distances of
 * the alignments that are now complete go to the sink, in order, in parts. Memory: a few MB and a
 * multiple of m. */
typedef struct sz_match_stream sz_match_stream;
/* distances [n] of the alignments first, first + 1, ...; a status that is not SZ_OK ends it. */
typedef sz_status (*sz_match_sink)(void *user, uint64_t first, const uint32_t *distances, size_t n);
SZ_API sz_status sz_match_stream_new(const sz_symbols *pattern, const sz_match_options *o,
                                     sz_match_stream **out); /* the pattern is copied */
SZ_API void sz_match_stream_free(sz_match_stream *m);
SZ_API sz_status sz_match_stream_feed(sz_match_stream *m, const sz_symbols *piece,
                                      sz_match_sink sink, void *user);
SZ_API const sz_match_report *sz_match_stream_report(const sz_match_stream *m);

/* The rule by which SPLIT divides the alphabet (Abrahamson 1987 in the form of a cost model): a
 * symbol is heavy where occ_T occ_P scatter_cost > transform_cost. heavy [cap] gets the heavy
 * symbols, rising; *n_heavy how many there are (SZ_E_LIMIT beyond cap), *votes the work of scatter
 * for the others, sum of occ_T occ_P. */
SZ_API sz_status sz_match_split(const sz_symbols *text, const sz_symbols *pattern,
                                double scatter_cost, double transform_cost, uint32_t *heavy,
                                size_t cap, size_t *n_heavy, uint64_t *votes);

/* How near a text comes by chance, were its symbols drawn one by one with the text's own
 * frequencies. expected  mismatches of one alignment log_p     ln of a bound on the probability
 * that any of the text's alignments comes within `distance`: Chernoff's for one, times their
 * number; 0 where that is no bound */
typedef struct sz_match_chance {
    double expected, log_p;
} sz_match_chance;
SZ_API sz_status sz_match_by_chance(const sz_symbols *text, const sz_symbols *pattern,
                                    uint32_t distance, sz_match_chance *out);

/* ---- Approximate distances ------------------------------------------------------------------- */

/* sz_match_approximate: every alignment's distance within a factor 1 - epsilon, from below.
 * Symbols are hashed into ceil(2/epsilon) buckets; mismatches can only get lost. The largest of
 * ceil(log2(n/delta)) such counts: lower[i] <= D[i] always, and >= (1 - epsilon) D[i] for all
 * alignments with probability 1 - delta (Kopelowitz and Porat 2018).
 * epsilon, delta  inside (0, 1)
 * lower           [n - m + 1]
 * mean            [n - m + 1] the unbiased mean of the counts, D' b / (b - 1); NULL: not wanted */
SZ_API sz_status sz_match_approximate(const sz_symbols *text, const sz_symbols *pattern,
                                      double epsilon, double delta, const sz_match_options *o,
                                      uint32_t *lower, double *mean);
/* The same for given hashes: maps [n_maps][n_symbols], each value below `buckets`; every symbol
 * must be below n_symbols. */
SZ_API sz_status sz_match_buckets(const sz_symbols *text, const sz_symbols *pattern,
                                  const uint32_t *maps, size_t n_maps, size_t n_symbols,
                                  uint32_t buckets, const sz_match_options *o, uint32_t *lower,
                                  double *mean);
/* Random signs (Karloff 1993): X[i] = sum over j of r(text[i + j]) r(pattern[j]) has the mean
 * m - D[i] and a variance of at most D[i]^2; out [n - m + 1] = m - mean X over n_maps draws of r.
 */
SZ_API sz_status sz_match_project(const sz_symbols *text, const sz_symbols *pattern, size_t n_maps,
                                  const sz_match_options *o, double *out);
/* The same for given signs [n_maps][n_symbols], each 1 or -1. correlations [n_maps][n - m + 1] gets
 * every X; NULL: not wanted. */
SZ_API sz_status sz_match_signs(const sz_symbols *text, const sz_symbols *pattern,
                                const int8_t *signs, size_t n_maps, size_t n_symbols,
                                const sz_match_options *o, double *out, int32_t *correlations);

/* ---- Near-duplicates ------------------------------------------------------------------------- */

/* Passages that stand at two places of a corpus, with some symbols substituted. Fingerprints are
 * the least of the hashes of `gram` symbols in a row within every `window` of them (Schleimer,
 * Wilkerson, Aiken 2003): any `window + gram - 1` equal symbols share one. Places that share
 * fingerprints on one diagonal propose a passage; it is stretched as far as its share of equal
 * symbols allows, and counted exactly at the best of the alignments around. */
typedef struct sz_duplicate_options {
    uint32_t gram, window; /* 0: 5 and 8 */
    double similarity;     /* least share of equal symbols, inside (0, 1]; 0: 0.8 */
    size_t least;          /* symbols of the shortest passage; 0: gram + window - 1 */
} sz_duplicate_options;
typedef struct sz_duplicate {
    size_t a, b;         /* documents, a <= b */
    size_t at_a, at_b;   /* symbols from the begin of each */
    size_t n;            /* symbols of the passage */
    uint32_t mismatches; /* similarity is 1 - mismatches / n */
} sz_duplicate;
typedef struct sz_duplicates {
    sz_duplicate *pair; /* [n] by a, b, at_a */
    size_t n;
    size_t *cluster; /* [n_docs] the first of the documents that pairs connect with this one */
} sz_duplicates;
/* symbols [begin[n_docs]]; document d is symbols[begin[d] .. begin[d + 1]). Two passages of one
 * document do not overlap. O(symbols) memory and time for texts whose fingerprints are not all
 * alike: a fingerprint that stands at more than 16 places links each to the next alone.
 * SZ_E_ARG: options out of range, begin not rising; SZ_E_LIMIT: 2^32 symbols or more. */
SZ_API sz_status sz_duplicates_find(const uint32_t *symbols, const size_t *begin, size_t n_docs,
                                    const sz_duplicate_options *o, sz_duplicates *out);
SZ_API void sz_duplicates_free(sz_duplicates *d);

#endif
