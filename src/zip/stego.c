/* stego.c: the range coder backwards: bits are decoded to symbols, and symbols encoded to bits. */
#include "zip/stego.h"

enum { SHIFT = 8, TOP = 120 };

/* 2^-32 of a range, which is kept less one: at first it is 2^128. */
static sz_wide unit_of(sz_wide less_one) {
    return (less_one >> 32) + ((uint32_t)less_one == UINT32_MAX);
}

/* Narrows a range to a symbol's part; returns where the part begins. */
static sz_wide narrow(sz_wide *less_one, const uint64_t *cum, size_t n, size_t symbol) {
    sz_wide unit = unit_of(*less_one), from = unit * cum[symbol];
    *less_one = symbol + 1 == n ? *less_one - from : unit * (cum[symbol + 1] - cum[symbol]) - 1;
    return from;
}

static bool is_short(sz_wide less_one) {
    return less_one < ((sz_wide)1 << TOP) - 1;
}

void sz_stego_begin(sz_stego_drawer *d, sz_stego_next next, void *user) {
    *d = (sz_stego_drawer){.range_less_one = ~(sz_wide)0, .next = next, .user = user};
    for (size_t i = 0; i < sizeof d->code; i++)
        d->code = d->code << SHIFT | next(user);
}

static size_t find(const uint64_t *cum, size_t n, uint64_t target) {
    size_t low = 0, high = n; /* cum[low] <= target < cum[high] */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (cum[middle] <= target)
            low = middle;
        else
            high = middle;
    }
    return low;
}

size_t sz_stego_draw(sz_stego_drawer *d, const uint64_t *cum, size_t n) {
    sz_wide target = d->code / unit_of(d->range_less_one);
    size_t symbol = find(cum, n, (uint64_t)(target < SZ_STEGO_TOTAL ? target : SZ_STEGO_TOTAL - 1));
    d->code -= narrow(&d->range_less_one, cum, n, symbol);
    while (is_short(d->range_less_one)) {
        d->range_less_one = d->range_less_one << SHIFT | 0xff;
        d->code = d->code << SHIFT | d->next(d->user);
    }
    return symbol;
}

static void carry(sz_buf *bytes) {
    size_t i = bytes->len;
    while (i > 0 && (uint8_t)++bytes->data[i - 1] == 0)
        i--;
}

sz_status sz_stego_track(sz_stego_tracker *t, const uint64_t *cum, size_t n, size_t symbol) {
    if (!t->begun)
        t->range_less_one = ~(sz_wide)0;
    t->begun = true;
    sz_wide from = narrow(&t->range_less_one, cum, n, symbol);
    t->low += from;
    if (t->low < from)
        carry(&t->shifted);
    while (is_short(t->range_less_one)) {
        sz_buf_putc(&t->shifted, (char)(t->low >> TOP));
        t->low <<= SHIFT;
        t->range_less_one = t->range_less_one << SHIFT | 0xff;
    }
    SZ_REQUIRE(!t->shifted.failed, SZ_E_NOMEM, "no memory for the bits of a text");
    return SZ_OK;
}

static size_t leading_zeros(sz_wide x) {
    uint64_t high = (uint64_t)(x >> 64), low = (uint64_t)x;
    return high ? (size_t)__builtin_clzll(high) : low ? 64 + (size_t)__builtin_clzll(low) : 128;
}

/* Leading bits that the lowest and the highest possible string of bits share. */
size_t sz_stego_bits(const sz_stego_tracker *t) {
    if (!t->begun)
        return 0;
    sz_wide high = t->low + t->range_less_one;
    if (high >= t->low)
        return t->shifted.len * SHIFT + leading_zeros(t->low ^ high);
    size_t same = t->shifted.len * SHIFT; /* the carry turns the last ones, and the zero before */
    while (same > 0 && (t->shifted.data[(same - 1) / SHIFT] >> (7 - (same - 1) % SHIFT) & 1) == 1)
        same--;
    return same > 0 ? same - 1 : 0;
}

void sz_stego_bytes(const sz_stego_tracker *t, uint8_t *bytes, size_t n_bytes) {
    for (size_t i = 0; i < n_bytes; i++)
        bytes[i] = i < t->shifted.len ? (uint8_t)t->shifted.data[i]
                                      : (uint8_t)(t->low >> (TOP - SHIFT * (i - t->shifted.len)));
}

void sz_stego_free(sz_stego_tracker *t) {
    sz_buf_free(&t->shifted);
    *t = (sz_stego_tracker){0};
}
