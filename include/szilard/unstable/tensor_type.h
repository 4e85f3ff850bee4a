/* tensor_type.h: the storage types of tensors, numbered as in GGUF files, and their codecs. */
#ifndef SZILARD_TENSOR_TYPE_H
#define SZILARD_TENSOR_TYPE_H

#include <szilard.h>

typedef enum sz_type {
    SZ_F32 = 0,
    SZ_F16 = 1,
    SZ_Q4_0 = 2,
    SZ_Q4_1 = 3,
    SZ_Q5_0 = 6,
    SZ_Q5_1 = 7,
    SZ_Q8_0 = 8,
    SZ_Q2_K = 10,
    SZ_Q3_K = 11,
    SZ_Q4_K = 12,
    SZ_Q5_K = 13,
    SZ_Q6_K = 14,
    SZ_IQ4_NL = 20,
    SZ_IQ4_XS = 23,
    SZ_I8 = 24,
    SZ_I16 = 25,
    SZ_I32 = 26,
    SZ_I64 = 27,
    SZ_F64 = 28,
    SZ_BF16 = 30,
    SZ_MXFP4 = 39,
} sz_type;

typedef struct sz_type_info {
    const char *name;     /* "Q4_K"; NULL: unknown type */
    uint32_t block;       /* weights per block */
    uint32_t block_bytes; /* bytes per block */
    /* Decode / encode n weights, n a multiple of block. NULL where not supported. Encoders take
     * finite floats. Both are exact functions of their input: no libm, the same bits everywhere. */
    void (*dequantize)(const void *src, float *dst, size_t n);
    void (*quantize)(const float *src, void *dst, size_t n);
} sz_type_info;

/* Never NULL; an unknown type has name NULL and block 0. */
SZ_API const sz_type_info *sz_type_get(sz_type type);
/* The type of that name, any case ("q4_k"); -1 if there is none. */
SZ_API int sz_type_from_name(const char *name);

/* IEEE half and bfloat16, round to nearest even, exact for every input. */
SZ_API float sz_f16_to_f32(uint16_t h);
SZ_API uint16_t sz_f32_to_f16(float f);
SZ_API float sz_bf16_to_f32(uint16_t h);
SZ_API uint16_t sz_f32_to_bf16(float f);

#endif
