/* cmd_tune.c: `szilard fit tune`: the exactly best value of one knob over many tasks. */
#include "table.h"
#include "tune.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPT_LO = 256,
    OPT_HI,
    OPT_LABELS,
    OPT_DELTA,
    OPT_EPS,
    OPT_RANGE,
    OPT_OSCILLATIONS,
    OPT_WIDTHS,
    OPT_EXAMPLES,
    OPT_BREAKS,
    OPT_DEGREE,
    OPT_FIRST,
    OPT_SECOND,
    OPT_PIECES,
    OPT_JSON
};

enum { MOST_WIDTHS = 34 };
typedef struct settings {
    int what;
    const char *file[2], *labels;
    double lo, hi, delta, eps, range, oscillations; /* lo NAN: the mode's own */
    uint64_t widths[MOST_WIDTHS], examples, breaks, degree;
    size_t n_widths;
    int first, second; /* bends */
    bool pieces, json;
} settings;

enum { INTERP, STEPS, POLY, MIX, GRAPH, ACT, SIZE };
static const char *const words[] = {"interp", "steps", "poly", "mix", "graph", "act", "size", NULL};
static const char *const bend_names[] = {"relu", "identity", "abs", "leaky", "zero", NULL};
static const sz_tune_bend bends[] = {{0, 1}, {1, 1}, {-1, 1}, {0.01, 1}, {0, 0}};

static const struct argp_option options[] = {
    {"lo", OPT_LO, "A", 0, "Least value of the knob (0)", 0},
    {"hi", OPT_HI, "A", 0, "Largest value of the knob (1)", 0},
    {"labels", OPT_LABELS, "FILE", 0, "interp: the right class of each row, from 0", 0},
    {"first", OPT_FIRST, "ACTIVATION", 0,
     "act: relu, identity, abs, leaky or zero, with weight alpha (relu)", 0},
    {"second", OPT_SECOND, "ACTIVATION", 0, "act: with weight 1 - alpha (identity)", 0},
    {"range", OPT_RANGE, "H", 0, "Utilities are within 0 and H (1)", 0},
    {"delta", OPT_DELTA, "D", 0, "Probability of failure (0.05)", 0},
    {"eps", OPT_EPS, "E", 0, "size: distance to the expectation (0.1)", 0},
    {"oscillations", OPT_OSCILLATIONS, "B", 0, "size: most oscillations of a task's utility", 0},
    {"widths", OPT_WIDTHS, "N,...", 0, "size: layers of a net whose activation is the knob", 0},
    {"examples", OPT_EXAMPLES, "T", 0, "size: examples of a task (100)", 0},
    {"breaks", OPT_BREAKS, "P", 0, "size: breaks of each activation (1)", 0},
    {"degree", OPT_DEGREE, "D", 0, "size: degree of each activation (1)", 0},
    {"pieces", OPT_PIECES, NULL, 0, "Print every piece, too", 0},
    {"json", OPT_JSON, NULL, 0, "Print one object", 0},
    {0},
};

static void read_widths(settings *s, char *arg, struct argp_state *state) {
    for (char *save, *word = strtok_r(arg, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        if (s->n_widths == MOST_WIDTHS)
            argp_error(state, "--widths: more than %d layers", MOST_WIDTHS);
        s->widths[s->n_widths++] = (uint64_t)sz_cli_int(state, "--widths", word, 1, 1 << 29);
    }
}

static error_t parse_numbers(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case OPT_LO:
        s->lo = sz_cli_real(state, "--lo", arg, -1e300, 1e300);
        return 0;
    case OPT_HI:
        s->hi = sz_cli_real(state, "--hi", arg, -1e300, 1e300);
        return 0;
    case OPT_DELTA:
        s->delta = sz_cli_real(state, "--delta", arg, 1e-300, 1 - 1e-9);
        return 0;
    case OPT_EPS:
        s->eps = sz_cli_real(state, "--eps", arg, 1e-9, 1e300);
        return 0;
    case OPT_RANGE:
        s->range = sz_cli_real(state, "--range", arg, 1e-300, 1e300);
        return 0;
    case OPT_OSCILLATIONS:
        s->oscillations = sz_cli_real(state, "--oscillations", arg, 1, 1e300);
        return 0;
    case OPT_EXAMPLES:
        s->examples = (uint64_t)sz_cli_int(state, "--examples", arg, 1, INT64_MAX / 4);
        return 0;
    case OPT_BREAKS:
        s->breaks = (uint64_t)sz_cli_int(state, "--breaks", arg, 1, 1 << 30);
        return 0;
    case OPT_DEGREE:
        s->degree = (uint64_t)sz_cli_int(state, "--degree", arg, 1, 1 << 20);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void check(const settings *s, struct argp_state *state) {
    if (s->what < 0)
        argp_error(state, "say what to tune: interp, steps, poly, mix, graph, act or size");
    bool two = s->what == INTERP || s->what == MIX;
    if (s->what != SIZE && !s->file[0])
        argp_error(state, "%s needs a file", words[s->what]);
    if (two && !s->file[1])
        argp_error(state, "%s needs two files", words[s->what]);
    if (!two && s->file[1])
        argp_error(state, "'%s' is left over: %s takes one file", s->file[1], words[s->what]);
    if (s->what == INTERP && !s->labels)
        argp_error(state, "interp needs --labels");
    if (s->what == SIZE && s->oscillations == 0 && s->n_widths == 0)
        argp_error(state, "size needs --oscillations or --widths");
    if (!(s->lo < s->hi))
        argp_error(state, "--lo %g is not below --hi %g", s->lo, s->hi);
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case OPT_LABELS:
        s->labels = arg;
        return 0;
    case OPT_WIDTHS:
        read_widths(s, arg, state);
        return 0;
    case OPT_FIRST:
        s->first = sz_cli_choice(state, "--first", arg, bend_names);
        return 0;
    case OPT_SECOND:
        s->second = sz_cli_choice(state, "--second", arg, bend_names);
        return 0;
    case OPT_PIECES:
        s->pieces = true;
        return 0;
    case OPT_JSON:
        s->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (s->what < 0)
            s->what = sz_cli_choice(state, "fit tune", arg, words);
        else if (!s->file[0] || !s->file[1])
            s->file[s->file[0] != NULL] = arg;
        else
            argp_error(state, "'%s' is left over", arg);
        return 0;
    case ARGP_KEY_END:
        check(s, state);
        return 0;
    default:
        return parse_numbers(key, arg, state);
    }
}

const struct argp sz_argp_tune = {
    options,
    parse,
    "interp A B --labels FILE\nsteps FILE\npoly FILE\nmix A B\ngraph FILE\nact FILE\nsize",
    "The exactly best value of one knob over many tasks, without a grid, its plateau, and how far "
    "it "
    "can be trusted. interp: weight alpha between two tables of class scores, (1 - alpha) A + "
    "alpha "
    "B. steps: [{\"breaks\": [...], \"values\": [...]}, ...]. poly: {\"scores\": [[[c0, c1, ...], "
    "...], "
    "...], \"label\": [...]}, or {\"candidates\": [[[c0, c1, ...], ...], ...]} for the mean of "
    "each "
    "task's best candidate. mix: weight of the second of two models by the likelihood of what "
    "'szilard score' recorded with both. graph: {\"dist\": rows, \"features_times_weights\": rows, "
    "\"degree\": d, \"label\": [...]}. act: a net {\"weights\": [rows, ...], \"x\": rows, \"y\": "
    "[...]} "
    "between two activations. size: how many tasks are needed."
    "\v"
    "EXAMPLES\n"
    "  szilard tune interp small.npy large.npy --labels labels.csv --hi 1.5 --pieces\n"
    "  szilard score -m smollm2 text > a.jsonl; szilard score -m other text > b.jsonl\n"
    "  szilard tune mix a.jsonl b.jsonl\n"
    "  szilard tune steps thresholds.json --json\n"
    "  szilard tune size --oscillations 10 --eps 0.1 --delta 0.05\n"
    "  szilard tune size --widths 10,16,1 --examples 100\n",
    NULL,
    NULL,
    NULL};

/* ---- Answers -----------------------------------------------------------------------------------
 */

static void put(sz_buf *b, const char *key, double v) {
    sz_buf_printf(b, ",\"%s\":", key);
    sz_json_number(b, v);
}

static sz_status put_curve(const settings *s, const sz_tune_curve *k, size_t n_tasks, double scale,
                           sz_buf *b) {
    double gap;
    SZ_TRY(sz_tune_certificate(k->n_cells, n_tasks, s->range, s->delta, &gap));
    double best = k->best / scale, least = best - gap;
    if (s->json) {
        sz_buf_printf(b, "{\"tasks\":%zu", n_tasks);
        put(b, "alpha", k->alpha);
        put(b, "best", best);
        put(b, "plateau_left", k->left);
        put(b, "plateau_right", k->right);
        sz_buf_printf(b, ",\"cells\":%zu,\"merged\":%zu", k->n_cells, k->n_merged);
        put(b, "certificate_gap", gap);
        put(b, "certified_at_least", least);
        sz_buf_printf(b, ",\"vacuous\":%s,\"pieces\":[", least <= 0 ? "true" : "false");
        for (size_t i = 0; i < k->n && s->pieces; i++) {
            sz_buf_puts(b, i ? ",[" : "[");
            sz_json_number(b, k->pieces[i].left);
            sz_buf_putc(b, ',');
            sz_json_number(b, k->pieces[i].right);
            sz_buf_putc(b, ',');
            sz_json_number(b, k->pieces[i].value / scale);
            sz_buf_putc(b, ']');
        }
        sz_buf_puts(b, "]}\n");
        return SZ_OK;
    }
    sz_buf_printf(b, "alpha %.9g: %.9g, the same from %.9g to %.9g\n", k->alpha, best, k->left,
                  k->right);
    sz_buf_printf(b,
                  "%zu tasks, %zu cells: with probability %g the expectation is at least %.4g%s\n",
                  n_tasks, k->n_cells, 1 - s->delta, least,
                  least <= 0 ? " (vacuous: more tasks are needed)" : "");
    for (size_t i = 0; i < k->n && s->pieces; i++)
        sz_buf_printf(b, "%14.9g %14.9g %14.9g\n", k->pieces[i].left, k->pieces[i].right,
                      k->pieces[i].value / scale);
    return SZ_OK;
}

static void put_poly(const settings *s, const sz_tune_poly *p, double sign, sz_buf *b) {
    if (s->json) {
        sz_buf_printf(b, "{\"alpha\":");
        sz_json_number(b, p->alpha);
        put(b, "best", sign * p->best);
        sz_buf_printf(b, ",\"pieces\":%zu,\"degree\":%zu}\n", p->n, p->degree);
        return;
    }
    sz_buf_printf(b, "alpha %.9g: %.9g (%zu pieces of degree %zu)\n", p->alpha, sign * p->best,
                  p->n, p->degree);
    for (size_t i = 0; i < p->n && s->pieces; i++) {
        sz_buf_printf(b, "%14.9g %14.9g ", p->breaks[i], p->breaks[i + 1]);
        for (size_t k = 0; k <= p->degree; k++)
            sz_buf_printf(b, " %.9g", sign * p->c[i * (p->degree + 1) + k]);
        sz_buf_putc(b, '\n');
    }
}

/* ---- Modes -------------------------------------------------------------------------------------
 */

static sz_status floats(const sz_table *t, float **out) {
    float *v = sz_alloc(t->rows * t->columns * sizeof *v);
    SZ_REQUIRE(v, SZ_E_NOMEM, "no memory for a table");
    for (size_t i = 0; i < t->rows * t->columns; i++)
        v[i] = (float)t->v[i];
    *out = v;
    return SZ_OK;
}

static sz_status tune_tables(const settings *s, const sz_table t[3], sz_buf *b) {
    float *v[2] = {NULL, NULL};
    int32_t *labels = NULL;
    sz_tune_curve k;
    SZ_REQUIRE(t[0].rows == t[1].rows && t[0].columns == t[1].columns, SZ_E_ARG,
               "%s is %zu x %zu, but %s is %zu x %zu", s->file[0], t[0].rows, t[0].columns,
               s->file[1], t[1].rows, t[1].columns);
    SZ_REQUIRE(t[2].rows == t[0].rows && t[2].columns == 1, SZ_E_ARG,
               "%s is not one column of %zu labels", s->labels, t[0].rows);
    sz_status status = floats(&t[0], &v[0]);
    if (status == SZ_OK)
        status = floats(&t[1], &v[1]);
    if (status == SZ_OK)
        status = sz_tune_labels(t[2].v, t[2].rows, &labels);
    if (status == SZ_OK)
        status = sz_tune_interpolate(v[0], v[1], labels, t[0].rows, t[0].columns, s->lo, s->hi, &k);
    if (status == SZ_OK) {
        status = put_curve(s, &k, t[0].rows, (double)t[0].rows, b);
        sz_tune_curve_free(&k);
    }
    sz_free(v[0]);
    sz_free(v[1]);
    sz_free(labels);
    return status;
}

static sz_status run_interp(const settings *s, sz_buf *b) {
    const char *paths[] = {s->file[0], s->file[1], s->labels};
    sz_table t[3] = {0};
    sz_status status = SZ_OK;
    for (int i = 0; i < 3 && status == SZ_OK; i++)
        status = sz_table_read(paths[i], &t[i]);
    if (status == SZ_OK)
        status = tune_tables(s, t, b);
    for (int i = 0; i < 3; i++)
        if (t[i].v)
            sz_table_free(&t[i]);
    return status;
}

static sz_status read_steps(const sz_json *task, size_t index, double **numbers,
                            sz_tune_steps *out) {
    const sz_json *breaks, *values;
    size_t n_values, n_breaks = 0;
    double *v = NULL, *w = NULL;
    SZ_TRY(sz_tune_member(task, "breaks", &breaks));
    SZ_TRY(sz_tune_member(task, "values", &values));
    SZ_TRY(sz_tune_numbers(values, "values", 1, &n_values, &v));
    sz_status status = breaks->type == SZ_JSON_ARRAY && breaks->n == 0
                           ? SZ_OK
                           : sz_tune_numbers(breaks, "breaks", 1, &n_breaks, &w);
    if (status == SZ_OK && n_values != n_breaks + 1)
        status = sz_fail(SZ_E_ARG, "task %zu: %zu values, not %zu for %zu breaks", index, n_values,
                         n_breaks + 1, n_breaks);
    if (status == SZ_OK) {
        *out = (sz_tune_steps){w, v, n_breaks};
        numbers[0] = v;
        numbers[1] = w;
    } else {
        sz_free(v);
        sz_free(w);
    }
    return status;
}

static sz_status tune_steps(const settings *s, const sz_json *root, sz_buf *b) {
    sz_tune_curve k;
    SZ_REQUIRE(root->type == SZ_JSON_ARRAY && root->n > 0, SZ_E_FORMAT, "not a list of tasks");
    sz_tune_steps *tasks = sz_calloc(root->n, sizeof *tasks);
    double **numbers = sz_calloc(2 * (size_t)root->n, sizeof *numbers);
    sz_status status = tasks && numbers ? SZ_OK : sz_fail(SZ_E_NOMEM, "no memory for tasks");
    size_t n = 0;
    for (const sz_json *t = root->u.child; t && status == SZ_OK; t = t->next, n++)
        status = read_steps(t, n, numbers + 2 * n, &tasks[n]);
    if (status == SZ_OK)
        status = sz_tune_mean_steps(tasks, n, s->lo, s->hi, &k);
    if (status == SZ_OK) {
        status = put_curve(s, &k, n, 1, b);
        sz_tune_curve_free(&k);
    }
    for (size_t i = 0; numbers && i < 2 * (size_t)root->n; i++)
        sz_free(numbers[i]);
    sz_free(numbers);
    sz_free(tasks);
    return status;
}

static sz_status tune_envelope(const settings *s, const sz_json *list, sz_buf *b) {
    size_t shape[3];
    double *c;
    sz_tune_poly p;
    SZ_TRY(sz_tune_numbers(list, "candidates", 3, shape, &c));
    sz_status status = sz_tune_envelope(c, shape[0], shape[1], shape[2] - 1, s->lo, s->hi, &p);
    sz_free(c);
    SZ_TRY(status);
    put_poly(s, &p, 1, b);
    sz_tune_poly_free(&p);
    return SZ_OK;
}

static sz_status read_labels(const sz_json *root, size_t n, int32_t **out) {
    const sz_json *list;
    size_t n_labels;
    double *v;
    SZ_TRY(sz_tune_member(root, "label", &list));
    SZ_TRY(sz_tune_numbers(list, "label", 1, &n_labels, &v));
    sz_status status = n_labels == n
                           ? sz_tune_labels(v, n, out)
                           : sz_fail(SZ_E_ARG, "%zu labels for %zu examples", n_labels, n);
    sz_free(v);
    return status;
}

static sz_status tune_poly(const settings *s, const sz_json *root, sz_buf *b) {
    const sz_json *list = root->type == SZ_JSON_OBJECT ? sz_json_get(root, "candidates") : NULL;
    size_t shape[3];
    double *scores;
    int32_t *labels = NULL;
    sz_tune_curve k;
    if (list)
        return tune_envelope(s, list, b);
    SZ_TRY(sz_tune_member(root, "scores", &list));
    SZ_TRY(sz_tune_numbers(list, "scores", 3, shape, &scores));
    sz_status status = read_labels(root, shape[0], &labels);
    if (status == SZ_OK)
        status =
            sz_tune_polynomials(scores, labels, shape[0], shape[1], shape[2] - 1, s->lo, s->hi, &k);
    sz_free(scores);
    sz_free(labels);
    SZ_TRY(status);
    status = put_curve(s, &k, shape[0], (double)shape[0], b);
    sz_tune_curve_free(&k);
    return status;
}

static sz_status tune_graph(const settings *s, const sz_json *root, sz_buf *b) {
    const sz_json *distance, *m, *degree;
    size_t shape[2], m_shape[2];
    double *d, *v = NULL;
    int32_t *labels = NULL;
    sz_tune_curve k;
    SZ_TRY(sz_tune_member(root, "dist", &distance));
    SZ_TRY(sz_tune_member(root, "features_times_weights", &m));
    SZ_TRY(sz_tune_member(root, "degree", &degree));
    SZ_REQUIRE(degree->type == SZ_JSON_INT && degree->u.i >= 0, SZ_E_FORMAT,
               "'degree' is not a whole number");
    SZ_TRY(sz_tune_numbers(distance, "dist", 2, shape, &d));
    sz_status status = sz_tune_numbers(m, "features_times_weights", 2, m_shape, &v);
    if (status == SZ_OK && (shape[0] != shape[1] || m_shape[0] != shape[0]))
        status = sz_fail(SZ_E_ARG, "%zu x %zu distances and features of %zu nodes", shape[0],
                         shape[1], m_shape[0]);
    if (status == SZ_OK)
        status = read_labels(root, shape[0], &labels);
    if (status == SZ_OK)
        status = sz_tune_graph(d, v, labels, shape[0], m_shape[1], (size_t)degree->u.i, false,
                               s->lo, s->hi, &k);
    sz_free(d);
    sz_free(v);
    sz_free(labels);
    SZ_TRY(status);
    status = put_curve(s, &k, shape[0], (double)shape[0], b);
    sz_tune_curve_free(&k);
    return status;
}

typedef struct net {
    double *weights[MOST_WIDTHS], *x, *y;
    size_t widths[MOST_WIDTHS], n_layers, n;
} net;

static sz_status read_net(const sz_json *root, net *g) {
    const sz_json *weights, *x, *y;
    size_t shape[2], n_y;
    SZ_TRY(sz_tune_member(root, "weights", &weights));
    SZ_TRY(sz_tune_member(root, "x", &x));
    SZ_TRY(sz_tune_member(root, "y", &y));
    SZ_TRY(sz_tune_numbers(x, "x", 2, shape, &g->x));
    g->n = shape[0];
    g->widths[0] = shape[1];
    SZ_TRY(sz_tune_numbers(y, "y", 1, &n_y, &g->y));
    SZ_REQUIRE(n_y == g->n, SZ_E_ARG, "%zu outputs for %zu inputs", n_y, g->n);
    SZ_REQUIRE(weights->type == SZ_JSON_ARRAY && weights->n > 0 && weights->n < MOST_WIDTHS - 1,
               SZ_E_FORMAT, "'weights' is not a list of layers");
    for (const sz_json *w = weights->u.child; w; w = w->next) {
        SZ_TRY(sz_tune_numbers(w, "weights", 2, shape, &g->weights[g->n_layers]));
        SZ_REQUIRE(shape[1] == g->widths[g->n_layers], SZ_E_ARG,
                   "layer %zu takes %zu inputs, not %zu", g->n_layers, shape[1],
                   g->widths[g->n_layers]);
        g->widths[++g->n_layers] = shape[0];
    }
    return SZ_OK;
}

static sz_status tune_net(const settings *s, const sz_json *root, sz_buf *b) {
    net g = {0};
    sz_tune_poly p;
    sz_status status = read_net(root, &g);
    if (status == SZ_OK)
        status =
            sz_tune_activation((const double *const *)g.weights, g.widths, g.n_layers,
                               bends[s->first], bends[s->second], g.x, g.y, g.n, s->lo, s->hi, &p);
    for (size_t l = 0; l < MOST_WIDTHS; l++)
        sz_free(g.weights[l]);
    sz_free(g.x);
    sz_free(g.y);
    SZ_TRY(status);
    put_poly(s, &p, -1, b);
    sz_tune_poly_free(&p);
    return SZ_OK;
}

static sz_status run_file(const settings *s, sz_buf *b) {
    static sz_status (*const calls[])(const settings *s, const sz_json *root, sz_buf *b) = {
        [STEPS] = tune_steps, [POLY] = tune_poly, [GRAPH] = tune_graph, [ACT] = tune_net};
    sz_tune_file f;
    SZ_TRY(sz_tune_open(s->file[0], &f));
    sz_status status = calls[s->what](s, f.root, b);
    sz_tune_close(&f);
    return status == SZ_OK ? SZ_OK : sz_fail_within(status, "%s", s->file[0]);
}

static sz_status run_mix(const settings *s, sz_buf *b) {
    double *p, *q = NULL, alpha, mean, ends[2] = {0, 0};
    size_t n, m = 0;
    SZ_TRY(sz_tune_log_probabilities(s->file[0], &p, &n));
    sz_status status = sz_tune_log_probabilities(s->file[1], &q, &m);
    if (status == SZ_OK && n != m)
        status = sz_fail(SZ_E_ARG, "%s scores %zu tokens, %s %zu", s->file[0], n, s->file[1], m);
    if (status == SZ_OK)
        status = sz_tune_mixture(p, q, n, &alpha, &mean);
    for (size_t i = 0; status == SZ_OK && i < n; i++) {
        ends[0] += p[i] / (double)n;
        ends[1] += q[i] / (double)n;
    }
    sz_free(p);
    sz_free(q);
    SZ_TRY(status);
    sz_buf_printf(b,
                  s->json
                      ? "{\"tokens\":%zu,\"alpha\":%.12g,\"nats_per_token\":%.12g,"
                        "\"first_nats\":%.12g,\"second_nats\":%.12g}\n"
                      : "%zu tokens: alpha %.9g, %.6g nats per token (the first alone %.6g, the "
                        "second %.6g)\n",
                  n, alpha, -mean, -ends[0], -ends[1]);
    return SZ_OK;
}

static sz_status run_size(const settings *s, sz_buf *b) {
    double constant, general, b_most = s->oscillations;
    sz_tune_network net = {0};
    uint32_t d;
    if (s->n_widths > 0) {
        SZ_TRY(
            sz_tune_network_size(s->widths, s->n_widths, s->examples, s->breaks, s->degree, &net));
        sz_buf_printf(
            b,
            s->json ? "{\"log_pieces_nats\":%.12g,\"weights\":%llu,\"output_degree\":%llu,"
                      "\"pseudo_dimension\":%llu}\n"
                    : "at most e^%.6g pieces (%llu weights, output of degree %llu): "
                      "pseudo-dimension at most %llu\n",
            net.log_pieces, (unsigned long long)net.n_weights,
            (unsigned long long)net.output_degree, (unsigned long long)net.pseudo_dimension);
        return SZ_OK;
    }
    SZ_TRY(sz_tune_pseudo_dimension(b_most, &d));
    SZ_TRY(sz_tune_tasks_needed(s->range, s->eps, s->delta, b_most, &constant, &general));
    sz_buf_printf(b,
                  s->json ? "{\"pseudo_dimension\":%u,\"tasks_piecewise_constant\":%.0f,"
                            "\"tasks_general\":%.0f}\n"
                          : "pseudo-dimension at most %u\n%.0f tasks for piecewise constant "
                            "utilities\n%.0f tasks in general\n",
                  d, constant, general);
    return SZ_OK;
}

int sz_run_tune(int argc, char **argv) {
    static sz_status (*const calls[])(const settings *s, sz_buf *b) = {
        run_interp, run_file, run_file, run_mix, run_file, run_file, run_size};
    settings s = {.what = -1,
                  .hi = 1,
                  .delta = 0.05,
                  .eps = 0.1,
                  .range = 1,
                  .examples = 100,
                  .breaks = 1,
                  .degree = 1,
                  .second = 1};
    sz_buf b = {0};
    sz_cli_parse(&sz_argp_tune, argc, argv, &s);
    if (calls[s.what](&s, &b) != SZ_OK) {
        sz_buf_free(&b);
        return sz_cli_error();
    }
    return sz_cli_print(&b);
}
