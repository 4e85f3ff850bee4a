/* 07_circuits.c: hidden Chow-Liu trees against what they build on, and against xz, on small digits;
 * how near a code comes to -log2 P; and a tree found again from its samples. */
#include "repro.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/circuit.h>
#include <szilard/unstable/num.h>
#include <unistd.h>

#include "07_digits.h"

enum { N_TRAIN = 1397, N_TEST = N_DIGITS - N_TRAIN, D = DIGIT_PIXELS, K = GREY_LEVELS };

typedef struct data {
    int32_t train[N_TRAIN * D], test[N_TEST * D];
} data;

/* ---- Digits ---------------------------------------------------------------------------------- */

static void split(uint64_t seed, data *x) {
    size_t order[N_DIGITS];
    for (size_t i = 0; i < N_DIGITS; i++)
        order[i] = i;
    for (size_t i = N_DIGITS; i-- > 1;) {
        size_t j = (size_t)(sz_uniform(seed, 1, i) * (double)(i + 1)), swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
    for (size_t i = 0; i < N_DIGITS; i++)
        for (size_t v = 0; v < D; v++)
            (i < N_TRAIN ? x->train + i * D : x->test + (i - N_TRAIN) * D)[v] =
                digits[order[i]][v] - 'A';
}

/* Bits per value of the records under the circuit. */
static sz_status bits_per_value(sz_runtime *rt, const sz_pc *pc, const int32_t *x, size_t n,
                                double *out) {
    double *ln = sz_alloc(n * sizeof *ln), sum = 0;
    SZ_REQUIRE(ln, SZ_E_NOMEM, "no memory for %zu records", n);
    sz_status status = sz_pc_loglik(rt, pc, x, n, ln);
    for (size_t i = 0; i < n; i++)
        sum -= ln[i];
    sz_free(ln);
    *out = sum / (0.6931471805599453 * (double)(n * sz_pc_get_shape(pc).n_vars));
    return status;
}

/* ---- Chow-Liu tree: a circuit whose hidden states are the values themselves ------------------ */

static void normalise(double *row, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += row[i];
    for (size_t i = 0; i < n; i++)
        row[i] /= sum;
}

static void count_pairs(const int32_t *x, const int32_t *parent, double pseudocount, double *root,
                        double *trans) {
    for (size_t i = 0; i < D * K * K; i++)
        trans[i] = pseudocount;
    for (size_t i = 0; i < K; i++)
        root[i] = pseudocount;
    for (size_t s = 0; s < N_TRAIN; s++)
        for (size_t v = 0; v < D; v++) {
            const int32_t *row = x + s * D;
            if (parent[v] < 0)
                root[row[v]] += 1;
            else
                trans[(v * K + (size_t)row[parent[v]]) * K + (size_t)row[v]] += 1;
        }
    normalise(root, K);
    for (size_t i = 0; i < D * K; i++)
        normalise(trans + i * K, K);
}

static sz_status chow_liu(sz_runtime *rt, const int32_t *x, sz_pc **out) {
    static const sz_pc_shape shape = {D, K, K};
    double *mi = sz_alloc((D * D + K + 2 * D * K * K) * sizeof *mi);
    SZ_REQUIRE(mi, SZ_E_NOMEM, "no memory for a tree");
    double *root = mi + D * D, *trans = root + K, *emit = trans + D * K * K;
    int32_t parent[D];
    for (size_t i = 0; i < D * K * K; i++)
        emit[i] = i % K == i / K % K;
    sz_status status = sz_pc_mutual_information(rt, x, N_TRAIN, D, K, mi);
    if (status == SZ_OK)
        status = sz_pc_chow_liu(mi, D, parent, NULL);
    if (status == SZ_OK) {
        count_pairs(x, parent, 0.1, root, trans);
        status = sz_pc_new(&shape, parent, root, trans, emit, out);
    }
    sz_free(mi);
    return status;
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* Bytes of the values, one byte each, by `xz -9e`; 0 where there is no xz. */
static double xz_bytes(const int32_t *x, size_t n) {
    char path[] = "/tmp/szilard-digits-XXXXXX", command[96];
    long bytes = 0;
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "wb"), *pipe;
    for (size_t i = 0; file && i < n; i++)
        fputc(x[i], file);
    if (!file || fclose(file) != 0)
        return 0;
    snprintf(command, sizeof command, "xz -9e -c %s 2> /dev/null | wc -c", path);
    pipe = popen(command, "r");
    if (pipe && fscanf(pipe, "%ld", &bytes) != 1)
        bytes = 0;
    if (pipe)
        pclose(pipe);
    unlink(path);
    return (double)bytes;
}

static sz_status code_records(sz_repro_run *run, sz_runtime *rt, const sz_pc *pc, const int32_t *x,
                              size_t n, double *bytes) {
    size_t d = sz_pc_get_shape(pc).n_vars;
    double bits;
    sz_buf code = {0};
    sz_pc_coder *coder;
    SZ_TRY(bits_per_value(rt, pc, x, n, &bits));
    SZ_TRY(sz_pc_coder_new(rt, pc, &coder));
    int32_t *back = sz_calloc(n * d, sizeof *back);
    sz_status status = back ? sz_pc_encode(coder, x, n, &code)
                            : sz_fail(SZ_E_NOMEM, "no memory for %zu records", n);
    if (status == SZ_OK)
        status = sz_pc_decode(coder, (const uint8_t *)code.data, code.len, back, n);
    if (status == SZ_OK) {
        *bytes = (double)code.len;
        sz_repro_check(run, "", *bytes - bits * (double)(n * d) / 8,
                       "<=", 16 + 0.01 * (double)(n * d) / 8, "bytes of the code beyond -log2 P");
        sz_repro_check(run, "exact", memcmp(back, x, n * d * sizeof *x) != 0, "==", 0,
                       "records that come back different");
    }
    sz_free(back);
    sz_buf_free(&code);
    sz_pc_coder_free(coder);
    return status;
}

/* ---- The experiments ------------------------------------------------------------------------- */

static sz_status fit(sz_runtime *rt, sz_repro_run *run, const data *x, size_t latents, sz_pc **out,
                     double *bits) {
    sz_pc_fit_config c = {.size = sizeof c, .n_latents = latents, .n_epochs = 50, .pseudocount = 1};
    c.seed = run->seed;
    SZ_TRY(sz_pc_fit(rt, x->train, N_TRAIN, D, K, &c, out));
    return bits_per_value(rt, *out, x->test, N_TEST, bits);
}

static sz_status compare_digits(sz_repro_run *run, sz_runtime *rt, const data *x) {
    static const size_t latents[] = {1, 4, 8, 16};
    static const char *const claims[] = {"2.429", "2.115", "2.045", "2.030"};
    double bits[4], tree_bits, bytes = 0;
    sz_pc *pc = NULL, *tree;
    SZ_TRY(chow_liu(rt, x->train, &tree));
    sz_status status = bits_per_value(rt, tree, x->test, N_TEST, &tree_bits);
    sz_pc_free(tree);
    SZ_TRY(status);
    for (size_t i = 0; i < 4; i++) {
        sz_pc_free(pc);
        pc = NULL;
        SZ_TRY(fit(rt, run, x, latents[i], &pc, &bits[i]));
    }
    sz_repro_check(run, claims[0], bits[0], ">=", tree_bits + 1e-6,
                   "independent pixels, bits per pixel: more than a Chow-Liu tree");
    sz_repro_check(run, "2.209", tree_bits, ">=", bits[3] + 1e-6,
                   "Chow-Liu tree: more than a hidden one of 16 states");
    for (size_t i = 1; i < 4; i++)
        sz_repro_check(run, claims[i], bits[i], "<=", i == 3 ? 2.08 : bits[i - 1],
                       "hidden tree of %zu states, bits per pixel", latents[i]);
    status = code_records(run, rt, pc, x->test, N_TEST, &bytes);
    double xz = status == SZ_OK ? xz_bytes(x->test, N_TEST * D) : 0;
    if (xz > 0)
        sz_repro_check(run, "", bytes / xz, "<=", 0.80, "size beside xz -9e of the same bytes");
    sz_pc_free(pc);
    return status;
}

static sz_status digits_run(sz_repro_run *run, sz_runtime *rt) {
    data *x = sz_alloc(sizeof *x);
    SZ_REQUIRE(x, SZ_E_NOMEM, "no memory for the digits");
    split(run->seed, x);
    sz_status status = compare_digits(run, rt, x);
    sz_free(x);
    return status;
}

/* A tree of 16 variables with known parameters. */
static sz_status known_circuit(uint64_t seed, sz_pc **out) {
    enum { VARS = 16, STATES = 4, VALUES = 5, ROWS = 1 + 2 * VARS * STATES };
    int32_t parent[VARS];
    double p[STATES + VARS * STATES * (STATES + VALUES)], *row = p;
    for (size_t v = 0; v < VARS; v++)
        parent[v] = (int32_t)((double)v * sz_uniform(seed, 2, v)) - (v == 0);
    for (size_t i = 0; i < ROWS; i++) {
        size_t n = i < 1 + VARS * STATES ? STATES : VALUES;
        for (size_t j = 0; j < n; j++)
            row[j] = -sz_log(1 - sz_uniform(seed, 3 + i, j));
        normalise(row, n);
        row += n;
    }
    return sz_pc_new(&(sz_pc_shape){VARS, STATES, VALUES}, parent, p, p + STATES,
                     p + STATES + VARS * STATES * STATES, out);
}

enum { SAMPLES = 6000, HELD_OUT = 3000 };

static sz_status learn_known(sz_repro_run *run, sz_runtime *rt, const sz_pc *truth, int32_t *x) {
    sz_pc_shape s = sz_pc_get_shape(truth);
    int32_t *held_out = x + SAMPLES * s.n_vars;
    sz_pc_fit_config c = {.size = sizeof c, .n_latents = s.n_latents, .n_epochs = 50};
    double best, got, bytes;
    sz_pc *pc;
    SZ_TRY(sz_pc_sample(rt, truth, NULL, SAMPLES + HELD_OUT, run->seed, x));
    SZ_TRY(bits_per_value(rt, truth, held_out, HELD_OUT, &best));
    SZ_TRY(sz_pc_fit(rt, x, SAMPLES, s.n_vars, s.n_categories, &c, &pc));
    sz_status status = bits_per_value(rt, pc, held_out, HELD_OUT, &got);
    if (status == SZ_OK) {
        sz_repro_check(run, "", got - best, "<=", 0.02,
                       "known tree, 50 steps: bits per value beyond the truth, held out");
        status = code_records(run, rt, pc, held_out, HELD_OUT, &bytes);
    }
    sz_pc_free(pc);
    return status;
}

static sz_status known_tree(sz_repro_run *run, sz_runtime *rt) {
    sz_pc *truth;
    SZ_TRY(known_circuit(run->seed, &truth));
    size_t d = sz_pc_get_shape(truth).n_vars;
    int32_t *x = sz_alloc((SAMPLES + HELD_OUT) * d * sizeof *x);
    sz_status status = x ? learn_known(run, rt, truth, x) : sz_fail(SZ_E_NOMEM, "no memory");
    sz_free(x);
    sz_pc_free(truth);
    return status;
}

static sz_status run_all(sz_repro_run *run) {
    sz_runtime *rt;
    SZ_TRY(sz_runtime_new(NULL, &rt));
    sz_status status = known_tree(run, rt);
    if (status == SZ_OK && !run->smoke)
        status = digits_run(run, rt);
    sz_runtime_free(rt);
    return status;
}

const sz_repro sz_repro_07 = {"07", run_all};
