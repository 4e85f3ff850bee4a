/* kt.c: programs as a predictor: each segment of 4 KiB is the shortest form that the search finds.
 * Slow, and for data that some rule made. */
#include <string.h>
#include <szilard/unstable/kt.h>

#include "zip/segments.h"

enum { WINDOW = 1 << 18, SEGMENT = 1 << 12 };

typedef struct kt_engine {
    sz_pool *pool;
    bool (*stop)(void);
} kt_engine;

static sz_status check_stop(const kt_engine *e) {
    SZ_REQUIRE(!e->stop || !e->stop(), SZ_E_CANCELLED, "interrupted");
    return SZ_OK;
}

static sz_status encode_segment(void *self, sz_segment *s, size_t i, int thread) {
    sz_kt_packed packed;
    SZ_TRY(check_stop(self));
    return sz_kt_pack(s->data, s->n, NULL, &s->code, &packed);
}

static sz_status decode_segment(void *self, sz_segment *s, size_t i, int thread) {
    sz_buf out = {0};
    sz_kt_form form;
    SZ_TRY(check_stop(self));
    sz_status status =
        sz_kt_unpack((const uint8_t *)s->code.data, s->code.len, (uint32_t)s->n, &out, NULL, &form);
    if (status == SZ_OK && out.len != s->n)
        status = sz_fail(SZ_E_FORMAT, "a program makes %zu bytes in place of %zu", out.len, s->n);
    if (status == SZ_OK)
        memcpy(s->data, out.data, s->n);
    sz_buf_free(&out);
    return status;
}

static sz_status encode(void *self, sz_segment *segments, size_t n) {
    return sz_segments_run(((kt_engine *)self)->pool, encode_segment, self, segments, n);
}

static sz_status decode(void *self, sz_segment *segments, size_t n) {
    return sz_segments_run(((kt_engine *)self)->pool, decode_segment, self, segments, n);
}

static size_t n_segments(const void *self, size_t n) {
    return (n + SEGMENT - 1) / SEGMENT;
}

static size_t batch(const void *self) {
    return WINDOW / SEGMENT;
}

static void free_engine(void *self) {
    kt_engine *e = self;
    sz_pool_free(e->pool);
    sz_free(e);
}

static const sz_predictor_kind kind = {.name = "kt",
                                       .id = SZ_PREDICTOR_KT,
                                       .window = WINDOW,
                                       .n_segments = n_segments,
                                       .batch = batch,
                                       .encode = encode,
                                       .decode = decode,
                                       .free = free_engine};

sz_status sz_predictor_kt_new(int n_threads, bool (*stop)(void), sz_predictor *out) {
    kt_engine *e = sz_calloc(1, sizeof *e);
    SZ_REQUIRE(e, SZ_E_NOMEM, "no memory for the engine of programs");
    e->stop = stop;
    sz_status status = sz_pool_new(n_threads, &e->pool);
    if (status != SZ_OK)
        free_engine(e);
    else
        *out = (sz_predictor){&kind, e};
    return status;
}
