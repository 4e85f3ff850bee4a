/* Attention kernels over one block of 64 positions: every set gives the bits of the contract
 * (canonical.h) for 1 to 4 queries, any head width, any visible range, f16 and f32 caches. */
#include "each_isa.h"

#include "canonical.h"

enum { WIDEST = 256 };

typedef struct block {
    size_t dim, padded; /* values lie in rows of a multiple of 16 */
    bool f16;
    float *key, *value; /* [dim][64], [64][padded], as floats */
    uint16_t *key_half, *value_half;
    float query[SZ_QUERY_MAX][WIDEST];
} block;

/* Cached numbers are halves where f16, so that both views hold the same numbers. */
static void fill(float *x, uint16_t *half, size_t n, bool f16) {
    for (size_t i = 0; i < n; i++) {
        x[i] = 2.0f * uniform();
        half[i] = sz_f32_to_f16(x[i]);
        if (f16)
            x[i] = sz_f16_to_f32(half[i]);
    }
}

static block make_block(size_t dim, bool f16) {
    block b = {.dim = dim, .padded = (dim + 15) / 16 * 16, .f16 = f16};
    b.key = malloc(dim * 64 * sizeof *b.key);
    b.value = malloc(b.padded * 64 * sizeof *b.value);
    b.key_half = malloc(dim * 64 * sizeof *b.key_half);
    b.value_half = malloc(b.padded * 64 * sizeof *b.value_half);
    fill(b.key, b.key_half, dim * 64, f16);
    fill(b.value, b.value_half, b.padded * 64, f16);
    for (int q = 0; q < SZ_QUERY_MAX; q++)
        for (size_t d = 0; d < dim; d++)
            b.query[q][d] = uniform();
    return b;
}

static void free_block(block *b) {
    free(b->key);
    free(b->value);
    free(b->key_half);
    free(b->value_half);
}

static void check_query(const block *b, int q, int from, int to, int n_pos, const float *scores,
                        const float *weights, float max, float sum, const float *mix) {
    float want[64], want_mix[WIDEST], want_max, want_sum;
    canonical_scores(b->query[q], b->key, b->dim, want);
    for (int i = 0; i < n_pos; i++)
        assert_true(same_float(scores[i], want[i]));
    canonical_softmax(want, from, to, &want_max, &want_sum);
    assert_true(max == want_max && same_float(sum, want_sum));
    for (int i = 0; i < 64; i++)
        assert_true(same_float(weights[i], want[i]));
    canonical_mix(want, b->value, b->padded, n_pos, want_mix);
    for (size_t d = 0; d < b->dim; d++)
        assert_true(same_float(mix[d], want_mix[d]));
}

static void check_queries(const sz_kernels *k, const block *b, int n) {
    float scores[SZ_QUERY_MAX][SZ_KV_BLOCK], weights[SZ_QUERY_MAX][SZ_KV_BLOCK];
    float mixes[SZ_QUERY_MAX][WIDEST], max[SZ_QUERY_MAX], sum[SZ_QUERY_MAX];
    const float *queries[SZ_QUERY_MAX];
    float *mix[SZ_QUERY_MAX];
    int from[SZ_QUERY_MAX], to[SZ_QUERY_MAX], n_pos = 0;
    for (int q = 0; q < n; q++) {
        queries[q] = b->query[q];
        mix[q] = mixes[q];
        from[q] = (int)(random_bits() % 64);
        to[q] = from[q] + 1 + (int)(random_bits() % (uint32_t)(64 - from[q]));
        n_pos = to[q] > n_pos ? to[q] : n_pos;
    }
    k->attend_scores(queries, n, b->f16 ? (void *)b->key_half : (void *)b->key, b->f16, b->dim,
                     n_pos, scores);
    memcpy(weights, scores, sizeof weights);
    for (int q = 0; q < n; q++)
        k->attend_softmax(weights[q], from[q], to[q], &max[q], &sum[q]);
    k->attend_mix(weights, n, b->f16 ? (void *)b->value_half : (void *)b->value, b->f16, b->padded,
                  n_pos, mix);
    for (int q = 0; q < n; q++)
        check_query(b, q, from[q], to[q], n_pos, scores[q], weights[q], max[q], sum[q], mix[q]);
}

static void test_heads(void **state) {
    static const size_t dims[] = {1, 8, 16, 20, 64, 72, 80, 96, 112, 128, 192, 256};
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
        for (int f16 = 0; f16 < 2; f16++) {
            block b = make_block(dims[i], f16);
            for (const sz_kernels **k = each_isa(); *k; k++)
                for (int n = 1; n <= SZ_QUERY_MAX; n++)
                    check_queries(*k, &b, n);
            free_block(&b);
        }
}

static void check_softmax(const float *scores, int from, int to) {
    float want[64], got[64], want_max, want_sum, max, sum;
    memcpy(want, scores, sizeof want);
    canonical_softmax(want, from, to, &want_max, &want_sum);
    for (const sz_kernels **k = each_isa(); *k; k++) {
        memcpy(got, scores, sizeof got);
        (*k)->attend_softmax(got, from, to, &max, &sum);
        assert_true(max == want_max && sum == want_sum);
        for (int i = 0; i < 64; i++)
            assert_true(same_float(got[i], want[i]));
    }
}

/* Every visible range, with scores far apart, equal, and of either zero. */
static void test_ranges(void **state) {
    float scores[4][64];
    for (int i = 0; i < 64; i++) {
        scores[0][i] = 100.0f * uniform();
        scores[1][i] = 3e38f * uniform();
        scores[2][i] = -7.25f;
        scores[3][i] = random_bits() & 1 ? 0.0f : -0.0f;
    }
    for (int kind = 0; kind < 4; kind++)
        for (int from = 0; from < 64; from++)
            for (int to = from + 1; to <= 64; to++)
                check_softmax(scores[kind], from, to);
}

/* Weights of a visible range sum to the sum, and a lonely position has weight 1. */
static void test_meaning(void **state) {
    float scores[64], max, sum;
    const sz_kernels *k = each_isa()[0];
    for (int at = 0; at < 64; at++) {
        for (int i = 0; i < 64; i++)
            scores[i] = 10.0f * uniform();
        float own = scores[at];
        k->attend_softmax(scores, at, at + 1, &max, &sum);
        for (int i = 0; i < 64; i++)
            assert_true(scores[i] == (i == at ? 1.0f : 0.0f));
        assert_true(max == own && sum == 1.0f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
