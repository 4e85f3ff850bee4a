/* SHA-256 against the vectors of FIPS 180-4's examples, Philox4x32-10 against those of Random123.
 */
#include <string.h>

#include "check.h"

static void check_sha256(const char *text, size_t n, size_t times, const char *want) {
    sz_sha256 h;
    uint8_t digest[32];
    char hex[65];
    sz_sha256_init(&h);
    for (size_t i = 0; i < times; i++)
        sz_sha256_update(&h, text, n);
    sz_sha256_final(&h, digest);
    sz_hex(digest, 32, hex);
    assert_string_equal(hex, want);
}

static void test_sha256(void **state) {
    check_sha256("", 0, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_sha256("abc", 3, 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, 1,
                 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check_sha256("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                 "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
                 112, 1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    check_sha256("aaaaaaaaaa", 10, 100000,
                 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* The digest of the digests of 300 texts of every length from 0 (made with Python's hashlib), each
 * hashed in pieces of changing size. */
static void test_sha256_of_every_length(void **state) {
    sz_sha256 all;
    uint8_t digest[32], text[300];
    char hex[65];
    sz_sha256_init(&all);
    for (size_t n = 0; n < 300; n++) {
        sz_sha256 h;
        sz_sha256_init(&h);
        for (size_t i = 0; i < n; i++)
            text[i] = (uint8_t)(i * 7 + n);
        for (size_t at = 0, piece = 0; at < n; at += piece) {
            piece = 1 + (at * 13 + n) % 90;
            piece = piece < n - at ? piece : n - at;
            sz_sha256_update(&h, text + at, piece);
        }
        sz_sha256_final(&h, digest);
        sz_sha256_update(&all, digest, 32);
    }
    sz_sha256_final(&all, digest);
    sz_hex(digest, 32, hex);
    assert_string_equal(hex, "d5238871a46ac4a1a75ac3fb19d645b0b3b9e5f35f5f720e2b240d605c6b694e");
}

static void check_philox(uint64_t key, uint64_t stream, uint64_t counter, const uint32_t want[4]) {
    uint32_t got[4];
    sz_philox4x32(key, stream, counter, got);
    for (int i = 0; i < 4; i++)
        assert_int_equal(got[i], want[i]);
}

static void test_philox(void **state) {
    check_philox(0, 0, 0, (uint32_t[]){0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    check_philox(UINT64_MAX, UINT64_MAX, UINT64_MAX,
                 (uint32_t[]){0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    check_philox(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88,
                 (uint32_t[]){0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

/* Uniform numbers: in [0, 1), with 53 bits, means and counts as they should be, and a function of
 * all three arguments. */
static void test_uniform(void **state) {
    enum { N = 100000 };
    double sum = 0.0, squares = 0.0;
    int bins[16] = {0}, odd = 0;
    for (uint64_t i = 0; i < N; i++) {
        double u = sz_uniform(1, 2, i);
        assert_true(u >= 0.0 && u < 1.0 && u * 0x1p53 == (double)(uint64_t)(u * 0x1p53));
        assert_true(u == sz_uniform(1, 2, i));
        sum += u;
        squares += u * u;
        bins[(int)(16.0 * u)]++;
        odd += (uint64_t)(u * 0x1p53) & 1;
    }
    SZ_CHECK_ABS(sum / N, 0.5, 4.0 * 0.2887 / 316.0);
    SZ_CHECK_ABS(squares / N, 1.0 / 3.0, 4.0 * 0.2981 / 316.0);
    SZ_CHECK_ABS((double)odd, N / 2, 4.0 * 158.0);
    for (int i = 0; i < 16; i++)
        SZ_CHECK_ABS((double)bins[i], N / 16.0, 5.0 * 77.0);
    assert_true(sz_uniform(1, 2, 3) != sz_uniform(2, 2, 3));
    assert_true(sz_uniform(1, 2, 3) != sz_uniform(1, 3, 3));
    assert_true(sz_uniform(1, 2, 3) != sz_uniform(1ull << 32 | 1, 2, 3));
    assert_true(sz_uniform(1, 2, 3) != sz_uniform(1, 2, 1ull << 32 | 3));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_sha256_of_every_length),
        cmocka_unit_test(test_philox),
        cmocka_unit_test(test_uniform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
