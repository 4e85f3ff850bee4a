/* keep.c: carrying a plan out in a sequence's cache, and what that costs. */
#include "policy.h"
#include "watch.h"

static sz_status check_head(const sz_kv_plan *p, size_t i) {
    size_t from = p->first[i], to = p->first[i + 1];
    bool good = from <= to && to - from <= p->length;
    for (size_t j = from; good && j < to; j++)
        good = p->position[j] < p->length && (j == from || p->position[j] > p->position[j - 1]);
    SZ_REQUIRE(good, SZ_E_ARG,
               "the plan's positions for layer %zu, head %zu are not rising below %u",
               i / p->n_head, i % p->n_head, p->length);
    return SZ_OK;
}

static sz_status check_plan(const sz_session *s, uint32_t seq, const sz_kv_plan *p) {
    const sz_hparams *h = &s->model->h;
    uint32_t length = sz_session_length(s, seq);
    SZ_REQUIRE(p && p->first && p->position && p->n_layer == h->n_layer &&
                   p->n_head == h->n_head_kv && p->first[0] == 0,
               SZ_E_ARG, "the plan is not for a model of %u layers with %u cached heads",
               h->n_layer, h->n_head_kv);
    SZ_REQUIRE(p->length == length, SZ_E_ARG, "the plan is for %u tokens, sequence %u has %u",
               p->length, seq, length);
    for (size_t i = 0; i < (size_t)p->n_layer * p->n_head; i++)
        SZ_TRY(check_head(p, i));
    return SZ_OK;
}

sz_status sz_session_keep(sz_session *s, uint32_t seq, const sz_kv_plan *plan) {
    SZ_TRY(sz_session_check(s, seq));
    SZ_TRY(check_plan(s, seq, plan));
    size_t n = (size_t)plan->n_layer * plan->n_head;
    if (plan->first[n] == n * plan->length)
        return SZ_OK;
    SZ_REQUIRE(sz_kv_base(s->kv, seq) == 0, SZ_E_STATE,
               "sequence %u has forgotten some of its tokens already", seq);
    return sz_kv_keep(s->kv, seq, plan->first, plan->position);
}

static sz_kv_account count(const sz_kv_plan *plan) {
    size_t n = (size_t)plan->n_layer * plan->n_head;
    sz_kv_account a = {.length = plan->length,
                       .least = plan->length,
                       .n_kept = plan->first[n],
                       .n_full = (uint64_t)n * plan->length};
    for (size_t i = 0; i < n; i++) {
        uint32_t kept = (uint32_t)(plan->first[i + 1] - plan->first[i]);
        a.least = kept < a.least ? kept : a.least;
        a.most = kept > a.most ? kept : a.most;
    }
    return a;
}

/* What must be observed: where the whole prompt stays, only what a later forgetting needs. */
static unsigned needs_now(const sz_session *s, uint32_t seq, const sz_kv_policy *policy, size_t n) {
    unsigned needs = sz_kv_policy_needs(policy);
    if (policy->kind->score && n > policy->values[SZ_KV_BUDGET])
        return needs;
    return s->sequences[seq].follower ? needs & ~(unsigned)SZ_KV_NEEDS_RECENT_MASS : 0;
}

static sz_status prompt_kept(sz_session *s, uint32_t seq, const int32_t *ids, size_t n,
                             const sz_kv_policy *policy, sz_kv_account *out) {
    sz_kv_watch *w;
    sz_kv_plan plan = {0};
    sz_follower *f = s->sequences[seq].follower;
    SZ_TRY(sz_session_observe(s, seq, ids, n, needs_now(s, seq, policy, n),
                              sz_kv_policy_window(policy), &w));
    sz_status status = sz_kv_policy_plan(policy, sz_kv_watch_prompt(w), &plan);
    if (status == SZ_OK) {
        *out = count(&plan);
        out->bytes_full = sz_session_kv_bytes(s);
        status = sz_session_keep(s, seq, &plan);
        out->bytes_kept = sz_session_kv_bytes(s);
        out->n_rounds = out->n_kept < out->n_full;
    }
    if (status == SZ_OK && f)
        status = sz_kv_follow_begin(f, sz_kv_watch_prompt(w), &plan);
    sz_kv_plan_free(&plan);
    sz_kv_watch_free(w);
    return status;
}

sz_status sz_session_prompt_kept(sz_session *s, uint32_t seq, const int32_t *ids, size_t n,
                                 const sz_kv_policy *policy, sz_kv_account *out) {
    SZ_REQUIRE(policy && policy->kind, SZ_E_ARG, "no kv policy");
    SZ_TRY(sz_session_check(s, seq));
    if (policy->profile)
        SZ_TRY(sz_kv_profile_check(policy->profile, s->model));
    SZ_REQUIRE(sz_session_length(s, seq) == 0, SZ_E_STATE,
               "sequence %u has %u tokens: a policy looks at a prompt from its beginning", seq,
               sz_session_length(s, seq));
    sz_sequence *q = &s->sequences[seq];
    sz_kv_account account = {0};
    sz_follower_free(q->follower);
    q->follower = NULL;
    if (policy->kind->score && sz_kv_policy_every(policy))
        SZ_TRY(sz_kv_follow_new(s, policy, n, &q->follower));
    sz_status status = prompt_kept(s, seq, ids, n, policy, &account);
    if (status != SZ_OK) {
        sz_follower_free(q->follower);
        q->follower = NULL;
    } else if (out) {
        *out = account;
    }
    return status;
}

sz_status sz_session_kv_account(const sz_session *s, uint32_t seq, sz_kv_account *out) {
    SZ_TRY(sz_session_check(s, seq));
    SZ_REQUIRE(out, SZ_E_ARG, "sequence %u: no place for the account", seq);
    const sz_hparams *h = &s->model->h;
    uint32_t length = sz_session_length(s, seq);
    size_t blocks = (length + SZ_KV_BLOCK - 1) / SZ_KV_BLOCK, n = (size_t)h->n_layer * h->n_head_kv;
    sz_kv_shape shape = {h->n_layer, h->n_head_kv, h->head_dim, s->config.kv_type};
    *out = (sz_kv_account){.length = length,
                           .least = length,
                           .n_rounds = sz_kv_follow_rounds(s->sequences[seq].follower),
                           .n_full = n * length,
                           .bytes_kept = sz_kv_sequence_bytes(s->kv, seq),
                           .bytes_full = blocks * sz_kv_block_bytes(&shape)};
    for (size_t i = 0; i < n; i++) {
        const uint32_t *kept;
        uint32_t n_kept, places = sz_kv_places(s->kv, seq, (uint32_t)(i / h->n_head_kv),
                                               (uint32_t)(i % h->n_head_kv), &kept, &n_kept);
        out->n_kept += places;
        out->least = places < out->least ? places : out->least;
        out->most = places > out->most ? places : out->most;
    }
    return SZ_OK;
}

/* ---- What it costs --------------------------------------------------------------------------- */

enum { LOSS_ROWS = 16 }; /* of both, in memory at once */

static double surprisal(const sz_session *s, size_t row, int32_t id) {
    return sz_session_stats(s, row)->log_sum_exp - (double)sz_session_logits(s, row)[id];
}

/* n tokens through both, in one pass; next: what follows, NULL at the end. A single token needs no
 * logits from before, which a sequence that was cut does not have. */
static sz_status compare(sz_session *s, uint32_t full, uint32_t kept, const int32_t *ids, size_t n,
                         const int32_t *next, sz_kv_loss *loss) {
    sz_want want = n > 1 ? SZ_ALL : SZ_LAST;
    sz_span spans[] = {{full, ids, (uint32_t)n, want}, {kept, ids, (uint32_t)n, want}};
    size_t vocab = s->model->h.n_vocab;
    SZ_TRY(sz_session_forward(s, spans, 2));
    for (size_t i = 0; i < n; i++) {
        double kl;
        SZ_TRY(sz_div_kl_logits(sz_session_logits(s, i), sz_session_logits(s, n + i), vocab, &kl));
        loss->kl += kl;
        loss->kl_most = kl > loss->kl_most ? kl : loss->kl_most;
        const int32_t *following = i + 1 < n ? &ids[i + 1] : next;
        if (following)
            loss->excess += surprisal(s, n + i, *following) - surprisal(s, i, *following);
    }
    loss->n += n;
    return SZ_OK;
}

sz_status sz_session_kv_loss(sz_session *s, uint32_t full, uint32_t kept, const int32_t *ids,
                             size_t n, sz_kv_loss *out) {
    SZ_TRY(sz_session_check(s, full));
    SZ_TRY(sz_session_check(s, kept));
    SZ_REQUIRE(full != kept && ids && n >= 1 && out, SZ_E_ARG,
               "sequences %u and %u, %zu tokens: two sequences and a token are needed", full, kept,
               n);
    SZ_REQUIRE(sz_session_length(s, full) == sz_session_length(s, kept), SZ_E_STATE,
               "sequences %u and %u have %u and %u tokens", full, kept, sz_session_length(s, full),
               sz_session_length(s, kept));
    sz_kv_loss loss = {0};
    for (size_t at = 0, count; at < n; at += count) {
        count = at == 0 ? 1 : n - at < LOSS_ROWS ? n - at : LOSS_ROWS;
        const int32_t *next = at + count < n ? ids + at + count : NULL;
        SZ_TRY(compare(s, full, kept, ids + at, count, next, &loss));
    }
    loss.kl /= (double)n;
    loss.excess = n > 1 ? loss.excess / (double)(n - 1) : 0.0;
    *out = loss;
    return SZ_OK;
}
