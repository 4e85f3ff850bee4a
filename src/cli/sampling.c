/* sampling.c: --sampler, its shortcuts, and the help text made from the samplers' own tables. */
#include "sampling.h"
#include "method_help.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <szilard/unstable/sampler.h>

/* llama.cpp truncates before the temperature, transformers after it; top-H belongs behind the
 * temperature by its definition. */
static const sz_preset presets[] = {
    {"llama.cpp", "penalties, top-k, top-p, min-p, target-entropy, temperature, top-h",
     .temperature = 0.8, .top_k = 40, .top_p = 0.95, .min_p = 0.05, .top_h = NAN},
    {"hf", "penalties, target-entropy, temperature, top-h, top-k, top-p, min-p", .temperature = 1,
     .top_k = 50, .top_p = NAN, .min_p = NAN, .top_h = NAN},
    {"top-h", "penalties, target-entropy, temperature, top-h, top-k, top-p, min-p",
     .temperature = 1, .top_k = NAN, .top_p = NAN, .min_p = NAN, .top_h = 0.4},
};
enum { N_PRESETS = sizeof presets / sizeof *presets };

enum {
    OPT_SAMPLER = 512,
    OPT_ORDER,
    OPT_PRESET,
    OPT_TEMP,
    OPT_TOP_K,
    OPT_TOP_P,
    OPT_MIN_P,
    OPT_TOP_H,
    OPT_TOP_H_RULE,
    OPT_TOP_H_EXACT,
    OPT_TARGET_ENTROPY,
    OPT_REPEAT_PENALTY,
    OPT_SEED
};

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Sampling:", 2},
    {"sampler", OPT_SAMPLER, "CHAIN", 0,
     "The samplers in their order, such as \"top-k 40, temperature 0.8\"; default: \"top-k 40, "
     "top-p 0.95, min-p 0.05, temperature 0.8\"",
     2},
    {"sampler-preset", OPT_PRESET, "llama.cpp|hf|top-h", 0,
     "A known chain: llama.cpp, the default; hf: \"temperature 1, top-k 50\", in the order of "
     "transformers; top-h: \"temperature 1, top-h 0.4\"",
     2},
    {"sampler-order", OPT_ORDER, "NAMES", 0,
     "These samplers in this order, such as \"temperature, min-p\": each with the value of its "
     "shortcut, else its preset's, else its own default",
     2},
    {"temp", OPT_TEMP, "T", 0, "Temperature; 0 takes the likeliest token", 2},
    {"top-k", OPT_TOP_K, "K", 0, "Keep the K likeliest tokens; 0 or less keeps all", 2},
    {"top-p", OPT_TOP_P, "P", 0, "Keep the likeliest tokens with probability P; 1 keeps all", 2},
    {"min-p", OPT_MIN_P, "P", 0,
     "Keep tokens at least P times as likely as the likeliest; 0 keeps all", 2},
    {"top-h", OPT_TOP_H, "A", 0,
     "After the temperature, keep the likeliest tokens within A times the entropy; 1 keeps all", 2},
    {"top-h-rule", OPT_TOP_H_RULE, "paper|repo|hf", 0,
     "Whose top-H: the paper's formula, its repository, or transformers", 2},
    {"top-h-exact", OPT_TOP_H_EXACT, "K", 0,
     "For top-H, the best set among the K <= 24 likeliest tokens in place of a prefix", 2},
    {"target-entropy", OPT_TARGET_ENTROPY, "H", 0,
     "In place of a temperature, the one at which the entropy is H nats", 2},
    {"repeat-penalty", OPT_REPEAT_PENALTY, "R", 0,
     "Penalise tokens among the last 64; 1, the default, is off", 2},
    {"seed", OPT_SEED, "N", 0,
     "Seed of the random numbers; the same seed gives the same text. Default: -1, a new one", 2},
    {0},
};

/* Shortcuts by name: the range of each, and where its value goes. A value of `off` does nothing,
 * so that the stage is left out. */
static const struct shortcut {
    const char *name;
    int key;
    double min, max;
    size_t offset;
    const char *sampler;
    double off;
    const char *words; /* that stand for 0, 1, ... */
} shortcuts[] = {
    {"temp", OPT_TEMP, 0, 100, offsetof(sz_sampling, temperature), "temperature", NAN, NULL},
    {"top-k", OPT_TOP_K, -1e9, 1e9, offsetof(sz_sampling, top_k), "top-k", 0, NULL},
    {"top-p", OPT_TOP_P, 0, 1, offsetof(sz_sampling, top_p), "top-p", 1, NULL},
    {"min-p", OPT_MIN_P, 0, 1, offsetof(sz_sampling, min_p), "min-p", 0, NULL},
    {"top-h", OPT_TOP_H, 1e-6, 1, offsetof(sz_sampling, top_h), "top-h", 1, NULL},
    {"top-h-rule", OPT_TOP_H_RULE, 0, 2, offsetof(sz_sampling, top_h_rule), NULL, NAN,
     "paper|repo|hf"},
    {"top-h-exact", OPT_TOP_H_EXACT, 0, 24, offsetof(sz_sampling, top_h_exact), NULL, NAN, NULL},
    {"target-entropy", OPT_TARGET_ENTROPY, 0, 100, offsetof(sz_sampling, target_entropy),
     "target-entropy", NAN, NULL},
    {"repeat-penalty", OPT_REPEAT_PENALTY, 0.01, 100, offsetof(sz_sampling, repeat_penalty),
     "penalties", 1, NULL},
};
enum { N_SHORTCUTS = sizeof shortcuts / sizeof *shortcuts };

static double value_of(const sz_sampling *s, const struct shortcut *c) {
    return *(const double *)((const char *)s + c->offset);
}

static bool any_shortcut(const sz_sampling *s) {
    for (size_t i = 0; i < N_SHORTCUTS; i++)
        if (!isnan(value_of(s, &shortcuts[i])))
            return true;
    return false;
}

sz_sampling sz_sampling_default(void) {
    sz_sampling s = {.seed = -1};
    for (size_t i = 0; i < N_SHORTCUTS; i++)
        *(double *)((char *)&s + shortcuts[i].offset) = NAN;
    return s;
}

uint64_t sz_random_seed(void) {
    uint32_t seed;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed = (uint32_t)sz_time_ns();
    return seed;
}

static sz_status set_seed(sz_sampling *s, const char *text) {
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 0);
    SZ_REQUIRE(!errno && end != text && !*end && v >= -1, SZ_E_ARG,
               "the seed is a whole number from 0, or -1 for a new one, not '%s'", text);
    s->seed = v;
    return SZ_OK;
}

static sz_status set_chain(sz_sampling *s, const char *text) {
    sz_chain *chain;
    SZ_REQUIRE(strlen(text) < SZ_CHAIN_MAX, SZ_E_ARG, "the sampler chain has more than %d bytes",
               SZ_CHAIN_MAX - 1);
    SZ_TRY(sz_chain_parse(text, &chain));
    sz_chain_free(chain);
    s->chain = text;
    return SZ_OK;
}

static sz_status set_preset(sz_sampling *s, const char *text) {
    for (size_t i = 0; i < N_PRESETS; i++)
        if (strcmp(presets[i].name, text) == 0) {
            s->preset = &presets[i];
            return SZ_OK;
        }
    return sz_fail(SZ_E_ARG, "the preset is one of llama.cpp, hf, top-h, not '%s'", text);
}

/* Names as llama.cpp spells them are understood: "top_k;typ_p;temp". */
static void spell(const char *text, sz_buf *b) {
    static const char *const others[][2] = {{"typ-p", "typical"}, {"temp", "temperature"}};
    while (*text) {
        size_t n = strcspn(text, " ,;");
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)n, text);
        for (char *at = name; *at; at++)
            *at = *at == '_' ? '-' : *at;
        for (size_t i = 0; i < 2; i++)
            if (strcmp(name, others[i][0]) == 0)
                snprintf(name, sizeof name, "%s", others[i][1]);
        sz_buf_puts(b, name);
        for (text += n; *text && strchr(" ,;", *text); text++)
            sz_buf_putc(b, *text == ';' ? ',' : *text);
    }
}

static sz_status set_order(sz_sampling *s, const char *text) {
    sz_chain *chain; /* names alone are a chain, of default values */
    sz_buf b = {0};
    sz_setting setting;
    spell(text, &b);
    bool fits = !b.failed && b.len > 0 && b.len < SZ_ORDER_MAX;
    char order[SZ_ORDER_MAX];
    snprintf(order, sizeof order, "%s", fits ? b.data : "");
    sz_buf_free(&b);
    SZ_REQUIRE(fits, SZ_E_ARG, "the order has no names, or more than %d bytes", SZ_ORDER_MAX - 1);
    SZ_TRY(sz_chain_parse(order, &chain));
    sz_chain_free(chain);
    const char *rest = order;
    while (sz_setting_read(&rest, &setting) == SZ_OK)
        SZ_REQUIRE(setting.n_words == 0, SZ_E_ARG, "the order has names of samplers only, not '%s'",
                   text);
    snprintf(s->order, sizeof s->order, "%s", order);
    return SZ_OK;
}

static sz_status set_shortcut(sz_sampling *s, const struct shortcut *c, const char *text) {
    const sz_option option[] = {{.name = c->name, .max = c->max, .words = c->words}, {0}};
    const sz_setting setting = {.words = text, .n_words = strlen(text)};
    double v = 0, values[SZ_OPTIONS_MAX];
    if (c->words) {
        SZ_TRY(sz_setting_values(&setting, "sampler top-h", option, values));
        v = values[0];
    } else {
        char *end;
        errno = 0;
        v = strtod(text, &end);
        SZ_REQUIRE(!errno && end != text && !*end && v >= c->min && v <= c->max, SZ_E_ARG,
                   "%s is a number from %g to %g, not '%s'", c->name, c->min, c->max, text);
    }
    *(double *)((char *)s + c->offset) = v;
    return SZ_OK;
}

sz_status sz_sampling_set(sz_sampling *s, const char *name, const char *text) {
    if (strcmp(name, "seed") == 0)
        return set_seed(s, text);
    if (strcmp(name, "sampler") == 0)
        return set_chain(s, text);
    if (strcmp(name, "sampler-order") == 0)
        return set_order(s, text);
    if (strcmp(name, "sampler-preset") == 0)
        return set_preset(s, text);
    for (const struct shortcut *c = shortcuts; c < shortcuts + N_SHORTCUTS; c++)
        if (strcmp(c->name, name) == 0)
            return set_shortcut(s, c, text);
    return sz_fail(SZ_E_ARG, "there is no sampler setting '%s'", name);
}
/* Plain decimals, as the grammar wants them. */
static void put_value(sz_buf *b, const char *before, double v) {
    char text[64];
    int n = snprintf(text, sizeof text, "%.9f", v);
    while (n > 0 && text[n - 1] == '0')
        n--;
    if (n > 0 && text[n - 1] == '.')
        n--;
    sz_buf_printf(b, "%s%.*s", before, n, text);
}

static double either(double v, double fallback) {
    return isnan(v) ? fallback : v;
}

static double preset_value(const sz_preset *p, const char *sampler) {
    const struct {
        const char *sampler;
        double v;
    } values[] = {{"temperature", p->temperature},
                  {"top-k", p->top_k},
                  {"top-p", p->top_p},
                  {"min-p", p->min_p},
                  {"top-h", p->top_h}};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strcmp(values[i].sampler, sampler) == 0)
            return values[i].v;
    return NAN;
}

static const struct shortcut *shortcut_of(const char *sampler) {
    for (size_t i = 0; i < N_SHORTCUTS; i++)
        if (shortcuts[i].sampler && strcmp(shortcuts[i].sampler, sampler) == 0)
            return &shortcuts[i];
    return NULL;
}

/* Nothing but the likeliest token is left, so that truncation has nothing to do. */
static bool is_greedy(const sz_sampling *s, const sz_preset *p) {
    return isnan(s->target_entropy) && either(s->temperature, p->temperature) == 0;
}

static const char *const rules[] = {"paper", "repo", "hf"};

static void put_stage(sz_buf *b, const sz_sampling *s, const sz_preset *p, const char *name) {
    const struct shortcut *c = shortcut_of(name);
    bool temperature = strcmp(name, "temperature") == 0, top_h = strcmp(name, "top-h") == 0;
    double v = either(c ? value_of(s, c) : NAN, preset_value(p, name));
    if (temperature && isnan(s->temperature) && !isnan(s->target_entropy))
        return; /* which takes its place */
    if (top_h && isnan(v) && !(isnan(s->top_h_rule) && isnan(s->top_h_exact)))
        v = 0.4;
    if ((isnan(v) && !s->order[0]) || (c && v == c->off))
        return;
    if (c && is_greedy(s, p) && !temperature && strcmp(name, "penalties") != 0)
        return;
    sz_buf_printf(b, "%s%s", b->len ? ", " : "", name);
    if (!isnan(v))
        put_value(b, " ", v);
    if (top_h && !isnan(s->top_h_rule))
        sz_buf_printf(b, " rule=%s", rules[(size_t)s->top_h_rule]);
    if (top_h && !isnan(s->top_h_exact))
        put_value(b, " exact=", s->top_h_exact);
}

/* Every shortcut that is given must have its place in the order. */
static sz_status check_order(const sz_sampling *s) {
    for (size_t i = 0; s->order[0] && i < N_SHORTCUTS; i++) {
        const struct shortcut *c = &shortcuts[i];
        const char *rest = s->order, *sampler = c->sampler ? c->sampler : "top-h";
        sz_setting setting;
        bool named = isnan(value_of(s, c));
        while (!named && sz_setting_read(&rest, &setting) == SZ_OK)
            named = sz_setting_is(&setting, sampler);
        SZ_REQUIRE(named, SZ_E_ARG, "--%s is given, but %s is not in --sampler-order", c->name,
                   sampler);
    }
    return SZ_OK;
}

sz_status sz_sampling_chain(const sz_sampling *s, char out[SZ_CHAIN_MAX]) {
    const sz_preset *p = s->preset ? s->preset : &presets[0];
    const char *rest = s->order[0] ? s->order : p->order;
    sz_buf b = {0};
    sz_setting setting;
    SZ_REQUIRE(!s->chain || !(any_shortcut(s) || s->order[0] || s->preset), SZ_E_ARG,
               "--sampler gives the whole chain: write the other values into it");
    SZ_TRY(check_order(s));
    if (s->chain)
        sz_buf_puts(&b, s->chain);
    while (!s->chain && sz_setting_read(&rest, &setting) == SZ_OK) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)setting.n_name, setting.name);
        put_stage(&b, s, p, name);
    }
    bool failed = b.failed, fits = b.len < SZ_CHAIN_MAX;
    snprintf(out, SZ_CHAIN_MAX, "%s", b.data ? b.data : "");
    sz_buf_free(&b);
    SZ_REQUIRE(!failed, SZ_E_NOMEM, "out of memory for the sampler chain");
    SZ_REQUIRE(fits, SZ_E_ARG, "the sampler chain has more than %d bytes", SZ_CHAIN_MAX - 1);
    return SZ_OK;
}

static void set_or_end(struct argp_state *state, sz_sampling *s, const char *name,
                       const char *arg) {
    if (sz_sampling_set(s, name, arg) != SZ_OK)
        argp_error(state, "--%s: %s", name, sz_last_error());
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    sz_sampling *s = state->input;
    char chain[SZ_CHAIN_MAX];
    switch (key) {
    case ARGP_KEY_INIT:
        *s = sz_sampling_default();
        return 0;
    case OPT_SAMPLER:
        set_or_end(state, s, "sampler", arg);
        return 0;
    case OPT_ORDER:
        set_or_end(state, s, "sampler-order", arg);
        return 0;
    case OPT_PRESET:
        set_or_end(state, s, "sampler-preset", arg);
        return 0;
    case OPT_SEED:
        set_or_end(state, s, "seed", arg);
        return 0;
    case ARGP_KEY_SUCCESS:
        if (sz_sampling_chain(s, chain) != SZ_OK)
            argp_error(state, "%s", sz_last_error());
        return 0;
    }
    for (int i = 0; i < N_SHORTCUTS; i++) {
        if (shortcuts[i].key != key)
            continue;
        set_or_end(state, s, shortcuts[i].name, arg);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static char *describe_samplers(void) {
    sz_buf b = {0};
    sz_buf_puts(&b, "Samplers, with the default values of their options:\n");
    for (const sz_sampler_kind *const *k = sz_sampler_kinds(); *k; k++)
        sz_help_method(&b, (*k)->name, (*k)->help, (*k)->options);
    return sz_help_text(&b);
}

static char *help(int key, const char *text, void *input) {
    return key == ARGP_KEY_HELP_EXTRA ? describe_samplers() : (char *)text;
}

const struct argp sz_argp_sampling = {options, parse, NULL, NULL, NULL, help, NULL};
