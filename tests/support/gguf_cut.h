/* gguf_cut.h: where every field of a well-formed GGUF file stands, so that tests can break each
 * one.
 */
#ifndef SZ_TESTS_GGUF_CUT_H
#define SZ_TESTS_GGUF_CUT_H

#include <szilard/unstable/gguf.h>

typedef struct key_cut { /* positions in the file */
    size_t at;           /* of the length of its name */
    size_t type;
    size_t value; /* of an array: of its element type; then its count, then its elements */
    size_t end;
    const char *name; /* not terminated */
    size_t n_name;
} key_cut;

typedef struct tensor_cut {
    size_t at; /* of the length of its name */
    size_t n_dim, dims, type, offset, end;
} tensor_cut;

typedef struct gguf_cut {
    key_cut *keys;
    tensor_cut *tensors;
    size_t n_keys, n_tensors;
    size_t keys_at, tensors_at, head_end, data_at;
} gguf_cut;

enum { CUT_N_TENSORS = 8, CUT_N_KEYS = 16 }; /* positions of the two counts */

/* The file must be one that sz_gguf_parse accepts, with an alignment of 32. */
void gguf_cut_file(const char *bytes, gguf_cut *out);
void gguf_cut_free(gguf_cut *c);

#endif
