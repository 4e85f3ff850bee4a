/* recall.c: the candidate is the follower of the last place where the latest tokens were the same:
 * three of them at best, one at least; the longer they agree, the more it is trusted. */
#include "zip/recall.h"

#include <string.h>

#include "zip/logistic.h"

enum {
    N_ORDERS = 3,     /* places are looked up by the last 1, 2 and 4 tokens */
    MOST_LENGTH = 64, /* agreeing tokens that are told apart */
    N_LEVELS = 16,
    N_CLASSES = 4, /* of the model's own probability */
    ONE = 1 << 16,
};
static const size_t orders[N_ORDERS] = {1, 2, 4};

struct sz_recall {
    int32_t *tokens; /* [n] */
    size_t n, cap, n_heads;
    uint32_t *heads[N_ORDERS]; /* [n_heads]: one more than the place that follows; 0: none */
    size_t at, length;         /* the candidate's place, and how many tokens before it agree */
    uint16_t right[N_LEVELS][N_CLASSES]; /* how often, in 1/65536 */
    int32_t weights[N_LEVELS][3];        /* of the model, of `right`, of a constant */
    /* Of the latest probability. */
    int32_t inputs[3], p;
    size_t level, class;
};

void sz_recall_free(sz_recall *r) {
    if (!r)
        return;
    for (int k = 0; k < N_ORDERS; k++)
        sz_free(r->heads[k]);
    sz_free(r->tokens);
    sz_free(r);
}

sz_status sz_recall_new(size_t n_tokens, sz_recall **out) {
    sz_recall *r = sz_calloc(1, sizeof *r);
    SZ_REQUIRE(r, SZ_E_NOMEM, "no memory for the adaptive layer");
    r->cap = n_tokens;
    r->n_heads = 1 << 10;
    while (r->n_heads < 2 * n_tokens)
        r->n_heads *= 2;
    r->tokens = sz_alloc((n_tokens + 1) * sizeof *r->tokens);
    bool ok = r->tokens != NULL;
    for (int k = 0; k < N_ORDERS; k++)
        ok &= (r->heads[k] = sz_calloc(r->n_heads, sizeof *r->heads[k])) != NULL;
    if (!ok) {
        sz_recall_free(r);
        return sz_fail(SZ_E_NOMEM, "no memory for the adaptive layer of %zu tokens", n_tokens);
    }
    sz_logistic_init();
    for (int l = 0; l < N_LEVELS; l++) {
        r->weights[l][0] = ONE;
        r->weights[l][1] = ONE / 2;
        for (int c = 0; c < N_CLASSES; c++)
            r->right[l][c] = 32768; /* no opinion: the model's probability stands */
    }
    *out = r;
    return SZ_OK;
}

int32_t sz_recall_candidate(const sz_recall *r) {
    return r->length ? r->tokens[r->at] : -1;
}

static size_t level_of(size_t length) {
    return length < 8 ? length : length < 16 ? 8 + (length - 8) / 2 : length < 32 ? 12 : 13;
}

uint32_t sz_recall_probability(sz_recall *r, uint32_t freq) {
    uint32_t p = freq >> 16;
    r->level = level_of(r->length);
    r->class = p < 1024 ? 0 : p < 16384 ? 1 : p < 49152 ? 2 : 3;
    r->inputs[0] = sz_stretch(p);
    r->inputs[1] = sz_stretch(r->right[r->level][r->class]);
    r->inputs[2] = 256;
    int64_t sum = 0;
    for (int i = 0; i < 3; i++)
        sum += (int64_t)r->inputs[i] * r->weights[r->level][i];
    sum >>= 16;
    r->p = sz_squash(sum < -2047 ? -2047 : sum > 2047 ? 2047 : (int32_t)sum);
    return (uint32_t)r->p;
}

void sz_recall_learn(sz_recall *r, bool right) {
    int32_t error = (right ? 65535 : 0) - r->p;
    for (int i = 0; i < 3; i++) {
        int32_t *w = &r->weights[r->level][i], v = *w + (r->inputs[i] * error >> 14);
        *w = v < -8 * ONE ? -8 * ONE : v > 8 * ONE ? 8 * ONE : v;
    }
    sz_approach(&r->right[r->level][r->class], right, 4);
}

static size_t head_index(const sz_recall *r, size_t order) {
    uint64_t h = order;
    for (size_t i = 0; i < order; i++)
        h = (h + (uint32_t)r->tokens[r->n - 1 - i]) * 0x9e3779b97f4a7c15u;
    return (size_t)(h >> 32) & (r->n_heads - 1);
}

static size_t agreement(const sz_recall *r, size_t at) {
    size_t length = 0;
    while (length < MOST_LENGTH && length < at &&
           r->tokens[at - 1 - length] == r->tokens[r->n - 1 - length])
        length++;
    return length;
}

void sz_recall_append(sz_recall *r, int32_t token) {
    if (r->n == r->cap)
        return;
    bool goes_on = r->length && r->tokens[r->at] == token;
    r->tokens[r->n++] = token;
    r->at++;
    r->length = goes_on ? r->length + (r->length < MOST_LENGTH) : 0;
    for (int k = N_ORDERS - 1; k >= 0; k--) {
        if (r->n < orders[k])
            continue;
        uint32_t *head = &r->heads[k][head_index(r, orders[k])];
        if (*head && r->length < orders[k]) {
            size_t length = agreement(r, *head - 1);
            if (length > r->length) {
                r->at = *head - 1;
                r->length = length;
            }
        }
        *head = (uint32_t)r->n + 1;
    }
}
