/* unicode_fold.c: accents off, lower case. */
#include "model/unicode_fold.h"

#include <stddef.h>

#include "model/unicode_fold_table.h"

/* Index of the entry for cp in a table sorted by its first member; -1 if there is none. */
#define FIND(table, cp)                                                                            \
    find((const char *)(table), sizeof *(table), sizeof(table) / sizeof *(table), cp)

static ptrdiff_t find(const char *table, size_t stride, size_t n, uint32_t cp) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint32_t from = *(const uint32_t *)(const void *)(table + middle * stride);
        if (from == cp)
            return (ptrdiff_t)middle;
        if (from < cp)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

/* Hangul syllables are built from 19 x 21 x 28 parts (Unicode, section 3.12). */
static int fold_hangul(uint32_t index, uint32_t *out) {
    out[0] = 0x1100 + index / (21 * 28);
    out[1] = 0x1161 + index / 28 % 21;
    out[2] = 0x11A7 + index % 28;
    return index % 28 ? 3 : 2;
}

int sz_unicode_fold(uint32_t cp, uint32_t *out) {
    if (cp < 0x80) {
        out[0] = cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
        return 1;
    }
    if (cp >= 0xAC00 && cp <= 0xD7A3)
        return fold_hangul(cp - 0xAC00, out);
    ptrdiff_t i = FIND(SINGLE, cp);
    out[0] = i >= 0 ? SINGLE[i].to : cp;
    if (i >= 0 || (i = FIND(SEVERAL, cp)) < 0)
        return 1;
    int n = 0;
    while (n < 3 && SEVERAL[i].to[n]) {
        out[n] = SEVERAL[i].to[n];
        n++;
    }
    return n;
}
