/* sampler.h: which tokens may be drawn. A method is one file that fills one sz_sampler_kind; a
 * chain of them belongs to a sequence. Written as "top-k 40, min-p p=0.05, temperature 0.8"
 * (option.h). */
#ifndef SZILARD_SAMPLER_H
#define SZILARD_SAMPLER_H

#include <szilard/unstable/grammar.h>
#include <szilard/unstable/info.h>
#include <szilard/unstable/option.h>

/* The tokens that are still in play. Samplers change logits and remove candidates in place; the
 * order stays. */
typedef struct sz_candidates {
    int32_t *id;    /* [n], rising */
    float *logit;   /* [n]; -infinity: cannot be drawn */
    float *scratch; /* [n], for anybody during apply */
    size_t n;       /* >= 1 */
    const struct sz_kernels *kernels;
} sz_candidates;
/* Memory for up to n_vocab candidates, which must not outlive the runtime. */
SZ_API sz_status sz_candidates_new(const sz_runtime *rt, size_t n_vocab, sz_candidates *out);
SZ_API void sz_candidates_free(sz_candidates *c);
/* All n tokens of a row of logits, with n <= the n_vocab that there is memory for. */
SZ_API void sz_candidates_fill(sz_candidates *c, const float *logits, size_t n);

/* What a stage of a chain did at a draw. */
enum { SZ_NOTES_MAX = 6 };
typedef struct sz_stage_account {
    const char *sampler;
    size_t kept_n;    /* candidates that it left */
    double kept_mass; /* their probability under the model's own distribution */
    double entropy;   /* of the distribution that it left, nats */
    struct {
        const char *name; /* with its unit, such as "budget_nats" */
        double value;
    } notes[SZ_NOTES_MAX]; /* figures of the method's own */
    size_t n_notes;
} sz_stage_account;

/* What a sampler may look at. Everything is borrowed for the call. */
typedef struct sz_sampler_input {
    const sz_model *model;       /* for pieces and end tokens */
    const sz_token *history;     /* records of the sequence so far, prompt included */
    size_t n_history;            /* = the position that is drawn */
    const sz_logit_stats *stats; /* of the model's own distribution, before any sampler */
    const float *logits;         /* that distribution, [n_vocab]; NULL: not at hand */
    uint64_t seed, stream;       /* of the sequence; see sz_sampler_uniform */
    uint32_t stage;              /* set by the chain: the sampler's place in it */
    sz_stage_account *account;   /* set by the chain where it explains; see sz_sampler_note */
} sz_sampler_input;
/* The i-th random number in [0, 1) of this sampler for this draw: a function of seed, stream,
 * position, stage and i alone, independent of the number that draws the token. */
SZ_API double sz_sampler_uniform(const sz_sampler_input *input, uint32_t i);

/* Tells a figure of the method to whoever asked for explanations; else nothing happens. The name
 * is borrowed for as long as the chain lives. */
SZ_API void sz_sampler_note(const sz_sampler_input *input, const char *name, double value);

typedef struct sz_sampler_kind {
    const char *name, *help;
    const sz_option *options;
    size_t state_bytes; /* 0: the state is the values as doubles */
    /* values: one per option, in range; words: where texts are read, NULL where only values were
     * given. Fails without a trace. NULL: the values are copied. */
    sz_status (*begin)(void *state, const double *values, const sz_setting *words);
    /* For a state that owns memory; NULL: a clone is a copy of the bytes, and nothing is released.
     */
    sz_status (*clone)(const void *from, void *to);
    void (*end)(void *state);
    /* Must not depend on what else was drawn from: a draw may be given up and made again. */
    sz_status (*apply)(const void *state, const sz_sampler_input *input, sz_candidates *c);
    /* A drawn token became part of the sequence; for methods with memory. May be NULL. */
    void (*accept)(void *state, const sz_token *drawn);
} sz_sampler_kind;

/* All kinds, NULL-ended, for help texts. */
SZ_API const sz_sampler_kind *const *sz_sampler_kinds(void);

typedef struct sz_chain sz_chain; /* an empty one draws from the model's own distribution */
SZ_API sz_status sz_chain_new(sz_chain **out);
SZ_API sz_status sz_chain_parse(const char *text, sz_chain **out);
/* Appends the samplers of a text; on failure those before the broken one are there. */
SZ_API sz_status sz_chain_extend(sz_chain *chain, const char *text);
/* Appends a sampler, also of a kind of your own; values NULL: the defaults of its options. */
SZ_API sz_status sz_chain_add(sz_chain *chain, const sz_sampler_kind *kind, const double *values);
/* Appends the sampler that keeps what a grammar allows, for texts of `model` that begin with the
 * next token. Takes the grammar over, also on failure. Masks are remembered, so most tokens cost
 * one pass. Clones share the grammar: they must stay on one thread. */
SZ_API sz_status sz_chain_add_grammar(sz_chain *chain, const sz_model *model, sz_grammar *grammar);
SZ_API sz_status sz_chain_clone(const sz_chain *chain, sz_chain **out);
SZ_API void sz_chain_free(sz_chain *chain);
SZ_API sz_status sz_chain_apply(sz_chain *chain, const sz_sampler_input *input, sz_candidates *c);
/* Draws a token from input->logits [n_vocab], with input->stats, as a session draws from a model's:
 * at the position n_history of the input's stream. Chain NULL: greedy. c: memory for n_vocab
 * candidates; holds afterwards what was kept, with the logits that were drawn from. The chain's
 * memory does not change; sz_chain_accept tells it what became part of the text. */
SZ_API sz_status sz_chain_draw(sz_chain *chain, const sz_sampler_input *input, size_t n_vocab,
                               sz_candidates *c, sz_token *out);
SZ_API void sz_chain_accept(sz_chain *chain, const sz_token *drawn);
SZ_API size_t sz_chain_length(const sz_chain *chain);
/* The kind of a stage, and how many candidates it left at the latest draw (kept_n may be NULL).
 * NULL if there is no such stage. */
SZ_API const sz_sampler_kind *sz_chain_stage(const sz_chain *chain, size_t stage, size_t *kept_n);

/* Whether draws are explained: a pass or two more for each stage. */
SZ_API void sz_chain_set_explained(sz_chain *chain, bool on);
/* What a stage did at the latest explained draw; NULL if there is no such stage. */
SZ_API const sz_stage_account *sz_chain_account(const sz_chain *chain, size_t stage);

/* Gives a sequence a chain (it owns it then, even on failure), as sz_session_set_sampler does. */
SZ_API sz_status sz_session_set_chain(sz_session *s, uint32_t seq, sz_chain *chain, uint64_t seed);
/* A sequence's chain, borrowed; NULL: greedy. */
SZ_API const sz_chain *sz_session_chain(const sz_session *s, uint32_t seq);

#endif
