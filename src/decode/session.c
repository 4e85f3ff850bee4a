/* session.c: creating sessions, and the life of their sequences. */
#include "session.h"

#include <string.h>

/* One block holds a pass of the default chunk, so that its parts take turns in the same memory;
 * pages that no pass touches cost nothing. */
enum { SCRATCH_BYTES = 32 << 20 };
enum { DEFAULT_SEQUENCES = 8, MAX_SEQUENCES = 65536, MAX_CHUNK = 1 << 20 };
enum { SMALLEST_CHUNK = 64, LARGEST_CHUNK = 512 }; /* of those chosen here */
enum { MAX_CONTEXT = 1 << 27 }; /* positions for which angles are exact (sz_sincos) */

/* The smaller of the file's limit and what fits into half of the free memory. */
static uint32_t default_context(const sz_model *m, const sz_kv_shape *shape) {
    uint64_t fits = sz_memory_available() / 2 / sz_kv_block_bytes(shape) * SZ_KV_BLOCK;
    uint64_t context = m->h.n_ctx_train < MAX_CONTEXT ? m->h.n_ctx_train : MAX_CONTEXT;
    if (fits < context)
        context = fits < SZ_KV_BLOCK ? SZ_KV_BLOCK : fits;
    sz_runtime_log(m->rt, SZ_LOG_INFO,
                   "context: %llu tokens (the file allows %u, half of the free memory holds %llu)",
                   (unsigned long long)context, m->h.n_ctx_train, (unsigned long long)fits);
    return (uint32_t)context;
}

static uint32_t stated_context(const sz_model *m, uint32_t context) {
    if (context > m->h.n_ctx_train)
        sz_runtime_log(m->rt, SZ_LOG_WARN,
                       "context: %u tokens, more than the %u that the file allows", context,
                       m->h.n_ctx_train);
    return context;
}

/* As many tokens as their scratch stays below a twentieth of the file: a small model's prompt shall
 * not cost more memory than it is worth. */
static uint32_t default_chunk(const sz_model *m) {
    uint64_t floats = 6 * (uint64_t)m->h.n_embd + 2 * (uint64_t)m->h.n_ff;
    uint64_t tokens = sz_gguf_file_bytes(m->gguf) / 20 / (floats * sizeof(float));
    return tokens < SMALLEST_CHUNK  ? SMALLEST_CHUNK
           : tokens > LARGEST_CHUNK ? LARGEST_CHUNK
                                    : (uint32_t)tokens / SMALLEST_CHUNK * SMALLEST_CHUNK;
}

static sz_status check_config(const sz_session_config *c) {
    SZ_REQUIRE(c->n_sequences <= MAX_SEQUENCES, SZ_E_ARG, "%u sequences, at most %d are allowed",
               c->n_sequences, MAX_SEQUENCES);
    SZ_REQUIRE(c->context <= MAX_CONTEXT, SZ_E_ARG,
               "a context of %u tokens, at most %d are allowed", c->context, MAX_CONTEXT);
    SZ_REQUIRE(c->chunk <= MAX_CHUNK, SZ_E_ARG, "chunks of %u tokens, at most %d are allowed",
               c->chunk, MAX_CHUNK);
    SZ_REQUIRE(c->kv_type == SZ_KV_F16 || c->kv_type == SZ_KV_F32 || c->kv_type == SZ_KV_Q8_0,
               SZ_E_ARG, "unknown key-value type %d", (int)c->kv_type);
    return SZ_OK;
}

static sz_status allocate(sz_session *s, const sz_kv_shape *shape) {
    size_t vocab = s->model->h.n_vocab;
    SZ_TRY(sz_arena_new(SCRATCH_BYTES, &s->arena));
    SZ_TRY(sz_kv_new(sz_runtime_kernels(s->model->rt), shape, s->config.n_sequences,
                     s->config.context, &s->kv));
    s->sequences = sz_calloc(s->config.n_sequences, sizeof *s->sequences);
    s->candidate_id = sz_alloc(vocab * sizeof *s->candidate_id);
    s->candidate_logit = sz_alloc(vocab * sizeof(float));
    s->candidate_scratch = sz_alloc(vocab * sizeof(float));
    SZ_REQUIRE(s->sequences && s->candidate_id && s->candidate_logit && s->candidate_scratch,
               SZ_E_NOMEM, "no memory for a session");
    s->sequences[0].live = true;
    return SZ_OK;
}

sz_status sz_session_new(sz_model *model, const sz_session_config *config, sz_session **out) {
    SZ_REQUIRE(model && out, SZ_E_ARG, "sz_session_new: no model or no place for the session");
    SZ_REQUIRE(model->layers, SZ_E_STATE, "the model was opened without its weights");
    sz_session_config c = config ? *config : (sz_session_config){0};
    SZ_TRY(check_config(&c));
    const sz_hparams *h = &model->h;
    sz_kv_shape shape = {h->n_layer, h->n_head_kv, h->head_dim, c.kv_type};
    c.n_sequences = c.n_sequences ? c.n_sequences : DEFAULT_SEQUENCES;
    c.chunk = c.chunk ? c.chunk : default_chunk(model);
    c.context = c.context ? stated_context(model, c.context) : default_context(model, &shape);
    sz_session *s = sz_calloc(1, sizeof *s);
    SZ_REQUIRE(s, SZ_E_NOMEM, "no memory for a session");
    s->model = model;
    s->config = c;
    sz_status status = allocate(s, &shape);
    if (status != SZ_OK) {
        sz_session_free(s);
        return status;
    }
    *out = s;
    return SZ_OK;
}

void sz_session_free(sz_session *s) {
    if (!s)
        return;
    for (uint32_t i = 0; s->sequences && i < s->config.n_sequences; i++)
        sz_sequence_clear(&s->sequences[i]);
    sz_kv_free(s->kv);
    sz_arena_free(s->arena);
    sz_free(s->sequences);
    sz_free(s->candidate_id);
    sz_free(s->candidate_logit);
    sz_free(s->candidate_scratch);
    sz_free(s->joined_rows);
    sz_free(s->joined_stats);
    sz_free(s);
}

uint32_t sz_session_context(const sz_session *s) {
    return s->config.context;
}
uint32_t sz_session_chunk(const sz_session *s) {
    return s->config.chunk;
}
size_t sz_session_kv_bytes(const sz_session *s) {
    return sz_kv_bytes(s->kv);
}

void sz_session_set_tap(sz_session *s, sz_tap_fn tap, void *user) {
    s->tap = tap;
    s->tap_user = user;
}

void sz_session_set_meter(sz_session *s, sz_meter_fn meter, void *user) {
    s->meter = meter;
    s->meter_user = user;
}

sz_status sz_session_check(const sz_session *s, uint32_t seq) {
    SZ_REQUIRE(s, SZ_E_ARG, "no session");
    SZ_REQUIRE(seq < s->config.n_sequences && s->sequences[seq].live, SZ_E_ARG,
               "there is no sequence %u", seq);
    return SZ_OK;
}

uint32_t sz_session_length(const sz_session *s, uint32_t seq) {
    return seq < s->config.n_sequences ? sz_kv_length(s->kv, seq) : 0;
}

/* ---- Add, fork, drop, truncate --------------------------------------------------------------- */

static sz_status find_free(const sz_session *s, uint32_t *out) {
    uint32_t seq = 0;
    while (seq < s->config.n_sequences && s->sequences[seq].live)
        seq++;
    SZ_REQUIRE(seq < s->config.n_sequences, SZ_E_LIMIT, "all %u sequences are in use",
               s->config.n_sequences);
    *out = seq;
    return SZ_OK;
}

sz_status sz_session_add(sz_session *s, uint32_t *out) {
    uint32_t seq;
    SZ_TRY(find_free(s, &seq));
    s->sequences[seq].live = true;
    *out = seq;
    return SZ_OK;
}

/* A fork draws numbers of its own: its stream depends on its parent's, on how many forks the parent
 * had before and on where it branched, not on which numbers of sequences happen to be free. */
uint64_t sz_sequence_new_stream(sz_sequence *parent) {
    uint32_t mixed[4];
    sz_philox4x32(parent->stream, ++parent->n_forks, parent->n_records, mixed);
    return (uint64_t)mixed[0] << 32 | mixed[1];
}

sz_status sz_session_fork(sz_session *s, uint32_t seq, uint32_t *out) {
    uint32_t to;
    SZ_TRY(sz_session_check(s, seq));
    SZ_TRY(find_free(s, &to));
    sz_sequence *parent = &s->sequences[seq], *child = &s->sequences[to];
    sz_status status = sz_sequence_copy(parent, s->model->h.n_vocab, child);
    if (status == SZ_OK)
        status = sz_kv_fork(s->kv, seq, to);
    if (status != SZ_OK) {
        sz_sequence_clear(child);
        return status;
    }
    child->stream = sz_sequence_new_stream(parent);
    *out = to;
    return SZ_OK;
}

sz_status sz_session_drop(sz_session *s, uint32_t seq) {
    SZ_TRY(sz_session_check(s, seq));
    sz_kv_truncate(s->kv, seq, 0);
    sz_sequence_clear(&s->sequences[seq]);
    s->sequences[seq].live = seq == 0; /* sequence 0 always exists */
    return SZ_OK;
}

uint32_t sz_sequence_bound(const sz_session *s, uint32_t seq) {
    uint32_t base = sz_kv_base(s->kv, seq);
    const sz_follower *f = s->sequences[seq].follower;
    return f && f->bound > base ? f->bound : base;
}

sz_status sz_session_truncate(sz_session *s, uint32_t seq, uint32_t n_tokens) {
    SZ_TRY(sz_session_check(s, seq));
    sz_sequence *q = &s->sequences[seq];
    uint32_t length = sz_kv_length(s->kv, seq);
    SZ_REQUIRE(n_tokens <= length, SZ_E_ARG, "sequence %u has %u tokens, not %u", seq, length,
               n_tokens);
    uint32_t base = sz_sequence_bound(s, seq);
    SZ_REQUIRE(n_tokens == 0 || n_tokens >= base, SZ_E_STATE,
               "sequence %u has forgotten some of its first %u tokens: it can be cut to that many, "
               "or emptied, not to %u",
               seq, base, n_tokens);
    if (n_tokens == length)
        return SZ_OK;
    sz_kv_truncate(s->kv, seq, n_tokens);
    sz_sequence_cut(q, n_tokens);
    if (n_tokens == 0) {
        sz_follower_free(q->follower);
        q->follower = NULL;
    }
    return SZ_OK;
}

/* ---- The sampler of a sequence --------------------------------------------------------------- */

sz_status sz_session_set_chain(sz_session *s, uint32_t seq, sz_chain *chain, uint64_t seed) {
    sz_status status = sz_session_check(s, seq);
    if (status != SZ_OK) {
        sz_chain_free(chain);
        return status;
    }
    sz_sequence *q = &s->sequences[seq];
    sz_chain_free(q->chain);
    q->chain = chain;
    q->seed = seed;
    q->stream = q->n_forks = 0;
    return SZ_OK;
}

sz_status sz_session_set_sampler(sz_session *s, uint32_t seq, const char *text, uint64_t seed) {
    sz_chain *chain = NULL;
    if (text)
        SZ_TRY(sz_chain_parse(text, &chain));
    return sz_session_set_chain(s, seq, chain, seed);
}

const sz_chain *sz_session_chain(const sz_session *s, uint32_t seq) {
    return sz_session_check(s, seq) == SZ_OK ? s->sequences[seq].chain : NULL;
}
