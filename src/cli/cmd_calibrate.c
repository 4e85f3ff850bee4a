/* cmd_calibrate.c: `szilard model calibrate ead|kv`: parameters of a method from a text. */
#include "calibrate.h"
#include <string.h>
#include <szilard/unstable/router.h>

enum { OPT_FRACTION = 900, OPT_TOKENS, OPT_LENGTH, OPT_JSON };
enum { EAD, KV };

static const char *const methods[] = {"ead", "kv", NULL};

static const struct argp_option options[] = {
    {"fraction", OPT_FRACTION, "F", 0, "ead: share of tokens by the large model (0.3)", 0},
    {"output", 'o', "FILE", 0, "kv: the file to write", 0},
    {"length", OPT_LENGTH, "N", 0, "kv: the text is read in pieces of so many tokens (512)", 0},
    {"tokens", OPT_TOKENS, "N", 0, "Tokens of the text to read, at most (ead: 4096, kv: 40 pieces)",
     0},
    {"json", OPT_JSON, NULL, 0, "Print JSON", 0},
    {0},
};

static void finish_ead(struct argp_state *state, sz_calibration *s) {
    const sz_router_kind *kind;
    if (s->routing.large && s->engine.model)
        argp_error(state, "-m and --large both name the large model");
    s->engine.model = s->routing.large ? s->routing.large : s->engine.model;
    s->engine.small = s->routing.small;
    if (!s->engine.model || !s->engine.small)
        argp_error(state, "two models are needed: --small A --large B");
    if (s->out || s->length)
        argp_error(state, "--output and --length belong to kv");
    s->most = s->most ? s->most : 4096;
    s->routing.router = s->routing.router ? s->routing.router : "ead";
    if (sz_router_parse(s->routing.router, &kind) == SZ_OK && strcmp(kind->name, "ead") != 0)
        argp_error(state, "--router: an ead router is calibrated");
}

static void finish_kv(struct argp_state *state, sz_calibration *s) {
    if (s->routing.router || s->routing.small || s->routing.large)
        argp_error(state, "kv: one model, by -m");
    if (!s->engine.model)
        argp_error(state, "kv: the model is missing: -m MODEL");
    if (!s->out)
        argp_error(state, "kv: the file to write is missing: -o FILE");
    s->length = s->length ? s->length : 512;
    s->most = s->most ? s->most : 40 * (size_t)s->length;
}

static void finish(struct argp_state *state, sz_calibration *s) {
    if (s->method < 0)
        argp_error(state, "name the method: szilard model calibrate ead, or kv");
    s->method == KV ? finish_kv(state, s) : finish_ead(state, s);
}

static void take_word(struct argp_state *state, sz_calibration *s, char *arg) {
    if (s->method < 0)
        s->method = sz_cli_choice(state, "model calibrate", arg, methods);
    else if (!s->file)
        s->file = arg;
    else
        argp_error(state, "'%s' is left over: one text at a time", arg);
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    sz_calibration *s = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &s->engine;
        state->child_inputs[1] = &s->routing;
        return 0;
    case OPT_FRACTION:
        s->fraction = sz_cli_real(state, "--fraction", arg, 0, 1);
        return 0;
    case OPT_TOKENS:
        s->most = (size_t)sz_cli_int(state, "--tokens", arg, 16, 1 << 24);
        return 0;
    case OPT_LENGTH:
        s->length = (uint32_t)sz_cli_int(state, "--length", arg, 2, 1 << 20);
        return 0;
    case 'o':
        s->out = arg;
        return 0;
    case OPT_JSON:
        s->json = true;
        return 0;
    case ARGP_KEY_ARG:
        take_word(state, s, arg);
        return 0;
    case ARGP_KEY_END:
        finish(state, s);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {
    {&sz_argp_engine, 0, NULL, 0}, {&sz_argp_routing, 0, NULL, 0}, {0}};
const struct argp sz_argp_calibrate = {
    options,
    parse,
    "ead [FILE|-]\nkv -m MODEL -o FILE [FILE|-]",
    "ead: reads a text with both models and finds the tau at which the large one would write the "
    "wanted share of it. The other settings are those of --router; the result is one to be used "
    "with run.\n"
    "kv: reads a text and writes a file with the effective rank of each head's queries, by which "
    "--kv-policy uncomp shares out the cache."
    "\v"
    "EXAMPLES\n"
    "  szilard model calibrate ead --small qwen-0.5b --large qwen-1.5b --fraction 0.3 notes.txt\n"
    "  szilard model calibrate ead --small a.gguf --large b.gguf --router \"ead window=8 min=4\" "
    "--json < notes.txt\n"
    "  szilard model calibrate kv -m smollm2 -o smollm2-heads.gguf notes.txt\n"
    "  szilard run smollm2 -f report.txt --kv-policy \"uncomp profile=smollm2-heads.gguf\"\n",
    children,
    NULL,
    NULL};

sz_status sz_calibration_read(const sz_calibration *s, const sz_engine *e, int32_t **ids,
                              size_t *n) {
    sz_buf text = {0};
    SZ_TRY(sz_cli_read(s->file, &text));
    sz_status status =
        sz_tokenizer_encode(sz_model_tokenizer(e->model), text.data, text.len, 0, ids, n);
    sz_buf_free(&text);
    if (status == SZ_OK)
        *n = *n < s->most ? *n : s->most;
    return status;
}

int sz_run_calibrate(int argc, char **argv) {
    sz_calibration s = {.fraction = 0.3, .method = -1};
    sz_cli_parse(&sz_argp_calibrate, argc, argv, &s);
    return s.method == KV ? sz_calibrate_kv(&s) : sz_calibrate_ead(&s);
}
