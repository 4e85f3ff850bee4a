/* test_kt.c: programs for byte strings: reference values, the code and what it makes, the search
 * beside every program there is, bounds, foreign bits. */
#include "check.h"

#include <string.h>

#include <szilard/unstable/kt.h>

static uint64_t drawn;
static uint32_t below(uint32_t n) {
    return (uint32_t)(sz_uniform(8, 0, drawn++) * n);
}

/* ---- Reference values ------------------------------------------------------------------------ */

static size_t fill(const sz_json *array, uint8_t *out) {
    size_t n = 0;
    for (const sz_json *c = array->u.child; c; c = c->next)
        out[n++] = (uint8_t)c->u.i;
    return n;
}

/* A string of '0' and '1' as bits. */
static uint64_t pack(const char *text, uint8_t *out) {
    uint64_t n = strlen(text);
    memset(out, 0, n / 8 + 1);
    for (uint64_t i = 0; i < n; i++)
        out[i / 8] |= (uint8_t)((text[i] == '1') << (7 - i % 8));
    return n;
}

/* Decoded, evaluated and encoded again, the bits are what they were. */
static void check_program(const char *text, const uint8_t *want, size_t n) {
    uint8_t code[512];
    uint64_t bits = pack(text, code), used;
    sz_kt_program p;
    sz_buf out = {0}, again = {0}, print = {0};
    SZ_CHECK_OK(sz_kt_decode(code, bits, 4096, &p, &used));
    assert_int_equal(used, bits);
    assert_int_equal(sz_kt_bits(&p), bits);
    SZ_CHECK_OK(sz_kt_eval(&p, &out));
    assert_int_equal(out.len, n);
    if (n)
        assert_memory_equal(out.data, want, n);
    SZ_CHECK_OK(sz_kt_encode(&p, &again));
    assert_int_equal(again.len, (bits + 7) / 8);
    assert_memory_equal(again.data, code, again.len);
    SZ_CHECK_OK(sz_kt_print(&p, &print));
    sz_buf_free(&out);
    sz_buf_free(&again);
    sz_buf_free(&print);
    sz_kt_program_free(&p);
}

static void check_optimum(const uint8_t *x, size_t n, uint64_t want) {
    sz_kt_program p;
    sz_buf out = {0};
    SZ_CHECK_OK(sz_kt_search(x, n, SZ_KT_LINEAR, &p));
    assert_int_equal(sz_kt_bits(&p), want);
    SZ_CHECK_OK(sz_kt_eval(&p, &out));
    assert_int_equal(out.len, n);
    if (n)
        assert_memory_equal(out.data, x, n);
    sz_buf_free(&out);
    sz_kt_program_free(&p);
}

static void reference_values(void **state) {
    sz_buf text = {0};
    sz_arena *arena;
    sz_json *root;
    SZ_CHECK_OK(sz_file_read(SZ_TEST_VECTORS "/08-kt.json", 1 << 20, &text));
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    SZ_CHECK_OK(sz_json_parse(text.data, text.len, arena, &root));
    size_t checked = 0;
    for (const sz_json *c = sz_json_get(root, "cases")->u.child; c; c = c->next) {
        const char *name = sz_json_get(c, "name")->u.s;
        const sz_json *in = sz_json_get(c, "input"), *want = sz_json_get(c, "expect");
        bool optimum = strncmp(name, "ktl_optimum/", 12) == 0;
        if (!optimum && strncmp(name, "ktl_eval/", 9) != 0)
            continue;
        uint8_t bytes[256];
        size_t n = fill(sz_json_get(optimum ? in : want, "bytes"), bytes);
        const sz_json *bits = sz_json_get(want, "bits");
        const char *program = sz_json_get(want, "program_bits")->u.s;
        assert_int_equal(strlen(program), bits->u.i);
        check_program(program, bytes, n);
        if (optimum)
            check_optimum(bytes, n, (uint64_t)bits->u.i);
        checked++;
    }
    assert_int_equal(checked, 13);
    sz_arena_free(arena);
    sz_buf_free(&text);
}

static void a_program_reads_as_lines(void **state) {
    const uint8_t x[] = {10, 0, 11, 0, 12, 0, 13, 0, 14, 0, 15, 0, 16, 0, 17, 0, 18, 0};
    sz_kt_program p;
    sz_buf text = {0};
    SZ_CHECK_OK(sz_kt_search(x, sizeof x, SZ_KT_FULL, &p));
    SZ_CHECK_OK(sz_kt_print(&p, &text));
    assert_string_equal(text.data, "ILV 18\n  RAMP 9 10 1\n  RUN 9 0\n");
    sz_buf_free(&text);
    sz_kt_program_free(&p);
}

/* ---- The search beside every program --------------------------------------------------------- */

static unsigned gamma_bits(uint64_t k) {
    unsigned n = 0;
    while (k >> (n + 1))
        n++;
    return 2 * n + 1;
}
static unsigned log2_up(size_t p) {
    unsigned n = 0;
    while ((size_t)1 << n < p)
        n++;
    return n;
}

static uint64_t by_trying(const uint8_t *x, size_t p, size_t n, int depth);

/* Both parts of ILV over x [n], each in a buffer of its own. */
static uint64_t parts_by_trying(const uint8_t *x, size_t n, int depth) {
    uint8_t part[2][16];
    for (size_t i = 0; i < n; i++)
        part[i % 2][i / 2] = x[i];
    return 6 + gamma_bits(n - 1) + by_trying(part[0], 0, (n + 1) / 2, depth) +
           by_trying(part[1], 0, n / 2, depth);
}

/* Least bits that make x[p..n), by trying every operation with every argument; depth: how many ILV
 * may lie in each other. */
static uint64_t by_trying(const uint8_t *x, size_t p, size_t n, int depth) {
    uint64_t best = p == n ? 0 : UINT64_MAX;
    for (size_t length = 1; p + length <= n; length++) {
        const uint8_t *y = x + p;
        unsigned least = 2 + gamma_bits(length) + 8 * (unsigned)length; /* LIT */
        for (int step = -16; step <= 16 && length >= 2; step++) {
            bool fits = true;
            for (size_t i = 0; i < length; i++)
                fits &= y[i] == (uint8_t)(y[0] + step * (int)i);
            unsigned bits = step ? 2 + gamma_bits(length - 1) + 13 : 3 + gamma_bits(length - 1) + 8;
            least = fits && bits < least ? bits : least;
        }
        for (int bend = -8; bend <= 8 && length >= 4; bend++) {
            bool fits = bend != 0;
            uint8_t value = y[0], slope = (uint8_t)(y[1] - y[0]);
            for (size_t i = 0; i < length;
                 i++, value = (uint8_t)(value + slope), slope = (uint8_t)(slope + bend))
                fits &= y[i] == value;
            unsigned bits = 6 + gamma_bits(length - 3) + 20;
            least = fits && bits < least ? bits : least;
        }
        for (size_t d = 1; d <= p; d++) {
            bool copy = length >= 2, add = length >= 3, back = length >= 3 && d + length - 1 <= p;
            for (size_t i = 0; i < length; i++) {
                copy &= x[p + i] == x[p + i - d];
                add &= (uint8_t)(x[p + i] - x[p + i - d]) == (uint8_t)(x[p] - x[p - d]);
                back &= back && x[p + i] == x[p - d - i];
            }
            unsigned far = log2_up(p);
            if (copy && 2 + gamma_bits(length - 1) + far < least)
                least = 2 + gamma_bits(length - 1) + far;
            if (add && 4 + gamma_bits(length - 2) + far + 8 < least)
                least = 4 + gamma_bits(length - 2) + far + 8;
            if (back && 5 + gamma_bits(length - 2) + far < least)
                least = 5 + gamma_bits(length - 2) + far;
        }
        uint64_t rest = by_trying(x, p + length, n, depth);
        uint64_t parts = depth && length > 1 ? parts_by_trying(y, length, depth - 1) : UINT64_MAX;
        parts = parts < least ? parts : least;
        best = parts + rest < best ? parts + rest : best;
    }
    return best;
}

static void draw_string(uint8_t *x, size_t n) {
    uint32_t kind = below(4), spread = kind == 0 ? 256 : kind == 1 ? 2 : 6;
    for (size_t i = 0; i < n; i++)
        x[i] = kind == 3 && i > 1 ? (uint8_t)(2 * x[i - 1] - x[i - 2] + below(2))
                                  : (uint8_t)below(spread);
}

static void the_search_is_exhaustive(void **state) {
    for (int round = 0; round < 600; round++) {
        uint8_t x[10];
        size_t n = below(11);
        draw_string(x, n);
        check_optimum(x, n, gamma_bits(n + 1) + by_trying(x, 0, n, 0));
    }
}

static void the_search_with_strands_is_exhaustive(void **state) {
    for (int round = 0; round < 60; round++) {
        uint8_t x[10];
        size_t n = 4 + below(6);
        sz_kt_program p;
        draw_string(x, n);
        for (size_t i = 0; i < n && round % 2; i += 2)
            x[i] = (uint8_t)(x[0] + i * below(2));
        SZ_CHECK_OK(sz_kt_search(x, n, SZ_KT_FULL, &p));
        assert_int_equal(sz_kt_bits(&p), gamma_bits(n + 1) + by_trying(x, 0, n, 3));
        sz_kt_program_free(&p);
    }
}

static void strands_of_strands_are_found(void **state) {
    for (size_t n = 64; n <= 2048; n *= 32) { /* exact, and beyond */
        uint8_t x[2048];
        sz_kt_program p;
        sz_buf text = {0};
        for (size_t i = 0; i < n; i++)
            x[i] = (uint8_t)(i % 4 == 0 ? i / 4 : i % 4 == 1 ? 7 : i % 4 == 2 ? 99 - i / 4 : 3);
        SZ_CHECK_OK(sz_kt_search(x, n, SZ_KT_FULL, &p));
        SZ_CHECK_OK(sz_kt_print(&p, &text));
        assert_int_equal(strncmp(text.data, "ILV ", 4), 0);
        assert_non_null(strstr(text.data, "\n  ILV "));
        assert_true(sz_kt_bits(&p) < 200);
        sz_buf_free(&text);
        sz_kt_program_free(&p);
    }
}

static void alphabets_shorten_literals(void **state) {
    uint8_t x[400], sent[400];
    sz_kt_program p, q;
    sz_buf code = {0}, out = {0};
    uint64_t used;
    for (size_t i = 0; i < sizeof x; i++)
        x[i] = (uint8_t) "ACGT"[below(4)];
    SZ_CHECK_OK(sz_kt_search(x, sizeof x, SZ_KT_FULL | SZ_KT_ALPHABET, &p));
    uint64_t bits = sz_kt_bits(&p);
    assert_true(bits <= gamma_bits(401) + 40 + 2 + gamma_bits(400) + 800);
    SZ_CHECK_OK(sz_kt_encode(&p, &code));
    SZ_CHECK_OK(sz_kt_decode_alphabet((uint8_t *)code.data, bits, 400, &q, &used));
    assert_int_equal(used, bits);
    SZ_CHECK_OK(sz_kt_eval(&q, &out));
    assert_memory_equal(out.data, x, sizeof x);
    sz_kt_program_free(&q);
    p.alphabet[3] = 'U'; /* the literals are no longer there */
    assert_int_equal(sz_kt_encode(&p, &code), SZ_E_ARG);
    memcpy(sent, code.data, 40);
    sent[3] ^= 0x40; /* an alphabet that does not rise */
    assert_int_equal(sz_kt_decode_alphabet(sent, 320, 400, &q, NULL), SZ_E_FORMAT);
    sz_kt_program_free(&p);
    sz_buf_free(&code);
    sz_buf_free(&out);
}

static void programs_make_their_strings_within_the_bound(void **state) {
    for (int round = 0; round < 60; round++) {
        uint8_t x[300];
        size_t n = below(round < 40 ? 120 : 300);
        static const int efforts[] = {SZ_KT_LINEAR, SZ_KT_FULL, SZ_KT_FULL | SZ_KT_ALPHABET};
        uint64_t before = UINT64_MAX;
        draw_string(x, n);
        for (size_t i = 0; i + 1 < n && round % 3 == 0; i += 2) /* two strands */
            x[i] = (uint8_t)(i / 4);
        for (int k = 0; k < 3; k++) {
            bool alphabet = efforts[k] & SZ_KT_ALPHABET;
            sz_kt_program p, q;
            sz_buf out = {0}, code = {0};
            SZ_CHECK_OK(sz_kt_search(x, n, (sz_kt_effort)efforts[k], &p));
            uint64_t bits = sz_kt_bits(&p);
            assert_true(alphabet || bits <= before);
            assert_true(alphabet ||
                        bits <= gamma_bits(n + 1) + 2 + (n ? gamma_bits(n) : 0) + 8 * n);
            SZ_CHECK_OK(sz_kt_encode(&p, &code));
            SZ_CHECK_OK((alphabet ? sz_kt_decode_alphabet : sz_kt_decode)((uint8_t *)code.data,
                                                                          bits, 300, &q, NULL));
            SZ_CHECK_OK(sz_kt_eval(&q, &out));
            assert_int_equal(out.len, n);
            if (n)
                assert_memory_equal(out.data, x, n);
            before = bits;
            sz_kt_program_free(&p);
            sz_kt_program_free(&q);
            sz_buf_free(&out);
            sz_buf_free(&code);
        }
    }
}

static void long_strings_stay_cheap(void **state) {
    size_t n = 24000;
    uint8_t *x = sz_calloc(n, 1);
    sz_kt_program p;
    sz_buf out = {0};
    for (size_t i = 0; i < n / 2; i++)
        x[i] = (uint8_t)below(256);
    memcpy(x + n / 2 + 2000, x + n / 2 - 500, 500);
    SZ_CHECK_OK(sz_kt_search(x, n, SZ_KT_FULL, &p));
    assert_true(sz_kt_bits(&p) < 8 * n / 2 + 600);
    SZ_CHECK_OK(sz_kt_eval(&p, &out));
    assert_memory_equal(out.data, x, n);
    sz_kt_program_free(&p);
    sz_buf_free(&out);
    sz_free(x);
}

/* ---- Foreign bits ---------------------------------------------------------------------------- */

/* Whatever the bits, there is a program or an error; a program makes what it says and is its code.
 */
static void any_bits(void **state) {
    size_t good = 0;
    for (int round = 0; round < 20000; round++) {
        uint8_t code[40];
        for (size_t i = 0; i < sizeof code; i++)
            code[i] = (uint8_t)below(256);
        code[0] &= 15; /* lengths of some bytes */
        sz_kt_program p;
        uint64_t used;
        if (sz_kt_decode(code, 8 * sizeof code, 1000, &p, &used) != SZ_OK)
            continue;
        sz_buf out = {0}, again = {0};
        good++;
        SZ_CHECK_OK(sz_kt_eval(&p, &out));
        assert_int_equal(out.len, p.n);
        assert_int_equal(sz_kt_bits(&p), used);
        SZ_CHECK_OK(sz_kt_encode(&p, &again));
        for (uint64_t i = 0; i < used; i++)
            assert_int_equal(((uint8_t)again.data[i / 8] ^ code[i / 8]) >> (7 - i % 8) & 1, 0);
        sz_kt_program_free(&p);
        sz_buf_free(&out);
        sz_buf_free(&again);
    }
    assert_true(good > 200);
}

static void refused(const char *text, sz_status status, const char *part) {
    uint8_t code[64];
    uint64_t bits = pack(text, code);
    sz_kt_program p;
    assert_int_equal(sz_kt_decode(code, bits, 100, &p, NULL), status);
    if (!strstr(sz_last_error(), part))
        fail_msg("'%s' does not say '%s'", sz_last_error(), part);
}

static void bad_programs_are_named(void **state) {
    refused("", SZ_E_FORMAT, "ends at bit 0");
    refused("00000001", SZ_E_FORMAT, "ends");
    refused("0000000000000001", SZ_E_FORMAT, "ends");
    refused("00000000111111111", SZ_E_LIMIT, "at most 100");
    refused("010001", SZ_E_FORMAT, "literals"); /* one byte, none given */
    refused("0101001010000000000001", SZ_E_FORMAT,
            "1 are left");                                   /* two bytes where one is wanted */
    refused("00100101", SZ_E_FORMAT, "reaches back 1 of 0"); /* COPY of nothing */
    uint8_t zero[16] = {0};
    sz_kt_program p;
    assert_int_equal(sz_kt_decode(zero, 128, 100, &p, NULL), SZ_E_FORMAT);
    sz_kt_op op = {.kind = SZ_KT_COPY, .n = 3, .distance = 1};
    sz_kt_program made = {.n = 3, .op = &op, .n_ops = 1};
    sz_buf out = {0};
    assert_int_equal(sz_kt_eval(&made, &out), SZ_E_ARG);
    assert_int_equal(sz_kt_encode(&made, &out), SZ_E_ARG);
    op = (sz_kt_op){.kind = SZ_KT_RAMP, .n = 3, .step = 17};
    assert_int_equal(sz_kt_eval(&made, &out), SZ_E_ARG);
    op = (sz_kt_op){.kind = SZ_KT_LIT, .n = 3};
    assert_int_equal(sz_kt_eval(&made, &out), SZ_E_ARG);
    made.n = 4;
    assert_int_equal(sz_kt_eval(&made, &out), SZ_E_ARG);
    sz_buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_values),
        cmocka_unit_test(a_program_reads_as_lines),
        cmocka_unit_test(the_search_is_exhaustive),
        cmocka_unit_test(the_search_with_strands_is_exhaustive),
        cmocka_unit_test(strands_of_strands_are_found),
        cmocka_unit_test(alphabets_shorten_literals),
        cmocka_unit_test(programs_make_their_strings_within_the_bound),
        cmocka_unit_test(long_strings_stay_cheap),
        cmocka_unit_test(any_bits),
        cmocka_unit_test(bad_programs_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
