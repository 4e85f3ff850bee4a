/* cmd_pc.c: `szilard fit circuit`: circuits learned from records, asked, drawn from, and used to
 * compress. */
#include "circuit_command.h"
#include <stdlib.h>
#include <string.h>

enum {
    OPT_LATENTS = 256,
    OPT_CATEGORIES,
    OPT_EPOCHS,
    OPT_BATCH,
    OPT_PSEUDOCOUNT,
    OPT_STEP,
    OPT_VALID,
    OPT_PATIENCE,
    OPT_WIDTH,
    OPT_SEED,
    OPT_UNIT,
    OPT_GIVEN,
    OPT_EACH,
    OPT_JSON
};

static const char *const words[] = {"train", "loglik", "marginal", "sample", "info", "zip", NULL};
enum { TRAIN, LOGLIK, MARGINAL, SAMPLE, INFO, ZIP };
static int (*const calls[])(const sz_circuit_options *o) = {
    sz_circuit_train, sz_circuit_loglik, sz_circuit_marginal, sz_circuit_sample, sz_circuit_info};

typedef struct settings {
    sz_circuit_options o;
    int what; /* -1: not given yet */
} settings;

static const struct argp_option options[] = {
    {"model", 'm', "FILE", 0, "The circuit, a GGUF file; all but train", 1},
    {"output", 'o', "FILE", 0, "train: where the circuit goes", 1},
    {"threads", 'T', "N", 0, "Threads; they change speed, never a bit (measured)", 1},
    {"width", OPT_WIDTH, "N", 0,
     "The data is plain bytes, N to a record; without it the format follows the file", 1},
    {"seed", OPT_SEED, "S", 0, "Seed of training and of samples (0)", 1},
    {"json", OPT_JSON, NULL, 0, "Print JSON", 1},
    {"unit", OPT_UNIT, "UNIT", 0, "nat, bit or hartley (bit)", 1},
    {NULL, 0, NULL, 0, "train:", 2},
    {"latents", OPT_LATENTS, "M", 0, "Hidden states of every variable (16)", 2},
    {"categories", OPT_CATEGORIES, "K", 0,
     "Values are 0 to K - 1; default: 256 for bytes, else one more than the largest", 2},
    {"epochs", OPT_EPOCHS, "N", 0, "Passes over the data, at most (50)", 2},
    {"batch", OPT_BATCH, "N", 0, "Records per step (all)", 2},
    {"step", OPT_STEP, "S", 0,
     "Size of a step, at most 1; with --batch of the first, and the last is half of it (1; 0.1 "
     "with "
     "--batch)",
     2},
    {"pseudocount", OPT_PSEUDOCOUNT, "C", 0, "Spread over every row of parameters (1)", 2},
    {"valid", OPT_VALID, "SHARE", 0,
     "Part of the records that training does not see: the best circuit on them is kept (0.1)", 2},
    {"patience", OPT_PATIENCE, "N", 0, "Epochs without a better circuit before it stops (10)", 2},
    {NULL, 0, NULL, 0, "loglik, marginal, sample:", 3},
    {"each", OPT_EACH, NULL, 0, "loglik: one line per record", 3},
    {"given", OPT_GIVEN, "RECORD", 0,
     "Known values as COLUMN=VALUE,... counted from 0; the rest is summed out or drawn", 3},
    {"n", 'n', "N", 0, "sample: how many records (1)", 3},
    {0},
};

static void take_word(settings *s, char *arg, struct argp_state *state) {
    if (s->what < 0)
        s->what = sz_cli_choice(state, "fit circuit", arg, words);
    else if (!s->o.data)
        s->o.data = arg;
    else
        argp_error(state, "'%s' is left over: it takes one file", arg);
}

static void check(const settings *s, struct argp_state *state) {
    const sz_circuit_options *o = &s->o;
    if (s->what < 0)
        argp_error(state, "say what to do: train, loglik, marginal, sample, info or zip");
    if ((s->what == TRAIN || s->what == LOGLIK) && !o->data)
        argp_error(state, "%s needs a file of records", words[s->what]);
    if (s->what == TRAIN && !o->output)
        argp_error(state, "train needs -o FILE for the circuit");
    if (s->what != TRAIN && !o->model)
        argp_error(state, "%s needs -m FILE, the circuit", words[s->what]);
    if ((s->what == MARGINAL || s->what == SAMPLE || s->what == INFO) && o->data)
        argp_error(state, "'%s' is left over: %s takes no file but -m", o->data, words[s->what]);
}

static error_t parse_training(int key, char *arg, struct argp_state *state) {
    sz_circuit_options *o = &((settings *)state->input)->o;
    switch (key) {
    case OPT_LATENTS:
        o->fit.n_latents = (size_t)sz_cli_int(state, "--latents", arg, 1, SZ_PC_MAX_LATENTS);
        return 0;
    case OPT_CATEGORIES:
        o->n_categories = (size_t)sz_cli_int(state, "--categories", arg, 1, SZ_PC_MAX_CATEGORIES);
        return 0;
    case OPT_EPOCHS:
        o->fit.n_epochs = (size_t)sz_cli_int(state, "--epochs", arg, 1, 1000000);
        return 0;
    case OPT_BATCH:
        o->fit.batch = (size_t)sz_cli_int(state, "--batch", arg, 1, INT64_MAX);
        return 0;
    case OPT_STEP:
        o->fit.step = sz_cli_real(state, "--step", arg, 1e-9, 1);
        return 0;
    case OPT_PSEUDOCOUNT: /* to the library 0 is the default */
        o->fit.pseudocount = sz_cli_real(state, "--pseudocount", arg, 0, 1e9);
        o->fit.pseudocount = o->fit.pseudocount > 0 ? o->fit.pseudocount : -1;
        return 0;
    case OPT_VALID:
        o->valid_share = sz_cli_real(state, "--valid", arg, 0, 0.9);
        return 0;
    case OPT_PATIENCE:
        o->fit.patience = (size_t)sz_cli_int(state, "--patience", arg, 1, 1000000);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case 'm':
        s->o.model = arg;
        return 0;
    case 'o':
        s->o.output = arg;
        return 0;
    case 'T':
        s->o.threads = (int)sz_cli_int(state, "--threads", arg, 1, 256);
        return 0;
    case 'n':
        s->o.n = (size_t)sz_cli_int(state, "-n", arg, 0, 100000000);
        return 0;
    case OPT_WIDTH:
        s->o.width = (size_t)sz_cli_int(state, "--width", arg, 1, SZ_PC_MAX_VARS);
        return 0;
    case OPT_SEED:
        s->o.fit.seed = (uint64_t)sz_cli_int(state, "--seed", arg, 0, INT64_MAX);
        return 0;
    case OPT_UNIT:
        s->o.unit = (sz_unit)sz_cli_choice(state, "--unit", arg, sz_unit_choices);
        return 0;
    case OPT_GIVEN:
        s->o.given = arg;
        return 0;
    case OPT_EACH:
        s->o.each = true;
        return 0;
    case OPT_JSON:
        s->o.json = true;
        return 0;
    case ARGP_KEY_ARG:
        take_word(s, arg, state);
        return 0;
    case ARGP_KEY_END:
        check(s, state);
        return 0;
    default:
        return parse_training(key, arg, state);
    }
}

const struct argp sz_argp_pc = {
    options,
    parse,
    "train DATA -o CIRCUIT\n"
    "loglik -m CIRCUIT DATA\n"
    "marginal -m CIRCUIT --given 3=1,7=0\n"
    "sample -m CIRCUIT\n"
    "info -m CIRCUIT\n"
    "zip -m CIRCUIT [FILE...]",
    "Learns a probabilistic circuit from records of discrete values and asks it: exact "
    "probabilities of records and of parts of them, samples, and compressed files. DATA is IDX (as "
    "the digits of MNIST), .npy, text or CSV or JSON of whole numbers, or plain bytes with "
    "--width. "
    "Missing values (nan or -1) are summed out. zip takes the options of 'szilard "
    "zip'."
    "\v"
    "EXAMPLES\n"
    "  szilard pc train t10k-images-idx3-ubyte --latents 32 -o digits.gguf\n"
    "  szilard pc loglik -m digits.gguf t10k-images-idx3-ubyte\n"
    "  szilard pc train table.csv --pseudocount 0.1 -o table.gguf\n"
    "  szilard pc marginal -m table.gguf --given 0=2,3=1 --json\n"
    "  szilard pc sample -m table.gguf -n 10 --given 0=2\n"
    "  szilard pc zip -m digits.gguf t10k-images-idx3-ubyte\n"
    "  szilard pc zip -d -m digits.gguf t10k-images-idx3-ubyte.slz\n",
    NULL,
    NULL,
    NULL};

static bool names_model(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], "-m", 2) == 0 || strncmp(argv[i], "--model", 7) == 0)
            return true;
    return false;
}

/* `zip` has options of its own: the rest of the line is for that command. */
static int run_zip(int argc, char **argv) {
    bool asks = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "--list") == 0);
    if (!asks && !names_model(argc, argv)) {
        sz_cli_fail("zip needs -m FILE, the circuit; 'szilard zip' compresses without one");
        return SZ_EXIT_USAGE;
    }
    return sz_run_zip(argc, argv);
}

int sz_run_pc(int argc, char **argv) {
    settings s = {.what = -1,
                  .o = {.unit = SZ_BIT, .n = 1, .valid_share = 0.1, .fit.size = sizeof s.o.fit}};
    if (argc > 1 && strcmp(argv[1], words[ZIP]) == 0) {
        argv[1] = argv[0];
        return run_zip(argc - 1, argv + 1);
    }
    sz_cli_parse(&sz_argp_pc, argc, argv, &s);
    if (s.what == ZIP) { /* after other options */
        sz_cli_fail("'zip' comes first: szilard pc zip -m FILE [FILE...]");
        return SZ_EXIT_USAGE;
    }
    return calls[s.what](&s.o);
}
