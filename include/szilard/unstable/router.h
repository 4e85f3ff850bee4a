/* router.h: which model computes the next token. A router writes one text with up to two models
 * that share a tokenizer, a small and a large one; a method is one file that fills one
 * sz_router_kind. Written as "ead tau=1.2 window=5" (option.h).
 *
 * The text, its records and its sampler belong to the router, not to a model: each model computes
 * what it has not seen yet when it is needed, in passes of many tokens, and one that is never
 * needed computes nothing. */
#ifndef SZILARD_ROUTER_H
#define SZILARD_ROUTER_H

#include <szilard/unstable/option.h>
#include <szilard/unstable/sampler.h>

typedef enum sz_router_role { SZ_ROUTER_SMALL, SZ_ROUTER_LARGE } sz_router_role;

typedef struct sz_router sz_router;

typedef struct sz_router_kind {
    const char *name, *help;
    const sz_option *options;
    size_t state_bytes;
    bool needs_small;          /* cannot work with one model */
    const char *const *routes; /* what a record's `route` counts; NULL-ended */
    /* values: one per option, in range. r: for figures of its models. Fails without a trace. */
    sz_status (*begin)(void *state, const sz_router *r, const double *values);
    void (*end)(void *state); /* may be NULL */
    /* The model that draws the next token. */
    sz_router_role (*active)(const void *state);
    /* Draws the next token and keeps it, with the functions below. SZ_END as sz_session_next. */
    sz_status (*next)(void *state, sz_router *r, sz_token *out);
    /* The text was cut or continued by the caller: what was prepared for it is void. NULL: nothing.
     */
    void (*drop)(void *state);
} sz_router_kind;

/* All kinds, NULL-ended, for help texts. */
SZ_API const sz_router_kind *const *sz_router_kinds(void);
/* Whether the text names a kind with good options; *out is the kind. */
SZ_API sz_status sz_router_parse(const char *text, const sz_router_kind **out);

/* Whether two models understand the same ids: equal vocabularies (SZ_E_ARG names the first id that
 * differs), begin and end tokens, and chat templates. */
SZ_API sz_status sz_router_check_pair(const sz_model *small, const sz_model *large);

/* small: NULL where the kind can do without. config: of the sessions of both, one sequence each;
 * the tighter of the two contexts holds. */
SZ_API sz_status sz_router_new(const char *text, sz_model *small, sz_model *large,
                               const sz_session_config *config, sz_router **out);
SZ_API void sz_router_free(sz_router *r);
SZ_API const sz_router_kind *sz_router_get_kind(const sz_router *r);
/* Borrowed, to look at; NULL if there is no such model. */
SZ_API const sz_session *sz_router_session(const sz_router *r, sz_router_role role);

/* As the functions of sessions (szilard.h), for the one text of the router. Given tokens are not
 * computed at once; sz_router_prepare computes them with the model that draws next. */
SZ_API uint32_t sz_router_context(const sz_router *r);
SZ_API uint32_t sz_router_length(const sz_router *r);
SZ_API sz_status sz_router_set_sampler(sz_router *r, const char *chain, uint64_t seed);
SZ_API sz_status sz_router_set_chain(sz_router *r, sz_chain *chain, uint64_t seed);
/* The text's own, which drew its latest token; NULL: greedy. */
SZ_API const sz_chain *sz_router_chain(const sz_router *r);
SZ_API sz_status sz_router_prompt_ids(sz_router *r, const int32_t *ids, size_t n);
SZ_API sz_status sz_router_truncate(sz_router *r, uint32_t n_tokens);
SZ_API sz_status sz_router_sync(sz_router *r, const int32_t *ids, size_t n, size_t *n_kept);
SZ_API sz_status sz_router_prepare(sz_router *r);
SZ_API sz_status sz_router_next(sz_router *r, sz_token *out);
SZ_API void sz_router_records(const sz_router *r, const sz_token **out, size_t *n);
SZ_API const char *sz_router_text(sz_router *r);

/* What was done since the router was made, by role where there are two figures. */
typedef struct sz_router_account {
    uint64_t written[2];             /* tokens drawn from the model's distribution and kept */
    uint64_t passes[2], computed[2]; /* passes, and tokens in them */
    uint64_t caught_up[2];           /* of those tokens: in passes over more than one */
    uint64_t pass_ns[2];             /* time of all passes */
    uint64_t single_ns[2];           /* of the passes over one token */
    uint64_t singles[2];             /* and their number */
    uint64_t switches;               /* of the model that draws */
    uint64_t drafted, accepted;      /* speculation: tokens proposed, and found right */
} sz_router_account;
SZ_API sz_router_account sz_router_get_account(const sz_router *r);

/* ---- For kinds ------------------------------------------------------------------------------- */

/* Lets a model compute what it lacks of the text, so that it can draw. */
SZ_API sz_status sz_router_ready(sz_router *r, sz_router_role role);
/* Figures of the next token's distribution by a model that is ready. */
SZ_API const sz_logit_stats *sz_router_stats(const sz_router *r, sz_router_role role);
/* Draws from a model that is ready; nothing changes. SZ_END: the token ends the generation. */
SZ_API sz_status sz_router_draw(sz_router *r, sz_router_role role, sz_token *out);
/* Appends a drawn token to the text. */
SZ_API sz_status sz_router_keep(sz_router *r, const sz_token *drawn);

/* ---- Entropy adaptive decoding (Simonds 2025, arXiv 2502.06833) ------------------------------ */

enum { SZ_EAD_WINDOW_MAX = 1024 };

/* The controller: the rolling mean of the entropies [nats] of the last `window` tokens decides. The
 * next token comes from the large model where the mean is above tau_up, from the small one where it
 * is at most tau_down, but nothing changes until min_duration tokens after the last change. */
typedef struct sz_ead {
    double tau_up, tau_down; /* nats, 0 <= tau_down <= tau_up; equal: the paper's rule */
    uint32_t window;         /* 1 .. SZ_EAD_WINDOW_MAX */
    uint32_t min_duration;   /* tokens, >= 1 */
    sz_router_role active;   /* who writes the next token; set the first one before */
    uint64_t n, since;       /* tokens in all, and since the last change */
    bool changed;            /* there was one: before, min_duration does not hold back */
    double last[SZ_EAD_WINDOW_MAX];
} sz_ead;
/* SZ_E_ARG names the field that is out of range. */
SZ_API sz_status sz_ead_check(const sz_ead *e);
/* Takes the entropy of the token just written; *mean (may be NULL) is the rolling one. SZ_E_NAN: it
 * is not a finite number of nats; nothing changed. */
SZ_API sz_status sz_ead_push(sz_ead *e, double entropy, double *mean);
/* The controller, begun anew, over a text whose entropies under both models are known, [n] nats:
 * *fraction of tokens that the large one writes, and large [n], or NULL, where. small_signal: the
 * small model's entropy decides even where the large one writes. */
SZ_API sz_status sz_ead_simulate(const sz_ead *controller, const double *entropy_small,
                                 const double *entropy_large, size_t n, bool small_signal,
                                 uint8_t *large, double *fraction);
/* Sets the taus of a controller, their ratio kept, so that the large model writes a share of such a
 * text that is nearest to target; *fraction is that share. Begins with the (1 - target) quantile of
 * the small model's rolling entropy and goes on by bisection with the simulation. */
SZ_API sz_status sz_ead_calibrate(sz_ead *controller, const double *entropy_small,
                                  const double *entropy_large, size_t n, bool small_signal,
                                  double target, double *fraction);
/* The paper's figure of merit: 1 - (f large + (1 - f) small) / large, of parameter counts; f in
 * [0, 1] is the fraction of tokens by the large model. It leaves out catching up. */
SZ_API sz_status sz_ead_saving(double large_fraction, double params_small, double params_large,
                               double *out);

/* ---- Speculation ----------------------------------------------------------------------------- */

/* What a draft of gamma tokens can give between a target and a draft distribution, both [n]: the
 * chance that a token is accepted under the best rule, sum min(p, q) = 1 - TV, and the expected
 * tokens per pass of the large model, (1 - a^(gamma + 1)) / (1 - a). residual [n], or NULL: what a
 * rejected token is drawn from, max(0, p - q) / sum; zeros where the two are equal. SZ_E_ARG where
 * one of them is no distribution. Source: Leviathan et al. 2023, arXiv 2211.17192. */
typedef struct sz_speculation_law {
    double acceptance, total_variation, tokens_per_pass;
} sz_speculation_law;
SZ_API sz_status sz_speculation_law_of(const double *target, const double *draft, size_t n,
                                       uint32_t gamma, double *residual, sz_speculation_law *out);

#endif
