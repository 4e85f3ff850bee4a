/* unicode_case.c: case by tables of runs. */
#include "model/unicode_case.h"

#include <stddef.h>

/* Characters first, first + stride, ... last, each mapped to itself plus distance. */
struct run {
    uint32_t first, last, stride;
    int32_t distance;
};

struct several {
    uint32_t from, to[3]; /* 0: no more */
};

#include "model/unicode_case_table.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static uint32_t map(const struct run *table, size_t n, uint32_t cp) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table[middle].last < cp)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == n || cp < table[low].first || (cp - table[low].first) % table[low].stride)
        return cp;
    return cp + (uint32_t)table[low].distance;
}

/* A character that becomes others than its run says; 0: it is not in the table. */
static int map_several(const struct several *table, size_t n_table, uint32_t cp, uint32_t *out) {
    size_t low = 0, high = n_table;
    int n = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table[middle].from < cp)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == n_table || table[low].from != cp)
        return 0;
    for (; n < 3 && table[low].to[n]; n++)
        out[n] = table[low].to[n];
    return n;
}

int sz_unicode_upper(uint32_t cp, uint32_t *out) {
    if (cp < 0x80) {
        out[0] = cp >= 'a' && cp <= 'z' ? cp - 32 : cp;
        return 1;
    }
    int n = map_several(UPPER_SEVERAL, COUNT(UPPER_SEVERAL), cp, out);
    if (n == 0)
        out[0] = map(UPPER, COUNT(UPPER), cp);
    return n ? n : 1;
}

int sz_unicode_lower(uint32_t cp, uint32_t *out) {
    out[0] = cp < 0x80 ? (cp >= 'A' && cp <= 'Z' ? cp + 32 : cp) : map(LOWER, COUNT(LOWER), cp);
    if (cp != 0x130) /* the one with two: i and a dot above */
        return 1;
    out[0] = 'i';
    out[1] = 0x307;
    return 2;
}

int sz_unicode_title(uint32_t cp, uint32_t *out) {
    int n = cp < 0x80 ? 0 : map_several(TITLE, COUNT(TITLE), cp, out);
    return n ? n : sz_unicode_upper(cp, out);
}
