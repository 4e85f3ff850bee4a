/* cmd_match.c: `szilard match`: where a text comes near a pattern. */
#include "match.h"
#include <string.h>

enum {
    OPT_AS = 256,
    OPT_ALL,
    OPT_APPROX,
    OPT_DELTA,
    OPT_METHOD,
    OPT_WILDCARD,
    OPT_SEED,
    OPT_COUNT,
    OPT_EXPLAIN,
    OPT_JSON,
    OPT_BY,
    OPT_SIMILARITY,
    OPT_LEAST,
};

static const char *const units[] = {"auto", "file", "line", NULL};
static const char *const readings[] = {"bytes", "ids", "tokens", NULL};

typedef struct settings {
    sz_match_settings s;
    bool has_reading;
} settings;

static const struct argp_option options[] = {
    {"within", 'k', "K", 0,
     "Show alignments with at most K mismatches; K% is a share of the pattern", 1},
    {"all", OPT_ALL, NULL, 0, "Show the distance of every alignment", 1},
    {"approx", OPT_APPROX, "EPS", 0,
     "Distances from below, within a factor 1 - EPS of the exact ones", 1},
    {"delta", OPT_DELTA, "D", 0, "Chance that --approx breaks its word anywhere (0.01)", 1},
    {"count", OPT_COUNT, NULL, 0, "Only count the alignments within K", 1},
    {"expression", 'e', "PATTERN", 0, "The pattern, where it could be taken for an option", 2},
    {"file", 'f', "FILE", 0, "The pattern is all that FILE holds, a last line break too", 2},
    {"as", OPT_AS, "KIND", 0,
     "bytes (default), ids (JSON or numbers), or tokens (default with -m): distances are counted "
     "in "
     "these",
     2},
    {"wildcard", OPT_WILDCARD, "C", 0, "A byte, or an id, that matches everything", 2},
    {"method", OPT_METHOD, "NAME", 0,
     "auto, naive, scan, scatter, fft, ntt, split; with -k also bits, blocks, jumps, sample. All "
     "but sample, which may miss one in 10^9, find the same",
     3},
    {"seed", OPT_SEED, "S", 0, "Seed of hashes and samples (0)", 3},
    {"explain", OPT_EXPLAIN, NULL, 0,
     "Tell which methods were used, and how near the text comes by chance", 3},
    {"json", OPT_JSON, NULL, 0, "Print one object per FILE", 3},
    {NULL, 0, NULL, 0, "dup:", 4},
    {"by", OPT_BY, "UNIT", 0,
     "A document is a file, or a line of one (default where there is one file); a line of a .jsonl "
     "file is an object with a \"text\"",
     4},
    {"similarity", OPT_SIMILARITY, "S", 0, "Least share of equal words (0.8)", 4},
    {"least", OPT_LEAST, "N", 0, "Words of the shortest passage (12)", 4},
    {0},
};

static error_t parse_numbers(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case OPT_APPROX:
        s->s.epsilon = sz_cli_real(state, "--approx", arg, 1e-6, 1 - 1e-6);
        return 0;
    case OPT_DELTA:
        s->s.delta = sz_cli_real(state, "--delta", arg, 1e-12, 1 - 1e-6);
        return 0;
    case OPT_SIMILARITY:
        s->s.similarity = sz_cli_real(state, "--similarity", arg, 0.01, 1);
        return 0;
    case OPT_LEAST:
        s->s.least = (size_t)sz_cli_int(state, "--least", arg, 1, INT32_MAX);
        return 0;
    case OPT_SEED:
        s->s.seed = (uint64_t)sz_cli_int(state, "--seed", arg, 0, INT64_MAX);
        return 0;
    case OPT_METHOD: {
        const char *names[SZ_MATCH_METHODS + 1] = {NULL};
        for (int i = 0; i < SZ_MATCH_METHODS; i++)
            names[i] = sz_match_method_name((sz_match_method)i);
        s->s.method = (sz_match_method)sz_cli_choice(state, "--method", arg, names);
        return 0;
    }
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void finish(settings *s, struct argp_state *state) {
    sz_match_settings *m = &s->s;
    if (!s->has_reading)
        m->reading = m->engine.model ? SZ_MATCH_TOKENS : SZ_MATCH_BYTES;
    if (m->pattern && m->pattern_file)
        argp_error(state, "one pattern: -e or -f, not both");
    if (m->reading == SZ_MATCH_TOKENS && !m->engine.model)
        argp_error(state, "--as tokens needs a model: name one with -m, such as -m smollm2");
    if (m->dup && (m->k || m->all || m->count || m->epsilon > 0 || m->wildcard || m->method))
        argp_error(state,
                   "dup takes --by, --similarity, --least, -m and --json; to look for the word "
                   "itself: -e dup");
    if (m->dup && m->reading == SZ_MATCH_IDS)
        argp_error(state, "dup reads text: --as ids does not go with it");
    if (m->count && !m->k)
        argp_error(state, "--count needs -k");
    if (m->all && m->k)
        argp_error(state, "--all shows every distance: -k does not go with it");
    if (m->epsilon > 0 && (m->wildcard || m->method != SZ_MATCH_AUTO))
        argp_error(state, "--approx has no wildcards and chooses its own method");
}

/* The pattern, unless -e or -f gave it, or "dup"; and files. */
static error_t take_words(settings *s, struct argp_state *state) {
    sz_match_settings *m = &s->s;
    char **words = state->argv + state->next;
    size_t n = (size_t)(state->argc - state->next);
    if (!m->pattern && !m->pattern_file) {
        if (n == 0)
            argp_error(state, "say which pattern to look for");
        m->dup = strcmp(words[0], "dup") == 0;
        m->pattern = m->dup ? NULL : words[0];
        words++;
        n--;
        if (m->dup && n == 0)
            argp_error(state, "say which corpus to look through: match dup CORPUS");
    }
    static char *standard_input[] = {"-"};
    m->files = n ? words : standard_input;
    m->n_files = n ? n : 1;
    state->next = state->argc;
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &s->s.engine;
        return 0;
    case 'k':
        s->s.k = arg;
        return 0;
    case 'e':
        s->s.pattern = arg;
        return 0;
    case 'f':
        s->s.pattern_file = arg;
        return 0;
    case OPT_AS:
        s->s.reading = (sz_match_reading)sz_cli_choice(state, "--as", arg, readings);
        s->has_reading = true;
        return 0;
    case OPT_BY:
        s->s.unit = (sz_match_unit)sz_cli_choice(state, "--by", arg, units);
        return 0;
    case OPT_WILDCARD:
        s->s.wildcard = arg;
        return 0;
    case OPT_ALL:
        s->s.all = true;
        return 0;
    case OPT_COUNT:
        s->s.count = true;
        return 0;
    case OPT_EXPLAIN:
        s->s.explain = true;
        return 0;
    case OPT_JSON:
        s->s.json = true;
        return 0;
    case ARGP_KEY_ARGS:
        return take_words(s, state);
    case ARGP_KEY_NO_ARGS:
        take_words(s, state);
        return 0;
    case ARGP_KEY_SUCCESS:
        finish(s, state);
        return 0;
    default:
        return parse_numbers(key, arg, state);
    }
}

static const struct argp_child children[] = {{&sz_argp_engine, 0, NULL, 0}, {0}};
const struct argp sz_argp_match = {
    options,
    parse,
    "PATTERN [FILE|-]...\ndup CORPUS...",
    "Counts the mismatches of PATTERN at every place of a text, and shows the nearest place, those "
    "within a bound, or all: position, mismatches, and what stands there. Substitutions only; "
    "positions count from 0, in bytes or tokens. dup finds passages that stand twice in files, "
    "folders or lines, with words substituted: share of equal words, words, places in bytes."
    "\v"
    "EXAMPLES\n"
    "  szilard match 'the quick brown fox' book.txt\n"
    "  szilard match -k 3 'the quick brown fox' book.txt notes.txt\n"
    "  szilard match -k 20% -f passage.txt corpus.txt --json\n"
    "  szilard match -m smollm2 -k 5 -f answer.txt training.txt\n"
    "  szilard match --as ids '5 9 2' ids.json --all\n"
    "  szilard match dup corpus/ --similarity 0.9\n"
    "  szilard match dup train.jsonl test.jsonl --json\n"
    "  printf 'GATTACA' | szilard match 'G?TTA' --wildcard '?' -k 0\n",
    children,
    NULL,
    NULL};

static sz_status run(const sz_match_settings *s) {
    if (s->dup && s->reading == SZ_MATCH_BYTES)
        return sz_match_dup(s, NULL);
    if (s->reading == SZ_MATCH_TOKENS) {
        sz_engine e;
        sz_status status = sz_engine_open(&s->engine, &e);
        if (status == SZ_OK)
            status = s->dup ? sz_match_dup(s, sz_model_tokenizer(e.model))
                            : sz_match_find(s, sz_model_tokenizer(e.model), e.rt);
        sz_engine_close(&e);
        return status;
    }
    sz_runtime *rt;
    sz_runtime_config config = {.size = sizeof config, .n_threads = s->engine.threads};
    SZ_TRY(sz_runtime_new(&config, &rt));
    sz_status status = sz_match_find(s, NULL, rt);
    sz_runtime_free(rt);
    return status;
}

int sz_run_match(int argc, char **argv) {
    settings s = {.s = {.delta = 0.01, .engine.vocab_only = true}};
    sz_cli_parse(&sz_argp_match, argc, argv, &s);
    return run(&s.s) == SZ_OK ? SZ_EXIT_OK : sz_cli_error();
}
