/* bench.h: how fast a model runs, beside what the machine could do. */
#ifndef SZ_CLI_BENCH_H
#define SZ_CLI_BENCH_H

#include "energy.h"
#include "engine.h"
#include <szilard/unstable/operators.h>

/* One kind of work, repeated. */
typedef struct sz_bench_work {
    double best_s, median_s; /* of one repeat */
    double bytes, macs;      /* moved and multiplied in one repeat */
    sz_energy energy;        /* of all repeats */
    size_t n_metered;        /* tokens of these */
} sz_bench_work;

/* One pass over n tokens: of n sequences, or of one. */
typedef struct sz_bench_batch {
    size_t n;
    double sequences_s, span_s; /* best of the repeats */
    double bytes, macs;         /* of a pass of sequences */
} sz_bench_batch;

/* One pass, operator by operator; of equal names the sum. */
typedef struct sz_bench_operator {
    sz_operator_cost sum;
    size_t calls;
} sz_bench_operator;

enum { SZ_MOST_OPERATORS = 48, SZ_MOST_PASSES = 3 };
typedef struct sz_bench_pass {
    const char *name; /* "decode", "batch", "prefill" */
    size_t n_tokens, context;
    uint64_t ns; /* of the whole pass */
    sz_bench_operator op[SZ_MOST_OPERATORS];
    size_t n_ops; /* slowest first */
} sz_bench_pass;

enum { SZ_MOST_BATCHES = 16, SZ_LARGEST_BATCH = 64 };
typedef struct sz_bench_result {
    int threads;
    char isa[16];
    sz_bench_work prefill, decode;
    double read_bytes_per_s, int8_macs_per_s; /* of the machine, in the same run */
    double float_macs_per_s;
    sz_bench_batch one, batch[SZ_MOST_BATCHES]; /* `one`: a single token, measured among them */
    sz_bench_pass pass[SZ_MOST_PASSES];         /* where operators are asked for */
    size_t n_passes;
} sz_bench_result;

typedef struct sz_bench_plan {
    size_t n_prefill, n_decode; /* tokens; 0: not measured */
    size_t context;             /* tokens before the first decoded one, >= 1 */
    size_t batch[SZ_MOST_BATCHES], n_batches;
    int repeats;
    bool operators;
} sz_bench_plan;

/* The machine alone; bandwidth from the model's weights if one is given. */
void sz_bench_machine(sz_runtime *rt, const sz_model *model, sz_bench_result *out);
/* Measures every batch of the plan against a pass over one token, in turn. */
sz_status sz_bench_batches(const sz_engine *e, const sz_bench_plan *plan, sz_bench_result *out);
/* The passes of the plan operator by operator: of each the fastest repeat. */
sz_status sz_bench_operators(const sz_engine *e, const sz_bench_plan *plan, sz_bench_result *out);
void sz_bench_put_operators(sz_buf *b, const sz_bench_result *r);
void sz_bench_put_operators_json(sz_buf *b, const sz_bench_result *r);
/* Cuts sequence 0 back to `context` tokens, of which it has as many, with the logits after them at
 * hand: a pass that wants all records would else compute them first. */
sz_status sz_bench_cut(sz_session *s, const int32_t *ids, size_t context);
/* A figure of the plan's work and, where they were measured, of its operators. */
sz_status sz_bench_plot(const char *path, const char *title, const sz_bench_plan *plan,
                        const sz_bench_result *r);
/* Tokens that any vocabulary has, the same in every run. */
void sz_bench_fill_ids(int32_t *ids, size_t n, uint32_t n_vocab);
/* All of the plan, and the machine. */
sz_status sz_bench_model(const sz_engine *e, const sz_bench_plan *plan, sz_bench_result *out);

#endif
