/* pace.c: the ledger of speculation. A token that is right saves a pass of the large model; each
 * drafted one costs its drafting and its place in the pass. Chances are learnt from what happened
 * at the same entropy. Losses come out of a purse, which a share of all time fills, so that texts
 * that cannot be guessed cost that share at most. */
#include "pace.h"

#include <math.h>

#define STAKE       3.0  /* passes of the large model that may be lost at first */
#define FULL        6.0  /* the most that the purse holds */
#define LOSS        0.02 /* of the time, that may be lost for ever */
#define MEMORY      64.0 /* tokens after which a rate has forgotten half */
#define SMOOTH      0.2  /* weight of a new time */
#define FORGIVENESS 0.02 /* drift of an unused rate towards where it began */

#define EXTRA_GUESS 0.15 /* price of a further token in a pass, beside the first one's */
#define CATCH_UP    0.2  /* time of a token among many in a pass, beside one alone */

static const double edges[SZ_PACE_BINS - 1] = {0.05, 0.2, 0.5, 1.0, 1.5, 2.2, 3.2}; /* nats */
static const double guesses[SZ_PACE_BINS] = {0.97, 0.9, 0.75, 0.6, 0.45, 0.35, 0.25, 0.15};
#define FIRST_GUESS  0.7
#define LOOKUP_GUESS 0.6

static double share(const sz_rate *r) {
    return r->hits / r->n;
}

static sz_rate guess(double share) {
    return (sz_rate){4 * share, 4};
}

static void count(sz_rate *r, bool hit) {
    if (r->n >= MEMORY) {
        r->hits /= 2;
        r->n /= 2;
    }
    r->hits += hit;
    r->n += 1;
}

static void forgive(sz_rate *r, double towards) {
    r->hits += FORGIVENESS * r->n * (towards - share(r));
}

static void smooth(double *mean, double sample) {
    *mean = *mean > 0.0 ? *mean + SMOOTH * (sample - *mean) : sample;
}

static size_t bin_of(double entropy) {
    size_t bin = 0;
    while (bin < SZ_PACE_BINS - 1 && entropy > edges[bin])
        bin++;
    return bin;
}

void sz_pace_begin(sz_pace *p, bool thrifty, double small_share) {
    *p = (sz_pace){.thrifty = thrifty,
                   .small_share = small_share,
                   .fresh = true,
                   .first = guess(FIRST_GUESS),
                   .lookup = guess(LOOKUP_GUESS)};
    for (int i = 0; i < SZ_PACE_BINS; i++)
        p->by_entropy[i] = guess(guesses[i]);
}

void sz_pace_restart(sz_pace *p) {
    p->purse_ns = STAKE * p->large_ns;
    p->fresh = true;
}

/* ---- Prices ---------------------------------------------------------------------------------- */

static void begin_prices(sz_pace *p) {
    p->extra_ns = EXTRA_GUESS * p->large_ns;
    p->small_ns = p->small_share * p->large_ns;
    p->began = true;
    sz_pace_restart(p);
}

/* A price that looks too high may have been measured while the machine was busy. */
static void doubt_prices(sz_pace *p) {
    p->extra_ns += FORGIVENESS * (EXTRA_GUESS * p->large_ns - p->extra_ns);
    p->small_ns += FORGIVENESS * (p->small_share * p->large_ns - p->small_ns);
}

void sz_pace_large_pass(sz_pace *p, size_t n, uint64_t ns) {
    if (n == 1) {
        smooth(&p->large_ns, (double)ns);
        if (!p->began)
            begin_prices(p);
    } else if (p->large_ns > 0.0) {
        double extra = ((double)ns - p->large_ns) / (double)(n - 1);
        smooth(&p->extra_ns, extra > 1.0 ? extra : 1.0);
    }
}

void sz_pace_small_pass(sz_pace *p, uint64_t ns) {
    if (p->began)
        smooth(&p->small_ns, (double)ns);
}

/* ---- Decisions ------------------------------------------------------------------------------- */

bool sz_pace_keep(const sz_pace *p, double chance) {
    return !p->thrifty || chance * p->large_ns > p->extra_ns;
}

bool sz_pace_go_on(const sz_pace *p, double chance) {
    return !p->thrifty || chance * share(&p->first) * p->large_ns > p->small_ns + p->extra_ns;
}

bool sz_pace_may_draft(sz_pace *p, size_t n_missed) {
    if (!p->thrifty)
        return true;
    if (!p->began) /* the price of a pass is not known yet */
        return false;
    double catch_up = p->fresh ? 0.0 : CATCH_UP * (double)n_missed * p->small_ns;
    if (p->purse_ns <= catch_up + p->small_ns + p->extra_ns)
        return false;
    bool pays = share(&p->first) * p->large_ns > p->small_ns + p->extra_ns;
    if (!pays) {
        forgive(&p->first, FIRST_GUESS);
        doubt_prices(p);
    }
    return pays;
}

double sz_pace_chance(const sz_pace *p, double entropy) {
    return share(&p->by_entropy[bin_of(entropy)]);
}

size_t sz_pace_lookup(sz_pace *p, size_t most) {
    size_t n = 0;
    if (!p->thrifty)
        return most;
    double rate = share(&p->lookup), chance = rate;
    while (n < most && p->began && chance * p->large_ns > p->extra_ns) {
        n++;
        chance *= rate;
    }
    if (n == 0) {
        forgive(&p->lookup, LOOKUP_GUESS);
        doubt_prices(p);
    }
    return p->purse_ns > (double)n * p->extra_ns ? n : 0;
}

/* ---- Learning -------------------------------------------------------------------------------- */

void sz_pace_compared(sz_pace *p, size_t place, double entropy, bool right) {
    if (isnan(entropy)) {
        count(&p->lookup, right);
        return;
    }
    count(&p->by_entropy[bin_of(entropy)], right);
    if (place == 0)
        count(&p->first, right);
}

void sz_pace_settle(sz_pace *p, size_t n_right, size_t n_drafted, uint64_t cost_ns) {
    double saved = (double)n_right * p->large_ns;
    double spent = (double)cost_ns + (double)n_drafted * p->extra_ns;
    p->purse_ns += saved - spent + LOSS * (double)(1 + n_right) * p->large_ns;
    if (p->purse_ns > FULL * p->large_ns)
        p->purse_ns = FULL * p->large_ns;
}
