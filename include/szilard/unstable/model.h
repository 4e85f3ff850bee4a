/* model.h: what a model shows beyond szilard.h: its parts, and taps into its layers. */
#ifndef SZILARD_MODEL_H
#define SZILARD_MODEL_H

#include <szilard/unstable/gguf.h>
#include <szilard/unstable/info.h>
#include <szilard/unstable/num.h>
#include <szilard/unstable/template.h>
#include <szilard/unstable/tokenizer.h>

/* Borrowed from the model. The template is NULL if the file has none. */
SZ_API const sz_gguf *sz_model_gguf(const sz_model *model);
SZ_API const sz_tokenizer *sz_model_tokenizer(const sz_model *model);
SZ_API const sz_template *sz_model_template(const sz_model *model);

/* Values inside a pass, [n_rows][n_cols] f32; a row per token, in the order of the spans. */
typedef enum sz_tap_kind {
    SZ_TAP_HIDDEN,    /* output of a layer, [n][n_embd] */
    SZ_TAP_QUERY,     /* after rope and norms, [n][n_head * head_dim] */
    SZ_TAP_KEY,       /* after rope and norms, [n][n_head_kv * head_dim] */
    SZ_TAP_VALUE,     /* [n][n_head_kv * head_dim] */
    SZ_TAP_ATTENTION, /* probabilities, row n_head * token + head; a column per position, up to the
                         multiple of 64 that holds the longest sequence; 0 where not seen */
} sz_tap_kind;
/* Called on the thread that runs the pass, first with data NULL to ask whether this kind of this
 * layer is wanted (what is not wanted is not computed), then, if so, with the data, borrowed for
 * the call. What it returns then does not matter. */
typedef bool (*sz_tap_fn)(void *user, sz_tap_kind kind, uint32_t layer, const float *data,
                          size_t n_rows, size_t n_cols);
SZ_API void sz_session_set_tap(sz_session *s, sz_tap_fn tap, void *user); /* NULL: none */

/* As sz_session_forward with one span, with embeddings [n][n_embd] in place of ids, as they enter
 * the first layer (of Gemma: already scaled). Their records have the id -1. */
SZ_API sz_status sz_session_forward_embeddings(sz_session *s, uint32_t seq, const float *embeddings,
                                               uint32_t n, sz_want want);
/* Bytes that the session's key-value cache holds now. */
SZ_API size_t sz_session_kv_bytes(const sz_session *s);
/* Tokens computed per pass of a long prompt. */
SZ_API uint32_t sz_session_chunk(const sz_session *s);

/* Statistics of row `row` of the latest forward, as sz_session_logits; NULL if there is none. */
SZ_API const sz_logit_stats *sz_session_stats(const sz_session *s, size_t row);

#endif
