/* test_range.c: the range coder and its frequencies: reference bytes, round trips, any bytes. */
#include "check.h"

#include <math.h>
#include <string.h>
#include <szilard/unstable/code.h>

static sz_arena *arena;
static const sz_json *cases;

static int load(void **state) {
    sz_buf text = {0};
    sz_json *file;
    SZ_CHECK_OK(sz_arena_new(1 << 16, &arena));
    SZ_CHECK_OK(sz_file_read(SZ_TEST_VECTORS "/07b-lm-compression.json", 1 << 20, &text));
    SZ_CHECK_OK(sz_json_parse(text.data, text.len, arena, &file));
    cases = sz_json_get(file, "cases");
    sz_buf_free(&text);
    return 0;
}

static int unload(void **state) {
    sz_arena_free(arena);
    return 0;
}

static const sz_json *find_case(const char *name, const char *part) {
    for (const sz_json *c = cases->u.child; c; c = c->next)
        if (strcmp(sz_json_get(c, "name")->u.s, name) == 0)
            return sz_json_get(c, part);
    fail_msg("no case %s", name);
    return NULL;
}

static size_t read_row(const sz_json *list, float *out) {
    size_t n = 0;
    for (const sz_json *v = list->u.child; v; v = v->next)
        out[n++] = v->type == SZ_JSON_STRING ? -INFINITY
                   : v->type == SZ_JSON_INT  ? (float)v->u.i
                                             : (float)v->u.f;
    return n;
}

/* ---- Reference values ------------------------------------------------------------------------ */

static void weights_are_those_of_the_recurrence(void **state) {
    size_t n;
    const uint64_t *w = sz_freq_weights(&n);
    const sz_json *expect = find_case("exptab", "expect");
    assert_int_equal(n, sz_json_get(expect, "length")->u.i);
    for (const sz_json *s = sz_json_get(expect, "samples")->u.child; s; s = s->next)
        assert_int_equal(w[s->u.child->u.i], s->u.child->next->u.i);
    sz_sha256 h;
    uint8_t digest[32], le[8];
    char hex[65];
    sz_sha256_init(&h);
    for (size_t k = 0; k < n; k++) {
        for (int i = 0; i < 8; i++)
            le[i] = (uint8_t)(w[k] >> 8 * i);
        sz_sha256_update(&h, le, 8);
    }
    sz_sha256_final(&h, digest);
    sz_hex(digest, 32, hex);
    assert_string_equal(hex, sz_json_get(expect, "sha256_le_u64")->u.s);
}

static void frequencies_are_the_reference(void **state) {
    size_t checked = 0;
    for (const sz_json *c = cases->u.child; c; c = c->next) {
        if (strncmp(sz_json_get(c, "name")->u.s, "quantise/", 9) != 0)
            continue;
        float logits[64];
        uint32_t freq[64];
        size_t n = read_row(sz_json_get(sz_json_get(c, "input"), "logits_f32"), logits), i = 0;
        SZ_CHECK_OK(sz_freq_from_logits(logits, n, freq));
        for (const sz_json *f = sz_json_get(sz_json_get(c, "expect"), "freq")->u.child; f;
             f = f->next)
            assert_int_equal(freq[i++], f->u.i);
        checked++;
    }
    assert_int_equal(checked, 5);
}

static void stream_is_the_reference(void **state) {
    const sz_json *input = find_case("stream", "input"), *rows = sz_json_get(input, "logits_f32");
    const sz_json *symbols = sz_json_get(input, "tokens");
    sz_buf out = {0};
    sz_range_encoder e;
    sz_range_decoder d;
    float logits[64];
    uint32_t freq[64];
    sz_range_encode_begin(&e, &out);
    const sz_json *s = symbols->u.child;
    for (const sz_json *row = rows->u.child; row; row = row->next, s = s->next) {
        SZ_CHECK_OK(sz_freq_from_logits(logits, read_row(row, logits), freq));
        sz_range_encode_symbol(&e, freq, (size_t)s->u.i);
    }
    sz_range_encode_end(&e);
    char hex[64];
    assert_in_range(out.len, 1, 16);
    sz_hex((const uint8_t *)out.data, out.len, hex);
    assert_string_equal(hex, sz_json_get(find_case("stream", "expect"), "bytes_hex")->u.s);
    sz_range_decode_begin(&d, (const uint8_t *)out.data, out.len);
    s = symbols->u.child;
    for (const sz_json *row = rows->u.child; row; row = row->next, s = s->next) {
        size_t n = read_row(row, logits);
        SZ_CHECK_OK(sz_freq_from_logits(logits, n, freq));
        assert_int_equal(sz_range_decode_symbol(&d, freq, n), s->u.i);
    }
    sz_buf_free(&out);
}

static void checks_and_numbers_are_the_reference(void **state) {
    assert_int_equal(sz_crc32c(0, "123456789", 9), 0xe3069283u);
    assert_int_equal(sz_crc32c(sz_crc32c(0, "12345678901", 5), "6789", 4), 0xe3069283u);
    assert_int_equal(sz_crc32c(0, "", 0), 0);
    const sz_json *hex = sz_json_get(find_case("varint", "expect"), "hex")->u.child;
    static const uint64_t values[] = {0, 1, 127, 128, 300, 16384, 4294967296, 1ull << 63};
    for (size_t i = 0; i < 8; i++, hex = hex->next) {
        sz_buf b = {0};
        char text[32];
        uint64_t back;
        sz_varint_put(&b, values[i]);
        sz_hex((const uint8_t *)b.data, b.len, text);
        assert_string_equal(text, hex->u.s);
        const uint8_t *at = (const uint8_t *)b.data, *end = at + b.len;
        SZ_CHECK_OK(sz_varint_get(&at, end, &back));
        assert_int_equal(back, values[i]);
        assert_ptr_equal(at, end);
        at = (const uint8_t *)b.data;
        assert_int_equal(sz_varint_get(&at, end - 1, &back), SZ_E_FORMAT);
        sz_buf_free(&b);
    }
}

static void wrong_numbers_are_refused(void **state) {
    static const uint8_t bad[][11] = {{0x80, 0},
                                      {0x81, 0x80, 0},
                                      {255, 255, 255, 255, 255, 255, 255, 255, 255, 2},
                                      {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0}};
    for (size_t i = 0; i < 4; i++) {
        const uint8_t *at = bad[i];
        uint64_t out;
        assert_int_equal(sz_varint_get(&at, bad[i] + 11, &out), SZ_E_FORMAT);
    }
}

/* ---- Frequencies ----------------------------------------------------------------------------- */

/* The rule as it is written, with a 128-bit division for each symbol. */
static void slow_frequencies(const float *z, size_t n, uint32_t *freq) {
    size_t n_weights, argmax = 0;
    const uint64_t *w = sz_freq_weights(&n_weights);
    uint64_t total = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        argmax = z[i] > z[argmax] ? i : argmax;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < n; i++) {
            float k = floorf((z[argmax] - z[i]) * 1024.0f + 0.5f);
            uint64_t weight = k < 22714 ? w[(int)k] : 0;
            if (pass == 0)
                total += weight;
            else
                sum += freq[i] =
                    (uint32_t)(1 + (unsigned __int128)weight * (((uint64_t)1 << 32) - n) / total);
        }
    freq[argmax] += (uint32_t)(((uint64_t)1 << 32) - sum);
}

static void fast_frequencies_are_the_rule(void **state) {
    enum { MOST = 5000 };
    static float z[MOST];
    static uint32_t fast[MOST], slow[MOST];
    for (uint64_t round = 0; round < 60; round++) {
        size_t n = 2 + (size_t)(sz_uniform(5, round, 1 << 30) * (MOST - 2));
        double spread = round % 5 == 0 ? 1e-3 : (double)(round % 7) * 8;
        for (size_t i = 0; i < n; i++) {
            z[i] = (float)((sz_uniform(5, round, i) - 0.5) * spread);
            if (round % 9 == 8 && i % 3 == 0)
                z[i] = -INFINITY;
        }
        z[n / 2] = round % 2 ? 3 : z[n - 1];
        SZ_CHECK_OK(sz_freq_from_logits(z, n, fast));
        slow_frequencies(z, n, slow);
        assert_memory_equal(fast, slow, n * sizeof *fast);
        uint64_t sum = 0;
        for (size_t i = 0; i < n; i++) {
            assert_true(fast[i] >= 1);
            sum += fast[i];
        }
        assert_true(sum == (uint64_t)1 << 32);
    }
}

static void extremes_are_kept(void **state) {
    float z[3] = {-3e38f, 3e38f, -INFINITY};
    uint32_t f[3];
    SZ_CHECK_OK(sz_freq_from_logits(z, 3, f));
    assert_int_equal(f[0], 1);
    assert_int_equal(f[1], UINT32_MAX - 1);
    assert_int_equal(f[2], 1);
    z[1] = NAN;
    assert_int_equal(sz_freq_from_logits(z, 3, f), SZ_E_NAN);
    z[1] = INFINITY;
    assert_int_equal(sz_freq_from_logits(z, 3, f), SZ_E_NAN);
    z[0] = z[1] = -INFINITY;
    assert_int_equal(sz_freq_from_logits(z, 3, f), SZ_E_NAN);
    assert_int_equal(sz_freq_from_logits(z, 1, f), SZ_E_ARG);
    assert_int_equal(sz_freq_from_logits(z, SZ_FREQ_MOST + 1, f), SZ_E_ARG);
}

static void probabilities_are_divided_up(void **state) {
    double p[4] = {0, 0.25, 0.5, 0.25};
    uint32_t f[4];
    SZ_CHECK_OK(sz_freq_from_probabilities(p, 4, f));
    assert_int_equal(f[0], 1);
    assert_int_equal(f[1], 1073741824);
    assert_int_equal(f[3], 1073741824);
    assert_int_equal((uint32_t)(f[0] + f[1] + f[2] + f[3]), 0);
    p[1] = -1e-12;
    assert_int_equal(sz_freq_from_probabilities(p, 4, f), SZ_E_ARG);
    p[1] = NAN;
    assert_int_equal(sz_freq_from_probabilities(p, 4, f), SZ_E_ARG);
    p[1] = 0.2;
    assert_int_equal(sz_freq_from_probabilities(p, 4, f), SZ_E_ARG);
}

/* ---- Round trips ----------------------------------------------------------------------------- */

typedef struct dice {
    uint32_t r[4], at;
    uint64_t stream, counter;
} dice;

static uint32_t roll(dice *d) {
    if (d->at == 0)
        sz_philox4x32(11, d->stream, d->counter++, d->r);
    uint32_t v = d->r[d->at];
    d->at = (d->at + 1) % 4;
    return v;
}

/* An alphabet of two to five symbols: fair, skewed, or as lopsided as frequencies can be. */
static size_t make_alphabet(dice *d, uint32_t *freq) {
    size_t n = 2 + roll(d) % 4;
    uint32_t left = 0, shape = roll(d) % 3; /* 0 stands for 2^32 */
    for (size_t i = 0; i + 1 < n; i++) {
        freq[i] = shape == 0   ? 1
                  : shape == 1 ? 1 + (roll(d) >> 4)
                               : 1 + (roll(d) >> (roll(d) % 24 + 4));
        left -= freq[i];
    }
    size_t big = roll(d) % n; /* the rest goes anywhere */
    freq[n - 1] = left;
    uint32_t swap = freq[big];
    freq[big] = freq[n - 1];
    freq[n - 1] = swap;
    return n;
}

static void short_streams_come_back(void **state) {
    enum { ROUNDS = 1000000, MOST = 12 };
    sz_buf out = {0};
    for (uint64_t round = 0; round < ROUNDS; round++) {
        dice d = {.stream = round};
        uint32_t freq[5];
        size_t n = make_alphabet(&d, freq), length = roll(&d) % (MOST + 1);
        uint8_t symbols[MOST];
        sz_range_encoder e;
        sz_range_decoder back;
        sz_buf_clear(&out);
        sz_range_encode_begin(&e, &out);
        for (size_t i = 0; i < length; i++) {
            symbols[i] = (uint8_t)(roll(&d) % n);
            sz_range_encode_symbol(&e, freq, symbols[i]);
        }
        sz_range_encode_end(&e);
        sz_range_decode_begin(&back, (const uint8_t *)out.data, out.len);
        for (size_t i = 0; i < length; i++)
            if (sz_range_decode_symbol(&back, freq, n) != symbols[i])
                fail_msg("round %llu: symbol %zu of %zu is lost", (unsigned long long)round, i,
                         length);
    }
    sz_buf_free(&out);
}

/* Symbols drawn from their own law and against it; the length stays within its bound. */
static void long_streams_come_back_and_are_short(void **state) {
    enum { MOST = 100000 };
    static uint8_t symbols[MOST];
    for (uint64_t round = 0; round < 24; round++) {
        dice d = {.stream = round + 5000000};
        uint32_t freq[5];
        size_t n = make_alphabet(&d, freq), length = 1 + roll(&d) % MOST;
        double bits = 0;
        sz_buf out = {0};
        sz_range_encoder e;
        sz_range_decoder back;
        sz_buf_puts(&out, "before"); /* carries stop here */
        sz_range_encode_begin(&e, &out);
        for (size_t i = 0; i < length; i++) {
            uint64_t place = roll(&d);
            size_t s = 0;
            while (round % 2 && place >= freq[s])
                place -= freq[s++];
            symbols[i] = (uint8_t)(round % 2 ? s : place % n);
            bits += 32 - log2(freq[symbols[i]]);
            sz_range_encode_symbol(&e, freq, symbols[i]);
        }
        sz_range_encode_end(&e);
        assert_memory_equal(out.data, "before", 6);
        assert_true((double)(out.len - 6) * 8 <= bits + 8 + 1e-6 * (double)length);
        sz_range_decode_begin(&back, (const uint8_t *)out.data + 6, out.len - 6);
        for (size_t i = 0; i < length; i++)
            assert_int_equal(sz_range_decode_symbol(&back, freq, n), symbols[i]);
        sz_buf_free(&out);
    }
}

static void empty_streams_take_no_byte(void **state) {
    sz_buf out = {0};
    sz_range_encoder e;
    uint32_t one[2] = {UINT32_MAX, 1};
    sz_range_encode_begin(&e, &out);
    sz_range_encode_end(&e);
    assert_int_equal(out.len, 0);
    sz_range_encode_begin(&e, &out);
    for (int i = 0; i < 1000; i++) /* almost certain */
        sz_range_encode_symbol(&e, one, 0);
    sz_range_encode_end(&e);
    assert_int_equal(out.len, 0);
    sz_range_encode_begin(&e, &out);
    for (int i = 0; i < 1000; i++) /* each worth 32 bits, and full of carries */
        sz_range_encode_symbol(&e, one, (size_t)(i % 7 != 0));
    sz_range_encode_end(&e);
    assert_in_range(out.len, 4 * 857, 4 * 857 + 2);
    sz_range_decoder d;
    sz_range_decode_begin(&d, (const uint8_t *)out.data, out.len);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(sz_range_decode_symbol(&d, one, 2), i % 7 != 0);
    sz_buf_free(&out);
}

static void any_bytes_decode_to_something(void **state) {
    static uint8_t bytes[64];
    for (uint64_t round = 0; round < 20000; round++) {
        dice d = {.stream = round + 9000000};
        uint32_t freq[5];
        size_t n = make_alphabet(&d, freq), n_bytes = roll(&d) % sizeof bytes;
        uint32_t kind = roll(&d) % 3;
        for (size_t i = 0; i < n_bytes; i++)
            bytes[i] = kind == 0 ? 0xff : (uint8_t)roll(&d);
        sz_range_decoder back;
        sz_range_decode_begin(&back, bytes, n_bytes);
        for (int i = 0; i < 40; i++) {
            assert_in_range(sz_range_decode_symbol(&back, freq, n), 0, n - 1);
            assert_true(back.range >= (uint64_t)1 << 56);
            assert_true(back.next <= bytes + n_bytes);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_those_of_the_recurrence),
        cmocka_unit_test(frequencies_are_the_reference),
        cmocka_unit_test(stream_is_the_reference),
        cmocka_unit_test(checks_and_numbers_are_the_reference),
        cmocka_unit_test(wrong_numbers_are_refused),
        cmocka_unit_test(fast_frequencies_are_the_rule),
        cmocka_unit_test(extremes_are_kept),
        cmocka_unit_test(probabilities_are_divided_up),
        cmocka_unit_test(short_streams_come_back),
        cmocka_unit_test(long_streams_come_back_and_are_short),
        cmocka_unit_test(empty_streams_take_no_byte),
        cmocka_unit_test(any_bytes_decode_to_something),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
