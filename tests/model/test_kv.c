/* The key-value cache by itself: blocks come as they fill and go when nobody holds them, forks
 * share until they write, and every storage type gives back what it was given as well as it can. */
#include "check.h"
#include "model/kv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const sz_kernels *kernels(void) {
    const sz_kernels *k = NULL;
    SZ_CHECK_OK(sz_kernels_get(NULL, &k));
    return k;
}

static sz_kv *new_kv(const sz_kv_shape *shape, uint32_t context) {
    sz_kv *kv = NULL;
    SZ_CHECK_OK(sz_kv_new(kernels(), shape, 4, context, &kv));
    return kv;
}

static const sz_kv_shape small = {.n_layer = 2, .n_head_kv = 2, .head_dim = 24, .type = SZ_KV_F32};

static float value_for(uint32_t position, uint32_t layer, uint32_t head, uint32_t d) {
    return (float)sz_uniform(position, layer * 16 + head, d) * 6 - 3;
}

/* Appends n positions whose keys are value_for(...), and values their negatives. */
static void append(sz_kv *kv, const sz_kv_shape *s, uint32_t seq, uint32_t n, uint32_t salt) {
    uint32_t from = sz_kv_length(kv, seq);
    float key[256], value[256];
    SZ_CHECK_OK(sz_kv_extend(kv, seq, n));
    for (uint32_t p = from; p < from + n; p++)
        for (uint32_t layer = 0; layer < s->n_layer; layer++)
            for (uint32_t head = 0; head < s->n_head_kv; head++) {
                for (uint32_t d = 0; d < s->head_dim; d++)
                    value[d] = -(key[d] = value_for(p + salt, layer, head, d));
                sz_kv_store(kv, seq, p, layer, head, key, value);
            }
}

typedef struct entry {
    float key[256], value[256];
} entry;

static entry read_entry(const sz_kv *kv, const sz_kv_shape *s, uint32_t seq, uint32_t position,
                        uint32_t layer, uint32_t head) {
    entry e;
    uint32_t at = position % SZ_KV_BLOCK, stride = (s->head_dim + 15) / 16 * 16;
    float *scratch = malloc(sz_kv_scratch_floats(kv) * sizeof *scratch + 64);
    sz_kv_view v = sz_kv_view_block(kv, seq, position / SZ_KV_BLOCK, layer, head, scratch);
    for (uint32_t d = 0; d < s->head_dim; d++) {
        size_t k = d * SZ_KV_BLOCK + at, x = (size_t)at * stride + d;
        if (v.f16) {
            kernels()->from_f16((const uint16_t *)v.key + k, 1, &e.key[d]);
            kernels()->from_f16((const uint16_t *)v.value + x, 1, &e.value[d]);
        } else {
            e.key[d] = ((const float *)v.key)[k];
            e.value[d] = ((const float *)v.value)[x];
        }
    }
    free(scratch);
    return e;
}

static void check_positions(const sz_kv *kv, const sz_kv_shape *s, uint32_t seq, uint32_t from,
                            uint32_t to, uint32_t salt) {
    for (uint32_t p = from; p < to; p++)
        for (uint32_t layer = 0; layer < s->n_layer; layer++)
            for (uint32_t head = 0; head < s->n_head_kv; head++) {
                entry e = read_entry(kv, s, seq, p, layer, head);
                for (uint32_t d = 0; d < s->head_dim; d++) {
                    assert_true(e.key[d] == value_for(p + salt, layer, head, d));
                    assert_true(e.value[d] == -e.key[d]);
                }
            }
}

static size_t n_blocks(const sz_kv *kv) {
    return sz_kv_bytes(kv) / sz_kv_block_bytes(&small);
}

static void blocks_come_as_they_fill_and_go(void **state) {
    static const struct {
        uint32_t add, blocks;
    } steps[] = {{1, 1}, {62, 1}, {1, 1}, {1, 2}, {63, 2}, {2, 3}};
    sz_kv *kv = new_kv(&small, 1 << 27);
    assert_int_equal(sz_kv_bytes(kv), 0);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        append(kv, &small, 1, steps[i].add, 0);
        assert_int_equal(n_blocks(kv), steps[i].blocks);
    }
    check_positions(kv, &small, 1, 0, 130, 0);
    sz_kv_truncate(kv, 1, 128); /* the block of the next token stays */
    assert_int_equal(n_blocks(kv), 3);
    sz_kv_truncate(kv, 1, 65);
    assert_int_equal(n_blocks(kv), 2);
    append(kv, &small, 1, 2, 7);
    check_positions(kv, &small, 1, 65, 67, 7);
    sz_kv_truncate(kv, 1, 64);
    assert_int_equal(n_blocks(kv), 2);
    SZ_CHECK_OK(sz_kv_fork(kv, 1, 0));
    sz_kv_truncate(kv, 1, 64); /* but not one that somebody shares */
    sz_kv_truncate(kv, 0, 0);
    assert_int_equal(n_blocks(kv), 1);
    sz_kv_truncate(kv, 1, 100); /* longer than it is: nothing happens */
    assert_int_equal(sz_kv_length(kv, 1), 64);
    sz_kv_truncate(kv, 1, 0);
    assert_int_equal(sz_kv_bytes(kv), 0);
    sz_kv_free(kv);
}

static void forks_share_until_they_write(void **state) {
    sz_kv *kv = new_kv(&small, 1000);
    append(kv, &small, 0, 150, 0); /* 3 blocks, the last one not full */
    SZ_CHECK_OK(sz_kv_fork(kv, 0, 1));
    SZ_CHECK_OK(sz_kv_fork(kv, 1, 2));
    assert_int_equal(n_blocks(kv), 3);
    assert_int_equal(sz_kv_fork(kv, 0, 2), SZ_E_STATE);
    append(kv, &small, 1, 1, 500); /* copies the block that it writes to */
    assert_int_equal(n_blocks(kv), 4);
    append(kv, &small, 0, 1, 900);
    assert_int_equal(n_blocks(kv), 5);
    append(kv, &small, 2, 1, 700); /* the last holder writes in place */
    assert_int_equal(n_blocks(kv), 5);
    for (uint32_t seq = 0; seq < 3; seq++) {
        static const uint32_t salt[] = {900, 500, 700};
        check_positions(kv, &small, seq, 0, 150, 0);
        check_positions(kv, &small, seq, 150, 151, salt[seq]);
    }
    sz_kv_truncate(kv, 0, 0); /* the shared prefix stays with the others */
    assert_int_equal(n_blocks(kv), 4);
    check_positions(kv, &small, 1, 0, 150, 0);
    sz_kv_truncate(kv, 1, 70); /* back into a shared block, then on */
    append(kv, &small, 1, 30, 400);
    check_positions(kv, &small, 1, 0, 70, 0);
    check_positions(kv, &small, 1, 70, 100, 400);
    check_positions(kv, &small, 2, 0, 150, 0);
    sz_kv_truncate(kv, 1, 0);
    sz_kv_truncate(kv, 2, 0);
    assert_int_equal(sz_kv_bytes(kv), 0);
    sz_kv_free(kv);
}

static void the_context_bounds_a_sequence(void **state) {
    sz_kv *kv = new_kv(&small, 100);
    append(kv, &small, 0, 90, 0);
    assert_int_equal(sz_kv_extend(kv, 0, 11), SZ_E_LIMIT);
    assert_non_null(strstr(sz_last_error(), "11 more tokens after 90 exceed the context of 100"));
    assert_int_equal(sz_kv_length(kv, 0), 90);
    append(kv, &small, 0, 10, 0);
    assert_int_equal(sz_kv_extend(kv, 0, 1), SZ_E_LIMIT);
    assert_int_equal(sz_kv_extend(kv, 0, UINT32_MAX), SZ_E_LIMIT);
    sz_kv_free(kv);
}

/* ---- Storage types --------------------------------------------------------------------------- */

static const uint32_t dims[] = {2, 24, 32, 40, 64, 80, 256};

/* The largest error of a key or value, in units of the largest magnitude of its group of 32. */
static double worst_error(sz_kv_type type, uint32_t dim) {
    sz_kv_shape shape = {.n_layer = 1, .n_head_kv = 2, .head_dim = dim, .type = type};
    sz_kv *kv = new_kv(&shape, 128);
    double worst = 0;
    append(kv, &shape, 0, 70, 0);
    for (uint32_t p = 0; p < 70; p++)
        for (uint32_t head = 0; head < 2; head++) {
            entry e = read_entry(kv, &shape, 0, p, 0, head);
            for (uint32_t d = 0; d < dim; d++) {
                double want = (double)value_for(p, 0, head, d);
                double off = fmax(fabs((double)e.key[d] - want), fabs((double)e.value[d] + want));
                worst = fmax(worst, off / 3);
            }
        }
    sz_kv_free(kv);
    return worst;
}

static void every_type_gives_values_back(void **state) {
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
        assert_true(worst_error(SZ_KV_F32, dims[i]) == 0);
        SZ_CHECK_ABS(worst_error(SZ_KV_F16, dims[i]), 0, 0x1p-11); /* half a unit of 11 bits */
        SZ_CHECK_ABS(worst_error(SZ_KV_Q8_0, dims[i]), 0, 0.5 / 127 + 1e-6); /* half a step */
    }
    assert_true(worst_error(SZ_KV_F16, 40) > 0x1p-14);
    assert_true(worst_error(SZ_KV_Q8_0, 40) > 0.1 / 127);
}

static void store_one(sz_kv *kv, uint32_t position, float first, float second) {
    float x[40] = {first, second};
    SZ_CHECK_OK(sz_kv_extend(kv, 0, 1));
    sz_kv_store(kv, 0, position, 0, 0, x, x);
}

static void awkward_values_are_stored(void **state) {
    static const sz_kv_type types[] = {SZ_KV_F32, SZ_KV_F16, SZ_KV_Q8_0};
    for (int i = 0; i < 3; i++) {
        sz_kv_shape shape = {.n_layer = 1, .n_head_kv = 1, .head_dim = 40, .type = types[i]};
        sz_kv *kv = new_kv(&shape, 64);
        store_one(kv, 0, 1e6f, -1e6f);
        store_one(kv, 1, NAN, 1);
        store_one(kv, 2, 0, 0);
        store_one(kv, 3, 1e-35f, 0);
        entry large = read_entry(kv, &shape, 0, 0, 0, 0), none = read_entry(kv, &shape, 0, 2, 0, 0);
        double most = types[i] == SZ_KV_F16 ? 65504.0 : 1e6; /* half precision saturates */
        SZ_CHECK_REL((double)large.key[0], most, 1e-6);
        SZ_CHECK_REL((double)large.value[1], -most, 1e-6);
        assert_true(isnan(read_entry(kv, &shape, 0, 1, 0, 0).key[0]));
        assert_true(isnan(read_entry(kv, &shape, 0, 1, 0, 0).value[0]));
        assert_true(none.key[0] == 0 && none.value[39] == 0);
        SZ_CHECK_ABS((double)read_entry(kv, &shape, 0, 3, 0, 0).key[0], 0, 1e-30);
        sz_kv_free(kv);
    }
}

static void block_sizes_are_as_stated(void **state) {
    sz_kv_shape s = {.n_layer = 3, .n_head_kv = 2, .head_dim = 64, .type = SZ_KV_F16};
    assert_int_equal(sz_kv_block_bytes(&s), 3 * 2 * 2 * 64 * 64 * 2);
    s.type = SZ_KV_F32;
    assert_int_equal(sz_kv_block_bytes(&s), 3 * 2 * 2 * 64 * 64 * 4);
    s.type = SZ_KV_Q8_0; /* a float scale per 32 values */
    assert_int_equal(sz_kv_block_bytes(&s), 3 * 2 * 2 * (64 * 64 + 2 * 64 * 4));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_come_as_they_fill_and_go),
        cmocka_unit_test(forks_share_until_they_write),
        cmocka_unit_test(the_context_bounds_a_sequence),
        cmocka_unit_test(every_type_gives_values_back),
        cmocka_unit_test(awkward_values_are_stored),
        cmocka_unit_test(block_sizes_are_as_stated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
