/* budget.c: how many tokens each head may keep: groups, a pyramid over layers, water-filling. */
#include <stdlib.h>

#include "policy.h"

typedef struct ranked {
    double value;
    uint32_t index;
} ranked;

static int rising(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static sz_status sorted(const double *value, size_t n, ranked **out) {
    ranked *r = sz_alloc(n * sizeof *r + 1);
    SZ_REQUIRE(r, SZ_E_NOMEM, "no memory to rank %zu values", n);
    for (size_t i = 0; i < n; i++) {
        if (value[i] - value[i] != 0) {
            sz_free(r);
            return sz_fail(SZ_E_NAN, "value %zu is not finite", i);
        }
        r[i] = (ranked){value[i], (uint32_t)i};
    }
    qsort(r, n, sizeof *r, rising);
    *out = r;
    return SZ_OK;
}

sz_status sz_kv_order(const double *value, size_t n, uint32_t *order) {
    ranked *r;
    SZ_TRY(sorted(value, n, &r));
    for (size_t i = 0; i < n; i++)
        order[i] = r[i].index;
    sz_free(r);
    return SZ_OK;
}

sz_status sz_kv_head_groups(const double *rank, size_t n, size_t n_groups, uint32_t *group) {
    ranked *r;
    SZ_REQUIRE(n_groups >= 1 && n_groups <= n, SZ_E_ARG, "%zu groups of %zu heads", n_groups, n);
    SZ_TRY(sorted(rank, n, &r));
    for (size_t i = 0; i < n; i++) {
        size_t g = i / (n / n_groups);
        group[r[i].index] = (uint32_t)(g < n_groups ? g : n_groups - 1);
    }
    sz_free(r);
    return SZ_OK;
}

sz_status sz_kv_group_budgets(uint32_t budget, uint32_t step, size_t n_groups, uint32_t least,
                              uint32_t *capacity) {
    SZ_REQUIRE(n_groups >= 1 && n_groups <= UINT32_MAX, SZ_E_ARG, "%zu groups of heads", n_groups);
    SZ_REQUIRE(budget >= least, SZ_E_ARG, "a budget of %u tokens, at least %u are needed", budget,
               least);
    uint64_t gaps = n_groups - 1, total = (uint64_t)budget * n_groups, sum = 0;
    if (gaps && step > 2 * (uint64_t)(budget - least) / gaps)
        step = (uint32_t)(2 * (uint64_t)(budget - least) / gaps);
    for (size_t g = 0; g < n_groups; g++) /* floor(budget - step gaps / 2 + step g) */
        sum += capacity[g] =
            (uint32_t)((2 * (uint64_t)budget + 2 * (uint64_t)step * g - step * gaps) / 2);
    for (size_t g = n_groups; sum < total; sum++)
        capacity[--g]++;
    return SZ_OK;
}

sz_status sz_kv_layer_groups(const double *rank, size_t n, double epsilon, uint32_t *group) {
    SZ_REQUIRE(epsilon >= 0, SZ_E_ARG, "a drop of more than %g", epsilon);
    for (size_t i = 0; i < n; i++) {
        SZ_REQUIRE(rank[i] - rank[i] == 0, SZ_E_NAN, "the rank of layer %zu is not finite", i);
        group[i] = i == 0 ? 0 : group[i - 1] + (rank[i - 1] - rank[i] > epsilon);
    }
    return SZ_OK;
}

sz_status sz_kv_pyramid_budgets(uint32_t budget, uint32_t window, size_t n_layer, uint32_t length,
                                uint32_t *capacity) {
    SZ_REQUIRE(n_layer >= 1, SZ_E_ARG, "a pyramid of no layers");
    SZ_REQUIRE(budget > window && length >= budget, SZ_E_ARG,
               "a budget of %u tokens, more than the window of %u and no more than the %u of the "
               "prompt are needed",
               budget, window, length);
    int64_t mean = (int64_t)budget - window, least = mean / 20, most = 2 * mean - least;
    if (most >= (int64_t)length - window) {
        most = (int64_t)length - window;
        least = 2 * mean - most;
    }
    int64_t step = (most - least) / (int64_t)n_layer;
    for (size_t l = 0; l < n_layer; l++)
        capacity[l] = (uint32_t)(most - (int64_t)l * step + window);
    return SZ_OK;
}

sz_status sz_kv_water_fill(const double *gain, size_t n_heads, size_t n, size_t total,
                           uint32_t *capacity) {
    size_t all;
    ranked *r;
    SZ_REQUIRE(!__builtin_mul_overflow(n_heads, n, &all) && all < UINT32_MAX, SZ_E_LIMIT,
               "%zu gains of %zu heads", n, n_heads);
    SZ_REQUIRE(total <= all, SZ_E_ARG, "%zu places of %zu", total, all);
    SZ_TRY(sorted(gain, all, &r));
    for (size_t h = 0; h < n_heads; h++)
        capacity[h] = 0;
    size_t at = all - total; /* of the values equal to the smallest that is taken, the first */
    size_t low = at, high = at;
    while (low > 0 && total && r[low - 1].value == r[at].value)
        low--;
    while (high < all && total && r[high].value == r[at].value)
        high++;
    for (size_t i = low; i < low + (high - at); i++)
        capacity[r[i].index / n]++;
    for (size_t i = high; i < all; i++)
        capacity[r[i].index / n]++;
    sz_free(r);
    return SZ_OK;
}

/* One round: a one for every head that can take or give it, until the sum is right. */
static bool balance_round(uint32_t *capacity, const uint32_t *order, size_t n, size_t *sum,
                          size_t total, uint32_t least, uint32_t most) {
    bool moved = false;
    for (size_t i = 0; i < n && *sum != total; i++) {
        uint32_t *c = &capacity[order[*sum > total ? i : n - 1 - i]];
        if (*sum > total && *c > least) {
            --*c, --*sum, moved = true;
        } else if (*sum < total && *c < most) {
            ++*c, ++*sum, moved = true;
        }
    }
    return moved;
}

void sz_kv_balance(uint32_t *capacity, const uint32_t *order, size_t n, size_t total,
                   uint32_t least, uint32_t most) {
    size_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        capacity[i] = capacity[i] > most ? most : capacity[i];
        sum += capacity[i];
    }
    while (sum != total && balance_round(capacity, order, n, &sum, total, least, most))
        ;
}

uint32_t sz_kv_reach(const sz_kv_prompt *p, uint32_t layer) {
    uint32_t window = p->window ? p->window[layer] : 0;
    return window && window < p->length ? window : p->length;
}
