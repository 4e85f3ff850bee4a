/* sampler_dry.c: "don't repeat yourself": a token that would lengthen a repetition of the
 * sequence's end is penalised, exponentially in the length. With L the length of the longest
 * earlier match that the token would continue, its logit falls by multiplier * base^(L - allowed)
 * where L >= allowed. Matches do not cross a breaker: a text, such as a line break, that stands in
 * one token or in several. */
#include <string.h>
#include <szilard/unstable/num.h>

#include "sampler.h"

enum { MOST_BREAKERS = 16, LONGEST_BREAKER = 40 };

typedef struct breaker {
    char bytes[LONGEST_BREAKER];
    size_t n;
} breaker;

typedef struct dry {
    double multiplier, base, allowed, last;
    breaker breakers[MOST_BREAKERS];
    size_t n_breakers;
} dry;

static const sz_option options[] = {
    {"multiplier", "strength; 0 is off", .value = 0.8, .max = 100},
    {"base", "growth with each further token", .value = 1.75, .min = 1, .max = 8},
    {"allowed", "length of a repetition from which it is penalised", .value = 2, .min = 1,
     .max = 1000, .whole = true},
    {"last", "tokens looked back at; 0: all", .max = 1e9, .whole = true},
    {"breaker", "a text that no repetition crosses; \"\" alone: none",
     .text = "\"\\n\" \":\" \"\\\"\" \"*\""},
    {0},
};

static sz_status add_breaker(dry *d, const char *bytes, size_t n) {
    if (n == 0)
        return SZ_OK;
    SZ_REQUIRE(n <= LONGEST_BREAKER, SZ_E_ARG, "sampler dry: a breaker of %zu bytes; at most %d", n,
               LONGEST_BREAKER);
    SZ_REQUIRE(d->n_breakers < MOST_BREAKERS, SZ_E_ARG, "sampler dry: more than %d breakers",
               MOST_BREAKERS);
    breaker *b = &d->breakers[d->n_breakers++];
    memcpy(b->bytes, bytes, n);
    b->n = n;
    return SZ_OK;
}

static sz_status begin(void *state, const double *v, const sz_setting *words) {
    static const char *const usual[] = {"\n", ":", "\"", "*"};
    dry *d = state;
    *d = (dry){.multiplier = v[0], .base = v[1], .allowed = v[2], .last = v[3]};
    for (size_t i = 0; (v[4] == 0 || !words) && i < sizeof usual / sizeof *usual; i++)
        SZ_TRY(add_breaker(d, usual[i], 1));
    for (size_t i = 0; words && i < (size_t)v[4]; i++) {
        sz_buf text = {0};
        sz_status status = sz_setting_text(words, "breaker", i, &text);
        if (status == SZ_OK)
            status = add_breaker(d, text.data, text.len);
        sz_buf_free(&text);
        SZ_TRY(status);
    }
    return SZ_OK;
}

enum { LONGEST = 50 }; /* the penalty of longer matches is as good as infinite */

static const char *piece_at(const sz_sampler_input *in, size_t at) {
    const char *piece = in->model ? sz_model_piece(in->model, in->history[at].id) : NULL;
    return piece ? piece : "";
}

/* Whether a breaker begins at `text`, within the token `at`; *at: the token in which it ends. */
static bool begins(const breaker *b, const sz_sampler_input *in, const char *text, size_t *at) {
    for (size_t i = 0; i < b->n; i++) {
        while (!*text) {
            if (++*at == in->n_history)
                return false;
            text = piece_at(in, *at);
        }
        if (*text++ != b->bytes[i])
            return false;
    }
    return true;
}

/* How many tokens at the end a match may have: those after the last breaker. */
static size_t reach_of(const dry *d, const sz_sampler_input *in, size_t from) {
    size_t n = in->n_history, reach = n - from < LONGEST ? n - from : LONGEST;
    for (size_t at = n - reach; at < n; at++)
        for (const char *text = piece_at(in, at); *text; text++)
            for (size_t b = 0; b < d->n_breakers; b++) {
                size_t last = at;
                if (begins(&d->breakers[b], in, text, &last) && n - 1 - last < reach)
                    reach = n - 1 - last;
            }
    return reach;
}

/* Whether a whole breaker stands in a token: what follows it begins anew, so it is not penalised.
 */
static bool breaks(const dry *d, const sz_sampler_input *in, size_t at) {
    for (const char *text = piece_at(in, at); *text; text++)
        for (size_t b = 0; b < d->n_breakers; b++)
            if (strncmp(text, d->breakers[b].bytes, d->breakers[b].n) == 0)
                return true;
    return false;
}

/* How many tokens before `at` equal those before the end, the nearest first. */
static size_t match_length(const sz_sampler_input *in, size_t from, size_t at, size_t most) {
    size_t length = 0;
    while (length < most && at - length > from &&
           in->history[at - 1 - length].id == in->history[in->n_history - 1 - length].id)
        length++;
    return length;
}

static sz_status apply(const void *state, const sz_sampler_input *in, sz_candidates *c) {
    const dry *d = state;
    size_t last = d->last > 0 ? (size_t)d->last : in->n_history;
    size_t from = in->n_history > last ? in->n_history - last : 0;
    if (d->multiplier == 0 || in->n_history - from < 2)
        return SZ_OK;
    size_t reach = reach_of(d, in, from);
    memset(c->scratch, 0, c->n * sizeof *c->scratch); /* longest match that each would continue */
    for (size_t at = from + 1; reach > 0 && at < in->n_history; at++) {
        size_t length = match_length(in, from, at, reach);
        size_t i = length > 0 ? sz_candidates_find(c, in->history[at].id) : c->n;
        if (i < c->n && (float)length > c->scratch[i] && !breaks(d, in, at))
            c->scratch[i] = (float)length;
    }
    for (size_t i = 0; i < c->n; i++)
        if ((double)c->scratch[i] >= d->allowed)
            c->logit[i] -=
                (float)(d->multiplier * sz_pow(d->base, (double)c->scratch[i] - d->allowed));
    return SZ_OK;
}

const sz_sampler_kind sz_sampler_dry = {
    .name = "dry",
    .help = "penalise tokens that go on with a repetition",
    .options = options,
    .state_bytes = sizeof(dry),
    .begin = begin,
    .apply = apply,
};
