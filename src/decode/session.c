/* session.c: creating sessions, and the life of their sequences. */
#include "session.h"

#include <string.h>

enum { DEFAULT_SEQUENCES = 8, DEFAULT_CHUNK = 512, MAX_SEQUENCES = 65536 };

/* The smaller of the file's limit and what fits into half of the free memory. */
static uint32_t default_context(const sz_model *m, const sz_kv_shape *shape) {
    uint64_t blocks = sz_memory_available() / 2 / sz_kv_block_bytes(shape);
    uint64_t fits = blocks * SZ_KV_BLOCK;
    uint32_t context = m->h.n_ctx_train;
    if (fits < context)
        context = fits < SZ_KV_BLOCK ? SZ_KV_BLOCK : (uint32_t)fits;
    sz_runtime_log(m->rt, SZ_LOG_INFO, "context: %u tokens (the file allows %u, memory %llu)",
                   context, m->h.n_ctx_train, (unsigned long long)fits);
    return context;
}

static sz_status check_config(const sz_session_config *c) {
    SZ_REQUIRE(c->n_sequences <= MAX_SEQUENCES, SZ_E_ARG, "%u sequences, at most %d are allowed",
               c->n_sequences, MAX_SEQUENCES);
    SZ_REQUIRE(c->context <= 1u << 30, SZ_E_ARG, "a context of %u tokens is too long", c->context);
    SZ_REQUIRE(c->kv_type == SZ_KV_F16 || c->kv_type == SZ_KV_F32 || c->kv_type == SZ_KV_Q8_0,
               SZ_E_ARG, "unknown key-value type %d", (int)c->kv_type);
    return SZ_OK;
}

static sz_status allocate(sz_session *s, const sz_kv_shape *shape) {
    size_t vocab = s->model->h.n_vocab;
    SZ_TRY(sz_arena_new(1 << 20, &s->arena));
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
    SZ_REQUIRE(model->layers, SZ_E_STATE, "the model was opened without its weights");
    sz_session_config c = config ? *config : (sz_session_config){0};
    SZ_TRY(check_config(&c));
    const sz_hparams *h = &model->h;
    sz_kv_shape shape = {h->n_layer, h->n_head_kv, h->head_dim, c.kv_type};
    c.n_sequences = c.n_sequences ? c.n_sequences : DEFAULT_SEQUENCES;
    c.chunk = c.chunk ? c.chunk : DEFAULT_CHUNK;
    c.context = c.context ? c.context : default_context(model, &shape);
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

static void clear_sequence(sz_sequence *q) {
    sz_chain_free(q->chain);
    sz_free(q->records);
    sz_free(q->logits);
    sz_buf_free(&q->text);
    sz_buf_free(&q->shown);
    *q = (sz_sequence){0};
}

void sz_session_free(sz_session *s) {
    if (!s)
        return;
    for (uint32_t i = 0; s->sequences && i < s->config.n_sequences; i++)
        clear_sequence(&s->sequences[i]);
    sz_kv_free(s->kv);
    sz_arena_free(s->arena);
    sz_free(s->sequences);
    sz_free(s->candidate_id);
    sz_free(s->candidate_logit);
    sz_free(s->candidate_scratch);
    sz_free(s);
}

uint32_t sz_session_context(const sz_session *s) { return s->config.context; }
size_t sz_session_kv_bytes(const sz_session *s) { return sz_kv_bytes(s->kv); }

void sz_session_set_tap(sz_session *s, sz_tap_fn tap, void *user) {
    s->tap = tap;
    s->tap_user = user;
}

sz_status sz_session_check(const sz_session *s, uint32_t seq) {
    SZ_REQUIRE(seq < s->config.n_sequences && s->sequences[seq].live, SZ_E_ARG,
               "there is no sequence %u", seq);
    return SZ_OK;
}

uint32_t sz_session_length(const sz_session *s, uint32_t seq) {
    return seq < s->config.n_sequences ? sz_kv_length(s->kv, seq) : 0;
}

/* ---- Fork, drop, truncate ------------------------------------------------------------------------ */

static sz_status copy_sequence(const sz_session *s, const sz_sequence *from, sz_sequence *to) {
    size_t bytes = s->model->h.n_vocab * sizeof(float);
    to->live = true;
    to->seed = from->seed;
    if (from->chain)
        SZ_TRY(sz_chain_clone(from->chain, &to->chain));
    if (from->n_records) {
        to->records = sz_alloc(from->n_records * sizeof *to->records);
        SZ_REQUIRE(to->records, SZ_E_NOMEM, "no memory for %zu records", from->n_records);
        memcpy(to->records, from->records, from->n_records * sizeof *to->records);
        to->n_records = to->cap_records = from->n_records;
    }
    if (from->has_logits) {
        to->logits = sz_alloc(bytes);
        SZ_REQUIRE(to->logits, SZ_E_NOMEM, "no memory for a row of logits");
        memcpy(to->logits, from->logits, bytes);
        to->has_logits = true;
        to->stats = from->stats;
    }
    return SZ_OK;
}

sz_status sz_session_fork(sz_session *s, uint32_t seq, uint32_t *out) {
    SZ_TRY(sz_session_check(s, seq));
    uint32_t to = 0;
    while (to < s->config.n_sequences && s->sequences[to].live)
        to++;
    SZ_REQUIRE(to < s->config.n_sequences, SZ_E_LIMIT, "all %u sequences are in use",
               s->config.n_sequences);
    sz_status status = copy_sequence(s, &s->sequences[seq], &s->sequences[to]);
    if (status == SZ_OK)
        status = sz_kv_fork(s->kv, seq, to);
    if (status != SZ_OK) {
        clear_sequence(&s->sequences[to]);
        return status;
    }
    /* The fork draws its own numbers: a stream made from its parent's and where it branched. */
    uint32_t mixed[4];
    sz_philox4x32(s->sequences[seq].stream, to, sz_kv_length(s->kv, seq), mixed);
    s->sequences[to].stream = (uint64_t)mixed[0] << 32 | mixed[1];
    *out = to;
    return SZ_OK;
}

sz_status sz_session_drop(sz_session *s, uint32_t seq) {
    SZ_TRY(sz_session_check(s, seq));
    sz_kv_truncate(s->kv, seq, 0);
    clear_sequence(&s->sequences[seq]);
    s->sequences[seq].live = seq == 0; /* sequence 0 always exists */
    return SZ_OK;
}

sz_status sz_session_truncate(sz_session *s, uint32_t seq, uint32_t n_tokens) {
    SZ_TRY(sz_session_check(s, seq));
    sz_sequence *q = &s->sequences[seq];
    SZ_REQUIRE(n_tokens <= sz_kv_length(s->kv, seq), SZ_E_ARG,
               "sequence %u has %u tokens, not %u", seq, sz_kv_length(s->kv, seq), n_tokens);
    if (n_tokens < sz_kv_length(s->kv, seq))
        q->has_logits = false; /* they belong to a token that is gone */
    sz_kv_truncate(s->kv, seq, n_tokens);
    q->n_records = n_tokens < q->n_records ? n_tokens : q->n_records;
    sz_buf_clear(&q->text);
    return SZ_OK;
}

sz_status sz_session_set_sampler(sz_session *s, uint32_t seq, const char *chain, uint64_t seed) {
    SZ_TRY(sz_session_check(s, seq));
    sz_chain *parsed;
    SZ_TRY(sz_chain_parse(chain, &parsed));
    sz_chain_free(s->sequences[seq].chain);
    s->sequences[seq].chain = parsed;
    s->sequences[seq].seed = seed;
    return SZ_OK;
}

sz_status sz_session_records(const sz_session *s, uint32_t seq, const sz_token **out, size_t *n) {
    SZ_TRY(sz_session_check(s, seq));
    *out = s->sequences[seq].records;
    *n = s->sequences[seq].n_records;
    return SZ_OK;
}

const char *sz_session_text(sz_session *s, uint32_t seq) {
    if (sz_session_check(s, seq) != SZ_OK)
        return "";
    sz_sequence *q = &s->sequences[seq];
    sz_buf_clear(&q->shown);
    size_t n = q->text.len ? sz_utf8_complete(q->text.data, q->text.len) : 0;
    if (n == 0)
        return "";
    sz_buf_append(&q->shown, q->text.data, n);
    memmove(q->text.data, q->text.data + n, q->text.len - n);
    q->text.len -= n;
    return q->shown.data ? q->shown.data : "";
}
