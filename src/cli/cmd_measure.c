/* cmd_measure.c: `szilard measure`: how much information is in this, or between these. */
#include "measure.h"
#include <math.h>
#include <string.h>

enum {
    OPT_AS = 256,
    OPT_ALPHA,
    OPT_BINS,
    OPT_BINNING,
    OPT_PERM,
    OPT_SEED,
    OPT_UNIT,
    OPT_CI,
    OPT_JSON,
    OPT_CENTER,
    OPT_EXPLAIN,
    OPT_CLAMP,
    OPT_NO_JITTER,
    OPT_TRUNCATE,
    OPT_SIGMA,
    OPT_TIMES,
    OPT_LABELS,
    OPT_RATE,
    OPT_JOINT,
    OPT_PLOT
};

static const char *const words[] = {"entropy", "divergence", "mi", "spectral",
                                    "dse",     "coupling",   NULL};
static sz_status (*const calls[])(const sz_measure_options *o, sz_report *r) = {
    sz_measure_entropy,  sz_measure_divergence, sz_measure_mi,
    sz_measure_spectral, sz_measure_dse,        sz_measure_coupling};
static const char *const readings[] = {"auto",    "probabilities", "logits", "counts",
                                       "symbols", "reals",         "bytes",  NULL};
static const char *const binnings[] = {"width", "frequency", "fd", NULL};

typedef struct settings {
    sz_measure_options o;
    int what; /* -1: not given yet */
} settings;

static const struct argp_option options[] = {
    {"as", OPT_AS, "KIND", 0,
     "What the numbers are: probabilities, logits, counts, symbols, reals or bytes; default: "
     "probabilities where they sum to 1, whole numbers and words are symbols, the rest is real",
     0},
    {"x", 'x', "COLUMNS", 0, "Names or numbers of columns, with commas; default: the first", 0},
    {"y", 'y', "COLUMNS", 0, "The other side; default: the second column", 0},
    {"neighbours", 'k', "K", 0, "Nearest neighbours of the estimators for reals (3)", 0},
    {"alpha", OPT_ALPHA, "A", 0, "Order of a further Renyi, Tsallis or alpha figure", 0},
    {"binning", OPT_BINNING, "RULE", 0,
     "mi: bins of equal width, frequency, or fd (Freedman and "
     "Diaconis) for reals",
     0},
    {"bins", OPT_BINS, "N", 0, "mi: number of bins (10)", 0},
    {"perm", OPT_PERM, "B", OPTION_ARG_OPTIONAL,
     "mi: p-value by B permutations of the samples (200)", 0},
    {"truncate", OPT_TRUNCATE, "N", 0, "spectral: also over the N largest eigenvalues", 0},
    {"center", OPT_CENTER, NULL, 0, "spectral: subtract the mean of each column first", 0},
    {"sigma", OPT_SIGMA, "S", 0,
     "dse: kernel width; default: the median distance to the tenth neighbour", 0},
    {"t", OPT_TIMES, "T,...", 0, "dse: diffusion times (1)", 0},
    {"labels", OPT_LABELS, "COLUMN", 0, "dse: information about this column's classes", 0},
    {"rate", OPT_RATE, "R", 0,
     "coupling: most entropy of a code between both columns, in the unit of --unit", 0},
    {"joint", OPT_JOINT, "FILE", 0,
     "coupling: write the joint law: row, column and probability as CSV, or a .npy matrix", 0},
    {"plot", OPT_PLOT, "OUT.svg", 0,
     "spectral, dse: draw the spectrum; entropy: the shares of the outcomes", 0},
    {"ci", OPT_CI, NULL, 0, "Show 95 % intervals, or standard errors in JSON", 0},
    {"clamp", OPT_CLAMP, NULL, 0, "Show negative estimates of information as 0", 0},
    {"no-jitter", OPT_NO_JITTER, NULL, 0, "Fail where samples coincide", 0},
    {"seed", OPT_SEED, "S", 0, "Seed of permutations and jitter (0)", 0},
    {"unit", OPT_UNIT, "UNIT", 0, "nat, bit or hartley (nat; dse and coupling: bit)", 0},
    {"explain", OPT_EXPLAIN, NULL, 0, "Tell why the figure marked * was chosen", 0},
    {"json", OPT_JSON, NULL, 0, "Print one object; names end in their unit", 0},
    {0},
};

static void take_word(settings *s, char *arg, struct argp_state *state) {
    if (s->what < 0)
        s->what = sz_cli_choice(state, "measure", arg, words);
    else if (!s->o.file)
        s->o.file = arg;
    else
        argp_error(state, "'%s' is left over: measure takes one file", arg);
}

static error_t parse_numbers(int key, char *arg, struct argp_state *state) {
    sz_measure_options *o = &((settings *)state->input)->o;
    switch (key) {
    case 'k':
        o->k = (uint32_t)sz_cli_int(state, "--neighbours", arg, 1, 256);
        return 0;
    case OPT_ALPHA:
        o->alpha = sz_cli_real(state, "--alpha", arg, 1e-9, 1e6);
        return 0;
    case OPT_SIGMA:
        o->sigma = strcmp(arg, "auto") == 0 ? 0 : sz_cli_real(state, "--sigma", arg, 1e-300, 1e300);
        return 0;
    case OPT_RATE:
        o->rate = sz_cli_real(state, "--rate", arg, 0, 1e6);
        return 0;
    case OPT_BINS:
        o->bins = (uint32_t)sz_cli_int(state, "--bins", arg, 1, 1 << 20);
        return 0;
    case OPT_PERM:
        o->permutations = arg ? (uint32_t)sz_cli_int(state, "--perm", arg, 1, 10000000) : 200;
        return 0;
    case OPT_TRUNCATE:
        o->truncate = (size_t)sz_cli_int(state, "--truncate", arg, 1, 1 << 20);
        return 0;
    case OPT_SEED:
        o->seed = (uint64_t)sz_cli_int(state, "--seed", arg, 0, INT64_MAX);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_choices(int key, char *arg, struct argp_state *state) {
    sz_measure_options *o = &((settings *)state->input)->o;
    switch (key) {
    case OPT_AS:
        o->reading = (sz_reading)sz_cli_choice(state, "--as", arg, readings);
        return 0;
    case OPT_BINNING:
        o->binning = sz_cli_choice(state, "--binning", arg, binnings);
        return 0;
    case OPT_UNIT:
        o->unit = (sz_unit)sz_cli_choice(state, "--unit", arg, sz_unit_choices);
        o->unit_given = true;
        return 0;
    default:
        return parse_numbers(key, arg, state);
    }
}

/* The texts and flags, each with its place. */
static const char **text_of(int key, sz_measure_options *o) {
    switch (key) {
    case 'x':
        return &o->x;
    case 'y':
        return &o->y;
    case OPT_TIMES:
        return &o->times;
    case OPT_LABELS:
        return &o->labels;
    case OPT_JOINT:
        return &o->joint;
    default:
        return key == OPT_PLOT ? &o->plot : NULL;
    }
}

static bool *flag_of(int key, sz_measure_options *o) {
    switch (key) {
    case OPT_CENTER:
        return &o->center;
    case OPT_CI:
        return &o->intervals;
    case OPT_CLAMP:
        return &o->clamp;
    case OPT_NO_JITTER:
        return &o->no_jitter;
    case OPT_EXPLAIN:
        return &o->explain;
    default:
        return key == OPT_JSON ? &o->json : NULL;
    }
}

static void check(settings *s, struct argp_state *state) {
    if (s->what < 0)
        argp_error(state,
                   "say what to measure: entropy, divergence, mi, spectral, dse or coupling");
    bool mi = calls[s->what] == sz_measure_mi, entropy = calls[s->what] == sz_measure_entropy;
    if (s->o.plot &&
        (mi || calls[s->what] == sz_measure_divergence || calls[s->what] == sz_measure_coupling))
        argp_error(state, "--plot draws what entropy, spectral and dse measure");
    if (s->o.reading == SZ_READ_BYTES && !mi && !entropy)
        argp_error(state, "--as bytes is for entropy and mi");
    if (s->o.permutations && !mi)
        argp_error(state, "--perm is for mi");
    if ((s->o.bins || s->o.binning >= 0) && !mi)
        argp_error(state, "bins are for mi");
    if (!s->o.file)
        s->o.file = "-";
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    const char **text = text_of(key, &s->o);
    bool *flag = flag_of(key, &s->o);
    if (text)
        *text = arg;
    else if (flag)
        *flag = true;
    else if (key == ARGP_KEY_ARG)
        take_word(s, arg, state);
    else if (key == ARGP_KEY_END)
        check(s, state);
    else
        return parse_choices(key, arg, state);
    return 0;
}

const struct argp sz_argp_measure = {
    options,
    parse,
    "entropy|divergence|mi|spectral|dse|coupling [FILE|-]",
    "Measures information: entropy of a column, divergence of two, mutual information between "
    "columns, the entropy of a matrix's spectrum, the diffusion spectral entropy of rows, or the "
    "least randomness of a joint law with two columns as marginals. FILE "
    "holds columns as text or CSV, JSON (an "
    "array, an array of rows or of records, a record on each line, or an object of columns) or a "
    ".npy array; any file with --as bytes. "
    "The figure to quote is marked *."
    "\v"
    "EXAMPLES\n"
    "  szilard measure entropy --as bytes README.md --unit bit --ci\n"
    "  printf '0.5\\n0.25\\n0.25\\n' | szilard measure entropy\n"
    "  szilard measure mi samples.csv -x height -y weight --explain\n"
    "  szilard measure mi --as counts table.csv --perm\n"
    "  szilard measure spectral hidden.npy --center --truncate 16\n"
    "  szilard measure dse states.csv --labels class --t 1,2 --plot spectrum.svg\n"
    "  szilard measure coupling laws.csv -x cause -y effect --joint joint.csv\n"
    "  szilard measure coupling laws.csv --rate 1.5\n",
    NULL,
    NULL,
    NULL};

int sz_run_measure(int argc, char **argv) {
    settings s = {.what = -1, .o = {.alpha = NAN, .binning = -1, .rate = NAN}};
    sz_report r = {0};
    sz_cli_parse(&sz_argp_measure, argc, argv, &s);
    bool in_bits = calls[s.what] == sz_measure_dse || calls[s.what] == sz_measure_coupling;
    if (in_bits && !s.o.unit_given)
        s.o.unit = SZ_BIT; /* as its literature has it */
    if (calls[s.what](&s.o, &r) != SZ_OK)
        return sz_cli_error();
    return sz_report_print(&r, &s.o);
}
