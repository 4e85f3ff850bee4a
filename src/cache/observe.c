/* observe.c: computing a prompt with an eye on its queries and its attention. */
#include "watch.h"

#include <string.h>

enum { MOST_PICKED = 512, ATTENTION_CHUNK = 64 /* its rows of attention are in memory at once */ };

/* The tap of a pass. */
typedef struct tap_state {
    sz_kv_watch *w;
    const sz_hparams *h;
    uint32_t at;        /* position of the pass's first token */
    bool recent, total; /* attention that is added up */
    bool queries;
} tap_state;

static void pick_queries(const tap_state *t, uint32_t layer, const float *data, size_t n_rows,
                         size_t n_cols) {
    sz_kv_watch *w = t->w;
    for (size_t i = 0; i < n_rows; i++) {
        uint32_t position = t->at + (uint32_t)i;
        if (position % w->stride == 0)
            memcpy(w->queries + ((size_t)layer * w->n_picked + position / w->stride) * n_cols,
                   data + i * n_cols, n_cols * sizeof *data);
    }
}

/* Rows stand token by token, n_head of them for each; a cached head's query heads lie together. */
static void add_attention(const tap_state *t, uint32_t layer, const float *data, size_t n_rows,
                          size_t n_cols) {
    const sz_kv_prompt *p = &t->w->prompt;
    uint32_t group = t->h->n_head / t->h->n_head_kv;
    size_t length = p->length < n_cols ? p->length : n_cols;
    for (size_t i = 0; i < n_rows; i += group) {
        size_t head = i % t->h->n_head / group, at = ((size_t)layer * p->n_head + head) * p->length;
        if (t->recent)
            sz_kv_add_mass(data + i * n_cols, group, n_cols, length, t->w->recent + at);
        if (t->total)
            sz_kv_add_mass(data + i * n_cols, group, n_cols, length, t->w->total + at);
    }
}

static bool look(void *user, sz_tap_kind kind, uint32_t layer, const float *data, size_t n_rows,
                 size_t n_cols) {
    const tap_state *t = user;
    if (!data)
        return kind == SZ_TAP_QUERY       ? t->queries
               : kind == SZ_TAP_ATTENTION ? t->recent || t->total
                                          : false;
    if (kind == SZ_TAP_QUERY)
        pick_queries(t, layer, data, n_rows, n_cols);
    else
        add_attention(t, layer, data, n_rows, n_cols);
    return false;
}

static sz_status new_watch(const sz_model *m, size_t n, unsigned needs, sz_kv_watch **out) {
    const sz_hparams *h = &m->h;
    size_t n_heads = (size_t)h->n_layer * h->n_head_kv;
    sz_kv_watch *w = sz_calloc(1, sizeof *w);
    SZ_REQUIRE(w, SZ_E_NOMEM, "no memory to observe a prompt");
    *out = w;
    w->stride = (uint32_t)((n + MOST_PICKED - 1) / MOST_PICKED);
    w->n_picked = (uint32_t)((n + w->stride - 1) / w->stride);
    w->windows = sz_alloc(h->n_layer * sizeof *w->windows);
    if (needs & SZ_KV_NEEDS_RECENT_MASS)
        w->recent = sz_calloc(n_heads * n, sizeof *w->recent);
    if (needs & SZ_KV_NEEDS_TOTAL_MASS)
        w->total = sz_calloc(n_heads * n, sizeof *w->total);
    if (needs & SZ_KV_NEEDS_RANK) {
        w->ranks = sz_alloc(n_heads * sizeof *w->ranks);
        w->queries = sz_alloc((size_t)h->n_layer * w->n_picked * h->n_head * h->head_dim *
                              sizeof *w->queries);
    }
    SZ_REQUIRE(w->windows && !w->recent == !(needs & SZ_KV_NEEDS_RECENT_MASS) &&
                   !w->total == !(needs & SZ_KV_NEEDS_TOTAL_MASS) &&
                   (!(needs & SZ_KV_NEEDS_RANK) || (w->ranks && w->queries)),
               SZ_E_NOMEM, "no memory to observe a prompt of %zu tokens", n);
    for (uint32_t i = 0; i < h->n_layer; i++)
        w->windows[i] = m->layers[i].window;
    w->prompt = (sz_kv_prompt){h->n_layer, h->n_head_kv, (uint32_t)n, w->windows,
                               w->recent,  w->total,     w->ranks};
    return SZ_OK;
}

void sz_kv_watch_free(sz_kv_watch *w) {
    if (!w)
        return;
    sz_free(w->windows);
    sz_free(w->recent);
    sz_free(w->total);
    sz_free(w->ranks);
    sz_free(w->queries);
    sz_free(w);
}

const sz_kv_prompt *sz_kv_watch_prompt(const sz_kv_watch *w) {
    return &w->prompt;
}

/* The prompt in chunks, of which none crosses the beginning of the window. */
static sz_status compute(sz_session *s, uint32_t seq, const int32_t *ids, size_t n, size_t window,
                         tap_state *t) {
    size_t before = n > window ? n - window : 0;
    bool recent = t->recent;
    for (size_t at = 0, count; at < n; at += count) {
        size_t end = at < before ? before : n;
        t->recent = recent && at >= before;
        count = t->recent || t->total ? ATTENTION_CHUNK : s->config.chunk;
        count = count < s->config.chunk ? count : s->config.chunk;
        count = count < end - at ? count : end - at;
        t->at = (uint32_t)at;
        sz_want want = s->config.score_prompts ? SZ_SCORE : at + count == n ? SZ_LAST : SZ_NONE;
        sz_span span = {seq, ids + at, (uint32_t)count, want};
        SZ_TRY(sz_session_forward(s, &span, 1));
    }
    return SZ_OK;
}

static sz_status observe(sz_session *s, uint32_t seq, const int32_t *ids, size_t n, unsigned needs,
                         uint32_t window, sz_kv_watch *w) {
    tap_state t = {.w = w,
                   .h = &s->model->h,
                   .recent = needs & SZ_KV_NEEDS_RECENT_MASS,
                   .total = needs & SZ_KV_NEEDS_TOTAL_MASS,
                   .queries = needs & SZ_KV_NEEDS_RANK};
    sz_session_set_tap(s, needs ? look : NULL, &t);
    sz_status status = compute(s, seq, ids, n, t.recent ? window : 0, &t);
    sz_session_set_tap(s, NULL, NULL);
    if (status == SZ_OK && t.queries)
        status = sz_kv_watch_rank(w, s->model);
    return status;
}

sz_status sz_session_observe(sz_session *s, uint32_t seq, const int32_t *ids, size_t n,
                             unsigned needs, uint32_t window, sz_kv_watch **out) {
    SZ_TRY(sz_session_check(s, seq));
    SZ_REQUIRE(ids && n >= 1, SZ_E_ARG, "sequence %u: a prompt without tokens", seq);
    SZ_REQUIRE(n <= s->config.context, SZ_E_LIMIT,
               "sequence %u: %zu tokens exceed the context of %u", seq, n, s->config.context);
    SZ_REQUIRE(sz_session_length(s, seq) == 0, SZ_E_STATE,
               "sequence %u has %u tokens: only a prompt from its beginning can be observed", seq,
               sz_session_length(s, seq));
    SZ_REQUIRE(!s->tap, SZ_E_STATE, "the session has a tap already");
    SZ_REQUIRE(!(needs & SZ_KV_NEEDS_RECENT_MASS) || window >= 1, SZ_E_ARG,
               "recent mass from no tokens");
    sz_kv_watch *w = NULL;
    sz_status status = new_watch(s->model, n, needs, &w);
    if (status == SZ_OK)
        status = observe(s, seq, ids, n, needs, window, w);
    if (status != SZ_OK) {
        sz_kv_watch_free(w);
        return status;
    }
    *out = w;
    return SZ_OK;
}
