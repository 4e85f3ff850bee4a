/* account.h: what an answer cost and what information it carried, and how that is told. */
#ifndef SZ_CLI_ACCOUNT_H
#define SZ_CLI_ACCOUNT_H

#include "generation.h"

typedef enum sz_finish {
    SZ_FINISH_END,         /* the model ended it */
    SZ_FINISH_STOP,        /* a stop string */
    SZ_FINISH_LENGTH,      /* -n */
    SZ_FINISH_CONTEXT,     /* the context is full */
    SZ_FINISH_INTERRUPTED, /* Ctrl-C */
} sz_finish;

typedef struct sz_account {
    sz_finish finish;
    size_t n_prompt, n_cached; /* tokens of the prompt; of them found in the cache */
    size_t n_prefilled;        /* computed to prepare the answers */
    size_t n_tokens;           /* drawn, an end-of-generation token included */
    size_t n_passes;           /* tokens drawn that were also computed */
    uint64_t prompt_ns, generation_ns;
    double entropy, surprisal; /* sums over the drawn tokens, nats */
    float *entropies;          /* [n_tokens] nats; NULL unless wanted */
    size_t cap_entropies;
    bool keep_entropies;
    uint64_t peak_bytes; /* of memory */
} sz_account;

/* What does not change from answer to answer. */
typedef struct sz_account_setting {
    const sz_generation *options;
    const sz_engine *engine;
    const sz_session *session;
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
/* {"account":{...}} and a newline; text: what was printed. */
void sz_account_json(sz_buf *b, const sz_account *a, const sz_account_setting *s, const char *text);

#endif
