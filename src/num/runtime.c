/* runtime.c: the pool, the kernels and the log that models and sessions share. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

#include <szilard/unstable/num.h>

#include "kernels/kernels.h"

struct sz_runtime {
    sz_pool *pool;
    const sz_kernels *kernels;
    sz_log_fn log;
    void *log_user;
    atomic_bool cancelled;
};

sz_status sz_runtime_new(const sz_runtime_config *config, sz_runtime **out) {
    sz_runtime_config c = config ? *config : (sz_runtime_config){0};
    SZ_REQUIRE(c.n_threads >= 0 && c.n_threads <= 1024, SZ_E_ARG,
               "number of threads %d is not between 0 (measured) and 1024", c.n_threads);
    sz_runtime *rt = sz_calloc(1, sizeof *rt);
    SZ_REQUIRE(rt, SZ_E_NOMEM, "no memory for a runtime");
    rt->log = c.log;
    rt->log_user = c.log_user;
    sz_status status = sz_kernels_get(c.isa, &rt->kernels);
    if (status == SZ_OK)
        status = sz_pool_new(c.n_threads ? c.n_threads : sz_cpu_measure(), &rt->pool);
    if (status != SZ_OK) {
        sz_runtime_free(rt);
        return status;
    }
    *out = rt;
    return SZ_OK;
}

void sz_runtime_free(sz_runtime *rt) {
    if (!rt)
        return;
    sz_pool_free(rt->pool);
    sz_free(rt);
}

int sz_runtime_threads(const sz_runtime *rt) {
    return sz_pool_threads(rt->pool);
}
const char *sz_runtime_isa(const sz_runtime *rt) {
    return rt->kernels->isa;
}
void sz_runtime_cancel(sz_runtime *rt) {
    atomic_store(&rt->cancelled, true);
}
void sz_runtime_resume(sz_runtime *rt) {
    atomic_store(&rt->cancelled, false);
}
sz_pool *sz_runtime_pool(sz_runtime *rt) {
    return rt->pool;
}
const sz_kernels *sz_runtime_kernels(const sz_runtime *rt) {
    return rt->kernels;
}
bool sz_runtime_cancelled(const sz_runtime *rt) {
    return atomic_load(&rt->cancelled);
}

void sz_runtime_log(const sz_runtime *rt, sz_log_level level, const char *format, ...) {
    if (!rt->log)
        return;
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    rt->log(rt->log_user, level, text);
}
