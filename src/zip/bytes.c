/* bytes.c: the byte engine as a predictor: segments of 16 MiB, one model of bytes per thread. */
#include "zip/mixing.h"
#include "zip/segments.h"

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

/* The thread's model, for texts as long as this one. */
static sz_status model_for(bytes_engine *e, int thread, size_t n, sz_mixing **out) {
    worker *w = &e->workers[thread];
    if (!w->model || n > w->n_bytes) {
        sz_mixing_free(w->model);
        *w = (worker){.n_bytes = n};
        SZ_TRY(sz_mixing_new(n, &w->model));
        sz_mixing_set_stop(w->model, e->stop);
    }
    *out = w->model;
    return SZ_OK;
}

static sz_status encode_segment(void *self, sz_segment *s, size_t i, int thread) {
    sz_mixing *model;
    SZ_TRY(model_for(self, thread, s->n, &model));
    return sz_mixing_encode(model, s->data, s->n, &s->code);
}

static sz_status decode_segment(void *self, sz_segment *s, size_t i, int thread) {
    sz_mixing *model;
    SZ_TRY(model_for(self, thread, s->n, &model));
    return sz_mixing_decode(model, (const uint8_t *)s->code.data, s->code.len, s->data, s->n);
}

static sz_status encode(void *self, sz_segment *segments, size_t n) {
    return sz_segments_run(((bytes_engine *)self)->pool, encode_segment, self, segments, n);
}

static sz_status decode(void *self, sz_segment *segments, size_t n) {
    return sz_segments_run(((bytes_engine *)self)->pool, decode_segment, self, segments, n);
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
