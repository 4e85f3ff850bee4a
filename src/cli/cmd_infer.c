/* cmd_infer.c: `szilard fit bayes`: posteriors and evidence of a probabilistic program, and whether
 * the blocks of inference keep its measure. */
#include "inference.h"

enum {
    OPT_METHOD = 256,
    OPT_RESAMPLE,
    OPT_THRESHOLD,
    OPT_MOVES,
    OPT_SAMPLES,
    OPT_SKIP,
    OPT_THIN,
    OPT_RUNS,
    OPT_PATHS,
    OPT_SEED,
    OPT_UNIT,
    OPT_JSON
};

const char *const sz_infer_methods[] = {"auto", "exact", "importance", "smc", "mcmc", "pimh", NULL};
static const char *const words[] = {"run", "check", NULL};
static int (*const calls[])(const sz_infer_options *o) = {sz_infer_run, sz_infer_check};
enum { MOST_DATA = 64 };

typedef struct settings {
    sz_infer_options o;
    int what; /* -1: not given yet */
    char *data[MOST_DATA];
} settings;

static const struct argp_option options[] = {
    {"data", 'd', "NAME=VALUES", 0,
     "What the program sets NAME to first: numbers with commas, or a file with a column of them; "
     "may be given again",
     0},
    {"particles", 'n', "N", 0, "Size of the population (1000)", 0},
    {"method", OPT_METHOD, "METHOD", 0,
     "exact: every path; importance; smc; mcmc: moves of one trace; pimh: particle independent "
     "Metropolis and Hastings; auto (default): exact where there are few paths, else smc",
     0},
    {"resample", OPT_RESAMPLE, "SCHEME", 0,
     "systematic, stratified, multinomial or residual (systematic)", 0},
    {"threshold", OPT_THRESHOLD, "T", 0,
     "Resample where the effective size is below T of the particles; 2: after every step (0.5)", 0},
    {"moves", OPT_MOVES, "N", 0, "smc: moves of each particle after a resampling (0)", 0},
    {"samples", OPT_SAMPLES, "N", 0, "mcmc, pimh: how many (1000)", 0},
    {"skip", OPT_SKIP, "N", 0, "mcmc: moves before the first sample (1000)", 0},
    {"thin", OPT_THIN, "N", 0, "mcmc: moves from sample to sample (10)", 0},
    {"runs", OPT_RUNS, "N", 0, "check: simulations of a program that is not finite (200)", 0},
    {"paths", OPT_PATHS, "N", 0, "exact, check: paths to visit at most (200000)", 0},
    {"output", 'o', "FILE", 0, "run: the results and their shares, as CSV", 0},
    {"threads", 'T', "N", 0, "Threads; they change speed, never a bit (1)", 0},
    {"seed", OPT_SEED, "S", 0, "Seed (0)", 0},
    {"unit", OPT_UNIT, "UNIT", 0, "nat, bit or hartley (nat)", 0},
    {"json", OPT_JSON, NULL, 0, "Print one object", 0},
    {0},
};

static void take_word(settings *s, char *arg, struct argp_state *state) {
    if (s->what < 0)
        s->what = sz_cli_choice(state, "fit bayes", arg, words);
    else if (!s->o.file)
        s->o.file = arg;
    else
        argp_error(state, "'%s' is left over: it takes one program", arg);
}

static error_t parse_counts(int key, char *arg, struct argp_state *state) {
    sz_infer_options *o = &((settings *)state->input)->o;
    switch (key) {
    case 'n':
        o->population.n_particles =
            (size_t)sz_cli_int(state, "--particles", arg, 1, SZ_PARTICLES_MAX);
        return 0;
    case OPT_MOVES:
        o->population.n_moves = (size_t)sz_cli_int(state, "--moves", arg, 0, 1000000);
        return 0;
    case OPT_SAMPLES:
        o->n_samples = (size_t)sz_cli_int(state, "--samples", arg, 1, 100000000);
        return 0;
    case OPT_SKIP:
        o->n_skip = (size_t)sz_cli_int(state, "--skip", arg, 0, 1000000000);
        return 0;
    case OPT_THIN:
        o->thin = (size_t)sz_cli_int(state, "--thin", arg, 1, 1000000);
        return 0;
    case OPT_RUNS:
        o->n_runs = (size_t)sz_cli_int(state, "--runs", arg, 20, 10000000);
        return 0;
    case OPT_PATHS:
        o->max_paths = (uint64_t)sz_cli_int(state, "--paths", arg, 1, INT64_MAX);
        return 0;
    case 'T':
        o->threads = (int)sz_cli_int(state, "--threads", arg, 1, 256);
        return 0;
    case OPT_SEED:
        o->population.seed = (uint64_t)sz_cli_int(state, "--seed", arg, 0, INT64_MAX);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case 'd':
        if (s->o.n_data == MOST_DATA)
            argp_error(state, "more than %d --data", MOST_DATA);
        s->data[s->o.n_data++] = arg;
        return 0;
    case OPT_METHOD:
        s->o.method = (sz_infer_method)sz_cli_choice(state, "--method", arg, sz_infer_methods);
        return 0;
    case OPT_RESAMPLE:
        s->o.population.scheme =
            (sz_resampling)sz_cli_choice(state, "--resample", arg, sz_resampling_names);
        return 0;
    case OPT_THRESHOLD:
        s->o.population.threshold = sz_cli_real(state, "--threshold", arg, 1e-9, 1e9);
        return 0;
    case 'o':
        s->o.output = arg;
        return 0;
    case OPT_UNIT:
        s->o.unit = (sz_unit)sz_cli_choice(state, "--unit", arg, sz_unit_choices);
        return 0;
    case OPT_JSON:
        s->o.json = true;
        return 0;
    case ARGP_KEY_ARG:
        take_word(s, arg, state);
        return 0;
    case ARGP_KEY_END:
        if (s->what < 0)
            argp_error(state, "say what to do: run or check");
        if (!s->o.file)
            argp_error(state, "%s needs a program", words[s->what]);
        return 0;
    default:
        return parse_counts(key, arg, state);
    }
}

const struct argp sz_argp_infer = {
    options,
    parse,
    "run PROGRAM|-\ncheck PROGRAM|-",
    "Infers with a probabilistic program: a text that draws ('x ~ normal(0, 1)'), weighs "
    "('observe y ~ normal(x, 0.5)', 'score w') and returns a number. run: the evidence and the "
    "distribution of what is returned. check: whether weighting, resampling, sequential Monte "
    "Carlo and trace moves keep the program's measure, by visiting every draw where choices are "
    "finite, else by the ranks of true values in simulations; exit status 1 where a law is broken. "
    "The language: if, else, while, return, arrays, arithmetic, flip, roll, categorical, uniform, "
    "normal, exponential."
    "\v"
    "EXAMPLES\n"
    "  szilard infer run rate.szp -d y=1,0,1,1\n"
    "  szilard infer run tracker.szp -d y=positions.csv -n 10000 --moves 1\n"
    "  szilard infer run rate.szp --method mcmc --samples 5000 -o rate.csv\n"
    "  szilard infer check rate.szp --json\n"
    "  printf 'a ~ flip(0.3)\\nscore 1 + a\\nreturn a\\n' | szilard infer check -\n"
    "\nExit status 3: every run was rejected, the evidence is 0.\n",
    NULL,
    NULL,
    NULL};

int sz_run_infer(int argc, char **argv) {
    settings s = {.what = -1,
                  .o = {.population = {.n_particles = 1000},
                        .n_samples = 1000,
                        .n_skip = 1000,
                        .thin = 10,
                        .max_paths = 200000,
                        .threads = 1}};
    sz_cli_parse(&sz_argp_infer, argc, argv, &s);
    s.o.data = s.data;
    return calls[s.what](&s.o);
}
