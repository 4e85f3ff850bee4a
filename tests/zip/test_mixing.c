/* test_mixing.c: the byte engine: round trips of every kind of input, sizes, threads, any code. */
#include "check.h"

#include <string.h>

#include "zip/mixing.h"
#include "zip/predictor.h"

/* Codes and decodes; returns the size of the code. */
static size_t round_trip(sz_mixing *m, const uint8_t *data, size_t n) {
    sz_buf code = {0};
    uint8_t *back = sz_alloc(n + 1);
    back[n] = 0xa5;
    SZ_CHECK_OK(sz_mixing_encode(m, data, n, &code));
    SZ_CHECK_OK(sz_mixing_decode(m, (const uint8_t *)code.data, code.len, back, n));
    assert_memory_equal(back, data, n);
    assert_int_equal(back[n], 0xa5);
    size_t size = code.len;
    sz_free(back);
    sz_buf_free(&code);
    return size;
}

enum { MOST = 1 << 18 };
static uint8_t text[MOST];

/* Kinds of bytes, from random to constant. */
static void fill(int kind, size_t n) {
    static const char phrase[] = "The entropy of a source is a bound on its code. ";
    for (size_t i = 0; i < n; i++) {
        uint32_t r[4];
        sz_philox4x32(7, (uint64_t)kind, i, r);
        switch (kind) {
        case 0:
            text[i] = (uint8_t)r[0];
            break;
        case 1:
            text[i] = (uint8_t)phrase[i % (sizeof phrase - 1)];
            break;
        case 2:
            text[i] = 0;
            break;
        case 3:
            text[i] = (uint8_t)(r[0] % 3 ? 'a' : 'b');
            break;
        case 4:
            text[i] = i >= n / 2 ? text[i - n / 2] : (uint8_t)r[0];
            break;
        default:
            text[i] = (uint8_t)(i / 4 >> 8 * (i % 4)); /* counters */
        }
    }
}

static void every_kind_of_bytes_comes_back(void **state) {
    static const size_t lengths[] = {0, 1, 2, 3, 7, 255, 4096, 60000};
    sz_mixing *m;
    SZ_CHECK_OK(sz_mixing_new(MOST, &m));
    for (int kind = 0; kind < 6; kind++)
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            fill(kind, lengths[i]);
            size_t size = round_trip(m, text, lengths[i]);
            assert_true(size <= lengths[i] + lengths[i] / 32 + 16);
        }
    sz_mixing_free(m);
}

static void structure_is_found(void **state) {
    sz_mixing *m;
    SZ_CHECK_OK(sz_mixing_new(MOST, &m));
    fill(2, MOST);
    assert_true(round_trip(m, text, MOST) < 600);
    fill(1, MOST);
    assert_true(round_trip(m, text, MOST) < 900);
    fill(4, 40000);
    assert_true(round_trip(m, text, 40000) < 20000 + 900);
    fill(3, 60000); /* 0.9183 bits per byte */
    size_t size = round_trip(m, text, 60000);
    assert_in_range(size, 6850, 7150);
    sz_mixing_free(m);
}

/* The code is a function of the text, not of what the model was for or did before. */
static void models_start_afresh(void **state) {
    sz_mixing *large, *small;
    sz_buf a = {0}, b = {0};
    fill(5, 9000);
    SZ_CHECK_OK(sz_mixing_new(MOST, &large));
    SZ_CHECK_OK(sz_mixing_new(9000, &small));
    round_trip(large, text, 5000);
    SZ_CHECK_OK(sz_mixing_encode(large, text, 9000, &a));
    SZ_CHECK_OK(sz_mixing_encode(small, text, 9000, &b));
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    assert_int_equal(sz_mixing_encode(small, text, 9001, &b), SZ_E_ARG);
    assert_true(sz_mixing_bytes(9000) < sz_mixing_bytes(MOST));
    assert_true(sz_mixing_bytes(100 << 20) < 200 << 20);
    sz_buf_free(&a);
    sz_buf_free(&b);
    sz_mixing_free(large);
    sz_mixing_free(small);
}

static void any_code_gives_as_many_bytes(void **state) {
    sz_mixing *m;
    uint8_t out[2000];
    SZ_CHECK_OK(sz_mixing_new(sizeof out, &m));
    for (int kind = 0; kind < 6; kind++) {
        fill(kind, 300);
        SZ_CHECK_OK(sz_mixing_decode(m, text, (size_t)kind * 60, out, sizeof out));
    }
    sz_mixing_free(m);
}

static void threads_change_nothing(void **state) {
    enum { N = 5, LENGTH = 30000 };
    sz_buf codes[2][N];
    fill(3, MOST);
    for (int k = 0; k < 2; k++) {
        sz_predictor p;
        sz_segment segments[N] = {0};
        SZ_CHECK_OK(sz_predictor_bytes_new(k ? 3 : 1, NULL, &p));
        for (int i = 0; i < N; i++)
            segments[i] = (sz_segment){.data = text + i * LENGTH, .n = LENGTH - (size_t)i * 1000};
        SZ_CHECK_OK(p.kind->encode(p.self, segments, N));
        for (int i = 0; i < N; i++) {
            uint8_t back[LENGTH];
            codes[k][i] = segments[i].code;
            segments[i].data = back;
            SZ_CHECK_OK(p.kind->decode(p.self, &segments[i], 1));
            assert_memory_equal(back, text + i * LENGTH, segments[i].n);
        }
        sz_predictor_free(&p);
    }
    for (int i = 0; i < N; i++) {
        assert_int_equal(codes[0][i].len, codes[1][i].len);
        assert_memory_equal(codes[0][i].data, codes[1][i].data, codes[0][i].len);
        sz_buf_free(&codes[0][i]);
        sz_buf_free(&codes[1][i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_bytes_comes_back),
        cmocka_unit_test(structure_is_found),
        cmocka_unit_test(models_start_afresh),
        cmocka_unit_test(any_code_gives_as_many_bytes),
        cmocka_unit_test(threads_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
