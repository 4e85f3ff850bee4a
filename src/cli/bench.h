/* bench.h: how fast a model runs, beside what the machine could do. */
#ifndef SZ_CLI_BENCH_H
#define SZ_CLI_BENCH_H

#include "engine.h"

/* One kind of work, repeated. */
typedef struct sz_bench_work {
    double best_s, median_s; /* of one repeat */
    double bytes, macs;      /* moved and multiplied in one repeat */
} sz_bench_work;

/* One pass over n tokens: of n sequences, or of one. */
typedef struct sz_bench_batch {
    size_t n;
    double sequences_s, span_s; /* best of the repeats */
} sz_bench_batch;

enum { SZ_MOST_BATCHES = 16, SZ_LARGEST_BATCH = 64 };
typedef struct sz_bench_result {
    int threads;
    char isa[16];
    sz_bench_work prefill, decode;
    double read_bytes_per_s, int8_macs_per_s;   /* of the machine, in the same run */
    sz_bench_batch one, batch[SZ_MOST_BATCHES]; /* `one`: a single token, measured among them */
} sz_bench_result;

typedef struct sz_bench_plan {
    size_t n_prefill, n_decode; /* tokens; 0: not measured */
    size_t context;             /* tokens before the first decoded one, >= 1 */
    size_t batch[SZ_MOST_BATCHES], n_batches;
    int repeats;
} sz_bench_plan;

/* The machine alone; bandwidth from the model's weights if one is given. */
void sz_bench_machine(sz_runtime *rt, const sz_model *model, sz_bench_result *out);
/* Measures every batch of the plan against a pass over one token, in turn. */
sz_status sz_bench_batches(const sz_engine *e, const sz_bench_plan *plan, sz_bench_result *out);
/* Tokens that any vocabulary has, the same in every run. */
void sz_bench_fill_ids(int32_t *ids, size_t n, uint32_t n_vocab);
/* All of the plan, and the machine. */
sz_status sz_bench_model(const sz_engine *e, const sz_bench_plan *plan, sz_bench_result *out);

#endif
