/* circuit_query.c: probabilities of records, posteriors and samples. */
#include "circuit.h"

#include <math.h>
#include <string.h>

/* ---- One pass per thread --------------------------------------------------------------------- */

typedef struct loglik_job {
    sz_pc_pass *pass; /* one per thread */
    const int32_t *x;
    size_t n;
    double *out;
} loglik_job;

static void loglik_tile(void *context, size_t task, int thread) {
    const loglik_job *job = context;
    sz_pc_pass *p = &job->pass[thread];
    size_t first = task * p->n_rows, left = job->n - first;
    size_t n = left < p->n_rows ? left : p->n_rows;
    sz_pc_pass_up(p, job->x + first * p->pc->shape.n_vars, n);
    memcpy(job->out + first, p->loglik, n * sizeof *job->out);
}

sz_status sz_pc_loglik(sz_runtime *rt, const sz_pc *pc, const int32_t *x, size_t n, double *out) {
    SZ_TRY(sz_pc_check_records(&pc->shape, x, n, true));
    size_t threads = (size_t)sz_runtime_threads(rt), made = 0, rows = sz_pc_tile(pc);
    loglik_job job = {.pass = sz_calloc(threads, sizeof *job.pass), .x = x, .n = n, .out = out};
    SZ_REQUIRE(job.pass, SZ_E_NOMEM, "no memory for %zu threads", threads);
    sz_status status = SZ_OK;
    for (; made < threads && status == SZ_OK; made++)
        status = sz_pc_pass_new(pc, sz_runtime_kernels(rt), rows, false, &job.pass[made]);
    if (status == SZ_OK)
        sz_pool_run(sz_runtime_pool(rt), loglik_tile, &job, (n + rows - 1) / rows);
    while (made-- > 0)
        sz_pc_pass_free(&job.pass[made]);
    sz_free(job.pass);
    return status;
}

/* The passes of one record; on success the caller frees *p. */
static sz_status pass_one(sz_runtime *rt, const sz_pc *pc, const int32_t *x, bool down,
                          sz_pc_pass *p) {
    SZ_TRY(sz_pc_check_records(&pc->shape, x, 1, true));
    SZ_TRY(sz_pc_pass_new(pc, sz_runtime_kernels(rt), 1, down, p));
    sz_pc_pass_up(p, x, 1);
    if (p->loglik[0] == -INFINITY) {
        sz_pc_pass_free(p);
        return sz_fail(SZ_E_ARG, "the given values have probability zero");
    }
    for (size_t i = 0; down && i < pc->shape.n_vars; i++)
        sz_pc_pass_down(p, i, 1);
    return SZ_OK;
}

sz_status sz_pc_posterior(sz_runtime *rt, const sz_pc *pc, const int32_t *x, double *pmf,
                          double *loglik) {
    sz_pc_pass p;
    size_t m = pc->shape.n_latents, k = pc->shape.n_categories;
    SZ_TRY(pass_one(rt, pc, x, true, &p));
    for (size_t v = 0; v < pc->shape.n_vars; v++) {
        const double *post = sz_pc_at(&p, p.post, v);
        for (size_t c = 0; c < k; c++) {
            const double *emit = sz_pc_emit(pc, v, c);
            double sum = 0;
            for (size_t z = 0; z < m; z++)
                sum += post[z] * emit[z];
            pmf[v * k + c] = x[v] == SZ_PC_MISSING ? sum : x[v] == (int64_t)c;
        }
    }
    if (loglik)
        *loglik = p.loglik[0];
    sz_pc_pass_free(&p);
    return SZ_OK;
}

/* ---- Samples --------------------------------------------------------------------------------- */

typedef struct sample_job {
    const sz_pc_pass *pass;
    const int32_t *given; /* NULL: nothing */
    uint64_t seed;
    uint32_t *state; /* [threads][n_vars]: hidden states */
    int32_t *x;
} sample_job;

/* First index whose running sum of a[i] b[i] exceeds the share u of the whole. */
static size_t draw(const double *a, const double *b, size_t n, double u) {
    double total = 0, sum = 0;
    size_t last = 0;
    for (size_t i = 0; i < n; i++)
        total += a[i] * b[i];
    for (size_t i = 0; i < n; i++) {
        double weight = a[i] * b[i];
        sum += weight;
        if (weight > 0)
            last = i;
        if (sum > u * total)
            return i;
    }
    return last; /* rounding left the sum just below */
}

static size_t draw_category(const sz_pc *pc, size_t v, size_t z, double u) {
    const double *emit = sz_pc_emit(pc, v, 0) + z;
    double sum = 0;
    size_t last = 0;
    for (size_t x = 0; x < pc->shape.n_categories; x++) {
        double p = emit[x * pc->width];
        sum += p;
        if (p > 0)
            last = x;
        if (sum > u)
            return x;
    }
    return last;
}

static void sample_record(void *context, size_t record, int thread) {
    const sample_job *job = context;
    const sz_pc *pc = job->pass->pc;
    size_t d = pc->shape.n_vars;
    uint32_t *state = job->state + (size_t)thread * d;
    int32_t *x = job->x + record * d;
    for (size_t i = 0; i < d; i++) {
        size_t v = pc->order[i];
        const double *prior =
            i == 0 ? pc->root : sz_pc_trans(pc, v) + state[pc->parent[v]] * pc->width;
        state[v] = (uint32_t)draw(prior, sz_pc_at(job->pass, job->pass->below, v),
                                  pc->shape.n_latents, sz_uniform(job->seed, record, 2 * v));
        x[v] =
            job->given && job->given[v] != SZ_PC_MISSING
                ? job->given[v]
                : (int32_t)draw_category(pc, v, state[v], sz_uniform(job->seed, record, 2 * v + 1));
    }
}

sz_status sz_pc_sample(sz_runtime *rt, const sz_pc *pc, const int32_t *given, size_t n,
                       uint64_t seed, int32_t *x) {
    size_t d = pc->shape.n_vars, threads = (size_t)sz_runtime_threads(rt);
    int32_t *none = sz_alloc(d * sizeof *none);
    uint32_t *state = sz_alloc(threads * d * sizeof *state);
    sz_pc_pass p;
    for (size_t v = 0; none && v < d; v++)
        none[v] = SZ_PC_MISSING;
    sz_status status = none && state
                           ? pass_one(rt, pc, given ? given : none, false, &p)
                           : sz_fail(SZ_E_NOMEM, "no memory for samples of %zu variables", d);
    if (status == SZ_OK) {
        sample_job job = {&p, given, seed, state, x};
        sz_pool_run(sz_runtime_pool(rt), sample_record, &job, n);
        sz_pc_pass_free(&p);
    }
    sz_free(none);
    sz_free(state);
    return status;
}
