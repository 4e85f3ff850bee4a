/* infer_run.c: `szilard fit bayes run`: what a program returns, by weight. */
#include "inference.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/info.h>
#include <szilard/unstable/num.h>

enum { MOST_SHOWN = 24 };

/* Results and their shares, which sum to 1. */
typedef struct result {
    double value, share;
} result;

typedef struct posterior {
    sz_infer_method method;
    result *r; /* [n], by rising value, equal values joined */
    size_t n;
    double log_evidence; /* NaN: not estimated */
    sz_smc_account account;
    size_t n_samples, n_accepted, n_moves;
    double mean, deviation, quantile[3]; /* 2.5 %, 50 %, 97.5 % */
} posterior;

static int by_value(const void *a, const void *b) {
    double x = ((const result *)a)->value, y = ((const result *)b)->value;
    return (x > y) - (x < y);
}

/* Sorts and joins; figures of the whole. */
static void summarise(posterior *p) {
    size_t n = 0;
    qsort(p->r, p->n, sizeof *p->r, by_value);
    for (size_t i = 0; i < p->n; i++) {
        if (n > 0 && p->r[n - 1].value == p->r[i].value)
            p->r[n - 1].share += p->r[i].share;
        else
            p->r[n++] = p->r[i];
    }
    p->n = n;
    double squares = 0.0, up_to = 0.0;
    static const double levels[] = {0.025, 0.5, 0.975};
    int level = 0;
    for (size_t i = 0; i < n; i++) {
        p->mean += p->r[i].share * p->r[i].value;
        up_to += p->r[i].share;
        while (level < 3 && (up_to >= levels[level] || i + 1 == n))
            p->quantile[level++] = p->r[i].value;
    }
    for (size_t i = 0; i < n; i++)
        squares += p->r[i].share * (p->r[i].value - p->mean) * (p->r[i].value - p->mean);
    p->deviation = sqrt(squares);
}

/* ---- Methods -----------------------------------------------------------------------------------
 */

static sz_status room(posterior *p, size_t n) {
    p->r = sz_calloc(n, sizeof *p->r);
    SZ_REQUIRE(p->r, SZ_E_NOMEM, "no memory for %zu results", n);
    p->n = n;
    return SZ_OK;
}

static sz_status run_exact(const sz_program *program, const sz_infer_options *o, posterior *p) {
    sz_atoms m = {0};
    SZ_TRY(sz_program_measure(program, o->max_paths, &m));
    double z = sz_atoms_total(&m);
    p->log_evidence = z > 0.0 ? sz_log(z) : -INFINITY;
    sz_status status = z > 0.0 ? room(p, m.n) : SZ_OK;
    for (size_t i = 0; status == SZ_OK && i < p->n; i++)
        p->r[i] = (result){m.output[i], m.mass[i] / z};
    sz_atoms_free(&m);
    return status;
}

static sz_status run_population(const sz_program *program, const sz_infer_options *o,
                                posterior *p) {
    sz_population_config c = o->population;
    size_t n = c.n_particles;
    double *outputs = sz_alloc(3 * n * sizeof *outputs);
    SZ_REQUIRE(outputs, SZ_E_NOMEM, "no memory for %zu particles", n);
    double *log_weights = outputs + n, *shares = outputs + 2 * n;
    sz_weight_figures f;
    if (p->method == SZ_INFER_IMPORTANCE)
        c.threshold = -1.0;
    sz_status status = sz_program_smc(program, &c, outputs, log_weights, &p->account);
    p->log_evidence = p->account.log_evidence;
    if (status == SZ_OK)
        status = sz_weights_measure(log_weights, n, shares, &f);
    if (status == SZ_OK && p->log_evidence > -INFINITY) {
        status = room(p, n);
        p->n = 0;
        for (size_t i = 0; status == SZ_OK && i < n; i++)
            if (shares[i] > 0.0)
                p->r[p->n++] = (result){outputs[i], shares[i]};
    }
    sz_free(outputs);
    return status;
}

static sz_status run_chain(const sz_program *program, const sz_infer_options *o, posterior *p) {
    double *samples = sz_alloc(o->n_samples * sizeof *samples);
    SZ_REQUIRE(samples, SZ_E_NOMEM, "no memory for %zu samples", o->n_samples);
    p->n_samples = o->n_samples;
    p->n_moves = o->n_samples;
    sz_status status;
    if (p->method == SZ_INFER_PIMH) {
        status = sz_program_pimh(program, &o->population, o->n_samples, samples, &p->n_accepted);
    } else {
        p->n_moves = o->n_skip + o->thin * o->n_samples;
        status = sz_program_mcmc(program, o->population.seed, o->n_skip, o->thin, o->n_samples,
                                 samples, &p->n_accepted);
    }
    if (status == SZ_OK)
        status = room(p, o->n_samples);
    for (size_t i = 0; status == SZ_OK && i < p->n; i++)
        p->r[i] = (result){samples[i], 1.0 / (double)p->n};
    sz_free(samples);
    return status;
}

static sz_status run_method(const sz_program *program, const sz_infer_options *o, posterior *p) {
    p->log_evidence = NAN;
    p->method = o->method == SZ_INFER_AUTO ? SZ_INFER_EXACT : o->method;
    if (p->method == SZ_INFER_MCMC || p->method == SZ_INFER_PIMH)
        return run_chain(program, o, p);
    if (p->method != SZ_INFER_EXACT)
        return run_population(program, o, p);
    sz_status status = run_exact(program, o, p);
    bool other = status == SZ_E_UNSUPPORTED || status == SZ_E_LIMIT;
    if (!other || o->method == SZ_INFER_EXACT)
        return status;
    p->method = SZ_INFER_SMC;
    return run_population(program, o, p);
}

/* ---- Answers -----------------------------------------------------------------------------------
 */

static double in_unit(double nats, sz_unit unit) {
    return sz_unit_convert(nats, unit);
}

static bool is_population(const posterior *p) {
    return p->method == SZ_INFER_SMC || p->method == SZ_INFER_IMPORTANCE;
}

static void put_json(sz_buf *b, const posterior *p, sz_unit unit) {
    sz_buf_printf(b, "{\"method\":\"%s\",\"log_evidence_%s\":", sz_infer_methods[p->method],
                  sz_unit_name(unit));
    if (p->log_evidence == -INFINITY)
        sz_buf_puts(b, "\"-inf\"");
    else
        sz_json_number(b, in_unit(p->log_evidence, unit));
    if (is_population(p)) {
        sz_buf_printf(b, ",\"steps\":%zu,\"resampled\":%zu,\"ess\":", p->account.n_steps,
                      p->account.n_resampled);
        sz_json_number(b, p->account.figures.ess);
        sz_buf_puts(b, ",\"least_ess\":");
        sz_json_number(b, p->account.least_ess);
        sz_buf_printf(b, ",\"weight_entropy_%s\":", sz_unit_name(unit));
        sz_json_number(b, in_unit(p->account.figures.entropy, unit));
    }
    if (p->n_samples > 0) {
        sz_buf_printf(b, ",\"samples\":%zu,\"acceptance\":", p->n_samples);
        sz_json_number(b, (double)p->n_accepted / (double)p->n_moves);
    }
    if (p->n > 0) {
        static const char *const names[] = {"mean", "deviation", "low", "median", "high"};
        double v[] = {p->mean, p->deviation, p->quantile[0], p->quantile[1], p->quantile[2]};
        for (int i = 0; i < 5; i++) {
            sz_buf_printf(b, ",\"%s\":", names[i]);
            sz_json_number(b, v[i]);
        }
    }
    if (p->n <= MOST_SHOWN) {
        sz_buf_puts(b, ",\"posterior\":[");
        for (size_t i = 0; i < p->n; i++) {
            sz_buf_puts(b, i ? ",[" : "[");
            sz_json_number(b, p->r[i].value);
            sz_buf_putc(b, ',');
            sz_json_number(b, p->r[i].share);
            sz_buf_putc(b, ']');
        }
        sz_buf_putc(b, ']');
    }
    sz_buf_puts(b, "}\n");
}

static void put_text(sz_buf *b, const posterior *p, const sz_infer_options *o) {
    sz_buf_printf(b, "by %s\n", sz_infer_methods[p->method]);
    if (!isnan(p->log_evidence))
        sz_buf_printf(b, "  log evidence       %14.9g %s\n", in_unit(p->log_evidence, o->unit),
                      sz_unit_name(o->unit));
    if (is_population(p))
        sz_buf_printf(b,
                      "  effective size     %14.6g of %zu, at least %.6g; %zu steps, %zu "
                      "resamplings\n",
                      p->account.figures.ess, o->population.n_particles, p->account.least_ess,
                      p->account.n_steps, p->account.n_resampled);
    if (p->n_samples > 0)
        sz_buf_printf(b, "  samples            %14zu, %.3g of the moves accepted\n", p->n_samples,
                      (double)p->n_accepted / (double)p->n_moves);
    if (p->n == 0) {
        sz_buf_puts(b, "every run was rejected: there is no posterior\n");
        return;
    }
    sz_buf_printf(b, "  mean               %14.9g, deviation %.6g\n", p->mean, p->deviation);
    sz_buf_printf(b, "  median             %14.9g, 95 %% within %.6g to %.6g\n", p->quantile[1],
                  p->quantile[0], p->quantile[2]);
    for (size_t i = 0; p->n <= MOST_SHOWN && i < p->n; i++)
        sz_buf_printf(b, "  P(%g)%*s%.6f\n", p->r[i].value, 12, "", p->r[i].share);
}

static sz_status write_results(const posterior *p, const char *path) {
    sz_writer *w;
    sz_buf b = {0};
    sz_buf_puts(&b, "value,share\n");
    for (size_t i = 0; i < p->n; i++) {
        sz_json_number(&b, p->r[i].value);
        sz_buf_putc(&b, ',');
        sz_json_number(&b, p->r[i].share);
        sz_buf_putc(&b, '\n');
    }
    sz_status status =
        b.failed ? sz_fail(SZ_E_NOMEM, "no memory for %s", path) : sz_writer_open(path, &w);
    if (status == SZ_OK) {
        status = sz_writer_write(w, b.data, b.len);
        if (status == SZ_OK)
            status = sz_writer_commit(w);
        else
            sz_writer_abort(w);
    }
    sz_buf_free(&b);
    return status;
}

static sz_status infer(const sz_infer_options *o, posterior *p) {
    sz_script *s;
    sz_infer_options with = *o;
    SZ_TRY(sz_infer_open(o, &s));
    sz_program program = sz_script_program(s);
    sz_status status = o->threads > 1 ? sz_pool_new(o->threads, &with.population.pool) : SZ_OK;
    if (status == SZ_OK)
        status = run_method(&program, &with, p);
    sz_pool_free(with.population.pool);
    sz_script_free(s);
    SZ_TRY(status);
    if (p->n > 0)
        summarise(p);
    return o->output ? write_results(p, o->output) : SZ_OK;
}

int sz_infer_run(const sz_infer_options *o) {
    posterior p = {0};
    sz_buf b = {0};
    if (infer(o, &p) != SZ_OK) {
        sz_free(p.r);
        return sz_cli_error();
    }
    if (o->json)
        put_json(&b, &p, o->unit);
    else
        put_text(&b, &p, o);
    int exit_status = sz_cli_print(&b);
    bool nothing = p.n == 0;
    sz_free(p.r);
    return exit_status == SZ_EXIT_OK && nothing ? SZ_EXIT_NOTHING : exit_status;
}
