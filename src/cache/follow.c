/* follow.c: a policy that goes on while tokens follow the prompt. It keeps the queries of the
 * latest tokens, and from time to time adds up what they attend to, head by head, and forgets. */
#include "policy.h"
#include "round.h"

#include <string.h>

enum { ROWS = 64 }; /* queries held where the attention of all counts */

/* ---- What it holds --------------------------------------------------------------------------- */

static void free_follower(sz_follower *base) {
    sz_kv_follower *f = (sz_kv_follower *)base;
    sz_free(f->queries);
    sz_free(f->rank);
    sz_free(f->capacity);
    sz_free(f->total);
    sz_free(f->total_first);
    sz_free(f);
}

static void see(sz_follower *base, uint32_t layer, uint32_t position, const float *q) {
    sz_kv_follower *f = (sz_kv_follower *)base;
    if (f->n_rows && position + f->n_rows >= base->due)
        memcpy(sz_kv_follower_query(f, layer, position), q, f->width * sizeof *q);
}

static size_t query_floats(const sz_kv_follower *f) {
    return (size_t)f->n_layer * f->n_rows * f->width;
}

/* A copy; NULL of nothing, which is no failure. */
static void *copy(const void *from, size_t bytes, bool *failed) {
    void *to = from ? sz_alloc(bytes + 1) : NULL;
    if (to)
        memcpy(to, from, bytes);
    *failed = *failed || (from && !to);
    return to;
}

static sz_status clone(const sz_follower *base, sz_follower **out) {
    const sz_kv_follower *f = (const sz_kv_follower *)base;
    size_t n = (size_t)f->n_layer * f->n_head;
    sz_kv_follower *c = sz_alloc(sizeof *c);
    SZ_REQUIRE(c, SZ_E_NOMEM, "no memory for a policy's state");
    bool failed = false;
    *c = *f;
    c->queries = copy(f->queries, query_floats(f) * sizeof *f->queries, &failed);
    c->rank = copy(f->rank, n * sizeof *f->rank, &failed);
    c->capacity = copy(f->capacity, n * sizeof *f->capacity, &failed);
    c->total_first = copy(f->total_first, (n + 1) * sizeof *f->total_first, &failed);
    c->total = copy(f->total, f->total ? f->total_first[n] * sizeof *f->total : 0, &failed);
    if (failed) {
        free_follower(&c->base);
        return sz_fail(SZ_E_NOMEM, "no memory for a policy's state");
    }
    *out = &c->base;
    return SZ_OK;
}

/* ---- Its rounds ------------------------------------------------------------------------------ */

/* The next look: when it forgets, or before the queries of which the attention counts are gone. */
static void set_due(sz_kv_follower *f, uint32_t length) {
    bool total = f->policy.kind->needs & SZ_KV_NEEDS_TOTAL_MASS;
    f->base.due = total && f->next - length > ROWS ? length + ROWS : f->next;
    f->base.bound = total ? length : 0; /* what was added up stays so */
}

static sz_status act(sz_follower *base, sz_session *s, uint32_t seq) {
    sz_kv_follower *f = (sz_kv_follower *)base;
    uint32_t length = sz_session_length(s, seq);
    bool over = length >= f->next && (f->capacity || length > f->policy.values[SZ_KV_BUDGET]);
    SZ_TRY(sz_kv_round(f, s, seq, over));
    f->n_rounds += over;
    if (length >= f->next)
        f->next = f->every < UINT32_MAX - length ? length + f->every : UINT32_MAX;
    set_due(f, length);
    return SZ_OK;
}

static const sz_follower_kind kind = {see, act, clone, free_follower};

/* ---- Its beginning --------------------------------------------------------------------------- */

static uint32_t n_rows_of(const sz_kv_policy *p) {
    uint32_t recent = sz_kv_policy_window(p);
    uint32_t total = p->kind->needs & SZ_KV_NEEDS_TOTAL_MASS ? ROWS : 0;
    return recent > total ? recent : total;
}

sz_status sz_kv_follow_new(const sz_session *s, const sz_kv_policy *policy, size_t n,
                           sz_follower **out) {
    const sz_hparams *h = &s->model->h;
    size_t n_heads = (size_t)h->n_layer * h->n_head_kv;
    const sz_kv_profile *profile = policy->profile;
    sz_kv_follower *f = sz_calloc(1, sizeof *f);
    SZ_REQUIRE(f, SZ_E_NOMEM, "no memory for a policy's state");
    f->base = (sz_follower){.kind = &kind, .due = (uint32_t)n};
    f->policy = *policy;
    f->policy.profile = NULL; /* its ranks are copied */
    f->every = sz_kv_policy_every(policy);
    f->n_layer = h->n_layer;
    f->n_head = h->n_head_kv;
    f->width = h->n_head * h->head_dim;
    f->n_rows = n_rows_of(policy);
    f->queries = f->n_rows ? sz_calloc(query_floats(f), sizeof *f->queries) : NULL;
    bool failed = f->n_rows && !f->queries;
    if (profile)
        f->rank = copy(sz_kv_profile_get_info(profile).rank, n_heads * sizeof *f->rank, &failed);
    if (failed) {
        free_follower(&f->base);
        return sz_fail(SZ_E_NOMEM, "no memory for a policy's state");
    }
    *out = &f->base;
    return SZ_OK;
}

/* The attention that the kept positions got, each head's in a row. */
static sz_status begin_total(sz_kv_follower *f, const sz_kv_prompt *prompt,
                             const sz_kv_plan *plan) {
    size_t n = (size_t)f->n_layer * f->n_head;
    f->total_first = sz_alloc((n + 1) * sizeof *f->total_first);
    f->total = sz_alloc(plan->first[n] * sizeof *f->total);
    SZ_REQUIRE(f->total_first && f->total, SZ_E_NOMEM, "no memory for a policy's state");
    memcpy(f->total_first, plan->first, (n + 1) * sizeof *plan->first);
    for (size_t i = 0; i < n; i++)
        for (size_t j = plan->first[i]; j < plan->first[i + 1]; j++)
            f->total[j] = prompt->total_mass[i * prompt->length + plan->position[j]];
    return SZ_OK;
}

sz_status sz_kv_follow_begin(sz_follower *base, const sz_kv_prompt *prompt,
                             const sz_kv_plan *plan) {
    sz_kv_follower *f = (sz_kv_follower *)base;
    size_t n = (size_t)f->n_layer * f->n_head;
    bool failed = false, whole = plan->first[n] == n * plan->length;
    if (!f->rank)
        f->rank = copy(prompt->rank, n * sizeof *f->rank, &failed);
    if (!whole) {
        f->capacity = sz_alloc(n * sizeof *f->capacity);
        for (size_t i = 0; f->capacity && i < n; i++)
            f->capacity[i] = (uint32_t)(plan->first[i + 1] - plan->first[i]);
        f->n_rounds = 1;
    }
    SZ_REQUIRE(!failed && (whole || f->capacity), SZ_E_NOMEM, "no memory for a policy's state");
    if (f->policy.kind->needs & SZ_KV_NEEDS_TOTAL_MASS)
        SZ_TRY(begin_total(f, prompt, plan));
    f->seen = prompt->length;
    f->next = f->every < UINT32_MAX - f->seen ? f->seen + f->every : UINT32_MAX;
    set_due(f, f->seen);
    return SZ_OK;
}

uint32_t sz_kv_follow_rounds(const sz_follower *f) {
    return f ? ((const sz_kv_follower *)f)->n_rounds : 0;
}
