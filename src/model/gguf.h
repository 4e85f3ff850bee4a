/* gguf.h: what reading and the lookups of a GGUF file share. */
#ifndef SZ_MODEL_GGUF_H
#define SZ_MODEL_GGUF_H

#include "model/name_table.h"

#include <szilard/unstable/gguf.h>

enum {
    SZ_GGUF_MAX_KEYS = 65536,
    SZ_GGUF_MAX_TENSORS = 65536,
    SZ_GGUF_MAX_NAME = 65535, /* bytes of a key or of a tensor's name */
    SZ_GGUF_MAX_ALIGNMENT = 65536,
    SZ_GGUF_DEFAULT_ALIGNMENT = 32,
};

typedef struct sz_gguf_entry {
    sz_gguf_kv kv;          /* first: a public pointer leads back to its entry */
    const uint8_t *value;   /* of an array: its first element */
    uint64_t bytes;         /* of the value as it stands in the file, an array's header left out */
    const uint32_t *string; /* of an array of strings: where each one starts in value */
} sz_gguf_entry;

struct sz_gguf {
    sz_map map; /* data NULL if the caller owns the bytes */
    const uint8_t *data;
    size_t size;
    char *name; /* for messages */
    uint32_t version, alignment;
    sz_arena *arena; /* all that follows but the tables; bounded */
    sz_gguf_entry *kv;
    size_t n_kv;
    sz_gguf_tensor *tensor;
    size_t n_tensors;
    sz_name_table keys, tensors;
    uint64_t n_strings, string_bytes; /* in arrays, so far */
    sz_gguf **part; /* [n_parts]: the files after the first of a split model; else NULL */
    uint32_t n_parts;
};

/* Opens one file, whatever its keys say about others. */
sz_status sz_gguf_open_one(const char *path, sz_gguf **out);
/* Opens the further files of a split model, whose first one is g, and adds their tensors to g. */
sz_status sz_gguf_open_parts(sz_gguf *g);

/* Lets the pages of the file, and of its further parts, leave memory; they come back when read. */
void sz_gguf_release(const sz_gguf *g);

/* Bytes of a scalar of that type; 0 for strings, arrays and unknown types. */
size_t sz_gguf_type_bytes(sz_gguf_type type);
/* "u32"; "unknown" for a number that is no type. */
const char *sz_gguf_type_name(sz_gguf_type type);

/* Whether an alignment is one that files may state. */
static inline bool sz_gguf_alignment_valid(uint64_t a) {
    return a >= 8 && a <= SZ_GGUF_MAX_ALIGNMENT && (a & (a - 1)) == 0;
}

/* Bytes of a tensor of that type and shape. false: a zero size, an overflow, or a row that is not
 * whole blocks; *why then says which. type must be known. */
bool sz_gguf_tensor_bytes(sz_type type, uint32_t n_dim, const uint64_t *dim, uint64_t *bytes,
                          const char **why);

#endif
