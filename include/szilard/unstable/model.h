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

/* ---- Part of a model ---------------------------------------------------------------------------
 */

/* Layers [first, last) on their own, over a cache of theirs: the layers of one model may so lie in
 * several processes or machines, and what goes between them are hidden states. Split anywhere, the
 * bits are those of the whole. The model must live as long. SZ_E_ARG for an empty or impossible
 * range. Used by one thread at a time. */
typedef struct sz_layers sz_layers;
SZ_API sz_status sz_layers_new(sz_model *model, uint32_t first, uint32_t last, uint32_t context,
                               sz_kv_type kv_type, sz_layers **out);
SZ_API void sz_layers_free(sz_layers *l);
/* in, out [n][n_embd], which may be the same: the next n tokens of one sequence. SZ_E_LIMIT beyond
 * the context; after a failure the length is as before. */
SZ_API sz_status sz_layers_forward(sz_layers *l, const float *in, size_t n, float *out);
SZ_API uint32_t sz_layers_length(const sz_layers *l);
SZ_API sz_status sz_layers_truncate(sz_layers *l, uint32_t n_tokens);
/* Before the first layer: out [n][n_embd]. After the last one: logits [n][n_vocab]. */
SZ_API sz_status sz_model_embed(sz_model *model, const int32_t *ids, size_t n, float *out);
SZ_API sz_status sz_model_logits(sz_model *model, const float *hidden, size_t n, float *logits);

/* Statistics of row `row` of the latest forward, as sz_session_logits; NULL if there is none. */
SZ_API const sz_logit_stats *sz_session_stats(const sz_session *s, size_t row);

#endif
