/* pace.h: whether a draft pays, and how long it should be. What it decides changes how fast a text
 * is written, never the text: so it may look at the clock. */
#ifndef SZ_DECODE_PACE_H
#define SZ_DECODE_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SZ_PACE_BINS = 8 };

/* A share of successes that forgets. */
typedef struct sz_rate {
    double hits, n;
} sz_rate;

typedef struct sz_pace {
    bool thrifty;    /* false: all drafts are as long as can be */
    double large_ns; /* of the large model's pass over one token; 0: not known yet */
    double extra_ns; /* of each further token in it */
    double small_ns; /* of drafting a token; 0: not known yet */
    sz_rate by_entropy[SZ_PACE_BINS]; /* drafted tokens that were right, by the draft's entropy */
    sz_rate first;                    /* the first token of a draft */
    sz_rate lookup;                   /* tokens that were looked up */
    double small_share;
    double purse_ns; /* what may be lost; drafts that pay fill it */
    bool began;      /* the large model's price is known */
    bool fresh;      /* nothing was drafted for this text: catching up is then the prompt's price */
} sz_pace;

/* small_share: the small model's size beside the large one's, which is what its price is taken for
 * until it is measured. */
void sz_pace_begin(sz_pace *p, bool thrifty, double small_share);
/* A new text: what was learnt stays, the purse is full. */
void sz_pace_restart(sz_pace *p);

/* A pass of the large model over n tokens. */
void sz_pace_large_pass(sz_pace *p, size_t n, uint64_t ns);
void sz_pace_small_pass(sz_pace *p, uint64_t ns);

/* Whether to ask the small model, which has missed n_missed tokens; the first time is free. */
bool sz_pace_may_draft(sz_pace *p, size_t n_missed);
/* The chance that a token drafted at this entropy [nats] is right. */
double sz_pace_chance(const sz_pace *p, double entropy);
/* Whether a drafted token that is right with this chance is worth its place in the large model's
 * pass; and, one further pass of the small model. */
bool sz_pace_keep(const sz_pace *p, double chance);
bool sz_pace_go_on(const sz_pace *p, double chance);
/* How many of at most `most` tokens that were looked up to take. */
size_t sz_pace_lookup(sz_pace *p, size_t most);

/* A drafted token was compared: `place` in its draft, its entropy (NaN: it was looked up). */
void sz_pace_compared(sz_pace *p, size_t place, double entropy, bool right);
/* A pass is over: it gave n_right tokens beyond its own, of n_drafted that cost cost_ns. */
void sz_pace_settle(sz_pace *p, size_t n_right, size_t n_drafted, uint64_t cost_ns);

#endif
