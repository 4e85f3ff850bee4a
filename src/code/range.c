/* range.c: the range coder (card 07b, section 3): 64 bits of range, whole bytes out, carries. */
#include "code/range.h"

/* ---- Encoder --------------------------------------------------------------------------------- */

void sz_range_encode_begin(sz_range_encoder *e, sz_buf *out) {
    *e = (sz_range_encoder){.range = UINT64_MAX, .out = out, .start = out->len};
}

void sz_range_carry(sz_range_encoder *e) {
    if (e->out->failed)
        return;
    for (size_t i = e->out->len; i > e->start;) /* 0xff becomes 0 and hands the carry on */
        if ((uint8_t)++e->out->data[--i] != 0)
            return;
}

void sz_range_encode(sz_range_encoder *e, uint32_t cum, uint32_t freq) {
    sz_range_encode_step(e, cum, freq);
}

void sz_range_encode_symbol(sz_range_encoder *e, const uint32_t *freq, size_t symbol) {
    uint64_t cum = 0;
    for (size_t i = 0; i < symbol; i++)
        cum += freq[i];
    sz_range_encode_step(e, cum, freq[symbol]);
}

/* The range holds a multiple of 2^56, which one byte tells; where that is 0 or 2^64, none does. */
void sz_range_encode_end(sz_range_encoder *e) {
    if (e->low == 0)
        return;
    if (-e->low < e->range)
        sz_range_carry(e);
    else
        sz_buf_putc(e->out, (char)((e->low + (SZ_RANGE_LEAST - 1)) >> 56));
}

/* ---- Decoder --------------------------------------------------------------------------------- */

void sz_range_decode_begin(sz_range_decoder *d, const uint8_t *bytes, size_t n) {
    *d = (sz_range_decoder){.range = UINT64_MAX, .next = bytes, .end = n ? bytes + n : bytes};
    for (int i = 0; i < 8; i++)
        d->code = d->code << 8 | (d->next < d->end ? *d->next++ : 0);
}

uint32_t sz_range_decode_target(sz_range_decoder *d) {
    return sz_range_decode_place(d);
}

void sz_range_decode_take(sz_range_decoder *d, uint32_t cum, uint32_t freq) {
    sz_range_decode_step(d, cum, freq);
}

size_t sz_range_decode_symbol(sz_range_decoder *d, const uint32_t *freq, size_t n) {
    uint64_t cum;
    size_t i = sz_range_find(freq, n, sz_range_decode_place(d), &cum);
    sz_range_decode_step(d, cum, freq[i]);
    return i;
}
