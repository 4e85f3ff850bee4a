/* engine.c: -m and -t, and the model that they open. */
#include "engine.h"
#include "signals.h"
#include "store.h"
#include <stdlib.h>

const char *const sz_kv_choices[] = {"f16", "f32", "q8_0", NULL};

static const struct argp_option options[] = {
    {"model", 'm', "MODEL", 0,
     "A GGUF file, a known name such as smollm2, or a name that 'szilard list' shows", 1},
    {"threads", 't', "N", 0, "Threads; default: as many as a short measurement finds useful", 1},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    sz_engine_options *o = state->input;
    switch (key) {
    case 'm':
        o->model = arg;
        return 0;
    case 't':
        o->threads = (int)sz_cli_int(state, "--threads", arg, 1, 1024);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp sz_argp_engine = {options, parse, NULL, NULL, NULL, NULL, NULL};

static void log_line(void *user, sz_log_level level, const char *message) {
    if (level <= SZ_LOG_WARN)
        sz_cli_note("%s", message);
}

static sz_status open_small(const char *name, const sz_model_config *config, sz_engine *out) {
    char *path;
    SZ_TRY(sz_store_find(name, &path));
    sz_status status = sz_model_open(out->rt, path, config, &out->small);
    free(path);
    return status;
}

sz_status sz_engine_open(const sz_engine_options *o, sz_engine *out) {
    *out = (sz_engine){0};
    SZ_REQUIRE(o->model, SZ_E_ARG, "no model given: name one with -m, such as -m smollm2");
    SZ_TRY(sz_store_find(o->model, &out->path));
    sz_runtime_config runtime = {.n_threads = o->vocab_only ? 1 : o->threads, .log = log_line};
    SZ_TRY(sz_runtime_new(&runtime, &out->rt));
    sz_catch_interrupts(out->rt);
    sz_model_config model = {.vocab_only = o->vocab_only};
    SZ_TRY(sz_model_open(out->rt, out->path, &model, &out->model));
    return o->small ? open_small(o->small, &model, out) : SZ_OK;
}

void sz_engine_close(sz_engine *e) {
    sz_catch_interrupts(NULL);
    sz_model_close(e->small);
    sz_model_close(e->model);
    sz_runtime_free(e->rt);
    free(e->path);
    *e = (sz_engine){0};
}
