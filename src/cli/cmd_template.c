/* cmd_template.c: `szilard tokens template`: a conversation as the prompt that a model sees. */
#include "engine.h"
#include <string.h>
#include <time.h>

enum { OPT_TEMPLATE = 256, OPT_BOS, OPT_EOS, OPT_MESSAGES, OPT_TOOLS, OPT_NO_PROMPT, OPT_JSON };

typedef struct settings {
    sz_engine_options engine;
    const char *file, *bos, *eos; /* in place of a model */
    const char *messages, *tools;
    bool no_prompt, json;
} settings;

static const struct argp_option options[] = {
    {"messages", OPT_MESSAGES, "F.json", 0,
     "The conversation: an array of {\"role\":..,\"content\":..}; - is standard input", 0},
    {"tools", OPT_TOOLS, "F.json", 0, "The tools that the model may call: an array", 0},
    {"no-generation-prompt", OPT_NO_PROMPT, NULL, 0,
     "Do not open the answer of the assistant at the end", 0},
    {"json", OPT_JSON, NULL, 0, "Print {\"prompt\":..}", 0},
    {"template", OPT_TEMPLATE, "T.jinja", 0, "A template in place of the one in a model file", 0},
    {"bos", OPT_BOS, "S", 0, "What --template sees as bos_token; default: empty", 0},
    {"eos", OPT_EOS, "S", 0, "What --template sees as eos_token; default: empty", 0},
    {0},
};

static void check(const settings *s, struct argp_state *state) {
    if (!s->engine.model && !s->file)
        argp_error(state, "no template: name a model with -m, or a file with --template");
    if (s->engine.model && s->file)
        argp_error(state, "-m and --template exclude each other");
    if (s->engine.model && (s->bos || s->eos))
        argp_error(state, "--bos and --eos belong to --template: a model has its own");
    if (!s->messages)
        argp_error(state, "no conversation: name a file with --messages");
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    const char **const text[] = {&s->file, &s->bos, &s->eos, &s->messages, &s->tools};
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &s->engine;
        return 0;
    case OPT_TEMPLATE:
    case OPT_BOS:
    case OPT_EOS:
    case OPT_MESSAGES:
    case OPT_TOOLS:
        *text[key - OPT_TEMPLATE] = arg;
        return 0;
    case OPT_NO_PROMPT:
        s->no_prompt = true;
        return 0;
    case OPT_JSON:
        s->json = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "'%s' is left over: the conversation comes with --messages", arg);
        return 0;
    case ARGP_KEY_END:
        check(s, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&sz_argp_engine, 0, NULL, 0}, {0}};
const struct argp sz_argp_template = {
    options,
    parse,
    "",
    "Prints a conversation as the chat template of a model renders it, and nothing else: no "
    "newline "
    "is added."
    "\v"
    "EXAMPLES\n"
    "  echo '[{\"role\":\"user\",\"content\":\"Why?\"}]' |\n"
    "      szilard template -m smollm2 --messages -\n"
    "  szilard template --template chat.jinja --bos '<s>' --messages talk.json\n"
    "  szilard template -m qwen-0.5b --messages talk.json --tools tools.json |\n"
    "      szilard tokenize -m qwen-0.5b --special\n",
    children,
    NULL,
    NULL};

/* Reads a JSON array and leaves its text in `out`. */
static sz_status read_array(const char *path, sz_buf *out) {
    sz_arena *arena;
    sz_json *v;
    SZ_TRY(sz_cli_read(path, out));
    SZ_TRY(sz_arena_new(1 << 16, &arena));
    sz_status status = sz_json_parse(out->data, out->len, arena, &v);
    if (status != SZ_OK)
        sz_fail_within(status, "%s", path);
    else if (v->type != SZ_JSON_ARRAY)
        status = sz_fail(SZ_E_FORMAT, "%s: not a JSON array", path);
    sz_arena_free(arena);
    return status;
}

static void put_member(sz_buf *b, const char *key, const char *text) {
    sz_buf_printf(b, ",\"%s\":", key);
    sz_json_quote(b, text ? text : "", text ? strlen(text) : 0);
}

/* With a template of its own file. */
static sz_status render(const sz_template *t, const sz_buf *variables, sz_buf *out) {
    sz_arena *arena;
    sz_json *object;
    SZ_REQUIRE(!variables->failed, SZ_E_NOMEM, "no memory for the template's variables");
    SZ_TRY(sz_arena_new(1 << 16, &arena));
    sz_status status = sz_json_parse(variables->data, variables->len, arena, &object);
    if (status == SZ_OK)
        status = sz_template_render(t, object, (int64_t)time(NULL), NULL, out);
    sz_arena_free(arena);
    return status;
}

static sz_status render_file(const settings *s, const char *messages, const char *tools,
                             sz_buf *out) {
    sz_buf source = {0}, variables = {0};
    sz_template *t = NULL;
    sz_buf_printf(&variables, "{\"messages\":%s", messages);
    if (tools)
        sz_buf_printf(&variables, ",\"tools\":%s", tools);
    sz_buf_printf(&variables, ",\"add_generation_prompt\":%s", s->no_prompt ? "false" : "true");
    put_member(&variables, "bos_token", s->bos);
    put_member(&variables, "eos_token", s->eos);
    sz_buf_putc(&variables, '}');
    sz_status status = sz_cli_read(s->file, &source);
    if (status == SZ_OK) {
        status = sz_template_parse(source.data ? source.data : "", source.len, &t);
        if (status == SZ_OK)
            status = render(t, &variables, out);
        if (status != SZ_OK)
            sz_fail_within(status, "%s", s->file);
    }
    sz_template_free(t);
    sz_buf_free(&variables);
    sz_buf_free(&source);
    return status;
}

static sz_status render_model(const settings *s, const char *messages, const char *tools,
                              sz_buf *out) {
    sz_engine e;
    char *text = NULL;
    sz_status status = sz_engine_open(&s->engine, &e);
    if (status == SZ_OK)
        status = sz_model_render_chat(e.model, messages, tools, NULL, !s->no_prompt, &text);
    if (status == SZ_OK)
        sz_buf_puts(out, text);
    sz_string_free(text);
    sz_engine_close(&e);
    return status;
}

static void wrap(const sz_buf *prompt, sz_buf *out) {
    sz_buf_puts(out, "{\"prompt\":");
    sz_json_quote(out, prompt->data ? prompt->data : "", prompt->len);
    sz_buf_puts(out, "}\n");
    out->failed |= prompt->failed;
}

int sz_run_template(int argc, char **argv) {
    settings s = {.engine.vocab_only = true};
    sz_buf messages = {0}, tools = {0}, prompt = {0}, wrapped = {0};
    sz_cli_parse(&sz_argp_template, argc, argv, &s);
    sz_status status = read_array(s.messages, &messages);
    if (status == SZ_OK && s.tools)
        status = read_array(s.tools, &tools);
    if (status == SZ_OK)
        status = (s.file ? render_file : render_model)(&s, messages.data, tools.data, &prompt);
    if (status == SZ_OK && s.json)
        wrap(&prompt, &wrapped);
    int exit_status = status != SZ_OK ? sz_cli_error() : sz_cli_print(s.json ? &wrapped : &prompt);
    sz_buf_free(&messages);
    sz_buf_free(&tools);
    sz_buf_free(&prompt);
    sz_buf_free(&wrapped);
    return exit_status;
}
