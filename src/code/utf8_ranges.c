/* utf8_ranges.c: ranges of code points as choices of byte sequences. */
#include <stdlib.h>

#include "code/grammar.h"

static int encode(uint32_t c, uint8_t out[4]) {
    int n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[5] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (int i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3F));
    out[0] = (uint8_t)(lead[n] | c);
    return n;
}

/* One more way: the sequence whose i-th byte lies in from[i]..to[i]. */
static sz_status add_sequence(sz_nodes *nodes, const uint8_t *from, const uint8_t *to, int n,
                              uint32_t next, uint32_t *entry) {
    uint32_t at = next;
    for (int i = n - 1; i >= 0; i--)
        SZ_TRY(sz_nodes_add(nodes, (sz_node){SZ_NODE_BYTE, from[i], to[i], at, 0}, &at));
    if (*entry == UINT32_MAX)
        *entry = at;
    else
        SZ_TRY(sz_nodes_add(nodes, (sz_node){SZ_NODE_SPLIT, 0, 0, at, *entry}, entry));
    return SZ_OK;
}

/* Cuts from..to, of one length in bytes, until all trailing bytes of a piece run over their whole
 * range or are fixed. */
static sz_status add_range(sz_nodes *nodes, uint32_t from, uint32_t to, uint32_t next,
                           uint32_t *entry) {
    uint8_t a[4], b[4];
    int n = encode(from, a);
    encode(to, b);
    for (int i = 1; i < n; i++) {
        uint32_t low = (1u << (6 * i)) - 1; /* what the last i bytes hold */
        if ((from & ~low) == (to & ~low))
            break;
        if (from & low) {
            SZ_TRY(add_range(nodes, from, from | low, next, entry));
            return add_range(nodes, (from | low) + 1, to, next, entry);
        }
        if ((to & low) != low) {
            SZ_TRY(add_range(nodes, from, (to & ~low) - 1, next, entry));
            return add_range(nodes, to & ~low, to, next, entry);
        }
    }
    return add_sequence(nodes, a, b, n, next, entry);
}

static int by_start(const void *x, const void *y) {
    const sz_code_range *a = x, *b = y;
    return (a->from > b->from) - (a->from < b->from);
}

/* The part of from..to within a block whose code points have one length and are no surrogates. */
static sz_status add_blocks(sz_nodes *nodes, uint32_t from, uint32_t to, uint32_t next,
                            uint32_t *entry) {
    static const sz_code_range blocks[] = {
        {0, 0x7F}, {0x80, 0x7FF}, {0x800, 0xD7FF}, {0xE000, 0xFFFF}, {0x10000, 0x10FFFF}};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        uint32_t low = from > blocks[i].from ? from : blocks[i].from;
        uint32_t high = to < blocks[i].to ? to : blocks[i].to;
        if (low <= high)
            SZ_TRY(add_range(nodes, low, high, next, entry));
    }
    return SZ_OK;
}

sz_status sz_nodes_add_codes(sz_nodes *nodes, const sz_code_range *ranges, size_t n, uint32_t next,
                             uint32_t *entry) {
    sz_code_range *sorted = sz_alloc(n * sizeof *sorted + 1);
    SZ_REQUIRE(sorted, SZ_E_NOMEM, "no memory for a character class");
    for (size_t i = 0; i < n; i++)
        sorted[i] = ranges[i];
    qsort(sorted, n, sizeof *sorted, by_start);
    *entry = UINT32_MAX;
    sz_status status = SZ_OK;
    for (size_t i = 0; i < n && status == SZ_OK;) { /* overlapping ranges are joined */
        uint32_t from = sorted[i].from, to = sorted[i].to;
        for (i++; i < n && sorted[i].from <= to + 1; i++)
            to = sorted[i].to > to ? sorted[i].to : to;
        status = add_blocks(nodes, from, to, next, entry);
    }
    sz_free(sorted);
    if (status == SZ_OK && *entry == UINT32_MAX) /* an empty class: no byte is in 1..0 */
        status = sz_nodes_add(nodes, (sz_node){SZ_NODE_BYTE, 1, 0, next, 0}, entry);
    return status;
}
