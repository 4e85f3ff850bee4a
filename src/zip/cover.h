/* cover.h: a cover text as both sides see it: the law of its next token in whole numbers, grouped
 * into pools that the bytes of the text alone can tell apart.
 *
 * As text, tokens of which one begins another cannot be told apart by the reader: such tokens form
 * a pool, bits choose the pool, and a keyed draw that both sides can make chooses within it, so
 * that the law of the tokens stays what it was. As tokens, every pool holds one. */
#ifndef SZ_ZIP_COVER_H
#define SZ_ZIP_COVER_H

#include <szilard/unstable/model.h>
#include <szilard/unstable/sampler.h>

typedef struct sz_cover_token {
    int32_t id;
    uint32_t candidate; /* its number among the samplers' candidates */
    uint32_t place;     /* in the order of bytes */
} sz_cover_token;

typedef struct sz_cover_config {
    const char *sampler; /* a chain */
    uint64_t seed;       /* of samplers that draw random numbers themselves */
    bool as_tokens;
    uint8_t key[32]; /* of the draws within pools */
} sz_cover_config;

typedef struct sz_cover {
    sz_session *session; /* borrowed; sequence 0 holds the prompt */
    sz_model *model;
    const sz_tokenizer *tokenizer;
    sz_cover_config config;
    sz_chain *chain;
    sz_candidates candidates;
    uint32_t *freq;    /* [n_vocab]: of candidates */
    uint32_t *place;   /* [n_vocab]: in the order of bytes; UINT32_MAX: never written */
    uint32_t *slot;    /* [n_vocab] scratch: 1 + index of the token at a place */
    uint8_t state[16]; /* of the keyed draws */
    /* Tokens that are known to follow, which are computed together; none on the sender's side. */
    const int32_t *ahead; /* [n_ahead] */
    size_t n_ahead, row, n_rows, n_prompt;
    /* The law of the next token, after sz_cover_law. */
    sz_cover_token *token; /* [n] */
    uint64_t *token_cum;   /* [n + 1] of 2^32 */
    uint32_t *first;       /* [n_pools + 1]: the pools' first tokens */
    uint64_t *pool_cum;    /* [n_pools + 1] */
    size_t n, n_pools;
    /* What was taken so far. */
    int32_t *ids; /* [n_ids] */
    size_t n_ids, cap_ids;
    sz_buf text;
    double surprisal, entropy, variance; /* of tokens under their laws, nats and nats^2 */
    double token_entropy, token_variance, pool_entropy; /* of the latest law */
} sz_cover;

/* The session must have the logits after its prompt. Close in any case. */
sz_status sz_cover_open(const sz_runtime *rt, sz_session *session, sz_model *model,
                        const sz_cover_config *config, sz_cover *out);
void sz_cover_close(sz_cover *c);

/* Tells which tokens will be taken from now on; the array must live as long. */
void sz_cover_foresee(sz_cover *c, const int32_t *ids, size_t n);
sz_status sz_cover_law(sz_cover *c);
/* The token of a pool that the keyed draw chooses: an index below n. */
size_t sz_cover_choose(const sz_cover *c, size_t pool);
/* The pool with whose first token `bytes` begin; n_pools: none. */
size_t sz_cover_pool_of_bytes(const sz_cover *c, const char *bytes, size_t n);
/* The pool of a token; n_pools: it cannot be drawn. As tokens only. */
size_t sz_cover_pool_of_id(const sz_cover *c, int32_t id);
/* Makes token `index` part of the text. */
sz_status sz_cover_take(sz_cover *c, size_t index);

#endif
