/* cmd_score.c: `szilard score`: the record of every token of a text, its logits, or their hash. */
#include "record.h"
#include "scoring.h"
#include "signals.h"
#include "term.h"
#include <string.h>
#include <szilard/unstable/npy.h>
#include <unistd.h>

enum { OPT_TOP = 400, OPT_LOGITS, OPT_HASH };

typedef struct settings {
    sz_scoring scoring;
    size_t top;
    const char *logits;
    bool hash;
} settings;

static const struct argp_option options[] = {
    {"top", OPT_TOP, "K", 0, "With the K likeliest tokens and their log-probabilities", 0},
    {"logits", OPT_LOGITS, "OUT.npy", 0,
     "Write the logits after each token, float32 [tokens, vocabulary]", 0},
    {"hash", OPT_HASH, NULL, 0,
     "Print, in place of records, the SHA-256 of all logits; with --json also the speed, and which "
     "instruction set's kernels ran",
     0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &s->scoring;
        return 0;
    case OPT_TOP:
        s->top = (size_t)sz_cli_int(state, "--top", arg, 0, INT32_MAX);
        return 0;
    case OPT_LOGITS:
        if (!arg[0])
            argp_error(state, "--logits: the name of the file is empty");
        s->logits = arg;
        return 0;
    case OPT_HASH:
        s->hash = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&sz_argp_scoring, 0, NULL, 0}, {0}};
const struct argp sz_argp_score = {
    options,
    parse,
    "[FILE|-]",
    "Prints one line of JSON per token of a text: what the token told (surprisal), and entropy and "
    "varentropy of the distribution that it was drawn from, in nats: the model's own, at "
    "temperature 1, over the whole vocabulary. The first token has no predecessor: its figures are "
    "null. The last line, with \"next\":true, is about the distribution after the text. "
    "Begin-of-text is added where the file asks for it, and counts. 'szilard score --total' gives "
    "one figure for the whole text: see 'szilard perplexity --help'."
    "\v"
    "EXAMPLES\n"
    "  echo 'Entropy is a measure' | szilard score -m smollm2 --top 3\n"
    "  szilard score -m smollm2 essay.txt | jq -s 'map(.surprisal_nats) | add'\n"
    "  szilard score -m smollm2 --ids --logits out.npy ids.json > records.jsonl\n"
    "  szilard score -m smollm2 --hash --json essay.txt\n",
    children,
    NULL,
    NULL};

/* ---- One run --------------------------------------------------------------------------------- */

typedef struct run {
    const settings *settings;
    sz_scorer scorer;
    sz_writer *logits; /* NULL: none wanted */
    sz_sha256 hash;
    int32_t *top; /* [n_top] */
    size_t n_top;
    sz_buf out;
    sz_progress progress;
} run;

static void put_record(run *r, size_t pos, const sz_distribution *d) {
    int32_t id = pos < r->scorer.n ? r->scorer.ids[pos] : -1;
    sz_record_put(&r->out, sz_model_tokenizer(r->scorer.engine.model), pos, id, d);
}

/* The logits after token `pos`, row `row` of the latest pass. */
static sz_status take_row(run *r, size_t pos, size_t row) {
    const sz_session *session = r->scorer.session;
    size_t n_vocab = r->scorer.info.n_vocab;
    sz_distribution d = {.logits = sz_session_logits(session, row),
                         .stats = sz_session_stats(session, row),
                         .top = r->top};
    if (r->logits)
        SZ_TRY(sz_writer_write(r->logits, d.logits, n_vocab * sizeof *d.logits));
    if (r->settings->hash) {
        sz_sha256_update(&r->hash, d.logits, n_vocab * sizeof *d.logits);
        return SZ_OK;
    }
    d.n_top = sz_logits_top(d.logits, n_vocab, r->n_top, r->top);
    put_record(r, pos + 1, &d);
    return SZ_OK;
}

static sz_status take_text(run *r) {
    sz_scorer *s = &r->scorer;
    if (!r->settings->hash)
        put_record(r, 0, &(sz_distribution){0});
    for (size_t at = 0, done; at < s->n; at += done) {
        SZ_TRY(sz_scorer_pass(s, s->ids + at, s->n - at, SZ_ALL, &done));
        for (size_t row = 0; row < done; row++)
            SZ_TRY(take_row(r, at + row, row));
        SZ_TRY(sz_cli_flush(&r->out));
        sz_progress_update(&r->progress, at + done);
    }
    return SZ_OK;
}

static sz_status check_length(const run *r) {
    const sz_scorer *s = &r->scorer;
    uint32_t context = sz_session_context(s->session);
    const char *source = sz_scoring_source(&r->settings->scoring);
    SZ_REQUIRE(s->n <= context, SZ_E_LIMIT,
               "%s: %zu tokens do not fit into the context of %u (the file allows %u): "
               "give a longer one with -c %zu, or use 'szilard perplexity', which reads long texts "
               "in windows",
               source, s->n, context, s->info.n_ctx_train, s->n);
    return SZ_OK;
}

static sz_status begin(run *r) {
    const settings *o = r->settings;
    sz_scorer *s = &r->scorer;
    SZ_TRY(sz_scorer_open(&o->scoring, s));
    SZ_TRY(sz_scorer_begin(s, &o->scoring, o->scoring.context));
    SZ_TRY(check_length(r));
    r->n_top = o->top < s->info.n_vocab ? o->top : s->info.n_vocab;
    r->top = sz_alloc((r->n_top + 1) * sizeof *r->top);
    SZ_REQUIRE(r->top, SZ_E_NOMEM, "no memory for the %zu likeliest tokens", r->n_top);
    sz_sha256_init(&r->hash);
    if (o->logits) {
        SZ_TRY(sz_writer_open(o->logits, &r->logits));
        SZ_TRY(sz_npy_header(r->logits, "<f4", (uint64_t[]){s->n, s->info.n_vocab}, 2));
    }
    sz_progress_begin(&r->progress, "scoring", " tokens", 0, s->n);
    if (!o->hash && isatty(STDOUT_FILENO)) /* the records show it */
        r->progress.terminal = false;
    return SZ_OK;
}

static void put_hash(run *r) {
    uint8_t digest[32];
    char hex[65];
    const sz_scorer *s = &r->scorer;
    sz_sha256_final(&r->hash, digest);
    sz_hex(digest, sizeof digest, hex);
    if (!r->settings->scoring.json) {
        sz_buf_printf(&r->out, "%s\n", hex);
        return;
    }
    sz_buf_printf(&r->out, "{\"sha256\":\"%s\",\"tokens\":%zu,\"vocabulary\":%u,", hex, s->n,
                  s->info.n_vocab);
    sz_scorer_put_machine(s, &r->out);
    sz_buf_puts(&r->out, ",\"tokens_per_s\":");
    sz_json_number(&r->out, sz_scorer_rate(s));
    sz_buf_puts(&r->out, "}\n");
}

static sz_status finish(run *r) {
    sz_writer *w = r->logits;
    r->logits = NULL;
    if (w)
        SZ_TRY(sz_writer_commit(w));
    if (r->settings->hash)
        put_hash(r);
    return sz_cli_flush(&r->out);
}

int sz_run_score(int argc, char **argv) {
    settings s = {0};
    sz_cli_parse(&sz_argp_score, argc, argv, &s);
    run r = {.settings = &s};
    sz_catch_broken_pipe();
    sz_status status = begin(&r);
    if (status == SZ_OK)
        status = take_text(&r);
    sz_progress_end(&r.progress);
    if (status == SZ_OK)
        status = finish(&r);
    int exit_status = status == SZ_OK ? SZ_EXIT_OK : sz_cli_error();
    sz_writer_abort(r.logits);
    sz_free(r.top);
    sz_buf_free(&r.out);
    sz_scorer_close(&r.scorer);
    return exit_status;
}
