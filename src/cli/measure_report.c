/* measure_report.c: figures as a table or as JSON, every one with its unit. */
#include "measure.h"
#include <math.h>
#include <string.h>

static void add(sz_report *r, const char *name, double value, double error, bool nats, bool best) {
    if (r->n == SZ_MOST_FIGURES)
        return;
    sz_figure *f = &r->figure[r->n++];
    *f = (sz_figure){.value = value, .error = error, .nats = nats, .best = best};
    snprintf(f->name, sizeof f->name, "%s", name);
}

void sz_report_add(sz_report *r, const char *name, double nats, double error) {
    add(r, name, nats, error, true, false);
}

void sz_report_best(sz_report *r, const char *name, double nats, double error) {
    add(r, name, nats, error, true, true);
}

void sz_report_plain(sz_report *r, const char *name, double value) {
    add(r, name, value, NAN, false, false);
}

/* "_nats", "_bits", "_hartleys" or nothing. */
static void put_key(sz_buf *b, const sz_figure *f, const char *suffix, sz_unit unit) {
    sz_buf_printf(b, ",\"%s%s", f->name, suffix);
    if (f->nats)
        sz_buf_printf(b, "_%s", sz_unit_name(unit));
    sz_buf_puts(b, "\":");
}

static void put_value(sz_buf *b, double v) {
    if (isinf(v)) /* JSON has no infinity */
        sz_buf_puts(b, v > 0 ? "\"inf\"" : "\"-inf\"");
    else
        sz_json_number(b, v);
}

static int print_json(const sz_report *r, const sz_measure_options *o) {
    sz_buf b = {0};
    sz_buf_puts(&b, "{\"of\":");
    sz_json_quote(&b, r->what, strlen(r->what));
    for (size_t i = 0; i < r->n; i++) {
        const sz_figure *f = &r->figure[i];
        put_key(&b, f, "", o->unit);
        put_value(&b, f->nats ? sz_unit_convert(f->value, o->unit) : f->value);
        if (o->intervals && !isnan(f->error)) {
            put_key(&b, f, "_standard_error", o->unit);
            put_value(&b, f->error == SZ_UNDEFINED ? NAN : sz_unit_convert(f->error, o->unit));
        }
        if (f->best)
            sz_buf_printf(&b, ",\"best\":\"%s\"", f->name);
    }
    sz_buf_puts(&b, ",\"why\":");
    sz_json_quote(&b, r->why, strlen(r->why));
    sz_buf_puts(&b, "}\n");
    return sz_cli_print(&b);
}

int sz_report_print(const sz_report *r, const sz_measure_options *o) {
    if (o->json)
        return print_json(r, o);
    sz_buf b = {0};
    sz_buf_printf(&b, "%s\n", r->what);
    for (size_t i = 0; i < r->n; i++) {
        const sz_figure *f = &r->figure[i];
        double v = f->nats ? sz_unit_convert(f->value, o->unit) : f->value;
        sz_buf_printf(&b, "%c %-24s %12.6g", f->best ? '*' : ' ', f->name, v);
        if (f->nats)
            sz_buf_printf(&b, " %s", sz_unit_name(o->unit));
        if (o->intervals && f->error == SZ_UNDEFINED) {
            sz_buf_puts(&b, "  95 %: undefined");
        } else if (o->intervals && !isnan(f->error)) {
            double half = 1.96 * sz_unit_convert(f->error, o->unit);
            sz_buf_printf(&b, "  95 %%: %.6g to %.6g", v - half, v + half);
        }
        sz_buf_putc(&b, '\n');
    }
    if (o->explain)
        sz_buf_printf(&b, "* %s\n", r->why);
    return sz_cli_print(&b);
}
