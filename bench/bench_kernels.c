/* bench_kernels.c: what one core gets out of the product kernels, next to its ceilings.
 *
 *     bench_kernels [TYPE...]
 *
 * For each storage type: reading weights for one token, from the cache and from memory, GB/s; one
 * panel times 1, 2, 4 and 8 tokens from the cache, 2, 4 and 8 from memory, and an expanded panel
 * times 64, the expanding included, GOP/s (two per multiply-add). Best of some ten repeats each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "num/matrix.h"

enum { COLS = 1536, HOT_ROWS = 256, COLD_BYTES = 192 << 20, TOKENS = 64 };

static const sz_type types[] = {SZ_Q4_0, SZ_Q4_1, SZ_Q5_0, SZ_Q5_1, SZ_Q8_0, SZ_IQ4_NL, SZ_MXFP4,
                                SZ_Q2_K, SZ_Q3_K, SZ_Q4_K, SZ_Q5_K, SZ_Q6_K, SZ_IQ4_XS};
enum { N_TYPES = sizeof types / sizeof *types };

static const sz_kernels *k;
static sz_pool *pool;
static sz_arena *arena;
static float *x, *y;

static void check(sz_status status) {
    if (status != SZ_OK) {
        fprintf(stderr, "bench_kernels: %s\n", sz_last_error());
        exit(1);
    }
}

static sz_matrix make_matrix(sz_type type, size_t n_rows) {
    const sz_type_info *info = sz_type_get(type);
    size_t bytes = COLS / info->block * info->block_bytes * n_rows;
    uint8_t *blocks = sz_alloc(bytes);
    for (size_t i = 0; i < bytes; i++) /* scales below 1: exponents of f16 stay small */
        blocks[i] = (uint8_t)(i * 2654435761u >> 24 & 0x3b);
    sz_matrix m;
    check(sz_matrix_pack(pool, type, n_rows, COLS, blocks, &m));
    sz_free(blocks);
    return m;
}

/* Seconds of one product of m with n tokens, at best; quantising is not counted. */
static double time_product(const sz_matrix *m, size_t n, int repeats) {
    double best = 1e9;
    sz_arena_reset(arena);
    sz_activations a = {.x = x, .n = n, .n_cols = COLS, .stride = COLS};
    check(sz_activations_quantize(k, pool, arena, &a));
    for (int i = 0; i < repeats; i++) {
        uint64_t start = sz_time_ns();
        check(sz_matrix_multiply(k, pool, arena, m, &a, y, m->n_rows));
        double t = (double)(sz_time_ns() - start) * 1e-9;
        best = t < best ? t : best;
    }
    return best;
}

static void measure(sz_type type) {
    sz_matrix hot = make_matrix(type, HOT_ROWS), cold;
    double row_bytes = (double)hot.bytes / HOT_ROWS, ops = 2.0 * COLS * HOT_ROWS;
    cold = make_matrix(type, (size_t)(COLD_BYTES / row_bytes) / 16 * 16);
    printf("%-7s %6.1f %6.1f  ", sz_type_get(type)->name,
           (double)hot.bytes / time_product(&hot, 1, 300) * 1e-9,
           (double)cold.bytes / time_product(&cold, 1, 8) * 1e-9);
    for (size_t n = 1; n <= 8; n *= 2)
        printf(" %6.1f", ops * (double)n / time_product(&hot, n, 200) * 1e-9);
    printf(" ");
    ops *= (double)cold.n_rows / HOT_ROWS;
    for (size_t n = 2; n <= 8; n *= 2)
        printf(" %6.1f", ops * (double)n / time_product(&cold, n, 5) * 1e-9);
    printf("  %6.1f\n", 2.0 * COLS * HOT_ROWS * TOKENS / time_product(&hot, TOKENS, 60) * 1e-9);
    sz_matrix_free(&hot);
    sz_matrix_free(&cold);
}

static void print_peak(void) {
    enum { ROUNDS = 100000 };
    int32_t out[16];
    double best = 1e9;
    for (int i = 0; i < 10; i++) {
        uint64_t start = sz_time_ns();
        k->peak_int8(ROUNDS, out);
        double t = (double)(sz_time_ns() - start) * 1e-9;
        best = t < best ? t : best;
    }
    printf("%s: int8 peak %.1f GOP/s\n", k->isa, 2.0 * 12 * 64 * ROUNDS / best * 1e-9);
}

int main(int argc, char **argv) {
    check(sz_kernels_get(NULL, &k));
    check(sz_pool_new(1, &pool));
    check(sz_arena_new(1 << 20, &arena));
    x = sz_alloc(TOKENS * COLS * sizeof *x);
    for (size_t i = 0; i < TOKENS * COLS; i++)
        x[i] = (float)sz_uniform(1, 0, i) - 0.5f;
    y = sz_alloc((size_t)COLD_BYTES);
    print_peak();
    printf("type     hot GB/s cold   1, 2, 4, 8 tokens GOP/s      cold 2, 4, 8           %d "
           "expanded\n",
           TOKENS);
    for (size_t i = 0; i < N_TYPES; i++) {
        bool wanted = argc == 1;
        for (int j = 1; j < argc; j++)
            wanted |= strcmp(argv[j], sz_type_get(types[i])->name) == 0;
        if (wanted)
            measure(types[i]);
    }
    sz_free(x);
    sz_free(y);
    sz_arena_free(arena);
    sz_pool_free(pool);
    return 0;
}
