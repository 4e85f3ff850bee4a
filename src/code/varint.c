/* varint.c: whole numbers in as few bytes as they need (LEB128). */
#include <szilard/unstable/code.h>

void sz_varint_put(sz_buf *b, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        sz_buf_putc(b, (char)(value | 0x80));
    sz_buf_putc(b, (char)value);
}

sz_status sz_varint_get(const uint8_t **at, const uint8_t *end, uint64_t *out) {
    uint64_t value = 0;
    const uint8_t *p = *at;
    for (int shift = 0; shift < 64; shift += 7) {
        SZ_REQUIRE(p < end, SZ_E_FORMAT, "a number is cut off");
        uint64_t bits = *p & 0x7f;
        SZ_REQUIRE(bits << shift >> shift == bits, SZ_E_FORMAT, "a number is beyond 64 bits");
        value |= bits << shift;
        if (*p++ & 0x80)
            continue;
        SZ_REQUIRE(bits != 0 || shift == 0, SZ_E_FORMAT, "a number is longer than it needs to be");
        *at = p;
        *out = value;
        return SZ_OK;
    }
    return sz_fail(SZ_E_FORMAT, "a number is beyond 64 bits");
}
