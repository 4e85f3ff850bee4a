/* keys.h: the keys that requests may carry. Only digests are kept and compared, in a time that does
 * not depend on what they hold. */
#ifndef SZ_SERVE_KEYS_H
#define SZ_SERVE_KEYS_H

#include <szilard/unstable/base.h>

typedef struct sz_keys {
    uint8_t (*digests)[32];
    size_t n; /* 0: no key is needed */
} sz_keys;

/* A key a line; blanks around it, empty lines and lines that begin with # are left out. A file
 * without a key is an error. */
sz_status sz_keys_read(const char *path, sz_keys *out);
void sz_keys_free(sz_keys *k);
bool sz_keys_has(const sz_keys *k, const char *key);

#endif
