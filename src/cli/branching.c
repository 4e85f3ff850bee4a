/* branching.c: `run --best-of`, `--beams` and `--branch`: their options, and what they print. */
#include "branching.h"
#include <math.h>
#include <string.h>
#include <szilard/unstable/option.h>

enum { OPT_BEST_OF = 850, OPT_BEAMS, OPT_BRANCH, OPT_LENGTH_PENALTY };

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Several answers:", 7},
    {"best-of", OPT_BEST_OF, "N", 0, "Draw N answers together and rank them by likelihood", 7},
    {"beams", OPT_BEAMS, "N", 0,
     "Search the likeliest answers with N beams, under the model's own distribution", 7},
    {"branch", OPT_BRANCH, "RULE", 0,
     "Split the answer in two wherever the model is uncertain: \"entropy above=2 most=4\", in "
     "nats, "
     "with at most so many branches; these are the default values",
     7},
    {"length-penalty", OPT_LENGTH_PENALTY, "A", 0,
     "Rank by log-likelihood / tokens^A; default: 1 with --best-of, else 0", 7},
    {0},
};

static const sz_option rule_options[] = {
    {"above", "nats of entropy", 2.0, 0.0, 100.0, false, NULL, NULL},
    {"most", "branches", 4.0, 1.0, 256.0, true, NULL, NULL},
    {0},
};

/* ---- Options --------------------------------------------------------------------------------- */

static void take_kind(struct argp_state *state, sz_branching_options *o, sz_branching_kind kind) {
    if (o->kind != SZ_BRANCHING_NONE && o->kind != kind)
        argp_error(state, "one of --best-of, --beams and --branch at a time");
    o->kind = kind;
}

static sz_status read_rule(const char *text, sz_branching *out) {
    sz_setting s, second;
    double values[SZ_OPTIONS_MAX];
    sz_status status = sz_setting_read(&text, &s);
    SZ_REQUIRE(status != SZ_END, SZ_E_ARG, "no rule is named; there is: entropy");
    SZ_TRY(status);
    SZ_REQUIRE(sz_setting_is(&s, "entropy"), SZ_E_ARG, "unknown rule '%.*s'; there is: entropy",
               (int)s.n_name, s.name);
    SZ_TRY(sz_setting_values(&s, "branch entropy", rule_options, values));
    SZ_REQUIRE(sz_setting_read(&text, &second) == SZ_END, SZ_E_ARG, "one rule at a time");
    out->above = values[0];
    out->n = (size_t)values[1];
    return SZ_OK;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    sz_branching_options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        o->length_penalty = NAN;
        return 0;
    case OPT_BEST_OF:
        take_kind(state, o, SZ_BRANCHING_BEST_OF);
        o->config.n = (size_t)sz_cli_int(state, "--best-of", arg, 1, 256);
        return 0;
    case OPT_BEAMS:
        take_kind(state, o, SZ_BRANCHING_BEAMS);
        o->config.n = (size_t)sz_cli_int(state, "--beams", arg, 1, 256);
        return 0;
    case OPT_BRANCH:
        take_kind(state, o, SZ_BRANCHING_BRANCHES);
        if (read_rule(arg, &o->config) != SZ_OK)
            argp_error(state, "--branch: %s", sz_last_error());
        return 0;
    case OPT_LENGTH_PENALTY:
        o->length_penalty = sz_cli_real(state, "--length-penalty", arg, 0, 100);
        return 0;
    case ARGP_KEY_SUCCESS:
        if (o->kind == SZ_BRANCHING_NONE && o->length_penalty == o->length_penalty)
            argp_error(state, "--length-penalty ranks what --best-of, --beams or --branch make");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp sz_argp_branching = {options, parse, NULL, NULL, NULL, NULL, NULL};

/* ---- Making them ----------------------------------------------------------------------------- */

static const char *const kind_names[] = {NULL, "best-of", "beams", "branch"};

static sz_status make(sz_talk *t, const sz_branching_options *o, const sz_buf *prompt,
                      sz_continuations *out) {
    typedef sz_status (*maker)(sz_session *, uint32_t, const sz_branching *, sz_continuations *);
    static const maker makers[] = {NULL, sz_session_best_of, sz_session_beam_search,
                                   sz_session_branch};
    sz_branching config = o->config;
    config.max_tokens = t->options->max_tokens > 0 ? (size_t)t->options->max_tokens : 0;
    config.length_penalty = o->length_penalty == o->length_penalty
                                ? o->length_penalty
                                : (double)(o->kind == SZ_BRANCHING_BEST_OF);
    SZ_TRY(sz_talk_prompt(t, prompt));
    return makers[o->kind](t->voice.session, 0, &config, out);
}

/* ---- Printing -------------------------------------------------------------------------------- */

void sz_continuation_put(sz_buf *b, const sz_talk *t, const sz_continuation *c) {
    const sz_tokenizer *tokenizer = sz_model_tokenizer(t->engine.model);
    for (size_t i = 0; i < c->n - c->ended; i++)
        sz_tokenizer_decode(tokenizer, &c->tokens[i].id, 1, false, false, b);
}

static void put_line_end(sz_buf *b) {
    if (b->len && b->data[b->len - 1] != '\n')
        sz_buf_putc(b, '\n');
}

static void put_text(sz_buf *b, const sz_talk *t, const sz_continuations *all) {
    sz_unit unit = t->options->unit;
    for (size_t i = 0; i < all->n; i++) {
        const sz_continuation *c = &all->v[i];
        double total = sz_unit_convert(c->log_probability, unit);
        sz_buf_printf(b, "%s#%zu  log-likelihood %.4f %s, %.4f per token, %zu token%s, %s",
                      i ? "\n" : "", i + 1, total, sz_unit_name(unit), total / (double)c->n, c->n,
                      c->n == 1 ? "" : "s", c->ended ? "ended" : "cut");
        if (c->parent != SIZE_MAX)
            sz_buf_printf(b, "; from #%zu after %zu", c->parent + 1, c->branched_at);
        sz_buf_putc(b, '\n');
        sz_continuation_put(b, t, c);
        put_line_end(b);
    }
}

void sz_member_put(sz_buf *b, const char *key, double v) {
    sz_buf_printf(b, ",\"%s\":", key);
    sz_json_number(b, v);
}

static void put_continuation(sz_buf *b, const sz_talk *t, const sz_continuation *c) {
    sz_buf text = {0};
    sz_continuation_put(&text, t, c);
    sz_buf_puts(b, "{\"text\":");
    sz_json_quote(b, text.data ? text.data : "", text.len);
    sz_buf_free(&text);
    sz_buf_puts(b, ",\"ids\":[");
    for (size_t i = 0; i < c->n; i++)
        sz_buf_printf(b, "%s%d", i ? "," : "", c->tokens[i].id);
    sz_buf_putc(b, ']');
    sz_member_put(b, "log_likelihood_nats", c->log_probability);
    sz_member_put(b, "per_token_nats", c->log_probability / (double)c->n);
    sz_member_put(b, "score", c->score);
    sz_buf_printf(b, ",\"tokens\":%zu,\"ended\":%s", c->n, c->ended ? "true" : "false");
    if (c->parent != SIZE_MAX)
        sz_buf_printf(b, ",\"parent\":%zu,\"branched_at\":%zu", c->parent, c->branched_at);
    sz_buf_putc(b, '}');
}

static void put_json(sz_buf *b, const sz_talk *t, sz_branching_kind kind, size_t best,
                     const sz_continuations *all) {
    sz_buf_printf(b, "{\"method\":\"%s\",\"continuations\":[", kind_names[kind]);
    for (size_t i = 0; i < all->n; i++) {
        sz_buf_puts(b, i ? "," : "");
        put_continuation(b, t, &all->v[i]);
    }
    sz_buf_printf(b, "],\"best\":%zu,\"passes\":%zu,\"computed\":%zu,\"seed\":%llu}\n", best,
                  all->n_passes, all->n_computed, (unsigned long long)t->seed);
}

static int print(const sz_talk *t, sz_branching_kind kind, const sz_continuations *all) {
    const sz_generation *o = t->options;
    sz_buf b = {0};
    size_t best = 0;
    for (size_t i = 1; i < all->n; i++)
        best = all->v[i].score > all->v[best].score ? i : best;
    if (o->json)
        put_json(&b, t, kind, best, all);
    else if (o->quiet) {
        sz_continuation_put(&b, t, &all->v[best]);
        put_line_end(&b);
    } else {
        put_text(&b, t, all);
        fprintf(stderr, "%zu answers: %zu tokens computed in %zu passes; seed %llu\n", all->n,
                all->n_computed, all->n_passes, (unsigned long long)t->seed);
    }
    return sz_cli_print(&b);
}

int sz_branch_out(sz_generation *generation, const sz_branching_options *o, const sz_buf *prompt) {
    sz_talk t = {0};
    sz_continuations all = {0};
    generation->n_sequences = 1 + (uint32_t)o->config.n;
    sz_status status = sz_talk_open(generation, false, &t);
    if (status == SZ_OK)
        status = make(&t, o, prompt, &all);
    int exit_status = status == SZ_OK ? print(&t, o->kind, &all) : sz_cli_error();
    sz_continuations_free(&all);
    sz_talk_close(&t);
    return exit_status;
}
