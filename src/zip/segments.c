/* segments.c: segments over a pool. */
#include "zip/segments.h"

#include <stdio.h>

typedef struct result {
    sz_status status;
    char why[256];
} result;

typedef struct job {
    sz_segment_fn fn;
    void *context;
    sz_segment *segments;
    result *results;
} job;

static void run_task(void *context, size_t task, int thread) {
    const job *j = context;
    result *r = &j->results[task];
    r->status = j->fn(j->context, &j->segments[task], task, thread);
    if (r->status != SZ_OK)
        snprintf(r->why, sizeof r->why, "%s", sz_last_error());
}

sz_status sz_segments_run(sz_pool *pool, sz_segment_fn fn, void *context, sz_segment *segments,
                          size_t n) {
    job j = {fn, context, segments, sz_calloc(n, sizeof *j.results)};
    SZ_REQUIRE(j.results, SZ_E_NOMEM, "no memory for %zu segments", n);
    sz_pool_run(pool, run_task, &j, n);
    sz_status status = SZ_OK;
    for (size_t i = 0; i < n && status == SZ_OK; i++) {
        status = j.results[i].status;
        if (status != SZ_OK)
            sz_set_error(j.results[i].why);
    }
    sz_free(j.results);
    return status;
}
