/* test_circuit_coding.c: records to bytes and back. */
#include "vector_case.h"

#include <math.h>

#include <szilard/unstable/num.h>

typedef struct coded {
    sz_runtime *rt;
    sz_pc *pc;
    sz_pc_coder *coder;
    size_t d;
} coded;

static coded open_coder(size_t d, size_t m, size_t k, const char *isa) {
    coded c = {.rt = runtime(1, isa), .pc = random_circuit(d, m, k, d + m + k), .d = d};
    SZ_CHECK_OK(sz_pc_coder_new(c.rt, c.pc, &c.coder));
    return c;
}

static void close_coder(coded *c) {
    sz_pc_coder_free(c->coder);
    sz_pc_free(c->pc);
    sz_runtime_free(c->rt);
}

/* Same values where known, and bytes that are what -log2 P says. */
static void check_round_trip(const coded *c, const int32_t *x, size_t n) {
    sz_buf code = {0};
    int32_t *back = sz_alloc((n * c->d + 1) * sizeof *back);
    double *ln = sz_alloc((n + 1) * sizeof *ln), bits = 0;
    SZ_CHECK_OK(sz_pc_encode(c->coder, x, n, &code));
    SZ_CHECK_OK(sz_pc_loglik(c->rt, c->pc, x, n, ln));
    for (size_t i = 0; i < n; i++)
        bits -= ln[i] / log(2);
    SZ_CHECK_ABS((double)code.len * 8, bits, 16 + 1e-6 * bits);
    for (size_t i = 0; i < n * c->d; i++)
        back[i] = x[i] == SZ_PC_MISSING ? SZ_PC_MISSING : 0;
    SZ_CHECK_OK(sz_pc_decode(c->coder, (uint8_t *)code.data, code.len, back, n));
    assert_memory_equal(back, x, n * c->d * sizeof *x);
    sz_buf_free(&code);
    sz_free(back);
    sz_free(ln);
}

static void what_goes_in_comes_out(void **state) {
    static const size_t shapes[][4] = {{1, 1, 1, 9},    {1, 1, 2, 200},  {5, 3, 1, 3},
                                       {7, 2, 3, 65},   {40, 9, 4, 128}, {64, 16, 17, 130},
                                       {12, 4, 300, 70}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        coded c = open_coder(shapes[i][0], shapes[i][1], shapes[i][2], NULL);
        size_t n = shapes[i][3];
        int32_t *x = sz_alloc(n * c.d * sizeof *x);
        SZ_CHECK_OK(sz_pc_sample(c.rt, c.pc, NULL, n, i, x));
        check_round_trip(&c, x, n);
        check_round_trip(&c, x, 0);
        for (size_t j = 0; j < n * c.d; j++) /* nothing like the circuit */
            x[j] = (int32_t)(sz_uniform(i, 6, j) * (double)shapes[i][2]);
        check_round_trip(&c, x, n);
        for (size_t j = 0; j < n * c.d; j += 1 + j % 3)
            x[j] = SZ_PC_MISSING;
        check_round_trip(&c, x, n);
        sz_free(x);
        close_coder(&c);
    }
}

static void ten_thousand_short_streams(void **state) {
    coded c = open_coder(3, 2, 4, NULL);
    for (uint64_t i = 0; i < 10000; i++) {
        int32_t x[6];
        for (uint64_t j = 0; j < 6; j++)
            x[j] = (int32_t)(sz_uniform(i, 7, j) * 4);
        check_round_trip(&c, x, i % 3);
    }
    close_coder(&c);
}

/* Probabilities from 1 - 1e-12 down to 1e-12, and long runs of what is nearly certain. */
static void steep_circuits(void **state) {
    enum { D = 300 };
    static int32_t parent[D], x[70 * D];
    static double trans[D * 4], emit[D * 6];
    sz_pc_shape shape = {D, 2, 3};
    coded c = {.rt = runtime(1, NULL), .d = D};
    for (int v = 0; v < D; v++) {
        parent[v] = v - 1;
        memcpy(trans + 4 * v, (double[]){1 - 1e-9, 1e-9, 1e-9, 1 - 1e-9}, 4 * sizeof *trans);
        memcpy(emit + 6 * v, (double[]){1 - 2e-12, 1e-12, 1e-12, 1e-12, 1e-12, 1 - 2e-12},
               6 * sizeof *emit);
    }
    SZ_CHECK_OK(sz_pc_new(&shape, parent, (double[]){0.5, 0.5}, trans, emit, &c.pc));
    SZ_CHECK_OK(sz_pc_coder_new(c.rt, c.pc, &c.coder));
    check_round_trip(&c, x, 1);
    for (int i = 0; i < 70 * D; i++)
        x[i] = i % 97 == 5 ? 1 : 2;
    sz_buf code = {0};
    SZ_CHECK_OK(sz_pc_encode(c.coder, x, 70, &code));
    static int32_t back[70 * D];
    SZ_CHECK_OK(sz_pc_decode(c.coder, (uint8_t *)code.data, code.len, back, 70));
    assert_memory_equal(back, x, sizeof x);
    sz_buf_free(&code);
    close_coder(&c);
}

static void the_same_bytes_on_every_instruction_set(void **state) {
    enum { D = 50, N = 100 };
    static int32_t x[N * D];
    sz_buf first = {0};
    for (const char *const *isa = sz_isa_available(); *isa; isa++) {
        coded c = open_coder(D, 12, 9, *isa);
        sz_buf code = {0};
        SZ_CHECK_OK(sz_pc_sample(c.rt, c.pc, NULL, N, 1, x));
        SZ_CHECK_OK(sz_pc_encode(c.coder, x, N, &code));
        if (!first.len)
            sz_buf_append(&first, code.data, code.len);
        assert_int_equal(code.len, first.len);
        assert_memory_equal(code.data, first.data, first.len);
        sz_buf_free(&code);
        close_coder(&c);
    }
    sz_buf_free(&first);
}

static void any_bytes_decode_to_categories(void **state) {
    enum { D = 9, N = 70 };
    coded c = open_coder(D, 3, 5, NULL);
    for (uint64_t seed = 0; seed < 50; seed++) {
        uint8_t bytes[200];
        int32_t x[N * D] = {0};
        for (uint64_t i = 0; i < sizeof bytes; i++)
            bytes[i] = seed == 0 ? 0xff : (uint8_t)(sz_uniform(seed, 8, i) * 256);
        SZ_CHECK_OK(sz_pc_decode(c.coder, bytes, seed * 4, x, N));
        for (int i = 0; i < N * D; i++)
            assert_true(x[i] >= 0 && x[i] < 5);
    }
    close_coder(&c);
}

static void impossible_values_are_named(void **state) {
    sz_pc_shape s = {2, 1, 3};
    double one[] = {1, 1}, emit[] = {0.5, 0.5, 0, 1, 0, 0};
    coded c = {.rt = runtime(1, NULL), .d = 2};
    sz_buf code = {0};
    SZ_CHECK_OK(sz_pc_new(&s, (int32_t[]){-1, 0}, one, one, emit, &c.pc));
    SZ_CHECK_OK(sz_pc_coder_new(c.rt, c.pc, &c.coder));
    assert_int_equal(sz_pc_encode(c.coder, (int32_t[]){0, 0, 1, 0, 2, 0}, 3, &code), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "row 2: column 0: unencodable symbol"));
    assert_int_equal(sz_pc_encode(c.coder, (int32_t[]){0, 3}, 1, &code), SZ_E_ARG);
    assert_non_null(strstr(sz_last_error(), "row 0, column 1: 3"));
    sz_buf_clear(&code);
    SZ_CHECK_OK(sz_pc_encode(c.coder, (int32_t[]){1, 0, 0, -1}, 2, &code));
    int32_t x[4] = {0}; /* bytes that lead where the circuit never is */
    SZ_CHECK_OK(sz_pc_decode(c.coder, (uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff", 8, x, 2));
    sz_buf_free(&code);
    sz_pc_coder_free(NULL);
    close_coder(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(ten_thousand_short_streams),
        cmocka_unit_test(steep_circuits),
        cmocka_unit_test(the_same_bytes_on_every_instruction_set),
        cmocka_unit_test(any_bytes_decode_to_categories),
        cmocka_unit_test(impossible_values_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
