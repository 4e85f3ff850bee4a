/* circuit_train.c: `szilard fit circuit train`: a circuit from a file of records. */
#include "circuit_command.h"
#include "signals.h"
#include "term.h"
#include <math.h>
#include <string.h>
#include <sys/stat.h>

typedef struct watch {
    sz_progress bar;
    sz_pc_epoch last;
    double best_valid;
    size_t best_epoch;
} watch;

static bool look(void *user, const sz_pc_epoch *e) {
    watch *w = user;
    w->last = *e;
    if (e->valid_nats > w->best_valid) {
        w->best_valid = e->valid_nats;
        w->best_epoch = e->epoch;
    }
    sz_progress_update(&w->bar, e->epoch + 1);
    return !sz_interrupted();
}

/* The last rows of a random order are for validation. */
static void shuffle_rows(sz_records *r, uint64_t seed) {
    enum { STREAM = 77 };
    for (size_t i = r->n; i-- > 1;) {
        size_t j = (size_t)(sz_uniform(seed, STREAM, i) * (double)(i + 1));
        for (size_t v = 0; v < r->width && j != i; v++) {
            int32_t swap = r->x[i * r->width + v];
            r->x[i * r->width + v] = r->x[j * r->width + v];
            r->x[j * r->width + v] = swap;
        }
    }
}

static sz_status mean_nats(sz_runtime *rt, const sz_pc *pc, const int32_t *x, size_t n,
                           double *out) {
    double *ln = sz_alloc((n + 1) * sizeof *ln), sum = 0;
    SZ_REQUIRE(ln, SZ_E_NOMEM, "no memory for %zu records", n);
    sz_status status = sz_pc_loglik(rt, pc, x, n, ln);
    for (size_t i = 0; i < n && status == SZ_OK; i++)
        sum += ln[i];
    *out = n ? sum / (double)n : NAN;
    sz_free(ln);
    return status;
}

static void put_figure(sz_buf *b, bool json, const char *name, const char *unit, double v) {
    if (json) {
        sz_buf_printf(b, ",\"%s_%s\":", name, unit);
        sz_json_number(b, v);
    } else if (!isnan(v))
        sz_buf_printf(b, "%-22s %12.4f %s\n", name, v, unit);
}

static void tell(const sz_circuit_options *o, const sz_pc *pc, const watch *w, size_t n_train,
                 size_t n_valid, double train, double valid, sz_buf *b) {
    sz_pc_shape s = sz_pc_get_shape(pc);
    size_t kept = n_valid ? w->best_epoch : w->last.epoch;
    const char *unit = sz_unit_name(o->unit);
    if (o->json)
        sz_buf_printf(b,
                      "{\"records\":%zu,\"validation\":%zu,\"variables\":%zu,\"latents\":%zu,"
                      "\"categories\":%zu,\"parameters\":%llu,\"epochs\":%zu,\"kept_epoch\":%zu",
                      n_train, n_valid, s.n_vars, s.n_latents, s.n_categories,
                      (unsigned long long)sz_pc_n_parameters(pc), w->last.epoch + 1, kept + 1);
    else
        sz_buf_printf(
            b,
            "%zu records, %zu for validation; %zu variables of %zu categories, %zu hidden "
            "states, %llu parameters\nepoch %zu of %zu is kept\n",
            n_train, n_valid, s.n_vars, s.n_categories, s.n_latents,
            (unsigned long long)sz_pc_n_parameters(pc), kept + 1, w->last.epoch + 1);
    double per = (double)s.n_vars;
    put_figure(b, o->json, "train_per_record", unit, -sz_unit_convert(train, o->unit));
    put_figure(b, o->json, "train_per_value", unit, -sz_unit_convert(train, o->unit) / per);
    put_figure(b, o->json, "valid_per_record", unit, -sz_unit_convert(valid, o->unit));
    put_figure(b, o->json, "valid_per_value", unit, -sz_unit_convert(valid, o->unit) / per);
    if (o->json)
        sz_buf_puts(b, "}\n");
}

static sz_status train(const sz_circuit_options *o, sz_runtime *rt, sz_records *r, sz_buf *b) {
    sz_pc_fit_config c = o->fit;
    watch w = {.best_valid = -INFINITY};
    size_t n_valid = (size_t)(o->valid_share * (double)r->n);
    n_valid = n_valid < r->n ? n_valid : r->n - 1;
    size_t n = r->n - n_valid, k = o->n_categories ? o->n_categories : r->n_categories;
    if (n_valid)
        shuffle_rows(r, c.seed);
    c.valid = n_valid ? r->x + n * r->width : NULL;
    c.n_valid = n_valid;
    c.last = c.batch ? c.step / 2 : c.step;
    c.progress = look;
    c.user = &w;
    sz_progress_begin(&w.bar, "training", " epochs", 0, c.n_epochs ? c.n_epochs : 50);
    sz_pc *pc;
    sz_status status = sz_pc_fit(rt, r->x, n, r->width, k, &c, &pc);
    sz_progress_end(&w.bar);
    SZ_TRY(status);
    double in_nats = NAN, out_nats = NAN;
    status = mean_nats(rt, pc, r->x, n, &in_nats);
    if (status == SZ_OK)
        status = mean_nats(rt, pc, r->x + n * r->width, n_valid, &out_nats);
    if (status == SZ_OK)
        status = sz_pc_save(pc, o->output, NULL);
    if (status == SZ_OK && sz_interrupted())
        sz_cli_note("interrupted: the circuit so far is kept");
    tell(o, pc, &w, n, n_valid, in_nats, out_nats, b);
    sz_pc_free(pc);
    return status;
}

/* Before the work, so that it is not done for nothing. Pipes and devices are left alone. */
static sz_status check_output(const char *path) {
    struct stat there;
    sz_writer *w;
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode))
        return SZ_OK;
    SZ_TRY(sz_writer_open(path, &w));
    sz_writer_abort(w);
    return SZ_OK;
}

int sz_circuit_train(const sz_circuit_options *o) {
    sz_runtime *rt;
    sz_records r;
    sz_buf b = {0};
    sz_runtime_config config = {.size = sizeof config, .n_threads = o->threads};
    if (check_output(o->output) != SZ_OK || sz_records_read(o->data, o->width, &r) != SZ_OK)
        return sz_cli_error();
    sz_status status = sz_runtime_new(&config, &rt);
    if (status == SZ_OK) {
        sz_catch_interrupts(NULL);
        status = train(o, rt, &r, &b);
        sz_clear_interrupt();
        sz_runtime_free(rt);
    }
    sz_free(r.x);
    if (status != SZ_OK) {
        sz_buf_free(&b);
        return sz_cli_error();
    }
    return sz_cli_print(&b);
}
