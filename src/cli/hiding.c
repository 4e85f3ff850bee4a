/* hiding.c: the options of `hide` and `reveal`, and what both sides must set up alike. */
#include "hiding.h"
#include "dialogue.h"
#include <string.h>

enum { OPT_PROMPT_FILE = 800, OPT_RAW, OPT_WIRE, OPT_ENGINE, OPT_JSON };
static const char *const wires[] = {"text", "tokens", NULL};
static const char *const engines[] = {"range", "fimec", NULL};

static const struct argp_option options[] = {
    {"key", 'k', "FILE", 0,
     "The secret that both sides share: a file of at least 16 bytes, such as 'head -c 32 "
     "/dev/urandom' makes",
     0},
    {"prompt", 'p', "TEXT", 0, "What the text answers, or with --raw what it continues", 0},
    {"prompt-file", OPT_PROMPT_FILE, "FILE", 0, "Read the prompt from FILE", 0},
    {"raw", OPT_RAW, NULL, 0, "Continue the prompt itself, without the file's chat template", 0},
    {"wire", OPT_WIRE, "text|tokens", 0,
     "What travels: the text (the default), or token ids, which hold more", 0},
    {"engine", OPT_ENGINE, "range|fimec", 0,
     "How bits choose tokens: the range coder (the default), or iterative minimum-entropy "
     "coupling, which needs more tokens",
     0},
    {"context", 'c', "N", 0,
     "Tokens of context; default: the smaller of the file's limit and half of the free memory", 0},
    {"output", 'o', "FILE", 0, "Write to FILE; default: standard output", 0},
    {"quiet", 'q', NULL, 0, "No account", 0},
    {"json", OPT_JSON, NULL, 0, "Print one object", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    sz_hiding_options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->engine;
        state->child_inputs[1] = &o->sampling;
        return 0;
    case 'k':
        o->key = arg;
        return 0;
    case 'p':
        o->prompt = arg;
        return 0;
    case OPT_PROMPT_FILE:
        o->prompt_file = arg;
        return 0;
    case OPT_RAW:
        o->raw = true;
        return 0;
    case OPT_WIRE:
        o->tokens = sz_cli_choice(state, "--wire", arg, wires) == 1;
        return 0;
    case OPT_ENGINE:
        o->iterative = sz_cli_choice(state, "--engine", arg, engines) == 1;
        return 0;
    case 'c':
        o->context = (uint32_t)sz_cli_int(state, "--context", arg, 1, INT32_MAX);
        return 0;
    case 'o':
        o->out = arg;
        return 0;
    case 'q':
        o->quiet = true;
        return 0;
    case OPT_JSON:
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (o->file)
            argp_error(state, "'%s' is left over: one file is taken", arg);
        o->file = arg;
        return 0;
    case ARGP_KEY_END:
        if (!o->engine.model)
            argp_error(state, "no model given: name one with -m, such as -m smollm2");
        if (!o->key)
            argp_error(state, "no key given: name a file of secret bytes with -k");
        if (!o->prompt == !o->prompt_file)
            argp_error(state, "give the prompt, which both sides must know, with -p or "
                              "--prompt-file");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {
    {&sz_argp_engine, 0, NULL, 0}, {&sz_argp_sampling, 0, NULL, 0}, {0}};
const struct argp sz_argp_hiding = {options, parse, NULL, NULL, children, NULL, NULL};

/* A line break at the end of a file is its editor's. */
static sz_status read_trimmed(const char *path, sz_buf *b) {
    SZ_TRY(sz_cli_read(path, b));
    if (b->len > 0 && b->data[b->len - 1] == '\n')
        b->len--;
    if (b->len > 0 && b->data[b->len - 1] == '\r')
        b->len--;
    return SZ_OK;
}

static sz_status read_key(const char *path, sz_seal_keys *keys) {
    sz_buf secret = {0};
    sz_status status = read_trimmed(path, &secret);
    if (status == SZ_OK) {
        status = sz_seal_keys_make(secret.data, secret.len, keys);
        if (status != SZ_OK)
            sz_fail_within(status, "%s", path);
    }
    if (secret.data)
        memset(secret.data, 0, secret.len);
    sz_buf_free(&secret);
    return status;
}

static sz_status prompt_ids(const sz_hiding_options *o, const sz_model *model, int32_t **ids,
                            size_t *n) {
    sz_dialogue d = {.raw = o->raw};
    sz_buf text = {0};
    bool in_thought;
    sz_status status = SZ_OK;
    if (o->prompt)
        sz_buf_puts(&text, o->prompt);
    else
        status = read_trimmed(o->prompt_file, &text);
    if (status == SZ_OK)
        status = sz_dialogue_add(&d, SZ_ROLE_USER, text.data ? text.data : "", text.len);
    if (status == SZ_OK)
        status = sz_dialogue_ids(&d, model, ids, n, &in_thought);
    if (status == SZ_OK && *n == 0) {
        sz_free(*ids);
        *ids = NULL;
        status = sz_fail(SZ_E_ARG, "the prompt is empty");
    }
    sz_dialogue_free(&d);
    sz_buf_free(&text);
    return status;
}

static sz_status compute_prompt(const sz_hiding_options *o, sz_hiding *h) {
    int32_t *ids = NULL;
    size_t n;
    SZ_TRY(prompt_ids(o, h->engine.model, &ids, &n));
    sz_status status = sz_session_prompt_ids(h->session, 0, ids, n);
    sz_free(ids);
    return status;
}

sz_status sz_hiding_open(const sz_hiding_options *o, sz_hiding *h) {
    *h = (sz_hiding){0};
    sz_session_config session = {.size = sizeof session, .context = o->context, .n_sequences = 1};
    sz_cover_config cover = {.sampler = h->chain, .as_tokens = o->tokens};
    cover.seed = o->sampling.seed < 0 ? 0 : (uint64_t)o->sampling.seed;
    SZ_TRY(sz_sampling_chain(&o->sampling, h->chain));
    SZ_TRY(read_key(o->key, &h->keys));
    memcpy(cover.key, h->keys.choice, sizeof cover.key);
    SZ_TRY(sz_engine_open(&o->engine, &h->engine));
    SZ_TRY(sz_session_new(h->engine.model, &session, &h->session));
    SZ_TRY(compute_prompt(o, h));
    return sz_cover_open(h->engine.rt, h->session, h->engine.model, &cover, &h->cover);
}

void sz_hiding_close(sz_hiding *h) {
    sz_progress_end(&h->progress);
    sz_cover_close(&h->cover);
    sz_session_free(h->session);
    sz_engine_close(&h->engine);
    memset(&h->keys, 0, sizeof h->keys);
}

static void show(void *user, size_t n_bits, size_t n_wanted) {
    sz_progress *p = user;
    p->total = n_wanted;
    sz_progress_update(p, n_bits);
}

sz_hide_limits sz_hiding_limits(sz_hiding *h, const char *label) {
    sz_progress_begin(&h->progress, label, " bits", 0, 0);
    return (sz_hide_limits){.progress = show, .user = &h->progress};
}

sz_status sz_hiding_write(const sz_hiding_options *o, const void *bytes, size_t n) {
    if (!o->out || strcmp(o->out, "-") == 0) {
        sz_buf b = {0};
        sz_buf_append(&b, bytes, n);
        sz_status status =
            b.failed ? sz_fail(SZ_E_NOMEM, "no memory for the output") : sz_cli_flush(&b);
        sz_buf_free(&b);
        return status;
    }
    sz_writer *w;
    SZ_TRY(sz_writer_open(o->out, &w));
    sz_status status = sz_writer_write(w, bytes, n);
    if (status != SZ_OK) {
        sz_writer_abort(w);
        return status;
    }
    return sz_writer_commit(w);
}
