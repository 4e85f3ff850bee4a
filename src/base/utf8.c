/* utf8.c: decoding, validation and the two helpers that streamed text needs. */
#include "base/utf8.h"

#include <string.h>
#include <szilard/unstable/base.h>

/* Range of the second byte after lead byte `lead`: what excludes overlong forms, surrogates and
 * numbers beyond U+10FFFF. */
static int second_ok(uint8_t lead, uint8_t c) {
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    return c >= low && c <= high;
}

static int length_of(uint8_t lead) {
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF)
        return 3;
    return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

/* How many of the first bytes of s can begin a character with this lead byte: its whole length if
 * the character is complete and valid. */
static int matched(const uint8_t *s, size_t n, int length) {
    int i = 1;
    while (i < length && (size_t)i < n && (i == 1 ? second_ok(s[0], s[1]) : (s[i] & 0xC0) == 0x80))
        i++;
    return i;
}

int sz_utf8_decode(const char *text, size_t n, uint32_t *cp) {
    const uint8_t *s = (const uint8_t *)text;
    int length = length_of(s[0]);
    if (length == 0 || matched(s, n, length) != length)
        return 0;
    static const uint8_t lead_mask[5] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t c = s[0] & lead_mask[length];
    for (int i = 1; i < length; i++)
        c = c << 6 | (s[i] & 0x3Fu);
    *cp = c;
    return length;
}

int sz_utf8_encode(uint32_t cp, char *out) {
    int length = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    static const uint8_t lead[5] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (int i = length - 1; i > 0; i--, cp >>= 6)
        out[i] = (char)(0x80 | (cp & 0x3F));
    out[0] = (char)(lead[length] | cp);
    return length;
}

size_t sz_utf8_valid(const char *s, size_t n) {
    size_t i = 0;
    while (i < n) {
        uint64_t word;
        if (n - i >= 8 && (memcpy(&word, s + i, 8), !(word & 0x8080808080808080u))) {
            i += 8;
            continue;
        }
        uint32_t cp;
        int length = sz_utf8_decode(s + i, n - i, &cp);
        if (length == 0)
            break;
        i += (size_t)length;
    }
    return i;
}

size_t sz_utf8_complete(const char *text, size_t n) {
    const uint8_t *s = (const uint8_t *)text;
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        size_t at = n - back;
        int length = length_of(s[at]);
        if (length > (int)back)
            return matched(s + at, back, length) == (int)back ? at : n;
        if (length > 0)
            break;
    }
    return n;
}

bool sz_utf8_clean(const char *s, size_t n, sz_buf *out) {
    bool valid = true;
    while (n > 0) {
        size_t good = sz_utf8_valid(s, n);
        sz_buf_append(out, s, good);
        s += good;
        n -= good;
        if (n == 0)
            break;
        valid = false;
        sz_buf_append(out, "\xEF\xBF\xBD", 3);
        int length = length_of((uint8_t)s[0]);
        size_t bad = length ? (size_t)matched((const uint8_t *)s, n, length) : 1;
        s += bad;
        n -= bad;
    }
    return valid;
}
