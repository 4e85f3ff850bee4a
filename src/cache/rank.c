/* rank.c: effective ranks of a prompt's queries, head by head. */
#include <stdatomic.h>
#include <string.h>

#include "watch.h"

typedef struct rank_job {
    const sz_kv_watch *w;
    const sz_hparams *h;
    double *rank;     /* [n_layer][n_head], of query heads */
    float *rows;      /* [threads][n_picked * head_dim] */
    atomic_int first; /* the first failure's status */
} rank_job;

static void rank_head(void *context, size_t task, int thread) {
    rank_job *job = context;
    size_t dim = job->h->head_dim, width = job->h->n_head * dim, n = job->w->n_picked;
    size_t layer = task / job->h->n_head, head = task % job->h->n_head;
    const float *q = job->w->queries + layer * n * width + head * dim;
    float *rows = job->rows + (size_t)thread * n * dim;
    sz_matrix_entropy e;
    for (size_t i = 0; i < n; i++)
        memcpy(rows + i * dim, q + i * width, dim * sizeof *rows);
    sz_status status = sz_matrix_entropy_of_rows(
        rows, n, dim, sz_kv_watch_eigenvalues(job->h->head_dim), NULL, &e);
    int none = SZ_OK;
    if (status != SZ_OK)
        atomic_compare_exchange_strong(&job->first, &none, (int)status);
    job->rank[task] = status == SZ_OK ? e.effective_rank : 0.0;
}

static sz_status rank_heads(rank_job *job, const sz_model *m) {
    sz_pool *pool = sz_runtime_pool(m->rt);
    size_t n = (size_t)job->h->n_layer * job->h->n_head;
    job->rank = sz_alloc(n * sizeof *job->rank);
    job->rows = sz_alloc((size_t)sz_pool_threads(pool) * job->w->n_picked * job->h->head_dim *
                         sizeof *job->rows);
    SZ_REQUIRE(job->rank && job->rows, SZ_E_NOMEM, "no memory for the ranks of %zu heads", n);
    sz_pool_run(pool, rank_head, job, n);
    SZ_REQUIRE(job->first != SZ_E_NAN, SZ_E_NAN, "the queries of a head are not finite");
    SZ_REQUIRE(job->first == SZ_OK, (sz_status)job->first, "a head's queries have no spectrum");
    return SZ_OK;
}

sz_status sz_kv_watch_rank(sz_kv_watch *w, const sz_model *m) {
    rank_job job = {.w = w, .h = &m->h};
    uint32_t group = m->h.n_head / m->h.n_head_kv;
    sz_status status = rank_heads(&job, m);
    for (size_t i = 0; status == SZ_OK && i < (size_t)m->h.n_layer * m->h.n_head_kv; i++) {
        w->ranks[i] = 0;
        for (size_t j = 0; j < group; j++)
            w->ranks[i] += job.rank[i * group + j] / group;
    }
    sz_free(job.rank);
    sz_free(job.rows);
    return status;
}
