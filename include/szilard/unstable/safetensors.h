/* safetensors.h: reading safetensors files. As with GGUF, nothing in a file is trusted; memory
 * beyond the map is bounded for any input. */
#ifndef SZILARD_SAFETENSORS_H
#define SZILARD_SAFETENSORS_H

#include <szilard/unstable/base.h>

typedef enum sz_safetensors_type {
    SZ_ST_BOOL,
    SZ_ST_U8,
    SZ_ST_I8,
    SZ_ST_I16,
    SZ_ST_I32,
    SZ_ST_I64,
    SZ_ST_F16,
    SZ_ST_BF16,
    SZ_ST_F32,
    SZ_ST_F64,
} sz_safetensors_type;

enum { SZ_ST_MAX_DIM = 8 };

typedef struct sz_safetensors_tensor {
    const char *name; /* NUL-terminated, borrowed from the file object */
    sz_safetensors_type type;
    uint32_t n_dim;              /* 0: a scalar */
    uint64_t dim[SZ_ST_MAX_DIM]; /* as in the file: the last one is contiguous; may be 0 */
    const uint8_t *data;         /* into the map, at any address; exactly `bytes` long */
    uint64_t bytes;
} sz_safetensors_tensor;

typedef struct sz_safetensors sz_safetensors;

/* SZ_E_FORMAT: the tensors must fill the data without gap or overlap. SZ_E_UNSUPPORTED: a type
 * that is not listed above. SZ_E_LIMIT: more than 65536 tensors, or a header beyond 100 MB or with
 * more values than 40 MiB of memory hold. */
SZ_API sz_status sz_safetensors_open(const char *path, sz_safetensors **out);
/* Parses bytes that the caller keeps alive; `name` is for messages. */
SZ_API sz_status sz_safetensors_parse(const void *data, size_t size, const char *name,
                                      sz_safetensors **out);
SZ_API void sz_safetensors_close(sz_safetensors *f);

SZ_API size_t sz_safetensors_n_tensors(const sz_safetensors *f);
/* In the order of the header; NULL if i is out of range. */
SZ_API const sz_safetensors_tensor *sz_safetensors_tensor_at(const sz_safetensors *f, size_t i);
SZ_API const sz_safetensors_tensor *sz_safetensors_find(const sz_safetensors *f, const char *name);
/* The file's __metadata__, an object of strings; NULL if it has none. */
SZ_API const sz_json *sz_safetensors_metadata(const sz_safetensors *f);

/* "BF16", 2. */
SZ_API const char *sz_safetensors_type_name(sz_safetensors_type type);
SZ_API size_t sz_safetensors_type_bytes(sz_safetensors_type type);

#endif
