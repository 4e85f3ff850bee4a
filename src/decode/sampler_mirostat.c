/* sampler_mirostat.c: truncation steered so that the surprisal of what is drawn stays near a target
 * (Basu et al. 2021), version 2 and, by an estimate of Zipf's exponent, version 1. In bits, as its
 * users know it. Belongs at the end of a chain: it learns from the surprisal of the final draw. */
#include <math.h>
#include <szilard/unstable/num.h>

#include "sampler.h"

enum { ESTIMATE = 100 }; /* likeliest tokens that version 1 looks at */
static const double ln2 = 0.69314718055994530942;

typedef struct mirostat {
    double tau, eta, version, mu;
} mirostat;

static const sz_option options[] = {
    {"tau", "surprisal aimed at, in bits", .value = 5, .max = 100},
    {"eta", "rate of learning", .value = 0.1, .max = 10},
    {"version", "1 or 2", .value = 2, .min = 1, .max = 2, .whole = true},
    {0},
};

static sz_status begin(void *state, const double *v, const sz_setting *words) {
    *(mirostat *)state = (mirostat){v[0], v[1], v[2], 2.0 * v[0]};
    return SZ_OK;
}

/* Zipf's exponent from the ratios of neighbouring probabilities among the likeliest. */
static double zipf_exponent(sz_candidates *c) {
    double above = 0, below = 0;
    size_t m = c->n < ESTIMATE ? c->n : ESTIMATE;
    uint32_t top[ESTIMATE];
    sz_candidates_top(c, m, top);
    for (size_t i = 0; i + 1 < m && c->logit[top[i + 1]] > -INFINITY; i++) {
        double t = sz_log((double)(i + 2) / (double)(i + 1));
        above += t * (double)(c->logit[top[i]] - c->logit[top[i + 1]]);
        below += t * t;
    }
    return below > 0 ? above / below : 0;
}

static void keep_by_rank(const mirostat *m, sz_candidates *c) {
    double s = zipf_exponent(c), e = s - 1.0, n = (double)sz_candidates_count(c, -__FLT_MAX__);
    if (!(s > 0) || e == 0 || c->n < 2)
        return;
    double k = sz_pow(e * sz_pow(2.0, m->mu) / (1.0 - sz_pow(n, -e)), 1.0 / s);
    size_t keep = k >= n ? c->n : k >= 1 ? (size_t)k : 1;
    sz_candidates_keep_top(c, keep);
}

/* Surprisal of at most mu bits: a threshold on logits. */
static void keep_by_surprisal(const mirostat *m, sz_candidates *c) {
    double sum = sz_candidates_weights(c);
    float max = sz_candidates_max(c), limit = (float)((double)max + sz_log(sum) - m->mu * ln2);
    sz_candidates_cut(c, limit < max ? limit : max, limit < max ? c->n : 1);
}

static sz_status apply(const void *state, const sz_sampler_input *input, sz_candidates *c) {
    const mirostat *m = state;
    sz_sampler_note(input, "mu_bits", m->mu);
    if (m->version == 1)
        keep_by_rank(m, c);
    else
        keep_by_surprisal(m, c);
    return SZ_OK;
}

static void accept(void *state, const sz_token *drawn) {
    mirostat *m = state;
    m->mu -= m->eta * ((double)drawn->draw_surprisal / ln2 - m->tau);
}

const sz_sampler_kind sz_sampler_mirostat = {
    .name = "mirostat",
    .help = "keep the surprisal of the text near tau bits",
    .options = options,
    .state_bytes = sizeof(mirostat),
    .begin = begin,
    .apply = apply,
    .accept = accept,
};
