/* account.h: what an answer cost and what information it carried, and how that is told. */
#ifndef SZ_CLI_ACCOUNT_H
#define SZ_CLI_ACCOUNT_H

#include "energy.h"
#include "generation.h"
#include "voice.h"
#include <szilard/unstable/stop.h>

typedef enum sz_finish {
    SZ_FINISH_END,         /* the model ended it */
    SZ_FINISH_STOP,        /* a stop string */
    SZ_FINISH_LENGTH,      /* -n */
    SZ_FINISH_RULE,        /* --stop-when */
    SZ_FINISH_CONTEXT,     /* the context is full */
    SZ_FINISH_INTERRUPTED, /* Ctrl-C */
} sz_finish;

typedef struct sz_account {
    sz_finish finish;
    sz_stop_reason rule;       /* where a rule ended the answer */
    size_t n_ended_thoughts;   /* by a rule */
    size_t n_prompt, n_cached; /* tokens of the prompt; of them found in the cache */
    size_t n_prefilled;        /* computed to prepare the answers */
    size_t n_tokens;           /* drawn, an end-of-generation token included */
    size_t n_passes;           /* tokens drawn that were also computed */
    uint64_t prompt_ns, generation_ns;
    double entropy, surprisal; /* sums over the drawn tokens, nats */
    float *entropies;          /* [n_tokens] nats; NULL unless wanted */
    uint8_t *writers;          /* [n_tokens] sz_router_role, with the entropies */
    size_t cap_entropies;
    bool keep_entropies;
    sz_router_account routed; /* zeros without a router */
    uint64_t peak_bytes;      /* of memory */
    sz_forgotten forgotten;   /* zeros without a policy */
    sz_energy energy;         /* of prompt and answer; source SZ_ENERGY_NONE: not known */
} sz_account;

/* What does not change from answer to answer. */
typedef struct sz_account_setting {
    const sz_generation *options;
    const sz_engine *engine;
    const sz_voice *voice;
    const char *chain;
    uint64_t seed;
} sz_account_setting;

void sz_account_token(sz_account *a, const sz_token *t);
/* Adds the figures of one answer to a total. */
void sz_account_add(sz_account *total, const sz_account *a);
void sz_account_free(sz_account *a);

/* The main figures in two lines, or all of them, on stderr. */
void sz_account_print_short(const sz_account *a, const sz_account_setting *s);
void sz_account_print_full(const sz_account *a, const sz_account_setting *s);
/* Which colour stands for how much; nothing where stderr has no colours. */
void sz_account_print_legend(const sz_generation *options);
/* What two models have done: a line; who wrote how many tokens in turn, a line; JSON members. */
void sz_account_put_routed(sz_buf *b, const sz_account *a, const sz_account_setting *s);
void sz_account_put_trace(sz_buf *b, const sz_account *a, const sz_account_setting *s);
void sz_account_routed_json(sz_buf *b, const sz_account *a, const sz_account_setting *s);
void sz_account_routed_add(sz_router_account *total, const sz_router_account *a);
/* Takes what was done before off. */
void sz_account_routed_since(sz_router_account *now, const sz_router_account *before);
/* {"account":{...}} and a newline; text: what was printed. */
void sz_account_json(sz_buf *b, const sz_account *a, const sz_account_setting *s, const char *text);

#endif
