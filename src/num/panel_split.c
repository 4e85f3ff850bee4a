/* panel_split.c: one row's block of each format, cut into the words of its lane. Bits are moved so
 * that the kernels read forward and unpack with few operations; none is added.
 *
 * Every format is made of groups of 32 columns, one after the other, each of some of these:
 *   nibbles  4 words, four bits a column: word j holds columns 4j.. in the low and 16 + 4j.. in the
 *            high halves of its bytes
 *   pairs    2 words, two bits a column: bits 2i and 2i+1 of byte c of word k: column 16k + 4i + c
 *   plane    1 word, one bit a column: bit j of byte c: column 4j + c
 * and blocks of 256 columns have for each two groups, a part,
 *   sixes    four numbers of six bits, in byte `part` of three words */
#include <string.h>

#include "format_blocks.h"
#include "panel.h"

enum { PARTS = 4 };

static uint32_t word(const uint8_t *p) {
    uint32_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* Bit g of each of 32 bytes. */
static uint32_t plane_of(const uint8_t *bytes, unsigned g) {
    uint32_t plane = 0;
    for (unsigned j = 0; j < 8; j++)
        plane |= (word(bytes + 4 * j) >> g & 0x01010101u) << j;
    return plane;
}

/* The two bits at 2g of each of 32 bytes. */
static void put_pairs(const uint8_t *bytes, unsigned g, uint32_t pairs[2]) {
    pairs[0] = pairs[1] = 0;
    for (unsigned j = 0; j < 8; j++)
        pairs[j / 4] |= (word(bytes + 4 * j) >> 2 * g & 0x03030303u) << 2 * (j % 4);
}

/* Words whose bytes have columns of one group in their low, of another in their high halves:
 * `first` and `second` are columns 4j.. and 16 + 4j.. of both. */
static void put_nibbles(uint32_t first, uint32_t second, uint32_t *low, uint32_t *high) {
    const uint32_t mask = 0x0f0f0f0fu;
    *low = (first & mask) | (second & mask) << 4;
    *high = (first >> 4 & mask) | (second & ~mask);
}

static void put_sixes(const int six[4], unsigned part, uint32_t words[3]) {
    uint32_t all =
        (uint32_t)six[0] | (uint32_t)six[1] << 6 | (uint32_t)six[2] << 12 | (uint32_t)six[3] << 18;
    for (unsigned i = 0; i < 3; i++)
        words[i] |= (all >> 8 * i & 255) << 8 * part;
}

/* ---- Blocks of 32 columns -------------------------------------------------------------------- */

static void split_q4_0(const uint8_t *block, sz_lane_block *out) {
    const sz_block_q4_0 *b = (const void *)block;
    out->half[0] = b->d;
    memcpy(out->data, b->qs, sizeof b->qs);
}

static void split_q4_1(const uint8_t *block, sz_lane_block *out) {
    const sz_block_q4_1 *b = (const void *)block;
    out->half[0] = b->d;
    out->half[1] = b->m;
    memcpy(out->data, b->qs, sizeof b->qs);
}

/* Swaps the bits of x below the mask with those `by` places above them. */
static uint32_t swap_bits(uint32_t x, uint32_t mask, unsigned by) {
    uint32_t differ = (x >> by ^ x) & mask;
    return x ^ differ ^ differ << by;
}

/* The 32 high bits of a block, bit i of column i, as a plane: the number 4j + c of a bit becomes
 * 8c + j. Each step exchanges two binary digits of the numbers: 4 and 1, 3 and 0, 2 and 1, 1 and 0.
 */
static uint32_t plane_of_bits(const uint8_t bits[4]) {
    uint32_t x = swap_bits(word(bits), 0x0000ccccu, 14);
    x = swap_bits(x, 0x00aa00aau, 7);
    x = swap_bits(x, 0x0c0c0c0cu, 2);
    return swap_bits(x, 0x22222222u, 1);
}

static void split_q5_0(const uint8_t *block, sz_lane_block *out) {
    const sz_block_q5_0 *b = (const void *)block;
    out->half[0] = b->d;
    memcpy(out->data, b->qs, sizeof b->qs);
    out->data[4] = plane_of_bits(b->qh);
}

static void split_q5_1(const uint8_t *block, sz_lane_block *out) {
    const sz_block_q5_1 *b = (const void *)block;
    out->half[0] = b->d;
    out->half[1] = b->m;
    memcpy(out->data, b->qs, sizeof b->qs);
    out->data[4] = plane_of_bits(b->qh);
}

static void split_q8_0(const uint8_t *block, sz_lane_block *out) {
    const sz_block_q8_0 *b = (const void *)block;
    out->half[0] = b->d;
    for (int j = 0; j < 8; j++) /* int8 to a byte with bias 128 */
        out->data[j] = word((const uint8_t *)b->qs + 4 * j) ^ 0x80808080u;
}

static void split_iq4_nl(const uint8_t *block, sz_lane_block *out) {
    const sz_block_iq4_nl *b = (const void *)block;
    out->half[0] = b->d;
    memcpy(out->data, b->qs, sizeof b->qs);
}

static void split_mxfp4(const uint8_t *block, sz_lane_block *out) {
    const sz_block_mxfp4 *b = (const void *)block;
    out->byte = b->e;
    memcpy(out->data, b->qs, sizeof b->qs);
}

/* ---- Blocks of 256 columns ------------------------------------------------------------------- */

static void split_q2_k(const uint8_t *block, sz_lane_block *out) {
    const sz_block_q2_k *b = (const void *)block;
    out->half[0] = b->d;
    out->half[1] = b->dmin;
    memcpy(out->scale, b->scales, sizeof b->scales);
    for (unsigned g = 0; g < 2 * PARTS; g++)
        put_pairs(b->qs + 32 * (g / 4), g % 4, out->data + 2 * g);
}

static void split_q3_k(const uint8_t *block, sz_lane_block *out) {
    const sz_block_q3_k *b = (const void *)block;
    out->half[0] = b->d;
    memset(out->scale, 0, sizeof out->scale);
    for (unsigned part = 0; part < PARTS; part++) {
        int six[4];
        for (unsigned i = 0; i < 4; i++)
            six[i] = sz_q3_k_scale(b->scales, (int)(4 * part + i));
        put_sixes(six, part, out->scale);
    }
    for (unsigned g = 0; g < 2 * PARTS; g++) {
        put_pairs(b->qs + 32 * (g / 4), g % 4, out->data + 3 * g);
        out->data[3 * g + 2] = plane_of(b->hmask, g);
    }
}

/* Scales and minima of both groups of each part. */
static void put_scales_k45(const uint8_t scales[12], uint32_t words[3]) {
    memset(words, 0, 3 * sizeof *words);
    for (unsigned part = 0; part < PARTS; part++) {
        int six[4];
        sz_k_scale_min(scales, (int)(2 * part), &six[0], &six[1]);
        sz_k_scale_min(scales, (int)(2 * part + 1), &six[2], &six[3]);
        put_sixes(six, part, words);
    }
}

/* The nibbles of two groups from 32 bytes that hold one in their low, one in their high halves. */
static void put_part(const uint8_t bytes[32], uint32_t *low, uint32_t *high) {
    for (unsigned j = 0; j < 4; j++)
        put_nibbles(word(bytes + 4 * j), word(bytes + 16 + 4 * j), low + j, high + j);
}

static void split_q4_k(const uint8_t *block, sz_lane_block *out) {
    const sz_block_q4_k *b = (const void *)block;
    out->half[0] = b->d;
    out->half[1] = b->dmin;
    put_scales_k45(b->scales, out->scale);
    for (unsigned part = 0; part < PARTS; part++)
        put_part(b->qs + 32 * part, out->data + 8 * part, out->data + 8 * part + 4);
}

static void split_q5_k(const uint8_t *block, sz_lane_block *out) {
    const sz_block_q5_k *b = (const void *)block;
    out->half[0] = b->d;
    out->half[1] = b->dmin;
    put_scales_k45(b->scales, out->scale);
    for (unsigned part = 0; part < PARTS; part++)
        put_part(b->qs + 32 * part, out->data + 10 * part, out->data + 10 * part + 5);
    for (unsigned g = 0; g < 2 * PARTS; g++)
        out->data[5 * g + 4] = plane_of(b->qh, g);
}

static void split_q6_k(const uint8_t *block, sz_lane_block *out) {
    const sz_block_q6_k *b = (const void *)block;
    out->half[0] = b->d;
    memcpy(out->scale, b->scales, sizeof b->scales);
    for (unsigned g = 0; g < 2 * PARTS; g++)
        put_pairs(b->qh + 32 * (g / 4), g % 4, out->data + 6 * g + 4);
    for (unsigned i = 0; i < 4; i++) { /* groups 0 and 2, 1 and 3, 4 and 6, 5 and 7 */
        uint32_t *data = out->data + 6 * (i / 2 * 4 + i % 2);
        put_part(b->ql + 32 * i, data, data + 12);
    }
}

static void split_iq4_xs(const uint8_t *block, sz_lane_block *out) {
    const sz_block_iq4_xs *b = (const void *)block;
    out->half[0] = b->d;
    out->half[1] = b->scales_h;
    memcpy(out->scale, b->scales_l, sizeof b->scales_l);
    memcpy(out->data, b->qs, sizeof b->qs);
}

/* ---- The table ------------------------------------------------------------------------------- */

static const sz_panel_layout table[] = {
    /* type, columns, bytes; words, scale words, halves, bytes */
    {SZ_Q4_0, 32, 18, 4, 0, 1, 0, split_q4_0},        {SZ_Q4_1, 32, 20, 4, 0, 2, 0, split_q4_1},
    {SZ_Q5_0, 32, 22, 5, 0, 1, 0, split_q5_0},        {SZ_Q5_1, 32, 24, 5, 0, 2, 0, split_q5_1},
    {SZ_Q8_0, 32, 34, 8, 0, 1, 0, split_q8_0},        {SZ_IQ4_NL, 32, 18, 4, 0, 1, 0, split_iq4_nl},
    {SZ_MXFP4, 32, 17, 4, 0, 0, 1, split_mxfp4},      {SZ_Q2_K, 256, 84, 16, 4, 2, 0, split_q2_k},
    {SZ_Q3_K, 256, 110, 24, 3, 1, 0, split_q3_k},     {SZ_Q4_K, 256, 144, 32, 3, 2, 0, split_q4_k},
    {SZ_Q5_K, 256, 176, 40, 3, 2, 0, split_q5_k},     {SZ_Q6_K, 256, 210, 48, 4, 1, 0, split_q6_k},
    {SZ_IQ4_XS, 256, 136, 32, 1, 2, 0, split_iq4_xs},
};

const sz_panel_layout *sz_panel_layout_of(sz_type type) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].type == type)
            return &table[i];
    return NULL;
}
