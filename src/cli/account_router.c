/* account_router.c: what two models that write one text have each done, and what that saved. */
#include "account.h"
#include <math.h>
#include <string.h>

enum { N_FIGURES = sizeof(sz_router_account) / sizeof(uint64_t) };

/* All members are counters of 64 bits. */
static void add(sz_router_account *to, const sz_router_account *a, uint64_t times) {
    uint64_t x[N_FIGURES], y[N_FIGURES];
    memcpy(x, to, sizeof x);
    memcpy(y, a, sizeof y);
    for (int i = 0; i < N_FIGURES; i++)
        x[i] += times * y[i];
    memcpy(to, x, sizeof x);
}

void sz_account_routed_add(sz_router_account *total, const sz_router_account *a) {
    add(total, a, 1);
}

void sz_account_routed_since(sz_router_account *now, const sz_router_account *before) {
    add(now, before, UINT64_MAX); /* that is -1 */
}

/* ---- Savings --------------------------------------------------------------------------------- */

typedef struct savings {
    sz_model_info small, large;
    double large_fraction, by_parameters; /* the paper's figure */
    double by_computation;                /* tokens computed, prompt and catching up included */
} savings;

static double parameters(const sz_model_info *m) {
    return (double)m->n_params;
}

static savings savings_of(const sz_account *a, const sz_account_setting *s) {
    savings v = {.small = {.name = ""}, .by_parameters = NAN, .by_computation = NAN};
    const sz_router_account *r = &a->routed;
    double n = (double)(r->written[0] + r->written[1]);
    sz_model_get_info(s->engine->model, &v.large);
    if (s->engine->small)
        sz_model_get_info(s->engine->small, &v.small);
    v.large_fraction = n > 0 ? (double)r->written[SZ_ROUTER_LARGE] / n : NAN;
    if (sz_ead_saving(v.large_fraction, parameters(&v.small), parameters(&v.large),
                      &v.by_parameters) != SZ_OK)
        v.by_parameters = NAN;
    double done = parameters(&v.small) * (double)r->computed[SZ_ROUTER_SMALL] +
                  parameters(&v.large) * (double)r->computed[SZ_ROUTER_LARGE];
    double alone = parameters(&v.large) * (double)(a->n_prefilled + a->n_passes);
    v.by_computation = alone > 0 ? 1.0 - done / alone : NAN;
    return v;
}

/* All tokens are the large model's then. */
static bool speculates(const sz_account_setting *s) {
    return strcmp(sz_router_get_kind(s->voice->router)->name, "speculative") == 0;
}

/* ---- Text ------------------------------------------------------------------------------------ */

static void put_speculation(sz_buf *b, const sz_router_account *r) {
    sz_buf_printf(b, "speculation  %llu of %llu drafted tokens were right",
                  (unsigned long long)r->accepted, (unsigned long long)r->drafted);
    if (r->passes[SZ_ROUTER_LARGE])
        sz_buf_printf(b, "; %.2f tokens per pass",
                      (double)r->written[SZ_ROUTER_LARGE] / (double)r->passes[SZ_ROUTER_LARGE]);
    sz_buf_putc(b, '\n');
}

void sz_account_put_routed(sz_buf *b, const sz_account *a, const sz_account_setting *s) {
    const sz_router_account *r = &a->routed;
    if (speculates(s)) {
        put_speculation(b, r);
        return;
    }
    savings v = savings_of(a, s);
    sz_buf_printf(b, "small model  %llu tokens, large %llu (%.0f %%), %llu switch%s",
                  (unsigned long long)r->written[0], (unsigned long long)r->written[1],
                  isnan(v.large_fraction) ? 0 : 100 * v.large_fraction,
                  (unsigned long long)r->switches, r->switches == 1 ? "" : "es");
    if (!isnan(v.by_parameters))
        sz_buf_printf(b, "; saved %.0f %% of the parameters used, %.0f %% of the computation",
                      100 * v.by_parameters, 100 * v.by_computation);
    sz_buf_putc(b, '\n');
}

void sz_account_put_trace(sz_buf *b, const sz_account *a, const sz_account_setting *s) {
    if (!a->writers || a->n_tokens == 0 || speculates(s))
        return;
    sz_buf_puts(b, "written by  ");
    for (size_t i = 0, start = 0; i < a->n_tokens; i++) {
        if (i + 1 < a->n_tokens && a->writers[i + 1] == a->writers[start])
            continue;
        sz_buf_printf(b, " %s %zu", a->writers[start] == SZ_ROUTER_LARGE ? "large" : "small",
                      i + 1 - start);
        start = i + 1;
    }
    sz_buf_putc(b, '\n');
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void put_number(sz_buf *b, const char *key, double v) {
    sz_buf_printf(b, ",\"%s\":", key);
    sz_json_number(b, v);
}

static void put_both(sz_buf *b, const char *key, const uint64_t v[2], double unit) {
    sz_buf_printf(b, ",\"%s\":[", key);
    sz_json_number(b, (double)v[0] * unit);
    sz_buf_putc(b, ',');
    sz_json_number(b, (double)v[1] * unit);
    sz_buf_putc(b, ']');
}

void sz_account_routed_json(sz_buf *b, const sz_account *a, const sz_account_setting *s) {
    const sz_router_account *r = &a->routed;
    savings v = savings_of(a, s);
    sz_buf_puts(b, ",\"router\":{\"router\":");
    sz_json_quote(b, s->options->routing.router, strlen(s->options->routing.router));
    sz_buf_puts(b, ",\"models\":[");
    sz_json_quote(b, v.small.name, strlen(v.small.name));
    sz_buf_putc(b, ',');
    sz_json_quote(b, v.large.name, strlen(v.large.name));
    sz_buf_putc(b, ']');
    put_both(b, "parameters", (const uint64_t[]){v.small.n_params, v.large.n_params}, 1);
    put_both(b, "written", r->written, 1);
    put_both(b, "passes", r->passes, 1);
    put_both(b, "computed", r->computed, 1);
    put_both(b, "caught_up", r->caught_up, 1);
    put_both(b, "pass_seconds", r->pass_ns, 1e-9);
    put_number(b, "switches", (double)r->switches);
    put_number(b, "drafted", (double)r->drafted);
    put_number(b, "accepted", (double)r->accepted);
    put_number(b, "large_fraction", v.large_fraction);
    put_number(b, "parameter_saving", v.by_parameters);
    put_number(b, "computation_saving", v.by_computation);
    sz_buf_putc(b, '}');
}
