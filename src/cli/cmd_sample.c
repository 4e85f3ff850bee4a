/* cmd_sample.c: `szilard sample`: tokens drawn from a file of logits, without a model. */
#include "record.h"
#include "sampling.h"
#include "stages.h"
#include "table.h"
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/num.h>
#include <szilard/unstable/sampler.h>

enum { OPT_LOGITS = 256, OPT_KEPT, OPT_EXPLAIN, OPT_UNIT, OPT_JSON };

typedef struct settings {
    sz_sampling sampling;
    const char *file;
    int64_t n_draws, n_kept;
    bool explain, json;
    sz_unit unit;
} settings;

static const struct argp_option options[] = {
    {"logits", OPT_LOGITS, "FILE", 0,
     "Rows of logits, [n, vocab] or one row [vocab]: .npy of float32, or a table as text, CSV or "
     "JSON",
     0},
    {"draws", 'n', "N", 0, "Draw N texts through all the rows; default: 1", 0},
    {"kept", OPT_KEPT, "K", 0, "Show the K likeliest of the tokens that were kept", 0},
    {"explain", OPT_EXPLAIN, NULL, 0, "Show what each sampler of the chain did", 0},
    {"unit", OPT_UNIT, "nat|bit|hartley", 0, "Unit of information; default: nat", 0},
    {"json", OPT_JSON, NULL, 0, "Print JSON Lines, one for each token drawn, in nats", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    settings *s = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &s->sampling;
        return 0;
    case OPT_LOGITS:
        s->file = arg;
        return 0;
    case 'n':
        s->n_draws = sz_cli_int(state, "--draws", arg, 0, INT32_MAX);
        return 0;
    case OPT_KEPT:
        s->n_kept = sz_cli_int(state, "--kept", arg, 1, INT32_MAX);
        return 0;
    case OPT_EXPLAIN:
        s->explain = true;
        return 0;
    case OPT_UNIT:
        s->unit = (sz_unit)sz_cli_choice(state, "--unit", arg, sz_unit_choices);
        return 0;
    case OPT_JSON:
        s->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (s->file)
            argp_error(state, "'%s' is left over: the logits come from %s", arg, s->file);
        s->file = arg;
        return 0;
    case ARGP_KEY_END:
        if (!s->file)
            argp_error(state, "no logits given: szilard sample --logits FILE.npy");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&sz_argp_sampling, 0, NULL, 0}, {0}};
const struct argp sz_argp_sample = {
    options,
    parse,
    "--logits FILE",
    "Draws a token from each row of a file of logits, as a model's text would be drawn: the rows "
    "are the positions of one text, and samplers with a memory see what was drawn before. Shows "
    "the id, how many tokens were kept, their probability, the entropy of the row and of what was "
    "drawn from, and the surprisal of the token under both."
    "\v"
    "EXAMPLES\n"
    "  szilard sample --logits logits.npy --sampler \"temperature 1.5, top-h 0.4\" --seed 1\n"
    "  szilard sample --logits logits.npy --top-p 0.9 --temp 1 --explain\n"
    "  szilard sample --logits logits.npy --sampler \"min-p 0.1\" -n 1000 --json | jq .id\n",
    children,
    NULL,
    NULL};

/* ---- The rows -------------------------------------------------------------------------------- */

typedef struct work {
    const settings *s;
    sz_runtime *rt;
    size_t rows, n_vocab;
    float *logits; /* [rows][n_vocab] */
    sz_logit_stats *stats;
    sz_chain *chain; /* as every text begins */
    sz_candidates c;
    sz_token *text; /* [rows] */
    uint64_t seed;
    sz_buf out;
} work;

static sz_status read_rows(work *w) {
    sz_table t;
    SZ_TRY(sz_table_read(w->s->file, &t));
    for (size_t j = 0; j < t.columns; j++)
        if (t.column[j].labels) {
            sz_table_free(&t);
            return sz_fail(SZ_E_FORMAT, "%s: column %zu holds words, not logits", w->s->file,
                           j + 1);
        }
    w->rows = t.vector ? 1 : t.rows;
    w->n_vocab = t.vector ? t.rows : t.columns;
    size_t cells = w->rows * w->n_vocab;
    w->logits = sz_alloc(cells * sizeof *w->logits);
    for (size_t i = 0; w->logits && i < cells; i++)
        w->logits[i] = (float)t.v[i];
    sz_table_free(&t);
    SZ_REQUIRE(w->logits, SZ_E_NOMEM, "no memory for %zu logits", cells);
    SZ_REQUIRE(w->n_vocab > 0 && w->n_vocab <= INT32_MAX, SZ_E_ARG, "%s: rows of %zu logits",
               w->s->file, w->n_vocab);
    return SZ_OK;
}

static sz_status measure_rows(work *w) {
    w->stats = sz_alloc(w->rows * sizeof *w->stats);
    w->text = sz_alloc(w->rows * sizeof *w->text);
    SZ_REQUIRE(w->stats && w->text, SZ_E_NOMEM, "no memory for %zu rows", w->rows);
    for (size_t i = 0; i < w->rows; i++) {
        sz_status status =
            sz_logits_measure(w->rt, w->logits + i * w->n_vocab, w->n_vocab, 1.0f, &w->stats[i]);
        if (status != SZ_OK)
            return sz_fail_within(status, "%s: row %zu", w->s->file, i);
    }
    return SZ_OK;
}

static sz_status begin(work *w) {
    const sz_sampling *o = &w->s->sampling;
    char chain[SZ_CHAIN_MAX];
    SZ_TRY(sz_runtime_new(&(sz_runtime_config){.n_threads = 1}, &w->rt));
    SZ_TRY(read_rows(w));
    SZ_TRY(measure_rows(w));
    SZ_TRY(sz_sampling_chain(o, chain));
    SZ_TRY(sz_chain_parse(chain, &w->chain));
    sz_chain_set_explained(w->chain, w->s->explain);
    w->seed = o->seed >= 0 ? (uint64_t)o->seed : sz_random_seed();
    if (o->seed < 0)
        sz_cli_note("seed %llu", (unsigned long long)w->seed);
    return sz_candidates_new(w->rt, w->n_vocab, &w->c);
}

static void end(work *w) {
    sz_candidates_free(&w->c);
    sz_chain_free(w->chain);
    sz_free(w->logits);
    sz_free(w->stats);
    sz_free(w->text);
    sz_buf_free(&w->out);
    sz_runtime_free(w->rt);
}

/* ---- Output ---------------------------------------------------------------------------------- */

/* The likeliest of what was kept: separator, id, probability. */
static sz_status put_kept(work *w, sz_buf *b, const char *format) {
    size_t n = (size_t)w->s->n_kept < w->c.n ? (size_t)w->s->n_kept : w->c.n;
    int32_t *top = sz_alloc(n * sizeof *top);
    sz_logit_stats drawn;
    SZ_REQUIRE(top, SZ_E_NOMEM, "no memory for %zu tokens", n);
    sz_status status = sz_logits_measure(w->rt, w->c.logit, w->c.n, 1.0f, &drawn);
    sz_logits_top(w->c.logit, w->c.n, n, top);
    for (size_t i = 0; i < n && status == SZ_OK; i++)
        sz_buf_printf(b, format, i ? "," : "", w->c.id[top[i]],
                      sz_exp((double)w->c.logit[top[i]] - drawn.log_sum_exp));
    sz_free(top);
    return status;
}

static sz_status put_json(work *w, size_t draw, size_t row) {
    sz_buf *b = &w->out;
    const sz_token *t = &w->text[row];
    sz_buf_printf(b, "{\"draw\":%zu,\"row\":%zu,\"id\":%d", draw, row, t->id);
    sz_record_put_figures(b, t);
    if (w->s->explain)
        sz_stages_put_json(b, w->chain);
    if (w->s->n_kept) {
        sz_buf_puts(b, ",\"kept\":[");
        SZ_TRY(put_kept(w, b, "%s[%d,%.9g]"));
        sz_buf_puts(b, "]");
    }
    sz_buf_puts(b, "}\n");
    return SZ_OK;
}

static sz_status put_text(work *w, size_t row) {
    const sz_token *t = &w->text[row];
    sz_unit unit = w->s->unit;
    sz_buf_printf(&w->out, "%6zu %7d %7u %8.6f %9.4f %12.4f %9.4f %14.4f\n", row, t->id, t->kept_n,
                  (double)t->kept_mass, sz_unit_convert((double)t->entropy, unit),
                  sz_unit_convert((double)t->draw_entropy, unit),
                  sz_unit_convert((double)t->surprisal, unit),
                  sz_unit_convert((double)t->draw_surprisal, unit));
    if (w->s->explain)
        sz_stages_put(&w->out, w->chain, w->n_vocab, unit, "       ");
    if (w->s->n_kept) {
        sz_buf_puts(&w->out, "        kept ");
        SZ_TRY(put_kept(w, &w->out, "%s %d %.6f"));
        sz_buf_putc(&w->out, '\n');
    }
    return SZ_OK;
}

/* ---- Drawing --------------------------------------------------------------------------------- */

static sz_status draw_row(work *w, sz_chain *chain, size_t draw, size_t row) {
    sz_sampler_input input = {.history = w->text,
                              .n_history = row,
                              .stats = &w->stats[row],
                              .logits = w->logits + row * w->n_vocab,
                              .seed = w->seed,
                              .stream = draw};
    sz_token *t = &w->text[row];
    sz_status status = sz_chain_draw(chain, &input, w->n_vocab, &w->c, t);
    if (status != SZ_OK)
        return sz_fail_within(status, "%s: row %zu", w->s->file, row);
    sz_chain_accept(chain, t);
    return SZ_OK;
}

/* One text through all the rows, with samplers that begin anew. */
static sz_status draw_text(work *w, size_t draw) {
    sz_chain *fresh = w->chain;
    SZ_TRY(sz_chain_clone(fresh, &w->chain));
    sz_status status = SZ_OK;
    for (size_t row = 0; row < w->rows && status == SZ_OK; row++) {
        status = draw_row(w, w->chain, draw, row);
        if (status == SZ_OK)
            status = w->s->json ? put_json(w, draw, row) : put_text(w, row);
        if (status == SZ_OK && w->out.len > 1 << 16)
            status = sz_cli_flush(&w->out);
    }
    sz_chain_free(w->chain);
    w->chain = fresh;
    return status;
}

static sz_status draw_all(work *w) {
    if (!w->s->json && w->s->n_draws > 0)
        sz_buf_printf(&w->out, "%6s %7s %7s %8s %9s %12s %9s %14s  (%s)\n", "row", "id", "kept",
                      "mass", "entropy", "draw_entropy", "surprisal", "draw_surprisal",
                      sz_unit_name(w->s->unit));
    for (size_t draw = 0; draw < (size_t)w->s->n_draws; draw++)
        SZ_TRY(draw_text(w, draw));
    return sz_cli_flush(&w->out);
}

int sz_run_sample(int argc, char **argv) {
    settings s = {.n_draws = 1};
    sz_cli_parse(&sz_argp_sample, argc, argv, &s);
    work w = {.s = &s};
    sz_status status = begin(&w);
    if (status == SZ_OK)
        status = draw_all(&w);
    end(&w);
    return status == SZ_OK ? SZ_EXIT_OK : sz_cli_error();
}
