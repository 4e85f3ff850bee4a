/* cmd_cache_sim.c: `szilard bench cache-sim`: policies of eviction on a trace of requests. */
#include "cache_sim.h"
#include "cli.h"
#include "method_help.h"
#include "plot.h"
#include <stdlib.h>
#include <string.h>

enum { OPT_POLICIES = 256, OPT_BITS, OPT_EXPECTED, OPT_RUNS, OPT_SEED, OPT_PLOT, OPT_JSON };

typedef struct settings {
    sz_cache_sim o;
    char *policies; /* a copy, cut into names */
    bool seeded;
} settings;

static const struct argp_option options[] = {
    {"size", 'k', "K[,K...]", 0, "Pages that the cache holds", 0},
    {"policies", OPT_POLICIES, "A,B,...", 0,
     "Which; default: lru, fifo, lfu, clock, belady, flush0, combine, and with --seed or "
     "--expected "
     "those that draw, marker, mark0, markpredict and random",
     0},
    {"bits", OPT_BITS, "FILE|oracle[:flip=P]", 0,
     "Advice for each request, 1: safe to drop; a file with one a line, or the truth, wrong with "
     "chance P. Default: the trace's second column",
     0},
    {"expected", OPT_EXPECTED, NULL, 0,
     "Policies that draw: the exact mean, or where it has too many states that of several runs", 0},
    {"runs", OPT_RUNS, "N", 0, "How many (20)", 0},
    {"seed", OPT_SEED, "S", 0, "Seed of draws and of flipped bits", 0},
    {"plot", OPT_PLOT, "OUT.svg", 0, "Misses over the size, a line for each policy", 0},
    {"json", OPT_JSON, NULL, 0, "Print one array with an object for each size", 0},
    {0},
};

static void take_sizes(settings *s, char *arg, struct argp_state *state) {
    char *rest = NULL;
    for (char *word = strtok_r(arg, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        if (s->o.n_sizes == SZ_CACHE_MOST_SIZES)
            argp_error(state, "--size: more than %d sizes", SZ_CACHE_MOST_SIZES);
        s->o.size[s->o.n_sizes++] = (uint32_t)sz_cli_int(state, "--size", word, 1, SZ_PAGES_MAX);
    }
}

static void add_policy(settings *s, const char *name, struct argp_state *state) {
    sz_evict *e;
    if (s->o.n_policies == SZ_CACHE_MOST_POLICIES)
        argp_error(state, "--policies: more than %d", SZ_CACHE_MOST_POLICIES);
    if (strcmp(name, "belady") != 0 && sz_evict_new(name, 1, 1, 0, &e) != SZ_OK)
        argp_error(state, "--policies: %s, or belady", sz_last_error());
    else if (strcmp(name, "belady") != 0)
        sz_evict_free(e);
    s->o.policy[s->o.n_policies++] = name;
}

static void take_bits(settings *s, char *arg, struct argp_state *state) {
    if (strncmp(arg, "oracle", 6) != 0 || (arg[6] && arg[6] != ':')) {
        s->o.bits = arg;
        return;
    }
    s->o.source = SZ_BITS_ORACLE;
    if (arg[6] && strncmp(arg + 7, "flip=", 5) != 0)
        argp_error(state, "--bits: oracle or oracle:flip=P, not '%s'", arg);
    if (arg[6])
        s->o.flip = sz_cli_real(state, "--bits oracle:flip", arg + 12, 0, 1);
}

static bool draws(const char *policy) {
    static const char *const names[] = {"marker", "mark0", "markpredict", "random", NULL};
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], policy) == 0)
            return true;
    return false;
}

static void choose_policies(settings *s, struct argp_state *state) {
    static const char *const all[] = {"lru",    "fifo",        "lfu",     "clock",
                                      "belady", "flush0",      "combine", "marker",
                                      "mark0",  "markpredict", "random",  NULL};
    char *rest = NULL;
    bool drawn = s->seeded || s->o.expected;
    for (int i = 0; !s->policies && all[i]; i++)
        if (drawn || !draws(all[i]))
            add_policy(s, all[i], state);
    for (char *w = s->policies ? strtok_r(s->policies, ",", &rest) : NULL; w;
         w = strtok_r(NULL, ",", &rest)) {
        if (draws(w) && !drawn)
            argp_error(state, "%s draws: give --seed or --expected", w);
        add_policy(s, w, state);
    }
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case 'k':
        take_sizes(s, arg, state);
        return 0;
    case OPT_POLICIES:
        s->policies = arg;
        return 0;
    case OPT_BITS:
        take_bits(s, arg, state);
        return 0;
    case OPT_EXPECTED:
        s->o.expected = true;
        return 0;
    case OPT_RUNS:
        s->o.runs = (int)sz_cli_int(state, "--runs", arg, 2, 1000000);
        return 0;
    case OPT_SEED:
        s->o.seed = (uint64_t)sz_cli_int(state, "--seed", arg, 0, INT64_MAX);
        s->seeded = true;
        return 0;
    case OPT_PLOT:
        s->o.plot = arg;
        return 0;
    case OPT_JSON:
        s->o.json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (s->o.trace)
            argp_error(state, "one trace at a time: '%s' is left over", arg);
        s->o.trace = arg;
        return 0;
    case ARGP_KEY_END:
        if (!s->o.trace)
            argp_error(state, "it needs a trace");
        if (!s->o.n_sizes)
            argp_error(state, "it needs --size");
        choose_policies(s, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static char *help(int key, const char *text, void *input) {
    if (key != ARGP_KEY_HELP_EXTRA)
        return (char *)text;
    sz_buf b = {0};
    sz_buf_puts(&b, "Policies, with the default values of their options:\n");
    for (const sz_evict_kind *const *k = sz_evict_kinds(); *k; k++)
        sz_help_method(&b, (*k)->name, (*k)->help, (*k)->options);
    sz_buf_puts(&b, "  belady       the optimum, which knows what comes\n");
    return sz_help_text(&b);
}

const struct argp sz_argp_cache_sim = {
    options,
    parse,
    "TRACE|-",
    "Replays a trace of requests for pages against policies of eviction, with the fewest misses "
    "possible beside them, and says what bits of advice (1: this page is safe to drop) are worth. "
    "A trace has a line for each request: an id, and a bit if there is one; or a header that names "
    "the columns page, bit and size; or, in a file .u64 or .bin, 64-bit numbers. 'gap' is how much "
    "of the way from LRU to the optimum a policy goes."
    "\v"
    "EXAMPLES\n"
    "  szilard bench cache-sim requests.txt --size 64,128,256\n"
    "  szilard cache-sim requests.txt --size 64 --bits oracle:flip=0.05 --seed 1\n"
    "  szilard cache-sim requests.csv -k 8 --policies lru,flush0,\"combine second=lfu\" --json\n",
    NULL,
    help,
    NULL};

static sz_status plot(const sz_cache_sim *o, const sz_cache_table *tables) {
    double x[SZ_CACHE_MOST_SIZES], y[SZ_CACHE_MOST_POLICIES][SZ_CACHE_MOST_SIZES];
    sz_plot_line lines[SZ_CACHE_MOST_POLICIES];
    for (size_t i = 0; i < o->n_sizes; i++) {
        x[i] = o->size[i];
        SZ_REQUIRE(i == 0 || x[i] > x[i - 1], SZ_E_ARG, "--plot wants sizes that rise");
    }
    for (size_t p = 0; p < o->n_policies; p++) {
        for (size_t i = 0; i < o->n_sizes; i++)
            y[p][i] = tables[i].row[p].misses;
        lines[p] = (sz_plot_line){o->policy[p], y[p]};
    }
    sz_plot figure = {.title = "Misses of policies of eviction",
                      .x_label = "pages in the cache",
                      .y_label = "misses",
                      .x = x,
                      .n = o->n_sizes,
                      .lines = lines,
                      .n_lines = o->n_policies};
    return sz_plot_write(o->plot, &figure);
}

static sz_status run(const sz_cache_sim *o, sz_cache_trace *t, sz_buf *b) {
    sz_cache_table tables[SZ_CACHE_MOST_SIZES];
    SZ_TRY(sz_cache_trace_read(o->trace, t));
    if (o->bits) {
        sz_free(t->bit);
        t->bit = NULL;
        SZ_TRY(sz_cache_bits_read(o->bits, t->n, &t->bit));
    }
    sz_buf_puts(b, o->json ? "[" : "");
    for (size_t i = 0; i < o->n_sizes; i++) {
        SZ_TRY(sz_cache_sim_measure(o, t, o->size[i], &tables[i]));
        sz_buf_puts(b, i == 0 ? "" : o->json ? "," : "\n");
        if (o->json)
            sz_cache_sim_json(b, t, &tables[i]);
        else
            sz_cache_sim_print(b, o, t, &tables[i]);
    }
    sz_buf_puts(b, o->json ? "]\n" : "");
    return o->plot ? plot(o, tables) : SZ_OK;
}

int sz_run_cache_sim(int argc, char **argv) {
    settings s = {.o = {.runs = 20}};
    sz_cache_trace t = {0};
    sz_buf b = {0};
    sz_cli_parse(&sz_argp_cache_sim, argc, argv, &s);
    sz_status status = run(&s.o, &t, &b);
    sz_cache_trace_free(&t);
    if (status == SZ_OK)
        return sz_cli_print(&b);
    sz_buf_free(&b);
    return sz_cli_error();
}
