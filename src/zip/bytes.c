/* bytes.c: the byte engine as a predictor: segments of 16 MiB, one model of bytes per thread. */
#include "zip/mixing.h"
#include "zip/predictor.h"

#include <stdio.h>

enum { WINDOW = 16 << 20 };

typedef struct worker {
    sz_mixing *model;
    size_t n_bytes; /* that the model is for */
} worker;

typedef struct bytes_engine {
    sz_pool *pool;
    worker *workers; /* [threads of the pool] */
    bool (*stop)(void);
} bytes_engine;

typedef struct result {
    sz_status status;
    char why[256];
} result;

typedef struct job {
    bytes_engine *engine;
    sz_segment *segments;
    result *results;
    bool encode;
} job;

static sz_status code_segment(const job *j, worker *w, sz_segment *s) {
    if (!w->model || s->n > w->n_bytes) {
        sz_mixing_free(w->model);
        *w = (worker){.n_bytes = s->n};
        SZ_TRY(sz_mixing_new(s->n, &w->model));
        sz_mixing_set_stop(w->model, j->engine->stop);
    }
    if (j->encode)
        return sz_mixing_encode(w->model, s->data, s->n, &s->code);
    return sz_mixing_decode(w->model, (const uint8_t *)s->code.data, s->code.len, s->data, s->n);
}

static void run_task(void *context, size_t task, int thread) {
    job *j = context;
    result *r = &j->results[task];
    r->status = code_segment(j, &j->engine->workers[thread], &j->segments[task]);
    if (r->status != SZ_OK)
        snprintf(r->why, sizeof r->why, "%s", sz_last_error());
}

static sz_status run(bytes_engine *e, sz_segment *segments, size_t n, bool encode) {
    job j = {e, segments, sz_calloc(n, sizeof *j.results), encode};
    SZ_REQUIRE(j.results, SZ_E_NOMEM, "no memory for %zu segments", n);
    sz_pool_run(e->pool, run_task, &j, n);
    sz_status status = SZ_OK;
    for (size_t i = 0; i < n && status == SZ_OK; i++) {
        status = j.results[i].status;
        if (status != SZ_OK)
            sz_set_error(j.results[i].why);
    }
    sz_free(j.results);
    return status;
}

static sz_status encode(void *self, sz_segment *segments, size_t n) {
    return run(self, segments, n, true);
}

static sz_status decode(void *self, sz_segment *segments, size_t n) {
    return run(self, segments, n, false);
}

static size_t n_segments(const void *self, size_t n) {
    return 1;
}

static size_t batch(const void *self) {
    const bytes_engine *e = self;
    return (size_t)sz_pool_threads(e->pool);
}

static void free_engine(void *self) {
    bytes_engine *e = self;
    for (int i = 0; e->workers && i < sz_pool_threads(e->pool); i++)
        sz_mixing_free(e->workers[i].model);
    sz_free(e->workers);
    sz_pool_free(e->pool);
    sz_free(e);
}

const sz_predictor_kind sz_predictor_bytes = {.name = "bytes",
                                              .id = SZ_PREDICTOR_BYTES,
                                              .window = WINDOW,
                                              .n_segments = n_segments,
                                              .batch = batch,
                                              .encode = encode,
                                              .decode = decode,
                                              .free = free_engine};

sz_status sz_predictor_bytes_new(int n_threads, bool (*stop)(void), sz_predictor *out) {
    bytes_engine *e = sz_calloc(1, sizeof *e);
    SZ_REQUIRE(e, SZ_E_NOMEM, "no memory for the byte engine");
    e->stop = stop;
    sz_status status = sz_pool_new(n_threads, &e->pool);
    if (status == SZ_OK) {
        e->workers = sz_calloc((size_t)n_threads, sizeof *e->workers);
        if (!e->workers)
            status = sz_fail(SZ_E_NOMEM, "no memory for %d threads", n_threads);
    }
    if (status != SZ_OK) {
        free_engine(e);
        return status;
    }
    *out = (sz_predictor){&sz_predictor_bytes, e};
    return SZ_OK;
}
