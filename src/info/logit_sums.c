/* logit_sums.c: the mergeable one-pass state behind entropy and varentropy of logits (card 00). */
#include <math.h>

#include <szilard/unstable/num.h>

#include "info/distribution.h"

/* Moves the state to the larger maximum max + d, d >= 0. */
static void shift(sz_logit_sums *s, double d) {
    double e = sz_exp(-d);
    s->s2 = e * (s->s2 - 2.0 * d * s->s1 + d * d * s->s0);
    s->s1 = e * (s->s1 - d * s->s0);
    s->s0 = e * s->s0;
    s->max += d;
}

void sz_logit_sums_merge(sz_logit_sums *s, const sz_logit_sums *other) {
    if (other->s0 == 0)
        return;
    if (s->s0 == 0) {
        *s = *other;
        return;
    }
    sz_logit_sums b = *other;
    double d = b.max - s->max;
    if (d > 0)
        shift(s, d);
    else
        shift(&b, -d);
    s->s0 += b.s0;
    s->s1 += b.s1;
    s->s2 += b.s2;
}

void sz_logit_sums_add(sz_logit_sums *s, double logit) {
    if (logit > -INFINITY)
        sz_logit_sums_merge(s, &(sz_logit_sums){.max = logit, .s0 = 1.0});
}

sz_status sz_entropy_logits(const double *logits, size_t n, sz_logit_entropies *out) {
    sz_logit_sums s = {0}, twice = {0};
    for (size_t i = 0; i < n; i++) {
        SZ_REQUIRE(logits[i] < INFINITY, SZ_E_NAN, "logit %zu is NaN or +infinity", i);
        sz_logit_sums_add(&s, logits[i]);
        sz_logit_sums_add(&twice, 2.0 * logits[i]);
    }
    SZ_REQUIRE(s.s0 > 0, SZ_E_NAN, "empty support: all %zu logits are -infinity", n);
    double log_s0 = sz_log(s.s0), mean = s.s1 / s.s0;
    *out = (sz_logit_entropies){
        .log_sum_exp = s.max + log_s0,
        .shannon = sz_at_least_zero(log_s0 - mean),
        .varentropy = sz_at_least_zero(s.s2 / s.s0 - mean * mean),
        .min = log_s0,
        .renyi_2 = sz_at_least_zero(2.0 * log_s0 - sz_log(twice.s0)),
    };
    return SZ_OK;
}
