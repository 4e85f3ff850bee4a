/* range.h: the steps of the range coder, to be inlined where symbols are bits. */
#ifndef SZ_CODE_RANGE_H
#define SZ_CODE_RANGE_H

#include <szilard/unstable/code.h>

/* Below this the range has lost its top byte. Then range >> 32 is at least 2^24. */
#define SZ_RANGE_LEAST ((uint64_t)1 << 56)

/* Adds one to the number that the bytes of the stream so far are. */
void sz_range_carry(sz_range_encoder *e);

/* The symbol that owns [cum, cum + freq) of an alphabet whose frequencies take `unit` each. */
static inline void sz_range_encode_unit(sz_range_encoder *e, uint64_t unit, uint64_t cum,
                                        uint64_t freq) {
    uint64_t low = e->low + unit * cum;
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

static inline void sz_range_encode_step(sz_range_encoder *e, uint64_t cum, uint64_t freq) {
    sz_range_encode_unit(e, e->range >> 32, cum, freq);
}

/* Where frequencies sum to `total`, 1 to 2^32, in place of 2^32. */
static inline void sz_range_encode_of(sz_range_encoder *e, uint64_t cum, uint64_t freq,
                                      uint64_t total) {
    sz_range_encode_unit(e, e->range / total, cum, freq);
}

static inline uint64_t sz_range_decode_place_of(const sz_range_decoder *d, uint64_t total) {
    uint64_t place = d->code / (d->range / total);
    return place < total ? place : total - 1;
}

static inline uint32_t sz_range_decode_place(const sz_range_decoder *d) {
    uint64_t place = d->code / (d->range >> 32);
    return place > UINT32_MAX ? UINT32_MAX : (uint32_t)place;
}

static inline void sz_range_decode_unit(sz_range_decoder *d, uint64_t unit, uint64_t cum,
                                        uint64_t freq) {
    d->code -= unit * cum;
    d->range = unit * freq;
    while (d->range < SZ_RANGE_LEAST) {
        d->code = d->code << 8 | (d->next < d->end ? *d->next++ : 0);
        d->range <<= 8;
    }
}

static inline void sz_range_decode_step(sz_range_decoder *d, uint64_t cum, uint64_t freq) {
    sz_range_decode_unit(d, d->range >> 32, cum, freq);
}

static inline void sz_range_decode_of(sz_range_decoder *d, uint64_t cum, uint64_t freq,
                                      uint64_t total) {
    sz_range_decode_unit(d, d->range / total, cum, freq);
}

/* The symbol that owns `place`, and where it begins: whole blocks are summed before their symbols
 * are looked at one by one. */
static inline size_t sz_range_find(const uint32_t *freq, size_t n, uint64_t place, uint64_t *cum) {
    enum { BLOCK = 64 };
    uint64_t before = 0;
    size_t i = 0;
    while (i + BLOCK < n) {
        uint64_t sum = 0;
        for (size_t j = 0; j < BLOCK; j++)
            sum += freq[i + j];
        if (before + sum > place)
            break;
        before += sum;
        i += BLOCK;
    }
    while (i + 1 < n && before + freq[i] <= place)
        before += freq[i++];
    *cum = before;
    return i;
}

#endif
