/* choices.h: how probable each of several continuations is, by scoring, not by sampling. */
#ifndef SZILARD_CHOICES_H
#define SZILARD_CHOICES_H

#include <szilard/unstable/base.h>

typedef struct sz_choice {
    const int32_t *ids; /* [n], n >= 1 */
    size_t n;
    double log_probability; /* nats: that the text goes on with these tokens */
    double log_end;         /* nats: that it ends right after them, given that; -infinity: never */
    double share;           /* of the choices' joint probability */
} sz_choice;

/* Fills the figures of choices [n], n >= 1, as continuations of a sequence that has tokens. The
 * model's own distribution, whatever sampler the sequence has. Forks score as many choices in a
 * pass as the session has free sequences, and share what the sequence holds; it stays as it is.
 * *mass: the choices' joint probability. Where one choice is the beginning of another, the longer
 * one's probability is a part of the shorter one's: shares and mass then count it twice.
 * Errors: SZ_E_LIMIT if no sequence is free or a choice exceeds the context.
 * Cost: the tokens of all choices. Bits: each choice's figures are the same with any others. */
SZ_API sz_status sz_session_score_choices(sz_session *s, uint32_t seq, sz_choice *choices, size_t n,
                                          double *mass);

#endif
