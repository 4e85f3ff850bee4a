/* tiny_model.h: small random models with everything that a model file holds: hyperparameters,
 * weights, a byte-level BPE vocabulary and a chat template. For tests; the same configuration gives
 * the same file. */
#ifndef SZ_TESTS_TINY_MODEL_H
#define SZ_TESTS_TINY_MODEL_H

#include <szilard/unstable/gguf.h>

typedef struct tiny_model { /* a zero field takes the default in brackets */
    const char *arch;       /* llama, qwen2, qwen3 or gemma3 [llama] */
    uint64_t seed;          /* of the weights */
    sz_type type;           /* of the matrices [F32] */
    sz_type type_vocab;     /* of token_embd and output [type] */
    sz_type type_down;      /* of attn_v and ffn_down, as mixed files have it [type] */
    uint32_t n_layer;       /* [2; gemma3: 7, so that one layer sees everything] */
    uint32_t n_embd;        /* [64; types with blocks of 256: 256] */
    uint32_t n_head;        /* [4] */
    uint32_t n_head_kv;     /* [2] */
    uint32_t head_dim;      /* [n_embd / n_head] */
    uint32_t n_ff;          /* [96; types with blocks of 256: 512] */
    uint32_t n_ctx;         /* of training [256] */
    uint32_t n_vocab;       /* at least 279; the rest are control tokens [293] */
    uint32_t window;        /* of attention [none; gemma3: 16] */
    float rope_base;        /* [10000; gemma3: 1000000] */
    bool untied;            /* with an output.weight of its own */
    bool add_bos;
    const char *chat_template; /* [one in the manner of ChatML] */
    bool no_template;
    bool no_end; /* without names of control tokens: it generates without end */
} tiny_model;

enum { TINY_MODEL_PATH = 256 };

/* Errors: SZ_E_ARG where a type does not fit the widths. */
sz_status tiny_model_write(const tiny_model *config, const char *path);
/* The same into a new file in $TMPDIR or /tmp; the caller removes it. */
sz_status tiny_model_make(const tiny_model *config, char path[TINY_MODEL_PATH]);

#endif
