/* bench.h: how fast a model runs, beside what the machine could do. */
#ifndef SZ_CLI_BENCH_H
#define SZ_CLI_BENCH_H

#include "engine.h"

/* One kind of work, repeated. */
typedef struct sz_bench_work {
    double best_s, median_s; /* of one repeat */
    double bytes, macs;      /* moved and multiplied in one repeat */
} sz_bench_work;

typedef struct sz_bench_result {
    int threads;
    char isa[16];
    sz_bench_work prefill, decode;
    double read_bytes_per_s, int8_macs_per_s; /* of the machine, in the same run */
} sz_bench_result;

typedef struct sz_bench_plan {
    size_t n_prefill, n_decode; /* tokens; 0: not measured */
    int repeats;
} sz_bench_plan;

/* The machine alone; bandwidth from the model's weights if one is given. */
void sz_bench_machine(sz_runtime *rt, const sz_model *model, sz_bench_result *out);
/* Both and the machine. */
sz_status sz_bench_model(const sz_engine *e, const sz_bench_plan *plan, sz_bench_result *out);

#endif
