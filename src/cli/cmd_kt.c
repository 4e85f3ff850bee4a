/* cmd_kt.c: `szilard zip kt`: short programs for bytes. */
#include "kt_command.h"
#include <string.h>

enum {
    OPT_STEPS = 256,
    OPT_RESTARTS,
    OPT_SAMPLES,
    OPT_SEED,
    OPT_STRICT,
    OPT_SHOW,
    OPT_LENGTH,
    OPT_JSON
};

static const char *const words[] = {"compress", "run", "bench", "gen", NULL};
enum { COMPRESS, RUN, BENCH, GEN };
static int (*const calls[])(const sz_kt_settings *s) = {sz_kt_compress, sz_kt_run, sz_kt_bench,
                                                        sz_kt_generate};

typedef struct settings {
    sz_kt_settings s;
    int what; /* -1: not given yet */
    bool has_n;
} settings;

static const struct argp_option options[] = {
    {"model", 'm', "MODEL", 0,
     "compress, bench: a language model proposes scripts; those that run are tried too", 1},
    {"threads", 't', "N", 0, "Threads of the model; they change speed, never a bit", 1},
    {"samples", OPT_SAMPLES, "K", 0, "Scripts that the model proposes for a string (8)", 1},
    {"steps", OPT_STEPS, "N", 0,
     "compress, bench: steps of annealing for scripts, up to 256 bytes; 0: none (20000; bench: 0)",
     2},
    {"restarts", OPT_RESTARTS, "N", 0, "How often annealing begins anew (8)", 2},
    {"seed", OPT_SEED, "S", 0, "Seed of all that is drawn (0)", 2},
    {"output", 'o', "FILE", 0, "compress: write the program; run: write the bytes", 3},
    {"force", 'f', NULL, 0, "Overwrite what is there", 3},
    {"show", OPT_SHOW, NULL, 0, "run: print the program in place of what it makes", 3},
    {"strict", OPT_STRICT, NULL, 0,
     "run, gen: charge the predicate of filter, which the paper's prices leave out", 3},
    {"n", 'n', "N", 0, "gen, bench: how many strings (bench: 400)", 4},
    {"length", OPT_LENGTH, "N", 0, "bench FILE: bytes of a string (128)", 4},
    {"json", OPT_JSON, NULL, 0, "Print JSON", 5},
    {0},
};

static void take_word(settings *t, char *arg, struct argp_state *state) {
    if (t->what < 0)
        t->what = sz_cli_choice(state, "kt", arg, words);
    else if (t->what == GEN && !t->has_n) {
        t->s.n = (uint64_t)sz_cli_int(state, "gen", arg, 0, 100000000);
        t->has_n = true;
    } else if (!t->s.file && t->what != GEN)
        t->s.file = arg;
    else
        argp_error(state, "'%s' is left over", arg);
}

static void check(settings *t, struct argp_state *state) {
    sz_kt_settings *s = &t->s;
    if (t->what < 0)
        argp_error(state, "say what to do: compress, run, bench or gen");
    if (t->what == GEN && !t->has_n)
        argp_error(state, "gen needs how many, as in 'gen 400'");
    if (s->engine.model && t->what != COMPRESS && t->what != BENCH)
        argp_error(state, "-m: no model is needed to %s", words[t->what]);
    if (s->output && (t->what == BENCH || t->what == GEN))
        argp_error(state, "-o: %s prints to standard output", words[t->what]);
    if (s->steps == UINT32_MAX)
        s->steps = t->what == COMPRESS ? 20000 : 0;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *t = state->input;
    sz_kt_settings *s = &t->s;
    switch (key) {
    case 'm':
        s->engine.model = arg;
        return 0;
    case 't':
        s->engine.threads = (int)sz_cli_int(state, "--threads", arg, 1, 256);
        return 0;
    case 'o':
        s->output = arg;
        return 0;
    case 'f':
        s->force = true;
        return 0;
    case 'n':
        s->n = (uint64_t)sz_cli_int(state, "-n", arg, 0, 100000000);
        t->has_n = true;
        return 0;
    case OPT_SAMPLES:
        s->samples = (uint32_t)sz_cli_int(state, "--samples", arg, 1, 64);
        return 0;
    case OPT_STEPS:
        s->steps = (uint32_t)sz_cli_int(state, "--steps", arg, 0, 100000000);
        return 0;
    case OPT_RESTARTS:
        s->restarts = (uint32_t)sz_cli_int(state, "--restarts", arg, 1, 100000);
        return 0;
    case OPT_SEED:
        s->seed = (uint64_t)sz_cli_int(state, "--seed", arg, 0, INT64_MAX);
        return 0;
    case OPT_LENGTH:
        s->length = (size_t)sz_cli_int(state, "--length", arg, 1, SZ_KT_MOST_FILE);
        return 0;
    case OPT_STRICT:
        s->strict = true;
        return 0;
    case OPT_SHOW:
        s->show = true;
        return 0;
    case OPT_JSON:
        s->json = true;
        return 0;
    case ARGP_KEY_ARG:
        take_word(t, arg, state);
        return 0;
    case ARGP_KEY_END:
        check(t, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp sz_argp_kt = {
    options,
    parse,
    "compress [FILE]\n"
    "run PROGRAM\n"
    "bench [FILE]\n"
    "gen N",
    "The KoLMogorov test: the shortest program that makes these very bytes, which explains them. "
    "compress prints it with its exact cost, beside other compressors; run executes what compress "
    "wrote with -o, or a script of the test's dialect; gen writes scripts of the paper's "
    "distribution with what they make, as JSON lines; bench measures programs, and a model that "
    "proposes some, on generated strings or on a FILE cut into blocks."
    "\v"
    "Up to 1024 bytes the program of the project's own language is the shortest one there is: a "
    "model has to beat an optimum. 'szilard zip -m kt' compresses files of any length.\n\n"
    "EXAMPLES\n"
    "  printf '\\1\\2\\3\\4\\5\\6\\7' | szilard kt compress\n"
    "  szilard kt compress -o table.kt table.bin; szilard kt run table.kt > table.bin\n"
    "  szilard kt run --show table.kt\n"
    "  szilard kt gen 400 --seed 0 | jq -r .script\n"
    "  szilard kt bench --json\n"
    "  szilard kt bench -m smollm2 -n 10\n",
    NULL,
    NULL,
    NULL};

int sz_run_kt(int argc, char **argv) {
    settings t = {.what = -1,
                  .s = {.n = 400, .length = 128, .samples = 8, .restarts = 8, .steps = UINT32_MAX}};
    sz_cli_parse(&sz_argp_kt, argc, argv, &t);
    return calls[t.what](&t.s);
}
