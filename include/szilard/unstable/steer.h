/* steer.h: continuations steered by potentials: sequential Monte Carlo over the texts that a
 * sequence may go on with.
 *
 * The target gives a text x the weight p(x) phi(x). p is what the sequence's sampler draws from (an
 * empty chain: the model's own distribution), texts end by the model or at a bound of tokens, and
 * phi is the product of the potentials given: a grammar (1 where the whole text follows it, else
 * 0), a power of another model's probability of the text, and a score of the caller's. The mass of
 * the target, Z = E_p[phi], is estimated without bias: with a grammar alone, it is the probability
 * that the text follows it. Tokens are drawn among those that the grammar allows; what that takes
 * away is the particle's weight, which masking token by token forgets.
 * Source: Scibior et al. 2018 (bayes.h); Lew et al. 2023, arXiv 2306.03081, for language models. */
#ifndef SZILARD_STEER_H
#define SZILARD_STEER_H

#include <szilard/unstable/bayes.h>
#include <szilard/unstable/branching.h>
#include <szilard/unstable/grammar.h>

typedef struct sz_steer_text { /* borrowed for the call */
    const char *bytes;         /* of the continuation so far, without the prompt; NUL-terminated */
    size_t n;
    bool complete;
} sz_steer_text;

typedef struct sz_steering {
    size_t n_particles;   /* 1 .. SZ_CONTINUATIONS_MAX, as many free sequences */
    size_t max_tokens;    /* 0: what the context has room for */
    double threshold;     /* of the effective sample size; see sz_smc_config */
    sz_resampling scheme; /* of bayes.h */
    sz_grammar *grammar;  /* taken over, also on failure; NULL: any text */
    /* Another model's session over the same tokens, whose sequence `other_seq` holds the prompt,
     * with as many free sequences: phi has p_other(x)^other_power. NULL: none. */
    sz_session *other;
    uint32_t other_seq;
    double other_power; /* finite */
    /* ln of the score of each of n texts; -infinity refuses one. Complete texts are scored once;
     * with score_every > 0 growing ones are, too, every so many tokens: their scores steer, and
     * cancel out in the end. NULL: none. */
    sz_status (*score)(void *user, const sz_steer_text *texts, size_t n, double *log_scores);
    void *score_user;
    size_t score_every;
    void (*observe)(void *user, const sz_smc_step *step); /* NULL: nobody */
    void *observe_user;
} sz_steering;

typedef struct sz_steered {
    sz_continuations texts; /* one per particle; those of weight zero are not finished */
    double *log_weights;    /* [texts.n] nats; they sum to Z */
    double *shares;         /* [texts.n] of Z; zeros where Z is 0 */
    sz_smc_account account; /* ln Z, effective sample size, resamplings */
} sz_steered;
SZ_API void sz_steered_free(sz_steered *s);

/* Steers continuations of a sequence that has tokens; it stays as it is. That nothing satisfies the
 * potentials is a result: Z = 0. Errors of the score are passed on, SZ_E_NAN tells of a score that
 * is NaN or +infinity. Cost: a pass of n_particles tokens per token, of either model. Bits: the
 * same for every number of threads and instruction set. */
SZ_API sz_status sz_session_steer(sz_session *s, uint32_t seq, const sz_steering *config,
                                  sz_steered *out);

#endif
