/* attend_places.c: what a query attends to, place by place, where a sequence has forgotten some. */
#include "model.h"

#include <string.h>

uint32_t sz_kv_places(const sz_kv *kv, uint32_t seq, uint32_t layer, uint32_t head,
                      const uint32_t **kept, uint32_t *n_kept) {
    uint32_t base = sz_kv_base(kv, seq);
    *kept = NULL;
    *n_kept = 0;
    if (base)
        *kept = sz_kv_kept_positions(kv, seq, layer, head, n_kept);
    return *n_kept + sz_kv_length(kv, seq) - base;
}

/* Scores of the places of a block: [at, at + n) of p from its places [from, from + n). */
static void score_block(const sz_kernels *k, const sz_kv_view *view, const float *q, size_t dim,
                        uint32_t from, uint32_t n, float *p) {
    _Alignas(64) float scores[1][SZ_KV_BLOCK];
    k->attend_scores(&q, 1, view->key, view->f16, dim, (int)(from + n), scores);
    memcpy(p, scores[0] + from, n * sizeof *p);
}

sz_status sz_attend_places(const sz_model *m, const sz_kv *kv, uint32_t seq, uint32_t layer,
                           uint32_t head, const float *q, uint32_t position, float *scratch,
                           float *p) {
    const sz_kernels *k = sz_runtime_kernels(m->rt);
    const uint32_t *kept;
    uint32_t base = sz_kv_base(kv, seq), window = m->layers[layer].window, n_kept;
    uint32_t n = sz_kv_places(kv, seq, layer, head, &kept, &n_kept), dim = m->h.head_dim;
    uint32_t first = window && position >= window ? position - window + 1 : 0;
    for (uint32_t at = 0; at < n_kept; at += SZ_KV_BLOCK) {
        sz_kv_view view = sz_kv_view_kept(kv, seq, at / SZ_KV_BLOCK, layer, head, scratch);
        uint32_t count = n_kept - at < SZ_KV_BLOCK ? n_kept - at : SZ_KV_BLOCK;
        score_block(k, &view, q, dim, 0, count, p + at);
    }
    for (uint32_t at = base, count; at - base < n - n_kept; at += count) {
        sz_kv_view view = sz_kv_view_block(kv, seq, at / SZ_KV_BLOCK, layer, head, scratch);
        uint32_t from = at % SZ_KV_BLOCK, left = n - n_kept - (at - base);
        count = SZ_KV_BLOCK - from < left ? SZ_KV_BLOCK - from : left;
        score_block(k, &view, q, dim, from, count, p + n_kept + (at - base));
    }
    uint32_t low = 0, high = n; /* the places that the query sees */
    while (low < n && (low < n_kept ? kept[low] : base + low - n_kept) < first)
        low++;
    while (high > low && (high <= n_kept ? kept[high - 1] : base + high - 1 - n_kept) > position)
        high--;
    sz_logit_stats stats = {0};
    SZ_TRY(low < high ? sz_logits_measure(m->rt, p + low, high - low, 1.0f, &stats) : SZ_OK);
    for (uint32_t j = 0; j < n; j++)
        p[j] = j < low || j >= high ? 0.0f : (float)sz_exp((double)p[j] - stats.log_sum_exp);
    return SZ_OK;
}
