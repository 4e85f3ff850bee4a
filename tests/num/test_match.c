/* test_match.c: counts of equal symbols: every set of kernels gives the definition's, for lengths
 * around its blocks, at any address, with places left out, beyond what narrow counters hold. */
#include "each_isa.h"

enum { SYMBOLS = 2200, MOST_M = 700 };

static void fill(void *out, unsigned width, size_t n, uint32_t alphabet) {
    for (size_t i = 0; i < n; i++) {
        uint32_t r = random_bits() % alphabet;
        if (width == 1)
            ((uint8_t *)out)[i] = (uint8_t)r;
        else if (width == 2)
            ((uint16_t *)out)[i] = (uint16_t)(r * 257);
        else
            ((uint32_t *)out)[i] = r * 0x1010101;
    }
}

static uint32_t defined(const char *text, const char *symbol, const uint32_t *offset, size_t m,
                        unsigned width, size_t i) {
    uint32_t equal = 0;
    for (size_t j = 0; j < m; j++)
        equal += memcmp(text + (i + offset[j]) * width, symbol + j * width, width) == 0;
    return equal;
}

static void check(unsigned width, size_t n, size_t m, uint32_t alphabet, bool gaps) {
    static uint32_t text[SYMBOLS], symbol[MOST_M], got[SYMBOLS];
    uint32_t offset[MOST_M];
    fill(text, width, n + 2 * m, alphabet);
    fill(symbol, width, m, alphabet);
    for (uint32_t j = 0, at = 0; j < m; j++, at += 1 + (gaps ? random_bits() % 2 : 0))
        offset[j] = at;
    for (const sz_kernels **k = each_isa(); *k; k++) {
        got[n] = 77; /* nothing behind the end is touched */
        (*k)->count_equal[width](text, symbol, offset, m, n, got);
        for (size_t i = 0; i < n; i++) {
            uint32_t want = defined((const char *)text, (const char *)symbol, offset, m, width, i);
            if (got[i] != want)
                fail_msg("%s: width %u n %zu m %zu: %zu: %u, not %u", (*k)->isa, width, n, m, i,
                         got[i], want);
        }
        assert_int_equal(got[n], 77);
    }
}

static void every_isa_counts_alike(void **state) {
    for (unsigned width = 1; width <= 4; width *= 2) {
        for (size_t n = 1; n < 620; n += 1 + n / 3)
            check(width, n, 1 + n % 37, 3, n % 2);
        check(width, 256, 256, 1, false);
        check(width, 257, MOST_M, 1, false);
        check(width, 300, 511, 2, true);
    }
}

static void counts_become_distances(void **state) {
    uint32_t count[77], got[78];
    for (const sz_kernels **k = each_isa(); *k; k++)
        for (size_t n = 0; n <= 77; n++)
            for (uint32_t most = 0; most <= 300; most += 50) {
                for (size_t i = 0; i < n; i++)
                    got[i] = count[i] = random_bits() % 301;
                got[n] = 77;
                (*k)->distances_within(got, n, 300, most);
                for (size_t i = 0; i < n; i++)
                    assert_int_equal(got[i], 300 - count[i] < most ? 300 - count[i] : most);
                assert_int_equal(got[n], 77);
            }
    uint32_t at_most[9] = {0}, zero[9] = {0};
    for (const sz_kernels **k = each_isa(); *k; k++) {
        memset(at_most, 0, sizeof at_most);
        (*k)->distances_within(at_most, 9, UINT32_MAX - 1, UINT32_MAX);
        for (size_t i = 0; i < 9; i++)
            assert_int_equal(at_most[i], UINT32_MAX - 1);
        (*k)->count_equal[1](zero, zero, zero, 0, 9, at_most); /* no symbols, no equals */
        for (size_t i = 0; i < 9; i++)
            assert_int_equal(at_most[i], 0);
    }
}

static void symbols_are_narrowed(void **state) {
    static const uint32_t edge[] = {0, 1, 65534, 65535, 65536, 1u << 31, UINT32_MAX};
    uint32_t text[41];
    uint16_t got[42];
    for (const sz_kernels **k = each_isa(); *k; k++)
        for (size_t n = 0; n <= 41; n++) {
            for (size_t i = 0; i < n; i++)
                text[i] = edge[random_bits() % 7];
            got[n] = 77;
            (*k)->narrow_symbols(text, n, got);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(got[i], text[i] < 65535 ? text[i] : 65535);
            assert_int_equal(got[n], 77);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_isa_counts_alike),
                                       cmocka_unit_test(counts_become_distances),
                                       cmocka_unit_test(symbols_are_narrowed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
