/* gguf.h: reading and writing GGUF files (versions 2 and 3, little endian). Nothing in a file is
 * trusted: every count, size and offset is checked before it is used. */
#ifndef SZILARD_GGUF_H
#define SZILARD_GGUF_H

#include <szilard/unstable/base.h>
#include <szilard/unstable/tensor_type.h>

typedef enum sz_gguf_type {
    SZ_GGUF_U8,
    SZ_GGUF_I8,
    SZ_GGUF_U16,
    SZ_GGUF_I16,
    SZ_GGUF_U32,
    SZ_GGUF_I32,
    SZ_GGUF_F32,
    SZ_GGUF_BOOL,
    SZ_GGUF_STRING,
    SZ_GGUF_ARRAY,
    SZ_GGUF_U64,
    SZ_GGUF_I64,
    SZ_GGUF_F64,
} sz_gguf_type;

typedef struct sz_str { /* borrowed bytes, not NUL-terminated */
    const char *s;
    size_t n;
} sz_str;

typedef struct sz_gguf sz_gguf;

typedef struct sz_gguf_tensor {
    const char *name; /* NUL-terminated, borrowed from the file object */
    sz_type type;
    uint32_t n_dim;
    uint64_t dim[4];     /* dim[0] is contiguous: the row length ("ne" order of the file) */
    const uint8_t *data; /* into the map; exactly `bytes` long */
    uint64_t bytes;
} sz_gguf_tensor;

typedef struct sz_gguf_kv {
    const char *key;      /* NUL-terminated */
    sz_gguf_type type;    /* SZ_GGUF_ARRAY: see element */
    sz_gguf_type element; /* of an array */
    uint64_t n;           /* elements of an array; 1 otherwise */
} sz_gguf_kv;

/* Of a model split into NAME-00001-of-0000N.gguf and so on, path is the first file; the tensors of
 * all are found in it. SZ_E_NOTFOUND names a part that is missing. */
SZ_API sz_status sz_gguf_open(const char *path, sz_gguf **out);
/* Parses bytes that the caller keeps alive; `name` is for messages. */
SZ_API sz_status sz_gguf_parse(const void *data, size_t size, const char *name, sz_gguf **out);
SZ_API void sz_gguf_close(sz_gguf *g);
SZ_API uint64_t sz_gguf_file_bytes(const sz_gguf *g); /* of all its files */
SZ_API const char *sz_gguf_name(const sz_gguf *g);
SZ_API uint32_t sz_gguf_version(const sz_gguf *g);

SZ_API size_t sz_gguf_n_kv(const sz_gguf *g);
SZ_API const sz_gguf_kv *sz_gguf_kv_at(const sz_gguf *g, size_t i);
SZ_API const sz_gguf_kv *sz_gguf_find(const sz_gguf *g, const char *key); /* NULL if absent */

/* Scalars, converted between integer widths where the value fits. SZ_E_NOTFOUND if the key is
 * absent, SZ_E_FORMAT (naming the key) if it has another type or does not fit. */
SZ_API sz_status sz_gguf_get_u32(const sz_gguf *g, const char *key, uint32_t *out);
SZ_API sz_status sz_gguf_get_i64(const sz_gguf *g, const char *key, int64_t *out);
SZ_API sz_status sz_gguf_get_f32(const sz_gguf *g, const char *key, float *out); /* finite */
SZ_API sz_status sz_gguf_get_bool(const sz_gguf *g, const char *key, bool *out);
SZ_API sz_status sz_gguf_get_str(const sz_gguf *g, const char *key, sz_str *out);
/* Element i of an array, or the scalar as i = 0, in O(1). Integers and bools of any width give an
 * int64 (a larger u64 INT64_MAX), numbers of any kind a double, not checked for NaN. "" or 0 where
 * i is out of range or the kind is another. Strings are borrowed from the file. */
SZ_API sz_str sz_gguf_str_at(const sz_gguf *g, const sz_gguf_kv *kv, uint64_t i);
SZ_API int64_t sz_gguf_int_at(const sz_gguf *g, const sz_gguf_kv *kv, uint64_t i);
SZ_API double sz_gguf_num_at(const sz_gguf *g, const sz_gguf_kv *kv, uint64_t i);
/* "Q4_K_M", from general.file_type; "" where the key is absent or its value has no name here. */
SZ_API const char *sz_gguf_file_type(const sz_gguf *g);

SZ_API size_t sz_gguf_n_tensors(const sz_gguf *g);
SZ_API const sz_gguf_tensor *sz_gguf_tensor_at(const sz_gguf *g, size_t i);
SZ_API const sz_gguf_tensor *sz_gguf_find_tensor(const sz_gguf *g, const char *name);
/* SHA-256 over all tensors' names, types and shapes and the first and last 4 KiB of the data of
 * each: tells models apart without reading all of them. */
SZ_API void sz_gguf_digest(const sz_gguf *g, uint8_t out[32]);

/* Writing: collect keys and tensors, then write once. Data pointers are borrowed until then. */
typedef struct sz_gguf_writer sz_gguf_writer;
SZ_API sz_status sz_gguf_writer_new(sz_gguf_writer **out);
SZ_API void sz_gguf_writer_free(sz_gguf_writer *w);
SZ_API void sz_gguf_put_u32(sz_gguf_writer *w, const char *key, uint32_t v);
SZ_API void sz_gguf_put_i32(sz_gguf_writer *w, const char *key, int32_t v);
SZ_API void sz_gguf_put_u64(sz_gguf_writer *w, const char *key, uint64_t v);
SZ_API void sz_gguf_put_f32(sz_gguf_writer *w, const char *key, float v);
SZ_API void sz_gguf_put_bool(sz_gguf_writer *w, const char *key, bool v);
SZ_API void sz_gguf_put_str(sz_gguf_writer *w, const char *key, const char *s, size_t n);
SZ_API void sz_gguf_put_strs(sz_gguf_writer *w, const char *key, const sz_str *s, size_t n);
SZ_API void sz_gguf_put_f32s(sz_gguf_writer *w, const char *key, const float *v, size_t n);
SZ_API void sz_gguf_put_i32s(sz_gguf_writer *w, const char *key, const int32_t *v, size_t n);
SZ_API void sz_gguf_put_kv(sz_gguf_writer *w, const sz_gguf *from, const sz_gguf_kv *kv); /* copy */
SZ_API void sz_gguf_put_tensor(sz_gguf_writer *w, const char *name, sz_type type, uint32_t n_dim,
                               const uint64_t *dim, const void *data);
/* Atomic; reports the first error of any put. */
SZ_API sz_status sz_gguf_writer_save(sz_gguf_writer *w, const char *path);

#endif
