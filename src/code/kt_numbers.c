/* kt_numbers.c: whole numbers and bytes in the codes of scripts. */
#include <szilard/unstable/num.h>

#include "code/kt_script.h"

double sz_kt_log2(unsigned n) {
    return n <= 1 ? 0 : sz_log(n) / 0.69314718055994530942;
}

void sz_kt_put_length(sz_range_encoder *e, size_t n) {
    uint64_t k = (uint64_t)n + 1;
    unsigned length = 63 - (unsigned)__builtin_clzll(k);
    for (unsigned i = 0; i < length; i++)
        sz_range_encode_of(e, 0, 1, 2);
    for (unsigned i = length + 1; i-- > 0;)
        sz_range_encode_of(e, k >> i & 1, 1, 2);
}

static uint64_t get_bit(sz_range_decoder *d) {
    uint64_t bit = sz_range_decode_place_of(d, 2);
    sz_range_decode_of(d, bit, 1, 2);
    return bit;
}

sz_status sz_kt_get_length(sz_range_decoder *d, size_t most, size_t *out) {
    unsigned length = 0;
    uint64_t k = 1;
    while (length <= 40 && !get_bit(d))
        length++;
    SZ_REQUIRE(length <= 40, SZ_E_FORMAT, "a length is beyond all bounds");
    while (length-- > 0)
        k = k << 1 | get_bit(d);
    SZ_REQUIRE(k - 1 <= most, SZ_E_FORMAT, "a length is %llu: at most %zu",
               (unsigned long long)(k - 1), most);
    *out = (size_t)(k - 1);
    return SZ_OK;
}

void sz_kt_put_bytes(sz_range_encoder *e, const uint8_t *bytes, size_t n) {
    sz_kt_put_length(e, n);
    for (size_t i = 0; i < n; i++)
        sz_range_encode_of(e, bytes[i], 1, 256);
}

sz_status sz_kt_get_bytes(sz_range_decoder *d, size_t most, uint8_t *bytes, size_t *n) {
    SZ_TRY(sz_kt_get_length(d, most, n));
    for (size_t i = 0; i < *n; i++) {
        bytes[i] = (uint8_t)sz_range_decode_place_of(d, 256);
        sz_range_decode_of(d, bytes[i], 1, 256);
    }
    return SZ_OK;
}
