/* round.c: one round of forgetting while a text goes on: what the latest queries attend to of the
 * places that each head holds, and which of these stay. */
#include "round.h"

#include <stdatomic.h>
#include <string.h>

#include "policy.h"

typedef struct round {
    sz_kv_follower *f;
    sz_session *s;
    uint32_t seq, length, from; /* queries from `from` on count */
    bool forget;
    size_t *first;          /* [n + 1] of each head's places in the arrays below */
    double *recent, *total; /* attention that they got */
    uint32_t *position;
    size_t *kept_first;          /* [n + 1] */
    uint32_t *kept;              /* places that stay, rising */
    float *scratch;              /* per thread */
    double *score;               /* [2][most] */
    size_t scratch_floats, most; /* most: places of a head */
    atomic_int failed;           /* a head whose attention is not finite, plus one */
} round;

/* ---- Attention ------------------------------------------------------------------------------- */

static uint32_t places_of(const round *r, size_t i, const uint32_t **kept, uint32_t *n_kept) {
    return sz_kv_places(r->s->kv, r->seq, (uint32_t)(i / r->f->n_head),
                        (uint32_t)(i % r->f->n_head), kept, n_kept);
}

static void add(const float *p, size_t n, double *mass) {
    for (size_t j = 0; j < n; j++)
        mass[j] += (double)p[j];
}

/* A cached head's query heads, of the token at `position`. */
static sz_status attend(round *r, size_t i, uint32_t position, float *scratch) {
    const sz_model *m = r->s->model;
    uint32_t layer = (uint32_t)(i / r->f->n_head), head = (uint32_t)(i % r->f->n_head);
    uint32_t group = m->h.n_head / m->h.n_head_kv, dim = m->h.head_dim;
    size_t n = r->first[i + 1] - r->first[i];
    float *q = scratch, *p = q + (dim + 15) / 16 * 16, *view = p + (r->most + 15) / 16 * 16;
    const float *queries = sz_kv_follower_query(r->f, layer, position) + (size_t)head * group * dim;
    for (uint32_t g = 0; g < group; g++) {
        sz_runtime_kernels(m->rt)->scale(queries + (size_t)g * dim, m->h.attention_scale, dim, q);
        SZ_TRY(sz_attend_places(m, r->s->kv, r->seq, layer, head, q, position, view, p));
        if (r->recent && position + sz_kv_policy_window(&r->f->policy) >= r->length)
            add(p, n, r->recent + r->first[i]);
        if (r->total && position >= r->f->seen)
            add(p, n, r->total + r->first[i]);
    }
    return SZ_OK;
}

static void watch_head(void *context, size_t i, int thread) {
    round *r = context;
    const uint32_t *kept;
    uint32_t n_kept, n = places_of(r, i, &kept, &n_kept), base = r->length - (n - n_kept);
    for (uint32_t j = 0; j < n; j++)
        r->position[r->first[i] + j] = j < n_kept ? kept[j] : base + j - n_kept;
    if (r->total)
        memcpy(r->total + r->first[i], r->f->total + r->f->total_first[i],
               (r->f->total_first[i + 1] - r->f->total_first[i]) * sizeof *r->total);
    for (uint32_t t = r->from; t < r->length; t++)
        if (attend(r, i, t, r->scratch + (size_t)thread * r->scratch_floats) != SZ_OK)
            atomic_store(&r->failed, (int)i + 1);
}

/* ---- Choosing -------------------------------------------------------------------------------- */

/* Places of a head that no later token sees. */
static uint32_t n_hidden(const round *r, size_t i) {
    uint32_t window = r->s->model->layers[i / r->f->n_head].window, n = 0;
    while (window && r->first[i] + n < r->first[i + 1] &&
           (uint64_t)r->position[r->first[i] + n] + window < r->length)
        n++;
    return n;
}

static void choose_head(round *r, size_t i, double *score) {
    uint32_t n = (uint32_t)(r->first[i + 1] - r->first[i]), hidden = n_hidden(r, i);
    uint32_t stay = (uint32_t)(r->kept_first[i + 1] - r->kept_first[i]);
    uint32_t *kept = r->kept + r->kept_first[i];
    sz_kv_head head = {.layer = (uint32_t)(i / r->f->n_head),
                       .head = (uint32_t)(i % r->f->n_head),
                       .length = n,
                       .n_head = r->f->n_head,
                       .position = r->position + r->first[i],
                       .recent_mass = r->recent ? r->recent + r->first[i] : NULL,
                       .total_mass = r->total ? r->total + r->first[i] : NULL};
    if (stay == 0)
        return;
    r->f->policy.kind->score(r->f->policy.values, &head, score);
    sz_kv_take_largest(score + hidden, score + r->most, n - hidden, stay, kept);
    for (uint32_t j = 0; j < stay; j++)
        kept[j] += hidden;
}

static sz_status choose_each(round *r) {
    size_t n = (size_t)r->f->n_layer * r->f->n_head;
    r->score = sz_alloc(2 * r->most * sizeof *r->score);
    r->kept = sz_alloc(r->first[n] * sizeof *r->kept);
    SZ_REQUIRE(r->score && r->kept, SZ_E_NOMEM, "no memory for the scores of %zu places", r->most);
    for (size_t i = 0; i < n; i++) {
        uint32_t seen = (uint32_t)(r->first[i + 1] - r->first[i]) - n_hidden(r, i);
        uint32_t capacity = r->f->capacity[i];
        r->kept_first[i + 1] = r->kept_first[i] + (capacity < seen ? capacity : seen);
        choose_head(r, i, r->score);
    }
    return SZ_OK;
}

/* The first time: every head holds all tokens, and budgets are found as for a prompt. */
static sz_status choose_first(round *r) {
    const sz_hparams *h = &r->s->model->h;
    size_t n = (size_t)h->n_layer * h->n_head_kv;
    uint32_t *windows = sz_alloc(h->n_layer * sizeof *windows);
    SZ_REQUIRE(windows, SZ_E_NOMEM, "no memory for the windows of %u layers", h->n_layer);
    for (uint32_t i = 0; i < h->n_layer; i++)
        windows[i] = r->s->model->layers[i].window;
    sz_kv_prompt prompt = {h->n_layer, h->n_head_kv, r->length, windows,
                           r->recent,  r->total,     r->f->rank};
    sz_kv_plan plan;
    sz_status status = sz_kv_policy_plan(&r->f->policy, &prompt, &plan);
    sz_free(windows);
    SZ_TRY(status);
    memcpy(r->kept_first, plan.first, (n + 1) * sizeof *plan.first);
    r->kept = plan.position; /* places are positions */
    sz_free(plan.first);
    return SZ_OK;
}

/* ---- The round ------------------------------------------------------------------------------- */

static sz_status prepare(round *r) {
    const sz_hparams *h = &r->s->model->h;
    size_t n = (size_t)h->n_layer * h->n_head_kv;
    int threads = sz_pool_threads(sz_runtime_pool(r->s->model->rt));
    unsigned needs = r->f->policy.kind->needs;
    r->first = sz_calloc(n + 1, sizeof *r->first);
    r->kept_first = sz_calloc(n + 1, sizeof *r->kept_first);
    SZ_REQUIRE(r->first && r->kept_first, SZ_E_NOMEM, "no memory for %zu heads", n);
    for (size_t i = 0; i < n; i++) {
        const uint32_t *kept;
        uint32_t n_kept, places = places_of(r, i, &kept, &n_kept);
        r->first[i + 1] = r->first[i] + places;
        r->most = places > r->most ? places : r->most;
    }
    r->position = sz_alloc(r->first[n] * sizeof *r->position + 1);
    r->scratch_floats = (h->head_dim + 15) / 16 * 16 + (r->most + 15) / 16 * 16 +
                        (sz_kv_scratch_floats(r->s->kv) + 15) / 16 * 16;
    r->scratch = sz_alloc((size_t)threads * r->scratch_floats * sizeof *r->scratch);
    if (r->forget && (needs & SZ_KV_NEEDS_RECENT_MASS))
        r->recent = sz_calloc(r->first[n] + 1, sizeof *r->recent);
    if (needs & SZ_KV_NEEDS_TOTAL_MASS)
        r->total = sz_calloc(r->first[n] + 1, sizeof *r->total);
    SZ_REQUIRE(r->position && r->scratch &&
                   !r->recent == !(r->forget && (needs & SZ_KV_NEEDS_RECENT_MASS)) &&
                   !r->total == !(needs & SZ_KV_NEEDS_TOTAL_MASS),
               SZ_E_NOMEM, "no memory for the attention to %zu places", r->first[n]);
    return SZ_OK;
}

static void find_first_query(round *r) {
    uint32_t window = sz_kv_policy_window(&r->f->policy);
    r->from = r->length;
    if (r->recent)
        r->from = r->length > window ? r->length - window : 0;
    if (r->total && r->f->seen < r->from)
        r->from = r->f->seen;
}

/* What is known of the places that stay. */
static void keep_total(round *r) {
    size_t n = (size_t)r->f->n_layer * r->f->n_head;
    sz_kv_follower *f = r->f;
    for (size_t i = 0; r->forget && i < n; i++)
        for (size_t j = r->kept_first[i]; j < r->kept_first[i + 1]; j++)
            r->total[j] = r->total[r->first[i] + r->kept[j]]; /* never behind where it is read */
    memcpy(f->total_first, r->forget ? r->kept_first : r->first, (n + 1) * sizeof *r->first);
    sz_free(f->total);
    f->total = r->total;
    r->total = NULL;
}

static sz_status forget(round *r) {
    size_t n = (size_t)r->f->n_layer * r->f->n_head;
    uint32_t *capacity = r->f->capacity ? NULL : sz_alloc(n * sizeof *capacity);
    uint32_t *position = sz_alloc(r->kept_first[n] * sizeof *position + 1);
    sz_status status = SZ_OK;
    if ((!capacity && !r->f->capacity) || !position)
        status = sz_fail(SZ_E_NOMEM, "no memory for %zu positions", r->kept_first[n]);
    for (size_t i = 0; status == SZ_OK && i < n; i++)
        for (size_t j = r->kept_first[i]; j < r->kept_first[i + 1]; j++)
            position[j] = r->position[r->first[i] + r->kept[j]];
    if (status == SZ_OK)
        status = sz_kv_keep(r->s->kv, r->seq, r->kept_first, position);
    sz_free(position);
    if (status != SZ_OK || !capacity) {
        sz_free(capacity);
        return status;
    }
    for (size_t i = 0; i < n; i++)
        capacity[i] = (uint32_t)(r->kept_first[i + 1] - r->kept_first[i]);
    r->f->capacity = capacity;
    return SZ_OK;
}

static sz_status run(round *r) {
    size_t n = (size_t)r->f->n_layer * r->f->n_head;
    SZ_TRY(prepare(r));
    find_first_query(r);
    sz_pool_run(sz_runtime_pool(r->s->model->rt), watch_head, r, n);
    SZ_REQUIRE(!r->failed, SZ_E_NAN, "the attention of layer %zu, head %zu is not finite",
               ((size_t)r->failed - 1) / r->f->n_head, ((size_t)r->failed - 1) % r->f->n_head);
    if (r->forget) {
        SZ_TRY(r->f->capacity ? choose_each(r) : choose_first(r));
        SZ_TRY(forget(r));
    }
    if (r->total)
        keep_total(r);
    r->f->seen = r->length;
    return SZ_OK;
}

sz_status sz_kv_round(sz_kv_follower *f, sz_session *s, uint32_t seq, bool forget) {
    round r = {.f = f, .s = s, .seq = seq, .length = sz_session_length(s, seq), .forget = forget};
    sz_status status = forget || f->total ? run(&r) : SZ_OK;
    sz_free(r.first);
    sz_free(r.kept_first);
    sz_free(r.recent);
    sz_free(r.total);
    sz_free(r.position);
    sz_free(r.kept);
    sz_free(r.scratch);
    sz_free(r.score);
    return status;
}
