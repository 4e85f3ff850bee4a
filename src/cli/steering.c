/* steering.c: `run --steer`: the potentials that it names, and what it prints. */
#include "steering.h"
#include "branching.h"
#include "method_help.h"
#include "scorer.h"
#include "store.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_STEER = 860 };

enum { PARTICLES, ESS, RESAMPLING, REGEX, COMMAND, TIMEOUT, EVERY, MODEL, POWER };

static const sz_option rule_options[] = {
    {"particles", "texts that grow side by side", 32, 1, 1024, true, NULL, NULL},
    {"ess", "resample below this part of the particles", 0.5, 0.01, 2, false, NULL, NULL},
    {"resampling", "how", 0, 0, 3, true, "systematic|stratified|multinomial|residual", NULL},
    {"regex", "what a text must match", .text = "none"},
    {"command", "a program that reads a text per line and writes the logarithm of its score",
     .text = "none"},
    {"timeout", "seconds for a call of the command", 10, 0.01, 3600, false, NULL, NULL},
    {"every", "also score growing texts, every so many tokens; 0: complete texts only", 0, 0, 4096,
     true, NULL, NULL},
    {"model", "another model, whose probability of a text counts, too", .text = "none"},
    {"power", "of that probability", 1, -10, 10, false, NULL, NULL},
    {0},
};

static const struct argp_option options[] = {
    {"steer", OPT_STEER, "RULE", 0,
     "Texts of the whole distribution, weighted by a regular expression, a command or another "
     "model "
     "and by --regex, --grammar or --json-schema: \"smc particles=32 command=./score.sh\"; below, "
     "its options with their default values",
     7},
    {0},
};

/* ---- The rule -------------------------------------------------------------------------------- */

typedef struct rule {
    double values[SZ_OPTIONS_MAX];
    sz_buf regex, command, model; /* empty: not given */
} rule;

static void free_rule(rule *r) {
    sz_buf_free(&r->regex);
    sz_buf_free(&r->command);
    sz_buf_free(&r->model);
}

static sz_status read_texts(const sz_setting *s, rule *r) {
    sz_buf *const texts[] = {&r->regex, &r->command, &r->model};
    static const int which[] = {REGEX, COMMAND, MODEL};
    for (int i = 0; i < 3; i++) {
        const char *name = rule_options[which[i]].name;
        SZ_REQUIRE(r->values[which[i]] <= 1, SZ_E_ARG, "smc: %s is given twice", name);
        if (r->values[which[i]] == 0)
            continue;
        SZ_TRY(sz_setting_text(s, name, 0, texts[i]));
        SZ_REQUIRE(texts[i]->len > 0, SZ_E_ARG, "smc: the text of %s is empty", name);
    }
    return SZ_OK;
}

static sz_status read_rule(const char *text, rule *r) {
    sz_setting s, second;
    sz_status status = sz_setting_read(&text, &s);
    SZ_REQUIRE(status != SZ_END, SZ_E_ARG, "no method is named; there is: smc");
    SZ_TRY(status);
    SZ_REQUIRE(sz_setting_is(&s, "smc"), SZ_E_ARG, "unknown method '%.*s'; there is: smc",
               (int)s.n_name, s.name);
    SZ_REQUIRE(sz_setting_read(&text, &second) == SZ_END, SZ_E_ARG, "one method at a time");
    SZ_TRY(sz_setting_values(&s, "smc", rule_options, r->values));
    return read_texts(&s, r);
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    rule r = {0};
    if (key != OPT_STEER)
        return ARGP_ERR_UNKNOWN;
    if (read_rule(arg, &r) != SZ_OK)
        argp_error(state, "--steer: %s", sz_last_error());
    free_rule(&r);
    *(const char **)state->input = arg;
    return 0;
}

static char *help(int key, const char *text, void *input) {
    if (key != ARGP_KEY_HELP_EXTRA)
        return (char *)text;
    sz_buf b = {0};
    sz_buf_puts(&b, "The rule of --steer, with the default values of its options:\n");
    sz_help_method(&b, "smc", "sequential Monte Carlo", rule_options);
    return sz_help_text(&b);
}

const struct argp sz_argp_steering = {options, parse, NULL, NULL, NULL, help, NULL};

/* ---- Steering -------------------------------------------------------------------------------- */

typedef struct steering {
    sz_talk talk;
    rule rule;
    sz_scorer scorer;
    sz_model *other;
    sz_session *other_session;
    sz_steered texts;
    sz_buf trace; /* JSON: the effective sample size after each step */
} steering;

static void trace(void *user, const sz_smc_step *step) {
    steering *s = user;
    if (step->step > 0)
        sz_buf_putc(&s->trace, ',');
    sz_json_number(&s->trace, step->figures.ess);
}

static sz_status make_grammar(const steering *s, sz_grammar **out) {
    const sz_constraint *c = &s->talk.options->constraint;
    const sz_buf *regex = &s->rule.regex;
    SZ_REQUIRE(!c->kind || !regex->len, SZ_E_ARG,
               "--steer has a regular expression, and there is another constraint");
    return regex->len ? sz_grammar_from_regex(regex->data, regex->len, out)
                      : sz_constraint_make(c, out);
}

/* The other model gets the tokens of the prompt that the first one has. */
static sz_status open_other(steering *s, sz_steering *config) {
    char *path;
    const sz_token *records;
    size_t n = sz_voice_records(&s->talk.voice, &records);
    if (!s->rule.model.len)
        return SZ_OK;
    SZ_TRY(sz_store_find(s->rule.model.data, &path));
    sz_status status = sz_model_open(s->talk.engine.rt, path, NULL, &s->other);
    free(path);
    SZ_TRY(status);
    sz_session_config c = {.size = sizeof c,
                           .context = s->talk.options->context,
                           .n_sequences = s->talk.options->n_sequences,
                           .kv_type = s->talk.options->kv_type};
    SZ_TRY(sz_session_new(s->other, &c, &s->other_session));
    int32_t *ids = sz_alloc(n * sizeof *ids + 1);
    SZ_REQUIRE(ids, SZ_E_NOMEM, "out of memory for %zu tokens", n);
    for (size_t i = 0; i < n; i++)
        ids[i] = records[i].id;
    status = sz_session_prompt_ids(s->other_session, 0, ids, n);
    sz_free(ids);
    config->other = s->other_session;
    config->other_power = s->rule.values[POWER];
    return status;
}

static sz_status steer(steering *s, const sz_buf *prompt) {
    const double *v = s->rule.values;
    const sz_generation *o = s->talk.options;
    sz_steering config = {.n_particles = (size_t)v[PARTICLES],
                          .max_tokens = o->max_tokens > 0 ? (size_t)o->max_tokens : 0,
                          .threshold = v[ESS],
                          .scheme = (sz_resampling)v[RESAMPLING],
                          .score_every = (size_t)v[EVERY],
                          .observe = trace,
                          .observe_user = s};
    SZ_TRY(sz_talk_prompt(&s->talk, prompt));
    /* The constraint weighs: the sampler, which it would narrow, is without it. */
    SZ_TRY(sz_voice_set_sampler(&s->talk.voice, s->talk.chain, s->talk.seed));
    SZ_TRY(open_other(s, &config));
    if (s->rule.command.len) {
        s->scorer = (sz_scorer){.command = s->rule.command.data,
                                .timeout_ns = (uint64_t)(v[TIMEOUT] * 1e9)};
        config.score = sz_scorer_score;
        config.score_user = &s->scorer;
    }
    SZ_TRY(make_grammar(s, &config.grammar));
    return sz_session_steer(s->talk.voice.session, 0, &config, &s->texts);
}

/* ---- Printing -------------------------------------------------------------------------------- */

static bool same_text(const sz_continuation *a, const sz_continuation *b) {
    for (size_t i = 0; a->n == b->n && i < a->n; i++)
        if (a->tokens[i].id != b->tokens[i].id)
            return false;
    return a->n == b->n;
}

static int by_share(const void *a, const void *b, void *shares) {
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    const double *s = shares;
    return s[i] != s[j] ? (s[i] > s[j] ? -1 : 1) : (i > j) - (i < j);
}

/* Particles with the same text count as one: order [n] takes the first of each text that has a
 * weight, the largest share first. Returns how many there are. */
static size_t merge(const sz_steered *t, double *shares, uint32_t *order) {
    size_t n = 0;
    for (size_t i = 0; i < t->texts.n; i++) {
        size_t k = 0;
        while (k < n && !same_text(&t->texts.v[order[k]], &t->texts.v[i]))
            k++;
        if (t->shares[i] > 0 && k == n) {
            shares[i] = 0;
            order[n++] = (uint32_t)i;
        }
        if (t->shares[i] > 0)
            shares[order[k]] += t->shares[i];
    }
    qsort_r(order, n, sizeof *order, by_share, shares);
    return n;
}

static void put_json(sz_buf *b, const steering *s, const double *shares, const uint32_t *order,
                     size_t n) {
    const sz_smc_account *a = &s->texts.account;
    sz_buf_puts(b, "{\"method\":\"smc\",\"texts\":[");
    for (size_t k = 0; k < n; k++) {
        const sz_continuation *c = &s->texts.texts.v[order[k]];
        sz_buf text = {0};
        sz_continuation_put(&text, &s->talk, c);
        sz_buf_puts(b, k ? ",{\"text\":" : "{\"text\":");
        sz_json_quote(b, text.data ? text.data : "", text.len);
        sz_buf_free(&text);
        sz_member_put(b, "share", shares[order[k]]);
        sz_member_put(b, "log_likelihood_nats", c->log_probability);
        sz_buf_printf(b, ",\"tokens\":%zu,\"ended\":%s}", c->n, c->ended ? "true" : "false");
    }
    sz_buf_putc(b, ']');
    sz_member_put(b, "log_z_nats", a->log_evidence); /* null: Z is 0 */
    sz_member_put(b, "ess", a->figures.ess);
    sz_member_put(b, "least_ess", a->least_ess);
    sz_member_put(b, "weight_entropy_nats", a->figures.entropy);
    sz_buf_printf(b, ",\"particles\":%zu,\"steps\":%zu,\"resampled\":%zu,\"ess_trace\":[%s]",
                  s->texts.texts.n, a->n_steps, a->n_resampled, s->trace.len ? s->trace.data : "");
    sz_buf_printf(b, ",\"passes\":%zu,\"computed\":%zu,\"command_calls\":%zu,\"seed\":%llu}\n",
                  s->texts.texts.n_passes, s->texts.texts.n_computed, s->scorer.n_calls,
                  (unsigned long long)s->talk.seed);
}

static void put_text(sz_buf *b, const steering *s, const double *shares, const uint32_t *order,
                     size_t n) {
    bool quiet = s->talk.options->quiet; /* the text with the largest share alone */
    for (size_t k = 0; k < (quiet && n ? 1 : n); k++) {
        if (!quiet)
            sz_buf_printf(b, "%.6f  ", shares[order[k]]);
        sz_continuation_put(b, &s->talk, &s->texts.texts.v[order[k]]);
        sz_buf_putc(b, '\n');
    }
}

static void print_account(const steering *s) {
    const sz_smc_account *a = &s->texts.account;
    sz_unit unit = s->talk.options->unit;
    fprintf(stderr, "log Z %.4f %s, Z %.6g; effective sample size %.1f of %zu, least %.1f; ",
            sz_unit_convert(a->log_evidence, unit), sz_unit_name(unit), exp(a->log_evidence),
            a->figures.ess, s->texts.texts.n, a->least_ess);
    fprintf(stderr, "resampled %zu times in %zu steps; seed %llu\n", a->n_resampled, a->n_steps,
            (unsigned long long)s->talk.seed);
}

static int print(steering *s) {
    const sz_generation *o = s->talk.options;
    size_t n = s->texts.texts.n;
    double *shares = malloc(n * sizeof *shares);
    uint32_t *order = malloc(n * sizeof *order);
    sz_buf b = {0};
    int exit_status;
    if (!shares || !order)
        exit_status = sz_cli_fail("out of memory for %zu texts", n);
    else {
        size_t n_texts = merge(&s->texts, shares, order);
        (o->json ? put_json : put_text)(&b, s, shares, order, n_texts);
        if (!o->quiet && !o->json)
            print_account(s);
        exit_status = sz_cli_print(&b);
        if (exit_status == SZ_EXIT_OK && n_texts == 0) {
            sz_cli_note("no particle satisfies what --steer asks for: the estimate of Z is 0; "
                        "--sampler \"\" draws from the model's whole distribution");
            exit_status = SZ_EXIT_NOTHING;
        }
    }
    free(shares);
    free(order);
    return exit_status;
}

int sz_steer_out(sz_generation *generation, const char *text, const sz_buf *prompt) {
    steering s = {0};
    sz_status status = read_rule(text, &s.rule);
    generation->n_sequences = 1 + (uint32_t)s.rule.values[PARTICLES];
    if (status == SZ_OK)
        status = sz_talk_open(generation, false, &s.talk);
    if (status == SZ_OK)
        status = steer(&s, prompt);
    int exit_status = status == SZ_OK ? print(&s) : sz_cli_error();
    sz_steered_free(&s.texts);
    sz_session_free(s.other_session);
    sz_model_close(s.other);
    sz_talk_close(&s.talk);
    sz_buf_free(&s.trace);
    free_rule(&s.rule);
    return exit_status;
}
