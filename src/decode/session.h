/* session.h: the state of a session: sequences over one model. */
#ifndef SZ_DECODE_SESSION_H
#define SZ_DECODE_SESSION_H

#include <szilard/unstable/sampler.h>

#include "model/model.h"

/* Who follows a sequence: it sees the queries of its tokens, and acts between two of them, where
 * the sequence has `due` tokens and another one is to come. Passes are cut there. */
typedef struct sz_follower sz_follower;
typedef struct sz_follower_kind {
    /* q [n_head * head_dim], after rope. */
    void (*see)(sz_follower *f, uint32_t layer, uint32_t position, const float *q);
    sz_status (*act)(sz_follower *f, sz_session *s, uint32_t seq); /* moves `due` on */
    sz_status (*clone)(const sz_follower *f, sz_follower **out);
    void (*free)(sz_follower *f);
} sz_follower_kind;
struct sz_follower {
    const sz_follower_kind *kind;
    uint32_t due;
    uint32_t bound; /* the sequence cannot be cut to fewer tokens, but for none */
};

/* Invariant between calls: as many records as the cache holds tokens. */
typedef struct sz_sequence {
    bool live;
    uint64_t seed, stream, n_forks; /* a fork's stream is made from its parent's */
    sz_chain *chain;                /* NULL: greedy */
    sz_token *records;
    size_t n_records, cap_records;
    float *logits; /* [n_vocab] after the last token; valid if has_logits */
    sz_logit_stats stats;
    bool has_logits;
    size_t n_told;         /* records whose bytes have gone into `text` */
    sz_buf text;           /* bytes that wait for the rest of their character */
    sz_buf shown;          /* what the latest sz_session_text returned */
    sz_follower *follower; /* owned; NULL: none */
} sz_sequence;

struct sz_session {
    sz_model *model;
    sz_kv *kv;
    sz_arena *arena; /* one pass */
    sz_session_config config;
    sz_sequence *sequences;
    sz_tap_fn tap;
    void *tap_user;
    sz_meter_fn meter;
    void *meter_user;
    const float *rows; /* [n_rows][n_vocab] of the latest pass */
    sz_logit_stats *row_stats;
    size_t n_rows;
    float *joined_rows; /* of passes that were cut; NULL where none was */
    sz_logit_stats *joined_stats;
    int32_t *candidate_id; /* [n_vocab], and two rows of floats, for drawing */
    float *candidate_logit, *candidate_scratch;
};

/* The first length to which a sequence can be cut, but for 0. */
uint32_t sz_sequence_bound(const sz_session *s, uint32_t seq);

/* One pass as it is, or in pieces where followers act within its spans (follow.c). */
sz_status sz_follow_forward(sz_session *s, const sz_span *spans, size_t n_spans,
                            const float *embeddings);
/* The followers of the spans' sequences act where they are due. */
sz_status sz_follow_act(sz_session *s, const sz_span *spans, size_t n_spans);
/* A tap that shows a pass's queries to the followers of its sequences, and then all else to the
 * session's own tap. sz_follow_any: one of them has a follower. */
typedef struct sz_follow_tap {
    sz_session *s;
    size_t n;
    const uint32_t *seq, *position;
} sz_follow_tap;
bool sz_follow_any(const sz_follow_tap *t);
bool sz_follow_look(void *tap, sz_tap_kind kind, uint32_t layer, const float *data, size_t n_rows,
                    size_t n_cols);
void sz_follower_free(sz_follower *f);

sz_status sz_session_check(const sz_session *s, uint32_t seq);

/* One pass over new tokens: all of it happens or nothing. Optional: `embeddings` stand for the ids
 * of the only span; `drawn` are the records of spans of one token each, with flags 0 for a span
 * whose tokens were given. */
sz_status sz_session_pass(sz_session *s, const sz_span *spans, size_t n_spans,
                          const float *embeddings, const sz_token *drawn);
/* Gives a sequence that has tokens the logits after its last one, computing that token again if
 * they are not at hand (a truncated sequence, or one computed with SZ_NONE). */
sz_status sz_session_need_logits(sz_session *s, uint32_t seq);

/* Draws from the sequence's logits; changes neither the sequence nor the samplers. */
sz_status sz_session_draw(sz_session *s, sz_sequence *q, sz_token *out);

/* Room for n more records, and then one of them. */
sz_status sz_sequence_reserve(sz_sequence *q, size_t n);
void sz_sequence_record(sz_sequence *q, const sz_token *record);
/* The record of a token that was given, without figures. */
sz_token sz_token_given(int32_t id, bool first);
/* Forgets all records but the first ones. */
void sz_sequence_cut(sz_sequence *q, size_t n_records);
/* sz_session_text of a sequence. */
const char *sz_sequence_text(sz_sequence *q, const sz_tokenizer *t);
void sz_sequence_clear(sz_sequence *q);
/* A stream of random numbers that nothing else draws from, for a fork or for who draws beside it.
 */
uint64_t sz_sequence_new_stream(sz_sequence *parent);
/* to: empty. All but the cache and the random stream. */
sz_status sz_sequence_copy(const sz_sequence *from, size_t n_vocab, sz_sequence *to);

#endif
