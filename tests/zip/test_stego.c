/* test_stego.c: bits drawn as symbols: reference values, the exact law of the symbols, and the way
 * back. */
#include "check.h"

#include <string.h>

#include "zip/seal.h"
#include "zip/stego.h"

enum { MOST = 300 };

static void cumulate(const uint64_t *freq, size_t n, uint64_t *cum) {
    cum[0] = 0;
    for (size_t i = 0; i < n; i++)
        cum[i + 1] = cum[i] + freq[i];
    assert_true(cum[n] == SZ_STEGO_TOTAL);
}

typedef struct bytes {
    uint8_t data[256];
    size_t n, at;
} bytes;
static uint8_t next_byte(void *user) {
    bytes *b = user;
    return b->at < b->n ? b->data[b->at++] : 0;
}

static void add_hex(bytes *b, const char *hex) {
    for (unsigned value; sscanf(hex, "%2x", &value) == 1; hex += 2)
        b->data[b->n++] = (uint8_t)value;
}

static void vector(const sz_json *test) {
    const sz_json *input = sz_json_get(test, "input"), *expect = sz_json_get(test, "expect");
    bytes b = {0};
    const char *cipher = sz_json_get(input, "cipher_hex")->u.s;
    size_t n_bytes = strlen(cipher) / 2, steps = 0, bits = 0;
    add_hex(&b, cipher);
    add_hex(&b, sz_json_get(input, "pad_hex")->u.s);
    sz_stego_drawer drawer;
    sz_stego_tracker tracker = {0};
    sz_stego_begin(&drawer, next_byte, &b);
    const sz_json *token = sz_json_get(expect, "tokens")->u.child;
    for (const sz_json *f = sz_json_get(input, "freqs")->u.child; f && token;
         f = f->next, token = token->next) {
        uint64_t freq[MOST], cum[MOST];
        size_t n = 0;
        for (const sz_json *v = f->u.child; v; v = v->next)
            freq[n++] = (uint64_t)v->u.i;
        cumulate(freq, n, cum);
        size_t symbol = sz_stego_draw(&drawer, cum, n);
        assert_int_equal(symbol, token->u.i);
        assert_true(bits < 8 * n_bytes); /* it does not stop late */
        SZ_CHECK_OK(sz_stego_track(&tracker, cum, n, symbol));
        bits = sz_stego_bits(&tracker);
        steps++;
    }
    uint8_t got[64];
    assert_int_equal(steps, sz_json_get(expect, "stop_after")->u.i);
    assert_true(bits >= 8 * n_bytes); /* nor early */
    sz_stego_bytes(&tracker, got, n_bytes);
    assert_memory_equal(got, b.data, n_bytes);
    sz_stego_free(&tracker);
}

static void reference_values(void **state) {
    sz_arena *arena;
    sz_json *root;
    sz_buf text = {0};
    size_t done = 0;
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    SZ_CHECK_OK(sz_file_read(SZ_TEST_VECTORS "/04-mecb.json", 1 << 20, &text));
    SZ_CHECK_OK(sz_json_parse(text.data, text.len, arena, &root));
    for (const sz_json *c = sz_json_get(root, "cases")->u.child; c; c = c->next)
        if (strncmp(sz_json_get(c, "name")->u.s, "stego/", 6) == 0) {
            vector(c);
            done++;
        }
    assert_true(done >= 2);
    sz_buf_free(&text);
    sz_arena_free(arena);
}

/* The share of all strings of bits that give a sequence of symbols is what its range spans: what
 * the law says. Every string gives one. */
static void symbols_follow_the_exact_law(void **state) {
    enum { N = 3, LENGTH = 3 };
    const uint64_t freq[LENGTH][N] = {
        {1, 2, SZ_STEGO_TOTAL - 3}, {1u << 31, 1u << 30, 1u << 30}, {SZ_STEGO_TOTAL / 3, 7, 0}};
    uint64_t cum[LENGTH][N + 1];
    for (size_t s = 0; s < LENGTH; s++) {
        uint64_t f[N];
        memcpy(f, freq[s], sizeof f);
        f[N - 1] = SZ_STEGO_TOTAL - f[0] - f[1];
        cumulate(f, N, cum[s]);
    }
    double all = 0;
    for (size_t code = 0; code < 27; code++) {
        sz_stego_tracker t = {0};
        double law = 1;
        size_t rest = code;
        for (size_t s = 0; s < LENGTH; s++, rest /= N) {
            size_t symbol = rest % N;
            SZ_CHECK_OK(sz_stego_track(&t, cum[s], N, symbol));
            law *= (double)(cum[s][symbol + 1] - cum[s][symbol]) * 0x1p-32;
        }
        double measured = (double)(uint64_t)(t.range_less_one >> 64) * 0x1p-64 +
                          ((double)(uint64_t)t.range_less_one + 1) * 0x1p-128;
        for (size_t i = 0; i < t.shifted.len; i++)
            measured *= 0x1p-8;
        all += measured;
        SZ_CHECK_ABS(measured, law, 3 * 0x1p-50 * law + 3 * 0x1p-88);
        sz_stego_free(&t);
    }
    SZ_CHECK_ABS(all, 1, 0x1p-48);
}

static void random_law(uint64_t round, size_t n, uint64_t *cum) {
    uint64_t freq[MOST], left = SZ_STEGO_TOTAL - n;
    for (size_t i = 0; i < n; i++) {
        double u = sz_uniform(5, round, i);
        uint64_t part = i + 1 == n ? left : (uint64_t)(u * u * u * (double)left);
        freq[i] = 1 + part;
        left -= part;
    }
    cumulate(freq, n, cum);
}

/* Carries, long runs of ones and improbable symbols: what is determined is always the truth. */
static void bits_come_back(void **state) {
    for (uint64_t round = 0; round < 400; round++) {
        bytes b = {.n = sizeof b.data};
        for (size_t i = 0; i < b.n; i++) {
            double u = sz_uniform(6, round, i);
            b.data[i] = round % 4 == 0 ? (uint8_t)(256 * u) : u < 0.8 ? 0xff : u < 0.9 ? 0xfe : 0;
            b.data[i] = round % 4 == 1 ? (uint8_t)~b.data[i] : b.data[i];
        }
        sz_stego_drawer drawer;
        sz_stego_tracker t = {0};
        uint8_t got[256];
        sz_stego_begin(&drawer, next_byte, &b);
        size_t before = 0, step = 0;
        while (b.at < b.n) {
            uint64_t cum[MOST];
            size_t n = 1 + (size_t)(sz_uniform(7, round, step) * 40);
            random_law(round * 100000 + step++, n, cum);
            size_t symbol = sz_stego_draw(&drawer, cum, n);
            SZ_CHECK_OK(sz_stego_track(&t, cum, n, symbol));
            size_t bits = sz_stego_bits(&t);
            assert_true(bits >= before);
            before = bits;
            sz_stego_bytes(&t, got, bits / 8);
            assert_memory_equal(got, b.data, bits / 8);
            if (bits % 8) {
                uint8_t last[256];
                sz_stego_bytes(&t, last, bits / 8 + 1);
                assert_int_equal((last[bits / 8] ^ b.data[bits / 8]) >> (8 - bits % 8), 0);
            }
        }
        assert_true(round % 4 != 0 || before > 8 * 230);
        sz_stego_free(&t);
    }
}

static void seals(void **state) {
    sz_seal_keys keys, other;
    sz_buf sealed = {0}, again = {0}, out = {0};
    assert_int_equal(sz_seal_keys_make("too short", 9, &keys), SZ_E_ARG);
    SZ_CHECK_OK(sz_seal_keys_make("sixteen bytes and more", 22, &keys));
    SZ_CHECK_OK(sz_seal_keys_make("sixteen bytes and morf", 22, &other));
    SZ_CHECK_OK(sz_seal(&keys, "a message", 9, NULL, &sealed));
    SZ_CHECK_OK(sz_seal(&keys, "a message", 9, NULL, &again));
    assert_int_equal(sealed.len, SZ_SEAL_HEAD + 9 + SZ_SEAL_TAG);
    assert_memory_not_equal(sealed.data, again.data, SZ_SEAL_NONCE); /* fresh every time */
    uint8_t *bytes = (uint8_t *)sealed.data;
    assert_int_equal(sz_seal_length(&keys, bytes), 9);
    SZ_CHECK_OK(sz_unseal(&keys, bytes, 9, &out));
    assert_memory_equal(out.data, "a message", 9);
    assert_int_equal(sz_unseal(&other, bytes, 9, &out), SZ_E_FORMAT);
    for (size_t i = 0; i < sealed.len; i++) { /* the length is told by sz_seal_length */
        if (i >= SZ_SEAL_NONCE && i < SZ_SEAL_HEAD)
            continue;
        bytes[i] ^= 1;
        assert_int_equal(sz_unseal(&keys, bytes, 9, &out), SZ_E_FORMAT);
        bytes[i] ^= 1;
    }
    assert_int_equal(sz_seal(&keys, "", SZ_SEAL_MOST + 1, NULL, &out), SZ_E_LIMIT);
    sz_buf_free(&sealed);
    sz_buf_free(&again);
    sz_buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_values),
        cmocka_unit_test(symbols_follow_the_exact_law),
        cmocka_unit_test(bits_come_back),
        cmocka_unit_test(seals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
