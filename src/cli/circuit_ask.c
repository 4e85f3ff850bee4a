/* circuit_ask.c: `szilard fit circuit loglik|marginal|sample|info`: what a trained circuit tells.
 */
#include "circuit_command.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/num.h>

typedef struct asked {
    const sz_circuit_options *o;
    sz_runtime *rt;
    sz_pc *pc;
    sz_pc_shape shape;
    int32_t *given; /* [n_vars] */
    sz_buf out;
} asked;

/* ---- Known values ---------------------------------------------------------------------------- */

static sz_status take_given(asked *a, const char *text) {
    while (*text) {
        char *end;
        unsigned long column = strtoul(text, &end, 10);
        bool number = end != text && *end == '=';
        const char *value = end + 1;
        long v = number ? strtol(value, &end, 10) : 0;
        SZ_REQUIRE(number && end != value && (*end == ',' || *end == '\0'), SZ_E_ARG,
                   "--given: '%s' is not COLUMN=VALUE,...", text);
        SZ_REQUIRE(
            column < a->shape.n_vars && v >= 0 && v < (long)a->shape.n_categories, SZ_E_ARG,
            "--given: column %lu = %ld: the circuit has columns 0 to %zu and values 0 to %zu",
            column, v, a->shape.n_vars - 1, a->shape.n_categories - 1);
        a->given[column] = (int32_t)v;
        text = *end ? end + 1 : end;
    }
    return SZ_OK;
}

static sz_status begin(asked *a) {
    sz_runtime_config config = {.size = sizeof config, .n_threads = a->o->threads};
    SZ_TRY(sz_runtime_new(&config, &a->rt));
    SZ_TRY(sz_pc_open(a->o->model, &a->pc));
    a->shape = sz_pc_get_shape(a->pc);
    a->given = sz_alloc(a->shape.n_vars * sizeof *a->given);
    SZ_REQUIRE(a->given, SZ_E_NOMEM, "no memory for a record");
    for (size_t v = 0; v < a->shape.n_vars; v++)
        a->given[v] = SZ_PC_MISSING;
    return a->o->given ? take_given(a, a->o->given) : SZ_OK;
}

static int run(const sz_circuit_options *o, sz_status (*ask)(asked *a)) {
    asked a = {.o = o};
    sz_status status = begin(&a);
    if (status == SZ_OK)
        status = ask(&a);
    sz_free(a.given);
    sz_pc_free(a.pc);
    sz_runtime_free(a.rt);
    if (status == SZ_OK)
        return sz_cli_print(&a.out);
    sz_buf_free(&a.out);
    return sz_cli_error();
}

static double in_unit(const asked *a, double nats) {
    return sz_unit_convert(nats, a->o->unit);
}

static void put_number(sz_buf *b, double v) { /* JSON has no infinity */
    if (isinf(v))
        sz_buf_puts(b, v > 0 ? "\"inf\"" : "\"-inf\"");
    else
        sz_json_number(b, v);
}

/* ---- loglik ---------------------------------------------------------------------------------- */

static void tell_each(asked *a, const double *ln, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (a->o->json)
            sz_buf_printf(&a->out, "{\"row\":%zu,\"surprisal_%s\":", i, sz_unit_name(a->o->unit));
        put_number(&a->out, -in_unit(a, ln[i]));
        sz_buf_puts(&a->out, a->o->json ? "}\n" : "\n");
    }
}

static void tell_mean(asked *a, const double *ln, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ln[i];
    double total = -in_unit(a, sum), mean = total / (double)n;
    const char *unit = sz_unit_name(a->o->unit);
    if (!a->o->json) {
        sz_buf_printf(&a->out, "%zu records: %.4f %s per record, %.4f per value, %.1f in all\n", n,
                      mean, unit, mean / (double)a->shape.n_vars, total);
        return;
    }
    sz_buf_printf(&a->out, "{\"records\":%zu,\"per_record_%s\":", n, unit);
    put_number(&a->out, mean);
    sz_buf_printf(&a->out, ",\"per_value_%s\":", unit);
    put_number(&a->out, mean / (double)a->shape.n_vars);
    sz_buf_printf(&a->out, ",\"total_%s\":", unit);
    put_number(&a->out, total);
    sz_buf_puts(&a->out, "}\n");
}

static sz_status score(asked *a, const sz_records *r) {
    SZ_REQUIRE(r->width == a->shape.n_vars, SZ_E_ARG,
               "%s: records of %zu values, and the circuit has %zu variables", a->o->data, r->width,
               a->shape.n_vars);
    double *ln = sz_alloc(r->n * sizeof *ln);
    SZ_REQUIRE(ln, SZ_E_NOMEM, "no memory for %zu records", r->n);
    sz_status status = sz_pc_loglik(a->rt, a->pc, r->x, r->n, ln);
    if (status != SZ_OK)
        sz_fail_within(status, "%s", a->o->data);
    else if (a->o->each)
        tell_each(a, ln, r->n);
    else
        tell_mean(a, ln, r->n);
    sz_free(ln);
    return status;
}

static sz_status loglik(asked *a) {
    sz_records r;
    SZ_TRY(sz_records_read(a->o->data, a->o->width, &r));
    sz_status status = score(a, &r);
    sz_free(r.x);
    return status;
}

int sz_circuit_loglik(const sz_circuit_options *o) {
    return run(o, loglik);
}

/* ---- marginal -------------------------------------------------------------------------------- */

static void tell_variable(asked *a, size_t v, const double *pmf) {
    size_t k = a->shape.n_categories, best = 0;
    double entropy = 0;
    for (size_t c = 0; c < k; c++) {
        best = pmf[c] > pmf[best] ? c : best;
        double log_p = sz_log(pmf[c]);
        entropy -= pmf[c] > 0 ? pmf[c] * log_p : 0;
    }
    if (!a->o->json) {
        sz_buf_printf(&a->out, "%6zu %6zu %12.6f %12.6f\n", v, best, pmf[best],
                      in_unit(a, entropy));
        return;
    }
    sz_buf_printf(&a->out, "%s{\"column\":%zu,\"best\":%zu,\"entropy_%s\":",
                  a->out.data[a->out.len - 1] == '[' ? "" : ",", v, best, sz_unit_name(a->o->unit));
    sz_json_number(&a->out, in_unit(a, entropy));
    sz_buf_puts(&a->out, ",\"p\":[");
    for (size_t c = 0; c < k; c++) {
        if (c)
            sz_buf_putc(&a->out, ',');
        sz_json_number(&a->out, pmf[c]);
    }
    sz_buf_puts(&a->out, "]}");
}

static void tell_marginals(asked *a, const double *pmf, double ln) {
    const char *unit = sz_unit_name(a->o->unit);
    if (a->o->json) {
        sz_buf_puts(&a->out, "{\"p_given\":");
        sz_json_number(&a->out, sz_exp(ln));
        sz_buf_printf(&a->out, ",\"surprisal_given_%s\":", unit);
        sz_json_number(&a->out, -in_unit(a, ln));
        sz_buf_puts(&a->out, ",\"unknown\":[");
    } else
        sz_buf_printf(&a->out,
                      "P(given) = %.6g, %.4f %s\ncolumn   best            p      entropy\n",
                      sz_exp(ln), -in_unit(a, ln), unit);
    for (size_t v = 0; v < a->shape.n_vars && !a->out.failed; v++)
        if (a->given[v] == SZ_PC_MISSING)
            tell_variable(a, v, pmf + v * a->shape.n_categories);
    if (a->o->json)
        sz_buf_puts(&a->out, "]}\n");
}

static sz_status marginal(asked *a) {
    double ln, *pmf = sz_alloc(a->shape.n_vars * a->shape.n_categories * sizeof *pmf);
    SZ_REQUIRE(pmf, SZ_E_NOMEM, "no memory for the laws of %zu variables", a->shape.n_vars);
    sz_status status = sz_pc_posterior(a->rt, a->pc, a->given, pmf, &ln);
    if (status == SZ_OK)
        tell_marginals(a, pmf, ln);
    sz_free(pmf);
    return status;
}

int sz_circuit_marginal(const sz_circuit_options *o) {
    return run(o, marginal);
}

/* ---- sample ---------------------------------------------------------------------------------- */

static sz_status sample(asked *a) {
    size_t d = a->shape.n_vars;
    int32_t *x = sz_alloc((a->o->n * d + 1) * sizeof *x);
    SZ_REQUIRE(x, SZ_E_NOMEM, "no memory for %zu records", a->o->n);
    sz_status status = sz_pc_sample(a->rt, a->pc, a->given, a->o->n, a->o->fit.seed, x);
    for (size_t i = 0; i < a->o->n * d && status == SZ_OK; i++) {
        sz_buf_puts(&a->out, i % d ? "," : a->o->json ? "[" : "");
        sz_buf_printf(&a->out, "%d", x[i]);
        if (i % d == d - 1)
            sz_buf_puts(&a->out, a->o->json ? "]\n" : "\n");
    }
    sz_free(x);
    return status;
}

int sz_circuit_sample(const sz_circuit_options *o) {
    return run(o, sample);
}

/* ---- info ------------------------------------------------------------------------------------ */

static sz_status info(asked *a) {
    uint8_t digest[32];
    char hex[65];
    SZ_TRY(sz_pc_digest(a->pc, digest));
    sz_hex(digest, sizeof digest, hex);
    sz_buf_printf(&a->out,
                  a->o->json ? "{\"variables\":%zu,\"latents\":%zu,\"categories\":%zu,"
                               "\"parameters\":%llu,\"root\":%u,\"sha256\":\"%s\"}\n"
                             : "variables   %zu\nlatents     %zu\ncategories  %zu\n"
                               "parameters  %llu\nroot        %u\nsha256      %s\n",
                  a->shape.n_vars, a->shape.n_latents, a->shape.n_categories,
                  (unsigned long long)sz_pc_n_parameters(a->pc), sz_pc_order(a->pc)[0], hex);
    return SZ_OK;
}

int sz_circuit_info(const sz_circuit_options *o) {
    return run(o, info);
}
