/* 41_cot_information.c: consistent learners on classes where a trace is worth nothing, a little and
 * much: what they need follows the CoT information. */
#include "repro.h"

#include <math.h>
#include <stdlib.h>
#include <szilard/unstable/cot.h>
#include <szilard/unstable/num.h>

enum { MOST_RUNS = 100, MOST_EXAMPLES = 200000 };

static int by_size(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static double median(size_t *m, size_t n) {
    qsort(m, n, sizeof *m, by_size);
    return 0.5 * (double)(m[(n - 1) / 2] + m[n / 2]);
}

static double beyond(const size_t *m, size_t n, double bound) {
    double count = 0;
    for (size_t i = 0; i < n; i++)
        count += (double)m[i] > bound;
    return count / (double)n;
}

typedef struct learned {
    double with, without;       /* medians */
    double beyond;              /* larger share of runs above their bound */
    double predicted, measured; /* logs of the ratio */
    sz_cot_info info;
} learned;

static sz_status learn(const sz_cot_class *c, size_t star, double eps, size_t runs, uint64_t seed,
                       learned *out) {
    size_t with[MOST_RUNS], without[MOST_RUNS];
    SZ_TRY(sz_cot_information(c, star, eps, 0.05, NULL, &out->info));
    SZ_TRY(sz_cot_curve(c, star, eps, runs, MOST_EXAMPLES, seed, with, without));
    double a = beyond(with, runs, out->info.upper_cot),
           b = beyond(without, runs, out->info.upper_e2e);
    out->beyond = a > b ? a : b;
    out->with = median(with, runs);
    out->without = median(without, runs);
    out->predicted = sz_log(out->info.cot / out->info.e2e);
    out->measured = sz_log(out->without / out->with);
    return SZ_OK;
}

static sz_status checks(sz_repro_run *run, learned *out) {
    size_t places = run->smoke ? 4 : 5, runs = run->smoke ? 10 : 25;
    sz_cot_class *c;
    SZ_TRY(sz_cot_class_checks(4, places, &c));
    sz_status status = learn(c, 137, 0, runs, run->seed, out);
    sz_cot_class_free(c);
    SZ_TRY(status);
    double scale = run->smoke ? 0.25 : 1;
    sz_repro_check(run, run->smoke ? "" : "14.3", out->info.upper_cot, "<=", 15,
                   "%zu checks: annotated examples that suffice", places);
    sz_repro_check(run, "5", out->with, "<=", 10, "%zu checks: median with traces", places);
    sz_repro_check(run, run->smoke ? "" : "889", out->without, ">=", 300 * scale,
                   "%zu checks: median without", places);
    sz_repro_check(run, run->smoke ? "" : "178", out->without / out->with, ">=", 50 * scale,
                   "%zu checks: ratio", places);
    sz_repro_check(run, "5 %", out->beyond, "<=", run->smoke ? 0.2 : 0.05,
                   "%zu checks: share of runs beyond the bound", places);
    return SZ_OK;
}

static sz_status automata(sz_repro_run *run, learned *out) {
    static const uint32_t transition[] = {0, 1, 1, 2, 2, 0};
    sz_cot_class *c;
    SZ_TRY(sz_cot_class_automata(3, 2, run->smoke ? 6 : 8, 0, 0, &c));
    size_t star = sz_cot_automaton_index(3, 2, transition, 4);
    sz_status status = learn(c, star, 0.05, MOST_RUNS, run->seed, out);
    sz_cot_class_free(c);
    SZ_TRY(status);
    sz_repro_check(run, "4.5", out->with, "<=", out->info.upper_cot,
                   "automata: median with traces, below the bound");
    sz_repro_check(run, "10", out->without, "<=", out->info.upper_e2e,
                   "automata: median without, below the bound");
    sz_repro_check(run, "2.2", out->without / out->with, ">=", 1.5, "automata: ratio");
    sz_repro_check(run, "", out->without / out->with, "<=", 4, "automata: and at most");
    sz_repro_check(run, "5 %", out->beyond, "<=", 0.05, "automata: share beyond the bound");
    return SZ_OK;
}

/* Any output rule with any trace rule: what one tells of the other is nothing. */
static sz_status product(sz_repro_run *run, learned *out) {
    enum { RULES = 32, INPUTS = 64, H = RULES * 4 };
    int64_t *y = sz_alloc(2 * H * INPUTS * sizeof *y), *z = y + H * INPUTS;
    sz_cot_class *c;
    SZ_REQUIRE(y, SZ_E_NOMEM, "no memory for a class");
    for (size_t h = 0; h < H; h++)
        for (size_t x = 0; x < INPUTS; x++) {
            y[h * INPUTS + x] = sz_uniform(1, h % RULES, x) < 0.1;
            z[h * INPUTS + x] = (int64_t)(h / RULES);
        }
    sz_status status = sz_cot_class_new(y, z, H, INPUTS, NULL, false, &c);
    sz_free(y);
    SZ_TRY(status);
    status = learn(c, 3, 0, MOST_RUNS, run->seed, out);
    sz_cot_class_free(c);
    SZ_TRY(status);
    sz_repro_check(run, "equal", fabs(out->with / out->without - 1), "<=", 0.1,
                   "product class: medians differ by (%.0f and %.0f)", out->with, out->without);
    return SZ_OK;
}

static sz_status run_all(sz_repro_run *run) {
    learned l[3];
    size_t in_order = 0;
    SZ_TRY(product(run, &l[0]));
    SZ_TRY(automata(run, &l[1]));
    SZ_TRY(checks(run, &l[2]));
    for (int i = 0; i < 3; i++)
        for (int j = i + 1; j < 3; j++)
            in_order += (l[i].predicted < l[j].predicted) == (l[i].measured < l[j].measured);
    sz_repro_check(run, "", (double)in_order, "==", 3,
                   "pairs of the three classes in the order that the information predicts");
    return SZ_OK;
}

const sz_repro sz_repro_41 = {"41", run_all};
