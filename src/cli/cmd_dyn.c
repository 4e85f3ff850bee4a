/* cmd_dyn.c: `szilard fit dyn`: predictions of a field that keep a conservation law, and fields
 * that are known exactly to try them on. */
#include "cli.h"
#include "measure.h"
#include <math.h>
#include <string.h>
#include <szilard/unstable/conserve.h>

enum {
    OPT_X = 400,
    OPT_MEAN,
    OPT_VARIANCE,
    OPT_TRUTH,
    OPT_TOTAL,
    OPT_SUM,
    OPT_NOISE,
    OPT_METHOD,
    OPT_DIFFUSION,
    OPT_LAW,
    OPT_PARAMETER,
    OPT_TIME,
    OPT_POINTS,
    OPT_JSON
};

typedef enum method { PROBCONSERV, HARDC, BASE } method;
static const char *const methods[] = {"probconserv", "hardc", "base", NULL};

typedef struct settings {
    int words; /* of "conserve" and "simulate" that came */
    const char *file, *x, *mean, *variance, *truth;
    double total, noise, alpha; /* NAN: not given */
    bool sum, json;
    int method, law; /* law -1: not given */
    double parameter, time;
    size_t points;
    bool simulate;
} settings;

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "conserve FILE:", 1},
    {"total", OPT_TOTAL, "B", 0, "What the field's integral must be", 1},
    {"sum", OPT_SUM, NULL, 0, "The plain sum of the values must be B, not their integral over x",
     1},
    {"x", OPT_X, "COLUMN", 0, "Places, rising (x; not needed with --sum)", 1},
    {"mean", OPT_MEAN, "COLUMN", 0, "Predicted means (mean)", 1},
    {"variance", OPT_VARIANCE, "COLUMN", 0, "Their variances (variance)", 1},
    {"truth", OPT_TRUTH, "COLUMN", 0, "The true field, to score the prediction against", 1},
    {"method", OPT_METHOD, "M", 0,
     "probconserv: corrections go where the variance is; hardc: everywhere alike; base: none "
     "(probconserv)",
     1},
    {"noise", OPT_NOISE, "V", 0, "Variance of the total; 0 (the default): it holds exactly", 1},
    {"diffusion", OPT_DIFFUSION, "ALPHA", 0,
     "First smooth what oscillates, with neighbours that correlate by ALPHA (such as 0.9)", 1},
    {NULL, 0, NULL, 0, "conserve simulate:", 2},
    {"law", OPT_LAW, "LAW", 0, "heat, porous, stefan, advection or burgers", 2},
    {"parameter", OPT_PARAMETER, "P", 0, "Its k, m, u*, beta or height (1; stefan: 0.6)", 2},
    {"time", OPT_TIME, "T", 0, "Time of the field (0.05)", 2},
    {"points", OPT_POINTS, "N", 0, "Places from one end of the domain to the other (201)", 2},
    {NULL, 0, NULL, 0, "Output:", 3},
    {"json", OPT_JSON, NULL, 0, "Print one object in place of CSV", 3},
    {0},
};

static void take_word(settings *s, char *arg, struct argp_state *state) {
    if (s->words == 0) {
        if (strcmp(arg, "conserve") != 0)
            argp_error(state, "'%s' is none of what dyn does: conserve", arg);
    } else if (s->words == 1 && strcmp(arg, "simulate") == 0) {
        s->simulate = true;
    } else if (s->simulate || s->file) {
        argp_error(state, "'%s' is left over", arg);
    } else {
        s->file = arg;
    }
    s->words++;
}

static void check(settings *s, struct argp_state *state) {
    if (s->words == 0)
        argp_error(state, "say what to do: conserve FILE, or conserve simulate");
    if (s->simulate && s->law < 0)
        argp_error(state, "simulate needs --law");
    if (!s->simulate && isnan(s->total))
        argp_error(state, "say what the total must be: --total B");
    if (isnan(s->parameter))
        s->parameter = s->law == SZ_LAW_STEFAN ? 0.6 : 1;
    if (!s->file)
        s->file = "-";
}

static error_t parse_numbers(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case OPT_TOTAL:
        s->total = sz_cli_real(state, "--total", arg, -1e300, 1e300);
        return 0;
    case OPT_NOISE:
        s->noise = sz_cli_real(state, "--noise", arg, 0, 1e300);
        return 0;
    case OPT_DIFFUSION:
        s->alpha = sz_cli_real(state, "--diffusion", arg, -1, 1);
        return 0;
    case OPT_METHOD:
        s->method = sz_cli_choice(state, "--method", arg, methods);
        return 0;
    case OPT_LAW:
        s->law = sz_cli_choice(state, "--law", arg, sz_conserve_law_names);
        return 0;
    case OPT_PARAMETER:
        s->parameter = sz_cli_real(state, "--parameter", arg, 1e-6, 1e6);
        return 0;
    case OPT_TIME:
        s->time = sz_cli_real(state, "--time", arg, 0, 1e6);
        return 0;
    case OPT_POINTS:
        s->points = (size_t)sz_cli_int(state, "--points", arg, 2, 1 << 24);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case OPT_X:
        s->x = arg;
        return 0;
    case OPT_MEAN:
        s->mean = arg;
        return 0;
    case OPT_VARIANCE:
        s->variance = arg;
        return 0;
    case OPT_TRUTH:
        s->truth = arg;
        return 0;
    case OPT_SUM:
        s->sum = true;
        return 0;
    case OPT_JSON:
        s->json = true;
        return 0;
    case ARGP_KEY_ARG:
        take_word(s, arg, state);
        return 0;
    case ARGP_KEY_END:
        check(s, state);
        return 0;
    default:
        return parse_numbers(key, arg, state);
    }
}

const struct argp sz_argp_dyn = {
    options,
    parse,
    "conserve [FILE|-]\nconserve simulate --law LAW",
    "Corrects a predicted field, means and variances over places, so that a conserved total is "
    "what "
    "it must be: the prediction is conditioned on the total, and moves where it is unsure. FILE is "
    "a "
    "table as for 'szilard measure'. simulate writes fields that are known exactly."
    "\v"
    "EXAMPLES\n"
    "  szilard dyn conserve forecast.csv --total 0.186 > corrected.csv\n"
    "  szilard dyn conserve regions.csv --sum --total 1000 --method hardc\n"
    "  szilard dyn conserve forecast.csv --total 0.186 --diffusion 0.9 --truth u --json\n"
    "  szilard dyn conserve simulate --law stefan --parameter 0.6 --time 0.05\n",
    NULL,
    NULL,
    NULL};

/* ---- Correcting ------------------------------------------------------------------------------ */

typedef struct field {
    size_t n;
    double *x, *mean, *var, *truth; /* [n]; x and truth may be NULL */
    double *weights;                /* of the total */
    double *mean_out, *var_out, *cov;
    double gain;
} field;

static void field_free(field *f) {
    sz_free(f->x);
    sz_free(f->mean);
    sz_free(f->var);
    sz_free(f->truth);
    sz_free(f->weights);
    sz_free(f->mean_out);
    sz_free(f->var_out);
    sz_free(f->cov);
}

static sz_status read_column(const sz_table *t, const char *name, double **out) {
    size_t n;
    SZ_TRY(sz_table_pick(t, name, 0, 1, out, &n, NULL));
    SZ_REQUIRE(n == 1, SZ_E_ARG, "'%s' names %zu columns, not one", name, n);
    return SZ_OK;
}

static sz_status read_field(const settings *s, field *f) {
    sz_table t;
    SZ_TRY(sz_table_read(s->file, &t));
    f->n = t.rows;
    sz_status status = s->sum ? SZ_OK : read_column(&t, s->x ? s->x : "x", &f->x);
    if (status == SZ_OK)
        status = read_column(&t, s->mean ? s->mean : "mean", &f->mean);
    if (status == SZ_OK)
        status = read_column(&t, s->variance ? s->variance : "variance", &f->var);
    if (status == SZ_OK && s->truth)
        status = read_column(&t, s->truth, &f->truth);
    sz_table_free(&t);
    SZ_TRY(status);
    f->weights = sz_alloc(f->n * sizeof *f->weights);
    f->mean_out = sz_alloc(f->n * sizeof *f->mean_out);
    f->var_out = sz_alloc(f->n * sizeof *f->var_out);
    SZ_REQUIRE(f->weights && f->mean_out && f->var_out, SZ_E_NOMEM, "no memory for %zu values",
               f->n);
    for (size_t i = 0; s->sum && i < f->n; i++)
        f->weights[i] = 1;
    return s->sum ? SZ_OK : sz_conserve_trapezoid(f->x, f->n, f->weights);
}

/* Smooths into mean and cov, where that is asked for. */
static sz_status diffuse(const settings *s, field *f) {
    if (isnan(s->alpha))
        return SZ_OK;
    SZ_REQUIRE(f->n <= 10000, SZ_E_LIMIT, "--diffusion: %zu places, at most 10000", f->n);
    f->cov = sz_alloc(f->n * f->n * sizeof *f->cov);
    SZ_REQUIRE(f->cov, SZ_E_NOMEM, "no memory for a covariance of %zu values", f->n);
    SZ_TRY(sz_conserve_diffuse(f->mean, f->var, f->n, s->alpha, f->mean_out, f->cov));
    memcpy(f->mean, f->mean_out, f->n * sizeof *f->mean);
    for (size_t i = 0; i < f->n; i++)
        f->var[i] = f->cov[i * f->n + i];
    return SZ_OK;
}

static sz_status correct(const settings *s, field *f) {
    f->gain = NAN;
    SZ_TRY(diffuse(s, f));
    memcpy(f->mean_out, f->mean, f->n * sizeof *f->mean);
    memcpy(f->var_out, f->var, f->n * sizeof *f->var);
    if (s->method == BASE)
        return SZ_OK;
    if (s->method == HARDC)
        return sz_conserve_project(f->mean, f->n, f->weights, &s->total, 1, f->mean_out);
    const sz_conserve_problem p = {.n = f->n,
                                   .k = 1,
                                   .mean = f->mean,
                                   .var = f->cov ? NULL : f->var,
                                   .cov = f->cov,
                                   .g = f->weights,
                                   .b = &s->total,
                                   .noise = s->noise};
    return sz_conserve_update(&p, f->mean_out, f->var_out, NULL, &f->gain);
}

static double error_of(const field *f, const double *mean, double total) {
    double sum = -total;
    for (size_t i = 0; i < f->n; i++)
        sum += f->weights[i] * mean[i];
    return sum;
}

static void put_figure(sz_buf *b, const char *name, double value) {
    sz_buf_printf(b, "\"%s\":", name);
    sz_json_number(b, value);
    sz_buf_putc(b, ',');
}

static void put_array(sz_buf *b, const char *name, const double *v, size_t n) {
    sz_buf_printf(b, "\"%s\":", name);
    for (size_t i = 0; i < n; i++) {
        sz_buf_putc(b, i ? ',' : '[');
        sz_json_number(b, v[i]);
    }
    sz_buf_putc(b, ']');
}

static sz_status put_field(const settings *s, const field *f, double before, sz_buf *b) {
    double mse = NAN, loglik = NAN, after = error_of(f, f->mean_out, s->total);
    if (f->truth)
        SZ_TRY(sz_conserve_score(f->truth, f->mean_out, f->var_out, f->n, &mse, &loglik));
    if (!s->json) {
        sz_cli_note("the total was off by %g and is off by %g", before, after);
        if (f->truth)
            sz_cli_note("mean squared error %g, mean log-likelihood %g nats", mse, loglik);
        sz_buf_puts(b, f->x ? "x,mean,variance\n" : "mean,variance\n");
    } else {
        sz_buf_putc(b, '{');
        put_figure(b, "error_before", before);
        put_figure(b, "error_after", after);
        put_figure(b, "gain_nats", isfinite(f->gain) ? f->gain : NAN);
        put_figure(b, "mse", mse);
        put_figure(b, "loglik_nats", loglik);
        put_array(b, "mean", f->mean_out, f->n);
        sz_buf_putc(b, ',');
        put_array(b, "variance", f->var_out, f->n);
        sz_buf_puts(b, "}\n");
    }
    for (size_t i = 0; !s->json && i < f->n; i++) {
        const double row[] = {f->x ? f->x[i] : 0, f->mean_out[i], f->var_out[i]};
        for (size_t j = f->x ? 0 : 1; j < 3; j++) {
            sz_json_number(b, row[j]);
            sz_buf_putc(b, j < 2 ? ',' : '\n');
        }
    }
    return SZ_OK;
}

static sz_status conserve(const settings *s, sz_buf *b) {
    field f = {0};
    double before = NAN;
    sz_status status = read_field(s, &f);
    if (status == SZ_OK) {
        before = error_of(&f, f.mean, s->total);
        status = correct(s, &f);
    }
    if (status == SZ_OK)
        status = put_field(s, &f, before, b);
    field_free(&f);
    return status;
}

/* ---- Fields that are known ------------------------------------------------------------------- */

static sz_status simulate(const settings *s, sz_buf *b) {
    const double from = s->law == SZ_LAW_BURGERS ? -1 : 0;
    const double to = s->law == SZ_LAW_HEAT ? 6.28318530717958648 : 1;
    double *x = sz_alloc(2 * s->points * sizeof *x), *u = x + s->points;
    sz_conserve_truth truth;
    SZ_REQUIRE(x, SZ_E_NOMEM, "no memory for %zu places", s->points);
    for (size_t i = 0; i < s->points; i++)
        x[i] = from + (to - from) * (double)i / (double)(s->points - 1);
    sz_status status =
        sz_conserve_field((sz_conserve_law)s->law, s->parameter, s->time, x, s->points, u, &truth);
    if (status == SZ_OK && s->json) {
        sz_buf_putc(b, '{');
        put_figure(b, "mass", truth.mass);
        put_figure(b, "front", truth.front);
        put_array(b, "x", x, s->points);
        sz_buf_putc(b, ',');
        put_array(b, "u", u, s->points);
        sz_buf_puts(b, "}\n");
    } else if (status == SZ_OK) {
        sz_cli_note("mass %.17g", truth.mass);
        sz_buf_puts(b, "x,u\n");
        for (size_t i = 0; i < s->points; i++) {
            sz_json_number(b, x[i]);
            sz_buf_putc(b, ',');
            sz_json_number(b, u[i]);
            sz_buf_putc(b, '\n');
        }
    }
    sz_free(x);
    return status;
}

int sz_run_dyn(int argc, char **argv) {
    settings s = {
        .total = NAN, .alpha = NAN, .law = -1, .parameter = NAN, .time = 0.05, .points = 201};
    sz_buf b = {0};
    sz_cli_parse(&sz_argp_dyn, argc, argv, &s);
    sz_status status = s.simulate ? simulate(&s, &b) : conserve(&s, &b);
    int exit_status = status == SZ_OK ? sz_cli_print(&b) : sz_cli_error();
    sz_buf_free(&b);
    return exit_status;
}
