/* cmd_serve.c: `szilard serve`: the HTTP server, from its first connection to its end. */
#include "engine.h"
#include "paths.h"
#include "serve/serve.h"
#include "signals.h"
#include "store.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    OPT_HOST = 1000,
    OPT_KEYS,
    OPT_CERT,
    OPT_TLS_KEY,
    OPT_CORS,
    OPT_SLOTS,
    OPT_QUEUE,
    OPT_PASS,
    OPT_KV_TYPE,
    OPT_KV_MEMORY,
    OPT_BODY,
    OPT_MOST,
    OPT_TIMEOUT,
    OPT_ARRIVAL,
    OPT_CONNECTIONS,
    OPT_NAME,
    OPT_DRAIN
};

typedef struct settings {
    sz_engine_options engine;
    sz_server_config server;
    int drain_seconds;
} settings;

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Where:", 1},
    {"host", OPT_HOST, "ADDRESS", 0, "Listen here; default: 127.0.0.1, this machine only", 1},
    {"port", 'p', "N", 0, "Listen at this port; 0: any that is free. Default: 8080", 1},
    {"name", OPT_NAME, "NAME", 0, "What clients call the model; default: what -m says", 1},
    {NULL, 0, NULL, 0, "Who may ask:", 2},
    {"api-key-file", OPT_KEYS, "FILE", 0, "Requests must carry one of these keys, one a line", 2},
    {"tls-cert", OPT_CERT, "FILE", 0, "Serve HTTPS with this certificate (PEM)", 2},
    {"tls-key", OPT_TLS_KEY, "FILE", 0, "The certificate's private key (PEM)", 2},
    {"cors", OPT_CORS, "ORIGIN", 0,
     "Let pages of this origin use the server; *: of any. Default: none", 2},
    {NULL, 0, NULL, 0, "How much:", 3},
    {"context", 'c', "N", 0,
     "Tokens of prompt and answer; default: the smaller of the file's limit and half of the free "
     "memory",
     3},
    {"slots", OPT_SLOTS, "N", 0, "Texts that grow at once; default: 8", 3},
    {"queue", OPT_QUEUE, "N", 0, "Requests that may wait; more get status 503. Default: 64", 3},
    {"pass-budget", OPT_PASS, "N", 0,
     "Tokens of prompts in a pass while texts grow: fewer make them steadier, more bring prompts "
     "to "
     "their end sooner. Default: 64",
     3},
    {"kv-type", OPT_KV_TYPE, "f16|f32|q8_0", 0, "Storage type of keys and values; default: f16", 3},
    {"kv-memory", OPT_KV_MEMORY, "MB", 0,
     "Memory for keys and values of all texts; default: half of the free memory", 3},
    {"max-tokens", OPT_MOST, "N", 0, "Of an answer, where the request does not say; default: 2048",
     3},
    {"max-body", OPT_BODY, "MB", 0, "Of a request; default: 8", 3},
    {"connections", OPT_CONNECTIONS, "N", 0, "At once; default: 256", 3},
    {"timeout", OPT_TIMEOUT, "SECONDS", 0, "For a whole request; default: 600", 3},
    {"arrival-timeout", OPT_ARRIVAL, "SECONDS", 0, "For a request to arrive in full; default: 60",
     3},
    {"drain-timeout", OPT_DRAIN, "SECONDS", 0,
     "After SIGTERM, for requests that are being answered; default: 30", 3},
    {0},
};

static uint32_t number(struct argp_state *state, const char *name, const char *arg, int64_t min,
                       int64_t max) {
    return (uint32_t)sz_cli_int(state, name, arg, min, max);
}

static error_t parse_size(int key, char *arg, struct argp_state *state, settings *s) {
    sz_server_config *c = &s->server;
    switch (key) {
    case 'c':
        c->batcher.context = number(state, "--context", arg, 16, 1 << 27);
        return 0;
    case OPT_SLOTS:
        c->batcher.n_slots = number(state, "--slots", arg, 1, 256);
        return 0;
    case OPT_QUEUE:
        c->batcher.n_queued = number(state, "--queue", arg, 1, 1 << 16);
        return 0;
    case OPT_PASS:
        c->batcher.pass_tokens = number(state, "--pass-budget", arg, 1, 1 << 16);
        return 0;
    case OPT_KV_TYPE:
        c->batcher.kv_type = (sz_kv_type)sz_cli_choice(state, "--kv-type", arg, sz_kv_choices);
        return 0;
    case OPT_KV_MEMORY:
        c->batcher.kv_bytes = (uint64_t)number(state, "--kv-memory", arg, 1, 1 << 30) * 1000000;
        return 0;
    case OPT_BODY:
        c->body_bytes = (size_t)number(state, "--max-body", arg, 1, 1024) << 20;
        return 0;
    case OPT_MOST:
        c->max_tokens = number(state, "--max-tokens", arg, 1, INT32_MAX);
        return 0;
    case OPT_TIMEOUT:
        c->request_seconds = number(state, "--timeout", arg, 1, 1 << 20);
        return 0;
    case OPT_ARRIVAL:
        c->header_seconds = number(state, "--arrival-timeout", arg, 1, 1 << 20);
        return 0;
    case OPT_CONNECTIONS:
        c->connections = number(state, "--connections", arg, 4, 1 << 16);
        return 0;
    case OPT_DRAIN:
        s->drain_seconds = (int)number(state, "--drain-timeout", arg, 0, 1 << 20);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    sz_server_config *c = &s->server;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &s->engine;
        c->port = 8080;
        s->drain_seconds = 30;
        return 0;
    case OPT_HOST:
        c->host = arg;
        return 0;
    case 'p':
        c->port = (uint16_t)number(state, "--port", arg, 0, 65535);
        return 0;
    case OPT_NAME:
        c->model_name = arg;
        return 0;
    case OPT_KEYS:
        c->key_file = arg;
        return 0;
    case OPT_CERT:
        c->tls_cert = arg;
        return 0;
    case OPT_TLS_KEY:
        c->tls_key = arg;
        return 0;
    case OPT_CORS:
        c->origin = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (s->engine.model)
            argp_error(state, "'%s' is left over", arg);
        s->engine.model = arg;
        return 0;
    case ARGP_KEY_SUCCESS:
        if (!s->engine.model)
            argp_error(state, "no model given: szilard serve -m smollm2");
        if (!c->tls_cert != !c->tls_key)
            argp_error(state, "--tls-cert and --tls-key go together");
        return 0;
    default:
        return parse_size(key, arg, state, s);
    }
}

static const struct argp_child children[] = {{&sz_argp_engine, 0, NULL, 0}, {0}};
const struct argp sz_argp_serve = {
    options,
    parse,
    "[MODEL]",
    "Serves a model over HTTP, so that programs written for OpenAI's API work with it unchanged. "
    "Every reply has an object `szilard` with the information account of its tokens."
    "\vExamples:\n"
    "  szilard serve -m smollm2\n"
    "  curl -N localhost:8080/v1/chat/completions -d '{\"stream\": true,\n"
    "    \"messages\": [{\"role\": \"user\", \"content\": \"What is entropy?\"}]}'\n"
    "  szilard serve -m smollm2 --host 0.0.0.0 --api-key-file keys --tls-cert cert.pem "
    "--tls-key key.pem\n"
    "\n"
    "SIGTERM and Ctrl-C let requests that are there come to their end; a second one does not.",
    children,
    NULL,
    NULL,
};

/* All threads leave the signals to the one that waits for them. */
static void block_signals(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    sz_catch_broken_pipe();
}

/* Until the requests are answered, the time is over, or a second signal comes. */
static void drain(sz_server *server, const sigset_t *set, int seconds) {
    const struct timespec step = {.tv_nsec = 20 * 1000 * 1000};
    uint64_t end = sz_time_ns() + (uint64_t)seconds * 1000000000u;
    sz_cli_note("shutting down: requests that are there come to their end");
    sz_server_drain(server);
    while (sz_server_busy(server) && sz_time_ns() < end)
        if (sigtimedwait(set, NULL, &step) > 0)
            return;
}

static bool is_loopback(const char *host) {
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
           strcmp(host, "localhost") == 0;
}

static sz_status serve(settings *s, sz_engine *e, sz_server *server, const sigset_t *set) {
    const sz_server_config *c = &s->server;
    int signal;
    SZ_TRY(sz_engine_open(&s->engine, e));
    SZ_TRY(sz_server_attach(server, e->model));
    const char *host = c->host ? c->host : "127.0.0.1";
    bool v6 = strchr(host, ':') != NULL;
    sz_cli_note("ready at http%s://%s%s%s:%u", c->tls_cert ? "s" : "", v6 ? "[" : "", host,
                v6 ? "]" : "", sz_server_port(server));
    if (!c->key_file && !is_loopback(host))
        sz_cli_note("whoever reaches this port may use the server: --api-key-file asks for keys");
    sigwait(set, &signal);
    drain(server, set, s->drain_seconds);
    return SZ_OK;
}

/* What -m says, but of a path the file's name alone: where it lies is nobody's business. */
static char *default_name(const char *model) {
    const char *base = sz_path_base(model);
    size_t n = strlen(base);
    return strndup(base, sz_has_suffix(base, ".gguf") ? n - strlen(".gguf") : n);
}

int sz_run_serve(int argc, char **argv) {
    settings s = {0};
    sz_engine e = {0};
    sz_server *server = NULL;
    sigset_t set;
    sz_cli_parse(&sz_argp_serve, argc, argv, &s);
    block_signals(&set);
    char *path = NULL, *name = default_name(s.engine.model);
    s.server.model_name = s.server.model_name ? s.server.model_name : name;
    sz_status status = sz_store_find(s.engine.model, &path);
    s.server.model_path = path;
    if (status == SZ_OK)
        status = sz_server_open(&s.server, &server);
    if (status == SZ_OK)
        status = serve(&s, &e, server, &set);
    int exit_status = status == SZ_OK ? SZ_EXIT_OK : sz_cli_error();
    sz_server_close(server);
    sz_engine_close(&e);
    free(path);
    free(name);
    return exit_status;
}
