/* branching.h: several continuations of one sequence, computed together: drawn and ranked, searched
 * by beams, or split where the model is uncertain. They are forks that share what the sequence
 * holds, one pass for all of them per token; the sequence itself stays as it is. */
#ifndef SZILARD_BRANCHING_H
#define SZILARD_BRANCHING_H

#include <szilard/unstable/base.h>

enum { SZ_CONTINUATIONS_MAX = 4096 };

typedef struct sz_continuation {
    sz_token *tokens; /* [n] records; where it ended, the last is an end-of-generation token */
    size_t n;
    double log_probability;     /* nats, of all of them under the model's own distribution */
    double score;               /* log_probability / n^length_penalty */
    bool ended;                 /* by the model; else cut at the bound of tokens */
    size_t parent, branched_at; /* a branch: whose first tokens it shares, and how many;
                                   SIZE_MAX: nobody's */
} sz_continuation;

/* Zero-initialise; sz_continuations_free takes what a call made. */
typedef struct sz_continuations {
    sz_continuation *v; /* [n] */
    size_t n;
    size_t n_passes, n_computed; /* tokens computed for them, in how many passes */
} sz_continuations;
SZ_API void sz_continuations_free(sz_continuations *c);

typedef struct sz_branching {
    size_t n;              /* continuations to draw, beams, or most branches; 1 or more */
    size_t max_tokens;     /* of each, its end-of-generation token included; 0: what the context
                              has room for */
    double length_penalty; /* 0: ranked by log-probability; 1: by that per token; >= 0 */
    double above;          /* of branches: nats; see below */
} sz_branching;

/* The session needs n free sequences (SZ_E_LIMIT). The sequence must have tokens. Errors leave no
 * forks behind. Bits: as drawn one by one. */

/* Best of n: n draws by the sequence's sampler, the best score first. */
SZ_API sz_status sz_session_best_of(sz_session *s, uint32_t seq, const sz_branching *config,
                                    sz_continuations *out);

/* Beam search under the model's own distribution, whatever the sampler: in each step the n
 * likeliest texts go on, and those that end before them in rank are finished. Gives the n best
 * scores of what was finished or, at the bound of tokens, cut. Stops as soon as nothing that still
 * grows can get among them. With as many beams as there are texts it finds the best text. Cost: n
 * tokens a step. */
SZ_API sz_status sz_session_beam_search(sz_session *s, uint32_t seq, const sz_branching *config,
                                        sz_continuations *out);

/* Branches: one text, drawn by the sequence's sampler, which splits in two wherever the entropy of
 * the model's distribution is above `above` nats, the most uncertain first, until there are n. The
 * other branch takes the likeliest token that the first one did not. In the order in which they
 * came to be. */
SZ_API sz_status sz_session_branch(sz_session *s, uint32_t seq, const sz_branching *config,
                                   sz_continuations *out);

#endif
