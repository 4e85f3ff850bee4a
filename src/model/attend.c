/* attend.c: attention over the blocks of the cache.
 *
 * Contract of bits: every query meets the blocks of 64 absolute positions in order. Within a block,
 * scores, softmax and mix are the kernels' canonical sums; blocks are merged one after the other:
 * with running (m, l, o) and a block's (m', l', o'), M = max(m, m'), a = exp(m - M), b = exp(m' -
 * M): l = l a + l' b, o = fma(o, a, o' b). Nothing depends on which queries are computed together.
 * Where a sequence has forgotten positions, the blocks of what a head kept of them come first.
 */
#include "model.h"

#include <math.h>
#include <string.h>

enum { CHUNK = 16 /* tokens per task */ };

typedef struct attention {
    sz_graph *g;
    const sz_model *m;
    const sz_pass *pass;
    uint32_t layer, window, group; /* query heads per cached head */
    sz_tensor *q, *out;
    const sz_tensor *k, *v;
    const uint32_t *chunk_first; /* [n_chunks + 1]: rows of one sequence each */
    size_t scratch_floats;
    float *scratch; /* per thread */
} attention;

typedef struct query { /* running softmax of one query */
    const float *q;
    float *out;
    float max, sum;
    uint32_t position;
    uint32_t first, last; /* visible places [first, last] of the blocks that are read */
} query;

static void store_row(attention *a, size_t row) {
    const sz_hparams *h = &a->m->h;
    for (uint32_t head = 0; head < h->n_head_kv; head++) {
        size_t at = row * a->k->n_cols + head * h->head_dim;
        sz_kv_store(a->pass->kv, a->pass->seq[row], a->pass->position[row], a->layer, head,
                    a->k->data + at, a->v->data + at);
    }
}

static void store_rows(void *context, size_t first, size_t last) {
    for (size_t row = first; row < last; row++)
        store_row(context, row);
}

/* Adds a block's (max, sum, mix) to a query's running state. */
static void merge_block(const sz_kernels *k, query *q, float max, float sum, const float *mix,
                        size_t dim) {
    float most = q->max > max ? q->max : max;
    float fa = (float)sz_exp((double)q->max - (double)most);
    float fb = (float)sz_exp((double)max - (double)most);
    k->merge(q->out, fa, mix, fb, dim);
    q->sum = q->sum * fa + sum * fb;
    q->max = most;
}

/* Up to SZ_QUERY_MAX queries that all see something of the block. */
static void attend_tile(const attention *a, query **tile, int n, const sz_kv_view *view,
                        uint32_t block, float *mix) {
    const sz_kernels *k = a->g->kernels;
    size_t dim = a->m->h.head_dim;
    _Alignas(64) float scores[SZ_QUERY_MAX][SZ_KV_BLOCK];
    const float *queries[SZ_QUERY_MAX] = {0};
    float *mixes[SZ_QUERY_MAX], max[SZ_QUERY_MAX], sum[SZ_QUERY_MAX];
    int from[SZ_QUERY_MAX], to[SZ_QUERY_MAX], n_pos = 0; /* places of the block that are seen */
    for (int i = 0; i < n; i++) {
        int64_t base = (int64_t)block * SZ_KV_BLOCK;
        int64_t first = (int64_t)tile[i]->first - base, end = (int64_t)tile[i]->last + 1 - base;
        queries[i] = tile[i]->q;
        mixes[i] = mix + (size_t)i * ((dim + 15) / 16 * 16);
        from[i] = first > 0 ? (int)first : 0;
        to[i] = end < SZ_KV_BLOCK ? (int)end : SZ_KV_BLOCK;
        n_pos = to[i] > n_pos ? to[i] : n_pos;
    }
    k->attend_scores(queries, n, view->key, view->f16, dim, n_pos, scores);
    for (int i = 0; i < n; i++)
        k->attend_softmax(scores[i], from[i], to[i], &max[i], &sum[i]);
    k->attend_mix(scores, n, view->value, view->f16, (dim + 15) / 16 * 16, n_pos, mixes);
    for (int i = 0; i < n; i++)
        merge_block(k, tile[i], max[i], sum[i], mixes[i], dim);
}

static void attend_block(const attention *a, query *queries, size_t n, const sz_kv_view *view,
                         uint32_t block, float *mix) {
    query *tile[SZ_QUERY_MAX];
    int width = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t first = queries[i].first / SZ_KV_BLOCK, last = queries[i].last / SZ_KV_BLOCK;
        if (block < first || block > last)
            continue;
        tile[width++] = &queries[i];
        if (width == SZ_QUERY_MAX) {
            attend_tile(a, tile, width, view, block, mix);
            width = 0;
        }
    }
    if (width)
        attend_tile(a, tile, width, view, block, mix);
}

static uint32_t first_visible(const attention *a, uint32_t position) {
    return a->window && position >= a->window ? position - a->window + 1 : 0;
}

static size_t begin_queries(const attention *a, uint32_t first, uint32_t last, uint32_t head,
                            query *queries) {
    size_t dim = a->m->h.head_dim, n = 0;
    for (uint32_t row = first; row < last; row++) {
        uint32_t position = a->pass->position[row];
        for (uint32_t i = 0; i < a->group; i++, n++) {
            size_t at = row * a->q->n_cols + (head * a->group + i) * dim;
            queries[n] = (query){.q = a->q->data + at,
                                 .out = a->out->data + at,
                                 .max = -INFINITY,
                                 .position = position,
                                 .first = first_visible(a, position),
                                 .last = position};
            memset(queries[n].out, 0, dim * sizeof(float));
        }
    }
    return n;
}

/* The first of n rising positions that is not below `least`; n if there is none. */
static uint32_t find_position(const uint32_t *position, uint32_t n, uint32_t least) {
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (position[middle] < least)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What a head kept of the positions below the base; the others remain for the caller. */
static void attend_kept(const attention *a, query *queries, size_t n, uint32_t seq, uint32_t head,
                        float *scratch, float *view_scratch) {
    uint32_t base = sz_kv_base(a->pass->kv, seq), n_kept;
    const uint32_t *position = sz_kv_kept_positions(a->pass->kv, seq, a->layer, head, &n_kept);
    for (size_t i = 0; i < n; i++) {
        uint32_t first = find_position(position, n_kept, queries[i].first);
        queries[i].first = first < n_kept ? first : UINT32_MAX; /* sees none of them */
        queries[i].last = n_kept ? n_kept - 1 : 0;
    }
    for (uint32_t block = 0; block * SZ_KV_BLOCK < n_kept; block++) {
        sz_kv_view view = sz_kv_view_kept(a->pass->kv, seq, block, a->layer, head, view_scratch);
        attend_block(a, queries, n, &view, block, scratch);
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t first = first_visible(a, queries[i].position);
        queries[i].first = first > base ? first : base;
        queries[i].last = queries[i].position;
    }
}

/* One cached head and one chunk of rows of one sequence. */
static void attend_chunk(void *context, size_t task, int thread) {
    const attention *a = context;
    const sz_hparams *h = &a->m->h;
    uint32_t head = (uint32_t)(task % h->n_head_kv);
    size_t chunk = task / h->n_head_kv;
    uint32_t first = a->chunk_first[chunk], last = a->chunk_first[chunk + 1];
    float *scratch = a->scratch + (size_t)thread * a->scratch_floats;
    size_t padded = (h->head_dim + 15) / 16 * 16;
    query *queries = (query *)(scratch + SZ_QUERY_MAX * padded + sz_kv_scratch_floats(a->pass->kv));
    size_t n = begin_queries(a, first, last, head, queries);
    uint32_t seq = a->pass->seq[first];
    if (sz_kv_base(a->pass->kv, seq))
        attend_kept(a, queries, n, seq, head, scratch, scratch + SZ_QUERY_MAX * padded);
    uint32_t from = queries[0].first / SZ_KV_BLOCK, to = queries[n - 1].last / SZ_KV_BLOCK;
    for (uint32_t block = from; block <= to; block++) {
        sz_kv_view view = sz_kv_view_block(a->pass->kv, seq, block, a->layer, head,
                                           scratch + SZ_QUERY_MAX * padded);
        attend_block(a, queries, n, &view, block, scratch);
    }
    for (size_t i = 0; i < n; i++)
        a->g->kernels->scale(queries[i].out, 1.0f / queries[i].sum, h->head_dim, queries[i].out);
}

/* Cuts the rows into chunks of one sequence with rising positions. */
static size_t cut_chunks(const sz_pass *pass, uint32_t *first) {
    size_t n = 0;
    for (size_t row = 0; row < pass->n; row++) {
        bool cut = row == 0 || pass->seq[row] != pass->seq[row - 1] || row - first[n - 1] == CHUNK;
        if (cut)
            first[n++] = (uint32_t)row;
    }
    first[n] = (uint32_t)pass->n;
    return n;
}

/* One row of probabilities for the tap, through the kernels that attention uses. */
static void tap_row(const attention *a, size_t row, size_t head, float *p, size_t n) {
    const sz_hparams *h = &a->m->h;
    uint32_t position = a->pass->position[row], first = first_visible(a, position);
    const float *q = a->q->data + row * a->q->n_cols + head * h->head_dim;
    sz_logit_stats stats;
    for (uint32_t b = first / SZ_KV_BLOCK; b <= position / SZ_KV_BLOCK; b++) {
        sz_kv_view view = sz_kv_view_block(a->pass->kv, a->pass->seq[row], b, a->layer,
                                           (uint32_t)head / a->group, a->scratch);
        a->g->kernels->attend_scores(&q, 1, view.key, view.f16, h->head_dim, SZ_KV_BLOCK,
                                     (float(*)[SZ_KV_BLOCK])(p + b * SZ_KV_BLOCK));
    }
    bool known =
        sz_logits_measure(a->g->rt, p + first, position + 1 - first, 1.0f, &stats) == SZ_OK;
    for (size_t j = 0; j < n; j++)
        p[j] = j < first || j > position ? 0.0f
               : known                   ? (float)sz_exp((double)p[j] - stats.log_sum_exp)
                                         : __builtin_nanf("");
}

static void tap_attention(attention *a) {
    const sz_hparams *h = &a->m->h;
    uint32_t longest = 0;
    for (size_t row = 0; row < a->pass->n; row++) {
        if (sz_kv_base(a->pass->kv, a->pass->seq[row])) {
            sz_graph_fail(a->g, sz_fail(SZ_E_UNSUPPORTED,
                                        "sequence %u has forgotten tokens: its attention cannot "
                                        "be tapped",
                                        a->pass->seq[row]));
            return;
        }
        longest = a->pass->position[row] + 1 > longest ? a->pass->position[row] + 1 : longest;
    }
    size_t blocks = (longest + SZ_KV_BLOCK - 1) / SZ_KV_BLOCK;
    sz_tensor *t = sz_tensor_new(a->g, a->pass->n * h->n_head, blocks * SZ_KV_BLOCK);
    if (!t)
        return;
    for (size_t i = 0; i < t->n_rows; i++)
        tap_row(a, i / h->n_head, i % h->n_head, t->data + i * t->n_cols, t->n_cols);
    a->pass->tap(a->pass->tap_user, SZ_TAP_ATTENTION, a->layer, t->data, t->n_rows, t->n_cols);
}

void sz_pass_tap(const sz_pass *pass, sz_tap_kind kind, uint32_t layer, const sz_tensor *t) {
    if (t && pass->tap && pass->tap(pass->tap_user, kind, layer, NULL, 0, 0))
        pass->tap(pass->tap_user, kind, layer, t->data, t->n_rows, t->n_cols);
}

/* Keys and values are read once per chunk of rows; what a sequence has forgotten counts as seen. */
static sz_operator_cost attention_cost(const attention *a, size_t n_chunks) {
    const sz_hparams *h = &a->m->h;
    sz_operator_cost cost = {.name = "attention", .kind = SZ_OPERATOR_FLOAT};
    uint64_t looks = 0, read = 0;
    for (size_t chunk = 0; chunk < n_chunks; chunk++) {
        uint32_t first = a->chunk_first[chunk], last = a->chunk_first[chunk + 1];
        for (uint32_t row = first; row < last; row++) {
            uint32_t position = a->pass->position[row];
            looks += position + 1 - first_visible(a, position);
        }
        read += a->pass->position[last - 1] + 1 - first_visible(a, a->pass->position[first]);
    }
    cost.multiply_adds = looks * 2 * h->n_head * h->head_dim;
    cost.bytes = read * (sz_kv_layer_bytes(a->pass->kv) / SZ_KV_BLOCK) +
                 2 * a->q->n_rows * a->q->n_cols * sizeof(float);
    return cost;
}

/* Attention within the pass alone, which gradients can flow back through. */
static sz_tensor *attend_whole(sz_graph *g, const sz_model *m, uint32_t layer, const sz_pass *pass,
                               sz_tensor *q, sz_tensor *k, sz_tensor *v) {
    const sz_hparams *h = &m->h;
    sz_attention_shape shape = {.n_head = h->n_head,
                                .n_head_kv = h->n_head_kv,
                                .head_dim = h->head_dim,
                                .length = pass->length,
                                .length_kv = pass->length,
                                .causal = true,
                                .window = m->layers[layer].window,
                                .first = pass->first,
                                .scale = h->attention_scale};
    return sz_attention(g, q, k, v, &shape);
}

sz_tensor *sz_attend(sz_graph *g, const sz_model *m, uint32_t layer, sz_pass *pass, sz_tensor *q,
                     sz_tensor *k, sz_tensor *v) {
    const sz_hparams *h = &m->h;
    if (!pass->kv)
        return attend_whole(g, m, layer, pass, q, k, v);
    attention a = {.g = g, .m = m, .pass = pass, .layer = layer, .k = k, .v = v};
    a.window = m->layers[layer].window;
    a.group = h->n_head / h->n_head_kv;
    sz_pass_tap(pass, SZ_TAP_QUERY, layer, q);
    sz_pass_tap(pass, SZ_TAP_KEY, layer, k);
    sz_pass_tap(pass, SZ_TAP_VALUE, layer, v);
    a.q = sz_scale(g, q, h->attention_scale);
    a.out = g->status == SZ_OK ? sz_tensor_new(g, q->n_rows, q->n_cols) : NULL;
    if (!a.out)
        return NULL;
    uint64_t start = sz_meter_start(g);
    sz_graph_rows(g, pass->n, 4 * k->n_cols, store_rows, &a);
    sz_meter_stop_rows(g, start, "cache write", pass->n * (k->n_cols + v->n_cols) * 3 / 2);
    a.scratch_floats = SZ_QUERY_MAX * ((h->head_dim + 15) / 16 * 16) +
                       sz_kv_scratch_floats(pass->kv) +
                       CHUNK * a.group * (sizeof(query) / sizeof(float)) + 16;
    a.scratch_floats = (a.scratch_floats + 15) / 16 * 16;
    size_t threads = (size_t)sz_pool_threads(g->pool);
    a.scratch = sz_arena_alloc(g->arena, threads * a.scratch_floats * sizeof(float));
    uint32_t *chunks = sz_arena_alloc(g->arena, (pass->n + 1) * sizeof *chunks);
    if (!a.scratch || !chunks)
        return sz_graph_fail(g, sz_fail(SZ_E_NOMEM, "no memory for attention"));
    size_t n_chunks = cut_chunks(pass, chunks);
    a.chunk_first = chunks;
    start = sz_meter_start(g);
    sz_pool_run(g->pool, attend_chunk, &a, n_chunks * h->n_head_kv);
    if (g->meter)
        sz_meter_stop(g, start, attention_cost(&a, n_chunks));
    if (pass->tap && pass->tap(pass->tap_user, SZ_TAP_ATTENTION, layer, NULL, 0, 0))
        tap_attention(&a);
    return a.out;
}
