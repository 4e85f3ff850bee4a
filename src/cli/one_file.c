/* one_file.c: see one_file.h. */
#include "one_file.h"

enum { OPT_JSON = 600 };

static const struct argp_option options[] = {{"json", OPT_JSON, NULL, 0, "Print JSON", 0}, {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
    sz_one_file *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->engine;
        return 0;
    case OPT_JSON:
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (o->file)
            argp_error(state, "'%s' is left over: there is one file, %s", arg, o->file);
        o->file = arg;
        return 0;
    case ARGP_KEY_END:
        if (!o->engine.model)
            argp_error(state, "no model given: name one with -m, such as -m smollm2");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&sz_argp_engine, 0, NULL, 0}, {0}};
const struct argp sz_argp_one_file = {options, parse, NULL, NULL, children, NULL, NULL};

int sz_one_file_run(const struct argp *argp, int argc, char **argv, void *settings, sz_one_file *o,
                    sz_status (*work)(const void *settings, const sz_tokenizer *t, sz_buf *out)) {
    sz_engine e;
    sz_buf out = {0};
    o->engine.vocab_only = true;
    sz_cli_parse(argp, argc, argv, settings);
    sz_status status = sz_engine_open(&o->engine, &e);
    if (status == SZ_OK)
        status = work(settings, sz_model_tokenizer(e.model), &out);
    int exit_status = status == SZ_OK ? sz_cli_print(&out) : sz_cli_error();
    sz_buf_free(&out);
    sz_engine_close(&e);
    return exit_status;
}
