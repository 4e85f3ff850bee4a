/* range.h: the steps of the range coder, to be inlined where symbols are bits. */
#ifndef SZ_CODE_RANGE_H
#define SZ_CODE_RANGE_H

#include <szilard/unstable/code.h>

/* Below this the range has lost its top byte. Then range >> 32 is at least 2^24. */
#define SZ_RANGE_LEAST ((uint64_t)1 << 56)

/* Adds one to the number that the bytes of the stream so far are. */
void sz_range_carry(sz_range_encoder *e);

static inline void sz_range_encode_step(sz_range_encoder *e, uint64_t cum, uint64_t freq) {
    uint64_t unit = e->range >> 32, low = e->low + unit * cum;
    if (low < e->low)
        sz_range_carry(e);
    uint64_t range = unit * freq;
    while (range < SZ_RANGE_LEAST) {
        sz_buf_putc(e->out, (char)(low >> 56));
        low <<= 8;
        range <<= 8;
    }
    e->low = low;
    e->range = range;
}

static inline uint32_t sz_range_decode_place(const sz_range_decoder *d) {
    uint64_t place = d->code / (d->range >> 32);
    return place > UINT32_MAX ? UINT32_MAX : (uint32_t)place;
}

static inline void sz_range_decode_step(sz_range_decoder *d, uint64_t cum, uint64_t freq) {
    uint64_t unit = d->range >> 32;
    d->code -= unit * cum;
    d->range = unit * freq;
    while (d->range < SZ_RANGE_LEAST) {
        d->code = d->code << 8 | (d->next < d->end ? *d->next++ : 0);
        d->range <<= 8;
    }
}

#endif
