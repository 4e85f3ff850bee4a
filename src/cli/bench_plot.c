/* bench_plot.c: the roofline of a run: what the machine can do at most for work of a given number
 * of multiply-adds per byte, and what was reached. */
#include "bench.h"
#include "plot.h"
#include <math.h>

enum { N_ROOF = 65, MOST_DOTS = 2 + SZ_MOST_BATCHES, MOST_LABEL = 96 };
static const double least_share = 0.02; /* of a pass: an operator below it is not drawn */

typedef struct figure {
    const sz_bench_result *r;
    double x[N_ROOF], int8[N_ROOF], floats[N_ROOF];
    sz_plot_dot whole[MOST_DOTS], op[SZ_MOST_PASSES][SZ_MOST_OPERATORS];
    char label[MOST_DOTS][MOST_LABEL], op_label[SZ_MOST_PASSES][SZ_MOST_OPERATORS][MOST_LABEL];
    size_t n_whole, n_op[SZ_MOST_PASSES];
    double least, most; /* multiply-adds per byte of all dots */
} figure;

/* Multiply-adds per byte, and billions of them per second. */
static void set_dot(figure *f, sz_plot_dot *d, double macs, double bytes, double seconds) {
    d->x = macs / bytes;
    d->y = macs / seconds * 1e-9;
    f->least = d->x < f->least ? d->x : f->least;
    f->most = d->x > f->most ? d->x : f->most;
}

static void add_whole(figure *f, const char *name, size_t n, double macs, double bytes,
                      double seconds) {
    char *label = f->label[f->n_whole];
    if (!(macs > 0) || !(seconds > 0))
        return;
    snprintf(label, MOST_LABEL, "%s %zu", name, n);
    f->whole[f->n_whole] = (sz_plot_dot){.label = label, .written = true};
    set_dot(f, &f->whole[f->n_whole++], macs, bytes, seconds);
}

static void add_operators(figure *f, size_t pass) {
    const sz_bench_pass *p = &f->r->pass[pass];
    for (size_t i = 0; i < p->n_ops; i++) {
        const sz_operator_cost *c = &p->op[i].sum;
        if (c->multiply_adds == 0 || (double)c->ns < least_share * (double)p->ns)
            continue;
        size_t at = f->n_op[pass]++;
        snprintf(f->op_label[pass][at], MOST_LABEL, "%s of a %s pass", c->name, p->name);
        f->op[pass][at] = (sz_plot_dot){.label = f->op_label[pass][at]};
        set_dot(f, &f->op[pass][at], (double)c->multiply_adds, (double)c->bytes,
                (double)c->ns * 1e-9);
    }
}

static double lower(double a, double b) {
    return a < b ? a : b;
}

/* From half of the least to the double of the most, the ridge within. */
static void draw_roofs(figure *f) {
    double ridge = f->r->int8_macs_per_s / f->r->read_bytes_per_s;
    double from = log(lower(f->least, ridge) / 2),
           to = log(2 * (f->most > ridge ? f->most : ridge));
    for (int i = 0; i < N_ROOF; i++) {
        double x = exp(from + (to - from) * i / (N_ROOF - 1));
        double read = x * f->r->read_bytes_per_s;
        f->x[i] = x;
        f->int8[i] = lower(read, f->r->int8_macs_per_s) * 1e-9;
        f->floats[i] = lower(read, f->r->float_macs_per_s) * 1e-9;
    }
}

static void gather(figure *f, const sz_bench_plan *plan) {
    const sz_bench_result *r = f->r;
    add_whole(f, "prefill", plan->n_prefill, r->prefill.macs, r->prefill.bytes, r->prefill.best_s);
    add_whole(f, "decode", plan->n_decode, r->decode.macs, r->decode.bytes, r->decode.best_s);
    for (size_t i = 0; i < plan->n_batches; i++)
        add_whole(f, "batch", r->batch[i].n, r->batch[i].macs, r->batch[i].bytes,
                  r->batch[i].sequences_s);
    for (size_t i = 0; i < r->n_passes; i++)
        add_operators(f, i);
    draw_roofs(f);
}

sz_status sz_bench_plot(const char *path, const char *title, const sz_bench_plan *plan,
                        const sz_bench_result *r) {
    figure *f = sz_calloc(1, sizeof *f);
    SZ_REQUIRE(f, SZ_E_NOMEM, "%s: no memory for a figure", path);
    f->r = r;
    f->least = INFINITY;
    gather(f, plan);
    sz_plot_line roofs[] = {{"int8 products", f->int8}, {"float products", f->floats}};
    sz_plot_dots dots[1 + SZ_MOST_PASSES] = {{"whole passes", f->whole, f->n_whole}};
    size_t n = 1;
    for (size_t i = 0; i < r->n_passes; i++)
        dots[n++] = (sz_plot_dots){r->pass[i].name, f->op[i], f->n_op[i]};
    sz_plot plot = {.title = title,
                    .x_label = "multiply-adds per byte",
                    .y_label = "10^9 multiply-adds per second",
                    .x = f->x,
                    .n = N_ROOF,
                    .lines = roofs,
                    .n_lines = sizeof roofs / sizeof *roofs,
                    .dots = dots,
                    .n_dots = n,
                    .log_x = true,
                    .log_y = true};
    sz_status status = sz_plot_write(path, &plot);
    sz_free(f);
    return status;
}
