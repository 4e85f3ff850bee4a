/* format_blocks.h: the blocks of the quantised formats, byte for byte as GGUF files hold them, and
 * their codecs. Blocks are packed: they may lie at any address. Halves are IEEE binary16 bits. */
#ifndef SZ_NUM_FORMAT_BLOCKS_H
#define SZ_NUM_FORMAT_BLOCKS_H

#include <szilard/unstable/tensor_type.h>

#pragma pack(push, 1)

/* 32 weights. Byte j of qs holds weight j in its low nibble and weight j + 16 in its high one. */
typedef struct sz_block_q4_0 { /* w = d (q - 8) */
    uint16_t d;
    uint8_t qs[16];
} sz_block_q4_0;

typedef struct sz_block_q4_1 { /* w = d q + m */
    uint16_t d, m;
    uint8_t qs[16];
} sz_block_q4_1;

typedef struct sz_block_q5_0 { /* w = d (q - 16); bit j of qh is the fifth bit of weight j */
    uint16_t d;
    uint8_t qh[4];
    uint8_t qs[16];
} sz_block_q5_0;

typedef struct sz_block_q5_1 { /* w = d q + m */
    uint16_t d, m;
    uint8_t qh[4];
    uint8_t qs[16];
} sz_block_q5_1;

typedef struct sz_block_q8_0 { /* w = d q */
    uint16_t d;
    int8_t qs[32];
} sz_block_q8_0;

typedef struct sz_block_iq4_nl { /* w = d sz_iq4_values[q] */
    uint16_t d;
    uint8_t qs[16];
} sz_block_iq4_nl;

typedef struct sz_block_mxfp4 { /* w = 2^(e - 128) sz_mxfp4_values[q] */
    uint8_t e;
    uint8_t qs[16];
} sz_block_mxfp4;

/* 256 weights, in sub-blocks of 16 or 32 that each have a scale of their own. */
typedef struct sz_block_q2_k { /* w = d (s & 15) q - dmin (s >> 4), one byte s per 16 weights */
    uint8_t scales[16];
    uint8_t qs[64];
    uint16_t d, dmin;
} sz_block_q2_k;

typedef struct sz_block_q3_k { /* w = d (s - 32) (q - 4), 6-bit s per 16 weights */
    uint8_t hmask[32];
    uint8_t qs[64];
    uint8_t scales[12];
    uint16_t d;
} sz_block_q3_k;

typedef struct sz_block_q4_k { /* w = d s q - dmin m, 6-bit s and m per 32 weights */
    uint16_t d, dmin;
    uint8_t scales[12];
    uint8_t qs[128];
} sz_block_q4_k;

typedef struct sz_block_q5_k { /* as Q4_K with a fifth bit */
    uint16_t d, dmin;
    uint8_t scales[12];
    uint8_t qh[32];
    uint8_t qs[128];
} sz_block_q5_k;

typedef struct sz_block_q6_k { /* w = d s (q - 32), int8 s per 16 weights */
    uint8_t ql[128];
    uint8_t qh[64];
    int8_t scales[16];
    uint16_t d;
} sz_block_q6_k;

typedef struct sz_block_iq4_xs { /* w = d (s - 32) sz_iq4_values[q], 6-bit s per 32 weights */
    uint16_t d, scales_h;
    uint8_t scales_l[4];
    uint8_t qs[128];
} sz_block_iq4_xs;

#pragma pack(pop)

_Static_assert(sizeof(sz_block_q4_0) == 18, "Q4_0");
_Static_assert(sizeof(sz_block_q4_1) == 20, "Q4_1");
_Static_assert(sizeof(sz_block_q5_0) == 22, "Q5_0");
_Static_assert(sizeof(sz_block_q5_1) == 24, "Q5_1");
_Static_assert(sizeof(sz_block_q8_0) == 34, "Q8_0");
_Static_assert(sizeof(sz_block_iq4_nl) == 18, "IQ4_NL");
_Static_assert(sizeof(sz_block_mxfp4) == 17, "MXFP4");
_Static_assert(sizeof(sz_block_q2_k) == 84, "Q2_K");
_Static_assert(sizeof(sz_block_q3_k) == 110, "Q3_K");
_Static_assert(sizeof(sz_block_q4_k) == 144, "Q4_K");
_Static_assert(sizeof(sz_block_q5_k) == 176, "Q5_K");
_Static_assert(sizeof(sz_block_q6_k) == 210, "Q6_K");
_Static_assert(sizeof(sz_block_iq4_xs) == 136, "IQ4_XS");

extern const int8_t sz_iq4_values[16];   /* ascending, denser near zero */
extern const int8_t sz_mxfp4_values[16]; /* FP4 (E2M1), doubled so that they are integers */

/* 2^(e - 128), the scale that belongs to the doubled values of MXFP4; e = 0 and 1 are subnormal. */
float sz_mxfp4_scale(uint8_t e);

/* The 6-bit scale and minimum of sub-block j (0..7) in the 12 bytes of Q4_K and Q5_K. */
static inline void sz_k_scale_min(const uint8_t packed[12], int j, int *scale, int *min) {
    if (j < 4) {
        *scale = packed[j] & 63;
        *min = packed[j + 4] & 63;
    } else {
        *scale = (packed[j + 4] & 15) | (packed[j - 4] >> 6) << 4;
        *min = packed[j + 4] >> 4 | (packed[j] >> 6) << 4;
    }
}

/* The 6-bit scale of sub-block j (0..15) in the 12 bytes of Q3_K, without its offset of 32. */
static inline int sz_q3_k_scale(const uint8_t packed[12], int j) {
    int low = j < 8 ? packed[j] & 15 : packed[j - 8] >> 4;
    return low | (packed[8 + j % 4] >> (j / 4 * 2) & 3) << 4;
}

#define SZ_CODEC(name)                                                                             \
    void sz_dequantize_##name(const void *src, float *dst, size_t n);                              \
    void sz_quantize_##name(const float *src, void *dst, size_t n);
SZ_CODEC(q4_0)
SZ_CODEC(q4_1)
SZ_CODEC(q5_0)
SZ_CODEC(q5_1)
SZ_CODEC(q8_0)
SZ_CODEC(q2_k)
SZ_CODEC(q3_k)
SZ_CODEC(q4_k)
SZ_CODEC(q5_k)
SZ_CODEC(q6_k)
SZ_CODEC(iq4_nl)
SZ_CODEC(iq4_xs)
SZ_CODEC(mxfp4)
#undef SZ_CODEC

#endif
