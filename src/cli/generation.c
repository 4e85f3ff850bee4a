/* generation.c: the options that `run` and `chat` share. */
#include "generation.h"
#include "method_help.h"
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/stop.h>

const char *const sz_think_choices[] = {"default", "on", "off", "hide", NULL};
static const char *const overflow_choices[] = {"default", "stop", "drop", NULL};

enum {
    OPT_STOP = 600,
    OPT_STOP_WHEN,
    OPT_EXPLAIN,
    OPT_SYSTEM,
    OPT_GRAMMAR,
    OPT_SCHEMA,
    OPT_REGEX,
    OPT_KV_TYPE,
    OPT_OVERFLOW,
    OPT_THINK,
    OPT_RAW,
    OPT_JSON,
    OPT_SHOW_ENTROPY,
    OPT_ACCOUNT,
    OPT_UNIT,
    OPT_COLOUR
};

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "The answer:", 3},
    {"max-tokens", 'n', "N", 0,
     "Most tokens of an answer; default: -1, until the model ends it or the context is full", 3},
    {"stop", OPT_STOP, "TEXT", 0,
     "End the answer before TEXT; may be given several times. \\n, \\t and \\\\ are understood", 3},
    {"stop-when", OPT_STOP_WHEN, "RULES", 0,
     "End the answer by rules that look at its tokens, such as \"entropy window=16 above=4, "
     "repetition\"; below, the rules with the default values of their options",
     3},
    {"grammar", OPT_GRAMMAR, "FILE", 0, "Answers follow this grammar, in GBNF", 3},
    {"json-schema", OPT_SCHEMA, "SCHEMA", 0,
     "Answers are JSON that follows this schema, written out or in a file", 3},
    {"regex", OPT_REGEX, "R", 0, "Answers match this regular expression as a whole", 3},
    {"system", OPT_SYSTEM, "TEXT", 0, "The system message", 3},
    {"think", OPT_THINK, "on|off|hide", 0,
     "For models that think first: whether they do, and whether it is shown", 3},
    {"raw", OPT_RAW, NULL, 0, "Continue the text itself, without the file's chat template", 3},
    {NULL, 0, NULL, 0, "Memory:", 5},
    {"context", 'c', "N", 0,
     "Tokens of context; default: the smaller of the file's limit and half of the free memory", 5},
    {"kv-type", OPT_KV_TYPE, "f16|f32|q8_0", 0, "Storage type of keys and values; default: f16", 5},
    {"overflow", OPT_OVERFLOW, "stop|drop", 0,
     "When the context is full: stop, or drop the oldest turns (with --raw the older half of the "
     "text). Default: drop in a conversation, else stop",
     5},
    {NULL, 0, NULL, 0, "Output:", 6},
    {"show-entropy", OPT_SHOW_ENTROPY, NULL, 0,
     "Colour each token by the entropy of the distribution it was drawn from; with the full "
     "account",
     6},
    {"explain", OPT_EXPLAIN, NULL, 0,
     "What each sampler did for each token: on stderr, with --json in the records", 6},
    {"account", OPT_ACCOUNT, NULL, 0,
     "The full account on stderr: speed, information, memory, and the share of the machine's "
     "memory bandwidth that was reached",
     6},
    {"quiet", 'q', NULL, 0, "No account", 6},
    {"unit", OPT_UNIT, "nat|bit|hartley", 0, "Unit of information; default: nats and bits", 6},
    {"colour", OPT_COLOUR, "auto|always|never", 0,
     "Colours; default: auto, on a terminal and if NO_COLOR is not set", 6},
    {"color", 0, NULL, OPTION_ALIAS | OPTION_HIDDEN, NULL, 6},
    {"json", OPT_JSON, NULL, 0,
     "Print JSON Lines: the record of each token, then {\"account\":{...}}", 6},
    {0},
};

/* A copy with \n, \t, \r and \\ resolved; NULL if there is no memory. */
static char *unescape(const char *text) {
    static const char from[] = "ntr\\", to[] = "\n\t\r\\";
    char *copy = strdup(text), *out = copy;
    for (const char *p = text; copy && *p; p++) {
        const char *code = p[0] == '\\' && p[1] ? strchr(from, p[1]) : NULL;
        *out++ = code ? to[code - from] : *p;
        p += code != NULL;
    }
    if (copy)
        *out = '\0';
    return copy;
}

static void add_stop(struct argp_state *state, sz_generation *g, const char *text) {
    if (!text[0])
        argp_error(state, "--stop: the text is empty");
    if (g->n_stops == SZ_STOPS_MAX)
        argp_error(state, "--stop: at most %d texts", SZ_STOPS_MAX);
    char *copy = unescape(text);
    if (!copy)
        argp_failure(state, SZ_EXIT_FAILURE, 0, "out of memory");
    g->stops[g->n_stops++] = copy;
}

/* The rules are kept as text; here they are only tried. */
static void set_stop_when(struct argp_state *state, sz_generation *g, const char *text) {
    sz_stops *stops;
    if (sz_stops_parse(text, &stops) != SZ_OK)
        argp_error(state, "--stop-when: %s", sz_last_error());
    else
        sz_stops_free(stops);
    g->stop_when = text;
}

static char *describe_rules(void) {
    sz_buf b = {0};
    sz_buf_puts(&b, "Rules of --stop-when, with the default values of their options:\n");
    for (const sz_stop_kind *const *k = sz_stop_kinds(); *k; k++)
        sz_help_method(&b, (*k)->name, (*k)->help, (*k)->options);
    return sz_help_text(&b);
}

static char *help(int key, const char *text, void *input) {
    return key == ARGP_KEY_HELP_EXTRA ? describe_rules() : (char *)text;
}

static error_t parse_output(int key, char *arg, struct argp_state *state, sz_generation *g) {
    switch (key) {
    case OPT_JSON:
        g->json = true;
        return 0;
    case OPT_SHOW_ENTROPY:
        g->show_entropy = true;
        return 0;
    case OPT_EXPLAIN:
        g->explain = true;
        return 0;
    case OPT_ACCOUNT:
        g->account = true;
        return 0;
    case 'q':
        g->quiet = true;
        return 0;
    case OPT_UNIT:
        g->unit = (sz_unit)sz_cli_choice(state, "--unit", arg, sz_unit_choices);
        g->unit_given = true;
        return 0;
    case OPT_COLOUR:
        g->colour = (sz_colour)sz_cli_choice(state, "--colour", arg, sz_colour_choices);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void take_models(struct argp_state *state, sz_generation *g) {
    if (g->routing.large && g->engine.model)
        argp_error(state, "-m and --large both name the large model");
    if (g->routing.large)
        g->engine.model = g->routing.large;
    g->engine.small = g->routing.small;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    sz_generation *g = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &g->engine;
        state->child_inputs[1] = &g->sampling;
        state->child_inputs[2] = &g->routing;
        state->child_inputs[3] = &g->forgetting;
        g->max_tokens = -1;
        return 0;
    case 'n':
        g->max_tokens = sz_cli_int(state, "--max-tokens", arg, -1, INT32_MAX);
        return 0;
    case OPT_STOP:
        add_stop(state, g, arg);
        return 0;
    case OPT_STOP_WHEN:
        set_stop_when(state, g, arg);
        return 0;
    case OPT_GRAMMAR:
        g->constraint = (sz_constraint){SZ_CONSTRAINT_GRAMMAR, arg};
        return 0;
    case OPT_SCHEMA:
        g->constraint = (sz_constraint){SZ_CONSTRAINT_SCHEMA, arg};
        return 0;
    case OPT_REGEX:
        g->constraint = (sz_constraint){SZ_CONSTRAINT_REGEX, arg};
        return 0;
    case OPT_SYSTEM:
        g->system = arg;
        return 0;
    case OPT_THINK:
        g->think = (sz_think)sz_cli_choice(state, "--think", arg, sz_think_choices);
        return 0;
    case OPT_RAW:
        g->raw = true;
        return 0;
    case 'c':
        g->context = (uint32_t)sz_cli_int(state, "--context", arg, 0, 1 << 30);
        return 0;
    case OPT_KV_TYPE:
        g->kv_type = (sz_kv_type)sz_cli_choice(state, "--kv-type", arg, sz_kv_choices);
        return 0;
    case OPT_OVERFLOW:
        g->overflow = (sz_overflow)sz_cli_choice(state, "--overflow", arg, overflow_choices);
        return 0;
    case ARGP_KEY_END:
        take_models(state, g);
        return 0;
    case ARGP_KEY_SUCCESS:
        if (g->raw && g->system)
            argp_error(state, "--system has no place in a --raw text");
        if (g->forgetting.text && g->routing.router)
            argp_error(state, "--kv-policy is for the cache of one model: not with two of them");
        if (g->forgetting.text && g->overflow == SZ_OVERFLOW_DROP)
            argp_error(state, "--overflow drop computes texts anew, without a --kv-policy");
        return 0;
    default:
        return parse_output(key, arg, state, g);
    }
}

static const struct argp_child children[] = {{&sz_argp_engine, 0, NULL, 0},
                                             {&sz_argp_sampling, 0, NULL, 0},
                                             {&sz_argp_routing, 0, NULL, 0},
                                             {&sz_argp_forgetting, 0, NULL, 0},
                                             {0}};
const struct argp sz_argp_generation = {options, parse, NULL, NULL, children, help, NULL};

void sz_generation_free(sz_generation *g) {
    for (size_t i = 0; i < g->n_stops; i++)
        free(g->stops[i]);
    g->n_stops = 0;
    sz_kv_policy_free(&g->forgetting.policy);
}
