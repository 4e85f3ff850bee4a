/* cache_sim.h: policies of eviction beside each other on a trace. */
#ifndef SZ_CLI_CACHE_SIM_H
#define SZ_CLI_CACHE_SIM_H

#include "cache_trace.h"

enum { SZ_CACHE_MOST_SIZES = 16, SZ_CACHE_MOST_POLICIES = 16 };

typedef enum sz_bit_source { SZ_BITS_FILE, SZ_BITS_ORACLE } sz_bit_source;

typedef struct sz_cache_sim {
    const char *trace, *bits; /* bits: a file; NULL: the trace's own, if it has any */
    sz_bit_source source;
    double flip; /* the oracle's bits are wrong with this chance */
    const char *policy[SZ_CACHE_MOST_POLICIES];
    size_t n_policies, n_sizes;
    uint32_t size[SZ_CACHE_MOST_SIZES];
    uint64_t seed;
    int runs; /* of policies that draw */
    bool expected, json;
    const char *plot;
} sz_cache_sim;

/* Misses of one policy with one size. */
typedef struct sz_cache_row {
    const char *policy;
    double misses, error; /* error: standard error; NaN: the figure is exact */
} sz_cache_row;

/* What one size costs, and what the bits are worth. */
typedef struct sz_cache_table {
    uint32_t k;
    uint64_t optimum, lru;
    sz_cache_row row[SZ_CACHE_MOST_POLICIES];
    size_t n;
    bool advised; /* there were bits */
    sz_paging_errors discard, phase;
    double flush_bound, mark0_bound, markpredict_bound;
} sz_cache_table;

/* The policies on a trace with a cache of k pages. */
sz_status sz_cache_sim_measure(const sz_cache_sim *o, const sz_cache_trace *t, uint32_t k,
                               sz_cache_table *out);
void sz_cache_sim_print(sz_buf *b, const sz_cache_sim *o, const sz_cache_trace *t,
                        const sz_cache_table *table);
void sz_cache_sim_json(sz_buf *b, const sz_cache_trace *t, const sz_cache_table *table);

#endif
