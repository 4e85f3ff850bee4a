/* cmd_cot.c: `szilard measure cot`: what reasoning traces are worth in examples. */
#include "cot.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/info.h>

enum {
    OPT_STATES = 256,
    OPT_SYMBOLS,
    OPT_LENGTH,
    OPT_CHECKS,
    OPT_DRAWS,
    OPT_STAR,
    OPT_EPS,
    OPT_DELTA,
    OPT_ALL,
    OPT_PRICE_COT,
    OPT_PRICE_PLAIN,
    OPT_RUNS,
    OPT_MOST,
    OPT_RENORMALISE,
    OPT_SEED,
    OPT_UNIT,
    OPT_JSON
};

enum { MOST_EPS = 16 };
typedef struct settings {
    int what; /* -1: not given yet */
    sz_cot_options o;
    double eps[MOST_EPS], delta, price_cot, price_plain;
    size_t n_eps, n_runs, most_examples;
    sz_unit unit;
    bool all, json;
    sz_cot_class *c;
    size_t star;
} settings;

static const char *const words[] = {"info", "plan", "curve", NULL};

static const struct argp_option options[] = {
    {"symbols", OPT_SYMBOLS, "N", 0, "dfa: letters of the strings (2); checks: of the words (4)",
     0},
    {"states", OPT_STATES, "N", 0, "dfa: states (3)", 0},
    {"length", OPT_LENGTH, "L", 0, "dfa: of the strings (8)", 0},
    {"checks", OPT_CHECKS, "K", 0, "checks: places of the word; parity: bits (5)", 0},
    {"draws", OPT_DRAWS, "N", 0,
     "dfa: on N random strings instead of all, with confidence limits in place of values", 0},
    {"star", OPT_STAR, "H", 0,
     "The truth: its number, or for dfa transitions and mask as 0,1,1,2,2,0:4 (the file's, or 0)",
     0},
    {"eps", OPT_EPS, "E,...", 0, "Risks that are too large (0)", 0},
    {"delta", OPT_DELTA, "D", 0, "Probability of failure (0.05)", 0},
    {"all", OPT_ALL, NULL, 0, "info: also over every hypothesis as the truth", 0},
    {"price-cot", OPT_PRICE_COT, "P", 0, "plan: of an annotated example (10)", 0},
    {"price-plain", OPT_PRICE_PLAIN, "P", 0, "plan: of a plain one (1)", 0},
    {"runs", OPT_RUNS, "R", 0, "curve: how often to learn (100)", 0},
    {"most", OPT_MOST, "M", 0, "curve: examples per run, at most (100000)", 0},
    {"renormalise", OPT_RENORMALISE, NULL, 0, "Divide weights that do not sum to 1", 0},
    {"seed", OPT_SEED, "S", 0, "Seed (0)", 0},
    {"unit", OPT_UNIT, "UNIT", 0, "nat, bit or hartley (nat)", 0},
    {"json", OPT_JSON, NULL, 0, "Print one object", 0},
    {0},
};

static void read_eps(settings *s, char *arg, struct argp_state *state) {
    s->n_eps = 0;
    for (char *save, *word = strtok_r(arg, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        if (s->n_eps == MOST_EPS)
            argp_error(state, "--eps: more than %d risks", MOST_EPS);
        s->eps[s->n_eps++] = sz_cli_real(state, "--eps", word, 0, 1 - 1e-9);
    }
}

static error_t parse_sizes(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case OPT_STATES:
        s->o.states = (size_t)sz_cli_int(state, "--states", arg, 1, 8);
        return 0;
    case OPT_SYMBOLS:
        s->o.symbols = (size_t)sz_cli_int(state, "--symbols", arg, 1, 1 << 20);
        return 0;
    case OPT_LENGTH:
        s->o.length = (size_t)sz_cli_int(state, "--length", arg, 1, 60);
        return 0;
    case OPT_CHECKS:
        s->o.checks = (size_t)sz_cli_int(state, "--checks", arg, 1, 28);
        return 0;
    case OPT_DRAWS:
        s->o.n_draws = (size_t)sz_cli_int(state, "--draws", arg, 1, SZ_COT_CELLS);
        return 0;
    case OPT_RUNS:
        s->n_runs = (size_t)sz_cli_int(state, "--runs", arg, 1, 1000000);
        return 0;
    case OPT_MOST:
        s->most_examples = (size_t)sz_cli_int(state, "--most", arg, 1, 1000000000);
        return 0;
    case OPT_SEED:
        s->o.seed = (uint64_t)sz_cli_int(state, "--seed", arg, 0, INT64_MAX);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void check(settings *s, struct argp_state *state) {
    if (s->what < 0)
        argp_error(state, "say what to do: info, plan or curve");
    if (!s->o.class_name)
        argp_error(state, "%s needs a class: dfa, checks, parity or a file", words[s->what]);
    if (s->o.symbols == 0)
        s->o.symbols = strcmp(s->o.class_name, "checks") == 0 ? 4 : 2;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case OPT_STAR:
        s->o.star = arg;
        return 0;
    case OPT_EPS:
        read_eps(s, arg, state);
        return 0;
    case OPT_DELTA:
        s->delta = sz_cli_real(state, "--delta", arg, 1e-300, 1 - 1e-9);
        return 0;
    case OPT_ALL:
        s->all = true;
        return 0;
    case OPT_PRICE_COT:
        s->price_cot = sz_cli_real(state, "--price-cot", arg, 1e-300, 1e300);
        return 0;
    case OPT_PRICE_PLAIN:
        s->price_plain = sz_cli_real(state, "--price-plain", arg, 1e-300, 1e300);
        return 0;
    case OPT_RENORMALISE:
        s->o.renormalise = true;
        return 0;
    case OPT_UNIT:
        s->unit = (sz_unit)sz_cli_choice(state, "--unit", arg, sz_unit_choices);
        return 0;
    case OPT_JSON:
        s->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (s->what < 0)
            s->what = sz_cli_choice(state, "measure cot", arg, words);
        else if (!s->o.class_name)
            s->o.class_name = arg;
        else
            argp_error(state, "'%s' is left over", arg);
        return 0;
    case ARGP_KEY_END:
        check(s, state);
        return 0;
    default:
        return parse_sizes(key, arg, state);
    }
}

const struct argp sz_argp_cot = {
    options,
    parse,
    "info CLASS\nplan CLASS\ncurve CLASS",
    "What is a reasoning trace worth in examples? CLASS is a finite set of procedures that answer "
    "inputs with an output and a trace: dfa (all automata), checks (is the input a hidden word; "
    "place by place), parity (a counter-example: traces teach nothing there), or a JSON file "
    "{\"x\": weights, \"hypotheses\": [{\"y\": [...], \"z\": [...]}], \"star\": index} of outputs "
    "and "
    "traces per input, such as several prompts or checkpoints give. info: the CoT information of "
    "each risk eps, numbers of examples that suffice and that do not. plan: the cheapest mix of "
    "annotated and plain examples. curve: what consistent learners really need."
    "\v"
    "EXAMPLES\n"
    "  szilard cot info dfa --star 0,1,1,2,2,0:4 --eps 0.05,0.2\n"
    "  szilard cot info checks --symbols 4 --checks 5\n"
    "  szilard cot plan checks --price-cot 30 --price-plain 1\n"
    "  szilard cot curve checks --runs 25 --json\n"
    "  szilard cot info prompts.json --all\n"
    "\nBlanks at both ends of traces that are texts do not count.\n",
    NULL,
    NULL,
    NULL};

/* ---- Answers -----------------------------------------------------------------------------------
 */

static void put_number(sz_buf *b, const char *key, double v) {
    sz_buf_printf(b, "\"%s\":", key);
    if (isinf(v))
        sz_buf_puts(b, "\"inf\"");
    else
        sz_json_number(b, v);
}

static double in_unit(const settings *s, double nats) {
    return isinf(nats) ? nats : sz_unit_convert(nats, s->unit);
}

static void put_info_json(sz_buf *b, const settings *s, double eps, const sz_cot_info *i) {
    const char *unit = sz_unit_name(s->unit);
    char key[32];
    sz_buf_putc(b, '{');
    put_number(b, "eps", eps);
    snprintf(key, sizeof key, "cot_%s", unit);
    sz_buf_putc(b, ',');
    put_number(b, key, in_unit(s, i->cot));
    snprintf(key, sizeof key, "e2e_%s", unit);
    sz_buf_putc(b, ',');
    put_number(b, key, in_unit(s, i->e2e));
    sz_buf_printf(b, ",\"bad_hypotheses\":%zu,", i->n_bad);
    put_number(b, "enough_with_traces", i->upper_cot);
    sz_buf_putc(b, ',');
    put_number(b, "enough_without", i->upper_e2e);
    sz_buf_putc(b, ',');
    put_number(b, "too_few_with_traces", i->lower_cot);
    sz_buf_putc(b, '}');
}

static void put_info_text(sz_buf *b, const settings *s, double eps, const sz_cot_info *i) {
    double worth = i->n_bad == 0 ? NAN : i->cot / i->e2e;
    sz_buf_printf(b, "%8.4g %12.6g %12.6g %10.4g %12.6g %12.6g %12.4g\n", eps, in_unit(s, i->cot),
                  in_unit(s, i->e2e), worth, i->upper_cot, i->upper_e2e, i->lower_cot);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The least, the median and the largest information over all truths. */
static sz_status put_all(sz_buf *b, const settings *s) {
    size_t n = s->c->n_hypotheses;
    double *nats = sz_alloc(n * sizeof *nats);
    SZ_REQUIRE(nats, SZ_E_NOMEM, "no memory for %zu hypotheses", n);
    sz_status status = sz_cot_information_all(s->c, s->eps[0], NULL, nats);
    if (status == SZ_OK) {
        qsort(nats, n, sizeof *nats, by_size);
        if (s->json) {
            sz_buf_puts(b, ",\"over_all_truths\":{");
            put_number(b, "least", in_unit(s, nats[0]));
            sz_buf_putc(b, ',');
            put_number(b, "median", in_unit(s, nats[n / 2]));
            sz_buf_putc(b, ',');
            put_number(b, "most", in_unit(s, nats[n - 1]));
            sz_buf_putc(b, '}');
        } else {
            sz_buf_printf(b,
                          "over all truths, eps %g: at least %.6g, median %.6g, at most %.6g %s\n",
                          s->eps[0], in_unit(s, nats[0]), in_unit(s, nats[n / 2]),
                          in_unit(s, nats[n - 1]), sz_unit_name(s->unit));
        }
    }
    sz_free(nats);
    return status;
}

static sz_status run_info(settings *s, sz_buf *b) {
    const sz_cot_class *c = s->c;
    if (s->json)
        sz_buf_printf(b,
                      "{\"hypotheses\":%zu,\"different\":%zu,\"inputs\":%zu,\"draws\":%zu,\"star\":"
                      "%zu,\"info\":[",
                      c->n_hypotheses, c->n_distinct, c->n_inputs, c->n_draws, s->star);
    else
        sz_buf_printf(b,
                      "%zu hypotheses (%zu different) on %zu inputs%s, truth %zu, delta %g\n"
                      "%8s %12s %12s %10s %12s %12s %12s\n",
                      c->n_hypotheses, c->n_distinct, c->n_inputs,
                      c->n_draws ? " that were drawn: limits, not values" : "", s->star, s->delta,
                      "eps", "CoT", "outputs", "worth", "enough", "without", "too few");
    for (size_t i = 0; i < s->n_eps; i++) {
        sz_cot_info info;
        SZ_TRY(sz_cot_information(c, s->star, s->eps[i], s->delta, NULL, &info));
        if (s->json && i > 0)
            sz_buf_putc(b, ',');
        (s->json ? put_info_json : put_info_text)(b, s, s->eps[i], &info);
    }
    if (s->json)
        sz_buf_putc(b, ']');
    if (s->all)
        SZ_TRY(put_all(b, s));
    if (s->json)
        sz_buf_puts(b, "}\n");
    else
        sz_buf_printf(b,
                      "CoT, outputs: %s; worth: plain examples per annotated one; enough, without: "
                      "examples that "
                      "suffice\n",
                      sz_unit_name(s->unit));
    return SZ_OK;
}

static sz_status run_plan(settings *s, sz_buf *b) {
    sz_cot_plan p;
    SZ_TRY(sz_cot_cheapest(s->c, s->star, s->eps[0], s->delta, s->price_cot, s->price_plain, &p));
    sz_buf_printf(b,
                  s->json ? "{\"annotated\":%.0f,\"plain\":%.0f,\"price\":%.9g,"
                            "\"price_all_annotated\":%.9g,\"price_all_plain\":%.9g}\n"
                          : "%.0f annotated and %.0f plain examples: %.6g\nannotated ones alone "
                            "%.6g, plain ones alone %.6g\n",
                  p.m_cot, p.m_plain, p.price, p.all_cot, p.all_plain);
    return SZ_OK;
}

typedef struct quantiles {
    size_t median, high; /* 90 % */
    double beyond;       /* share of runs above the bound */
} quantiles;

static int by_count(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static quantiles quantiles_of(size_t *m, size_t n, double bound) {
    quantiles q = {0};
    qsort(m, n, sizeof *m, by_count);
    for (size_t i = 0; i < n; i++)
        q.beyond += (double)m[i] > bound;
    q.beyond /= (double)n;
    q.median = m[n / 2];
    q.high = m[n * 9 / 10];
    return q;
}

static sz_status run_curve(settings *s, sz_buf *b) {
    size_t *m = sz_alloc(2 * s->n_runs * sizeof *m);
    sz_cot_info info;
    SZ_REQUIRE(m, SZ_E_NOMEM, "no memory for %zu runs", s->n_runs);
    sz_status status = sz_cot_curve(s->c, s->star, s->eps[0], s->n_runs, s->most_examples,
                                    s->o.seed, m, m + s->n_runs);
    if (status == SZ_OK)
        status = sz_cot_information(s->c, s->star, s->eps[0], s->delta, NULL, &info);
    if (status == SZ_OK) {
        quantiles with = quantiles_of(m, s->n_runs, info.upper_cot),
                  without = quantiles_of(m + s->n_runs, s->n_runs, info.upper_e2e);
        sz_buf_printf(b,
                      s->json
                          ? "{\"with_traces\":{\"median\":%zu,\"high\":%zu,\"bound\":%.9g,"
                            "\"beyond\":%.9g},\"without\":{\"median\":%zu,\"high\":%zu,"
                            "\"bound\":%.9g,\"beyond\":%.9g},\"ratio\":%.9g}\n"
                          : "with traces     median %zu, 90 %% within %zu; bound %.6g, passed in a "
                            "share of %.3g of the runs\n"
                            "without         median %zu, 90 %% within %zu; bound %.6g, passed in "
                            "%.3g\nratio of medians %.4g\n",
                      with.median, with.high, info.upper_cot, with.beyond, without.median,
                      without.high, info.upper_e2e, without.beyond,
                      (double)without.median / (double)(with.median ? with.median : 1));
    }
    sz_free(m);
    return status;
}

int sz_run_cot(int argc, char **argv) {
    static sz_status (*const calls[])(settings * s, sz_buf * b) = {run_info, run_plan, run_curve};
    settings s = {.what = -1,
                  .o = {.states = 3, .length = 8, .checks = 5},
                  .n_eps = 1,
                  .delta = 0.05,
                  .price_cot = 10,
                  .price_plain = 1,
                  .n_runs = 100,
                  .most_examples = 100000};
    sz_buf b = {0};
    sz_cli_parse(&sz_argp_cot, argc, argv, &s);
    if (sz_cot_open(&s.o, &s.c, &s.star) != SZ_OK)
        return sz_cli_error();
    sz_status status = calls[s.what](&s, &b);
    sz_cot_class_free(s.c);
    if (status != SZ_OK) {
        sz_buf_free(&b);
        return sz_cli_error();
    }
    return sz_cli_print(&b);
}
