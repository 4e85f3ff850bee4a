/* info.h: the parts of `szilard info`: one per kind of file, and the processor. */
#ifndef SZ_CLI_INFO_H
#define SZ_CLI_INFO_H

#include "cli.h"
#include <szilard/unstable/gguf.h>

typedef struct sz_info_options {
    bool json, tensors;
    bool all; /* arrays whole */
} sz_info_options;

/* Each appends what it found out: lines of text, or one JSON object and a newline. */
sz_status sz_info_gguf(const char *path, const sz_info_options *o, sz_buf *b);
sz_status sz_info_safetensors(const char *path, const sz_info_options *o, sz_buf *b);
sz_status sz_info_cpu(const sz_info_options *o, sz_buf *b);

/* ---- Shared by the parts ------------------------------------------------------------------- */

/* "label         text\n" */
void sz_info_line(sz_buf *b, const char *label, const char *format, ...) SZ_PRINTF(3, 4);
/* Text of a file for a terminal: control characters and what is not UTF-8 are replaced, and it ends
 * with "..." after about `most` bytes. */
void sz_put_shown(sz_buf *b, const char *s, size_t n, size_t most);

/* Tensors of one storage type. */
typedef struct sz_tensor_sum {
    const char *type;
    uint64_t n, elements, bytes;
} sz_tensor_sum;
enum { SZ_SUMS_MAX = 48 };
typedef struct sz_tensor_sums {
    sz_tensor_sum v[SZ_SUMS_MAX];
    size_t n;
    sz_tensor_sum all;
} sz_tensor_sums;
void sz_sums_add(sz_tensor_sums *s, const char *type, uint64_t elements, uint64_t bytes);
/* Lines of the numbers of parameters and tensors. */
void sz_sums_text(const sz_tensor_sums *s, sz_buf *b);
/* "n_params":..,"n_tensors":..,"tensor_bytes":..,"types":{..} */
void sz_sums_json(const sz_tensor_sums *s, sz_buf *b);

/* One tensor; shape is row-major: the last dimension is contiguous. */
typedef struct sz_tensor_row {
    const char *name, *type;
    uint64_t shape[8];
    uint32_t n_dim;
    uint64_t bytes;
} sz_tensor_row;
void sz_tensor_text(const sz_tensor_row *t, sz_buf *b);
void sz_tensor_json(const sz_tensor_row *t, sz_buf *b);

#endif
