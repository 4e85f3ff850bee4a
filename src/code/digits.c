/* digits.c: ranges of whole numbers as patterns of digits. */
#include "code/grammar.h"

static void put_class(sz_buf *b, unsigned from, unsigned to) {
    if (from == to)
        sz_buf_printf(b, "\"%u\" ", from);
    else
        sz_buf_printf(b, "[%u-%u] ", from, to);
}

/* Numbers of `digits` digits, zeros in front included, from least to most. */
static void put_fixed(sz_buf *b, uint64_t least, uint64_t most, uint64_t power) {
    if (power == 0)
        return;
    unsigned from = (unsigned)(least / power), to = (unsigned)(most / power);
    uint64_t low = least % power, high = most % power, nines = power - 1;
    if (from == to) {
        put_class(b, from, from);
        put_fixed(b, low, high, power / 10);
        return;
    }
    sz_buf_puts(b, "(");
    const char *bar = "";
    if (low > 0) {
        put_class(b, from, from);
        put_fixed(b, low, nines, power / 10);
        bar = "| ";
        from++;
    }
    unsigned whole = high == nines ? to : to - 1;
    if (from <= whole) {
        sz_buf_puts(b, bar);
        put_class(b, from, whole);
        for (uint64_t p = power / 10; p > 0; p /= 10)
            put_class(b, 0, 9);
        bar = "| ";
    }
    if (high != nines) {
        sz_buf_puts(b, bar);
        put_class(b, to, to);
        put_fixed(b, 0, high, power / 10);
    }
    sz_buf_puts(b, ") ");
}

void sz_digits_between(uint64_t least, uint64_t most, sz_buf *out) {
    const char *bar = "";
    uint64_t power = 1;
    while (least / power >= 10)
        power *= 10;
    for (;; power *= 10) { /* one length after the other */
        uint64_t last = power > UINT64_MAX / 10 ? UINT64_MAX : power * 10 - 1;
        sz_buf_puts(out, bar);
        put_fixed(out, least, most < last ? most : last, power);
        if (most <= last)
            return;
        least = last + 1;
        bar = "| ";
    }
}
