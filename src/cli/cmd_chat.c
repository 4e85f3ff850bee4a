/* cmd_chat.c: `szilard run --chat`: a conversation. */
#include "chat.h"

static error_t parse(int key, char *arg, struct argp_state *state) {
    sz_generation *g = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = g;
        return 0;
    case ARGP_KEY_ARG:
        if (g->engine.model)
            argp_error(state, "'%s' is left over: a conversation takes its turns as lines", arg);
        g->engine.model = arg;
        return 0;
    case ARGP_KEY_END:
        if (!g->engine.model)
            argp_error(state, "no model given: szilard chat smollm2");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {{0}};
static const struct argp_child children[] = {{&sz_argp_generation, 0, NULL, 0}, {0}};
const struct argp sz_argp_chat = {
    options,
    parse,
    "MODEL",
    "Holds a conversation. What was said stays computed: a new turn costs its own tokens only. On "
    "a "
    "terminal lines are edited and kept in ${XDG_STATE_HOME:-~/.local/state}/szilard/history; from "
    "a pipe each line is a turn. Ctrl-C stops an answer, Ctrl-D leaves, /help lists the commands."
    "\v"
    "EXAMPLES\n"
    "  szilard chat smollm2\n"
    "  szilard chat -m smollm2 --system \"You answer in one sentence.\" --show-entropy\n"
    "  printf 'My name is Ada.\\nWhat is my name?\\n' | szilard chat smollm2 --temp 0\n",
    children,
    NULL,
    NULL};

int sz_run_chat(int argc, char **argv) {
    sz_generation g = {0};
    sz_cli_parse(&sz_argp_chat, argc, argv, &g);
    int exit_status = sz_chat_hold(&g);
    sz_generation_free(&g);
    return exit_status;
}
