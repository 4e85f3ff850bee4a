#include "check.h"

#include <stdlib.h>
#include <string.h>

static void hex_of(const void *bytes, size_t n, size_t step, char out[65]) {
    sz_sha256 h;
    uint8_t digest[32];
    sz_sha256_init(&h);
    for (size_t at = 0; at < n; at += step)
        sz_sha256_update(&h, (const char *)bytes + at, n - at < step ? n - at : step);
    sz_sha256_final(&h, digest);
    sz_hex(digest, sizeof digest, out);
}

/* FIPS 180-4 and its examples. */
static void the_published_digests(void **state) {
    static const struct {
        const char *text, *digest;
    } want[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
         "lmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    char got[65];
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        hex_of(want[i].text, strlen(want[i].text), 1000, got);
        assert_string_equal(got, want[i].digest);
    }
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    hex_of(million, 1000000, 1000000, got);
    assert_string_equal(got, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

/* Any way of cutting the bytes gives one digest, at every length around the ends of blocks. */
static void cuts_do_not_matter(void **state) {
    char bytes[200], whole[65], cut[65];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 37);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        hex_of(bytes, n, n + 1, whole);
        for (size_t step = 1; step <= n; step += 1 + step / 4) {
            hex_of(bytes, n, step, cut);
            assert_string_equal(cut, whole);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_digests),
        cmocka_unit_test(cuts_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
