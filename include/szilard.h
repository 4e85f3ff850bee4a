/* szilard.h: the stable face of Szilard. Opaque handles, sized configs, sz_status everywhere.
 *
 * Conventions. Every fallible function returns sz_status and explains a failure in
 * sz_last_error(). Out-parameters come last and are written only on success. A config may be NULL
 * or zeroed for defaults; set its `size` to sizeof to use fields added in later versions.
 * Information is in nats. Handles are created by _new/_open and released by _free/_close, which
 * accept NULL. Everything below src/num is deterministic: the same input gives the same bits for
 * every thread count, batch shape and instruction set (docs/bits.md).
 */
#ifndef SZILARD_H
#define SZILARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SZ_API          __attribute__((visibility("default")))
#define SZ_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define SZ_API
#define SZ_PRINTF(f, a)
#endif

#define SZ_VERSION_MAJOR 0
#define SZ_VERSION_MINOR 1
#define SZ_VERSION_PATCH 0

/* ---- Status ----------------------------------------------------------------------------- */

typedef enum sz_status {
    SZ_OK = 0,
    SZ_END = 1, /* nothing more to come; not an error */

    SZ_E_ARG = 10,   /* an argument is out of its documented range */
    SZ_E_STATE = 11, /* the call does not fit the object's state */
    SZ_E_NOMEM = 20, /* allocation failed */
    SZ_E_LIMIT = 21, /* a documented bound (size, depth, steps, context) was reached */
    SZ_E_CANCELLED = 22,
    SZ_E_FORMAT = 30,      /* a file or text does not follow its format */
    SZ_E_UNSUPPORTED = 31, /* well-formed, but not something this build can use */
    SZ_E_NAN = 40,         /* a NaN or infinity where a finite number is needed */
    SZ_E_IO = 60,          /* the operating system refused; errno is in the message */
    SZ_E_NOTFOUND = 61,
    SZ_E_NETWORK = 62,
} sz_status;

/* The reason of this thread's latest failure; "" if there was none. Valid until the next failure.
 */
SZ_API const char *sz_last_error(void);
SZ_API const char *sz_status_name(sz_status status);
SZ_API const char *sz_version(void);

/* ---- Runtime: thread pool, instruction set, log ------------------------------------------- */

typedef struct sz_runtime sz_runtime;
typedef enum sz_log_level { SZ_LOG_ERROR, SZ_LOG_WARN, SZ_LOG_INFO, SZ_LOG_DEBUG } sz_log_level;
typedef void (*sz_log_fn)(void *user, sz_log_level level, const char *message);

typedef struct sz_runtime_config {
    size_t size;
    int n_threads;   /* 0: chosen by a short measurement, within cgroup and affinity limits */
    const char *isa; /* NULL: $SZILARD_ISA, else the best: portable|avx2|avxvnni|avx512|neon */
    sz_log_fn log;   /* NULL: silent */
    void *log_user;
} sz_runtime_config;

SZ_API sz_status sz_runtime_new(const sz_runtime_config *config, sz_runtime **out);
SZ_API void sz_runtime_free(sz_runtime *rt); /* after everything made from it */
SZ_API int sz_runtime_threads(const sz_runtime *rt);
SZ_API const char *sz_runtime_isa(const sz_runtime *rt);

/* Asks the runtime's running and future calls to return SZ_E_CANCELLED at the next token boundary.
 * Async-signal-safe. sz_runtime_resume withdraws the request. */
SZ_API void sz_runtime_cancel(sz_runtime *rt);
SZ_API void sz_runtime_resume(sz_runtime *rt);

/* ---- Model: immutable, shared by any number of sessions ------------------------------------ */

typedef struct sz_model sz_model;

typedef struct sz_model_config {
    size_t size;
    bool vocab_only; /* tokenizer and metadata; no weights */
} sz_model_config;

typedef struct sz_model_info {
    const char *architecture, *name, *file_type; /* borrowed from the model; "" if unknown */
    uint64_t file_bytes;                         /* of the whole file */
    uint64_t weight_bytes;                       /* tensors as stored in the file */
    uint64_t panel_bytes;                        /* repacked copies held in memory */
    uint64_t n_params;
    uint32_t n_layer, n_embd, n_head, n_head_kv, n_ff, n_vocab, n_ctx_train;
    int32_t bos, eos, eot; /* -1: the file names none */
    bool add_bos;
} sz_model_info;

/* path: a GGUF file. The file must not be changed while the model is open. */
SZ_API sz_status sz_model_open(sz_runtime *rt, const char *path, const sz_model_config *config,
                               sz_model **out);
SZ_API void sz_model_close(sz_model *model);
SZ_API void sz_model_get_info(const sz_model *model, sz_model_info *out);

/* The bytes that token `id` adds to a text, NUL-terminated, borrowed from the model. They may be
 * part of a UTF-8 character; sz_session_text holds such bytes back. NULL if id is out of range. */
SZ_API const char *sz_model_piece(const sz_model *model, int32_t id);
SZ_API bool sz_model_is_end(const sz_model *model, int32_t id); /* an end-of-generation token */

/* text -> ids. special: parse control tokens in the text and add begin-of-text where the file asks
 * for it. ids may be NULL with cap 0 to count. SZ_E_LIMIT if cap is too small; *n_ids is then the
 * number needed. */
SZ_API sz_status sz_model_tokenize(const sz_model *model, const char *text, size_t n_text,
                                   bool special, int32_t *ids, size_t cap, size_t *n_ids);
/* ids -> bytes (not NUL-terminated). Same protocol for cap. special: print control tokens too. */
SZ_API sz_status sz_model_detokenize(const sz_model *model, const int32_t *ids, size_t n_ids,
                                     bool special, char *text, size_t cap, size_t *n_text);

/* Renders the file's chat template. messages_json: a JSON array of {"role", "content", ...};
 * tools_json: a JSON array or NULL; extra_json: an object of further template variables or NULL.
 * *out is NUL-terminated; release it with sz_string_free. SZ_E_NOTFOUND: no template in the file.
 */
SZ_API sz_status sz_model_render_chat(const sz_model *model, const char *messages_json,
                                      const char *tools_json, const char *extra_json,
                                      bool add_generation_prompt, char **out);
SZ_API void sz_string_free(char *string);

/* ---- The token record: the spine of the engine --------------------------------------------- */

enum sz_token_flags {
    SZ_TOKEN_PROMPT = 1,    /* given, not generated */
    SZ_TOKEN_GENERATED = 2, /* drawn by a sampler */
    SZ_TOKEN_FIRST = 4,     /* has no predecessor: no distribution that it was drawn from */
};

/* 40 bytes. surprisal, entropy [nats] and varentropy [nats^2] are those of the model's own
 * distribution that this token was drawn from: raw logits, T = 1, the whole vocabulary; NaN where
 * that was not computed. draw_* and kept_* are of the distribution that was really sampled from:
 * NaN and 0 where the token was given. */
typedef struct sz_token {
    int32_t id; /* -1: an embedding stood in place of a token */
    uint32_t flags;
    float surprisal, entropy, varentropy;
    float draw_surprisal, draw_entropy;
    float kept_mass; /* model probability of the candidates that the samplers kept */
    uint32_t kept_n;
    uint16_t model, route; /* indices into the session's tables */
} sz_token;

/* ---- Session: sequences over one model; one thread at a time -------------------------------- */

typedef struct sz_session sz_session;
typedef enum sz_kv_type { SZ_KV_F16, SZ_KV_F32, SZ_KV_Q8_0 } sz_kv_type;

typedef struct sz_session_config {
    size_t size;
    uint32_t context; /* tokens per sequence; 0: the smaller of the file's limit and what half of
                         the free memory holds, told to the log */
    uint32_t n_sequences; /* most sequences at once; 0: 8 */
    uint32_t chunk;       /* tokens computed per pass of a long prompt; 0: up to 512 */
    sz_kv_type kv_type;
    bool score_prompts; /* prompts are computed with SZ_SCORE, so that their records are complete */
} sz_session_config;

SZ_API sz_status sz_session_new(sz_model *model, const sz_session_config *config, sz_session **out);
SZ_API void sz_session_free(sz_session *s);
SZ_API uint32_t sz_session_context(const sz_session *s);

/* Sequences are numbers below n_sequences; sequence 0 exists from the start, empty. add gives an
 * empty one. fork gives one with the same tokens (memory is shared until one of the two writes) and
 * the same sampler in the same state, which draws random numbers of its own. SZ_E_LIMIT: all are in
 * use. drop gives a sequence's number and memory back; sequence 0 becomes empty instead. */
SZ_API sz_status sz_session_add(sz_session *s, uint32_t *out);
SZ_API sz_status sz_session_fork(sz_session *s, uint32_t seq, uint32_t *out);
SZ_API sz_status sz_session_drop(sz_session *s, uint32_t seq);
/* Forgets all tokens but the first n_tokens. A sampler with memory of its own keeps it. */
SZ_API sz_status sz_session_truncate(sz_session *s, uint32_t seq, uint32_t n_tokens);
SZ_API uint32_t sz_session_length(const sz_session *s, uint32_t seq);

/* A chain such as "top-k 40, temperature 0.8"; see `szilard run --help` for the names. NULL:
 * greedy, which is how sequences start; "": the model's own distribution. What is drawn at a
 * position depends on the seed and on the tokens before it, on nothing else that runs. */
SZ_API sz_status sz_session_set_sampler(sz_session *s, uint32_t seq, const char *chain,
                                        uint64_t seed);

/* Appends text (control tokens parsed, begin-of-text added at position 0 where the file asks) or
 * ids to a sequence and computes them, chunk by chunk: after an error, SZ_E_CANCELLED included, the
 * sequence holds the chunks that were complete (sz_session_length). */
SZ_API sz_status sz_session_prompt(sz_session *s, uint32_t seq, const char *text);
SZ_API sz_status sz_session_prompt_ids(sz_session *s, uint32_t seq, const int32_t *ids, size_t n);
/* Makes a sequence hold exactly these ids: its longest common prefix with them stays, *n_kept
 * tokens (may be NULL), the rest is computed. For conversations whose text grew or lost old turns.
 */
SZ_API sz_status sz_session_sync(sz_session *s, uint32_t seq, const int32_t *ids, size_t n,
                                 size_t *n_kept);

/* Draws the next token of a sequence, appends it and fills its record. SZ_END: an end-of-generation
 * token was drawn; *out tells of it, the sequence stays without it and may go on. SZ_E_LIMIT: the
 * context is full; the sequence stays usable after sz_session_truncate. */
SZ_API sz_status sz_session_next(sz_session *s, uint32_t seq, sz_token *out);

/* The records of a sequence, one per token, prompt included: *out borrowed until the sequence
 * changes. */
SZ_API sz_status sz_session_records(const sz_session *s, uint32_t seq, const sz_token **out,
                                    size_t *n);
/* The text of the tokens generated since the last call, whole UTF-8 characters only; borrowed
 * until the next call on this session. "" if there is nothing to show yet. */
SZ_API const char *sz_session_text(sz_session *s, uint32_t seq);

/* Several sequences in one pass, each in one span at most; all of it happens or, on an error,
 * nothing. want: for which tokens the distribution after them is computed. */
typedef enum sz_want {
    SZ_NONE,
    SZ_LAST,  /* after the last token of the span; its logits are kept */
    SZ_ALL,   /* after every token; all logits are kept, and the span's records are complete */
    SZ_SCORE, /* complete records, as SZ_ALL; the logits of the last token are kept, as SZ_LAST */
} sz_want;
typedef struct sz_span {
    uint32_t seq;
    const int32_t *ids; /* [n] */
    uint32_t n;
    sz_want want;
} sz_span;
SZ_API sz_status sz_session_forward(sz_session *s, const sz_span *spans, size_t n_spans);
/* Logits of row `row` of the latest forward, [n_vocab]; rows are numbered over the spans in order,
 * one per token whose logits are kept. Borrowed until the next pass; NULL if there is no such row.
 */
SZ_API const float *sz_session_logits(const sz_session *s, size_t row);

#ifdef __cplusplus
}
#endif
#endif
