/* name_table.h: from names to numbers. Names come from foreign files, so the hash is keyed. */
#ifndef SZ_MODEL_NAME_TABLE_H
#define SZ_MODEL_NAME_TABLE_H

#include <szilard/unstable/base.h>

typedef struct sz_name_slot {
    const char *name; /* borrowed; NULL: free */
    uint32_t n, value;
} sz_name_slot;

typedef struct sz_name_table {
    uint64_t key[2];
    sz_name_slot *slot; /* [n_slots], a power of two, at most half full */
    size_t n_slots, n_used;
} sz_name_table;

/* SipHash-2-4, Aumasson & Bernstein 2012. */
uint64_t sz_siphash(const uint64_t key[2], const void *bytes, size_t n);

/* A random key; holds no memory until the first name. */
void sz_name_table_init(sz_name_table *t);
void sz_name_table_free(sz_name_table *t);
/* Adds a name; *is_new tells whether it was absent (else nothing changes). n < 2^32. */
sz_status sz_name_table_add(sz_name_table *t, const char *name, size_t n, uint32_t value,
                            bool *is_new);
/* The value of a name, -1 if absent. */
int64_t sz_name_table_find(const sz_name_table *t, const char *name, size_t n);

/* Writes foreign text for a message: unprintable bytes as '?', at most 79 bytes, NUL-terminated. */
char *sz_show_text(const char *s, size_t n, char out[80]);

#endif
