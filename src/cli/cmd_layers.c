/* cmd_layers.c: `szilard measure layers`: how the states of a text spread, layer by layer. */
#include "plot.h"
#include "scoring.h"
#include "term.h"
#include <math.h>
#include <string.h>
#include <szilard/unstable/info.h>
#include <szilard/unstable/num.h>

enum { OPT_TOKENS = 400, OPT_TIME, OPT_PLOT, OPT_UNIT };
enum { DEFAULT_TOKENS = 512, MOST_TOKENS = 4096, NEIGHBOUR = 10 };

typedef struct settings {
    sz_scoring scoring;
    size_t n_tokens;
    double time;
    const char *plot; /* NULL: none */
    sz_unit unit;
} settings;

static const struct argp_option options[] = {
    {"tokens", OPT_TOKENS, "N", 0, "Tokens of the text's beginning that count (512)", 0},
    {"time", OPT_TIME, "T", 0, "Diffusion time (1)", 0},
    {"plot", OPT_PLOT, "OUT.svg", 0, "Draw the figures over the layers", 0},
    {"unit", OPT_UNIT, "UNIT", 0, "nat, bit or hartley (bit)", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &s->scoring;
        return 0;
    case OPT_TOKENS:
        s->n_tokens = (size_t)sz_cli_int(state, "--tokens", arg, 2, MOST_TOKENS);
        return 0;
    case OPT_TIME:
        s->time = sz_cli_real(state, "--time", arg, 1e-3, 1e6);
        return 0;
    case OPT_PLOT:
        s->plot = arg;
        return 0;
    case OPT_UNIT:
        s->unit = (sz_unit)sz_cli_choice(state, "--unit", arg, sz_unit_choices);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&sz_argp_scoring, 0, NULL, 0}, {0}};
const struct argp sz_argp_layers = {
    options,
    parse,
    "[FILE|-]",
    "Reads a text with a model and measures the hidden states of its tokens after each layer: "
    "diffusion spectral entropy (kernel width: the median distance to the tenth neighbour), the "
    "entropy of the spectrum of their centred Gram matrix, and its exponential, the effective "
    "rank."
    "\v"
    "EXAMPLES\n"
    "  szilard measure layers -m smollm2 essay.txt\n"
    "  szilard measure layers -m smollm2 essay.txt --plot layers.svg\n"
    "  szilard measure layers -m smollm2 --json essay.txt | jq '.layers[].effective_rank'\n",
    children,
    NULL,
    NULL};

/* ---- Hidden states --------------------------------------------------------------------------- */

typedef struct states {
    float *v; /* [n_layers][n][n_embd] */
    size_t n_layers, n, n_embd;
    size_t *filled; /* [n_layers]: rows that are there */
} states;

static bool keep(void *user, sz_tap_kind kind, uint32_t layer, const float *data, size_t n_rows,
                 size_t n_cols) {
    states *s = user;
    if (kind != SZ_TAP_HIDDEN || layer >= s->n_layers)
        return false;
    if (data && s->filled[layer] + n_rows <= s->n) {
        float *to = s->v + (layer * s->n + s->filled[layer]) * s->n_embd;
        memcpy(to, data, n_rows * n_cols * sizeof *to);
        s->filled[layer] += n_rows;
    }
    return true;
}

static sz_status collect(sz_scorer *scorer, const settings *o, states *out) {
    sz_progress progress;
    size_t n = scorer->n < o->n_tokens ? scorer->n : o->n_tokens;
    *out = (states){.n_layers = scorer->info.n_layer, .n = n, .n_embd = scorer->info.n_embd};
    SZ_REQUIRE(n >= 2, SZ_E_ARG, "%s: one token has no spread", sz_scoring_source(&o->scoring));
    out->v = sz_alloc(out->n_layers * n * out->n_embd * sizeof *out->v);
    out->filled = sz_calloc(out->n_layers, sizeof *out->filled);
    SZ_REQUIRE(out->v && out->filled, SZ_E_NOMEM, "no memory for the states of %zu tokens", n);
    SZ_TRY(sz_scorer_begin(scorer, &o->scoring, o->scoring.context));
    sz_session_set_tap(scorer->session, keep, out);
    sz_progress_begin(&progress, "reading", " tokens", 0, n);
    sz_status status = SZ_OK;
    for (size_t at = 0, done; at < n && status == SZ_OK; at += done) {
        status = sz_scorer_pass(scorer, scorer->ids + at, n - at, SZ_NONE, &done);
        if (status == SZ_OK)
            sz_progress_update(&progress, at + done);
    }
    sz_progress_end(&progress);
    return status;
}

/* ---- Figures of one layer -------------------------------------------------------------------- */

typedef struct figures {
    double dse, sigma, matrix_entropy, effective_rank;
} figures;

static sz_status measure_diffusion(const float *z, size_t n, size_t d, double time, figures *f) {
    double *x = sz_alloc(n * d * sizeof *x), *values = sz_alloc(n * sizeof *values);
    sz_point_set *points = NULL;
    sz_status status =
        x && values ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for %zu states of %zu", n, d);
    for (size_t i = 0; status == SZ_OK && i < n * d; i++)
        x[i] = (double)z[i];
    if (status == SZ_OK)
        status = sz_point_set_new(x, n, d, &points);
    if (status == SZ_OK)
        status = sz_point_set_median_distance(points, n > NEIGHBOUR ? NEIGHBOUR : n - 1, &f->sigma);
    f->sigma = f->sigma > 0 ? f->sigma : 1; /* coincident points: any width gives 0 */
    if (status == SZ_OK)
        status = sz_diffusion_spectrum(points, NULL, n, f->sigma, SZ_DIFFUSION, values);
    if (status == SZ_OK)
        status = sz_diffusion_entropy(values, n, time, &f->dse);
    sz_point_set_free(points);
    sz_free(values);
    sz_free(x);
    return status;
}

static sz_status measure_layer(const float *z, size_t n, size_t d, double time, figures *f) {
    double *values = NULL;
    size_t n_values;
    *f = (figures){0};
    SZ_TRY(measure_diffusion(z, n, d, time, f));
    SZ_TRY(sz_spectral_of_rows(z, n, d, true, &values, &n_values));
    sz_status status = sz_spectral_entropy(values, n_values, 1, NULL, &f->matrix_entropy);
    f->effective_rank = sz_exp(f->matrix_entropy);
    sz_free(values);
    return status;
}

static sz_status measure(const states *s, double time, figures *f) {
    sz_progress progress;
    sz_status status = SZ_OK;
    sz_progress_begin(&progress, "measuring", " layers", 0, s->n_layers);
    for (size_t i = 0; i < s->n_layers && status == SZ_OK; i++) {
        status = measure_layer(s->v + i * s->n * s->n_embd, s->n, s->n_embd, time, &f[i]);
        sz_progress_update(&progress, i + 1);
    }
    sz_progress_end(&progress);
    return status;
}

/* ---- Output ---------------------------------------------------------------------------------- */

static void put_json(sz_buf *b, const states *s, const figures *f, const settings *o) {
    const char *unit = sz_unit_name(o->unit);
    sz_buf_printf(b, "{\"tokens\":%zu,\"diffusion_time\":", s->n);
    sz_json_number(b, o->time);
    sz_buf_puts(b, ",\"layers\":[");
    for (size_t i = 0; i < s->n_layers; i++) {
        sz_buf_printf(b, "%s{\"layer\":%zu,\"dse_%s\":", i ? "," : "", i, unit);
        sz_json_number(b, sz_unit_convert(f[i].dse, o->unit));
        sz_buf_printf(b, ",\"matrix_entropy_%s\":", unit);
        sz_json_number(b, sz_unit_convert(f[i].matrix_entropy, o->unit));
        sz_buf_puts(b, ",\"effective_rank\":");
        sz_json_number(b, f[i].effective_rank);
        sz_buf_puts(b, ",\"sigma\":");
        sz_json_number(b, f[i].sigma);
        sz_buf_putc(b, '}');
    }
    sz_buf_puts(b, "]}\n");
}

static void put_table(sz_buf *b, const states *s, const figures *f, const settings *o) {
    sz_buf_printf(b, "states of %zu tokens, %zu wide; entropies in %s\n", s->n, s->n_embd,
                  sz_unit_name(o->unit));
    sz_buf_puts(b, "layer       dse   matrix entropy   effective rank   kernel width\n");
    for (size_t i = 0; i < s->n_layers; i++)
        sz_buf_printf(b, "%5zu %9.4f %16.4f %16.2f %14.5g\n", i, sz_unit_convert(f[i].dse, o->unit),
                      sz_unit_convert(f[i].matrix_entropy, o->unit), f[i].effective_rank,
                      f[i].sigma);
}

static sz_status draw(const states *s, const figures *f, const settings *o) {
    double *v = sz_alloc(3 * s->n_layers * sizeof *v);
    SZ_REQUIRE(v, SZ_E_NOMEM, "no memory for a figure");
    double *x = v, *dse = v + s->n_layers, *matrix = dse + s->n_layers;
    for (size_t i = 0; i < s->n_layers; i++) {
        x[i] = (double)i;
        dse[i] = sz_unit_convert(f[i].dse, o->unit);
        matrix[i] = sz_unit_convert(f[i].matrix_entropy, o->unit);
    }
    sz_plot_line lines[] = {{"diffusion", dse}, {"matrix", matrix}};
    sz_plot plot = {.title = "Spectral entropy of hidden states",
                    .x_label = "layer",
                    .y_label = sz_unit_name(o->unit),
                    .x = x,
                    .n = s->n_layers,
                    .lines = lines,
                    .n_lines = 2};
    sz_status status = sz_plot_write(o->plot, &plot);
    sz_free(v);
    return status;
}

static sz_status report(const states *s, const settings *o, sz_buf *out) {
    figures *f = sz_calloc(s->n_layers, sizeof *f);
    SZ_REQUIRE(f, SZ_E_NOMEM, "no memory for the figures of %zu layers", s->n_layers);
    sz_status status = measure(s, o->time, f);
    if (status == SZ_OK && o->plot)
        status = draw(s, f, o);
    if (status == SZ_OK)
        (o->scoring.json ? put_json : put_table)(out, s, f, o);
    sz_free(f);
    return status;
}

int sz_run_layers(int argc, char **argv) {
    settings s = {.n_tokens = DEFAULT_TOKENS, .time = 1, .unit = SZ_BIT};
    sz_scorer scorer = {0};
    states hidden = {0};
    sz_buf out = {0};
    sz_cli_parse(&sz_argp_layers, argc, argv, &s);
    sz_status status = sz_scorer_open(&s.scoring, &scorer);
    if (status == SZ_OK)
        status = collect(&scorer, &s, &hidden);
    if (status == SZ_OK)
        status = report(&hidden, &s, &out);
    int exit_status = status == SZ_OK ? sz_cli_print(&out) : sz_cli_error();
    sz_buf_free(&out);
    sz_free(hidden.v);
    sz_free(hidden.filled);
    sz_scorer_close(&scorer);
    return exit_status;
}
