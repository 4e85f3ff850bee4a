/* sampling.c: --sampler, its shortcuts, and the help text made from the samplers' own tables. */
#include "sampling.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <szilard/unstable/sampler.h>

/* What llama.cpp does by default. */
#define DEFAULT_TEMPERATURE 0.8
#define DEFAULT_TOP_K       40
#define DEFAULT_TOP_P       0.95
#define DEFAULT_MIN_P       0.05

enum {
    OPT_SAMPLER = 512,
    OPT_TEMP,
    OPT_TOP_K,
    OPT_TOP_P,
    OPT_MIN_P,
    OPT_TOP_H,
    OPT_REPEAT_PENALTY,
    OPT_SEED
};

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Sampling:", 2},
    {"sampler", OPT_SAMPLER, "CHAIN", 0,
     "The samplers in their order, such as \"top-k 40, temperature 0.8\"; default: \"top-k 40, "
     "top-p 0.95, min-p 0.05, temperature 0.8\"",
     2},
    {"temp", OPT_TEMP, "T", 0, "Temperature of the default chain; 0 takes the likeliest token", 2},
    {"top-k", OPT_TOP_K, "K", 0, "Keep the K likeliest tokens; 0 keeps all", 2},
    {"top-p", OPT_TOP_P, "P", 0, "Keep the likeliest tokens with probability P; 1 keeps all", 2},
    {"min-p", OPT_MIN_P, "P", 0,
     "Keep tokens at least P times as likely as the likeliest; 0 keeps all", 2},
    {"top-h", OPT_TOP_H, "A", 0,
     "After the temperature, keep the likeliest tokens within A times the entropy; 1 keeps all", 2},
    {"repeat-penalty", OPT_REPEAT_PENALTY, "R", 0,
     "Penalise tokens among the last 64; 1, the default, is off", 2},
    {"seed", OPT_SEED, "N", 0,
     "Seed of the random numbers; the same seed gives the same text. Default: -1, a new one", 2},
    {0},
};

/* Shortcuts by name: the range of each, and where its value goes. */
static const struct shortcut {
    const char *name;
    int key;
    double min, max;
    size_t offset;
} shortcuts[] = {
    {"temp", OPT_TEMP, 0, 100, offsetof(sz_sampling, temperature)},
    {"top-k", OPT_TOP_K, 0, 1e9, offsetof(sz_sampling, top_k)},
    {"top-p", OPT_TOP_P, 0, 1, offsetof(sz_sampling, top_p)},
    {"min-p", OPT_MIN_P, 0, 1, offsetof(sz_sampling, min_p)},
    {"top-h", OPT_TOP_H, 1e-6, 1, offsetof(sz_sampling, top_h)},
    {"repeat-penalty", OPT_REPEAT_PENALTY, 0.01, 100, offsetof(sz_sampling, repeat_penalty)},
};
enum { N_SHORTCUTS = sizeof shortcuts / sizeof *shortcuts };

static double *value_at(sz_sampling *s, const struct shortcut *c) {
    return (double *)((char *)s + c->offset);
}

static bool any_shortcut(const sz_sampling *s) {
    return !isnan(s->temperature) || !isnan(s->top_k) || !isnan(s->top_p) || !isnan(s->min_p) ||
           !isnan(s->top_h) || !isnan(s->repeat_penalty);
}

sz_sampling sz_sampling_default(void) {
    return (sz_sampling){NULL, NAN, NAN, NAN, NAN, NAN, NAN, -1};
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

sz_status sz_sampling_set(sz_sampling *s, const char *name, const char *text) {
    if (strcmp(name, "seed") == 0)
        return set_seed(s, text);
    if (strcmp(name, "sampler") == 0)
        return set_chain(s, text);
    const struct shortcut *c = shortcuts;
    while (c < shortcuts + N_SHORTCUTS && strcmp(c->name, name) != 0)
        c++;
    SZ_REQUIRE(c < shortcuts + N_SHORTCUTS, SZ_E_ARG, "there is no sampler setting '%s'", name);
    char *end;
    errno = 0;
    double v = strtod(text, &end);
    SZ_REQUIRE(!errno && end != text && !*end && v >= c->min && v <= c->max, SZ_E_ARG,
               "%s is a number from %g to %g, not '%s'", name, c->min, c->max, text);
    *value_at(s, c) = v;
    return SZ_OK;
}

/* ", name value" in plain decimals, as the grammar wants them. */
static void put_stage(sz_buf *b, const char *name, double v) {
    char text[64];
    int n = snprintf(text, sizeof text, "%.9f", v);
    while (n > 0 && text[n - 1] == '0')
        n--;
    if (n > 0 && text[n - 1] == '.')
        n--;
    sz_buf_printf(b, "%s%s %.*s", b->len ? ", " : "", name, n, text);
}

static double either(double v, double fallback) {
    return isnan(v) ? fallback : v;
}

sz_status sz_sampling_chain(const sz_sampling *s, char out[SZ_CHAIN_MAX]) {
    sz_buf b = {0};
    SZ_REQUIRE(!s->chain || !any_shortcut(s), SZ_E_ARG,
               "--sampler gives the whole chain: write the other values into it");
    double temperature = either(s->temperature, DEFAULT_TEMPERATURE);
    if (s->chain) {
        sz_buf_puts(&b, s->chain);
    } else {
        if (either(s->repeat_penalty, 1) != 1)
            put_stage(&b, "penalties", s->repeat_penalty);
        if (temperature != 0 && either(s->top_k, DEFAULT_TOP_K) != 0)
            put_stage(&b, "top-k", either(s->top_k, DEFAULT_TOP_K));
        if (temperature != 0 && either(s->top_p, DEFAULT_TOP_P) != 1)
            put_stage(&b, "top-p", either(s->top_p, DEFAULT_TOP_P));
        if (temperature != 0 && either(s->min_p, DEFAULT_MIN_P) != 0)
            put_stage(&b, "min-p", either(s->min_p, DEFAULT_MIN_P));
        put_stage(&b, "temperature", temperature);
        if (temperature != 0 && either(s->top_h, 1) != 1)
            put_stage(&b, "top-h", s->top_h);
    }
    bool failed = b.failed;
    snprintf(out, SZ_CHAIN_MAX, "%s", b.data ? b.data : "");
    sz_buf_free(&b);
    SZ_REQUIRE(!failed, SZ_E_NOMEM, "out of memory for the sampler chain");
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

/* One line per sampler, and one for its options. */
static char *describe_samplers(void) {
    sz_buf b = {0};
    sz_buf_puts(&b, "Samplers, with the default values of their options:\n");
    for (const sz_sampler_kind *const *k = sz_sampler_kinds(); *k; k++) {
        sz_buf_printf(&b, "  %-12s %s\n", (*k)->name, (*k)->help);
        const char *separator = "               ";
        for (const sz_option *o = (*k)->options; o && o->name; o++) {
            sz_buf_printf(&b, "%s%s=", separator, o->name);
            if (o->words)
                sz_buf_puts(&b, o->words);
            else
                sz_buf_printf(&b, "%g", o->value);
            separator = " ";
        }
        sz_buf_puts(&b, separator[1] ? "" : "\n");
    }
    char *text = b.failed ? NULL : strdup(b.data);
    sz_buf_free(&b);
    return text;
}

static char *help(int key, const char *text, void *input) {
    return key == ARGP_KEY_HELP_EXTRA ? describe_samplers() : (char *)text;
}

const struct argp sz_argp_sampling = {options, parse, NULL, NULL, NULL, help, NULL};
