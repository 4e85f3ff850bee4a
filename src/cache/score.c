/* score.c: scores of positions by the attention that they got. */
#include <math.h>

#include "policy.h"

void sz_kv_add_mass(const float *rows, size_t n_rows, size_t stride, size_t n, double *mass) {
    for (size_t i = 0; i < n_rows; i++)
        for (size_t j = 0; j < n; j++)
            mass[j] += (double)rows[i * stride + j];
}

sz_status sz_kv_check_window(const double *v) {
    SZ_REQUIRE(v[SZ_KV_BUDGET] > v[SZ_KV_WINDOW], SZ_E_ARG,
               "a budget of %g tokens leaves no room beside the window of %g", v[SZ_KV_BUDGET],
               v[SZ_KV_WINDOW]);
    SZ_REQUIRE((uint32_t)v[2] % 2 == 1, SZ_E_ARG, "pool = %g is not an odd number", v[2]);
    return SZ_OK;
}

sz_kv_head sz_kv_head_of(const sz_kv_prompt *p, uint32_t layer, uint32_t head) {
    size_t at = ((size_t)layer * p->n_head + head) * p->length;
    return (sz_kv_head){.layer = layer,
                        .head = head,
                        .length = p->length,
                        .n_head = p->n_head,
                        .recent_mass = p->recent_mass ? p->recent_mass + at : NULL,
                        .total_mass = p->total_mass ? p->total_mass + at : NULL};
}

void sz_kv_score_window(const double *v, const sz_kv_head *h, double *score) {
    uint32_t window = (uint32_t)v[SZ_KV_WINDOW], half = (uint32_t)v[2] / 2;
    uint32_t n = h->length > window ? h->length - window : 0;
    for (uint32_t j = 0; j < n; j++) { /* zeros beyond the ends; always divided by the same */
        uint32_t from = j > half ? j - half : 0, to = n - j > half ? j + half + 1 : n;
        double sum = 0;
        for (uint32_t i = from; i < to; i++)
            sum += h->recent_mass[i];
        score[j] = sum / v[2];
    }
    for (uint32_t j = n; j < h->length; j++)
        score[j] = INFINITY;
}
