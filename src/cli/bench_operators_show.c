/* bench_operators_show.c: operators of a pass beside the ceiling that binds each: reading where its
 * bytes take longer than its products would, else the products. What works on rows of activations,
 * which caches hold, has no ceiling here. */
#include "bench.h"
#include <math.h>
#include <string.h>

typedef struct roof {
    const char *name; /* "read", "int8", "float"; NULL: none */
    double share;
} roof;

static roof roof_of(const sz_bench_result *r, const sz_operator_cost *c) {
    if (c->kind == SZ_OPERATOR_ROWS || c->ns == 0)
        return (roof){NULL, NAN};
    bool integer = c->kind == SZ_OPERATOR_INT8;
    double peak = integer ? r->int8_macs_per_s : r->float_macs_per_s;
    double read_s = (double)c->bytes / r->read_bytes_per_s;
    double products_s = (double)c->multiply_adds / peak;
    bool reads = read_s > products_s;
    return (roof){reads     ? "read"
                  : integer ? "int8"
                            : "float",
                  (reads ? read_s : products_s) / ((double)c->ns * 1e-9)};
}

static uint64_t rest_of(const sz_bench_pass *p) {
    uint64_t ns = p->ns;
    for (size_t i = 0; i < p->n_ops; i++)
        ns -= p->op[i].sum.ns < ns ? p->op[i].sum.ns : ns;
    return ns;
}

static void put_operator(sz_buf *b, const sz_bench_result *r, const sz_bench_pass *p,
                         const sz_bench_operator *o) {
    const sz_operator_cost *c = &o->sum;
    roof bound = roof_of(r, c);
    sz_buf_printf(b, "  %-24s %5zu %9.3f %5.1f %% %9.3f %7.1f", c->name, o->calls,
                  (double)c->ns * 1e-6, 100.0 * (double)c->ns / (double)p->ns,
                  (double)c->bytes * 1e-6, (double)c->bytes / (double)c->ns);
    if (c->multiply_adds)
        sz_buf_printf(b, " %10.3f %7.1f", (double)c->multiply_adds * 1e-6,
                      (double)c->multiply_adds / (double)c->ns);
    if (bound.name)
        sz_buf_printf(b, " %6.0f %% %s", 100.0 * bound.share, bound.name);
    sz_buf_putc(b, '\n');
}

void sz_bench_put_operators(sz_buf *b, const sz_bench_result *r) {
    for (size_t i = 0; i < r->n_passes; i++) {
        const sz_bench_pass *p = &r->pass[i];
        sz_buf_printf(b, "  %s: a pass over %zu token%s after %zu, %.3f ms\n", p->name, p->n_tokens,
                      p->n_tokens == 1 ? "" : "s", p->context, (double)p->ns * 1e-6);
        sz_buf_puts(b, "  operator                 calls        ms   share        MB    GB/s    "
                       "M products  G/s  of ceiling\n");
        for (size_t j = 0; j < p->n_ops; j++)
            put_operator(b, r, p, &p->op[j]);
        uint64_t rest = rest_of(p);
        sz_buf_printf(b, "  %-24s %5s %9.3f %5.1f %%\n", "between them", "", (double)rest * 1e-6,
                      100.0 * (double)rest / (double)p->ns);
    }
}

static void put(sz_buf *b, const char *key, double v) {
    sz_buf_printf(b, ",\"%s\":", key);
    sz_json_number(b, v);
}

static void put_operator_json(sz_buf *b, const sz_bench_result *r, const sz_bench_operator *o) {
    const sz_operator_cost *c = &o->sum;
    roof bound = roof_of(r, c);
    sz_buf_puts(b, "{\"name\":");
    sz_json_quote(b, c->name, strlen(c->name));
    put(b, "calls", (double)o->calls);
    put(b, "seconds", (double)c->ns * 1e-9);
    put(b, "bytes", (double)c->bytes);
    put(b, "multiply_adds", (double)c->multiply_adds);
    put(b, "share_of_ceiling", bound.share);
    sz_buf_puts(b, ",\"ceiling\":");
    if (bound.name)
        sz_json_quote(b, bound.name, strlen(bound.name));
    else
        sz_buf_puts(b, "null");
    sz_buf_putc(b, '}');
}

void sz_bench_put_operators_json(sz_buf *b, const sz_bench_result *r) {
    sz_buf_puts(b, ",\"passes\":[");
    for (size_t i = 0; i < r->n_passes; i++) {
        const sz_bench_pass *p = &r->pass[i];
        sz_buf_printf(b, "%s{\"name\":\"%s\"", i ? "," : "", p->name);
        put(b, "tokens", (double)p->n_tokens);
        put(b, "context", (double)p->context);
        put(b, "seconds", (double)p->ns * 1e-9);
        put(b, "seconds_between_operators", (double)rest_of(p) * 1e-9);
        sz_buf_puts(b, ",\"operators\":[");
        for (size_t j = 0; j < p->n_ops; j++) {
            if (j)
                sz_buf_puts(b, ",\n  ");
            put_operator_json(b, r, &p->op[j]);
        }
        sz_buf_puts(b, "]}");
    }
    sz_buf_putc(b, ']');
}
