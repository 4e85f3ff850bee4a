/* bench_pair.h: two builds of the command measured in turns, so that both meet the same machine. */
#ifndef SZ_CLI_BENCH_PAIR_H
#define SZ_CLI_BENCH_PAIR_H

#include "bench.h"

typedef struct sz_bench_pair_plan {
    const char *other; /* the second build's `szilard` */
    const char *model; /* path of the file */
    const sz_bench_plan *work;
    size_t threads; /* 0: each build's own choice */
} sz_bench_pair_plan;

/* Tokens per second of one kind of work, a value per round. */
typedef struct sz_bench_pair_row {
    char name[16]; /* "prefill", "decode", "batch" */
    size_t n_tokens;
    double *ours, *theirs; /* [rounds] */
} sz_bench_pair_row;

typedef struct sz_bench_pair {
    size_t rounds, n_rows;
    sz_bench_pair_row row[2 + SZ_MOST_BATCHES];
} sz_bench_pair;

/* As many rounds as the plan has repeats; who begins changes from round to round. */
sz_status sz_bench_pair_run(const sz_bench_pair_plan *plan, sz_bench_pair *out);
void sz_bench_pair_free(sz_bench_pair *p);

/* The best and the median of each side, their ratios, and an interval that holds the median of the
 * ratio with probability `confidence`, whatever its distribution: values of rank k and n + 1 - k
 * have the median between them unless n fair coins show fewer than k heads or tails. */
typedef struct sz_bench_ratio {
    double ours_best, ours_median, theirs_best, theirs_median;
    double best, median; /* best by best; the median over the rounds of ours by theirs */
    double low, high, confidence;
} sz_bench_ratio;
sz_status sz_bench_pair_ratio(const sz_bench_pair_row *row, size_t rounds, sz_bench_ratio *out);

void sz_bench_put_pair(sz_buf *b, const sz_bench_pair *p);
void sz_bench_put_pair_json(sz_buf *b, const sz_bench_pair *p);

#endif
