/* sampler_dry.c: "don't repeat yourself": a token that would lengthen a repetition of the
 * sequence's end is penalised, exponentially in the length. With L the length of the longest
 * earlier match that the token would continue, its logit falls by multiplier * base^(L - allowed)
 * where L >= allowed. Matches do not cross a breaker: a token with a line break, a colon, a
 * quotation mark or an asterisk in its text. */
#include <string.h>
#include <szilard/unstable/num.h>

#include "sampler.h"

typedef struct dry {
    double multiplier, base, allowed, last, breakers;
} dry;

static const sz_option options[] = {
    {"multiplier", "strength; 0 is off", .value = 0.8, .max = 100},
    {"base", "growth with each further token", .value = 1.75, .min = 1, .max = 8},
    {"allowed", "length of a repetition from which it is penalised", .value = 2, .min = 1,
     .max = 1000, .whole = true},
    {"last", "tokens looked back at; 0: all", .max = 1e9, .whole = true},
    {"breakers", "0: matches may cross line breaks and : \" *", .value = 1, .max = 1,
     .whole = true},
    {0},
};

enum { LONGEST = 50 }; /* the penalty of longer matches is as good as infinite */

static bool breaks(const dry *d, const sz_sampler_input *in, int32_t id) {
    const char *piece = d->breakers && in->model ? sz_model_piece(in->model, id) : NULL;
    return piece && strpbrk(piece, "\n:\"*") != NULL;
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
    size_t last = d->last > 0 ? (size_t)d->last : in->n_history, reach = 0;
    size_t from = in->n_history > last ? in->n_history - last : 0;
    if (d->multiplier == 0 || in->n_history - from < 2)
        return SZ_OK;
    while (reach < LONGEST && reach < in->n_history - from &&
           !breaks(d, in, in->history[in->n_history - 1 - reach].id))
        reach++;
    memset(c->scratch, 0, c->n * sizeof *c->scratch); /* longest match that each would continue */
    for (size_t at = from + 1; reach > 0 && at < in->n_history; at++) {
        size_t length = match_length(in, from, at, reach);
        size_t i = length > 0 ? sz_candidates_find(c, in->history[at].id) : c->n;
        if (i < c->n && (float)length > c->scratch[i] && !breaks(d, in, in->history[at].id))
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
    .apply = apply,
};
