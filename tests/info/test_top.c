#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <szilard/unstable/info.h>

static void is_top(const float *logits, size_t n, size_t k, const int32_t *want) {
    int32_t ids[16];
    assert_int_equal(sz_logits_top(logits, n, k, ids), k < n ? k : n);
    assert_memory_equal(ids, want, (k < n ? k : n) * sizeof *ids);
}

static void the_largest_come_first(void **state) {
    const float logits[] = {0.5f, -2, 7, 3, 6.5f, -INFINITY};
    is_top(logits, 6, 1, (int32_t[]){2});
    is_top(logits, 6, 3, (int32_t[]){2, 4, 3});
    is_top(logits, 6, 6, (int32_t[]){2, 4, 3, 0, 1, 5});
    is_top(logits, 6, 16, (int32_t[]){2, 4, 3, 0, 1, 5});
    is_top(logits, 1, 4, (int32_t[]){0});
    is_top(logits, 6, 0, NULL);
}

static void equals_come_by_rising_id(void **state) {
    const float logits[] = {1, 2, 1, 2, 1, 2, 1, 0, -0.0f};
    is_top(logits, 9, 2, (int32_t[]){1, 3});
    is_top(logits, 9, 4, (int32_t[]){1, 3, 5, 0});
    is_top(logits, 9, 9, (int32_t[]){1, 3, 5, 0, 2, 4, 6, 7, 8});
}

static const float *sorting;

static int by_logit(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    if (sorting[x] != sorting[y])
        return sorting[x] < sorting[y] ? 1 : -1;
    return x < y ? -1 : 1;
}

/* Rows with many equals, against a full sort, for every k. */
static void agrees_with_a_full_sort(void **state) {
    enum { N = 257, ROWS = 40 };
    float row[N];
    int32_t sorted[N], ids[N];
    for (uint64_t r = 0; r < ROWS; r++) {
        for (int i = 0; i < N; i++) {
            row[i] = (float)(int)(sz_uniform(3, r, (uint64_t)i) * (double)(4 << r % 8));
            sorted[i] = i;
        }
        sorting = row;
        qsort(sorted, N, sizeof *sorted, by_logit);
        for (size_t k = 0; k <= N; k += 1 + k / 3) {
            assert_int_equal(sz_logits_top(row, N, k, ids), k);
            assert_memory_equal(ids, sorted, k * sizeof *ids);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_come_first),
        cmocka_unit_test(equals_come_by_rising_id),
        cmocka_unit_test(agrees_with_a_full_sort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
