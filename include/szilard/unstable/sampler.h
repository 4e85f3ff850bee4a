/* sampler.h: which tokens may be drawn. A method is one file that fills one sz_sampler_kind; a chain
 * of them belongs to a sequence. Written as "top-k 40, min-p p=0.05, temperature 0.8". */
#ifndef SZILARD_SAMPLER_H
#define SZILARD_SAMPLER_H

#include <szilard/unstable/base.h>

/* A numeric option of a method. The first one of a table may be given without its name. */
typedef struct sz_option {
    const char *name, *help; /* a table ends with name NULL */
    double value, min, max;  /* default and range */
} sz_option;

/* The tokens that are still in play. Samplers change logits and remove candidates in place. */
typedef struct sz_candidates {
    int32_t *id;    /* [n], rising */
    float *logit;   /* [n] */
    float *scratch; /* [n], for anybody during apply */
    size_t n;       /* >= 1 */
    const struct sz_kernels *kernels;
} sz_candidates;

typedef struct sz_sampler_input {
    const sz_token *history; /* records of the sequence so far */
    size_t n_history;
} sz_sampler_input;

typedef struct sz_sampler_kind {
    const char *name, *help;
    const sz_option *options;
    size_t state_bytes; /* plain data: a clone is a copy */
    /* values: one per option, in range. May be NULL: the state is then the values as doubles. */
    sz_status (*begin)(void *state, const double *values);
    sz_status (*apply)(void *state, const sz_sampler_input *input, sz_candidates *c);
    /* After the draw, for methods with memory; may be NULL. */
    void (*accept)(void *state, const sz_token *drawn);
} sz_sampler_kind;

/* All kinds, NULL-ended, for help texts. */
SZ_API const sz_sampler_kind *const *sz_sampler_kinds(void);

typedef struct sz_chain sz_chain;
SZ_API sz_status sz_chain_parse(const char *text, sz_chain **out);
SZ_API sz_status sz_chain_clone(const sz_chain *chain, sz_chain **out);
SZ_API void sz_chain_free(sz_chain *chain);
SZ_API sz_status sz_chain_apply(sz_chain *chain, const sz_sampler_input *input, sz_candidates *c);
SZ_API void sz_chain_accept(sz_chain *chain, const sz_token *drawn);

#endif
