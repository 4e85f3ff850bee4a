/* cmd_perplexity.c: `szilard score --total`: what a text costs under a model, in one figure. */
#include "scoring.h"
#include "signals.h"
#include "term.h"
#include <string.h>
#include <szilard/unstable/num.h>

enum { OPT_ALL = 400, DEFAULT_WINDOW = 512 };

typedef struct settings {
    sz_scoring scoring;
    bool all;
} settings;

static const struct argp_option options[] = {
    {"all", OPT_ALL, NULL, 0,
     "Score every token that has a predecessor, once: windows overlap by half, so that each token "
     "sees at least half a window before it",
     0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &s->scoring;
        return 0;
    case OPT_ALL:
        s->all = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&sz_argp_scoring, 0, NULL, 0}, {0}};
const struct argp sz_argp_perplexity = {
    options,
    parse,
    "[FILE|-]",
    "Perplexity of a text with its standard error, nats per token and bits per byte. The text is "
    "cut into windows of the context's length (-c, default: 512) that know nothing of each other; "
    "of each the second half is scored, so that the figure compares with that of llama.cpp's "
    "perplexity tool. Where the file asks for begin-of-text, it takes the place of each window's "
    "first token. What is left after the last whole window is not scored; a text shorter than a "
    "window is one window."
    "\v"
    "EXAMPLES\n"
    "  szilard perplexity -m smollm2 wiki.test.raw\n"
    "  szilard perplexity -m smollm2 -c 2048 --json wiki.test.raw\n"
    "  szilard perplexity -m smollm2 -c 8192 --all essay.txt\n",
    children,
    NULL,
    NULL};

/* ---- Windows --------------------------------------------------------------------------------- */

typedef struct tally {
    size_t n;       /* tokens scored */
    uint64_t bytes; /* of their text */
    double nats, squares;
} tally;

typedef struct run {
    const settings *settings;
    sz_scorer scorer;
    size_t window, n_windows;
    int32_t *ids; /* [window] */
    tally tally;
    sz_progress progress;
} run;

/* Tokens [from, from + n) of the text; those at index >= scored of them count. */
typedef struct window {
    size_t from, n, scored;
} window;

static window window_at(const run *r, size_t i) {
    size_t n = r->window, step = n / 2;
    if (!r->settings->all)
        return (window){i * n, n, step + 1};
    size_t left = r->scorer.n - i * step;
    return (window){i * step, left < n ? left : n, i == 0 ? 1 : n - step};
}

static void count_windows(run *r) {
    size_t n = r->scorer.n, c = r->settings->scoring.context;
    r->window = c ? c : DEFAULT_WINDOW;
    r->window = r->window < n ? r->window : n;
    size_t step = r->window / 2;
    r->n_windows = r->settings->all ? 1 + (n - r->window + step - 1) / step : n / r->window;
}

static void take_row(run *r, const float *logits, const sz_logit_stats *stats, int32_t id) {
    const sz_tokenizer *t = sz_model_tokenizer(r->scorer.engine.model);
    double nats = stats->log_sum_exp - (double)logits[id];
    size_t bytes = 0;
    if (!sz_tokenizer_is_control(t, id))
        sz_tokenizer_piece(t, id, &bytes);
    r->tally.n++;
    r->tally.bytes += bytes;
    r->tally.nats += nats;
    r->tally.squares += nats * nats;
}

/* Computes the tokens of w.ids up to `end`; if `scored`, each row tells of the token after it. */
static sz_status compute(run *r, size_t from, size_t end, bool scored) {
    sz_scorer *s = &r->scorer;
    for (size_t at = from, done; at < end; at += done) {
        SZ_TRY(sz_scorer_pass(s, r->ids + at, end - at, scored ? SZ_ALL : SZ_LAST, &done));
        for (size_t row = 0; scored && row < done; row++)
            take_row(r, sz_session_logits(s->session, row), sz_session_stats(s->session, row),
                     r->ids[at + row + 1]);
    }
    return SZ_OK;
}

static sz_status take_window(run *r, window w) {
    sz_scorer *s = &r->scorer;
    memcpy(r->ids, s->ids + w.from, w.n * sizeof *r->ids);
    if (s->info.add_bos && s->info.bos >= 0 && !r->settings->scoring.ids)
        r->ids[0] = s->info.bos;
    SZ_TRY(sz_session_truncate(s->session, 0, 0));
    SZ_TRY(compute(r, 0, w.scored - 1, false));
    return compute(r, w.scored - 1, w.n - 1, true);
}

/* ---- Figures --------------------------------------------------------------------------------- */

typedef struct figures {
    double nats, nats_error; /* per token */
    double perplexity, perplexity_error;
    double bits_per_byte;
} figures;

#define NATS_PER_BIT 0.69314718055994531

static figures figures_of(const tally *t) {
    double n = (double)t->n, nats = t->nats / n;
    double variance = t->squares / n - nats * nats;
    figures f = {.nats = nats, .perplexity = sz_exp(nats)};
    f.nats_error = t->n > 1 && variance > 0 ? __builtin_sqrt(variance / (n - 1)) : 0;
    f.perplexity_error = f.perplexity * f.nats_error;
    f.bits_per_byte = t->nats / NATS_PER_BIT / (double)t->bytes; /* infinite without bytes */
    return f;
}

static sz_status take_text(run *r) {
    char label[40] = "perplexity";
    sz_progress_begin(&r->progress, label, " windows", 0, r->n_windows);
    for (size_t i = 0; i < r->n_windows; i++) {
        sz_progress_update(&r->progress, i);
        SZ_TRY(take_window(r, window_at(r, i)));
        snprintf(label, sizeof label, "perplexity %.4f", figures_of(&r->tally).perplexity);
    }
    return SZ_OK;
}

static void put_text(const run *r, sz_buf *b) {
    figures f = figures_of(&r->tally);
    sz_buf_printf(b, "perplexity   %.4f +/- %.4f\n", f.perplexity, f.perplexity_error);
    sz_buf_printf(b, "nats/token   %.5f +/- %.5f\n", f.nats, f.nats_error);
    if (r->tally.bytes)
        sz_buf_printf(b, "bits/byte    %.5f\n", f.bits_per_byte);
    sz_buf_printf(b, "tokens       %zu scored of %zu, %zu window%s of %zu%s\n", r->tally.n,
                  r->scorer.n, r->n_windows, r->n_windows == 1 ? "" : "s", r->window,
                  r->settings->all && r->n_windows > 1 ? " that overlap by half" : "");
    sz_buf_printf(b, "speed        %.1f tokens/s (%s, %d thread%s)\n", sz_scorer_rate(&r->scorer),
                  sz_runtime_isa(r->scorer.engine.rt), sz_runtime_threads(r->scorer.engine.rt),
                  sz_runtime_threads(r->scorer.engine.rt) == 1 ? "" : "s");
    sz_energy e = sz_scorer_energy(&r->scorer);
    sz_energy_put(b, "energy       ", &e, r->scorer.n_computed, r->tally.nats);
}

static void put_member(sz_buf *b, const char *key, double x) {
    sz_buf_printf(b, "\"%s\":", key);
    sz_json_number(b, x);
    sz_buf_putc(b, ',');
}

static void put_json(const run *r, sz_buf *b) {
    figures f = figures_of(&r->tally);
    sz_buf_putc(b, '{');
    put_member(b, "perplexity", f.perplexity);
    put_member(b, "perplexity_stderr", f.perplexity_error);
    put_member(b, "nats_per_token", f.nats);
    put_member(b, "nats_per_token_stderr", f.nats_error);
    put_member(b, "nats", r->tally.nats);
    put_member(b, "bits_per_byte", f.bits_per_byte);
    sz_buf_printf(b,
                  "\"tokens_scored\":%zu,\"bytes_scored\":%llu,\"tokens\":%zu,\"context\":%zu,"
                  "\"windows\":%zu,\"all\":%s,",
                  r->tally.n, (unsigned long long)r->tally.bytes, r->scorer.n, r->window,
                  r->n_windows, r->settings->all ? "true" : "false");
    put_member(b, "tokens_per_s", sz_scorer_rate(&r->scorer));
    sz_scorer_put_machine(&r->scorer, b);
    sz_energy e = sz_scorer_energy(&r->scorer);
    sz_energy_put_json(b, &e, r->scorer.n_computed, r->tally.nats);
    sz_buf_puts(b, "}\n");
}

/* ---- The command ----------------------------------------------------------------------------- */

static sz_status begin(run *r) {
    sz_scorer *s = &r->scorer;
    const settings *o = r->settings;
    SZ_TRY(sz_scorer_open(&o->scoring, s));
    SZ_REQUIRE(s->n >= (o->all ? 2 : 3), SZ_E_ARG,
               "%s: %zu token%s: no token with enough before it that could be scored",
               sz_scoring_source(&o->scoring), s->n, s->n == 1 ? "" : "s");
    count_windows(r);
    r->ids = sz_alloc(r->window * sizeof *r->ids);
    SZ_REQUIRE(r->ids, SZ_E_NOMEM, "no memory for a window of %zu tokens", r->window);
    return sz_scorer_begin(s, &o->scoring, (uint32_t)r->window);
}

int sz_run_perplexity(int argc, char **argv) {
    settings s = {0};
    sz_buf out = {0};
    sz_cli_parse(&sz_argp_perplexity, argc, argv, &s);
    run r = {.settings = &s};
    sz_status status = begin(&r);
    if (status == SZ_OK)
        status = take_text(&r);
    sz_progress_end(&r.progress);
    if (status == SZ_E_CANCELLED && r.tally.n)
        sz_cli_note("stopped at %.4f after %zu tokens", figures_of(&r.tally).perplexity, r.tally.n);
    if (status == SZ_OK && s.scoring.json)
        put_json(&r, &out);
    else if (status == SZ_OK)
        put_text(&r, &out);
    int exit_status = status == SZ_OK ? sz_cli_print(&out) : sz_cli_error();
    sz_free(r.ids);
    sz_scorer_close(&r.scorer);
    return exit_status;
}
